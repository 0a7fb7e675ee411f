//! Identity providers and the sessions they vouch for.

use super::super::super::calls::{Take, acting};
use super::super::super::event::{Event, Role, Session, Who};
use super::super::super::kit::Json;
use super::scene::{BROWSER, REGION, Scene, TERRAFORM, trust};
use super::{Kind, Told, attack, harmless, told};

pub const KINDS: &[Kind] = &[
    attack(
        "saml-provider-swapped",
        &["saml-session-forgery-signs", "identity-provider-tampered"],
        saml_swapped,
    ),
    attack(
        "saml-foreign-issuer",
        &["saml-session-forgery-signs"],
        saml_foreign_issuer,
    ),
    harmless(
        "saml-as-every-day",
        &["saml-session-forgery-signs"],
        saml_every_day,
    ),
    harmless(
        "identity-center-upkeep",
        &["saml-session-forgery-signs", "identity-provider-tampered"],
        identity_center_upkeep,
    ),
    attack(
        "oidc-foreign-repository",
        &["web-identity-subject-unexpected"],
        foreign_repository,
    ),
    harmless(
        "oidc-other-branch",
        &["web-identity-subject-unexpected"],
        other_branch,
    ),
    harmless(
        "oidc-immutable-subject",
        &["web-identity-subject-unexpected"],
        immutable_subject,
    ),
    attack(
        "oidc-provider-planted",
        &["identity-provider-tampered"],
        provider_planted,
    ),
    attack(
        "trust-anchor-planted",
        &["identity-provider-tampered"],
        anchor_planted,
    ),
    harmless(
        "oidc-provider-of-new-cluster",
        &["identity-provider-tampered"],
        cluster_provider,
    ),
];

const ISSUER: &str = "https://idp.company.example/saml";

fn saml_role(s: &Scene) -> (Role, String) {
    (
        s.role(&format!("saml-operators-{}", s.tag)),
        format!("corp-idp-{}", s.tag),
    )
}

/// Two people come through the company's own identity provider every day.
fn saml_history(s: &mut Scene) {
    s.daily(|s| {
        for (k, person) in ["olga@company.example", "ravi@company.example"]
            .into_iter()
            .enumerate()
        {
            assert_for(s, 40 * k as i64, (ISSUER, person), person);
        }
    });
}

fn assert_for(s: &mut Scene, seconds: i64, speaks: (&str, &str), session: &str) -> Who {
    let (role, provider) = saml_role(s);
    let time = s.at(seconds);
    let take = Take {
        role: &role,
        session,
        region: REGION,
        time,
    };
    let from = ("192.0.2.34".to_owned(), BROWSER);
    let issued = take.by_assertion(s.mint, &provider, speaks, (&from.0, from.1));
    s.log(issued.events);
    acting(&role, session, &issued.key, time, (&from.0, from.1))
}

fn saml_swapped(s: &mut Scene) -> Told {
    saml_history(s);
    let (role, provider) = saml_role(s);
    let who = s.stolen("idp-operator");
    let arn = format!("arn:aws:iam::{}:saml-provider/{provider}", s.home);
    let request = [
        ("sAMLProviderArn", arn.as_str()),
        ("sAMLMetadataDocument", "HIDDEN_DUE_TO_SECURITY_REASONS"),
    ];
    s.iam(&who, 0, "UpdateSAMLProvider", &request);
    let guest = assert_for(
        s,
        1_500,
        (ISSUER, "olga@company.example"),
        "olga@company.example",
    );
    s.call(&guest, 1_520, ("sts", "GetCallerIdentity"));
    told(role.arn(), who.arn)
}

fn saml_foreign_issuer(s: &mut Scene) -> Told {
    saml_history(s);
    let (role, _) = saml_role(s);
    let issuer = format!("https://sts.elsewhere.example/{}", s.tag);
    let guest = assert_for(
        s,
        0,
        (&issuer, "ravi@company.example"),
        "ravi@company.example",
    );
    s.call(&guest, 20, ("iam", "ListRoles"));
    told(role.arn(), guest.arn)
}

fn saml_every_day(s: &mut Scene) -> Told {
    saml_history(s);
    let (role, _) = saml_role(s);
    let guest = assert_for(
        s,
        0,
        (ISSUER, "olga@company.example"),
        "olga@company.example",
    );
    s.call(&guest, 20, ("ec2", "DescribeInstances"));
    told(role.arn(), guest.arn)
}

