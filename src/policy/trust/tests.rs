//! Trust reports over small documents. The made-up world: the role `pay` of account 444455556666, its
//! sibling 555566667777, the vendor 666677778888, the organization `o-mine`; 999900001111 is a
//! stranger.

mod conformance;
mod diff;
mod federation;
mod properties;

use super::*;

const ROLE: &str = r#""AWS":"arn:aws:iam::444455556666:role/deploy""#;
const STAR: &str = r#""AWS":"*""#;
const VENDOR: &str = r#""AWS":"arn:aws:iam::666677778888:role/scan""#;
const GITHUB: &str =
    r#""Federated":"arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com""#;
const PRIVATE: &str = r#""Federated":"arn:aws:iam::444455556666:oidc-provider/login.mine.example""#;
const ASSUME: &str = "sts:AssumeRole";
const WEB: &str = "sts:AssumeRoleWithWebIdentity";
const SAML: &str = "sts:AssumeRoleWithSAML";
const GITHUB_AUD: &str = r#""token.actions.githubusercontent.com:aud":"sts.amazonaws.com""#;

fn world() -> TrustContext {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    TrustContext {
        role_account: Some("444455556666".to_owned()),
        role_arn: Some("arn:aws:iam::444455556666:role/team/pay".to_owned()),
        own_accounts: set(&["444455556666", "555566667777"]),
        vendor_accounts: set(&["666677778888"]),
        own_org_ids: set(&["o-mine"]),
        oidc_subjects: Vec::new(),
    }
}

fn document(statements: &[String]) -> String {
    let statements = statements.join(",");
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn statement(effect: &str, principal: &str, action: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{{{principal}}},"Action":"{action}","Condition":{{{condition}}}}}"#
    )
}

fn allow(principal: &str, action: &str, condition: &str) -> String {
    statement("Allow", principal, action, condition)
}

fn one(principal: &str, action: &str, condition: &str) -> String {
    document(&[allow(principal, action, condition)])
}

fn names(report: &TrustReport) -> String {
    let codes: Vec<&str> = report.codes().into_iter().map(Code::as_str).collect();
    codes.join(" ")
}

fn check(policy: &str, verdict: &str, severity: &str, codes: &str) {
    check_in(&world(), policy, verdict, severity, codes);
}

/// Rows of `input | verdict | severity | codes`.
fn check_rows(rows: &str, policy: impl Fn(&str) -> String) {
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [input, verdict, severity, codes] = cells.as_slice() else {
            panic!("a row has four cells: {row}");
        };
        check(&policy(input), verdict, severity, codes);
    }
}

fn check_in(context: &TrustContext, policy: &str, verdict: &str, severity: &str, codes: &str) {
    let report = analyze(policy, context);
    assert_eq!(
        (
            report.verdict.as_str(),
            report.severity.as_str(),
            names(&report).as_str()
        ),
        (verdict, severity, codes),
        "{policy}\n{report:#?}"
    );
}

