//! Ways into a role: tried, forced, taken from outside or for the first time.

use super::super::super::event::{Role, Who};
use super::scene::{Scene, trusting};
use super::{Kind, Told, VENDOR, attack, harmless, told, with_lists};

pub const KINDS: &[Kind] = &[
    attack("denied-sweep", &["assume-role-denied-sweep"], denied_sweep),
    harmless("few-refusals", &["assume-role-denied-sweep"], few_refusals),
    harmless(
        "one-role-refused-often",
        &["assume-role-denied-sweep"],
        one_role_refused_often,
    ),
    attack(
        "denied-then-granted",
        &["assume-role-denied-then-success"],
        denied_then_granted,
    ),
    attack(
        "denied-elsewhere-then-in",
        &["assume-role-denied-then-success"],
        denied_elsewhere_then_in,
    ),
    harmless(
        "iam-propagation",
        &["assume-role-denied-then-success"],
        propagation,
    ),
    harmless(
        "refused-without-mfa-then-in",
        &["assume-role-denied-then-success"],
        refused_then_in,
    ),
    attack(
        "stranger-takes-role",
        &[
            "assume-role-from-untrusted-account",
            "assume-role-first-seen-edge",
            "assume-role-third-party-without-external-id",
        ],
        stranger,
    ),
    harmless(
        "sibling-account-as-ever",
        &[
            "assume-role-from-untrusted-account",
            "assume-role-first-seen-edge",
            "assume-role-third-party-without-external-id",
        ],
        sibling,
    ),
    with_lists(harmless(
        "vendor-with-external-id",
        &[
            "assume-role-from-untrusted-account",
            "assume-role-first-seen-edge",
            "assume-role-third-party-without-external-id",
        ],
        vendor,
    )),
    attack(
        "shared-external-id",
        &["assume-role-third-party-without-external-id"],
        shared_external_id,
    ),
    attack(
        "sensitive-role-by-newcomer",
        &["assume-role-sensitive-target"],
        sensitive_by_newcomer,
    ),
    harmless(
        "sensitive-role-as-every-day",
        &[
            "assume-role-sensitive-target",
            "assume-role-human-without-mfa",
        ],
        sensitive_every_day,
    ),
    attack(
        "admin-role-without-mfa",
        &["assume-role-human-without-mfa"],
        without_mfa,
    ),
    attack("fan-out", &["assume-role-fan-out"], fan_out),
    harmless("inventory-walk", &["assume-role-fan-out"], inventory_walk),
    attack(
        "attack-tool-client",
        &["assume-role-suspect-client"],
        attack_tool,
    ),
    harmless(
        "sdk-session-names",
        &["assume-role-suspect-client"],
        sdk_names,
    ),
];

const TRIED: [&str; 8] = [
    "OrganizationAccountAccessRole",
    "support-admin",
    "terraform-apply",
    "deploy-spoke",
    "backup-restore",
    "log-archive",
    "network-operator",
    "data-export",
];

fn denied_sweep(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("contractor-{}", s.tag));
    s.call(&who, -40, ("sts", "GetCallerIdentity"));
    for (k, name) in TRIED.into_iter().enumerate() {
        let role = Role::new(&s.account(s.n + k % 3), name);
        s.refuse(&who, 21 * k as i64, &role);
    }
    told(who.arn.clone(), who.arn)
}

fn few_refusals(s: &mut Scene) -> Told {
    let who = s.user(&format!("auditor-{}", s.tag));
    for (k, name) in TRIED.into_iter().take(4).enumerate() {
        let role = Role::new(&s.account(s.n + k % 2), name);
        s.refuse(&who, 45 * k as i64, &role);
    }
    told(who.arn.clone(), who.arn)
}

fn one_role_refused_often(s: &mut Scene) -> Told {
    let who = s.user(&format!("report-job-{}", s.tag));
    let role = Role::new(&s.far, "report-reader");
    for k in 0..15 {
        s.refuse(&who, 30 * k, &role);
    }
    told(who.arn.clone(), who.arn)
}

