-- Steps onto roles, each with the step whose session it was made in: the rows of `role_grants`.
--
-- `parent` is the event id of the step that issued the session which asked, NULL for the way in. A session
-- from a sign-in or a user lasts up to twelve hours, one that came from a role's session one hour, so
-- what lies further apart is no chain. `to_strong` and `from_strong` say why the roles are strong,
-- `routine` that the step comes on three days and more, `leaves` that it leads out of our accounts, and
-- `allowed` is the entry of `chain_allow` that names it.
WITH origins AS (
  SELECT steps.eventid AS call, before.eventid AS parent
  FROM role_grants AS steps
  JOIN role_grants AS before ON before.eventid = steps.parent_event
    -- A session that itself came from a role's session lasts an hour.
    AND steps.at - before.at <= CASE WHEN before.chained THEN 60 * 65 ELSE 3600 * 12 END
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
  FROM role_grants AS grants
  CROSS JOIN settings
  JOIN recorded ON recorded.account = coalesce(grants.recipientaccountid, '')
),
allowed AS (
  SELECT
    steps.from_role,
    steps.to_role,
    min(chain_allow.from_role || ' -> ' || chain_allow.to_role) AS entry
  FROM (SELECT DISTINCT from_role, to_role FROM role_grants WHERE chained) AS steps
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
  days.caller_key, days.cross_account, days.iac_hint, days.from_role, days.to_role,
  days.role_session_name, days.assumed_role_id, days.issued_key, days.chained, days.workload,
  days.root_kind, days.root_identity,
  origins.parent,
  target.why AS to_strong,
  source.why AS from_strong,
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
LEFT JOIN own_accounts AS own ON own.account = days.target_account
LEFT JOIN allowed ON allowed.from_role = days.from_role AND allowed.to_role = days.to_role
