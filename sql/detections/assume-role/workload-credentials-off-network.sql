/*---
id = "workload-credentials-off-network"
title = "A workload's credentials used from elsewhere"
severity = "high"
maturity = "incubating"
kind = "first-seen"
full_scan = "where the sessions of a role come from is learned from all their calls"
risk = ["unauthorized access"]
attack = ["T1552.005", "T1078.004"]
group_by = ["place"]
description = """
The role of an instance, function, task or pod, in a session of its own and not in one taken from it,
acts from a public network that none of its sessions came
from in the days before, or through a VPC endpoint that the account did not know: credentials do not
travel, so somebody carried them off. It weighs most if the first hour there is spent asking who one is,
taking further roles or writing to IAM. Networks that other workloads of the account came from on days
before are the account's own way out, and many roles that turn up at a new one together are a new way
out rather than a theft."""
summary = """{{ actor }}, of {{ workload }} role {{ subject }}, came from {{ place }} for the first time{% if raised %} and at once called {{ raised }}{% endif %}."""
false_positives = [
  "A NAT gateway with a new address, or instances with public addresses: `known_networks`.",
  "Containers and nodes that run outside of AWS on purpose.",
]
triage = [
  "Whose network is it: a cloud's, a provider's of homes, a known egress?",
  "Did the instance or function still work from its usual place at the same time?",
  "How did the credentials get out: metadata service, logs, environment of a function?",
]
remediation = ["revoke-sessions", "compute-role"]
references = [
  "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
  "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html",
]

[params]
young_role_hours = 24
shared_roles = 3
moved_roles = 4
first_minutes = 60
---*/
WITH calls AS (
  SELECT
    calls.eventtime, calls.eventid, calls.recipientaccountid, calls.awsregion,
    calls.principal_key AS actor, calls.sourceipaddress, calls.eventname, calls.eventsource,
    calls.readonly, calls.useragent, calls.caller_role_arn, calls.session_name, calls.vpcendpointid,
    calls.vpcendpointaccountid,
    split_part(calls.principal_id, ':', 1) AS role_id,
    held.workload,
    held.session_id,
    coalesce(calls.vpcendpointid, calls.src_net) AS place
  FROM workload_sessions AS held
  JOIN session_marks ON session_marks.session_id = held.session_id
  JOIN callers AS calls ON calls.mark = session_marks.mark
  WHERE calls.type = 'AssumedRole'
    AND held.workload <> 'build'
    AND calls.caller_role_arn IS NOT NULL
    -- Sessions that instances get from the service itself.
    AND calls.caller_role_arn NOT LIKE '%:role/aws:%'
    AND NOT calls.by_service
    AND NOT calls.from_console
    AND (calls.vpcendpointid IS NOT NULL OR is_public_ip(calls.sourceipaddress))
),
places AS (
  SELECT
    recipientaccountid,
    caller_role_arn,
    place,
    min(eventtime) AS first_time,
    min(CAST(to_unixtime(eventtime) AS BIGINT)) AS first_at,
    min(vpcendpointid) AS endpoint,
    min(vpcendpointaccountid) AS endpoint_account
  FROM calls
  GROUP BY recipientaccountid, caller_role_arn, place
),
-- Which roles were there a day before, and which came along.
company AS (
  SELECT
    *,
    count(*) OVER (
      PARTITION BY recipientaccountid, place ORDER BY first_at
      RANGE BETWEEN UNBOUNDED PRECEDING AND 86400 PRECEDING) AS n_before,
    count(*) OVER (
      PARTITION BY recipientaccountid, place ORDER BY first_at
      RANGE BETWEEN 86400 PRECEDING AND 86400 FOLLOWING) AS n_along
  FROM places
),
endpoints AS (
  SELECT recipientaccountid, vpcendpointid, min(eventtime) AS first_time
  FROM cloudtrail
  WHERE vpcendpointid IS NOT NULL
  GROUP BY recipientaccountid, vpcendpointid
),
roles AS (
  SELECT target_role_arn, min(eventtime) AS first_taken
  FROM role_assumptions
  WHERE ok
  GROUP BY target_role_arn
),
strange AS (
  SELECT
    company.*,
    recorded.learned_at,
    coalesce(to_unixtime(company.first_time) - to_unixtime(roles.first_taken)
        < 3600 * $young_role_hours, false)
      OR company.n_along >= $moved_roles
      OR company.endpoint IS NOT NULL AND company.endpoint_account IS NULL AS explained
  FROM company
  JOIN recorded ON recorded.account = coalesce(company.recipientaccountid, '')
  LEFT JOIN endpoints
    ON endpoints.vpcendpointid = company.endpoint
    AND endpoints.recipientaccountid = company.recipientaccountid
  LEFT JOIN own_accounts AS own ON own.account = company.endpoint_account
  LEFT JOIN roles ON roles.target_role_arn = company.caller_role_arn
  WHERE CASE
      WHEN company.endpoint IS NULL THEN company.n_before < $shared_roles
      -- An endpoint is known if the account used it before, or if it is in an account of ours.
      ELSE own.account IS NULL AND endpoints.first_time > company.first_time - INTERVAL '1' DAY
    END
),
-- What was done in the first hour at the new place.
visits AS (
  SELECT
    strange.caller_role_arn,
    strange.place,
    strange.recipientaccountid,
    strange.endpoint,
    strange.endpoint_account,
    strange.explained,
    strange.learned_at,
    min(calls.eventtime) AS eventtime,
    max(calls.eventtime) AS last_time,
    first_value(calls.eventid ORDER BY calls.eventtime, calls.eventid) AS eventid,
    first_value(calls.awsregion ORDER BY calls.eventtime, calls.eventid) AS awsregion,
    first_value(calls.actor ORDER BY calls.eventtime, calls.eventid) AS actor,
    first_value(calls.sourceipaddress ORDER BY calls.eventtime, calls.eventid) AS sourceipaddress,
    first_value(calls.eventname ORDER BY calls.eventtime, calls.eventid) AS eventname,
    first_value(calls.session_name ORDER BY calls.eventtime, calls.eventid) AS session_name,
    first_value(calls.role_id ORDER BY calls.eventtime, calls.eventid) AS role_id,
    first_value(calls.useragent ORDER BY calls.eventtime, calls.eventid) AS user_agent,
    first_value(calls.workload ORDER BY calls.eventtime, calls.eventid) AS workload,
    first_value(calls.session_id ORDER BY calls.eventtime, calls.eventid) AS session_id,
    array_agg(calls.eventid ORDER BY calls.eventtime, calls.eventid) AS event_ids,
    min(CASE
      WHEN calls.eventsource = 'sts.amazonaws.com'
        AND calls.eventname IN ('GetCallerIdentity', 'AssumeRole') THEN calls.eventname
      WHEN calls.eventsource = 'iam.amazonaws.com' AND NOT coalesce(calls.readonly, true)
        THEN calls.eventname
    END) AS raised
  FROM strange
  JOIN calls
    ON calls.caller_role_arn = strange.caller_role_arn
    AND calls.place = strange.place
    AND calls.recipientaccountid = strange.recipientaccountid
    AND to_unixtime(calls.eventtime) - to_unixtime(strange.first_time) <= 60 * $first_minutes
  GROUP BY
    strange.caller_role_arn, strange.place, strange.recipientaccountid, strange.endpoint,
    strange.endpoint_account, strange.explained, strange.learned_at
),
listed AS (
  SELECT coalesce(array_agg(cidr ORDER BY cidr), make_array()) AS cidrs FROM known_networks
)
SELECT
  visits.eventtime,
  visits.eventid,
  visits.recipientaccountid,
  visits.awsregion,
  visits.actor,
  visits.sourceipaddress,
  visits.eventname,
  visits.caller_role_arn AS subject,
  CASE
    WHEN visits.explained THEN 'medium'
    WHEN visits.raised IS NOT NULL THEN 'critical'
    ELSE 'high'
  END AS severity,
  visits.event_ids,
  visits.last_time,
  visits.eventtime < visits.learned_at AS learning,
  CASE WHEN visits.endpoint IS NULL THEN 'known_networks: ' || array_first(filter(
    listed.cidrs, cidr -> in_network(visits.sourceipaddress, cidr))) END AS suppressed_by,
  visits.place,
  visits.workload,
  visits.raised,
  visits.user_agent,
  visits.endpoint_account,
  visits.caller_role_arn AS role_arn,
  role_name(visits.caller_role_arn) AS role_name,
  visits.role_id,
  visits.session_name,
  visits.session_id,
  CASE WHEN visits.workload = 'instance' THEN visits.session_name END AS instance_id,
  CASE WHEN visits.workload = 'function' THEN visits.session_name END AS function_name
FROM visits
CROSS JOIN listed
