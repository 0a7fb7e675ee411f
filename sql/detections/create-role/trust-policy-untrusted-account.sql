/*---
id = "trust-policy-untrusted-account"
title = "Role trusts an account nobody knows"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["misconfigured trust"]
attack = ["T1098.003", "T1199"]
description = """
A trust policy lets in an account, user, role or identity provider that belongs neither to us nor to an
approved vendor, or everybody behind a mere external id, address or foreign organization. Bare unique ids
are resolved against the principals that the evidence shows; those that nobody has seen count."""
summary = """{{ actor }} {% if attempt %}tried to let{% else %}let{% endif %} {{ offending }} into {{ subject }} ({{ code }})."""
false_positives = [
  "A new vendor: name it in `vendor_accounts`.",
  "An account of the organization that the lists lack: name it in `own_accounts`.",
]
triage = [
  "Whose account is it?",
  "Did it take the role since?",
  "Was the role given rights at the same time?",
]
remediation = ["correct-trust-policy", "revoke-sessions", "organization-guard-rails"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
]
---*/
WITH known_ids AS (
  SELECT role_id AS id FROM role_births
  UNION
  SELECT split_part(useridentity.principalid, ':', 1) FROM role_assumptions
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  subject,
  severity,
  role_name,
  code,
  offending,
  advice,
  trust_verdict,
  trust_codes,
  attempt,
  role_is
FROM trust_exposures
LEFT JOIN known_ids ON known_ids.id = trust_exposures.offending
-- A unique id is only opaque while nobody has seen whose it is.
WHERE code IN ('T02', 'T05', 'T07', 'T08', 'T27')
  OR code = 'T14' AND known_ids.id IS NULL
