/*---
id = "backdoor-role-sequence"
title = "Role opened, empowered and used"
severity = "high"
maturity = "stable"
kind = "sequence"
risk = ["misconfigured trust", "inadequate role separation", "privilege escalation"]
attack = ["T1098.003", "T1136.003", "T1078.004"]
description = """
Within an hour one role is opened (made or re-trusted for somebody outside the circle, or for a
single IAM user), given the rights of an administrator or the means to get them, and taken by the
one it was opened for. Two of the three are high, all three critical; a door that is guarded or
narrow (a vendor with an external id, the organization, one project of a provider) weighs a step
less. The order of opening and empowering does not matter, and rights that the role has already
count."""
summary = """{{ subject }} was {{ steps | join(", ") }} within an hour. Its trust lets in
{{ lets_in | few }}{% if rights %}, it got {{ rights }}{% endif %}{% if used_by %}, and
{{ used_by }} took it from {{ used_from }}{% endif %}."""
false_positives = [
  "Automation of a landing zone: name it in `iac_principals`, which lowers the severity a step.",
  "A new vendor with strong rights: name it in `vendor_accounts`.",
]
triage = [
  "What did the new sessions do?",
  "What else did the actor of these steps do, and where did its credentials come from?",
  "Is the role still open?",
]
remediation = [
  "revoke-sessions", "correct-trust-policy", "remove-role", "remove-permissions", "contain-user",
]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
]

[params]
window_minutes = 60
---*/
WITH automation AS (
  SELECT DISTINCT changes.actor
  FROM role_changes AS changes
  JOIN iac_principals ON glob_match(iac_principals.pattern, changes.actor)
),
opened AS (
  SELECT
    eventtime, eventid, awsregion, role_changes.actor, sourceipaddress, eventname, subject,
    role_account, role_name, trust_verdict, trust_principals,
    iac_hint OR automation.actor IS NOT NULL AS automated,
    -- Doors that are narrow, or guarded: worth a step less.
    (trust_verdict IN ('federated-moderate', 'org-wide', 'external-guarded')
      -- Without lists, an organization may be ours and a guarded stranger a vendor.
      OR trust_verdict = 'external-untrusted' AND (
        array_has(trust_codes, 'T05') AND (SELECT count(*) FROM own_org_ids) = 0
          AND NOT arrays_overlap(trust_codes, make_array('T07', 'T08', 'T27'))
        OR regexp_like(
            lower(trust_document), '"stringequals"\s*:\s*\{[^{}]*"sts:externalid"')
          AND (SELECT count(*) FROM vendor_accounts) = 0
          AND NOT arrays_overlap(trust_codes, make_array('T10', 'T11', 'T36', 'T27'))))
      AND array_to_string(trust_principals, ' ') NOT LIKE '%:user/%' AS is_mild
  FROM role_changes
  LEFT JOIN automation ON automation.actor = role_changes.actor
  WHERE eventname IN ('CreateRole', 'UpdateAssumeRolePolicy')
    AND ok
    AND role_name IS NOT NULL
    AND (trust_verdict IN (
        'public', 'federated-open', 'public-restricted', 'external-untrusted', 'federated-weak',
        'opaque-principal', 'external-unguarded', 'federated-moderate', 'org-wide',
        'external-guarded')
      OR array_to_string(trust_principals, ' ') LIKE '%:user/%')
    -- Identity Center makes the roles of its permission sets, other services their own.
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
),
strong_policies AS (
  SELECT DISTINCT policy_arn
  FROM policy_versions
  WHERE policy_default
    AND policy_class IN ('admin', 'escalation-direct', 'escalation-combo')
),
-- The next word about the same policy of the same role, which may take it away again.
given AS (
  SELECT
    *,
    lead(CASE WHEN eventname IN ('DetachRolePolicy', 'DeleteRolePolicy') THEN eventtime END) OVER (
      PARTITION BY role_account, role_name, coalesce(policy_arn, policy_name)
      ORDER BY eventtime, eventid) AS taken_at
  FROM role_changes
  WHERE eventname IN (
      'AttachRolePolicy', 'PutRolePolicy', 'DetachRolePolicy', 'DeleteRolePolicy')
    AND ok
),
empowered AS (
  SELECT
    changes.eventtime, changes.eventid, changes.awsregion, changes.actor, changes.sourceipaddress,
    changes.eventname, changes.role_account, changes.role_name,
    coalesce(changes.policy_arn, changes.policy_name) AS rights, changes.taken_at
  FROM given AS changes
  LEFT JOIN strong_policies ON strong_policies.policy_arn = changes.policy_arn
  WHERE changes.eventname IN ('AttachRolePolicy', 'PutRolePolicy')
    AND (changes.policy_tier <= 2
      OR changes.policy_class IN ('admin', 'escalation-direct', 'escalation-combo')
      OR strong_policies.policy_arn IS NOT NULL)
),
steps AS (
  SELECT
    eventid AS opening, 'opened' AS step, eventtime, eventid, awsregion, actor, sourceipaddress,
    eventname, CAST(NULL AS VARCHAR) AS rights
  FROM opened
  UNION ALL
  SELECT
    opened.eventid, 'empowered', empowered.eventtime, empowered.eventid, empowered.awsregion,
    empowered.actor, empowered.sourceipaddress, empowered.eventname, empowered.rights
  FROM opened
  JOIN empowered
    ON empowered.role_account = opened.role_account AND empowered.role_name = opened.role_name
  WHERE to_unixtime(empowered.eventtime) - to_unixtime(opened.eventtime) <= 60 * $window_minutes
    -- Rights that the role lost before it was opened are no part of it.
    AND (empowered.taken_at IS NULL OR empowered.taken_at >= opened.eventtime)
  UNION ALL
  SELECT
    opened.eventid, 'used', calls.eventtime, calls.eventid, calls.awsregion, calls.actor,
    calls.sourceipaddress, calls.eventname, CAST(NULL AS VARCHAR)
  FROM opened
  JOIN role_assumptions AS calls
    ON calls.target_account = opened.role_account AND calls.target_role_name = opened.role_name
  WHERE calls.ok
    AND calls.caller_kind <> 'service'
    AND calls.eventtime >= opened.eventtime
    AND to_unixtime(calls.eventtime) - to_unixtime(opened.eventtime) <= 60 * $window_minutes
    -- The new principal, not one that could take the role all along.
    AND (array_has(opened.trust_principals, calls.useridentity.arn)
      OR array_has(opened.trust_principals, calls.caller_role_arn)
      OR array_has(opened.trust_principals, split_part(calls.useridentity.principalid, ':', 1))
      OR array_has(opened.trust_principals, calls.identity_provider)
      OR calls.cross_account AND (
        array_has(opened.trust_principals, '*')
        OR array_to_string(opened.trust_principals, ' ') LIKE '%' || calls.caller_account || '%'))
),
kinds AS (
  SELECT
    opening,
    step,
    min(eventtime) AS began,
    -- In one second, the order in which one can do them.
    CASE step WHEN 'opened' THEN 1 WHEN 'empowered' THEN 2 ELSE 3 END AS place,
    max(rights) AS rights,
    max(CASE WHEN step = 'used' THEN actor END) AS used_by,
    max(CASE WHEN step = 'used' THEN sourceipaddress END) AS used_from
  FROM steps
  GROUP BY opening, step
),
scored AS (
  SELECT
    opening,
    count(*) AS n_steps,
    array_agg(step ORDER BY began, place) AS steps,
    max(rights) AS rights,
    max(used_by) AS used_by,
    max(used_from) AS used_from
  FROM kinds
  GROUP BY opening
)
SELECT
  steps.eventtime,
  steps.eventid,
  opened.role_account AS recipientaccountid,
  steps.awsregion,
  steps.actor,
  steps.sourceipaddress,
  steps.eventname,
  opened.subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    CASE WHEN scored.n_steps = 3 THEN 5 ELSE 4 END
      - CASE WHEN opened.automated THEN 1 ELSE 0 END
      - CASE WHEN opened.is_mild THEN 1 ELSE 0 END
  ) AS severity,
  opened.role_name,
  scored.steps,
  opened.trust_verdict,
  opened.trust_principals AS lets_in,
  scored.rights,
  scored.used_by,
  scored.used_from
FROM steps
JOIN opened ON opened.eventid = steps.opening
JOIN scored ON scored.opening = steps.opening
WHERE scored.n_steps >= 2
