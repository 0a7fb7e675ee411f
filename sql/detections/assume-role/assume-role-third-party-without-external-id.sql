/*---
id = "assume-role-third-party-without-external-id"
title = "Third party takes a role without a proper external id"
severity = "medium"
maturity = "stable"
kind = "stateless"
risk = ["misconfiguration"]
attack = ["T1199"]
description = """
A principal of another organization took a role without an external id; that it worked proves that
the trust policy does not ask for one, so the vendor's other customers may reach the role through it
(the confused deputy). An external id that is short, an account id, or shared by callers of several
accounts does not help either. The external id is a label of the tenant, not a secret: CloudTrail
shows it. The first calls prove it, so not all are listed; an unlisted account that has come day
after day since the records begin is low."""
summary = """Account {{ caller_account }} took {{ subject }} {{ n_calls }} times: {{ defect }}."""
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
# What the trust policy allows shows in the first calls as in the thousandth.
max_calls = 20
# On so many days, and from the first day of the records, is usual.
usual_days = 7
---*/
WITH calls AS (
  SELECT
    assumed.*,
    vendor.account IS NOT NULL AS is_vendor,
    CASE WHEN NOT vendor.external_id_required THEN 'vendor_accounts: ' || vendor.account END
      AS entry,
    -- A vendor may call from several accounts; without a name, each is one of its own.
    coalesce(nullif(vendor.name, ''), assumed.caller_account) AS party
  FROM role_assumptions AS assumed
  LEFT JOIN own_accounts AS own ON own.account = assumed.target_account
  LEFT JOIN own_accounts AS ours ON ours.account = assumed.caller_account
  LEFT JOIN (
    SELECT account, min(name) AS name, bool_and(external_id_required) AS external_id_required
    FROM vendor_accounts
    GROUP BY account
  ) AS vendor ON vendor.account = assumed.caller_account
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
shared_ids AS (
  SELECT external_id, count(DISTINCT party) AS n_parties
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
      WHEN shared_ids.n_parties > 1 THEN 'callers of several accounts use the same external id'
    END AS defect
  FROM calls
  LEFT JOIN shared_ids ON shared_ids.external_id = calls.external_id
),
placed AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY caller_account, target_account, target_role_name, defect
      ORDER BY eventtime, eventid) AS place
  FROM judged
  WHERE defect IS NOT NULL
),
pairs AS (
  SELECT
    placed.caller_account,
    placed.target_account,
    placed.target_role_name,
    placed.defect,
    count(*) AS n_calls,
    count(DISTINCT date_trunc('day', placed.eventtime)) >= $usual_days
      AND to_unixtime(min(placed.eventtime)) - to_unixtime(min(recorded.first_time)) < 86400
      AS is_usual
  FROM placed
  LEFT JOIN recorded ON recorded.account = placed.target_account
  GROUP BY placed.caller_account, placed.target_account, placed.target_role_name, placed.defect
)
SELECT
  placed.eventtime,
  placed.eventid,
  placed.target_account AS recipientaccountid,
  placed.awsregion,
  placed.actor,
  placed.sourceipaddress,
  placed.eventname,
  placed.target_role_arn AS subject,
  CASE WHEN pairs.is_usual AND NOT placed.is_vendor THEN 'low' ELSE 'medium' END AS severity,
  placed.event_ids,
  placed.entry AS suppressed_by,
  placed.caller_account,
  placed.external_id,
  placed.defect,
  pairs.n_calls
FROM placed
JOIN pairs
  ON pairs.caller_account = placed.caller_account
  AND pairs.target_account = placed.target_account
  AND pairs.target_role_name = placed.target_role_name
  AND pairs.defect = placed.defect
WHERE placed.place <= $max_calls
