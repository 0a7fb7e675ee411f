/*---
id = "assume-role-from-untrusted-account"
title = "Role taken by an account outside the organization"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["unauthorized access"]
attack = ["T1199", "T1078.004"]
description = """
A principal of an account that is neither ours nor an approved vendor's took a role of ours. The
role's trust policy let it in, so this is either an integration that nobody listed or an intruder.
Where the lists name no own accounts, ours are those the evidence was recorded in, and the severity
is lower, since an unlisted account may well be a sibling."""
summary = """Account {{ caller_account }} took {{ subject }} as {{ caller_id }}{% if not has_external_id %},
without an external id{% endif %}, from {{ source_ips | few }}."""
false_positives = [
  "A new vendor: name it in `vendor_accounts`.",
  "An account of the organization that the lists lack: name it in `own_accounts`.",
]
triage = [
  "Whose account is it, and who opened the role's trust to it, when?",
  "What did the session do?",
  "Did the same account take other roles?",
]
remediation = [
  "correct-trust-policy", "revoke-sessions", "organization-guard-rails", "harden-trust-statement",
]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html",
]
---*/
SELECT
  calls.eventtime,
  calls.eventid,
  calls.target_account AS recipientaccountid,
  calls.awsregion,
  calls.actor,
  calls.sourceipaddress,
  calls.eventname,
  calls.target_role_arn AS subject,
  CASE
    WHEN own.inferred AND strong.role_name IS NOT NULL THEN 'high'
    WHEN own.inferred THEN 'medium'
    WHEN strong.role_name IS NOT NULL THEN 'critical'
    ELSE 'high'
  END AS severity,
  calls.event_ids,
  calls.caller_account,
  calls.useridentity.principalid AS caller_id,
  calls.external_id IS NOT NULL AS has_external_id,
  calls.role_session_name AS session_name,
  split_part(calls.assumed_role_id, ':', 1) AS role_id,
  calls.issued_key,
  strong.why AS role_is
FROM role_assumptions AS calls
JOIN own_accounts AS own ON own.account = calls.target_account
LEFT JOIN strong_roles AS strong
  ON strong.role_account = calls.target_account AND strong.role_name = calls.target_role_name
WHERE calls.eventname = 'AssumeRole'
  AND calls.ok
  AND NOT calls.by_service
  AND calls.cross_account
  AND NOT EXISTS (SELECT 1 FROM own_accounts AS ours WHERE ours.account = calls.caller_account)
  -- A vendor may take the roles that its entry names, or any if it names none.
  AND NOT EXISTS (
    SELECT 1
    FROM vendor_accounts AS vendor
    LEFT JOIN vendor_roles AS allowed ON allowed.account = vendor.account
    WHERE vendor.account = calls.caller_account
      AND (allowed.role_pattern IS NULL OR glob_match(allowed.role_pattern, calls.target_role_arn)))
