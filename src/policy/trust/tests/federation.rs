//! Identity providers and what their tokens fix.

use super::*;

#[test]
fn github_subjects_have_levels() {
    check_rows(
        r#"
        StringEquals aud "sts.amazonaws.com" | federated-open | critical | T16
        StringLike sub "*" | federated-open | critical | T16
        StringLike sub "repo:m*/app:*" | federated-open | critical | T17
        StringLike sub "repo:mine/*" | federated-weak | high | T18
        StringLike sub "repo:mine@4/app@5:*" | federated-moderate | medium | T19
        StringLike sub "repo:mine/app:*" | federated-moderate | medium | T19 T22
        StringEquals sub "repo:mine/app:pull_request" | federated-moderate | medium | T19 T22
        StringEquals sub "repo:mine/app:environment:prod" | federated-scoped | info | T22
        StringEquals sub "repo:mine/app:*" | none | low | T21
        StringEquals sub ["repo:mine/app:*","repo:mine@4/app@5:ref:refs/heads/main"] | federated-scoped | low | T21
        StringEqualsIfExists sub "repo:mine@4/app@5:environment:e" | federated-scoped | medium | T30
        ForAllValues:StringEquals sub "repo:mine@4/app@5:environment:e" | federated-scoped | medium | T31
        StringNotLike sub "repo:other/*" | federated-open | critical | T16
        StringLike repository "mine/app" | federated-moderate | medium | T19
        StringLike repository "mine/*" | federated-weak | high | T18
        StringLike repository_owner "mine" | federated-weak | high | T18
        StringLike job_workflow_ref "mine/app/.github/workflows/x.yml@*" | federated-moderate | medium | T19
        StringLike actor "me" | federated-open | critical | T16
    "#,
        |row| {
            let words: Vec<&str> = row.splitn(3, ' ').collect();
            let [operator, claim, value] = words.as_slice() else {
                panic!("a condition has three words: {row}");
            };
            let condition = format!(
                r#""StringEqualsIgnoreCase":{{{GITHUB_AUD}}},"{operator}":{{"token.actions.githubusercontent.com:{claim}":{value}}}"#
            );
            one(GITHUB, WEB, &condition)
        },
    );
    let no_audience = r#""StringEquals":{"token.actions.githubusercontent.com:sub":"repo:mine@4/app@5:environment:e"}"#;
    check(
        &one(GITHUB, WEB, no_audience),
        "federated-moderate",
        "medium",
        "T20",
    );
}

#[test]
fn a_subject_that_is_not_listed_is_a_strangers() {
    let mut context = world();
    context.oidc_subjects = vec!["repo:mine@4/*".to_owned()];
    let with = |subject: &str| {
        let condition = format!(
            r#""StringEquals":{{{GITHUB_AUD},"token.actions.githubusercontent.com:sub":"{subject}"}}"#
        );
        one(GITHUB, WEB, &condition)
    };
    check_in(
        &context,
        &with("repo:mine@4/app@5:environment:e"),
        "federated-scoped",
        "info",
        "",
    );
    check_in(
        &context,
        &with("repo:evil@6/app@7:environment:e"),
        "federated-weak",
        "high",
        "T18",
    );
    context.oidc_subjects = vec!["token.actions.githubusercontent.com repo:mine@4/*".to_owned()];
    check_in(
        &context,
        &with("repo:mine@4/app@5:environment:e"),
        "federated-scoped",
        "info",
        "",
    );
    context.oidc_subjects = vec!["gitlab.com repo:mine@4/*".to_owned()];
    check_in(
        &context,
        &with("repo:mine@4/app@5:environment:e"),
        "federated-weak",
        "high",
        "T18",
    );
}

