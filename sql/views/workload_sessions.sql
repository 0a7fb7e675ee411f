-- Sessions that instances, functions, tasks and pods act in, by role and session name.
--
-- The record of a call tells it only for some (`workload` in `activity`); for the others one must know who
-- took the role: a service on behalf of a workload, or a pod with its service account's token. Join it on
-- `caller_role_arn` and `session_name`.
SELECT
  target_role_arn AS role_arn,
  role_session_name AS session_name,
  min(CASE
    WHEN actor LIKE 'ec2.%' THEN 'instance'
    WHEN actor LIKE 'lambda.%' OR actor LIKE 'edgelambda.%' THEN 'function'
    WHEN actor LIKE 'ecs-tasks.%' THEN 'task'
    WHEN actor LIKE 'pods.eks.%' OR eventname = 'AssumeRoleWithWebIdentity' THEN 'pod'
    ELSE 'build'
  END) AS workload
FROM role_assumptions
WHERE ok
  AND target_role_arn IS NOT NULL
  AND role_session_name IS NOT NULL
  AND (
    caller_kind = 'service' AND regexp_like(
      actor,
      '^(ec2|lambda|edgelambda|ecs-tasks|pods\.eks|codebuild|glue|sagemaker|batch)\.amazonaws\.com')
    OR eventname = 'AssumeRoleWithWebIdentity' AND token_subject LIKE 'system:serviceaccount:%')
GROUP BY target_role_arn, role_session_name
