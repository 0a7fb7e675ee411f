//! `spoor rules lint`.

use std::io::Write;
use std::path::Path;

use clap::Args;

use crate::cli::Outcome;
use crate::cli::output::Target;
use crate::detections::RuleSet;
use crate::detections::lint::{Level, lint};
use crate::error::{ReportError, Result};
use crate::report::safe;

/// Which rules are looked at, and how strictly.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Only these rules
    ids: Vec<String>,
    /// Warnings fail too
    #[arg(long)]
    strict: bool,
}

impl Lint {
    pub(super) async fn run(&self, set: &RuleSet) -> Result<Outcome> {
        for id in &self.ids {
            // A rule that did not load is known by its file.
            let broken = |path: &str| {
                Path::new(path)
                    .file_stem()
                    .is_some_and(|stem| stem == id.as_str())
            };
            if !set.errors.iter().any(|error| broken(&error.rule)) {
                super::find(set, id)?;
            }
        }
        let wanted = |id: &str| self.ids.is_empty() || self.ids.iter().any(|wanted| wanted == id);
        let problems = lint(set, wanted).await?;
        let mut out = Target::stdout().open()?;
        for problem in &problems {
            writeln!(out, "{}", safe::line(&problem.to_string())).map_err(ReportError::Write)?;
        }
        out.finish()?;
        let n_errors = problems
            .iter()
            .filter(|problem| problem.level == Level::Error)
            .count();
        let n_warnings = problems.len() - n_errors;
        say!("{n_errors} errors, {n_warnings} warnings");
        let failed = n_errors > 0 || self.strict && n_warnings > 0;
        Ok(if failed {
            Outcome::Failed
        } else {
            Outcome::Done
        })
    }
}
