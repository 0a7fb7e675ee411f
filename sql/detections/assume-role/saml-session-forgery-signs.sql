/*---
id = "saml-session-forgery-signs"
title = "SAML sessions that the identity provider may not have made"
severity = "high"
maturity = "incubating"
kind = "sequence"
risk = ["unauthorized access"]
attack = ["T1606.002", "T1484.002", "T1078.004"]
description = """
Whoever holds a provider's signing key, or may change its metadata, signs in as anybody. The signs:
the metadata of a provider changed and roles were taken through it within a day; an issuer that is
not on the list or is new for the provider; a subject that is not the session's name where the two
were always one; a subject's first time on a strong role; a session longer than any before.
Assertions of Identity Center are made by AWS, so the last two weigh little there. Early in a log
what is new is only learned, unless weeks follow in which it never comes back."""
summary = """Roles were taken through {{ subject }} with signs of forgery ({{ signs | few }}){% if
changed_by %}, after {{ changed_by }} changed the provider at {{ changed_at }}{% endif %}."""
false_positives = [
  "A certificate that is renewed, or a new identity provider: sign-ins follow the change.",
  "A new administrator's first day.",
]
triage = [
  "Who changed the provider's metadata, and was it planned?",
  "Does the identity provider's own log show a sign-in for each of these sessions?",
  "What did the sessions do that their subjects do not do otherwise?",
]
remediation = ["identity-provider", "revoke-sessions", "workforce-session"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_saml.html",
  "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html",
]

[params]
change_hours = 24
min_history = 5
# Of so many sessions one in twenty may differ from what is common.
min_common = 20
---*/
WITH logins AS (
  SELECT
    *,
    coalesce(identity_provider, '') AS provider,
    starts_with(split_part(coalesce(identity_provider, ''), '/', -1), 'AWSSSO_')
      AND coalesce(regexp_like(
        token_issuer,
        '^https://portal\.sso\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/saml/assertion/'), true)
      AS identity_center,
    nullif(token_subject, 'HIDDEN_DUE_TO_SECURITY_REASONS') AS name_id
  FROM role_assumptions
  WHERE eventname = 'AssumeRoleWithSAML' AND ok
),
history AS (
  SELECT
    *,
    CAST(row_number() OVER of_provider AS bigint) - 1 AS n_before,
    lag(eventtime) OVER (
      PARTITION BY provider, token_issuer ORDER BY eventtime, eventid) AS issuer_before,
    sum(CASE WHEN token_issuer IS NULL THEN 0 ELSE 1 END) OVER earlier AS n_issued_before,
    sum(CASE WHEN lower(name_id) = lower(role_session_name) THEN 1 ELSE 0 END) OVER earlier
      AS n_equal_before,
    -- How common the issuer and the equality are in all the evidence.
    to_unixtime(max(eventtime) OVER of_issuer) - to_unixtime(min(eventtime) OVER of_issuer)
      AS issuer_seconds,
    count(*) OVER of_all - count(*) OVER of_issuer AS n_by_others,
    count(*) OVER of_all AS n_all,
    sum(CASE WHEN lower(name_id) <> lower(role_session_name) THEN 1 ELSE 0 END) OVER of_all
      AS n_unequal,
    lag(eventtime) OVER (
      PARTITION BY provider, lower(name_id), target_role_arn
      ORDER BY eventtime, eventid) AS pair_before,
    max(duration_seconds) OVER earlier AS longest_before,
    sum(CASE WHEN duration_seconds IS NULL THEN 0 ELSE 1 END) OVER earlier AS n_timed_before
  FROM logins
  WINDOW
    of_all AS (PARTITION BY provider),
    of_issuer AS (PARTITION BY provider, token_issuer),
    of_provider AS (PARTITION BY provider ORDER BY eventtime, eventid),
    earlier AS (PARTITION BY provider ORDER BY eventtime, eventid
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
listed AS (
  SELECT count(*) AS n_issuers FROM saml_issuers
),
expected AS (
  SELECT DISTINCT logins.eventid
  FROM logins
  JOIN saml_issuers ON glob_match(saml_issuers.issuer, logins.token_issuer)
),
weighed AS (
  SELECT
    history.*,
    strong.why AS role_is,
    history.eventtime < recorded.learned_at AS early,
    listed.n_issuers > 0 AND NOT history.identity_center
      AND history.token_issuer IS NOT NULL AND expected.eventid IS NULL AS unlisted_issuer,
    listed.n_issuers = 0 AND NOT history.identity_center
      AND history.token_issuer IS NOT NULL AND coalesce(history.n_issued_before, 0) > 0
      AND history.issuer_before IS NULL AS new_issuer,
    coalesce(history.n_before >= $min_history
      AND history.n_equal_before = history.n_before
      AND lower(history.name_id) <> lower(history.role_session_name), false) AS other_subject,
    -- Early in the log, but weeks of it follow in which the like never comes back.
    settings.baseline_until IS NULL
      AND to_unixtime(recorded.last_time) - to_unixtime(history.eventtime)
        >= 86400 * settings.baseline_days AS has_future,
    listed.n_issuers = 0 AND NOT history.identity_center AND history.token_issuer IS NOT NULL
      AND history.issuer_seconds <= 86400 AND history.n_by_others >= $min_history AS passing_issuer,
    coalesce(lower(history.name_id) <> lower(history.role_session_name)
      AND history.n_all >= $min_common AND history.n_unequal * 20 <= history.n_all, false)
      AS odd_subject,
    strong.role_name IS NOT NULL AND history.name_id IS NOT NULL
      AND (history.pair_before IS NULL
        OR to_unixtime(history.eventtime) - to_unixtime(history.pair_before)
          > 86400 * settings.baseline_days) AS new_on_role,
    coalesce(history.n_timed_before >= $min_history
      AND history.duration_seconds > history.longest_before, false) AS longer
  FROM history
  CROSS JOIN settings
  CROSS JOIN listed
  JOIN recorded ON recorded.account = coalesce(history.recipientaccountid, '')
  LEFT JOIN expected ON expected.eventid = history.eventid
  LEFT JOIN strong_roles AS strong
    ON strong.role_account = history.target_account AND strong.role_name = history.target_role_name
),
judged AS (
  SELECT
    * EXCEPT (new_issuer, other_subject),
    has_future AND (passing_issuer OR odd_subject) AS never_again,
    new_issuer OR has_future AND passing_issuer AS new_issuer,
    other_subject OR has_future AND odd_subject AS other_subject
  FROM weighed
),
changes AS (
  SELECT
    *,
    coalesce(
      json_get_str(requestparameters, 'sAMLProviderArn'),
      json_get_str(responseelements, 'sAMLProviderArn'),
      'arn:aws:iam::' || recipientaccountid || ':saml-provider/'
        || json_get_str(requestparameters, 'name')) AS provider
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND eventname IN ('CreateSAMLProvider', 'UpdateSAMLProvider')
    AND ok
    AND NOT by_service
    -- Identity Center keeps its own provider.
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-service-role/sso.amazonaws.com/%'
),
-- Of each change the first session that came through it.
followed AS (
  SELECT
    changes.eventid,
    CAST(count(*) AS bigint) AS n_logins,
    first_value(logins.eventid ORDER BY logins.eventtime, logins.eventid) AS login_id,
    first_value(logins.eventtime ORDER BY logins.eventtime, logins.eventid) AS login_at,
    first_value(logins.target_role_arn ORDER BY logins.eventtime, logins.eventid) AS role_arn,
    first_value(logins.role_session_name ORDER BY logins.eventtime, logins.eventid) AS session_name,
    first_value(logins.assumed_role_id ORDER BY logins.eventtime, logins.eventid)
      AS assumed_role_id,
    first_value(logins.issued_key ORDER BY logins.eventtime, logins.eventid) AS issued_key
  FROM changes
  JOIN logins ON logins.provider = changes.provider
  WHERE logins.eventtime >= changes.eventtime
    AND to_unixtime(logins.eventtime) - to_unixtime(changes.eventtime) <= 3600 * $change_hours
  GROUP BY changes.eventid
)
SELECT
  changes.eventtime,
  changes.eventid,
  changes.recipientaccountid,
  changes.awsregion,
  changes.actor,
  changes.sourceipaddress,
  changes.eventname,
  changes.provider AS subject,
  CASE WHEN changes.iac_hint THEN 'medium' ELSE 'high' END AS severity,
  make_array(changes.eventid, followed.login_id) AS event_ids,
  followed.login_at AS last_time,
  false AS learning,
  make_array('provider changed before') AS signs,
  changes.provider AS provider_arn,
  changes.actor AS changed_by,
  changes.eventtime AS changed_at,
  followed.n_logins,
  followed.role_arn,
  role_name(followed.role_arn) AS role_name,
  split_part(followed.assumed_role_id, ':', 1) AS role_id,
  followed.session_name,
  CAST(NULL AS varchar) AS token_issuer,
  CAST(NULL AS varchar) AS token_subject,
  CAST(NULL AS bigint) AS duration_seconds,
  followed.issued_key
FROM changes
JOIN followed ON followed.eventid = changes.eventid
UNION ALL
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  provider,
  CASE
    WHEN unlisted_issuer OR new_issuer OR other_subject THEN 'high'
    WHEN identity_center THEN 'low'
    WHEN new_on_role AND longer THEN 'high'
    ELSE 'medium'
  END,
  event_ids,
  eventtime,
  -- A list needs no history.
  early AND NOT unlisted_issuer AND NOT never_again,
  array_compact(make_array(
    CASE WHEN unlisted_issuer THEN 'issuer not on the list' END,
    CASE WHEN new_issuer THEN 'new issuer' END,
    CASE WHEN other_subject THEN 'subject is not the session name' END,
    CASE WHEN new_on_role THEN 'first time on a strong role' END,
    CASE WHEN longer THEN 'longer than any before' END)),
  provider,
  CAST(NULL AS varchar),
  CAST(NULL AS timestamp),
  n_before,
  target_role_arn,
  target_role_name,
  split_part(assumed_role_id, ':', 1),
  role_session_name,
  token_issuer,
  name_id,
  duration_seconds,
  issued_key
FROM judged
WHERE unlisted_issuer OR new_issuer OR other_subject OR new_on_role OR longer
