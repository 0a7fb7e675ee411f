/*---
id = "admin-policy-attached"
title = "Administrator policy attached or a block lifted"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["inadequate role separation", "privilege escalation"]
attack = ["T1098.003"]
description = """
A managed policy that makes an administrator was attached to a role, user or group: one of AWS's own
whose text allows everything or every direct way to it, or a customer policy whose default version,
as the evidence shows it, does. AWS policies that only help to get there weigh less. Also found are
the policies that shut somebody off: a quarantine that was attached says that a key leaked, and one
that was detached is an attacker or a clean-up that came too early. Automation that leaves its mark
in the call lowers the severity a step and never hides the finding, since the caller writes that
mark."""
summary = """{{ actor }} {{ did }} {{ policy_arn }}
{% if did == "detached" %}from{% else %}to{% endif %} the {{ holder_kind }} {{ holder_name }}:
{{ why }}."""
false_positives = [
  "Bootstrap of an account: allow the pair of actor and role.",
  "A quarantine that is lifted after the keys were changed.",
]
triage = [
  "Is there a change request for it?",
  "Who can take the role, or use the keys of the user?",
  "What did the holder do since?",
]
remediation = ["remove-permissions", "restore-boundary", "least-privilege", "contain-user"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_job-functions.html",
  "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html",
  "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV2.html",
]
---*/
-- Which document a customer policy stood for, from when to when.
WITH defaults AS (
  SELECT
    policy_arn,
    policy_class,
    policy_conditioned,
    eventtime AS since,
    lead(eventtime) OVER (
      PARTITION BY policy_arn ORDER BY eventtime, eventid, policy_class) AS until
  FROM (
    SELECT policy_arn, policy_class, policy_conditioned, eventtime, eventid
    FROM policy_versions
    WHERE policy_default
    UNION ALL
    SELECT
      chosen.policy_arn, versions.policy_class, versions.policy_conditioned, chosen.eventtime,
      chosen.eventid
    FROM role_changes AS chosen
    LEFT JOIN policy_versions AS versions
      ON versions.policy_arn = chosen.policy_arn AND versions.policy_version = chosen.policy_version
    WHERE chosen.eventname = 'SetDefaultPolicyVersion' AND chosen.ok
  )
),
automation AS (
  SELECT DISTINCT changes.actor
  FROM role_changes AS changes
  JOIN iac_principals ON glob_match(iac_principals.pattern, changes.actor)
),
attached AS (
  SELECT
    changes.*,
    changes.iac_hint OR automation.actor IS NOT NULL AS automated,
    changes.eventname LIKE 'Detach%' AS detached,
    -- Only AWS owns policies of the account `aws`; a customer's may bear the same name.
    CASE WHEN arn_account(changes.policy_arn) = 'aws'
      THEN split_part(changes.policy_arn, '/', -1) END AS aws_policy,
    defaults.policy_class AS customer_class,
    defaults.policy_conditioned AS customer_conditioned
  FROM (
    SELECT *, useridentity.type AS caller_type, useridentity.invokedby AS invoked_by
    FROM role_changes
  ) AS changes
  LEFT JOIN defaults
    ON defaults.policy_arn = changes.policy_arn
    AND defaults.since <= changes.eventtime
    AND (defaults.until IS NULL OR changes.eventtime < defaults.until)
  LEFT JOIN automation ON automation.actor = changes.actor
  WHERE changes.eventname IN (
      'AttachRolePolicy', 'AttachUserPolicy', 'AttachGroupPolicy',
      'DetachRolePolicy', 'DetachUserPolicy', 'DetachGroupPolicy')
    AND changes.ok
    -- Identity Center writes the roles of its permission sets.
    AND coalesce(changes.caller_role_arn, '')
      NOT LIKE '%:role/aws-service-role/sso.amazonaws.com/%'
    -- What a service does in its own name nobody asked for, but a leaked key it tells of counts.
    AND (changes.caller_type IS DISTINCT FROM 'AWSService'
      OR changes.policy_arn LIKE '%/AWSCompromisedKeyQuarantine%')
),
judged AS (
  SELECT
    *,
    CASE
      WHEN detached THEN CASE
        WHEN aws_policy = 'AWSDenyAll' OR aws_policy LIKE 'AWSCompromisedKeyQuarantine%' THEN 4
      END
      WHEN aws_policy LIKE 'AWSCompromisedKeyQuarantine%' THEN 5
      -- Somebody shut the user off, which one wants to know the reason of.
      WHEN aws_policy = 'AWSDenyAll' AND holder_kind = 'user' THEN 3
      -- Everything, but only for calls through one service.
      WHEN aws_policy = 'AWSMcpServiceActionsFullAccess' THEN 3
      -- The bootstrap of the CDK gives its role for CloudFormation everything, unless told otherwise.
      WHEN policy_tier = 1
        AND invoked_by = 'cloudformation.amazonaws.com'
        AND glob_match('cdk-*-cfn-exec-role-*', role_name) THEN 3
      WHEN policy_tier = 1 THEN 4
      WHEN customer_class = 'admin' THEN CASE WHEN customer_conditioned THEN 3 ELSE 4 END
      WHEN policy_tier = 2 AND aws_policy IN (
        'PowerUserAccess', 'SystemAdministrator', 'AWSOrganizationsFullAccess',
        'AWSSSOMasterAccountAdministrator', 'AWSSSOMemberAccountAdministrator') THEN 3
      WHEN policy_tier = 2 THEN 2
    END AS level,
    CASE
      WHEN detached THEN 'a block that is gone'
      WHEN aws_policy LIKE 'AWSCompromisedKeyQuarantine%' THEN 'AWS saw a key leak'
      WHEN aws_policy = 'AWSDenyAll' THEN 'somebody was shut off'
      WHEN policy_tier = 2 THEN 'rights that lead to more rights'
      WHEN aws_policy = 'AWSMcpServiceActionsFullAccess' OR customer_conditioned
        THEN 'the rights of an administrator under a condition'
      ELSE 'the rights of an administrator'
    END AS why
  FROM attached
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  iam_arn(awsregion, role_account, holder_kind || '/' || holder_name) AS subject,
  -- A leaked key is no matter of who attached the policy.
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    CASE WHEN automated AND level < 5 THEN level - 1 ELSE level END
  ) AS severity,
  CASE WHEN detached THEN 'detached' ELSE 'attached' END AS did,
  why,
  holder_kind,
  holder_name,
  role_name,
  CASE WHEN holder_kind = 'user' THEN holder_name END AS user_name,
  policy_arn,
  policy_tier
FROM judged
WHERE level IS NOT NULL
