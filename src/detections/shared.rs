//! The views that many rules read, computed once for a run.
//!
//! DataFusion plans a view anew for every mention. Rules about roles mention the same few views many
//! times over, so their rows are kept in memory for the run, with those columns only that some rule
//! or view names: bodies of requests and responses would be most of the bytes.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Field};

use super::rule::Rule;
use crate::engine::views::VIEWS;
use crate::engine::{Engine, Params};
use crate::error::Result;

/// The views, in the order in which they build on one another.
const SHARED_VIEWS: [&str; 10] = [
    "recorded",
    "role_changes",
    "role_assumptions",
    "workload_sessions",
    "roles_passed",
    "strong_roles",
    "role_grants",
    "role_steps",
    "trust_changes",
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
    keep(engine, rules, n_events >= MIN_EVENTS_TO_NARROW).await
}

async fn keep(engine: &Engine, rules: &[&Rule], narrow: bool) -> Result<()> {
    let read = words_read(rules);
    for view in SHARED_VIEWS {
        if !read.contains(view) {
            continue;
        }
        let columns = if narrow {
            named_columns(engine, view, &words_of_readers(rules, view)).await?
        } else {
            "*".to_owned()
        };
        let sql = format!("SELECT {columns} FROM {view}");
        engine.materialize(view, &sql).await?;
    }
    Ok(())
}

/// The words of the rules and of every view that they read.
pub(super) fn words_read(rules: &[&Rule]) -> BTreeSet<String> {
    let mut read: BTreeSet<String> = rules.iter().flat_map(|rule| words(&rule.sql)).collect();
    // A view names only views before it, so one pass from the last to the first finds all.
    for view in VIEWS.iter().rev() {
        if read.contains(view.name) {
            read.extend(words(view.sql));
        }
    }
    read
}

/// The words of the rules and views that read a view. A text that does not name it cannot name a column
/// of it, unless a view hands all its columns on.
fn words_of_readers(rules: &[&Rule], view: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let mut sources = BTreeSet::from([view]);
    let reads = |read: &BTreeSet<String>, sources: &BTreeSet<&str>| {
        sources.iter().any(|source| read.contains(*source))
    };
    for reader in VIEWS.iter().filter(|reader| reader.name != view) {
        let read: BTreeSet<String> = words(reader.sql).collect();
        if reads(&read, &sources) {
            named.extend(read);
            if hands_all_on(reader.sql) {
                sources.insert(reader.name);
            }
        }
    }
    for rule in rules {
        let read: BTreeSet<String> = words(&rule.sql).collect();
        if reads(&read, &sources) {
            named.extend(read);
        }
    }
    named
}

/// Whether a statement has a `*` for columns; that of `count(*)` has a bracket before it.
fn hands_all_on(sql: &str) -> bool {
    let code = sql
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"));
    let code: String = code.collect::<Vec<_>>().join(" ");
    code.match_indices('*').any(|(at, _)| {
        let before = code[..at].trim_end();
        before.ends_with(['.', ',']) || before.to_lowercase().ends_with("select")
    })
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
        .map(|field| {
            let column = format!("\"{}\"", field.name());
            format!("{} AS {column}", narrowed(&column, field, named))
        })
        .collect();
    Ok(columns.join(", "))
}

/// A column, of a structure those members only that are named.
fn narrowed(place: &str, field: &Field, named: &BTreeSet<String>) -> String {
    let DataType::Struct(members) = field.data_type() else {
        return place.to_owned();
    };
    let members: Vec<String> = members
        .iter()
        .filter(|member| named.contains(&member.name().to_lowercase()))
        .map(|member| {
            let name = member.name();
            let place = format!("{place}.\"{name}\"");
            format!("'{name}', {}", narrowed(&place, member, named))
        })
        .collect();
    if members.is_empty() {
        return place.to_owned();
    }
    format!("named_struct({})", members.join(", "))
}

/// Every word of a text, whatever it is: a column named nowhere cannot be read.
fn words(sql: &str) -> impl Iterator<Item = String> {
    sql.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::super::loader::RuleSet;
    use super::super::runner::query;
    use super::*;
    use crate::config::Lists;
    use crate::engine::EngineOptions;
    use crate::ingest;

    #[test]
    fn words_are_found_next_to_any_sign() {
        let words: Vec<String> = words("x.errorCode IN('a',role_arn)").collect();
        for word in ["x", "errorcode", "in", "role_arn"] {
            assert!(words.iter().any(|found| found == word), "{word}");
        }
    }

    #[test]
    fn stars_for_columns_are_told_from_counts() {
        for (sql, expected) in [
            ("SELECT * FROM x", true),
            ("SELECT\n  *,\n  1 FROM x", true),
            ("SELECT a, calls.* FROM x", true),
            ("SELECT a, * FROM x", true),
            ("SELECT count(*) FROM x", false),
            ("-- SELECT * of it\nSELECT a * 2 FROM x", false),
        ] {
            assert_eq!(hands_all_on(sql), expected, "{sql}");
        }
    }

    #[tokio::test]
    async fn narrow_rows_have_what_every_rule_reads() {
        let set = RuleSet::bundled().unwrap();
        let rules: Vec<&Rule> = set.rules.iter().collect();
        let batch = ingest::records_to_batch("case", b"[{\"eventID\": \"e1\"}]").unwrap();
        let options = EngineOptions::default();
        let engine = Engine::over_batches(vec![batch], options).await.unwrap();
        keep(&engine, &rules, true).await.unwrap();
        for rule in rules {
            let answer = query(&engine, rule, &Lists::default()).await;
            assert!(answer.is_ok(), "{}: {answer:?}", rule.id);
        }
    }
}
