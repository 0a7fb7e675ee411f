-- The successive trust policies of each role, from successful CreateRole and UpdateAssumeRolePolicy
-- calls, each with the one before it. A deleted or new role starts afresh; equal times are ordered by
-- event id.
--
-- `opened` is what the document lets in beyond the one before it, worst first, and `opened_severity` the
-- worst of that. Both are NULL where no document before it is known; the second also where nothing was
-- opened.
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
  previous_eventid,
  previous_document,
  trust_verdict(previous_document, role_account) AS previous_verdict,
  trust_codes(previous_document, role_account) AS previous_codes,
  trust_principals(previous_document, role_account) AS previous_principals,
  trust_opened(previous_document, trust_document, role_account, role_arn) AS opened,
  trust_diff_severity(previous_document, trust_document, role_account, role_arn) AS opened_severity
FROM (
  SELECT
    *,
    CASE WHEN eventname <> 'CreateRole' AND before_document IS NOT NULL THEN before_eventid END
      AS previous_eventid,
    CASE WHEN eventname <> 'CreateRole' THEN before_document END AS previous_document
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
)
WHERE eventname <> 'DeleteRole'