/// Identity Center renews its provider and its roles in the account.
fn identity_center_upkeep(s: &mut Scene) -> Told {
    let role = s.role("aws-service-role/sso.amazonaws.com/AWSServiceRoleForSSO");
    let session = Session {
        name: "AWS-SSO",
        invoked_by: Some("sso.amazonaws.com"),
        ..Session::default()
    };
    let who = Who::session(&role, s.at(-60), session);
    let provider = format!(
        "arn:aws:iam::{}:saml-provider/AWSSSO_4f1c22d9a0b7e6c5_DO_NOT_DELETE",
        s.home
    );
    s.iam(
        &who,
        0,
        "UpdateSAMLProvider",
        &[("sAMLProviderArn", &provider)],
    );
    let reserved =
        s.role("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Auditor_0f1e2d3c4b5a6978");
    let let_in = trust(
        &format!(r#""Federated":"{provider}""#),
        "sts:AssumeRoleWithSAML",
        r#""StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}"#,
    );
    s.create_role(&who, 5, &reserved, &let_in);
    let take = Take {
        role: &reserved,
        session: "mei@company.example",
        region: "eu-west-1",
        time: s.at(600),
    };
    let issued = take.by_workforce(s.mint, "192.0.2.33");
    s.log(issued.events);
    told(provider, role.arn())
}

const REPOSITORY: &str = "repo:company/storefront:ref:refs/heads/main";

/// The workflow of one repository takes its role every day.
fn workflow(s: &mut Scene, seconds: i64, subject: &str) -> Who {
    let role = s.role(&format!("gha-storefront-{}", s.tag));
    let session = format!("run-{}", 13_000_000_000 + s.mint.rng.below(99_999_999));
    let time = s.at(seconds);
    let take = Take {
        role: &role,
        session: &session,
        region: REGION,
        time,
    };
    let from = (
        "198.18.20.4",
        "aws-sdk-nodejs-v3-configure-aws-credentials/4.0.2",
    );
    let issued = take.by_workflow(s.mint, subject, from);
    s.log(issued.events);
    acting(&role, &session, &issued.key, time, from)
}

fn workflow_history(s: &mut Scene) -> String {
    s.daily(|s| drop(workflow(s, 0, REPOSITORY)));
    s.role(&format!("gha-storefront-{}", s.tag)).arn()
}

fn foreign_repository(s: &mut Scene) -> Told {
    let role = workflow_history(s);
    let subject = format!("repo:mallory-{}/storefront:ref:refs/heads/main", s.tag);
    let guest = workflow(s, 0, &subject);
    s.call(&guest, 20, ("sts", "GetCallerIdentity"));
    told(role, subject)
}

fn other_branch(s: &mut Scene) -> Told {
    let role = workflow_history(s);
    let subject = "repo:company/storefront:ref:refs/heads/feature-checkout";
    workflow(s, 0, subject);
    told(role, subject)
}

/// The same repository, named with its number.
fn immutable_subject(s: &mut Scene) -> Told {
    let role = workflow_history(s);
    let subject = "repo:company@4471823/storefront@88123901:ref:refs/heads/main";
    workflow(s, 0, subject);
    told(role, subject)
}

fn create_provider(s: &mut Scene, who: &Who, seconds: i64, url: &str) -> String {
    let host = url.trim_start_matches("https://");
    let arn = format!("arn:aws:iam::{}:oidc-provider/{host}", s.home);
    let mut event = s.iam_event(who, seconds, "CreateOpenIDConnectProvider", &[]);
    event.request = Some(Json::object(|j| {
        j.str("url", url)
            .raw("clientIDList", r#"["sts.amazonaws.com"]"#)
            .raw(
                "thumbprintList",
                r#"["6938fd4d98bab03faadb97b34396831e3780aea1"]"#,
            );
    }));
    let event = event.answers(|j| {
        j.str("openIDConnectProviderArn", &arn);
    });
    s.log([event]);
    arn
}

fn provider_planted(s: &mut Scene) -> Told {
    let who = s.stolen("cloud-admin");
    let host = format!("login.{}.example", s.tag);
    let arn = create_provider(s, &who, 0, &format!("https://{host}"));
    let role = s.role("storefront-release");
    let document = trust(
        &format!(r#""Federated":"{arn}""#),
        "sts:AssumeRoleWithWebIdentity",
        &format!(r#""StringEquals":{{"{host}:sub":"ops"}}"#),
    );
    let request = [
        ("roleName", role.name.as_str()),
        ("policyDocument", &document),
    ];
    s.iam(&who, 300, "UpdateAssumeRolePolicy", &request);
    told(arn, who.arn)
}

fn anchor_planted(s: &mut Scene) -> Told {
    let who = s.stolen("cloud-admin");
    let (home, tag) = (s.home.clone(), s.tag.clone());
    let id = s.mint.rng.uuid();
    let arn = format!("arn:aws:rolesanywhere:{REGION}:{home}:trust-anchor/{id}");
    let event = s
        .event(&who, 0, ("rolesanywhere", "CreateTrustAnchor"))
        .asks(|j| {
            j.str("name", &format!("onprem-{tag}")).obj("source", |j| {
                j.str("sourceType", "CERTIFICATE_BUNDLE")
                    .obj("sourceData", |j| {
                        j.str("x509CertificateData", "HIDDEN_DUE_TO_SECURITY_REASONS");
                    });
            });
        })
        .answers(|j| {
            j.obj("trustAnchor", |j| {
                j.str("trustAnchorId", &id).str("trustAnchorArn", &arn);
            });
        });
    let role = s.role("storefront-release").arn();
    let profile = s
        .event(&who, 60, ("rolesanywhere", "CreateProfile"))
        .asks(|j| {
            j.str("name", &format!("onprem-{tag}"))
                .raw("roleArns", &format!("[\"{role}\"]"));
        });
    let events: [Event; 2] = [event, profile];
    s.log(events);
    told(arn, who.arn)
}

fn cluster_provider(s: &mut Scene) -> Told {
    let who = s.terraform().from("198.18.9.9", TERRAFORM);
    let id = format!("{:032X}", 0x5eed_0000_u128 + s.n as u128);
    let url = format!("https://oidc.eks.eu-west-1.amazonaws.com/id/{id}");
    let arn = create_provider(s, &who, 0, &url);
    told(arn, who.arn)
}
