/*---
id = "federation-token-issued"
title = "A user makes a federation token"
severity = "medium"
maturity = "stable"
kind = "stateless"
risk = ["unauthorized access"]
attack = ["T1550.001", "T1098.001"]
description = """
GetFederationToken gives a session of up to 36 hours that lives on when the access key behind it is
switched off or deleted, and that may open the console. A user's first token after a quiet
baseline, a session policy that bounds nothing, a long life, and a console sign-in with the token
weigh more; root doing it the most. A user that has done so for a week is a broker."""
summary = """{{ actor }} made a federation token {{ federated_name or '(no name)' }}{% if wide %}
whose policy bounds nothing{% endif %}{% if opened_console_at %} and came into the console with it
at {{ opened_console_at }}{% endif %}."""
false_positives = [
  "Older brokers that sign people in to the console: name them in `ci_principals`.",
]
triage = [
  "Is the user a broker, and since when?",
  "What did the federated sessions do?",
  "Was the user's access key leaked or switched off around this time?",
]
remediation = ["contain-user", "workforce-session"]
references = [
  "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html",
]

[params]
long_seconds = 43200
console_hours = 36
broker_days = 7
min_broker_tokens = 5
---*/
WITH calls AS (
  SELECT
    *,
    json_get_str(requestparameters, 'name') AS federated_name,
    json_as_text(requestparameters, 'policy') AS session_policy,
    try_cast(json_as_text(requestparameters, 'durationSeconds') AS BIGINT) AS duration_seconds,
    -- The call takes ten policies at most.
    array_has(make_array(
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 0, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 1, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 2, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 3, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 4, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 5, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 6, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 7, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 8, 'arn')),
      managed_policy_tier(json_get_str(requestparameters, 'policyArns', 9, 'arn'))), 1) AS wide_managed,
    lag(eventtime) OVER by_user AS token_before,
    row_number() OVER by_user - 1 AS n_before,
    min(eventtime) OVER (PARTITION BY actor) AS tokens_since
  FROM activity
  WHERE eventsource = 'sts.amazonaws.com'
    AND eventname = 'GetFederationToken'
    AND ok
    AND useridentity.type IN ('IAMUser', 'Root')
  WINDOW by_user AS (PARTITION BY actor ORDER BY eventtime, eventid)
),
-- The session's identity names the user as its issuer, not the call that made it.
console AS (
  SELECT
    calls.eventid,
    min(entered.eventtime) AS opened_console_at,
    first_value(entered.eventid ORDER BY entered.eventtime, entered.eventid) AS entered_id
  FROM calls
  JOIN activity AS entered ON entered.caller_role_arn = calls.useridentity.arn
  WHERE entered.eventsource = 'signin.amazonaws.com'
    AND entered.eventname IN ('ConsoleLogin', 'GetSigninToken')
    AND entered.ok
    AND entered.useridentity.type = 'FederatedUser'
    AND entered.eventtime >= calls.eventtime
    AND to_unixtime(entered.eventtime) - to_unixtime(calls.eventtime) <= 3600 * $console_hours
    AND (calls.federated_name IS NULL OR entered.session_name IS NULL
      OR entered.session_name = calls.federated_name)
  GROUP BY calls.eventid
),
listed AS (
  SELECT calls.eventid, min(ci.pattern) AS pattern
  FROM calls
  JOIN ci_principals AS ci ON glob_match(ci.pattern, calls.actor)
  GROUP BY calls.eventid
),
judged AS (
  SELECT
    calls.*,
    coalesce(calls.wide_managed, false)
      OR coalesce(policy_class(calls.session_policy) = 'admin', false) AS wide,
    coalesce(calls.duration_seconds > $long_seconds, false) AS long_lived,
    -- Only what lies outside of the learning time can be a first.
    calls.eventtime >= recorded.learned_at AND (calls.token_before IS NULL
      OR to_unixtime(calls.eventtime) - to_unixtime(calls.token_before)
        > 86400 * settings.baseline_days) AS first_of_user,
    calls.n_before >= $min_broker_tokens
      AND to_unixtime(calls.eventtime) - to_unixtime(calls.tokens_since) >= 86400 * $broker_days
      AS is_broker,
    console.opened_console_at,
    console.entered_id,
    listed.pattern AS listed_as
  FROM calls
  CROSS JOIN settings
  JOIN recorded ON recorded.account = coalesce(calls.recipientaccountid, '')
  LEFT JOIN console ON console.eventid = calls.eventid
  LEFT JOIN listed ON listed.eventid = calls.eventid
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  coalesce(useridentity.arn, actor) AS subject,
  CASE
    WHEN useridentity.type = 'Root' THEN 'critical'
    WHEN is_broker THEN 'low'
    WHEN wide OR long_lived OR first_of_user OR opened_console_at IS NOT NULL THEN 'high'
    ELSE 'medium'
  END AS severity,
  CASE WHEN entered_id IS NULL THEN make_array(eventid) ELSE make_array(eventid, entered_id) END
    AS event_ids,
  opened_console_at AS last_time,
  federated_name,
  duration_seconds,
  wide,
  first_of_user,
  opened_console_at,
  issued_key,
  CASE WHEN useridentity.type = 'IAMUser' THEN useridentity.username END AS user_name,
  useridentity.accesskeyid AS access_key_id,
  CASE WHEN useridentity.type <> 'Root' THEN 'ci_principals: ' || listed_as END AS suppressed_by
FROM judged
