/*---
id = "assume-role-first-seen-edge"
title = "A principal takes a role for the first time"
severity = "low"
maturity = "incubating"
kind = "first-seen"
risk = ["unauthorized access"]
attack = ["T1078.004", "T1199"]
description = """
A caller took a role that it had not taken in the days before, in an account whose records go back
that far. Callers are counted without their
session names, so that the names of jobs do not look new. A step over accounts or a person on a strong
role weighs more, a caller account that was never seen before the most. Refusals over accounts are
recorded in the caller's account only, so this first success is often all there is to see."""
summary = """{{ caller_key }} took {{ subject }} for the first time in {{ baseline_days }} days{% if new_account %};
no caller of account {{ caller_account }} was seen before{% endif %}."""
false_positives = [
  "Rollouts and new colleagues.",
  "Pipelines with a role for each job: name them in `ci_principals`.",
]
triage = [
  "Does the caller have a reason to be on this role?",
  "Was the role's trust policy or the caller's policy changed just before?",
  "What did the session do that the role's usual sessions do not?",
]
remediation = ["correct-trust-policy", "revoke-sessions"]
references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html"]

[params]
min_role_age_hours = 24
---*/
WITH calls AS (
  SELECT
    *,
    caller_kind = 'user' OR console OR caller_role_arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
      AS by_person,
    lag(eventtime) OVER (PARTITION BY caller_key, target_role_arn ORDER BY eventtime, eventid)
      AS edge_before,
    lag(eventtime) OVER (PARTITION BY caller_account ORDER BY eventtime, eventid) AS account_before
  FROM role_assumptions
  WHERE eventname = 'AssumeRole' AND ok AND caller_kind <> 'service' AND target_role_arn IS NOT NULL
),
-- An account that joined the lake late has no past before its first record, however old the lake is.
recorded AS (
  SELECT coalesce(recipientaccountid, '') AS account, min(eventtime) AS first_time
  FROM cloudtrail
  GROUP BY coalesce(recipientaccountid, '')
),
edges AS (
  SELECT
    calls.*,
    settings.baseline_days,
    to_unixtime(calls.eventtime) - to_unixtime(recorded.first_time)
      < 86400 * settings.baseline_days AS learning,
    calls.cross_account AND (calls.account_before IS NULL
      OR to_unixtime(calls.eventtime) - to_unixtime(calls.account_before)
        > 86400 * settings.baseline_days) AS account_unseen
  FROM calls
  CROSS JOIN settings
  JOIN recorded ON recorded.account = coalesce(calls.recipientaccountid, '')
  WHERE calls.edge_before IS NULL
    OR to_unixtime(calls.eventtime) - to_unixtime(calls.edge_before) > 86400 * settings.baseline_days
)
SELECT
  edges.eventtime,
  edges.eventid,
  edges.recipientaccountid,
  edges.awsregion,
  edges.actor,
  edges.sourceipaddress,
  edges.eventname,
  edges.target_role_arn AS subject,
  CASE
    WHEN edges.account_unseen AND own.account IS NULL THEN 'high'
    WHEN edges.cross_account THEN 'medium'
    WHEN edges.by_person AND strong.role_name IS NOT NULL THEN 'medium'
    ELSE 'low'
  END AS severity,
  edges.event_ids,
  edges.learning,
  edges.caller_key,
  edges.caller_account,
  edges.account_unseen AND own.account IS NULL AS new_account,
  edges.baseline_days,
  strong.why AS role_is,
  edges.role_session_name AS session_name,
  split_part(edges.assumed_role_id, ':', 1) AS role_id
FROM edges
LEFT JOIN own_accounts AS own ON own.account = edges.caller_account
LEFT JOIN strong_roles AS strong
  ON strong.role_account = edges.target_account AND strong.role_name = edges.target_role_name
-- A young role has no history; how it was made is other rules' business.
WHERE NOT EXISTS (
    SELECT 1 FROM role_births AS births
    WHERE births.role_account = edges.target_account
      AND births.role_name = edges.target_role_name
      AND births.born_at <= edges.eventtime
      AND to_unixtime(edges.eventtime) - to_unixtime(births.born_at) < 3600 * $min_role_age_hours)
  AND NOT EXISTS (
    SELECT 1 FROM ci_principals WHERE glob_match(ci_principals.pattern, edges.actor))
