//! `spoor repl`: the shell.

use clap::Args;

use super::{Outcome, Shared};
use crate::error::Result;

/// Ask SQL questions in a shell.
#[derive(Debug, Args)]
pub(super) struct Repl {
    /// Logs or a lake to ask, in place of `--lake`
    #[arg(value_name = "SRC")]
    sources: Vec<String>,
}

impl Repl {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let _case = shared.open_case(&self.sources).await?;
        Ok(Outcome::Done)
    }
}
