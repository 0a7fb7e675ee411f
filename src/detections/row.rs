//! A rule's result rows, read from Arrow into plain values.
//!
//! Results are small, so rows are read one by one into JSON values: that is the form in which they
//! become evidence, and grouping needs no columns.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt8Array, UInt16Array,
    UInt32Array, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, TimeUnit};
use arrow::temporal_conversions::timestamp_us_to_datetime;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};

use super::rule::FIXED_COLUMNS;
use crate::error::RuleError;

/// One row: values by column name, in the order of the columns.
pub type Row = Map<String, Value>;

/// Checks that the first columns are the fixed ones.
///
/// # Errors
///
/// Names the first column that is missing or elsewhere.
pub fn check_columns(rule: &str, schema: &Schema) -> Result<(), RuleError> {
    for (index, wanted) in FIXED_COLUMNS.iter().enumerate() {
        let found = schema
            .fields()
            .get(index)
            .map(|field| field.name().as_str());
        if found != Some(wanted) {
            let found = found.unwrap_or("nothing");
            let message = format!("column {} is `{found}`, not `{wanted}`", index + 1);
            return Err(RuleError::new(rule, message));
        }
    }
    Ok(())
}

/// Reads every row of a batch.
///
/// # Errors
///
/// Where a value cannot be cast to text, which Arrow can do for all types of query results.
pub fn rows(rule: &str, batch: &RecordBatch) -> Result<Vec<Row>, RuleError> {
    let mut rows = vec![Row::new(); batch.num_rows()];
    let schema = batch.schema();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let values = values(column).map_err(|source| RuleError {
            rule: rule.to_owned(),
            message: format!("cannot read column `{}`", field.name()),
            source: Some(Box::new(source)),
        })?;
        for (row, value) in rows.iter_mut().zip(values) {
            row.insert(field.name().clone(), value);
        }
    }
    Ok(rows)
}

/// The text of a column; none where it is NULL, absent or empty.
pub fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn values(array: &ArrayRef) -> Result<Vec<Value>, arrow::error::ArrowError> {
    /// Values of an array that iterates over options.
    macro_rules! each {
        ($type:ty, $array:expr, $make:expr) => {
            $array
                .as_any()
                .downcast_ref::<$type>()
                .into_iter()
                .flat_map(|array| array.iter())
                .map(|value| value.map_or(Value::Null, $make))
                .collect()
        };
    }
    Ok(match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => each!(BooleanArray, array, Value::from),
        DataType::Int8 => each!(Int8Array, array, Value::from),
        DataType::Int16 => each!(Int16Array, array, Value::from),
        DataType::Int32 => each!(Int32Array, array, Value::from),
        DataType::Int64 => each!(Int64Array, array, Value::from),
        DataType::UInt8 => each!(UInt8Array, array, Value::from),
        DataType::UInt16 => each!(UInt16Array, array, Value::from),
        DataType::UInt32 => each!(UInt32Array, array, Value::from),
        DataType::UInt64 => each!(UInt64Array, array, Value::from),
        DataType::Float32 => each!(Float32Array, array, Value::from),
        DataType::Float64 => each!(Float64Array, array, Value::from),
        DataType::Utf8 => array.as_string::<i32>().iter().map(Value::from).collect(),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            each!(TimestampMicrosecondArray, array, time_text)
        }
        DataType::Timestamp(_, zone) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            values(&cast(array, &micros)?)?
        }
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _) => {
            values(&cast(array, &DataType::Utf8)?)?
        }
        DataType::List(_) => list_values(array.as_list::<i32>().iter())?,
        DataType::LargeList(_) => list_values(array.as_list::<i64>().iter())?,
        DataType::Struct(fields) => struct_values(array, fields)?,
        _ => display_values(array)?,
    })
}

fn list_values(
    lists: impl Iterator<Item = Option<ArrayRef>>,
) -> Result<Vec<Value>, arrow::error::ArrowError> {
    lists
        .map(|list| {
            Ok(match list {
                Some(list) => Value::Array(values(&list)?),
                None => Value::Null,
            })
        })
        .collect()
}

fn struct_values(
    array: &ArrayRef,
    fields: &arrow::datatypes::Fields,
) -> Result<Vec<Value>, arrow::error::ArrowError> {
    let mut objects = vec![Map::new(); array.len()];
    for (field, column) in fields.iter().zip(array.as_struct().columns()) {
        for (object, value) in objects.iter_mut().zip(values(column)?) {
            object.insert(field.name().clone(), value);
        }
    }
    let objects = objects.into_iter().enumerate();
    Ok(objects
        .map(|(index, object)| match array.is_null(index) {
            true => Value::Null,
            false => Value::Object(object),
        })
        .collect())
}

/// Types that rules rarely give (decimals, intervals, binaries): Arrow's text.
fn display_values(array: &ArrayRef) -> Result<Vec<Value>, arrow::error::ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options)?;
    (0..array.len())
        .map(|index| {
            Ok(match array.is_null(index) {
                true => Value::Null,
                false => Value::String(formatter.value(index).try_to_string()?),
            })
        })
        .collect()
}

/// A time as CloudTrail writes it; a fraction only where there is one.
fn time_text(micros: i64) -> Value {
    let Some(time) = timestamp_us_to_datetime(micros) else {
        return Value::Null;
    };
    let form = match micros % 1_000_000 {
        0 => "%Y-%m-%dT%H:%M:%SZ",
        _ => "%Y-%m-%dT%H:%M:%S%.6fZ",
    };
    Value::String(time.format(form).to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ListArray, StringArray, StringViewArray};
    use arrow::datatypes::{Field, Int32Type};
    use serde_json::json;

    use super::*;

    #[test]
    fn values_keep_their_type() {
        let dictionary: arrow::array::DictionaryArray<Int32Type> = ["a", "b"].into_iter().collect();
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None]);
        let cases: Vec<(ArrayRef, Value)> = vec![
            (
                Arc::new(StringViewArray::from(vec![Some("x"), None])),
                json!(["x", null]),
            ),
            (Arc::new(dictionary), json!(["a", "b"])),
            (Arc::new(list), json!([[1], null])),
            (
                Arc::new(BooleanArray::from(vec![true, false])),
                json!([true, false]),
            ),
            (
                Arc::new(TimestampMicrosecondArray::from(vec![0, 1]).with_timezone("UTC")),
                json!(["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z"]),
            ),
        ];
        for (array, expected) in cases {
            assert_eq!(Value::Array(values(&array).unwrap()), expected);
        }
    }

    #[test]
    fn a_missing_fixed_column_is_named() {
        let field = |name: &str| Field::new(name, DataType::Utf8, true);
        let good = Schema::new(FIXED_COLUMNS.map(field).to_vec());
        assert!(check_columns("r", &good).is_ok());
        let bad = Schema::new(vec![field("eventtime"), field("actor")]);
        let message = check_columns("r", &bad).unwrap_err().message;
        assert_eq!(message, "column 2 is `actor`, not `eventid`");
    }

    #[test]
    fn rows_have_every_column() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), Some("")]));
        let batch = RecordBatch::try_from_iter([("a", array.clone()), ("b", array)]).unwrap();
        let rows = rows("r", &batch).unwrap();
        assert_eq!(text(&rows[0], "b"), Some("x"));
        assert_eq!(text(&rows[1], "b"), None);
    }
}
