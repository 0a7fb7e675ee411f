/*---
id = "admin-policy-attached"
title = "Administrator policy attached"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["inadequate role separation", "privilege escalation"]
attack = ["T1098.003"]
description = """
A managed policy that makes an administrator was attached to a role, user or group: one of AWS's own
whose text allows everything or every direct way to it, or a customer policy whose document in the
evidence does. Automation that leaves its mark in the call lowers the severity a step and never hides
the finding, since the caller writes that mark."""
summary = """{{ actor }} attached {{ policy_arn }} to the {{ holder_kind }} {{ holder_name }}."""
false_positives = [
  "Bootstrap of an account: allow the pair of actor and role.",
]
triage = [
  "Is there a change request for it?",
  "Who can take the role, or use the keys of the user?",
  "What did the holder do since?",
]
remediation = ["remove-permissions", "restore-boundary", "least-privilege"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_job-functions.html",
  "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html",
]
---*/
WITH admin_policies AS (
  SELECT DISTINCT policy_arn
  FROM policy_versions
  WHERE policy_default AND policy_class = 'admin' AND NOT policy_conditioned
),
automation AS (
  SELECT DISTINCT changes.actor
  FROM role_changes AS changes
  JOIN iac_principals ON glob_match(iac_principals.pattern, changes.actor)
)
SELECT
  changes.eventtime,
  changes.eventid,
  changes.recipientaccountid,
  changes.awsregion,
  changes.actor,
  changes.sourceipaddress,
  changes.eventname,
  iam_arn(changes.awsregion, changes.role_account, changes.holder_kind || '/' || changes.holder_name)
    AS subject,
  CASE WHEN changes.iac_hint OR automation.actor IS NOT NULL THEN 'medium' ELSE 'high' END
    AS severity,
  changes.holder_kind,
  changes.holder_name,
  changes.role_name,
  changes.policy_arn
FROM role_changes AS changes
LEFT JOIN admin_policies ON admin_policies.policy_arn = changes.policy_arn
LEFT JOIN automation ON automation.actor = changes.actor
WHERE changes.eventname IN ('AttachRolePolicy', 'AttachUserPolicy', 'AttachGroupPolicy')
  AND changes.ok
  AND (changes.policy_tier = 1 OR admin_policies.policy_arn IS NOT NULL)
  -- Identity Center writes the roles of its permission sets.
  AND coalesce(changes.caller_role_arn, '') NOT LIKE '%:role/aws-service-role/sso.amazonaws.com/%'
