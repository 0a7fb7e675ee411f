-- When roles came into being: one row for each successful CreateRole and CreateServiceLinkedRole.
--
-- A role that was deleted and made again has several rows, so ask with EXISTS or take the latest.
SELECT
  role_account,
  role_name,
  role_arn,
  role_id,
  eventtime AS born_at,
  eventid AS born_eventid,
  actor AS born_by,
  iac_hint AS born_by_iac
FROM role_changes
WHERE eventname IN ('CreateRole', 'CreateServiceLinkedRole') AND ok AND role_name IS NOT NULL
