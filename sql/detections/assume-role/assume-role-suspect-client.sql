/*---
id = "assume-role-suspect-client"
title = "Attack tool or borrowed name at STS or IAM"
severity = "medium"
maturity = "incubating"
kind = "stateless"
risk = ["unauthorized access"]
attack = ["T1078.004", "T1087.004"]
description = """
The user agent or the session name of calls to STS or IAM is that of a tool for attacks or for
hunting leaked keys, or a role was taken under the name of a person who is not the caller. Both
texts are the caller's own to write, so their absence says nothing. Names that an SDK makes up are
no finding."""
summary = """{{ subject }} {% if sign == 'borrowed name' %}took {{ target_role }} under the name {{
session_name }}, who is somebody else{% else %}called {{ event_names | few }} with {{ tool }}, from
{{ source_ips | few }}{% endif %}."""
false_positives = [
  "The own red team and scanners: name them in `ci_principals`.",
  "Brokers that take roles for people under their names, until three names show that they are one.",
]
triage = [
  "Is a test under way, and is this principal part of it?",
  "Does the principal use other clients from other addresses?",
  "Which of the calls succeeded?",
]
remediation = ["contain-user", "revoke-sessions", "workforce-session"]
references = [
  "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html",
]
group_by = ["sign"]

[params]
# What user agents of such tools have in them, in lower case and with no letter next to it.
agents = "kali|parrot|pentoo|blackarch|pacu|trufflehog|cloudfox|enumerate-iam|stratus-red-team|scout ?suite|awsrolejuggler|s3 browser"
# What session names that such tools choose have in them.
sessions = "pacu|stratus-red-team|cloudfox|scout ?suite|(aws)?role-?juggl(er|ing)|enumerate-iam|trufflehog|peirates"
# Session names that SDKs make up tell nothing about who calls.
sdk_names = "^(botocore-session-|aws-go-sdk-|AWSCLI-Session|aws-sdk-|awssdk-|session-?[0-9]*$)"
max_names = 2
max_callers = 2
---*/
WITH twins AS (
  -- The target account's copies of calls that the caller's account recorded in full.
  SELECT event_ids[2] AS target_eventid FROM role_assumptions WHERE seen_from = 'both'
),
calls AS (
  SELECT
    *,
    coalesce(caller_role_arn, useridentity.arn, actor) AS principal,
    json_get_str(requestparameters, 'roleSessionName') AS asked_name,
    regexp_extract(lower(useragent), '(?:^|[^a-z])(' || $agents || ')(?:[^a-z]|$)', 1)
      AS agent_tool,
    CASE WHEN eventname LIKE 'AssumeRole%' THEN regexp_extract(
      lower(json_get_str(requestparameters, 'roleSessionName')),
      '(?:^|[^a-z])(' || $sessions || ')(?:[^a-z]|$)', 1) END AS session_tool
  FROM activity
  WHERE eventsource IN ('sts.amazonaws.com', 'iam.amazonaws.com') AND NOT by_service
),
tools AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, principal,
    make_array(eventid) AS event_ids,
    'attack tool' AS sign,
    coalesce(agent_tool, session_tool) AS tool,
    ok AND eventname LIKE 'AssumeRole%' AS took,
    target_account, role_name(target_role_arn) AS target_role_name, target_role_arn,
    caller_role_arn, asked_name, useragent,
    useridentity.username AS user_name, useridentity.accesskeyid AS access_key_id
  FROM calls
  LEFT JOIN twins ON twins.target_eventid = calls.eventid
  WHERE (agent_tool IS NOT NULL OR session_tool IS NOT NULL) AND twins.target_eventid IS NULL
),
-- People by the names that they have as IAM users or in sign-ins over SAML.
people AS (
  SELECT DISTINCT lower(useridentity.username) AS name
  FROM cloudtrail
  WHERE useridentity.type = 'IAMUser'
    AND useridentity.username IS NOT NULL
    AND useridentity.username NOT LIKE 'HIDDEN%'
  UNION
  SELECT DISTINCT lower(role_session_name)
  FROM role_assumptions
  WHERE eventname = 'AssumeRoleWithSAML' AND ok AND role_session_name LIKE '%@%'
),
named AS (
  SELECT
    *,
    lower(role_session_name) AS name,
    lower(coalesce(
      CASE WHEN useridentity.type = 'IAMUser' THEN useridentity.username END, session_name))
      AS own_name
  FROM role_assumptions
  WHERE eventname = 'AssumeRole'
    AND ok
    AND NOT by_service
    AND caller_kind IN ('user', 'role')
    AND workload IS NULL
    AND role_session_name IS NOT NULL
    AND NOT regexp_like(role_session_name, $sdk_names, 'i')
),
-- The address and the plain name of one person are one name.
borrowed AS (
  SELECT named.*
  FROM named
  JOIN people ON people.name = named.name
  WHERE named.own_name IS NOT NULL
    AND split_part(named.name, '@', 1) <> split_part(named.own_name, '@', 1)
    AND NOT regexp_like(named.own_name, $sdk_names, 'i')
),
-- Who goes by many names is a broker, and a name that many go by is no person's.
brokers AS (
  SELECT caller_key FROM borrowed GROUP BY caller_key HAVING count(DISTINCT name) > $max_names
),
common_names AS (
  SELECT name FROM borrowed GROUP BY name HAVING count(DISTINCT caller_key) > $max_callers
),
spoofs AS (
  SELECT
    borrowed.eventtime, borrowed.eventid, borrowed.recipientaccountid, borrowed.awsregion,
    borrowed.actor, borrowed.sourceipaddress, borrowed.eventname,
    coalesce(borrowed.caller_role_arn, borrowed.useridentity.arn, borrowed.actor) AS principal,
    borrowed.event_ids,
    'borrowed name' AS sign,
    CAST(NULL AS varchar) AS tool,
    true AS took,
    borrowed.target_account, borrowed.target_role_name, borrowed.target_role_arn,
    borrowed.caller_role_arn,
    borrowed.role_session_name AS asked_name,
    borrowed.useragent,
    borrowed.useridentity.username AS user_name,
    borrowed.useridentity.accesskeyid AS access_key_id
  FROM borrowed
  LEFT JOIN brokers ON brokers.caller_key = borrowed.caller_key
  LEFT JOIN common_names ON common_names.name = borrowed.name
  WHERE brokers.caller_key IS NULL AND common_names.name IS NULL
),
found AS (
  SELECT * FROM tools
  UNION ALL
  SELECT * FROM spoofs
),
listed AS (
  SELECT found.eventid, min(ci.pattern) AS pattern
  FROM found
  JOIN ci_principals AS ci ON glob_match(ci.pattern, found.actor)
  GROUP BY found.eventid
)
SELECT
  found.eventtime,
  found.eventid,
  found.recipientaccountid,
  found.awsregion,
  found.actor,
  found.sourceipaddress,
  found.eventname,
  found.principal AS subject,
  CASE WHEN found.took AND strong.role_name IS NOT NULL THEN 'high' ELSE 'medium' END AS severity,
  found.event_ids,
  found.sign,
  found.tool,
  found.target_role_arn AS target_role,
  -- Whose sessions are to be ended: the caller's, or else those that it took.
  coalesce(found.caller_role_arn, found.target_role_arn) AS role_arn,
  coalesce(role_name(found.caller_role_arn), found.target_role_name) AS role_name,
  strong.why AS role_is,
  found.asked_name AS session_name,
  found.useragent AS user_agent,
  found.user_name,
  found.access_key_id,
  'ci_principals: ' || listed.pattern AS suppressed_by
FROM found
LEFT JOIN strong_roles AS strong
  ON strong.role_account = found.target_account AND strong.role_name = found.target_role_name
LEFT JOIN listed ON listed.eventid = found.eventid
