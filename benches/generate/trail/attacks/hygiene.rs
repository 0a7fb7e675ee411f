//! Passwords, second factors, trails, keys and the root user.

use super::super::super::event::{Event, Who};
use super::super::super::kit::{DAY, Json, Rng};
use super::scene::{BROWSER, OFFICE, Scene};
use super::sessions::new_key;
use super::{Kind, Told, attack, harmless, told};

pub const KINDS: &[Kind] = &[
    attack(
        "password-policy-weakened",
        &["password-policy-weakened"],
        policy_weakened,
    ),
    harmless(
        "password-policy-strong",
        &["password-policy-weakened"],
        policy_strong,
    ),
    attack("mfa-deactivated", &["mfa-removed-or-replaced"], mfa_off),
    harmless(
        "mfa-replaced-by-owner",
        &["mfa-removed-or-replaced"],
        mfa_replaced,
    ),
    attack(
        "console-login-single-factor",
        &["console-login-without-mfa"],
        login_without_mfa,
    ),
    harmless(
        "console-login-failed",
        &["console-login-without-mfa"],
        login_failed,
    ),
    attack("trail-stopped", &["cloudtrail-impaired"], trail_stopped),
    harmless("trail-improved", &["cloudtrail-impaired"], trail_improved),
    attack(
        "key-for-another-user",
        &["credential-issued-for-another-user"],
        key_for_another,
    ),
    harmless(
        "own-key-rotated",
        &[
            "credential-issued-for-another-user",
            "long-lived-access-key-in-use",
        ],
        own_rotation,
    ),
    attack(
        "rotation-never-finished",
        &["long-lived-access-key-in-use"],
        rotation_unfinished,
    ),
    attack("root-used", &["root-identity-used"], root_used),
    harmless("root-service-event", &["root-identity-used"], root_event),
];

fn policy(j: &mut Json, length: &str, symbols: &str, reuse: Option<&str>) {
    j.raw("minimumPasswordLength", length)
        .raw("requireSymbols", symbols)
        .raw("requireNumbers", "true")
        .raw("requireUppercaseCharacters", "true")
        .raw("requireLowercaseCharacters", "true")
        .raw("allowUsersToChangePassword", "true");
    if let Some(reuse) = reuse {
        j.raw("passwordReusePrevention", reuse);
    }
}

fn policy_weakened(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("office-{}", s.tag));
    let subject = format!("arn:aws:iam::{}:root", s.home);
    if s.n.is_multiple_of(2) {
        s.iam(&who, 0, "DeleteAccountPasswordPolicy", &[]);
    } else {
        let mut event = s.iam_event(&who, 0, "UpdateAccountPasswordPolicy", &[]);
        event.request = Some(Json::object(|j| policy(j, "6", "false", None)));
        s.log([event]);
    }
    told(subject, who.arn)
}

fn policy_strong(s: &mut Scene) -> Told {
    let who = s.terraform();
    let mut event = s.iam_event(&who, 30, "UpdateAccountPasswordPolicy", &[]);
    event.request = Some(Json::object(|j| policy(j, "16", "true", Some("24"))));
    s.log([event]);
    told(format!("arn:aws:iam::{}:root", s.home), who.arn)
}

fn mfa_off(s: &mut Scene) -> Told {
    let victim = format!("director-{}", s.tag);
    let serial = format!("arn:aws:iam::{}:mfa/{victim}", s.home);
    let who = s.stolen(&format!("desk-{}", s.tag));
    let request = [("userName", victim.as_str()), ("serialNumber", &serial)];
    s.iam(&who, 0, "DeactivateMFADevice", &request);
    s.iam(&who, 8, "DeleteVirtualMFADevice", &request[1..]);
    told(format!("arn:aws:iam::{}:user/{victim}", s.home), who.arn)
}

