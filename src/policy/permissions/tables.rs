//! Which actions make which class. A row with several actions counts only if all are allowed.

type Rows<const N: usize> = [&'static [&'static str]; N];

/// Each row alone raises the rights of whoever has it, if the target is right.
pub(super) const ESCALATION_DIRECT: Rows<36> = [
    &["iam:CreatePolicyVersion"],
    &["iam:SetDefaultPolicyVersion"],
    &["iam:AttachRolePolicy"],
    &["iam:AttachUserPolicy"],
    &["iam:AttachGroupPolicy"],
    &["iam:PutRolePolicy"],
    &["iam:PutUserPolicy"],
    &["iam:PutGroupPolicy"],
    &["iam:UpdateAssumeRolePolicy"],
    &["iam:AddUserToGroup"],
    &["iam:CreateAccessKey"],
    &["iam:CreateLoginProfile"],
    &["iam:UpdateLoginProfile"],
    &["iam:CreateServiceSpecificCredential"],
    &["iam:ResetServiceSpecificCredential"],
    &[
        "iam:DeactivateMFADevice",
        "iam:CreateVirtualMFADevice",
        "iam:EnableMFADevice",
    ],
    &["iam:DeleteRolePermissionsBoundary"],
    &["iam:PutRolePermissionsBoundary"],
    &["iam:DeleteUserPermissionsBoundary"],
    &["iam:PutUserPermissionsBoundary"],
    &["iam:CreateOpenIDConnectProvider"],
    &["iam:UpdateOpenIDConnectProviderThumbprint"],
    &["iam:AddClientIDToOpenIDConnectProvider"],
    &["iam:CreateSAMLProvider"],
    &["iam:UpdateSAMLProvider"],
    &[
        "rolesanywhere:CreateTrustAnchor",
        "rolesanywhere:CreateProfile",
    ],
    &["sso:CreateAccountAssignment"],
    &["sso:AttachManagedPolicyToPermissionSet"],
    &["sso:AttachCustomerManagedPolicyReferenceToPermissionSet"],
    &["sso:PutInlinePolicyToPermissionSet"],
    &["sso-directory:AddMemberToGroup"],
    &["identitystore:CreateGroupMembership"],
    &["organizations:AttachPolicy"],
    &["organizations:DetachPolicy"],
    &["organizations:UpdatePolicy"],
    &["eks:CreateAccessEntry", "eks:AssociateAccessPolicy"],
];

/// What can be handed a role with `iam:PassRole`.
pub(super) const CONSUMERS: Rows<30> = [
    &["ec2:RunInstances"],
    &["ec2:RequestSpotInstances"],
    &["ec2:RequestSpotFleet"],
    &["ec2:AssociateIamInstanceProfile"],
    &["ec2:ReplaceIamInstanceProfileAssociation"],
    &["iam:AddRoleToInstanceProfile"],
    &["autoscaling:CreateLaunchConfiguration"],
    &["lambda:CreateFunction"],
    &["cloudformation:CreateStack"],
    &["cloudformation:CreateStackSet"],
    &["cloudformation:UpdateStackSet"],
    &["codebuild:CreateProject"],
    &["ecs:RegisterTaskDefinition"],
    &["glue:CreateDevEndpoint"],
    &["glue:CreateJob"],
    &["glue:UpdateJob"],
    &["sagemaker:CreateNotebookInstance"],
    &["sagemaker:CreateTrainingJob"],
    &["sagemaker:CreateProcessingJob"],
    &["apprunner:CreateService"],
    &["datapipeline:CreatePipeline"],
    &["bedrock-agentcore:CreateCodeInterpreter"],
    &["cognito-identity:SetIdentityPoolRoles"],
    &["iot:CreateRoleAlias"],
    &["events:PutTargets"],
    &["scheduler:CreateSchedule"],
    &["pipes:CreatePipe"],
    &["dms:CreateEndpoint"],
    &["elasticmapreduce:RunJobFlow"],
    &["batch:RegisterJobDefinition"],
];

