-- Calls that issued credentials or began a session, one row for each record.
--
-- `mark` is the sign of who called (see `callers`). A call over accounts has two records, in the caller's
-- account and in the target's, and stands here twice. `role_arn` and `session_name` say what was taken,
-- `role_id` is the unique id of both, `key` what was issued, `source_identity` what was set with the call.
-- Sign-ins issue nothing that the record names; the session that they begin has their moment.
SELECT
  eventid, recipientaccountid, eventtime, eventname, mark, type, sharedeventid, requestid,
  sourceipaddress, identity_provider, user_name,
  -- A record that amends another is of the same call.
  nullif(amends, '') AS amends,
  coalesce(
    nullif(issued_key, ''),
    json_get_str(responseelements, 'credentialSet', 0, 'credentials', 'accessKeyId')) AS key,
  coalesce(
    json_get_str(responseelements, 'assumedRoleUser', 'assumedRoleId'),
    json_get_str(responseelements, 'federatedUser', 'federatedUserId')) AS role_id,
  json_get_str(responseelements, 'assumedRoleUser', 'arn') AS session_arn,
  CASE eventname
    WHEN 'GetRoleCredentials' THEN json_get_str(serviceeventdetails, 'role_name')
    ELSE target_role_arn
  END AS role_arn,
  CASE eventname
    WHEN 'GetRoleCredentials' THEN json_as_text(serviceeventdetails, 'account_id')
    ELSE target_account
  END AS target_account,
  coalesce(
    json_get_str(requestparameters, 'roleSessionName'),
    json_get_str(requestparameters, 'name')) AS session_name,
  json_get_str(requestparameters, 'sourceIdentity') AS source_identity,
  record_time(json_get_str(responseelements, 'credentials', 'expiration')) AS expires_at,
  json_get_str(requestparameters, 'principalArn') AS saml_provider,
  json_get_str(additionaleventdata, 'signInSessionArn') AS sign_in_begun,
  json_get_str(additionaleventdata, 'SwitchFrom') AS switched_from,
  coalesce(
    json_get_str(additionaleventdata, 'identitycenter:CredentialId'),
    json_get_str(requestparameters, 'identitycenter:CredentialId')) AS directory_credential
FROM callers
WHERE mark IS NOT NULL
  AND ok
  AND (eventsource = 'sts.amazonaws.com' AND eventname IN (
      'AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'AssumeRoot',
      'GetSessionToken', 'GetFederationToken')
    OR eventsource = 'signin.amazonaws.com' AND eventname IN (
      'ConsoleLogin', 'GetSigninToken', 'SwitchRole', 'CreateOAuth2Token')
    OR eventsource = 'sso.amazonaws.com' AND eventname = 'GetRoleCredentials'
    OR eventsource = 'rolesanywhere.amazonaws.com' AND eventname = 'CreateSession')
