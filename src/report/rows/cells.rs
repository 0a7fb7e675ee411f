//! One value of a column as text: what the formats for people and spreadsheets share.
//!
//! Times are RFC 3339, nested values compact JSON, binary values hex. The value a query with JSON
//! operators yields (a union over JSON's types) shows as what it holds.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, UnionArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, FieldRef, Schema, UnionFields};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// One column of a batch, ready to give texts.
pub struct Column<'a> {
    nulls: Option<NullBuffer>,
    source: Source<'a>,
}

enum Source<'a> {
    Plain(Box<ArrayFormatter<'a>>),
    Json(NullableEncoder<'a>),
    Union {
        array: &'a UnionArray,
        /// By type id.
        children: Vec<(i8, Column<'a>)>,
    },
}

impl<'a> Column<'a> {
    /// Appends the value's text; returns false, and appends nothing, where it is NULL.
    pub fn text(&mut self, row: usize, out: &mut String) -> Result<bool, ArrowError> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(false);
        }
        match &mut self.source {
            Source::Plain(formatter) => {
                // A Display that fails is the formatter's way to report a bad value.
                write!(out, "{}", formatter.value(row)).map_err(|_| {
                    ArrowError::CastError(format!("row {row} has a value with no text form"))
                })?;
            }
            Source::Json(encoder) => {
                let mut bytes = Vec::new();
                encoder.encode(row, &mut bytes);
                out.push_str(&String::from_utf8_lossy(&bytes));
            }
            Source::Union { array, children } => {
                let type_id = array.type_id(row);
                let offset = array.value_offset(row);
                return match children.iter_mut().find(|(id, _)| *id == type_id) {
                    Some((_, child)) => child.text(offset, out),
                    None => Ok(false),
                };
            }
        }
        Ok(true)
    }

    fn new(
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Self, ArrowError> {
        let source = match array.data_type() {
            DataType::Union(fields, _) => {
                let array = array.as_union();
                let children = fields
                    .iter()
                    .map(|(id, field)| {
                        let child = array.child(id).as_ref();
                        Ok((id, Column::new(field, child, options)?))
                    })
                    .collect::<Result<_, ArrowError>>()?;
                Source::Union { array, children }
            }
            data_type if data_type.is_nested() => {
                Source::Json(make_encoder(field, array, options)?)
            }
            _ => Source::Plain(Box::new(ArrayFormatter::try_new(
                array,
                &FormatOptions::new().with_display_error(false),
            )?)),
        };
        Ok(Self {
            nulls: array.logical_nulls(),
            source,
        })
    }
}

/// The columns of a batch under the given schema.
pub fn columns<'a>(
    schema: &'a Schema,
    batch: &'a RecordBatch,
    options: &'a EncoderOptions,
) -> Result<Vec<Column<'a>>, ArrowError> {
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, array)| Column::new(field, array.as_ref(), options))
        .collect()
}

/// True for columns whose values line up at the right.
pub fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        other => other.is_numeric(),
    }
}

/// How nested values are written as JSON: nulls kept, and the types Arrow's own writer lacks added.
pub fn json_options() -> EncoderOptions {
    EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(MoreTypes))
}

/// Encoders for unions, and for maps whose keys are not text.
#[derive(Debug)]
struct MoreTypes;

impl EncoderFactory for MoreTypes {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        match array.data_type() {
            DataType::Union(fields, _) => {
                let nulls = array.logical_nulls();
                let encoder = UnionEncoder::new(fields, array.as_union(), options)?;
                Ok(Some(NullableEncoder::new(Box::new(encoder), nulls)))
            }
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields)
                    if fields.len() == 2 && !is_text(fields[0].data_type()) =>
                {
                    let map = array.as_map();
                    let encoder = MapEncoder {
                        offsets: map.value_offsets(),
                        keys: Column::new(&fields[0], map.keys().as_ref(), options)?,
                        values: make_encoder(&fields[1], map.values().as_ref(), options)?,
                    };
                    let nulls = array.nulls().cloned();
                    Ok(Some(NullableEncoder::new(Box::new(encoder), nulls)))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

struct UnionEncoder<'a> {
    array: &'a UnionArray,
    /// By type id: the member's encoder, and whether its texts are JSON already.
    children: Vec<(i8, NullableEncoder<'a>, bool)>,
}

impl<'a> UnionEncoder<'a> {
    fn new(
        fields: &'a UnionFields,
        array: &'a UnionArray,
        options: &'a EncoderOptions,
    ) -> Result<Self, ArrowError> {
        let children = fields
            .iter()
            .map(|(id, field)| {
                let encoder = make_encoder(field, array.child(id).as_ref(), options)?;
                Ok((id, encoder, holds_json(field)))
            })
            .collect::<Result<_, ArrowError>>()?;
        Ok(Self { array, children })
    }
}

/// Arrow's extension name for texts that are JSON, as the JSON functions mark them.
fn holds_json(field: &FieldRef) -> bool {
    field.extension_type_name() == Some("arrow.json")
}

impl Encoder for UnionEncoder<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let type_id = self.array.type_id(row);
        let offset = self.array.value_offset(row);
        let child = self.children.iter_mut().find(|(id, ..)| *id == type_id);
        match child {
            Some((_, encoder, holds_json)) if !encoder.is_null(offset) => {
                let start = out.len();
                encoder.encode(offset, out);
                if *holds_json {
                    embed(out, start);
                }
            }
            _ => out.extend_from_slice(b"null"),
        }
    }
}

/// Turns the JSON string written since `start` into the JSON value it holds, compact; leaves it a
/// string where it holds none.
fn embed(out: &mut Vec<u8>, start: usize) {
    let value = serde_json::from_slice::<String>(&out[start..])
        .ok()
        .filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
        // Raw line breaks and tabs in JSON stand between values, never inside one.
        .map(|text| text.replace(['\n', '\r', '\t'], ""));
    if let Some(value) = value {
        out.truncate(start);
        out.extend_from_slice(value.as_bytes());
    }
}

struct MapEncoder<'a> {
    offsets: &'a [i32],
    keys: Column<'a>,
    values: NullableEncoder<'a>,
}

impl Encoder for MapEncoder<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        let entries = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        for (n, entry) in entries.enumerate() {
            if n > 0 {
                out.push(b',');
            }
            let mut key = String::new();
            if !matches!(self.keys.text(entry, &mut key), Ok(true)) {
                key.push_str("null");
            }
            out.extend_from_slice(serde_json::Value::from(key).to_string().as_bytes());
            out.push(b':');
            if self.values.is_null(entry) {
                out.extend_from_slice(b"null");
            } else {
                self.values.encode(entry, out);
            }
        }
        out.push(b'}');
    }
}
