-- Tokens that took roles. Of a repository any branch counts as one entry; other subjects stand whole.
WITH tokens AS (
  SELECT
    split_part(coalesce(token_issuer, identity_provider), ':oidc-provider/', -1) AS issuer,
    CASE
      WHEN token_subject LIKE 'repo:%:%'
        THEN 'repo:' || split_part(token_subject, ':', 2) || ':*'
      WHEN token_subject LIKE 'project_path:%:%'
        THEN 'project_path:' || split_part(token_subject, ':', 2) || ':*'
      ELSE token_subject
    END AS subject,
    target_role_arn,
    "date"
  FROM role_assumptions
  WHERE eventname = 'AssumeRoleWithWebIdentity' AND ok AND strpos(token_subject, '*') = 0
)
SELECT
  issuer || ' ' || subject AS entry,
  'took ' || CAST(count(DISTINCT target_role_arn) AS VARCHAR) || ' roles in ' || CAST(count(*) AS VARCHAR)
    || ' calls on ' || CAST(count(DISTINCT "date") AS VARCHAR) || ' days' AS reason,
  false AS in_force
FROM tokens
WHERE issuer IS NOT NULL AND subject IS NOT NULL AND strpos(issuer, '*') = 0
GROUP BY issuer, subject
ORDER BY entry
