/*---
id = "identity-provider-tampered"
title = "New or changed way into the account"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["misconfigured trust"]
attack = ["T1484.002", "T1556"]
description = """
An identity provider that roles can trust was made, changed or deleted: OpenID Connect, SAML, Roles
Anywhere, the directory behind Identity Center, tokens for services outside, or a delegation to a
vendor. Whoever holds the provider's keys becomes every role that trusts it. A role whose trust
names the provider within a day, and a trust anchor with a certificate of one's own, make it
critical; the provider of an EKS cluster is low."""
summary = """{{ actor }} called {{ event_names | few }} on {{ subject }}{% if issuer %} (issuer {{
issuer }}){% endif %}{% if trusting_roles %}, which {{ trusting_roles | few }} was made to trust
within a day{% endif %}."""
false_positives = [
  "A planned provider: name its issuer in `oidc_subjects` or `saml_issuers`.",
  "A new certificate of the organization's own identity provider.",
]
triage = [
  "Who runs the issuer, and who holds its keys?",
  "Which roles trust it, and what did their sessions do since?",
  "Does the actor manage identity providers otherwise?",
]
remediation = ["identity-provider", "correct-trust-policy", "contain-user"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html",
  "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/introduction.html",
]

[params]
trust_hours = 24
---*/
WITH calls AS (
  SELECT
    *,
    coalesce(recipientaccountid, caller_account) AS account,
    regexp_replace(
      coalesce(
        json_get_str(requestparameters, 'url'),
        split_part(
          json_get_str(requestparameters, 'openIDConnectProviderArn'), ':oidc-provider/', 2)),
      '^https://', '') AS oidc_issuer,
    -- Of the metadata, which is long, only who issues is of use.
    regexp_extract(
      json_get_str(requestparameters, 'sAMLMetadataDocument'), 'entityID\s*=\s*["'']([^"'']+)', 1)
      AS saml_issuer
  FROM activity
  WHERE ok
    AND useridentity.type IS DISTINCT FROM 'AWSService'
    AND (eventsource = 'iam.amazonaws.com' AND eventname IN (
        'CreateOpenIDConnectProvider', 'AddClientIDToOpenIDConnectProvider',
        'UpdateOpenIDConnectProviderThumbprint', 'CreateSAMLProvider', 'UpdateSAMLProvider',
        'DeleteSAMLProvider', 'EnableOutboundWebIdentityFederation', 'AcceptDelegationRequest')
      OR eventsource = 'rolesanywhere.amazonaws.com' AND eventname IN (
        'CreateTrustAnchor', 'UpdateTrustAnchor', 'CreateProfile', 'ImportCrl', 'DisableCrl')
      OR eventsource IN ('sso.amazonaws.com', 'sso-directory.amazonaws.com')
        AND (eventname = 'AssociateDirectory'
          OR regexp_like(eventname, '^(Create|Update|Delete|Enable|Disable).*ExternalIdP')))
    -- Identity Center keeps the providers of its own roles in order.
    AND coalesce(caller_role_arn, '') NOT LIKE '%:role/aws-service-role/sso.amazonaws.com/%'
),
named AS (
  SELECT
    *,
    coalesce(nullif(oidc_issuer, ''), nullif(saml_issuer, '')) AS issuer,
    coalesce(
      json_get_str(responseelements, 'openIDConnectProviderArn'),
      json_get_str(requestparameters, 'openIDConnectProviderArn'),
      json_get_str(responseelements, 'sAMLProviderArn'),
      json_get_str(requestparameters, 'sAMLProviderArn'),
      CASE eventname
        WHEN 'CreateOpenIDConnectProvider'
          THEN iam_arn(awsregion, account, 'oidc-provider/' || oidc_issuer)
        WHEN 'CreateSAMLProvider' THEN iam_arn(
          awsregion, account, 'saml-provider/' || json_get_str(requestparameters, 'name'))
      END) AS provider_arn,
    json_get_str(responseelements, 'trustAnchor', 'trustAnchorArn') AS anchor_arn,
    coalesce(
      json_get_str(responseelements, 'trustAnchor', 'trustAnchorId'),
      json_get_str(requestparameters, 'trustAnchorId')) AS trust_anchor_id,
    json_get_str(responseelements, 'profile', 'profileArn') AS profile_arn,
    json_get_str(responseelements, 'profile', 'profileId') AS profile_id,
    coalesce(
      json_get_str(requestparameters, 'clientID'),
      json_get_str(requestparameters, 'clientIDList', 0)) AS client_id,
    -- A private CA of AWS is named by its ARN, any other comes as a certificate.
    eventname IN ('CreateTrustAnchor', 'UpdateTrustAnchor')
      AND json_get_json(requestparameters, 'source') IS NOT NULL
      AND json_get_str(requestparameters, 'source', 'sourceType') IS DISTINCT FROM 'AWS_ACM_PCA'
      AND json_get_str(requestparameters, 'source', 'sourceData', 'acmPcaArn') IS NULL
      AS own_certificate
  FROM calls
),
-- Roles that were made to trust the provider about that time.
trusting AS (
  SELECT
    named.eventid,
    array_agg(DISTINCT changes.role_name ORDER BY changes.role_name) AS trusting_roles,
    array_agg(DISTINCT changes.eventid ORDER BY changes.eventid) AS trust_ids,
    bool_and(changes.trust_verdict = 'federated-scoped') AS scoped
  FROM named
  JOIN role_changes AS changes
    ON changes.role_account = named.account
    AND changes.ok
    AND changes.eventname IN ('CreateRole', 'UpdateAssumeRolePolicy')
    AND abs(to_unixtime(changes.eventtime) - to_unixtime(named.eventtime)) <= 3600 * $trust_hours
    AND (array_has(changes.trust_principals, named.provider_arn)
      OR named.eventsource = 'rolesanywhere.amazonaws.com'
        AND array_has(changes.trust_principals, 'rolesanywhere.amazonaws.com'))
  GROUP BY named.eventid
),
expected AS (
  SELECT
    named.eventid,
    min('oidc_subjects: ' || listed.pattern) AS entry
  FROM named
  JOIN oidc_subjects AS listed
    ON listed.pattern LIKE '% %'
    AND glob_match(split_part(listed.pattern, ' ', 1), named.oidc_issuer)
  GROUP BY named.eventid
  UNION ALL
  SELECT named.eventid, min('saml_issuers: ' || listed.issuer)
  FROM named
  JOIN saml_issuers AS listed ON glob_match(listed.issuer, named.saml_issuer)
  GROUP BY named.eventid
),
weighed AS (
  SELECT
    named.*,
    trusting.trusting_roles,
    trusting.trust_ids,
    expected.entry,
    CASE
      WHEN oidc_issuer LIKE 'oidc.eks.%' THEN 2
      WHEN own_certificate THEN 5
      -- A provider and a role for one's own project, both as code, is how it should be done.
      WHEN trusting.eventid IS NOT NULL AND NOT (trusting.scoped AND iac_hint) THEN 5
      ELSE 4
    END AS weight
  FROM named
  LEFT JOIN trusting ON trusting.eventid = named.eventid
  LEFT JOIN expected ON expected.eventid = named.eventid
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  coalesce(
    provider_arn,
    anchor_arn,
    profile_arn,
    CASE eventname
      WHEN 'EnableOutboundWebIdentityFederation' THEN 'outbound federation of ' || account
      WHEN 'AcceptDelegationRequest' THEN 'delegation request '
        || coalesce(json_as_text(requestparameters, 'delegationRequestId'), 'in ' || account)
    END,
    CASE WHEN eventsource LIKE 'sso%' THEN 'directory of Identity Center '
      || coalesce(json_as_text(requestparameters, 'directoryId'), 'in ' || account) END,
    trust_anchor_id,
    subject) AS subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    weight - CASE WHEN iac_hint AND weight > 2 THEN 1 ELSE 0 END) AS severity,
  array_concat(make_array(eventid), coalesce(trust_ids, make_array())) AS event_ids,
  entry AS suppressed_by,
  issuer,
  provider_arn,
  client_id,
  trust_anchor_id,
  profile_id,
  trusting_roles,
  own_certificate,
  useridentity.accesskeyid AS access_key_id
FROM weighed
