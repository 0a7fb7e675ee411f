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
    caller_key,
    recipientaccountid,
    at,
    least(at + span, coalesce(lead(at) OVER (
      PARTITION BY actor, target_role_arn ORDER BY at, eventid), at + span)) AS role_until,
    least(at + span, coalesce(lead(at) OVER (
      PARTITION BY actor, target_account ORDER BY at, eventid), at + span)) AS account_until
  FROM calls
),
steps AS (
  SELECT
    actor,
    caller_key,
    recipientaccountid,
    unnest(make_array(
      named_struct('at', at, 'roles', 1, 'accounts', 1),
      named_struct('at', role_until, 'roles', -1, 'accounts', 0),
      named_struct('at', account_until, 'roles', 0, 'accounts', -1))) AS step
  FROM spans
),
levels AS (
  SELECT
    actor,
    at,
    caller_key,
    account,
    sum(roles) OVER (PARTITION BY actor ORDER BY at) AS n_roles,
    sum(accounts) OVER (PARTITION BY actor ORDER BY at) AS n_accounts
  FROM (
    SELECT
      actor,
      step['at'] AS at,
      min(caller_key) AS caller_key,
      min(coalesce(recipientaccountid, '')) AS account,
      sum(step['roles']) AS roles,
      sum(step['accounts']) AS accounts
    FROM steps
    GROUP BY actor, step['at']
  )
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
    min(caller_key) AS caller_key,
    min(account) AS account,
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
-- What an identity takes, in quarters of an hour in which it takes anything. Sessions are measured
-- apart, but by one measure.
quarters AS (
  SELECT
    caller_key,
    min(at) AS at,
    count(DISTINCT target_role_arn) AS n_roles,
    count(DISTINCT target_account) AS n_accounts
  FROM calls
  GROUP BY caller_key, actor, floor(at / (60 * $window_minutes))
),
-- Beside what it takes on other days.
compared AS (
  SELECT
    stretches.actor,
    stretches.stretch,
    min(stretches.first_at) AS first_at,
    min(stretches.last_at) AS last_at,
    min(stretches.n_roles) AS n_roles,
    min(stretches.n_accounts) AS n_accounts,
    -- A burst that came on one or two other days only is no habit.
    CASE WHEN count(DISTINCT floor(quarters.at / 86400)) >= $min_usual_days
      THEN median(quarters.n_roles) ELSE 0 END AS usual_roles,
    CASE WHEN count(DISTINCT floor(quarters.at / 86400)) >= $min_usual_days
      THEN median(quarters.n_accounts) ELSE 0 END AS usual_accounts
  FROM stretches
  CROSS JOIN settings
  JOIN recorded ON recorded.account = stretches.account
  LEFT JOIN quarters
    ON quarters.caller_key = stretches.caller_key
    AND floor(quarters.at / 86400) <> floor(stretches.first_at / 86400)
    AND abs(stretches.first_at - quarters.at) <= 86400 * settings.baseline_days
    -- While the records are young, the days after tell what is usual as well as those before.
    AND (quarters.at < stretches.first_at
      OR stretches.first_at < to_unixtime(recorded.learned_at))
  GROUP BY stretches.actor, stretches.stretch
),
unusual AS (
  SELECT *
  FROM compared
  WHERE n_roles >= $min_roles AND n_roles > $times_usual * usual_roles
    OR n_accounts >= $min_accounts AND n_accounts > $times_usual * usual_accounts
),
listed AS (
  SELECT coalesce(array_agg(pattern ORDER BY pattern), make_array()) AS patterns FROM ci_principals
)
-- What belongs to a stretch: its calls, and those of the window that led to it.
SELECT
  min(calls.eventtime) AS eventtime,
  first_value(calls.eventid ORDER BY calls.eventtime, calls.eventid) AS eventid,
  first_value(calls.recipientaccountid ORDER BY calls.eventtime, calls.eventid)
    AS recipientaccountid,
  first_value(calls.awsregion ORDER BY calls.eventtime, calls.eventid) AS awsregion,
  unusual.actor,
  first_value(calls.sourceipaddress ORDER BY calls.eventtime, calls.eventid) AS sourceipaddress,
  first_value(calls.eventname ORDER BY calls.eventtime, calls.eventid) AS eventname,
  unusual.actor AS subject,
  array_element(make_array('low', 'medium', 'high'), CASE
    WHEN min(unusual.n_accounts) >= $min_accounts THEN 3 ELSE 2
  END - CASE WHEN bool_and(calls.iac_hint) THEN 1 ELSE 0 END) AS severity,
  flatten(array_agg(calls.event_ids ORDER BY calls.eventtime, calls.eventid)) AS event_ids,
  max(calls.eventtime) AS last_time,
  'ci_principals: ' || array_first(filter(
    listed.patterns, pattern -> glob_match(pattern, unusual.actor))) AS suppressed_by,
  min(unusual.n_roles) AS n_roles,
  min(unusual.n_accounts) AS n_accounts,
  array_agg(DISTINCT calls.target_role_arn ORDER BY calls.target_role_arn) AS roles,
  CAST($window_minutes AS BIGINT) AS window_minutes,
  CAST(min(unusual.usual_roles) AS BIGINT) AS usual,
  first_value(calls.caller_role_arn ORDER BY calls.eventtime, calls.eventid) AS role_arn,
  first_value(calls.session_name ORDER BY calls.eventtime, calls.eventid) AS session_name,
  first_value(calls.access_key_id ORDER BY calls.eventtime, calls.eventid) AS access_key_id
FROM unusual
JOIN calls
  ON calls.actor = unusual.actor
  AND calls.at > unusual.first_at - calls.span
  AND calls.at <= unusual.last_at
CROSS JOIN listed
GROUP BY unusual.actor, unusual.stretch, listed.patterns
