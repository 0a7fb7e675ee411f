//! Lakes that earlier versions wrote: they answer as they did, and take in further logs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use spoor::lake::Lake;
use spoor::schema::Table;
use walkdir::WalkDir;

use crate::scratch::{Scratch, rows};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/lakes")
        .join(name)
}

/// Every lake in the test data, by its version.
fn versions() -> Vec<String> {
    let entries = fs::read_dir(folder("")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut versions: Vec<String> = names.filter(|name| name.starts_with('v')).collect();
    versions.sort();
    assert!(!versions.is_empty());
    versions
}

/// A copy of a lake and of all logs, to write to.
fn copy(version: &str) -> Scratch {
    let scratch = Scratch::new();
    for (from, to) in [(version, "spoor-lake"), ("logs", "logs"), ("more", "more")] {
        let from = folder(from);
        for entry in WalkDir::new(&from).into_iter().map(Result::unwrap) {
            if entry.file_type().is_file() {
                let inner = entry.path().strip_prefix(&from).unwrap();
                let bytes = fs::read(entry.path()).unwrap();
                scratch.write(Path::new(to).join(inner), bytes);
            }
        }
    }
    scratch
}

const CONTENTS: &str = "SELECT eventtime AS t, eventname, recipientaccountid AS a, \
    conflicting AS c FROM events ORDER BY eventid, source_index";

#[tokio::test]
async fn an_old_lake_answers_as_it_did() {
    for version in versions() {
        let lake = folder(&version);
        let found = rows(
            &lake,
            "SELECT eventname, recipientaccountid AS account, date, conflicting FROM events \
             ORDER BY eventid, conflicting",
        )
        .await;
        let (a, b) = ("111122223333", "444455556666");
        let (first, second) = (Some("2025-03-01"), Some("2025-03-02"));
        let expected = [
            ("GetCallerIdentity", a, first, false),
            ("CreateRole", a, first, false),
            ("AttachRolePolicy", a, first, false),
            ("PutBucketPolicy", a, first, false),
            ("DescribeInstances", a, first, false),
            ("RunInstances", a, second, false),
            ("DescribeVpcs", a, second, false),
            ("AssumeRole", b, second, false),
            ("StopLogging", b, second, false),
            ("StopLogging", b, second, true),
            ("AssumeRole", b, second, false),
            ("Decrypt", b, second, false),
            ("GetUser", b, None, false),
        ];
        let expected = expected.map(|(name, account, date, conflicting)| {
            json!({"eventname": name, "account": account, "date": date, "conflicting": conflicting})
        });
        assert_eq!(found, expected, "{version}");
    }
}

#[tokio::test]
async fn columns_that_an_old_lake_lacks_are_null() {
    for version in versions() {
        let lake = folder(&version);
        let found = rows(
            &lake,
            "SELECT kind, status, records_read AS n, rejected AS r, content, records_left_out AS o, \
             shape, container FROM sources ORDER BY uri",
        )
        .await;
        let line = |kind, status, n, r| {
            json!({"kind": kind, "status": status, "n": n, "r": r, "content": null, "o": null,
                   "shape": null, "container": null})
        };
        let expected = [
            line("events", "ok", 2, 0),
            line("events", "ok", 3, 0),
            line("events", "ok", 3, 0),
            line("digest", "listed", 0, 0),
            line("events", "partial", 3, 1),
            line("events", "ok", 4, 0),
        ];
        assert_eq!(found, expected, "{version}");
        // A filter on such a column finds what it should, too.
        for (filter, n) in [("shape IS NULL", 6), ("shape = 'records'", 0)] {
            let sql = format!("SELECT count(*) AS n FROM sources WHERE {filter}");
            assert_eq!(rows(&lake, &sql).await, [json!({"n": n})], "{version}");
        }
    }
}

#[test]
fn the_detections_find_in_an_old_lake_what_they_found() {
    for version in versions() {
        let scratch = copy(&version);
        let done = scratch.run(["detect", "--lake", "spoor-lake", "--format", "csv"]);
        assert_eq!(done.code, Some(0), "{version}: {}", done.stderr);
        for rule in ["admin-policy-attached", "assume-role-human-without-mfa"] {
            assert!(done.stdout.contains(rule), "{version}: {}", done.stdout);
        }
    }
}

#[tokio::test]
async fn an_old_lake_takes_in_further_logs() {
    for version in versions() {
        let scratch = copy(&version);
        let before = scratch.rows(CONTENTS).await;
        // The same records from another place are the same records.
        let again = scratch.ingest(&["logs"]).await;
        let totals = (
            again.records_read,
            again.rows_written,
            again.duplicates,
            again.rejected,
        );
        assert_eq!(totals, (15, 0, 14, 1), "{version}");
        assert_eq!(scratch.rows(CONTENTS).await, before, "{version}");
        let more = scratch.ingest(&["more"]).await;
        assert_eq!((more.rows_written, more.duplicates), (2, 1), "{version}");
        assert_eq!(scratch.rows(CONTENTS).await.len(), before.len() + 2);
        // Now every table has all columns, and says so to other engines as well.
        let lake = Lake::open(&scratch.lake()).unwrap();
        for table in [Table::Events, Table::Sources] {
            let difference = lake.schema_difference(table).await.unwrap();
            assert_eq!(difference, Default::default(), "{version}: {table:?}");
        }
        let sources = scratch
            .column("SELECT count(*) FROM sources WHERE container IS NULL AND uri IS NOT NULL")
            .await;
        assert_eq!(sources, ["12"], "{version}");
    }
}

#[tokio::test]
async fn what_was_added_since_an_old_lake_may_be_null() {
    for version in versions() {
        let lake = Lake::open(&folder(&version)).unwrap();
        for table in Table::ALL {
            let difference = lake.schema_difference(table).await.unwrap();
            assert!(difference.unknown.is_empty(), "{version}: {difference:?}");
            for name in difference.missing {
                let schema = table.arrow_schema();
                let column = schema.field_with_name(&name).unwrap();
                assert!(column.is_nullable(), "{version}: {table:?}.{name}");
            }
        }
    }
}

#[tokio::test]
async fn an_old_lake_is_compacted_without_a_change() {
    for version in versions() {
        let scratch = copy(&version);
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push([
                scratch
                    .rows("SELECT * FROM events ORDER BY source_file, source_index")
                    .await,
                scratch.rows("SELECT * FROM sources ORDER BY uri").await,
            ]);
            let lake = Lake::open(&scratch.lake()).unwrap();
            let _lock = lake.lock().unwrap();
            for table in Table::ALL {
                lake.compact(table).await.unwrap();
            }
        }
        assert_eq!(answers[0], answers[1], "{version}");
        let lake = Lake::open(&scratch.lake()).unwrap();
        assert_eq!(lake.snapshot(Table::Events).await.unwrap().files.len(), 3);
    }
}
