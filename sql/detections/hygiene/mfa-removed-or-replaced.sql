/*---
id = "mfa-removed-or-replaced"
title = "An MFA device is removed or changed by another"
severity = "medium"
maturity = "stable"
kind = "sequence"
risk = ["MFA"]
attack = ["T1556.006"]
description = """
A user, or the root user, lost its MFA device and got no other in the same half hour; or got a
device from somebody else or through temporary keys; or proved itself with a device that it had
never used while it had others. Who removes a device of the root user, an administrator or another
person weighs more. Whoever changes its own device for a new one is only noted, and so is a user
that goes altogether."""
summary = """{% if what == 'removed' %}{{ actor }} took the MFA device from {{ subject }}{% if
replaced %}, which got another{% endif %}{% elif what == 'added' %}{{ actor }} gave {{ subject }} an
MFA device{% else %}{{ subject }} proved itself with {{ mfa_serial }}, which it had not used
before{% endif %}."""
false_positives = [
  "A help desk that resets the device of somebody who lost it.",
  "New phones: the device changes within the half hour.",
]
triage = [
  "Did the user ask for it, over a channel other than the account itself?",
  "Who signed in as this user afterwards, from where?",
  "Which user of the caller's has a device of this name?",
]
remediation = ["mfa-for-user", "contain-user"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_disable.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html",
]

[params]
replace_minutes = 30
leaving_minutes = 60
new_user_hours = 24
---*/
WITH calls AS (
  SELECT
    *,
    coalesce(recipientaccountid, caller_account) AS account,
    coalesce(
      json_get_str(requestparameters, 'serialNumber'),
      json_get_str(responseelements, 'virtualMFADevice', 'serialNumber')) AS serial,
    json_get_str(requestparameters, 'userName') AS named_user,
    CASE useridentity.type
      WHEN 'IAMUser' THEN useridentity.username
      WHEN 'Root' THEN 'AWS ROOT USER'
    END AS caller_name
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
  FROM calls
  WINDOW so_far AS (
    PARTITION BY account, serial ORDER BY eventtime, eventid
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
devices AS (
  SELECT
    *,
    CASE
      WHEN serial LIKE '%root-account-mfa-device%'
        OR upper(coalesce(named_user, '')) = 'AWS ROOT USER'
        THEN 'AWS ROOT USER'
      WHEN eventname = 'DeleteVirtualMFADevice' THEN
        coalesce(last_user, split_part(serial, '/', -1))
      ELSE coalesce(named_user, caller_name)
    END AS target
  FROM placed
),
-- What else happens to the same user, before and after; the frames take in equal times.
around AS (
  SELECT
    *,
    lower(target) IS DISTINCT FROM lower(caller_name) AS by_other,
    max(CASE WHEN eventname = 'EnableMFADevice' THEN to_unixtime(eventtime) END) OVER back
      AS on_before,
    min(CASE WHEN eventname = 'EnableMFADevice' THEN to_unixtime(eventtime) END) OVER onward
      AS on_after,
    max(CASE WHEN eventname = 'EnableMFADevice' AND lower(target) = lower(caller_name)
      THEN to_unixtime(eventtime) END) OVER back AS self_on_before,
    min(CASE WHEN eventname = 'EnableMFADevice' AND lower(target) = lower(caller_name)
      THEN to_unixtime(eventtime) END) OVER onward AS self_on_after,
    max(CASE WHEN eventname = 'DeleteUser' THEN to_unixtime(eventtime) END) OVER back
      AS gone_before,
    min(CASE WHEN eventname = 'DeleteUser' THEN to_unixtime(eventtime) END) OVER onward
      AS gone_after,
    max(CASE WHEN eventname = 'CreateUser' THEN to_unixtime(eventtime) END) OVER back AS born_before
  FROM devices
  WINDOW
    back AS (PARTITION BY account, lower(target) ORDER BY eventtime
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
    onward AS (PARTITION BY account, lower(target) ORDER BY eventtime DESC
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
timed AS (
  SELECT
    *,
    CASE WHEN eventname = 'EnableMFADevice' THEN 'added' ELSE 'removed' END AS what,
    coalesce(least(
      coalesce(to_unixtime(eventtime) - on_before, 1e9),
      coalesce(on_after - to_unixtime(eventtime), 1e9)) <= 60 * $replace_minutes, false)
      AS has_other,
    coalesce(least(
      coalesce(to_unixtime(eventtime) - self_on_before, 1e9),
      coalesce(self_on_after - to_unixtime(eventtime), 1e9)) <= 60 * $replace_minutes, false)
      AS has_own_other,
    coalesce(least(
      coalesce(to_unixtime(eventtime) - gone_before, 1e9),
      coalesce(gone_after - to_unixtime(eventtime), 1e9)) <= 60 * $leaving_minutes, false)
      AS leaves,
    coalesce(to_unixtime(eventtime) - born_before <= 3600 * $new_user_hours, false) AS is_new
  FROM around
  WHERE target IS NOT NULL
    AND (
      eventname = 'DeactivateMFADevice'
      -- What was taken from its user is of no use any more, and what nobody got never was.
      OR eventname = 'DeleteVirtualMFADevice'
        AND coalesce(before NOT IN ('DeactivateMFADevice', 'CreateVirtualMFADevice'), true)
      OR eventname = 'EnableMFADevice' AND (
        by_other
        OR useridentity.type = 'IAMUser'
          AND useridentity.accesskeyid LIKE 'ASIA%'
          AND NOT console
          -- Older records of the console do not say that they are.
          AND NOT coalesce(regexp_like(
            useragent, '^(Mozilla/|AWS Internal|AWSConsole|Coral/|console|signin)'), false)
          AND lower(coalesce(
            useridentity.sessioncontext.attributes.mfaauthenticated, '')) <> 'true'))
),
administrators AS (
  SELECT DISTINCT role_account AS account, lower(holder_name) AS user_name
  FROM role_changes
  WHERE ok AND holder_kind = 'user' AND (policy_tier = 1 OR policy_class = 'admin')
),
proved AS (
  SELECT *, json_get_str(requestparameters, 'serialNumber') AS mfa_serial
  FROM activity
  WHERE eventsource = 'sts.amazonaws.com'
    AND eventname = 'AssumeRole'
    AND useridentity.type = 'IAMUser'
    AND requestparameters LIKE '%serialNumber%'
    AND ok
),
proofs AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY actor, mfa_serial ORDER BY eventtime, eventid) AS nth_of_device,
    min(mfa_serial) OVER earlier AS least_before,
    max(mfa_serial) OVER earlier AS greatest_before
  FROM proved
  WHERE mfa_serial IS NOT NULL
  WINDOW earlier AS (
    PARTITION BY actor ORDER BY eventtime, eventid
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
own_devices AS (
  SELECT DISTINCT account, serial
  FROM calls
  WHERE eventname = 'EnableMFADevice' AND lower(named_user) = lower(caller_name)
),
found AS (
  SELECT
    timed.eventtime, timed.eventid, timed.recipientaccountid, timed.awsregion, timed.actor,
    timed.sourceipaddress, timed.eventname, timed.account, timed.target, timed.iac_hint, timed.what,
    CASE
      WHEN timed.what = 'added' THEN CASE WHEN timed.is_new THEN 2 ELSE 3 END
      WHEN timed.leaves THEN 1
      WHEN timed.has_other AND NOT timed.by_other THEN 1
      WHEN timed.has_own_other THEN 2
      WHEN timed.by_other OR timed.target = 'AWS ROOT USER' OR timed.target ILIKE '%admin%'
        OR administrators.user_name IS NOT NULL THEN 4
      ELSE 3
    END AS level,
    timed.serial AS mfa_serial,
    timed.by_other,
    timed.what = 'removed' AND timed.has_other AS replaced,
    false AS learning,
    timed.caller_role_arn AS role_arn,
    timed.useridentity.accesskeyid AS access_key_id
  FROM timed
  LEFT JOIN administrators
    ON administrators.account = timed.account AND administrators.user_name = lower(timed.target)
  UNION ALL
  SELECT
    proofs.eventtime, proofs.eventid, proofs.recipientaccountid, proofs.awsregion, proofs.actor,
    proofs.sourceipaddress, proofs.eventname, proofs.caller_account, proofs.useridentity.username,
    false,
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
