/*---
id = "long-lived-access-key-in-use"
title = "Long-lived access key in use"
severity = "low"
maturity = "stable"
kind = "state"
risk = ["misconfiguration"]
attack = ["T1078.004", "T1552.001"]
description = """
A long-term access key is at least three months old and still used; or a user got a second key and
the first was still used two weeks later, so the rotation did not end; or a key lies unused while
its user works in the console. The log proves a lower bound of a key's age only: the account's
credential report has the date. Keys older than a year and keys that change IAM weigh more."""
summary = """Key {{ access_key_id }} of {{ subject }} {% if why == "old" %}is in use for {{ age_days
}} days at least{% elif why == "not rotated" %}was still used {{ overlap_days }} days after {{
newer_key }} was made to replace it{% else %}is unused for {{ idle_days }} days while its user works
in the console{% endif %}."""
false_positives = [
  "Keys of programs outside of AWS that cannot take roles: rotate them on a plan.",
]
triage = [
  "What uses the key, and could it take a role instead?",
  "Where is the key stored, and who can read it there?",
  "Do the addresses that use it fit that place?",
]
remediation = ["contain-user"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html",
]
# Each key has its own way to rotation.
group_by = ["access_key_id"]

[params]
old_days = 90
very_old_days = 365
in_use_days = 7
overlap_days = 14
unused_days = 45
---*/
WITH made AS (
  SELECT
    json_get_str(responseelements, 'accessKey', 'accessKeyId') AS access_key_id,
    coalesce(recipientaccountid, caller_account) AS account,
    -- Without a name in the request the caller made it for itself.
    coalesce(
      json_get_str(responseelements, 'accessKey', 'userName'),
      json_get_str(requestparameters, 'userName'),
      CASE WHEN useridentity.type = 'IAMUser' THEN useridentity.username END
    ) AS user_name,
    eventtime AS made_at,
    eventid AS made_eventid
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com' AND eventname = 'CreateAccessKey' AND ok
),
gone AS (
  SELECT DISTINCT json_get_str(requestparameters, 'accessKeyId') AS access_key_id
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com' AND ok
    AND (eventname = 'DeleteAccessKey'
      OR eventname = 'UpdateAccessKey' AND json_get_str(requestparameters, 'status') = 'Inactive')
),
used AS (
  SELECT
    useridentity.accesskeyid AS access_key_id,
    coalesce(min(useridentity.accountid), '') AS account,
    useridentity.username AS user_name,
    min(useridentity.arn) AS user_arn,
    min(eventtime) AS first_used,
    max(eventtime) AS last_used,
    first_value(eventid ORDER BY eventtime, eventid) AS first_eventid,
    last_value(eventid ORDER BY eventtime, eventid) AS last_eventid,
    last_value(awsregion ORDER BY eventtime, eventid) AS awsregion,
    last_value(sourceipaddress ORDER BY eventtime, eventid) AS sourceipaddress,
    last_value(eventname ORDER BY eventtime, eventid) AS eventname,
    count(*) AS n_uses,
    sum(CASE WHEN eventsource = 'iam.amazonaws.com' AND errorcode IS NULL
        AND NOT coalesce(readonly, regexp_like(eventname, '^(Get|List|Simulate|Generate)'))
      THEN 1 ELSE 0 END) AS n_iam_writes
  FROM cloudtrail
  WHERE useridentity.type = 'IAMUser'
    AND useridentity.accesskeyid LIKE 'AKIA%'
    -- Some exporters cover keys with asterisks, which makes one of all.
    AND useridentity.accesskeyid NOT LIKE '%*%'
  GROUP BY useridentity.accesskeyid, useridentity.username
),
ended AS (
  SELECT max(last_time) AS ended_at FROM recorded
),
keys AS (
  SELECT
    coalesce(used.access_key_id, made.access_key_id) AS access_key_id,
    coalesce(used.account, made.account) AS account,
    coalesce(used.user_name, made.user_name) AS user_name,
    coalesce(
      used.user_arn, iam_arn('', made.account, 'user/' || made.user_name)) AS user_arn,
    made.made_at,
    made.made_eventid,
    used.* EXCEPT (access_key_id, account, user_name, user_arn),
    gone.access_key_id IS NOT NULL AS is_gone
  FROM used
  FULL JOIN made ON made.access_key_id = used.access_key_id
  LEFT JOIN gone ON gone.access_key_id = coalesce(used.access_key_id, made.access_key_id)
),
old AS (
  SELECT
    keys.*,
    'old' AS why,
    (to_unixtime(ended.ended_at)
      - to_unixtime(least(keys.first_used, coalesce(keys.made_at, keys.first_used)))) / 86400 AS days,
    CAST(NULL AS VARCHAR) AS newer_key,
    CAST(NULL AS VARCHAR) AS newer_eventid
  FROM keys
  CROSS JOIN ended
  WHERE NOT keys.is_gone
    AND to_unixtime(ended.ended_at)
        - to_unixtime(least(keys.first_used, coalesce(keys.made_at, keys.first_used)))
      >= 86400 * $old_days
    AND to_unixtime(ended.ended_at) - to_unixtime(keys.last_used) <= 86400 * $in_use_days
),
-- The latest key that was made while this one went on.
not_rotated AS (
  SELECT * EXCEPT (place)
  FROM (
    SELECT
      keys.*,
      'not rotated' AS why,
      (to_unixtime(keys.last_used) - to_unixtime(newer.made_at)) / 86400 AS days,
      newer.access_key_id AS newer_key,
      newer.made_eventid AS newer_eventid,
      row_number() OVER (
        PARTITION BY keys.access_key_id, keys.user_name
        ORDER BY newer.made_at DESC, newer.made_eventid) AS place
    FROM keys
    JOIN made AS newer
      ON newer.account = keys.account
      AND newer.user_name = keys.user_name
      AND newer.access_key_id <> keys.access_key_id
    WHERE NOT keys.is_gone
      AND least(keys.first_used, coalesce(keys.made_at, keys.first_used)) < newer.made_at
      AND to_unixtime(keys.last_used) - to_unixtime(newer.made_at) >= 86400 * $overlap_days
  )
  WHERE place = 1
),
people AS (
  SELECT
    useridentity.accountid AS account,
    useridentity.username AS user_name,
    max(eventtime) AS last_console
  FROM cloudtrail
  WHERE useridentity.type = 'IAMUser'
    AND (eventname = 'ConsoleLogin' AND errormessage IS NULL
      OR lower(coalesce(sessioncredentialfromconsole, '')) = 'true'
      OR lower(coalesce(
        useridentity.sessioncontext.attributes.sessioncredentialfromconsole, '')) = 'true')
  GROUP BY useridentity.accountid, useridentity.username
),
unused AS (
  SELECT
    keys.*,
    'unused' AS why,
    (to_unixtime(ended.ended_at) - to_unixtime(coalesce(keys.last_used, keys.made_at))) / 86400
      AS days,
    CAST(NULL AS VARCHAR) AS newer_key,
    CAST(NULL AS VARCHAR) AS newer_eventid
  FROM keys
  CROSS JOIN ended
  JOIN people ON people.account = keys.account AND people.user_name = keys.user_name
  WHERE NOT keys.is_gone
    AND to_unixtime(ended.ended_at) - to_unixtime(coalesce(keys.last_used, keys.made_at))
      >= 86400 * $unused_days
    AND people.last_console > coalesce(keys.last_used, keys.made_at)
),
found AS (
  SELECT * FROM old
  UNION ALL
  SELECT * FROM not_rotated
  UNION ALL
  SELECT * FROM unused
)
SELECT
  coalesce(last_used, made_at) AS eventtime,
  coalesce(last_eventid, made_eventid) AS eventid,
  account AS recipientaccountid,
  awsregion,
  -- Whose key it is also called with it.
  user_arn AS actor,
  sourceipaddress,
  coalesce(eventname, 'CreateAccessKey') AS eventname,
  user_arn AS subject,
  CASE
    WHEN why = 'old' AND (days > $very_old_days OR n_iam_writes > 0) THEN 'medium'
    ELSE 'low'
  END AS severity,
  least(first_used, coalesce(made_at, first_used)) AS first_time,
  array_distinct(array_compact(
    make_array(made_eventid, first_eventid, newer_eventid, last_eventid))) AS event_ids,
  why,
  access_key_id,
  user_name,
  CASE WHEN why = 'old' THEN CAST(floor(days) AS BIGINT) END AS age_days,
  CASE WHEN why = 'not rotated' THEN CAST(floor(days) AS BIGINT) END AS overlap_days,
  CASE WHEN why = 'unused' THEN CAST(floor(days) AS BIGINT) END AS idle_days,
  newer_key,
  coalesce(n_uses, 0) AS n_uses,
  coalesce(n_iam_writes, 0) AS n_iam_writes
FROM found