/// What steers something that holds a role already.
pub(super) const EXISTING_ROLE: Rows<16> = [
    &[
        "ec2:ModifyInstanceAttribute",
        "ec2:StopInstances",
        "ec2:StartInstances",
    ],
    &[
        "ec2:CreateLaunchTemplateVersion",
        "ec2:ModifyLaunchTemplate",
    ],
    &["ec2-instance-connect:SendSSHPublicKey"],
    &["ssm:StartSession"],
    &["ssm:SendCommand"],
    &["lambda:UpdateFunctionCode"],
    &["lambda:UpdateFunctionConfiguration"],
    &["cloudformation:UpdateStack"],
    &[
        "cloudformation:CreateChangeSet",
        "cloudformation:ExecuteChangeSet",
    ],
    &["codebuild:StartBuild"],
    &["codebuild:StartBuildBatch"],
    &["ecs:ExecuteCommand"],
    &["glue:UpdateDevEndpoint"],
    &["sagemaker:CreatePresignedNotebookInstanceUrl"],
    &["apprunner:UpdateService"],
    &["bedrock-agentcore:InvokeCodeInterpreter"],
];

/// Taking roles, and root.
pub(super) const ASSUME: Rows<2> = [&["sts:AssumeRole"], &["sts:AssumeRoot"]];

/// Switching off what watches.
pub(super) const GUARD_TAMPER: Rows<17> = [
    &["cloudtrail:StopLogging"],
    &["cloudtrail:DeleteTrail"],
    &["cloudtrail:PutEventSelectors"],
    &["cloudtrail:UpdateTrail"],
    &["config:StopConfigurationRecorder"],
    &["config:DeleteConfigurationRecorder"],
    &["config:DeleteDeliveryChannel"],
    &["guardduty:DeleteDetector"],
    &["guardduty:UpdateDetector"],
    &["guardduty:StopMonitoringMembers"],
    &["guardduty:DisassociateFromAdministratorAccount"],
    &["guardduty:CreateFilter"],
    &["securityhub:DisableSecurityHub"],
    &["securityhub:BatchDisableStandards"],
    &["securityhub:DeleteMembers"],
    &["securityhub:DisassociateFromAdministratorAccount"],
    &["organizations:LeaveOrganization"],
];

/// Reading data and secrets.
pub(super) const DATA_WIDE: Rows<7> = [
    &["s3:GetObject"],
    &["secretsmanager:GetSecretValue"],
    &["ssm:GetParameter"],
    &["ssm:GetParameters"],
    &["ssm:GetParametersByPath"],
    &["dynamodb:Scan"],
    &["kms:Decrypt"],
];

/// Services of which nobody should hold everything.
pub(super) const SENSITIVE_SERVICES: [&str; 22] = [
    "bedrock-agentcore",
    "cloudformation",
    "cloudtrail",
    "config",
    "dynamodb",
    "ec2",
    "ecr",
    "eks",
    "guardduty",
    "iam",
    "identitystore",
    "kms",
    "lambda",
    "organizations",
    "rds",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "ssm",
    "sso",
    "sso-directory",
    "sts",
];

/// How the resources of a service begin; a pattern for every resource of one kind is broad. The rest
/// of the services have the whole service only.
pub(super) const BROAD_KINDS: [(&str, &[&str]); 14] = [
    ("cloudtrail", &["", "trail/"]),
    ("dynamodb", &["", "table/"]),
    ("ec2", &["", "instance/"]),
    ("ecs", &["", "task/"]),
    ("guardduty", &["", "detector/"]),
    ("iam", &["", "group/", "policy/", "role/", "user/"]),
    ("kms", &["", "key/"]),
    ("lambda", &["", "function:"]),
    ("organizations", &["", "policy/"]),
    ("s3", &["", "~~~~~~~~/"]),
    ("secretsmanager", &["", "secret:"]),
    ("ssm", &["", "document/", "parameter/"]),
    ("sts", &["", "role/"]),
    ("codebuild", &["", "project/"]),
];
