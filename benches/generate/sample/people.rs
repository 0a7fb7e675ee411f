//! People: the workforce directory in the console, and two IAM users left over from before it.

use super::super::calls::{Take, acting, iam, s3_object};
use super::super::event::{Event, Who};
use super::super::kit::{Rng, Time};
use super::life::{READS, home_region, refused};
use super::pipelines::spoke;
use super::{Case, DATA, HUB, PROD, moment, role};

pub const OFFICE: &str = "192.0.2.40";

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0";

const CLI: &str = "aws-cli/2.24.5 md/awscrt#0.23.8 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.9 md/pyimpl#CPython";

/// A person of the workforce directory in the console of an account.
pub fn workforce_session(
    case: &mut Case,
    person: &str,
    set: &str,
    account: &str,
    time: Time,
) -> Who {
    let (region, suffix) = (home_region(account), Rng::named(set).draw());
    let name =
        format!("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_{set}_{suffix:016x}");
    let (role, person) = (role(account, &name), format!("{person}@fernhill.example"));
    let take = Take {
        role: &role,
        session: &person,
        region,
        time,
    };
    let issued = take.by_workforce(&mut case.mint, OFFICE);
    case.log(issued.events);
    // The key in use is not the one that was issued: the console mints its own.
    let key = case.mint.rng.key("ASIA");
    let who = acting(&role, &person, &key, time, (OFFICE, BROWSER));
    let mut login = Event::new(
        &mut case.mint,
        &who,
        (account, region),
        time.plus(2),
        ("signin", "ConsoleLogin"),
    )
    .answers(|j| {
        j.str("ConsoleLogin", "Success");
    });
    login.additional = Some(r#"{"MobileVersion":"No","MFAUsed":"No"}"#.to_owned());
    login.kind = "AwsConsoleSignIn";
    case.log([login]);
    who.in_console()
}

pub fn workforce(case: &mut Case, day: i64) {
    const PEOPLE: [(&str, &str, &str); 4] = [
        ("dana.ortiz", "PlatformEngineer", HUB),
        ("sam.okafor", "Developer", PROD),
        ("li.wei", "DataAnalyst", DATA),
        ("priya.nair", "ReadOnlyAudit", PROD),
    ];
    for (n, (person, set, account)) in PEOPLE.into_iter().enumerate() {
        let start = moment(day, (8 + n as i64, 3 * day + 11 * n as i64 % 60, 5));
        let who = workforce_session(case, person, set, account, start);
        let place = (account, home_region(account));
        for k in 0..4 {
            let call = *case.mint.rng.pick(&READS);
            let time = start.plus(60 + 211 * k + case.mint.rng.below(120) as i64);
            match case.mint.rng.below(16) {
                0 => drop(refused(case, &who, place, time, call)),
                1 => {
                    let event =
                        Event::new(&mut case.mint, &who, place, time, ("s3", "GetBucketPolicy"))
                            .asks(|j| {
                                j.str("bucketName", "fernhill-static");
                            })
                            .fails("NoSuchBucketPolicy", "The bucket policy does not exist");
                    case.log([event]);
                }
                _ => drop(case.call(&who, place, time, call)),
            }
        }
        if person == "li.wei" {
            let object = ("fernhill-reports", "weekly/summary.parquet");
            let read = s3_object(
                &mut case.mint,
                &who,
                place,
                start.plus(900),
                "GetObject",
                object,
            );
            case.log([read]);
        }
    }
}

/// The key that m.keller has used from the office for years.
pub fn keller() -> Who {
    let key = Rng::named("m.keller").key("AKIA");
    Who::user(HUB, "m.keller", &key, None).from(OFFICE, CLI)
}

/// The two IAM users left over from before Identity Center, both with MFA.
pub fn users(case: &mut Case, day: i64, weekday: i64) {
    let place = (HUB, "us-east-1");
    let readonly = role(PROD, "prod-readonly");
    if weekday == 0 || weekday == 3 {
        let time = moment(day, (7, 40, 30));
        lindqvist_login(case, time);
        let who = lindqvist_session(case, time.plus(420));
        let session = spoke(case, &who, &readonly, "a.lindqvist", time.plus(600));
        for k in 0..3 {
            let call = READS[(day as usize + k) % READS.len()];
            case.call(
                &session,
                (PROD, "eu-west-1"),
                time.plus(640 + 30 * k as i64),
                call,
            );
        }
    }
    if weekday == 1 || weekday == 2 {
        let (who, time) = (keller(), moment(day, (10, 20 + weekday, 15)));
        for (n, call) in [("sts", "GetCallerIdentity"), ("s3", "ListBuckets")]
            .into_iter()
            .enumerate()
        {
            case.call(&who, place, time.plus(4 * n as i64), call);
        }
        let take = Take {
            role: &readonly,
            session: "m.keller",
            region: "us-east-1",
            time: time.plus(60),
        };
        let serial = format!("arn:aws:iam::{HUB}:mfa/m.keller");
        let issued = take.by(&mut case.mint, &who, Some(&serial));
        case.log(issued.events);
    }
}

fn lindqvist_login(case: &mut Case, time: Time) {
    let who = Who::user(HUB, "a.lindqvist", "", None).from(OFFICE, BROWSER);
    // One mistyped password a week is normal.
    for (n, result) in ["Failure", "Success"].into_iter().enumerate() {
        if n == 0 && time.date().2 % 3 != 0 {
            continue;
        }
        let mut login = Event::new(
            &mut case.mint,
            &who,
            (HUB, "us-east-1"),
            time.plus(20 * n as i64),
            ("signin", "ConsoleLogin"),
        );
        if n == 0 {
            login = login.fails("", "Failed authentication");
        }
        login = login.answers(|j| {
            j.str("ConsoleLogin", result);
        });
        let mfa = if n == 0 { "No" } else { "Yes" };
        login.additional = Some(format!(
            r#"{{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"{mfa}"}}"#
        ));
        login.kind = "AwsConsoleSignIn";
        case.log([login]);
    }
}

/// a.lindqvist trades her long-term key and a code of her MFA device for a session key.
pub fn lindqvist_session(case: &mut Case, time: Time) -> Who {
    let name = "a.lindqvist";
    let key = case.mint.rng.key("ASIA");
    let (old, token) = (Rng::named(name).key("AKIA"), case.mint.token());
    let who = Who::user(HUB, name, &old, None).from(OFFICE, CLI);
    let place = (HUB, "us-east-1");
    let mut event = Event::new(
        &mut case.mint,
        &who,
        place,
        time,
        ("sts", "GetSessionToken"),
    )
    .asks(|j| {
        j.str("serialNumber", &format!("arn:aws:iam::{HUB}:mfa/{name}"));
    })
    .answers(|j| {
        j.obj("credentials", |j| {
            j.str("accessKeyId", &key)
                .str("sessionToken", &token)
                .str("expiration", &time.plus(12 * 3_600).spoken());
        });
    });
    event.read_only = false;
    case.log([event]);
    Who::user(HUB, name, &key, Some((time, true))).from(OFFICE, CLI)
}

/// a.lindqvist replaces her own access key.
pub fn rotation(case: &mut Case) {
    let (time, name) = (moment(9, (12, 10, 0)), "a.lindqvist");
    let who = lindqvist_session(case, time.plus(-1_200));
    let (old, new) = (Rng::named(name).key("AKIA"), case.mint.rng.key("AKIA"));
    let created = iam(
        &mut case.mint,
        &who,
        HUB,
        time,
        "CreateAccessKey",
        &[("userName", name)],
    )
    .answers(|j| {
        j.obj("accessKey", |j| {
            j.str("userName", name)
                .str("accessKeyId", &new)
                .str("status", "Active")
                .str("createDate", &time.spoken());
        });
    });
    let request = [
        ("userName", name),
        ("accessKeyId", old.as_str()),
        ("status", "Inactive"),
    ];
    let stopped = iam(
        &mut case.mint,
        &who,
        HUB,
        time.plus(420),
        "UpdateAccessKey",
        &request,
    );
    let deleted = iam(
        &mut case.mint,
        &who,
        HUB,
        time.plus(600),
        "DeleteAccessKey",
        &request[..2],
    );
    case.keep("rotated", [created, stopped, deleted]);
}
