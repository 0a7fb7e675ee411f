//! Runs over whole and broken evidence: totals that add up, shapes, duplicates, faults.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use spoor::ingest::{self, IngestOptions, Silent, Summary};
use spoor::lake::Lake;
use spoor::schema::Table;

use crate::scratch::{Scratch, envelope, event, event_named, gzip};

/// Records read, rows written, duplicates, rejected.
type Totals = [u64; 4];

fn totals(summary: &Summary) -> Totals {
    [
        summary.records_read,
        summary.rows_written,
        summary.duplicates,
        summary.rejected,
    ]
}

/// Reads what is in `in`, and checks what must hold after every run.
async fn ingest_checked(scratch: &Scratch, expected: Totals) -> Summary {
    let summary = scratch.ingest(&["in"]).await;
    assert_eq!(totals(&summary), expected);
    let [read, written, duplicates, rejected] = expected;
    assert_eq!(read, written + duplicates + rejected);
    check_books(scratch).await;
    // A second run over the same adds nothing, not even an empty commit.
    let versions = scratch.versions().await;
    let again = scratch.ingest(&["in"]).await;
    assert_eq!(again.rows_written + again.duplicates, 0);
    assert_eq!(scratch.versions().await, versions);
    summary
}

/// What `sources` says of each source is what is in `events` and `rejects`.
async fn check_books(scratch: &Scratch) {
    let wrong = scratch
        .rows(
            "SELECT s.uri, s.records_read, s.rows_written, s.duplicates, s.rejected FROM sources s
             LEFT JOIN (SELECT source_file, count(*) AS n FROM events GROUP BY 1) e
               ON e.source_file = s.uri
             LEFT JOIN (SELECT uri, sha256, count(*) AS n FROM rejects GROUP BY 1, 2) r
               ON r.uri = s.uri AND r.sha256 = s.sha256
             WHERE s.records_read <> s.rows_written + s.duplicates + s.rejected
                OR s.rows_written <> coalesce(e.n, 0) OR s.rejected <> coalesce(r.n, 0)",
        )
        .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Records in one of the shapes that files have.
type Shape = (&'static str, fn(&[String]) -> Vec<u8>);

const SHAPES: [Shape; 11] = [
    ("records.json", |records| envelope(records).into_bytes()),
    ("array.json", |records| {
        format!("[{}]", records.join(", ")).into_bytes()
    }),
    ("lines.jsonl", |records| records.join("\n").into_bytes()),
    ("windows.jsonl", |records| records.join("\r\n").into_bytes()),
    ("concatenated.json", |records| records.concat().into_bytes()),
    ("pretty.json", |records| pretty(records).into_bytes()),
    ("bom.json", |records| {
        format!("\u{feff}{}", pretty(records)).into_bytes()
    }),
    ("packed.json.gz", |records| gzip(envelope(records))),
    ("packed-without-its-ending.json", |records| {
        gzip(records.join("\n"))
    }),
    ("members.json.gz", |records| {
        let text = records.join("\n");
        [gzip(&text[..700]), gzip(&text[700..])].concat()
    }),
    ("no-ending", |records| envelope(records).into_bytes()),
];

fn pretty(records: &[String]) -> String {
    let value: serde_json::Value = serde_json::from_str(&envelope(records)).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[tokio::test]
async fn every_shape_gives_its_records() {
    let scratch = Scratch::new();
    for (n, (name, shape)) in (0..).zip(SHAPES) {
        let records: Vec<String> = (4 * n..4 * n + 4).map(event).collect();
        scratch.write(Path::new("in").join(name), shape(&records));
    }
    ingest_checked(&scratch, [44, 44, 0, 0]).await;
    for (n, (name, _)) in (0..).zip(SHAPES) {
        let sql = format!(
            "SELECT CAST(right(eventid, 12) AS int) FROM events WHERE source_file LIKE '%/{name}'
             ORDER BY source_index"
        );
        let expected: Vec<String> = (4 * n..4 * n + 4).map(|id: u32| id.to_string()).collect();
        assert_eq!(scratch.column(&sql).await, expected, "{name}");
    }
    let kinds = scratch
        .column("SELECT DISTINCT kind || ' ' || status FROM sources")
        .await;
    assert_eq!(kinds, ["events ok"]);
}

#[tokio::test]
async fn one_record_alone_is_a_file() {
    let scratch = Scratch::new();
    scratch.write("in/single.json", event(7));
    ingest_checked(&scratch, [1, 1, 0, 0]).await;
}

#[tokio::test]
async fn one_line_may_hold_a_whole_day() {
    let scratch = Scratch::new();
    let records: Vec<String> = (0..20_000).map(event).collect();
    scratch.write("in/line.json", envelope(&records));
    ingest_checked(&scratch, [20_000, 20_000, 0, 0]).await;
    let days = scratch
        .column("SELECT count(DISTINCT date) FROM events")
        .await;
    assert_eq!(days, ["6"]);
}

#[tokio::test]
async fn a_bucket_copy_is_read_for_its_events() {
    let scratch = Scratch::new();
    let name = |kind: &str, service: &str, stamp: &str| {
        format!(
            "in/AWSLogs/o-example/111122223333/{service}/eu-west-1/2025/03/01/\
             111122223333_{kind}_eu-west-1_{stamp}_x.json.gz"
        )
    };
    let digest = "{\"awsAccountId\":\"111122223333\",\"digestStartTime\":\"2025-03-01T00:00:00Z\",\
                  \"digestS3Object\":\"x\",\"logFiles\":[]}";
    let insight = event(9).replace(
        "{\"eventVersion\"",
        "{\"eventCategory\":\"Insight\",\
                  \"insightDetails\":{\"state\":\"Start\",\"insightType\":\"ApiCallRateInsight\"},\
                  \"eventVersion\"",
    );
    for (file, text) in [
        (
            name("CloudTrail", "CloudTrail", "20250301T1000Z"),
            envelope(&[event(1), event(2)]),
        ),
        (
            name("CloudTrail-Digest", "CloudTrail-Digest", "20250301T1100Z"),
            digest.to_owned(),
        ),
        (
            name("CloudTrail-Insight", "CloudTrail-Insight", "20250301T1200Z"),
            envelope(&[insight]),
        ),
        // A digest without its name is known by what it holds.
        ("in/renamed.json".to_owned(), digest.to_owned()),
        ("in/notes.md".to_owned(), "# Notes".to_owned()),
    ] {
        let bytes = if file.ends_with(".gz") {
            gzip(text)
        } else {
            text.into_bytes()
        };
        scratch.write(file, bytes);
    }
    let summary = ingest_checked(&scratch, [3, 3, 0, 0]).await;
    assert_eq!((summary.sources, summary.sources_listed), (5, 3));
    let kinds = scratch
        .column("SELECT kind || ' ' || status FROM sources ORDER BY 1")
        .await;
    assert_eq!(
        kinds,
        [
            "digest listed",
            "digest listed",
            "events ok",
            "insight ok",
            "unknown listed"
        ]
    );
    let insights = scratch
        .column("SELECT insightdetails FROM events WHERE eventcategory = 'Insight'")
        .await;
    assert_eq!(
        insights,
        [r#"{"state":"Start","insightType":"ApiCallRateInsight"}"#]
    );
}

#[tokio::test]
async fn globs_name_sources() {
    let scratch = Scratch::new();
    scratch.write("in/a/1.json", event(1));
    scratch.write("in/b/2.json.gz", gzip(event(2)));
    scratch.write("in/b/3.json", event(3));
    assert_eq!(totals(&scratch.ingest(&["in/*/*.gz"]).await), [1, 1, 0, 0]);
    assert_eq!(
        totals(&scratch.ingest(&["in/**/*.json"]).await),
        [2, 2, 0, 0]
    );
    let refused = scratch.try_ingest(&["in/*.none"]).await.unwrap_err();
    assert!(
        refused.to_string().starts_with("nothing matches"),
        "{refused}"
    );
    // Relative ones count from the working folder.
    let done = scratch.run(["ingest", "in/{a,b}/[13].json", "./in/b/*"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stderr.contains("3 sources, 3 read before"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn an_event_delivered_again_is_written_once() {
    let scratch = Scratch::new();
    scratch.write("in/1.json", envelope(&[event(1), event(2), event(1)]));
    scratch.write("in/2.json", envelope(&[event(2), event(3)]));
    ingest_checked(&scratch, [5, 3, 2, 0]).await;
    scratch.write("in/3.json", gzip(envelope(&[event(3), event(1), event(4)])));
    ingest_checked(&scratch, [3, 1, 2, 0]).await;
    // Spaces are no other content.
    let spaced = event(4).replace("{\"", "{\n  \"").replace("\":", "\": ");
    scratch.write("in/4.json", spaced);
    ingest_checked(&scratch, [1, 0, 1, 0]).await;
    // The same event delivered to another account is another event.
    let other = event(4).replace(
        "\"recipientAccountId\":\"111122223333\"",
        "\"recipientAccountId\":\"444455556666\"",
    );
    scratch.write("in/5.json", other);
    ingest_checked(&scratch, [1, 1, 0, 0]).await;
}

#[tokio::test]
async fn twins_with_other_content_are_kept_and_flagged() {
    let scratch = Scratch::new();
    scratch.write(
        "in/1.json",
        envelope(&[event(1), event_named(1, "DeleteTrail"), event(1)]),
    );
    let summary = ingest_checked(&scratch, [3, 2, 1, 0]).await;
    assert_eq!(summary.conflicting, 2);
    scratch.write(
        "in/2.json",
        envelope(&[event_named(1, "StopLogging"), event_named(1, "DeleteTrail")]),
    );
    let summary = ingest_checked(&scratch, [2, 1, 1, 0]).await;
    assert_eq!(summary.conflicting, 1);
    // Each of the twins says that it has others, whichever came first.
    let flags = scratch
        .column("SELECT eventname || ' ' || conflicting FROM events ORDER BY 1")
        .await;
    assert_eq!(
        flags,
        [
            "DeleteTrail true",
            "GetCallerIdentity true",
            "StopLogging true"
        ]
    );
}

#[tokio::test]
async fn a_file_that_has_grown_gives_what_is_new() {
    let scratch = Scratch::new();
    scratch.write("in/a.jsonl", event(1) + "\n");
    ingest_checked(&scratch, [1, 1, 0, 0]).await;
    scratch.write("in/a.jsonl", event(1) + "\n" + &event(2) + "\n");
    // Both lines of the file in `sources` together are what it gave.
    assert_eq!(totals(&scratch.ingest(&["in"]).await), [2, 1, 1, 0]);
    let sum = scratch
        .column("SELECT sum(rows_written) FROM sources")
        .await;
    assert_eq!(sum, ["2"]);
}

#[tokio::test]
async fn every_fault_costs_what_is_broken_and_no_more() {
    let faults = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bad");
    // Rows written, and why the rest was not.
    let expected: &[(&str, u64, &[&str])] = &[
        ("empty.json", 0, &[]),
        ("half.json", 2, &["truncated"]),
        ("no-trailer.json.gz", 3, &["truncated-gzip"]),
        ("only-magic.json.gz", 0, &["truncated-gzip"]),
        ("open-string.json", 2, &["invalid-json"]),
        ("other-json.json", 0, &["not-cloudtrail"]),
        ("prose.log", 0, &["not-a-record"]),
        ("rubbish-behind.json.gz", 3, &["invalid-gzip"]),
        ("s3-notification.json", 0, &["not-cloudtrail"]),
        (
            "scalars.json",
            1,
            &[
                "not-a-record",
                "not-a-record",
                "not-a-record",
                "not-a-record",
            ],
        ),
        ("too-deep.json", 2, &["too-deep"]),
        ("truncated.json.gz", 23, &["truncated-gzip"]),
        ("unbalanced.json", 2, &["invalid-json"]),
        ("utf16.json", 0, &["not-utf8"]),
        ("wrong-checksum.json.gz", 3, &["invalid-gzip"]),
        ("wrong-utf8.json", 2, &["not-utf8"]),
        ("wrong-value.json", 2, &["invalid-json"]),
    ];
    let mut names: Vec<String> = fs::read_dir(&faults)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let listed: Vec<&str> = expected.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(names, listed);
    let scratch = Scratch::new();
    for name in &names {
        scratch.write(
            Path::new("in").join(name),
            fs::read(faults.join(name)).unwrap(),
        );
    }
    let written = expected.iter().map(|(_, written, _)| written).sum();
    let rejected = expected
        .iter()
        .map(|(_, _, reasons)| reasons.len() as u64)
        .sum();
    ingest_checked(&scratch, [written + rejected, written, 0, rejected]).await;
    let books = scratch
        .column("SELECT concat(status, ' ', rows_written, ' ', error IS NOT NULL) FROM sources ORDER BY uri")
        .await;
    for (&(name, written, reasons), book) in expected.iter().zip(books) {
        let status = match (written, reasons.len()) {
            (_, 0) => "listed",
            (0, _) => "rejected",
            _ => "partial",
        };
        assert_eq!(
            book,
            format!("{status} {written} {}", !reasons.is_empty()),
            "{name}"
        );
        let sql =
            format!("SELECT reason FROM rejects WHERE uri LIKE '%/{name}' ORDER BY record_index");
        assert_eq!(scratch.column(&sql).await, reasons, "{name}");
    }
}

#[tokio::test]
async fn the_bytes_of_a_reject_are_kept() {
    let scratch = Scratch::new();
    let broken = "{\"eventVersion\":\"1.11\",\"eventName\":nothing}";
    scratch.write(
        "in/a.json",
        envelope(&[event(1), broken.to_owned(), event(2)]),
    );
    ingest_checked(&scratch, [3, 2, 0, 1]).await;
    let kept = scratch
        .column("SELECT concat(arrow_cast(raw, 'Utf8'), ' ', raw_bytes, ' ', record_index) FROM rejects")
        .await;
    assert_eq!(kept, [format!("{broken} {} 1", broken.len())]);
}

#[tokio::test]
async fn nesting_without_end_costs_what_is_nested() {
    let scratch = Scratch::new();
    let bomb = "[{\"a\":".repeat(500_000);
    scratch.write(
        "in/bomb.json",
        format!("{}\n{bomb}\n{}", event(1), event(2)),
    );
    // The second reject is the outermost bracket, which is never closed.
    ingest_checked(&scratch, [4, 2, 0, 2]).await;
}

#[tokio::test]
async fn what_packs_into_next_to_nothing_is_read_in_bounds() {
    let scratch = Scratch::new();
    let text = format!("{}{}{}", event(1), " ".repeat(64 << 20), event(2));
    scratch.write("in/bomb.json.gz", gzip(text));
    ingest_checked(&scratch, [2, 2, 0, 0]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn links_to_nowhere_and_in_circles_are_told_and_the_run_goes_on() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new();
    scratch.write("in/day/a.json", event(1));
    scratch.write("elsewhere/b.json", event(2));
    symlink("../elsewhere", scratch.path("in/linked")).unwrap();
    symlink("nowhere.json", scratch.path("in/dangling.json")).unwrap();
    symlink("..", scratch.path("in/day/loop")).unwrap();
    ingest_checked(&scratch, [4, 2, 0, 2]).await;
    let told = scratch
        .column("SELECT reason || ': ' || detail FROM rejects ORDER BY uri")
        .await;
    assert!(told[0].starts_with("unreadable: No such file"), "{told:?}");
    assert!(
        told[1].starts_with("unreadable: a link back to `"),
        "{told:?}"
    );
    // Once it can be read, it is.
    scratch.write("in/nowhere.json", event(3));
    let summary = scratch.ingest(&["in"]).await;
    assert_eq!(totals(&summary), [3, 1, 1, 1]);
}

#[cfg(unix)]
#[tokio::test]
async fn without_permission_there_is_a_reject() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    scratch.write("in/a.json", event(1));
    let closed = scratch.write("in/closed.json", event(2));
    let folder = scratch.write("in/folder/b.json", event(3));
    let folder = folder.parent().unwrap();
    let none = fs::Permissions::from_mode(0o000);
    fs::set_permissions(&closed, none.clone()).unwrap();
    fs::set_permissions(folder, none).unwrap();
    // Permissions do not bind the superuser.
    let expected = if fs::read(&closed).is_ok() {
        [3, 3, 0, 0]
    } else {
        [3, 1, 0, 2]
    };
    ingest_checked(&scratch, expected).await;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_file_that_vanishes_before_it_is_read_is_a_reject() {
    let scratch = Scratch::new();
    scratch.write("in/a.json", event(1));
    let gone = scratch.write("in/b.json", event(2));
    let names = [scratch.path("in").to_str().unwrap().to_owned()];
    let sources = ingest::discover(&names).unwrap();
    fs::remove_file(gone).unwrap();
    let lake = Lake::open_or_create(&scratch.lake()).await.unwrap();
    let options = options();
    let summary = ingest::ingest(&lake, sources, &options, Arc::new(Silent), Arc::default());
    assert_eq!(totals(&summary.await.unwrap()), [2, 1, 0, 1]);
    check_books(&scratch).await;
}

fn options() -> IngestOptions {
    IngestOptions {
        ingest_id: "run".to_owned(),
        ingest_time: 0,
        parallelism: 2,
        selection: spoor::ingest::Selection::default(),
        limits: spoor::ingest::container::Limits::default(),
        waiting_bytes: spoor::lake::DEFAULT_WAITING_BYTES,
    }
}

/// Sixty days that alternate from record to record, in a text of several portions.
fn alternating_days() -> String {
    let padding = format!(r#"{{"text":"{}","n":"#, "x".repeat(900));
    let record = |id: u32| {
        let day = format!("2025-{:02}-{:02}T", 4 + id % 60 / 28, 1 + id % 28);
        let written = format!("2025-03-{:02}T", 1 + id / 3600);
        event(id)
            .replace(&written, &day)
            .replace(r#"{"n":"#, &padding)
    };
    let lines: Vec<String> = (0..12_000).map(record).collect();
    lines.join("\n")
}

#[tokio::test]
async fn rows_that_wait_on_disk_are_all_there() {
    let text = alternating_days();
    assert!(text.len() > 10 * 1024 * 1024);
    let mut contents = Vec::new();
    let mut files = Vec::new();
    for waiting_bytes in [1, spoor::lake::DEFAULT_WAITING_BYTES] {
        let scratch = Scratch::new();
        scratch.write("in/a.jsonl", &text);
        let names = [scratch.path("in").to_str().unwrap().to_owned()];
        let sources = ingest::discover(&names).unwrap();
        let lake = Lake::open_or_create(&scratch.lake()).await.unwrap();
        let options = IngestOptions {
            waiting_bytes,
            ..options()
        };
        let summary = ingest::ingest(&lake, sources, &options, Arc::new(Silent), Arc::default());
        assert_eq!(totals(&summary.await.unwrap()), [12_000, 12_000, 0, 0]);
        check_books(&scratch).await;
        let sql = "SELECT eventid || ' ' || source_index || ' ' || CAST(date AS VARCHAR) \
                   || ' ' || eventtime || ' ' || length(requestparameters) \
                   FROM events ORDER BY source_index";
        contents.push(scratch.column(sql).await);
        files.push(lake.snapshot(Table::Events).await.unwrap().files.len());
    }
    assert_eq!(contents[0].len(), 12_000);
    assert_eq!(contents[0], contents[1]);
    // A day is one file, also where its rows came in many small lots.
    assert_eq!(files[0], files[1]);
}

/// Names are bytes on Linux; other systems do not take these.
#[cfg(target_os = "linux")]
#[test]
fn odd_names_stay_apart_and_harmless() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new();
    for (name, id) in [(&b"in/\xff.json"[..], 1), (b"in/\xfe.json", 2)] {
        scratch.write(OsStr::from_bytes(name), event(id));
    }
    scratch.write(
        "in/\u{1b}[2J\u{202e}evil\nname.json",
        "{\"nothing\":\"\u{1b}[31m\"}",
    );
    let done = scratch.run(["ingest", "in"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stderr.contains("3 records read = 2 written"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("warning: "), "{}", done.stderr);
    assert!(
        done.stderr.contains("\\x1b[2J\\u{202e}evil\\nname.json"),
        "{}",
        done.stderr
    );
    let is_harmless = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
    assert!(done.stderr.chars().all(is_harmless), "{}", done.stderr);
    let sql = "SELECT DISTINCT source_file FROM events ORDER BY 1";
    let done = scratch.run(["query", "-c", sql]);
    assert!(done.stdout.contains("%FE.json") && done.stdout.contains("%FF.json"));
}

#[test]
fn standard_input_is_a_source() {
    let scratch = Scratch::new();
    scratch.write("a.json", envelope(&[event(1), event(2)]));
    scratch.write("b.json", envelope(&[event(1), event(3)]));
    for (file, expected) in [
        ("a.json", "2 records read = 2 written + 0 duplicate"),
        ("a.json", "1 read before"),
        // Another text under the same name, with an old record at its old place.
        ("b.json", "2 records read = 1 written + 1 duplicate"),
    ] {
        let mut command = scratch.spoor(["ingest", "-"]);
        command.stdin(fs::File::open(scratch.path(file)).unwrap());
        let done = crate::scratch::run(&mut command);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert!(done.stderr.contains(expected), "{}", done.stderr);
        assert_eq!(done.stdout, "");
    }
}

#[tokio::test]
async fn the_sample_adds_up() {
    let scratch = Scratch::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/samples");
    let summary = scratch.ingest(&[samples.to_str().unwrap()]).await;
    let [read, written, duplicates, rejected] = totals(&summary);
    assert!(written > 0 && duplicates > 0);
    assert_eq!((read, rejected), (written + duplicates, 0));
    check_books(&scratch).await;
}
