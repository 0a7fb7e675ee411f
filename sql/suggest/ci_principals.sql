-- Principals that take several roles day after day, around the clock or under ever new session names,
-- as pipelines, scanners and backup tools do. People behind Identity Center or a console do not count.
WITH takes AS (
  SELECT
    coalesce(caller_role_arn || '/*', actor) AS entry,
    target_role_arn,
    session_name,
    "date",
    date_part('hour', eventtime) AS hour
  FROM role_assumptions
  WHERE eventname = 'AssumeRole'
    AND ok
    AND caller_kind IN ('role', 'user')
    AND NOT console
    AND NOT by_service
    AND workload IS NULL
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
    AND strpos(coalesce(caller_role_arn, actor), '*') = 0
)
SELECT
  entry,
  'took ' || CAST(count(DISTINCT target_role_arn) AS VARCHAR) || ' roles in ' || CAST(count(*) AS VARCHAR)
    || ' calls on ' || CAST(count(DISTINCT "date") AS VARCHAR) || ' days, at '
    || CAST(count(DISTINCT hour) AS VARCHAR) || ' hours of the day, under '
    || CAST(count(DISTINCT session_name) AS VARCHAR) || ' session names' AS reason,
  false AS in_force
FROM takes
GROUP BY entry
HAVING count(DISTINCT target_role_arn) >= 2
  AND count(DISTINCT "date") >= 3
  AND count(*) >= 10
  AND (count(DISTINCT hour) >= 16 OR count(DISTINCT session_name) >= 10)
ORDER BY entry
