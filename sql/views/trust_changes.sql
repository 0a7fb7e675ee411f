-- The successive trust policies of each role, from successful CreateRole and UpdateAssumeRolePolicy
-- calls, each with the one before it. A deleted or new role starts afresh; equal times are ordered by
-- event id.
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
  iac_hint,
  trust_document,
  trust_verdict,
  trust_severity,
  trust_codes,
  trust_principals,
  CASE WHEN eventname <> 'CreateRole' AND before_document IS NOT NULL THEN before_eventid END
    AS previous_eventid,
  CASE WHEN eventname <> 'CreateRole' THEN before_document END AS previous_document,
  trust_verdict(CASE WHEN eventname <> 'CreateRole' THEN before_document END, role_account)
    AS previous_verdict,
  trust_codes(CASE WHEN eventname <> 'CreateRole' THEN before_document END, role_account)
    AS previous_codes,
  trust_principals(CASE WHEN eventname <> 'CreateRole' THEN before_document END, role_account)
    AS previous_principals
FROM (
  SELECT
    *,
    -- A deletion has no document, so what follows it has no document before it.
    lag(trust_document) OVER successive AS before_document,
    lag(eventid) OVER successive AS before_eventid
  FROM role_changes
  WHERE eventname IN ('CreateRole', 'UpdateAssumeRolePolicy', 'DeleteRole')
    AND ok AND role_name IS NOT NULL
  WINDOW successive AS (PARTITION BY role_account, role_name ORDER BY eventtime, eventid)
)
WHERE eventname <> 'DeleteRole'