#[test]
fn other_providers_have_their_own_tenants() {
    check_rows(
        r#"
        own gitlab.com "StringLike":{"gitlab.com:aud":"a","gitlab.com:sub":"project_path:mine/*"} | federated-weak | high | T18
        own gitlab.com "StringLike":{"gitlab.com:aud":"a","gitlab.com:sub":"project_path:mine/app:ref_type:*"} | federated-moderate | medium | T19
        own app.terraform.io "StringLike":{"app.terraform.io:aud":"a","app.terraform.io:sub":"organization:mine:*"} | federated-weak | high | T18
        own app.terraform.io "StringLike":{"app.terraform.io:aud":"a","app.terraform.io:sub":"organization:mine:project:p:*"} | federated-moderate | medium | T19
        own agent.buildkite.com "StringEquals":{"agent.buildkite.com:sub":"organization:mine:pipeline:p:ref:r"} | federated-moderate | medium | T20
        own api.pulumi.com/oidc  | federated-open | critical | T16
        own api.pulumi.com/oidc "StringEquals":{"api.pulumi.com/oidc:aud":"mine"} | federated-weak | high | T18
        own api.pulumi.com/oidc "StringEquals":{"api.pulumi.com/oidc:aud":"mine","api.pulumi.com/oidc:sub":"pulumi:deploy:org:mine"} | federated-scoped | info |
        own sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d  | federated-open | critical | T16
        own sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d "StringEquals":{"sts:RoleSessionName":"sentinel_1"} | federated-scoped | info |
        own login.mine.example  | federated-moderate | medium | T16
        own login.mine.example "StringLike":{"login.mine.example:sub":"team-*"} | federated-moderate | medium | T19
        own login.mine.example "StringEquals":{"login.mine.example:sub":"a"} | federated-scoped | info |
        own login.mine.example "StringEquals":{"login.other.example:sub":"a"} | none | info | T43
        own login.mine.example "Bool":{"aws:MultiFactorAuthPresent":"true"} | none | info | T43
        own oidc.eks.eu-west-1.amazonaws.com/id/ABC "StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:ns:sa"} | federated-moderate | medium | T20
        own oidc.eks.eu-west-1.amazonaws.com/id/ABC "StringLike":{"oidc.eks.eu-west-1.amazonaws.com/id/abc:aud":"sts.amazonaws.com","oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:ns:*"} | federated-moderate | medium | T19
        foreign login.mine.example "StringEquals":{"login.mine.example:sub":"a"} | external-untrusted | high | T27
        named cognito-identity.amazonaws.com "StringEquals":{"cognito-identity.amazonaws.com:aud":"p"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"} | federated-scoped | info |
        named cognito-identity.amazonaws.com "StringEquals":{"cognito-identity.amazonaws.com:aud":"p"} | federated-moderate | medium | T24
        named cognito-identity.amazonaws.com "StringEquals":{"cognito-identity.amazonaws.com:aud":"p"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"unauth*"} | federated-moderate | medium | T24
        named cognito-identity.amazonaws.com  | federated-open | critical | T23 T24
        named www.amazon.com  | federated-open | critical | T25
        named graph.facebook.com "StringEquals":{"graph.facebook.com:app_id":"1"} | federated-scoped | info |
        named accounts.google.com "StringEquals":{"accounts.google.com:aud":"1"} | federated-moderate | medium | T16
        named accounts.google.com "StringEquals":{"accounts.google.com:aud":"1","accounts.google.com:sub":"2"} | federated-scoped | info |
        named *  | federated-open | critical | T25
    "#,
        |row| {
            let words: Vec<&str> = row.splitn(3, ' ').collect();
            let (kind, host) = (words[0], words[1]);
            let principal = match kind {
                "own" => format!("arn:aws:iam::444455556666:oidc-provider/{host}"),
                "foreign" => format!("arn:aws:iam::999900001111:oidc-provider/{host}"),
                _ => host.to_owned(),
            };
            let condition = words.get(2).copied().unwrap_or_default();
            one(&format!(r#""Federated":"{principal}""#), WEB, condition)
        },
    );
}

#[test]
fn saml_needs_an_audience() {
    let provider = r#""Federated":"arn:aws:iam::444455556666:saml-provider/corp""#;
    let aud = r#""StringEquals":{"saml:AUD":"https://eu-west-1.signin.aws.amazon.com/saml"}"#;
    let any = r#""ForAllValues:StringLike":{"saml:edupersonaffiliation":"staff"}"#;
    check(&one(provider, SAML, aud), "federated-scoped", "info", "");
    check(
        &one(provider, SAML, ""),
        "federated-moderate",
        "medium",
        "T26",
    );
    check(
        &one(provider, SAML, &format!("{aud},{any}")),
        "federated-scoped",
        "high",
        "T31",
    );
    check(&one(provider, WEB, aud), "none", "info", "T43");
}
