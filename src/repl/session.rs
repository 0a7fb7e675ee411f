//! What the shell remembers between statements, and how it runs one.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, StringArray};

use super::commands::{self, COMMANDS, Command};
use super::input::{Input, Piece, Sql};
use super::work::{Interrupts, Part, Work};
use super::{Case, ReplOptions, detect};
use crate::engine::{Statement, TableInfo};
use crate::error::{Error, FileError, QueryError, ReportError, Result};
use crate::report::findings::{FindingFormat, FindingOptions, write_findings};
use crate::report::rows::{Format, RowOptions, RowWriter};
use crate::report::safe;
use crate::report::trace::{TraceFormat, TraceOptions, write_trace};

/// Rows of a table shown at a terminal until `.maxrows` says otherwise.
const MAX_ROWS: usize = 1_000;
/// How deep files may `.read` files: enough for any use, and no endless loop.
const MAX_READ_DEPTH: usize = 8;

/// What comes after a piece of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// Ctrl-C ended the piece: what else came with it is not wanted either.
    Interrupted,
    Quit,
}

/// The state of one shell.
pub struct Session {
    pub case: Case,
    /// At a terminal: answers are cut to be read and counted aloud, and Ctrl-C ends a statement but
    /// not the shell.
    pub is_interactive: bool,
    /// The terminal's width, if there is one.
    pub width: Option<usize>,
    /// Statements and commands that failed.
    pub n_failed: u64,
    format: Format,
    color: bool,
    shows_time: bool,
    max_rows: Option<usize>,
    read_depth: usize,
    work: Work,
    /// Answers.
    out: Box<dyn Write + Send>,
    /// Talk: counts, times, errors.
    talk: Box<dyn Write + Send>,
}

impl Session {
    /// A session that answers on standard output and talks on standard error.
    pub fn new(case: Case, options: &ReplOptions, interrupts: Interrupts) -> Self {
        let out = BufWriter::new(io::stdout());
        let mut session = Self::with_output(case, options, Box::new(out), Box::new(io::stderr()));
        session.work = Work::new(interrupts);
        session
    }

    /// A session with outputs of its own, deaf to Ctrl-C.
    pub fn with_output(
        case: Case,
        options: &ReplOptions,
        out: Box<dyn Write + Send>,
        talk: Box<dyn Write + Send>,
    ) -> Self {
        Self {
            case,
            is_interactive: false,
            width: None,
            n_failed: 0,
            format: options.format,
            color: options.color,
            shows_time: false,
            max_rows: Some(MAX_ROWS),
            read_depth: 0,
            work: Work::new(Interrupts::ignore()),
            out,
            talk,
        }
    }

    /// Runs a piece of input. What fails is printed and counted.
    ///
    /// # Errors
    ///
    /// Only where the output cannot be written.
    pub async fn run(&mut self, piece: Piece) -> Result<Flow> {
        let outcome = match piece {
            Piece::Command(line) => self.run_command(&line).await,
            Piece::Sql(sql) => self.run_sql(&sql).await.map(|()| Flow::Continue),
        };
        match outcome {
            Err(error @ Error::Report(_)) => Err(error),
            Err(error) => {
                self.n_failed += 1;
                self.out.flush().map_err(ReportError::from)?;
                let was_interrupted = self.work.was_interrupted();
                // The terminal has just shown `^C`.
                let gap = if was_interrupted { "\n" } else { "" };
                self.say(&format!("{gap}{}", describe(&error)))?;
                Ok(if was_interrupted {
                    Flow::Interrupted
                } else {
                    Flow::Continue
                })
            }
            Ok(flow) => Ok(flow),
        }
    }

    /// Writes a line of talk.
    pub fn say(&mut self, text: &str) -> Result<()> {
        writeln!(self.talk, "{text}").map_err(ReportError::from)?;
        Ok(())
    }

    async fn run_sql(&mut self, sql: &Sql) -> Result<()> {
        for statement in self.case.engine.parse(&sql.placed())? {
            self.run_statement(statement).await?;
        }
        Ok(())
    }

    async fn run_statement(&mut self, statement: Statement) -> Result<()> {
        let start = Instant::now();
        let options = self.row_options();
        let engine = Arc::clone(&self.case.engine);
        let mut answer = self.work.start(engine, statement)?;
        let schema = match answer.next().await? {
            Some(Part::Schema(schema, notes)) => {
                for note in notes {
                    writeln!(self.talk, "note: {}", safe::line(&note))
                        .map_err(ReportError::from)?;
                }
                schema
            }
            Some(Part::Rows(_)) | None => return Ok(()),
        };
        let mut writer = RowWriter::new(self.format, &schema, &mut self.out, options)?;
        while let Some(part) = answer.next().await? {
            if let Part::Rows(batch) = part {
                writer.write(&batch)?;
            }
        }
        let n_rows = writer.finish()?;
        drop(answer);
        self.report_rows(n_rows, start.elapsed())
    }

    fn report_rows(&mut self, n_rows: u64, elapsed: Duration) -> Result<()> {
        if !(self.is_interactive || self.shows_time) {
            return Ok(());
        }
        let noun = if n_rows == 1 { "row" } else { "rows" };
        let mut text = format!("{n_rows} {noun}");
        if self.shows_time {
            text.push_str(&format!(" in {:.3} s", elapsed.as_secs_f64()));
        }
        self.say(&text)
    }

    fn row_options(&self) -> RowOptions {
        RowOptions {
            color: self.color,
            width: self.width,
            max_rows: self.max_rows.filter(|_| self.is_interactive),
        }
    }

