/*---
id = "role-chain-reaches-privilege"
title = "A chain of roles ends higher than it began"
severity = "high"
maturity = "incubating"
kind = "graph"
risk = ["privilege escalation"]
attack = ["T1548.005", "T1550.001", "T1021.007"]
group_by = ["path"]
description = """
Role sessions that were used to take further roles are followed from call to call: by the key that one
call issued and the next one used, else by the session's unique id and the second it began in, its name,
or its source identity. A chain that comes from an ordinary role to a strong one is reported at that
role, most severely where it began with the credentials of an instance, function or pod. Long chains and
steps into other accounts are reported at their end. Steps that the evidence shows on several earlier
days are how the landing zone works, and chains of nothing else are quiet."""
summary = """{{ began_as }} came over {{ n_hops }} steps to {{ subject }}{% if role_is %}, {{ role_is }}{% endif %}: {{ path }}."""
false_positives = [
  "Landing zones where pipelines and people enter a hub and go on from there: `chain_allow`.",
  "A new spoke or tool on its first days.",
]
triage = [
  "Should the first role of the chain be able to reach the last one at all?",
  "Which step of the chain is new, and who made it possible?",
  "What did the last session do?",
]
remediation = ["revoke-sessions", "correct-trust-policy", "least-privilege"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html",
]

[params]
min_calls = 3
routine_days = 3
chained_minutes = 65
first_hours = 12
---*/
WITH RECURSIVE grants AS (
  SELECT
    calls.eventtime, calls.eventid, calls.event_ids, calls.recipientaccountid, calls.awsregion,
    calls.actor, calls.sourceipaddress, calls.eventname, calls.caller_kind, calls.caller_account,
    calls.cross_account, calls.iac_hint, calls.workload, calls.session_name, calls.issued_key,
    calls.target_account, calls.target_role_name, calls.target_role_arn AS to_role,
    calls.caller_role_arn AS from_role,
    calls.role_session_name, calls.assumed_role_id, calls.source_identity,
    calls.useridentity.accesskeyid AS used_key,
    calls.useridentity.principalid AS principal_id,
    calls.useridentity.sessioncontext.sourceidentity AS session_source,
    CAST(to_unixtime(calls.eventtime) AS BIGINT) AS at,
    CAST(to_unixtime(try_cast(
      calls.useridentity.sessioncontext.attributes.creationdate AS TIMESTAMP)) AS BIGINT) AS began,
    -- What a role's session or, over accounts, an unnamed caller with a role's id takes is a step.
    calls.caller_kind = 'role'
      OR calls.caller_kind = 'account' AND calls.useridentity.principalid LIKE 'AROA%:%' AS chained,
    -- Who enters, without the names of sessions, jobs and branches.
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
    END AS identity
  FROM role_assumptions AS calls
  WHERE calls.ok
    AND calls.eventname IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
    AND calls.caller_kind <> 'service'
    AND calls.target_role_arn IS NOT NULL
    -- Steps of a service in somebody's name; the console's are the person's own.
    AND (coalesce(calls.useridentity.invokedby, '') NOT LIKE '%.amazonaws.com'
      OR calls.useridentity.invokedby = 'signin.amazonaws.com')
),
-- What a session can be told by: its key, and its role's id, its name or its source identity together
-- with the second it began in, which is when it was granted.
sessions AS (
  SELECT
    unnest(make_array(
      '1 ' || issued_key,
      '2 ' || assumed_role_id || ' ' || CAST(at AS varchar),
      '3 ' || to_role || '/' || role_session_name || ' ' || CAST(at AS varchar),
      '4 ' || source_identity || ' ' || to_role || ' ' || CAST(at AS varchar),
      '5 ' || assumed_role_id)) AS tie,
    eventid, at, to_role, chained
  FROM grants
),
-- The same of the calls made in sessions. The two moments may differ by two seconds.
asked AS (
  SELECT
    unnest(array_concat(
      make_array('1 ' || used_key, CASE WHEN began IS NULL THEN '5 ' || principal_id END),
      make_array('2 ' || principal_id || ' ' || CAST(second AS varchar)),
      make_array('3 ' || actor || ' ' || CAST(second AS varchar)),
      make_array('4 ' || session_source || ' ' || from_role || ' ' || CAST(second AS varchar))
    )) AS tie,
    eventid, at
  FROM (
    SELECT *, unnest(make_array(began - 2, began - 1, began, began + 1, began + 2)) AS second
    FROM grants
    WHERE chained
  )
),
-- The session that a call was made in, by the strongest tie, of several the latest.
origins AS (
  SELECT
    asked.eventid AS call,
    first_value(sessions.eventid ORDER BY asked.tie, sessions.at DESC, sessions.eventid) AS parent,
    first_value(sessions.to_role ORDER BY asked.tie, sessions.at DESC, sessions.eventid) AS role
  FROM asked
  JOIN sessions
    ON sessions.tie = asked.tie
    AND sessions.eventid <> asked.eventid
    -- A session that itself came from a role's session lasts an hour.
    AND asked.at - sessions.at BETWEEN 0
      AND CASE WHEN sessions.chained THEN 60 * $chained_minutes ELSE 3600 * $first_hours END
  WHERE asked.tie NOT LIKE '%HIDDEN_DUE_TO_SECURITY_REASONS%'
  GROUP BY asked.eventid
),
used AS (
  SELECT
    grants.*,
    recorded.learned_at,
    settings.baseline_days,
    lag(grants.eventtime) OVER (
      PARTITION BY grants.identity, grants.target_role_name
      ORDER BY grants.eventtime, grants.eventid) AS step_before,
    min(grants.eventtime) OVER (PARTITION BY grants.identity, grants.target_role_name) AS first_step,
    dense_rank() OVER (
      PARTITION BY grants.identity, grants.target_role_name
      ORDER BY date_trunc('day', grants.eventtime)) AS day_number
  FROM grants
  CROSS JOIN settings
  JOIN recorded ON recorded.account = coalesce(grants.recipientaccountid, '')
),
allowed AS (
  SELECT
    steps.from_role,
    steps.to_role,
    min(chain_allow.from_role || ' -> ' || chain_allow.to_role) AS entry
  FROM (SELECT DISTINCT from_role, to_role FROM grants WHERE chained) AS steps
  JOIN chain_allow
    ON glob_match(chain_allow.from_role, steps.from_role)
    AND glob_match(chain_allow.to_role, steps.to_role)
  GROUP BY steps.from_role, steps.to_role
),
days AS (
  SELECT
    *,
    max(day_number) OVER (PARTITION BY identity, target_role_name) AS days_in_use
  FROM used
),
-- One row for each grant, with the grant whose session it was asked for in.
edges AS (
  SELECT
    days.eventtime, days.eventid, days.event_ids, days.recipientaccountid, days.awsregion, days.actor,
    days.sourceipaddress, days.eventname, days.at, days.identity, days.caller_kind,
    days.cross_account, days.iac_hint, days.to_role, days.role_session_name, days.assumed_role_id,
    days.issued_key, days.chained,
    coalesce(days.from_role, origins.role) AS from_role,
    origins.parent,
    target.why AS to_strong,
    source.why AS from_strong,
    coalesce(days.workload, workloads.workload) AS workload,
    own.account IS NULL AS leaves,
    allowed.entry AS allowed,
    -- A step that comes on many days, into whichever account: hubs have a role of one name in each.
    days.day_number > $routine_days
        AND to_unixtime(days.eventtime) - to_unixtime(days.step_before) <= 86400 * days.baseline_days
      OR days.first_step < days.learned_at AND days.days_in_use >= $routine_days AS routine
  FROM days
  LEFT JOIN origins ON origins.call = days.eventid
  LEFT JOIN strong_roles AS target
    ON target.role_account = days.target_account AND target.role_name = days.target_role_name
  LEFT JOIN strong_roles AS source
    ON source.role_account = days.caller_account AND source.role_name = role_name(days.from_role)
  LEFT JOIN workload_sessions AS workloads
    ON workloads.role_arn = days.from_role AND workloads.session_name = days.session_name
  LEFT JOIN own_accounts AS own ON own.account = days.target_account
  LEFT JOIN allowed ON allowed.from_role = days.from_role AND allowed.to_role = days.to_role
),
chains AS (
  SELECT
    edges.*,
    1 AS n_calls,
    CASE WHEN from_role IS NULL THEN 0 ELSE 1 END AS n_hops,
    CASE WHEN from_role IS NULL THEN make_array(to_role) ELSE make_array(from_role, to_role) END
      AS roles,
    event_ids AS chain_ids,
    eventtime AS first_time,
    CASE WHEN from_role IS NULL THEN identity ELSE actor END AS began_as,
    caller_kind AS began_kind,
    workload AS began_workload,
    from_role IS NOT NULL AND from_strong IS NOT NULL
      OR from_role IS NULL AND to_strong IS NOT NULL AS began_strong,
    from_role IS NOT NULL AND from_strong IS NULL AND to_strong IS NOT NULL AS rises,
    false AS rose,
    CASE WHEN routine THEN 0 ELSE 1 END AS n_new,
    CASE WHEN from_role IS NOT NULL AND allowed IS NULL THEN 1 ELSE 0 END AS n_open,
    from_role IS NOT NULL AND cross_account AS crosses,
    iac_hint AS all_iac
  FROM edges
  WHERE parent IS NULL
  UNION ALL
  SELECT
    edges.*,
    chains.n_calls + 1,
    chains.n_hops + 1,
    array_append(chains.roles, edges.to_role),
    array_concat(chains.chain_ids, edges.event_ids),
    chains.first_time,
    chains.began_as,
    chains.began_kind,
    chains.began_workload,
    chains.began_strong,
    NOT chains.began_strong AND NOT chains.rises AND NOT chains.rose AND edges.to_strong IS NOT NULL,
    chains.rises OR chains.rose,
    chains.n_new + CASE WHEN edges.routine THEN 0 ELSE 1 END,
    chains.n_open + CASE WHEN edges.allowed IS NULL THEN 1 ELSE 0 END,
    chains.crosses OR edges.cross_account,
    chains.all_iac AND edges.iac_hint
  FROM chains
  JOIN edges ON edges.parent = chains.eventid
  WHERE chains.n_hops < 10
),
graded AS (
  SELECT
    chains.*,
    CASE
      WHEN rises AND n_new = 0 THEN 2
      WHEN n_new = 0 THEN 0
      WHEN rises AND began_workload IS NOT NULL THEN 5
      WHEN rises THEN 4
      -- A sign-in through a provider is the way in, not a step.
      WHEN leaves OR n_calls - CASE WHEN began_kind = 'federated' THEN 1 ELSE 0 END >= $min_calls
        THEN 3
      -- One step on from a hub is the plain form of a landing zone.
      WHEN crosses AND (began_kind IN ('user', 'root', 'account') OR began_workload IS NOT NULL)
        THEN 3
      WHEN crosses OR n_calls >= $min_calls THEN 2
      ELSE 0
    END AS level
  FROM chains
  WHERE n_hops > 0
    AND NOT rose
    AND (rises OR eventid NOT IN (SELECT parent FROM origins))
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  to_role AS subject,
  array_element(make_array('info', 'low', 'medium', 'high', 'critical'),
    greatest(1, level - CASE WHEN all_iac THEN 1 ELSE 0 END)) AS severity,
  chain_ids AS event_ids,
  first_time,
  CASE WHEN n_open = 0 THEN 'chain_allow: ' || allowed END AS suppressed_by,
  began_as,
  began_workload,
  n_hops,
  roles,
  array_to_string(roles, ' -> ') AS path,
  to_strong AS role_is,
  to_role AS role_arn,
  split_part(assumed_role_id, ':', 1) AS role_id,
  role_session_name AS session_name,
  issued_key
FROM graded
WHERE level > 0
