//! Friday of the last week: an exercise that two people know of. A tester begins with the credentials
//! of a web server and shows what else would have worked in the accounts as they are.

use super::super::calls::{Take, acting, create_role, iam};
use super::super::event::{Event, Role, Session, Who};
use super::super::kit::{Time, unique_id};
use super::people::lindqvist_session;
use super::{Case, DATA, HUB, PROD, moment, role};

const DAY: i64 = 18;
/// Where the tester works from.
const VAN: (&str, &str) = (
    "198.51.100.140",
    "aws-cli/2.24.10 md/awscrt#0.23.8 ua/2.0 os/linux#6.11.0 md/arch#x86_64 lang/python#3.12.9 md/pyimpl#CPython",
);
const CONSOLE: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101 Firefox/136.0";
const INSTANCE: &str = "i-07e2b6610fd8c4a91";
const CERTIFIED: &str = "https://adfs.fernhill.example/adfs/services/trust";
const USER: &str = "svc-telemetry";

fn at(hour: i64, minute: i64, second: i64) -> Time {
    moment(DAY, (hour, minute, second))
}

pub fn exercise(case: &mut Case) {
    finance_signs_in(case);
    let stolen = steal(case);
    let jump = take(
        case,
        "jump",
        &stolen,
        (&role(PROD, "ops-jump"), "work"),
        at(10, 6, 2),
    );
    let cluster = take(
        case,
        "cluster",
        &jump,
        (&role(DATA, "cluster-admin"), "work"),
        at(10, 9, 40),
    );
    lookalike(case, &stolen);
    walk_and_hold(case, &jump);
    take_over(case, &cluster);
    weaken(case, &cluster);
    guess(case, &cluster);
    forge(case, &cluster);
    share_a_key(case);
    borrow_a_workflow(case);
}

/// One change in IAM of the data account.
fn change(case: &mut Case, label: &'static str, who: &Who, time: Time, call: Change) {
    let event = iam(&mut case.mint, who, DATA, time, call.0, call.1);
    case.keep(label, [event]);
}

/// A call and its request parameters.
type Change<'a> = (&'a str, &'a [(&'a str, &'a str)]);

fn take(
    case: &mut Case,
    label: &'static str,
    who: &Who,
    (role, session): (&Role, &str),
    time: Time,
) -> Who {
    let take = Take {
        role,
        session,
        region: "us-east-1",
        time,
    };
    let issued = take.by(&mut case.mint, who, None);
    case.keep(label, issued.events);
    acting(role, session, &issued.key, time, (&who.ip, &who.agent))
}

/// The credentials of a web server, used from elsewhere.
fn steal(case: &mut Case) -> Who {
    let host = role(PROD, "web-instance");
    let time = at(9, 41, 7);
    let take = Take {
        role: &host,
        session: INSTANCE,
        region: "eu-west-1",
        time,
    };
    let issued = take.by_service(&mut case.mint, "ec2.amazonaws.com");
    case.log(issued.events);
    let session = Session {
        name: INSTANCE,
        key: Some(&issued.key),
        metadata_service: Some("1.0"),
        ..Session::default()
    };
    let stolen = Who::session(&host, time, session).from(VAN.0, VAN.1);
    for (n, call) in [("sts", "GetCallerIdentity"), ("s3", "ListBuckets")]
        .into_iter()
        .enumerate()
    {
        let event = Event::new(
            &mut case.mint,
            &stolen,
            (PROD, "us-east-1"),
            at(10, 2, 11 + 40 * n as i64),
            call,
        );
        case.keep("stolen", [event]);
    }
    stolen
}

/// The web server makes a role that looks as if AWS had made it.
fn lookalike(case: &mut Case, stolen: &Who) {
    let fake = role(PROD, "AWSServiceRoleForTelemetry");
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{PROD}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let born = create_role(&mut case.mint, stolen, &fake, &trust, at(10, 15, 30));
    case.keep("lookalike", [born]);
}

/// Ten readers within nine minutes, and two of them in turns for the rest of the day.
fn walk_and_hold(case: &mut Case, jump: &Who) {
    let mut last = jump.clone();
    for n in 1..=10 {
        let reader = role(PROD, &format!("tenant-{n:02}-reader"));
        let session = take(
            case,
            TENANTS[n as usize - 1],
            jump,
            (&reader, "work"),
            at(10, 20, 3).plus(52 * n),
        );
        if n == 1 {
            last = session;
        }
    }
    for n in 1..7 {
        let reader = role(
            PROD,
            ["tenant-01-reader", "tenant-02-reader"][n as usize % 2],
        );
        last = take(
            case,
            HELD[n as usize % 2],
            &last,
            (&reader, "work"),
            at(10, 21, 0).plus(50 * 60 * n),
        );
    }
}

