//! What a report to hand over says, before it is Markdown or HTML.
//!
//! Always true: nothing here is escaped, and everything is bounded; a renderer escapes each text for
//! its own format. What was cut says how much is missing.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value;

use super::FindingsReport;
use super::totals::{Totals, by_severity, plural};
use crate::finding::{Finding, Origin, RuleNotes, Suppressed};
use crate::report::safe;

pub const TITLE: &str = "Findings in CloudTrail";

/// Values of a list shown before the rest is counted.
const MAX_ITEMS: usize = 20;
/// Events of a finding that are named.
const MAX_EVENTS: usize = 50;
/// Suppressed findings that are named.
const MAX_SUPPRESSED: usize = 200;
/// Longest value of the evidence; policies are mostly shorter.
const MAX_VALUE_CHARS: usize = 6_000;
/// Values longer than this get a block of their own.
const MAX_SHORT_CHARS: usize = 160;

/// The findings of a run and what the run was.
#[derive(Debug)]
pub struct Page<'a> {
    pub report: &'a FindingsReport<'a>,
    /// Worst first.
    pub findings: &'a [&'a Finding],
    pub totals: Totals,
    notes: BTreeMap<&'a str, &'a RuleNotes>,
}

/// Some of a list, and how many there are beyond them.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a, T> {
    pub shown: &'a [T],
    pub n_more: usize,
}

impl<'a, T> Part<'a, T> {
    fn of(items: &'a [T], max_items: usize) -> Self {
        let shown = &items[..items.len().min(max_items)];
        Self {
            shown,
            n_more: items.len() - shown.len(),
        }
    }
}

/// A value of the evidence.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    Line(String),
    /// Lines of text; true where they are JSON.
    Block(String, bool),
}

/// Where a finding lies between the first and the last of all, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    pub start: f64,
    pub length: f64,
}

impl<'a> Page<'a> {
    pub fn new(report: &'a FindingsReport<'a>, findings: &'a [&'a Finding]) -> Self {
        Self {
            report,
            findings,
            totals: Totals::of(report),
            notes: report
                .notes
                .iter()
                .map(|notes| (notes.rule.as_str(), notes))
                .collect(),
        }
    }

    pub fn notes(&self, finding: &Finding) -> Option<&'a RuleNotes> {
        self.notes.get(finding.rule.as_str()).copied()
    }

    /// What the run was, name and text.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let report = self.report;
        let mut evidence = plural(report.n_events, "event");
        if let (Some(first), Some(last)) = (report.first_time, report.last_time) {
            evidence.push_str(&format!(", {first} to {last}"));
        }
        let mut findings = report.findings.len().to_string();
        if !report.findings.is_empty() {
            findings.push_str(&format!(": {}", by_severity(report.findings)));
        }
        let mut facts = vec![
            ("Evidence", evidence),
            ("Findings", findings),
            ("Rules run", report.n_rules.to_string()),
        ];
        let mut counted = |name, n: u64, what: &str| {
            if n > 0 {
                facts.push((name, format!("{n} {what}")));
            }
        };
        let n_suppressed = report.suppressed.len() as u64;
        counted("Suppressed", n_suppressed, "by the lists of the case");
        counted(
            "Baseline",
            report.n_baseline,
            "would-be findings before the hunt, learned from and not reported",
        );
        counted(
            "Left out",
            report.n_left_out,
            "below the severity asked for",
        );
        let n_failures = report.failures.len() as u64;
        counted("Without an answer", n_failures, "rules failed");
        facts
    }

    /// The findings in the order of their first events, each with its number from 1.
    pub fn by_time(&self) -> Vec<(usize, &'a Finding)> {
        let mut numbered: Vec<(usize, &Finding)> =
            (1..).zip(self.findings.iter().copied()).collect();
        numbered.sort_by(|(n, a), (m, b)| (&a.first_time, n).cmp(&(&b.first_time, m)));
        numbered
    }

    /// Where each finding lies in time; `None` where it has none.
    pub fn stretches(&self) -> BTreeMap<&'a str, Stretch> {
        let spans: Vec<(&str, i64, i64)> = self
            .findings
            .iter()
            .filter_map(|finding| {
                let first = millis(&finding.first_time)?;
                let last = millis(&finding.last_time)?.max(first);
                Some((finding.id.as_str(), first, last))
            })
            .collect();
        let start = spans.iter().map(|(_, first, _)| *first).min();
        let end = spans.iter().map(|(_, _, last)| *last).max();
        let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
        let whole = (end - start).max(1) as f64;
        let percent = |millis: i64| millis as f64 * 100.0 / whole;
        spans
            .into_iter()
            .map(|(id, first, last)| {
                let stretch = Stretch {
                    start: percent(first - start),
                    length: percent(last - first),
                };
                (id, stretch)
            })
            .collect()
    }

    pub fn suppressed(&self) -> Part<'a, Suppressed> {
        Part::of(self.report.suppressed, MAX_SUPPRESSED)
    }
}

