-- Roles that are named like emergency roles.
WITH names AS (
  SELECT target_role_name AS role_name, eventid, ok
  FROM role_assumptions
  UNION ALL
  SELECT role_name, eventid, false
  FROM role_changes
)
SELECT
  role_name AS entry,
  'named like an emergency role, taken ' || CAST(sum(CASE WHEN ok THEN 1 ELSE 0 END) AS VARCHAR)
    || ' times' AS reason,
  false AS in_force
FROM names
WHERE regexp_like(role_name, 'break-?_?glass|fire-?_?call|emergency|in-case-of', 'i')
  AND strpos(role_name, '*') = 0
GROUP BY role_name
ORDER BY entry
