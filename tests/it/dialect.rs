//! Statements as they are written for Athena and CloudTrail Lake, the statements that spoor makes of them,
//! and their rows: the files of `tests/dialect`, over the events of `tests/slt/events.ndjson`.
//!
//! With `SPOOR_WRITE_DIALECT=1` what the statements become is printed and not compared, to be read and then
//! written down.

use std::path::Path;

use serde::Deserialize;

use crate::scratch::Scratch;
use crate::slt::{self, Asked};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// As somebody wrote it.
    written: String,
    /// What runs.
    becomes: String,
    /// The rows, cells with a comma and a blank between them.
    rows: Vec<String>,
    /// What the user is told of how it was read.
    #[serde(default)]
    notes: Vec<String>,
}

#[tokio::test]
async fn statements_become_what_is_written_down() {
    let scratch = Scratch::new();
    let engine = slt::engine(&scratch).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialect");
    let print = std::env::var_os("SPOOR_WRITE_DIALECT").is_some();
    let mut wrong = Vec::new();
    let mut names: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    for name in names {
        let text = std::fs::read_to_string(&name).unwrap();
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        for case in file.case {
            let found = answer(&Asked(engine.clone()), &case.written).await;
            if print {
                println!("{}\n{found:#?}\n", case.written);
            } else if found != (case.becomes, case.rows, case.notes) {
                wrong.push(format!("{}: {}\n{found:#?}", name.display(), case.written));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What a statement becomes, its rows and its notes; an error stands in the rows.
async fn answer(asked: &Asked, sql: &str) -> (String, Vec<String>, Vec<String>) {
    let parsed = match asked.0.parse(sql) {
        Ok(parsed) => parsed,
        Err(error) => return (error.to_string(), Vec::new(), Vec::new()),
    };
    let [statement] = parsed.as_slice() else {
        panic!("one statement a case: {sql}");
    };
    let rows = match asked.rows(sql).await {
        Ok((_, rows)) => rows.iter().map(|cells| cells.join(", ")).collect(),
        Err(error) => vec![error.to_string()],
    };
    (statement.rewritten(), rows, statement.notes.clone())
}
