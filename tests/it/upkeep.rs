//! Compaction and vacuum: the same rows in other files, for readers old and new, whatever ends when.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use arrow::array::RecordBatch;
use serde_json::Value;
use spoor::engine::{Engine, EngineOptions, Params};
use spoor::lake::Lake;
use spoor::schema::Table;
use walkdir::WalkDir;

use crate::scratch::{Done, Scratch, envelope, event, event_named, rows};

/// A lake that several runs wrote: three days, a twin, rejects in every run.
async fn case(n_runs: u32) -> Scratch {
    let scratch = Scratch::new();
    for run in 0..n_runs {
        let ids = [run, 3600 + run, 7200 + run];
        let mut records: Vec<String> = ids.into_iter().map(event).collect();
        records.push(event_named(0, "DeleteTrail"));
        records.push("{\"eventVersion\":\"1.11\",\"eventName\":broken}".to_owned());
        scratch.write(format!("in/{run}.json"), envelope(&records));
        scratch.ingest(&["in"]).await;
    }
    scratch
}

/// Everything that a lake says.
async fn contents(lake: &Path) -> Vec<Vec<Value>> {
    let mut contents = Vec::new();
    for sql in [
        "SELECT * FROM events ORDER BY source_file, source_index",
        "SELECT * FROM sources ORDER BY uri, sha256",
        "SELECT * FROM rejects ORDER BY uri, record_index",
        "SELECT content_hash, count(*) AS n FROM events GROUP BY 1 ORDER BY 1",
    ] {
        contents.push(rows(lake, sql).await);
    }
    contents
}

async fn n_files(lake: &Path) -> Vec<usize> {
    let lake = Lake::open(lake).unwrap();
    let mut counts = Vec::new();
    for table in Table::ALL {
        counts.push(lake.snapshot(table).await.unwrap().files.len());
    }
    counts
}

/// Parquet files on disk, shown or not.
fn on_disk(lake: &Path) -> Vec<PathBuf> {
    let entries = WalkDir::new(lake).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| {
        let name = entry.file_name().to_string_lossy();
        name.contains(".parquet") && !entry.path().to_string_lossy().contains("_delta_log")
    });
    files.map(walkdir::DirEntry::into_path).collect()
}

