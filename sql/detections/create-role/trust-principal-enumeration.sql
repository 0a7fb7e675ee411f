/*---
id = "trust-principal-enumeration"
title = "Policies used to guess principals"
severity = "medium"
maturity = "stable"
kind = "window"
risk = ["unauthorized access"]
attack = ["T1087.004", "T1069.003"]
description = """
IAM and services with resource policies refuse a document that names a principal which does not exist,
so a caller who writes policy after policy learns which users and roles of other accounts do. It shows
as a run of refused documents, each with another name. Tools that write a policy too soon repeat one
and the same name until it exists: a run of few names is low."""
summary = """{{ actor }} had {{ n_refused }} policies refused for principals that do not exist,
{{ n_principals }} different ones such as {{ principals | few }}, from {{ first_time }}
to {{ last_time }}."""
false_positives = [
  "Pipelines that repeat a policy until a new role is known everywhere.",
  "Policies that name principals of a closed or emptied account.",
]
triage = [
  "Are the names guesses (lists of usual users and roles) or leftovers of something real?",
  "Whose accounts are the guessed principals in?",
  "Which policies were taken in the same minutes, and so confirmed a name?",
]
remediation = ["contain-user", "revoke-sessions"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html",
]

[params]
window_minutes = 10
min_refused = 10
min_principals_on_one = 5
# Under so many names, a run of refusals is somebody who repeats one policy.
min_names = 3
---*/
WITH documents AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, sourceipaddress, eventname, iac_hint,
    caller_role_arn, session_name, errormessage, ok,
    activity.useridentity.accesskeyid AS access_key_id,
    coalesce(actor, sourceipaddress) AS who,
    coalesce(
      subject,
      json_get_str(requestparameters, 'bucketName'),
      json_get_str(requestparameters, 'keyId'),
      json_get_str(requestparameters, 'topicArn'),
      json_get_str(requestparameters, 'queueUrl'),
      json_get_str(requestparameters, 'secretId'),
      '') AS target,
    coalesce(
      json_as_text(requestparameters, 'policyDocument'),
      json_as_text(requestparameters, 'assumeRolePolicyDocument'),
      json_as_text(requestparameters, 'bucketPolicy'),
      json_as_text(requestparameters, 'resourcePolicy'),
      json_as_text(requestparameters, 'policy'),
      json_as_text(requestparameters, 'attributeValue'),
      json_as_text(requestparameters, 'attributes', 'Policy')) AS document
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com' AND eventname IN ('UpdateAssumeRolePolicy', 'CreateRole')
    OR eventsource = 's3.amazonaws.com' AND eventname = 'PutBucketPolicy'
    OR eventsource = 'kms.amazonaws.com' AND eventname IN ('PutKeyPolicy', 'CreateKey')
    OR eventsource = 'sns.amazonaws.com' AND eventname IN ('SetTopicAttributes', 'CreateTopic')
    OR eventsource = 'sqs.amazonaws.com' AND eventname IN ('SetQueueAttributes', 'CreateQueue')
    OR eventsource = 'secretsmanager.amazonaws.com' AND eventname = 'PutResourcePolicy'
),
refusals AS (
  SELECT
    *,
    -- The message names the principal, or else the document does; failing both, a document is a guess.
    coalesce(
      nullif(
        regexp_extract(errormessage, 'arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:[^\s",\]}]+'), ''),
      nullif(
        regexp_extract(errormessage, '(?i)invalid principal in policy: *"[^"]*" *: *"([^"]+)"', 1),
        ''),
      nullif(
        regexp_extract(document, 'arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:[^\s"\\,\]}]+'), ''),
      document,
      eventid) AS guess
  FROM documents
  WHERE NOT ok
    AND regexp_like(errormessage, '(?i)invalid principal|unsupported principal|principalnotfound')
),
marked AS (
  SELECT
    *,
    lag(eventid) OVER (PARTITION BY who, target, guess ORDER BY eventtime, eventid) IS NULL
      AS fresh_on_one,
    coalesce(
      to_unixtime(eventtime) - to_unixtime(lag(eventtime) OVER (
        PARTITION BY who ORDER BY eventtime, eventid)) > 86400, true) AS new_burst
  FROM refusals
),
timed AS (
  SELECT
    *,
    sum(CASE WHEN new_burst THEN 1 ELSE 0 END) OVER in_time AS burst,
    to_unixtime(eventtime) - to_unixtime(lag(eventtime, $min_refused - 1) OVER in_time) AS calls_took,
    CASE WHEN fresh_on_one THEN
      to_unixtime(eventtime)
        - to_unixtime(lag(eventtime, $min_principals_on_one - 1) OVER by_target)
    END AS names_took
  FROM marked
  WINDOW
    in_time AS (PARTITION BY who ORDER BY eventtime, eventid),
    by_target AS (PARTITION BY who, target, fresh_on_one ORDER BY eventtime, eventid)
),
bursts AS (
  SELECT
    who,
    burst,
    min(eventtime) AS first_time,
    max(eventtime) AS last_time,
    first_value(eventid ORDER BY eventtime, eventid) AS eventid,
    first_value(recipientaccountid ORDER BY eventtime, eventid) AS recipientaccountid,
    first_value(awsregion ORDER BY eventtime, eventid) AS awsregion,
    first_value(sourceipaddress ORDER BY eventtime, eventid) AS sourceipaddress,
    first_value(eventname ORDER BY eventtime, eventid) AS eventname,
    array_agg(eventid ORDER BY eventtime, eventid) AS event_ids,
    count(*) AS n_refused,
    count(DISTINCT guess) AS n_principals,
    array_agg(DISTINCT guess ORDER BY guess) AS principals,
    count(DISTINCT target) AS n_targets,
    bool_and(iac_hint) AS iac_hint,
    first_value(caller_role_arn ORDER BY eventtime, eventid) AS role_arn,
    first_value(session_name ORDER BY eventtime, eventid) AS session_name,
    first_value(access_key_id ORDER BY eventtime, eventid) AS access_key_id
  FROM timed
  GROUP BY who, burst
  HAVING min(calls_took) <= 60 * $window_minutes OR min(names_took) <= 86400
),
-- Documents that were taken meanwhile: each confirmed a name.
taken AS (
  SELECT bursts.who, bursts.burst, count(*) AS n_taken
  FROM bursts
  JOIN documents
    ON documents.who = bursts.who
    AND documents.ok
    AND documents.eventtime BETWEEN bursts.first_time AND bursts.last_time
  GROUP BY bursts.who, bursts.burst
)
SELECT
  bursts.first_time AS eventtime,
  bursts.eventid,
  bursts.recipientaccountid,
  bursts.awsregion,
  bursts.who AS actor,
  bursts.sourceipaddress,
  bursts.eventname,
  bursts.who AS subject,
  CASE WHEN bursts.n_principals < $min_names OR bursts.iac_hint THEN 'low' ELSE 'medium' END
    AS severity,
  bursts.last_time,
  bursts.event_ids,
  bursts.n_refused,
  bursts.n_principals,
  bursts.principals,
  bursts.n_targets,
  coalesce(taken.n_taken, 0) AS n_taken,
  bursts.role_arn,
  bursts.session_name,
  bursts.access_key_id
FROM bursts
LEFT JOIN taken ON taken.who = bursts.who AND taken.burst = bursts.burst
