/*---
id = "assume-role-fan-out"
title = "One principal takes many roles at once"
severity = "medium"
maturity = "stable"
kind = "window"
risk = ["privilege escalation"]
attack = ["T1021.007", "T1078.004"]
description = """
Within a quarter of an hour a principal is granted many different roles, or roles in many accounts.
What counts is how many at any moment of a sliding window, and whether that is far more than the same
identity takes otherwise: scanners and backups that walk all accounts every night are measured by
their own nights. Roles in many accounts weigh more than many roles in one."""
summary = """{{ actor }} took {{ n_roles }} roles in {{ n_accounts }} accounts within {{ window_minutes }} minutes;
otherwise it takes {{ usual }} at a time."""
false_positives = [
  "Scanners, backup tools and inventories that visit all accounts: name them in `ci_principals`.",
  "The first roll-out of a pipeline that will come every week.",
]
triage = [
  "Is it a tool that walks accounts, and who started it?",
  "Did it try roles that refused it just before?",
  "What did the sessions do beyond asking who they are?",
]
remediation = ["contain-user", "revoke-sessions", "least-privilege"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html",
]

[params]
window_minutes = 15
min_roles = 10
min_accounts = 5
times_usual = 3
min_usual_days = 3
---*/
WITH calls AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, event_ids,
    caller_key, caller_role_arn, session_name, target_role_arn, target_account, iac_hint,
    calls.useridentity.accesskeyid AS access_key_id,
    60 * CAST($window_minutes AS BIGINT) AS span,
    CAST(to_unixtime(eventtime) AS BIGINT) AS at
  FROM role_assumptions AS calls
  WHERE eventname = 'AssumeRole'
    AND ok
    AND caller_kind <> 'service'
    AND actor IS NOT NULL
    AND target_role_arn IS NOT NULL
),
-- A role counts from when it is taken until the window is over or it is taken again, so that it counts
-- once at any moment, and the sum over all roles is the number of different ones in the window.
spans AS (
  SELECT
    actor,
    at,
    least(at + span, coalesce(lead(at) OVER (
      PARTITION BY actor, target_role_arn ORDER BY at, eventid), at + span)) AS role_until,
    least(at + span, coalesce(lead(at) OVER (
      PARTITION BY actor, target_account ORDER BY at, eventid), at + span)) AS account_until
  FROM calls
),
steps AS (
  SELECT actor, at, 1 AS roles, 1 AS accounts FROM spans
  UNION ALL SELECT actor, role_until, -1, 0 FROM spans
  UNION ALL SELECT actor, account_until, 0, -1 FROM spans
),
levels AS (
  SELECT
    actor,
    at,
    sum(sum(roles)) OVER (PARTITION BY actor ORDER BY at) AS n_roles,
    sum(sum(accounts)) OVER (PARTITION BY actor ORDER BY at) AS n_accounts
  FROM steps
  GROUP BY actor, at
),
-- Moments at which there are enough, joined to one stretch where less than a window lies between.
moments AS (
  SELECT
    *,
    coalesce(at - lag(at) OVER (PARTITION BY actor ORDER BY at) > 60 * $window_minutes, true)
      AS begins
  FROM levels
  WHERE n_roles >= $min_roles OR n_accounts >= $min_accounts
),
stretches AS (
  SELECT
    actor,
    stretch,
    min(at) AS first_at,
    max(at) AS last_at,
    max(n_roles) AS n_roles,
    max(n_accounts) AS n_accounts
  FROM (
    SELECT
      *,
      sum(CASE WHEN begins THEN 1 ELSE 0 END) OVER (PARTITION BY actor ORDER BY at) AS stretch
    FROM moments
  )
  GROUP BY actor, stretch
),
-- What belongs to a stretch: its calls, and those of the window that led to it.
bursts AS (
  SELECT
    stretches.actor,
    stretches.stretch,
    max(stretches.first_at) AS first_at,
    max(stretches.n_roles) AS n_roles,
    max(stretches.n_accounts) AS n_accounts,
    min(calls.eventtime) AS first_time,
    max(calls.eventtime) AS last_time,
    min(calls.caller_key) AS caller_key,
    bool_and(calls.iac_hint) AS iac_hint,
    first_value(calls.eventid ORDER BY calls.eventtime, calls.eventid) AS eventid,
    first_value(calls.recipientaccountid ORDER BY calls.eventtime, calls.eventid)
      AS recipientaccountid,
    first_value(calls.awsregion ORDER BY calls.eventtime, calls.eventid) AS awsregion,
    first_value(calls.sourceipaddress ORDER BY calls.eventtime, calls.eventid) AS sourceipaddress,
    first_value(calls.eventname ORDER BY calls.eventtime, calls.eventid) AS eventname,
    first_value(calls.caller_role_arn ORDER BY calls.eventtime, calls.eventid) AS role_arn,
    first_value(calls.session_name ORDER BY calls.eventtime, calls.eventid) AS session_name,
    first_value(calls.access_key_id ORDER BY calls.eventtime, calls.eventid) AS access_key_id,
    flatten(array_agg(calls.event_ids ORDER BY calls.eventtime, calls.eventid)) AS event_ids,
    array_agg(DISTINCT calls.target_role_arn ORDER BY calls.target_role_arn) AS roles
  FROM stretches
  JOIN calls ON calls.actor = stretches.actor
    AND calls.at > stretches.first_at - calls.span
    AND calls.at <= stretches.last_at
  GROUP BY stretches.actor, stretches.stretch
),
-- What the identity takes otherwise, in quarters of an hour in which it takes anything. Sessions are
-- measured apart, but by one measure.
quarters AS (
  SELECT
    caller_key,
    recipientaccountid,
    actor,
    floor(at / (60 * $window_minutes)) AS quarter,
    min(at) AS at,
    count(DISTINCT target_role_arn) AS n_roles,
    count(DISTINCT target_account) AS n_accounts
  FROM calls
  WHERE caller_key IN (SELECT caller_key FROM bursts)
  GROUP BY caller_key, recipientaccountid, actor, floor(at / (60 * $window_minutes))
),
usual AS (
  SELECT
    bursts.actor,
    bursts.stretch,
    median(quarters.n_roles) AS n_roles,
    median(quarters.n_accounts) AS n_accounts
  FROM bursts
  CROSS JOIN settings
  JOIN recorded ON recorded.account = coalesce(bursts.recipientaccountid, '')
  JOIN quarters ON quarters.caller_key = bursts.caller_key
  WHERE floor(quarters.at / 86400) <> floor(bursts.first_at / 86400)
    AND abs(bursts.first_at - quarters.at) <= 86400 * settings.baseline_days
    -- While the records are young, the days after tell what is usual as well as those before.
    AND (quarters.at < bursts.first_at OR bursts.first_time < recorded.learned_at)
  GROUP BY bursts.actor, bursts.stretch
  -- A burst that came on one other day only is no habit.
  HAVING count(DISTINCT floor(quarters.at / 86400)) >= $min_usual_days
),
listed AS (
  SELECT bursts.actor, min(ci_principals.pattern) AS pattern
  FROM bursts
  JOIN ci_principals ON glob_match(ci_principals.pattern, bursts.actor)
  GROUP BY bursts.actor
)
SELECT
  bursts.first_time AS eventtime,
  bursts.eventid,
  bursts.recipientaccountid,
  bursts.awsregion,
  bursts.actor,
  bursts.sourceipaddress,
  bursts.eventname,
  bursts.actor AS subject,
  array_element(make_array('low', 'medium', 'high'), CASE
    WHEN bursts.n_accounts >= $min_accounts THEN 3 ELSE 2
  END - CASE WHEN bursts.iac_hint THEN 1 ELSE 0 END) AS severity,
  bursts.event_ids,
  bursts.last_time,
  'ci_principals: ' || listed.pattern AS suppressed_by,
  bursts.n_roles,
  bursts.n_accounts,
  bursts.roles,
  CAST($window_minutes AS BIGINT) AS window_minutes,
  CAST(coalesce(usual.n_roles, 0) AS BIGINT) AS usual,
  bursts.role_arn,
  bursts.session_name,
  bursts.access_key_id
FROM bursts
LEFT JOIN usual ON usual.actor = bursts.actor AND usual.stretch = bursts.stretch
LEFT JOIN listed ON listed.actor = bursts.actor
WHERE (bursts.n_roles >= $min_roles
    AND bursts.n_roles > $times_usual * coalesce(usual.n_roles, 0))
  OR (bursts.n_accounts >= $min_accounts
    AND bursts.n_accounts > $times_usual * coalesce(usual.n_accounts, 0))
