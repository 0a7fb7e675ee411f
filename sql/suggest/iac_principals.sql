-- Principals that change IAM with tools for infrastructure as code on several days. The tool's name is
-- the caller's own word, and CloudFormation may act for a person: the roles of its sessions count only.
WITH changes AS (
  SELECT
    coalesce(caller_role_arn || '/*', actor) AS entry,
    eventname,
    "date",
    CASE
      WHEN session_name = 'AWSCloudFormation' THEN true
      WHEN useridentity.invokedby IS NOT NULL THEN false
      ELSE iac_hint
    END AS by_tool
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND ok
    AND NOT coalesce(readonly, false)
    AND useridentity.type IN ('AssumedRole', 'IAMUser')
    AND NOT console
    AND strpos(coalesce(caller_role_arn, actor), '*') = 0
)
SELECT
  entry,
  'changed IAM ' || CAST(count(*) AS VARCHAR) || ' times on ' || CAST(count(DISTINCT "date") AS VARCHAR)
    || ' days, ' || CAST(sum(CASE WHEN by_tool THEN 1 ELSE 0 END) AS VARCHAR)
    || ' of them with a tool for infrastructure as code; made '
    || CAST(sum(CASE WHEN eventname = 'CreateRole' THEN 1 ELSE 0 END) AS VARCHAR) || ' roles' AS reason,
  false AS in_force
FROM changes
GROUP BY entry
HAVING count(DISTINCT "date") >= 2
  AND count(*) >= 5
  AND 10 * sum(CASE WHEN by_tool THEN 1 ELSE 0 END) >= 9 * count(*)
ORDER BY entry
