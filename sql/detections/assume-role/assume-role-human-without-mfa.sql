/*---
id = "assume-role-human-without-mfa"
title = "Person takes a strong role without MFA"
severity = "medium"
maturity = "stable"
kind = "stateless"
risk = ["misconfiguration"]
attack = ["T1078.004"]
description = """
An IAM user took a sensitive role, or a role of another account, with one factor: neither the call
names an MFA device nor was the user's session opened with one. The role's trust policy should ask for
MFA. Records of the target account alone do not tell how the caller signed in, and sessions of Identity
Center and SAML never show the factor that the identity provider asked for: neither is judged."""
summary = """{{ actor }} took {{ subject }} without MFA{% if role_is %} ({{ role_is }}){% endif %},
from {{ source_ips | few }}."""
false_positives = [
  "Service users: name them in `ci_principals` or set the parameter `service_users`.",
]
triage = [
  "Is the user a person or a program?",
  "Does the address fit the user's other calls?",
  "Which other roles take this user without MFA?",
]
remediation = ["harden-trust-statement", "mfa-for-user"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
]

[params]
# A pattern of names of users that are programs; `*` stands for any text.
service_users = ""
---*/
SELECT
  calls.eventtime,
  calls.eventid,
  calls.recipientaccountid,
  calls.awsregion,
  calls.actor,
  calls.sourceipaddress,
  calls.eventname,
  calls.target_role_arn AS subject,
  CASE WHEN strong.role_name IS NOT NULL THEN 'high' ELSE 'medium' END AS severity,
  calls.useridentity.username AS user_name,
  calls.useridentity.accesskeyid AS access_key_id,
  calls.cross_account,
  strong.why AS role_is
FROM role_assumptions AS calls
LEFT JOIN strong_roles AS strong
  ON strong.role_account = calls.target_account AND strong.role_name = calls.target_role_name
WHERE calls.eventname = 'AssumeRole'
  AND calls.ok
  AND calls.caller_kind = 'user'
  AND calls.mfa = false
  AND (calls.cross_account OR strong.role_name IS NOT NULL)
  AND NOT glob_match($service_users, coalesce(calls.useridentity.username, ''))
  AND NOT EXISTS (
    SELECT 1 FROM ci_principals WHERE glob_match(ci_principals.pattern, calls.actor))
