//! Runs that end in the middle: killed, interrupted, out of space, two at a time. The next run makes
//! the lake what it would have been.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use spoor::lake::Lake;

use crate::lossless::dice::Dice;
use crate::scratch::{Scratch, envelope, event, event_named, gzip, rows};

/// Files of the trail, and records of each.
const FILES: u32 = 100;
const RECORDS: u32 = 40;

/// Some thousand events over six days, with everything that a lake may hold: second deliveries, twins
/// that differ, on one day and on two, broken records, a digest, a file that is none.
fn write_trail(scratch: &Scratch) {
    for file in 0..FILES {
        // One in eight of a file's records was in the file before it.
        let first = file * RECORDS * 7 / 8;
        let mut records: Vec<String> = (first..first + RECORDS).map(|n| event(n * 2)).collect();
        match file % 10 {
            3 => records.push("{\"eventVersion\":\"1.11\",\"eventName\":broken}".to_owned()),
            5 => records.push(event_named(first * 2, "DeleteTrail")),
            7 => records.push(event(first * 2).replace("2025-03-", "2025-04-")),
            _ => {}
        }
        let name = format!("in/{file:03}.json.gz");
        scratch.write(name, gzip(envelope(&records)));
    }
    scratch.write(
        "in/digest.json",
        "{\"digestStartTime\":\"2025-03-01T00:00:00Z\",\"logFiles\":[]}",
    );
    scratch.write("in/cut.json", &envelope(&[event(1), event(3)])[..500]);
}

/// All that a lake says, but for the names and times of its runs.
async fn contents(lake: &Path) -> [Vec<Value>; 3] {
    [
        rows(
            lake,
            "SELECT * FROM events ORDER BY source_file, source_index",
        )
        .await,
        rows(
            lake,
            "SELECT * EXCEPT (ingest_id, ingest_time) FROM sources ORDER BY uri, sha256",
        )
        .await,
        rows(
            lake,
            "SELECT * EXCEPT (ingest_id) FROM rejects ORDER BY uri, record_index",
        )
        .await,
    ]
}

/// A trail, the lake of a run that nothing disturbed, and how long it took.
struct Case {
    scratch: Scratch,
    whole: [Vec<Value>; 3],
    took: Duration,
}

impl Case {
    async fn new() -> Self {
        let scratch = Scratch::new();
        write_trail(&scratch);
        let started = Instant::now();
        let done = scratch.run(["ingest", "in", "--lake", "whole"]);
        let took = started.elapsed();
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let whole = contents(&scratch.path("whole")).await;
        let n_events = u64::from(FILES * RECORDS) * 7 / 8 + u64::from(RECORDS) / 8;
        assert_eq!(
            whole.each_ref().map(Vec::len),
            [n_events as usize + 10 + 10 + 1, 102, 11]
        );
        Self {
            scratch,
            whole,
            took,
        }
    }

    fn ingest(&self, lake: &str) -> Command {
        self.scratch.spoor(["ingest", "in", "--lake", lake])
    }

    /// Runs once more, undisturbed, and compares.
    async fn check_next_run(&self, lake: &str, what: &str) {
        let done = crate::scratch::run(&mut self.ingest(lake));
        assert_eq!(done.code, Some(0), "{what}: {}", done.stderr);
        self.check(lake, what).await;
    }

    async fn check(&self, lake: &str, what: &str) {
        let found = contents(&self.scratch.path(lake)).await;
        for (found, whole) in found.iter().zip(&self.whole) {
            assert_eq!(found.len(), whole.len(), "{what}");
            let differs = found
                .iter()
                .zip(whole)
                .find(|(found, whole)| found != whole);
            assert_eq!(differs, None, "{what}");
        }
    }

    /// Kills a run with SIGKILL as soon as `is_time`. False if the run was over before.
    fn kill_when(&self, lake: &str, is_time: impl Fn(Duration) -> bool) -> bool {
        let mut child = silent(self.ingest(lake));
        let started = Instant::now();
        loop {
            if is_time(started.elapsed()) {
                child.kill().unwrap();
            }
            if let Some(status) = child.try_wait().unwrap() {
                return status.signal() == Some(9);
            }
            std::thread::yield_now();
        }
    }
}

fn silent(mut command: Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Whether a folder has a file with this ending, at any depth.
fn has_file(folder: &Path, ending: &str) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| {
                let path = entry.path();
                path.to_string_lossy().ends_with(ending) || path.is_dir() && has_file(&path, ending)
            })
        })
    })
}

