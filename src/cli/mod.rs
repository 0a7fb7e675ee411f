//! The command line: one file per command, and what they share.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 findings at or over
//! `--fail-on`, 2 something failed, 130 interrupted. A closed pipe is no failure.

/// A line on stderr. Where nobody listens any more, the work goes on.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod detect;
mod export;
mod ingest;
mod interrupt;
mod lake;
mod output;
mod progress;
mod query;
mod repl;
mod rows;
mod rules;
mod schema;
mod select;
mod trace;

use std::error::Error as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::interrupt::Interrupt;
use self::progress::Bar;
use self::select::SelectionFlags;
use crate::app::{Case, CaseOptions};
use crate::config::BaselineUntil;
use crate::engine::{Now, STACK_BYTES};
use crate::error::{Error, IngestError, ReportError};
use crate::lake::Lake;
use crate::report::safe;
use crate::util::ByteSize;

/// AWS CloudTrail evidence as a Parquet lake: SQL, hunts and detections, offline.
#[derive(Debug, Parser)]
#[command(name = "spoor", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
struct Shared {
    /// The lake's folder [default: ./spoor-lake]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SPOOR_LAKE",
        hide_env_values = true
    )]
    lake: Option<PathBuf>,
    /// The case's lists: own accounts, vendors, what is allowed [default: spoor.toml beside the lake or here]
    #[arg(long, global = true, value_name = "FILE")]
    lists: Option<PathBuf>,
    /// Memory for queries, after which they use temporary files (`512M`, `2GiB`)
    #[arg(long, global = true, value_name = "SIZE")]
    memory_limit: Option<ByteSize>,
    /// Reads a table under another name: `mydb.trail=cloudtrail` (may be given more than once)
    #[arg(long, global = true, value_name = "NAME=TABLE", value_parser = parse_alias)]
    alias: Vec<(String, String)>,
    /// What "now" is in statements: the end of the evidence, the clock's time, or a time (`2023-07-06`)
    #[arg(long, global = true, value_name = "end|real|TIME", default_value = "end", value_parser = Now::from_str)]
    now: Now,
    /// When to use colors
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

impl Shared {
    /// Whether to color what goes to stdout (`to_file`: no).
    fn color(&self, to_file: bool) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                !to_file
                    && std::io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }

    /// The named lake, or the default one.
    fn lake(&self) -> Result<Lake, Error> {
        Lake::open(self.lake.as_deref().unwrap_or(Path::new("spoor-lake")))
    }

    fn memory_limit_bytes(&self) -> Option<usize> {
        let limit = self.memory_limit;
        limit.map(|size| usize::try_from(size.0).unwrap_or(usize::MAX))
    }

    /// Opens the case that these flags and `sources` name, and says what was read on the way.
    async fn open_case(
        &self,
        sources: &[String],
        selection: &SelectionFlags,
    ) -> Result<Case, Error> {
        self.open_case_from(sources, selection, None).await
    }

    /// The same, where the hunt may begin within the evidence.
    async fn open_case_from(
        &self,
        sources: &[String],
        selection: &SelectionFlags,
        baseline_until: Option<BaselineUntil>,
    ) -> Result<Case, Error> {
        let options = CaseOptions {
            sources: sources.to_vec(),
            selection: selection.request(),
            lake: self.lake.clone(),
            default_lake: PathBuf::from("spoor-lake"),
            lists: self.lists.clone(),
            baseline_until,
            memory_limit_bytes: self.memory_limit_bytes(),
            aliases: self.alias.clone(),
            now: self.now,
        };
        let bar = Bar::new(self.quiet);
        let interrupt = Interrupt::listen();
        let opened = Case::open(&options, bar.clone(), interrupt.flag()).await;
        bar.close(opened.as_ref().ok().and_then(|case| case.summary.as_ref()));
        if let Ok(case) = &opened {
            self.say_left_out(case.sources_left_out);
        }
        opened
    }

    /// Says how many sources the selection left unread.
    fn say_left_out(&self, n_sources: u64) {
        if n_sources > 0 && !self.quiet {
            say!("{n_sources} sources lie outside of the selection and were left unread");
        }
    }
}

/// Says how a statement was read, where that is not as it was written.
fn say_notes(notes: &[String]) {
    for note in notes {
        say!("note: {}", safe::line(note));
    }
}

/// `NAME=TABLE`.
fn parse_alias(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, table)) if !name.trim().is_empty() && !table.trim().is_empty() => {
            Ok((name.trim().to_owned(), table.trim().to_owned()))
        }
        _ => Err("expected `NAME=TABLE`, such as `mydb.trail=cloudtrail`".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find role abuse: run the detections over logs or a lake
    Detect(detect::Detect),
    /// Print records as they were, for other tools or another lake
    Export(export::Export),
    /// Read CloudTrail logs into a lake
    Ingest(ingest::Ingest),
    /// See what a lake holds and what was done to it, and keep it in shape
    Lake(lake::LakeCommands),
    /// Answer SQL over logs or a lake
    Query(query::Query),
    /// Ask SQL questions in a shell
    Repl(repl::Repl),
    /// List, show and test the detections
    Rules(rules::Rules),
    /// See tables and columns, here and for Athena
    Schema(schema::Schema),
    /// Follow a key, session, name, event or address: where it came from, and what was done with it
    Trace(trace::Trace),
}

/// How a command ended, where nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// Findings at or over `--fail-on`.
    Findings,
    /// Something failed and was said; the rest was done.
    Failed,
}

/// Runs the program for the process's arguments.
pub fn main() -> ExitCode {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    match thread.spawn(run).map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => {
            say!("error: cannot start: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe under `--help` is no failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            say!("error: cannot start: {error}");
            return ExitCode::from(2);
        }
    };
    let result = runtime.block_on(cli.run());
    // Reading that was interrupted must not hold the exit.
    runtime.shutdown_background();
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Failed) => ExitCode::from(2),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(if is_interrupt(&error) { 130 } else { 2 })
        }
    }
}

impl Cli {
    async fn run(self) -> Result<Outcome, Error> {
        let shared = self.shared;
        match self.command {
            Command::Detect(command) => command.run(&shared).await,
            Command::Export(command) => command.run(&shared).await,
            Command::Ingest(command) => command.run(&shared).await,
            Command::Lake(command) => command.run(&shared).await,
            Command::Query(command) => command.run(&shared).await,
            Command::Repl(command) => command.run(&shared).await,
            Command::Rules(command) => command.run(&shared).await,
            Command::Schema(command) => command.run(&shared).await,
            Command::Trace(command) => command.run(&shared).await,
        }
    }
}

/// Prints an error with its causes and the way out.
fn complain(error: &Error) {
    say!("error: {}", safe::line(&error.to_string()));
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            // Some causes point into a text, over several lines.
            say!("  because: {}", safe::lines(&text).replace('\n', "\n  "));
        }
        said = text;
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        say!("hint: {}", safe::line(&hint));
    }
}

fn is_closed_pipe(error: &Error) -> bool {
    matches!(
        error,
        Error::Report(ReportError::Write(source))
            if source.kind() == std::io::ErrorKind::BrokenPipe
    )
}

fn is_interrupt(error: &Error) -> bool {
    matches!(
        error,
        Error::Interrupted | Error::Ingest(IngestError::Interrupted)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
