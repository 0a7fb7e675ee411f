//! Trust documents that let in too much, and those that look alike and do not.

use super::super::super::event::{Role, Who};
use super::scene::{LAMBDA_TRUST, ORG, Scene, trust, trusting};
use super::{Kind, Told, VENDOR, attack, harmless, told, with_lists};

pub const KINDS: &[Kind] = &[
    attack("trust-public", &["trust-policy-public"], public),
    with_lists(harmless(
        "trust-own-organization",
        &["trust-policy-public", "trust-policy-untrusted-account"],
        own_organization,
    )),
    attack(
        "trust-unknown-account",
        &["trust-policy-untrusted-account"],
        unknown_account,
    ),
    harmless(
        "trust-sibling-account",
        &["trust-policy-untrusted-account", "trust-policy-broadened"],
        sibling_account,
    ),
    attack(
        "trust-outsider-unguarded",
        &["trust-policy-third-party-unguarded"],
        outsider_unguarded,
    ),
    with_lists(attack(
        "trust-vendor-unguarded",
        &["trust-policy-third-party-unguarded"],
        vendor_unguarded,
    )),
    with_lists(harmless(
        "trust-vendor-guarded",
        &[
            "trust-policy-untrusted-account",
            "trust-policy-third-party-unguarded",
        ],
        vendor_guarded,
    )),
    attack(
        "trust-oidc-unscoped",
        &["trust-policy-federated-unscoped"],
        oidc_unscoped,
    ),
    harmless(
        "trust-oidc-scoped",
        &["trust-policy-federated-unscoped"],
        oidc_scoped,
    ),
    attack(
        "trust-condition-defect",
        &["trust-policy-condition-defect"],
        condition_defect,
    ),
    harmless(
        "trust-condition-sound",
        &["trust-policy-condition-defect"],
        condition_sound,
    ),
    attack(
        "trust-service-unpinned",
        &["trust-policy-service-confused-deputy"],
        service_unpinned,
    ),
    harmless(
        "trust-service-pinned",
        &["trust-policy-service-confused-deputy"],
        service_pinned,
    ),
    attack("trust-broadened", &["trust-policy-broadened"], broadened),
    harmless("trust-tightened", &["trust-policy-broadened"], tightened),
    attack("backdoor-role", &["backdoor-role-sequence"], backdoor),
    harmless(
        "pipeline-makes-role",
        &[
            "backdoor-role-sequence",
            "role-created-off-pipeline",
            "admin-policy-attached",
        ],
        pipeline_role,
    ),
    attack("role-lookalike", &["role-lookalike-name"], lookalike),
    harmless(
        "service-linked-role",
        &["role-lookalike-name", "role-created-off-pipeline"],
        service_linked,
    ),
    attack(
        "principal-enumeration",
        &["trust-principal-enumeration"],
        enumeration,
    ),
    harmless(
        "principal-deleted",
        &["trust-principal-enumeration"],
        principal_deleted,
    ),
    attack(
        "parameters-omitted",
        &["iam-parameters-omitted"],
        parameters_omitted,
    ),
    harmless(
        "parameters-omitted-elsewhere",
        &["iam-parameters-omitted"],
        omitted_elsewhere,
    ),
];

/// Whoever changes roles here: a person in the console, a leaked key, a session of a role.
fn changer(s: &mut Scene) -> Who {
    match s.n % 3 {
        0 => s.engineer(),
        1 => s.stolen(&format!("operator-{}", s.tag)),
        _ => {
            let role = s.role("platform-tools");
            let who = s.user("platform-tools");
            s.daily(|s| drop(s.take(&who, 0, &role, "tools")));
            s.take(&who, -1_200, &role, "tools")
        }
    }
}

/// A new role, or the new document of an old one.
fn set_trust(s: &mut Scene, name: &str, document: &str) -> Told {
    let who = changer(s);
    let role = s.role(&format!("{name}-{}", s.tag));
    if s.n.is_multiple_of(2) {
        s.create_role(&who, 0, &role, document);
    } else {
        let request = [
            ("roleName", role.name.as_str()),
            ("policyDocument", document),
        ];
        s.iam(&who, 0, "UpdateAssumeRolePolicy", &request);
    }
    told(role.arn(), who.arn)
}

