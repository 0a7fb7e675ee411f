//! Stories of sessions, over records made for it: every kind of handle, what was done, and how much
//! of it is told.

use serde_json::{Value, json};
use spoor::app;
use spoor::config::Lists;
use spoor::detections::RuleSet;
use spoor::engine::{Engine, EngineOptions};
use spoor::ingest::records_to_batch;
use spoor::lineage::story::{Act, ActKind, HandleKind, Trace, TracedSession};
use spoor::trace::{Handle, TraceLimits, trace};

use crate::scratch::{Scratch, envelope};

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";
const USER_KEY: &str = "AKIAUSERANNEXAMPLE01";
const ADMIN_KEY: &str = "ASIAADMINEXAMPLE0001";
const BACKUP_KEY: &str = "ASIABACKUPEXAMPLE001";
const LONE_KEY: &str = "ASIALONEEXAMPLE00001";
const STOPPED: &str = "00000000-0000-4000-8000-000000000009";

/// A record of the minute, with what else it has.
fn record(minute: u32, account: &str, call: (&str, &str), who: Value, more: Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.11", "awsRegion": "us-east-1", "eventCategory": "Management",
        "eventID": format!("00000000-0000-4000-8000-{minute:012}"),
        "requestID": format!("10000000-0000-4000-8000-{minute:012}"),
        "eventTime": format!("2025-03-06T02:{minute:02}:00Z"), "eventType": "AwsApiCall",
        "eventSource": format!("{}.amazonaws.com", call.0), "eventName": call.1,
        "readOnly": false, "sourceIPAddress": "203.0.113.77", "userAgent": "aws-cli/2.13.0",
        "recipientAccountId": account, "userIdentity": who,
    });
    for (name, value) in more.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

fn user() -> Value {
    json!({
        "type": "IAMUser", "principalId": "AIDAUSERANNEXAMPLE01", "userName": "ann",
        "arn": format!("arn:aws:iam::{OWN}:user/ann"), "accountId": OWN, "accessKeyId": USER_KEY,
    })
}

fn session(account: &str, role: &str, name: &str, key: &str, minute: u32) -> Value {
    let id = role_id(role);
    json!({
        "type": "AssumedRole", "principalId": format!("{id}:{name}"), "accountId": account,
        "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"), "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": id, "accountId": account, "userName": role,
                "arn": format!("arn:aws:iam::{account}:role/{role}"),
            },
            "attributes": {
                "creationDate": format!("2025-03-06T02:{minute:02}:00Z"),
                "mfaAuthenticated": "false",
            },
        },
    })
}

fn role_id(role: &str) -> String {
    format!("AROA{:X<16}", role.to_uppercase())
}

fn assume(minute: u32, who: Value, account: &str, role: &str, name: &str, key: &str) -> Value {
    let more = json!({
        "readOnly": true,
        "requestParameters": {
            "roleArn": format!("arn:aws:iam::{account}:role/{role}"), "roleSessionName": name,
        },
        "responseElements": {
            "credentials": {"accessKeyId": key, "expiration": "Mar 6, 2025, 5:00:00 AM"},
            "assumedRoleUser": {
                "assumedRoleId": format!("{}:{name}", role_id(role)),
                "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
            },
        },
    });
    record(minute, account, ("sts", "AssumeRole"), who, more)
}

/// A user takes a role, makes a user in it, is refused, reads, and goes on to a second role, in which
/// a trail is stopped. Another session of the first role comes from nowhere.
fn records() -> Vec<Value> {
    let admin = || session(OTHER, "admin", "ann", ADMIN_KEY, 1);
    let backup = session(OTHER, "backup", "ann", BACKUP_KEY, 8);
    let lone = session(OTHER, "admin", "eve", LONE_KEY, 20);
    let elsewhere = "198.51.100.9";
    let mut records = vec![
        assume(1, user(), OTHER, "admin", "ann", ADMIN_KEY),
        record(
            2,
            OTHER,
            ("iam", "CreateUser"),
            admin(),
            json!({"requestParameters": {"userName": "door"}}),
        ),
        assume(8, admin(), OTHER, "backup", "ann", BACKUP_KEY),
        record(
            9,
            OTHER,
            ("cloudtrail", "StopLogging"),
            backup,
            json!({"requestParameters": {"name": "main"}}),
        ),
        record(
            21,
            OTHER,
            ("ec2", "DescribeVpcs"),
            lone,
            json!({"readOnly": true, "sourceIPAddress": elsewhere}),
        ),
    ];
    records.extend([3, 4].map(|minute| {
        let refused = json!({"errorCode": "AccessDenied", "errorMessage": "no"});
        record(
            minute,
            OTHER,
            ("iam", "CreateLoginProfile"),
            admin(),
            refused,
        )
    }));
    records.extend([5, 6].map(|minute| {
        let read = json!({
            "readOnly": true, "sourceIPAddress": elsewhere,
            "requestParameters": {"secretId": format!("prod/{minute}")},
        });
        record(
            minute,
            OTHER,
            ("secretsmanager", "GetSecretValue"),
            admin(),
            read,
        )
    }));
    records
}

