//! Thursday of the last week: a leaked key becomes a foothold in production and a way into the data
//! account. Each step is noted with the rule that must find it.

use super::super::calls::{Take, acting, create_role, iam, s3_object};
use super::super::event::{Event, Role, Who};
use super::super::kit::{Rng, Time, unique_id};
use super::people::{keller, workforce_session};
use super::{Case, DATA, HUB, OUTSIDE, PROD, Step, moment, role};

const DAY: i64 = 17;
/// Where the leaked key is used from.
const LEAK: (&str, &str) = (
    "203.0.113.77",
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-amd64 exe/x86_64.kali.2024 prompt/off command/sts.assume-role",
);
/// Where the intruder's own account works from.
const DEN: (&str, &str) = (
    "198.51.100.23",
    "Boto3/1.34.50 md/Botocore#1.34.50 ua/2.0 os/linux#6.6.9-amd64 lang/python#3.11.8",
);

fn at(hour: i64, minute: i64, second: i64) -> Time {
    moment(DAY, (hour, minute, second))
}

pub fn intrude(case: &mut Case) {
    let leaked = keller().from(LEAK.0, LEAK.1);
    let refused = sweep(case, &leaked);
    let admin = break_in(case, &leaked, refused);
    let (opened, reader) = open_a_door(case, &admin);
    let restore = come_back_from_outside(case, opened);
    leave_a_spare(case, &restore);
    reach_the_data(case, &restore, &reader);
    clean_up(case);
}

/// What a step is, apart from where its events are.
struct Note<'a> {
    number: usize,
    rule: &'static str,
    title: &'static str,
    time: Time,
    name: &'static str,
    role: &'a Role,
    account: &'static str,
}

impl Note<'_> {
    fn plant(&self, case: &mut Case, event_ids: &[String]) {
        case.planted.push(Step {
            number: self.number,
            rule: self.rule,
            title: self.title,
            time: self.time,
            name: self.name.to_owned(),
            account: self.account,
            subject: self.role.arn(),
            event_ids: event_ids.to_vec(),
        });
    }
}

fn support_admin() -> Role {
    role(PROD, "prod-support-admin")
}

fn backup_restore() -> Role {
    role(PROD, "backup-restore")
}

/// Who am I, what may I, and then every role name the leaked notes hold. Gives the id of the refusal
/// on the role that falls later.
fn sweep(case: &mut Case, leaked: &Who) -> Vec<String> {
    let place = (HUB, "us-east-1");
    case.call(leaked, place, at(1, 52, 10), ("sts", "GetCallerIdentity"));
    for (n, name) in ["ListAttachedUserPolicies", "ListUserPolicies"]
        .into_iter()
        .enumerate()
    {
        let event = iam(
            &mut case.mint,
            leaked,
            HUB,
            at(1, 52, 31 + 9 * n as i64),
            name,
            &[("userName", "m.keller")],
        );
        case.log([event]);
    }
    const TRIED: [(&str, &str); 11] = [
        (PROD, "OrganizationAccountAccessRole"),
        (DATA, "OrganizationAccountAccessRole"),
        (PROD, "prod-support-admin"),
        (PROD, "terraform-apply"),
        (DATA, "deploy-spoke"),
        (HUB, "security-breakglass"),
        (HUB, "log-archive-admin"),
        (DATA, "analytics-export"),
        (PROD, "backup-restore"),
        (HUB, "gha-deploy-hub"),
        (DATA, "warehouse-copy"),
    ];
    let (mut all, mut on_admin) = (Vec::new(), Vec::new());
    for (n, (account, name)) in TRIED.into_iter().enumerate() {
        let take = Take {
            role: &role(account, name),
            session: "m.keller",
            region: "us-east-1",
            time: at(1, 55, 2).plus(26 * n as i64),
        };
        let event = take.refused(&mut case.mint, leaked);
        let ids = case.keep("refused", [event]);
        if name == "prod-support-admin" {
            on_admin.clone_from(&ids);
        }
        all.extend(ids);
    }
    case.planted.push(Step {
        number: 3,
        rule: "assume-role-denied-sweep",
        title: "eleven roles of three accounts tried with a leaked key",
        time: at(1, 55, 2),
        name: "AssumeRole".to_owned(),
        account: HUB,
        subject: leaked.arn.clone(),
        event_ids: all,
    });
    on_admin
}

