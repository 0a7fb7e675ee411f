//! Runs rules over an engine and makes findings of their rows.
//!
//! The views that most rules read are computed once and kept; the rules then run side by side over
//! them. A rule that fails is reported and does not stop the others.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use arrow::record_batch::RecordBatch;
use futures::stream::{self, StreamExt};
use tokio::task::JoinSet;

use super::allow::covers;
use super::attack::Attack;
use super::group::{Circumstances, Grouped, group};
use super::loader::RuleSet;
use super::origins::add_origins;
use super::outcome::{DetectReport, Failure, Learning};
use super::render::complete;
use super::row::{Row, check_columns, rows};
use super::rule::{Kind, ParamValue, Rule};
use super::shared::materialize;
use crate::config::Lists;
use crate::engine::{Engine, Evidence, Param, Params, Rows};
use crate::error::{Result, RuleError};
use crate::finding::{Severity, Suppressed, UnknownSeverity};
use crate::report::recipes::Recipes;

/// Rules that run at the same time. Each holds its operators' memory, and the engine already spreads
/// one query over all processors.
const CONCURRENT_RULES: usize = 4;

/// Runs every rule of the set that the lists do not switch off.
///
/// # Errors
///
/// Only where the engine cannot read the evidence at all; a failing rule is in the report.
pub async fn detect(engine: &Engine, set: &RuleSet, lists: &Lists) -> Result<DetectReport> {
    let rules: Vec<&Rule> = set.rules.iter().collect();
    let mut report = detect_rules(engine, &rules, lists).await?;
    let settings = set.check_settings(lists);
    let errors = set.errors.iter().chain(&settings);
    let failures = errors.map(|error| Failure::new(&error.rule, error));
    report.errors.extend(failures);
    report.sort();
    Ok(report)
}

/// Runs these rules, save those that the lists switch off.
///
/// # Errors
///
/// As [`detect`].
pub async fn detect_rules(engine: &Engine, rules: &[&Rule], lists: &Lists) -> Result<DetectReport> {
    let evidence = engine.evidence().await?;
    materialize(engine, rules, evidence.n_events).await?;
    let history = History::new(&evidence, lists);
    let recipes = Recipes::load()?;
    let mut enabled: Vec<&Rule> = rules.to_vec();
    enabled.retain(|rule| {
        let settings = lists.rules.get(rule.id.as_str());
        settings.and_then(|settings| settings.enabled) != Some(false)
    });
    let mut runs = Vec::new();
    for rule in &enabled {
        runs.push(run(engine, &recipes, rule, lists, &history));
    }
    let outcomes: Vec<Result<Grouped, RuleError>> = stream::iter(runs)
        .buffered(CONCURRENT_RULES)
        .collect()
        .await;
    let attack = Attack::pinned()?;
    let mut report = DetectReport {
        n_events: evidence.n_events,
        first_time: evidence.first_time.clone(),
        last_time: evidence.last_time.clone(),
        notes: enabled.iter().map(|rule| rule.notes(&attack)).collect(),
        ..DetectReport::default()
    };
    for (rule, outcome) in enabled.into_iter().zip(outcomes) {
        match outcome {
            Ok(grouped) => add(&mut report, rule, lists, grouped),
            Err(error) => report.errors.push(Failure::new(rule.id.as_str(), &error)),
        }
    }
    add_origins(engine, &mut report).await?;
    report.sort();
    Ok(report)
}

/// Runs one rule and groups what it gives; the findings are complete.
async fn run(
    engine: &Engine,
    recipes: &Recipes,
    rule: &Rule,
    lists: &Lists,
    history: &History,
) -> Result<Grouped, RuleError> {
    let rows = query(engine, rule, lists).await?;
    let circumstances = Circumstances {
        severity: severity_override(rule, lists)?,
        learning: rule.kind == Kind::FirstSeen && !history.is_long_enough(),
        baseline_until: lists.baseline_until.map(|until| until.0),
    };
    let mut grouped = group(rule, rows, circumstances)?;
    for (finding, worst) in &mut grouped.findings {
        complete(recipes, rule, lists, finding, worst)?;
    }
    for (finding, worst, _) in &mut grouped.suppressed {
        complete(recipes, rule, lists, finding, worst)?;
    }
    Ok(grouped)
}

