//! Findings as plain data: what a rule says about one subject, with its proof.
//!
//! Nothing here knows SQL, files or terminals. The engine and the rules make findings, the renderers
//! in [`crate::report`] print them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
