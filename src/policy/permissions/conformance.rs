//! One small document for each row of the classes and for each way to write it.

use super::classify;

/// Rows of `ACTIONS on RESOURCES & CONDITION | class | severity | matched`, where a leading `!` stands for
/// `NotAction` and `NotResource`, and a second line of the document begins with `deny`. A `?` behind the
/// class says that it is reached only under a condition.
fn check_rows(rows: &str) {
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [statements, class, severity, matched] = cells.as_slice() else {
            panic!("a row has four cells: {row}");
        };
        let texts: Vec<String> = statements.split(" ; ").map(statement).collect();
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            texts.join(",")
        );
        let report = classify(&document);
        let (class, conditioned) = match class.strip_suffix('?') {
            Some(class) => (class, true),
            None => (*class, false),
        };
        assert_eq!(
            (
                report.class.as_str(),
                report.severity.as_str(),
                report.conditioned,
                report.actions.join(" ").as_str()
            ),
            (class, *severity, conditioned, *matched),
            "{document}"
        );
        assert!(report.readable);
    }
}

fn statement(text: &str) -> String {
    let (effect, text) = match text.trim().strip_prefix("deny ") {
        Some(rest) => ("Deny", rest),
        None => ("Allow", text.trim()),
    };
    let (text, condition) = text.split_once(" & ").unwrap_or((text, ""));
    let (actions, resources) = text.split_once(" on ").unwrap();
    let member = |name: &str, texts: &str| {
        let (not, texts) = match texts.strip_prefix('!') {
            Some(texts) => ("Not", texts),
            None => ("", texts),
        };
        let items: Vec<String> = texts
            .split_whitespace()
            .map(|text| format!("{text:?}"))
            .collect();
        // One value alone stands as it is, which the grammar takes as well as a list.
        let value = match items.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(",")),
        };
        format!(r#""{not}{name}":{value}"#)
    };
    format!(
        r#"{{"Effect":"{effect}",{},{},"Condition":{{{condition}}}}}"#,
        member("Action", actions),
        member("Resource", resources)
    )
}

#[test]
fn admin_by_every_spelling() {
    check_rows(
        r#"
        * on * | admin | critical | *
        *:* on * | admin | critical | *:*
        ** on * | admin | critical | **
        iam:* on * | admin | critical | iam:*
        Iam:* s3:GetObject on * | admin | critical | Iam:*
        i?m:* on * | admin | critical | i?m:*
        * on arn:aws:s3:::b * | admin | critical | *
        !s3:* on * | admin | critical | NotAction s3:*
        !iam:Delete* on * | admin | critical | NotAction iam:Delete*
        * on * & "Bool":{"aws:MultiFactorAuthPresent":"true"} | admin? | high | *
        * on * ; deny iam:* on * | escalation-direct | high | eks:AssociateAccessPolicy eks:CreateAccessEntry identitystore:CreateGroupMembership organizations:AttachPolicy organizations:DetachPolicy organizations:UpdatePolicy rolesanywhere:CreateProfile rolesanywhere:CreateTrustAnchor sso-directory:AddMemberToGroup sso:AttachCustomerManagedPolicyReferenceToPermissionSet sso:AttachManagedPolicyToPermissionSet sso:CreateAccountAssignment sso:PutInlinePolicyToPermissionSet
        * on * ; deny * on * | plain | info |
        * on * ; deny * on * & "Bool":{"aws:SecureTransport":"false"} | admin | critical | *
        * on * ; deny iam:* on arn:aws:iam::111122223333:role/x | admin | critical | *
        "#,
    );
}

