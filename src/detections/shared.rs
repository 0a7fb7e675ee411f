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
const SHARED_VIEWS: [&str; 4] = [
    "role_changes",
    "role_assumptions",
    "strong_roles",
    "trust_exposures",
];

/// Puts kept rows in the place of the shared views.
///
/// # Errors
///
/// Where a view cannot be computed, which makes every answer doubtful.
pub async fn materialize(engine: &Engine, rules: &[&Rule]) -> Result<()> {
    let texts = VIEWS.iter().map(|view| view.sql);
    let texts = texts.chain(rules.iter().map(|rule| rule.sql.as_str()));
    let named: BTreeSet<String> = texts.flat_map(words).collect();
    for view in SHARED_VIEWS {
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
        let sql = format!("SELECT {} FROM {view}", columns.join(", "));
        engine.materialize(view, &sql).await?;
    }
    Ok(())
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
