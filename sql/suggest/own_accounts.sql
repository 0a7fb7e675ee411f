-- Accounts that events were recorded in.
SELECT
  recipientaccountid AS entry,
  'recorded ' || CAST(count(*) AS VARCHAR) || ' events from ' || min("date") || ' to ' || max("date")
    AS reason,
  true AS in_force
FROM cloudtrail
WHERE recipientaccountid IS NOT NULL
GROUP BY recipientaccountid
ORDER BY entry