/// The user may write its own policies, so it grants itself the role that refused it.
fn break_in(case: &mut Case, leaked: &Who, mut chain: Vec<String>) -> Who {
    let grant = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{}"}}]}}"#,
        support_admin().arn()
    );
    let request = [
        ("userName", "m.keller"),
        ("policyName", "support"),
        ("policyDocument", grant.as_str()),
    ];
    let written = iam(
        &mut case.mint,
        leaked,
        HUB,
        at(2, 4, 12),
        "PutUserPolicy",
        &request,
    );
    chain.extend(case.log([written]));
    let target = support_admin();
    let take = |time| Take {
        role: &target,
        session: "m.keller",
        region: "us-east-1",
        time,
    };
    let early = take(at(2, 4, 18)).refused(&mut case.mint, leaked);
    chain.extend(case.log([early]));
    let issued = take(at(2, 4, 40)).by(&mut case.mint, leaked, None);
    let copies = case.keep("support", issued.events);
    chain.extend(copies.clone());
    let note = |rule, title| Note {
        number: 4,
        rule,
        title,
        time: at(2, 4, 40),
        name: "AssumeRole",
        role: &target,
        account: HUB,
    };
    note(
        "assume-role-denied-then-success",
        "refused, then in, after granting itself the role",
    )
    .plant(case, &chain);
    note(
        "assume-role-human-without-mfa",
        "a person's long-term key, no MFA, onto an admin role of another account",
    )
    .plant(case, &copies[..1]);
    note(
        "assume-role-first-seen-edge",
        "this user never took this role in the two weeks before",
    )
    .plant(case, &copies);
    acting(&target, "m.keller", &issued.key, at(2, 4, 40), LEAK)
}

