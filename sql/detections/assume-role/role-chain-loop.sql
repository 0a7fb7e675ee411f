/*---
id = "role-chain-loop"
title = "Roles that take each other in circles"
severity = "high"
maturity = "incubating"
kind = "graph"
risk = ["privilege escalation"]
attack = ["T1550.001", "T1078.004"]
description = """
In a chain of role sessions the same role comes again: two roles hand over to each other, or one takes
itself just before its hour is over. Whoever does this lives on for as long as he likes, also after the
credentials that he came with are gone. Two returns count, or three steps from a role to itself about an
hour apart. A role takes itself only if its trust says so, and such a trust is noted at low severity."""
summary = """{% if path %}{{ began_as }} went in circles: {{ path }}{% else %}{{ actor }} let {{ subject }}
take itself{% endif %}."""
false_positives = [
  "Old code that takes its own role to get fresh credentials: list the step in `chain_allow`.",
]
triage = [
  "Which program makes the steps, and from where?",
  "What did the chain begin with, and are those credentials still good?",
  "Which of the trusts makes the circle possible?",
]
remediation = ["revoke-sessions", "correct-trust-policy"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html",
]

[params]
min_returns = 2
min_renewals = 3
min_minutes = 30
---*/
WITH RECURSIVE chains AS (
  SELECT
    eventid,
    at,
    CASE WHEN from_role IS NULL THEN make_array(to_role) ELSE make_array(from_role, to_role) END
      AS roles,
    event_ids AS chain_ids,
    eventtime AS first_time,
    coalesce(actor, caller_key) AS began_as,
    from_role IS NOT DISTINCT FROM to_role AS itself,
    0 AS n_returns,
    CASE WHEN from_role = to_role THEN 1 ELSE 0 END AS n_renewals,
    CASE WHEN from_role = to_role THEN to_role END AS again
  FROM role_steps
  WHERE parent IS NULL
  UNION ALL
  SELECT
    edges.eventid,
    edges.at,
    array_append(chains.roles, edges.to_role),
    array_concat(chains.chain_ids, edges.event_ids),
    chains.first_time,
    chains.began_as,
    edges.from_role = edges.to_role,
    chains.n_returns + CASE
      WHEN edges.from_role <> edges.to_role AND array_has(chains.roles, edges.to_role) THEN 1
      ELSE 0
    END,
    -- The first step to itself may come at any time, those after it about when the hour is over.
    chains.n_renewals + CASE
      WHEN edges.from_role = edges.to_role
        AND (NOT chains.itself OR edges.at - chains.at >= 60 * $min_minutes) THEN 1
      ELSE 0
    END,
    -- One name for the circle, wherever in it the chain stands.
    CASE WHEN array_has(chains.roles, edges.to_role)
      THEN least(coalesce(chains.again, edges.to_role), edges.to_role) ELSE chains.again END
  FROM chains
  JOIN role_steps AS edges ON edges.parent = chains.eventid
  WHERE array_length(chains.roles) <= 10
),
circles AS (
  SELECT
    steps.*,
    chains.* EXCEPT (eventid, at),
    array_to_string(chains.roles, ' -> ') AS path
  FROM chains
  JOIN role_steps AS steps ON steps.eventid = chains.eventid
  WHERE (chains.n_returns >= $min_returns OR chains.n_renewals >= $min_renewals)
    AND (array_length(chains.roles) > 10
      OR chains.eventid NOT IN (SELECT parent FROM role_steps WHERE parent IS NOT NULL))
),
-- The steps of the circles that no entry of the list covers.
steps AS (
  SELECT DISTINCT eventid, roles[place] AS from_role, roles[place + 1] AS to_role
  FROM (SELECT eventid, roles, unnest(range(1, array_length(roles))) AS place FROM circles)
),
covered AS (
  SELECT steps.eventid, steps.from_role, steps.to_role,
    min(chain_allow.from_role || ' -> ' || chain_allow.to_role) AS entry
  FROM steps
  LEFT JOIN chain_allow
    ON glob_match(chain_allow.from_role, steps.from_role)
    AND glob_match(chain_allow.to_role, steps.to_role)
  GROUP BY steps.eventid, steps.from_role, steps.to_role
),
allowed AS (
  SELECT eventid, min(entry) AS entry
  FROM covered
  GROUP BY eventid
  HAVING count(entry) = count(*)
)
SELECT
  circles.eventtime,
  circles.eventid,
  circles.recipientaccountid,
  circles.awsregion,
  circles.actor,
  circles.sourceipaddress,
  circles.eventname,
  circles.again AS subject,
  'high' AS severity,
  circles.chain_ids AS event_ids,
  circles.first_time,
  'chain_allow: ' || allowed.entry AS suppressed_by,
  circles.began_as,
  circles.root_kind,
  circles.root_identity,
  circles.path,
  circles.roles,
  circles.n_returns,
  circles.n_renewals,
  circles.again AS role_arn,
  split_part(circles.assumed_role_id, ':', 1) AS role_id,
  circles.role_session_name AS session_name,
  circles.issued_key
FROM circles
LEFT JOIN allowed ON allowed.eventid = circles.eventid
UNION ALL
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  subject,
  'low',
  make_array(eventid),
  eventtime,
  NULL,
  actor,
  NULL,
  NULL,
  NULL,
  NULL,
  NULL,
  NULL,
  role_arn,
  NULL,
  NULL,
  NULL
FROM role_changes
WHERE eventname IN ('CreateRole', 'UpdateAssumeRolePolicy')
  AND ok
  AND array_has(trust_codes(trust_document, role_account, role_arn), 'T37')