async fn engine(records: &[Value]) -> Engine {
    let text = serde_json::to_vec(records).unwrap();
    let batch = records_to_batch("case.json", &text).unwrap();
    let options = EngineOptions::default();
    Engine::over_batches(vec![batch], options).await.unwrap()
}

async fn story(engine: &Engine, handle: &str, max_sessions: usize) -> Trace {
    let handle = Handle::Text(handle.to_owned());
    let limits = TraceLimits { max_sessions };
    trace(engine, &handle, limits).await.unwrap()
}

/// The ids of the sessions; those that were asked for end with a sign.
fn ids(story: &Trace) -> Vec<String> {
    let sessions = story.sessions.iter();
    let id = |session: &TracedSession| {
        let sign = if session.is_asked { "!" } else { "" };
        format!("{}{sign}", session.session_id)
    };
    sessions.map(id).collect()
}

/// Kind, call, times, and what it was about.
fn told(act: &Act) -> (ActKind, String, u64, Vec<&str>) {
    let resources = act.resources.shown.iter();
    (
        act.kind,
        act.call(),
        act.count,
        resources.map(String::as_str).collect(),
    )
}

#[tokio::test]
async fn every_kind_of_handle_names_its_sessions() {
    let engine = engine(&records()).await;
    let (user, admin, backup, lone) = (USER_KEY, ADMIN_KEY, BACKUP_KEY, LONE_KEY);
    let marked = |id: &str| format!("{id}!");
    let chain = [user.to_owned(), marked(admin), backup.to_owned()];
    let whole = [marked(user), admin.to_owned(), backup.to_owned()];
    let handles: [(&str, HandleKind, &[String]); 11] = [
        (admin, HandleKind::AccessKey, &chain),
        (user, HandleKind::AccessKey, &whole),
        (
            "arn:aws:iam::111122223333:user/ann",
            HandleKind::UserArn,
            &whole,
        ),
        ("AIDAUSERANNEXAMPLE01", HandleKind::PrincipalId, &whole),
        (
            "arn:aws:sts::444455556666:assumed-role/admin/ann",
            HandleKind::SessionArn,
            &chain,
        ),
        ("AROAADMINXXXXXXXXXXX:ann", HandleKind::PrincipalId, &chain),
        // The user's own call, and one in the role.
        (
            "00000000-0000-4000-8000-000000000001",
            HandleKind::EventId,
            &whole,
        ),
        (
            "00000000-0000-4000-8000-000000000003",
            HandleKind::EventId,
            &chain,
        ),
        (
            "backup",
            HandleKind::Name,
            &[user.to_owned(), admin.to_owned(), marked(backup)],
        ),
        (
            "203.0.113.0/24",
            HandleKind::Network,
            &[marked(user), marked(admin), marked(backup)],
        ),
        ("unseen:ASIALONEEXAMPLE00001", HandleKind::SessionId, &[]),
    ];
    for (handle, kind, expected) in handles {
        let story = story(&engine, handle, 200).await;
        assert_eq!(story.kind, Some(kind), "{handle}");
        if !expected.is_empty() {
            assert_eq!(ids(&story), expected, "{handle}");
        }
    }
    // One that names sessions of several roots.
    for handle in ["arn:aws:iam::444455556666:role/admin", "198.51.100.9"] {
        let story = story(&engine, handle, 200).await;
        let ids = ids(&story);
        assert_eq!(story.n_named, 2, "{handle}");
        assert_eq!(ids[..3], chain, "{handle}");
        assert_eq!(ids.last(), Some(&marked(lone)), "{handle}");
        // Nobody saw who issued the last.
        assert_eq!(story.notes.len(), 1, "{:?}", story.notes);
        assert!(story.notes[0].starts_with("an issuer is not in the evidence"));
    }
}

