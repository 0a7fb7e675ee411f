//! Reading a part of the evidence: flags, the list of `--dry-run`, refusals.

use serde_json::{Value, json};

use crate::scratch::{Done, Scratch, event};

/// A file each on three days, in two accounts and regions, and one whose name says nothing.
fn case() -> Scratch {
    let scratch = Scratch::new();
    for (id, account, region, day) in [
        (1, "111122223333", "eu-west-1", "01"),
        (2, "111122223333", "us-east-1", "10"),
        (3, "444455556666", "eu-west-1", "20"),
    ] {
        let name = format!(
            "in/AWSLogs/{account}/CloudTrail/{region}/2025/03/{day}/\
             {account}_CloudTrail_{region}_202503{day}T1005Z_x.json"
        );
        scratch.write(name, event(id));
    }
    scratch.write("in/unnamed.json", event(4));
    scratch
}

fn listed(done: &Done) -> Vec<Value> {
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines = done.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_dry_run_lists_and_reads_nothing() {
    let scratch = case();
    let done = scratch.run(["ingest", "in", "--dry-run"]);
    let rows = listed(&done);
    assert_eq!(rows.len(), 4);
    assert!(!scratch.lake().exists());
    let mut first = rows[1].clone();
    assert!(first["uri"].take().as_str().unwrap().ends_with("_x.json"));
    let expected = json!({"uri": null, "size_bytes": event(1).len(), "day": "2025-03-01",
        "account": "111122223333", "region": "eu-west-1", "in_lake": false});
    assert_eq!(first, expected);
    assert_eq!(rows[0]["day"], Value::Null);
    let read = scratch.run(["ingest", "in", "--to", "2025-03-12"]);
    assert_eq!(read.code, Some(0), "{}", read.stderr);
    let done = scratch.run(["ingest", "in", "--dry-run"]);
    let known: Vec<bool> = listed(&done)
        .iter()
        .map(|row| row["in_lake"].as_bool().unwrap())
        .collect();
    assert_eq!(known, [true, true, true, false]);
    assert!(
        done.stderr
            .contains("4 sources would be read, 1 of them new"),
        "{}",
        done.stderr
    );
    let csv = scratch.run(["ingest", "in", "--dry-run", "--format", "csv"]);
    assert!(
        csv.stdout
            .starts_with("uri,size_bytes,day,account,region,in_lake\n")
    );
}

#[test]
fn flags_choose_files() {
    let scratch = case();
    let check = |flags: &[&str], expected: &[&str]| {
        let args = ["ingest", "in", "--dry-run"].iter().chain(flags);
        let done = scratch.run(args);
        let days: Vec<String> = listed(&done)
            .iter()
            .map(|row| row["day"].as_str().map_or("?", |day| &day[8..]).to_owned())
            .collect();
        assert_eq!(days, expected, "{flags:?}");
    };
    check(&["--from", "2025-03-11"], &["?", "10", "20"]);
    check(&["--from", "T-5d"], &["?", "20"]);
    check(
        &["--from", "2025-03-05", "--to", "2025-03-15T12:00:00Z"],
        &["?", "10"],
    );
    check(&["--account", "111122223333"], &["?", "01", "10"]);
    check(&["--region", "eu-west-1,ap-south-1"], &["?", "01", "20"]);
    check(
        &["--region", "eu-west-1", "--region", "ap-south-1"],
        &["?", "01", "20"],
    );
    // Global services say us-east-1, wherever their events were delivered.
    check(&["--region", "us-east-1"], &["?", "01", "10", "20"]);
    check(&["--exclude", "444455556666"], &["?", "01", "10"]);
    check(&["--exclude", "in/*.json"], &["01", "10", "20"]);
}

#[test]
fn what_lies_outside_is_told_and_read_later() {
    let scratch = case();
    let done = scratch.run(["ingest", "in", "--account", "444455556666"]);
    assert!(
        done.stderr
            .contains("2 sources lie outside of the selection"),
        "{}",
        done.stderr
    );
    let done = scratch.run(["ingest", "in"]);
    assert!(done.stderr.contains("4 sources"), "{}", done.stderr);
    assert!(!done.stderr.contains("outside"), "{}", done.stderr);
    let sql = "SELECT count(*) AS n FROM events";
    let done = scratch.run(["query", "-c", sql]);
    assert_eq!(done.stdout, "{\"n\":4}\n", "{}", done.stderr);
    // Logs can be asked in part without a lake.
    let done = scratch.run(["query", "in", "--exclude", "unnamed.json", "-c", sql]);
    assert_eq!(done.stdout, "{\"n\":3}\n", "{}", done.stderr);
}

#[test]
fn choices_that_cannot_be_are_refused() {
    let scratch = case();
    let check = |args: &[&str], message: &str| {
        let done = scratch.run(args);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(done.stderr.contains(message), "{args:?}: {}", done.stderr);
    };
    check(
        &["ingest", "in", "--from", "yesterday"],
        "`yesterday` is not a time",
    );
    check(
        &["ingest", "in", "--account", "12"],
        "`12` is not an account id",
    );
    check(
        &["ingest", "in", "--from", "2025-03-02", "--to", "2025-03-01"],
        "`--to` is before `--from`",
    );
    check(
        &["ingest", "in/unnamed.json", "--from", "T-1d"],
        "where the evidence ends\nhint: ",
    );
    check(
        &["ingest", "in", "--exclude", "a["],
        "`a[` is not a usable glob",
    );
    check(
        &["ingest", "in", "--format", "csv"],
        "are for the list of `--dry-run`",
    );
    assert!(!scratch.lake().exists());
    assert_eq!(scratch.run(["ingest", "in"]).code, Some(0));
    let narrowed = ["query", "-c", "SELECT 1", "--from", "2025-03-01"];
    check(
        &narrowed,
        "a lake is asked as a whole; only logs can be chosen from\nhint: ",
    );
}