/// Labels of the ten readers taken one after another, and of the two kept alive.
const TENANTS: [&str; 10] = [
    "tenant-01",
    "tenant-02",
    "tenant-03",
    "tenant-04",
    "tenant-05",
    "tenant-06",
    "tenant-07",
    "tenant-08",
    "tenant-09",
    "tenant-10",
];
const HELD: [&str; 2] = ["held-01", "held-02"];

/// A new user with a key, whose federation token outlives whatever happens to the key.
fn take_over(case: &mut Case, cluster: &Who) {
    let (time, key) = (at(10, 31, 12), case.mint.rng.key("AKIA"));
    let request = [("userName", USER)];
    let user = iam(&mut case.mint, cluster, DATA, time, "CreateUser", &request).answers(|j| {
        j.obj("user", |j| {
            j.str("path", "/")
                .str("userName", USER)
                .str("userId", &unique_id("AIDA", DATA, USER))
                .str("arn", &format!("arn:aws:iam::{DATA}:user/{USER}"))
                .str("createDate", &time.spoken());
        });
    });
    case.keep("new-user", [user]);
    let time = at(10, 31, 50);
    let issued = iam(
        &mut case.mint,
        cluster,
        DATA,
        time,
        "CreateAccessKey",
        &request,
    )
    .answers(|j| {
        j.obj("accessKey", |j| {
            j.str("userName", USER)
                .str("accessKeyId", &key)
                .str("status", "Active")
                .str("createDate", &time.spoken());
        });
    });
    case.keep("new-key", [issued]);
    let telemetry = Who::user(DATA, USER, &key, None).from(VAN.0, VAN.1);
    let (session, token, time) = (case.mint.rng.key("ASIA"), case.mint.token(), at(10, 44, 0));
    let mut event = Event::new(
        &mut case.mint,
        &telemetry,
        (DATA, "us-east-1"),
        time,
        ("sts", "GetFederationToken"),
    )
    .asks(|j| {
        j.str("name", "relay")
            .str(
                "policy",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            )
            .raw("durationSeconds", "129600");
    })
    .answers(|j| {
        j.obj("credentials", |j| {
            j.str("accessKeyId", &session)
                .str("sessionToken", &token)
                .str("expiration", &time.plus(129_600).spoken());
        });
        j.obj("federatedUser", |j| {
            j.str("federatedUserId", &format!("{DATA}:relay"))
                .str("arn", &format!("arn:aws:sts::{DATA}:federated-user/relay"));
        })
        .raw("packedPolicySize", "4");
    });
    event.read_only = false;
    case.keep("federation", [event]);
    let guest = Who::federated_session((DATA, USER), "relay", &session, time).from(VAN.0, CONSOLE);
    let mut login = Event::new(
        &mut case.mint,
        &guest,
        (DATA, "us-east-1"),
        at(10, 47, 30),
        ("signin", "ConsoleLogin"),
    )
    .answers(|j| {
        j.str("ConsoleLogin", "Success");
    });
    login.additional = Some(r#"{"MobileVersion":"No","MFAUsed":"No"}"#.to_owned());
    login.kind = "AwsConsoleSignIn";
    case.keep("federation-login", [login]);
}

/// What holds a role or an account back, taken away.
fn weaken(case: &mut Case, cluster: &Who) {
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let steps: [(&str, Time, Change); 3] = [
        (
            "inline",
            at(10, 52, 4),
            (
                "PutRolePolicy",
                &[
                    ("roleName", "ingest-scratch"),
                    ("policyName", "work"),
                    ("policyDocument", everything),
                ],
            ),
        ),
        (
            "boundary",
            at(10, 53, 20),
            (
                "DeleteRolePermissionsBoundary",
                &[("roleName", "report-tenant")],
            ),
        ),
        (
            "passwords",
            at(10, 55, 41),
            ("DeleteAccountPasswordPolicy", &[]),
        ),
    ];
    for (label, time, call) in steps {
        change(case, label, cluster, time, call);
    }
    // Blanks beyond what CloudTrail keeps hide the document.
    let mut padded = iam(
        &mut case.mint,
        cluster,
        DATA,
        at(10, 57, 2),
        "PutRolePolicy",
        &[],
    );
    padded.request = Some(
        r#"{"reason":"requestParameters too large","omitted":true,"originalSize":104861}"#
            .to_owned(),
    );
    case.keep("omitted", [padded]);
    let admin = role(DATA, "cluster-admin").arn();
    let function = Event::new(
        &mut case.mint,
        cluster,
        (DATA, "eu-west-1"),
        at(10, 59, 33),
        ("lambda", "CreateFunction20150331"),
    )
    .asks(|j| {
        j.str("functionName", "telemetry-relay")
            .str("runtime", "python3.12")
            .str("role", &admin)
            .str("handler", "main.handler")
            .obj("code", |_| ());
    })
    .answers(|j| {
        j.str("functionName", "telemetry-relay")
            .str("role", &admin)
            .str("state", "Pending");
    });
    case.keep("function", [function]);
}

/// Names of the intruder's account, tried out as principals: only those that exist are accepted.
fn guess(case: &mut Case, cluster: &Who) {
    const NAMES: [&str; 10] = [
        "admin", "ops", "root", "deploy", "backup", "ci", "jenkins", "audit", "support", "dev",
    ];
    for (n, name) in NAMES.into_iter().enumerate() {
        let principal = format!("arn:aws:iam::{HUB}:user/{name}");
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let request = [
            ("roleName", "ingest-scratch"),
            ("policyDocument", trust.as_str()),
        ];
        let event = iam(
            &mut case.mint,
            cluster,
            DATA,
            at(11, 12, 0).plus(31 * n as i64),
            "UpdateAssumeRolePolicy",
            &request,
        )
        .fails(
            "MalformedPolicyDocumentException",
            &format!("Invalid principal in policy: \"AWS\":\"{principal}\""),
        );
        case.keep("guessed", [event]);
    }
}

/// Somebody of the finance team, through the old identity provider.
fn assertion(case: &mut Case, label: &'static str, time: Time, from: (&str, &str)) {
    let person = "f.moreau@fernhill.example";
    let finance = role(DATA, "legacy-finance");
    let take = Take {
        role: &finance,
        session: person,
        region: "us-east-1",
        time,
    };
    let issued = take.by_assertion(&mut case.mint, "fernhill-adfs", (CERTIFIED, person), from);
    case.keep(label, issued.events);
    let who = acting(&finance, person, &issued.key, time, from);
    case.call(
        &who,
        (DATA, "eu-west-1"),
        time.plus(50),
        ("athena", "ListWorkGroups"),
    );
}

/// As on every Monday, Wednesday and Friday.
fn finance_signs_in(case: &mut Case) {
    for day in 0..DAY {
        if [0, 2, 4].contains(&(day % 7)) {
            let time = moment(day, (8, 15 + day, 20));
            assertion(case, "finance", time, (super::people::OFFICE, CONSOLE));
        }
    }
}

/// The provider's certificate is exchanged, and then it vouches for whom the tester likes.
fn forge(case: &mut Case, cluster: &Who) {
    let arn = format!("arn:aws:iam::{DATA}:saml-provider/fernhill-adfs");
    let request = [
        ("sAMLProviderArn", arn.as_str()),
        ("sAMLMetadataDocument", "HIDDEN_DUE_TO_SECURITY_REASONS"),
    ];
    let call = ("UpdateSAMLProvider", request.as_slice());
    change(case, "provider", cluster, at(11, 31, 6), call);
    assertion(case, "forged", at(11, 48, 52), (VAN.0, CONSOLE));
}

/// The key of a session on a colleague's machine, used from both places.
fn share_a_key(case: &mut Case) {
    let time = at(13, 20, 0);
    let who = lindqvist_session(case, time);
    let readonly = role(PROD, "prod-readonly");
    let target = (&readonly, "a.lindqvist");
    let own = take(case, "shared-take", &who, target, time.plus(90));
    let copied = own.clone().from(VAN.0, VAN.1);
    for (who, seconds) in [(&own, 140), (&copied, 420), (&copied, 470), (&own, 660)] {
        let event = Event::new(
            &mut case.mint,
            who,
            (PROD, "eu-west-1"),
            time.plus(seconds),
            ("s3", "ListBuckets"),
        );
        case.keep("shared", [event]);
    }
}

/// The mistake of Wednesday: a repository of nobody at Fernhill enters.
fn borrow_a_workflow(case: &mut Case) {
    let (time, publisher) = (at(14, 5, 9), role(HUB, "gha-docs-publisher"));
    let session = "GitHubActions";
    let take = Take {
        role: &publisher,
        session,
        region: "us-east-1",
        time,
    };
    let from = (VAN.0, super::pipelines::ACTION);
    let subject = "repo:larkspur-labs/proof:ref:refs/heads/main";
    let issued = take.by_workflow(&mut case.mint, subject, from);
    case.keep("foreign", issued.events);
    let who = acting(&publisher, session, &issued.key, time, from);
    case.call(
        &who,
        (HUB, "us-east-1"),
        time.plus(12),
        ("sts", "GetCallerIdentity"),
    );
}
