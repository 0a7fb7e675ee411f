//! Answers of statements, for tests, over a small table.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::FunctionRegistry;

use crate::engine::{Engine, EngineOptions, Params};

/// An engine with two partitions over the table `t`: `k` is `'a'` or `'b'`, `n` counts from 1 to 6 with
/// NULL for 4, `x` is text, `l` an array of integers.
pub(in crate::engine) async fn engine() -> Engine {
    let mut engine = Engine::over_batches(
        Vec::new(),
        EngineOptions {
            target_partitions: Some(2),
            ..EngineOptions::default()
        },
    )
    .await
    .unwrap();
    // A scalar function of the same name would be found first.
    let mut state = engine.state.as_ref().clone();
    state.deregister_udf("array_sort").unwrap();
    // Views are planned by the session that the engine began with, so that one stays.
    std::mem::forget(std::mem::replace(&mut engine.state, Arc::new(state)));
    let sql = "SELECT * FROM (VALUES \
        ('a', 1, 'one', make_array(1, 2, 3)), \
        ('a', 2, 'two', make_array(5, NULL)), \
        ('b', 3, 'three', NULL), \
        ('b', NULL, NULL, make_array(4)), \
        ('a', 5, 'five', make_array(1, 1)), \
        ('b', 6, 'six', make_array(9, 8, 7))) AS v(k, n, x, l)";
    let rows = engine.query(sql, &Params::new()).await.unwrap();
    let schema = Arc::clone(&rows.schema);
    let batches = rows.collect().await.unwrap();
    let batches: Vec<RecordBatch> = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|row| batch.slice(row, 1)))
        .collect();
    engine.register_batches("t", schema, batches).unwrap();
    engine
}

/// The rows of a statement, `;` between rows and `,` between columns, or its error.
pub(in crate::engine) async fn answer(engine: &Engine, sql: &str) -> String {
    let rows = match engine.query(sql, &Params::new()).await {
        Ok(rows) => rows.collect().await,
        Err(error) => Err(error),
    };
    match rows {
        Ok(batches) => shown(&batches),
        Err(error) => {
            // The place is the statement's.
            let text = error.to_string();
            let what = text
                .strip_prefix("line 1, column ")
                .and_then(|rest| rest.split_once(": "))
                .map_or(text.as_str(), |(_, what)| what);
            format!("error: {what}")
        }
    }
}

/// Checks the answers of expressions and statements.
pub(in crate::engine) async fn check(cases: &[(&str, &str)]) {
    let engine = engine().await;
    let mut wrong = Vec::new();
    for (sql, expected) in cases {
        let statement = match sql.get(..7) {
            Some("SELECT " | "WITH x ") => (*sql).to_owned(),
            _ => format!("SELECT {sql}"),
        };
        let found = answer(&engine, &statement).await;
        let matches = match expected.strip_suffix('…') {
            Some(start) => found.starts_with(start),
            None => found == *expected,
        };
        if !matches {
            wrong.push(format!("{sql}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn shown(batches: &[RecordBatch]) -> String {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            rows.push(cells.join(","));
        }
    }
    rows.join(";")
}
