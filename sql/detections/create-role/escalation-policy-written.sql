/*---
id = "escalation-policy-written"
title = "Policy that can raise its own rights"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["inadequate role separation", "privilege escalation"]
attack = ["T1098.003", "T1548.005"]
description = """
A policy whose holder is an administrator, or can make itself one by a single call or by handing a
strong role to something it runs, was written into a role, user or group, became the default version
of a managed policy, or was made and then attached. Everything allowed is critical; a condition
lowers the severity a step, and so does automation that leaves its mark. Rights that somebody writes
for itself weigh a step more, among them the right to take any role. A known permissions boundary
that allows none of it covers the finding."""
summary = """{{ actor }} {{ did }} {{ policy_name or policy_arn }}{% if holder_name %} for the
{{ holder_kind }} {{ holder_name }}{% endif %}, which allows {{ policy_actions | few }}
({{ policy_class }})."""
false_positives = [
  "A pipeline that sets up its own role: name it in `iac_principals`, which lowers it a step.",
  "Roles that are meant to administer accounts: allow them.",
]
triage = [
  "Is there a change request for these rights?",
  "Who can take the role, or use the keys of the user?",
  "Were the new rights used since: keys, roles or policies made?",
]
remediation = ["remove-permissions", "revoke-sessions", "least-privilege"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
]
---*/
-- Which document a customer policy stood for, from when to when, and who made it so.
WITH defaults AS (
  SELECT
    policy_arn,
    policy_version,
    policy_class,
    policy_conditioned,
    policy_actions,
    eventid,
    document_id,
    eventtime AS since,
    lead(eventtime) OVER successive AS until,
    lag(policy_version) OVER successive AS previous_version
  FROM (
    SELECT
      policy_arn, policy_version, policy_class, policy_conditioned, policy_actions, eventtime,
      eventid, eventid AS document_id
    FROM policy_versions
    WHERE policy_default
    UNION ALL
    SELECT
      chosen.policy_arn, chosen.policy_version, versions.policy_class, versions.policy_conditioned,
      versions.policy_actions, chosen.eventtime, chosen.eventid, versions.eventid
    FROM role_changes AS chosen
    LEFT JOIN policy_versions AS versions
      ON versions.policy_arn = chosen.policy_arn AND versions.policy_version = chosen.policy_version
    WHERE chosen.eventname = 'SetDefaultPolicyVersion' AND chosen.ok
  )
  WINDOW successive AS (PARTITION BY policy_arn ORDER BY eventtime, eventid, policy_class)
),
written AS (
  -- Into a role, user or group itself.
  SELECT
    eventid AS document_id, eventid AS written_id, policy_class, policy_conditioned, policy_actions,
    CAST(NULL AS VARCHAR) AS previous_version, 'wrote' AS did
  FROM role_changes
  WHERE eventname IN ('PutRolePolicy', 'PutUserPolicy', 'PutGroupPolicy') AND ok
  UNION ALL
  -- As what a managed policy means from now on.
  SELECT
    defaults.document_id, changes.eventid, defaults.policy_class, defaults.policy_conditioned,
    defaults.policy_actions, defaults.previous_version,
    CASE WHEN changes.eventname = 'CreatePolicyVersion'
      THEN 'rewrote' ELSE 'switched the version of' END
  FROM role_changes AS changes
  JOIN defaults
    ON defaults.policy_arn = changes.policy_arn AND defaults.eventid = changes.eventid
  WHERE changes.eventname IN ('CreatePolicyVersion', 'SetDefaultPolicyVersion') AND changes.ok
  UNION ALL
  -- As a managed policy that the evidence shows in the making, then attached.
  SELECT
    defaults.document_id, changes.eventid, defaults.policy_class, defaults.policy_conditioned,
    defaults.policy_actions, CAST(NULL AS VARCHAR), 'attached'
  FROM role_changes AS changes
  JOIN defaults
    ON defaults.policy_arn = changes.policy_arn
    AND defaults.since <= changes.eventtime
    AND (defaults.until IS NULL OR changes.eventtime < defaults.until)
  WHERE changes.eventname IN ('AttachRolePolicy', 'AttachUserPolicy', 'AttachGroupPolicy')
    AND changes.ok
),
holders AS (
  SELECT DISTINCT policy_arn, role_account, holder_kind, holder_name
  FROM role_changes
  WHERE eventname IN ('AttachRolePolicy', 'AttachUserPolicy') AND ok AND policy_arn IS NOT NULL
),
bounded AS (
  SELECT
    role_account, holder_kind, holder_name, permissions_boundary,
    eventtime AS bound_at,
    lead(eventtime) OVER (
      PARTITION BY role_account, holder_kind, holder_name ORDER BY eventtime, eventid) AS unbound_at
  FROM role_changes
  WHERE eventname IN (
      'CreateRole', 'DeleteRole', 'PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary',
      'PutUserPermissionsBoundary', 'DeleteUserPermissionsBoundary')
    AND ok
),
-- What a boundary does not allow, no policy of its holder can give.
covered AS (
  SELECT changes.eventid, min(bounded.permissions_boundary) AS boundary_arn
  FROM role_changes AS changes
  JOIN bounded
    ON bounded.role_account = changes.role_account
    AND bounded.holder_kind = changes.holder_kind
    AND bounded.holder_name = changes.holder_name
    AND bounded.bound_at <= changes.eventtime
    AND (bounded.unbound_at IS NULL OR changes.eventtime < bounded.unbound_at)
  JOIN defaults
    ON defaults.policy_arn = bounded.permissions_boundary
    AND defaults.since <= changes.eventtime
    AND (defaults.until IS NULL OR changes.eventtime < defaults.until)
  WHERE defaults.policy_class NOT IN ('admin', 'escalation-direct', 'escalation-combo')
  GROUP BY changes.eventid
),
automation AS (
  SELECT DISTINCT changes.actor
  FROM role_changes AS changes
  JOIN iac_principals ON glob_match(iac_principals.pattern, changes.actor)
),
callers AS (
  SELECT
    changes.*,
    automation.actor IS NOT NULL AS listed,
    CASE WHEN changes.caller_role_arn IS NOT NULL THEN 'role' ELSE 'user' END AS caller_kind,
    coalesce(
      role_name(changes.caller_role_arn),
      CASE WHEN arn_resource(changes.actor) LIKE 'user/%'
        THEN split_part(changes.actor, '/', -1) END
    ) AS caller_name
  FROM role_changes AS changes
  LEFT JOIN automation ON automation.actor = changes.actor
  -- Identity Center writes the roles of its permission sets, other services their own.
  WHERE coalesce(changes.caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
),
judged AS (
  SELECT
    callers.*,
    written.document_id,
    written.policy_class AS class,
    written.policy_conditioned AS conditioned,
    written.policy_actions AS actions,
    written.previous_version,
    written.did,
    coalesce(
      callers.caller_account = callers.role_account
        AND callers.caller_kind = coalesce(callers.holder_kind, own.holder_kind)
        AND callers.caller_name = coalesce(callers.holder_name, own.holder_name),
      false) AS self_granted,
    covered.boundary_arn
  FROM written
  JOIN callers ON callers.eventid = written.written_id
  LEFT JOIN covered ON covered.eventid = callers.eventid
  LEFT JOIN holders AS own
    ON own.policy_arn = callers.policy_arn
    AND own.role_account = callers.caller_account
    AND own.holder_kind = callers.caller_kind
    AND own.holder_name = callers.caller_name
  WHERE written.policy_class IN ('admin', 'escalation-direct', 'escalation-combo', 'assume-any')
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  coalesce(iam_arn(awsregion, role_account, holder_kind || '/' || holder_name), policy_arn)
    AS subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    least(5,
      CASE class WHEN 'admin' THEN 5 WHEN 'assume-any' THEN 2 ELSE 4 END
        - CASE WHEN conditioned THEN 1 ELSE 0 END
        + CASE WHEN self_granted THEN 1 ELSE 0 END)
      - CASE WHEN iac_hint OR listed THEN 1 ELSE 0 END
  ) AS severity,
  array_distinct(make_array(document_id, eventid)) AS event_ids,
  'permissions boundary: ' || boundary_arn AS suppressed_by,
  did,
  holder_kind,
  holder_name,
  role_name,
  CASE WHEN holder_kind = 'user' THEN holder_name END AS user_name,
  policy_arn,
  policy_name,
  class AS policy_class,
  actions AS policy_actions,
  conditioned AS policy_conditioned,
  self_granted,
  CASE WHEN did IN ('rewrote', 'switched the version of') THEN policy_version END AS bad_version,
  previous_version
FROM judged
-- The right to take any role is only news where somebody gives it to itself.
WHERE class <> 'assume-any' OR self_granted