fn ok(done: Done) -> Vec<Value> {
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines = done.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn compaction_joins_files_and_changes_no_row() {
    let scratch = case(4).await;
    let before = contents(&scratch.lake()).await;
    assert_eq!(n_files(&scratch.lake()).await, [12, 4, 4]);
    let told = ok(scratch.run(["lake", "compact"]));
    assert_eq!(n_files(&scratch.lake()).await, [3, 1, 1]);
    assert_eq!(contents(&scratch.lake()).await, before);
    let told: Vec<String> = told
        .iter()
        .map(|row| {
            format!(
                "{} {} {}->{} {}",
                row["table"].as_str().unwrap(),
                row["days"],
                row["files_before"],
                row["files_after"],
                row["rows"]
            )
        })
        .collect();
    let expected = ["events 3 12->3 13", "sources 1 4->1 4", "rejects 1 4->1 4"];
    assert_eq!(told, expected);
    // Once more there is nothing to do.
    let versions = scratch.versions().await;
    let again = ok(scratch.run(["lake", "compact"]));
    assert!(
        again.iter().all(|row| row["files_before"] == 0),
        "{again:?}"
    );
    assert_eq!(scratch.versions().await, versions);
    // The history tells it as what it is.
    let history = ok(scratch.run(["lake", "history"]));
    let compacted = history.iter().filter(|row| row["operation"] == "optimize");
    let compacted: Vec<_> = compacted.collect();
    // The first is the one that flagged a twin of an earlier run.
    assert_eq!(compacted.len(), 4);
    assert!(
        compacted
            .iter()
            .all(|row| row["rows_added"] == row["rows_removed"])
    );
}

#[tokio::test]
async fn what_was_compacted_is_known_to_later_runs() {
    let scratch = case(3).await;
    ok(scratch.run(["lake", "compact"]));
    let before = contents(&scratch.lake()).await;
    let again = scratch.ingest(&["in"]).await;
    assert_eq!((again.sources_skipped, again.records_read), (3, 0));
    // The same records under other names are duplicates.
    fs::rename(scratch.path("in"), scratch.path("moved")).unwrap();
    let moved = scratch.ingest(&["moved"]).await;
    assert_eq!((moved.rows_written, moved.rejected), (0, 3));
    assert_eq!(contents(&scratch.lake()).await[0], before[0]);
}

#[tokio::test]
async fn readers_of_an_older_snapshot_go_on_reading() {
    let scratch = case(3).await;
    let lake = Lake::open(&scratch.lake()).unwrap();
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    let before = contents(&scratch.lake()).await;
    for command in [&["compact"][..], &["vacuum"]] {
        ok(scratch.run(["lake"].iter().chain(command)));
    }
    let params = Params::new();
    let query = engine.query("SELECT eventname FROM events", &params);
    let found = query.await.unwrap().collect().await.unwrap();
    let n_rows: usize = found.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(n_rows, before[0].len());
    assert_eq!(contents(&scratch.lake()).await, before);
}

#[tokio::test]
async fn vacuum_removes_what_no_version_needs() {
    let scratch = case(3).await;
    ok(scratch.run(["lake", "compact"]));
    let before = contents(&scratch.lake()).await;
    assert_eq!(
        on_disk(&scratch.lake()).len(),
        (9 + 1 + 3 + 3) + (3 + 1 + 1)
    );
    // What killed runs leave: a whole file, and one that was being written.
    let day = scratch.lake().join("events/date=2025-03-01");
    let left = [day.join("left.parquet"), day.join("left.parquet#1")];
    for path in &left {
        fs::write(path, "left").unwrap();
    }
    let refused = scratch.run(["lake", "vacuum", "--older-than", "0s"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("add `--force`"),
        "{}",
        refused.stderr
    );
    assert_eq!(ok(scratch.run(["lake", "vacuum"])), Vec::<Value>::new());
    let planned = ok(scratch.run(["lake", "vacuum", "--older-than", "0s", "--dry-run"]));
    assert_eq!(planned.len(), 9 + 1 + 3 + 3 + 2, "{planned:?}");
    assert!(left.iter().all(|path| path.exists()));
    let done = scratch.run(["lake", "vacuum", "--older-than", "0s", "--force"]);
    assert!(done.stderr.contains("18 files removed"), "{}", done.stderr);
    assert_eq!(ok(done), planned);
    assert_eq!(on_disk(&scratch.lake()).len(), 3 + 1 + 1);
    assert_eq!(contents(&scratch.lake()).await, before);
    let nothing = ok(scratch.run(["lake", "vacuum", "--older-than", "0s", "--force"]));
    assert_eq!(nothing, Vec::<Value>::new());
    // And the lake takes in more.
    scratch.write("more/a.json", event(77));
    assert_eq!(scratch.ingest(&["more"]).await.rows_written, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_compaction_killed_anywhere_leaves_the_same_rows() {
    use std::os::unix::process::ExitStatusExt;
    let scratch = case(5).await;
    let before = contents(&scratch.lake()).await;
    let started = Instant::now();
    ok(scratch.run(["lake", "info"]));
    let usual = started.elapsed();
    let mut n_killed = 0;
    const TIMES: u32 = 8;
    for n in 0..TIMES {
        let mut child = scratch
            .spoor(["lake", "compact"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (started, delay) = (Instant::now(), usual * n / TIMES);
        let status = loop {
            if started.elapsed() >= delay {
                child.kill().unwrap();
            }
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            std::thread::yield_now();
        };
        n_killed += u32::from(status.signal() == Some(9));
        assert_eq!(
            contents(&scratch.lake()).await,
            before,
            "killed after {delay:?}"
        );
    }
    assert!(n_killed > 0);
    ok(scratch.run(["lake", "compact"]));
    assert_eq!(n_files(&scratch.lake()).await, [3, 1, 1]);
    ok(scratch.run(["lake", "vacuum", "--older-than", "0s", "--force"]));
    assert_eq!(on_disk(&scratch.lake()).len(), 5);
    assert_eq!(contents(&scratch.lake()).await, before);
}

#[tokio::test]
async fn compaction_and_vacuum_wait_for_who_writes() {
    let scratch = case(2).await;
    let lake = Lake::open(&scratch.lake()).unwrap();
    let held = lake.lock().unwrap();
    let mut child = scratch
        .spoor(["lake", "compact"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    assert!(line.contains("waiting"), "{line}");
    assert_eq!(n_files(&scratch.lake()).await, [6, 2, 2]);
    drop(held);
    assert!(child.wait().unwrap().success());
    assert_eq!(n_files(&scratch.lake()).await, [3, 1, 1]);
}
