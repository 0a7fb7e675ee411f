-- Issuers whose assertions took roles.
SELECT
  token_issuer AS entry,
  'vouched for ' || CAST(count(DISTINCT token_subject) AS VARCHAR) || ' people in '
    || CAST(count(*) AS VARCHAR) || ' calls on ' || CAST(count(DISTINCT "date") AS VARCHAR) || ' days'
    AS reason,
  false AS in_force
FROM role_assumptions
WHERE eventname = 'AssumeRoleWithSAML' AND ok AND token_issuer IS NOT NULL
GROUP BY token_issuer
ORDER BY entry
