//! Ordinary days at Fernhill: services taking their roles, the nightly inventory, and in their own
//! files the pipelines and the people.
//!
//! Everything here recurs in the first two weeks, so that nothing of it is new in the third; and
//! addresses are of documentation, benchmark or private networks.

use super::super::calls::{Take, acting};
use super::super::event::{Event, Session, Who};
use super::super::kit::{Rng, Time};
use super::people::{rotation, users, workforce};
use super::pipelines::{deploy, nightly_report, spoke, terraform};
use super::{Case, DATA, DAYS, HUB, PROD, STORY_DAY, moment, role};

const WORKLOAD: &str =
    "Boto3/1.36.20 md/Botocore#1.36.20 ua/2.0 os/linux#6.1.127 lang/python#3.12.8";

/// Where an account mainly works.
pub fn home_region(account: &str) -> &'static str {
    if account == HUB {
        "us-east-1"
    } else {
        "eu-west-1"
    }
}

/// A role that a service takes by itself, hour after hour, and what its sessions then call.
struct Beat {
    account: &'static str,
    service: &'static str,
    role: &'static str,
    session: &'static str,
    then: (&'static str, &'static str),
}

const fn beat(
    account: &'static str,
    service: &'static str,
    role: &'static str,
    session: &'static str,
    then: (&'static str, &'static str),
) -> Beat {
    Beat {
        account,
        service,
        role,
        session,
        then,
    }
}

const CONFIG_ROLE: &str = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";

const BEATS: [Beat; 12] = [
    beat(
        HUB,
        "lambda.amazonaws.com",
        "service-role/log-forwarder",
        "log-forwarder",
        ("kms", "Decrypt"),
    ),
    beat(
        HUB,
        "config.amazonaws.com",
        CONFIG_ROLE,
        "AWSConfig-Describe",
        ("ec2", "DescribeSecurityGroups"),
    ),
    beat(
        HUB,
        "ec2.amazonaws.com",
        "bastion-instance",
        "i-0c41d9aa07be21f35",
        ("ssm", "UpdateInstanceInformation"),
    ),
    beat(
        HUB,
        "lambda.amazonaws.com",
        "service-role/cost-digest",
        "cost-digest",
        ("ce", "GetCostAndUsage"),
    ),
    beat(
        PROD,
        "ec2.amazonaws.com",
        "web-instance",
        "i-07e2b6610fd8c4a91",
        ("secretsmanager", "GetSecretValue"),
    ),
    beat(
        PROD,
        "lambda.amazonaws.com",
        "service-role/order-api",
        "order-api",
        ("dynamodb", "DescribeTable"),
    ),
    beat(
        PROD,
        "ecs-tasks.amazonaws.com",
        "order-worker",
        "4e1d0b7c2f9a4d6b8c3e5f7a9b1d2c3e",
        ("kms", "GenerateDataKey"),
    ),
    beat(
        PROD,
        "ec2.amazonaws.com",
        "web-instance",
        "i-0bb3f5d81c29e7a40",
        ("ssm", "UpdateInstanceInformation"),
    ),
    beat(
        PROD,
        "lambda.amazonaws.com",
        "service-role/mail-sender",
        "mail-sender",
        ("kms", "Decrypt"),
    ),
    beat(
        DATA,
        "glue.amazonaws.com",
        "service-role/glue-etl",
        "GlueJobRunnerSession",
        ("glue", "GetTable"),
    ),
    beat(
        DATA,
        "lambda.amazonaws.com",
        "service-role/ingest-events",
        "ingest-events",
        ("kms", "Decrypt"),
    ),
    beat(
        DATA,
        "redshift.amazonaws.com",
        "warehouse-copy",
        "RedshiftIamRoleSession",
        ("glue", "GetDatabase"),
    ),
];

pub const READS: [(&str, &str); 12] = [
    ("ec2", "DescribeInstances"),
    ("ec2", "DescribeVpcs"),
    ("s3", "ListBuckets"),
    ("logs", "DescribeLogGroups"),
    ("monitoring", "DescribeAlarms"),
    ("lambda", "ListFunctions20150331"),
    ("ecs", "ListClusters"),
    ("rds", "DescribeDBInstances"),
    ("cloudformation", "DescribeStacks"),
    ("dynamodb", "ListTables"),
    ("kms", "ListAliases"),
    ("tagging", "GetResources"),
];

pub fn live(case: &mut Case) {
    for day in 0..DAYS {
        services(case, day);
        inventory(case, day);
        nightly_report(case, moment(day, (3, 30, 12)));
        let weekday = day % 7;
        if weekday < 5 {
            for hour in [9, 11, 15] {
                deploy(case, moment(day, (hour, 5 * weekday, 10)), hour != 11);
            }
            workforce(case, day);
            users(case, day, weekday);
        }
        if weekday == 1 {
            terraform(case, day);
        }
    }
    rotation(case);
}

