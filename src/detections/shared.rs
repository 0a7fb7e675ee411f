//! The views that many rules read, computed once for a run.
//!
//! DataFusion plans a view anew for every mention. Rules about roles mention the same few views many
//! times over, so their rows are kept in memory for the run, with those columns only that some rule
//! or view names: bodies of requests and responses would be most of the bytes.

use std::collections::BTreeSet;

use super::rule::Rule;
use crate::engine::views::VIEWS;
use crate::engine::{Engine, Params};
use crate::error::Result;

/// The views, in the order in which they build on one another.
const SHARED_VIEWS: [&str; 7] = [
    "recorded",
    "role_changes",
    "role_assumptions",
    "workload_sessions",
    "roles_passed",
    "strong_roles",
    "trust_exposures",
];

/// Evidence of fewer events is not worth the planning that narrow rows take.
const MIN_EVENTS_TO_NARROW: u64 = 50_000;

/// Puts kept rows in the place of the shared views that the rules read, directly or through others.
///
/// # Errors
///
/// Where a view cannot be computed, which makes every answer doubtful.
pub async fn materialize(engine: &Engine, rules: &[&Rule], n_events: u64) -> Result<()> {
    let read = words_read(rules);
    for view in SHARED_VIEWS {
        if !read.contains(view) {
            continue;
        }
        let columns = if n_events < MIN_EVENTS_TO_NARROW {
            "*".to_owned()
        } else {
            named_columns(engine, view, &read).await?
        };
        let sql = format!("SELECT {columns} FROM {view}");
        engine.materialize(view, &sql).await?;
    }
    Ok(())
}

/// The words of the rules and of every view that they read.
fn words_read(rules: &[&Rule]) -> BTreeSet<String> {
    let mut read: BTreeSet<String> = rules.iter().flat_map(|rule| words(&rule.sql)).collect();
    // A view names only views before it, so one pass from the last to the first finds all.
    for view in VIEWS.iter().rev() {
        if read.contains(view.name) {
            read.extend(words(view.sql));
        }
    }
    read
}

async fn named_columns(engine: &Engine, view: &str, named: &BTreeSet<String>) -> Result<String> {
    let shape = engine
        .query(&format!("SELECT * FROM {view} LIMIT 0"), &Params::new())
        .await?
        .schema;
    let columns: Vec<String> = shape
        .fields()
        .iter()
        .filter(|field| named.contains(&field.name().to_lowercase()))
        .map(|field| format!("\"{}\"", field.name()))
        .collect();
    Ok(columns.join(", "))
}

/// Every word of a text, whatever it is: a column named nowhere cannot be read.
fn words(sql: &str) -> impl Iterator<Item = String> {
    sql.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_next_to_any_sign() {
        let words: Vec<String> = words("x.errorCode IN('a',role_arn)").collect();
        for word in ["x", "errorcode", "in", "role_arn"] {
            assert!(words.iter().any(|found| found == word), "{word}");
        }
    }
}
