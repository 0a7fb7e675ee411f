-- Role assumptions: one row for each real call of AssumeRole, AssumeRoleWithSAML,
-- AssumeRoleWithWebIdentity and AssumeRoot, granted or refused.
--
-- A granted call from another account is recorded twice: in full in the caller's account, and in the
-- target's account with no more than the caller's account and id. The two share `sharedeventid`, and
-- only such a pair becomes one row: the caller's record stays, `event_ids` and `recipient_accounts`
-- name both. `seen_from` says what there was: `both`, `caller`, or `target` for a record of the target
-- account alone, where the caller's key, address name and second factor are unknown. A
-- `sharedeventid` without its other half joins nothing.
--
-- Pairs are looked for over the whole evidence in a few narrow columns, so that filters on this view
-- still reach the scan.
WITH pairs AS (
  SELECT
    sharedeventid AS pair_id,
    min(CASE WHEN useridentity.arn IS NOT NULL THEN eventid END) AS caller_eventid,
    min(CASE WHEN useridentity.arn IS NULL THEN eventid END) AS target_eventid,
    min(CASE WHEN useridentity.arn IS NULL THEN recipientaccountid END) AS target_recipient
  FROM cloudtrail
  WHERE eventsource = 'sts.amazonaws.com' AND eventname = 'AssumeRole'
    AND sharedeventid IS NOT NULL
    AND (eventcategory IS NULL OR eventcategory = 'Management')
    AND (useridentity.arn IS NOT NULL OR useridentity.type = 'AWSAccount')
  GROUP BY sharedeventid
  HAVING min(CASE WHEN useridentity.arn IS NOT NULL THEN eventid END)
       = max(CASE WHEN useridentity.arn IS NOT NULL THEN eventid END)
    AND min(CASE WHEN useridentity.arn IS NULL THEN eventid END)
      = max(CASE WHEN useridentity.arn IS NULL THEN eventid END)
    AND min(CASE WHEN useridentity.arn IS NOT NULL THEN recipientaccountid END)
     <> min(CASE WHEN useridentity.arn IS NULL THEN recipientaccountid END)
    AND min(requestid) IS NOT DISTINCT FROM max(requestid)
),
calls AS (
  SELECT
    *,
    useridentity.type IS NOT NULL AND useridentity.type = 'AWSAccount' AND useridentity.arn IS NULL
      AS is_target_record,
    -- Who called, without the session: the same for all sessions of one role.
    coalesce(
      caller_role_arn,
      CASE WHEN useridentity.type = 'AWSAccount'
        THEN useridentity.accountid || ':' || split_part(useridentity.principalid, ':', 1)
      END,
      principal_key
    ) AS caller_key,
    CASE
      WHEN useridentity.type = 'AWSService' THEN 'service'
      WHEN useridentity.type = 'AssumedRole' THEN 'role'
      WHEN useridentity.type = 'IAMUser' THEN 'user'
      WHEN useridentity.type = 'AWSAccount' THEN 'account'
      WHEN useridentity.type IN (
        'SAMLUser', 'WebIdentityUser', 'FederatedUser', 'IdentityCenterUser') THEN 'federated'
      WHEN useridentity.type = 'Root' THEN 'root'
      WHEN useridentity.type IS NULL AND useridentity.invokedby IS NOT NULL THEN 'service'
      ELSE 'unknown'
    END AS caller_kind,
    coalesce(caller_account <> target_account, false) AS cross_account,
    role_name(target_role_arn) AS target_role_name,
    json_get_str(requestparameters, 'roleSessionName') AS role_session_name,
    json_get_str(requestparameters, 'externalId') AS external_id,
    json_get_str(requestparameters, 'sourceIdentity') AS source_identity,
    json_get_str(requestparameters, 'serialNumber') AS mfa_serial,
    -- NULL where the record does not tell: the target's record says nothing of the caller's session.
    CASE
      WHEN json_get_str(requestparameters, 'serialNumber') IS NOT NULL THEN true
      WHEN useridentity.type = 'AWSAccount' AND useridentity.arn IS NULL THEN NULL
      ELSE lower(coalesce(
        useridentity.sessioncontext.attributes.mfaauthenticated, 'false')) = 'true'
    END AS mfa,
    try_cast(json_as_text(requestparameters, 'durationSeconds') AS BIGINT) AS duration_seconds,
    record_time(json_get_str(responseelements, 'credentials', 'expiration')) AS expires_at,
    json_as_text(requestparameters, 'policy') AS session_policy,
    json_as_text(requestparameters, 'policyArns') AS session_policy_arns,
    json_get_str(responseelements, 'assumedRoleUser', 'arn') AS assumed_role_arn,
    json_get_str(responseelements, 'assumedRoleUser', 'assumedRoleId') AS assumed_role_id,
    -- Federated calls: who vouched for whom.
    coalesce(
      json_get_str(requestparameters, 'principalArn'),
      useridentity.identityprovider,
      json_get_str(responseelements, 'provider')
    ) AS identity_provider,
    json_get_str(responseelements, 'issuer') AS token_issuer,
    coalesce(
      json_get_str(responseelements, 'subjectFromWebIdentityToken'),
      json_get_str(responseelements, 'subject'),
      CASE WHEN eventname IN ('AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
        THEN useridentity.username END
    ) AS token_subject,
    json_get_str(responseelements, 'audience') AS token_audience
  FROM activity
  WHERE eventsource = 'sts.amazonaws.com'
    AND eventname IN (
      'AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'AssumeRoot')
)
SELECT
  calls.* EXCEPT (is_target_record),
  CASE
    WHEN calls.eventid = pairs.caller_eventid THEN 'both'
    WHEN calls.is_target_record THEN 'target'
    ELSE 'caller'
  END AS seen_from,
  CASE WHEN calls.eventid = pairs.caller_eventid
    THEN make_array(calls.eventid, pairs.target_eventid)
    ELSE make_array(calls.eventid)
  END AS event_ids,
  CASE WHEN calls.eventid = pairs.caller_eventid
    THEN make_array(calls.recipientaccountid, pairs.target_recipient)
    ELSE make_array(calls.recipientaccountid)
  END AS recipient_accounts
-- The few pairs are kept in memory, and the calls stream past them.
FROM pairs
RIGHT JOIN calls ON calls.sharedeventid = pairs.pair_id
WHERE pairs.pair_id IS NULL OR calls.eventid <> pairs.target_eventid
