//! `spoor query`: SQL in, rows out.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use futures::StreamExt;

use super::interrupt::unless_interrupted;
use super::output::Target;
use super::select::{BaselineFlag, SelectionFlags};
use super::{Outcome, Shared, say_notes};
use crate::engine::{Engine, Statement};
use crate::error::{FileError, QueryError, Result};
use crate::report::rows::{Format, RowOptions, RowWriter};

/// Answer SQL. Statements are separated by `;` and only read.
#[derive(Debug, Args)]
pub(super) struct Query {
    /// Logs or a lake to ask, in place of `--lake`
    #[arg(value_name = "SRC")]
    sources: Vec<String>,
    #[command(flatten)]
    selection: SelectionFlags,
    #[command(flatten)]
    baseline: BaselineFlag,
    /// The statements
    #[arg(
        short = 'c',
        long = "command",
        value_name = "SQL",
        conflicts_with = "file"
    )]
    command: Option<String>,
    /// A file with the statements; without this and `-c` they come from stdin
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: Option<PathBuf>,
    /// table, csv, tsv, json, ndjson, markdown, vertical or parquet [default: what the name of -o FILE ends in; table on a terminal; else ndjson]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    target: Target,
}

impl Query {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let format = self.target.row_format(self.format)?;
        let sql = self.text()?;
        let until = self.baseline.baseline_until;
        let case = shared
            .open_case_from(&self.sources, &self.selection, until)
            .await?;
        let options = RowOptions {
            color: shared.color(self.target.is_file()),
            width: self.target.width(),
            max_rows: None,
        };
        let asked = Asked {
            engine: Arc::clone(&case.engine),
            format,
            options,
            quiet: shared.quiet,
        };
        let target = self.target.clone();
        unless_interrupted(async move { asked.answer(&sql, &target).await }).await?;
        Ok(Outcome::Done)
    }

    fn text(&self) -> Result<String> {
        if let Some(command) = &self.command {
            return Ok(command.clone());
        }
        let mut bytes = Vec::new();
        match &self.file {
            Some(path) => bytes = std::fs::read(path).map_err(FileError::at("read", path))?,
            None => {
                if std::io::stdin().is_terminal() {
                    return Err(QueryError::new("no statement")
                        .with_hint(
                            "give one with `-c SQL`, a file with `-f FILE`, or use `spoor repl`",
                        )
                        .into());
                }
                std::io::stdin()
                    .read_to_end(&mut bytes)
                    .map_err(FileError::at("read", "-"))?;
            }
        }
        String::from_utf8(bytes).map_err(|error| {
            let message = format!("the statements are not UTF-8: {error}");
            QueryError::new(message).into()
        })
    }
}

/// What is asked, and how the answer is to look.
struct Asked {
    engine: Arc<Engine>,
    format: Format,
    options: RowOptions,
    /// Whether to keep to oneself how a statement was read.
    quiet: bool,
}

impl Asked {
    async fn answer(&self, sql: &str, target: &Target) -> Result<()> {
        let statements = self.engine.parse(sql)?;
        if statements.is_empty() {
            return Err(QueryError::new("no statement").into());
        }
        let format = self.format;
        if matches!(format, Format::Parquet | Format::Json) && statements.len() > 1 {
            let message = format!("{format} holds the rows of one statement, not of several");
            return Err(QueryError::new(message).into());
        }
        let mut out = target.open()?;
        let mut said = BTreeSet::new();
        for statement in &statements {
            self.write_rows(statement, &mut out, &mut said).await?;
        }
        out.finish()
    }

    async fn write_rows(
        &self,
        statement: &Statement,
        out: &mut (impl std::io::Write + Send),
        said: &mut BTreeSet<String>,
    ) -> Result<()> {
        let mut rows = self.engine.execute(statement).await?;
        rows.notes.retain(|note| said.insert(note.clone()));
        if !self.quiet {
            say_notes(&rows.notes);
        }
        let mut writer = RowWriter::new(self.format, &rows.schema, out, self.options)?;
        while let Some(batch) = rows.next().await {
            writer.write(&batch?)?;
        }
        writer.finish()?;
        Ok(())
    }
}
