-- Roles that were given the rights of an administrator.
SELECT
  role_name AS entry,
  'was given the rights of an administrator in ' || CAST(count(DISTINCT role_account) AS VARCHAR)
    || CASE WHEN count(DISTINCT role_account) = 1 THEN ' account' ELSE ' accounts' END AS reason,
  true AS in_force
FROM strong_roles
WHERE why = 'an administrator role' AND strpos(role_name, '*') = 0
GROUP BY role_name
ORDER BY entry
