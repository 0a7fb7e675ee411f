/*---
id = "trust-policy-service-confused-deputy"
title = "Service may take the role on behalf of others"
severity = "low"
maturity = "stable"
kind = "stateless"
risk = ["misconfigured trust"]
attack = ["T1199"]
description = """
A trust policy lets in a service that works for many customers and does not say for which account or
resource, or lets in Roles Anywhere without naming the trust anchor and the subject of the
certificate. For most services the right to pass the role keeps it inside the account, so this is
mostly a matter of hardening; a certificate of any anchor is more."""
summary = """{{ actor }} {% if attempt %}tried to let{% else %}let{% endif %} {{ offending }}
take {{ subject }} for whomever it works ({{ code }})."""
false_positives = [
  "Services that do not send the source of their request and are not yet exempt.",
]
triage = [
  "Does the service send the account and the ARN of the resource that it works for?",
  "May the role do more than this one use of the service needs?",
]
remediation = ["correct-trust-policy"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
  "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html",
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
  subject,
  -- What a template makes is not worse for being strong.
  CASE WHEN code = 'T28' AND iac_hint THEN 'low' ELSE severity END AS severity,
  role_name,
  role_arn,
  role_id,
  permissions_boundary,
  max_session_seconds,
  code,
  statement,
  offending,
  advice,
  trust_verdict,
  trust_codes,
  attempt,
  role_is
FROM trust_exposures
WHERE code IN ('T28', 'T29')
