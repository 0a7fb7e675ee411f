-- Regions in which people or tools work on several days.
SELECT
  awsregion AS entry,
  CAST(count(*) AS VARCHAR) || ' calls of '
    || CAST(count(DISTINCT coalesce(caller_role_arn, actor)) AS VARCHAR)
    || ' principals on ' || CAST(count(DISTINCT "date") AS VARCHAR) || ' days' AS reason,
  true AS in_force
FROM activity
WHERE ok
  AND NOT by_service
  AND actor IS NOT NULL
  AND regexp_like(awsregion, '^[a-z]{2}(-[a-z]+)+-[0-9]+$')
GROUP BY awsregion
HAVING count(DISTINCT coalesce(caller_role_arn, actor)) >= 2 AND count(DISTINCT "date") >= 3
ORDER BY entry
