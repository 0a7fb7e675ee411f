/*---
id = "iam-parameters-omitted"
title = "IAM call too large for CloudTrail to record"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["misconfiguration"]
attack = ["T1685.002"]
description = """
CloudTrail left out the request or the response of an IAM or STS call because it was too large.
White space does not count against IAM's limits on policies but does count here, so a small document
padded with blanks hides what was set. No ordinary document of IAM is that large. What is now in
force stands in the live object only."""
summary = """{{ actor }} called {{ event_names | few }} on {% if named %}{{ subject }}{% else
%}something that the record no longer names{% endif %}, and CloudTrail left out the {{ left_out }}{%
if original_size %} of {{ original_size }} bytes{% endif %}."""
false_positives = [
  "A tool that pads or indents documents without end: mend the tool, since its changes leave no trace.",
]
triage = [
  "What does the live object hold now (`aws iam get-role`, `get-role-policy`, `get-policy-version`)?",
  "Which roles, users or policies did the actor touch within the same minutes?",
  "Who would profit from a change that nobody can read?",
]
remediation = [
  "correct-trust-policy", "remove-permissions", "contain-user", "organization-guard-rails",
]
references = [
  "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
]
# Where the record names nothing, calls of different callers are still different things.
group_by = ["caller"]
---*/
WITH marked AS (
  SELECT
    *,
    lower(coalesce(json_as_text(requestparameters, 'omitted'), '')) = 'true'
      OR lower(coalesce(json_as_text(requestparameters, 'reason'), ''))
        LIKE 'requestparameters too large%' AS no_request,
    lower(coalesce(json_as_text(responseelements, 'omitted'), '')) = 'true'
      OR lower(coalesce(json_as_text(responseelements, 'reason'), ''))
        LIKE 'responseelements too large%' AS no_response,
    eventname IN (
      'CreateRole', 'UpdateAssumeRolePolicy', 'PutRolePolicy', 'PutUserPolicy', 'PutGroupPolicy',
      'CreatePolicy', 'CreatePolicyVersion') AS sets_document
  FROM activity
  WHERE eventsource IN ('iam.amazonaws.com', 'sts.amazonaws.com')
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
  CASE
    WHEN no_request AND ok AND sets_document THEN 'high'
    -- What was refused is not in force, and of other calls the size hides no document.
    WHEN no_request THEN 'medium'
    -- The request still tells what was set. The response repeats the document percent-encoded, so
    -- blanks count three times in it, and no ordinary document gets that far.
    WHEN ok AND sets_document THEN 'medium'
    ELSE 'low'
  END AS severity,
  coalesce(actor, '') AS caller,
  subject IS NOT NULL AS named,
  ok AS done,
  CASE
    WHEN no_request AND no_response THEN 'request and the response'
    WHEN no_request THEN 'request'
    ELSE 'response'
  END AS left_out,
  try_cast(coalesce(
    json_as_text(requestparameters, 'originalSize'),
    json_as_text(responseelements, 'originalSize')) AS BIGINT) AS original_size,
  coalesce(
    json_get_str(responseelements, 'role', 'roleName'),
    json_get_str(requestparameters, 'roleName')) AS role_name,
  useridentity.accesskeyid AS access_key_id
FROM marked
WHERE no_request OR no_response
