//! `.detect`, `.rules` and `.trace`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::Case;
use crate::app;
use crate::detections::{DetectReport, Rule, runner};
use crate::error::{QueryError, Result};
use crate::lineage::story::Trace;
use crate::trace::TraceLimits;

/// Runs all rules, or the one named, and makes the tables `findings` and `suppressed` of the outcome.
///
/// # Errors
///
/// Where there is no such rule, or the evidence cannot be read.
pub async fn detect(case: &Case, rule: Option<&str>) -> Result<DetectReport> {
    let report = match rule {
        None => runner::detect(&case.engine, &case.rules, &case.lists).await?,
        Some(id) => {
            let rule = case.rules.rule(id).ok_or_else(|| no_rule(id))?;
            runner::detect_rules(&case.engine, &[rule], &case.lists).await?
        }
    };
    report.register(&case.engine)?;
    Ok(report)
}

/// The story of what a handle names.
///
/// # Errors
///
/// Where it names nothing, or the evidence cannot be read.
pub async fn trace(case: &Case, handle: &str) -> Result<Trace> {
    let limits = TraceLimits::default();
    app::trace(&case.engine, &case.rules, &case.lists, handle, limits).await
}

fn no_rule(id: &str) -> QueryError {
    QueryError::new(format!("no rule `{id}`")).with_hint("`.rules` lists the rules")
}

/// The rules as rows: worst first, then by id.
pub fn rules(case: &Case) -> Vec<(&'static str, ArrayRef)> {
    let mut rules: Vec<&Rule> = case.rules.rules.iter().collect();
    rules.sort_by(|a, b| {
        (b.severity.cmp(&a.severity)).then_with(|| a.id.as_str().cmp(b.id.as_str()))
    });
    let column = |get: fn(&Rule) -> &str| -> ArrayRef {
        let values = rules.iter().map(|rule| get(rule));
        Arc::new(StringArray::from_iter_values(values))
    };
    vec![
        ("rule", column(|rule| rule.id.as_str())),
        ("severity", column(|rule| rule.severity.as_str())),
        ("family", column(|rule| &rule.family)),
        ("title", column(|rule| &rule.title)),
    ]
}

/// Columns of one length as a batch.
///
/// # Errors
///
/// Never for columns of one length.
pub fn batch(columns: Vec<(&'static str, ArrayRef)>) -> Result<RecordBatch> {
    let batch = RecordBatch::try_from_iter(columns).map_err(|source| QueryError {
        message: "cannot make the list".to_owned(),
        hint: None,
        source: Some(Box::new(source)),
    })?;
    Ok(batch)
}
