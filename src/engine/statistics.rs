//! The Delta log's statistics as DataFusion's.
//!
//! Bounds from the log are true bounds but not always values of the file: times are cut to
//! milliseconds, long text may be cut as well. So they prune files, and never answer `min` or `max`.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, Result, ScalarValue, Statistics};
use serde_json::Value;

use crate::lake::DataFile;
use crate::schema::DATE_PARTITION;

/// The log cuts a maximum to milliseconds, so the true one is less than this many above it.
const CUT_MICROSECONDS: i64 = 999;

/// Statistics of a file for every column of `schema`. Bounds are marked exact, since DataFusion
/// prunes with nothing else.
pub(super) fn of_file(file: &DataFile, schema: &SchemaRef) -> Statistics {
    let rows = file
        .statistics
        .rows
        .and_then(|rows| usize::try_from(rows).ok());
    let columns = schema.fields().iter().map(|field| {
        if field.name() == DATE_PARTITION {
            return of_partition(file, rows);
        }
        let name = field.name().as_str();
        let n_nulls = file.statistics.null_count.get(name);
        let n_nulls = n_nulls
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok());
        let bound = |bounds: &serde_json::Map<String, Value>, widen: i64| {
            let value = bounds.get(name);
            precision(value.and_then(|value| scalar(value, field.data_type(), widen)))
        };
        ColumnStatistics {
            null_count: precision(n_nulls),
            min_value: bound(&file.statistics.min_values, 0),
            max_value: bound(&file.statistics.max_values, CUT_MICROSECONDS),
            ..ColumnStatistics::new_unknown()
        }
    });
    Statistics {
        num_rows: precision(rows),
        total_byte_size: Precision::Absent,
        column_statistics: columns.collect(),
    }
}

fn of_partition(file: &DataFile, rows: Option<usize>) -> ColumnStatistics {
    let value = || match &file.date {
        Some(date) => Precision::Exact(ScalarValue::Utf8View(Some(date.clone()))),
        None => Precision::Absent,
    };
    ColumnStatistics {
        null_count: match file.date {
            Some(_) => Precision::Exact(0),
            None => precision(rows),
        },
        min_value: value(),
        max_value: value(),
        ..ColumnStatistics::new_unknown()
    }
}

/// Statistics of several files, to find those in which no row can match.
pub(super) struct Containers<'a> {
    pub files: Vec<&'a Statistics>,
    pub schema: &'a SchemaRef,
}

impl Containers<'_> {
    /// One value for each file, null where the file does not tell; `None` where no file tells.
    fn values(
        &self,
        column: &Column,
        bound: impl Fn(&ColumnStatistics) -> &Precision<ScalarValue>,
    ) -> Option<ArrayRef> {
        let index = self.schema.index_of(column.name()).ok()?;
        // An array has one type, so what is missing is a null of the column's type.
        let unknown = ScalarValue::try_from(self.schema.field(index).data_type()).ok()?;
        let values = self.files.iter().map(|file| {
            let value = file.column_statistics.get(index).map(&bound);
            match value {
                Some(Precision::Exact(value)) => value.clone(),
                _ => unknown.clone(),
            }
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for Containers<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |column| &column.min_value)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |column| &column.max_value)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let index = self.schema.index_of(column.name()).ok()?;
        let counts = self.files.iter().map(|file| {
            let column = file.column_statistics.get(index)?;
            exact_count(&column.null_count)
        });
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts = self.files.iter().map(|file| exact_count(&file.num_rows));
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

fn exact_count(count: &Precision<usize>) -> Option<u64> {
    match count {
        Precision::Exact(count) => u64::try_from(*count).ok(),
        Precision::Inexact(_) | Precision::Absent => None,
    }
}

/// Statistics of several files together: rows and nulls exact, where all files tell; bounds only as
/// estimates.
pub(super) fn summed<'a>(
    files: impl Iterator<Item = &'a Statistics>,
    schema: &SchemaRef,
) -> Result<Statistics> {
    let mut sum = Statistics::try_merge_iter(files, schema)?;
    for column in &mut sum.column_statistics {
        let estimate = |value: &mut Precision<ScalarValue>| {
            *value = std::mem::take(value).to_inexact();
        };
        estimate(&mut column.min_value);
        estimate(&mut column.max_value);
    }
    Ok(sum)
}

