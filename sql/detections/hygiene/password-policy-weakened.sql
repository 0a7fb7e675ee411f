/*---
id = "password-policy-weakened"
title = "Password policy weakened"
severity = "medium"
maturity = "stable"
kind = "state"
risk = ["misconfiguration"]
attack = ["T1556"]
description = """
The account's password policy was deleted, or replaced by one that asks for less than the baseline
of `password_baseline` or than the policy before it. Each call replaces the whole policy, and what
it leaves out falls back to weak defaults, so a call that names one setting loosens all others. A
call that brings the policy nearer to the baseline without reaching it is low."""
summary = """{{ actor }} {% if deleted %}deleted the password policy of account {{ account }}{% else
%}set a password policy in account {{ account }} that {{ defects | join(", ") }}{% endif %}."""
false_positives = [
  "An account without IAM users, where nobody has a password.",
  "A baseline that is stricter than your own rules: set `password_baseline`.",
]
triage = [
  "Was the change planned, and did the same actor touch users or their passwords?",
  "Did users choose new passwords since?",
  "Is the actor one that manages account settings otherwise?",
]
remediation = ["password-policy"]
references = [
  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html",
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html",
]
---*/
WITH policies AS (
  SELECT
    eventtime, eventid, recipientaccountid, awsregion, actor, sourceipaddress, eventname, iac_hint,
    coalesce(recipientaccountid, caller_account) AS account,
    eventname = 'DeleteAccountPasswordPolicy' AS deleted,
    -- What IAM takes where the request names nothing; a deleted policy is the default one.
    coalesce(try_cast(json_as_text(requestparameters, 'minimumPasswordLength') AS BIGINT), 6)
      AS min_length,
    coalesce(try_cast(json_as_text(requestparameters, 'passwordReusePrevention') AS BIGINT), 0)
      AS reuse,
    lower(coalesce(json_as_text(requestparameters, 'requireUppercaseCharacters'), '')) = 'true'
      AS uppercase,
    lower(coalesce(json_as_text(requestparameters, 'requireLowercaseCharacters'), '')) = 'true'
      AS lowercase,
    lower(coalesce(json_as_text(requestparameters, 'requireNumbers'), '')) = 'true' AS numbers,
    lower(coalesce(json_as_text(requestparameters, 'requireSymbols'), '')) = 'true' AS symbols,
    lower(coalesce(json_as_text(requestparameters, 'allowUsersToChangePassword'), '')) = 'true'
      AS own_change
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND eventname IN ('UpdateAccountPasswordPolicy', 'DeleteAccountPasswordPolicy')
    AND ok
),
compared AS (
  SELECT
    *,
    lag(eventid) OVER successive IS NOT NULL AS has_former,
    lag(min_length) OVER successive AS former_length,
    lag(reuse) OVER successive AS former_reuse,
    lag(uppercase) OVER successive AS former_uppercase,
    lag(lowercase) OVER successive AS former_lowercase,
    lag(numbers) OVER successive AS former_numbers,
    lag(symbols) OVER successive AS former_symbols,
    lag(own_change) OVER successive AS former_own_change
  FROM policies
  WINDOW successive AS (PARTITION BY account ORDER BY eventtime, eventid)
),
judged AS (
  SELECT
    compared.*,
    array_compact(make_array(
      CASE WHEN min_length < baseline.minimum_length
        THEN 'takes passwords of ' || CAST(min_length AS VARCHAR) || ' characters' END,
      CASE WHEN NOT uppercase AND baseline.require_uppercase THEN 'asks for no upper case' END,
      CASE WHEN NOT lowercase AND baseline.require_lowercase THEN 'asks for no lower case' END,
      CASE WHEN NOT numbers AND baseline.require_numbers THEN 'asks for no digits' END,
      CASE WHEN NOT symbols AND baseline.require_symbols THEN 'asks for no symbols' END,
      CASE WHEN reuse < baseline.reuse_prevention THEN CASE reuse
        WHEN 0 THEN 'lets every former password come again'
        ELSE 'remembers ' || CAST(reuse AS VARCHAR) || ' former passwords only'
      END END,
      CASE WHEN NOT own_change THEN 'keeps users from changing their passwords' END
    )) AS below,
    array_compact(make_array(
      CASE WHEN min_length < former_length
        THEN 'takes shorter passwords than before' END,
      CASE WHEN NOT uppercase AND former_uppercase OR NOT lowercase AND former_lowercase
          OR NOT numbers AND former_numbers OR NOT symbols AND former_symbols
        THEN 'asks for fewer kinds of characters than before' END,
      CASE WHEN reuse < former_reuse THEN 'remembers fewer former passwords than before' END,
      CASE WHEN NOT own_change AND former_own_change
        THEN 'no longer lets users change their passwords' END
    )) AS weaker,
    min_length > former_length OR reuse > former_reuse
      OR uppercase AND NOT former_uppercase OR lowercase AND NOT former_lowercase
      OR numbers AND NOT former_numbers OR symbols AND NOT former_symbols
      OR own_change AND NOT former_own_change AS stronger
  FROM compared
  CROSS JOIN password_baseline AS baseline
)
SELECT
  eventtime,
  eventid,
  recipientaccountid,
  awsregion,
  actor,
  sourceipaddress,
  eventname,
  'password policy of ' || coalesce(account, 'an unknown account') AS subject,
  CASE
    WHEN has_former AND cardinality(weaker) = 0 AND stronger THEN 'low'
    WHEN iac_hint THEN 'low'
    ELSE 'medium'
  END AS severity,
  deleted,
  array_concat(below, weaker) AS defects,
  min_length AS minimum_length,
  reuse AS reuse_prevention,
  has_former
FROM judged
WHERE deleted OR cardinality(below) > 0 OR cardinality(weaker) > 0
