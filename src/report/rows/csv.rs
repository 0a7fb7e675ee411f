//! CSV and TSV: a header, then one record a row; NULL and the empty text are both an empty cell.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::json::writer::EncoderOptions;

use super::{Format, Sink, cells, encode_error};
use crate::error::{ReportError, Result};
use crate::report::safe;

pub struct CsvSink<W: Write> {
    writer: csv::Writer<W>,
    schema: SchemaRef,
    json: EncoderOptions,
}

impl<W: Write> CsvSink<W> {
    pub fn new(schema: &SchemaRef, out: W, delimiter: u8) -> Result<Self> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .from_writer(out);
        let names = schema.fields().iter().map(|field| field.name());
        let names = names.map(|name| safe::csv(name).into_owned());
        if !schema.fields().is_empty() {
            writer.write_record(names).map_err(csv_error)?;
        }
        Ok(Self {
            writer,
            schema: schema.clone(),
            json: cells::json_options(),
        })
    }
}

impl<W: Write> Sink for CsvSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns =
            cells::columns(&self.schema, batch, &self.json).map_err(encode_error(Format::Csv))?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for (column, field) in columns.iter_mut().zip(self.schema.fields()) {
                text.clear();
                column
                    .text(row, &mut text)
                    .map_err(encode_error(Format::Csv))?;
                let written = if may_hold_text(field.data_type()) {
                    self.writer.write_field(safe::csv(&text).as_bytes())
                } else {
                    self.writer.write_field(&text)
                };
                written.map_err(csv_error)?;
            }
            self.writer.write_record(None::<&[u8]>).map_err(csv_error)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.flush().map_err(ReportError::from)?;
        Ok(())
    }
}

/// Numbers, times and truth values cannot be formulas; whatever else may be.
fn may_hold_text(data_type: &DataType) -> bool {
    !(data_type.is_numeric() || data_type.is_temporal() || *data_type == DataType::Boolean)
}

/// Keeps an I/O error what it is, so that a closed pipe can be told from a failure.
pub(in crate::report) fn csv_error(error: csv::Error) -> ReportError {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => ReportError::Write(source),
        other => ReportError::Encode {
            format: "csv",
            source: format!("{other:?}").into(),
        },
    }
}