#[test]
fn escalation_by_one_call() {
    for action in [
        "CreatePolicyVersion",
        "SetDefaultPolicyVersion",
        "AttachRolePolicy",
        "AttachUserPolicy",
        "AttachGroupPolicy",
        "PutRolePolicy",
        "PutUserPolicy",
        "PutGroupPolicy",
        "UpdateAssumeRolePolicy",
        "AddUserToGroup",
        "CreateAccessKey",
        "CreateLoginProfile",
        "UpdateLoginProfile",
        "CreateServiceSpecificCredential",
        "ResetServiceSpecificCredential",
        "DeleteRolePermissionsBoundary",
        "PutRolePermissionsBoundary",
        "DeleteUserPermissionsBoundary",
        "PutUserPermissionsBoundary",
        "CreateOpenIDConnectProvider",
        "UpdateOpenIDConnectProviderThumbprint",
        "AddClientIDToOpenIDConnectProvider",
        "CreateSAMLProvider",
        "UpdateSAMLProvider",
    ] {
        check_rows(&format!(
            "iam:{action} on * | escalation-direct | high | iam:{action}"
        ));
    }
    check_rows(
        r#"
        iam:AttachRolePolicy on arn:aws:iam::111122223333:role/* | escalation-direct | high | iam:AttachRolePolicy
        iam:CreateAccessKey on arn:aws:iam::*:user/* | escalation-direct | high | iam:CreateAccessKey
        iam:CreatePolicyVersion on arn:aws:iam::111122223333:policy/* | escalation-direct | high | iam:CreatePolicyVersion
        iam:AttachRolePolicy on arn:aws:iam::111122223333:role/app-* | plain | info |
        iam:CreateAccessKey on arn:aws:iam::111122223333:user/${aws:username} | plain | info |
        iam:attachROLEpolicy on * | escalation-direct | high | iam:AttachRolePolicy
        iam:Attach* on * | escalation-direct | high | iam:AttachGroupPolicy iam:AttachRolePolicy iam:AttachUserPolicy
        iam:AttachRolePolicy on * & "ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"} | escalation-direct? | medium | iam:AttachRolePolicy
        iam:AttachRolePolicy on * & "Null":{} | escalation-direct | high | iam:AttachRolePolicy
        iam:AttachRolePolicy iam:PutRolePolicy on * ; deny iam:AttachRolePolicy on * | escalation-direct | high | iam:PutRolePolicy
        iam:EnableMFADevice iam:CreateVirtualMFADevice iam:DeactivateMFADevice on * | escalation-direct | high | iam:CreateVirtualMFADevice iam:DeactivateMFADevice iam:EnableMFADevice
        iam:EnableMFADevice iam:CreateVirtualMFADevice on * | plain | info |
        rolesanywhere:CreateTrustAnchor rolesanywhere:CreateProfile on * | escalation-direct | high | rolesanywhere:CreateProfile rolesanywhere:CreateTrustAnchor
        rolesanywhere:CreateTrustAnchor on * | plain | info |
        sso:CreateAccountAssignment on * | escalation-direct | high | sso:CreateAccountAssignment
        identitystore:CreateGroupMembership on * | escalation-direct | high | identitystore:CreateGroupMembership
        organizations:DetachPolicy on * | escalation-direct | high | organizations:DetachPolicy
        eks:CreateAccessEntry eks:AssociateAccessPolicy on * | escalation-direct | high | eks:AssociateAccessPolicy eks:CreateAccessEntry
        eks:CreateAccessEntry on * | plain | info |
        iam:GetRole iam:ListRoles on * | plain | info |
        iam:PutRolePolicy on !arn:aws:iam::111122223333:role/x | escalation-direct | high | iam:PutRolePolicy
        "#,
    );
}

#[test]
fn escalation_by_several_calls() {
    check_rows(
        r#"
        iam:PassRole ec2:RunInstances on * | escalation-combo | high | ec2:RunInstances iam:PassRole
        iam:PassRole on arn:aws:iam::111122223333:role/* ; cloudformation:CreateStack on * | escalation-combo | high | cloudformation:CreateStack iam:PassRole
        iam:PassRole on arn:aws:iam::111122223333:role/app ; cloudformation:CreateStack on * | plain | info |
        iam:PassRole glue:CreateJob on * & "StringEquals":{"iam:PassedToService":"glue.amazonaws.com"} | plain | info |
        iam:PassRole on * & "StringLike":{"aws:PrincipalTag/a":"b"} ; ecs:RegisterTaskDefinition on * | escalation-combo? | medium | ecs:RegisterTaskDefinition iam:PassRole
        iam:PassRole on * ; lambda:CreateFunction on * ; deny iam:PassRole on * | plain | info |
        iam:PassRole sagemaker:CreateNotebookInstance on * | escalation-combo | high | iam:PassRole sagemaker:CreateNotebookInstance
        iam:PassRole s3:ListBucket on * | plain | info |
        ssm:StartSession on * | escalation-combo | high | ssm:StartSession
        lambda:UpdateFunctionCode on * | escalation-combo | high | lambda:UpdateFunctionCode
        lambda:UpdateFunctionCode on arn:aws:lambda:eu-west-1:111122223333:function:mine | plain | info |
        ec2:ModifyInstanceAttribute ec2:StopInstances on * | plain | info |
        ec2:ModifyInstanceAttribute ec2:StopInstances ec2:StartInstances on * | escalation-combo | high | ec2:ModifyInstanceAttribute ec2:StartInstances ec2:StopInstances
        codebuild:StartBuild on * | escalation-combo | high | codebuild:StartBuild
        "#,
    );
}

#[test]
fn the_milder_classes() {
    check_rows(
        r#"
        sts:AssumeRole on arn:aws:iam::*:role/* | assume-any | medium | sts:AssumeRole
        sts:AssumeRole on arn:*:iam::*:role/* | assume-any | medium | sts:AssumeRole
        sts:AssumeRole on arn:aws:iam::111122223333:role/* | plain | info |
        sts:AssumeRole on arn:aws:iam::111122223333:role/app | plain | info |
        sts:* on * | assume-any | high | sts:AssumeRole sts:AssumeRoot
        sts:AssumeRole on * & "StringEquals":{"aws:ResourceOrgID":"o-mine"} | assume-any? | low | sts:AssumeRole
        kms:* on * | service-full | medium | kms:*
        dynamodb:* rds:* on * | service-full | medium | dynamodb:* rds:*
        sqs:* on * | plain | info |
        s3:* on arn:aws:s3:::one/* | plain | info |
        cloudtrail:StopLogging cloudtrail:DescribeTrails on * | guard-tamper | medium | cloudtrail:StopLogging
        organizations:LeaveOrganization on * | guard-tamper | medium | organizations:LeaveOrganization
        guardduty:Delete* on * | guard-tamper | medium | guardduty:DeleteDetector
        cloudtrail:StopLogging on arn:aws:cloudtrail:eu-west-1:111122223333:trail/one | plain | info |
        s3:GetObject on * | data-wide | medium | s3:GetObject
        s3:GetObject on arn:aws:s3:::one/* | plain | info |
        secretsmanager:GetSecretValue on * & "StringEquals":{"aws:ResourceTag/a":"b"} | data-wide? | low | secretsmanager:GetSecretValue
        ssm:GetParameter* on * | data-wide | medium | ssm:GetParameter ssm:GetParameters ssm:GetParametersByPath
        kms:Decrypt dynamodb:Scan on * | data-wide | medium | dynamodb:Scan kms:Decrypt
        logs:CreateLogGroup logs:PutLogEvents on * | plain | info |
        "#,
    );
}

#[test]
fn odd_documents() {
    for text in ["", "null", "[]", "{", "%7B"] {
        assert!(!classify(text).readable, "{text}");
    }
    for (text, class) in [
        ("{}", "plain"),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
            "admin",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#,
            "plain",
        ),
        (
            r#"{"Statement":[{"Effect":"allow","Action":["*"],"Resource":["*"]}]}"#,
            "admin",
        ),
        (
            r#"{"Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            "admin",
        ),
        (
            "%7B%22Statement%22:%7B%22Effect%22:%22Allow%22,%22Action%22:%22iam:*%22,%22Resource%22:%22*%22%7D%7D",
            "admin",
        ),
        (
            r#""{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}}""#,
            "data-wide",
        ),
    ] {
        assert_eq!(classify(text).class.as_str(), class, "{text}");
    }
}
