//! Rows of a query in the formats people and programs read, written as they come.
//!
//! One file per format. Always true: rows keep their order, every row is written (the two formats for
//! reading on a screen may stop at `max_rows` and then say how many they left out), and NULL differs
//! from an empty text wherever the format can say so.

mod cells;
mod csv;
mod json;
mod markdown;
mod parquet;
mod table;
mod vertical;

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};

use crate::error::{ReportError, Result};

pub(super) use self::csv::csv_error;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A table for the terminal; turns to [`Format::Vertical`] where the columns do not fit.
    Table,
    /// Comma-separated, with a header; cells that look like formulas are marked as text.
    Csv,
    /// Like CSV, separated by tabs.
    Tsv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// A Markdown table.
    Markdown,
    /// One line a column, for wide rows.
    Vertical,
    /// A Parquet file with the columns' own types.
    Parquet,
}

impl Format {
    /// Every format, in the order help texts show them.
    pub const ALL: [Self; 8] = [
        Self::Table,
        Self::Csv,
        Self::Tsv,
        Self::Json,
        Self::Ndjson,
        Self::Markdown,
        Self::Vertical,
        Self::Parquet,
    ];

    /// The names of [`Format::ALL`], as flags spell them.
    pub const NAMES: [&'static str; 8] = [
        "table", "csv", "tsv", "json", "ndjson", "markdown", "vertical", "parquet",
    ];

    /// The name in flags and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Markdown => "markdown",
            Self::Vertical => "vertical",
            Self::Parquet => "parquet",
        }
    }

    /// False where the bytes are not text: they belong in a file, not on a terminal.
    pub fn is_text(self) -> bool {
        self != Self::Parquet
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text was none of the format names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a format ({})", known.join(", "))]
pub struct UnknownFormat {
    pub name: String,
    pub known: &'static [&'static str],
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat {
                name: text.to_owned(),
                known: &Self::NAMES,
            })
    }
}

/// How rows look on a screen. Other formats do not depend on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowOptions {
    /// Mark the header and NULLs with terminal colors.
    pub color: bool,
    /// The terminal's width in columns; `None` where there is no terminal: then nothing is wrapped.
    pub width: Option<usize>,
    /// Print at most so many rows, and count the rest. Only [`Format::Table`] and
    /// [`Format::Vertical`] heed it: they are for reading, all others are the whole answer.
    pub max_rows: Option<usize>,
}

/// What each format implements.
trait Sink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Writes what is left and flushes.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Writes the batches of one result.
///
/// Without [`RowWriter::finish`] the output is incomplete.
pub struct RowWriter<'a> {
    sink: Box<dyn Sink + Send + 'a>,
    n_rows: u64,
}

impl<'a> RowWriter<'a> {
    /// Starts the output: headers are written at once, also for a result without rows.
    ///
    /// # Errors
    ///
    /// Where `out` cannot be written, or the format has no way to hold a column's type.
    pub fn new(
        format: Format,
        schema: &SchemaRef,
        out: impl Write + Send + 'a,
        options: RowOptions,
    ) -> Result<Self> {
        let sink: Box<dyn Sink + Send + 'a> = match format {
            Format::Table => Box::new(table::TableSink::new(schema, out, options)),
            Format::Csv => Box::new(csv::CsvSink::new(schema, out, b',')?),
            Format::Tsv => Box::new(csv::CsvSink::new(schema, out, b'\t')?),
            Format::Json => Box::new(json::JsonSink::array(schema, out)?),
            Format::Ndjson => Box::new(json::JsonSink::lines(schema, out)?),
            Format::Markdown => Box::new(markdown::MarkdownSink::new(schema, out)?),
            Format::Vertical => Box::new(vertical::VerticalSink::new(schema, out, options)),
            Format::Parquet => Box::new(parquet::ParquetSink::new(schema, out)?),
        };
        Ok(Self { sink, n_rows: 0 })
    }

    /// Adds rows. The batch has the schema given to [`RowWriter::new`].
    ///
    /// # Errors
    ///
    /// Where the output cannot be written; a closed pipe is the source of the error then.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.n_rows += batch.num_rows() as u64;
        self.sink.write(batch)
    }

    /// Completes the output and returns the number of rows given, printed or not.
    ///
    /// # Errors
    ///
    /// Where the output cannot be written.
    pub fn finish(self) -> Result<u64> {
        self.sink.finish()?;
        Ok(self.n_rows)
    }
}

fn encode_error(format: Format) -> impl FnOnce(arrow::error::ArrowError) -> ReportError {
    move |source| ReportError::Encode {
        format: format.as_str(),
        source: Box::new(source),
    }
}

/// The schema with every column name once: formats with named values would lose the second one.
fn with_unique_names(schema: &SchemaRef) -> SchemaRef {
    let mut taken = BTreeSet::new();
    let fields = schema.fields().iter().map(|field| {
        let mut name = field.name().clone();
        let mut n = 1;
        while !taken.insert(name.clone()) {
            n += 1;
            name = format!("{}_{n}", field.name());
        }
        field.as_ref().clone().with_name(name)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests;