/// The same by the pipeline or an engineer who has made roles before.
fn set_trust_properly(s: &mut Scene, name: &str, document: &str) -> Told {
    let who = s.terraform();
    let role = s.role(&format!("{name}-{}", s.tag));
    s.create_role(&who, 60, &role, document);
    told(role.arn(), who.arn)
}

fn public(s: &mut Scene) -> Told {
    let document = match s.n % 3 {
        0 => trusting("*"),
        1 => trust(
            r#""AWS":"*""#,
            "sts:AssumeRole",
            r#""Bool":{"aws:SecureTransport":"true"}"#,
        ),
        _ => trusting("arn:aws:iam::*:root"),
    };
    set_trust(s, "relay", &document)
}

fn own_organization(s: &mut Scene) -> Told {
    let condition = format!(r#""StringEquals":{{"aws:PrincipalOrgID":"{ORG}"}}"#);
    let document = trust(r#""AWS":"*""#, "sts:AssumeRole", &condition);
    set_trust_properly(s, "shared-reader", &document)
}

fn unknown_account(s: &mut Scene) -> Told {
    let principal = match s.n % 3 {
        0 => format!("arn:aws:iam::{}:root", s.outside),
        1 => format!("arn:aws:iam::{}:user/ops", s.outside),
        _ => s.outside.clone(),
    };
    set_trust(s, "sync", &trusting(&principal))
}

fn sibling_account(s: &mut Scene) -> Told {
    let principal = format!("arn:aws:iam::{}:role/deploy-hub", s.far);
    set_trust_properly(s, "spoke", &trusting(&principal))
}

/// A stranger may set tags, names and everything else of the session.
fn outsider_unguarded(s: &mut Scene) -> Told {
    let document = trust(
        &format!(r#""AWS":"arn:aws:iam::{}:root""#, s.outside),
        "sts:*",
        r#""StringEquals":{"sts:ExternalId":"1234"}"#,
    );
    set_trust(s, "partner", &document)
}

fn vendor_unguarded(s: &mut Scene) -> Told {
    let document = trusting(&format!("arn:aws:iam::{VENDOR}:root"));
    set_trust(s, "vendor", &document)
}

fn vendor_guarded(s: &mut Scene) -> Told {
    let document = trust(
        &format!(r#""AWS":"arn:aws:iam::{VENDOR}:role/collector""#),
        "sts:AssumeRole",
        r#""StringEquals":{"sts:ExternalId":"7d0c8f4e-2b8a-4a8e-9f6d-3c51b0a7e214"}"#,
    );
    set_trust_properly(s, "vendor", &document)
}

fn github(s: &Scene, condition: &str) -> String {
    let provider = format!(
        r#""Federated":"arn:aws:iam::{}:oidc-provider/token.actions.githubusercontent.com""#,
        s.home
    );
    trust(&provider, "sts:AssumeRoleWithWebIdentity", condition)
}

fn oidc_unscoped(s: &mut Scene) -> Told {
    let condition = match s.n % 3 {
        0 => r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}"#,
        1 => r#""StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}"#,
        _ => r#""StringLike":{"token.actions.githubusercontent.com:sub":"repo:comp*"}"#,
    };
    let document = github(s, condition);
    set_trust(s, "gha", &document)
}

fn oidc_scoped(s: &mut Scene) -> Told {
    let document = github(
        s,
        r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:company/platform:ref:refs/heads/main"}"#,
    );
    set_trust_properly(s, "gha", &document)
}

fn condition_defect(s: &mut Scene) -> Told {
    let own = format!(r#""AWS":"arn:aws:iam::{}:root""#, s.home);
    let document = match s.n % 2 {
        0 => trust(
            r#""AWS":"*""#,
            "sts:AssumeRole",
            &format!(r#""ForAllValues:StringEquals":{{"aws:PrincipalOrgID":"{ORG}"}}"#),
        ),
        _ => trust(
            &own,
            "sts:AssumeRole",
            r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}"#,
        ),
    };
    set_trust(s, "guarded", &document)
}

fn condition_sound(s: &mut Scene) -> Told {
    let own = format!(r#""AWS":"arn:aws:iam::{}:root""#, s.home);
    let document = trust(
        &own,
        "sts:AssumeRole",
        r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#,
    );
    set_trust_properly(s, "guarded", &document)
}

fn service_unpinned(s: &mut Scene) -> Told {
    let document = trust(
        r#""Service":"cloudtrail.amazonaws.com""#,
        "sts:AssumeRole",
        "",
    );
    set_trust(s, "trail-to-logs", &document)
}

fn service_pinned(s: &mut Scene) -> Told {
    let document = trust(
        r#""Service":"cloudtrail.amazonaws.com""#,
        "sts:AssumeRole",
        &format!(
            r#""StringEquals":{{"aws:SourceAccount":"{0}","aws:SourceArn":"arn:aws:cloudtrail:us-east-1:{0}:trail/main"}}"#,
            s.home
        ),
    );
    set_trust_properly(s, "trail-to-logs", &document)
}

/// A role made properly long ago, then given another document.
fn change_trust(s: &mut Scene, before: &str, after: &str, by: &Who) -> Told {
    let role = s.role(&format!("release-{}", s.tag));
    s.days_before(11, |s| {
        let who = s.user("bootstrap");
        s.create_role(&who, 0, &role, before);
    });
    let request = [("roleName", role.name.as_str()), ("policyDocument", after)];
    s.iam(by, 0, "UpdateAssumeRolePolicy", &request);
    told(role.arn(), by.arn.clone())
}

fn broadened(s: &mut Scene) -> Told {
    let who = changer(s);
    let hub = format!("arn:aws:iam::{}:role/deploy-hub", s.home);
    let before = trusting(&hub);
    let after = trusting(&format!(r#"{hub}","arn:aws:iam::{}:root"#, s.outside))
        .replace(r#""AWS":"#, r#""AWS":["#)
        .replace(r#":root""#, r#":root"]"#);
    change_trust(s, &before, &after, &who)
}

fn tightened(s: &mut Scene) -> Told {
    let who = s.engineer();
    let own = format!(r#""AWS":"arn:aws:iam::{}:root""#, s.home);
    let before = trust(&own, "sts:AssumeRole", "");
    let after = trust(
        &own,
        "sts:AssumeRole",
        r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#,
    );
    change_trust(s, &before, &after, &who)
}

fn backdoor(s: &mut Scene) -> Told {
    let who = changer(s);
    let role = s.role(&format!("support-relay-{}", s.tag));
    let document = trusting(&format!("arn:aws:iam::{}:root", s.outside));
    let request = [
        ("roleName", role.name.as_str()),
        ("policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ];
    if s.n.is_multiple_of(2) {
        s.create_role(&who, 0, &role, &document);
        s.iam(&who, 0, "AttachRolePolicy", &request);
    } else {
        // Empowered first, opened after it.
        s.iam(&who, 0, "AttachRolePolicy", &request);
        let change = [
            ("roleName", role.name.as_str()),
            ("policyDocument", &document),
        ];
        s.iam(&who, 1, "UpdateAssumeRolePolicy", &change);
    }
    let stranger = s.stranger(&s.outside.clone());
    let session = s.take(&stranger, 900, &role, "relay");
    s.call(&session, 930, ("iam", "ListUsers"));
    told(role.arn(), who.arn)
}

fn pipeline_role(s: &mut Scene) -> Told {
    let who = s.terraform();
    let role = s.role(&format!("orders-function-{}", s.tag));
    s.create_role(&who, 30, &role, LAMBDA_TRUST);
    let managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    let request = [("roleName", role.name.as_str()), ("policyArn", managed)];
    s.iam(&who, 32, "AttachRolePolicy", &request);
    let narrow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::company-assets/*"}]}"#;
    let request = [
        ("roleName", role.name.as_str()),
        ("policyName", "read"),
        ("policyDocument", narrow),
    ];
    s.iam(&who, 33, "PutRolePolicy", &request);
    s.take_for("lambda.amazonaws.com", &role, "orders", "10.4.4.4");
    told(role.arn(), who.arn)
}

fn lookalike(s: &mut Scene) -> Told {
    const NAMES: [&str; 4] = [
        "AWSServiceRoleForSupportDesk",
        "AWSReservedSSO_AdministratorAccess_0c0ffee0c0ffee00",
        "OrganizationAccountAccessRole",
        "AWSControlTowerExecutionRole",
    ];
    let who = changer(s);
    let role = s.role(NAMES[s.n % 4]);
    let document = trusting(&format!("arn:aws:iam::{}:root", s.home));
    s.create_role(&who, 0, &role, &document);
    told(role.arn(), who.arn)
}

fn service_linked(s: &mut Scene) -> Told {
    let who = s.terraform();
    let role = s.role("aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS");
    let arn = role.arn();
    let event = s
        .iam_event(
            &who,
            40,
            "CreateServiceLinkedRole",
            &[("aWSServiceName", "ecs.amazonaws.com")],
        )
        .answers(|j| {
            j.obj("role", |j| {
                j.str("path", &role.path)
                    .str("roleName", &role.name)
                    .str("roleId", &role.id())
                    .str("arn", &arn);
            });
        });
    s.log([event]);
    told(arn, who.arn)
}

fn enumeration(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("sandbox-{}", s.tag));
    let role = s.role("probe");
    const GUESSES: [&str; 12] = [
        "admin",
        "root",
        "deploy",
        "ops",
        "backup",
        "jenkins",
        "terraform",
        "ci",
        "dev",
        "audit",
        "security",
        "support",
    ];
    for (k, name) in GUESSES.into_iter().enumerate() {
        let principal = format!("arn:aws:iam::{}:user/{name}", s.outside);
        guess(s, &who, 20 * k as i64, (&role, &principal));
    }
    told(role.arn(), who.arn)
}

/// A trust document names somebody who does not exist.
fn guess(s: &mut Scene, who: &Who, seconds: i64, (role, principal): (&Role, &str)) {
    let document = trusting(principal);
    let request = [
        ("roleName", role.name.as_str()),
        ("policyDocument", &document),
    ];
    let event = s
        .iam_event(who, seconds, "UpdateAssumeRolePolicy", &request)
        .fails(
            "MalformedPolicyDocumentException",
            &format!("Invalid principal in policy: \"AWS\":\"{principal}\""),
        );
    s.log([event]);
}

fn principal_deleted(s: &mut Scene) -> Told {
    let who = s.terraform();
    let role = s.role("spoke-legacy");
    let principal = format!("arn:aws:iam::{}:role/removed", s.far);
    for k in 0..3 {
        guess(s, &who, 60 * k, (&role, &principal));
    }
    told(role.arn(), who.arn)
}

fn parameters_omitted(s: &mut Scene) -> Told {
    let who = changer(s);
    let call = ["UpdateAssumeRolePolicy", "PutRolePolicy", "CreateRole"][s.n % 3];
    let mut event = s.iam_event(&who, 0, call, &[]);
    event.request = Some(
        r#"{"reason":"requestParameters too large","omitted":true,"originalSize":104912}"#
            .to_owned(),
    );
    s.log([event]);
    told(format!("arn:aws:iam::{}:root", s.home), who.arn)
}

fn omitted_elsewhere(s: &mut Scene) -> Told {
    let who = s.terraform();
    let mut event = s.event(&who, 50, ("cloudformation", "CreateChangeSet"));
    event.request = Some(
        r#"{"reason":"requestParameters too large","omitted":true,"originalSize":131072}"#
            .to_owned(),
    );
    s.log([event]);
    told(who.arn.clone(), who.arn)
}
