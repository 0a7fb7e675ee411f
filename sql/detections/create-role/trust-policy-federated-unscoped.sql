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
  "A whole organization or repository that may take the role: name it in `oidc_subjects`.",
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
WITH accepted AS (
  -- Which subjects are let in is the list's to say; that a token's audience goes untested is not.
  SELECT exposed.eventid, exposed.code, exposed.offending, min(subjects.pattern) AS pattern
  FROM trust_exposures AS exposed
  JOIN oidc_subjects AS subjects
    ON glob_match(subjects.pattern, exposed.offending)
    OR subjects.pattern LIKE '% %'
      AND glob_match(split_part(subjects.pattern, ' ', 2), exposed.offending)
      AND glob_match(
        '*:oidc-provider/' || split_part(subjects.pattern, ' ', 1) || ' *',
        array_to_string(exposed.trust_principals, ' ') || ' ')
  WHERE exposed.code IN ('T17', 'T18', 'T19')
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
  exposed.role_is,
  'oidc_subjects: ' || accepted.pattern AS suppressed_by
FROM trust_exposures AS exposed
LEFT JOIN accepted
  ON accepted.eventid = exposed.eventid
  AND accepted.code = exposed.code
  AND accepted.offending = exposed.offending
WHERE exposed.code IN (
  'T16', 'T17', 'T18', 'T19', 'T20', 'T21', 'T23', 'T24', 'T26', 'T29')
