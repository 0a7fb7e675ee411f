/*---
id = "console-login-without-mfa"
title = "Console sign-in with a password alone"
severity = "medium"
maturity = "stable"
kind = "stateless"
risk = ["MFA"]
attack = ["T1078.004"]
description = """
An IAM user or the root user came into the console with one factor. People who come over SAML,
Identity Center or a role are left out: their factor is asked for elsewhere and their sign-ins
always say that none was used here. Whether a sign-in succeeded is told by its response alone."""
summary = """{{ actor }} signed in to the console without MFA {% if count > 1 %}{{ count }} times{%
else %}once{% endif %}, from {{ source_ips | few }}."""
false_positives = [
  "A new user's first sign-in, at which the device is enrolled.",
  "Test users of an automated browser.",
]
triage = [
  "Is the address one that this person uses otherwise?",
  "Does the user have a device at all, and who removed it if not?",
  "What did the session do, above all in IAM?",
]
remediation = ["mfa-for-user", "root-account", "contain-user"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html",
]
---*/
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  CASE WHEN useridentity.type = 'Root'
    THEN coalesce(
      useridentity.arn,
      'arn:aws:iam::' || coalesce(recipientaccountid, caller_account) || ':root')
    ELSE useridentity.arn
  END AS subject,
  CASE WHEN useridentity.type = 'Root' THEN 'critical' ELSE 'medium' END AS severity,
  CASE WHEN useridentity.type = 'IAMUser' THEN useridentity.username END AS user_name,
  json_get_str(additionaleventdata, 'LoginTo') AS login_to
FROM activity
WHERE eventsource = 'signin.amazonaws.com'
  AND eventname = 'ConsoleLogin'
  AND ok
  AND lower(json_as_text(responseelements, 'ConsoleLogin')) = 'success'
  AND lower(json_as_text(additionaleventdata, 'MFAUsed')) IN ('no', 'false')
  AND useridentity.type IN ('IAMUser', 'Root')
  AND json_get_str(additionaleventdata, 'SamlProviderArn') IS NULL
  AND lower(coalesce(useridentity.sessioncontext.assumedroot, '')) <> 'true'
