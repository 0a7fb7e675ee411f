/*---
id = "role-created-off-pipeline"
title = "Role made or re-trusted by an unusual actor"
severity = "low"
maturity = "incubating"
kind = "first-seen"
full_scan = "which accounts were recorded, and from when on, stands in all events"
risk = ["misconfigured trust"]
attack = ["T1136.003", "T1098.003"]
description = """
Somebody who made no roles in the days before makes one, or changes whom one trusts. It is medium
where the actor was not seen at all before, or where nearly all roles of the account come from
infrastructure as code and this one does not; and high where the actor is a session of an instance,
function or container, or works in CloudShell. Roles that wizards of the console make for services
are info."""
summary = """{{ actor }} called {{ event_names | few }} on {{ subject }}: {{ why }}."""
false_positives = [
  "Wizards of the console and controllers in clusters that make service roles.",
  "A new pipeline: name it in `iac_principals`.",
]
triage = [
  "Whom does the role trust, and what may it do?",
  "Is there a change request, or code that makes this role?",
  "What else did the actor do in the same hour?",
]
remediation = ["remove-role", "remove-permissions", "correct-trust-policy"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create.html",
  "https://docs.aws.amazon.com/cloudshell/latest/userguide/logging-and-monitoring.html",
]

[params]
# How long before its first role an actor must have been there to be known.
known_hours = 24
# So many roles say how roles are made in an account.
min_roles = 5
iac_share = 0.9
# On so many days before, making roles is what a workload is for.
usual_days = 3
---*/
WITH role_calls AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, subject,
    iac_hint, caller_role_arn, workload,
    coalesce(recipientaccountid, '') AS account,
    coalesce(caller_role_arn, useridentity.arn, actor) AS maker,
    useridentity.accesskeyid AS access_key_id,
    coalesce(regexp_like(useragent, '(?i)cloudshell'), false) AS in_cloudshell,
    -- The client of a function or task says so itself, where no record shows who took the role.
    CASE
      WHEN caller_role_arn IS NULL THEN NULL
      WHEN regexp_like(useragent, 'exec-env/AWS_Lambda_') THEN 'function'
      WHEN regexp_like(useragent, 'exec-env/AWS_ECS_') THEN 'task'
    END AS runs_in,
    role_arn,
    role_name,
    -- A wizard of the console makes a role for one service, in a path of its own.
    eventname = 'CreateRole'
      AND coalesce(
        json_get_str(requestparameters, 'path'), json_get_str(responseelements, 'role', 'path'), '')
        LIKE '/service-role/%'
      AND coalesce(trust_verdict, '') LIKE 'service-%' AS by_wizard,
    -- AWS writes the trust of a service-linked role, which gives nobody a right.
    eventname = 'CreateServiceLinkedRole' AS harmless
  FROM role_changes
  WHERE eventname IN ('CreateRole', 'UpdateAssumeRolePolicy', 'CreateServiceLinkedRole')
    AND ok
    AND actor IS NOT NULL
    AND useridentity.type IS DISTINCT FROM 'AWSService'
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
    -- What a service other than CloudFormation does in somebody's name is the service's habit.
    AND (NOT by_service OR useridentity.invokedby = 'cloudformation.amazonaws.com')
),
calls AS (
  SELECT * FROM role_calls
  UNION ALL
  -- An instance profile is nothing without a role.
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, subject,
    iac_hint, caller_role_arn, workload,
    coalesce(recipientaccountid, ''),
    coalesce(caller_role_arn, useridentity.arn, actor),
    useridentity.accesskeyid,
    coalesce(regexp_like(useragent, '(?i)cloudshell'), false),
    NULL,
    NULL,
    NULL,
    false,
    true
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND eventname = 'CreateInstanceProfile'
    AND ok
    AND actor IS NOT NULL
    AND useridentity.type IS DISTINCT FROM 'AWSService'
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
    AND (NOT by_service OR useridentity.invokedby = 'cloudformation.amazonaws.com')
),
-- The days on which each maker was there at all.
presence AS (
  SELECT
    makers.account,
    makers.maker,
    date_trunc('day', seen.eventtime) AS day,
    min(seen.eventtime) AS first_time
  FROM (SELECT DISTINCT account, maker FROM role_calls WHERE NOT harmless) AS makers
  JOIN cloudtrail AS seen
    ON coalesce(seen.recipientaccountid, '') = makers.account
    AND coalesce(seen.useridentity.sessioncontext.sessionissuer.arn, seen.useridentity.arn)
      = makers.maker
  GROUP BY makers.account, makers.maker, date_trunc('day', seen.eventtime)
),
-- The days on which each maker made roles or changed their trust.
making AS (
  SELECT
    account,
    maker,
    date_trunc('day', eventtime) AS day,
    min(eventtime) AS first_time,
    sum(CASE WHEN eventname = 'CreateRole' THEN 1 ELSE 0 END) AS n_roles,
    sum(CASE WHEN eventname = 'CreateRole' AND iac_hint THEN 1 ELSE 0 END) AS n_by_iac
  FROM role_calls
  WHERE NOT harmless
  GROUP BY account, maker, date_trunc('day', eventtime)
),
present AS (
  SELECT DISTINCT calls.eventid
  FROM role_calls AS calls
  CROSS JOIN settings
  JOIN presence
    ON presence.account = calls.account
    AND presence.maker = calls.maker
    AND to_unixtime(calls.eventtime) - to_unixtime(presence.first_time) >= 3600 * $known_hours
    AND (to_unixtime(calls.eventtime) - to_unixtime(presence.day)
        <= 86400 * (settings.baseline_days + 1)
      OR presence.first_time < settings.baseline_until)
),
experienced AS (
  SELECT calls.eventid, count(*) AS n_days
  FROM calls
  CROSS JOIN settings
  JOIN making
    ON making.account = calls.account
    AND making.maker = calls.maker
    AND to_unixtime(calls.eventtime) - to_unixtime(making.first_time) >= 3600 * $known_hours
    AND (to_unixtime(calls.eventtime) - to_unixtime(making.day)
        <= 86400 * (settings.baseline_days + 1)
      OR making.first_time < settings.baseline_until)
  GROUP BY calls.eventid
),
-- How roles are made in the account otherwise.
customs AS (
  SELECT
    calls.eventid,
    sum(making.n_roles) AS n_roles,
    sum(making.n_by_iac) AS n_by_iac
  FROM role_calls AS calls
  CROSS JOIN settings
  JOIN (
    SELECT
      account,
      day,
      min(first_time) AS first_time,
      sum(n_roles) AS n_roles,
      sum(n_by_iac) AS n_by_iac
    FROM making
    GROUP BY account, day
  ) AS making
    ON making.account = calls.account
    AND making.day < date_trunc('day', calls.eventtime)
    AND (to_unixtime(calls.eventtime) - to_unixtime(making.day)
        <= 86400 * (settings.baseline_days + 1)
      OR making.first_time < settings.baseline_until)
  GROUP BY calls.eventid
),
held AS (
  SELECT calls.eventid, calls.recipientaccountid, min(sessions.workload) AS workload
  FROM workload_sessions AS sessions
  JOIN session_marks ON session_marks.session_id = sessions.session_id
  JOIN callers AS calls ON calls.mark = session_marks.mark
  WHERE calls.eventsource = 'iam.amazonaws.com'
    AND calls.eventname IN (
      'CreateRole', 'UpdateAssumeRolePolicy', 'CreateServiceLinkedRole', 'CreateInstanceProfile')
  GROUP BY calls.eventid, calls.recipientaccountid
),
judged AS (
  SELECT
    calls.* EXCEPT (workload, runs_in),
    coalesce(held.workload, calls.workload, calls.runs_in) AS workload,
    -- Building and deploying is what build jobs are for.
    coalesce(held.workload, calls.workload, calls.runs_in, 'build') <> 'build'
      OR calls.in_cloudshell AS from_workload,
    present.eventid IS NULL AS unseen,
    coalesce(experienced.n_days, 0) AS n_days,
    NOT calls.iac_hint
      AND coalesce(customs.n_roles, 0) >= $min_roles
      AND customs.n_by_iac > $iac_share * customs.n_roles AS against_custom,
    coalesce(customs.n_roles, 0) AS n_account_roles,
    coalesce(customs.n_by_iac, 0) AS n_account_roles_by_iac
  FROM calls
  LEFT JOIN held
    ON held.eventid = calls.eventid
    AND held.recipientaccountid IS NOT DISTINCT FROM calls.recipientaccountid
  LEFT JOIN present ON present.eventid = calls.eventid
  LEFT JOIN experienced ON experienced.eventid = calls.eventid
  LEFT JOIN customs ON customs.eventid = calls.eventid
),
weighed AS (
  SELECT
    *,
    CASE
      WHEN harmless THEN CASE WHEN from_workload THEN 2 ELSE 1 END
      -- A controller that makes roles every other day does its work.
      WHEN from_workload THEN 4 - CASE WHEN n_days >= $usual_days THEN 1 ELSE 0 END
      WHEN by_wizard THEN 1
      WHEN unseen AND n_days = 0 THEN 3
      WHEN against_custom THEN 3
      ELSE 2
    END AS weight,
    CASE
      WHEN in_cloudshell THEN 'it works in CloudShell'
      WHEN from_workload THEN CASE workload
        WHEN 'instance' THEN 'it is a session of an instance'
        WHEN 'function' THEN 'it is a session of a function'
        ELSE 'it is a session of a container'
      END
      WHEN unseen AND n_days = 0 AND NOT harmless THEN 'it was not seen in the days before'
      WHEN against_custom THEN 'nearly all roles of the account are made by code'
      ELSE 'it made no roles in the days before'
    END AS why
  FROM judged
  WHERE from_workload OR n_days = 0 OR against_custom
),
listed AS (
  SELECT weighed.eventid, min('iac_principals: ' || iac.pattern) AS entry
  FROM weighed
  JOIN iac_principals AS iac ON glob_match(iac.pattern, weighed.actor)
  GROUP BY weighed.eventid
)
SELECT
  weighed.eventtime,
  weighed.eventid,
  weighed.recipientaccountid,
  weighed.awsregion,
  weighed.actor,
  weighed.sourceipaddress,
  weighed.eventname,
  weighed.subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    CAST(greatest(1, weighed.weight - CASE WHEN weighed.iac_hint THEN 1 ELSE 0 END) AS BIGINT)
  ) AS severity,
  NOT weighed.from_workload AND weighed.eventtime < recorded.learned_at AS learning,
  listed.entry AS suppressed_by,
  weighed.why,
  weighed.role_name,
  weighed.role_arn,
  weighed.workload,
  weighed.in_cloudshell,
  weighed.n_days AS n_days_with_roles_before,
  weighed.n_account_roles,
  weighed.n_account_roles_by_iac,
  weighed.access_key_id
FROM weighed
JOIN recorded ON recorded.account = weighed.account
LEFT JOIN listed ON listed.eventid = weighed.eventid
