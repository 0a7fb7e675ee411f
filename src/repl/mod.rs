//! The shell: statements and commands, one after the other, over one engine.
//!
//! At a terminal it edits lines, completes names and keeps a history; from a pipe or file it runs what
//! it reads, without prompts. Always true: a failed statement is reported and the shell goes on, a
//! statement can be stopped with Ctrl-C, and the history is written nowhere but to the file named in
//! the options. Opening the lake and reading flags is left to the command line.

mod commands;
mod completer;
mod detect;
pub mod history;
mod input;
mod names;
mod session;
mod terminal;
mod work;

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Lists;
use crate::detections::RuleSet;
use crate::engine::Engine;
use crate::error::{ReportError, Result};
use crate::report::rows::Format;

use self::session::{Flow, Session};
use self::work::Interrupts;

/// What the shell works on.
#[derive(Debug, Clone)]
pub struct Case {
    pub engine: Arc<Engine>,
    /// The rules that `.detect` runs.
    pub rules: Arc<RuleSet>,
    pub lists: Arc<Lists>,
}

/// How the shell behaves.
#[derive(Debug, Clone)]
pub struct ReplOptions {
    /// Where typed statements are kept; `None` keeps them in memory only. See
    /// [`history::default_path`].
    pub history_path: Option<PathBuf>,
    pub color: bool,
    /// How rows are written until `.mode` says otherwise. Must be a text format.
    pub format: Format,
}

/// Runs the shell over standard input until it ends or `.quit`, and returns how many statements and
/// commands of a script failed. At a terminal that is 0: the user has seen them.
///
/// # Errors
///
/// Where standard input or output cannot be used; a closed pipe is the source of the error then. A
/// failing statement is no error here: it is printed and counted.
pub async fn run(case: Case, options: ReplOptions) -> Result<u64> {
    let interrupts = Interrupts::listen().map_err(ReportError::Read)?;
    let stdin = io::stdin();
    if stdin.is_terminal() {
        terminal::run(case, &options, interrupts).await?;
        Ok(0)
    } else {
        let mut session = Session::new(case, &options, interrupts);
        run_script(&mut session, stdin.lock()).await?;
        Ok(session.n_failed)
    }
}

/// Runs what the reader gives, line by line, so that answers follow their statements.
async fn run_script(session: &mut Session, reader: impl BufRead) -> Result<()> {
    let mut input = input::Input::default();
    for line in reader.lines() {
        let line = line.map_err(ReportError::Read)?;
        if let Some(piece) = input.push(&line)
            && session.run(piece).await? != Flow::Continue
        {
            return Ok(());
        }
    }
    if let Some(piece) = input.finish() {
        session.run(piece).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