fn precision<T: std::fmt::Debug + Clone + PartialEq + Eq + PartialOrd>(
    value: Option<T>,
) -> Precision<T> {
    value.map_or(Precision::Absent, Precision::Exact)
}

/// A bound as a value of the column's type; `None` where it does not read as one.
fn scalar(value: &Value, data_type: &DataType, widen_microseconds: i64) -> Option<ScalarValue> {
    match data_type {
        DataType::Utf8View => Some(ScalarValue::Utf8View(Some(value.as_str()?.to_owned()))),
        DataType::Int64 => Some(ScalarValue::Int64(Some(value.as_i64()?))),
        DataType::Boolean => Some(ScalarValue::Boolean(Some(value.as_bool()?))),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let microseconds = microseconds(value.as_str()?)?.checked_add(widen_microseconds)?;
            Some(ScalarValue::TimestampMicrosecond(
                Some(microseconds),
                zone.clone(),
            ))
        }
        _ => None,
    }
}

/// RFC 3339 text as microseconds since 1970.
fn microseconds(text: &str) -> Option<i64> {
    let zone: Option<Arc<str>> = Some("UTC".into());
    let wanted = DataType::Timestamp(TimeUnit::Microsecond, zone);
    let text = ScalarValue::Utf8(Some(text.to_owned()));
    match text.cast_to(&wanted) {
        Ok(ScalarValue::TimestampMicrosecond(microseconds, _)) => microseconds,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::table::reading_schema;
    use crate::schema::Table;
    use serde_json::json;

    fn file(date: Option<&str>, statistics: Value) -> DataFile {
        DataFile {
            path: "a.parquet".to_owned(),
            size_bytes: 1,
            modified_ms: 0,
            date: date.map(str::to_owned),
            statistics: serde_json::from_value(statistics).unwrap(),
        }
    }

    fn column(statistics: &Statistics, name: &str) -> ColumnStatistics {
        let index = reading_schema(Table::Events).index_of(name).unwrap();
        statistics.column_statistics[index].clone()
    }

    #[test]
    fn a_maximum_covers_what_the_log_cut_off() {
        let schema = reading_schema(Table::Events);
        let times = json!({"eventtime": "2025-03-01T00:00:00.001Z"});
        let statistics = json!({"numRecords": 2, "minValues": times, "maxValues": times});
        let eventtime = column(&of_file(&file(None, statistics), &schema), "eventtime");
        let value = |bound: Precision<ScalarValue>| match bound {
            Precision::Exact(ScalarValue::TimestampMicrosecond(Some(value), _)) => value,
            other => panic!("{other:?}"),
        };
        assert_eq!(value(eventtime.min_value), 1_740_787_200_001_000);
        assert_eq!(value(eventtime.max_value), 1_740_787_200_001_999);
    }

    #[test]
    fn a_file_without_a_day_is_all_null_in_date() {
        let schema = reading_schema(Table::Events);
        let date = column(
            &of_file(&file(None, json!({"numRecords": 7})), &schema),
            "date",
        );
        assert_eq!(date.null_count, Precision::Exact(7));
        assert_eq!(date.min_value, Precision::Absent);
    }

    #[test]
    fn odd_statistics_say_nothing() {
        let schema = reading_schema(Table::Events);
        let odd = json!({"minValues": {"eventtime": "soon", "eventname": 5}});
        let statistics = of_file(&file(Some("2025-03-01"), odd), &schema);
        for name in ["eventtime", "eventname"] {
            assert_eq!(column(&statistics, name).min_value, Precision::Absent);
        }
        assert_eq!(statistics.num_rows, Precision::Absent);
    }

    #[test]
    fn together_only_counts_are_exact() {
        let schema = reading_schema(Table::Events);
        let named = |name: &str| {
            let names = json!({"eventname": name});
            let statistics = json!({"numRecords": 2, "minValues": names, "maxValues": names});
            of_file(&file(Some("2025-03-01"), statistics), &schema)
        };
        let sum = summed([named("A"), named("B")].iter(), &schema).unwrap();
        assert_eq!(sum.num_rows, Precision::Exact(4));
        assert!(matches!(
            column(&sum, "eventname").max_value,
            Precision::Inexact(_)
        ));
    }
}
