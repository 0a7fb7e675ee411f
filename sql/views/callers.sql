-- Every event with `mark`, the sign by which its caller is told apart, as far as the record itself shows.
--
-- Records of one mark were made with the same credentials. A session may have several marks, and which
-- session a mark belongs to takes the whole evidence: `session_marks` says it. The mark of a session
-- is its key, principal id and the moment it began. Where keys change from call to call (in the
-- console, and in calls that services make in somebody's name) it is the principal id and that moment.
-- `console` also counts calls that a browser or the console's own clients made; `from_console` is what
-- the record itself says. Of keys that are hidden or blotted out nothing can be told, so they do not count.
SELECT
  *,
  CASE
    WHEN type IN ('AssumedRole', 'IAMUser', 'Root', 'FederatedUser') THEN CASE
      WHEN eventsource = 'signin.amazonaws.com' AND eventname = 'ConsoleLogin' AND created IS NULL
        AND ok
        THEN concat('login|', type, '|', principal_id, '|', eventid)
      WHEN created IS NOT NULL AND (access_key_id IS NULL OR minted)
        THEN concat('began|', type, '|', principal_id, '|', created, '|', coalesce(session_source, ''))
      WHEN access_key_id IS NOT NULL
        THEN concat('key|', type, '|', principal_id, '|', access_key_id, '|', coalesce(created, ''))
      ELSE concat('who|', type, '|', principal_id)
    END
    WHEN type IN ('SAMLUser', 'WebIdentityUser')
      THEN concat('federated|', type, '|', coalesce(identity_provider, ''), '|',
        coalesce(user_name, principal_id, ''))
    WHEN type = 'IdentityCenterUser'
      THEN concat('directory|', coalesce(user_id, principal_id, ''), '|', coalesce(credential_id, ''))
    -- Each step over accounts for itself: its other half may name the caller.
    WHEN type = 'AWSAccount' AND eventsource = 'sts.amazonaws.com'
      THEN concat('outside|', coalesce(caller_account, ''), '|', coalesce(principal_id, ''), '|', eventid)
    WHEN type = 'AWSAccount'
      THEN concat('outside|', coalesce(caller_account, ''), '|', coalesce(principal_id, ''))
    WHEN workload_name IS NOT NULL
      THEN concat('workload|', workload_kind, '|', coalesce(target_account, recipientaccountid, ''), '|', workload_name)
    WHEN service IS NOT NULL
      THEN concat('service|', service)
    WHEN type IS NOT NULL OR principal_id IS NOT NULL OR caller_account IS NOT NULL
      THEN concat('other|', coalesce(type, ''), '|', coalesce(caller_account, ''), '|',
        coalesce(principal_id, ''))
  END AS mark
FROM (
  SELECT
    *,
    CASE
      WHEN service LIKE 'ec2.%' THEN 'instance'
      WHEN service LIKE 'lambda.%' OR service LIKE 'edgelambda.%' THEN 'function'
      WHEN service LIKE 'ecs-tasks.%' THEN 'task'
      WHEN service LIKE 'pods.eks.%' THEN 'pod'
    END AS workload_kind,
    -- A service that takes a role for a workload of the customer's gives the session its name.
    CASE
      WHEN eventsource = 'sts.amazonaws.com' AND eventname = 'AssumeRole' AND ok
        AND (service LIKE 'ec2.%' OR service LIKE 'lambda.%' OR service LIKE 'edgelambda.%'
          OR service LIKE 'ecs-tasks.%' OR service LIKE 'pods.eks.%')
        THEN CASE
          WHEN service LIKE 'ec2.%'
            AND NOT regexp_like(json_get_str(requestparameters, 'roleSessionName'), '^i-[0-9a-f]{8,17}$')
            THEN NULL
          ELSE json_get_str(requestparameters, 'roleSessionName')
        END
    END AS workload_name
  FROM (
    SELECT
      eventid, recipientaccountid, eventtime, eventsource, eventname, awsregion, sourceipaddress,
      requestparameters, responseelements, additionaleventdata, serviceeventdetails, sharedeventid,
      requestid, addendum.originaleventid AS amends, readonly, useragent, errorcode, ok, denied, call_name,
      subject, principal_key, target_role_arn, target_account, issued_key,
      session_created_at, caller_role_arn, caller_account, session_name, src_net, by_service,
      vpcendpointid, vpcendpointaccountid, iac_hint,
      -- Told anew: DataFusion 55.2 cannot plan some queries over one expression that has two names.
      lower(concat_ws(' ', sessioncredentialfromconsole,
        useridentity.sessioncontext.attributes.sessioncredentialfromconsole)) LIKE '%true%'
        AS from_console,
      useridentity.type AS type,
      coalesce(
        CASE WHEN useridentity.principalid LIKE '%*%' THEN NULL
          ELSE nullif(useridentity.principalid, '') END,
        nullif(useridentity.arn, ''), nullif(useridentity.username, '')) AS principal_id,
      nullif(useridentity.arn, '') AS arn,
      nullif(useridentity.username, '') AS user_name,
      nullif(useridentity.identityprovider, '') AS identity_provider,
      coalesce(
        nullif(useridentity.credentialid, ''),
        CASE WHEN caller_role_arn LIKE '%/AWSReservedSSO_%'
          THEN json_get_str(additionaleventdata, 'identitycenter:CredentialId') END) AS credential_id,
      nullif(useridentity.onbehalfof.userid, '') AS user_id,
      nullif(useridentity.inscopeof.issuertype, '') AS scope_type,
      nullif(useridentity.inscopeof.sourcearn, '') AS scope_arn,
      nullif(useridentity.sessioncontext.attributes.creationdate, '') AS created,
      lower(useridentity.sessioncontext.attributes.mfaauthenticated) = 'true' AS mfa,
      nullif(useridentity.sessioncontext.sourceidentity, '') AS session_source,
      nullif(useridentity.sessioncontext.signinsessionarn, '') AS sign_in,
      useridentity.sessioncontext.ec2roledelivery IS NOT NULL AS from_metadata,
      lower(coalesce(useridentity.sessioncontext.assumedroot, '')) = 'true' AS assumed_root,
      CASE
        WHEN useridentity.accesskeyid = '' OR useridentity.accesskeyid LIKE '%*%'
          OR useridentity.accesskeyid LIKE 'HIDDEN%' THEN NULL
        ELSE useridentity.accesskeyid
      END AS access_key_id,
      CASE
        WHEN useridentity.type = 'AWSService'
          THEN coalesce(nullif(useridentity.invokedby, ''), sourceipaddress)
        WHEN useridentity.type IS NULL THEN nullif(useridentity.invokedby, '')
      END AS service,
      -- Of what a service does in somebody's name its client tells nothing; who switches roles does it
      -- in the console.
      console
        OR useridentity.invokedby = 'AWS Internal' AND eventname = 'AssumeRole'
        OR useridentity.invokedby IS NULL AND (
        useragent LIKE 'Mozilla/%' OR useragent LIKE '%console.amazonaws.com%'
        OR useragent LIKE '%S3Console%' OR useragent LIKE '%signin.amazonaws.com%'
        OR useragent LIKE '%aws-internal%' OR useragent LIKE 'AWS Internal%') AS console,
      coalesce(by_service, false) OR console
        OR useragent LIKE 'Mozilla/%' OR useragent LIKE '%console.amazonaws.com%'
        OR useragent LIKE '%S3Console%' OR useragent LIKE '%signin.amazonaws.com%'
        OR useragent LIKE '%aws-internal%' OR useragent LIKE 'AWS Internal%' AS minted
    FROM activity
  )
)