    async fn run_command(&mut self, line: &str) -> Result<Flow> {
        match commands::parse(line)? {
            Command::Help => self.help()?,
            Command::Tables => {
                let tables = self.case.engine.tables();
                self.print(table_columns(&tables))?;
            }
            Command::Schema(table) => self.schema(table.as_deref())?,
            Command::Mode(None) => {
                let format = self.format;
                self.say(&format!("mode is {format}"))?;
            }
            Command::Mode(Some(format)) => self.format = format,
            Command::Timer(is_on) => self.shows_time = is_on,
            Command::MaxRows(max_rows) => self.max_rows = max_rows,
            Command::Read(path) => return Box::pin(self.read(&path)).await,
            Command::Detect(rule) => self.detect(rule).await?,
            Command::Alias(name, table) => self.case.engine.alias(&name, &table)?,
            Command::Trace(handle) => self.trace(handle).await?,
            Command::Rules => self.print(detect::rules(&self.case))?,
            Command::Quit => return Ok(Flow::Quit),
        }
        Ok(Flow::Continue)
    }

    fn help(&mut self) -> Result<()> {
        let mut text = String::from("Statements end with `;`.\n");
        for info in COMMANDS {
            let usage = format!("{} {}", info.names.join(", "), info.argument);
            text.push_str(&format!("  {usage:<28} {}\n", info.what));
        }
        self.write(&text)
    }

    fn schema(&mut self, table: Option<&str>) -> Result<()> {
        let mut tables = self.case.engine.tables();
        if let Some(name) = table {
            tables.retain(|table| table.name.eq_ignore_ascii_case(name));
            if tables.is_empty() {
                return Err(QueryError::new(format!("no table `{name}`"))
                    .with_hint("`.tables` lists the tables")
                    .into());
            }
        }
        let columns: Vec<_> = tables
            .iter()
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
            .collect();
        let names = columns.iter().map(|(_, column)| column.name.as_str());
        let types = columns.iter().map(|(_, column)| column.data_type.as_str());
        let mut list = vec![("column", texts(names)), ("type", texts(types))];
        if table.is_none() {
            let owners = columns.iter().map(|(table, _)| table.name.as_str());
            list.insert(0, ("table", texts(owners)));
        }
        self.print(list)
    }

    async fn read(&mut self, path: &Path) -> Result<Flow> {
        if self.read_depth == MAX_READ_DEPTH {
            return Err(QueryError::new(format!(
                "`.read` goes deeper than {MAX_READ_DEPTH} files"
            ))
            .into());
        }
        let text = fs::read_to_string(path).map_err(FileError::at("read", path))?;
        let mut input = Input::default();
        self.read_depth += 1;
        let mut flow = Flow::Continue;
        for line in text.lines() {
            if let Some(piece) = input.push(line) {
                flow = self.run(piece).await?;
            }
            if flow != Flow::Continue {
                break;
            }
        }
        if flow == Flow::Continue
            && let Some(piece) = input.finish()
        {
            flow = self.run(piece).await?;
        }
        self.read_depth -= 1;
        Ok(flow)
    }

    async fn detect(&mut self, rule: Option<String>) -> Result<()> {
        let case = self.case.clone();
        let detect = move || async move { detect::detect(&case, rule.as_deref()).await };
        let report = self.work.run(detect).await?;
        let format = match self.format {
            Format::Json => FindingFormat::Json,
            Format::Ndjson => FindingFormat::Ndjson,
            Format::Csv | Format::Tsv => FindingFormat::Csv,
            Format::Markdown => FindingFormat::Markdown,
            Format::Table | Format::Vertical | Format::Parquet => FindingFormat::Table,
        };
        let options = FindingOptions {
            color: self.color,
            width: self.width,
        };
        write_findings(&report.printed(), format, &mut self.out, options)?;
        for failure in &report.errors {
            self.n_failed += 1;
            let text = format!("error: rule `{}`: {}", failure.rule, failure.message);
            self.say(&safe::lines(&text))?;
        }
        Ok(())
    }

    async fn trace(&mut self, handle: String) -> Result<()> {
        let case = self.case.clone();
        let trace = move || async move { detect::trace(&case, &handle).await };
        let story = self.work.run(trace).await?;
        let format = match self.format {
            Format::Json | Format::Ndjson => TraceFormat::Json,
            Format::Table
            | Format::Vertical
            | Format::Parquet
            | Format::Csv
            | Format::Tsv
            | Format::Markdown => TraceFormat::Table,
        };
        let options = TraceOptions {
            color: self.color,
            width: self.width,
        };
        write_trace(&story, format, &mut self.out, options)
    }

    fn print(&mut self, columns: Vec<(&'static str, ArrayRef)>) -> Result<()> {
        let batch = detect::batch(columns)?;
        let options = RowOptions {
            max_rows: None,
            ..self.row_options()
        };
        let mut writer = RowWriter::new(self.format, &batch.schema(), &mut self.out, options)?;
        writer.write(&batch)?;
        writer.finish()?;
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let written = self.out.write_all(text.as_bytes());
        written
            .and_then(|()| self.out.flush())
            .map_err(ReportError::from)?;
        Ok(())
    }
}

fn table_columns(tables: &[TableInfo]) -> Vec<(&'static str, ArrayRef)> {
    let names = tables.iter().map(|table| table.name.as_str());
    let what = tables.iter().map(|table| table.what.as_str());
    vec![("table", texts(names)), ("what", texts(what))]
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// The error, its causes and its hint, harmless to show.
pub fn describe(error: &Error) -> String {
    let mut text = format!("error: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(&format!(": {cause_text}"));
        }
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\nhint: {hint}"));
    }
    safe::lines(&text).into_owned()
}
