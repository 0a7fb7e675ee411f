//! JSON and NDJSON: values with their own types, nulls kept, times as RFC 3339 text.
//!
//! Exact: reading the output gives the very texts and integers of the result.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StructArray};
use arrow::datatypes::{Field, FieldRef, SchemaRef};
use arrow::json::writer::{EncoderOptions, make_encoder};

use super::{Format, Sink, cells, encode_error, with_unique_names};
use crate::error::{ReportError, Result};
use crate::report::safe;

/// Bytes gathered before they go out, so that a result costs few writes.
const CHUNK_BYTES: usize = 64 * 1024;

pub struct JsonSink<W> {
    out: W,
    row_field: FieldRef,
    schema: SchemaRef,
    options: EncoderOptions,
    layout: Layout,
    n_rows: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Array,
    Lines,
}

impl<W: Write> JsonSink<W> {
    /// One array, an object a line.
    pub fn array(schema: &SchemaRef, out: W) -> Result<Self> {
        let mut sink = Self::with(schema, out, Layout::Array);
        sink.out.write_all(b"[").map_err(ReportError::from)?;
        Ok(sink)
    }

    /// An object a line.
    pub fn lines(schema: &SchemaRef, out: W) -> Result<Self> {
        Ok(Self::with(schema, out, Layout::Lines))
    }

    fn with(schema: &SchemaRef, out: W, layout: Layout) -> Self {
        let schema = with_unique_names(schema);
        Self {
            out,
            row_field: Arc::new(Field::new_struct("row", schema.fields().clone(), false)),
            schema,
            options: cells::json_options(),
            layout,
            n_rows: 0,
        }
    }
}

impl<W: Write> Sink for JsonSink<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        // The batch's own fields may differ in nullability from the schema announced; names come
        // from the announced one.
        let fields = batch
            .schema()
            .fields()
            .iter()
            .zip(self.schema.fields())
            .map(|(own, unique)| own.as_ref().clone().with_name(unique.name()))
            .collect::<Vec<_>>();
        let rows = StructArray::try_new_with_length(
            fields.into(),
            batch.columns().to_vec(),
            None,
            batch.num_rows(),
        )
        .map_err(encode_error(Format::Json))?;
        let mut encoder = make_encoder(&self.row_field, &rows, &self.options)
            .map_err(encode_error(Format::Json))?;
        let mut row_text = Vec::new();
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        for row in 0..rows.len() {
            row_text.clear();
            encoder.encode(row, &mut row_text);
            if self.layout == Layout::Array {
                chunk.extend_from_slice(if self.n_rows == 0 { b"\n" } else { b",\n" });
            }
            safe::json(&String::from_utf8_lossy(&row_text), &mut chunk);
            if self.layout == Layout::Lines {
                chunk.push(b'\n');
            }
            self.n_rows += 1;
            if chunk.len() >= CHUNK_BYTES {
                self.out.write_all(&chunk).map_err(ReportError::from)?;
                chunk.clear();
            }
        }
        self.out.write_all(&chunk).map_err(ReportError::from)?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.layout == Layout::Array {
            let end: &[u8] = if self.n_rows == 0 { b"]\n" } else { b"\n]\n" };
            self.out.write_all(end).map_err(ReportError::from)?;
        }
        self.out.flush().map_err(ReportError::from)?;
        Ok(())
    }
}
