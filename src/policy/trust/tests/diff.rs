//! What a later document opens and closes.

use super::*;

fn told(changes: &[TrustChange]) -> String {
    let told = changes.iter().map(|change| {
        let at = change.statement.map_or("-".to_owned(), |at| at.to_string());
        format!(
            "{} {} {at} {}",
            change.kind.as_str(),
            change.severity,
            change.value
        )
    });
    told.collect::<Vec<_>>().join("; ")
}

fn check_diff(before: &str, after: &str, opened: &str, closed: &str) {
    let diff = diff(before, after, &world());
    assert_eq!(
        (told(&diff.opened).as_str(), told(&diff.closed).as_str()),
        (opened, closed),
        "{before}\n{after}"
    );
}

const STRANGER: &str = r#""AWS":"arn:aws:iam::999900001111:root""#;
const SIBLING: &str = r#""AWS":"arn:aws:iam::555566667777:role/ci""#;
const XID: &str = r#""StringEquals":{"sts:ExternalId":"kP3vQ8zR1mX7wT5n"}"#;

#[test]
fn spelling_is_no_difference() {
    let before = document(&[
        allow(
            ROLE,
            ASSUME,
            r#""StringEquals":{"aws:PrincipalTag/a":["x","y"]}"#,
        ),
        allow(
            r#""AWS":["555566667777","arn:aws:iam::555566667777:user/u"]"#,
            ASSUME,
            "",
        ),
    ]);
    let after = r#"{"Version":"2012-10-17","Id":"other","Statement":[
        {"Sid":"one","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::555566667777:user/u"]},
            "Action":["STS:assumerole"]},
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555566667777:root"},"Action":"sts:AssumeRole",
            "Condition":{}},
        {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::444455556666:role/deploy"},
            "Condition":{"stringequals":{"AWS:principaltag/A":["y","x"]}}}]}"#;
    check_diff(&before, after, "", "");
    check_diff(after, &before, "", "");
    let encoded = before.replace('{', "%7B").replace('"', "%22");
    check_diff(&before, &encoded, "", "");
}

