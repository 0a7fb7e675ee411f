/*---
id = "role-lacks-permissions"
title = "Role is refused what it is used for"
severity = "low"
maturity = "incubating"
kind = "window"
risk = ["lack of proper permissions"]
attack = []
description = """
The sessions of a role are refused again and again on calls that hardly ever succeed for it, a role
that is in use was never given a policy, or a role may not pass another role on or have a service's
own role made. The harm is an outage now, and a hurried wildcard later: the finding names the exact
actions. Many different reads over many services within minutes look like somebody exploring and are
left to other rules, and so are people in the console, which calls more than its user may see."""
summary = """{{ subject }}: {{ why }}{% if actions %}; missing:
{{ actions | few }}{% endif %}{% if reason %} ({{ reason }}){% endif %}."""
false_positives = [
  "A role that is meant to be refused, such as a scanner's probe: allow it.",
]
triage = [
  "When did it begin: was a policy, a boundary or a service control policy changed then?",
  "Is the call needed, or a default of a library?",
]
remediation = ["grant-missing-permission"]
references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"]

[params]
window_hours = 24
min_events = 20
min_calls = 5
max_ok_share = 0.1
min_pass_role = 1
explore_services = 4
explore_minutes = 15
---*/
WITH refusals AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname,
    eventsource, caller_role_arn,
    -- Exploring is reading. What was refused a write wanted to work.
    CASE WHEN regexp_like(eventname, '^(Get|List|Describe|Head|Lookup|Search|Simulate)')
      THEN eventsource END AS read_from,
    coalesce(
      regexp_match(errormessage, 'to perform: ([a-zA-Z0-9-]+:[a-zA-Z0-9]+)')[1],
      split_part(eventsource, '.', 1) || ':' || eventname) AS action,
    denied_target(errormessage) AS resource,
    CASE
      WHEN errormessage LIKE '%permissions boundary%' THEN 'the permissions boundary'
      WHEN errormessage LIKE '%session policy%' THEN 'the session policy'
      WHEN errormessage LIKE '%service control policy%' THEN 'a service control policy'
      WHEN errormessage LIKE '%resource control policy%' THEN 'a resource control policy'
      WHEN errormessage LIKE '%explicit deny%' THEN 'an explicit deny'
      WHEN errormessage LIKE '%identity-based policy%' THEN 'no identity-based policy'
      WHEN errormessage LIKE '%resource-based policy%' THEN 'no resource-based policy'
    END AS reason
  FROM activity
  WHERE denied
    AND useridentity.type = 'AssumedRole'
    AND caller_role_arn IS NOT NULL
    AND NOT console
    AND caller_role_arn NOT LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
),
outcomes AS (
  SELECT
    caller_role_arn, eventsource, eventname,
    sum(CASE WHEN ok THEN 1 ELSE 0 END) AS n_ok,
    sum(CASE WHEN denied THEN 1 ELSE 0 END) AS n_refused
  FROM activity
  WHERE useridentity.type = 'AssumedRole'
  GROUP BY caller_role_arn, eventsource, eventname
  HAVING bool_or(denied)
),
blocked AS (
  SELECT refusals.*
  FROM refusals
  JOIN outcomes
    ON outcomes.caller_role_arn = refusals.caller_role_arn
    AND outcomes.eventsource = refusals.eventsource
    AND outcomes.eventname = refusals.eventname
  WHERE outcomes.n_ok < $max_ok_share * (outcomes.n_ok + outcomes.n_refused)
),
marked AS (
  SELECT
    *,
    coalesce(to_unixtime(eventtime) - to_unixtime(lag(eventtime) OVER same_call)
      > 3600 * $window_hours, true) AS fresh_call,
    to_unixtime(eventtime) - to_unixtime(lag(eventtime, $min_events - 1) OVER same_role)
      AS events_took
  FROM blocked
  WINDOW
    same_call AS (PARTITION BY caller_role_arn, eventsource, eventname ORDER BY eventtime, eventid),
    same_role AS (PARTITION BY caller_role_arn ORDER BY eventtime, eventid)
),
timed AS (
  SELECT
    *,
    CASE WHEN fresh_call THEN
      to_unixtime(eventtime) - to_unixtime(lag(eventtime, $min_calls - 1) OVER by_freshness)
    END AS calls_took
  FROM marked
  WINDOW by_freshness AS (PARTITION BY caller_role_arn, fresh_call ORDER BY eventtime, eventid)
),
refused AS (
  SELECT
    min(eventtime) AS eventtime,
    first_value(eventid ORDER BY eventtime, eventid) AS eventid,
    first_value(recipientaccountid ORDER BY eventtime, eventid) AS recipientaccountid,
    first_value(awsregion ORDER BY eventtime, eventid) AS awsregion,
    first_value(actor ORDER BY eventtime, eventid) AS actor,
    first_value(sourceipaddress ORDER BY eventtime, eventid) AS sourceipaddress,
    first_value(eventname ORDER BY eventtime, eventid) AS eventname,
    caller_role_arn AS subject,
    max(eventtime) AS last_time,
    array_agg(eventid ORDER BY eventtime, eventid) AS event_ids,
    'refused ' || CAST(count(*) AS VARCHAR) || ' times' AS why,
    array_agg(DISTINCT action ORDER BY action) AS actions,
    array_agg(DISTINCT concat_ws(' ', action, resource) ORDER BY concat_ws(' ', action, resource))
      AS missing,
    max(reason) AS reason
  FROM timed
  GROUP BY caller_role_arn
  HAVING (min(events_took) <= 3600 * $window_hours OR min(calls_took) <= 3600 * $window_hours)
    AND NOT (count(DISTINCT read_from) >= $explore_services
      AND to_unixtime(max(eventtime)) - to_unixtime(min(eventtime)) <= 60 * $explore_minutes)
),
passing AS (
  SELECT
    min(eventtime) AS eventtime,
    first_value(eventid ORDER BY eventtime, eventid) AS eventid,
    first_value(recipientaccountid ORDER BY eventtime, eventid) AS recipientaccountid,
    first_value(awsregion ORDER BY eventtime, eventid) AS awsregion,
    first_value(actor ORDER BY eventtime, eventid) AS actor,
    first_value(sourceipaddress ORDER BY eventtime, eventid) AS sourceipaddress,
    first_value(eventname ORDER BY eventtime, eventid) AS eventname,
    caller_role_arn AS subject,
    max(eventtime) AS last_time,
    array_agg(eventid ORDER BY eventtime, eventid) AS event_ids,
    CASE action
      WHEN 'iam:PassRole' THEN 'may not pass a role on'
      ELSE 'may not have AWS make the role of a service'
    END AS why,
    make_array(action) AS actions,
    array_agg(DISTINCT concat_ws(' ', action, resource) ORDER BY concat_ws(' ', action, resource))
      AS missing,
    max(reason) AS reason
  FROM refusals
  -- One refusal is enough to know what is missing.
  WHERE action IN ('iam:PassRole', 'iam:CreateServiceLinkedRole')
  GROUP BY caller_role_arn, action
  HAVING count(*) >= $min_pass_role
),
born_empty AS (
  SELECT
    made.eventtime,
    made.eventid,
    made.recipientaccountid,
    made.awsregion,
    made.actor,
    made.sourceipaddress,
    made.eventname,
    made.subject,
    made.eventtime AS last_time,
    make_array(made.eventid) AS event_ids,
    'made without a policy and in use' AS why,
    CAST(NULL AS VARCHAR[]) AS actions,
    CAST(NULL AS VARCHAR[]) AS missing,
    CAST(NULL AS VARCHAR) AS reason
  FROM role_changes AS made
  CROSS JOIN evidence
  WHERE made.eventname = 'CreateRole'
    AND made.ok
    AND to_unixtime(evidence.last_time) - to_unixtime(made.eventtime) >= 3600 * $window_hours
    AND EXISTS (
      SELECT 1 FROM role_assumptions AS calls
      WHERE calls.ok
        AND calls.target_account = made.role_account
        AND calls.target_role_name = made.role_name
        AND calls.eventtime >= made.eventtime)
    AND NOT EXISTS (
      SELECT 1 FROM role_changes AS given
      WHERE given.eventname IN ('AttachRolePolicy', 'PutRolePolicy', 'DeleteRole')
        AND given.ok
        AND given.role_account = made.role_account
        AND given.role_name = made.role_name
        AND given.eventtime >= made.eventtime
        AND to_unixtime(given.eventtime) - to_unixtime(made.eventtime) <= 3600 * $window_hours)
),
found AS (
  SELECT * FROM refused UNION ALL SELECT * FROM passing UNION ALL SELECT * FROM born_empty
),
used_by_services AS (
  SELECT DISTINCT target_account, target_role_name
  FROM role_assumptions
  WHERE caller_kind = 'service' AND ok
)
SELECT
  found.eventtime,
  found.eventid,
  found.recipientaccountid,
  found.awsregion,
  found.actor,
  found.sourceipaddress,
  found.eventname,
  found.subject,
  -- A service whose work is blocked for a day has nobody who sees the error.
  CASE
    WHEN services.target_role_name IS NOT NULL
      AND to_unixtime(found.last_time) - to_unixtime(found.eventtime) >= 86400 THEN 'medium'
    ELSE 'low'
  END AS severity,
  found.last_time,
  found.event_ids,
  found.why,
  found.actions,
  found.missing,
  found.reason
FROM found
LEFT JOIN used_by_services AS services
  ON services.target_account = arn_account(found.subject)
  AND services.target_role_name = role_name(found.subject)
