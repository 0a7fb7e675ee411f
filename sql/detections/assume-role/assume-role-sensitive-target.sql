/*---
id = "assume-role-sensitive-target"
title = "Break-glass or administrator role taken"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["privilege escalation"]
attack = ["T1078.004", "T1548.005"]
group_by = ["identity", "routine"]
description = """
Somebody is on a role that decides over an account: an emergency role, a role whose name says so, or
one that was given an administrator's rights. Who does so day by day is noted at low severity; who does
it for the first time, or without a history, is reported. Emergency roles have no daily use, so every
session of theirs is reported. Permission sets of Identity Center count as daily work unless the person
never had the set before. Services and the stack sets of CloudFormation and Control Tower are left out."""
summary = """{{ identity }} took {{ subject }}, {{ role_is }}{% if routine %}, as on {{ days_in_use }} days{% elif days_before > 0 %},
seen on {{ days_before }} days before{% else %}, for the first time in the evidence{% endif %}."""
false_positives = [
  "An emergency drill, or a change window.",
  "A colleague's first day on call: allow the role and the actor by name.",
  "Updates of Control Tower from the management account.",
]
triage = [
  "Is there an incident, a change or a drill that explains the session?",
  "Did the same identity try other roles, or change a policy, just before?",
  "What did the session write?",
]
remediation = ["revoke-sessions", "harden-trust-statement", "organization-guard-rails"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
  "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html",
]

[params]
routine_days = 3
---*/
WITH granted AS (
  SELECT role_account, role_name, min(eventtime) AS since
  FROM role_changes
  WHERE eventname IN ('AttachRolePolicy', 'PutRolePolicy') AND ok
    AND (policy_tier = 1 OR policy_class = 'admin')
  GROUP BY role_account, role_name
),
takes AS (
  SELECT
    calls.*,
    strong.why AS role_is,
    recorded.learned_at,
    settings.baseline_days,
    -- Who, without the names of sessions, jobs and branches.
    CASE
      WHEN calls.eventname = 'AssumeRoleWithWebIdentity' THEN
        coalesce(calls.identity_provider, '') || ' ' || CASE
          WHEN calls.token_subject LIKE 'repo:%' OR calls.token_subject LIKE 'project_path:%'
            THEN split_part(calls.token_subject, ':', 1)
              || ':' || split_part(calls.token_subject, ':', 2)
          ELSE coalesce(calls.token_subject, '')
        END
      WHEN calls.eventname = 'AssumeRoleWithSAML' THEN
        coalesce(calls.identity_provider, '') || ' '
          || coalesce(calls.token_subject, calls.role_session_name, '')
      ELSE calls.caller_key
    END AS identity,
    calls.eventname = 'AssumeRoleWithSAML' AND starts_with(calls.target_role_name, 'AWSReservedSSO_')
      AS workforce,
    CASE WHEN calls.eventname = 'AssumeRoleWithSAML'
      THEN coalesce(calls.token_subject, calls.role_session_name) END AS person,
    -- A permission set has one role in each account, whose names differ in their last part.
    regexp_replace(calls.target_role_name, '_[0-9a-f]{16}$', '') AS permission_set
  FROM role_assumptions AS calls
  CROSS JOIN settings
  JOIN strong_roles AS strong
    ON strong.role_account = calls.target_account AND strong.role_name = calls.target_role_name
  JOIN recorded ON recorded.account = coalesce(calls.recipientaccountid, '')
  LEFT JOIN granted
    ON granted.role_account = calls.target_account AND granted.role_name = calls.target_role_name
  WHERE calls.eventname IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
    AND calls.ok
    AND calls.caller_kind <> 'service'
    -- The console's own steps carry the name of a service too, and are a person's.
    AND NOT (calls.eventname = 'AssumeRole' AND (
      coalesce(calls.useridentity.invokedby, '') LIKE '%.amazonaws.com'
        AND calls.useridentity.invokedby <> 'signin.amazonaws.com'
      OR calls.sourceipaddress LIKE '%cloudformation.amazonaws.com'
      OR calls.sourceipaddress = 'controltower.amazonaws.com'))
    -- Before it was made an administrator's, the role was nothing special.
    AND (strong.why <> 'an administrator role'
      OR granted.since IS NULL OR calls.eventtime >= granted.since)
),
counted AS (
  SELECT
    *,
    dense_rank() OVER (
      PARTITION BY identity, target_role_arn ORDER BY date_trunc('day', eventtime)) AS day_number,
    min(eventtime) OVER (PARTITION BY identity, target_role_arn) AS first_take,
    lag(eventtime) OVER (
      PARTITION BY identity, target_role_arn ORDER BY eventtime, eventid) AS take_before,
    lag(eventtime) OVER (
      PARTITION BY person, permission_set ORDER BY eventtime, eventid) AS set_before
  FROM takes
),
judged AS (
  SELECT
    *,
    max(day_number) OVER (PARTITION BY identity, target_role_arn) AS days_in_use
  FROM counted
),
graded AS (
  SELECT
    *,
    role_is <> 'a break-glass role' AND (
      day_number > $routine_days
        AND to_unixtime(eventtime) - to_unixtime(take_before) <= 86400 * baseline_days
      -- What was there when the records began, and goes on, is how the place works.
      OR first_take < learned_at AND days_in_use >= $routine_days) AS routine
  FROM judged
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  target_role_arn AS subject,
  array_element(make_array('info', 'low', 'medium', 'high'), CASE
    WHEN role_is = 'a break-glass role' THEN 4
    WHEN routine THEN 2
    WHEN workforce AND (eventtime < learned_at OR set_before IS NOT NULL) THEN 2
    WHEN workforce THEN 3
    ELSE 4
  END - CASE WHEN iac_hint AND NOT routine THEN 1 ELSE 0 END) AS severity,
  event_ids,
  identity,
  role_is,
  routine,
  CAST(day_number - 1 AS BIGINT) AS days_before,
  CAST(days_in_use AS BIGINT) AS days_in_use,
  mfa,
  target_role_name AS role_name,
  target_role_arn AS role_arn,
  split_part(assumed_role_id, ':', 1) AS role_id,
  role_session_name AS session_name,
  issued_key
FROM graded
