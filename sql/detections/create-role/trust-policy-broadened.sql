/*---
id = "trust-policy-broadened"
title = "Trust policy lets in more than before"
severity = "high"
maturity = "stable"
kind = "state"
risk = ["misconfigured trust"]
attack = ["T1098.003", "T1484.002"]
description = """
A role got a trust policy that lets in more than the one before, as far as the evidence shows both:
somebody outside our accounts, everybody of an account where single principals were named, callers
who need not meet a condition any more, further principals of ours, or further actions. The finding
carries the document before the change. Automation that leaves its mark lowers the severity a step
and never hides the finding."""
summary = """{{ actor }} opened {{ subject }} further: {{ why }}{% if added %}
({{ added | few }}){% endif %}{% if dropped %} (without {{ dropped | few }}){% endif %}; it was
{{ previous_verdict }}, and is {{ trust_verdict }}."""
false_positives = [
  "A planned onboarding of an account, a vendor or a repository.",
  "A pipeline that rewrites the role: name it in `iac_principals`, which lowers it a step.",
]
triage = [
  "Who asked for the change?",
  "Who took the role since that could not before?",
  "Was the role given rights, or made use of, at the same time?",
]
remediation = ["correct-trust-policy", "revoke-sessions"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
]
---*/
WITH automation AS (
  SELECT DISTINCT changes.actor
  FROM trust_changes AS changes
  JOIN iac_principals ON glob_match(iac_principals.pattern, changes.actor)
),
texts AS (
  SELECT
    * EXCEPT (trust_principals, previous_principals),
    -- An account may be written as its number or as its root.
    string_to_array(trim(regexp_replace(
      ' ' || array_to_string(trust_principals, '  ') || ' ', ' ([0-9]{12}) ',
      ' arn:aws:iam::$1:root ')), '  ') AS trust_principals,
    string_to_array(trim(regexp_replace(
      ' ' || array_to_string(previous_principals, '  ') || ' ', ' ([0-9]{12}) ',
      ' arn:aws:iam::$1:root ')), '  ') AS previous_principals,
    -- Worst first, as the analysis ranks them.
    make_array(
      'public', 'federated-open', 'public-restricted', 'external-untrusted', 'federated-weak',
      'opaque-principal', 'external-unguarded', 'federated-moderate', 'service-unguarded',
      'org-wide', 'external-guarded', 'trusted-account', 'federated-scoped', 'trusted-principal',
      'service-guarded', 'none', 'invalid') AS ranks,
    lower(CASE WHEN trust_document LIKE '\%%' ESCAPE '\' THEN try(url_decode(trust_document))
      ELSE trust_document END) AS document,
    lower(CASE WHEN previous_document LIKE '\%%' ESCAPE '\' THEN try(url_decode(previous_document))
      ELSE previous_document END) AS before_document
  FROM trust_changes
  WHERE previous_document IS NOT NULL
    -- Identity Center keeps the roles of its permission sets, other services their own.
    AND coalesce(actor, '') NOT LIKE '%:role/aws-service-role/%'
),
compared AS (
  SELECT
    *,
    array_position(ranks, trust_verdict) < array_position(ranks, previous_verdict) AS rose,
    array_position(ranks, trust_verdict) > array_position(ranks, previous_verdict) AS fell,
    array_except(trust_principals, previous_principals) AS added,
    array_intersect(trust_principals, previous_principals) AS kept,
    -- A member whose name has a colon is a condition key, but for the set operators.
    filter(
      array_except(
        regexp_extract_all(before_document, '"([^":]+:[^"]+)"\s*:', 1),
        regexp_extract_all(document, '"([^":]+:[^"]+)"\s*:', 1)),
      name -> name NOT LIKE 'for%values:%') AS gone,
    array_except(
      regexp_extract_all(document, '"(sts:[a-z*?]+)"\s*[,\]}]', 1),
      regexp_extract_all(before_document, '"(sts:[a-z*?]+)"\s*[,\]}]', 1)) AS actions,
    array_except(trust_codes, previous_codes) AS new_codes,
    -- Without lists, an organization may be ours and a guarded stranger a vendor.
    array_has(trust_codes, 'T05') AND (SELECT count(*) FROM own_org_ids) = 0
        AND NOT arrays_overlap(trust_codes, make_array('T07', 'T08', 'T27'))
      OR regexp_like(document, '"stringequals"\s*:\s*\{[^{}]*"sts:externalid"')
        AND (SELECT count(*) FROM vendor_accounts) = 0
        AND NOT arrays_overlap(trust_codes, make_array('T10', 'T11', 'T36', 'T27'))
      AS may_be_known
  FROM texts
),
outsiders AS (
  SELECT
    newcomers.eventid,
    array_agg(newcomers.principal ORDER BY newcomers.principal) AS principals
  FROM (SELECT eventid, unnest(added) AS principal FROM compared) AS newcomers
  LEFT JOIN own_accounts AS own ON own.account = arn_account(newcomers.principal)
  LEFT JOIN (SELECT DISTINCT account FROM vendor_accounts) AS vendors
    ON vendors.account = arn_account(newcomers.principal)
  WHERE arn_account(newcomers.principal) IS NOT NULL
    AND own.account IS NULL
    AND vendors.account IS NULL
  GROUP BY newcomers.eventid
),
judged AS (
  SELECT
    compared.*,
    compared.iac_hint OR automation.actor IS NOT NULL AS automated,
    -- What a principal had to meet that still is let in.
    CASE WHEN array_length(compared.kept) > 0 AND NOT compared.fell
      THEN compared.gone END AS dropped,
    CASE
      WHEN compared.trust_verdict IN ('none', 'invalid') THEN NULL
      WHEN compared.may_be_known AND (compared.rose OR outsiders.eventid IS NOT NULL)
        AND compared.trust_verdict = 'external-untrusted' THEN 3
      WHEN outsiders.eventid IS NOT NULL
        OR compared.rose AND compared.trust_verdict IN (
          'public', 'federated-open', 'public-restricted', 'external-untrusted', 'federated-weak',
          'opaque-principal') THEN 4
      WHEN compared.rose AND compared.trust_verdict IN (
          'external-unguarded', 'federated-moderate', 'org-wide', 'trusted-account') THEN 3
      WHEN array_length(compared.kept) > 0 AND NOT compared.fell AND (
          array_length(compared.gone) > 0
          OR arrays_overlap(
            compared.new_codes, make_array('T10', 'T11', 'T19', 'T20', 'T30', 'T31', 'T32', 'T33')))
        THEN 3
      WHEN compared.rose
        OR array_length(compared.added) > 0
        OR array_length(compared.actions) > 0 THEN 2
    END AS level,
    outsiders.principals AS outsiders
  FROM compared
  LEFT JOIN outsiders ON outsiders.eventid = compared.eventid
  LEFT JOIN automation ON automation.actor = compared.actor
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  subject,
  array_element(
    make_array('info', 'low', 'medium', 'high', 'critical'),
    CASE WHEN automated THEN level - 1 ELSE level END
  ) AS severity,
  CASE
    WHEN outsiders IS NOT NULL THEN 'somebody outside our accounts is let in'
    WHEN level = 4 THEN 'it is open to strangers'
    WHEN rose AND level = 3 THEN 'more than single principals are let in'
    WHEN level = 3 THEN 'a condition is gone or weaker'
    WHEN array_length(added) > 0 THEN 'further principals are let in'
    ELSE 'more is allowed'
  END AS why,
  role_name,
  role_arn,
  CASE WHEN array_length(added) > 0 THEN added END AS added,
  CASE WHEN array_length(dropped) > 0 THEN dropped END AS dropped,
  CASE WHEN array_length(actions) > 0 THEN actions END AS actions,
  previous_verdict,
  trust_verdict,
  trust_codes,
  previous_eventid,
  previous_document
FROM judged
WHERE level IS NOT NULL
