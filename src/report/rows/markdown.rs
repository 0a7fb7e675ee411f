//! A Markdown table, for tickets and case files.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::EncoderOptions;

use super::{Format, Sink, cells, encode_error};
use crate::error::{ReportError, Result};
use crate::report::safe;

pub struct MarkdownSink<W> {
    out: W,
    schema: SchemaRef,
    json: EncoderOptions,
}

impl<W: Write> MarkdownSink<W> {
    pub fn new(schema: &SchemaRef, mut out: W) -> Result<Self> {
        let mut header = String::from("|");
        let mut rule = String::from("|");
        for field in schema.fields() {
            header.push_str(&format!(" {} |", safe::markdown(field.name())));
            rule.push_str(if cells::is_number(field.data_type()) {
                " ---: |"
            } else {
                " --- |"
            });
        }
        if !schema.fields().is_empty() {
            writeln!(out, "{header}\n{rule}").map_err(ReportError::from)?;
        }
        Ok(Self {
            out,
            schema: schema.clone(),
            json: cells::json_options(),
        })
    }
}

impl<W: Write> Sink for MarkdownSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = cells::columns(&self.schema, batch, &self.json)
            .map_err(encode_error(Format::Markdown))?;
        let mut line = String::new();
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            line.push('|');
            for column in &mut columns {
                text.clear();
                column
                    .text(row, &mut text)
                    .map_err(encode_error(Format::Markdown))?;
                line.push(' ');
                line.push_str(&safe::markdown(&text));
                line.push_str(" |");
            }
            writeln!(self.out, "{line}").map_err(ReportError::from)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.out.flush().map_err(ReportError::from)?;
        Ok(())
    }
}
