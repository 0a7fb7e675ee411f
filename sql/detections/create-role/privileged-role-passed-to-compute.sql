/*---
id = "privileged-role-passed-to-compute"
title = "Role handed to compute by a new hand"
severity = "medium"
maturity = "incubating"
kind = "first-seen"
group_by = ["caller"]
risk = ["privilege escalation"]
attack = ["T1548.005", "T1098.003"]
description = """
Somebody gave a role to an instance, function, stack, job or other thing that runs what one tells
it, and had not given away this role before in an account whose records go back far enough. Whoever
may do that has the role's rights. A strong role is high, any other medium; less weighs what callers
do who often hand out roles, and a role that is too young to have a past. Passing a role writes no
event of its own, so the role is read out of the call that took it, and instance profiles are
resolved as far as the evidence goes. What lasts is to allow `iam:PassRole` for named roles only,
under a condition on `iam:PassedToService`."""
summary = """{{ caller }} handed {% if role_is %}{{ role_is }}, {% endif %}{{ subject }} to
{{ service }} {% if resource %}({{ resource }}) {% endif %}for the first time in
{{ baseline_days }} days."""
false_positives = [
  "Deployment pipelines: name them in `iac_principals`.",
  "A first rollout by a person who is new to the account.",
]
triage = [
  "Does the caller have a reason to run something with this role?",
  "What did the role's sessions do since?",
  "May the caller do less than the role?",
]
remediation = ["compute-role", "remove-permissions", "least-privilege"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
]

[params]
min_role_age_hours = 24
many_roles = 3
---*/
WITH passed AS (
  SELECT
    *,
    coalesce(caller_role_arn, actor) AS caller,
    -- A profile that the evidence does not resolve mostly has the name of its role.
    coalesce(role_name(passed_role_arn), instance_profile) AS role,
    coalesce(
      passed_role_arn,
      iam_arn(awsregion, recipientaccountid, 'instance-profile/' || instance_profile)
    ) AS passed
  FROM roles_passed
  WHERE coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
    -- Roles that only their own service can take.
    AND coalesce(passed_role_arn, '') NOT LIKE '%:role/aws-service-role/%'
    AND coalesce(passed_role_arn, instance_profile) IS NOT NULL
    AND actor IS NOT NULL
),
firsts AS (
  SELECT passed.*, settings.baseline_days
  FROM (
    SELECT
      *,
      lag(eventtime) OVER (PARTITION BY caller, passed ORDER BY eventtime, eventid) AS passed_before
    FROM passed
  ) AS passed
  CROSS JOIN settings
  WHERE passed.passed_before IS NULL
    OR to_unixtime(passed.eventtime) - to_unixtime(passed.passed_before)
      > 86400 * settings.baseline_days
),
hands AS (
  -- Callers who handed out other roles in the days before.
  SELECT firsts.eventid, firsts.passed, count(DISTINCT other.passed) AS n_others
  FROM firsts
  JOIN passed AS other ON other.caller = firsts.caller
  WHERE other.passed <> firsts.passed
    AND other.eventtime < firsts.eventtime
    AND to_unixtime(firsts.eventtime) - to_unixtime(other.eventtime) <= 86400 * firsts.baseline_days
  GROUP BY firsts.eventid, firsts.passed
),
listed AS (
  SELECT firsts.actor, min(iac_principals.pattern) AS pattern
  FROM firsts
  JOIN iac_principals ON glob_match(iac_principals.pattern, firsts.actor)
  GROUP BY firsts.actor
),
young AS (
  SELECT DISTINCT firsts.eventid, firsts.passed
  FROM firsts
  JOIN role_births AS births
    ON births.role_account = coalesce(arn_account(firsts.passed), firsts.recipientaccountid)
    AND births.role_name = firsts.role
  WHERE births.born_at <= firsts.eventtime
    AND to_unixtime(firsts.eventtime) - to_unixtime(births.born_at) < 3600 * $min_role_age_hours
)
SELECT
  firsts.eventtime,
  firsts.eventid,
  firsts.recipientaccountid,
  firsts.awsregion,
  firsts.actor,
  firsts.sourceipaddress,
  firsts.eventname,
  firsts.passed AS subject,
  array_element(
    make_array('info', 'low', 'medium', 'high'),
    CASE
      WHEN strong.role_name IS NOT NULL THEN 4
      WHEN young.eventid IS NOT NULL OR hands.n_others >= $many_roles THEN 2
      ELSE 3
    END - CASE WHEN firsts.iac_hint THEN 1 ELSE 0 END
  ) AS severity,
  'iac_principals: ' || listed.pattern AS suppressed_by,
  firsts.eventtime < recorded.learned_at AS learning,
  firsts.caller,
  firsts.role AS role_name,
  firsts.passed_role_arn AS role_arn,
  strong.why AS role_is,
  firsts.service,
  firsts.resource,
  CASE WHEN firsts.service = 'lambda' THEN firsts.resource END AS function_name,
  CASE WHEN firsts.resource LIKE 'i-%' AND firsts.service = 'ec2' THEN firsts.resource END
    AS instance_id,
  coalesce(hands.n_others, 0) AS n_other_roles,
  firsts.baseline_days
FROM firsts
JOIN recorded ON recorded.account = coalesce(firsts.recipientaccountid, '')
LEFT JOIN strong_roles AS strong
  ON strong.role_account = coalesce(arn_account(firsts.passed), firsts.recipientaccountid)
  AND strong.role_name = firsts.role
LEFT JOIN hands ON hands.eventid = firsts.eventid AND hands.passed = firsts.passed
LEFT JOIN young ON young.eventid = firsts.eventid AND young.passed = firsts.passed
LEFT JOIN listed ON listed.actor = firsts.actor
