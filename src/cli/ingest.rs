//! `spoor ingest`: logs into a lake.

use std::path::PathBuf;

use clap::Args;

use super::interrupt::Interrupt;
use super::progress::Bar;
use super::{Outcome, Shared};
use crate::app;
use crate::error::Result;

/// Read CloudTrail logs into a lake. What the lake has is not read or written again, so the same
/// command may be run any number of times.
#[derive(Debug, Args)]
pub(super) struct Ingest {
    /// Files, folders with everything below, globs, or `-` for stdin
    #[arg(required = true, value_name = "SRC")]
    sources: Vec<String>,
}

impl Ingest {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let root = shared
            .lake
            .clone()
            .unwrap_or_else(|| PathBuf::from("spoor-lake"));
        let bar = Bar::new(shared.quiet);
        let interrupt = Interrupt::listen();
        let done = app::read_into(&root, &self.sources, bar.clone(), interrupt.flag()).await;
        bar.close(done.as_ref().ok().map(|(_, summary)| summary));
        done?;
        Ok(Outcome::Done)
    }
}