fn denied_then_granted(s: &mut Scene) -> Told {
    let name = format!("developer-{}", s.tag);
    let who = s.stolen(&name);
    let role = Role::new(&s.far, "support-console");
    s.refuse(&who, 0, &role);
    let grant = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{}"}}]}}"#,
        role.arn()
    );
    match s.n % 3 {
        0 => s.iam(
            &who,
            240,
            "PutUserPolicy",
            &[
                ("userName", &name),
                ("policyName", "more"),
                ("policyDocument", &grant),
            ],
        ),
        1 => s.iam(
            &who,
            240,
            "AddUserToGroup",
            &[("userName", &name), ("groupName", "support")],
        ),
        _ => s.iam(
            &who,
            240,
            "AttachUserPolicy",
            &[
                ("userName", &name),
                (
                    "policyArn",
                    &format!("arn:aws:iam::{}:policy/support", s.home),
                ),
            ],
        ),
    }
    s.refuse(&who, 246, &role);
    s.take(&who, 262, &role, "session");
    told(role.arn(), who.arn)
}

fn denied_elsewhere_then_in(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("tester-{}", s.tag));
    let role = Role::new(&s.far, "deploy-legacy");
    for (k, name) in TRIED.into_iter().take(4).enumerate() {
        let refused = Role::new(&s.far, name);
        s.refuse(&who, 300 * k as i64, &refused);
    }
    s.refuse(&who, 1_200, &role);
    s.take(&who, 1_500, &role, "session");
    told(role.arn(), who.arn)
}

fn propagation(s: &mut Scene) -> Told {
    let who = s.terraform();
    let role = s.role(&format!("smoke-test-{}", s.tag));
    let trust = trusting(&s.role("terraform-apply").arn());
    s.create_role(&who, 10, &role, &trust);
    s.refuse(&who, 12, &role);
    let policy = format!("arn:aws:iam::{}:policy/smoke-test", s.home);
    let request = [("roleName", role.name.as_str()), ("policyArn", &policy)];
    s.iam(&who, 14, "AttachRolePolicy", &request);
    s.refuse(&who, 16, &role);
    s.refuse(&who, 19, &role);
    s.take(&who, 24, &role, "smoke-test");
    told(role.arn(), who.arn)
}

/// Forgot the code, then gave it.
fn refused_then_in(s: &mut Scene) -> Told {
    let name = format!("operator-{}", s.tag);
    let role = Role::new(&s.far, "operations");
    let serial = format!("arn:aws:iam::{}:mfa/{name}", s.home);
    let who = s.user(&name);
    s.daily(|s| {
        let who = s.user(&name);
        s.take_with(&who, 0, &role, &name, &[("serialNumber", &serial)]);
    });
    s.refuse(&who, -30, &role);
    s.take_with(&who, 0, &role, &name, &[("serialNumber", &serial)]);
    told(role.arn(), who.arn)
}

fn stranger(s: &mut Scene) -> Told {
    let role = s.role(&format!("partner-export-{}", s.tag));
    s.daily(|s| {
        let who = s.user("partner-feed");
        s.take(&who, 0, &role, "partner-feed");
    });
    let who = s.stranger(&s.outside.clone());
    let session = s.take(&who, 0, &role, "session");
    s.call(&session, 30, ("s3", "ListBuckets"));
    told(role.arn(), who.arn)
}

fn sibling(s: &mut Scene) -> Told {
    let (role, own) = (
        Role::new(&s.far, "report-reader"),
        s.role("report-collector"),
    );
    let take = |s: &mut Scene| {
        let who = s.take_for(
            "lambda.amazonaws.com",
            &own,
            "report-collector",
            "10.7.3.22",
        );
        s.take(&who, 5, &role, "report-collector");
    };
    s.daily(take);
    take(s);
    told(role.arn(), own.arn())
}

fn vendor(s: &mut Scene) -> Told {
    let role = s.role("vendor-backup");
    let id = ("externalId", "c1f0a3d2-5b7e-4e0a-9a77-0f4c8d2b6e91");
    let take = |s: &mut Scene| {
        let who = Who::foreign(VENDOR, "AROA5VENDORBACKUPROLE:collector")
            .from("198.51.100.77", "aws-sdk-java/2.29.45");
        s.take_with(&who, 0, &role, "collector", &[id]);
    };
    s.daily(take);
    take(s);
    told(role.arn(), VENDOR)
}

/// Two customers of a vendor, or two strangers, know one secret.
fn shared_external_id(s: &mut Scene) -> Told {
    let role = s.role(&format!("metrics-export-{}", s.tag));
    let id = format!("shared-{}-8d1f2a6b", s.tag);
    let mut actor = String::new();
    for k in 0..2 {
        let account = (640_000_000_000 + 2 * s.n as u64 + k).to_string();
        let who = s.stranger(&account);
        let seconds = 2_000 * k as i64;
        s.take_with(&who, seconds, &role, "collect", &[("externalId", &id)]);
        actor = who.arn;
    }
    told(role.arn(), actor)
}

