/*---
id = "trust-policy-untrusted-account"
title = "Role trusts an account nobody knows"
severity = "high"
maturity = "stable"
kind = "stateless"
full_scan = "unique ids are looked up among all principals that the evidence shows"
risk = ["misconfigured trust"]
attack = ["T1098.003", "T1199"]
description = """
A trust policy lets in an account, user, role or identity provider that belongs neither to us nor to
an approved vendor, a vendor that may take other roles only, or everybody behind a mere external id,
address or foreign organization. Bare unique ids are resolved against the principals that the
evidence shows; those that nobody has seen count, and those of strange accounts count as these
accounts. A document that IAM refused is an attempt, one step lower. Where no list names our
organizations or our vendors, an organization's id and a good external id count less."""
summary = """{{ actor }} {% if attempt %}tried to let{% else %}let{% endif %} {{ offending }}
into {{ subject }} ({{ code }})."""
false_positives = [
  "A new vendor: name it in `vendor_accounts`.",
  "An account of the organization that the lists lack: name it in `own_accounts`.",
]
triage = [
  "Whose account is it?",
  "Did it take the role since?",
  "Was the role given rights at the same time?",
]
remediation = ["correct-trust-policy", "revoke-sessions", "organization-guard-rails"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
]
---*/
WITH opaque AS (
  SELECT DISTINCT offending AS id FROM trust_exposures WHERE code = 'T14'
),
seen_ids AS (
  SELECT role_id AS id, role_account AS account FROM role_births WHERE role_id IS NOT NULL
  UNION
  SELECT split_part(useridentity.principalid, ':', 1), useridentity.accountid
  FROM activity
  WHERE useridentity.accountid IS NOT NULL
    AND split_part(useridentity.principalid, ':', 1) IN (SELECT id FROM opaque)
),
known AS (
  SELECT account FROM own_accounts UNION SELECT account FROM vendor_accounts
),
-- A unique id is only opaque while nobody has seen whose it is.
resolved AS (
  SELECT
    seen_ids.id,
    min(seen_ids.account) AS account,
    bool_or(known.account IS NOT NULL) AS is_known
  FROM seen_ids
  LEFT JOIN known ON known.account = seen_ids.account
  GROUP BY seen_ids.id
),
-- What a case without lists cannot know.
unknown AS (
  SELECT
    (SELECT count(*) FROM own_org_ids) = 0 AS organization,
    (SELECT count(*) FROM vendor_accounts) = 0 AS vendors
),
-- A vendor may take the roles that its entry names, or any if it names none.
overstepped AS (
  SELECT entries.eventid, entries.principal
  FROM (
    SELECT eventid, subject, unnest(trust_principals) AS principal
    FROM role_changes
    WHERE eventname IN ('CreateRole', 'UpdateAssumeRolePolicy')
      AND (ok OR errorcode LIKE 'MalformedPolicyDocument%')
  ) AS entries
  JOIN vendor_roles ON vendor_roles.account = arn_account(entries.principal)
  GROUP BY entries.eventid, entries.principal
  HAVING NOT bool_or(glob_match(vendor_roles.role_pattern, entries.subject))
),
found AS (
  SELECT
    exposed.eventtime,
    exposed.eventid,
    exposed.recipientaccountid,
    exposed.awsregion,
    exposed.actor,
    exposed.sourceipaddress,
    exposed.eventname,
    exposed.subject,
    -- An id that was seen in a strange account is as good as that account's name.
    CASE
      WHEN resolved.id IS NOT NULL AND exposed.severity IN ('low', 'medium')
        THEN CASE WHEN exposed.attempt THEN 'medium' ELSE 'high' END
      -- Any organization is a stranger's then, though it most often is ours.
      WHEN exposed.code = 'T05' AND unknown.organization THEN 'low'
      -- An external id that nobody guesses is how vendors are let in, and no list names any.
      WHEN exposed.code IN ('T07', 'T08') AND unknown.vendors
        AND regexp_like(
          lower(exposed.trust_document), '"stringequals"\s*:\s*\{[^{}]*"sts:externalid"')
        AND NOT arrays_overlap(exposed.trust_codes, make_array('T10', 'T11', 'T36'))
        THEN CASE WHEN exposed.iac_hint THEN 'low' ELSE 'medium' END
      ELSE exposed.severity
    END AS severity,
    exposed.role_name,
    exposed.role_arn,
    exposed.role_id,
    exposed.permissions_boundary,
    exposed.max_session_seconds,
    exposed.code,
    exposed.statement,
    exposed.offending,
    resolved.account AS offending_account,
    exposed.advice,
    exposed.trust_verdict,
    exposed.trust_codes,
    exposed.attempt,
    exposed.role_is
  FROM trust_exposures AS exposed
  CROSS JOIN unknown
  LEFT JOIN resolved ON resolved.id = exposed.offending AND exposed.code = 'T14'
  WHERE exposed.code IN ('T02', 'T05', 'T07', 'T08', 'T27')
    OR exposed.code = 'T14' AND (resolved.id IS NULL OR NOT resolved.is_known)
  UNION ALL
  SELECT
    changes.eventtime,
    changes.eventid,
    changes.recipientaccountid,
    changes.awsregion,
    changes.actor,
    changes.sourceipaddress,
    changes.eventname,
    changes.subject,
    CASE
      WHEN NOT changes.ok AND strong.role_name IS NULL THEN 'medium'
      WHEN changes.ok AND strong.role_name IS NOT NULL THEN 'critical'
      ELSE 'high'
    END,
    changes.role_name,
    changes.role_arn,
    changes.role_id,
    changes.permissions_boundary,
    CAST(NULL AS BIGINT),
    'T07',
    CAST(NULL AS BIGINT),
    overstepped.principal,
    arn_account(overstepped.principal),
    'Name the role in the entry of the vendor, or remove the principal.',
    changes.trust_verdict,
    changes.trust_codes,
    NOT changes.ok,
    strong.why
  FROM overstepped
  JOIN role_changes AS changes ON changes.eventid = overstepped.eventid
  LEFT JOIN strong_roles AS strong
    ON strong.role_account = changes.role_account AND strong.role_name = changes.role_name
)
SELECT * FROM found
