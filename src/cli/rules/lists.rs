//! `spoor rules lists`.

use std::io::Write;
use std::sync::Arc;

use clap::Args;

use crate::app::lists_in_force;
use crate::cli::interrupt::unless_interrupted;
use crate::cli::output::Target;
use crate::cli::select::SelectionFlags;
use crate::cli::{Outcome, Shared};
use crate::detections::suggest::suggest;
use crate::error::{ConfigError, ReportError, Result};
use crate::report::safe;

/// What is printed, as a file that `--lists` takes.
#[derive(Debug, Args)]
pub(super) struct ListsOf {
    /// Logs or a lake to propose from, in place of `--lake`
    #[arg(value_name = "SRC", requires = "suggest")]
    sources: Vec<String>,
    /// Propose entries that the evidence speaks for, each with its reason
    #[arg(long)]
    suggest: bool,
    #[command(flatten)]
    selection: SelectionFlags,
    #[command(flatten)]
    target: Target,
}

impl ListsOf {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let text = if self.suggest {
            let case = shared.open_case(&self.sources, &self.selection).await?;
            let (engine, lists) = (Arc::clone(&case.engine), case.lists.clone());
            unless_interrupted(async move { suggest(&engine, &lists).await }).await?
        } else {
            in_force(shared)?
        };
        let mut out = self.target.open()?;
        write!(out, "{}", safe::lines(&text)).map_err(ReportError::Write)?;
        out.finish()?;
        Ok(Outcome::Done)
    }
}

/// The lists that a run would have, and where they are from.
fn in_force(shared: &Shared) -> Result<String> {
    let lake = shared.lake.clone().unwrap_or_else(|| "spoor-lake".into());
    let (lists, from) = lists_in_force(shared.lists.as_deref(), Some(&lake))?;
    let from = match from {
        Some(path) => format!("# From `{}`.", safe::line(&path.display().to_string())),
        None => "# No file: every list is empty. `--suggest` proposes entries.".to_owned(),
    };
    let unwritten = |source| ConfigError::Lists {
        path: shared.lists.clone().unwrap_or_default(),
        source,
    };
    let text = lists.to_toml().map_err(unwritten)?;
    Ok(format!(
        "{from}\n# Without own accounts, those count that the evidence was recorded in; without \
         sensitive roles, the built-in names.\n{text}"
    ))
}
