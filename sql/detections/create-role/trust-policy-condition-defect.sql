/*---
id = "trust-policy-condition-defect"
title = "A trust condition does not do what it says"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["misconfiguration"]
attack = ["T1098.003"]
description = """
A condition of a trust policy reads like a guard and is none: it passes callers that lack the key,
selects exactly those that it should keep out, lets long-term keys past the second factor, compares
a wildcard letter by letter, stands twice under one name, or guards a grant that no call can use.
The finding names the statement, the test and how to write it. A document that IAM refused counts as
an attempt, one step lower."""
summary = """The trust policy that {{ actor }} {% if attempt %}tried to
give{% else %}gave{% endif %} {{ subject }} has a condition that does not hold what it promises:
{{ offending }} ({{ code }})."""
false_positives = [
  "A statement that is meant to pass callers without the key: allow the role.",
]
triage = [
  "Whom did the author mean to keep out, and who gets in as it is?",
  "Did anybody take the role since who should not?",
  "Do other roles come from the same template?",
]
remediation = ["correct-trust-policy", "harden-trust-statement"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
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
WHERE code IN ('T21', 'T30', 'T31', 'T32', 'T33', 'T39', 'T43')
