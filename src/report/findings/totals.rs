//! What a run adds up to, counted once for every format.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::FindingsReport;
use crate::finding::{Finding, Severity};

/// How much some of the findings ask of whoever reads them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Total {
    pub n_findings: u64,
    /// Distinct events that they name. Rules may name the same event, so this is no sum over rules.
    pub n_events: u64,
    /// Those of all events of the evidence, from 0 to 1.
    pub share: f64,
}

/// The totals of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Totals {
    pub all: Total,
    /// What somebody is expected to look at.
    pub medium_or_worse: Total,
}

impl Totals {
    pub fn of(report: &FindingsReport<'_>) -> Self {
        let total = |least: Severity| {
            let mut total = Total::default();
            let mut events = BTreeSet::new();
            for finding in report.findings.iter().filter(|f| f.severity >= least) {
                total.n_findings += 1;
                events.extend(finding.event_ids.iter().map(String::as_str));
            }
            total.n_events = events.len() as u64;
            total.share = total.n_events as f64 / report.n_events.max(1) as f64;
            total
        };
        Self {
            all: total(Severity::Info),
            medium_or_worse: total(Severity::Medium),
        }
    }
}

/// An entry of the lists, and how many findings it removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryCount<'a> {
    pub entry: &'a str,
    pub reason: &'a str,
    pub n_findings: u64,
}

/// The entries that removed findings, those that removed most first.
pub fn entries<'a>(report: &FindingsReport<'a>) -> Vec<EntryCount<'a>> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for suppressed in report.suppressed {
        *counts
            .entry((&suppressed.entry, &suppressed.reason))
            .or_default() += 1;
    }
    let mut entries: Vec<EntryCount<'_>> = counts
        .into_iter()
        .map(|((entry, reason), n_findings)| EntryCount {
            entry,
            reason,
            n_findings,
        })
        .collect();
    // Stable, so entries of one count stay in the order of their names.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.n_findings));
    entries
}

/// A share from 0 to 1 in percent. Four digits tell one event of a million from none.
pub fn percent(share: f64) -> String {
    format!("{:.4} %", share * 100.0)
}

/// A number with its noun.
pub fn plural(n: u64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// `3 critical, 1 low`; empty where there is no finding.
pub fn by_severity(findings: &[Finding]) -> String {
    let counts = super::SeverityCounts::of(findings).worst_first();
    let parts = counts.into_iter().filter(|(_, n)| *n > 0);
    let parts: Vec<_> = parts
        .map(|(severity, n)| format!("{n} {severity}"))
        .collect();
    parts.join(", ")
}

/// What a rule that is still learning keeps back, and until when.
pub fn learning(learning: &crate::finding::Learning) -> String {
    format!(
        "{}, {} of history needed",
        plural(learning.n_subjects, "subject"),
        plural(u64::from(learning.baseline_days), "day")
    )
}
