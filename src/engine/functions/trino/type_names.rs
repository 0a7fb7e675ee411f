//! Trino's names of types, as `typeof` and errors show them.

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

use super::types::{event_time, is_json};

/// The name of a field's type: JSON is told by its mark.
pub(in crate::engine) fn type_name(field: &Field) -> String {
    if is_json(&std::sync::Arc::new(field.clone())) {
        return "json".to_owned();
    }
    match field.data_type() {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => format!("array({})", type_name(item)),
        DataType::Struct(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| format!("{} {}", field.name(), type_name(field)))
                .collect();
            format!("row({})", fields.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                let parts: Vec<_> = fields.iter().map(|field| type_name(field)).collect();
                format!("map({})", parts.join(", "))
            }
            other => format!("map({other})"),
        },
        DataType::Dictionary(_, value) => type_name(&Field::new("", value.as_ref().clone(), true)),
        other => simple(other),
    }
}

fn simple(data_type: &DataType) -> String {
    match data_type {
        // CloudTrail's own times are texts to Athena.
        time if *time == event_time() => "varchar".to_owned(),
        DataType::Timestamp(unit, zone) => {
            let digits = match unit {
                TimeUnit::Second => 0,
                TimeUnit::Millisecond => 3,
                TimeUnit::Microsecond => 6,
                TimeUnit::Nanosecond => 9,
            };
            let zone = if zone.is_some() {
                " with time zone"
            } else {
                ""
            };
            format!("timestamp({digits}){zone}")
        }
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Null => "unknown".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "varchar".to_owned(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "varbinary".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "interval day to second".to_owned(),
        other => other.to_string(),
    }
}
