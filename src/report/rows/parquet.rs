//! A Parquet file with the result's own types, zstd-compressed: for other engines, and for later.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::writer::EncoderOptions;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{Format, Sink, cells, encode_error, with_unique_names};
use crate::error::{ReportError, Result};

pub struct ParquetSink<W: Write + Send> {
    writer: ArrowWriter<W>,
    /// What the query gives.
    schema: SchemaRef,
    /// What the file holds.
    file_schema: SchemaRef,
    json: EncoderOptions,
}

impl<W: Write + Send> ParquetSink<W> {
    pub fn new(schema: &SchemaRef, out: W) -> Result<Self> {
        let fields = with_unique_names(schema);
        let fields = fields.fields().iter().map(|field| {
            if fits(field.data_type()) {
                field.as_ref().clone()
            } else {
                Field::new(field.name(), DataType::Utf8, true)
            }
        });
        let file_schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(out, file_schema.clone(), Some(properties))
            .map_err(parquet_error)?;
        Ok(Self {
            writer,
            schema: schema.clone(),
            file_schema,
            json: cells::json_options(),
        })
    }

    /// The batch with columns that Parquet has no type for as text.
    fn fitting(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut texts = cells::columns(&self.schema, batch, &self.json)?;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        for (n, column) in batch.columns().iter().enumerate() {
            if fits(column.data_type()) {
                columns.push(column.clone());
                continue;
            }
            let mut builder = StringBuilder::new();
            let mut text = String::new();
            for row in 0..batch.num_rows() {
                text.clear();
                let present = texts[n].text(row, &mut text)?;
                builder.append_option(present.then_some(&text));
            }
            columns.push(Arc::new(builder.finish()));
        }
        RecordBatch::try_new(self.file_schema.clone(), columns)
    }
}

impl<W: Write + Send> Sink for ParquetSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = self.fitting(batch).map_err(encode_error(Format::Parquet))?;
        self.writer.write(&batch).map_err(parquet_error)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let mut out = self.writer.into_inner().map_err(parquet_error)?;
        out.flush().map_err(ReportError::from)?;
        Ok(())
    }
}

/// False for types that Parquet has no form for, wherever they are nested.
fn fits(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..) | DataType::Interval(_) | DataType::RunEndEncoded(..) => false,
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => fits(field.data_type()),
        // Parquet has no group without members.
        DataType::Struct(fields) => {
            !fields.is_empty() && fields.iter().all(|field| fits(field.data_type()))
        }
        _ => true,
    }
}

fn parquet_error(error: ParquetError) -> ReportError {
    ReportError::Encode {
        format: Format::Parquet.as_str(),
        source: Box::new(error),
    }
}
