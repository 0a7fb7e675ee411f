-- Steps onto roles, each with the step whose session it was made in: one row for each role that was
-- granted to anybody but a service.
--
-- `parent` is the event id of the step that issued the session which asked, NULL for the way in. It is
-- found by the strongest tie that the records give: the key that was issued and used, the role's id or
-- the session's name with the second the session began in, a source identity. A session from a sign-in
-- or a user lasts up to twelve hours, one that came from a role's session one hour, so what lies
-- further apart is not tied. `to_strong` and `from_strong` say why the roles are strong, `routine` that the
-- step comes on three days and more, `leaves` that it leads out of our accounts, and `allowed` is the
-- entry of `chain_allow` that names it.
WITH grants AS (
  SELECT
    calls.eventtime, calls.eventid, calls.event_ids, calls.recipientaccountid, calls.awsregion,
    calls.actor, calls.sourceipaddress, calls.eventname, calls.caller_key, calls.caller_kind,
    calls.caller_account,
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
      AND CASE WHEN sessions.chained THEN 60 * 65 ELSE 3600 * 12 END
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
)
SELECT
  days.eventtime, days.eventid, days.event_ids, days.recipientaccountid, days.awsregion, days.actor,
  days.sourceipaddress, days.eventname, days.at, days.identity, days.caller_kind,
  days.caller_key, days.cross_account, days.iac_hint, days.to_role, days.role_session_name,
  days.assumed_role_id,
  days.issued_key, days.chained,
  coalesce(days.from_role, origins.role) AS from_role,
  origins.parent,
  target.why AS to_strong,
  source.why AS from_strong,
  coalesce(days.workload, workloads.workload) AS workload,
  own.account IS NULL AS leaves,
  allowed.entry AS allowed,
  -- A step that comes on many days, into whichever account: hubs have a role of one name in each.
  days.day_number > 3
      AND to_unixtime(days.eventtime) - to_unixtime(days.step_before) <= 86400 * days.baseline_days
    OR days.first_step < days.learned_at AND days.days_in_use >= 3 AS routine
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
