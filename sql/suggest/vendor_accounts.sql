-- Accounts of others that take roles of ours again and again, always with an external id.
SELECT
  calls.caller_account AS entry,
  'took ' || CAST(count(DISTINCT calls.target_role_arn) AS VARCHAR) || ' roles in '
    || CAST(count(*) AS VARCHAR) || ' calls on ' || CAST(count(DISTINCT calls."date") AS VARCHAR)
    || ' days, always with an external id' AS reason,
  false AS in_force,
  array_agg(DISTINCT calls.target_role_arn ORDER BY calls.target_role_arn) AS roles
FROM role_assumptions AS calls
JOIN own_accounts AS ours ON ours.account = calls.target_account
LEFT JOIN own_accounts AS own ON own.account = calls.caller_account
WHERE calls.eventname = 'AssumeRole'
  AND calls.ok
  AND calls.caller_kind <> 'service'
  AND calls.caller_account IS NOT NULL
  AND own.account IS NULL
  AND strpos(calls.target_role_arn, '*') = 0
GROUP BY calls.caller_account
HAVING count(*) >= 3 AND count(DISTINCT calls."date") >= 2 AND count(calls.external_id) = count(*)
ORDER BY entry
