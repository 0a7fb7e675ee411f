-- What is known of each role at a time: its trust policy, what it was given, its boundary, and by whom
-- it was made when. One row for each role and each successful change to it; the row of time t is the
-- one with `t >= valid_from AND (t < valid_to OR valid_to IS NULL)`.
--
-- Only what the evidence shows is known. A role that was made before the evidence begins has no
-- `born_at`, no `trust_document` before its first change, and not the policies it had already. A deleted
-- role has no row until it is made again, and then starts afresh. `policies` are the ARNs of attached
-- managed policies, `inline_policies` the names of embedded ones, both sorted and NULL for none;
-- `policy_tier` is the strongest tier (1 is admin) of the attached policies of AWS.
WITH changes AS (
  SELECT
    eventtime,
    eventid,
    eventname,
    actor,
    role_account,
    role_name,
    role_arn,
    role_id,
    trust_document,
    CAST(eventname IN ('CreateRole', 'CreateServiceLinkedRole') AS BIGINT) AS birth,
    CAST(eventname IN ('DeleteRole', 'DeleteServiceLinkedRole') AS BIGINT) AS ending,
    CASE
      WHEN eventname IN ('AttachRolePolicy', 'DetachRolePolicy') THEN 'managed'
      WHEN eventname IN ('PutRolePolicy', 'DeleteRolePolicy') THEN 'inline'
    END AS held_kind,
    CASE
      WHEN eventname IN ('AttachRolePolicy', 'DetachRolePolicy') THEN policy_arn
      WHEN eventname IN ('PutRolePolicy', 'DeleteRolePolicy') THEN policy_name
    END AS held_name,
    eventname IN ('AttachRolePolicy', 'PutRolePolicy') AS gives,
    -- Empty for a boundary that is known to be none.
    CASE
      WHEN eventname IN ('CreateRole', 'PutRolePermissionsBoundary')
        THEN coalesce(permissions_boundary, '')
      WHEN eventname IN ('CreateServiceLinkedRole', 'DeleteRolePermissionsBoundary') THEN ''
    END AS boundary
  FROM role_changes
  WHERE eventname IN (
      'CreateRole', 'CreateServiceLinkedRole', 'DeleteRole', 'DeleteServiceLinkedRole',
      'UpdateAssumeRolePolicy', 'AttachRolePolicy', 'DetachRolePolicy', 'PutRolePolicy',
      'DeleteRolePolicy', 'PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary')
    AND ok AND role_name IS NOT NULL AND role_account IS NOT NULL
),
-- Times are whole seconds, and a role is often made and given its rights within one. A birth comes
-- before what else happened in its second and a deletion after it. Where both are in one second, the
-- role was replaced, unless it is known to have been gone before.
counted AS (
  SELECT
    *,
    sum(birth) OVER second AS births_now,
    sum(ending) OVER second AS endings_now,
    sum(birth) OVER so_far AS births,
    sum(ending) OVER so_far AS endings
  FROM changes
  WINDOW
    second AS (PARTITION BY role_account, role_name, eventtime),
    so_far AS (PARTITION BY role_account, role_name ORDER BY eventtime)
),
ranked AS (
  SELECT
    *,
    CASE
      WHEN births_now > 0 AND endings_now > 0
        AND NOT (endings > endings_now AND births - births_now <= endings - endings_now)
        THEN CASE WHEN ending = 1 THEN 0 WHEN birth = 1 THEN 1 ELSE 2 END
      ELSE CASE WHEN birth = 1 THEN 0 WHEN ending = 1 THEN 2 ELSE 1 END
    END AS place
  FROM counted
),
numbered AS (
  SELECT
    *,
    row_number() OVER successive AS n,
    lead(eventtime) OVER successive AS valid_to,
    -- A new life begins with a birth and after a deletion.
    sum(birth) OVER (
      PARTITION BY role_account, role_name ORDER BY eventtime, place, eventid
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    + coalesce(sum(ending) OVER (
      PARTITION BY role_account, role_name ORDER BY eventtime, place, eventid
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS life
  FROM ranked
  WINDOW successive AS (PARTITION BY role_account, role_name ORDER BY eventtime, place, eventid)
),
states AS (
  SELECT
    role_account,
    role_name,
    n,
    life,
    ending,
    eventid,
    eventname,
    actor,
    eventtime AS valid_from,
    valid_to,
    last_value(role_arn) IGNORE NULLS OVER life_so_far AS role_arn,
    last_value(role_id) IGNORE NULLS OVER life_so_far AS role_id,
    last_value(CASE WHEN birth = 1 THEN eventtime END) IGNORE NULLS OVER life_so_far AS born_at,
    last_value(CASE WHEN birth = 1 THEN actor END) IGNORE NULLS OVER life_so_far AS created_by,
    last_value(trust_document) IGNORE NULLS OVER life_so_far AS trust_document,
    last_value(boundary) IGNORE NULLS OVER life_so_far AS boundary
  FROM numbered
  WINDOW life_so_far AS (
    PARTITION BY role_account, role_name, life ORDER BY n
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- From which change to which other one a policy was held.
spans AS (
  SELECT
    role_account,
    role_name,
    life,
    held_kind,
    held_name,
    gives,
    CASE WHEN held_kind = 'managed' THEN managed_policy_tier(held_name) END AS tier,
    n AS from_n,
    lead(n) OVER (
      PARTITION BY role_account, role_name, life, held_kind, held_name ORDER BY n) AS to_n
  FROM numbered
  WHERE held_name IS NOT NULL
)
SELECT
  states.role_account,
  states.role_name,
  states.role_arn,
  states.role_id,
  states.valid_from,
  states.valid_to,
  states.eventid,
  states.eventname,
  states.actor,
  states.born_at,
  states.created_by,
  states.trust_document,
  states.trust_verdict,
  array_agg(DISTINCT spans.held_name ORDER BY spans.held_name)
    FILTER (WHERE spans.held_kind = 'managed') AS policies,
  array_agg(DISTINCT spans.held_name ORDER BY spans.held_name)
    FILTER (WHERE spans.held_kind = 'inline') AS inline_policies,
  min(spans.tier) AS policy_tier,
  states.boundary_arn
FROM (
  SELECT
    *,
    nullif(boundary, '') AS boundary_arn,
    trust_verdict(trust_document, role_account, role_arn) AS trust_verdict
  FROM states
) AS states
LEFT JOIN spans
  ON spans.role_account = states.role_account
  AND spans.role_name = states.role_name
  AND spans.life = states.life
  AND spans.gives
  AND spans.from_n <= states.n
  AND (spans.to_n > states.n OR spans.to_n IS NULL)
WHERE states.ending = 0
GROUP BY
  states.role_account,
  states.role_name,
  states.role_arn,
  states.role_id,
  states.n,
  states.valid_from,
  states.valid_to,
  states.eventid,
  states.eventname,
  states.actor,
  states.born_at,
  states.created_by,
  states.trust_document,
  states.trust_verdict,
  states.boundary_arn
