-- Roles that were granted to anybody but a service: one row for each, with the session that asked.
--
-- `parent_event` is the call that issued the session which asked, where that is a role's, and
-- `from_role` its role. `root_kind` and `root_identity` say what stands at the beginning, `workload`
-- that this is an instance, function, task, pod or build, `chained` that a role's session asked. All of
-- it is what `sessions` says. A call over accounts is one row, however its two records are tied.
-- `identity` is who enters, the same for all his sessions.
WITH issued AS (
  SELECT
    sessions.issued_by,
    sessions.issue_event_ids,
    sessions.root_kind,
    sessions.root_identity,
    coalesce(held.workload, CASE
      WHEN sessions.root_kind IN ('instance', 'function', 'task', 'pod') THEN sessions.root_kind
    END) AS workload,
    parents.role_arn AS parent_role,
    CASE WHEN parents.issued_name = 'GetSigninToken' THEN above.issued_by ELSE parents.issued_by END
      AS parent_event
  FROM sessions
  LEFT JOIN sessions AS parents ON parents.session_id = sessions.parent_id AND parents.kind = 'role'
  -- A sign-in to the console with a session's credentials is the same role, and no step.
  LEFT JOIN sessions AS above ON above.session_id = parents.parent_id
  LEFT JOIN workload_sessions AS held ON held.session_id = sessions.parent_id
  WHERE sessions.issued_by IS NOT NULL AND sessions.kind = 'role'
),
-- Records of the target's account, where the caller's own one of the same call is there.
copies AS (
  SELECT eventid FROM role_assumptions WHERE seen_from <> 'target'
  UNION ALL
  SELECT unnest(issue_event_ids) FROM sessions WHERE array_length(issue_event_ids) > 1
)
SELECT
  calls.eventtime, calls.eventid, calls.recipientaccountid, calls.awsregion,
  calls.actor, calls.sourceipaddress, calls.eventname, calls.caller_key, calls.caller_kind,
  calls.caller_account, calls.cross_account, calls.iac_hint, calls.issued_key,
  calls.target_account, calls.target_role_name, calls.target_role_arn AS to_role,
  calls.role_session_name, calls.assumed_role_id,
  coalesce(issued.issue_event_ids, calls.event_ids) AS event_ids,
  issued.root_kind,
  issued.root_identity,
  issued.parent_event,
  coalesce(calls.caller_role_arn, issued.parent_role) AS from_role,
  issued.workload,
  CAST(to_unixtime(calls.eventtime) AS BIGINT) AS at,
  -- What a role's session or, over accounts, an unnamed caller with a role's id takes is a step.
  calls.caller_kind = 'role' OR issued.parent_role IS NOT NULL
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
LEFT JOIN issued ON issued.issued_by = calls.eventid
WHERE calls.ok
  AND calls.eventname IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
  AND calls.caller_kind <> 'service'
  AND calls.target_role_arn IS NOT NULL
  -- Steps of a service in somebody's name; the console's are the person's own.
  AND (coalesce(calls.useridentity.invokedby, '') NOT LIKE '%.amazonaws.com'
    OR calls.useridentity.invokedby = 'signin.amazonaws.com')
  AND (calls.seen_from <> 'target' OR calls.eventid NOT IN (SELECT eventid FROM copies))
