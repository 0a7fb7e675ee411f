/*---
id = "session-key-multi-network"
title = "One session used from two networks"
severity = "medium"
maturity = "incubating"
kind = "window"
risk = ["unauthorized access"]
attack = ["T1550.001"]
group_by = ["session_id"]
description = """
Temporary credentials are used from one public network and within half an hour from another one, and at
least one of the two is new for the user or the role that they belong to. All keys of one session count
together; those that the console makes, which change hands between AWS's own services, and calls of
services do not. A way out through a
private network counts as a network of its own once the records are old enough to know both. Pairs of
neighboring networks, and of an IPv4 with an IPv6 one, are noted at low severity."""
summary = """Key {{ access_key_id }} of {{ actor }} came from {{ network_before }} and {{ seconds_between }} s later from {{ network }}."""
false_positives = [
  "A VPN that carries some of the traffic only, or is switched on and off: `known_networks`.",
  "Proxies and NAT gateways with addresses in several networks.",
  "A colleague on the way, with a phone for the network.",
]
triage = [
  "Which of the two networks is the owner's?",
  "Do the two sides differ in client, region or kind of calls?",
  "How did the key get from one to the other?",
]
remediation = ["revoke-sessions", "workforce-session"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html",
]

[params]
minutes_between = 30
ipv4_bits = 24
habit_days = 3
---*/
-- Few sessions have two addresses at all: the rest of the work is on those.
WITH suspects AS (
  SELECT session_marks.mark, sessions.session_id, sessions.access_key_id
  FROM sessions
  JOIN session_marks ON session_marks.session_id = sessions.session_id
  WHERE sessions.n_addresses > 1
    AND sessions.kind IN ('role', 'user-session', 'federated-user', 'assumed-root')
),
calls AS (
  SELECT
    calls.eventtime, calls.eventid, calls.recipientaccountid, calls.awsregion,
    calls.principal_key AS actor, calls.sourceipaddress, calls.eventname, calls.useragent,
    calls.caller_role_arn, calls.session_name, calls.access_key_id, suspects.session_id,
    split_part(calls.principal_id, ':', 1) AS role_id,
    coalesce(calls.caller_role_arn, calls.principal_key) AS identity,
    CASE
      WHEN NOT is_public_ip(calls.sourceipaddress) THEN 'a private network'
      WHEN calls.src_net LIKE '%:%' THEN calls.src_net
      ELSE ip_prefix(calls.sourceipaddress, $ipv4_bits)
    END AS network
  FROM suspects
  JOIN callers AS calls ON calls.mark = suspects.mark
  WHERE NOT calls.by_service
    AND NOT calls.from_console
    -- A browser's calls have keys that the console made; the session's own key is in somebody's hand.
    AND (NOT calls.minted OR calls.access_key_id = suspects.access_key_id)
    AND calls.access_key_id LIKE 'ASIA%'
    AND calls.src_net IS NOT NULL
    AND calls.principal_key <> ''
    -- The shell in the console has an address of AWS.
    AND coalesce(calls.useragent, '') NOT LIKE '%CloudShell%'
),
moves AS (
  SELECT
    *,
    lag(network) OVER same_session AS network_before,
    lag(eventtime) OVER same_session AS time_before,
    lag(eventid) OVER same_session AS eventid_before,
    lag(sourceipaddress) OVER same_session AS address_before,
    lag(useragent) OVER same_session AS agent_before,
    min(eventtime) OVER (PARTITION BY session_id) AS session_begins
  FROM calls
  WINDOW same_session AS (PARTITION BY session_id ORDER BY eventtime, eventid)
),
near AS (
  SELECT *
  FROM moves
  WHERE network <> network_before
    AND to_unixtime(eventtime) - to_unixtime(time_before) < 60 * $minutes_between
),
-- Where the same user or role was, with any key, and on how many days.
homes AS (
  SELECT
    coalesce(activity.caller_role_arn, activity.actor) AS identity,
    CASE
      WHEN NOT is_public_ip(activity.sourceipaddress) THEN 'a private network'
      WHEN activity.src_net LIKE '%:%' THEN activity.src_net
      ELSE ip_prefix(activity.sourceipaddress, $ipv4_bits)
    END AS network,
    min(activity.eventtime) AS first_time,
    count(DISTINCT date_trunc('day', activity.eventtime)) AS n_days
  FROM activity
  WHERE coalesce(activity.caller_role_arn, activity.actor) IN (SELECT identity FROM near)
    AND NOT activity.by_service
    AND activity.src_net IS NOT NULL
  GROUP BY 1, 2
),
judged AS (
  SELECT
    near.*,
    recorded.learned_at,
    -- New with this session, and not what the records began with and went on with.
    here.first_time >= near.session_begins
      AND NOT (here.first_time < recorded.learned_at AND here.n_days >= $habit_days) AS new_here,
    there.first_time >= near.session_begins
      AND NOT (there.first_time < recorded.learned_at AND there.n_days >= $habit_days) AS new_there
  FROM near
  JOIN recorded ON recorded.account = coalesce(near.recipientaccountid, '')
  JOIN homes AS here ON here.identity = near.identity AND here.network = near.network
  JOIN homes AS there ON there.identity = near.identity AND there.network = near.network_before
),
listed AS (
  SELECT coalesce(array_agg(cidr ORDER BY cidr), make_array()) AS cidrs FROM known_networks
),
covered AS (
  SELECT
    judged.*,
    array_first(filter(listed.cidrs, cidr -> in_network(judged.sourceipaddress, cidr))) AS cidr_here,
    array_first(filter(listed.cidrs, cidr -> in_network(judged.address_before, cidr))) AS cidr_there
  FROM judged
  CROSS JOIN listed
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  actor AS subject,
  CASE
    WHEN network LIKE '%:%' AND network_before LIKE '%.%' THEN 'low'
    WHEN network LIKE '%.%' AND network_before LIKE '%:%' THEN 'low'
    WHEN network LIKE '%.%' AND network_before LIKE '%.%'
      AND ip_prefix(sourceipaddress, 16) = ip_prefix(address_before, 16) THEN 'low'
    ELSE 'medium'
  END AS severity,
  make_array(eventid_before, eventid) AS event_ids,
  time_before AS first_time,
  'a private network' IN (network, network_before)
    AND eventtime < learned_at AS learning,
  -- A list covers the move if it covers whatever is new about it.
  CASE WHEN (NOT new_here OR cidr_here IS NOT NULL)
      AND (NOT new_there OR cidr_there IS NOT NULL)
    THEN 'known_networks: ' || CASE WHEN new_here THEN cidr_here ELSE cidr_there END
  END AS suppressed_by,
  access_key_id,
  session_id,
  network_before,
  network,
  address_before,
  CAST(to_unixtime(eventtime) - to_unixtime(time_before) AS BIGINT)
    AS seconds_between,
  agent_before,
  useragent AS agent,
  caller_role_arn AS role_arn,
  role_name(caller_role_arn) AS role_name,
  CASE WHEN caller_role_arn IS NOT NULL THEN role_id END AS role_id,
  session_name
FROM covered
-- Workloads go out by endpoints and gateways alike; so beside a private network, which must be an old
-- one, only a new public one tells something.
WHERE CASE
    WHEN network = 'a private network' THEN new_there AND NOT new_here
    WHEN network_before = 'a private network' THEN new_here AND NOT new_there
    ELSE new_here OR new_there
  END
