/*---
id = "made-up-rule"
title = "A new user gets an access key at once"
severity = "medium"
maturity = "sandbox"
kind = "sequence"
risk = ["unauthorized access"]
attack = ["T1136.003"]
description = """
One principal makes an IAM user and a key for it within the hour. Events that follow one another
decide: this is a start to be changed."""
summary = "{{ actor }} made {{ subject }} and {{ minutes }} minutes later a key for it."
false_positives = ["Scripts that set up service users: name their principals in `iac_principals`."]
triage = ["What is the user for?", "What did its key do since?"]
remediation = ["contain-user"]
references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_create.html"]

[params]
window_minutes = 60
---*/
WITH steps AS (
  SELECT *
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND eventname IN ('CreateUser', 'CreateAccessKey')
    AND ok
    AND actor IS NOT NULL
),
-- Keys of equality on every join; what remains is compared among few rows.
pairs AS (
  SELECT
    made.*,
    given.eventtime AS given_at,
    make_array(made.eventid, given.eventid) AS event_ids,
    to_unixtime(given.eventtime) - to_unixtime(made.eventtime) AS seconds
  FROM steps AS made
  JOIN steps AS given ON given.actor = made.actor AND given.subject = made.subject
  WHERE made.eventname = 'CreateUser' AND given.eventname = 'CreateAccessKey'
),
known AS (
  SELECT pairs.actor, min(iac_principals.pattern) AS pattern
  FROM pairs
  JOIN iac_principals ON glob_match(iac_principals.pattern, pairs.actor)
  GROUP BY pairs.actor
)
SELECT
  pairs.eventtime,
  pairs.eventid,
  pairs.recipientaccountid,
  pairs.awsregion,
  pairs.actor,
  pairs.sourceipaddress,
  pairs.eventname,
  pairs.subject,
  pairs.given_at AS last_time,
  pairs.event_ids,
  'iac_principals: ' || known.pattern AS suppressed_by,
  CAST(pairs.seconds / 60 AS BIGINT) AS minutes
FROM pairs
LEFT JOIN known ON known.actor = pairs.actor
WHERE pairs.seconds BETWEEN 0 AND 60 * $window_minutes
