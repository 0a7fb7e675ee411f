/*---
id = "assume-role-denied-sweep"
title = "Many roles tried and refused"
severity = "high"
maturity = "stable"
kind = "window"
risk = ["unauthorized access"]
attack = ["T1580", "T1087.004", "T1110"]
description = """
One principal asks for many roles, or for roles in many accounts, within minutes and is refused: it
tries which doors open. CloudTrail drops the request of a refused call, so the role is read from the
error message. A flood of refused tokens says the same without a role to name; if it is one subject
on one role, a client is broken, and it is low. So is a caller that has long been on roles of this
name in several accounts and is refused where they are not rolled out yet."""
summary = """{{ subject }} was refused {{ n_refused }} times within minutes, on {{ n_roles }} roles
in {{ n_accounts }} accounts, from {{ source_ips | few }}, beginning {{ first_time }}."""
false_positives = [
  "Inventory scanners that walk all accounts: name them in `ci_principals`.",
  "Multi-account tooling whose roles are not rolled out yet.",
]
triage = [
  "Did one of the tried roles let the principal in, before or after?",
  "Is the address one that the principal uses otherwise?",
  "Where could the names come from: a guess, a list of IAM, an insider?",
]
remediation = ["contain-user", "revoke-sessions", "least-privilege"]
references = [
  "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
]

[params]
window_minutes = 10
min_roles = 5
min_accounts = 3
min_bad_tokens = 20
---*/
WITH refusals AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname,
    target_role_arn, target_role_name, caller_key, caller_role_arn, session_name,
    -- A refused AssumeRoot names the account's root only.
    coalesce(target_account, arn_account(denied_target(errormessage))) AS target_account,
    calls.useridentity.accesskeyid AS access_key_id,
    -- Whoever holds a token is nobody before they are in: they are told apart by address.
    CASE WHEN eventname = 'AssumeRoleWithWebIdentity' OR actor IS NULL
      THEN sourceipaddress ELSE actor END AS who,
    CASE WHEN denied THEN 'refused' ELSE 'bad token' END AS why
  FROM role_assumptions AS calls
  WHERE NOT ok
    -- Not `by_service`: a role switched in the console is asked for by "AWS Internal".
    AND caller_kind <> 'service'
    AND (denied OR errorcode IN (
      'ExpiredToken', 'ExpiredTokenException', 'InvalidIdentityToken',
      'InvalidIdentityTokenException', 'InvalidClientTokenId'))
    -- A role that was just made refuses its maker for some seconds.
    AND NOT EXISTS (
      SELECT 1 FROM role_births AS births
      WHERE births.role_account = calls.target_account
        AND births.role_name = calls.target_role_name
        AND births.born_at <= calls.eventtime
        AND births.born_at > calls.eventtime - INTERVAL '15' MINUTE)
),
-- A role or account tried again within the window counts once.
marked AS (
  SELECT
    *,
    why = 'refused' AND target_role_arn IS NOT NULL AND coalesce(
      to_unixtime(eventtime) - to_unixtime(lag(eventtime) OVER same_role)
        > 60 * $window_minutes, true) AS fresh_role,
    why = 'refused' AND target_account IS NOT NULL AND coalesce(
      to_unixtime(eventtime) - to_unixtime(lag(eventtime) OVER same_account)
        > 60 * $window_minutes, true) AS fresh_account,
    coalesce(
      to_unixtime(eventtime) - to_unixtime(lag(eventtime) OVER same_caller)
        > 60 * $window_minutes, true) AS new_burst
  FROM refusals
  WINDOW
    same_role AS (PARTITION BY who, why, target_role_arn ORDER BY eventtime, eventid),
    same_account AS (PARTITION BY who, why, target_account ORDER BY eventtime, eventid),
    same_caller AS (PARTITION BY who, why ORDER BY eventtime, eventid)
),
-- The n-th fresh one before this says how long n of them took.
timed AS (
  SELECT
    *,
    sum(CASE WHEN new_burst THEN 1 ELSE 0 END) OVER in_time AS burst,
    CASE WHEN fresh_role THEN
      to_unixtime(eventtime) - to_unixtime(lag(eventtime, $min_roles - 1) OVER by_role)
    END AS roles_took,
    CASE WHEN fresh_account THEN
      to_unixtime(eventtime) - to_unixtime(lag(eventtime, $min_accounts - 1) OVER by_account)
    END AS accounts_took,
    CASE WHEN why = 'bad token' THEN
      to_unixtime(eventtime) - to_unixtime(lag(eventtime, $min_bad_tokens - 1) OVER in_time)
    END AS tokens_took
  FROM marked
  WINDOW
    by_role AS (PARTITION BY who, why, fresh_role ORDER BY eventtime, eventid),
    by_account AS (PARTITION BY who, why, fresh_account ORDER BY eventtime, eventid),
    in_time AS (PARTITION BY who, why ORDER BY eventtime, eventid)
),
bursts AS (
  SELECT
    who,
    why,
    burst,
    min(eventtime) AS first_time,
    max(eventtime) AS last_time,
    first_value(eventid ORDER BY eventtime, eventid) AS eventid,
    first_value(recipientaccountid ORDER BY eventtime, eventid) AS recipientaccountid,
    first_value(awsregion ORDER BY eventtime, eventid) AS awsregion,
    first_value(sourceipaddress ORDER BY eventtime, eventid) AS sourceipaddress,
    first_value(eventname ORDER BY eventtime, eventid) AS eventname,
    array_agg(eventid ORDER BY eventtime, eventid) AS event_ids,
    count(*) AS n_refused,
    count(DISTINCT target_role_arn) AS n_roles,
    count(DISTINCT target_account) AS n_accounts,
    count(DISTINCT actor) AS n_callers,
    array_agg(DISTINCT target_role_arn ORDER BY target_role_arn)
      FILTER (WHERE target_role_arn IS NOT NULL) AS roles,
    min(caller_key) AS caller_key,
    CASE WHEN count(DISTINCT target_role_name) = 1 THEN min(target_role_name) END AS only_name,
    -- The caller's own, for the next steps.
    first_value(caller_role_arn ORDER BY eventtime, eventid) AS role_arn,
    first_value(session_name ORDER BY eventtime, eventid) AS session_name,
    first_value(access_key_id ORDER BY eventtime, eventid) AS access_key_id
  FROM timed
  GROUP BY who, why, burst
  HAVING min(roles_took) <= 60 * $window_minutes
    OR min(accounts_took) <= 60 * $window_minutes
    OR min(tokens_took) <= 60 * $window_minutes
),
-- Tools that walk over all accounts for the role of one name, as they did the day before.
walkers AS (
  SELECT bursts.who, bursts.why, bursts.burst
  FROM bursts
  JOIN role_assumptions AS granted
    ON granted.caller_key = bursts.caller_key
    AND granted.target_role_name = bursts.only_name
    AND granted.ok
    AND granted.eventtime <= bursts.first_time - INTERVAL '1' DAY
  GROUP BY bursts.who, bursts.why, bursts.burst
  HAVING count(DISTINCT granted.target_account) >= 2
),
listed AS (
  SELECT bursts.who, min('ci_principals: ' || ci.pattern) AS entry
  FROM bursts
  JOIN ci_principals AS ci ON glob_match(ci.pattern, bursts.who)
  GROUP BY bursts.who
)
SELECT
  bursts.first_time AS eventtime,
  bursts.eventid,
  bursts.recipientaccountid,
  bursts.awsregion,
  bursts.who AS actor,
  bursts.sourceipaddress,
  bursts.eventname,
  bursts.who AS subject,
  CASE
    WHEN walkers.who IS NOT NULL THEN 'low'
    WHEN bursts.why = 'bad token' AND bursts.n_roles = 1 AND bursts.n_callers <= 1 THEN 'low'
    ELSE 'high'
  END AS severity,
  bursts.last_time,
  bursts.event_ids,
  listed.entry AS suppressed_by,
  bursts.why,
  bursts.n_refused,
  bursts.n_roles,
  bursts.n_accounts,
  bursts.roles,
  walkers.who IS NOT NULL AS walks_accounts,
  bursts.role_arn,
  bursts.session_name,
  bursts.access_key_id
FROM bursts
LEFT JOIN walkers
  ON walkers.who = bursts.who AND walkers.why = bursts.why AND walkers.burst = bursts.burst
LEFT JOIN listed ON listed.who = bursts.who
