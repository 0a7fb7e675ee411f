//! `spoor rules`: what the detections are, and whether they keep their promises.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::Target;
use super::{Outcome, Shared};
use crate::detections::{RuleSet, cases};
use crate::error::{ReportError, Result, RuleError};
use crate::report::safe;

/// List, show and test the detections.
#[derive(Debug, Args)]
pub(super) struct Rules {
    #[command(subcommand)]
    command: Option<RulesCommand>,
    /// A folder with further rules; may be given several times
    #[arg(long, value_name = "DIR", global = true)]
    rules: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// One line for each rule
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        target: Target,
    },
    /// A rule's file: description, triage, SQL
    Show { id: String },
    /// Run the rules' own cases
    Test {
        /// Only these rules
        ids: Vec<String>,
    },
}

impl Rules {
    pub(super) async fn run(&self, _shared: &Shared) -> Result<Outcome> {
        let set = RuleSet::load(&self.rules)?;
        for error in &set.errors {
            say!("error: {}", safe::line(&error.to_string()));
        }
        let passed = match &self.command {
            None => list(&set, false, &Target::stdout()).map(|()| true),
            Some(RulesCommand::List { json, target }) => list(&set, *json, target).map(|()| true),
            Some(RulesCommand::Show { id }) => show(&set, id).map(|()| true),
            Some(RulesCommand::Test { ids }) => test(&set, ids).await,
        }?;
        Ok(if passed && set.errors.is_empty() {
            Outcome::Done
        } else {
            Outcome::Failed
        })
    }
}

fn list(set: &RuleSet, json: bool, target: &Target) -> Result<()> {
    let mut out = target.open()?;
    for rule in &set.rules {
        let line = if json {
            serde_json::to_string(rule).map_err(|error| ReportError::Encode {
                format: "json",
                source: error.into(),
            })?
        } else {
            format!(
                "{:<45} {:<9} {:<11} {}",
                rule.id.as_str(),
                rule.severity,
                rule.kind.as_str(),
                safe::line(&rule.title)
            )
        };
        writeln!(out, "{line}").map_err(ReportError::Write)?;
    }
    out.finish()
}

fn show(set: &RuleSet, id: &str) -> Result<()> {
    let rule = set.rule(id).ok_or_else(|| {
        RuleError::new(id, "there is no rule with this id; see `spoor rules list`")
    })?;
    let mut out = Target::stdout().open()?;
    writeln!(out, "{}", safe::lines(rule.text.trim_end())).map_err(ReportError::Write)?;
    out.finish()
}

/// True if every case passed.
async fn test(set: &RuleSet, ids: &[String]) -> Result<bool> {
    if let Some(unknown) = ids.iter().find(|id| set.rule(id).is_none()) {
        return Err(RuleError::new(unknown, "there is no rule with this id").into());
    }
    let outcomes = cases::test(set, |rule| {
        ids.is_empty() || ids.iter().any(|id| id == rule.id.as_str())
    })
    .await?;
    let mut out = Target::stdout().open()?;
    let n_passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    for outcome in &outcomes {
        writeln!(out, "{}", safe::lines(&outcome.to_string())).map_err(ReportError::Write)?;
    }
    let n_failed = outcomes.len() - n_passed;
    writeln!(out, "{n_passed} cases passed, {n_failed} failed").map_err(ReportError::Write)?;
    out.finish()?;
    Ok(n_failed == 0)
}