/// The rows of a rule, with its parameters bound.
///
/// # Errors
///
/// Where the statement does not plan or run, or does not give the fixed columns.
pub async fn query(engine: &Engine, rule: &Rule, lists: &Lists) -> Result<Vec<Row>, RuleError> {
    let id = rule.id.as_str();
    let fail = |source: crate::error::Error| RuleError {
        rule: id.to_owned(),
        message: "cannot run".to_owned(),
        source: Some(Box::new(source)),
    };
    let answer = engine
        .query(&rule.sql, &params(rule, lists))
        .await
        .map_err(fail)?;
    check_columns(id, &answer.schema)?;
    let batches = collect(answer).await.map_err(fail)?;
    let mut all = Vec::new();
    for batch in &batches {
        all.extend(rows(id, batch)?);
    }
    Ok(all)
}

/// Collects on a thread of its own, so that rules that run at the same time use all processors. It ends
/// with whoever waits for it.
async fn collect(answer: Rows) -> Result<Vec<RecordBatch>> {
    let mut task = JoinSet::new();
    task.spawn(answer.collect());
    match task.join_next().await {
        Some(Ok(batches)) => batches,
        Some(Err(stopped)) => Err(RuleError {
            rule: String::new(),
            message: "the query ended early".to_owned(),
            source: Some(Box::new(stopped)),
        }
        .into()),
        None => Ok(Vec::new()),
    }
}

/// Defaults with the lists' values in their place. Values of a wrong type are reported by
/// [`RuleSet::check_settings`], and the default stands.
pub(super) fn params(rule: &Rule, lists: &Lists) -> Params {
    let settings = lists.rules.get(rule.id.as_str());
    let value = |name: &str, default: &ParamValue| {
        let replaced = settings
            .and_then(|settings| settings.params.get(name))
            .and_then(|value| default.replaced_by(value));
        match replaced.unwrap_or_else(|| default.clone()) {
            ParamValue::Text(text) => Param::Text(text),
            ParamValue::Integer(number) => Param::Integer(number),
            ParamValue::Float(number) => Param::Float(number),
            ParamValue::Bool(flag) => Param::Bool(flag),
        }
    };
    let params = rule.params.iter();
    params
        .map(|(name, default)| (name.clone(), value(name, default)))
        .collect()
}

fn severity_override(rule: &Rule, lists: &Lists) -> Result<Option<Severity>, RuleError> {
    let settings = lists.rules.get(rule.id.as_str());
    let word = settings.and_then(|settings| settings.severity.as_deref());
    word.map(str::parse)
        .transpose()
        .map_err(|error: UnknownSeverity| RuleError::new(rule.id.as_str(), error.to_string()))
}

fn add(report: &mut DetectReport, rule: &Rule, lists: &Lists, grouped: Grouped) {
    report.rules_run += 1;
    if grouped.n_learning > 0 {
        report.learning.push(Learning {
            rule: rule.id.to_string(),
            title: rule.title.clone(),
            n_subjects: grouped.n_learning,
            baseline_days: lists.baseline_days,
        });
    }
    report.n_baseline += grouped.n_baseline;
    for (finding, _, entry) in grouped.suppressed {
        let list = entry.split(':').next().unwrap_or_default();
        let reason = format!("named in `{list}`");
        report.suppressed.push(Suppressed {
            finding,
            entry,
            reason,
        });
    }
    for (finding, _) in grouped.findings {
        let allowances = lists.allow.iter().enumerate();
        let mut covering = allowances.filter(|(_, allowance)| covers(allowance, &finding));
        match covering.next() {
            Some((index, allowance)) => report.suppressed.push(Suppressed {
                finding,
                entry: format!("[[allow]] {}: {}", index + 1, allowance.rule),
                reason: allowance.reason.clone(),
            }),
            None => report.findings.push(finding),
        }
    }
}

/// How much of the past the evidence shows.
#[derive(Debug, Clone, Copy)]
struct History {
    span_us: i64,
    baseline_us: i64,
    /// A part of the evidence is said to be the baseline, however long it is.
    has_baseline: bool,
}

impl History {
    fn new(evidence: &Evidence, lists: &Lists) -> Self {
        const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
        let time_us = |text: Option<&str>| {
            text.and_then(|text| string_to_timestamp_nanos(text).ok())
                .map_or(0, |nanos| nanos / 1_000)
        };
        let last_us = time_us(evidence.last_time.as_deref());
        Self {
            span_us: last_us - time_us(evidence.first_time.as_deref()),
            baseline_us: i64::from(lists.baseline_days) * DAY_US,
            has_baseline: lists.baseline_until.is_some(),
        }
    }

    /// Whether anything can be called new.
    fn is_long_enough(self) -> bool {
        self.has_baseline || self.span_us >= self.baseline_us
    }
}
