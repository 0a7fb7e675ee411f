use super::*;

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{action},"Resource":{resource}}}"#)
}

fn check(statements: &str, class: &str, severity: &str, conditioned: bool) {
    let report = classify(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#
    ));
    assert_eq!(
        (
            report.class.as_str(),
            report.severity.as_str(),
            report.conditioned
        ),
        (class, severity, conditioned),
        "{statements} {report:?}"
    );
    assert!(report.readable);
}

#[test]
fn one_statement_has_its_class() {
    for (action, resource, class, severity) in [
        (r#""*""#, r#""*""#, "admin", "critical"),
        (r#"["*:*"]"#, r#"["*"]"#, "admin", "critical"),
        (r#""IAM:*""#, r#""*""#, "admin", "critical"),
        (r#""iam:*""#, r#""arn:aws:iam::*:*""#, "admin", "critical"),
        (r#""*""#, r#""arn:aws:s3:::logs/*""#, "plain", "info"),
        (
            r#""iam:PutRolePolicy""#,
            r#""*""#,
            "escalation-direct",
            "high",
        ),
        (
            r#""iam:putrole*""#,
            r#""arn:aws:iam::111122223333:role/*""#,
            "escalation-direct",
            "high",
        ),
        (
            r#""iam:PutRolePolicy""#,
            r#""arn:aws-cn:iam::111122223333:role/*""#,
            "escalation-direct",
            "high",
        ),
        (
            r#""iam:PutRolePolicy""#,
            r#""arn:aws:iam::111122223333:role/app-*""#,
            "plain",
            "info",
        ),
        (
            r#""iam:CreateAccessKey""#,
            r#""arn:aws:iam::*:user/${aws:username}""#,
            "plain",
            "info",
        ),
        (r#""iam:DeactivateMFADevice""#, r#""*""#, "plain", "info"),
        (
            r#"["iam:PassRole","lambda:CreateFunction"]"#,
            r#""*""#,
            "escalation-combo",
            "high",
        ),
        (r#""iam:PassRole""#, r#""*""#, "plain", "info"),
        (r#""lambda:CreateFunction""#, r#""*""#, "plain", "info"),
        (r#""ssm:SendCommand""#, r#""*""#, "escalation-combo", "high"),
        (r#""sts:AssumeRole""#, r#""*""#, "assume-any", "medium"),
        (
            r#""sts:AssumeRole""#,
            r#""arn:aws:iam::*:role/*""#,
            "assume-any",
            "medium",
        ),
        (
            r#""sts:AssumeRole""#,
            r#""arn:aws:iam::*:role/deploy""#,
            "plain",
            "info",
        ),
        (r#""sts:AssumeRoot""#, r#""*""#, "assume-any", "high"),
        (r#""s3:*""#, r#""*""#, "service-full", "medium"),
        (
            r#""cloudtrail:StopLogging""#,
            r#""*""#,
            "guard-tamper",
            "medium",
        ),
        (r#""s3:Get*""#, r#""*""#, "data-wide", "medium"),
        (
            r#""iam:*""#,
            r#""arn:aws:iam::111122223333:role/*""#,
            "escalation-direct",
            "high",
        ),
        (
            r#""s3:GetObject""#,
            r#""arn:aws:s3:::*/*""#,
            "data-wide",
            "medium",
        ),
        (
            r#""s3:GetObject""#,
            r#""arn:aws:s3:::logs/*""#,
            "plain",
            "info",
        ),
        (
            r#""dynamodb:Scan""#,
            r#""arn:aws:dynamodb:eu-west-1:111122223333:table/*""#,
            "data-wide",
            "medium",
        ),
        (
            r#""iam:PutRolePolicy""#,
            r#""arn:aws:iam::*""#,
            "escalation-direct",
            "high",
        ),
        (r#""s3:ListAllMyBuckets""#, r#""*""#, "plain", "info"),
    ] {
        check(&allow(action, resource), class, severity, false);
    }
}

#[test]
fn not_action_and_not_resource_are_read_as_what_they_leave() {
    check(
        r#"{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#,
        "admin",
        "critical",
        false,
    );
    check(
        r#"{"Effect":"Allow","NotAction":"iam:DeleteRole","Resource":"*"}"#,
        "admin",
        "critical",
        false,
    );
    check(
        r#"{"Effect":"Allow","NotAction":["iam:*","organizations:*","sso:*","sso-directory:*","identitystore:*","rolesanywhere:*","eks:*"],"Resource":"*"}"#,
        "escalation-combo",
        "high",
        false,
    );
    check(
        r#"{"Effect":"Allow","Action":"iam:*","NotResource":"arn:aws:iam::111122223333:role/x"}"#,
        "admin",
        "critical",
        false,
    );
}

#[test]
fn deny_and_condition_take_away() {
    let admin = allow(r#""*""#, r#""*""#);
    let deny = |rest: &str| format!(r#"{admin},{{"Effect":"Deny",{rest}}}"#);
    check(
        &deny(r#""Action":"*","Resource":"*""#),
        "plain",
        "info",
        false,
    );
    check(
        &deny(r#""Action":"iam:DeleteRole","Resource":"*""#),
        "admin",
        "critical",
        false,
    );
    check(
        &deny(r#""Action":"iam:*","Resource":"arn:aws:iam::1:role/x""#),
        "admin",
        "critical",
        false,
    );
    check(
        &deny(
            r#""Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#,
        ),
        "admin",
        "critical",
        false,
    );
    let conditioned = |action: &str, key: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":{action},"Resource":"*","Condition":{{"StringEquals":{{"{key}":"x"}}}}}}"#
        )
    };
    check(
        &conditioned(r#""*""#, "aws:PrincipalTag/team"),
        "admin",
        "high",
        true,
    );
    check(
        &conditioned(r#""s3:*""#, "aws:SourceVpce"),
        "service-full",
        "low",
        true,
    );
    check(
        &conditioned(
            r#"["iam:PassRole","ecs:RegisterTaskDefinition"]"#,
            "iam:PassedToService",
        ),
        "plain",
        "info",
        false,
    );
}

#[test]
fn odd_documents_are_read() {
    let report = classify(
        "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:List*\",\"Action\":\"*\",\"Resource\":\"*\"}}",
    );
    assert_eq!(report.class, PermissionClass::Admin);
    assert!(!classify("what").readable);
    assert_eq!(classify("{}").class, PermissionClass::Plain);
}
