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
names an MFA device nor was the user's session opened with one. The role's trust policy should ask
for MFA. Records of the target account alone do not tell how the caller signed in, and sessions of
Identity Center and SAML never show the factor that the identity provider asked for: neither is
judged. A user that takes the plain role of another account around the clock is a program, and low.
The first calls prove the matter, so not all are listed."""
summary = """{{ actor }} took {{ subject }} without MFA{% if role_is %} ({{ role_is }}){% endif %},
{{ n_calls }} times, from {{ source_ips | few }}."""
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
# Each person has a device of their own.
group_by = ["user_name"]

[params]
# A pattern of names of users that are programs; `*` stands for any text.
service_users = ""
# Nobody works at so many different hours of the day (UTC).
program_hours = 16
# What the trust policy allows shows in the first calls as in the thousandth.
max_calls = 20
---*/
WITH calls AS (
  SELECT
    assumed.*,
    strong.why AS role_is,
    row_number() OVER (
      PARTITION BY assumed.actor, assumed.target_account, assumed.target_role_name
      ORDER BY assumed.eventtime, assumed.eventid) AS place,
    count(*) OVER (
      PARTITION BY assumed.actor, assumed.target_account, assumed.target_role_name) AS n_calls
  FROM role_assumptions AS assumed
  LEFT JOIN strong_roles AS strong
    ON strong.role_account = assumed.target_account
    AND strong.role_name = assumed.target_role_name
  WHERE assumed.eventname = 'AssumeRole'
    AND assumed.ok
    AND assumed.caller_kind = 'user'
    AND assumed.mfa = false
    AND (assumed.cross_account OR strong.role_name IS NOT NULL)
),
programs AS (
  SELECT actor
  FROM calls
  GROUP BY actor
  HAVING count(DISTINCT date_part('hour', eventtime)) >= $program_hours
),
listed AS (
  SELECT actor, min(entry) AS entry
  FROM (
    SELECT calls.actor, 'ci_principals: ' || ci.pattern AS entry
    FROM calls
    JOIN ci_principals AS ci ON glob_match(ci.pattern, calls.actor)
    UNION ALL
    SELECT actor, 'service_users: ' || $service_users
    FROM calls
    WHERE $service_users <> '' AND glob_match($service_users, calls.useridentity.username)
  )
  GROUP BY actor
)
SELECT
  calls.eventtime,
  calls.eventid,
  calls.recipientaccountid,
  calls.awsregion,
  calls.actor,
  calls.sourceipaddress,
  calls.eventname,
  calls.target_role_arn AS subject,
  CASE
    WHEN calls.role_is IS NOT NULL THEN 'high'
    WHEN programs.actor IS NOT NULL THEN 'low'
    ELSE 'medium'
  END AS severity,
  listed.entry AS suppressed_by,
  calls.useridentity.username AS user_name,
  calls.useridentity.accesskeyid AS access_key_id,
  calls.cross_account,
  calls.n_calls,
  programs.actor IS NOT NULL AS is_program,
  calls.role_is
FROM calls
LEFT JOIN programs ON programs.actor = calls.actor
LEFT JOIN listed ON listed.actor = calls.actor
WHERE calls.place <= $max_calls
