//! What people do in the same weeks that nobody should: keys kept, roles opened in a hurry, a second
//! factor given up, the root user for small things.

use super::super::calls::{create_role, iam};
use super::super::event::{Event, Who};
use super::super::kit::{Rng, Time};
use super::people::{OFFICE, workforce_session};
use super::{Case, DATA, DAYS, HUB, moment, role};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0";
const SCRIPT: &str = "Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#5.15.0 lang/python#3.10.12";
/// A company that counts costs.
pub const COUNTER: &str = "606070708080";
const DESK: &str = "t.novak";

pub fn slip(case: &mut Case) {
    two_keys(case);
    roles_in_a_hurry(case);
    second_factor(case);
    root_of_a_member(case);
    root_itself(case);
}

/// The gateway got a new key in the first week, and works with both ever since.
fn two_keys(case: &mut Case) {
    let (name, place) = ("gateway", (HUB, "us-east-1"));
    let (old, new) = (
        Rng::named("gateway-old").key("AKIA"),
        Rng::named("gateway-new").key("AKIA"),
    );
    let first = Who::user(HUB, name, &old, None).from("192.0.2.61", SCRIPT);
    let second = Who::user(HUB, name, &new, None).from("192.0.2.61", SCRIPT);
    let born = moment(2, (10, 14, 0));
    for day in 0..DAYS - 1 {
        let time = moment(day, (6, 20, 5));
        case.call(&first, place, time, ("s3", "ListBuckets"));
        if time > born {
            case.call(&second, place, time.plus(40), ("s3", "ListBuckets"));
        }
    }
    let created = iam(
        &mut case.mint,
        &first,
        HUB,
        born,
        "CreateAccessKey",
        &[("userName", name)],
    )
    .answers(|j| {
        j.obj("accessKey", |j| {
            j.str("userName", name)
                .str("accessKeyId", &new)
                .str("status", "Active")
                .str("createDate", &born.spoken());
        });
    });
    case.keep("second-key", [created]);
}

/// Monday and Tuesday of the last week, in the console of the hub.
fn roles_in_a_hurry(case: &mut Case) {
    let time = moment(14, (15, 2, 0));
    let dana = workforce_session(case, "dana.ortiz", "PlatformEngineer", HUB, time);
    let counting = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{COUNTER}:root"}},"Action":"sts:*","Condition":{{"StringEquals":{{"sts:ExternalId":"1234"}}}}}}]}}"#
    );
    let fixing = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{HUB}:root"}},"Action":"sts:AssumeRole","Condition":{{"BoolIfExists":{{"aws:MultiFactorAuthPresent":"true"}}}}}}]}}"#
    );
    for (label, name, trust, seconds) in [
        ("counting", "cost-insights", &counting, 120),
        ("fixing", "break-fix", &fixing, 1_500),
    ] {
        let new = role(HUB, name);
        let born = create_role(&mut case.mint, &dana, &new, trust, time.plus(seconds));
        case.keep(label, [born]);
    }
    // A role of the week before, scoped as it should be.
    let stories = role(HUB, "gha-storybook");
    let github = |condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::{HUB}:oidc-provider/token.actions.githubusercontent.com"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{{condition}}}}}]}}"#
        )
    };
    let narrow = github(
        r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:fernhill/storybook:ref:refs/heads/main"}"#,
    );
    let wide = github(
        r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:fernhill/*"}"#,
    );
    let time = moment(8, (15, 12, 0));
    let dana = workforce_session(case, "dana.ortiz", "PlatformEngineer", HUB, time);
    let born = create_role(&mut case.mint, &dana, &stories, &narrow, time.plus(240));
    let policy = format!("arn:aws:iam::{HUB}:policy/gha-storybook-narrow");
    let request = [("roleName", stories.name.as_str()), ("policyArn", &policy)];
    let bound = iam(
        &mut case.mint,
        &dana,
        HUB,
        time.plus(270),
        "AttachRolePolicy",
        &request,
    );
    case.keep("scoped", [born, bound]);
    let time = moment(15, (9, 48, 0));
    let dana = workforce_session(case, "dana.ortiz", "PlatformEngineer", HUB, time);
    let request = [
        ("roleName", stories.name.as_str()),
        ("policyDocument", wide.as_str()),
    ];
    let widened = iam(
        &mut case.mint,
        &dana,
        HUB,
        time.plus(400),
        "UpdateAssumeRolePolicy",
        &request,
    );
    case.keep("widened", [widened]);
}

/// A lost phone: the device goes, no other comes, and the next sign-in needs the password only.
fn second_factor(case: &mut Case) {
    let time = moment(18, (15, 30, 0));
    let dana = workforce_session(case, "dana.ortiz", "PlatformEngineer", DATA, time);
    let serial = format!("arn:aws:iam::{DATA}:mfa/{DESK}");
    let request = [("userName", DESK), ("serialNumber", serial.as_str())];
    for (n, (label, call, request)) in [
        ("device", "DeactivateMFADevice", &request[..]),
        ("device-gone", "DeleteVirtualMFADevice", &request[1..]),
    ]
    .into_iter()
    .enumerate()
    {
        let event = iam(
            &mut case.mint,
            &dana,
            DATA,
            time.plus(200 + 9 * n as i64),
            call,
            request,
        );
        case.keep(label, [event]);
    }
    let desk = Who::user(DATA, DESK, "", None).from(OFFICE, BROWSER);
    login(case, "one-factor", &desk, time.plus(1_100), "No");
}

fn login(case: &mut Case, label: &'static str, who: &Who, time: Time, mfa: &str) {
    let mut login = Event::new(
        &mut case.mint,
        who,
        (DATA, "us-east-1"),
        time,
        ("signin", "ConsoleLogin"),
    )
    .answers(|j| {
        j.str("ConsoleLogin", "Success");
    });
    login.additional = Some(format!(
        r#"{{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"{mfa}"}}"#
    ));
    login.kind = "AwsConsoleSignIn";
    case.keep(label, [login]);
}

/// The hub looks what credentials the root user of the data account has.
fn root_of_a_member(case: &mut Case) {
    let time = moment(19, (9, 10, 0));
    let dana = workforce_session(case, "dana.ortiz", "PlatformEngineer", HUB, time);
    let (key, token) = (case.mint.rng.key("ASIA"), case.mint.token());
    let time = time.plus(240);
    let mut event = Event::new(
        &mut case.mint,
        &dana,
        (HUB, "us-east-1"),
        time,
        ("sts", "AssumeRoot"),
    )
    .asks(|j| {
        j.str("targetPrincipal", DATA)
            .obj("taskPolicyArn", |j| {
                j.str(
                    "arn",
                    "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials",
                );
            })
            .raw("durationSeconds", "900");
    })
    .answers(|j| {
        j.obj("credentials", |j| {
            j.str("accessKeyId", &key)
                .str("sessionToken", &token)
                .str("expiration", &time.plus(900).spoken());
        });
    });
    event.read_only = false;
    case.keep("assumed-root", [event]);
}

/// And on Sunday somebody signs in as that user, with MFA, and turns on a Region.
fn root_itself(case: &mut Case) {
    let time = moment(20, (11, 5, 0));
    let root = Who::root(DATA, time, true)
        .from(OFFICE, BROWSER)
        .in_console();
    login(case, "root-login", &root, time, "Yes");
    let event = Event::new(
        &mut case.mint,
        &root,
        (DATA, "us-east-1"),
        time.plus(300),
        ("account", "EnableRegion"),
    )
    .asks(|j| {
        j.str("RegionName", "eu-south-2");
    });
    case.keep("root-region", [event]);
}
