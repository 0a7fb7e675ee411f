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
({{ added | few }}){% endif %}{% if loosened %} ({{ loosened | few }}){% endif %}; it was
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
changed AS (
  SELECT
    *,
    -- Without lists, an organization may be ours and a guarded stranger a vendor.
    trust_verdict = 'external-untrusted' AND (
      array_has(trust_codes, 'T05') AND (SELECT count(*) FROM own_org_ids) = 0
        AND NOT arrays_overlap(trust_codes, make_array('T07', 'T08', 'T27'))
      OR regexp_like(lower(trust_document), '"stringequals"\s*:\s*\{[^{}]*"sts:externalid"')
        AND (SELECT count(*) FROM vendor_accounts) = 0
        AND NOT arrays_overlap(trust_codes, make_array('T10', 'T11', 'T36', 'T27'))
    ) AS may_be_known,
    arrays_overlap(
      array_except(trust_codes, previous_codes),
      make_array('T10', 'T11', 'T19', 'T20', 'T30', 'T31', 'T32', 'T33')) AS has_new_defect
  FROM trust_changes
  WHERE opened_severity IS NOT NULL
    -- Identity Center keeps the roles of its permission sets, other services their own.
    AND coalesce(actor, '') NOT LIKE '%:role/aws-service-role/%'
),
entries AS (
  SELECT
    eventid,
    entry['change'] AS change,
    entry['severity'] AS severity,
    entry['value'] AS value
  FROM (SELECT eventid, unnest(opened) AS entry FROM changed)
),
vendors AS (
  SELECT DISTINCT account FROM vendor_accounts
),
summed AS (
  SELECT
    entries.eventid,
    bool_or(entries.change = 'verdict-rose') AS rose,
    -- Whom a wildcard lets in, and whether a vendor is guarded, the verdict says.
    bool_or(
      entries.change = 'principal-added' AND entries.severity = 'high' AND entries.value <> '*'
        AND vendors.account IS NULL) AS stranger,
    bool_or(entries.change IN ('condition-removed', 'guard-removed', 'too-large')) AS unguarded,
    bool_or(entries.change = 'principal-added') AS joined,
    array_agg(DISTINCT entries.value ORDER BY entries.value)
      FILTER (WHERE entries.change = 'principal-added') AS added,
    array_agg(DISTINCT entries.value ORDER BY entries.value)
      FILTER (WHERE entries.change IN (
        'condition-removed', 'condition-weakened', 'value-widened', 'guard-removed')) AS loosened,
    array_agg(DISTINCT entries.value ORDER BY entries.value)
      FILTER (WHERE entries.change = 'action-added') AS actions
  FROM entries
  LEFT JOIN vendors ON vendors.account = arn_account(entries.value)
  GROUP BY entries.eventid
),
judged AS (
  SELECT
    changed.*,
    summed.* EXCEPT (eventid),
    changed.iac_hint OR automation.actor IS NOT NULL AS automated,
    CASE
      WHEN changed.may_be_known AND (summed.rose OR summed.stranger) THEN 3
      WHEN summed.stranger
        OR summed.rose AND changed.trust_verdict IN (
          'public', 'federated-open', 'public-restricted', 'external-untrusted', 'federated-weak',
          'opaque-principal') THEN 4
      -- Within our own accounts a single service or principal more is little, a whole account is not.
      WHEN summed.rose AND changed.trust_verdict IN (
          'external-unguarded', 'federated-moderate', 'org-wide', 'trusted-account') THEN 3
      WHEN summed.unguarded OR summed.loosened IS NOT NULL AND changed.has_new_defect THEN 3
      ELSE 2
    END AS level
  FROM changed
  JOIN summed ON summed.eventid = changed.eventid
  LEFT JOIN automation ON automation.actor = changed.actor
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
    WHEN stranger THEN 'somebody outside our accounts is let in'
    WHEN level = 4 THEN 'it is open to strangers'
    WHEN rose AND level = 3 THEN 'more than single principals are let in'
    WHEN level = 3 THEN 'a condition is gone or weaker'
    WHEN joined THEN 'further principals are let in'
    ELSE 'more is allowed'
  END AS why,
  role_name,
  role_arn,
  added,
  loosened,
  actions,
  previous_verdict,
  trust_verdict,
  trust_codes,
  previous_eventid,
  previous_document
FROM judged
