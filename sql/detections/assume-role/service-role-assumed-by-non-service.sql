/*---
id = "service-role-assumed-by-non-service"
title = "Somebody is on a role that only services took"
severity = "high"
maturity = "stable"
kind = "first-seen"
risk = ["unauthorized access"]
attack = ["T1528", "T1078.004"]
group_by = ["routine"]
description = """
A role that services alone took until now, several times in the days before, is taken by a user, by a
session of another role or by another account; or somebody takes a role that lies in a path for
services, whatever its history. Execution roles are wide and unwatched, and nobody has business on them.
Only the first step after quiet days counts. Somebody who works on such a role day by day, and a role
that takes itself, are noted at low severity."""
summary = """{{ actor }} took {{ subject }}{% if n_services %}, which only {{ services }} took before{% else %}, a role in a path for services{% endif %}."""
false_positives = [
  "Developers who test an execution role on purpose: its trust allows them, which is worth mending.",
  "Old libraries that take their own role again.",
]
triage = [
  "Which statement of the trust lets a caller in that is no service, and since when?",
  "What may the role do that the caller may not?",
  "What did the session do that the service never does?",
]
remediation = ["correct-trust-policy", "revoke-sessions"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
]

[params]
min_history = 3
routine_days = 3
---*/
WITH calls AS (
  SELECT
    eventtime, eventid, event_ids, recipientaccountid, awsregion, actor, sourceipaddress, eventname,
    caller_key, caller_role_arn, target_role_arn, role_session_name, assumed_role_id, issued_key,
    iac_hint,
    calls.useridentity.accesskeyid AS access_key_id,
    -- A service with somebody's session at hand is a service; the console is the person.
    caller_kind = 'service' OR coalesce(calls.useridentity.invokedby, '') LIKE '%.amazonaws.com'
      AND calls.useridentity.invokedby <> 'signin.amazonaws.com' AS by_a_service
  FROM role_assumptions AS calls
  WHERE eventname = 'AssumeRole'
    AND ok
    AND target_role_arn IS NOT NULL
    AND caller_kind <> 'unknown'
),
mixed AS (
  SELECT
    calls.*,
    -- How long ago the services had taken the role often enough for a habit.
    CASE WHEN by_a_service
      THEN lag(eventtime, $min_history - 1) OVER same_side END AS habit_since,
    lag(eventtime) OVER same_side AS before,
    sum(CASE WHEN by_a_service THEN 1 ELSE 0 END) OVER same_role AS n_services,
    dense_rank() OVER (
      PARTITION BY target_role_arn, caller_key ORDER BY date_trunc('day', eventtime)) AS day_number,
    min(eventtime) OVER (PARTITION BY target_role_arn, caller_key) AS first_take
  FROM calls
  WHERE target_role_arn IN (SELECT target_role_arn FROM calls WHERE NOT by_a_service)
  WINDOW
    same_side AS (PARTITION BY target_role_arn, by_a_service ORDER BY eventtime, eventid),
    same_role AS (PARTITION BY target_role_arn ORDER BY eventtime, eventid)
),
judged AS (
  SELECT
    *,
    max(habit_since) OVER (
      PARTITION BY target_role_arn ORDER BY eventtime, eventid
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS habit,
    max(day_number) OVER (PARTITION BY target_role_arn, caller_key) AS days_in_use,
    target_role_arn LIKE '%:role/service-role/%' OR target_role_arn LIKE '%:role/aws-service-role/%'
      AS in_path
  FROM mixed
),
-- What came on several days before, or went on like this when the records began.
known AS (
  SELECT
    judged.*,
    recorded.learned_at,
    settings.baseline_days,
    judged.day_number > $routine_days
      OR judged.first_take < recorded.learned_at AND judged.days_in_use >= $routine_days AS routine
  FROM judged
  CROSS JOIN settings
  JOIN recorded ON recorded.account = coalesce(judged.recipientaccountid, '')
  WHERE NOT judged.by_a_service
),
services AS (
  SELECT target_role_arn, array_to_string(array_agg(DISTINCT actor ORDER BY actor), ', ') AS names
  FROM calls
  WHERE by_a_service
  GROUP BY target_role_arn
)
SELECT
  known.eventtime,
  known.eventid,
  known.recipientaccountid,
  known.awsregion,
  known.actor,
  known.sourceipaddress,
  known.eventname,
  known.target_role_arn AS subject,
  array_element(make_array('low', 'medium', 'high'), CASE
    WHEN known.caller_role_arn IS NOT DISTINCT FROM known.target_role_arn THEN 1
    WHEN known.routine THEN 1
    WHEN known.iac_hint THEN 2
    ELSE 3
  END) AS severity,
  known.event_ids,
  -- A path says for whom the role is; a habit must have had the time to show.
  NOT known.in_path AND known.eventtime < known.learned_at AS learning,
  CAST(known.n_services AS BIGINT) AS n_services,
  services.names AS services,
  known.in_path,
  known.routine,
  role_name(known.target_role_arn) AS role_name,
  known.target_role_arn AS role_arn,
  split_part(known.assumed_role_id, ':', 1) AS role_id,
  known.role_session_name AS session_name,
  known.issued_key,
  known.access_key_id
FROM known
LEFT JOIN services ON services.target_role_arn = known.target_role_arn
WHERE known.in_path
  OR to_unixtime(known.eventtime) - to_unixtime(known.habit) <= 86400 * known.baseline_days
    AND (known.before IS NULL
      OR to_unixtime(known.eventtime) - to_unixtime(known.before) > 86400 * known.baseline_days)
