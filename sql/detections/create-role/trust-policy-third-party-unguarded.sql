/*---
id = "trust-policy-third-party-unguarded"
title = "Vendor's way into the role is not guarded"
severity = "medium"
maturity = "stable"
kind = "stateless"
risk = ["misconfigured trust"]
attack = ["T1199"]
description = """
A trust policy lets a third party in without an external id, with one that can be guessed or left
out, or with the freedom to choose session tags and source identity. Another customer of the same
vendor can then make the vendor act in our account, since nothing in the call says for whom it acts.
A document that IAM refused counts as an attempt, one step lower."""
summary = """{{ actor }} {% if attempt %}tried to let{% else %}let{% endif %} {{ offending }}
into {{ subject }} with too weak a guard ({{ code }})."""
false_positives = [
  "An account of ours that the lists lack: name it in `own_accounts`.",
  "A vendor that has one customer only, us: say in `vendor_accounts` that it needs no external id.",
]
triage = [
  "Does the vendor support an external id of our own choice?",
  "Did the vendor take the role since, and with which external id?",
]
remediation = ["harden-trust-statement", "correct-trust-policy"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
]
---*/
WITH exempt AS (
  -- Vendors of whom the case knows that they need no external id, by the change that lets them in.
  SELECT exposed.eventid, exposed.code, exposed.offending, min(vendors.account) AS account
  FROM trust_exposures AS exposed
  JOIN vendor_accounts AS vendors
    ON NOT vendors.external_id_required
    -- A test of the external id does not say for whom it is; the document's principals do.
    AND array_to_string(
      CASE WHEN exposed.code = 'T09'
        THEN make_array(exposed.offending)
        ELSE exposed.trust_principals
      END, ' ') LIKE '%' || vendors.account || '%'
  WHERE exposed.code IN ('T09', 'T10', 'T11')
  GROUP BY exposed.eventid, exposed.code, exposed.offending
)
SELECT
  exposed.eventtime,
  exposed.eventid,
  exposed.recipientaccountid,
  exposed.awsregion,
  exposed.actor,
  exposed.sourceipaddress,
  exposed.eventname,
  exposed.subject,
  exposed.severity,
  'vendor_accounts: ' || exempt.account AS suppressed_by,
  exposed.role_name,
  exposed.role_arn,
  exposed.role_id,
  exposed.permissions_boundary,
  exposed.max_session_seconds,
  exposed.code,
  exposed.statement,
  exposed.offending,
  exposed.advice,
  exposed.trust_verdict,
  exposed.trust_codes,
  exposed.attempt,
  exposed.role_is
FROM trust_exposures AS exposed
LEFT JOIN exempt
  ON exempt.eventid = exposed.eventid
  AND exempt.code = exposed.code
  AND exempt.offending = exposed.offending
WHERE exposed.code IN ('T09', 'T10', 'T11', 'T36')
