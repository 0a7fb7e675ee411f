/*---
id = "role-separation-eroded"
title = "One role for too many purposes"
severity = "medium"
maturity = "incubating"
kind = "window"
risk = ["inadequate role separation"]
attack = ["T1078.004"]
description = """
A role serves so many purposes that whoever gets hold of it for one has all: its trust mixes people,
services and identity providers or names three services and more, it has several broad managed
policies or full access to many services, one written policy gives all actions of many services, its
sessions within two weeks come from callers of several kinds or from many people and a service
besides, or it is handed to several services. Automation that leaves its mark in the change lowers
the severity a step."""
summary = """{{ subject }} serves too many purposes: {{ why }} ({{ parts | few }})."""
false_positives = [
  "A small account that has one role for its whole platform: allow the role.",
]
triage = [
  "Which of the purposes belong together, and which could have a role of their own?",
  "What was the role used for in the last months, and by whom?",
]
remediation = ["least-privilege", "correct-trust-policy"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html",
]

[params]
broad_policies = 3
full_access_services = 4
inline_services = 4
window_days = 14
identity_types = 3
human_sessions = 5
passed_services = 3
---*/
WITH automation AS (
  SELECT DISTINCT changes.actor
  FROM role_changes AS changes
  JOIN iac_principals ON glob_match(iac_principals.pattern, changes.actor)
),
changes AS (
  SELECT
    role_changes.*,
    role_changes.iac_hint OR automation.actor IS NOT NULL AS automated,
    split_part(role_changes.policy_arn, '/', -1) AS managed_name
  FROM role_changes
  LEFT JOIN automation ON automation.actor = role_changes.actor
  WHERE role_changes.ok
    AND role_changes.role_name IS NOT NULL
    -- Identity Center fills the roles of its permission sets, other services make their own.
    AND coalesce(role_changes.caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
),
mixed AS (
  SELECT
    exposed.eventtime, exposed.eventid, exposed.recipientaccountid, exposed.awsregion,
    exposed.actor, exposed.sourceipaddress, exposed.eventname, exposed.subject,
    exposed.iac_hint OR automation.actor IS NOT NULL AS automated,
    make_array(exposed.eventid) AS event_ids,
    CASE exposed.code
      WHEN 'T34' THEN 'its trust mixes kinds of principals'
      ELSE 'its trust names three services or more'
    END AS why,
    exposed.trust_principals AS parts
  FROM trust_exposures AS exposed
  LEFT JOIN automation ON automation.actor = exposed.actor
  WHERE exposed.code IN ('T34', 'T35') AND NOT exposed.attempt
),
-- How many broad policies of AWS's a role has after each change.
attachments AS (
  SELECT
    *,
    CASE WHEN eventname = 'AttachRolePolicy' THEN 1 ELSE -1 END AS step
  FROM (
    SELECT
      *,
      -- The policies for auditors see much and change nothing.
      managed_policy_tier(policy_arn) IS NOT NULL
        AND managed_name NOT IN ('SecurityAudit', 'ViewOnlyAccess') AS is_broad,
      managed_name LIKE '%FullAccess' AS is_full,
      lag(eventname) OVER (
        PARTITION BY role_account, role_name, policy_arn ORDER BY eventtime, eventid) AS last_change
    FROM changes
    WHERE eventname IN ('AttachRolePolicy', 'DetachRolePolicy')
      AND arn_account(policy_arn) = 'aws'
      AND (managed_policy_tier(policy_arn) IS NOT NULL OR managed_name LIKE '%FullAccess')
  )
  -- Only what changes something: neither a policy attached twice nor one that was attached before.
  WHERE eventname = 'AttachRolePolicy' AND last_change IS DISTINCT FROM 'AttachRolePolicy'
    OR eventname = 'DetachRolePolicy' AND last_change = 'AttachRolePolicy'
),
counted AS (
  SELECT
    *,
    sum(CASE WHEN is_broad THEN step ELSE 0 END) OVER so_far AS n_broad,
    sum(CASE WHEN is_full THEN step ELSE 0 END) OVER so_far AS n_full
  FROM attachments
  WINDOW so_far AS (PARTITION BY role_account, role_name ORDER BY eventtime, eventid)
),
over_broad AS (
  SELECT role_account, role_name, min(eventtime) AS reached_at
  FROM counted
  WHERE n_broad >= $broad_policies OR n_full >= $full_access_services
  GROUP BY role_account, role_name
),
piled AS (
  SELECT
    max(counted.eventtime) AS eventtime,
    last_value(counted.eventid ORDER BY counted.eventtime, counted.eventid) AS eventid,
    last_value(counted.recipientaccountid ORDER BY counted.eventtime, counted.eventid)
      AS recipientaccountid,
    last_value(counted.awsregion ORDER BY counted.eventtime, counted.eventid) AS awsregion,
    last_value(counted.actor ORDER BY counted.eventtime, counted.eventid) AS actor,
    last_value(counted.sourceipaddress ORDER BY counted.eventtime, counted.eventid)
      AS sourceipaddress,
    last_value(counted.eventname ORDER BY counted.eventtime, counted.eventid) AS eventname,
    last_value(counted.subject ORDER BY counted.eventtime, counted.eventid) AS subject,
    bool_and(counted.automated) AS automated,
    array_agg(counted.eventid ORDER BY counted.eventtime, counted.eventid) AS event_ids,
    'it has many broad policies' AS why,
    array_agg(DISTINCT counted.managed_name ORDER BY counted.managed_name) AS parts
  FROM over_broad
  JOIN counted
    ON counted.role_account = over_broad.role_account
    AND counted.role_name = over_broad.role_name
    AND counted.eventtime <= over_broad.reached_at
  WHERE counted.step = 1
  GROUP BY over_broad.role_account, over_broad.role_name
),
statements AS (
  SELECT
    eventid,
    unnest(coalesce(
      json_get_array(document, 'Statement'),
      make_array(json_as_text(document, 'Statement')))) AS statement
  FROM (
    SELECT
      eventid,
      CASE WHEN policy_document LIKE '\%%' ESCAPE '\' THEN try(url_decode(policy_document))
        ELSE policy_document END AS document
    FROM changes
    WHERE eventname = 'PutRolePolicy' AND policy_class IS NOT NULL
  )
),
services AS (
  SELECT
    eventid,
    unnest(regexp_extract_all(
      lower(json_as_text(statement, 'Action')), '(?:^|")([a-z0-9-]+):\*+(?:"|$)', 1)) AS service
  FROM statements
  WHERE json_get_str(statement, 'Effect') = 'Allow'
),
wide AS (
  SELECT eventid, array_agg(DISTINCT service ORDER BY service) AS services
  FROM services
  GROUP BY eventid
),
written AS (
  SELECT
    changes.eventtime, changes.eventid, changes.recipientaccountid, changes.awsregion,
    changes.actor, changes.sourceipaddress, changes.eventname, changes.subject, changes.automated,
    make_array(changes.eventid) AS event_ids,
    'one written policy allows everything of many services' AS why,
    CASE WHEN changes.policy_class = 'admin' THEN make_array('*') ELSE wide.services END AS parts
  FROM changes
  LEFT JOIN wide ON wide.eventid = changes.eventid
  WHERE changes.eventname = 'PutRolePolicy'
    AND (changes.policy_class = 'admin' OR array_length(wide.services) >= $inline_services)
),
sessions AS (
  SELECT
    eventtime, eventid, target_account, target_role_name, target_role_arn,
    CASE
      WHEN eventname = 'AssumeRoleWithSAML' THEN 'SAML users'
      WHEN eventname = 'AssumeRoleWithWebIdentity' THEN 'web identities'
      WHEN caller_kind = 'service' THEN 'services'
      WHEN caller_kind = 'user' THEN 'users'
      WHEN caller_kind = 'role' THEN 'roles'
      WHEN caller_kind = 'root' THEN 'root users'
      -- The target's record tells the kind of an outside caller only by its id.
      WHEN useridentity.principalid LIKE 'AIDA%' THEN 'users'
      WHEN useridentity.principalid LIKE 'AROA%' THEN 'roles'
    END AS kind,
    CASE WHEN caller_kind = 'user' OR console OR eventname = 'AssumeRoleWithSAML'
        OR caller_role_arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
      THEN role_session_name END AS person,
    CAST(floor(to_unixtime(eventtime) / 86400) AS BIGINT) AS day
  FROM role_assumptions
  WHERE ok
    AND target_account IS NOT NULL
    AND target_role_name IS NOT NULL
    AND coalesce(target_role_arn, '') NOT LIKE '%:role/aws-reserved/%'
    AND coalesce(target_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
),
-- Only roles that two kinds of callers take at all can come into question; most have one.
daily AS (
  SELECT
    sessions.target_account, sessions.target_role_name, sessions.kind, sessions.person,
    sessions.day,
    min(sessions.eventtime) AS eventtime, min(sessions.eventid) AS eventid,
    min(sessions.target_role_arn) AS target_role_arn
  FROM sessions
  JOIN (
    SELECT target_account, target_role_name
    FROM sessions
    GROUP BY target_account, target_role_name
    HAVING count(DISTINCT kind) > 1
  ) AS several
    ON several.target_account = sessions.target_account
    AND several.target_role_name = sessions.target_role_name
  GROUP BY
    sessions.target_account, sessions.target_role_name, sessions.kind, sessions.person, sessions.day
),
spans AS (
  SELECT
    ends.target_account, ends.target_role_name, ends.day,
    array_agg(DISTINCT daily.kind ORDER BY daily.kind) AS kinds,
    count(DISTINCT daily.person) AS n_people,
    bool_or(daily.kind = 'services') AS by_services
  FROM (SELECT DISTINCT target_account, target_role_name, day FROM daily) AS ends
  JOIN daily
    ON daily.target_account = ends.target_account
    AND daily.target_role_name = ends.target_role_name
    AND daily.day BETWEEN ends.day - $window_days + 1 AND ends.day
  WHERE daily.kind IS NOT NULL
  GROUP BY ends.target_account, ends.target_role_name, ends.day
),
crowded AS (
  SELECT target_account, target_role_name, min(day) AS day
  FROM spans
  WHERE array_length(kinds) >= $identity_types OR by_services AND n_people >= $human_sessions
  GROUP BY target_account, target_role_name
),
-- The first session of each kind in the window; a person is a part of its own.
proofs AS (
  SELECT
    crowded.target_account, crowded.target_role_name,
    coalesce(daily.person, daily.kind) AS part,
    min_by(daily.eventid, daily.eventtime) AS eventid
  FROM crowded
  JOIN daily
    ON daily.target_account = crowded.target_account
    AND daily.target_role_name = crowded.target_role_name
    AND daily.day BETWEEN crowded.day - $window_days + 1 AND crowded.day
  GROUP BY crowded.target_account, crowded.target_role_name, coalesce(daily.person, daily.kind)
),
shared AS (
  SELECT
    max(calls.eventtime) AS eventtime,
    last_value(calls.eventid ORDER BY calls.eventtime, calls.eventid) AS eventid,
    last_value(calls.recipientaccountid ORDER BY calls.eventtime, calls.eventid)
      AS recipientaccountid,
    last_value(calls.awsregion ORDER BY calls.eventtime, calls.eventid) AS awsregion,
    last_value(calls.actor ORDER BY calls.eventtime, calls.eventid) AS actor,
    last_value(calls.sourceipaddress ORDER BY calls.eventtime, calls.eventid) AS sourceipaddress,
    last_value(calls.eventname ORDER BY calls.eventtime, calls.eventid) AS eventname,
    min(calls.target_role_arn) AS subject,
    false AS automated,
    array_agg(calls.eventid ORDER BY calls.eventtime, calls.eventid) AS event_ids,
    'callers of many kinds take it' AS why,
    array_agg(DISTINCT proofs.part ORDER BY proofs.part) AS parts
  FROM proofs
  JOIN role_assumptions AS calls ON calls.eventid = proofs.eventid
  GROUP BY proofs.target_account, proofs.target_role_name
),
passed AS (
  SELECT
    *,
    -- A profile is how an instance gets its role.
    CASE WHEN service IN ('iam', 'autoscaling') THEN 'ec2' ELSE service END AS receiver
  FROM roles_passed
  WHERE passed_role_arn IS NOT NULL
    AND passed_role_arn NOT LIKE '%:role/aws-service-role/%'
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
),
handed AS (
  SELECT
    max(eventtime) AS eventtime,
    last_value(eventid ORDER BY eventtime, eventid) AS eventid,
    last_value(recipientaccountid ORDER BY eventtime, eventid) AS recipientaccountid,
    last_value(awsregion ORDER BY eventtime, eventid) AS awsregion,
    last_value(actor ORDER BY eventtime, eventid) AS actor,
    last_value(sourceipaddress ORDER BY eventtime, eventid) AS sourceipaddress,
    last_value(eventname ORDER BY eventtime, eventid) AS eventname,
    passed_role_arn AS subject,
    false AS automated,
    array_agg(eventid ORDER BY eventtime, eventid) AS event_ids,
    'it is handed to many services' AS why,
    array_agg(DISTINCT receiver ORDER BY receiver) AS parts
  FROM (
    SELECT
      *,
      row_number() OVER (PARTITION BY passed_role_arn, receiver ORDER BY eventtime, eventid) AS nth
    FROM passed
  )
  WHERE nth = 1
  GROUP BY passed_role_arn
  HAVING count(DISTINCT receiver) >= $passed_services
),
found AS (
  SELECT * FROM mixed
  UNION ALL SELECT * FROM piled
  UNION ALL SELECT * FROM written
  UNION ALL SELECT * FROM shared
  UNION ALL SELECT * FROM handed
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  subject,
  CASE WHEN automated THEN 'low' ELSE 'medium' END AS severity,
  event_ids,
  why,
  parts,
  role_name(subject) AS role_name,
  subject AS role_arn
FROM found
