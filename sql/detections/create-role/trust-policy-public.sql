/*---
id = "trust-policy-public"
title = "Anyone can take the role"
severity = "critical"
maturity = "stable"
kind = "stateless"
risk = ["misconfigured trust", "unauthorized access"]
attack = ["T1098.003", "T1199", "T1078.004"]
description = """
A trust policy names every AWS principal, everybody but a few, or everybody with a sign-in of a
shared identity provider, and no condition binds it to an organization or account of ours. Whoever
knows the role's ARN takes it. A document that IAM refused counts as an attempt, one step lower."""
summary = """{{ actor }} {% if attempt %}tried to open{% else %}opened{% endif %} {{ subject }}
to everybody: {{ offending }} ({{ code }})."""
false_positives = [
  "Honey roles: allow them by their exact ARN.",
]
triage = [
  "Did anybody from outside take the role since?",
  "What may the role do?",
  "Did the same actor change other roles?",
]
remediation = ["correct-trust-policy", "revoke-sessions", "remove-role"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html",
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
WHERE code IN ('T01', 'T03', 'T06', 'T25', 'T41')
