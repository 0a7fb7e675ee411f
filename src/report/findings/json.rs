//! Findings as JSON: exact, every field.

use std::io::Write;

use serde::Serialize;

use super::totals::{EntryCount, Totals, entries};
use super::{FindingsReport, SeverityCounts};
use crate::error::{ReportError, Result};
use crate::finding::{Failure, Finding, Learning, RuleBudget, RuleNotes, Suppressed};
use crate::report::safe;

#[derive(Serialize)]
struct Document<'a> {
    findings: &'a [&'a Finding],
    counts: SeverityCounts,
    /// Rules that ran.
    rules: u64,
    evidence: Evidence<'a>,
    budget: &'a [RuleBudget],
    totals: Totals,
    suppressed: &'a [Suppressed],
    suppressed_by: Vec<EntryCount<'a>>,
    learning: &'a [Learning],
    /// Would-be findings before the hunt.
    n_baseline: u64,
    /// Findings below the severity asked for.
    n_left_out: u64,
    failures: &'a [Failure],
    /// What the rules with findings say of themselves.
    notes: &'a [RuleNotes],
}

#[derive(Serialize)]
struct Evidence<'a> {
    n_events: u64,
    first_time: Option<&'a str>,
    last_time: Option<&'a str>,
}

/// One document, indented: findings first, then what the run was.
pub fn write_document(
    report: &FindingsReport<'_>,
    sorted: &[&Finding],
    out: &mut dyn Write,
) -> Result<()> {
    let document = Document {
        findings: sorted,
        counts: SeverityCounts::of(report.findings),
        rules: report.n_rules,
        evidence: Evidence {
            n_events: report.n_events,
            first_time: report.first_time,
            last_time: report.last_time,
        },
        budget: report.budget,
        totals: Totals::of(report),
        suppressed: report.suppressed,
        suppressed_by: entries(report),
        learning: report.learning,
        n_baseline: report.n_baseline,
        n_left_out: report.n_left_out,
        failures: report.failures,
        notes: report.notes,
    };
    let text = serde_json::to_string_pretty(&document).map_err(encode_error)?;
    write_text(&text, out)?;
    Ok(out.flush().map_err(ReportError::from)?)
}

/// One finding a line.
pub fn write_lines(sorted: &[&Finding], out: &mut dyn Write) -> Result<()> {
    for finding in sorted {
        let text = serde_json::to_string(finding).map_err(encode_error)?;
        write_text(&text, out)?;
    }
    Ok(out.flush().map_err(ReportError::from)?)
}

fn write_text(text: &str, out: &mut dyn Write) -> Result<()> {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    safe::json(text, &mut bytes);
    bytes.push(b'\n');
    Ok(out.write_all(&bytes).map_err(ReportError::from)?)
}

pub(super) fn encode_error(source: serde_json::Error) -> ReportError {
    ReportError::Encode {
        format: "json",
        source: Box::new(source),
    }
}
