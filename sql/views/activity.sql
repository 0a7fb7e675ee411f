-- Every event with the vocabulary that rules share: who, on what, with what outcome.
--
-- One row for each row of `cloudtrail`; nothing is left out and nothing is joined. The columns that
-- `cloudtrail` has pass as they are, so that filters on them choose row groups; the added ones are
-- computed only where a query names them. `ok`, `denied`, `by_service`, `console`,
-- `iac_hint` and `parameters_omitted` are never NULL.
--
-- `ok` looks into the response of sign-in events, which fail without an error code. `session_name`,
-- `caller_role_arn` and `principal_key` (the same as `actor`) tell who called; `target_role_arn` comes
-- from the request, else from the resources, else, since refused calls have no request, from the
-- error message. `subject` is what the call is about: that role, or the role, user, group, policy or
-- other thing that an IAM call names. ARNs made from a bare name have no path. `workload` says that the
-- credentials are an instance's, function's, task's or pod's, where the record itself shows it.
-- `call_name` is the event's name without an API version, and `parameters_omitted` says that CloudTrail
-- left the request out for its size.
SELECT
  *,
  errorcode IS NULL AND errormessage IS NULL
    AND CASE WHEN eventname IN ('ConsoleLogin', 'SwitchRole', 'GetSigninToken')
          THEN json_get_str(responseelements, eventname) IS DISTINCT FROM 'Failure'
          ELSE true
        END AS ok,
  errorcode IS NOT NULL AND (
    errorcode IN (
      'AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation',
      'Client.UnauthorizedOperation', 'UnauthorizedException', 'VpceAccessDenied')
    OR errorcode LIKE '%.UnauthorizedAccess') AS denied,
  useridentity.accountid AS caller_account,
  useridentity.sessioncontext.sessionissuer.arn AS caller_role_arn,
  CASE WHEN useridentity.type IN ('AssumedRole', 'FederatedUser', 'AWSAccount') THEN coalesce(
    nullif(split_part(useridentity.principalid, ':', 2), ''),
    CASE WHEN useridentity.arn LIKE '%/%' THEN nullif(split_part(useridentity.arn, '/', -1), '') END
  ) END AS session_name,
  principal_key(useridentity) AS principal_key,
  -- No key is empty. Written otherwise than the line above, because DataFusion 55.2 cannot plan some
  -- queries over one expression that has two names.
  nullif(principal_key(useridentity), '') AS actor,
  target_role_arn(awsregion, recipientaccountid, requestparameters, errormessage, resources)
    AS target_role_arn,
  CASE
    WHEN eventname = 'AssumeRoot'
      THEN coalesce(
        arn_account(json_get_str(requestparameters, 'targetPrincipal')),
        arn_account(denied_target(errormessage)))
    ELSE arn_account(
      target_role_arn(awsregion, recipientaccountid, requestparameters, errormessage, resources))
  END AS target_account,
  call_subject(
    awsregion, recipientaccountid, requestparameters, errormessage, eventsource, responseelements,
    resources) AS subject,
  json_get_str(responseelements, 'credentials', 'accessKeyId') AS issued_key,
  base_event_name(eventname) AS call_name,
  record_time(useridentity.sessioncontext.attributes.creationdate) AS session_created_at,
  lower(coalesce(json_as_text(requestparameters, 'omitted'), 'false')) = 'true'
    OR coalesce(json_get_str(requestparameters, 'reason'), '')
      LIKE 'requestParameters too large%' AS parameters_omitted,
  (useridentity.type IS NOT DISTINCT FROM 'AWSService')
    OR useridentity.invokedby IS NOT NULL
    OR (sourceipaddress IS NOT NULL AND (
      sourceipaddress LIKE '%.amazonaws.com'
      OR sourceipaddress LIKE '%.amazonaws.com.cn'
      OR sourceipaddress = 'AWS Internal')) AS by_service,
  lower(coalesce(sessioncredentialfromconsole, '')) = 'true'
    OR lower(coalesce(useridentity.sessioncontext.attributes.sessioncredentialfromconsole, ''))
       = 'true' AS console,
  ip_network(sourceipaddress) AS src_net,
  CASE WHEN useridentity.type = 'AssumedRole' THEN CASE
    WHEN useridentity.sessioncontext.ec2roledelivery IS NOT NULL
      OR regexp_like(useridentity.principalid, ':i-[0-9a-f]{8,17}$') THEN 'instance'
    WHEN useridentity.inscopeof.issuertype LIKE 'AWS::Lambda::%' THEN 'function'
    WHEN useridentity.inscopeof.issuertype LIKE 'AWS::ECS::%' THEN 'task'
    WHEN useridentity.inscopeof.issuertype LIKE 'AWS::EKS::%' THEN 'pod'
    WHEN useridentity.inscopeof.issuertype LIKE 'AWS::EC2::%' THEN 'instance'
  END END AS workload,
  (useridentity.invokedby IS NOT DISTINCT FROM 'cloudformation.amazonaws.com')
    OR (useragent IS NOT NULL
        AND regexp_like(useragent, 'terraform|pulumi|opentofu|cdk|crossplane', 'i')) AS iac_hint
FROM cloudtrail
