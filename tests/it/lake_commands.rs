//! `spoor lake`: what it says of a lake.

use serde_json::{Value, json};
use spoor::schema::Table;

use crate::scratch::{Scratch, envelope, event, event_named};

/// Two runs: two days with one between them, a twin, a record delivered twice, two broken ones.
async fn case() -> Scratch {
    let scratch = Scratch::new();
    let broken = |what: &str| format!("{{\"eventVersion\":\"1.11\",\"eventName\":{what}}}");
    scratch.write("in/a.json", envelope(&[event(1), event(2), broken("no")]));
    scratch.ingest(&["in"]).await;
    let records = [event(2), event_named(1, "DeleteTrail"), event(7200)];
    scratch.write("in/b.json", envelope(&records));
    scratch.write("in/c.json", broken("\u{1b}[2J"));
    scratch.ingest(&["in"]).await;
    scratch
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[tokio::test]
async fn info_counts_what_the_lake_holds() {
    let scratch = case().await;
    let done = scratch.run(["lake", "info", "--format", "json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let mut info: Value = serde_json::from_str(&done.stdout).unwrap();
    for part in ["table_events", "table_sources", "table_rejects"] {
        assert!(info[part]["bytes"].take().as_u64().unwrap() > 0);
    }
    info["lake"]["folder"].take();
    info["records"]["stored_bytes"].take();
    info["records"]["unpacked_bytes"].take();
    let table = |table: Table, version: u64, files| {
        let columns = table.arrow_schema().fields().len();
        json!({"version": version, "columns": columns, "files": files, "row_groups": files,
               "bytes": null})
    };
    let expected = json!({
        "lake": {"folder": null, "schema": "current"},
        "events": {"rows": 4, "conflicting": 2, "without_time": 0, "days": 2, "days_missing": 1,
                   "first_time": "2025-03-01T10:00:01Z", "last_time": "2025-03-03T10:00:00Z"},
        "gaps": {"2025-03-02": "to 2025-03-02"},
        "accounts": {"111122223333": 4},
        "regions": {"eu-west-1": 4},
        "sources": {"events ok": 1, "events partial": 1, "unknown rejected": 1},
        "records": {"sources": 3, "runs": 2, "stored_bytes": null, "unpacked_bytes": null,
                    "read": 7, "written": 4, "duplicates": 1, "rejected": 2, "left_out": 0},
        "rejects": {"invalid-json": 2},
        "table_events": table(Table::Events, 3, 3),
        "table_sources": table(Table::Sources, 2, 2),
        "table_rejects": table(Table::Rejects, 2, 2),
    });
    assert_eq!(info, expected);
    let again = scratch.run(["lake", "info"]);
    assert_eq!(again.stdout, scratch.run(["lake", "info"]).stdout);
    let table = scratch.run(["lake", "info", "--format", "table"]);
    assert!(table.stdout.contains("days_missing"), "{}", table.stdout);
}

#[tokio::test]
async fn history_tells_every_commit() {
    let scratch = case().await;
    let done = scratch.run(["lake", "history"]);
    let told: Vec<String> = lines(&done.stdout)
        .iter()
        .map(|commit| {
            format!(
                "{} {} {} +{}",
                commit["table"].as_str().unwrap(),
                commit["version"],
                commit["operation"].as_str().unwrap(),
                commit["rows_added"]
            )
        })
        .collect();
    let expected = [
        "events 0 create table +0",
        "sources 0 create table +0",
        "rejects 0 create table +0",
        "events 1 write +2",
        "rejects 1 write +1",
        "sources 1 write +1",
        "events 2 write +2",
        "events 3 optimize +2",
        "rejects 2 write +1",
        "sources 2 write +2",
    ];
    assert_eq!(told, expected, "{}", done.stderr);
    assert!(lines(&done.stdout)[0]["time"].is_string());
    // Commits name the run as its sources do.
    let runs = scratch
        .column("SELECT DISTINCT ingest_id FROM sources ORDER BY 1")
        .await;
    let mut named: Vec<String> = lines(&done.stdout)
        .iter()
        .filter_map(|commit| commit["run"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(named.len(), 7);
    named.dedup();
    assert_eq!(named, runs);
}

#[tokio::test]
async fn rejects_are_chosen_and_their_bytes_given_back() {
    let scratch = case().await;
    let all = scratch.run(["lake", "rejects"]);
    assert_eq!(lines(&all.stdout).len(), 2, "{}", all.stderr);
    assert_eq!(lines(&all.stdout)[0]["record_index"], 2);
    let check = |flags: &[&str], n_rows: usize| {
        let done = scratch.run(["lake", "rejects"].iter().chain(flags));
        assert_eq!(
            lines(&done.stdout).len(),
            n_rows,
            "{flags:?} {}",
            done.stderr
        );
    };
    check(&["--reason", "invalid-json"], 2);
    check(&["--reason", "too-deep"], 0);
    check(&["--reason", "too-deep", "--reason", "invalid-json"], 2);
    check(&["--source", "a.json"], 1);
    check(&["--source", "in/a.json", "--index", "2"], 1);
    check(&["--source", ".json"], 0);
    check(&["--source", "' OR true --"], 0);
    let raw = scratch.run(["lake", "rejects", "--source", "c.json", "--raw"]);
    assert_eq!(
        raw.stdout,
        "{\"eventVersion\":\"1.11\",\"eventName\":\u{1b}[2J}"
    );
    let two = scratch.run(["lake", "rejects", "--raw"]);
    assert_eq!((two.code, two.stdout.as_str()), (Some(2), ""));
    assert!(
        two.stderr.contains("several are chosen\nhint: "),
        "{}",
        two.stderr
    );
}

#[test]
fn without_a_lake_there_is_nothing_to_tell() {
    let scratch = Scratch::new();
    for command in ["info", "history", "rejects"] {
        let done = scratch.run(["lake", command]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""));
        assert!(done.stderr.contains("error: no lake at `"));
    }
    assert!(!scratch.lake().exists());
}
