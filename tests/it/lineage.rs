//! Who was behind a session: cases written by hand, in many orders.
//!
//! The cases say what CloudTrail's records mean, not how the program finds it. They all lie in one
//! heap of evidence, for lineage must not take what is near for what belongs together, and in smaller
//! heaps, where they must come out the same.

mod cases;
mod generated;
mod oracle;
mod short;
mod tables;
mod world;

use serde_json::Value;
use spoor::ingest::records_to_batch;

use self::cases::Case;
use self::tables::{Row, Tables, rows, text};
use crate::lossless::dice::Dice;

/// Orders of the records besides the written one and its reverse.
const SHUFFLES: u64 = 3;

/// Heaps that the cases are spread over where they must come out without most others.
const APART: usize = 4;

fn together(cases: &[Case]) -> Vec<Value> {
    cases.iter().flat_map(|case| case.records.clone()).collect()
}

fn shuffled(records: &[Value], seed: u64) -> Vec<Value> {
    let mut dice = Dice(seed);
    let mut records = records.to_vec();
    for index in (1..records.len()).rev() {
        records.swap(index, dice.below(index + 1));
    }
    records
}

/// What is not as it must be for any evidence.
fn unsound(tables: &Tables) -> Vec<String> {
    let mut failures = Vec::new();
    for (id, row) in &tables.sessions {
        let mut depth = 0;
        let mut last = row;
        while let Some(parent) = text(last, "parent_id") {
            depth += 1;
            let Some(next) = tables.sessions.get(&parent) else {
                failures.push(format!("`{id}`: there is no session `{parent}`"));
                break;
            };
            if depth > tables.sessions.len() {
                failures.push(format!("`{id}` is its own ancestor"));
                break;
            }
            last = next;
        }
        let is_child = |child: &&Row| text(child, "parent_id").as_ref() == Some(id);
        let n_children = tables.sessions.values().filter(is_child).count();
        for (column, wanted) in [
            ("root_id", text(last, "session_id")),
            ("depth", Some(depth.to_string())),
            ("n_children", Some(n_children.to_string())),
        ] {
            let got = text(row, column);
            if got != wanted {
                failures.push(format!(
                    "`{id}`: {column} is {got:?}, by the parents {wanted:?}"
                ));
            }
        }
        for column in ["root_kind", "root_identity"] {
            let seen = text(last, "kind").as_deref() != Some("unseen");
            if seen && text(row, column) != text(last, column) {
                failures.push(format!("`{id}`: {column} differs from the root's"));
            }
        }
    }
    for (event, session) in &tables.events {
        if !tables.sessions.contains_key(session) {
            failures.push(format!("{event:?}: there is no session `{session}`"));
        }
    }
    failures
}

#[test]
fn cases_become_records() {
    let cases = cases::all();
    assert!(cases.len() > 100, "{} cases", cases.len());
    for case in &cases {
        let text = serde_json::to_vec(&case.records).unwrap();
        let batch = records_to_batch("case.json", &text).unwrap();
        assert_eq!(batch.num_rows(), case.records.len(), "{}", case.file);
        for record in &case.records {
            assert!(record["eventID"].is_string(), "{record}");
        }
    }
}

fn assert_none(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_holds_among_all_others() {
    let cases = cases::all();
    let tables = Tables::of(&together(&cases)).await;
    let failures = cases.iter().flat_map(|case| case.failures(&tables));
    let failures: Vec<String> = failures.chain(unsound(&tables)).collect();
    assert_none(&failures);
}

/// The functions walk as the column `parent_id` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_and_trees_follow_the_parents() {
    let tables = Tables::of(&together(&cases::all())).await;
    let ask = async |sql: String| {
        let rows = rows(&tables.engine, &sql).await;
        let ids = rows.iter().filter_map(|row| text(row, "session_id"));
        ids.collect::<Vec<String>>()
    };
    // An id that is also a key of other sessions names all of them.
    let keys = |id: &String| {
        let mut others = tables.sessions.iter().filter(|(other, _)| *other != id);
        others.any(|(_, row)| text(row, "access_key_id").as_ref() == Some(id))
    };
    for id in tables.sessions.keys().filter(|id| !keys(id)).step_by(11) {
        let quoted = id.replace('\'', "''");
        let mut path = vec![id.clone()];
        while let Some(parent) = text(&tables.sessions[path.last().unwrap()], "parent_id") {
            path.push(parent);
        }
        path.reverse();
        let got = ask(format!(
            "SELECT session_id FROM session_path('{quoted}') ORDER BY step"
        ));
        assert_eq!(got.await, path, "path of `{id}`");
        let mut below = vec![id.clone()];
        let mut next = 0;
        while next < below.len() {
            let parent = below[next].clone();
            let is_child = |row: &&Row| text(row, "parent_id").as_ref() == Some(&parent);
            let children = tables.sessions.values().filter(is_child);
            below.extend(children.filter_map(|row| text(row, "session_id")));
            next += 1;
        }
        below.sort();
        let got = ask(format!(
            "SELECT session_id FROM session_tree('{quoted}') ORDER BY session_id"
        ));
        assert_eq!(got.await, below, "tree of `{id}`");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_holds_without_the_others() {
    let mut failures = Vec::new();
    let all = cases::all();
    for start in 0..APART {
        let some: Vec<&Case> = all.iter().skip(start).step_by(APART).collect();
        let records: Vec<Value> = some.iter().flat_map(|case| case.records.clone()).collect();
        let tables = Tables::of(&records).await;
        failures.extend(some.iter().flat_map(|case| case.failures(&tables)));
        failures.extend(unsound(&tables));
    }
    assert_none(&failures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_changes_a_row() {
    let records = together(&cases::all());
    let written = Tables::of(&records).await.printed();
    let mut orders = vec![records.iter().rev().cloned().collect::<Vec<Value>>()];
    orders.extend((1..=SHUFFLES).map(|seed| shuffled(&records, seed)));
    for (index, order) in orders.into_iter().enumerate() {
        let got = Tables::of(&order).await.printed();
        let differs = written.lines().zip(got.lines()).find(|(a, b)| a != b);
        assert_eq!(differs, None, "order {index}");
        assert_eq!(written.len(), got.len(), "order {index}");
    }
}
