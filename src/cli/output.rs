//! Where results go: stdout, or a file that appears whole or not at all.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::error::{FileError, QueryError, ReportError, Result};
use crate::report::rows::Format;
use crate::util::AtomicFile;

/// The goal of a command's results.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Target {
    /// Write to a file instead of stdout
    #[arg(long = "output", short = 'o', value_name = "FILE")]
    path: Option<PathBuf>,
}

/// Narrower terminals get lines of this many columns all the same.
const MIN_WIDTH: u16 = 40;

impl Target {
    /// The goal without flags.
    pub(super) fn stdout() -> Self {
        Self { path: None }
    }

    pub(super) fn is_file(&self) -> bool {
        self.path.is_some()
    }

    /// The file's name without its folder.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.path.as_ref()?.file_name()?.to_str()
    }

    /// What the file's name ends in, after the last dot, in lower case.
    pub(super) fn ending(&self) -> Option<String> {
        let ending = self.path.as_ref()?.extension()?.to_str()?;
        Some(ending.to_ascii_lowercase())
    }

    /// The format of rows: the flag's, else what the file's name ends in, else what suits the reader.
    ///
    /// # Errors
    ///
    /// Where bytes that are no text would go to a terminal.
    pub(super) fn row_format(&self, flag: Option<Format>) -> Result<Format> {
        let format = flag.unwrap_or_else(|| self.usual_format());
        if !format.is_text() && self.is_terminal() {
            return Err(QueryError::new(format!("{format} is not for a terminal"))
                .with_hint("name a file with `-o FILE`")
                .into());
        }
        Ok(format)
    }

    fn usual_format(&self) -> Format {
        match self.ending().as_deref() {
            Some("csv") => Format::Csv,
            Some("tsv") => Format::Tsv,
            Some("json") => Format::Json,
            Some("ndjson" | "jsonl") => Format::Ndjson,
            Some("md") => Format::Markdown,
            Some("txt") => Format::Table,
            Some("parquet") => Format::Parquet,
            _ if self.is_terminal() => Format::Table,
            _ => Format::Ndjson,
        }
    }

    /// Results go to a person's eyes.
    pub(super) fn is_terminal(&self) -> bool {
        self.path.is_none() && io::stdout().is_terminal()
    }

    /// The terminal's width in columns, where there is one.
    pub(super) fn width(&self) -> Option<usize> {
        let columns = console::Term::stdout()
            .size_checked()
            .map(|(_, columns)| columns);
        columns
            .filter(|_| self.is_terminal())
            .map(|columns| usize::from(columns.max(MIN_WIDTH)))
    }

    /// Opens the goal.
    pub(super) fn open(&self) -> Result<Output> {
        match &self.path {
            None => Ok(Output::Stdout(BufWriter::new(io::stdout()))),
            Some(path) if is_special(path) => {
                let file = OpenOptions::new()
                    .write(true)
                    .open(path)
                    .map_err(FileError::at("open", path))?;
                Ok(Output::Special(BufWriter::new(file)))
            }
            Some(path) => Ok(Output::File(Box::new(BufWriter::new(AtomicFile::create(
                path,
            )?)))),
        }
    }
}

/// A pipe or a device: there, but no file to replace.
fn is_special(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// An open goal. Call [`Output::finish`], or a file never appears.
#[derive(Debug)]
pub(super) enum Output {
    Stdout(BufWriter<io::Stdout>),
    Special(BufWriter<std::fs::File>),
    File(Box<BufWriter<AtomicFile>>),
}

impl Output {
    /// Everything is written.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Stdout(mut out) => out.flush().map_err(ReportError::Write)?,
            Self::Special(mut out) => out.flush().map_err(ReportError::Write)?,
            Self::File(out) => out
                .into_inner()
                .map_err(|error| ReportError::Write(error.into_error()))?
                .commit()?,
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Special(out) => out.write(bytes),
            Self::File(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Special(out) => out.flush(),
            Self::File(out) => out.flush(),
        }
    }
}
