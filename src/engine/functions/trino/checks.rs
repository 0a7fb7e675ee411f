//! Tests of functions through SQL: tables of expressions and what they give.

use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::engine::{Engine, EngineOptions, Params};

/// Checks that each expression gives what stands beside it: the value as text, `NULL`, or `error: ` and
/// a part of the message.
pub(super) fn check(cases: &[(&str, &str)]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let engine = runtime
        .block_on(Engine::over_batches(vec![], EngineOptions::default()))
        .unwrap();
    let mut wrong = Vec::new();
    for (expression, expected) in cases {
        let given = runtime.block_on(answer(&engine, &format!("SELECT {expression}")));
        let right = match expected.strip_prefix("error: ") {
            Some(part) => given.starts_with("error: ") && given.contains(part),
            None => given == *expected,
        };
        if !right {
            wrong.push(format!(
                "{expression}\n  gives    {given}\n  expected {expected}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn answer(engine: &Engine, sql: &str) -> String {
    let rows = match engine.query(sql, &Params::new()).await {
        Ok(rows) => rows.collect().await,
        Err(error) => Err(error),
    };
    let batches = match rows {
        Ok(batches) => batches,
        Err(error) => {
            let mut text = format!("error: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            return text;
        }
    };
    let options = FormatOptions::default().with_null("NULL");
    let mut cells = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let column = ArrayFormatter::try_new(batch.column(0), &options).unwrap();
            cells.push(column.value(row).to_string());
        }
    }
    cells.join("\n")
}
