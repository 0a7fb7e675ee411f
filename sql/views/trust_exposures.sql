-- What is noteworthy in the trust policies that calls carried: one row for each call and code, with the
-- severity that a finding about it has.
--
-- Calls that succeeded and those whose document IAM refused (`attempt`). The code's own severity goes a
-- step up if the role is strong, and a step down, though not below low, for an attempt. Roles that AWS
-- makes in its reserved paths are left out. `permissions_boundary` and `max_session_seconds` are what a
-- CreateRole asked for; the boundary is evidence and no excuse, since it can be taken off later.
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  subject,
  role_account,
  role_name,
  role_arn,
  role_id,
  permissions_boundary,
  max_session_seconds,
  iac_hint,
  found['code'] AS code,
  found['severity'] AS code_severity,
  array_element(make_array('info', 'low', 'medium', 'high', 'critical'), CASE
    WHEN attempt THEN greatest(2, level - 1)
    ELSE level
  END) AS severity,
  found['statement'] AS statement,
  found['value'] AS offending,
  found['advice'] AS advice,
  trust_document,
  trust_verdict,
  trust_codes,
  trust_principals,
  attempt,
  role_is
FROM (
  SELECT
    *,
    least(5, CASE found['severity']
      WHEN 'info' THEN 1 WHEN 'low' THEN 2 WHEN 'medium' THEN 3 WHEN 'high' THEN 4 ELSE 5
    END + CASE WHEN role_is IS NULL THEN 0 ELSE 1 END) AS level
  FROM (
    SELECT
      changes.*,
      strong.why AS role_is,
      NOT changes.ok AS attempt,
      try_cast(json_as_text(changes.requestparameters, 'maxSessionDuration') AS BIGINT)
        AS max_session_seconds,
      unnest(trust_findings(changes.trust_document, changes.role_account)) AS found
    FROM role_changes AS changes
    LEFT JOIN strong_roles AS strong
      ON strong.role_account = changes.role_account AND strong.role_name = changes.role_name
    WHERE changes.eventname IN ('CreateRole', 'UpdateAssumeRolePolicy')
      AND (changes.ok OR changes.errorcode LIKE 'MalformedPolicyDocument%')
      AND coalesce(changes.role_arn, '') NOT LIKE '%:role/aws-reserved/%'
      AND coalesce(changes.role_arn, '') NOT LIKE '%:role/aws-service-role/%'
      AND coalesce(changes.caller_role_arn, '')
        NOT LIKE '%:role/aws-service-role/sso.amazonaws.com/%'
  )
)
