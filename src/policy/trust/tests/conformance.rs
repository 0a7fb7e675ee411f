//! One small document for each sentence of the analysis: every code, every sort of principal, every
//! provider, every way in which a condition does or does not restrict.

use super::*;

/// `WHO WHAT & condition`: one Allow. `everybody`, `aws`, `service`, `oidc HOST`, `saml`, `provider` or
/// a `Principal` in JSON, with the action that fits unless another one follows after `do`.
fn short(text: &str) -> String {
    let (head, condition) = text.split_once('&').unwrap_or((text, ""));
    let (who, action) = match head.split_once(" do ") {
        Some((who, action)) => (who.trim(), Some(action.trim())),
        None => (head.trim(), None),
    };
    let (sort, value) = who.split_once(' ').unwrap_or((who, ""));
    let own = "arn:aws:iam::444455556666";
    let (principal, fitting) = match sort {
        "everybody" => (r#""*""#.to_owned(), ASSUME),
        "aws" => (format!(r#"{{"AWS":"{value}"}}"#), ASSUME),
        "service" => (format!(r#"{{"Service":"{value}"}}"#), ASSUME),
        "oidc" => (
            format!(r#"{{"Federated":"{own}:oidc-provider/{value}"}}"#),
            WEB,
        ),
        "saml" => (
            format!(r#"{{"Federated":"{own}:saml-provider/{value}"}}"#),
            SAML,
        ),
        "provider" => (format!(r#"{{"Federated":"{value}"}}"#), WEB),
        _ => (who.to_owned(), ASSUME),
    };
    // `G:` and the like stand for the long names of claims.
    let condition = condition
        .replace("\"G:", "\"token.actions.githubusercontent.com:")
        .replace("\"C:", "\"cognito-identity.amazonaws.com:")
        .replace(
            "GAUD",
            r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}"#,
        );
    let actions: Vec<String> = action
        .unwrap_or(fitting)
        .split_whitespace()
        .map(|action| format!("\"{action}\""))
        .collect();
    document(&[format!(
        r#"{{"Effect":"Allow","Principal":{principal},"Action":[{}],"Condition":{{{condition}}}}}"#,
        actions.join(",")
    )])
}

#[test]
fn principals_of_every_sort() {
    check_rows(
        r#"
        everybody | public | critical | T01
        aws * | public | critical | T01
        {"AWS":["arn:aws:iam::444455556666:user/ann","*"]} | public | critical | T01 T42
        aws arn:aws:iam::*:root | public | critical | T01
        aws arn:aws-cn:iam::*:root | public | critical | T01
        aws 444455556666 | trusted-account | info | T12
        aws arn:aws:iam::444455556666:root | trusted-account | info | T12
        aws arn:aws-us-gov:iam::444455556666:root | trusted-account | info | T12
        aws 555566667777 | trusted-account | low | T13
        aws arn:aws-cn:iam::555566667777:root | trusted-account | low | T13
        aws 666677778888 | external-unguarded | medium | T09
        aws arn:aws:iam::666677778888:user/tool/scan | external-unguarded | medium | T09
        aws 999900001111 | external-untrusted | high | T07
        aws arn:aws-iso-b:iam::999900001111:root | external-untrusted | high | T07
        aws arn:aws:iam::999900001111:user/eve | external-untrusted | high | T08
        aws arn:aws:iam::999900001111:role/a/b/c | external-untrusted | high | T08
        aws arn:aws:iam::444455556666:user/people/ann | trusted-principal | info | T42
        aws arn:aws:iam::555566667777:role/ci | trusted-principal | info | T42
        aws arn:aws:iam::444455556666:role/team/pay | trusted-principal | low | T37 T42
        aws arn:aws:sts::444455556666:assumed-role/pay/me | trusted-principal | low | T15 T37 T42
        aws arn:aws:sts::444455556666:assumed-role/ci/b-1 | trusted-principal | low | T15 T42
        aws arn:aws:sts::444455556666:federated-user/bob | trusted-principal | low | T15 T42
        aws arn:aws:sts::666677778888:assumed-role/scan/s | external-unguarded | medium | T09 T15
        aws arn:aws:sts::999900001111:assumed-role/x/y | external-untrusted | high | T08 T15
        aws AIDAQ3EGUSEREXAMPLE01 | opaque-principal | medium | T14
        aws AROAQ3EGROLEEXAMPLE01 | opaque-principal | medium | T14
        aws AGPAQ3EGGROUPEXAMPL01 | opaque-principal | medium | T14
        aws ASCAQ3EGCERTEXAMPLE01 | opaque-principal | medium | T14
        aws arn:aws:iam::444455556666:role/app-* | none | info | T40
        aws arn:aws:iam::44445555666?:root | none | info | T40
        aws arn:aws:iam::555566667777:* | none | info | T40
        aws arn:aws:iam::444455556666:group/devs | none | info | T43
        aws ann | none | info | T43
        {"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"} | invalid | info | T43
        {"AWS":[]} | none | info |
        {} | none | info |
    "#,
        short,
    );
}

#[test]
fn what_binds_a_wildcard() {
    check_rows(
        r#"
        aws * & "StringEquals":{"aws:PrincipalOrgID":["o-mine"]} | org-wide | low | T04
        aws * & "StringLike":{"AWS:PRINCIPALORGID":"o-mine"} | org-wide | low | T04
        aws * & "StringLike":{"aws:PrincipalOrgID":"o-*"} | public | critical | T01
        aws * & "StringEquals":{"aws:PrincipalOrgID":"o-theirs"} | external-untrusted | high | T05
        aws * & "StringEquals":{"aws:PrincipalOrgID":"o-*"} | none | low | T21
        aws * & "ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-mine/r-a/ou-1/*","o-mine/r-a/ou-2/*"]} | org-wide | low | T04
        aws * & "ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-mine/*"} | public | critical | T01 T31
        aws * & "ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"*/r-a/*"} | public | critical | T01
        aws * & "StringEquals":{"aws:PrincipalAccount":"666677778888"} | external-unguarded | medium | T09
        aws * & "StringEquals":{"aws:PrincipalAccount":["444455556666","999900001111"]} | external-untrusted | high | T07
        aws * & "StringLike":{"aws:PrincipalAccount":"5555*"} | public | critical | T01
        aws * & "ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::555566667777:role/ops/*"} | trusted-principal | info | T42
        aws * & "StringLike":{"aws:PrincipalArn":"arn:aws:iam::555566667777:*"} | trusted-account | low | T13
        aws * & "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::999900001111:role/*"} | external-untrusted | high | T08
        aws * & "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::????????????:role/ops"} | public | critical | T41
        aws * & "StringLike":{"aws:PrincipalArn":"*role/ops"} | public | critical | T41
        aws * & "StringLike":{"aws:PrincipalArn":"*"} | public | critical | T01
        aws * & "StringEquals":{"aws:PrincipalArn":"arn:aws:iam::555566667777:role/*"} | none | low | T21
        aws * & "StringEquals":{"aws:SourceVpc":"vpc-0aa"} | public-restricted | medium | T02
        aws * & "StringEquals":{"aws:SourceVpce":["vpce-0aa","vpce-0bb"]} | public-restricted | medium | T02
        aws * & "StringLike":{"aws:SourceVpce":"*"} | public | critical | T01
        aws * & "IpAddress":{"aws:SourceIp":"198.51.100.7"} | public-restricted | high | T02
        aws * & "IpAddress":{"aws:SourceIp":"::/0"} | public | critical | T01
        aws * & "NotIpAddress":{"aws:SourceIp":"198.51.100.0/24"} | public | critical | T01
        aws * & "IpAddressIfExists":{"aws:SourceIp":"198.51.100.0/24"} | public | critical | T01 T30
        aws * & "StringEquals":{"sts:ExternalId":"4711"} | public-restricted | high | T02 T10
        aws * & "StringLike":{"sts:ExternalId":"?*"} | public | critical | T01 T11
        aws * & "StringEquals":{"aws:PrincipalType":"User"} | public | critical | T01
        aws * & "Bool":{"aws:SecureTransport":true} | public | critical | T01
        aws * & "DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"} | public | critical | T01
        aws * & "StringLike":{"aws:UserAgent":"*terraform*"} | public | critical | T01
        aws * & "StringEquals":{"aws:Referer":"secret-word-here"} | public | critical | T01
        aws * & "StringEquals":{"aws:RequestedRegion":"eu-west-1"} | public | critical | T01
        aws * & "StringEquals":{"sts:SourceIdentity":"ann"} | public | critical | T01
        aws * & "StringEquals":{"aws:RequestTag/team":"a"} | public | critical | T01
        aws * & "ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]} | public | critical | T01
        aws * & "StringEquals":{"aws:SignInSessionArn":"arn:aws:signin:us-east-1:444455556666:session/1"} | public | critical | T01
        aws * & "Bool":{"aws:PrincipalIsAWSService":"true"} | service-unguarded | low | T28
        aws * & "StringEquals":{"aws:SourceAccount":"444455556666"} | none | info | T43
        aws * & "ArnLike":{"aws:SourceArn":"arn:aws:s3:::mine"} | none | info | T43
        aws * & "StringNotEquals":{"aws:PrincipalOrgID":"o-theirs"} | public | critical | T03
        aws * & "ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/ops"} | public | critical | T03
        aws * & "StringNotLike":{"aws:userid":"AROAQ3EGROLEEXAMPLE01:*"} | public | critical | T03
        aws * & "StringNotEquals":{"aws:PrincipalTag/team":"red"} | public | critical | T03
        aws * & "Null":{"aws:PrincipalAccount":true} | public | critical | T01 T32
        aws * & "Null":{"aws:PrincipalTag/a":"true"} | public | critical | T01
        aws * & "StringEquals":{"aws:PrincipalOrgID":"o-mine"},"Bool":{"aws:MultiFactorAuthPresent":"true"} | org-wide | low | T04
        aws * & "StringEquals":{"aws:PrincipalOrgID":"o-mine","aws:PrincipalAccount":"555566667777"} | trusted-account | low | T13
        aws * & "StringEquals":{"aws:PrincipalOrgID":"o-mine"},"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"} | org-wide | low | T04
        everybody & "StringEquals":{"aws:PrincipalOrgID":"o-mine"} | org-wide | low | T04
    "#,
        short,
    );
}

#[test]
fn conditions_on_named_principals() {
    check_rows(
        r#"
        aws 444455556666 & "Bool":{"aws:MultiFactorAuthPresent":true} | trusted-account | info | T12
        aws 444455556666 & "BoolIfExists":{"AWS:MultiFactorAuthPresent":"true"} | trusted-account | medium | T12 T33
        aws 444455556666 & "NumericLessThanIfExists":{"aws:MultiFactorAuthAge":3600} | trusted-account | medium | T12 T33
        aws 444455556666 & "Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"} | trusted-account | info | T12
        aws 444455556666 & "StringEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"} | trusted-account | medium | T12 T30
        aws 444455556666 & "ForAllValues:StringEquals":{"aws:PrincipalTag/team":"a"} | trusted-account | high | T12 T31
        aws 444455556666 & "Null":{"aws:PrincipalOrgID":["true"]} | trusted-account | high | T12 T32
        aws 444455556666 & "StringEquals":{"aws:PrincipalTag/team":["a","b*"]} | trusted-account | low | T12 T21
        aws 444455556666 & "StringEquals":{"aws:PrincipalTag/team":"b?"} | none | low | T21
        aws 444455556666 & "StringNotEquals":{"aws:PrincipalTag/team":"b*"} | trusted-account | low | T12 T21
        aws 444455556666 & "StringEquals":{"aws:SourceAccount":"444455556666"} | none | info | T43
        aws 666677778888 & "StringEquals":{"sts:ExternalId":"9f1c77aa-3b0d-4d6e-8a55"} | external-guarded | low |
        aws 666677778888 & "StringLike":{"STS:ExternalID":"9f1c77aa-3b0d-*"} | external-guarded | low |
        aws 666677778888 & "StringEquals":{"sts:ExternalId":444455556666} | external-unguarded | medium | T10
        aws 666677778888 & "StringEquals":{"sts:ExternalId":"vendor-access"} | external-unguarded | medium | T10
        aws 666677778888 & "StringEquals":{"sts:ExternalId":"pay-444455556666"} | external-unguarded | medium | T10
        aws 666677778888 & "StringEqualsIfExists":{"sts:ExternalId":"9f1c77aa-3b0d-4d6e-8a55"} | external-unguarded | medium | T11
        aws 666677778888 & "Null":{"sts:ExternalId":"false"} | external-unguarded | medium | T11
        aws 666677778888 & "Bool":{"aws:MultiFactorAuthPresent":"true"} | external-unguarded | medium | T09
        aws 999900001111 & "StringEquals":{"sts:ExternalId":"9f1c77aa-3b0d-4d6e-8a55"} | external-untrusted | high | T07
        aws 999900001111 & "StringEquals":{"sts:ExternalId":"test"} | external-untrusted | high | T07 T10
        aws 999900001111 & "StringEquals":{"aws:PrincipalOrgID":"o-mine"} | org-wide | low | T04
        aws 666677778888 do sts:AssumeRole sts:TagSession & "StringEquals":{"sts:ExternalId":"9f1c77aa-3b0d-4d6e-8a55"} | external-guarded | low | T36
        aws 666677778888 do sts:AssumeRole sts:SetSourceIdentity & "StringEquals":{"sts:ExternalId":"9f1c77aa-3b0d-4d6e-8a55"} | external-guarded | low | T36
        aws 444455556666 do sts:AssumeRole sts:TagSession | trusted-account | info | T12
        aws 444455556666 do sts:* | trusted-account | low | T12 T36
        aws 444455556666 do * | trusted-account | low | T12 T36
        aws 444455556666 do STS:ASSUMEROLE | trusted-account | info | T12
        aws 444455556666 do sts:Assume?ole | trusted-account | info | T12
        aws 444455556666 do sts:AssumeRoleWithSAML | none | info | T43
        aws 444455556666 do sts:AssumeRoleWithWebIdentity | none | info | T43
        aws 444455556666 do s3:GetObject | none | info | T43
        aws 444455556666 do sts:AssumeRoot | none | info | T43
        aws 999900001111 do sts:TagSession sts:SetContext | none | info |
    "#,
        short,
    );
}

#[test]
fn services_of_every_sort() {
    let pinned = r#""ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:444455556666:trail/*"}"#;
    check(
        &short(&format!("service cloudtrail.amazonaws.com & {pinned}")),
        "service-guarded",
        "info",
        "",
    );
    for exempt in [
        "ec2",
        "lambda",
        "edgelambda",
        "ecs",
        "eks",
        "eks-fargate-pods",
        "elasticmapreduce",
        "application-autoscaling",
        "autoscaling",
        "spotfleet",
        "opsworks",
        "batch",
        "dax",
        "redshift",
        "rds",
        "states",
    ] {
        check(
            &short(&format!("service {exempt}.amazonaws.com")),
            "service-guarded",
            "info",
            "",
        );
    }
    for expected in [
        "cloudtrail",
        "config",
        "logs",
        "firehose",
        "events",
        "scheduler",
        "s3",
        "sns",
        "apigateway",
        "appsync",
        "backup",
        "bedrock",
        "bedrock-agentcore",
        "cognito-idp",
        "codebuild",
        "codepipeline",
        "datasync",
        "delivery.logs",
        "dms",
        "ecs-tasks",
        "glue",
        "guardduty",
        "malware-protection-plan.guardduty",
        "imagebuilder",
        "inspector2",
        "iot",
        "ivs",
        "kinesisanalytics",
        "lex",
        "macie",
        "monitoring.rds",
        "omics",
        "pipes",
        "pods.eks",
        "quicksight",
        "sagemaker",
        "securitylake",
        "ses",
        "ssm",
        "textract",
        "transcribe",
        "transfer",
        "translate",
        "vpc-flow-logs",
    ] {
        check(
            &short(&format!("service {expected}.amazonaws.com")),
            "service-unguarded",
            "low",
            "T28",
        );
        for source in [
            r#""StringEquals":{"aws:SourceAccount":"444455556666"}"#,
            r#""StringEquals":{"aws:SourceOrgID":"o-mine"}"#,
            r#""ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-mine/r-a/*"}"#,
        ] {
            let policy = short(&format!("service {expected}.amazonaws.com & {source}"));
            check(&policy, "service-guarded", "info", "");
        }
    }
    check_rows(
        r#"
        service ec2.amazonaws.com.cn | service-guarded | info |
        service logs.eu-central-1.amazonaws.com | service-unguarded | low | T28
        service codebuild.us-gov-west-1.amazonaws.com | service-unguarded | low | T28
        {"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]} | service-guarded | info |
        {"Service":["ec2.amazonaws.com","lambda.amazonaws.com","batch.amazonaws.com"]} | service-guarded | medium | T35
        {"Service":["logs.us-east-1.amazonaws.com","logs.us-west-2.amazonaws.com","logs.amazonaws.com"]} | service-unguarded | low | T28
        service glue.amazonaws.com & "StringEquals":{"aws:SourceArn":"arn:aws:glue:*:444455556666:job/*"} | none | low | T21
        service logs.amazonaws.com & "StringEquals":{"aws:SourceArn":"arn:aws:logs:eu-west-1:444455556666:log-group:a:*"} | service-guarded | low | T21
        service sns.amazonaws.com & "StringEqualsIfExists":{"aws:SourceArn":"arn:aws:sns:eu-west-1:444455556666:t"} | service-unguarded | medium | T28 T30
        service cognito-idp.amazonaws.com & "StringEquals":{"sts:ExternalId":"9f1c77aa-3b0d-4d6e-8a55"} | service-unguarded | low | T28
        service pods.eks.amazonaws.com do sts:AssumeRole sts:TagSession | service-unguarded | low | T28
        service pods.eks.amazonaws.com do sts:AssumeRole sts:TagSession & "ArnEquals":{"aws:SourceArn":"arn:aws:eks:eu-west-1:444455556666:cluster/c"},"StringEquals":{"aws:RequestTag/kubernetes-namespace":"n"} | service-guarded | info |
        service rolesanywhere.amazonaws.com & "StringEquals":{"aws:PrincipalTag/x509SAN/DNS":"a.example"} | service-unguarded | medium | T29
        service rolesanywhere.amazonaws.com do sts:AssumeRole sts:TagSession sts:SetSourceIdentity & "ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:444455556666:trust-anchor/a"},"StringEquals":{"aws:PrincipalTag/x509Issuer/CN":"ca"} | service-guarded | info |
        service lambda.amazonaws.com & "Bool":{"aws:MultiFactorAuthPresent":"true"} | none | info | T43
        service lambda.amazonaws.com do sts:AssumeRoleWithWebIdentity | none | info | T43
        service lambda | none | info | T43
    "#,
        short,
    );
}

#[test]
fn providers_of_every_sort() {
    for shared in [
        "token.actions.githubusercontent.com",
        "vstoken.actions.githubusercontent.com",
        "gitlab.com",
        "agent.buildkite.com",
        "app.terraform.io",
        "scalr.io",
    ] {
        let aud = format!(r#""StringEquals":{{"{shared}:aud":"a"}}"#);
        check(
            &short(&format!("oidc {shared} & {aud}")),
            "federated-open",
            "critical",
            "T16",
        );
    }
    for shared in [
        "oidc-configuration.audit-log.githubusercontent.com",
        "oidc.codefresh.io",
        "studio.datachain.ai/api",
        "tokens.cloud.shisho.dev",
        "proidc.upbound.io",
        "rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7",
    ] {
        check(
            &short(&format!("oidc {shared}")),
            "federated-open",
            "critical",
            "T16",
        );
        let exact = format!(r#""StringEquals":{{"{shared}:sub":"one:two"}}"#);
        check(
            &short(&format!("oidc {shared} & {exact}")),
            "federated-scoped",
            "info",
            "",
        );
    }
    for by_audience in ["api.pulumi.com/oidc", "sandboxes.cloud", "oidc.vercel.com"] {
        check(
            &short(&format!("oidc {by_audience}")),
            "federated-open",
            "critical",
            "T16",
        );
    }
    for private in [
        "oidc.eks.eu-west-1.amazonaws.com/id/AB12",
        "oidc.circleci.com/org/1-2",
        "api.bitbucket.org/2.0/workspaces/mine/pipelines-config/identity/oidc",
        "sts.windows.net/11111111-2222-3333-4444-555555555555",
        "mine.okta.com",
        "mine.eu.auth0.com",
        "gitlab.mine.example",
    ] {
        let aud = format!(r#""StringEquals":{{"{private}:aud":"a"}}"#);
        check(
            &short(&format!("oidc {private} & {aud}")),
            "federated-moderate",
            "medium",
            "T16",
        );
        let both = format!(r#""StringEquals":{{"{private}:aud":"a","{private}:sub":"s"}}"#);
        check(
            &short(&format!("oidc {private} & {both}")),
            "federated-scoped",
            "info",
            "",
        );
        let pattern = format!(r#"{aud},"StringLike":{{"{private}:sub":"s:*"}}"#);
        check(
            &short(&format!("oidc {private} & {pattern}")),
            "federated-moderate",
            "medium",
            "T19",
        );
    }
    check_rows(
        r#"
        oidc sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d | federated-open | critical | T16
        oidc sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d & "StringEquals":{"sts:RoleSessionName":"MicrosoftSentinel_1"} | federated-scoped | info |
        oidc oidc.vercel.com & "StringEquals":{"oidc.vercel.com:aud":"https://vercel.com/mine"},"StringLike":{"oidc.vercel.com:sub":"owner:mine:project:p:*"} | federated-moderate | medium | T19
        provider accounts.google.com | federated-open | critical | T25
        provider accounts.google.com & "StringEquals":{"accounts.google.com:aud":"1.apps"} | federated-moderate | medium | T16
        provider accounts.google.com & "StringEquals":{"accounts.google.com:aud":"1.apps","accounts.google.com:sub":"7"} | federated-scoped | info |
        provider www.amazon.com | federated-open | critical | T25
        provider www.amazon.com & "StringEquals":{"www.amazon.com:app_id":"amzn1.app"} | federated-scoped | info |
        provider graph.facebook.com & "StringLike":{"graph.facebook.com:app_id":"*"} | federated-open | critical | T25
        provider graph.facebook.com & "StringEquals":{"graph.facebook.com:app_id":"17"} | federated-scoped | info |
        provider cognito-identity.amazonaws.com | federated-open | critical | T23 T24
        provider cognito-identity.amazonaws.com & "StringEquals":{"C:aud":"eu-west-1:pool"} | federated-moderate | medium | T24
        provider cognito-identity.amazonaws.com & "StringEquals":{"C:aud":"eu-west-1:pool"},"ForAnyValue:StringLike":{"C:amr":"unauthenticated"} | federated-moderate | medium | T24
        provider cognito-identity.amazonaws.com & "StringEquals":{"C:aud":"eu-west-1:pool"},"ForAnyValue:StringLike":{"C:amr":"authenticated"} | federated-scoped | info |
        provider cognito-identity.amazonaws.com & "StringLike":{"C:aud":"*"},"ForAnyValue:StringLike":{"C:amr":"authenticated"} | federated-open | critical | T23
        provider arn:aws:iam::999900001111:oidc-provider/login.mine.example & "StringEquals":{"login.mine.example:sub":"a"} | external-untrusted | high | T27
        provider * | federated-open | critical | T25
        everybody do sts:AssumeRoleWithWebIdentity | federated-open | critical | T25
        everybody do sts:AssumeRoleWithSAML | federated-open | critical | T25
        oidc login.mine.example do sts:AssumeRole & "StringEquals":{"login.mine.example:sub":"a"} | none | info | T43
        oidc login.mine.example & "StringEquals":{"gitlab.com:sub":"a"} | none | info | T43
        oidc login.mine.example & "StringEquals":{"aws:PrincipalOrgID":"o-mine"} | none | info | T43
        saml corp | none | info | T43
        saml corp do sts:AssumeRoleWithSAML | federated-moderate | medium | T26
        saml corp do sts:AssumeRoleWithSAML & "StringEquals":{"saml:aud":"https://eu-west-1.signin.aws.amazon.com/saml"} | federated-scoped | info |
        saml corp do sts:AssumeRoleWithSAML sts:TagSession & "StringEquals":{"SAML:aud":["https://signin.aws.amazon.com/saml","https://us-east-1.signin.aws.amazon.com/saml"]} | federated-scoped | info |
        saml corp do sts:AssumeRoleWithSAML & "StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"},"ForAllValues:StringEquals":{"saml:edupersonaffiliation":"staff"} | federated-scoped | high | T31
        saml corp do sts:AssumeRoleWithSAML & "StringLike":{"SAML:aud":"*"} | federated-moderate | medium | T26
    "#,
        |row| {
            // A SAML provider fits its own call only.
            let row = if row == "saml corp" {
                "saml corp do sts:AssumeRole"
            } else {
                row
            };
            short(row)
        },
    );
}

#[test]
fn subjects_of_every_width() {
    let github = |subject: &str| {
        let operator = if subject.contains('*') {
            "StringLike"
        } else {
            "ForAnyValue:StringEquals"
        };
        format!(
            r#"oidc token.actions.githubusercontent.com & GAUD,"{operator}":{{"G:sub":"{subject}"}}"#
        )
    };
    check_rows(
        r#"
        * | federated-open | critical | T16
        repo:* | federated-open | critical | T17
        repo:mine* | federated-open | critical | T17
        repo:*/app:ref:refs/heads/main | federated-open | critical | T17
        repo:mine/* | federated-weak | high | T18
        repo:mine/app-*:environment:prod | federated-weak | high | T18
        repo:mine@7/* | federated-weak | high | T18
        repo:mine/app:* | federated-moderate | medium | T19 T22
        repo:mine/app:pull_request | federated-moderate | medium | T19 T22
        repo:mine@7/app@9:pull_request | federated-moderate | medium | T19
        repo:mine@7/app@9:ref:refs/heads/release-* | federated-moderate | medium | T19
        repo:mine/app:ref:refs/heads/main | federated-scoped | info | T22
        repo:mine/app:ref:refs/tags/v1 | federated-scoped | info | T22
        repo:mine@7/app@9:environment:prod | federated-scoped | info |
        repo:mine@7/app@9:job_workflow_ref:mine/app/.github/workflows/w.yml@refs/heads/main | federated-scoped | info |
    "#,
        |subject| short(&github(subject)),
    );
    check_rows(
        r#"
        oidc token.actions.githubusercontent.com & "StringEquals":{"G:sub":"repo:mine@7/app@9:environment:e"} | federated-moderate | medium | T20
        oidc token.actions.githubusercontent.com & GAUD,"StringEqualsIgnoreCase":{"G:sub":"repo:mine/*"} | none | low | T21
        oidc token.actions.githubusercontent.com & GAUD,"StringEqualsIgnoreCase":{"G:repository":"mine/app"} | federated-moderate | medium | T19
        oidc token.actions.githubusercontent.com & GAUD,"StringLike":{"G:repository_id":"4711"} | federated-moderate | medium | T19
        oidc token.actions.githubusercontent.com & GAUD,"StringLike":{"G:job_workflow_ref":"mine/app/.github/workflows/w.yml@refs/heads/main"} | federated-moderate | medium | T19
        oidc token.actions.githubusercontent.com & GAUD,"StringLike":{"G:actor":"ann"} | federated-open | critical | T16
        oidc token.actions.githubusercontent.com & GAUD,"StringNotLike":{"G:sub":"repo:theirs/*"} | federated-open | critical | T16
        oidc token.actions.githubusercontent.com & GAUD,"StringLike":{"G:sub":["repo:mine@7/app@9:environment:e","repo:mine@7/lib@8:*"]} | federated-moderate | medium | T19
        oidc token.actions.githubusercontent.com & GAUD,"StringLike":{"G:sub":"repo:mine/*"},"StringEqualsIgnoreCase":{"G:sub":"repo:mine@7/app@9:environment:e"} | federated-scoped | info |
        oidc token.actions.githubusercontent.com & "ForAllValues:StringEquals":{"G:aud":"sts.amazonaws.com"},"StringEquals":{"G:sub":"repo:mine@7/app@9:environment:e"} | federated-scoped | medium | T31
        oidc gitlab.com & "StringEquals":{"gitlab.com:aud":"a"},"StringLike":{"gitlab.com:sub":"project_path:mine*"} | federated-open | critical | T17
        oidc gitlab.com & "StringEquals":{"gitlab.com:aud":"a"},"StringLike":{"gitlab.com:sub":"project_path:mine/*:ref_type:branch:ref:main"} | federated-weak | high | T18
        oidc gitlab.com & "StringEquals":{"gitlab.com:aud":"a"},"StringLike":{"gitlab.com:sub":"project_path:mine/app:ref_type:branch:ref:*"} | federated-moderate | medium | T19
        oidc gitlab.com & "StringEquals":{"gitlab.com:aud":"a","gitlab.com:sub":"project_path:mine/app:ref_type:branch:ref:main"} | federated-scoped | info |
        oidc app.terraform.io & "StringEquals":{"app.terraform.io:aud":"a"},"StringLike":{"app.terraform.io:sub":"organization:mine:*"} | federated-weak | high | T18
        oidc app.terraform.io & "StringEquals":{"app.terraform.io:aud":"a"},"StringLike":{"app.terraform.io:sub":"organization:mine:project:p:workspace:*:run_phase:*"} | federated-moderate | medium | T19
        oidc app.terraform.io & "StringLike":{"app.terraform.io:sub":"organization:mine:project:p:workspace:w:run_phase:apply"} | federated-moderate | medium | T20
        oidc agent.buildkite.com & "StringEquals":{"agent.buildkite.com:aud":"a"},"StringLike":{"agent.buildkite.com:sub":"organization:*:pipeline:p:*"} | federated-open | critical | T17
        oidc oidc.eks.eu-west-1.amazonaws.com/id/AB12 & "StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/AB12:aud":"sts.amazonaws.com"},"StringLike":{"oidc.eks.eu-west-1.amazonaws.com/id/AB12:sub":"system:serviceaccount:n:*"} | federated-moderate | medium | T19
        oidc oidc.eks.eu-west-1.amazonaws.com/id/AB12 & "StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/AB12:aud":"sts.amazonaws.com","oidc.eks.eu-west-1.amazonaws.com/id/AB12:sub":"system:serviceaccount:n:s"} | federated-scoped | info |
    "#,
        short,
    );
    let listed = TrustContext {
        oidc_subjects: vec!["repo:mine@7/*".to_owned()],
        ..world()
    };
    let exact = |owner| github(&format!("repo:{owner}/app@9:environment:e"));
    check_in(
        &listed,
        &short(&exact("mine@7")),
        "federated-scoped",
        "info",
        "",
    );
    check_in(
        &listed,
        &short(&exact("theirs@8")),
        "federated-weak",
        "high",
        "T18",
    );
}

/// Whole documents as IAM, exporters and attackers write them.
#[test]
fn documents_of_every_shape() {
    let rows = [
        (
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#,
            "public",
            "critical",
            "T01",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::999900001111:root"},"Action":"sts:AssumeRole"}]}"#,
            "public",
            "critical",
            "T06",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","NotPrincipal":{"Service":"ec2.amazonaws.com"},"Action":["sts:AssumeRole","sts:AssumeRoleWithSAML"]}]}"#,
            "public",
            "critical",
            "T06 T25",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":"s3:*"}]}"#,
            "trusted-account",
            "low",
            "T12 T36",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":"sts:Assume*"}]}"#,
            "none",
            "info",
            "",
        ),
        (
            r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}}]}"#,
            "external-untrusted",
            "high",
            "T07",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}}]}"#,
            "trusted-account",
            "info",
            "T12",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Resource":"*"}]}"#,
            "trusted-account",
            "info",
            "T12",
        ),
        (
            r#"{"statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#,
            "none",
            "info",
            "",
        ),
        (
            r#"{"Statement":[{"Effect":"Maybe","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},7,null,[]]}"#,
            "none",
            "info",
            "",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"}}]}"#,
            "none",
            "info",
            "T43",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}"#,
            "none",
            "info",
            "",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Effect":"Deny","Principal":{"AWS":"999900001111"},"Action":"sts:AssumeRole"}]}"#,
            "external-untrusted",
            "high",
            "T07 T39",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-mine","aws:principalorgid":"o-theirs"}}}]}"#,
            "external-untrusted",
            "high",
            "T05 T39",
        ),
        (
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}],"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}"#,
            "public",
            "critical",
            "T01 T39",
        ),
        (
            r#""{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"444455556666\"},\"Action\":\"sts:AssumeRole\"}}""#,
            "trusted-account",
            "info",
            "T12",
        ),
        (
            "\u{feff}\n {\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"444455556666\"},\"Action\":\"sts:AssumeRole\"}}",
            "trusted-account",
            "info",
            "T12",
        ),
        (
            "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22999900001111%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D",
            "external-untrusted",
            "high",
            "T07",
        ),
        (" %7b%22Statement%22:%5b%5d%7d", "none", "info", ""),
        (
            r#"{"reason":"requestParameters too large","omitted":true,"originalSize":163000}"#,
            "none",
            "info",
            "",
        ),
        ("[1]", "invalid", "info", "T00"),
        ("{\"Statement\":", "invalid", "info", "T00"),
        ("true", "invalid", "info", "T00"),
    ];
    for (policy, verdict, severity, codes) in rows {
        check(policy, verdict, severity, codes);
    }
}

/// Several statements: the widest grant decides, and Deny counts in three shapes.
#[test]
fn statements_together() {
    let deny = |principal: &str, action: &str, condition: &str| {
        format!(
            r#"{{"Effect":"Deny",{principal},"Action":"{action}","Condition":{{{condition}}}}}"#
        )
    };
    let (all, bare) = (r#""Principal":{"AWS":"*"}"#, r#""Principal":"*""#);
    let own_org = r#""StringNotEquals":{"aws:PrincipalOrgID":"o-mine"}"#;
    let spared = r#""StringNotEquals":{"aws:PrincipalOrgID":"o-mine"},"Bool":{"aws:PrincipalIsAWSService":"false"}"#;
    let ec2 = allow(r#""Service":"ec2.amazonaws.com""#, ASSUME, "");
    let web = allow(
        PRIVATE,
        WEB,
        r#""StringEquals":{"login.mine.example:sub":"a"}"#,
    );
    let star = || allow(STAR, ASSUME, "");
    let stranger = || allow(r#""AWS":"999900001111""#, ASSUME, "");
    let own = || allow(r#""AWS":"444455556666""#, ASSUME, "");
    for (statements, verdict, severity, codes) in [
        (
            vec![own(), stranger()],
            "external-untrusted",
            "high",
            "T07 T12",
        ),
        (
            vec![ec2.clone(), own()],
            "trusted-account",
            "medium",
            "T12 T34",
        ),
        (
            vec![ec2.clone(), web.clone()],
            "federated-scoped",
            "medium",
            "T34",
        ),
        (vec![star(), deny(bare, ASSUME, "")], "none", "info", ""),
        (vec![star(), deny(all, "sts:*", "")], "none", "info", ""),
        (
            vec![star(), deny(all, "sts:TagSession", "")],
            "public",
            "critical",
            "T01 T38",
        ),
        (
            vec![
                star(),
                deny(r#""Principal":{"AWS":"999900001111"}"#, ASSUME, ""),
            ],
            "public",
            "critical",
            "T01 T38",
        ),
        (
            vec![star(), deny(all, ASSUME, own_org)],
            "org-wide",
            "low",
            "T04",
        ),
        (
            vec![
                star(),
                deny(
                    all,
                    ASSUME,
                    r#""StringNotLikeIfExists":{"aws:PrincipalOrgPaths":"o-mine/*"}"#,
                ),
            ],
            "org-wide",
            "low",
            "T04",
        ),
        (
            vec![
                star(),
                deny(
                    all,
                    ASSUME,
                    r#""StringNotEquals":{"aws:PrincipalAccount":["444455556666","555566667777"]}"#,
                ),
            ],
            "trusted-account",
            "low",
            "T13",
        ),
        (
            vec![
                star(),
                deny(
                    all,
                    ASSUME,
                    r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::555566667777:role/ops"}"#,
                ),
            ],
            "trusted-principal",
            "info",
            "T42",
        ),
        (
            vec![
                star(),
                deny(
                    all,
                    ASSUME,
                    r#""ArnNotEqualsIfExists":{"aws:PrincipalArn":"arn:aws:iam::*:role/ops"}"#,
                ),
            ],
            "public",
            "critical",
            "T41",
        ),
        (
            vec![
                star(),
                deny(
                    all,
                    ASSUME,
                    r#""StringNotEquals":{"aws:PrincipalOrgID":"o-mine"},"StringLike":{"aws:UserAgent":"*"}"#,
                ),
            ],
            "public",
            "critical",
            "T01 T38",
        ),
        (
            vec![
                star(),
                deny(
                    all,
                    ASSUME,
                    r#""StringNotEquals":{"aws:PrincipalTag/team":"red"}"#,
                ),
            ],
            "public",
            "critical",
            "T01 T38",
        ),
        (
            vec![
                star(),
                deny(
                    all,
                    ASSUME,
                    r#""StringNotEquals":{"aws:PrincipalOrgID":"o-theirs"}"#,
                ),
            ],
            "external-untrusted",
            "high",
            "T05",
        ),
        (
            vec![ec2.clone(), deny(all, ASSUME, own_org)],
            "none",
            "info",
            "T43",
        ),
        (
            vec![ec2.clone(), deny(all, ASSUME, spared)],
            "service-guarded",
            "info",
            "",
        ),
        (
            vec![web.clone(), deny(bare, WEB, spared)],
            "none",
            "info",
            "T43",
        ),
        (
            vec![web, deny(all, ASSUME, own_org)],
            "federated-scoped",
            "info",
            "",
        ),
        (
            vec![stranger(), deny(all, ASSUME, own_org)],
            "org-wide",
            "low",
            "T04",
        ),
        (
            vec![
                own(),
                deny(
                    all,
                    ASSUME,
                    r#""Bool":{"aws:MultiFactorAuthPresent":"false"}"#,
                ),
            ],
            "trusted-account",
            "medium",
            "T12 T33 T38",
        ),
        (
            vec![
                own(),
                deny(
                    all,
                    ASSUME,
                    r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}"#,
                ),
            ],
            "trusted-account",
            "info",
            "T12 T38",
        ),
        (
            vec![
                star(),
                deny(
                    r#""NotPrincipal":{"AWS":"arn:aws:iam::444455556666:root"}"#,
                    ASSUME,
                    "",
                ),
            ],
            "trusted-account",
            "info",
            "T12",
        ),
        (
            vec![
                own(),
                deny(
                    r#""NotPrincipal":{"AWS":"arn:aws:iam::444455556666:root"}"#,
                    ASSUME,
                    "",
                ),
            ],
            "trusted-account",
            "info",
            "T12",
        ),
        (
            vec![
                stranger(),
                deny(
                    r#""NotPrincipal":{"AWS":"arn:aws:iam::444455556666:root"}"#,
                    ASSUME,
                    "",
                ),
            ],
            "none",
            "info",
            "",
        ),
        (
            vec![
                star(),
                deny(
                    r#""NotPrincipal":{"AWS":"444455556666"}"#,
                    ASSUME,
                    r#""Bool":{"aws:SecureTransport":"false"}"#,
                ),
            ],
            "public",
            "critical",
            "T01 T38",
        ),
        (
            vec![
                own(),
                deny(
                    all,
                    ASSUME,
                    r#""StringNotEquals":{"aws:PrincipalOrgID":"o-m*"}"#,
                ),
            ],
            "none",
            "low",
            "T21 T43",
        ),
    ] {
        check(&document(&statements), verdict, severity, codes);
    }
}

/// Every code is raised by some document of these tests.
#[test]
fn codes_have_names_and_a_way_out() {
    for code in Code::ALL {
        assert!(
            !code.meaning().is_empty() && code.advice().ends_with('.'),
            "{code}"
        );
        assert_eq!(code.as_str().len(), 3);
    }
}
