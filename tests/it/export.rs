//! `spoor export`: what comes out goes in again as it was.

use std::fs;
use std::io::Read as _;

use flate2::read::GzDecoder;
use spoor::lake::Lake;

use crate::lossless::json::canonical;
use crate::scratch::{Done, Scratch, envelope, event, event_named, gzip, rows};

/// Events of three days and of none, odd ones, twins that differ, and a second delivery.
fn evidence() -> Vec<String> {
    let odd = r#"{"eventVersion":"1.11","eventSource":"s","eventName":"Odd","eventID":"odd","eventTime":"2025-03-02T09:00:00Z","new":{"n":1.0},"responseElements":null,"requestParameters":{ "a" :⏎ 1e2, "b":9223372036854775808,"a":2},"errorMessage":"tab\t \"q\" é"}"#;
    let timeless =
        r#"{"eventVersion":"1.11","eventSource":"s","eventName":"Timeless","eventID":"none"}"#;
    vec![
        timeless.to_owned(),
        event(7_300),
        event(2),
        event(3_600),
        // As in a file that is printed prettily.
        odd.replace('⏎', "\r\n"),
        event(1),
        event_named(1, "DeleteTrail"),
        event(1),
    ]
}

fn export(scratch: &Scratch, args: &[&str]) -> Done {
    let mut all = vec!["export"];
    all.extend(args);
    let done = scratch.run(all);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    done
}

async fn lake() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("in/a.json.gz", gzip(envelope(&evidence())));
    scratch.ingest(&["in"]).await;
    scratch
}

#[tokio::test]
async fn what_is_exported_and_read_again_is_the_same_evidence() {
    let scratch = lake().await;
    let sql = "SELECT eventtime, eventid, content_hash, conflicting FROM events \
               ORDER BY eventid, content_hash";
    let expected = scratch.rows(sql).await;
    assert_eq!(expected.len(), 7);
    for name in ["a.json", "a.ndjson", "a.json.gz", "a.jsonl.gz"] {
        export(&scratch, &["-o", name]);
        let lake = format!("lake-of-{name}");
        let done = scratch.run(["ingest", name, "--lake", &lake]);
        assert!(
            done.stderr.contains("7 records read = 7 written"),
            "{}",
            done.stderr
        );
        assert_eq!(rows(&scratch.path(&lake), sql).await, expected, "{name}");
        let again = format!("again-{name}");
        export(&scratch, &["--lake", &lake, "-o", &again]);
        assert_eq!(
            fs::read(scratch.path(&again)).unwrap(),
            fs::read(scratch.path(name)).unwrap(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn records_come_in_order_of_time_and_as_they_were() {
    let scratch = lake().await;
    let done = export(&scratch, &[]);
    let mut evidence = evidence();
    evidence.pop();
    let expected = [5, 6, 2, 4, 3, 1, 0].map(|index| canonical(&evidence[index]));
    let found: Vec<_> = done.stdout.lines().map(canonical).collect();
    assert_eq!(found, expected);
    // From logs without a lake, and packed.
    let direct = export(&scratch, &["in", "--quiet"]);
    assert_eq!(direct.stdout, done.stdout);
    let script = "\"$SPOOR\" export --gzip > packed";
    assert_eq!(scratch.shell(script).code, Some(0));
    let packed = fs::read(scratch.path("packed")).unwrap();
    let mut text = String::new();
    GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, done.stdout);
}

#[tokio::test]
async fn a_condition_chooses() {
    let scratch = lake().await;
    let condition = "eventname = 'DeleteTrail' OR eventid = 'none' -- and no more";
    let done = export(&scratch, &["--where", condition, "--format", "cloudtrail"]);
    let evidence = evidence();
    let expected = format!("{{\"Records\":[{},{}]}}", evidence[6], evidence[0]);
    assert_eq!(canonical(&done.stdout), canonical(&expected));
    for (format, nothing) in [("ndjson", ""), ("cloudtrail", "{\"Records\":[\n]}\n")] {
        let done = export(&scratch, &["--where", "false", "--format", format]);
        assert_eq!(done.stdout, nothing);
    }
}

#[tokio::test]
async fn a_wrong_condition_is_placed_and_leaves_no_file() {
    let scratch = lake().await;
    for (condition, expected) in [
        (
            "eventid = 'a'\n AND eventnme = 'b'",
            "error: line 2, column 6: there is no column `eventnme`\nhint: did you mean `eventname`?",
        ),
        (
            "1 = 1; SELECT 2",
            "error: line 1, column 6: expected the end of the statement, found `;`",
        ),
        (
            "",
            "error: expected an expression, found the end of the text",
        ),
        ("eventid = ANY (DELETE FROM events)", "error: "),
    ] {
        let done = scratch.run(["export", "--where", condition, "-o", "out.json"]);
        assert_eq!(done.code, Some(2), "{condition}");
        assert!(done.stderr.starts_with(expected), "{}", done.stderr);
        assert!(!scratch.path("out.json").exists());
    }
}

#[tokio::test]
async fn an_empty_lake_exports_nothing() {
    let scratch = Scratch::new();
    Lake::open_or_create(&scratch.lake()).await.unwrap();
    assert_eq!(export(&scratch, &[]).stdout, "");
    let done = export(&scratch, &["--format", "cloudtrail"]);
    assert_eq!(done.stdout, "{\"Records\":[\n]}\n");
}
