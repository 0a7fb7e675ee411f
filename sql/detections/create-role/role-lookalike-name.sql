/*---
id = "role-lookalike-name"
title = "Role name imitates one of AWS or a sensitive one"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["misconfigured trust"]
attack = ["T1036", "T1098.003"]
description = """
Somebody other than AWS made a role whose name AWS gives to its own roles, outside of the path that
is reserved for them, or a role whose name differs by a letter or two from a sensitive role. Such a
role is passed over when people read lists of roles. The two administration roles that the
documentation has people make by hand are low where only other accounts of ours are trusted."""
summary = """{{ actor }} made {{ subject }}, whose name looks like {{ imitates }}."""
false_positives = [
  "A bootstrap of the CDK or of a quick setup by hand instead of through CloudFormation.",
  "Names of one family that differ in a short word, where the words are not set apart.",
]
triage = [
  "Who made the role, and why under this name?",
  "Whom does the role trust, and what may it do?",
  "Did anybody take it since?",
]
remediation = ["remove-role", "correct-trust-policy"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html",
  "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html",
]

[params]
# More differences than this are another name.
max_distance = 2
# Short names are alike by chance.
min_length = 8
---*/
WITH made AS (
  SELECT
    *,
    coalesce(
      json_get_str(requestparameters, 'path'), json_get_str(responseelements, 'role', 'path'), '/')
      AS path,
    coalesce(useridentity.invokedby, '') AS invoked_by,
    -- Words of a name: at signs and where a capital follows a small letter. Numbers and short words
    -- tell the roles of one family apart (`-eu`, `-dev`, `-2`).
    array_to_string(array_filter(
      string_to_array(
        translate(
          lower(regexp_replace(role_name, '([a-z])([A-Z])', '$1-$2')),
          '_./0123456789', '---'),
        '-'),
      word -> length(word) > 3), '-') AS words
  FROM role_changes
  WHERE eventname = 'CreateRole'
    AND ok
    AND role_name IS NOT NULL
    AND useridentity.type IS DISTINCT FROM 'AWSService'
    -- What AWS does in the name of somebody is AWS's doing, but for CloudFormation: that runs any
    -- template.
    AND (NOT by_service OR useridentity.invokedby = 'cloudformation.amazonaws.com')
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/service-role/AWSControlTower%'
),
of_aws AS (
  SELECT
    made.eventid,
    'a role that AWS makes' AS imitates,
    CASE
      WHEN lower(role_name) IN ('organizationaccountaccessrole', 'awscontroltowerexecution')
        AND trust_verdict IN ('trusted-account', 'trusted-principal', 'org-wide', 'none')
        -- These roles are there for the management account, never for one in their own account.
        AND NOT coalesce(array_has(
          array_transform(
            trust_principals, principal -> coalesce(arn_account(principal), principal)),
          role_account), false) THEN 2
      ELSE 4
    END AS weight
  FROM made
  WHERE glob_match('AWSServiceRoleFor*', role_name) AND path NOT LIKE '/aws-service-role/%'
    OR glob_match('AWSReservedSSO_*', role_name)
      AND path NOT LIKE '/aws-reserved/sso.amazonaws.com/%'
    OR (glob_match('AWSControlTower*', role_name) OR glob_match('aws-controltower-*', role_name))
      AND path NOT LIKE '/service-role/%'
      AND invoked_by <> 'cloudformation.amazonaws.com'
    OR lower(role_name) = 'organizationaccountaccessrole'
    OR (glob_match('stacksets-exec-*', role_name) OR glob_match('*-quicksetup-*', role_name))
      AND invoked_by <> 'cloudformation.amazonaws.com'
    -- The bootstrap of the CDK is a template.
    OR glob_match('cdk-*-role-*', role_name) AND invoked_by <> 'cloudformation.amazonaws.com'
),
-- Strong roles by when they are first seen. Two names of AWS are known everywhere.
known AS (
  SELECT strong.role_account, strong.role_name, min(seen.seen_at) AS seen_at
  FROM strong_roles AS strong
  JOIN (
    SELECT target_account AS role_account, target_role_name AS role_name, min(eventtime) AS seen_at
    FROM role_assumptions
    WHERE ok
    GROUP BY target_account, target_role_name
    UNION ALL
    SELECT role_account, role_name, min(eventtime)
    FROM role_changes
    WHERE ok
    GROUP BY role_account, role_name
  ) AS seen
    ON seen.role_account = strong.role_account AND seen.role_name = strong.role_name
  GROUP BY strong.role_account, strong.role_name
),
like_known AS (
  SELECT
    made.eventid,
    min(known.role_name) AS imitates,
    4 AS weight
  FROM made
  JOIN (
    SELECT role_account, role_name, seen_at FROM known
    UNION ALL
    SELECT makers.role_account, names.role_name, CAST(NULL AS TIMESTAMP)
    FROM (SELECT DISTINCT role_account FROM made) AS makers
    CROSS JOIN (
      SELECT unnest(make_array('OrganizationAccountAccessRole', 'AWSControlTowerExecution'))
        AS role_name
    ) AS names
  ) AS known
    ON known.role_account = made.role_account
    AND lower(known.role_name) <> lower(made.role_name)
    AND (known.seen_at IS NULL OR known.seen_at < made.eventtime)
    AND length(made.role_name) >= $min_length
    AND abs(length(known.role_name) - length(made.role_name)) <= $max_distance
    AND levenshtein_distance(lower(known.role_name), lower(made.role_name)) <= $max_distance
  WHERE array_to_string(array_filter(
      string_to_array(
        translate(
          lower(regexp_replace(known.role_name, '([a-z])([A-Z])', '$1-$2')),
          '_./0123456789', '---'),
        '-'),
      word -> length(word) > 3), '-') <> made.words
    -- Two of a family that one hand made.
    AND NOT EXISTS (
      SELECT 1 FROM role_births AS births
      WHERE births.role_account = known.role_account
        AND births.role_name = known.role_name
        AND births.born_by = made.actor
        AND births.born_by_iac)
  GROUP BY made.eventid
),
found AS (
  SELECT eventid, max(weight) AS weight, min(imitates) AS imitates
  FROM (
    SELECT * FROM of_aws
    UNION ALL
    SELECT eventid, imitates, weight FROM like_known
  )
  GROUP BY eventid
)
SELECT
  made.eventtime,
  made.eventid,
  made.recipientaccountid,
  made.awsregion,
  made.actor,
  made.sourceipaddress,
  made.eventname,
  coalesce(made.role_arn, made.subject) AS subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    found.weight - CASE WHEN made.iac_hint AND found.weight > 2 THEN 1 ELSE 0 END) AS severity,
  found.imitates,
  made.role_name,
  made.path,
  made.trust_verdict,
  made.trust_principals
FROM found
JOIN made ON made.eventid = found.eventid
