/*---
id = "role-boundary-removed"
title = "Permissions boundary of a role gone or loosened"
severity = "high"
maturity = "stable"
kind = "state"
risk = ["inadequate role separation"]
attack = ["T1098.003", "T1685"]
description = """
A role lost its permissions boundary, got one of AWS's wide policies or another policy than before
as its boundary, or was made without one by somebody who had always set one. Also found: a new
version of a policy that serves as a boundary, and its deletion. What the boundary held back, the
role's other policies now give. A removal right before the role itself is deleted counts little, and
automation that leaves its mark lowers the severity a step."""
summary = """{{ actor }} {{ did }}{% if boundary_arn %}; it was
{{ boundary_arn }}{% endif %}{% if new_boundary_arn %}, and now is
{{ new_boundary_arn }}{% endif %} ({{ subject }})."""
false_positives = [
  "A boundary that is replaced by its successor, by automation that the lists do not name.",
  "A role that needs no boundary, made by hand by somebody who mostly makes others.",
]
triage = [
  "Is there a change request for it?",
  "What do the role's own policies allow without the boundary?",
  "Did the role, or the actor, use more rights since?",
]
remediation = ["restore-boundary", "revoke-sessions"]
references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"]

[params]
clean_up_minutes = 15
min_bounded_roles = 3
---*/
WITH automation AS (
  SELECT DISTINCT changes.actor
  FROM role_changes AS changes
  JOIN iac_principals ON glob_match(iac_principals.pattern, changes.actor)
),
changes AS (
  SELECT
    role_changes.*,
    role_changes.iac_hint OR automation.actor IS NOT NULL AS automated,
    coalesce(role_changes.caller_role_arn, role_changes.actor) AS maker
  FROM role_changes
  LEFT JOIN automation ON automation.actor = role_changes.actor
  WHERE role_changes.ok
    -- Identity Center bounds the roles of its permission sets, other services make their own.
    AND coalesce(role_changes.caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
),
bounds AS (
  SELECT
    *,
    last_value(permissions_boundary) IGNORE NULLS OVER (
      PARTITION BY role_account, role_name, life
      ORDER BY eventtime, eventid ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS boundary_before,
    lead(CASE WHEN eventname = 'DeleteRole' THEN eventtime END) OVER (
      PARTITION BY role_account, role_name ORDER BY eventtime, eventid) AS deleted_at
  FROM (
    SELECT
      *,
      -- A role that is made anew under an old name has nothing to lose.
      sum(CASE WHEN eventname = 'CreateRole' THEN 1 ELSE 0 END) OVER (
        PARTITION BY role_account, role_name ORDER BY eventtime, eventid) AS life
    FROM changes
    WHERE role_name IS NOT NULL
      AND eventname IN (
        'CreateRole', 'DeleteRole', 'PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary')
  )
),
makers AS (
  SELECT
    *,
    count(*) OVER earlier AS n_made,
    count(permissions_boundary) OVER earlier AS n_bounded,
    last_value(permissions_boundary) IGNORE NULLS OVER earlier AS usual_boundary
  FROM changes
  WHERE eventname = 'CreateRole' AND maker IS NOT NULL
  WINDOW earlier AS (
    PARTITION BY role_account, maker
    ORDER BY eventtime, eventid ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
boundary_policies AS (
  SELECT permissions_boundary AS policy_arn, min(eventtime) AS bound_at
  FROM changes
  WHERE permissions_boundary IS NOT NULL AND arn_account(permissions_boundary) <> 'aws'
  GROUP BY permissions_boundary
),
deletions AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, iac_hint,
    json_get_str(requestparameters, 'policyArn') AS policy_arn
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com' AND eventname = 'DeletePolicy' AND ok
),
found AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, subject,
    role_name, automated,
    CASE WHEN to_unixtime(deleted_at) - to_unixtime(eventtime) <= 60 * $clean_up_minutes
      THEN 2 ELSE 4 END AS level,
    'removed the boundary' AS did,
    boundary_before AS boundary_arn,
    CAST(NULL AS VARCHAR) AS new_boundary_arn,
    CAST(NULL AS VARCHAR) AS bad_version
  FROM bounds
  WHERE eventname = 'DeleteRolePermissionsBoundary'
  UNION ALL
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, subject,
    role_name, automated,
    -- A wide boundary where none is known to have been is still more than none.
    CASE
      WHEN boundary_before IS NULL AND managed_policy_tier(permissions_boundary) = 3 THEN 2
      ELSE 4
    END,
    CASE WHEN managed_policy_tier(permissions_boundary) IS NOT NULL
      THEN 'set a boundary that holds little back'
      ELSE 'replaced the boundary'
    END,
    boundary_before, permissions_boundary, CAST(NULL AS VARCHAR)
  FROM bounds
  WHERE eventname = 'PutRolePermissionsBoundary'
    AND (managed_policy_tier(permissions_boundary) IS NOT NULL
        AND permissions_boundary IS DISTINCT FROM boundary_before
      OR permissions_boundary <> boundary_before)
    -- Nothing is tighter than the policies that shut a role off.
    AND permissions_boundary NOT LIKE '%:aws:policy/AWSDenyAll'
    AND permissions_boundary NOT LIKE '%:aws:policy/AWSCompromisedKeyQuarantine%'
  UNION ALL
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, subject,
    role_name, automated,
    CASE WHEN n_made >= $min_bounded_roles THEN 4 ELSE 3 END,
    'made a role without a boundary, after '
      || CAST(n_made AS VARCHAR) || ' with one',
    usual_boundary, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)
  FROM makers
  WHERE permissions_boundary IS NULL
    AND n_made > 0
    AND n_bounded = n_made
    AND coalesce(role_arn, '') NOT LIKE '%:role/aws-service-role/%'
  UNION ALL
  SELECT
    changes.eventtime, changes.eventid, changes.recipientaccountid, changes.awsregion,
    changes.actor, changes.sourceipaddress, changes.eventname, changes.policy_arn,
    CAST(NULL AS VARCHAR),
    changes.automated,
    -- A version that is seen to hold back what matters is an edit like others.
    CASE
      WHEN changes.policy_class IN ('data-wide', 'guard-tamper', 'service-full', 'plain') THEN 3
      ELSE 4
    END,
    'changed a policy that serves as a boundary', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR),
    changes.policy_version
  FROM changes
  JOIN boundary_policies
    ON boundary_policies.policy_arn = changes.policy_arn
    AND boundary_policies.bound_at <= changes.eventtime
  WHERE changes.eventname IN ('CreatePolicyVersion', 'SetDefaultPolicyVersion')
    AND changes.policy_default
  UNION ALL
  SELECT
    deletions.eventtime, deletions.eventid, deletions.recipientaccountid, deletions.awsregion,
    deletions.actor, deletions.sourceipaddress, deletions.eventname, deletions.policy_arn,
    CAST(NULL AS VARCHAR), deletions.iac_hint OR automation.actor IS NOT NULL, 4,
    'deleted a policy that served as a boundary', deletions.policy_arn, CAST(NULL AS VARCHAR),
    CAST(NULL AS VARCHAR)
  FROM deletions
  JOIN boundary_policies
    ON boundary_policies.policy_arn = deletions.policy_arn
    AND boundary_policies.bound_at <= deletions.eventtime
  LEFT JOIN automation ON automation.actor = deletions.actor
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
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    CASE WHEN automated THEN level - 1 ELSE level END
  ) AS severity,
  did,
  role_name,
  boundary_arn,
  new_boundary_arn,
  CASE WHEN role_name IS NULL THEN subject END AS policy_arn,
  bad_version
FROM found
