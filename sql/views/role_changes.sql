-- Changes to roles and to what roles, users and groups may do, granted or refused: one row for each
-- call, with the trust or permission document that it carried and what that document amounts to.
--
-- `holder_kind` and `holder_name` say who gets or loses rights; both are NULL for calls on a policy of
-- its own (CreatePolicy, CreatePolicyVersion, SetDefaultPolicyVersion). `role_name` and `role_account`
-- identify a role; `role_arn` has its path only where the record does. Refused calls carry no
-- document, and their target comes from the error message. Documents stand as delivered, which may be
-- percent-encoded; the functions read both forms.
SELECT
  *,
  CASE WHEN holder_kind = 'role' THEN holder_name END AS role_name,
  CASE WHEN holder_kind = 'role' THEN coalesce(
    json_get_str(responseelements, 'role', 'arn'),
    CASE WHEN arn_resource(subject) LIKE 'role/%' THEN subject END
  ) END AS role_arn,
  trust_verdict(trust_document, role_account) AS trust_verdict,
  trust_severity(trust_document, role_account) AS trust_severity,
  trust_codes(trust_document, role_account) AS trust_codes,
  trust_principals(trust_document, role_account) AS trust_principals,
  managed_policy_tier(policy_arn) AS policy_tier,
  policy_class(policy_document) AS policy_class,
  policy_severity(policy_document) AS policy_severity,
  policy_conditioned(policy_document) AS policy_conditioned,
  policy_actions(policy_document) AS policy_actions
FROM (
  SELECT
    *,
    CASE
      WHEN eventname IN ('CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion') THEN NULL
      WHEN eventname LIKE '%User%' THEN 'user'
      WHEN eventname LIKE '%Group%' THEN 'group'
      ELSE 'role'
    END AS holder_kind,
    CASE
      WHEN eventname IN ('CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion') THEN NULL
      WHEN eventname LIKE '%User%' THEN coalesce(
        json_get_str(requestparameters, 'userName'),
        CASE WHEN denied_target(errormessage) LIKE 'user/%'
          THEN split_part(denied_target(errormessage), '/', -1) END)
      WHEN eventname LIKE '%Group%' THEN coalesce(
        json_get_str(requestparameters, 'groupName'),
        CASE WHEN denied_target(errormessage) LIKE 'group/%'
          THEN split_part(denied_target(errormessage), '/', -1) END)
      ELSE coalesce(
        role_name(json_get_str(responseelements, 'role', 'arn')),
        json_get_str(requestparameters, 'roleName'),
        role_name(target_role_arn))
    END AS holder_name,
    coalesce(recipientaccountid, target_account, caller_account) AS role_account,
    json_get_str(responseelements, 'role', 'roleId') AS role_id,
    CASE
      WHEN eventname = 'CreateRole' THEN coalesce(
        json_as_text(requestparameters, 'assumeRolePolicyDocument'),
        json_as_text(responseelements, 'role', 'assumeRolePolicyDocument'))
      WHEN eventname = 'UpdateAssumeRolePolicy' THEN
        json_as_text(requestparameters, 'policyDocument')
      WHEN eventname = 'CreateServiceLinkedRole' THEN
        json_as_text(responseelements, 'role', 'assumeRolePolicyDocument')
    END AS trust_document,
    coalesce(
      json_get_str(requestparameters, 'policyArn'),
      json_get_str(responseelements, 'policy', 'arn')
    ) AS policy_arn,
    json_get_str(requestparameters, 'policyName') AS policy_name,
    CASE WHEN eventname <> 'UpdateAssumeRolePolicy' THEN
      json_as_text(requestparameters, 'policyDocument')
    END AS policy_document,
    coalesce(
      json_get_str(requestparameters, 'versionId'),
      json_get_str(responseelements, 'policyVersion', 'versionId'),
      json_get_str(responseelements, 'policy', 'defaultVersionId')
    ) AS policy_version,
    -- A new version counts only as the default; a new policy's first version always is.
    CASE
      WHEN eventname = 'CreatePolicyVersion' THEN coalesce(
        lower(json_as_text(requestparameters, 'setAsDefault')) = 'true', false)
      WHEN eventname IN ('CreatePolicy', 'SetDefaultPolicyVersion') THEN true
    END AS policy_default,
    json_get_str(requestparameters, 'permissionsBoundary') AS permissions_boundary
  FROM activity
  WHERE eventsource = 'iam.amazonaws.com'
    AND eventname IN (
      'CreateRole', 'DeleteRole', 'UpdateRole', 'UpdateAssumeRolePolicy',
      'CreateServiceLinkedRole', 'DeleteServiceLinkedRole',
      'AttachRolePolicy', 'DetachRolePolicy', 'PutRolePolicy', 'DeleteRolePolicy',
      'AttachUserPolicy', 'DetachUserPolicy', 'PutUserPolicy', 'DeleteUserPolicy',
      'AttachGroupPolicy', 'DetachGroupPolicy', 'PutGroupPolicy', 'DeleteGroupPolicy',
      'AddUserToGroup', 'RemoveUserFromGroup',
      'CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion',
      'PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary',
      'PutUserPermissionsBoundary', 'DeleteUserPermissionsBoundary',
      'AddRoleToInstanceProfile', 'RemoveRoleFromInstanceProfile',
      'TagRole', 'UntagRole')
)
