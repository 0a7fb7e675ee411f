/*---
id = "assumed-session-iam-takeover"
title = "Freshly taken role changes identities"
severity = "high"
maturity = "incubating"
kind = "sequence"
risk = ["privilege escalation"]
attack = ["T1098", "T1098.001", "T1098.003", "T1136.003"]
description = """
Within an hour of its start a role session made users or credentials, gave rights, opened a role,
or let in a new identity provider: what an intruder does to stay. It counts where the role did no
such thing in the days before, or where the session is a workload's, which has no business there.
Changes that give little weigh little. Where the history is short, a serious change counts
nonetheless if the like does not come again in the weeks after it, or if the session looked at
three kinds of things first and is neither a person's nor a pipeline's."""
summary = """A session of {{ subject }} ({{ session_name or 'no name' }}){% if taken_by %}, taken by
{{ taken_by }}{% if behind %} (from {{ behind }}){% endif %} at {{ taken_at }},{% elif behind %}, from {{ behind }},{% endif %} called {{ event_names | few }}{% if n_discovery %}
after {{ n_discovery }} call{% if n_discovery > 1 %}s{% endif %} to look around{% endif %}."""
false_positives = [
  "Roles that provision accounts, on their first day: name them in `iac_principals`.",
  "An administrator's rare task.",
]
triage = [
  "Who took the role, and from where?",
  "Were the new users, keys or rights used since?",
  "Does a ticket or a deployment explain the change?",
]
remediation = ["revoke-sessions", "remove-permissions", "contain-user", "identity-provider"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html",
]
group_by = ["session_name", "started_at"]

[params]
window_minutes = 60
min_discovery = 3
# So many gifts of an administrator's rights make a habit.
admin_habit = 3
---*/
-- What is looked up in requests is looked up here, so that the joins carry narrow rows.
WITH acts AS (
  SELECT
    calls.eventtime, calls.eventid, calls.recipientaccountid, calls.awsregion, calls.sourceipaddress,
    calls.eventname, calls.caller_role_arn, calls.session_name, calls.access_key_id, calls.iac_hint,
    calls.from_console, calls.mark,
    calls.principal_key AS actor,
    split_part(calls.principal_id, ':', 1) AS role_id,
    CAST(to_unixtime(calls.eventtime) AS bigint) AS at_second,
    CAST(to_unixtime(calls.session_created_at) AS bigint) AS begun_second,
    json_get_str(calls.requestparameters, 'userName') AS user_name,
    managed_policy_tier(json_get_str(calls.requestparameters, 'managedPolicyArn')) = 1
      OR policy_class(json_as_text(calls.requestparameters, 'inlinePolicy')) = 'admin'
      OR calls.eventname = 'AddUserToGroup'
        AND json_get_str(calls.requestparameters, 'groupName') ILIKE '%admin%' AS gives_all,
    calls.eventname = 'CreateOpenIDConnectProvider'
      AND json_get_str(calls.requestparameters, 'url') LIKE '%oidc.eks.%' AS for_cluster
  FROM callers AS calls
  WHERE (calls.eventsource = 'iam.amazonaws.com' AND calls.eventname IN (
      'CreateUser', 'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile',
      'CreateServiceSpecificCredential', 'AttachUserPolicy', 'AttachRolePolicy',
      'AttachGroupPolicy', 'PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy',
      'AddUserToGroup', 'CreatePolicyVersion',
      'SetDefaultPolicyVersion', 'UpdateAssumeRolePolicy', 'CreateRole',
      'DeleteRolePermissionsBoundary', 'DeleteUserPermissionsBoundary',
      'CreateOpenIDConnectProvider', 'CreateSAMLProvider')
    OR calls.eventsource = 'rolesanywhere.amazonaws.com' AND calls.eventname IN (
      'CreateTrustAnchor', 'CreateProfile')
    OR calls.eventsource = 'sso.amazonaws.com' AND calls.eventname IN (
      'CreateAccountAssignment', 'AttachManagedPolicyToPermissionSet',
      'PutInlinePolicyToPermissionSet'))
    AND calls.ok
    AND NOT calls.by_service
    AND calls.type = 'AssumedRole'
    AND calls.caller_role_arn IS NOT NULL
    AND calls.caller_role_arn NOT LIKE '%:role/aws-service-role/%'
),
admin_policies AS (
  SELECT DISTINCT policy_arn FROM policy_versions WHERE policy_class = 'admin'
),
-- One row for each call, grouped so that the view is worked off once, before its rows are joined
-- to all the others: a few dozen changes took gigabytes otherwise.
changes AS (
  SELECT
    eventid,
    min(holder_kind) AS holder_kind,
    min(holder_name) AS holder_name,
    min(policy_arn) AS policy_arn,
    min(policy_name) AS policy_name,
    min(policy_tier) AS policy_tier,
    min(policy_class) AS policy_class,
    bool_or(policy_default) AS policy_default,
    min(policy_severity) AS policy_severity,
    min(trust_severity) AS trust_severity
  FROM role_changes
  GROUP BY eventid
),
powers AS (
  SELECT
    acts.*,
    changes.holder_kind,
    changes.holder_name,
    changes.policy_arn,
    changes.policy_name,
    CASE
      WHEN changes.policy_tier = 1
        OR changes.policy_class = 'admin' AND coalesce(changes.policy_default, true)
        OR admin_policies.policy_arn IS NOT NULL
        OR acts.gives_all
        THEN 5
      WHEN acts.eventname IN ('UpdateAssumeRolePolicy', 'CreateRole') THEN CASE
        WHEN changes.trust_severity IN ('medium', 'high', 'critical') THEN 4
        WHEN changes.trust_severity IS NULL AND acts.eventname = 'UpdateAssumeRolePolicy' THEN 3
        ELSE 2
      END
      -- A cluster's own issuer comes with the cluster.
      WHEN acts.for_cluster THEN 2
      WHEN acts.eventname LIKE 'Attach%' OR acts.eventname LIKE 'Put%'
        OR acts.eventname LIKE '%Version' THEN CASE
          WHEN changes.policy_tier = 2 OR changes.policy_severity IN ('high', 'critical') THEN 4
          ELSE 2
        END
      ELSE 4
    END AS power
  FROM acts
  LEFT JOIN changes ON changes.eventid = acts.eventid
  LEFT JOIN admin_policies ON admin_policies.policy_arn = changes.policy_arn
),
-- When the role did the like before and after, but for the hours around, which are the same story.
-- Who gives little away every day has no habit of giving everything.
habits AS (
  SELECT
    *,
    max(at_second) OVER earlier AS habit_second,
    count(*) OVER earlier AS n_habit,
    min(at_second) OVER later AS again_second,
    count(*) OVER later AS n_again
  FROM powers
  WINDOW
    earlier AS (PARTITION BY caller_role_arn, eventname, power = 5 ORDER BY at_second
      RANGE BETWEEN UNBOUNDED PRECEDING AND 3660 PRECEDING),
    later AS (PARTITION BY caller_role_arn, eventname, power = 5 ORDER BY at_second
      RANGE BETWEEN 3660 FOLLOWING AND UNBOUNDED FOLLOWING)
),
takes AS (
  SELECT eventid, min(actor) AS actor FROM role_assumptions WHERE ok GROUP BY eventid
),
-- The session of each act: when it was issued and to whom, and what stands at its beginning.
matched AS (
  SELECT
    habits.*,
    sessions.session_id,
    sessions.issued_at AS taken_at,
    sessions.issue_event_ids AS take_ids,
    CASE
      WHEN sessions.issued_by IS NULL THEN NULL
      -- What took the role for a workload says more than the workload's own name.
      WHEN takers.kind IN ('instance', 'function', 'task', 'pod') THEN takes.actor
      ELSE takers.principal
    END AS taken_by,
    CASE WHEN sessions.root_kind <> 'unseen' THEN sessions.root_kind END AS root_kind,
    CASE WHEN sessions.root_kind <> 'unseen' THEN sessions.root_identity END AS root_identity,
    runs.workload AS runs_as,
    -- Where nobody recorded who took the role, the session itself still tells when it began.
    coalesce(CAST(to_unixtime(sessions.issued_at) AS bigint), habits.begun_second) AS start_second
  FROM habits
  LEFT JOIN session_marks ON session_marks.mark = habits.mark
  LEFT JOIN sessions ON sessions.session_id = session_marks.session_id
  LEFT JOIN sessions AS takers ON takers.session_id = sessions.parent_id
  LEFT JOIN workload_sessions AS runs ON runs.session_id = sessions.session_id
  LEFT JOIN takes ON takes.eventid = sessions.issued_by
),
fresh AS (
  SELECT *
  FROM matched
  WHERE at_second - start_second BETWEEN -2 AND 60 * $window_minutes
),
looks AS (
  SELECT
    begun.session_id,
    begun.start_second,
    count(*) AS n_discovery,
    count(DISTINCT looked.eventname) AS n_kinds,
    array_agg(DISTINCT looked.eventname ORDER BY looked.eventname) AS discovery
  FROM (
    SELECT session_id, start_second, max(at_second) AS last_second
    FROM fresh
    GROUP BY session_id, start_second
  ) AS begun
  JOIN session_marks ON session_marks.session_id = begun.session_id
  JOIN callers AS looked ON looked.mark = session_marks.mark
  WHERE looked.eventsource IN (
      'iam.amazonaws.com', 'sts.amazonaws.com', 'organizations.amazonaws.com', 'sso.amazonaws.com')
    AND (looked.eventname LIKE 'List%' OR looked.eventname LIKE 'Simulate%'
      OR looked.eventname IN (
        'GetCallerIdentity', 'GetAccountAuthorizationDetails', 'GetAccountSummary'))
    AND to_unixtime(looked.eventtime) BETWEEN begun.start_second - 2 AND begun.last_second
  GROUP BY begun.session_id, begun.start_second
),
listed AS (
  SELECT array_agg(pattern ORDER BY pattern) AS patterns FROM iac_principals
),
weighed AS (
  SELECT
    fresh.*,
    CASE WHEN fresh.power = 5 THEN fresh.n_habit >= $admin_habit
      ELSE coalesce(
        fresh.at_second - fresh.habit_second <= 86400 * settings.baseline_days, false)
    END AS usual,
    -- Days of other records after the act tell as much as days before it.
    fresh.eventtime < recorded.learned_at AND NOT (
      fresh.power >= 4
      AND settings.baseline_until IS NULL
      AND to_unixtime(recorded.last_time) - fresh.at_second >= 86400 * settings.baseline_days
      AND CASE WHEN fresh.power = 5 THEN fresh.n_again < $admin_habit
        ELSE coalesce(
          fresh.again_second - fresh.at_second > 86400 * settings.baseline_days, true)
      END) AS early,
    looks.n_discovery,
    looks.n_kinds,
    looks.discovery,
    array_min(array_filter(listed.patterns, pattern -> glob_match(pattern, fresh.actor)))
      AS listed_as
  FROM fresh
  CROSS JOIN settings
  CROSS JOIN listed
  JOIN recorded ON recorded.account = coalesce(fresh.recipientaccountid, '')
  LEFT JOIN looks
    ON looks.session_id = fresh.session_id AND looks.start_second = fresh.start_second
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  caller_role_arn AS subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    -- A workload that makes roles is strange whatever the roles are.
    greatest(1, CASE WHEN eventname = 'CreateRole' AND runs_as IS NOT NULL THEN greatest(power, 3)
        ELSE power END
      - CASE WHEN iac_hint THEN 1 ELSE 0 END
      - CASE WHEN usual THEN 1 ELSE 0 END)) AS severity,
  coalesce(taken_at, eventtime) AS first_time,
  CASE WHEN take_ids IS NULL THEN make_array(eventid) ELSE array_append(take_ids, eventid) END
    AS event_ids,
  -- History decides for what is no workload, unless the session looked around first.
  early AND runs_as IS NULL AND NOT (
    power >= 4
    AND coalesce(n_kinds, 0) >= $min_discovery
    AND NOT from_console
    AND NOT iac_hint
    AND caller_role_arn NOT LIKE '%:role/aws-reserved/sso.amazonaws.com/%') AS learning,
  caller_role_arn AS role_arn,
  role_name(caller_role_arn) AS role_name,
  role_id,
  session_name,
  access_key_id AS issued_key,
  session_id,
  to_timestamp_seconds(start_second) AS started_at,
  taken_at,
  taken_by,
  root_kind,
  root_identity,
  -- Who holds the session in the end, where nothing else says it.
  CASE WHEN root_kind <> 'external-account' AND strpos(coalesce(taken_by, actor), root_identity) = 0
      AND strpos(root_identity, coalesce(taken_by, actor)) = 0
    THEN root_identity END AS behind,
  runs_as AS workload,
  usual,
  user_name,
  holder_kind,
  holder_name,
  policy_arn,
  policy_name,
  coalesce(n_discovery, 0) AS n_discovery,
  discovery,
  'iac_principals: ' || listed_as AS suppressed_by
FROM weighed
WHERE runs_as IS NOT NULL OR NOT usual