#[test]
fn unreadable_text_is_invalid() {
    for text in ["", "{", "[]", "\"\"", "%7B", "null"] {
        check(text, "invalid", "info", "T00");
    }
    check("{}", "none", "info", "");
    check(r#"{"Statement":[]}"#, "none", "info", "");
}

#[test]
fn a_wildcard_is_as_open_as_its_narrowest_test() {
    check_rows(
        r#"
         | public | critical | T01
        "StringEquals":{"aws:PrincipalTag/team":"x"} | public | critical | T01
        "StringEquals":{"sts:RoleSessionName":"x"} | public | critical | T01
        "StringLike":{"aws:userid":"*:me"} | public | critical | T01
        "StringLike":{"aws:PrincipalOrgID":"*"} | public | critical | T01
        "Null":{"aws:PrincipalOrgID":"false"} | public | critical | T01
        "StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalAccount}"} | public | critical | T01
        "StringEquals":{"sts:ExternalId":"kP3vQ8zR1mX7wT5n"} | public-restricted | high | T02
        "IpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]} | public-restricted | high | T02
        "IpAddress":{"aws:SourceIp":["192.0.2.0/24","0.0.0.0/0"]} | public | critical | T01
        "IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]} | public | critical | T01
        "StringEquals":{"aws:SourceVpce":"vpce-1"} | public-restricted | medium | T02
        "ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::999900001111:role/x"} | public | critical | T03
        "StringNotEquals":{"aws:PrincipalAccount":"999900001111"} | public | critical | T03
        "StringEquals":{"aws:PrincipalOrgID":"o-mine"} | org-wide | low | T04
        "StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"} | org-wide | low | T04
        "ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-mine/r-1/*"} | org-wide | low | T04
        "StringEquals":{"aws:PrincipalOrgID":["o-mine","o-other"]} | external-untrusted | high | T05
        "ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-other/*"} | external-untrusted | high | T05
        "ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-*/r-1/*"} | public | critical | T01
        "StringEquals":{"aws:PrincipalAccount":"444455556666"} | trusted-account | info | T12
        "StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"} | trusted-account | info | T12
        "StringEquals":{"aws:PrincipalAccount":["444455556666","555566667777"]} | trusted-account | low | T13
        "StringEquals":{"aws:PrincipalAccount":"999900001111"} | external-untrusted | high | T07
        "StringEquals":{"aws:PrincipalAccount":"666677778888"} | external-unguarded | medium | T09
        "ArnLike":{"aws:PrincipalArn":"arn:*:iam::444455556666:role/a*"} | trusted-principal | info | T42
        "StringLike":{"aws:PrincipalArn":"arn:*:iam::444455556666:role/a*"} | public | critical | T01
        "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a"} | public | critical | T41
        "StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLE123:*"} | opaque-principal | medium | T14
        "Bool":{"aws:PrincipalIsAWSService":"true"} | service-unguarded | low | T28
        "StringEquals":{"aws:SourceAccount":"444455556666"} | none | info | T43
        "StringEquals":{"aws:PrincipalOrgID":"o-*"} | none | low | T21
    "#,
        |row| one(STAR, ASSUME, row),
    );
}

