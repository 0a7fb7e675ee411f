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
is lower, since an unlisted account may well be a sibling, lower still with an external id. An
account that has come day after day since the records begin is low: nobody waited for it."""
summary = """Account {{ caller_account }} took {{ subject }} as {{ caller_id }}{% if not
has_external_id %}, without an external id{% endif %}, from {{ source_ips | few }}."""
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

[params]
# On so many days, and from the first day of the records, is usual.
usual_days = 7
# A shorter external id was not agreed on with a vendor.
min_external_id = 8
---*/
WITH calls AS (
  SELECT
    assumed.*,
    coalesce(own.inferred, true) AS inferred,
    coalesce(
      length(assumed.external_id) >= $min_external_id
        AND NOT regexp_like(assumed.external_id, '^[0-9]{12}$'),
      false) AS agreed
  FROM role_assumptions AS assumed
  LEFT JOIN own_accounts AS own ON own.account = assumed.target_account
  LEFT JOIN own_accounts AS ours ON ours.account = assumed.caller_account
  WHERE assumed.eventname = 'AssumeRole'
    AND assumed.ok
    -- Not `by_service`: a role switched in the console is asked for by "AWS Internal".
    AND assumed.caller_kind <> 'service'
    AND assumed.cross_account
    AND ours.account IS NULL
    -- A record that names no recipient, and no more of the caller than the account, was made where
    -- the role is.
    AND (own.account IS NOT NULL
      OR assumed.seen_from = 'target'
        AND assumed.recipientaccountid IS NULL
        AND NOT EXISTS (SELECT 1 FROM own_accounts WHERE NOT inferred))
),
-- Accounts that have come ever since, on many days.
usual AS (
  SELECT calls.caller_account, calls.target_account, calls.target_role_name
  FROM calls
  JOIN recorded ON recorded.account = calls.target_account
  GROUP BY calls.caller_account, calls.target_account, calls.target_role_name
  HAVING count(DISTINCT date_trunc('day', calls.eventtime)) >= $usual_days
    AND to_unixtime(min(calls.eventtime)) - to_unixtime(min(recorded.first_time)) < 86400
),
-- A vendor may take the roles that its entry names, or any if it names none.
approved AS (
  SELECT calls.eventid, min('vendor_accounts: ' || vendor.account) AS entry
  FROM calls
  JOIN vendor_accounts AS vendor ON vendor.account = calls.caller_account
  LEFT JOIN vendor_roles AS allowed ON allowed.account = vendor.account
  WHERE allowed.role_pattern IS NULL OR glob_match(allowed.role_pattern, calls.target_role_arn)
  GROUP BY calls.eventid
)
SELECT
  calls.eventtime,
  calls.eventid,
  calls.target_account AS recipientaccountid,
  calls.awsregion,
  calls.actor,
  calls.sourceipaddress,
  calls.eventname,
  calls.target_role_arn AS subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    greatest(2, 4
      - CASE WHEN calls.inferred THEN 1 ELSE 0 END
      - CASE WHEN calls.inferred AND calls.agreed THEN 1 ELSE 0 END
      - CASE WHEN usual.caller_account IS NOT NULL THEN 2 ELSE 0 END
      + CASE WHEN strong.role_name IS NOT NULL THEN 1 ELSE 0 END)) AS severity,
  calls.event_ids,
  approved.entry AS suppressed_by,
  calls.caller_account,
  calls.useridentity.principalid AS caller_id,
  calls.external_id IS NOT NULL AS has_external_id,
  usual.caller_account IS NOT NULL AS is_usual,
  calls.role_session_name AS session_name,
  split_part(calls.assumed_role_id, ':', 1) AS role_id,
  calls.issued_key,
  strong.why AS role_is
FROM calls
LEFT JOIN strong_roles AS strong
  ON strong.role_account = calls.target_account AND strong.role_name = calls.target_role_name
LEFT JOIN usual
  ON usual.caller_account = calls.caller_account
  AND usual.target_account = calls.target_account
  AND usual.target_role_name = calls.target_role_name
LEFT JOIN approved ON approved.eventid = calls.eventid
