//! Rows into findings: one finding for each rule, account and subject.
//!
//! An attack fact that a rule sees in forty events is one finding with forty event ids. Nothing here
//! depends on the order of the rows, so the same evidence gives the same findings.

use std::collections::{BTreeMap, BTreeSet};

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::row::{Row, text};
use super::rule::{FIXED_COLUMNS, Rule};
use crate::error::RuleError;
use crate::finding::{Finding, Severity};

/// What stands for a subject that the log does not tell.
pub const UNKNOWN_SUBJECT: &str = "(unknown)";

/// Most event ids that a finding names, the earliest; its count is of all. A flood of refused calls
/// would otherwise make a finding of many megabytes, and its next query finds the rest.
const MAX_EVENT_IDS: usize = 10_000;

/// Columns with a meaning of their own, which are not evidence.
pub(super) const MEANINGFUL_COLUMNS: [&str; 6] = [
    "severity",
    "event_ids",
    "first_time",
    "last_time",
    "learning",
    "suppressed_by",
];

/// Rows of a rule in groups.
#[derive(Debug, Default)]
pub struct Grouped {
    /// Without summary, next SQL and remediation, which need text work.
    pub findings: Vec<(Finding, Row)>,
    /// Groups that would be findings if the history were long enough.
    pub n_learning: u64,
    /// Findings that a list covers, each with the entry (column `suppressed_by`).
    pub suppressed: Vec<(Finding, Row, String)>,
    /// Groups that lie before the moment from which on the case hunts.
    pub n_baseline: u64,
}

/// What a run knows beside the rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances {
    /// Replaces every severity.
    pub severity: Option<Severity>,
    /// The evidence is too short for the rule, where a row does not say otherwise (`learning`).
    pub learning: bool,
    /// Rows that end before this moment, in microseconds since 1970, are known to be good.
    pub baseline_until: Option<i64>,
}

/// Groups the rows of a rule.
///
/// # Errors
///
/// Where a row has a severity that is none.
pub fn group(
    rule: &Rule,
    rows: Vec<Row>,
    circumstances: Circumstances,
) -> Result<Grouped, RuleError> {
    let mut groups: BTreeMap<(Vec<String>, String), Group> = BTreeMap::new();
    let mut learning_groups = BTreeSet::new();
    let mut baseline_groups = BTreeSet::new();
    for row in rows {
        let key = key(rule, &row);
        if circumstances.is_baseline(&row) {
            baseline_groups.insert(key);
            continue;
        }
        let learning = row.get("learning").and_then(Value::as_bool);
        if learning.unwrap_or(circumstances.learning) {
            learning_groups.insert(key);
            continue;
        }
        let severity = match (circumstances.severity, text(&row, "severity")) {
            (Some(severity), _) => severity,
            (None, None) => rule.severity,
            (None, Some(word)) => word.parse().map_err(|_| {
                RuleError::new(rule.id.as_str(), format!("`{word}` is not a severity"))
            })?,
        };
        let entry = text(&row, "suppressed_by").unwrap_or_default().to_owned();
        let group = groups.entry((key, entry)).or_default();
        group.rows.push((severity, row));
    }
    let mut grouped = Grouped {
        n_learning: learning_groups.len() as u64,
        n_baseline: baseline_groups.len() as u64,
        ..Grouped::default()
    };
    for ((key, entry), group) in groups {
        let Some((finding, worst)) = group.finding(rule, &key) else {
            continue;
        };
        if entry.is_empty() {
            grouped.findings.push((finding, worst));
        } else {
            grouped.suppressed.push((finding, worst, entry));
        }
    }
    Ok(grouped)
}

