//! `spoor trace`: from any handle to the story of its sessions.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::interrupt::unless_interrupted;
use super::output::Target;
use super::select::SelectionFlags;
use super::{Outcome, Shared};
use crate::app;
use crate::detections::RuleSet;
use crate::error::Result;
use crate::report::trace::{TraceFormat, TraceOptions, write_trace};
use crate::trace::TraceLimits;

/// Where a session came from, what was done in it, and what came of it.
#[derive(Debug, Args)]
pub(super) struct Trace {
    /// An access key, an ARN of a role, session or user, a principal id, an event id, an address or network, a finding's id, or a name
    #[arg(value_name = "X")]
    handle: String,
    /// Logs or a lake to look at, in place of `--lake`
    #[arg(value_name = "SRC")]
    sources: Vec<String>,
    #[command(flatten)]
    selection: SelectionFlags,
    /// Tell at most so many sessions, those with denials and writes first, and count the rest
    #[arg(long, value_name = "N", default_value_t = TraceLimits::default().max_sessions)]
    limit: usize,
    /// A folder with further rules, where X is a finding; may be given several times
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// table (a tree to read), json, dot, mermaid or html (a picture to look at) [default: what the name of -o FILE ends in, else table]
    #[arg(long, value_name = "FORMAT")]
    format: Option<TraceFormat>,
    #[command(flatten)]
    target: Target,
}

impl Trace {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let rules = RuleSet::load(&self.rules)?;
        let case = shared.open_case(&self.sources, &self.selection).await?;
        let (engine, lists) = (Arc::clone(&case.engine), case.lists.clone());
        let limits = TraceLimits {
            max_sessions: self.limit,
        };
        let handle = self.handle.clone();
        let story = unless_interrupted(async move {
            app::trace(&engine, &rules, &lists, &handle, limits).await
        })
        .await?;
        let ending = self.target.ending();
        let of_ending = || TraceFormat::of_ending(ending.as_deref()?);
        let format = self.format.or_else(of_ending).unwrap_or(TraceFormat::Table);
        let options = TraceOptions {
            color: shared.color(self.target.is_file()),
            width: self.target.width(),
        };
        let mut out = self.target.open()?;
        write_trace(&story, format, &mut out, options)?;
        out.finish()?;
        Ok(Outcome::Done)
    }
}
