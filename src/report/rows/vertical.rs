//! Rows on end, one line a column: for wide rows and long values.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::EncoderOptions;

use super::table::{DIM, RESET, more_rows};
use super::{Format, RowOptions, Sink, cells, encode_error};
use crate::error::{ReportError, Result};
use crate::report::safe;

/// The ruler over a row is no wider than this, however wide the terminal is.
const MAX_RULER_CHARS: usize = 60;

pub struct VerticalSink<W> {
    out: W,
    names: Vec<String>,
    schema: SchemaRef,
    json: EncoderOptions,
    options: RowOptions,
    n_rows: usize,
    n_hidden: usize,
}

impl<W: Write> VerticalSink<W> {
    pub fn new(schema: &SchemaRef, out: W, options: RowOptions) -> Self {
        let names = schema.fields().iter().map(|field| field.name());
        let names = names.map(|name| safe::line(name).into_owned()).collect();
        Self {
            out,
            names,
            schema: schema.clone(),
            json: cells::json_options(),
            options,
            n_rows: 0,
            n_hidden: 0,
        }
    }

    /// Counts rows that were left out before they came here.
    pub fn note_hidden(&mut self, n_rows: usize) {
        self.n_hidden += n_rows;
    }
}

impl<W: Write> Sink for VerticalSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let shown = self.options.max_rows.unwrap_or(usize::MAX);
        let name_chars = self.names.iter().map(|name| name.chars().count()).max();
        let name_chars = name_chars.unwrap_or(0);
        let mut columns = cells::columns(&self.schema, batch, &self.json)
            .map_err(encode_error(Format::Vertical))?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            if self.n_rows == shown {
                self.n_hidden += batch.num_rows() - row;
                break;
            }
            self.n_rows += 1;
            let title = format!("──[ row {} ]", self.n_rows);
            let width = self.options.width.unwrap_or(MAX_RULER_CHARS);
            let ruler = width.min(MAX_RULER_CHARS);
            writeln!(self.out, "{title:─<ruler$}").map_err(ReportError::from)?;
            for (column, name) in columns.iter_mut().zip(&self.names) {
                text.clear();
                let present = column
                    .text(row, &mut text)
                    .map_err(encode_error(Format::Vertical))?;
                let value = match (present, self.options.color) {
                    (true, _) => framed(&text, name_chars),
                    (false, true) => format!("{DIM}NULL{RESET}"),
                    (false, false) => "NULL".to_owned(),
                };
                writeln!(self.out, "{name:<name_chars$} │ {value}").map_err(ReportError::from)?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.n_hidden > 0 {
            writeln!(self.out, "{}", more_rows(self.n_hidden)).map_err(ReportError::from)?;
        }
        self.out.flush().map_err(ReportError::from)?;
        Ok(())
    }
}

/// Continues a value of several lines behind its own mark, so that no value can look like a column.
fn framed(text: &str, name_chars: usize) -> String {
    let mark = format!("\n{:name_chars$} ┆ ", "");
    safe::lines(text).replace('\n', &mark)
}
