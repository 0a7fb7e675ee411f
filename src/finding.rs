//! Findings as plain data: what a rule says about one subject, with its proof, and what a run of the
//! rules says beside them.
//!
//! Nothing here knows SQL, files or terminals. The engine and the rules make findings, the renderers
//! in [`crate::report`] print them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::RuleError;

/// How much a finding matters, mildest first, so that `max` gives the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The lower-case word used in rules, flags and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text was none of the five severity words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a severity (info, low, medium, high, critical)")]
pub struct UnknownSeverity(pub String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

/// One rule's statement about one subject, grouped over all events that say it.
///
/// Times are RFC 3339 UTC text with whole or fractional seconds, as CloudTrail writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable over runs: 16 hex digits of the SHA-256 of rule id, account and subject.
    pub id: String,
    pub rule: String,
    pub title: String,
    pub severity: Severity,
    pub first_time: String,
    pub last_time: String,
    /// Number of distinct events behind the finding.
    pub count: u64,
    /// The account the events were recorded in.
    pub account: Option<String>,
    pub regions: Vec<String>,
    /// Who: principal keys, sorted.
    pub actors: Vec<String>,
    /// What it is about, mostly a role ARN.
    pub subject: String,
    /// Who that really was: where the chains of the sessions behind the finding begin, the most busy first.
    pub origins: Vec<Origin>,
    /// From where: addresses or service names, sorted.
    pub source_ips: Vec<String>,
    /// What was called, sorted.
    pub event_names: Vec<String>,
    /// One sentence for the file.
    pub summary: String,
    /// The rule's further columns for the first event of the worst severity, by name.
    pub evidence: serde_json::Map<String, serde_json::Value>,
    /// The events that prove it, sorted by time, then id.
    pub event_ids: Vec<String>,
    /// A query that shows the events and what stood around them.
    pub next_sql: String,
    /// What to do now: recipes filled with the finding's own values.
    pub remediation: Vec<Remediation>,
}

/// Where a chain of sessions begins, and how it goes on to the session that acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `iam-user-key`, `console-user`, `instance` and so on, as `sessions.root_kind` has it.
    pub root_kind: String,
    /// A user's ARN, an instance's id, a provider and a subject, …
    pub root_identity: String,
    /// As sure as the least sure link of the chain; `None` where the root itself acted.
    pub confidence: Option<String>,
    /// The sessions from the root's first one to the one that acted, by role and session name.
    pub chain: Vec<String>,
    /// One session of this chain, for `spoor trace` and `session_path`.
    pub session_id: String,
    /// How many sessions came this way.
    pub n_sessions: u64,
}

impl Origin {
    /// Root and chain in one line.
    pub fn told(&self) -> String {
        let mut text = format!("{} {}", self.root_kind, self.root_identity);
        for session in &self.chain {
            text.push_str(" → ");
            text.push_str(session);
        }
        if self.confidence.as_deref() == Some("likely") {
            text.push_str(" (likely)");
        }
        text
    }
}

/// A finding that an entry of the case's lists covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppressed {
    #[serde(flatten)]
    pub finding: Finding,
    /// The entry: `[[allow]]` with its number from 1 and its rule, or a list and the pattern in it.
    pub entry: String,
    /// Why, in the entry's own words where it has some.
    pub reason: String,
}

/// A remediation recipe with the placeholders filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remediation {
    /// The recipe's id: the stem of its file under `sql/remediation/`.
    pub id: String,
    pub title: String,
    /// The account to work in, where it is not the one that the events were recorded in.
    pub account: Option<String>,
    /// The whole recipe as Markdown: Console, CLI and boto3 steps. Text, never run.
    pub steps: String,
}

/// What a rule says of itself, for whoever reads its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleNotes {
    pub rule: String,
    pub title: String,
    pub description: String,
    /// Questions to ask of a finding.
    pub triage: Vec<String>,
    /// When the rule speaks though nothing is wrong.
    pub false_positives: Vec<String>,
    pub attack: Vec<Technique>,
    /// Addresses of pages to read on.
    pub references: Vec<String>,
}

/// A technique or sub-technique of ATT&CK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technique {
    /// For example `T1078.004`.
    pub id: String,
    pub name: String,
    /// Ids of the version before, where they differ.
    #[serde(default)]
    pub older: Vec<String>,
}

/// How much a rule says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleBudget {
    pub rule: String,
    pub n_findings: u64,
    /// Distinct events that its findings name.
    pub n_events: u64,
    /// Those of all events of the evidence, from 0 to 1.
    pub share: f64,
}

/// A rule that keeps silent until it knows what is normal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Learning {
    pub rule: String,
    pub title: String,
    /// Subjects that would be findings.
    pub n_subjects: u64,
    /// Days of history that the rule needs before an event.
    pub baseline_days: u32,
}

/// A rule that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Failure {
    pub rule: String,
    /// The error and its causes, outermost first.
    pub message: String,
}

impl Failure {
    /// The error's whole chain in one line. The rule is named beside it, so not in it.
    pub fn new(rule: impl Into<String>, error: &RuleError) -> Self {
        use std::error::Error as _;
        let mut message = error.message.clone();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self {
            rule: rule.into(),
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_rule_once() {
        let error = RuleError {
            source: Some("no such value".into()),
            ..RuleError::new("r", "cannot fill the summary")
        };
        let failure = Failure::new("r", &error);
        assert_eq!(failure.message, "cannot fill the summary: no such value");
    }
}
