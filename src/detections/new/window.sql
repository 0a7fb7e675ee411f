/*---
id = "made-up-rule"
title = "Many refusals within minutes"
severity = "low"
maturity = "sandbox"
kind = "window"
risk = ["unauthorized access"]
attack = ["T1580"]
description = """
One principal is refused several different calls of IAM within minutes. Many events of one principal
decide: this is a start to be changed."""
summary = "{{ actor }} was refused {{ n_calls }} calls of IAM within minutes, from {{ source_ips | few }}."
false_positives = ["Scanners that try everything: name them in `ci_principals`."]
triage = ["Is the principal allowed to look around at all?"]
remediation = ["contain-user", "least-privilege"]
references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"]

[params]
window_minutes = 10
min_calls = 4
---*/
WITH refusals AS (
  SELECT
    *,
    -- Tumbling windows are enough for a start; lag() over the events finds any span.
    floor(to_unixtime(eventtime) / (60 * $window_minutes)) AS window_number
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND errorcode IN ('AccessDenied', 'AccessDeniedException')
    AND actor IS NOT NULL
    AND NOT by_service
),
-- A list that makes something acceptable suppresses openly. One pattern is enough.
known AS (
  SELECT refusals.actor, min(ci_principals.pattern) AS pattern
  FROM refusals
  JOIN ci_principals ON glob_match(ci_principals.pattern, refusals.actor)
  GROUP BY refusals.actor
)
SELECT
  min(refusals.eventtime) AS eventtime,
  first_value(refusals.eventid ORDER BY refusals.eventtime, refusals.eventid) AS eventid,
  refusals.recipientaccountid,
  min(refusals.awsregion) AS awsregion,
  refusals.actor,
  min(refusals.sourceipaddress) AS sourceipaddress,
  min(refusals.eventname) AS eventname,
  refusals.actor AS subject,
  max(refusals.eventtime) AS last_time,
  array_agg(refusals.eventid ORDER BY refusals.eventtime, refusals.eventid) AS event_ids,
  'ci_principals: ' || min(known.pattern) AS suppressed_by,
  count(DISTINCT refusals.eventname) AS n_calls
FROM refusals
LEFT JOIN known ON known.actor = refusals.actor
GROUP BY refusals.recipientaccountid, refusals.actor, refusals.window_number
HAVING count(DISTINCT refusals.eventname) >= $min_calls
