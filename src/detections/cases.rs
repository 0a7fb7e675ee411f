//! A rule's cases: small sets of events with the findings they must give.
//!
//! The file `<id>.cases.json` beside the rule is a list of cases, or an object with `templates` of
//! events and `cases`. Each case says which lists the case of the evidence has, which CloudTrail records
//! there are (written short: `case_events`), and every finding that must come of them, no more
//! and no fewer.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::case_events::{Templates, expand};
use super::loader::{CaseText, RuleSet};
use super::outcome::{DetectReport, Failure};
use super::rule::Rule;
use super::runner;
use crate::config::Lists;
use crate::engine::{Engine, EngineOptions};
use crate::error::{Result, RuleError};
use crate::finding::{Finding, Severity};
use crate::ingest;

/// One case, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows, as half a sentence.
    pub name: String,
    /// The lists of the evidence's case; absent ones are empty.
    #[serde(default)]
    pub lists: Lists,
    /// CloudTrail records, in the file written short.
    pub events: Vec<Value>,
    /// Every finding, in any order.
    pub expect: Vec<Expected>,
    /// Whether the rule says that it still learns.
    #[serde(default)]
    pub learning: bool,
    /// Subjects of findings that an entry of the lists covers.
    #[serde(default)]
    pub suppressed: Vec<String>,
}

/// A finding that must come; absent members are not compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub subject: String,
    pub severity: Option<Severity>,
    pub account: Option<String>,
    pub count: Option<u64>,
    pub actors: Option<Vec<String>>,
    pub first_time: Option<String>,
    pub event_ids: Option<Vec<String>>,
    pub summary: Option<String>,
    /// Members that the evidence must have among others.
    #[serde(default)]
    pub evidence: Map<String, Value>,
}

/// How a case went.
#[derive(Debug, Clone)]
pub struct CaseOutcome {
    pub rule: String,
    pub case: String,
    /// What differs from what was expected; empty where all is well.
    pub failures: Vec<String>,
}

impl CaseOutcome {
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for CaseOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passed() { "ok" } else { "FAILED" };
        write!(f, "{}: {}: {word}", self.rule, self.case)?;
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        Ok(())
    }
}

/// Reads a rule's cases.
///
/// # Errors
///
/// Where the text is not a list of cases; the message has the line.
pub fn parse(text: &CaseText) -> Result<Vec<Case>, RuleError> {
    let fail = |source: serde_json::Error| RuleError {
        rule: text.path.clone(),
        message: "cannot read the cases".to_owned(),
        source: Some(Box::new(source)),
    };
    let file = if text.text.trim_start().starts_with('[') {
        CaseFile {
            templates: Templates::new(),
            cases: serde_json::from_str(&text.text).map_err(fail)?,
        }
    } else {
        serde_json::from_str(&text.text).map_err(fail)?
    };
    let mut cases = file.cases;
    for case in &mut cases {
        case.events =
            expand(&text.path, &file.templates, &case.events).map_err(|error| RuleError {
                message: format!("case `{}`: {}", case.name, error.message),
                ..error
            })?;
    }
    Ok(cases)
}

/// A file of cases that has templates of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(default)]
    templates: Templates,
    cases: Vec<Case>,
}

/// Runs the cases of every rule that `wanted` accepts. A rule without a hit and a near miss fails.
///
/// # Errors
///
/// Where the events of a case make no engine. Cases that cannot be read fail, and do not keep those of
/// other rules from running.
pub async fn test(set: &RuleSet, wanted: impl Fn(&Rule) -> bool) -> Result<Vec<CaseOutcome>> {
    let mut outcomes = Vec::new();
    for rule in set.rules.iter().filter(|rule| wanted(rule)) {
        let cases = match set.cases.get(&rule.id).map(parse).transpose() {
            Ok(cases) => cases.unwrap_or_default(),
            Err(error) => {
                outcomes.push(CaseOutcome {
                    rule: rule.id.to_string(),
                    case: "the cases".to_owned(),
                    failures: vec![format!(
                        "{}: {}",
                        error.rule,
                        Failure::new("", &error).message
                    )],
                });
                continue;
            }
        };
        let n_hits = cases.iter().filter(|case| !case.expect.is_empty()).count();
        if n_hits == 0 || n_hits == cases.len() {
            outcomes.push(CaseOutcome {
                rule: rule.id.to_string(),
                case: "the cases".to_owned(),
                failures: vec!["a rule needs a hit and a near miss at least".to_owned()],
            });
        }
        let runs: Vec<_> = cases
            .into_iter()
            .map(|case| {
                let rule = rule.clone();
                tokio::spawn(async move { run(&rule, &case).await })
            })
            .collect();
        for run in runs {
            let outcome = run.await.map_err(|source| RuleError {
                rule: rule.id.to_string(),
                message: "a case ended early".to_owned(),
                source: Some(Box::new(source)),
            })?;
            outcomes.push(outcome?);
        }
    }
    Ok(outcomes)
}