fn mfa_replaced(s: &mut Scene) -> Told {
    let name = format!("designer-{}", s.tag);
    let who = console_user(s, &name);
    let serial = format!("arn:aws:iam::{}:mfa/{name}", s.home);
    let request = [("userName", name.as_str()), ("serialNumber", &serial)];
    s.iam(&who, 0, "DeactivateMFADevice", &request);
    s.iam(&who, 10, "DeleteVirtualMFADevice", &request[1..]);
    let device = [("virtualMFADeviceName", name.as_str())];
    s.iam(&who, 60, "CreateVirtualMFADevice", &device);
    s.iam(&who, 130, "EnableMFADevice", &request);
    told(who.arn.clone(), who.arn)
}

/// An IAM user in the console, with MFA.
fn console_user(s: &mut Scene, name: &str) -> Who {
    let key = s.mint.rng.key("ASIA");
    Who::user(&s.home, name, &key, Some((s.at(-300), true)))
        .from(OFFICE, BROWSER)
        .in_console()
}

fn login(s: &mut Scene, who: &Who, seconds: i64, (result, mfa): (&str, &str)) -> Event {
    let mut event = s.event(who, seconds, ("signin", "ConsoleLogin"));
    if result == "Failure" {
        event = event.fails("", "Failed authentication");
    }
    let mut event = event.answers(|j| {
        j.str("ConsoleLogin", result);
    });
    event.additional = Some(Json::object(|j| {
        j.str("LoginTo", "https://console.aws.amazon.com/console/home")
            .str("MobileVersion", "No")
            .str("MFAUsed", mfa);
    }));
    event.kind = "AwsConsoleSignIn";
    event
}

fn login_without_mfa(s: &mut Scene) -> Told {
    let name = format!("accountant-{}", s.tag);
    let who = Who::user(&s.home, &name, "", None).from(&s.lair(), BROWSER);
    let event = login(s, &who, 0, ("Success", "No"));
    s.log([event]);
    told(who.arn.clone(), who.arn)
}

fn login_failed(s: &mut Scene) -> Told {
    let name = format!("writer-{}", s.tag);
    let who = Who::user(&s.home, &name, "", None).from(OFFICE, BROWSER);
    let failed = login(s, &who, 0, ("Failure", "No"));
    let done = login(s, &who, 25, ("Success", "Yes"));
    s.log([failed, done]);
    told(who.arn.clone(), who.arn)
}

fn trail_arn(s: &Scene) -> String {
    format!("arn:aws:cloudtrail:us-east-1:{}:trail/main", s.home)
}

fn trail_stopped(s: &mut Scene) -> Told {
    let (who, arn) = (s.stolen(&format!("night-{}", s.tag)), trail_arn(s));
    let event = match s.n % 3 {
        0 => s
            .event(&who, 0, ("cloudtrail", "StopLogging"))
            .asks(|j| {
                j.str("name", &arn);
            }),
        1 => s
            .event(&who, 0, ("cloudtrail", "DeleteTrail"))
            .asks(|j| {
                j.str("name", "main");
            }),
        _ => s
            .event(&who, 0, ("cloudtrail", "PutEventSelectors"))
            .asks(|j| {
                j.str("trailName", &arn).raw(
                    "eventSelectors",
                    r#"[{"readWriteType":"WriteOnly","includeManagementEvents":false,"dataResources":[],"excludeManagementEventSources":[]}]"#,
                );
            }),
    };
    s.log([event]);
    told(arn, who.arn)
}

fn trail_improved(s: &mut Scene) -> Told {
    let (who, arn) = (s.terraform(), trail_arn(s));
    let selectors = s
        .event(&who, 30, ("cloudtrail", "PutEventSelectors"))
        .asks(|j| {
            j.str("trailName", &arn).raw(
                "eventSelectors",
                r#"[{"readWriteType":"All","includeManagementEvents":true,"dataResources":[{"type":"AWS::S3::Object","values":["arn:aws:s3"]}],"excludeManagementEventSources":[]}]"#,
            );
        });
    let update = s.event(&who, 34, ("cloudtrail", "UpdateTrail")).asks(|j| {
        j.str("name", &arn)
            .raw("isMultiRegionTrail", "true")
            .raw("includeGlobalServiceEvents", "true")
            .raw("enableLogFileValidation", "true");
    });
    s.log([selectors, update]);
    told(arn, who.arn)
}

