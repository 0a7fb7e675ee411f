//! `spoor detect`: findings out of logs or a lake.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::interrupt::unless_interrupted;
use super::output::Target;
use super::select::{BaselineFlag, SelectionFlags};
use super::{Outcome, Shared};
use crate::detections::{self, DetectReport, Rule, RuleSet};
use crate::error::{Result, RuleError};
use crate::finding::Severity;
use crate::report::findings::{FindingFormat, FindingOptions, write_findings};
use crate::report::safe;

/// Run the detections and print what they find, worst first.
#[derive(Debug, Args)]
pub(super) struct Detect {
    /// Logs or a lake to look at, in place of `--lake`
    #[arg(value_name = "SRC")]
    sources: Vec<String>,
    #[command(flatten)]
    selection: SelectionFlags,
    #[command(flatten)]
    baseline: BaselineFlag,
    /// A folder with further rules; may be given several times
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Run only this rule; may be given several times
    #[arg(long = "rule", value_name = "ID")]
    only: Vec<String>,
    /// Leave out findings below this severity
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<Severity>,
    /// Exit with 1 if there are findings of this severity or worse
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    /// table (blocks to read), json, ndjson, csv, markdown or html (a report to hand over) [default: what the name of -o FILE ends in, else table]
    #[arg(long, value_name = "FORMAT")]
    format: Option<FindingFormat>,
    #[command(flatten)]
    target: Target,
}

impl Detect {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let set = RuleSet::load(&self.rules)?;
        for error in &set.errors {
            say!("error: {}", safe::line(&error.to_string()));
        }
        let rules = self.chosen(&set)?;
        let until = self.baseline.baseline_until;
        let case = shared
            .open_case_from(&self.sources, &self.selection, until)
            .await?;
        if let Some(error) = set.check_settings(&case.lists).into_iter().next() {
            return Err(error.into());
        }
        let rules: Vec<Rule> = rules.into_iter().cloned().collect();
        let (engine, lists) = (Arc::clone(&case.engine), case.lists.clone());
        let mut report = unless_interrupted(async move {
            let rules: Vec<&Rule> = rules.iter().collect();
            detections::runner::detect_rules(&engine, &rules, &lists).await
        })
        .await?;
        if let Some(least) = self.min_severity {
            report.keep_from(least);
        }
        self.write(&report, shared)?;
        Ok(self.outcome(&set, &report))
    }

    fn chosen<'a>(&self, set: &'a RuleSet) -> Result<Vec<&'a Rule>> {
        if self.only.is_empty() {
            return Ok(set.rules.iter().collect());
        }
        self.only
            .iter()
            .map(|id| {
                set.rule(id).ok_or_else(|| {
                    RuleError::new(id, "there is no rule with this id; see `spoor rules list`")
                        .into()
                })
            })
            .collect()
    }

    fn write(&self, report: &DetectReport, shared: &Shared) -> Result<()> {
        let options = FindingOptions {
            color: shared.color(self.target.is_file()),
            width: self.target.width(),
        };
        let format = self
            .format
            .unwrap_or(match self.target.ending().as_deref() {
                Some("json") => FindingFormat::Json,
                Some("ndjson" | "jsonl") => FindingFormat::Ndjson,
                Some("csv") => FindingFormat::Csv,
                Some("md" | "markdown") => FindingFormat::Markdown,
                Some("html" | "htm") => FindingFormat::Html,
                _ => FindingFormat::Table,
            });
        let mut out = self.target.open()?;
        write_findings(&report.printed(), format, &mut out, options)?;
        out.finish()
    }

    fn outcome(&self, set: &RuleSet, report: &DetectReport) -> Outcome {
        for failure in &report.errors {
            say!(
                "error: rule `{}`: {}",
                safe::line(&failure.rule),
                safe::line(&failure.message)
            );
        }
        let over = |least: Severity| {
            report
                .findings
                .iter()
                .any(|finding| finding.severity >= least)
        };
        if !set.errors.is_empty() || !report.errors.is_empty() {
            Outcome::Failed
        } else if self.fail_on.is_some_and(over) {
            Outcome::Findings
        } else {
            Outcome::Done
        }
    }
}
