-- The documents of customer managed policies that the evidence shows, from successful CreatePolicy and
-- CreatePolicyVersion calls: what an attachment of that policy, or a later SetDefaultPolicyVersion,
-- amounts to.
SELECT
  policy_arn,
  policy_version,
  policy_default,
  eventtime,
  eventid,
  actor,
  policy_document,
  policy_class,
  policy_severity,
  policy_conditioned,
  policy_actions
FROM role_changes
WHERE eventname IN ('CreatePolicy', 'CreatePolicyVersion') AND ok AND policy_arn IS NOT NULL
