-- Sessions that instances, functions, tasks, pods and builds act in: one row for each.
--
-- Who holds a session is what `sessions` says: the service that took the role on behalf of a workload, a
-- service account's token, or, where nobody saw the role being taken, the session's own records. Where
-- they are silent, the name speaks, if the evidence shows it of a workload's sessions of that role and of
-- nobody else's. A session that was taken from within a workload's session is not the workload's own.
-- Join it on `session_id`, which `session_marks` gives for the marks of `callers`.
WITH held AS (
  SELECT
    sessions.session_id,
    sessions.role_arn,
    sessions.session_name,
    holders.kind AS holder,
    CASE
      WHEN holders.kind IN ('instance', 'function', 'task', 'pod') THEN holders.kind
      WHEN holders.kind <> 'service' THEN NULL
      WHEN holders.root_identity LIKE 'ec2.%' THEN 'instance'
      WHEN regexp_like(holders.root_identity, '^(edge)?lambda\.') THEN 'function'
      WHEN holders.root_identity LIKE 'ecs-tasks.%' THEN 'task'
      WHEN holders.root_identity LIKE 'pods.eks.%' THEN 'pod'
      WHEN regexp_like(holders.root_identity, '^(codebuild|glue|sagemaker|batch)\.') THEN 'build'
    END AS workload
  FROM sessions
  JOIN sessions AS holders ON holders.session_id = sessions.parent_id
  WHERE sessions.kind = 'role'
),
names AS (
  SELECT role_arn, session_name, min(workload) AS workload
  FROM held
  WHERE holder <> 'unseen' AND session_name IS NOT NULL
  GROUP BY role_arn, session_name
  HAVING count(*) = count(workload)
)
SELECT held.session_id, held.role_arn, held.session_name,
  coalesce(held.workload, names.workload) AS workload
FROM held
LEFT JOIN names
  ON names.role_arn = held.role_arn
  AND names.session_name = held.session_name
  AND held.holder = 'unseen'
WHERE coalesce(held.workload, names.workload) IS NOT NULL