#[tokio::test]
async fn a_run_killed_anywhere_is_made_good_by_the_next() {
    let case = Case::new().await;
    let mut n_killed = 0;
    // At times spread over the run, and when something appears in the lake.
    const TIMES: u32 = 5;
    for n in 0..TIMES {
        let lake = format!("time-{n}");
        let delay = case.took * (2 * n + 1) / (2 * TIMES);
        n_killed += u32::from(case.kill_when(&lake, |elapsed| elapsed >= delay));
        case.check_next_run(&lake, &lake).await;
    }
    for (n, (folder, ending)) in [
        ("", ".lock"),
        ("events", "_delta_log"),
        ("sources/_delta_log", "0.json"),
        ("events", ".parquet"),
        ("events/_delta_log", "1.json"),
        ("rejects/_delta_log", "1.json"),
        ("sources/_delta_log", "1.json"),
    ]
    .into_iter()
    .enumerate()
    {
        let lake = format!("place-{n}");
        let folder = case.scratch.path(&lake).join(folder);
        n_killed += u32::from(case.kill_when(&lake, |_| has_file(&folder, ending)));
        case.check_next_run(&lake, &format!("{}: {ending}", folder.display()))
            .await;
    }
    // A slow machine may be too late for some, not for most.
    assert!(n_killed >= 6, "{n_killed}");
}

#[tokio::test]
async fn runs_killed_at_random_are_made_good_by_the_next() {
    const LAKES: usize = 5;
    let case = Case::new().await;
    let mut dice = Dice(20_250_301);
    for n in 0..LAKES {
        let lake = format!("random-{n}");
        let mut points = Vec::new();
        for _ in 0..=dice.below(3) {
            let thousandths = u32::try_from(dice.below(1_000)).unwrap();
            let delay = case.took * thousandths / 1_000;
            case.kill_when(&lake, |elapsed| elapsed >= delay);
            points.push(thousandths);
        }
        case.check_next_run(&lake, &format!("{lake}, killed at {points:?}"))
            .await;
    }
}

#[tokio::test]
async fn parts_of_the_evidence_read_at_a_time_make_the_whole() {
    let case = Case::new().await;
    // Each run reads a third that overlaps the next; whichever comes first keeps what both have.
    let parts = ["in/0[0-4]*", "in/0[3-7]*", "in/0[6-9]*", "in/[cd]*.json"];
    let read = |part: &&str| {
        let ingest = ["ingest", part, "--lake", "lake"];
        silent(case.scratch.spoor(ingest))
    };
    let mut children: Vec<Child> = parts.iter().map(read).collect();
    for child in &mut children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let sql = "SELECT eventid, content_hash, eventtime FROM events ORDER BY 1, 2";
    let found = rows(&case.scratch.path("lake"), sql).await;
    assert_eq!(found, rows(&case.scratch.path("whole"), sql).await);
}