fn key_for_another(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("support-{}", s.tag));
    let victim = format!("owner-{}", s.tag);
    let key = s.mint.rng.key("AKIA");
    let event = new_key(s, &who, 0, (&victim, true), &key);
    s.log([event]);
    let user = Who::user(&s.home, &victim, &key, None).from(&who.ip, &who.agent);
    s.call(&user, 600, ("sts", "GetCallerIdentity"));
    told(format!("arn:aws:iam::{}:user/{victim}", s.home), who.arn)
}

/// The user makes a new key, moves over, and removes the old one.
fn own_rotation(s: &mut Scene) -> Told {
    let name = format!("courier-{}", s.tag);
    let who = s.user(&name);
    s.daily(|s| {
        let who = s.user(&name);
        s.call(&who, 0, ("s3", "ListBuckets"));
    });
    let old = Rng::named(&format!("{}/{name}", s.home)).key("AKIA");
    let key = s.mint.rng.key("AKIA");
    let event = new_key(s, &who, 0, (&name, s.n.is_multiple_of(2)), &key);
    s.log([event]);
    let user = Who::user(&s.home, &name, &key, None).from(&who.ip, &who.agent);
    s.call(&user, 300, ("s3", "ListBuckets"));
    let request = [
        ("userName", name.as_str()),
        ("accessKeyId", old.as_str()),
        ("status", "Inactive"),
    ];
    s.iam(&user, 900, "UpdateAccessKey", &request);
    s.iam(&user, 7_200, "DeleteAccessKey", &request[..2]);
    told(who.arn.clone(), who.arn)
}

/// A new key since weeks, and the old one still at work.
fn rotation_unfinished(s: &mut Scene) -> Told {
    let name = format!("gateway-{}", s.tag);
    let key = s.mint.rng.key("AKIA");
    s.daily(|s| {
        let who = s.user(&name);
        s.call(&who, 0, ("s3", "ListBuckets"));
    });
    let now = s.time;
    s.time = now.plus(-15 * DAY);
    let who = s.user(&name);
    let event = new_key(s, &who, 0, (&name, true), &key);
    s.log([event]);
    s.time = now;
    let user = Who::user(&s.home, &name, &key, None).from(&who.ip, &who.agent);
    s.call(&user, 0, ("s3", "ListBuckets"));
    s.call(&who, 60, ("s3", "ListBuckets"));
    told(who.arn.clone(), who.arn)
}

fn root_used(s: &mut Scene) -> Told {
    let who = Who::root(&s.home, s.at(-60), s.n.is_multiple_of(2))
        .from(&s.lair(), BROWSER)
        .in_console();
    match s.n % 3 {
        0 => {
            let key = s.mint.rng.key("AKIA");
            let born = s.at(0);
            let mut event = s.iam_event(&who, 0, "CreateAccessKey", &[]);
            event.request = None;
            let event = event.answers(|j| {
                j.obj("accessKey", |j| {
                    j.str("accessKeyId", &key)
                        .str("status", "Active")
                        .str("createDate", &born.spoken());
                });
            });
            s.log([event]);
        }
        1 => {
            let event = login(s, &who, 0, ("Success", "No"));
            s.log([event]);
        }
        _ => {
            let request = [("userName", "x"), ("policyName", "y")];
            s.iam(&who, 0, "DeleteUserPolicy", &request);
        }
    }
    told(who.arn.clone(), who.arn)
}

/// AWS writes root where it acts for the account itself.
fn root_event(s: &mut Scene) -> Told {
    let mut who = Who::root(&s.home, s.at(0), false).from("support.amazonaws.com", "support");
    who.direct = false;
    let home = s.home.clone();
    who.identity = Json::object(|j| {
        j.str("type", "Root")
            .str("principalId", &home)
            .str("arn", &format!("arn:aws:iam::{home}:root"))
            .str("accountId", &home)
            .str("invokedBy", "support.amazonaws.com");
    });
    let mut event = s.event(&who, 0, ("support", "DescribeTrustedAdvisorChecks"));
    event.kind = "AwsServiceEvent";
    s.log([event]);
    told(who.arn.clone(), who.arn)
}