/// With MFA and from the office, but not this person's role so far.
fn sensitive_by_newcomer(s: &mut Scene) -> Told {
    let name = format!("helpdesk-{}", s.tag);
    let serial = format!("arn:aws:iam::{}:mfa/{name}", s.home);
    let usual = Role::new(&s.far, "ticket-reader");
    s.daily(|s| {
        let who = s.user(&name);
        s.take_with(&who, 0, &usual, &name, &[("serialNumber", &serial)]);
    });
    let wanted = [
        "OrganizationAccountAccessRole",
        "AWSControlTowerExecution",
        "breakglass-admin",
    ];
    let role = Role::new(&s.far, wanted[s.n % 3]);
    let who = s.user(&name);
    let session = s.take_with(&who, 0, &role, &name, &[("serialNumber", &serial)]);
    s.call(&session, 40, ("sts", "GetCallerIdentity"));
    told(role.arn(), who.arn)
}

fn sensitive_every_day(s: &mut Scene) -> Told {
    let name = format!("platform-{}", s.tag);
    let serial = format!("arn:aws:iam::{}:mfa/{name}", s.home);
    let role = Role::new(&s.far, "platform-admin");
    let take = |s: &mut Scene| {
        let who = s.user(&name);
        s.take_with(&who, 0, &role, &name, &[("serialNumber", &serial)]);
    };
    s.daily(take);
    take(s);
    told(role.arn(), s.user(&name).arn)
}

fn without_mfa(s: &mut Scene) -> Told {
    let role = Role::new(&s.far, "database-admin");
    let who = s.stolen(&format!("analyst-{}", s.tag));
    s.take(&who, 0, &role, "analyst");
    told(role.arn(), who.arn)
}

fn fan_out(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("integration-{}", s.tag));
    for k in 0..12 {
        let role = Role::new(&s.account(s.n + k % 6), TRIED[3 + k % 5]);
        s.take(&who, 40 * k as i64, &role, "walk");
    }
    told(who.arn.clone(), who.arn)
}

fn inventory_walk(s: &mut Scene) -> Told {
    let runner = s.role("service-role/asset-inventory");
    let walk = |s: &mut Scene| {
        let who = s.take_for(
            "lambda.amazonaws.com",
            &runner,
            "asset-inventory",
            "10.7.3.21",
        );
        for k in 0..12 {
            let reader = Role::new(&s.account(k), "asset-reader");
            s.take(&who, 10 + 20 * k as i64, &reader, "inventory");
        }
    };
    s.daily(walk);
    walk(s);
    told(runner.arn(), format!("{}/asset-inventory", runner.arn()))
}

fn attack_tool(s: &mut Scene) -> Told {
    const TOOLS: [&str; 4] = [
        "Boto3/1.34.50 md/Botocore#1.34.50 ua/2.0 os/linux#6.6.9-amd64 Pacu/1.5.2",
        "aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-amd64 exe/x86_64.kali.2024 prompt/off",
        "TruffleHog",
        "cloudfox/1.14.0 aws-sdk-go-v2/1.24.0 os/linux lang/go#1.21.5",
    ];
    let name = format!("build-{}", s.tag);
    let who = s.user(&name).from(&s.lair(), TOOLS[s.n % 4]);
    s.call(&who, 0, ("sts", "GetCallerIdentity"));
    for (k, call) in ["ListUsers", "ListRoles", "GetAccountAuthorizationDetails"]
        .into_iter()
        .enumerate()
    {
        s.iam(&who, 12 + 5 * k as i64, call, &[]);
    }
    told(who.arn.clone(), who.arn)
}

/// Names that SDKs give when nobody chose one.
fn sdk_names(s: &mut Scene) -> Told {
    let (role, own) = (
        Role::new(&s.far, "artifact-reader"),
        s.role("artifact-mirror"),
    );
    let take = |s: &mut Scene| {
        let who = s.take_for(
            "ecs-tasks.amazonaws.com",
            &own,
            "artifact-mirror",
            "10.7.3.23",
        );
        let session = match s.n % 3 {
            0 => format!("botocore-session-{}", s.time.0),
            1 => format!("aws-go-sdk-{}000000000", s.time.0),
            _ => "AWSCLI-Session".to_owned(),
        };
        s.take(&who, 5, &role, &session);
    };
    s.daily(take);
    take(s);
    told(role.arn(), own.arn())
}