#[test]
fn everybody_has_several_spellings() {
    let with = |principal: &str, action: &str| {
        document(&[format!(
            r#"{{"Effect":"Allow",{principal},"Action":{action}}}"#
        )])
    };
    check(
        &with(r#""Principal":{"AWS":["*"]}"#, r#""sts:AssumeRole""#),
        "public",
        "critical",
        "T01",
    );
    check(
        &with(
            r#""Principal":{"AWS":"arn:aws:iam::*:root"}"#,
            r#""sts:assumerole""#,
        ),
        "public",
        "critical",
        "T01",
    );
    check(
        &with(
            r#""NotPrincipal":{"AWS":"999900001111"}"#,
            r#""sts:AssumeRole""#,
        ),
        "public",
        "critical",
        "T06",
    );
    check(
        &with(r#""Principal":"*""#, r#"["sts:AssumeRoleWithWebIdentity"]"#),
        "federated-open",
        "critical",
        "T25",
    );
    check(
        &with(r#""Principal":"*""#, r#""sts:*""#),
        "public",
        "critical",
        "T01 T25 T36",
    );
    check(
        &with(r#""Principal":{"AWS":"*"}"#, r#""sts:AssumeRoleWithSAML""#),
        "none",
        "info",
        "T43",
    );
    check(
        &with(r#""Principal":{}"#, r#""sts:AssumeRole""#),
        "none",
        "info",
        "",
    );
    check(
        &with(
            r#""Principal":{"CanonicalUser":"abc"}"#,
            r#""sts:AssumeRole""#,
        ),
        "invalid",
        "info",
        "T43",
    );
}

#[test]
fn accounts_and_principals_have_their_standing() {
    check_rows(
        r#"
        444455556666 | trusted-account | info | T12
        arn:aws-us-gov:iam::555566667777:root | trusted-account | low | T13
        999900001111 | external-untrusted | high | T07
        arn:aws-iso-q:iam::999900001111:user/a/b | external-untrusted | high | T08
        666677778888 | external-unguarded | medium | T09
        AIDAEXAMPLEEXAMPLE123 | opaque-principal | medium | T14
        arn:aws:sts::444455556666:assumed-role/ci/job | trusted-principal | low | T15 T42
        arn:aws:sts::999900001111:federated-user/x | external-untrusted | high | T08 T15
        arn:aws:iam::444455556666:role/team/pay | trusted-principal | low | T37 T42
        arn:aws:sts::444455556666:assumed-role/pay/x | trusted-principal | low | T15 T37 T42
        arn:aws:iam::444455556666:user/* | none | info | T40
        arn:aws:iam::444455556666:user/a | trusted-principal | info | T42
        arn:aws:iam::444455556666:group/a | none | info | T43
        someone | none | info | T43
    "#,
        |row| one(&format!(r#""AWS":"{row}""#), ASSUME, ""),
    );
}

#[test]
fn a_vendor_needs_an_external_id_that_nobody_guesses() {
    check_rows(
        r#"
        "StringEquals":{"sts:ExternalId":"kP3vQ8zR1mX7wT5n"} | external-guarded | low |
        "StringEquals":{"sts:ExternalId":"short"} | external-unguarded | medium | T10
        "StringEquals":{"sts:ExternalId":"20260101123456"} | external-unguarded | medium | T10
        "StringEquals":{"sts:ExternalId":"company-prod-external-id"} | external-unguarded | medium | T10
        "StringEquals":{"sts:ExternalId":["kP3vQ8zR1mX7wT5n","test"]} | external-unguarded | medium | T10
        "StringLike":{"sts:ExternalId":"*"} | external-unguarded | medium | T11
        "StringEqualsIfExists":{"sts:ExternalId":"kP3vQ8zR1mX7wT5n"} | external-unguarded | medium | T11
        "Null":{"sts:ExternalId":false} | external-unguarded | medium | T11
        "StringNotEquals":{"sts:ExternalId":"kP3vQ8zR1mX7wT5n"} | external-unguarded | medium | T09
        "StringEquals":{"sts:ExternalId":"*"} | none | low | T21
        "StringEquals":{"aws:PrincipalOrgID":"o-mine"} | org-wide | low | T04
    "#,
        |row| one(VENDOR, ASSUME, row),
    );
}

#[test]
fn conditions_that_miss_their_purpose_are_named() {
    check_rows(
        r#"
        "Bool":{"aws:MultiFactorAuthPresent":true} | trusted-principal | info | T42
        "boolifexists":{"AWS:multifactorauthpresent":"true"} | trusted-principal | medium | T33 T42
        "StringEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"} | trusted-principal | medium | T30 T42
        "ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-mine"} | trusted-principal | high | T31 T42
        "ForAllValues:StringEquals":{"aws:TagKeys":["a"]} | trusted-principal | info | T42
        "Null":{"aws:PrincipalOrgID":true} | trusted-principal | high | T32 T42
        "StringEquals":{"aws:PrincipalAccount":"555566667777"} | none | info | T43
        "Null":{"aws:PrincipalOrgID":"false"},"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-mine"} | trusted-principal | info | T42
    "#,
        |row| one(ROLE, ASSUME, row),
    );
    let narrowed = r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/x"}"#;
    check(
        &one(r#""AWS":"444455556666""#, ASSUME, narrowed),
        "trusted-principal",
        "info",
        "T42",
    );
}

#[test]
fn three_shapes_of_deny_guard() {
    check_rows(
        r#"
        star: "Principal":"*" | none | info |
        star: "Principal":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"}} | org-wide | low | T04
        vendor: "Principal":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"}} | org-wide | low | T04
        ec2: "Principal":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"}} | none | info | T43
        ec2: "Principal":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}} | service-guarded | info |
        star: "NotPrincipal":{"AWS":"arn:aws:iam::444455556666:role/deploy"} | trusted-principal | info | T42
        vendor: "NotPrincipal":{"AWS":"arn:aws:iam::444455556666:role/deploy"} | none | info |
        star: "Principal":{"AWS":"999900001111"} | public | critical | T01 T38
        star: "Principal":"*","Condition":{"ForAnyValue:StringNotLike":{"aws:PrincipalOrgPaths":"o-mine/*"}} | public | critical | T01 T38
        role: "Principal":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}} | trusted-principal | medium | T33 T38 T42
        role: "Principal":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}} | trusted-principal | info | T38 T42
    "#,
        |row| {
            let (principal, deny) = row.split_once(": ").unwrap();
            let principal = match principal {
                "star" => STAR,
                "role" => ROLE,
                "vendor" => VENDOR,
                _ => r#""Service":"ec2.amazonaws.com""#,
            };
            let deny = format!(r#"{{"Effect":"Deny","Action":"sts:*",{deny}}}"#);
            document(&[allow(principal, ASSUME, ""), deny])
        },
    );
    let other_call = statement("Deny", r#""AWS":"*""#, WEB, "");
    check(
        &document(&[allow(STAR, ASSUME, ""), other_call]),
        "public",
        "critical",
        "T01",
    );
    let federated = document(&[
        allow(
            PRIVATE,
            WEB,
            r#""StringEquals":{"login.mine.example:sub":"a"}"#,
        ),
        statement("Deny", STAR, WEB, ""),
    ]);
    check(&federated, "federated-scoped", "info", "");
}

#[test]
fn services_need_a_pin_unless_exempt() {
    check_rows(
        r#"
        lambda.amazonaws.com with  | service-guarded | info |
        ec2.amazonaws.com.cn with  | service-guarded | info |
        states.eu-west-1.amazonaws.com with  | service-guarded | info |
        glue.amazonaws.com with  | service-unguarded | low | T28
        glue.amazonaws.com with "StringEquals":{"aws:SourceAccount":"444455556666"} | service-guarded | info |
        glue.amazonaws.com with "StringEquals":{"aws:SourceAccount":"999900001111"} | service-unguarded | low | T28
        glue.amazonaws.com with "ArnLike":{"aws:SourceArn":"arn:aws:glue:*:444455556666:job/*"} | service-guarded | info |
        glue.amazonaws.com with "ArnLike":{"aws:SourceArn":"arn:aws:glue:*:*:job/*"} | service-unguarded | low | T28
        glue.amazonaws.com with "StringEqualsIfExists":{"aws:SourceAccount":"444455556666"} | service-unguarded | medium | T28 T30
        delivery.logs.amazonaws.com with  | service-unguarded | low | T28
        new-thing.amazonaws.com with  | service-unguarded | low | T28
        rolesanywhere.amazonaws.com with  | service-unguarded | medium | T29
        rolesanywhere.amazonaws.com with "ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:444455556666:trust-anchor/7"} | service-unguarded | medium | T29
        rolesanywhere.amazonaws.com with "ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:444455556666:trust-anchor/7"},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"pay"} | service-guarded | info |
        ec2.example.com with  | none | info | T43
        glue.amazonaws.com with "StringEquals":{"aws:PrincipalOrgID":"o-mine"} | none | info | T43
    "#,
        |row| {
            let (service, condition) = row.split_once(" with").unwrap();
            one(&format!(r#""Service":"{service}""#), ASSUME, condition)
        },
    );
    let report = analyze(
        &one(r#""Service":"new-thing.amazonaws.com""#, ASSUME, ""),
        &world(),
    );
    assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
}

#[test]
fn the_whole_document_shows_more() {
    let service = |name: &str| allow(&format!(r#""Service":"{name}.amazonaws.com""#), ASSUME, "");
    let mixed = document(&[allow(ROLE, ASSUME, ""), service("ec2")]);
    check(&mixed, "trusted-principal", "medium", "T34 T42");
    let three = document(&[service("ec2"), service("lambda"), service("states")]);
    check(&three, "service-guarded", "medium", "T35");
    let regions = document(&[
        service("states.eu-west-1"),
        service("states.us-east-1"),
        service("ec2"),
    ]);
    check(&regions, "service-guarded", "info", "");
    let guard = r#""StringEquals":{"sts:ExternalId":"kP3vQ8zR1mX7wT5n"}"#;
    let tags = document(&[
        allow(VENDOR, ASSUME, guard),
        allow(VENDOR, "sts:TagSession", ""),
    ]);
    check(&tags, "external-guarded", "low", "T36");
    let bound = r#""StringEquals":{"aws:RequestTag/team":"x"}"#;
    let tags = document(&[
        allow(VENDOR, ASSUME, guard),
        allow(VENDOR, "sts:TagSession", bound),
    ]);
    check(&tags, "external-guarded", "low", "");
    let own_tags = document(&[allow(ROLE, ASSUME, ""), allow(ROLE, "sts:TagSession", "")]);
    check(&own_tags, "trusted-principal", "info", "T42");
    check(
        &one(ROLE, "sts:*", ""),
        "trusted-principal",
        "low",
        "T36 T42",
    );
    check(&one(ROLE, "s3:GetObject", ""), "none", "info", "T43");
    check(&one(STAR, "sts:SetSourceIdentity", ""), "none", "info", "");
}

#[test]
fn repeated_names_are_read_the_worst_way() {
    let effects = r#"{"Statement":{"Effect":"Deny","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;
    check(effects, "public", "critical", "T01 T39");
    let keys = one(
        STAR,
        ASSUME,
        r#""StringEquals":{"aws:PrincipalOrgID":"o-mine","AWS:PRINCIPALORGID":"o-other"}"#,
    );
    check(&keys, "external-untrusted", "high", "T05 T39");
    let lists = r#"{"Statement":[],"Statement":{"Effect":"Allow","Principal":{"AWS":"999900001111"},"Action":"sts:AssumeRole"}}"#;
    check(lists, "external-untrusted", "high", "T07 T39");
}

#[test]
fn the_old_version_has_no_variables() {
    let statement = allow(
        STAR,
        ASSUME,
        r#""StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}"#,
    );
    let old = format!(r#"{{"Version":"2008-10-17","Statement":[{statement}]}}"#);
    check(&old, "external-untrusted", "high", "T05");
}

#[test]
fn findings_name_place_value_and_way_out() {
    let policy = document(&[
        allow(ROLE, ASSUME, ""),
        allow(
            STAR,
            ASSUME,
            r#""StringEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"}"#,
        ),
    ]);
    let report = analyze(&policy, &world());
    let found: Vec<(Code, Option<usize>, &str)> = report
        .findings
        .iter()
        .map(|finding| (finding.code, finding.statement, finding.value.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (Code::T01, Some(1), "*"),
            (
                Code::T30,
                Some(1),
                "StringEqualsIfExists aws:PrincipalOrgID=o-mine"
            ),
            (Code::T42, Some(0), "arn:aws:iam::444455556666:role/deploy"),
        ]
    );
    assert!(
        report
            .findings
            .iter()
            .all(|finding| !finding.advice.contains("{org}"))
    );
    assert_eq!(
        report.principals,
        ["*", "arn:aws:iam::444455556666:role/deploy"]
    );
}

#[test]
fn every_code_has_a_case_above() {
    let source = concat!(
        include_str!("tests.rs"),
        include_str!("tests/federation.rs")
    );
    for code in Code::ALL {
        assert!(source.contains(&format!("{code}")), "{code}");
    }
    assert_eq!(Code::ALL.len(), 44);
}
