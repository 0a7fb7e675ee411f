//! `spoor query`: SQL in, rows out.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use futures::StreamExt;

use super::interrupt::unless_interrupted;
use super::output::Target;
use super::select::SelectionFlags;
use super::{Outcome, Shared};
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
        let case = shared.open_case(&self.sources, &self.selection).await?;
        let options = RowOptions {
            color: shared.color(self.target.is_file()),
            width: self.target.width(),
            max_rows: None,
        };
        let engine = Arc::clone(&case.engine);
        let target = self.target.clone();
        unless_interrupted(async move { answer(&engine, &sql, format, &target, options).await })
            .await?;
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

async fn answer(
    engine: &Engine,
    sql: &str,
    format: Format,
    target: &Target,
    options: RowOptions,
) -> Result<()> {
    let statements = engine.parse(sql)?;
    if statements.is_empty() {
        return Err(QueryError::new("no statement").into());
    }
    if matches!(format, Format::Parquet | Format::Json) && statements.len() > 1 {
        let message = format!("{format} holds the rows of one statement, not of several");
        return Err(QueryError::new(message).into());
    }
    let mut out = target.open()?;
    for statement in &statements {
        write_rows(engine, statement, format, &mut out, options).await?;
    }
    out.finish()
}

async fn write_rows(
    engine: &Engine,
    statement: &Statement,
    format: Format,
    out: &mut (impl std::io::Write + Send),
    options: RowOptions,
) -> Result<()> {
    let mut rows = engine.execute(statement).await?;
    let mut writer = RowWriter::new(format, &rows.schema, out, options)?;
    while let Some(batch) = rows.next().await {
        writer.write(&batch?)?;
    }
    writer.finish()?;
    Ok(())
}