/// Reads the roles of production, picks one that nobody watches, lets an outside account in and makes
/// it an administrator. Gives the ids of the two changes.
fn open_a_door(case: &mut Case, admin: &Who) -> (Vec<String>, Role) {
    let place = (PROD, "us-east-1");
    case.call(admin, place, at(2, 5, 2), ("sts", "GetCallerIdentity"));
    for (n, name) in [
        "ListRoles",
        "ListUsers",
        "GetAccountAuthorizationDetails",
        "ListPolicies",
    ]
    .into_iter()
    .enumerate()
    {
        case.call(
            admin,
            place,
            at(2, 6, 10).plus(38 * n as i64),
            ("iam", name),
        );
    }
    let door = backup_restore();
    let request = [("roleName", door.name.as_str())];
    let looked = iam(
        &mut case.mint,
        admin,
        PROD,
        at(2, 21, 44),
        "GetRole",
        &request,
    );
    case.keep("looked", [looked]);
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"backup.amazonaws.com"}},"Action":"sts:AssumeRole"}},{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{OUTSIDE}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let request = [("roleName", door.name.as_str()), ("policyDocument", &trust)];
    let opened = iam(
        &mut case.mint,
        admin,
        PROD,
        at(2, 24, 8),
        "UpdateAssumeRolePolicy",
        &request,
    );
    let mut ids = case.keep("opened", [opened]);
    let note = |number, rule, title, time, name| Note {
        number,
        rule,
        title,
        time,
        name,
        role: &door,
        account: PROD,
    };
    note(
        5,
        "trust-policy-untrusted-account",
        "the backup role now trusts an account nobody knows",
        at(2, 24, 8),
        "UpdateAssumeRolePolicy",
    )
    .plant(case, &ids);
    let request = [
        ("roleName", door.name.as_str()),
        ("policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ];
    let empowered = iam(
        &mut case.mint,
        admin,
        PROD,
        at(2, 25, 51),
        "AttachRolePolicy",
        &request,
    );
    let attached = case.keep("empowered", [empowered]);
    note(
        6,
        "admin-policy-attached",
        "the backup role becomes an administrator",
        at(2, 25, 51),
        "AttachRolePolicy",
    )
    .plant(case, &attached);
    ids.extend(attached);
    (ids, role(DATA, "analytics-export"))
}

/// The intruder's own account takes the role. Only the target's copy exists in the case.
fn come_back_from_outside(case: &mut Case, mut opened: Vec<String>) -> Who {
    let door = backup_restore();
    let stranger = Who::foreign(OUTSIDE, &unique_id("AIDA", OUTSIDE, "ops")).from(DEN.0, DEN.1);
    let time = at(2, 41, 17);
    let take = Take {
        role: &door,
        session: "restore-check",
        region: "us-east-1",
        time,
    };
    let issued = take.by(&mut case.mint, &stranger, None);
    let ids = case.keep("returned", issued.events);
    let note = |rule, title| Note {
        number: 7,
        rule,
        title,
        time,
        name: "AssumeRole",
        role: &door,
        account: PROD,
    };
    note(
        "assume-role-from-untrusted-account",
        "an unknown account takes the backup role",
    )
    .plant(case, &ids);
    note(
        "assume-role-third-party-without-external-id",
        "and needs no external id for it",
    )
    .plant(case, &ids);
    note(
        "assume-role-first-seen-edge",
        "a caller account never seen before",
    )
    .plant(case, &ids);
    opened.extend(ids);
    note(
        "backdoor-role-sequence",
        "re-trusted, empowered and used within 18 minutes",
    )
    .plant(case, &opened);
    acting(&door, "restore-check", &issued.key, time, DEN)
}

/// A second way in, in case the first is found: a role that anyone may take.
fn leave_a_spare(case: &mut Case, restore: &Who) {
    let place = (PROD, "us-east-1");
    case.call(restore, place, at(2, 42, 3), ("sts", "GetCallerIdentity"));
    case.call(restore, place, at(2, 43, 20), ("s3", "ListBuckets"));
    let spare = role(PROD, "metrics-relay");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    let time = at(2, 52, 33);
    let born = create_role(&mut case.mint, restore, &spare, trust, time);
    let ids = case.keep("spare", [born]);
    let note = Note {
        number: 8,
        rule: "trust-policy-public",
        title: "a spare role that every AWS account may take",
        time,
        name: "CreateRole",
        role: &spare,
        account: PROD,
    };
    note.plant(case, &ids);
    let message = format!(
        "User: {} is not authorized to perform: cloudtrail:StopLogging on resource: arn:aws:cloudtrail:us-east-1:{HUB}:trail/org-trail with an explicit deny in a service control policy",
        restore.arn
    );
    let stop = Event::new(
        &mut case.mint,
        restore,
        place,
        at(2, 55, 9),
        ("cloudtrail", "StopLogging"),
    )
    .fails("AccessDenied", &message);
    case.keep("stop-trail", [stop]);
}

/// From the door onward into the data account: a chain of roles, and a customer export copied out.
fn reach_the_data(case: &mut Case, restore: &Who, reader: &Role) {
    let time = at(3, 2, 19);
    let take = Take {
        role: reader,
        session: "restore-check",
        region: "us-east-1",
        time,
    };
    let issued = take.by(&mut case.mint, restore, None);
    let ids = case.keep("reached", issued.events);
    let note = Note {
        number: 9,
        rule: "assume-role-first-seen-edge",
        title: "the backup role reaches into the data account for the first time",
        time,
        name: "AssumeRole",
        role: reader,
        account: PROD,
    };
    note.plant(case, &ids);
    let who = acting(reader, "restore-check", &issued.key, time, DEN);
    let (place, bucket) = ((DATA, "eu-west-1"), "fernhill-customer-exports");
    let listed = Event::new(
        &mut case.mint,
        &who,
        place,
        at(3, 4, 2),
        ("s3", "ListBuckets"),
    );
    case.log([listed]);
    for n in 0..24 {
        let object = format!("2025/02/customers-{n:04}.csv.gz");
        let time = at(3, 5, 0).plus(61 * n);
        let read = s3_object(
            &mut case.mint,
            &who,
            place,
            time,
            "GetObject",
            (bucket, &object),
        );
        case.log([read]);
    }
}

/// The morning after: a responder closes the door and the key, and overlooks the spare.
fn clean_up(case: &mut Case) {
    let dana = workforce_session(case, "dana.ortiz", "PlatformEngineer", HUB, at(8, 31, 0));
    let key = Rng::named("m.keller").key("AKIA");
    let request = [
        ("userName", "m.keller"),
        ("accessKeyId", key.as_str()),
        ("status", "Inactive"),
    ];
    let stopped = iam(
        &mut case.mint,
        &dana,
        HUB,
        at(8, 36, 12),
        "UpdateAccessKey",
        &request,
    );
    case.log([stopped]);
    let dana = workforce_session(case, "dana.ortiz", "PlatformEngineer", PROD, at(8, 44, 0));
    let door = backup_restore();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"backup.amazonaws.com"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"aws:SourceAccount":"{PROD}"}}}}}}]}}"#
    );
    let revoke = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2025-03-06T08:50:00Z"}}}]}"#;
    let name = door.name.as_str();
    let steps: [(&str, &[(&str, &str)]); 3] = [
        (
            "UpdateAssumeRolePolicy",
            &[("roleName", name), ("policyDocument", &trust)],
        ),
        (
            "DetachRolePolicy",
            &[
                ("roleName", name),
                ("policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
            ],
        ),
        (
            "PutRolePolicy",
            &[
                ("roleName", name),
                ("policyName", "AWSRevokeOlderSessions"),
                ("policyDocument", revoke),
            ],
        ),
    ];
    for (n, (call, request)) in steps.into_iter().enumerate() {
        let event = iam(
            &mut case.mint,
            &dana,
            PROD,
            at(8, 48, 5).plus(53 * n as i64),
            call,
            request,
        );
        case.log([event]);
    }
}
