/*---
id = "made-up-rule"
title = "A principal makes access keys for the first time"
severity = "low"
maturity = "sandbox"
kind = "first-seen"
risk = ["unauthorized access"]
attack = ["T1098.001"]
description = """
A principal made an access key and had made none in the days before. What was never there before
decides: this is a start to be changed."""
summary = "{{ actor }} made an access key for the first time in {{ baseline_days }} days."
false_positives = ["New colleagues, and work that comes a few times in a year."]
triage = ["Whose key is it, and who asked for it?"]
remediation = ["contain-user"]
references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"]
---*/
WITH calls AS (
  SELECT
    *,
    lag(eventtime) OVER (PARTITION BY actor ORDER BY eventtime, eventid) AS time_before
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND eventname = 'CreateAccessKey'
    AND ok
    AND actor IS NOT NULL
)
SELECT
  calls.eventtime,
  calls.eventid,
  calls.recipientaccountid,
  calls.awsregion,
  calls.actor,
  calls.sourceipaddress,
  calls.eventname,
  calls.subject,
  -- Before an account was recorded for long enough, everything in it is new: learn, do not tell.
  calls.eventtime < recorded.learned_at AS learning,
  settings.baseline_days
FROM calls
CROSS JOIN settings
JOIN recorded ON recorded.account = coalesce(calls.recipientaccountid, '')
WHERE calls.time_before IS NULL
  OR to_unixtime(calls.eventtime) - to_unixtime(calls.time_before) > 86400 * settings.baseline_days
