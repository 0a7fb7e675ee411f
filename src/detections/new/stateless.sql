/*---
id = "made-up-rule"
title = "A user got a password for the console"
severity = "low"
maturity = "sandbox"
kind = "stateless"
risk = ["unauthorized access"]
attack = ["T1098"]
description = """
Somebody gave an IAM user a password. One event decides: this is a start to be changed."""
summary = "{{ actor }} gave {{ subject }} a password for the console."
false_positives = ["New colleagues, where people are IAM users."]
triage = ["Is the user a person who needs the console?"]
remediation = ["contain-user"]
references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html"]
---*/
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  subject,
  -- Further columns are evidence.
  json_get_str(requestparameters, 'userName') AS user_name
FROM activity
-- The source and the name of the event choose which parts of the lake are read.
WHERE eventsource = 'iam.amazonaws.com'
  AND eventname = 'CreateLoginProfile'
  AND ok
