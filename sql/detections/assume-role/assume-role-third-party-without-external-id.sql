/*---
id = "assume-role-third-party-without-external-id"
title = "Third party takes a role without a proper external id"
severity = "medium"
maturity = "stable"
kind = "stateless"
risk = ["misconfiguration"]
attack = ["T1199"]
description = """
A principal of another organization took a role without an external id; that it worked proves that the
trust policy does not ask for one, so the vendor's other customers may reach the role through it (the
confused deputy). An external id that is short, an account id, or shared by callers of several accounts
does not help either. The external id is a label of the tenant, not a secret: CloudTrail shows it."""
summary = """Account {{ caller_account }} took {{ subject }}: {{ defect }}."""
false_positives = ["An account of the organization that the lists lack: name it in `own_accounts`."]
triage = [
  "Is the account a vendor's, and does the contract name an external id?",
  "Which statement of the trust policy let the caller in?",
]
remediation = ["harden-trust-statement", "correct-trust-policy"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
]

[params]
min_length = 8
---*/
WITH calls AS (
  SELECT assumed.*
  FROM role_assumptions AS assumed
  JOIN own_accounts AS own ON own.account = assumed.target_account
  WHERE assumed.eventname = 'AssumeRole'
    AND assumed.ok
    AND NOT assumed.by_service
    AND assumed.cross_account
    AND NOT EXISTS (
      SELECT 1 FROM own_accounts AS ours WHERE ours.account = assumed.caller_account)
    AND NOT EXISTS (
      SELECT 1 FROM vendor_accounts AS vendor
      WHERE vendor.account = assumed.caller_account AND NOT vendor.external_id_required)
),
shared_ids AS (
  SELECT external_id, count(DISTINCT caller_account) AS n_callers
  FROM calls
  WHERE external_id IS NOT NULL
  GROUP BY external_id
),
judged AS (
  SELECT
    calls.*,
    CASE
      WHEN calls.external_id IS NULL THEN 'no external id was needed'
      WHEN regexp_like(calls.external_id, '^[0-9]{12}$') THEN 'the external id is an account id'
      WHEN length(calls.external_id) < $min_length THEN 'the external id is short'
      WHEN shared_ids.n_callers > 1 THEN 'callers of several accounts use the same external id'
    END AS defect
  FROM calls
  LEFT JOIN shared_ids ON shared_ids.external_id = calls.external_id
)
SELECT
  eventtime,
  eventid,
  target_account AS recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  target_role_arn AS subject,
  event_ids,
  caller_account,
  external_id,
  defect
FROM judged
WHERE defect IS NOT NULL
