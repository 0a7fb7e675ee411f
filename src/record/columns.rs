//! The columns of some rows, ready to be written as JSON.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, StringViewArray, StructArray,
    TimestampMicrosecondArray, make_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampMicrosecondType};

use super::spell::{put_name, put_text, put_time};
use crate::error::Cause;
use crate::schema::{Kind, RESOURCE_FIELDS};

/// One column.
pub(super) enum Column {
    Text(StringViewArray),
    Json(StringViewArray),
    Bool(BooleanArray),
    Time(TimestampMicrosecondArray),
    Resources {
        lists: ListArray,
        /// One for each of [`RESOURCE_FIELDS`].
        fields: Vec<StringViewArray>,
    },
    TextMap(Box<TextMaps>),
}

/// A column of maps from text to text.
pub(super) struct TextMaps {
    maps: MapArray,
    keys: StringViewArray,
    values: StringViewArray,
}

impl Column {
    pub(super) fn new(kind: Kind, array: &ArrayRef) -> Result<Self, Cause> {
        let expected = || Cause::from(format!("{} where another type is", array.data_type()));
        Ok(match kind {
            Kind::Text => Self::Text(texts(array)?),
            Kind::Json => Self::Json(texts(array)?),
            Kind::Bool => Self::Bool(array.as_boolean_opt().ok_or_else(expected)?.clone()),
            Kind::Time => {
                let times = array.as_primitive_opt::<TimestampMicrosecondType>();
                Self::Time(times.ok_or_else(expected)?.clone())
            }
            Kind::Resources => {
                let lists = array.as_list_opt::<i32>().ok_or_else(expected)?.clone();
                let entries = lists.values().as_struct_opt().ok_or_else(expected)?;
                let fields = RESOURCE_FIELDS.iter();
                let fields = fields.map(|(name, _)| texts(&member(entries, name)?));
                let fields = fields.collect::<Result<_, _>>()?;
                Self::Resources { lists, fields }
            }
            Kind::TextMap => {
                let maps = array.as_map_opt().ok_or_else(expected)?.clone();
                let keys = texts(maps.keys())?;
                let values = texts(maps.values())?;
                Self::TextMap(Box::new(TextMaps { maps, keys, values }))
            }
        })
    }

    pub(super) fn is_valid(&self, row: usize) -> bool {
        match self {
            Self::Text(column) | Self::Json(column) => column.is_valid(row),
            Self::Bool(column) => column.is_valid(row),
            Self::Time(column) => column.is_valid(row),
            Self::Resources { lists, .. } => lists.is_valid(row),
            Self::TextMap(column) => column.maps.is_valid(row),
        }
    }

    /// Adds the value of a row that has one.
    pub(super) fn write(&self, row: usize, out: &mut String) {
        match self {
            Self::Text(column) => put_text(out, column.value(row)),
            Self::Json(column) => out.push_str(column.value(row)),
            Self::Bool(column) => out.push_str(if column.value(row) { "true" } else { "false" }),
            Self::Time(column) => put_time(out, column.value(row)),
            Self::Resources { lists, fields } => {
                write_resources(entries(lists.value_offsets(), row), fields, out);
            }
            Self::TextMap(column) => {
                let entries = entries(column.maps.value_offsets(), row);
                write_map(entries, &column.keys, &column.values, out);
            }
        }
    }
}

/// The entries of a row, as positions among those of all rows.
fn entries(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    // Offsets are never negative.
    let at = |index: usize| usize::try_from(offsets[index]).unwrap_or_default();
    at(row)..at(row + 1)
}

/// The order in which CloudTrail writes [`RESOURCE_FIELDS`]: account, type, prefix, ARN.
const RESOURCE_ORDER: [usize; RESOURCE_FIELDS.len()] = [1, 2, 3, 0];

fn write_resources(entries: std::ops::Range<usize>, fields: &[StringViewArray], out: &mut String) {
    out.push('[');
    let first = entries.start;
    for entry in entries {
        if entry > first {
            out.push(',');
        }
        let start = out.len();
        for field in RESOURCE_ORDER {
            let texts = &fields[field];
            if texts.is_valid(entry) {
                put_name(out, start, RESOURCE_FIELDS[field].1);
                put_text(out, texts.value(entry));
            }
        }
        if out.len() == start {
            out.push('{');
        }
        out.push('}');
    }
    out.push(']');
}

fn write_map(
    entries: std::ops::Range<usize>,
    keys: &StringViewArray,
    values: &StringViewArray,
    out: &mut String,
) {
    out.push('{');
    let mut separator = "";
    for entry in entries.filter(|&entry| values.is_valid(entry)) {
        out.push_str(separator);
        separator = ",";
        put_text(out, keys.value(entry));
        out.push(':');
        put_text(out, values.value(entry));
    }
    out.push('}');
}

/// A column of texts, whichever of the string types or dictionaries it has.
pub(super) fn texts(array: &ArrayRef) -> Result<StringViewArray, Cause> {
    let array = match array.data_type() {
        DataType::Utf8View => Arc::clone(array),
        _ => cast(array, &DataType::Utf8View)?,
    };
    Ok(array.as_string_view().clone())
}

/// A member of a struct, in any case of its letters; rows without the struct are without the member.
pub(super) fn member(fields: &StructArray, name: &str) -> Result<ArrayRef, Cause> {
    let place = fields
        .fields()
        .iter()
        .position(|field| field.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("no member `{name}`"))?;
    let inner = fields.column(place);
    if fields.nulls().is_none() {
        return Ok(Arc::clone(inner));
    }
    let nulls = NullBuffer::union(fields.nulls(), inner.nulls());
    let data = inner.to_data().into_builder().nulls(nulls).build()?;
    Ok(make_array(data))
}
