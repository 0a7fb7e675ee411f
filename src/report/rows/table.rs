//! Tables for the terminal.
//!
//! A table needs its widest cells before it can print a line, so rows are laid out in parts of
//! [`PART_ROWS`], each with a header of its own: memory stays bounded however long the result is.
//! Where the terminal is too narrow to give every column a readable width, the whole result is
//! written on end ([`super::vertical`]).

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::EncoderOptions;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, TableComponent};

use super::vertical::VerticalSink;
use super::{Format, RowOptions, Sink, cells, encode_error};
use crate::error::{ReportError, Result};
use crate::report::safe;

/// Rows laid out together.
const PART_ROWS: usize = 1_000;
/// A cell shows at most so many characters; every other format has the whole value.
const MAX_CELL_CHARS: usize = 1_000;
/// A column narrower than this (and than its content) cannot be read.
const MIN_COLUMN_CHARS: usize = 10;

pub const DIM: &str = "\x1b[2m";
pub const RESET: &str = "\x1b[0m";

/// What a screen format says about rows it did not print.
pub fn more_rows(hidden: usize) -> String {
    format!("… {hidden} more rows, not shown")
}

pub struct TableSink<W: Write> {
    schema: SchemaRef,
    json: EncoderOptions,
    options: RowOptions,
    /// `None` only while the output changes hands.
    output: Option<Output<W>>,
    /// Batches not printed yet, at most [`PART_ROWS`] rows and the last batch.
    waiting: Vec<RecordBatch>,
    n_waiting: usize,
    n_rows: usize,
}

enum Output<W: Write> {
    /// No row was printed: the first part decides.
    Undecided(W),
    Table(W),
    Vertical(Box<VerticalSink<W>>),
}

impl<W: Write> TableSink<W> {
    pub fn new(schema: &SchemaRef, out: W, options: RowOptions) -> Self {
        Self {
            schema: schema.clone(),
            json: cells::json_options(),
            options,
            output: Some(Output::Undecided(out)),
            waiting: Vec::new(),
            n_waiting: 0,
            n_rows: 0,
        }
    }

    /// Lays out the waiting rows and prints them.
    fn print_part(&mut self) -> Result<()> {
        let batches = std::mem::take(&mut self.waiting);
        self.n_waiting = 0;
        let mut output = match self.output.take() {
            None => return Ok(()),
            Some(Output::Undecided(out)) => {
                let table = self.layout(&batches)?;
                if self.too_wide(&table) {
                    // This sink counts and hides rows; the other one prints all it gets.
                    let options = RowOptions {
                        max_rows: None,
                        ..self.options
                    };
                    Output::Vertical(Box::new(VerticalSink::new(&self.schema, out, options)))
                } else {
                    Output::Table(out)
                }
            }
            Some(decided) => decided,
        };
        match &mut output {
            Output::Undecided(_) => {}
            Output::Table(out) => {
                let mut table = self.layout(&batches)?;
                if table.column_count() > 0 {
                    writeln!(out, "{table}").map_err(ReportError::from)?;
                }
            }
            Output::Vertical(sink) => {
                for batch in &batches {
                    sink.write(batch)?;
                }
            }
        }
        self.output = Some(output);
        Ok(())
    }

    fn layout(&self, batches: &[RecordBatch]) -> Result<Table> {
        let mut table = Table::new();
        table
            .load_preset(UTF8_FULL_CONDENSED)
            .set_style(TableComponent::VerticalLines, '│')
            .set_content_arrangement(ContentArrangement::Dynamic);
        // The terminal is the caller's to ask: otherwise comfy-table would look at stdout itself.
        table.force_no_tty();
        if self.options.color {
            table.enforce_styling();
        }
        if let Some(width) = self.options.width {
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
        table.set_header(self.schema.fields().iter().map(|field| {
            let cell = Cell::new(safe::line(field.name()));
            if self.options.color {
                cell.add_attribute(Attribute::Bold)
            } else {
                cell
            }
        }));
        for batch in batches {
            self.add_rows(&mut table, batch)?;
        }
        for (column, field) in table.column_iter_mut().zip(self.schema.fields()) {
            if cells::is_number(field.data_type()) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Ok(table)
    }

    fn add_rows(&self, table: &mut Table, batch: &RecordBatch) -> Result<()> {
        let mut columns =
            cells::columns(&self.schema, batch, &self.json).map_err(encode_error(Format::Table))?;
        for row in 0..batch.num_rows() {
            let mut line = Vec::with_capacity(columns.len());
            for column in &mut columns {
                let mut text = String::new();
                let present = column
                    .text(row, &mut text)
                    .map_err(encode_error(Format::Table))?;
                line.push(match (present, self.options.color) {
                    (true, _) => Cell::new(shown(&text)),
                    (false, true) => Cell::new("NULL").add_attribute(Attribute::Dim),
                    (false, false) => Cell::new(""),
                });
            }
            table.add_row(line);
        }
        Ok(())
    }

    fn too_wide(&self, table: &Table) -> bool {
        let Some(width) = self.options.width else {
            return false;
        };
        let wanted = table.column_max_content_widths();
        // Each column has a border and a blank on either side; one more border closes the line.
        let least: usize = wanted
            .iter()
            .map(|chars| usize::from(*chars).min(MIN_COLUMN_CHARS) + 3)
            .sum();
        least + 1 > width
    }
}

impl<W: Write> Sink for TableSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let max_rows = self.options.max_rows.unwrap_or(usize::MAX);
        let n_free = max_rows.saturating_sub(self.n_rows);
        self.n_rows += batch.num_rows();
        let batch = batch.slice(0, batch.num_rows().min(n_free));
        let mut start = 0;
        while start < batch.num_rows() {
            let n = (batch.num_rows() - start).min(PART_ROWS - self.n_waiting);
            self.waiting.push(batch.slice(start, n));
            self.n_waiting += n;
            start += n;
            if self.n_waiting == PART_ROWS {
                self.print_part()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.n_waiting > 0 || matches!(self.output, Some(Output::Undecided(_))) {
            self.print_part()?;
        }
        let hidden = self
            .n_rows
            .saturating_sub(self.options.max_rows.unwrap_or(usize::MAX));
        match self.output.take() {
            None => Ok(()),
            Some(Output::Undecided(mut out) | Output::Table(mut out)) => {
                if hidden > 0 {
                    writeln!(out, "{}", more_rows(hidden)).map_err(ReportError::from)?;
                }
                Ok(out.flush().map_err(ReportError::from)?)
            }
            Some(Output::Vertical(mut sink)) => {
                sink.note_hidden(hidden);
                sink.finish()
            }
        }
    }
}

/// The value on screen. A line break inside a value is marked, so that it cannot pass for a row.
fn shown(text: &str) -> String {
    let mut shown = safe::lines(&safe::cut(text, MAX_CELL_CHARS))
        .replace('\t', "    ")
        .replace('\n', "↵\n");
    if shown.ends_with('\n') {
        shown.pop();
    }
    shown
}