#[tokio::test]
async fn a_story_tells_whence_and_what() {
    let engine = engine(&records()).await;
    let story = story(&engine, "00000000-0000-4000-8000-000000000002", 200).await;
    let [user, admin, backup] = story.sessions.as_slice() else {
        panic!("{story:#?}");
    };
    assert_eq!((user.depth, user.parent, user.is_within), (0, None, false));
    assert_eq!(user.root_kind.as_deref(), Some("iam-user-key"));
    assert_eq!(
        (admin.depth, admin.parent, admin.is_within),
        (1, Some(0), true)
    );
    assert_eq!(
        (backup.depth, backup.parent, backup.is_within),
        (2, Some(1), true)
    );
    assert_eq!(admin.link.as_deref(), Some("issued-key"));
    assert_eq!(admin.confidence.as_deref(), Some("certain"));
    let issue = admin.issue.as_ref().unwrap();
    assert_eq!(issue.event_name, "AssumeRole");
    assert_eq!(issue.time.as_deref(), Some("2025-03-06T02:01:00Z"));
    assert_eq!((admin.n_events, admin.n_denied), (6, 2));
    assert_eq!(admin.addresses.shown, ["203.0.113.77", "198.51.100.9"]);
    assert_eq!(admin.agents.shown, ["aws-cli/2.13.0"]);
    let acts: Vec<_> = admin.acts.shown.iter().map(told).collect();
    let (role, door) = (
        "arn:aws:iam::444455556666:role/backup",
        "arn:aws:iam::444455556666:user/door",
    );
    assert_eq!(
        acts,
        [
            (
                ActKind::Denied,
                "iam:CreateLoginProfile".to_owned(),
                2,
                vec![]
            ),
            (ActKind::Write, "iam:CreateUser".to_owned(), 1, vec![door]),
            (
                ActKind::Read,
                "secretsmanager:GetSecretValue".to_owned(),
                2,
                vec!["prod/5", "prod/6"]
            ),
            (ActKind::Read, "sts:AssumeRole".to_owned(), 1, vec![role]),
        ]
    );
    // The event that was asked for is marked, and no other.
    let asked: Vec<bool> = admin.acts.shown.iter().map(|act| act.is_asked).collect();
    assert_eq!(asked, [false, true, false, false]);
    assert_eq!(
        admin.acts.shown[0].error_code.as_deref(),
        Some("AccessDenied")
    );
}

#[tokio::test]
async fn the_reach_is_of_what_was_asked_and_what_came_of_it() {
    let engine = engine(&records()).await;
    let reach = story(&engine, ADMIN_KEY, 1).await.blast;
    // Though one session is told, the engine counts all.
    assert_eq!(
        (reach.n_sessions, reach.n_events, reach.n_denied),
        (2, 7, 2)
    );
    assert_eq!(reach.first_time.as_deref(), Some("2025-03-06T02:02:00Z"));
    assert_eq!(reach.last_time.as_deref(), Some("2025-03-06T02:09:00Z"));
    assert_eq!(reach.accounts.shown, [OTHER]);
    assert_eq!(reach.roles.n_all, 2);
    assert_eq!(reach.addresses.n_all, 2);
    let [made] = reach.persistence.shown.as_slice() else {
        panic!("{:?}", reach.persistence);
    };
    assert_eq!(
        (made.call().as_str(), made.session_id.as_deref()),
        ("iam:CreateUser", Some(ADMIN_KEY))
    );
    let written: Vec<String> = reach.written.shown.iter().map(|deed| deed.call()).collect();
    assert_eq!(written, ["cloudtrail:StopLogging"]);
    let read = reach.read.shown.iter().map(|deed| deed.subject.as_deref());
    assert_eq!(read.collect::<Vec<_>>(), [Some("prod/5"), Some("prod/6")]);
}

#[tokio::test]
async fn of_many_sessions_those_that_did_something_are_told() {
    let mut records = vec![assume(0, user(), OTHER, "hub", "h", "ASIAHUBEXAMPLE000001")];
    for n in 1..=30 {
        let hub = session(OTHER, "hub", "h", "ASIAHUBEXAMPLE000001", 0);
        let (name, key) = (format!("s{n}"), format!("ASIASPOKEEXAMPLE{n:04}"));
        records.push(assume(n, hub, OTHER, "spoke", &name, &key));
        let spoke = session(OTHER, "spoke", &name, &key, n);
        let more = match n {
            12 => json!({"errorCode": "AccessDenied", "eventID": "denied"}),
            25 => json!({"eventID": "written"}),
            _ => json!({"readOnly": true, "eventID": format!("read{n}")}),
        };
        records.push(record(n, OTHER, ("s3", "PutBucketAcl"), spoke, more));
    }
    let engine = engine(&records).await;
    let check = |story: &Trace, expected: &[&str], n_left_out: u64, hub: usize| {
        assert_eq!(ids(story), expected);
        assert_eq!(story.sessions[hub].n_left_out, n_left_out);
        assert_eq!(story.sessions[hub].n_aside, 0);
        assert_eq!(story.n_shown() + story.n_left_out(), story.n_sessions);
    };
    let (hub, denied, written) = (
        "ASIAHUBEXAMPLE000001",
        "ASIASPOKEEXAMPLE0012",
        "ASIASPOKEEXAMPLE0025",
    );
    let marked = format!("{hub}!");
    let told = story(&engine, hub, 4).await;
    assert_eq!((told.n_named, told.n_sessions), (1, 31));
    check(&told, &[USER_KEY, &marked, denied, written], 28, 1);
    // What was asked for goes before its own children, and the way up counts.
    let told = story(&engine, hub, 1).await;
    check(&told, &[USER_KEY, &marked], 30, 1);
    // A role of thirty sessions: the others are missing below who made them.
    let told = story(&engine, "arn:aws:iam::444455556666:role/spoke", 4).await;
    assert_eq!((told.n_named, told.n_sessions), (30, 30));
    let (denied, written) = (format!("{denied}!"), format!("{written}!"));
    check(&told, &[USER_KEY, hub, &denied, &written], 28, 1);
    // Who made only what was not asked for made it aside.
    let told = story(&engine, "ASIASPOKEEXAMPLE0012", 200).await;
    assert_eq!(ids(&told), [USER_KEY, hub, &denied]);
    assert_eq!(
        (told.sessions[1].n_left_out, told.sessions[1].n_aside),
        (0, 29)
    );
}

