//! Rows into findings: one finding for each rule, account and subject.
//!
//! An attack fact that a rule sees in forty events is one finding with forty event ids. Nothing here
//! depends on the order of the rows, so the same evidence gives the same findings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::row::{Row, text};
use super::rule::{FIXED_COLUMNS, Rule};
use crate::error::RuleError;
use crate::finding::{Finding, Severity};

/// What stands for a subject that the log does not tell.
pub const UNKNOWN_SUBJECT: &str = "(unknown)";

/// Columns with a meaning of their own, which are not evidence.
const MEANINGFUL_COLUMNS: [&str; 5] = [
    "severity",
    "event_ids",
    "first_time",
    "last_time",
    "learning",
];

/// Rows of a rule in groups.
#[derive(Debug, Default)]
pub struct Grouped {
    /// Without summary, next SQL and remediation, which need text work.
    pub findings: Vec<(Finding, Row)>,
    /// Groups that would be findings if the history were long enough.
    pub n_learning: u64,
}

/// Groups the rows of a rule. `learning` says that the evidence is too short for the whole rule.
///
/// # Errors
///
/// Where a row has a severity that is none, or no time.
pub fn group(
    rule: &Rule,
    severity_override: Option<Severity>,
    rows: Vec<Row>,
    learning: bool,
) -> Result<Grouped, RuleError> {
    let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
    let mut learning_groups = BTreeSet::new();
    for row in rows {
        let key = key(rule, &row);
        if learning || row.get("learning") == Some(&Value::Bool(true)) {
            learning_groups.insert(key);
            continue;
        }
        let severity = match (severity_override, text(&row, "severity")) {
            (Some(severity), _) => severity,
            (None, None) => rule.severity,
            (None, Some(word)) => word.parse().map_err(|_| {
                RuleError::new(rule.id.as_str(), format!("`{word}` is not a severity"))
            })?,
        };
        groups.entry(key).or_default().rows.push((severity, row));
    }
    let n_learning = learning_groups.len() as u64;
    let findings = groups
        .into_iter()
        .map(|(key, group)| group.finding(rule, &key))
        .collect::<Result<_, _>>()?;
    Ok(Grouped {
        findings,
        n_learning,
    })
}

/// Account, subject, then the rule's own columns.
fn key(rule: &Rule, row: &Row) -> Vec<String> {
    let subject = text(row, "subject").unwrap_or(UNKNOWN_SUBJECT);
    let account = text(row, "recipientaccountid").unwrap_or_default();
    let mut key = vec![account.to_owned(), subject.to_owned()];
    key.extend(rule.group_by.iter().map(|name| match row.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }));
    key
}

#[derive(Debug, Default)]
struct Group {
    rows: Vec<(Severity, Row)>,
}

impl Group {
    fn finding(mut self, rule: &Rule, key: &[String]) -> Result<(Finding, Row), RuleError> {
        // The worst row first, of those the earliest: its values are the evidence.
        self.rows.sort_by_cached_key(|(severity, row)| {
            let time = row_time(row, "first_time").unwrap_or_default().to_owned();
            let id = text(row, "eventid").unwrap_or_default().to_owned();
            (
                std::cmp::Reverse(*severity),
                time,
                id,
                Value::from(row.clone()).to_string(),
            )
        });
        let rows = || self.rows.iter().map(|(_, row)| row);
        let fail = || RuleError::new(rule.id.as_str(), "a row has no `eventtime`");
        let first_time = rows().filter_map(|row| row_time(row, "first_time")).min();
        let last_time = rows().filter_map(|row| row_time(row, "last_time")).max();
        let (Some((severity, worst)), Some(first_time), Some(last_time)) =
            (self.rows.first(), first_time, last_time)
        else {
            return Err(fail());
        };
        let event_ids = event_ids(rows());
        let account = key.first().filter(|account| !account.is_empty());
        let subject = key.get(1).cloned().unwrap_or_default();
        let finding = Finding {
            id: finding_id(rule, key),
            rule: rule.id.to_string(),
            title: rule.title.clone(),
            severity: *severity,
            first_time: first_time.to_owned(),
            last_time: last_time.to_owned(),
            count: event_ids.len() as u64,
            account: account.cloned(),
            regions: sorted(rows(), "awsregion"),
            actors: sorted(rows(), "actor"),
            subject,
            source_ips: sorted(rows(), "sourceipaddress"),
            event_names: sorted(rows(), "eventname"),
            summary: String::new(),
            evidence: evidence(worst),
            event_ids,
            next_sql: String::new(),
            remediation: Vec::new(),
        };
        Ok((finding, worst.clone()))
    }
}

/// 16 hex digits of the SHA-256 of rule and key, parts closed by a zero byte.
fn finding_id(rule: &Rule, key: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(rule.id.as_str()).chain(key.iter().map(String::as_str)) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn row_time<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    text(row, name).or_else(|| text(row, "eventtime"))
}

fn sorted<'a>(rows: impl Iterator<Item = &'a Row>, name: &str) -> Vec<String> {
    let values: BTreeSet<&str> = rows.filter_map(|row| text(row, name)).collect();
    values.into_iter().map(str::to_owned).collect()
}

/// Distinct ids, by the time of the first row that names them. A row that stands for many events
/// gives them in their order.
fn event_ids<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<String> {
    let mut by_time: Vec<(&str, usize, &str)> = Vec::new();
    for row in rows {
        let time = row_time(row, "first_time").unwrap_or_default();
        match row.get("event_ids") {
            Some(Value::Array(ids)) => by_time.extend(
                ids.iter()
                    .filter_map(Value::as_str)
                    .enumerate()
                    .map(|(position, id)| (time, position, id)),
            ),
            _ => by_time.extend(text(row, "eventid").map(|id| (time, 0, id))),
        }
    }
    by_time.sort_unstable();
    let mut seen = BTreeSet::new();
    by_time.retain(|(_, _, id)| seen.insert(*id));
    by_time
        .into_iter()
        .map(|(_, _, id)| id.to_owned())
        .collect()
}

fn evidence(row: &Row) -> Map<String, Value> {
    row.iter()
        .filter(|(name, value)| {
            let name = name.as_str();
            let known = FIXED_COLUMNS.contains(&name) || MEANINGFUL_COLUMNS.contains(&name);
            !known && !value.is_null()
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