fn millis(time: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(time).ok()?;
    Some(time.timestamp_millis())
}

/// Who, what and where, name and values.
pub fn lists(finding: &Finding) -> [(&'static str, Part<'_, String>); 4] {
    [
        ("Who", Part::of(&finding.actors, MAX_ITEMS)),
        ("What", Part::of(&finding.event_names, MAX_ITEMS)),
        ("From", Part::of(&finding.source_ips, MAX_ITEMS)),
        ("Regions", Part::of(&finding.regions, MAX_ITEMS)),
    ]
}

/// Where the chains of the sessions behind it begin, and how they go on.
pub fn origins(finding: &Finding) -> Vec<String> {
    let origins = finding.origins.iter().take(MAX_ITEMS);
    origins.map(Origin::told).collect()
}

pub fn when(finding: &Finding) -> String {
    let events = plural(finding.count, "event");
    if finding.first_time.is_empty() {
        format!("at no recorded time ({events})")
    } else if finding.first_time == finding.last_time {
        format!("{} ({events})", finding.first_time)
    } else {
        format!("{} – {} ({events})", finding.first_time, finding.last_time)
    }
}

pub fn events(finding: &Finding) -> Part<'_, String> {
    let mut events = Part::of(&finding.event_ids, MAX_EVENTS);
    // A flood's finding names fewer events than it counts.
    let n_all = usize::try_from(finding.count).unwrap_or(usize::MAX);
    events.n_more = n_all.saturating_sub(events.shown.len()).max(events.n_more);
    events
}

/// The evidence, name and value.
pub fn evidence(finding: &Finding) -> Vec<(&str, Shown)> {
    let members = finding.evidence.iter();
    members
        .map(|(name, value)| (name.as_str(), shown(value)))
        .collect()
}

fn shown(value: &Value) -> Shown {
    let text = match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(document @ (Value::Object(_) | Value::Array(_))) => return json_block(&document),
            _ => text.clone(),
        },
        Value::Object(_) => return json_block(value),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_array() && !item.is_object()) =>
        {
            let items = items.iter().take(MAX_ITEMS).map(plain);
            let mut text = items.collect::<Vec<_>>().join(", ");
            let n_more = value
                .as_array()
                .map_or(0, Vec::len)
                .saturating_sub(MAX_ITEMS);
            if n_more > 0 {
                text.push_str(&format!(" and {n_more} more"));
            }
            text
        }
        Value::Array(_) => return json_block(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => plain(value),
    };
    let text = safe::cut(&text, MAX_VALUE_CHARS).into_owned();
    if text.contains('\n') || text.chars().count() > MAX_SHORT_CHARS {
        Shown::Block(text, false)
    } else {
        Shown::Line(text)
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn json_block(value: &Value) -> Shown {
    let short = value.to_string();
    if short.chars().count() <= MAX_SHORT_CHARS {
        return Shown::Line(short);
    }
    let long = format!("{value:#}");
    Shown::Block(safe::cut(&long, MAX_VALUE_CHARS).into_owned(), true)
}

/// The address of a page, where the text is one: what a reader may be led to by a click.
pub fn address(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://")?;
    let plain = rest
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"'<>`()[]\\".contains(&byte));
    (plain && !rest.is_empty()).then_some(text)
}

/// A finding's place in the page: its id, which the program made.
pub fn anchor(finding: &Finding) -> String {
    let id = finding.id.chars();
    let id: String = id
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    format!("finding-{id}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_lines_or_blocks_and_bounded() {
        let check = |value: Value, expected: Shown| assert_eq!(shown(&value), expected);
        check(json!("a"), Shown::Line("a".to_owned()));
        check(json!(5), Shown::Line("5".to_owned()));
        check(json!(["a", 2, null]), Shown::Line("a, 2, null".to_owned()));
        check(json!("a\nb"), Shown::Block("a\nb".to_owned(), false));
        check(json!("{\"a\": 1}"), Shown::Line("{\"a\":1}".to_owned()));
        let document = json!({"Statement": "x".repeat(200)});
        let pretty = format!("{document:#}");
        check(document.clone(), Shown::Block(pretty.clone(), true));
        check(json!(document.to_string()), Shown::Block(pretty, true));
        let many: Vec<usize> = (0..25).collect();
        let Shown::Line(text) = shown(&json!(many)) else {
            panic!("a list of numbers is a line");
        };
        assert!(text.ends_with("18, 19 and 5 more"), "{text}");
        let Shown::Block(text, false) = shown(&json!("x".repeat(10_000))) else {
            panic!("a long text is a block");
        };
        assert!(text.ends_with("… (+4000 characters)"));
    }

    #[test]
    fn only_pages_are_addresses() {
        let page = "https://docs.aws.amazon.com/IAM/latest/UserGuide/a.html#b";
        assert_eq!(address(page), Some(page));
        for text in [
            "javascript:alert(1)",
            "https://",
            "http://example.com",
            "https://a/\"onclick=x",
            "https://a b",
            " https://a",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
