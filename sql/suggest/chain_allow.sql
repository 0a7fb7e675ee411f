-- Steps from role to role that are taken on several days.
SELECT
  caller_role_arn AS entry,
  CAST(count(*) AS VARCHAR) || ' calls on ' || CAST(count(DISTINCT "date") AS VARCHAR) || ' days'
    AS reason,
  false AS in_force,
  target_role_arn AS to_role
FROM role_assumptions
WHERE eventname = 'AssumeRole'
  AND ok
  AND caller_kind = 'role'
  AND caller_role_arn IS NOT NULL
  AND target_role_arn IS NOT NULL
  AND strpos(caller_role_arn, '*') = 0
  AND strpos(target_role_arn, '*') = 0
GROUP BY caller_role_arn, target_role_arn
HAVING count(*) >= 5 AND count(DISTINCT "date") >= 3
ORDER BY entry, to_role
