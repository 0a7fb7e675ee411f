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
that far. Callers are counted without their session names, so that the names of jobs do not look
new. A step over accounts or a person on a strong role weighs more, a caller account that was never
seen before the most. A caller that goes into many accounts of ours anyway is low, unless the role
is a strong one."""
summary = """{{ caller_key }} took {{ subject }} for the first time in {{ baseline_days }} days{% if
new_account %}; no caller of account {{ caller_account }} was seen before{% endif %}."""
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
# Each edge by itself: harmless ones shall not hide in, or add to, one that is not. A new account is
# another matter than a new caller of a known one.
group_by = ["caller_key", "novelty"]

[params]
min_role_age_hours = 24
# A caller that was on so many roles of other accounts before rolls something out.
hub_roles = 5
# A caller that was on roles of this name in so many other accounts takes the next account's.
hub_accounts = 2
---*/
WITH calls AS (
  SELECT
    *,
    caller_kind = 'user' OR console OR caller_role_arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
      AS by_person,
    -- Each new edge counts once, where it begins.
    lag(eventtime) OVER (PARTITION BY caller_key, target_role_arn ORDER BY eventtime, eventid)
      AS edge_before,
    lag(eventtime) OVER (PARTITION BY caller_account ORDER BY eventtime, eventid) AS account_before
  FROM role_assumptions
  WHERE eventname = 'AssumeRole' AND ok AND caller_kind <> 'service' AND target_role_arn IS NOT NULL
),
-- How far each caller had come over accounts a day before: what it does in one go is no habit.
travelled AS (
  SELECT
    eventid,
    sum(CASE WHEN cross_account AND edge_before IS NULL THEN 1 ELSE 0 END) OVER (
      PARTITION BY caller_key ORDER BY eventtime
      RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL '1' DAY PRECEDING) AS n_roles_before,
    sum(CASE WHEN cross_account AND edge_before IS NULL THEN 1 ELSE 0 END) OVER (
      PARTITION BY caller_key, target_role_name ORDER BY eventtime
      RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL '1' DAY PRECEDING) AS n_of_name_before
  FROM calls
),
edges AS (
  SELECT
    calls.*,
    settings.baseline_days,
    calls.eventtime < recorded.learned_at AS learning,
    calls.cross_account AND (calls.account_before IS NULL
      OR to_unixtime(calls.eventtime) - to_unixtime(calls.account_before)
          > 86400 * settings.baseline_days
        AND calls.account_before >= coalesce(settings.baseline_until, calls.account_before))
      AS account_unseen
  FROM calls
  CROSS JOIN settings
  JOIN recorded ON recorded.account = coalesce(calls.recipientaccountid, '')
  -- What the named baseline shows is known for good, however long ago.
  WHERE calls.edge_before IS NULL
    OR to_unixtime(calls.eventtime) - to_unixtime(calls.edge_before) > 86400 * settings.baseline_days
      AND calls.edge_before >= coalesce(settings.baseline_until, calls.edge_before)
),
judged AS (
  SELECT
    edges.*,
    own.account IS NOT NULL AS is_own,
    vendors.account IS NOT NULL AS is_vendor,
    edges.account_unseen AND own.account IS NULL AND vendors.account IS NULL AS new_account,
    own.account IS NOT NULL
      AND (coalesce(travelled.n_of_name_before, 0) >= $hub_accounts
        OR coalesce(travelled.n_roles_before, 0) >= $hub_roles AND strong.role_name IS NULL)
      AS is_hub,
    strong.why AS role_is
  FROM edges
  JOIN travelled ON travelled.eventid = edges.eventid
  LEFT JOIN own_accounts AS own ON own.account = edges.caller_account
  LEFT JOIN (SELECT DISTINCT account FROM vendor_accounts) AS vendors
    ON vendors.account = edges.caller_account
  LEFT JOIN strong_roles AS strong
    ON strong.role_account = edges.target_account AND strong.role_name = edges.target_role_name
  -- A young role has no history; how it was made is other rules' business.
  WHERE NOT EXISTS (
    SELECT 1 FROM role_births AS births
    WHERE births.role_account = edges.target_account
      AND births.role_name = edges.target_role_name
      AND births.born_at <= edges.eventtime
      AND to_unixtime(edges.eventtime) - to_unixtime(births.born_at) < 3600 * $min_role_age_hours)
),
listed AS (
  SELECT judged.eventid, min('ci_principals: ' || ci.pattern) AS entry
  FROM judged
  JOIN ci_principals AS ci ON glob_match(ci.pattern, judged.actor)
  GROUP BY judged.eventid
)
SELECT
  judged.eventtime,
  judged.eventid,
  judged.recipientaccountid,
  judged.awsregion,
  judged.actor,
  judged.sourceipaddress,
  judged.eventname,
  judged.target_role_arn AS subject,
  CASE
    WHEN judged.new_account THEN 'high'
    WHEN judged.by_person AND judged.role_is IS NOT NULL THEN 'medium'
    WHEN judged.cross_account AND NOT judged.is_hub THEN 'medium'
    ELSE 'low'
  END AS severity,
  judged.event_ids,
  judged.learning,
  listed.entry AS suppressed_by,
  CASE WHEN judged.new_account THEN 'account' ELSE 'edge' END AS novelty,
  judged.caller_key,
  judged.caller_account,
  judged.new_account,
  judged.is_hub,
  judged.baseline_days,
  judged.role_is,
  judged.role_session_name AS session_name,
  split_part(judged.assumed_role_id, ':', 1) AS role_id
FROM judged
LEFT JOIN listed ON listed.eventid = judged.eventid
