//! Trust policies: who can take a role, and how well that is guarded.
//!
//! [`analyze`] reads one document and judges it against what the case knows ([`TrustContext`]). The
//! verdict is the most exposed principal of any statement; the codes say why and what else is wrong.
//! The widest value of a condition decides, and a Deny counts only in the shapes that are understood.
//!
//! What always holds: any text gives a report, in time bounded by the length of the text; the same
//! text and context give the same report; an added condition that binds never makes a verdict worse.
//!
//! [`diff`] compares two documents of one role: what the later one opened and closed.
//!
//! Left to others: whether the call that carried the document succeeded, what the role may do, and the
//! clock (a statement that has run out is graded as if it had not).

mod codes;
mod conditions;
mod context;
mod deny;
mod diff;
mod external_id;
mod federation;
mod grade;
mod implication;
mod issuers;
mod principals;
mod services;
mod subjects;
mod verdict;

#[cfg(test)]
mod tests;

pub use codes::{Code, Verdict};
pub use context::TrustContext;
pub use diff::{ChangeKind, TrustChange, TrustDiff, diff};

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Severity;
use crate::policy::document::{Json, Unreadable, read};
use crate::policy::readings::{duplicate_names, readings};
use grade::Raised;
use verdict::{Assembly, assemble};

/// Longest value carried in a finding, in characters.
const MAX_VALUE_CHARS: usize = 300;
/// Most notes carried in a report.
const MAX_NOTES: usize = 32;

/// One code with its place and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustFinding {
    pub code: Code,
    pub severity: Severity,
    /// Position of the statement, from 0; `None` if it is about the document.
    pub statement: Option<usize>,
    /// The offending value as written, cut to a bounded length.
    pub value: String,
    /// How to write the statement instead.
    pub advice: String,
}

/// The result for one trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustReport {
    pub verdict: Verdict,
    /// The maximum over the verdict's own severity and all findings.
    pub severity: Severity,
    /// Sorted by code, statement and value, without repetition.
    pub findings: Vec<TrustFinding>,
    /// Principals that can take the role, as written, sorted. `*` is everybody.
    pub principals: Vec<String>,
    /// Sentences about elements that were skipped or look wrong.
    pub notes: Vec<String>,
}

impl TrustReport {
    /// The codes, sorted and without repetition.
    pub fn codes(&self) -> Vec<Code> {
        let mut codes: Vec<Code> = self.findings.iter().map(|finding| finding.code).collect();
        codes.dedup();
        codes
    }
}

/// Grades a trust policy. Never fails: a text that is no policy gives [`Verdict::Invalid`].
///
/// A document with repeated member names is read in every way, and the worst reading is reported.
pub fn analyze(text: &str, context: &TrustContext) -> TrustReport {
    match read(text) {
        Ok(document) => worst_reading(&document, context).report,
        Err(error) => unreadable(&error, context),
    }
}

/// The report on one reading of a document, with the reading itself.
struct Judged {
    reading: Json,
    report: TrustReport,
    /// The verdict of each principal that a statement lets in, by position and value.
    grades: BTreeMap<(usize, String), Verdict>,
}

fn unreadable(error: &Unreadable, context: &TrustContext) -> TrustReport {
    let assembly = Assembly {
        verdict: Verdict::Invalid,
        grades: BTreeMap::new(),
        raised: vec![(None, Raised::new(Code::T00, &error.to_string()))],
        principals: BTreeSet::new(),
        notes: Vec::new(),
    };
    report(assembly, context)
}

fn worst_reading(document: &Json, context: &TrustContext) -> Judged {
    let repeated = duplicate_names(document);
    let judge = |reading: Json| {
        let mut assembly = assemble(&reading, context);
        let names = repeated
            .iter()
            .map(|(statement, name)| (*statement, Raised::new(Code::T39, name)));
        assembly.raised.extend(names);
        let grades = std::mem::take(&mut assembly.grades);
        Judged {
            report: report(assembly, context),
            grades,
            reading,
        }
    };
    let worst = readings(document)
        .into_iter()
        .map(judge)
        .min_by_key(|judged| {
            // A total order, so that the choice does not depend on the order of the readings.
            let findings: Vec<(Code, Option<usize>, String)> = judged
                .report
                .findings
                .iter()
                .map(|finding| (finding.code, finding.statement, finding.value.clone()))
                .collect();
            let report = &judged.report;
            (report.verdict, Reverse(report.severity), findings)
        });
    // A document has at least one reading.
    worst.unwrap_or_else(|| judge(document.clone()))
}

fn report(assembly: Assembly, context: &TrustContext) -> TrustReport {
    let mut findings: Vec<TrustFinding> = assembly
        .raised
        .into_iter()
        .map(|(statement, raised)| TrustFinding {
            code: raised.code,
            severity: raised.severity,
            statement,
            value: cut(&raised.value),
            advice: context.fill(raised.code.advice()),
        })
        .collect();
    findings.sort_by(|a, b| {
        let key = |finding: &TrustFinding| (finding.code, finding.statement);
        (key(a), &a.value, Reverse(a.severity)).cmp(&(key(b), &b.value, Reverse(b.severity)))
    });
    findings.dedup_by(|b, a| (a.code, a.statement, &a.value) == (b.code, b.statement, &b.value));
    let severity = findings
        .iter()
        .map(|finding| finding.severity)
        .fold(assembly.verdict.severity(), Severity::max);
    let mut notes = assembly.notes;
    notes.sort();
    notes.dedup();
    notes.truncate(MAX_NOTES);
    TrustReport {
        verdict: assembly.verdict,
        severity,
        findings,
        principals: assembly.principals.into_iter().collect(),
        notes,
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => {
            let kept = text.get(..end).unwrap_or_default();
            format!("{kept}…")
        }
        None => text.to_owned(),
    }
}