#[test]
fn an_added_principal_is_as_bad_as_its_account() {
    let own = one(ROLE, ASSUME, "");
    let with = |principal: &str| document(&[allow(ROLE, ASSUME, ""), allow(principal, ASSUME, "")]);
    check_diff(
        &own,
        &with(SIBLING),
        "principal-added low 1 arn:aws:iam::555566667777:role/ci",
        "",
    );
    check_diff(
        &own,
        &with(STRANGER),
        "verdict-rose high - trusted-principal → external-untrusted; \
         principal-added high 1 arn:aws:iam::999900001111:root",
        "",
    );
    check_diff(
        &with(STRANGER),
        &own,
        "",
        "verdict-fell info - external-untrusted → trusted-principal; \
         principal-removed info 1 arn:aws:iam::999900001111:root",
    );
    // A second stranger does not change the verdict, but is one more outside.
    let second = r#""AWS":["arn:aws:iam::999900001111:root","888800001111"]"#;
    check_diff(
        &with(STRANGER),
        &with(second),
        "principal-added high 1 888800001111",
        "",
    );
    // The account as a whole held its roles already; going from it to one role only closes.
    let role = r#""AWS":"arn:aws:iam::999900001111:role/x""#;
    check_diff(
        &with(STRANGER),
        &with(role),
        "",
        "principal-removed info 1 arn:aws:iam::999900001111:root",
    );
    // A service is not outside, nor is everybody of the own organization.
    check_diff(
        &one(r#""Service":"ec2.amazonaws.com""#, ASSUME, ""),
        &one(
            r#""Service":["ec2.amazonaws.com","lambda.amazonaws.com"]"#,
            ASSUME,
            "",
        ),
        "principal-added low 0 lambda.amazonaws.com",
        "",
    );
    let org = r#""StringEquals":{"aws:PrincipalOrgID":"o-mine"}"#;
    check_diff(
        &document(&[allow(VENDOR, ASSUME, XID), allow(SIBLING, ASSUME, org)]),
        &document(&[allow(VENDOR, ASSUME, XID), allow(STAR, ASSUME, org)]),
        "verdict-rose high - external-guarded → org-wide; principal-added low 1 *",
        "",
    );
}

#[test]
fn conditions_that_go_or_give_way() {
    let vendor = |condition: &str| one(VENDOR, ASSUME, condition);
    check_diff(
        &vendor(XID),
        &vendor(""),
        "verdict-rose high - external-guarded → external-unguarded; \
         condition-removed medium 0 StringEquals sts:ExternalId=kP3vQ8zR1mX7wT5n",
        "",
    );
    check_diff(
        &one(
            ROLE,
            ASSUME,
            r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#,
        ),
        &one(
            ROLE,
            ASSUME,
            r#""BoolIfExists":{"aws:MultiFactorAuthPresent":true}"#,
        ),
        "condition-weakened low 0 BoolIfExists aws:MultiFactorAuthPresent=true",
        "",
    );
    check_diff(
        &one(
            ROLE,
            ASSUME,
            r#""IpAddress":{"aws:SourceIp":"192.0.2.0/25"}"#,
        ),
        &one(
            ROLE,
            ASSUME,
            r#""IpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#,
        ),
        "value-widened low 0 IpAddress aws:SourceIp=192.0.2.0/24",
        "",
    );
    check_diff(
        &one(
            ROLE,
            ASSUME,
            r#""NumericLessThan":{"aws:MultiFactorAuthAge":"7200"}"#,
        ),
        &one(
            ROLE,
            ASSUME,
            r#""NumericLessThan":{"aws:MultiFactorAuthAge":3600}"#,
        ),
        "",
        "value-narrowed info 0 NumericLessThan aws:MultiFactorAuthAge=3600",
    );
    let github = |subject: &str| {
        let condition = format!(
            r#""StringEquals":{{{GITHUB_AUD}}},"StringLike":{{"token.actions.githubusercontent.com:sub":"{subject}"}}"#
        );
        one(GITHUB, WEB, &condition)
    };
    check_diff(
        &github("repo:mine/app:environment:prod"),
        &github("repo:mine/app:*"),
        "verdict-rose high - federated-scoped → federated-moderate; value-widened low 0 \
         StringLike token.actions.githubusercontent.com:sub=repo:mine/app:*",
        "",
    );
    // The same value under another operator, and a test beside it, take nothing away.
    let literal =
        github("repo:mine/app:environment:prod").replace("StringLike", "StringEqualsIfExists");
    check_diff(&github("repo:mine/app:environment:prod"), &literal, "", "");
}

#[test]
fn calls_and_guards() {
    check_diff(
        &one(ROLE, ASSUME, ""),
        &one(ROLE, "sts:*", ""),
        "action-added low 0 sts:SetContext for arn:aws:iam::444455556666:role/deploy; \
         action-added low 0 sts:SetSourceIdentity for arn:aws:iam::444455556666:role/deploy; \
         action-added low 0 sts:TagSession for arn:aws:iam::444455556666:role/deploy",
        "",
    );
    let guard = statement(
        "Deny",
        STAR,
        ASSUME,
        r#""StringNotEquals":{"aws:PrincipalOrgID":"o-mine"}"#,
    );
    let open = document(&[allow(STAR, ASSUME, "")]);
    let guarded = document(&[allow(STAR, ASSUME, ""), guard]);
    check_diff(
        &guarded,
        &open,
        "verdict-rose high - org-wide → public; \
         guard-removed medium 1 Deny if StringNotEquals aws:PrincipalOrgID=o-mine",
        "",
    );
    check_diff(
        &open,
        &guarded,
        "",
        "verdict-fell info - public → org-wide; \
         guard-added info 1 Deny if StringNotEquals aws:PrincipalOrgID=o-mine",
    );
    check_diff(
        &guarded,
        &guarded.replace("\"o-mine\"", "[\"o-mine\",\"o-other\"]"),
        "verdict-rose high - org-wide → external-untrusted; \
         guard-removed low 1 Deny if StringNotEquals aws:PrincipalOrgID=o-mine",
        "",
    );
}

#[test]
fn everybody_but_some_and_unreadable_texts() {
    let except = |list: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","NotPrincipal":{{"AWS":{list}}},"Action":"sts:AssumeRole"}}}}"#
        )
    };
    let (two, one_left) = (
        except(r#"["999900001111","888800001111"]"#),
        except(r#""999900001111""#),
    );
    check_diff(
        &two,
        &one_left,
        "principal-added high 0 everybody except 999900001111",
        "",
    );
    check_diff(
        &one_left,
        &two,
        "",
        "principal-removed info 0 everybody except 999900001111",
    );
    check_diff("no policy", &two, "", "");
    check_diff(&two, "{", "", "");
    assert!(!super::diff("no policy", &two, &world()).rose());
}

#[test]
fn large_documents_cost_bounded_time() {
    let many = |n: usize, name: &str| {
        let statements: Vec<String> = (0..n)
            .map(|i| {
                let condition = format!(
                    r#""StringLike":{{"aws:userid":["*{name}*a*{i}*b*{i}","*?{name}*{i}*"]}}"#
                );
                allow(ROLE, ASSUME, &condition)
            })
            .collect();
        document(&statements)
    };
    let diff_of = |n| diff(&many(n, "x"), &many(n, "y"), &world());
    assert!(!diff_of(150).opened.is_empty());
    let large = diff_of(250);
    assert_eq!(told(&large.opened), "too-large low - 250 statements");
    assert_eq!(large.severity(), Some(Severity::Low));
}
