/*---
id = "root-identity-used"
title = "The root user is used"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["least privilege"]
attack = ["T1078.004"]
description = """
The root user of an account signed in or made calls. Nothing bounds what it may do but policies of
the organization, and almost nothing needs it. Credentials for it, the removal of its MFA device, a
new e-mail address, and a password that was asked for and set weigh most. Services that act for the
account, sessions from AssumeRoot, and looks at support cases and bills do not count, and of the
reads of one day only the first is named. A root user cannot take roles, so a record that says so
is damaged or forged and is told apart."""
summary = """The root user of account {{ account }} {% if use == 'impossible' %}is said to have
taken a role, which it cannot{% else %}was used: {{ event_names | few }}, from {{ source_ips | few
}}{% endif %}."""
false_positives = [
  "The few tasks that only the root user can do, done by plan.",
  "A sandbox account that has no other user yet.",
]
triage = [
  "Who holds the root credentials, and did that person use them?",
  "Does the address fit?",
  "Were keys made, or was the e-mail address or the MFA device changed?",
]
remediation = ["root-account", "organization-guard-rails"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html",
]
group_by = ["use"]

[params]
# Sources whose reads are no concern: support cases, bills, taxes.
paperwork = "^(support|supportplans|trustedadvisor|health|aws-portal|billing.*|ce|cur|bcm-.*|budgets|payments?|invoicing|tax|freetier|consolidatedbilling|purchase-orders|sustainability|artifact|account)[.]amazonaws[.]com$"
reset_hours = 24
---*/
WITH calls AS (
  SELECT
    *,
    CASE
      WHEN eventsource = 'sts.amazonaws.com' AND eventname LIKE 'AssumeRole%' THEN 'impossible'
      WHEN eventsource <> 'signin.amazonaws.com' AND coalesce(
          readonly, regexp_like(eventname, '^(Get|List|Describe|View|Lookup|BatchGet|Head|Search)'))
        THEN 'read'
      ELSE 'act'
    END AS what
  FROM activity
  WHERE useridentity.type = 'Root'
    AND ok
    AND NOT by_service
    AND coalesce(eventtype, '') NOT IN ('AwsServiceEvent', 'AwsCloudTrailInsight')
    -- Written by sessions that AssumeRoot gave, as a text or as a boolean.
    AND lower(coalesce(useridentity.sessioncontext.assumedroot, '')) <> 'true'
),
numbered AS (
  SELECT
    *,
    row_number() OVER same_day AS place,
    count(*) OVER (
      PARTITION BY recipientaccountid, caller_account, what, date_trunc('day', eventtime)
    ) AS n_that_day,
    -- A password that was set counts with the request for it.
    max(CASE WHEN eventname = 'PasswordRecoveryRequested' THEN to_unixtime(eventtime) END)
      OVER so_far AS asked_at
  FROM calls
  WHERE what <> 'read' OR NOT regexp_like(eventsource, $paperwork)
  WINDOW
    same_day AS (
      PARTITION BY recipientaccountid, caller_account, what, date_trunc('day', eventtime)
      ORDER BY eventtime, eventid),
    so_far AS (PARTITION BY recipientaccountid, caller_account ORDER BY eventtime, eventid)
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  coalesce(
    useridentity.arn,
    'arn:aws:iam::' || coalesce(recipientaccountid, caller_account) || ':root') AS subject,
  CASE
    WHEN what = 'impossible' THEN 'low'
    WHEN eventname IN ('CreateAccessKey', 'DeactivateMFADevice', 'EmailUpdated') THEN 'critical'
    WHEN eventname = 'CreateLoginProfile'
      AND json_get_str(requestparameters, 'userName') IS NULL THEN 'critical'
    WHEN eventname = 'PasswordUpdated'
      AND to_unixtime(eventtime) - asked_at <= 3600 * $reset_hours THEN 'critical'
    ELSE 'high'
  END AS severity,
  CASE WHEN what = 'impossible' THEN what ELSE 'use' END AS use,
  CASE WHEN what = 'read' THEN n_that_day END AS n_reads_that_day,
  nullif(useridentity.accesskeyid, '') AS access_key_id,
  json_get_str(responseelements, 'accessKey', 'accessKeyId') AS issued_key,
  json_get_str(additionaleventdata, 'MFAUsed') AS mfa_used
FROM numbered
WHERE what <> 'read' OR place = 1
