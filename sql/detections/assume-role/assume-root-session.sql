/*---
id = "assume-root-session"
title = "Root session on a member account"
severity = "high"
maturity = "stable"
kind = "stateless"
full_scan = "what the session did is found by its key, which may stand in any event"
risk = ["privilege escalation"]
attack = ["T1548.005", "T1078.004"]
description = """
Somebody in the organization's management or delegated account took the place of a member account's
root user for a quarter of an hour. A task policy bounds the session; the one that sets a root
password leads around all other bounds. A caller that did the same task before weighs less. The
calls of the session stand beside it where its account is recorded."""
summary = """{{ actor }} took a root session ({{ task_policy or 'no task policy named' }}) on {{
subject }}{% if n_calls %} and called {{ calls | few }}{% endif %}."""
false_positives = [
  "A planned clean-up that audits or deletes root credentials of member accounts.",
]
triage = [
  "Is there a plan or ticket for this account and task?",
  "What did the session change on the root user, on buckets or on queues?",
  "Who else may call AssumeRoot?",
]
remediation = ["root-account", "organization-guard-rails"]
references = [
  "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html",
]

[params]
# Patterns of principal keys with commas between them; any caller else is critical then.
allowed_callers = ""
---*/
WITH takes AS (
  SELECT
    *,
    split_part(
      coalesce(
        json_get_str(requestparameters, 'taskPolicyArn', 'arn'),
        json_get_str(requestparameters, 'taskPolicyArn')),
      '/', -1) AS task_policy,
    coalesce(target_account, json_get_str(requestparameters, 'targetPrincipal')) AS root_account,
    -- Both accounts may record one call; the record that names the caller counts.
    row_number() OVER (
      PARTITION BY coalesce(sharedeventid, eventid)
      ORDER BY CASE WHEN useridentity.arn IS NULL THEN 1 ELSE 0 END, eventtime, eventid) AS place
  FROM activity
  WHERE eventsource = 'sts.amazonaws.com' AND eventname = 'AssumeRoot' AND ok
),
calls AS (
  SELECT
    *,
    lag(eventtime) OVER (
      PARTITION BY coalesce(caller_role_arn, actor), task_policy
      ORDER BY eventtime, eventid) AS task_before
  FROM takes
  WHERE place = 1
),
sessions AS (
  SELECT
    used.useridentity.accesskeyid AS key,
    count(*) AS n_calls,
    array_agg(DISTINCT used.eventname ORDER BY used.eventname) AS calls,
    max(used.eventtime) AS last_call
  FROM cloudtrail AS used
  JOIN calls ON calls.issued_key = used.useridentity.accesskeyid
  GROUP BY used.useridentity.accesskeyid
),
allowed AS (
  SELECT unnest(string_to_array($allowed_callers, ',')) AS pattern
),
judged AS (
  SELECT calls.eventid, min(allowed.pattern) AS allowed_by
  FROM calls
  JOIN allowed ON trim(allowed.pattern) <> '' AND glob_match(trim(allowed.pattern), calls.actor)
  GROUP BY calls.eventid
)
SELECT
  calls.eventtime,
  calls.eventid,
  calls.recipientaccountid,
  calls.awsregion,
  calls.actor,
  calls.sourceipaddress,
  calls.eventname,
  'arn:aws:iam::' || calls.root_account || ':root' AS subject,
  CASE
    WHEN calls.task_policy = 'IAMCreateRootUserPassword' THEN 'critical'
    WHEN $allowed_callers <> '' AND judged.eventid IS NULL THEN 'critical'
    WHEN calls.task_before IS NOT NULL
      AND to_unixtime(calls.eventtime) - to_unixtime(calls.task_before)
        <= 86400 * settings.baseline_days
      -- The same task on one account after the other is one clean-up, or one sweep of an intruder.
      AND to_unixtime(calls.eventtime) - to_unixtime(calls.task_before) > 86400
      THEN 'medium'
    ELSE 'high'
  END AS severity,
  sessions.last_call AS last_time,
  calls.task_policy,
  calls.issued_key,
  coalesce(sessions.n_calls, 0) AS n_calls,
  sessions.calls,
  calls.caller_role_arn AS role_arn,
  calls.session_name,
  CASE WHEN judged.eventid IS NOT NULL AND calls.task_policy <> 'IAMCreateRootUserPassword'
    THEN 'allowed_callers: ' || judged.allowed_by END AS suppressed_by
FROM calls
CROSS JOIN settings
LEFT JOIN sessions ON sessions.key = calls.issued_key
LEFT JOIN judged ON judged.eventid = calls.eventid