/// Reading its own memory from the beginning fails for every process.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_cannot_be_read_costs_itself_and_is_read_later() {
    let scratch = Scratch::new();
    scratch.write("in/a.json", event(1));
    let link = scratch.path("in/b.json");
    std::os::unix::fs::symlink("/proc/self/mem", &link).unwrap();
    let done = scratch.run(["ingest", "in"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let sql = "SELECT concat(reason, ' ', reverse(left(reverse(uri), 6))) FROM rejects";
    assert_eq!(scratch.column(sql).await, ["unreadable b.json"]);
    fs::remove_file(&link).unwrap();
    scratch.write("in/b.json", event(2));
    let done = scratch.run(["ingest", "in"]);
    assert!(
        done.stderr.contains("1 records read = 1 written"),
        "{}",
        done.stderr
    );
    assert_eq!(scratch.column("SELECT count(*) FROM events").await, ["2"]);
}

#[tokio::test]
async fn a_run_killed_again_and_again_gets_there() {
    let case = Case::new().await;
    for n in 1..=4 {
        let delay = case.took * n / 5;
        case.kill_when("lake", |elapsed| elapsed >= delay);
    }
    case.check_next_run("lake", "after four kills").await;
}

#[tokio::test]
async fn between_any_two_commits_nothing_is_lost_or_doubled() {
    let case = Case::new().await;
    // What a run leaves that ends after its first commit, or after its second.
    for undone in [&["sources", "rejects"][..], &["sources"]] {
        let lake = format!("without-{}", undone.join("-"));
        let done = crate::scratch::run(&mut case.ingest(&lake));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        for table in undone {
            let log = case.scratch.path(&lake).join(table).join("_delta_log");
            fs::remove_file(log.join("00000000000000000001.json")).unwrap();
        }
        case.check_next_run(&lake, &lake).await;
    }
}

#[tokio::test]
async fn two_runs_into_one_lake_take_turns() {
    let case = Case::new().await;
    let mut children = [silent(case.ingest("lake")), silent(case.ingest("lake"))];
    for child in &mut children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    case.check("lake", "two runs at a time").await;
}

#[tokio::test]
async fn who_waits_for_the_lake_says_so_and_can_be_stopped() {
    let scratch = Scratch::new();
    scratch.write("in/a.json", event(1));
    scratch.ingest(&["in"]).await;
    let lake = Lake::open(&scratch.lake()).unwrap();
    for stop in [true, false] {
        let held = lake.lock().unwrap();
        let mut child = scratch
            .spoor(["ingest", "in"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.contains("waiting"), "{line}");
        let (ended, expected) = if stop {
            interrupt(&child);
            (child.wait(), 130)
        } else {
            drop(held);
            (child.wait(), 0)
        };
        assert_eq!(ended.unwrap().code(), Some(expected));
    }
}

/// Ctrl-C.
fn interrupt(child: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn an_interrupted_run_commits_nothing() {
    let case = Case::new().await;
    // Standard input that does not end keeps the run from ending.
    let mut child = case
        .scratch
        .spoor(["ingest", "in", "-", "--lake", "lake"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(event(1).as_bytes()).unwrap();
    let lake = case.scratch.path("lake");
    while !spoor::lake::is_lake(&lake) {
        std::thread::yield_now();
    }
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.contains("interrupted; nothing of this run was committed"),
        "{stderr}"
    );
    drop(stdin);
    let empty = contents(&lake).await;
    assert_eq!(empty.map(|rows| rows.len()), [0, 0, 0]);
    case.check_next_run("lake", "after Ctrl-C").await;
}

#[tokio::test]
async fn without_space_there_is_an_error_and_the_lake_stays_as_it_was() {
    let case = Case::new().await;
    // The lake is made first: its tables need some space themselves.
    let lake = case.scratch.path("lake");
    Lake::open_or_create(&lake).await.unwrap();
    for blocks in [0, 8] {
        // As on a full disk, writes fail; the signal that comes with it is not delivered.
        let script =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$SPOOR\" ingest in --lake lake");
        let done = case.scratch.shell(&script);
        assert_eq!(done.code, Some(2), "{blocks}: {}", done.stderr);
        assert!(
            done.stderr.contains("error: cannot write table `events`"),
            "{}",
            done.stderr
        );
        assert!(done.stderr.contains("File too large"), "{}", done.stderr);
        let unchanged = contents(&lake).await;
        assert_eq!(unchanged.map(|rows| rows.len()), [0, 0, 0]);
    }
    case.check_next_run("lake", "with space again").await;
}

#[test]
fn what_is_no_lake_is_left_alone() {
    let scratch = Scratch::new();
    scratch.write("in/a.json", event(1));
    scratch.write("file", "evidence");
    scratch.write("folder/notes.txt", "evidence");
    // A folder of logs that happens to have the name of a table.
    scratch.write("export/events/a.json", "evidence");
    for lake in ["file", "folder", "export"] {
        let done = scratch.run(["ingest", "in", "--lake", lake]);
        assert_eq!(done.code, Some(2), "{lake}: {}", done.stderr);
        assert!(
            done.stderr.contains("is not a lake\nhint: "),
            "{}",
            done.stderr
        );
        let asked = scratch.run(["query", "--lake", lake, "-c", "SELECT 1"]);
        assert_eq!(asked.code, Some(2), "{lake}: {}", asked.stderr);
    }
    assert_eq!(fs::read(scratch.path("file")).unwrap(), b"evidence");
    for folder in ["folder", "export"] {
        assert_eq!(fs::read_dir(scratch.path(folder)).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_query_that_does_not_give_way_is_interrupted_all_the_same() {
    let case = Case::new().await;
    let sql = "SELECT 1 AS one; \
               SELECT count(*) FROM generate_series(1, 100000) AS a(x), \
                 generate_series(1, 100000) AS b(y), generate_series(1, 1000) AS c(z) \
               WHERE a.x + b.y < c.z";
    let mut child = case
        .scratch
        .spoor(["query", "in", "-c", sql])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert_eq!(first, "{\"one\":1}\n");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
