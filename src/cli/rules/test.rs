//! `spoor rules test`.

use std::io::Write;

use clap::Args;

use crate::cli::output::Target;
use crate::detections::{RuleSet, cases};
use crate::error::{ReportError, Result};
use crate::report::safe;

/// Which rules' cases run.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Only these rules
    ids: Vec<String>,
}

impl Test {
    /// True if every case passed.
    pub(super) async fn run(&self, set: &RuleSet) -> Result<bool> {
        for id in &self.ids {
            super::find(set, id)?;
        }
        let outcomes = cases::test(set, |rule| {
            self.ids.is_empty() || self.ids.iter().any(|id| id == rule.id.as_str())
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
}
