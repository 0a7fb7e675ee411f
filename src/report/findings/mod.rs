//! Findings as blocks to read, as JSON, NDJSON or CSV, and as a report to hand over in Markdown or
//! HTML.
//!
//! Always true: findings come worst first, then by time, rule and id, whatever order they were given
//! in. The machine formats carry every field; the blocks show what one needs to decide what to do
//! next, and name where the rest is. CSV and NDJSON hold findings alone; the others also tell what
//! the run was: what was suppressed and by what, what is still learning, what each rule costs.

mod blocks;
mod csv;
mod html;
mod json;
mod markdown;
mod page;
mod steps;
mod totals;

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use serde::Serialize;

use self::page::Page;
use super::rows::UnknownFormat;
use crate::error::Result;
use crate::finding::{Failure, Finding, Learning, RuleBudget, RuleNotes, Severity, Suppressed};

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingFormat {
    /// Blocks to read.
    Table,
    /// One document: findings, and what the run was.
    Json,
    /// One finding a line.
    Ndjson,
    /// One finding a record.
    Csv,
    /// A report to hand over.
    Markdown,
    /// The same as one HTML file that needs nothing else.
    Html,
}

impl FindingFormat {
    /// Every format, in the order help texts show them.
    pub const ALL: [Self; 6] = [
        Self::Table,
        Self::Json,
        Self::Ndjson,
        Self::Csv,
        Self::Markdown,
        Self::Html,
    ];

    /// The names of [`FindingFormat::ALL`], as flags spell them.
    pub const NAMES: [&'static str; 6] = ["table", "json", "ndjson", "csv", "markdown", "html"];

    /// The name in flags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }
}

impl fmt::Display for FindingFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FindingFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat {
                name: text.to_owned(),
                known: &Self::NAMES,
            })
    }
}

/// What a run of the rules found.
#[derive(Debug, Clone, Copy, Default)]
pub struct FindingsReport<'a> {
    pub findings: &'a [Finding],
    /// Findings that an entry of the lists removed openly.
    pub suppressed: &'a [Suppressed],
    /// Rules that found the history too short to judge.
    pub learning: &'a [Learning],
    /// Rules that gave no answer.
    pub failures: &'a [Failure],
    /// What each rule with findings costs its reader.
    pub budget: &'a [RuleBudget],
    /// What the rules with findings say of themselves.
    pub notes: &'a [RuleNotes],
    /// Rules that ran.
    pub n_rules: u64,
    /// Events of the evidence.
    pub n_events: u64,
    /// When the evidence begins and ends.
    pub first_time: Option<&'a str>,
    pub last_time: Option<&'a str>,
    /// Would-be findings that lie before the hunt.
    pub n_baseline: u64,
    /// Findings milder than what was asked for, which are not among these.
    pub n_left_out: u64,
}

/// How findings look on a screen.
#[derive(Debug, Clone, Copy, Default)]
pub struct FindingOptions {
    /// Mark severities with terminal colors.
    pub color: bool,
    /// The terminal's width in columns; `None` where there is no terminal.
    pub width: Option<usize>,
}

/// Findings of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SeverityCounts {
    pub critical: usize,
    pub high: usize,
    pub medium: usize,
    pub low: usize,
    pub info: usize,
}

impl SeverityCounts {
    /// Counts the findings.
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| {
            let of_it = findings
                .iter()
                .filter(|finding| finding.severity == severity);
            of_it.count()
        };
        Self {
            critical: count(Severity::Critical),
            high: count(Severity::High),
            medium: count(Severity::Medium),
            low: count(Severity::Low),
            info: count(Severity::Info),
        }
    }

    /// Name and number, worst first.
    pub fn worst_first(&self) -> [(Severity, usize); 5] {
        [
            (Severity::Critical, self.critical),
            (Severity::High, self.high),
            (Severity::Medium, self.medium),
            (Severity::Low, self.low),
            (Severity::Info, self.info),
        ]
    }
}

/// Writes the findings of a run.
///
/// # Errors
///
/// Where `out` cannot be written; a closed pipe is the source of the error then.
pub fn write_findings(
    report: &FindingsReport<'_>,
    format: FindingFormat,
    out: &mut dyn Write,
    options: FindingOptions,
) -> Result<()> {
    let mut sorted: Vec<&Finding> = report.findings.iter().collect();
    sorted.sort_by(|a, b| {
        (b.severity.cmp(&a.severity))
            .then_with(|| a.first_time.cmp(&b.first_time))
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| a.id.cmp(&b.id))
    });
    match format {
        FindingFormat::Table => blocks::write(report, &sorted, out, options),
        FindingFormat::Json => json::write_document(report, &sorted, out),
        FindingFormat::Ndjson => json::write_lines(&sorted, out),
        FindingFormat::Csv => csv::write(&sorted, out),
        FindingFormat::Markdown => markdown::write(&Page::new(report, &sorted), out),
        FindingFormat::Html => html::write(&Page::new(report, &sorted), out),
    }
}

#[cfg(test)]
mod tests;