/// Runs one case.
///
/// # Errors
///
/// Where the events make no engine. A rule that fails is a failure of the case.
pub async fn run(rule: &Rule, case: &Case) -> Result<CaseOutcome> {
    let uri = format!("case:{}", rule.id);
    // Cases are written in the order of time. Files come in any order, and no rule may depend on it.
    let events: Vec<Value> = case.events.iter().rev().cloned().collect();
    let bytes = Value::Array(events).to_string();
    let batch = ingest::records_to_batch(&uri, bytes.as_bytes())?;
    let options = EngineOptions {
        // The events are few; more partitions only cost time.
        target_partitions: Some(1),
        lists: case.lists.clone(),
        ..EngineOptions::default()
    };
    let engine = Engine::over_batches(vec![batch], options).await?;
    let report = runner::detect_rules(&engine, &[rule], &case.lists).await?;
    Ok(CaseOutcome {
        rule: rule.id.to_string(),
        case: case.name.clone(),
        failures: compare(case, &report),
    })
}

fn compare(case: &Case, report: &DetectReport) -> Vec<String> {
    let mut failures: Vec<String> = report
        .errors
        .iter()
        .map(|error| format!("the rule failed: {}", error.message))
        .collect();
    let mut left: Vec<&Finding> = report.findings.iter().collect();
    for expected in &case.expect {
        match left
            .iter()
            .position(|finding| finding.subject == expected.subject)
        {
            Some(position) => differences(expected, left.remove(position), &mut failures),
            None => failures.push(format!("no finding about `{}`", expected.subject)),
        }
    }
    for finding in left {
        let Finding {
            severity,
            subject,
            summary,
            ..
        } = finding;
        failures.push(format!(
            "unexpected finding ({severity}) about `{subject}`: {summary}"
        ));
    }
    let learning = !report.learning.is_empty();
    if learning != case.learning {
        failures.push(format!("learning is {learning}, not {}", case.learning));
    }
    let suppressed: Vec<&str> = report
        .suppressed
        .iter()
        .map(|suppressed| suppressed.finding.subject.as_str())
        .collect();
    if suppressed != case.suppressed {
        failures.push(format!(
            "suppressed are {suppressed:?}, not {:?}",
            case.suppressed
        ));
    }
    failures
}

fn differences(expected: &Expected, found: &Finding, failures: &mut Vec<String>) {
    let subject = &expected.subject;
    let mut differ = |name: &str, wanted: &dyn fmt::Debug, got: &dyn fmt::Debug| {
        failures.push(format!("`{subject}`: {name} is {got:?}, not {wanted:?}"));
    };
    /// Compares a member if it is expected.
    macro_rules! same {
        ($name:literal, $wanted:expr, $got:expr) => {
            if let Some(wanted) = &$wanted
                && wanted != &$got
            {
                differ($name, wanted, &$got);
            }
        };
    }
    same!("severity", expected.severity, found.severity);
    same!("count", expected.count, found.count);
    same!("actors", expected.actors, found.actors);
    same!("first_time", expected.first_time, found.first_time);
    same!("event_ids", expected.event_ids, found.event_ids);
    same!("summary", expected.summary, found.summary);
    if expected.account.is_some() && expected.account != found.account {
        differ("account", &expected.account, &found.account);
    }
    for (name, wanted) in &expected.evidence {
        let got = found.evidence.get(name).unwrap_or(&Value::Null);
        if wanted != got {
            differ(name, wanted, got);
        }
    }
}