#[tokio::test]
async fn what_names_nothing_is_told_with_what_was_meant() {
    let engine = engine(&records()).await;
    for (handle, message, hint) in [
        (
            "AKIAUSERANNEXAMPLE99",
            "no session has the access key `AKIAUSERANNEXAMPLE99`",
            USER_KEY,
        ),
        ("bakup", "is called `bakup`", "did you mean `backup`?"),
        (
            "arn:aws:iam::444455556666:role/admins",
            "no session is of the role",
            "role/admin`?",
        ),
        (
            "192.0.2.1",
            "no session was used from the address `192.0.2.1`",
            "a handle is",
        ),
        ("' OR true --", "is called `' OR true --`", "a handle is"),
        ("", "is called ``", "a handle is"),
    ] {
        let asked = Handle::Text(handle.to_owned());
        let error = trace(&engine, &asked, TraceLimits::default())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(
            error.hint().is_some_and(|text| text.contains(hint)),
            "{:?}",
            error.hint()
        );
    }
}

#[tokio::test]
async fn a_finding_leads_to_its_sessions() {
    let engine = engine(&records()).await;
    let mut rules = RuleSet::bundled().unwrap();
    rules
        .rules
        .retain(|rule| rule.id.as_str() == "cloudtrail-impaired");
    let lists = Lists::default();
    let report = spoor::detections::runner::detect(&engine, &rules, &lists)
        .await
        .unwrap();
    let [finding] = report.findings.as_slice() else {
        panic!("{:?}", report.findings);
    };
    let limits = TraceLimits::default();
    let story = app::trace(&engine, &rules, &lists, &finding.id, limits)
        .await
        .unwrap();
    assert_eq!(story.kind, Some(HandleKind::Finding));
    assert_eq!(
        ids(&story),
        [USER_KEY, ADMIN_KEY, &format!("{BACKUP_KEY}!")]
    );
    let asked = story.sessions[2].acts.shown.iter().find(|act| act.is_asked);
    assert_eq!(
        asked.map(|act| act.event_ids.as_slice()),
        Some([STOPPED.to_owned()].as_slice())
    );
    let error = app::trace(&engine, &rules, &lists, "0123456789abcdef", limits).await;
    assert!(
        error
            .unwrap_err()
            .hint()
            .is_some_and(|hint| hint.contains("no finding"))
    );
}

#[test]
fn the_command_writes_every_format() {
    let scratch = Scratch::new();
    let records: Vec<String> = records().iter().map(Value::to_string).collect();
    scratch.write("in/a.json", envelope(&records));
    let done = scratch.run(["ingest", "in"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let done = scratch.run(["trace", ADMIN_KEY]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.stdout
            .contains("└─ role session arn:aws:iam::444455556666:role/admin/ann ◀ asked")
    );
    assert!(
        done.stdout.contains("denied  iam:CreateLoginProfile ×2"),
        "{}",
        done.stdout
    );
    let done = scratch.run(["trace", ADMIN_KEY, "-o", "story.html", "--limit", "2"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    let page = std::fs::read_to_string(scratch.path("story.html")).unwrap();
    assert!(
        page.starts_with("<!DOCTYPE html>") && page.contains("and 1 more"),
        "{page}"
    );
    let done = scratch.run(["trace", "nobody"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(
        done.stderr.contains("is called `nobody`\nhint: "),
        "{}",
        done.stderr
    );
    let done = scratch.run(["trace", ADMIN_KEY, "--format", "xml"]);
    assert_eq!(done.code, Some(2), "{done:?}");
}
