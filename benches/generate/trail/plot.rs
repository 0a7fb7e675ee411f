//! What spans accounts: deployments from a hub into spokes, and now and then an intrusion. Made
//! before the lanes, because one call leaves records in two of them.

use super::super::calls::{Take, acting, create_role, iam};
use super::super::event::{Event, Role, Who};
use super::super::kit::{Mint, Time, unique_id};
use super::{Options, Stage, attacks};

/// One deployment of about seven records for so many events.
const EVENTS_PER_DEPLOYMENT: usize = 400;
/// One intrusion of about twenty records for so many events.
const EVENTS_PER_INTRUSION: usize = 50_000;
const REGION: &str = "us-east-1";
const RUNNER: (&str, &str) = (
    "198.18.7.30",
    "aws-sdk-go-v2/1.32.8 ua/2.1 os/linux lang/go#1.23.4",
);

/// The rules that should speak of an intrusion.
pub const INTRUSION_RULES: &[&str] = &[
    "assume-role-denied-sweep",
    "assume-role-denied-then-success",
    "assume-role-from-untrusted-account",
    "backdoor-role-sequence",
];

/// The events, and a line of truth for each intrusion.
pub fn plan(options: &Options, stage: &Stage) -> (Vec<Event>, Vec<String>) {
    let mut mint = Mint::new(options.seed ^ 0x9107, stage.tokens.clone());
    let mut events = Vec::new();
    for _ in 0..options.events / EVENTS_PER_DEPLOYMENT {
        let time = moment(&mut mint, stage);
        deployment(&mut mint, stage, time, &mut events);
    }
    let mut truth = Vec::new();
    for n in 0..options.events / EVENTS_PER_INTRUSION {
        let time = moment(&mut mint, stage);
        let mut own = Vec::new();
        intrusion(&mut mint, stage, time, n, &mut own);
        // Callers outside the organization keep their copies to themselves.
        own.retain(|event| stage.accounts.contains(&event.account));
        truth.extend(attacks::line_of_plot(&own));
        events.append(&mut own);
    }
    (events, truth)
}

/// Any moment that leaves an intrusion the time to end within the run.
fn moment(mint: &mut Mint, stage: &Stage) -> Time {
    let share = mint.rng.below(1_000_000) as f64 / 1e6;
    stage.moment(share).min(stage.end().plus(-7_200))
}

fn deployment(mint: &mut Mint, stage: &Stage, time: Time, events: &mut Vec<Event>) {
    let hub = Role::new(&stage.accounts[0], "gha-deploy-hub");
    let spoke = Role::new(mint.rng.pick::<String>(&stage.accounts), "deploy-spoke");
    let session = format!("deploy-{}", mint.rng.below(99_999_999));
    let issued = take(&hub, &session, time).by_workflow(
        mint,
        "repo:company/platform:ref:refs/heads/main",
        RUNNER,
    );
    let who = acting(&hub, &session, &issued.key, time, RUNNER);
    events.extend(issued.events);
    let issued = take(&spoke, &session, time.plus(3)).by(mint, &who, None);
    let who = acting(&spoke, &session, &issued.key, time.plus(3), RUNNER);
    events.extend(issued.events);
    for (n, name) in [
        "DescribeServices",
        "RegisterTaskDefinition",
        "UpdateService",
    ]
    .into_iter()
    .enumerate()
    {
        let place = (spoke.account.as_str(), REGION);
        let event = Event::new(
            mint,
            &who,
            place,
            time.plus(9 + 4 * n as i64),
            ("ecs", name),
        )
        .asks(|j| {
            j.str("cluster", "main");
        });
        events.push(event);
    }
}

fn take<'a>(role: &'a Role, session: &'a str, time: Time) -> Take<'a> {
    Take {
        role,
        session,
        region: REGION,
        time,
    }
}

/// A leaked key tries roles, gets one, opens another to an outside account, which comes in.
fn intrusion(mint: &mut Mint, stage: &Stage, time: Time, n: usize, events: &mut Vec<Event>) {
    let home = &stage.accounts[n % stage.accounts.len()];
    let target = &stage.accounts[(n + 1) % stage.accounts.len()];
    let outside = (600_000_000_000 + mint.rng.below(1_000_000_000)).to_string();
    let key = mint.rng.key("AKIA");
    let ip = format!("203.0.113.{}", 1 + n % 250);
    let agent = "aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-amd64 exe/x86_64 prompt/off";
    let leaked = Who::user(home, &format!("contractor-{n}"), &key, None).from(&ip, agent);
    let admin = Role::new(target, "support-admin");
    for (k, name) in [
        "OrganizationAccountAccessRole",
        "support-admin",
        "terraform-apply",
        "deploy-spoke",
        "etl-job",
        "backup-restore",
    ]
    .into_iter()
    .enumerate()
    {
        let role = Role::new(target, name);
        events.push(take(&role, "session", time.plus(20 * k as i64)).refused(mint, &leaked));
    }
    let grant = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;
    let user = format!("contractor-{n}");
    let request = [
        ("userName", user.as_str()),
        ("policyName", "more"),
        ("policyDocument", grant),
    ];
    events.push(iam(
        mint,
        &leaked,
        home,
        time.plus(300),
        "PutUserPolicy",
        &request,
    ));
    let issued = take(&admin, "session", time.plus(340)).by(mint, &leaked, None);
    let who = acting(&admin, "session", &issued.key, time.plus(340), (&ip, agent));
    events.extend(issued.events);
    let door = Role::new(target, &format!("backup-restore-{n}"));
    let principal = if n % 3 == 2 {
        "*".to_owned()
    } else {
        format!("arn:aws:iam::{outside}:root")
    };
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    events.push(create_role(mint, &who, &door, &trust, time.plus(700)));
    let request = [
        ("roleName", door.name.as_str()),
        ("policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ];
    events.push(iam(
        mint,
        &who,
        target,
        time.plus(760),
        "AttachRolePolicy",
        &request,
    ));
    let stranger =
        Who::foreign(&outside, &unique_id("AIDA", &outside, "ops")).from("198.51.100.23", agent);
    let issued = take(&door, "session", time.plus(1_900)).by(mint, &stranger, None);
    let who = acting(
        &door,
        "session",
        &issued.key,
        time.plus(1_900),
        ("198.51.100.23", agent),
    );
    events.extend(issued.events);
    for (k, call) in [
        ("iam", "ListRoles"),
        ("iam", "ListUsers"),
        ("s3", "ListBuckets"),
        ("secretsmanager", "ListSecrets"),
    ]
    .into_iter()
    .enumerate()
    {
        events.push(Event::new(
            mint,
            &who,
            (target, REGION),
            time.plus(2_000 + 30 * k as i64),
            call,
        ));
    }
}
