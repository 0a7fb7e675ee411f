/*---
id = "assume-role-denied-then-success"
title = "Refused, then in"
severity = "high"
maturity = "stable"
kind = "sequence"
risk = ["privilege escalation"]
attack = ["T1078.004", "T1548.005"]
description = """
A principal is refused a role and gets it within the hour, and either somebody changed the role's
trust or the principal's rights in between, which is the escalation itself, or the principal had been
refused on several other roles before, which is trying until one opens. A role that was just made
refuses its maker for some seconds; such bursts do not count."""
summary = """{{ actor }} was refused {{ subject }} at {{ refused_at }} and was in at {{ granted_at }}{% if change_name %},
after {{ change_name }} by {{ change_by }}{% else %}, after refusals on {{ n_other_roles }} other roles{% endif %}."""
false_positives = [
  "An administrator repairs a policy while the owner of the role keeps trying.",
]
triage = [
  "Who made the change in between: the principal itself, or somebody with a ticket?",
  "What did the session do?",
  "Is the address one that the principal uses otherwise?",
]
remediation = ["contain-user", "revoke-sessions", "correct-trust-policy", "remove-permissions"]
references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"]

[params]
window_minutes = 60
role_age_minutes = 15
min_other_roles = 3
---*/
WITH calls AS (
  SELECT
    *,
    -- Each refusal belongs to the next success of the same caller on the same role.
    sum(CASE WHEN ok THEN 1 ELSE 0 END) OVER (
      PARTITION BY actor, target_account, target_role_name
      ORDER BY eventtime DESC, CASE WHEN ok THEN 0 ELSE 1 END, eventid DESC) AS attempt
  FROM role_assumptions
  WHERE eventname = 'AssumeRole'
    AND (ok OR denied)
    -- Not `by_service`: a role switched in the console is asked for by "AWS Internal".
    AND caller_kind <> 'service'
    AND actor IS NOT NULL
    AND target_role_name IS NOT NULL
),
attempts AS (
  SELECT
    granted.eventid,
    granted.eventtime AS granted_at,
    min(refused.eventtime) AS refused_at,
    array_agg(refused.eventid ORDER BY refused.eventtime, refused.eventid) AS refused_ids
  FROM calls AS granted
  JOIN calls AS refused
    ON refused.actor = granted.actor
    AND refused.target_account = granted.target_account
    AND refused.target_role_name = granted.target_role_name
    AND refused.attempt = granted.attempt
  WHERE granted.ok
    AND NOT refused.ok
    AND to_unixtime(granted.eventtime) - to_unixtime(refused.eventtime) <= 60 * $window_minutes
  GROUP BY granted.eventid, granted.eventtime
),
-- What opened the way: the role's trust, or the rights of the caller.
changes AS (
  SELECT
    attempts.eventid,
    array_agg(changes.eventid ORDER BY changes.eventtime, changes.eventid) AS change_ids,
    last_value(changes.eventname ORDER BY changes.eventtime, changes.eventid) AS change_name,
    last_value(changes.actor ORDER BY changes.eventtime, changes.eventid) AS change_by,
    bool_and(changes.iac_hint) AS by_iac
  FROM attempts
  JOIN calls ON calls.eventid = attempts.eventid
  JOIN role_changes AS changes
    ON changes.ok
    AND changes.eventtime BETWEEN attempts.refused_at AND attempts.granted_at
    AND (
      changes.eventname = 'UpdateAssumeRolePolicy'
        AND changes.role_account = calls.target_account
        AND changes.role_name = calls.target_role_name
      OR changes.role_account = calls.caller_account AND (
        changes.eventname IN ('AttachUserPolicy', 'PutUserPolicy', 'AddUserToGroup')
          -- A federated session has the rights of the user who opened it.
          AND changes.holder_name = coalesce(
            calls.useridentity.username, calls.useridentity.sessioncontext.sessionissuer.username)
        OR changes.eventname IN ('AttachRolePolicy', 'PutRolePolicy')
          AND changes.holder_name = role_name(calls.caller_role_arn)
        OR changes.eventname IN (
          'AttachGroupPolicy', 'PutGroupPolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion')))
  GROUP BY attempts.eventid
),
others AS (
  SELECT
    attempts.eventid,
    count(DISTINCT other.target_role_arn) AS n_other_roles
  FROM attempts
  JOIN calls ON calls.eventid = attempts.eventid
  JOIN calls AS other
    ON other.actor = calls.actor
    AND other.denied
    AND other.target_role_arn <> calls.target_role_arn
    AND other.eventtime <= attempts.granted_at
    AND to_unixtime(attempts.granted_at) - to_unixtime(other.eventtime) <= 60 * $window_minutes
  GROUP BY attempts.eventid
)
SELECT
  calls.eventtime,
  calls.eventid,
  calls.recipientaccountid,
  calls.awsregion,
  calls.actor,
  calls.sourceipaddress,
  calls.eventname,
  calls.target_role_arn AS subject,
  -- Code that mends a policy while a pipeline tries says the same; the user agent is no proof.
  CASE WHEN changes.by_iac AND coalesce(others.n_other_roles, 0) < $min_other_roles
    THEN 'medium' ELSE 'high' END AS severity,
  attempts.refused_at AS first_time,
  array_concat(
    attempts.refused_ids, coalesce(changes.change_ids, make_array()), calls.event_ids) AS event_ids,
  attempts.refused_at,
  attempts.granted_at,
  changes.change_name,
  changes.change_by,
  coalesce(others.n_other_roles, 0) AS n_other_roles,
  calls.issued_key,
  calls.role_session_name AS session_name,
  split_part(calls.assumed_role_id, ':', 1) AS role_id,
  calls.useridentity.accesskeyid AS access_key_id
FROM attempts
JOIN calls ON calls.eventid = attempts.eventid
LEFT JOIN changes ON changes.eventid = attempts.eventid
LEFT JOIN others ON others.eventid = attempts.eventid
WHERE (changes.eventid IS NOT NULL OR others.n_other_roles >= $min_other_roles)
  AND NOT EXISTS (
    SELECT 1 FROM role_births AS births
    WHERE births.role_account = calls.target_account
      AND births.role_name = calls.target_role_name
      AND births.born_at <= attempts.granted_at
      AND to_unixtime(attempts.refused_at) - to_unixtime(births.born_at) < 60 * $role_age_minutes)
