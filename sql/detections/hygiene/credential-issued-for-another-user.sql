/*---
id = "credential-issued-for-another-user"
title = "Credentials made for somebody else's user"
severity = "high"
maturity = "stable"
kind = "stateless"
full_scan = "the use of a new key may stand in any event"
risk = ["strong passwords", "key rotation"]
attack = ["T1098.001"]
description = """
A caller made, set or switched on a key, password or certificate of an IAM user that it is not, so
it holds a way in under another name. What the holder of the new credential does within a day makes
it worse; a user that the same caller made the day before, a password that has to be changed at
once, a caller that does this as its trade and a call of infrastructure as code make it less. An
access key of the root user itself is the worst."""
summary = """{{ actor }} called {{ event_names | few }} for {{ subject }}{% if used_at %}, and it
was in use at {{ used_at }} from {{ used_from }}{% endif %}."""
false_positives = [
  "Administrators who take in colleagues or help with passwords.",
  "Automation that rotates keys: name it in `iac_principals`.",
]
triage = [
  "Does the user know of the new credential?",
  "Who used it first, and from where?",
  "Did the caller make credentials for other users as well?",
]
remediation = ["contain-user", "revoke-sessions"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_admin-change-user.html",
]

[params]
use_hours = 24
new_user_hours = 24
habit_days = 3
---*/
WITH made AS (
  SELECT
    *,
    coalesce(
      json_get_str(requestparameters, 'userName'),
      json_get_str(responseelements, 'accessKey', 'userName'),
      json_get_str(responseelements, 'loginProfile', 'userName'),
      json_get_str(responseelements, 'serviceSpecificCredential', 'userName'),
      json_get_str(responseelements, 'sSHPublicKey', 'userName'),
      json_get_str(responseelements, 'certificate', 'userName')) AS target_user,
    json_get_str(requestparameters, 'userName') IS NULL AS for_caller,
    coalesce(
      json_get_str(responseelements, 'accessKey', 'accessKeyId'),
      json_get_str(requestparameters, 'accessKeyId')) AS made_key,
    coalesce(lower(json_as_text(requestparameters, 'passwordResetRequired')) = 'true', false)
      AS reset_required,
    coalesce(recipientaccountid, caller_account) AS account,
    -- Whoever did the like days ago does it as its trade.
    min(eventtime) OVER (
      PARTITION BY coalesce(caller_role_arn, actor), eventname) AS habit_since
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND eventname IN (
      'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile',
      'CreateServiceSpecificCredential', 'ResetServiceSpecificCredential', 'UploadSSHPublicKey',
      'UploadSigningCertificate', 'UpdateAccessKey')
    AND ok
    AND NOT by_service
    AND (eventname <> 'UpdateAccessKey'
      OR lower(json_as_text(requestparameters, 'status')) = 'active')
),
issued AS (
  SELECT
    *,
    -- Root without a name means root itself.
    useridentity.type = 'Root' AND for_caller AS for_root
  FROM made
  WHERE CASE useridentity.type
      WHEN 'IAMUser' THEN NOT for_caller
        AND lower(target_user) IS DISTINCT FROM lower(useridentity.username)
      WHEN 'Root' THEN NOT for_caller OR eventname IN ('CreateAccessKey', 'CreateLoginProfile')
      WHEN 'AssumedRole' THEN true
      ELSE target_user IS NOT NULL
    END
),
births AS (
  SELECT
    coalesce(recipientaccountid, caller_account) AS account,
    lower(json_get_str(requestparameters, 'userName')) AS user_name,
    coalesce(caller_role_arn, actor) AS born_by,
    eventtime AS born_at
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com' AND eventname = 'CreateUser' AND ok
),
young AS (
  SELECT issued.eventid
  FROM issued
  JOIN births
    ON births.account = issued.account
    AND births.user_name = lower(issued.target_user)
    AND births.born_by = coalesce(issued.caller_role_arn, issued.actor)
  WHERE births.born_at <= issued.eventtime
    AND to_unixtime(issued.eventtime) - to_unixtime(births.born_at) <= 3600 * $new_user_hours
  GROUP BY issued.eventid
),
-- An administrator's rights for the user make a new user no small matter any more.
empowered AS (
  SELECT issued.eventid
  FROM issued
  JOIN role_changes AS changes
    ON changes.role_account = issued.account
    AND changes.holder_name = issued.target_user
  WHERE changes.ok
    AND changes.holder_kind = 'user'
    AND (changes.policy_tier <= 2 OR changes.policy_class IN ('admin', 'escalation-direct'))
    AND abs(to_unixtime(issued.eventtime) - to_unixtime(changes.eventtime)) <= 3600 * $use_hours
  GROUP BY issued.eventid
),
uses AS (
  SELECT
    issued.eventid,
    min(used.eventtime) AS used_at,
    first_value(used.eventid ORDER BY used.eventtime, used.eventid) AS used_id,
    first_value(used.sourceipaddress ORDER BY used.eventtime, used.eventid) AS used_from,
    bool_or(coalesce(used.sourceipaddress = issued.sourceipaddress, false)) AS by_maker
  FROM issued
  JOIN cloudtrail AS used ON used.useridentity.accesskeyid = issued.made_key
  WHERE used.eventtime >= issued.eventtime
    AND used.eventid <> issued.eventid
    AND to_unixtime(used.eventtime) - to_unixtime(issued.eventtime) <= 3600 * $use_hours
  GROUP BY issued.eventid
),
sign_ins AS (
  SELECT
    issued.eventid,
    min(login.eventtime) AS used_at,
    first_value(login.eventid ORDER BY login.eventtime, login.eventid) AS used_id,
    first_value(login.sourceipaddress ORDER BY login.eventtime, login.eventid) AS used_from,
    bool_or(coalesce(login.sourceipaddress = issued.sourceipaddress, false)) AS by_maker
  FROM issued
  JOIN activity AS login
    ON lower(login.useridentity.username) = lower(issued.target_user)
    AND login.caller_account = issued.account
  WHERE login.eventsource = 'signin.amazonaws.com'
    AND login.eventname = 'ConsoleLogin'
    AND login.useridentity.type = 'IAMUser'
    AND login.ok
    AND issued.eventname LIKE '%LoginProfile'
    AND login.eventtime >= issued.eventtime
    AND to_unixtime(login.eventtime) - to_unixtime(issued.eventtime) <= 3600 * $use_hours
  GROUP BY issued.eventid
),
listed AS (
  SELECT issued.eventid, min(iac.pattern) AS pattern
  FROM issued
  JOIN iac_principals AS iac ON glob_match(iac.pattern, issued.actor)
  GROUP BY issued.eventid
),
judged AS (
  SELECT
    issued.*,
    young.eventid IS NOT NULL AND empowered.eventid IS NULL AS for_new_user,
    to_unixtime(issued.eventtime) - to_unixtime(issued.habit_since) > 86400 * $habit_days
      AS by_habit,
    listed.pattern AS listed_as,
    coalesce(uses.used_at, sign_ins.used_at) AS used_at,
    coalesce(uses.used_id, sign_ins.used_id) AS used_id,
    coalesce(uses.used_from, sign_ins.used_from) AS used_from,
    coalesce(uses.by_maker, sign_ins.by_maker, false) AS used_by_maker
  FROM issued
  LEFT JOIN young ON young.eventid = issued.eventid
  LEFT JOIN empowered ON empowered.eventid = issued.eventid
  LEFT JOIN uses ON uses.eventid = issued.eventid
  LEFT JOIN sign_ins ON sign_ins.eventid = issued.eventid
  LEFT JOIN listed ON listed.eventid = issued.eventid
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  CASE
    WHEN for_root THEN 'arn:aws:iam::' || account || ':root'
    WHEN target_user IS NULL THEN subject
    ELSE iam_arn(awsregion, account, 'user/' || target_user)
  END AS subject,
  CASE
    WHEN for_root THEN 'critical'
    ELSE array_element(
      make_array('info', 'low', 'medium', 'high', 'critical'),
      greatest(1, CASE
        WHEN reset_required AND (for_new_user OR eventname = 'UpdateLoginProfile') THEN 2
        WHEN for_new_user THEN CASE WHEN used_by_maker THEN 4 ELSE 3 END
        WHEN by_habit THEN 3
        WHEN used_at IS NOT NULL THEN 5
        ELSE 4
      END - CASE WHEN iac_hint THEN 1 ELSE 0 END))
  END AS severity,
  CASE WHEN used_id IS NULL THEN make_array(eventid) ELSE make_array(eventid, used_id) END
    AS event_ids,
  used_at AS last_time,
  target_user AS user_name,
  made_key AS access_key_id,
  reset_required,
  for_new_user,
  by_habit,
  used_at,
  used_from,
  used_by_maker,
  caller_role_arn AS role_arn,
  session_name,
  CASE WHEN NOT for_root THEN 'iac_principals: ' || listed_as END AS suppressed_by
FROM judged
