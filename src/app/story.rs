//! From a handle to a story, where the handle may be a finding.

use crate::config::Lists;
use crate::detections::{RuleSet, runner};
use crate::engine::Engine;
use crate::error::Result;
use crate::lineage::story::Trace;
use crate::trace::{self, Handle, TraceLimits, finding_id};

/// The story of what `text` names. Where it has the form of a finding's id, the rules are run to know
/// the finding's events.
///
/// # Errors
///
/// As [`trace::trace`] and [`runner::detect`].
pub async fn trace(
    engine: &Engine,
    rules: &RuleSet,
    lists: &Lists,
    text: &str,
    limits: TraceLimits,
) -> Result<Trace> {
    let handle = match finding_id(text) {
        Some(id) => finding(engine, rules, lists, id).await?,
        None => None,
    };
    let handle = handle.unwrap_or_else(|| Handle::Text(text.to_owned()));
    trace::trace(engine, &handle, limits).await
}

async fn finding(
    engine: &Engine,
    rules: &RuleSet,
    lists: &Lists,
    id: &str,
) -> Result<Option<Handle>> {
    let report = runner::detect(engine, rules, lists).await?;
    let suppressed = report.suppressed.iter().map(|entry| &entry.finding);
    let mut findings = report.findings.iter().chain(suppressed);
    Ok(findings
        .find(|finding| finding.id == id)
        .map(|finding| Handle::Finding {
            id: id.to_owned(),
            event_ids: finding.event_ids.clone(),
        }))
}