impl Circumstances {
    fn is_baseline(&self, row: &Row) -> bool {
        let time = row_time(row, "last_time").and_then(|text| string_to_timestamp_nanos(text).ok());
        match (self.baseline_until, time) {
            (Some(until), Some(nanos)) => nanos / 1_000 < until,
            _ => false,
        }
    }
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
    fn finding(mut self, rule: &Rule, key: &[String]) -> Option<(Finding, Row)> {
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
        // A record may lack its time; that must not hide what it tells.
        let first_time = rows().filter_map(|row| row_time(row, "first_time")).min();
        let last_time = rows().filter_map(|row| row_time(row, "last_time")).max();
        let (severity, worst) = self.rows.first()?;
        let mut event_ids = event_ids(rows());
        let n_events = event_ids.len() as u64;
        event_ids.truncate(MAX_EVENT_IDS);
        let account = key.first().filter(|account| !account.is_empty());
        let subject = key.get(1).cloned().unwrap_or_default();
        let finding = Finding {
            id: finding_id(rule, key),
            rule: rule.id.to_string(),
            title: rule.title.clone(),
            severity: *severity,
            first_time: first_time.unwrap_or_default().to_owned(),
            last_time: last_time.unwrap_or_default().to_owned(),
            count: n_events,
            account: account.cloned(),
            regions: sorted(rows(), "awsregion"),
            actors: sorted(rows(), "actor"),
            origins: Vec::new(),
            subject,
            source_ips: sorted(rows(), "sourceipaddress"),
            event_names: sorted(rows(), "eventname"),
            summary: String::new(),
            evidence: evidence(worst),
            event_ids,
            next_sql: String::new(),
            remediation: Vec::new(),
        };
        Some((finding, worst.clone()))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::attack::Attack;
    use super::*;

    fn rule() -> Rule {
        let text = r#"/*---
id = "r"
title = "t"
severity = "low"
maturity = "stable"
kind = "stateless"
risk = ["x"]
attack = []
description = "d"
summary = "s."
false_positives = ["f"]
triage = ["?"]
remediation = ["m"]
references = []
---*/ SELECT 1"#;
        Rule::parse("f/r.sql", text, &Attack::pinned().unwrap()).unwrap()
    }

    fn row(value: Value) -> Row {
        let mut row = value.as_object().unwrap().clone();
        row.entry("recipientaccountid").or_insert(json!("1"));
        row.entry("subject").or_insert(json!("s"));
        row
    }

    fn group_all(rows: &[Value]) -> Vec<Finding> {
        let rows = rows.iter().cloned().map(row).collect();
        let grouped = group(&rule(), rows, Circumstances::default()).unwrap();
        grouped
            .findings
            .into_iter()
            .map(|(finding, _)| finding)
            .collect()
    }

    #[test]
    fn rows_about_one_subject_are_one_finding_in_any_order() {
        let mut rows = vec![
            json!({"eventtime": "2025-03-01T00:00:01Z", "eventid": "b", "actor": "y", "n": 1}),
            json!({"eventtime": "2025-03-01T00:00:03Z", "eventid": "c", "actor": "x",
                "severity": "high", "n": 2}),
            json!({"eventtime": "2025-03-01T00:00:00Z", "event_ids": ["z", "a", "b"], "n": 3}),
        ];
        let findings = group_all(&rows);
        let [finding] = findings.as_slice() else {
            panic!("{findings:?}");
        };
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.event_ids, ["z", "a", "b", "c"]);
        assert_eq!(finding.count, 4);
        assert_eq!(finding.actors, ["x", "y"]);
        assert_eq!(finding.first_time, "2025-03-01T00:00:00Z");
        assert_eq!(finding.last_time, "2025-03-01T00:00:03Z");
        assert_eq!(Value::from(finding.evidence.clone()), json!({"n": 2}));
        rows.reverse();
        assert_eq!(group_all(&rows), findings);
    }

    #[test]
    fn subjects_and_accounts_are_findings_of_their_own() {
        let findings = group_all(&[
            json!({"eventid": "a"}),
            json!({"eventid": "b", "subject": "t"}),
            json!({"eventid": "c", "recipientaccountid": "2"}),
            json!({"eventid": "d", "subject": null}),
        ]);
        let ids: BTreeSet<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!((findings.len(), ids.len()), (4, 4));
        assert!(
            findings
                .iter()
                .any(|finding| finding.subject == UNKNOWN_SUBJECT)
        );
    }

    #[test]
    fn a_record_without_a_time_still_counts() {
        let findings = group_all(&[json!({"eventtime": null, "eventid": "a"})]);
        assert_eq!((findings.len(), findings[0].first_time.as_str()), (1, ""));
    }

    #[test]
    fn learning_rows_are_counted_by_subject() {
        let rows = || vec![row(json!({"eventid": "a"})), row(json!({"learning": true}))];
        let some = group(&rule(), rows(), Circumstances::default()).unwrap();
        assert_eq!((some.findings.len(), some.n_learning), (1, 1));
        let short = Circumstances {
            learning: true,
            ..Circumstances::default()
        };
        let all = group(&rule(), rows(), short).unwrap();
        assert_eq!((all.findings.len(), all.n_learning), (0, 1));
        let sure = vec![row(json!({"eventid": "a", "learning": false}))];
        let sure = group(&rule(), sure, short).unwrap();
        assert_eq!((sure.findings.len(), sure.n_learning), (1, 0));
    }

    #[test]
    fn what_a_list_covers_is_kept_apart() {
        let rows = vec![
            row(json!({"eventid": "a"})),
            row(json!({"eventid": "b", "suppressed_by": "ci_principals: *scan*"})),
        ];
        let grouped = group(&rule(), rows, Circumstances::default()).unwrap();
        let [(finding, _, entry)] = grouped.suppressed.as_slice() else {
            panic!("{grouped:?}");
        };
        assert_eq!(entry, "ci_principals: *scan*");
        assert_eq!(finding.event_ids, ["b"]);
        assert_eq!(grouped.findings[0].0.event_ids, ["a"]);
    }

    #[test]
    fn what_ends_before_the_hunt_begins_is_learned_from() {
        let rows = vec![
            row(json!({"eventid": "a", "eventtime": "2025-03-01T00:00:00Z"})),
            row(json!({"eventid": "b", "eventtime": "2025-03-01T00:00:00Z",
                "last_time": "2025-03-02T00:00:00Z"})),
            row(json!({"eventid": "c", "eventtime": "2025-03-02T00:00:00Z"})),
        ];
        let hunt = Circumstances {
            baseline_until: Some(1_740_873_600_000_000),
            ..Circumstances::default()
        };
        let grouped = group(&rule(), rows, hunt).unwrap();
        assert_eq!(grouped.n_baseline, 1);
        assert_eq!(grouped.findings[0].0.event_ids, ["b", "c"]);
    }

    #[test]
    fn a_flood_keeps_its_count() {
        let ids: Vec<String> = (0..MAX_EVENT_IDS + 5).map(|i| format!("{i:06}")).collect();
        let findings = group_all(&[json!({"event_ids": ids})]);
        assert_eq!(findings[0].event_ids.len(), MAX_EVENT_IDS);
        assert_eq!(findings[0].count as usize, MAX_EVENT_IDS + 5);
    }
}
