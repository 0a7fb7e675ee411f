-- From when to when each account was recorded, and from when on something in it counts as new.
--
-- An account that joined the lake late has no past before its first record, however old the lake is.
-- What a rule about first times finds before `learned_at` is only learned from: that is `baseline_days`
-- after the account's first record, or the moment that the case says its baseline lasts until. `account`
-- is empty for records that name none.
SELECT
  bounds.account,
  bounds.first_time,
  bounds.last_time,
  coalesce(
    settings.baseline_until,
    to_timestamp_seconds(to_unixtime(bounds.first_time) + 86400 * settings.baseline_days)
  ) AS learned_at
FROM (
  SELECT
    coalesce(recipientaccountid, '') AS account,
    min(eventtime) AS first_time,
    max(eventtime) AS last_time
  FROM cloudtrail
  GROUP BY coalesce(recipientaccountid, '')
) AS bounds
CROSS JOIN settings
