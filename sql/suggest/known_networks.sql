-- Networks that several principals come from on several days. Services and machines of AWS do not count.
SELECT
  src_net AS entry,
  CAST(count(*) AS VARCHAR) || ' events of ' || CAST(count(DISTINCT coalesce(caller_role_arn, actor)) AS VARCHAR)
    || ' principals on ' || CAST(count(DISTINCT "date") AS VARCHAR) || ' days' AS reason,
  false AS in_force
FROM activity
WHERE src_net IS NOT NULL
  AND ok
  AND NOT by_service
  AND workload IS NULL
  AND actor IS NOT NULL
GROUP BY src_net
HAVING count(DISTINCT coalesce(caller_role_arn, actor)) >= 2 AND count(DISTINCT "date") >= 3
ORDER BY entry
