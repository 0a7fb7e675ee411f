//! What a run of the rules gives: findings, what was suppressed, what is still learning, what failed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt64Array};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::{Error, QueryError, Result};
pub use crate::finding::{Failure, Learning, RuleBudget};
use crate::finding::{Finding, Origin, RuleNotes, Severity, Suppressed};
use crate::report::findings::FindingsReport;

/// The outcome of a run. The same evidence, rules and lists give the same value.
#[derive(Debug, Default, Clone, Serialize)]
pub struct DetectReport {
    /// Worst first, then by first time, rule and subject.
    pub findings: Vec<Finding>,
    /// Findings that an entry of the lists covers, in the same order.
    pub suppressed: Vec<Suppressed>,
    /// Rules that need more history than the evidence has, by rule.
    pub learning: Vec<Learning>,
    /// Rules that could not be loaded or run, by rule.
    pub errors: Vec<Failure>,
    /// How many rules gave an answer.
    pub rules_run: u64,
    /// Would-be findings that lie before the moment from which on the case hunts.
    pub n_baseline: u64,
    /// Events of the evidence.
    pub n_events: u64,
    /// When the evidence begins and ends; `None` where no event has a time.
    pub first_time: Option<String>,
    pub last_time: Option<String>,
    /// What each rule with findings costs its reader, the dearest first.
    pub budget: Vec<RuleBudget>,
    /// What the rules with findings say of themselves, by rule.
    pub notes: Vec<RuleNotes>,
    /// Findings that were left out because they are below the severity asked for.
    pub n_left_out: u64,
}

impl DetectReport {
    /// Brings everything into its one order.
    pub(super) fn sort(&mut self) {
        self.findings.sort_by(by_weight);
        self.suppressed
            .sort_by(|a, b| by_weight(&a.finding, &b.finding));
        self.learning.sort_by(|a, b| a.rule.cmp(&b.rule));
        self.errors.sort();
        self.count();
    }

    /// Leaves out what is milder than this, and counts it.
    pub fn keep_from(&mut self, least: Severity) {
        let n_before = self.findings.len();
        self.findings.retain(|finding| finding.severity >= least);
        self.n_left_out += (n_before - self.findings.len()) as u64;
        self.count();
    }

    /// The same for the renderers.
    pub fn printed(&self) -> FindingsReport<'_> {
        FindingsReport {
            findings: &self.findings,
            suppressed: &self.suppressed,
            learning: &self.learning,
            failures: &self.errors,
            budget: &self.budget,
            notes: &self.notes,
            n_rules: self.rules_run,
            n_events: self.n_events,
            first_time: self.first_time.as_deref(),
            last_time: self.last_time.as_deref(),
            n_baseline: self.n_baseline,
            n_left_out: self.n_left_out,
        }
    }

    /// Brings what follows from the findings in step with them.
    fn count(&mut self) {
        self.budget = self.budget_of_findings();
        let mut notes = std::mem::take(&mut self.notes);
        notes.retain(|notes| self.budget.iter().any(|budget| budget.rule == notes.rule));
        notes.sort_by(|a, b| a.rule.cmp(&b.rule));
        self.notes = notes;
    }

    fn budget_of_findings(&self) -> Vec<RuleBudget> {
        let mut rules: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
        for finding in &self.findings {
            let (n_findings, events) = rules.entry(&finding.rule).or_default();
            *n_findings += 1;
            events.extend(finding.event_ids.iter().map(String::as_str));
        }
        let mut budget: Vec<RuleBudget> = rules
            .into_iter()
            .map(|(rule, (n_findings, events))| RuleBudget {
                rule: rule.to_owned(),
                n_findings,
                n_events: events.len() as u64,
                share: events.len() as f64 / self.n_events.max(1) as f64,
            })
            .collect();
        budget.sort_by(|a, b| {
            b.n_events
                .cmp(&a.n_events)
                .then_with(|| a.rule.cmp(&b.rule))
        });
        budget
    }

    /// Registers the tables `findings` and `suppressed`, so that they can be queried.
    ///
    /// # Errors
    ///
    /// Where the engine refuses a table.
    pub fn register(&self, engine: &Engine) -> Result<()> {
        let findings: Vec<&Finding> = self.findings.iter().collect();
        let batch = columns(&findings);
        register(engine, "findings", batch)?;
        let findings: Vec<&Finding> = self.suppressed.iter().map(|s| &s.finding).collect();
        let mut batch = columns(&findings);
        let entries = self.suppressed.iter().map(|s| s.entry.as_str());
        batch.push(("entry", Arc::new(StringArray::from_iter_values(entries))));
        let reasons = self.suppressed.iter().map(|s| s.reason.as_str());
        batch.push(("reason", Arc::new(StringArray::from_iter_values(reasons))));
        register(engine, "suppressed", batch)
    }

    /// Ids of the rules with findings.
    pub fn rules_with_findings(&self) -> BTreeSet<&str> {
        self.findings.iter().map(|f| f.rule.as_str()).collect()
    }
}

fn by_weight(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    b.severity
        .cmp(&a.severity)
        .then_with(|| a.first_time.cmp(&b.first_time))
        .then_with(|| a.rule.cmp(&b.rule))
        .then_with(|| a.subject.cmp(&b.subject))
        .then_with(|| a.account.cmp(&b.account))
        .then_with(|| a.id.cmp(&b.id))
}

type Columns = Vec<(&'static str, ArrayRef)>;

/// The scalar and list columns of findings; evidence is JSON text.
fn columns(findings: &[&Finding]) -> Columns {
    let text = |get: fn(&Finding) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            findings.iter().map(|f| get(f)),
        ))
    };
    let list = |get: fn(&Finding) -> Vec<String>| -> ArrayRef {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for finding in findings {
            for value in get(finding) {
                builder.values().append_value(value);
            }
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    let counts = findings.iter().map(|finding| finding.count);
    let accounts = findings.iter().map(|finding| finding.account.as_deref());
    let evidence = findings
        .iter()
        .map(|finding| serde_json::Value::from(finding.evidence.clone()).to_string());
    vec![
        ("id", text(|f| &f.id)),
        ("rule", text(|f| &f.rule)),
        ("title", text(|f| &f.title)),
        ("severity", text(|f| f.severity.as_str())),
        ("first_time", text(|f| &f.first_time)),
        ("last_time", text(|f| &f.last_time)),
        ("count", Arc::new(UInt64Array::from_iter_values(counts))),
        ("account", Arc::new(accounts.collect::<StringArray>())),
        ("regions", list(|f| f.regions.clone())),
        ("actors", list(|f| f.actors.clone())),
        (
            "origins",
            list(|f| f.origins.iter().map(Origin::told).collect()),
        ),
        ("subject", text(|f| &f.subject)),
        ("source_ips", list(|f| f.source_ips.clone())),
        ("event_names", list(|f| f.event_names.clone())),
        ("summary", text(|f| &f.summary)),
        (
            "evidence",
            Arc::new(StringArray::from_iter_values(evidence)),
        ),
        ("event_ids", list(|f| f.event_ids.clone())),
        ("next_sql", text(|f| &f.next_sql)),
    ]
}

fn register(engine: &Engine, name: &str, columns: Columns) -> Result<()> {
    let batch = RecordBatch::try_from_iter(columns).map_err(|source| {
        Error::Query(QueryError {
            message: format!("cannot make the table `{name}`"),
            hint: None,
            source: Some(Box::new(source)),
        })
    })?;
    engine.register_batches(name, batch.schema(), vec![batch])
}
