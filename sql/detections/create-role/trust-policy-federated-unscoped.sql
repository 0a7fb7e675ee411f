/*---
id = "trust-policy-federated-unscoped"
title = "Federated trust is not bound to us"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["misconfigured trust"]
attack = ["T1484.002", "T1199", "T1078.004"]
description = """
A trust policy lets in tokens of an identity provider without binding them to a tenant, project,
subject or audience of ours: any repository, workspace, pod or user of that provider may take the
role. How bad it is depends on how many others the provider serves."""
summary = """{{ actor }} {% if attempt %}tried to make{% else %}made{% endif %} {{ subject }}
trust {{ offending }} without enough of a bound ({{ code }})."""
false_positives = [
  "Cognito roles for guests, which are open by design.",
]
triage = [
  "Which subjects does the provider vouch for, and who can get one?",
  "Which tokens took the role since?",
]
remediation = ["correct-trust-policy", "harden-trust-statement", "identity-provider"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html",
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
  severity,
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
WHERE code IN ('T16', 'T17', 'T18', 'T19', 'T20', 'T21', 'T23', 'T24', 'T26', 'T29')