fn services(case: &mut Case, day: i64) {
    for account in [HUB, PROD, DATA] {
        let beats: Vec<&Beat> = BEATS.iter().filter(|b| b.account == account).collect();
        let pace = if day < STORY_DAY { 2 } else { 1 };
        for hour in (0..24).step_by(pace) {
            let beat = beats[(day * 5 + hour) as usize % beats.len()];
            let minute = case.mint.rng.below(55) as i64;
            take_beat(
                case,
                beat,
                moment(day, (hour, minute, 7 * minute % 60)),
                (hour / 2) % 2 == 0,
            );
        }
    }
    let backup = role(PROD, "backup-restore");
    let take = Take {
        role: &backup,
        session: "AWSBackup-AWSBackupDefault",
        region: "eu-west-1",
        time: moment(day, (5, 0, 4)),
    };
    let issued = take.by_service(&mut case.mint, "backup.amazonaws.com");
    case.log(issued.events);
}

fn take_beat(case: &mut Case, beat: &Beat, time: Time, and_work: bool) {
    let (role, region) = (role(beat.account, beat.role), home_region(beat.account));
    let take = Take {
        role: &role,
        session: beat.session,
        region,
        time,
    };
    let issued = take.by_service(&mut case.mint, beat.service);
    case.log(issued.events);
    if !and_work {
        return;
    }
    let linked = role.path.starts_with("/aws-service-role/");
    let session = Session {
        name: beat.session,
        key: (!linked).then_some(issued.key.as_str()),
        invoked_by: linked.then_some(beat.service),
        metadata_service: (beat.service == "ec2.amazonaws.com").then_some("2.0"),
        ..Session::default()
    };
    let mut who = Who::session(&role, time, session);
    if !linked {
        // Workloads reach AWS through endpoints of their own network.
        who = who.from(
            &format!("10.20.{}.{}", beat.session.len() % 8, 11 + role.name.len()),
            WORKLOAD,
        );
    }
    let event = Event::new(
        &mut case.mint,
        &who,
        (beat.account, region),
        time.plus(41),
        beat.then,
    );
    let event = match beat.then.1 {
        "Decrypt" | "GenerateDataKey" => {
            let key = Rng::named(beat.role).uuid();
            let arn = format!("arn:aws:kms:{region}:{}:key/{key}", beat.account);
            event
                .asks(|j| {
                    j.str("encryptionAlgorithm", "SYMMETRIC_DEFAULT")
                        .str("keyId", &arn);
                })
                .on("AWS::KMS::Key", &arn)
        }
        "GetSecretValue" => event.asks(|j| {
            j.str("secretId", "prod/web/database");
        }),
        _ => event,
    };
    case.log([event]);
}

/// The account inventory walks all accounts every night with a reader role in each; the data account
/// never let it see its lake settings.
fn inventory(case: &mut Case, day: i64) {
    let runner = role(HUB, "service-role/inventory-runner");
    let time = moment(day, (4, 10, 2));
    let take = Take {
        role: &runner,
        session: "inventory-runner",
        region: "us-east-1",
        time,
    };
    let issued = take.by_service(&mut case.mint, "lambda.amazonaws.com");
    case.log(issued.events);
    let from = ("10.20.4.31", WORKLOAD);
    let who = acting(&runner, "inventory-runner", &issued.key, time, from);
    for (n, account) in [HUB, PROD, DATA].into_iter().enumerate() {
        let time = time.plus(30 + 60 * n as i64);
        let reader = role(account, "inventory-reader");
        let session = spoke(case, &who, &reader, "inventory", time);
        let place = (account, home_region(account));
        for k in 0..2 {
            let read = READS[(day as usize + n * 5 + k * 3) % READS.len()];
            case.call(&session, place, time.plus(3 + k as i64), read);
        }
        if account == DATA {
            let call = ("lakeformation", "GetDataLakeSettings");
            refused(case, &session, place, time.plus(6), call);
        }
    }
}

/// A refusal for want of an identity policy, in the words of most services.
pub fn refused(
    case: &mut Case,
    who: &Who,
    place: (&str, &str),
    time: Time,
    call: (&str, &str),
) -> Vec<String> {
    let action = format!("{}:{}", call.0, call.1);
    let message = format!(
        "User: {} is not authorized to perform: {action} because no identity-based policy allows the {action} action",
        who.arn
    );
    let event =
        Event::new(&mut case.mint, who, place, time, call).fails("AccessDeniedException", &message);
    case.log([event])
}
