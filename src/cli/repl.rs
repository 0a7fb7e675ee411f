//! `spoor repl`: the shell.

use std::io::{IsTerminal, stdout};
use std::sync::Arc;

use clap::Args;

use super::select::{BaselineFlag, SelectionFlags};
use super::{Outcome, Shared};
use crate::detections::RuleSet;
use crate::error::Result;
use crate::repl::{self, ReplOptions, history};
use crate::report::rows::Format;

/// Ask SQL questions in a shell.
#[derive(Debug, Args)]
pub(super) struct Repl {
    /// Logs or a lake to ask, in place of `--lake`
    #[arg(value_name = "SRC")]
    sources: Vec<String>,
    #[command(flatten)]
    selection: SelectionFlags,
    #[command(flatten)]
    baseline: BaselineFlag,
}

impl Repl {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let until = self.baseline.baseline_until;
        let case = shared
            .open_case_from(&self.sources, &self.selection, until)
            .await?;
        let format = if stdout().is_terminal() {
            Format::Table
        } else {
            Format::Ndjson
        };
        let options = ReplOptions {
            history_path: history::default_path(|name| std::env::var_os(name)),
            color: shared.color(false),
            format,
        };
        let shell = repl::Case {
            engine: Arc::clone(&case.engine),
            rules: Arc::new(RuleSet::bundled()?),
            lists: Arc::new(case.lists.clone()),
        };
        match repl::run(shell, options).await? {
            0 => Ok(Outcome::Done),
            _ => Ok(Outcome::Failed),
        }
    }
}
