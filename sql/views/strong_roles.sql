-- Roles that whoever takes them gains much by: sensitive or break-glass by name, or given the rights of
-- an administrator in the evidence. One row for each role, with the reason in words.
WITH names AS (
  SELECT DISTINCT target_account AS role_account, target_role_name AS role_name
  FROM role_assumptions
  WHERE target_account IS NOT NULL AND target_role_name IS NOT NULL
  UNION
  SELECT DISTINCT role_account, role_name
  FROM role_changes
  WHERE role_account IS NOT NULL AND role_name IS NOT NULL
),
reasons AS (
  SELECT names.role_account, names.role_name, 'a break-glass role' AS why
  FROM names
  JOIN break_glass_roles AS listed ON glob_match(listed.pattern, names.role_name)
  UNION ALL
  SELECT names.role_account, names.role_name, 'a sensitive role'
  FROM names
  JOIN sensitive_roles AS listed ON glob_match(listed.pattern, names.role_name)
  UNION ALL
  SELECT changes.role_account, changes.role_name, 'an administrator role'
  FROM role_changes AS changes
  LEFT JOIN policy_versions AS versions
    ON versions.policy_arn = changes.policy_arn AND versions.policy_default
  WHERE changes.eventname IN ('AttachRolePolicy', 'PutRolePolicy')
    AND changes.ok
    AND changes.role_name IS NOT NULL
    AND (changes.policy_tier = 1
      OR changes.policy_class = 'admin'
      OR versions.policy_class = 'admin')
)
SELECT role_account, role_name, min(why) AS why
FROM reasons
GROUP BY role_account, role_name
