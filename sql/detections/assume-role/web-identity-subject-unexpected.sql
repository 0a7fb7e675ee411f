/*---
id = "web-identity-subject-unexpected"
title = "Web identity token from where none was expected"
severity = "high"
maturity = "incubating"
kind = "first-seen"
risk = ["unauthorized access"]
attack = ["T1199", "T1078.004", "T1528"]
description = """
A role was taken with the token of a repository, project, pod or app that is not on the list or,
where there is no list, that the role was never taken with before. Subjects count without what
varies from run to run: branches, run phases, the numbers that GitHub appends to names. A strange
owner weighs more than another repository of a known one. Also: a pull request on a role that only
branches took, an audience that is not the usual one, and a pod's token from an address that its
cluster never came from. Early in a log this is only learned, unless weeks follow in which the
strange owner never comes back."""
summary = """{{ subject }} was taken with a token of {{ token_subject }} ({{ issuer }}): {{ signs |
few }}."""
false_positives = [
  "A new repository or service: add its subject to `oidc_subjects`.",
  "A cluster behind a new NAT gateway: add its address to `known_networks`.",
]
triage = [
  "Is the repository, project or service account yours?",
  "What does the role's trust policy ask of the subject and the audience?",
  "Did the session do what the role's pipelines do otherwise?",
]
remediation = ["correct-trust-policy", "revoke-sessions", "identity-provider"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html",
  "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html",
]

[params]
min_history = 5
min_role_age_hours = 24
# A cluster that comes from more networks than this has nodes with addresses of their own.
max_cluster_networks = 3
min_cluster_calls = 20
max_sources = 10
---*/
WITH tokens AS (
  SELECT
    *,
    -- Who vouched: the provider's ARN ends with the issuer; some issuers have no provider.
    CASE
      WHEN identity_provider LIKE 'arn:%:oidc-provider/%'
        THEN split_part(identity_provider, ':oidc-provider/', 2)
      ELSE coalesce(
        identity_provider, json_get_str(responseelements, 'provider'), '(unknown)')
    END AS issuer,
    -- GitHub writes OWNER@NUMBER/REPOSITORY@NUMBER for newer repositories.
    regexp_replace(token_subject, '@[0-9]+(/|:|$)', '$1') AS plain_subject
  FROM role_assumptions
  WHERE eventname = 'AssumeRoleWithWebIdentity'
    AND ok
    AND token_subject IS NOT NULL
    AND token_subject <> 'HIDDEN_DUE_TO_SECURITY_REASONS'
    AND target_role_arn IS NOT NULL
),
cut AS (
  SELECT
    *,
    CASE
      -- Users of apps: the app is what is expected or not.
      WHEN regexp_like(
          issuer, '^(cognito-identity|cognito-idp|www\.amazon|graph\.facebook|accounts\.google)\.')
        THEN coalesce('audience ' || token_audience, plain_subject)
      ELSE coalesce(
        regexp_extract(plain_subject, '^(repo:[^/:]+/[^:]+)', 1),
        regexp_extract(plain_subject, '^(project_path:[^:]+)', 1),
        regexp_extract(plain_subject, '^(organization:.*):run_phase:[^:]*$', 1),
        regexp_extract(plain_subject, '^(organization:[^:]+:pipeline:[^:]+)', 1),
        regexp_extract(plain_subject, '^(org/[^/]+/project/[^/]+)', 1),
        regexp_extract(plain_subject, '^(\{[0-9a-f-]+\}):', 1),
        plain_subject)
    END AS source,
    -- Repositories of one owner, projects of one group; else all of one issuer.
    coalesce(
      regexp_extract(plain_subject, '^(repo:[^/:]+)/', 1),
      regexp_extract(plain_subject, '^(project_path:[^/:]+)', 1),
      regexp_extract(plain_subject, '^(organization:[^:]+)', 1),
      regexp_extract(plain_subject, '^(org/[^/]+)', 1),
      '') AS owner,
    ends_with(plain_subject, ':pull_request') AS for_pull_request,
    starts_with(plain_subject, 'system:serviceaccount:') AS of_pod
  FROM tokens
),
history AS (
  SELECT
    *,
    CAST(row_number() OVER of_role AS bigint) - 1 AS n_before,
    lag(eventtime) OVER (
      PARTITION BY target_role_arn, issuer, source ORDER BY eventtime, eventid) AS source_before,
    lag(eventtime) OVER (
      PARTITION BY recipientaccountid, issuer, owner ORDER BY eventtime, eventid) AS owner_before,
    -- How long the owner was about, and who else took the role, in all the evidence.
    to_unixtime(max(eventtime) OVER of_owner) - to_unixtime(min(eventtime) OVER of_owner)
      AS owner_seconds,
    count(*) OVER (PARTITION BY target_role_arn)
      - count(*) OVER (PARTITION BY target_role_arn, issuer, source) AS n_by_others,
    sum(CASE WHEN for_pull_request THEN 1 ELSE 0 END) OVER earlier AS n_pulls_before,
    min(token_audience) OVER earlier AS least_audience,
    max(token_audience) OVER earlier AS greatest_audience,
    lag(eventtime) OVER (PARTITION BY issuer, src_net ORDER BY eventtime, eventid) AS net_before,
    CAST(row_number() OVER (PARTITION BY issuer ORDER BY eventtime, eventid) AS bigint) - 1
      AS n_of_issuer
  FROM cut
  WINDOW
    of_owner AS (PARTITION BY recipientaccountid, issuer, owner),
    of_role AS (PARTITION BY target_role_arn ORDER BY eventtime, eventid),
    earlier AS (PARTITION BY target_role_arn ORDER BY eventtime, eventid
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
counted AS (
  SELECT
    *,
    sum(CASE WHEN source_before IS NULL THEN 1 ELSE 0 END) OVER (
      PARTITION BY target_role_arn ORDER BY eventtime, eventid
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS n_sources_before,
    -- How many networks the cluster came from so far.
    sum(CASE WHEN net_before IS NULL AND src_net IS NOT NULL THEN 1 ELSE 0 END) OVER (
      PARTITION BY issuer ORDER BY eventtime, eventid
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS n_networks_before
  FROM history
),
listed AS (
  SELECT
    (SELECT count(*) FROM oidc_subjects) AS n_subjects,
    (SELECT count(*) FROM known_networks) AS n_networks
),
expected AS (
  SELECT DISTINCT cut.issuer, cut.plain_subject, cut.token_subject
  FROM (SELECT DISTINCT issuer, plain_subject, token_subject FROM cut) AS cut
  JOIN oidc_subjects AS listed
    ON glob_match(listed.pattern, cut.issuer || ' ' || cut.plain_subject)
    OR glob_match(listed.pattern, cut.issuer || ' ' || cut.token_subject)
    OR glob_match(listed.pattern, cut.plain_subject)
    OR glob_match(listed.pattern, cut.token_subject)
),
known AS (
  SELECT DISTINCT addresses.sourceipaddress
  FROM (SELECT DISTINCT sourceipaddress FROM cut WHERE of_pod) AS addresses
  JOIN known_networks ON in_network(addresses.sourceipaddress, known_networks.cidr)
),
judged AS (
  SELECT
    counted.*,
    strong.why AS role_is,
    counted.eventtime < recorded.learned_at AS early,
    listed.n_subjects > 0 AND expected.issuer IS NULL AS unlisted,
    listed.n_subjects = 0 AND (counted.source_before IS NULL
      OR to_unixtime(counted.eventtime) - to_unixtime(counted.source_before)
        > 86400 * settings.baseline_days) AS new_source,
    counted.owner_before IS NULL AS new_owner,
    -- Early in the log, but weeks of it follow in which the owner never comes back.
    listed.n_subjects = 0
      AND settings.baseline_until IS NULL
      AND counted.owner_seconds <= 86400
      AND counted.n_by_others >= $min_history
      AND to_unixtime(recorded.last_time) - to_unixtime(counted.eventtime)
        >= 86400 * settings.baseline_days AS never_again,
    counted.for_pull_request AND counted.n_before >= $min_history AND counted.n_pulls_before = 0
      AS new_pull_request,
    coalesce(counted.n_before >= $min_history
      AND counted.least_audience = counted.greatest_audience
      AND counted.token_audience <> counted.least_audience, false) AS other_audience,
    counted.of_pod
      AND coalesce(is_public_ip(counted.sourceipaddress), false)
      AND known.sourceipaddress IS NULL
      AND counted.net_before IS NULL
      AND (listed.n_networks > 0 OR counted.n_of_issuer >= $min_cluster_calls)
      AND coalesce(counted.n_networks_before, 0) <= $max_cluster_networks AS strange_network,
    listed.n_networks
  FROM counted
  CROSS JOIN settings
  CROSS JOIN listed
  JOIN recorded ON recorded.account = coalesce(counted.recipientaccountid, '')
  LEFT JOIN expected
    ON expected.issuer = counted.issuer AND expected.token_subject = counted.token_subject
  LEFT JOIN known ON known.sourceipaddress = counted.sourceipaddress
  LEFT JOIN strong_roles AS strong
    ON strong.role_account = counted.target_account AND strong.role_name = counted.target_role_name
),
-- A role that was just made has no usual sources; how it was made is other rules' business.
young AS (
  SELECT DISTINCT judged.eventid
  FROM judged
  JOIN role_births AS births
    ON births.role_account = judged.target_account AND births.role_name = judged.target_role_name
  WHERE births.born_at <= judged.eventtime
    AND to_unixtime(judged.eventtime) - to_unixtime(births.born_at) < 3600 * $min_role_age_hours
)
SELECT
  judged.eventtime,
  judged.eventid,
  judged.recipientaccountid,
  judged.awsregion,
  judged.actor,
  judged.sourceipaddress,
  judged.eventname,
  judged.target_role_arn AS subject,
  CASE
    WHEN judged.unlisted OR judged.strange_network AND judged.n_networks > 0 THEN 'high'
    WHEN judged.new_source AND judged.new_owner THEN
      CASE WHEN young.eventid IS NULL THEN 'high' ELSE 'low' END
    WHEN judged.new_pull_request OR judged.other_audience THEN 'high'
    WHEN judged.strange_network THEN 'medium'
    -- Another repository of a known owner is mostly a new repository, and a role that was taken with
    -- many subjects serves many.
    WHEN young.eventid IS NOT NULL OR judged.n_sources_before >= $max_sources THEN 'low'
    WHEN judged.role_is IS NOT NULL OR judged.n_before > 0 THEN 'medium'
    ELSE 'low'
  END AS severity,
  judged.event_ids,
  judged.early AND NOT judged.unlisted AND NOT judged.never_again
    AND NOT (judged.strange_network AND judged.n_networks > 0) AS learning,
  array_compact(make_array(
    CASE WHEN judged.unlisted THEN 'subject not on the list' END,
    CASE WHEN judged.new_source AND judged.new_owner THEN 'owner never seen before' END,
    CASE WHEN judged.new_source AND NOT judged.new_owner THEN 'new on this role' END,
    CASE WHEN judged.new_pull_request THEN 'pull request on a role of branches' END,
    CASE WHEN judged.other_audience THEN 'another audience' END,
    CASE WHEN judged.strange_network THEN 'pod from a strange network' END)) AS signs,
  judged.issuer,
  judged.token_subject,
  judged.source AS token_source,
  judged.token_audience,
  judged.role_is,
  judged.target_role_arn AS role_arn,
  judged.target_role_name AS role_name,
  split_part(judged.assumed_role_id, ':', 1) AS role_id,
  judged.role_session_name AS session_name,
  judged.issued_key,
  CASE WHEN judged.identity_provider LIKE 'arn:%' THEN judged.identity_provider END AS provider_arn
FROM judged
LEFT JOIN young ON young.eventid = judged.eventid
WHERE judged.unlisted OR judged.new_source OR judged.new_pull_request OR judged.other_audience
  OR judged.strange_network
