/*---
id = "role-chain-reaches-privilege"
title = "A chain of roles ends higher than it began"
severity = "high"
maturity = "incubating"
kind = "graph"
risk = ["privilege escalation"]
attack = ["T1548.005", "T1550.001", "T1021.007"]
group_by = ["path"]
description = """
Role sessions that were used to take further roles are followed from call to call, as the table
`sessions` ties them, and back to the key, person, provider or workload at their beginning. A chain that comes from an ordinary role to a strong one is reported at that
role, most severely where it began with the credentials of an instance, function or pod. Long chains and
steps into other accounts are reported at their end. Steps that the evidence shows on several earlier
days are how the landing zone works, and chains of nothing else are quiet."""
summary = """{{ began_as }}{% if behind %} ({{ behind }}){% endif %} came over {{ n_hops }} steps to {{ subject }}{% if role_is %}, {{ role_is }}{% endif %}: {{ path }}."""
false_positives = [
  "Landing zones where pipelines and people enter a hub and go on from there: `chain_allow`.",
  "A new spoke or tool on its first days.",
]
triage = [
  "Should the first role of the chain be able to reach the last one at all?",
  "Which step of the chain is new, and who made it possible?",
  "What did the last session do?",
]
remediation = ["revoke-sessions", "correct-trust-policy", "least-privilege"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html",
]

[params]
min_calls = 3
---*/
-- Only what decides goes from step to step; the rest is looked up for the few chains that count.
WITH RECURSIVE chains AS (
  SELECT
    eventid,
    1 AS n_calls,
    CASE WHEN from_role IS NULL THEN 0 ELSE 1 END AS n_hops,
    CASE WHEN from_role IS NULL THEN make_array(to_role) ELSE make_array(from_role, to_role) END
      AS roles,
    event_ids AS chain_ids,
    eventtime AS first_time,
    CASE WHEN from_role IS NULL THEN identity ELSE actor END AS began_as,
    caller_kind AS began_kind,
    workload AS began_workload,
    from_role IS NOT NULL AND from_strong IS NOT NULL
      OR from_role IS NULL AND to_strong IS NOT NULL AS began_strong,
    from_role IS NOT NULL AND from_strong IS NULL AND to_strong IS NOT NULL AS rises,
    false AS rose,
    CASE WHEN routine THEN 0 ELSE 1 END AS n_new,
    CASE WHEN from_role IS NOT NULL AND allowed IS NULL THEN 1 ELSE 0 END AS n_open,
    from_role IS NOT NULL AND cross_account AS crosses,
    iac_hint AS all_iac
  FROM role_steps
  WHERE parent IS NULL
  UNION ALL
  SELECT
    edges.eventid,
    chains.n_calls + 1,
    chains.n_hops + 1,
    array_append(chains.roles, edges.to_role),
    array_concat(chains.chain_ids, edges.event_ids),
    chains.first_time,
    chains.began_as,
    chains.began_kind,
    chains.began_workload,
    chains.began_strong,
    NOT chains.began_strong AND NOT chains.rises AND NOT chains.rose AND edges.to_strong IS NOT NULL,
    chains.rises OR chains.rose,
    chains.n_new + CASE WHEN edges.routine THEN 0 ELSE 1 END,
    chains.n_open + CASE WHEN edges.allowed IS NULL THEN 1 ELSE 0 END,
    chains.crosses OR edges.cross_account,
    chains.all_iac AND edges.iac_hint
  FROM chains
  JOIN role_steps AS edges ON edges.parent = chains.eventid
  WHERE chains.n_hops < 10
),
ends AS (
  SELECT *
  FROM chains
  WHERE n_hops > 0
    AND NOT rose
    AND n_new + CASE WHEN rises THEN 1 ELSE 0 END > 0
    AND (rises OR eventid NOT IN (SELECT parent FROM role_steps WHERE parent IS NOT NULL))
),
graded AS (
  SELECT
    steps.*,
    ends.* EXCEPT (eventid),
    CASE
      WHEN ends.rises AND ends.n_new = 0 THEN 2
      WHEN ends.rises AND ends.began_workload IS NOT NULL THEN 5
      WHEN ends.rises THEN 4
      -- A sign-in through a provider is the way in, not a step.
      WHEN steps.leaves
          OR ends.n_calls - CASE WHEN ends.began_kind = 'federated' THEN 1 ELSE 0 END >= $min_calls
        THEN 3
      -- One step on from a hub is the plain form of a landing zone.
      WHEN ends.crosses
        AND (ends.began_kind IN ('user', 'root', 'account') OR ends.began_workload IS NOT NULL)
        THEN 3
      WHEN ends.crosses OR ends.n_calls >= $min_calls THEN 2
      ELSE 0
    END AS level
  FROM ends
  JOIN role_steps AS steps ON steps.eventid = ends.eventid
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  to_role AS subject,
  array_element(make_array('info', 'low', 'medium', 'high', 'critical'),
    greatest(1, level - CASE WHEN all_iac THEN 1 ELSE 0 END)) AS severity,
  chain_ids AS event_ids,
  first_time,
  CASE WHEN n_open = 0 THEN 'chain_allow: ' || allowed END AS suppressed_by,
  began_as,
  began_workload,
  root_kind,
  root_identity,
  -- Who holds the session that the chain begins in, where its name does not say it.
  CASE WHEN root_kind NOT IN ('unseen', 'external-account') AND strpos(began_as, root_identity) = 0
      AND strpos(root_identity, began_as) = 0
    THEN root_identity END AS behind,
  n_hops,
  roles,
  array_to_string(roles, ' -> ') AS path,
  to_strong AS role_is,
  to_role AS role_arn,
  split_part(assumed_role_id, ':', 1) AS role_id,
  role_session_name AS session_name,
  issued_key
FROM graded
WHERE level > 0
