-- Organizations that trails are delivered for, by the paths of their files; and, to be checked, those
-- that the records of AWS Organizations name.
WITH paths AS (
  SELECT regexp_match(uri, '(^|/)AWSLogs/(o-[a-z0-9]{10,32})/')[2] AS org_id
  FROM sources
),
named AS (
  SELECT regexp_match(
    coalesce(CAST(responseelements AS VARCHAR), '') || coalesce(CAST(requestparameters AS VARCHAR), ''),
    ':organizations::[0-9]{12}:[a-z]+/(o-[a-z0-9]{10,32})')[1] AS org_id
  FROM activity
  WHERE eventsource = 'organizations.amazonaws.com' AND ok
),
found AS (
  SELECT org_id, count(*) AS n_paths, 0 AS n_records FROM paths WHERE org_id IS NOT NULL GROUP BY org_id
  UNION ALL
  SELECT org_id, 0, count(*) FROM named WHERE org_id IS NOT NULL GROUP BY org_id
)
SELECT
  org_id AS entry,
  CASE WHEN sum(n_paths) > 0
    THEN 'in the paths of ' || CAST(sum(n_paths) AS VARCHAR) || ' files'
    ELSE 'named by ' || CAST(sum(n_records) AS VARCHAR) || ' records of AWS Organizations'
  END AS reason,
  sum(n_paths) > 0 AS in_force
FROM found
GROUP BY org_id
ORDER BY entry
