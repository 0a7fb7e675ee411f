/*---
id = "mfa-removed-or-replaced"
title = "An MFA device is removed or changed by another"
severity = "medium"
maturity = "stable"
kind = "sequence"
risk = ["MFA"]
attack = ["T1556.006"]
description = """
A user, or the root user, lost its MFA device and got no other in the same half hour; or got a device from
somebody else or through temporary keys; or proved itself with a device that it had never used while it
had others. Who removes a device of the root user, an administrator or another person weighs more. Whoever
changes its own device for a new one is only noted, and so is a user that goes altogether."""
summary = """{% if what == 'removed' %}{{ actor }} took the MFA device from {{ subject }}{% if replaced %}, which got another{% endif %}{%
elif what == 'added' %}{{ actor }} gave {{ subject }} an MFA device{% else %}{{ subject }} proved itself
with {{ mfa_serial }}, which it had not used before{% endif %}."""
false_positives = [
  "A help desk that resets the device of somebody who lost it.",
  "New phones: the device changes within the half hour.",
]
triage = [
  "Did the user ask for it, over a channel other than the account itself?",
  "Who signed in as this user afterwards, from where?",
  "Which user of the caller's has a device of this name?",
]
remediation = ["mfa-for-user", "contain-user", "root-account"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_disable.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html",
]

[params]
replace_minutes = 30
leaving_minutes = 60
new_user_hours = 24
---*/
WITH raw AS (
  SELECT
    *,
    coalesce(recipientaccountid, caller_account) AS account,
    coalesce(
      json_get_str(requestparameters, 'serialNumber'),
      json_get_str(responseelements, 'virtualMFADevice', 'serialNumber')) AS serial,
    json_get_str(requestparameters, 'userName') AS named_user
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND ok
    AND eventname IN (
      'DeactivateMFADevice', 'DeleteVirtualMFADevice', 'EnableMFADevice', 'CreateVirtualMFADevice',
      'CreateUser', 'DeleteUser')
),
placed AS (
  SELECT
    *,
    -- A deletion does not name the user; the last call about the device may.
    last_value(named_user) IGNORE NULLS OVER so_far AS last_user,
    lag(eventname) OVER (PARTITION BY account, serial ORDER BY eventtime, CASE eventname
        WHEN 'CreateVirtualMFADevice' THEN 1 WHEN 'EnableMFADevice' THEN 2
        WHEN 'DeactivateMFADevice' THEN 3 ELSE 4 END, eventid) AS before
  FROM raw
  WHERE serial IS NOT NULL
  WINDOW so_far AS (
    PARTITION BY account, serial ORDER BY eventtime, eventid
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
devices AS (
  SELECT
    *,
    CASE
      WHEN serial LIKE '%root-account-mfa-device%' OR upper(coalesce(named_user, '')) = 'AWS ROOT USER'
        THEN 'AWS ROOT USER'
      WHEN eventname = 'DeleteVirtualMFADevice' THEN
        coalesce(last_user, split_part(serial, '/', -1))
      ELSE coalesce(named_user, CASE useridentity.type
        WHEN 'IAMUser' THEN useridentity.username
        WHEN 'Root' THEN 'AWS ROOT USER' END)
    END AS target,
    CASE useridentity.type
      WHEN 'IAMUser' THEN useridentity.username
      WHEN 'Root' THEN 'AWS ROOT USER'
    END AS caller_name
  FROM placed
),
removed AS (
  SELECT *, lower(target) IS DISTINCT FROM lower(caller_name) AS by_other
  FROM devices
  WHERE eventname = 'DeactivateMFADevice'
    -- What was taken from its user is of no use any more, and what nobody got never was.
    OR eventname = 'DeleteVirtualMFADevice'
      AND coalesce(before NOT IN ('DeactivateMFADevice', 'CreateVirtualMFADevice'), true)
),
replaced AS (
  SELECT
    removed.eventid,
    bool_or(lower(enabled.caller_name) = lower(enabled.target)) AS by_user
  FROM removed
  JOIN devices AS enabled
    ON enabled.account = removed.account AND lower(enabled.target) = lower(removed.target)
  WHERE enabled.eventname = 'EnableMFADevice'
    AND abs(to_unixtime(enabled.eventtime) - to_unixtime(removed.eventtime)) <= 60 * $replace_minutes
  GROUP BY removed.eventid
),
gone AS (
  SELECT removed.eventid
  FROM removed
  JOIN raw AS left_us
    ON left_us.account = removed.account AND lower(left_us.named_user) = lower(removed.target)
  WHERE left_us.eventname = 'DeleteUser'
    AND abs(to_unixtime(left_us.eventtime) - to_unixtime(removed.eventtime)) <= 60 * $leaving_minutes
  GROUP BY removed.eventid
),
added AS (
  SELECT *, lower(target) IS DISTINCT FROM lower(caller_name) AS by_other
  FROM devices
  WHERE eventname = 'EnableMFADevice'
    AND target IS NOT NULL
    AND (lower(target) IS DISTINCT FROM lower(caller_name)
      OR useridentity.type = 'IAMUser'
        AND useridentity.accesskeyid LIKE 'ASIA%'
        AND NOT console
        -- Older records of the console do not say that they are.
        AND NOT coalesce(regexp_like(
          useragent, '^(Mozilla/|AWS Internal|AWSConsole|Coral/|console|signin)'), false)
        AND lower(coalesce(useridentity.sessioncontext.attributes.mfaauthenticated, '')) <> 'true')
),
new_users AS (
  SELECT added.eventid
  FROM added
  JOIN raw AS births
    ON births.account = added.account AND lower(births.named_user) = lower(added.target)
  WHERE births.eventname = 'CreateUser'
    AND births.eventtime <= added.eventtime
    AND to_unixtime(added.eventtime) - to_unixtime(births.eventtime) <= 3600 * $new_user_hours
  GROUP BY added.eventid
),
administrators AS (
  SELECT DISTINCT role_account AS account, lower(holder_name) AS user_name
  FROM role_changes
  WHERE ok AND holder_kind = 'user' AND (policy_tier = 1 OR policy_class = 'admin')
),
proofs AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY actor, mfa_serial ORDER BY eventtime, eventid) AS nth_of_device,
    min(mfa_serial) OVER earlier AS least_before,
    max(mfa_serial) OVER earlier AS greatest_before
  FROM role_assumptions
  WHERE eventname = 'AssumeRole' AND ok AND caller_kind = 'user' AND mfa_serial IS NOT NULL
  WINDOW earlier AS (
    PARTITION BY actor ORDER BY eventtime, eventid
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
own_devices AS (
  SELECT DISTINCT account, serial
  FROM devices
  WHERE eventname = 'EnableMFADevice' AND lower(target) = lower(caller_name)
),
found AS (
  SELECT
    removed.eventtime, removed.eventid, removed.recipientaccountid, removed.awsregion, removed.actor,
    removed.sourceipaddress, removed.eventname, removed.account, removed.target, removed.iac_hint,
    'removed' AS what,
    CASE
      WHEN gone.eventid IS NOT NULL THEN 1
      WHEN replaced.eventid IS NOT NULL AND NOT removed.by_other THEN 1
      WHEN replaced.by_user THEN 2
      WHEN removed.by_other OR removed.target = 'AWS ROOT USER' OR removed.target ILIKE '%admin%'
        OR administrators.user_name IS NOT NULL THEN 4
      ELSE 3
    END AS level,
    removed.serial AS mfa_serial,
    removed.by_other,
    replaced.eventid IS NOT NULL AS replaced,
    false AS learning,
    removed.caller_role_arn AS role_arn,
    removed.useridentity.accesskeyid AS access_key_id
  FROM removed
  LEFT JOIN replaced ON replaced.eventid = removed.eventid
  LEFT JOIN gone ON gone.eventid = removed.eventid
  LEFT JOIN administrators
    ON administrators.account = removed.account
    AND administrators.user_name = lower(removed.target)
  UNION ALL
  SELECT
    added.eventtime, added.eventid, added.recipientaccountid, added.awsregion, added.actor,
    added.sourceipaddress, added.eventname, added.account, added.target, added.iac_hint,
    'added',
    CASE WHEN new_users.eventid IS NOT NULL THEN 2 ELSE 3 END,
    added.serial,
    added.by_other,
    false,
    false,
    added.caller_role_arn,
    added.useridentity.accesskeyid
  FROM added
  LEFT JOIN new_users ON new_users.eventid = added.eventid
  UNION ALL
  SELECT
    proofs.eventtime, proofs.eventid, proofs.recipientaccountid, proofs.awsregion, proofs.actor,
    proofs.sourceipaddress, proofs.eventname, proofs.caller_account, proofs.useridentity.username, false,
    'used',
    CASE WHEN own_devices.serial IS NOT NULL THEN 2 ELSE 3 END,
    proofs.mfa_serial,
    false,
    false,
    proofs.eventtime < recorded.learned_at,
    NULL,
    proofs.useridentity.accesskeyid
  FROM proofs
  JOIN recorded ON recorded.account = coalesce(proofs.recipientaccountid, '')
  LEFT JOIN own_devices
    ON own_devices.account = proofs.caller_account AND own_devices.serial = proofs.mfa_serial
  WHERE proofs.nth_of_device = 1
    AND (proofs.least_before <> proofs.mfa_serial OR proofs.greatest_before <> proofs.mfa_serial)
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
    WHEN target = 'AWS ROOT USER' THEN 'arn:aws:iam::' || account || ':root'
    ELSE iam_arn(awsregion, account, 'user/' || target)
  END AS subject,
  array_element(
    make_array('info', 'low', 'medium', 'high'),
    greatest(1, level - CASE WHEN iac_hint THEN 1 ELSE 0 END)) AS severity,
  learning,
  what,
  CASE WHEN target <> 'AWS ROOT USER' THEN target END AS user_name,
  mfa_serial,
  by_other,
  replaced,
  role_arn,
  access_key_id
FROM found
