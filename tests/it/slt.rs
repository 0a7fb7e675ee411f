//! SQL and its answers: the files below `tests/slt`, over the events of `tests/slt/events.ndjson`.
//!
//! What an answer should be was taken from the documentation of Trino, Athena and CloudTrail Lake,
//! not from what the engine said. `NULL` is a null and `(empty)` a text of no length.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use spoor::engine::{Engine, EngineOptions, Params};
use spoor::lake::Lake;
use sqllogictest::{DBOutput, DefaultColumnType, Runner, default_validator};

use crate::scratch::Scratch;

/// One engine, asked by every file.
pub struct Asked(pub Arc<Engine>);

impl Asked {
    pub async fn rows(&self, sql: &str) -> spoor::Result<(usize, Vec<Vec<String>>)> {
        let rows = self.0.query(sql, &Params::new()).await?;
        let n_columns = rows.schema.fields().len();
        let batches = rows.collect().await?;
        Ok((n_columns, batches.iter().flat_map(texts).collect()))
    }
}

#[async_trait::async_trait]
impl sqllogictest::AsyncDB for Asked {
    type Error = spoor::Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> spoor::Result<DBOutput<DefaultColumnType>> {
        let (n_columns, rows) = self.rows(sql).await?;
        let types = vec![DefaultColumnType::Any; n_columns];
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}
}

/// The rows of a batch as text.
fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch.columns().iter();
    let columns: Vec<_> = columns
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    let row = |row| {
        let cells = columns.iter().map(|column| column.value(row).to_string());
        cells.map(shown).collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

fn shown(cell: String) -> String {
    if cell.is_empty() {
        return "(empty)".to_owned();
    }
    cell
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

/// Every file below a folder that ends in `.slt`, sorted.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "slt") {
            found.push(path);
        }
    }
    found.sort();
}

pub async fn engine(scratch: &Scratch) -> Arc<Engine> {
    let events = std::fs::read(folder().join("events.ndjson")).unwrap();
    scratch.write("events.ndjson", events);
    scratch.ingest(&["events.ndjson"]).await;
    let lake = Lake::open(&scratch.lake()).unwrap();
    Arc::new(Engine::open(&lake, EngineOptions::default()).await.unwrap())
}

#[tokio::test]
async fn every_answer_is_the_documented_one() {
    let scratch = Scratch::new();
    let engine = engine(&scratch).await;
    let mut found = Vec::new();
    files(&folder(), &mut found);
    assert!(!found.is_empty());
    let mut wrong = Vec::new();
    for path in found {
        for record in sqllogictest::parse_file::<DefaultColumnType>(&path).unwrap() {
            let asked = Arc::clone(&engine);
            let mut runner = Runner::new(move || {
                let asked = Arc::clone(&asked);
                async move { Ok(Asked(asked)) }
            });
            runner.with_validator(default_validator);
            // One after another, and on after a wrong answer: each is named.
            if let Err(error) = runner.run_async(record).await {
                wrong.push(error.display(false).to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
