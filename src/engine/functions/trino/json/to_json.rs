//! `to_json`: what `CAST(x AS JSON)` means.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::write::quote;
use super::{FAMILY, json_result};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::types::{event_time, is_json};

pub(super) const TO_JSON: Function = Function::new(
    "to_json",
    Doc {
        family: FAMILY,
        syntax: "to_json(value) → json",
        description: "What `CAST(value AS JSON)` means: a text becomes a JSON string (`json_parse` reads \
            it instead), rows and maps become objects, arrays arrays, times texts. JSON stays as it is, \
            and NULL is NULL.",
        example: "to_json(ARRAY['a', NULL]) -- [\"a\",null]",
    },
    |given| match given {
        [one] => Ok(vec![one.clone()]),
        _ => plan_err!("`to_json` takes one argument, not {}", given.len()),
    },
    Returns::Field(json_result),
    to_json,
);

fn to_json(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let Some(field) = args.arg_fields.first() else {
        return plan_err!("`to_json` takes one argument");
    };
    over_arrays(args, |arrays, n_rows| {
        let Some(array) = arrays.first() else {
            return plan_err!("`to_json` takes one argument");
        };
        let writer = Writer::new(field, array)?;
        let mut builder = StringViewBuilder::with_capacity(n_rows);
        let mut out = String::new();
        for row in 0..n_rows {
            if array.is_null(row) || array.data_type().is_null() {
                builder.append_null();
                continue;
            }
            out.clear();
            writer.write(row, &mut out)?;
            builder.append_value(&out);
        }
        Ok(Arc::new(builder.finish()))
    })
}

/// A column made ready to be written row by row.
struct Writer {
    array: ArrayRef,
    shape: Shape,
}

enum Shape {
    /// JSON already.
    Json,
    Text,
    /// Its text form is JSON.
    Plain,
    Double,
    /// Its text form becomes a string.
    Quoted,
    List(Box<Writer>),
    Row(Vec<(String, Writer)>),
    Map {
        keys: ArrayRef,
        values: Box<Writer>,
    },
}

impl Writer {
    fn new(field: &FieldRef, array: &ArrayRef) -> Result<Self> {
        let to = |target: &DataType| cast(array, target).map_err(DataFusionError::from);
        let given = array.data_type();
        let (array, shape) = match given {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let shape = if is_json(field) {
                    Shape::Json
                } else {
                    Shape::Text
                };
                (to(&DataType::Utf8View)?, shape)
            }
            DataType::Dictionary(_, value) => {
                return Self::new(field, &to(value)?);
            }
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                return Self::new(field, &to(&DataType::List(Arc::clone(item)))?);
            }
            DataType::List(item) => {
                let items = Self::new(item, array.as_list::<i32>().values())?;
                (Arc::clone(array), Shape::List(Box::new(items)))
            }
            DataType::Struct(fields) => {
                let members = fields
                    .iter()
                    .zip(array.as_struct().columns())
                    .map(|(field, column)| Ok((field.name().clone(), Self::new(field, column)?)))
                    .collect::<Result<_>>()?;
                (Arc::clone(array), Shape::Row(members))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let keys = cast(map.keys(), &DataType::Utf8View)?;
                let item = Field::new("value", map.values().data_type().clone(), true);
                let item = match map.entries().fields().get(1) {
                    Some(field) => Arc::clone(field),
                    None => Arc::new(item),
                };
                let values = Box::new(Self::new(&item, map.values())?);
                (Arc::clone(array), Shape::Map { keys, values })
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                (to(&DataType::Float64)?, Shape::Double)
            }
            DataType::Boolean | DataType::Null => (Arc::clone(array), Shape::Plain),
            number if number.is_numeric() => (Arc::clone(array), Shape::Plain),
            _ => (Arc::clone(array), Shape::Quoted),
        };
        Ok(Self { array, shape })
    }

    fn write(&self, row: usize, out: &mut String) -> Result<()> {
        if row >= self.array.len() || self.array.is_null(row) || self.array.data_type().is_null() {
            out.push_str("null");
            return Ok(());
        }
        match &self.shape {
            Shape::Json => out.push_str(self.array.as_string_view().value(row)),
            Shape::Text => quote(self.array.as_string_view().value(row), out),
            Shape::Plain => out.push_str(&self.text(row)?),
            Shape::Quoted => quote(&self.text(row)?, out),
            Shape::Double => {
                let values = self.array.as_primitive::<arrow::datatypes::Float64Type>();
                let number = values.value(row);
                if number.is_finite() {
                    // Writing to a text cannot fail.
                    let _ = write!(out, "{number:?}");
                } else {
                    quote(&number.to_string(), out);
                }
            }
            Shape::List(items) => self.write_list(items, row, out)?,
            Shape::Row(members) => {
                out.push('{');
                for (at, (name, member)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    member.write(row, out)?;
                }
                out.push('}');
            }
            Shape::Map { keys, values } => self.write_map(keys, values, row, out)?,
        }
        Ok(())
    }

    fn write_list(&self, items: &Self, row: usize, out: &mut String) -> Result<()> {
        let offsets = self.array.as_list::<i32>().value_offsets();
        out.push('[');
        for (n, at) in range(offsets, row).enumerate() {
            if n > 0 {
                out.push(',');
            }
            items.write(at, out)?;
        }
        out.push(']');
        Ok(())
    }

    fn write_map(
        &self,
        keys: &ArrayRef,
        values: &Self,
        row: usize,
        out: &mut String,
    ) -> Result<()> {
        let keys = keys.as_string_view();
        let mut places: Vec<usize> = range(self.array.as_map().value_offsets(), row).collect();
        places.sort_by_key(|at| keys.value(*at));
        out.push('{');
        for (n, at) in places.into_iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            quote(keys.value(at), out);
            out.push(':');
            values.write(at, out)?;
        }
        out.push('}');
        Ok(())
    }

    /// The text form: Trino's for times, but CloudTrail's for its own.
    fn text(&self, row: usize) -> Result<String> {
        const TIME: &str = "%Y-%m-%d %H:%M:%S%.3f";
        let given = self.array.data_type();
        let options = match given {
            own if *own == event_time() => FormatOptions::new(),
            _ => FormatOptions::new()
                .with_timestamp_format(Some(TIME))
                .with_timestamp_tz_format(Some(TIME)),
        };
        let formatter = ArrayFormatter::try_new(self.array.as_ref(), &options)?;
        let mut text = formatter.value(row).try_to_string()?;
        if let DataType::Timestamp(_, Some(zone)) = given
            && *given != event_time()
        {
            text.push(' ');
            text.push_str(zone);
        }
        Ok(text)
    }
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |row: usize| {
        let offset = offsets.get(row).copied().unwrap_or_default();
        usize::try_from(offset).unwrap_or_default()
    };
    at(row)..at(row + 1)
}
