//! The tables that every session has besides the lists, and their description.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use datafusion::catalog::SchemaProvider;
use datafusion::common::{Result, plan_err};
use datafusion::datasource::MemTable;
use futures::FutureExt;

use super::cached::CachedQuery;
use super::catalog::{Catalog, Entry};
use super::table::reading_schema;
use super::views::VIEWS;
use super::{Evidence, cloudtrail_view};
use crate::schema::Table;

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    pub name: String,
    /// What it is, in one line.
    pub what: String,
    pub columns: Vec<ColumnInfo>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    pub name: String,
    /// Its type in SQL's words: `text`, `bigint`, `timestamp`, `struct<arn text, …>`.
    pub data_type: String,
}

/// What a table of the lake is, in one line.
pub(super) fn what(table: Table) -> &'static str {
    match table {
        Table::Events => "the events as stored: one flat column for each member",
        Table::Sources => "every source object ever read, with its counts",
        Table::Rejects => "records and files that are no events, with the reason",
    }
}

/// Rows of a table that were never written, in the types that a lake's would have.
pub(super) fn in_memory(table: Table, batches: &[RecordBatch]) -> Result<MemTable> {
    let schema = reading_schema(table);
    let batches = batches.iter().map(|batch| conform(batch, &schema));
    MemTable::try_new(Arc::clone(&schema), vec![batches.collect::<Result<_>>()?])
}

fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| {
        let Some(column) = batch.column_by_name(field.name()) else {
            return plan_err!("the events have no column `{}`", field.name());
        };
        Ok(cast(column, field.data_type())?)
    });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Registers the views, and the one row about the evidence.
pub(super) fn register_views(catalog: &Catalog) {
    for name in ["cloudtrail", "cloudtrail_logs"] {
        let what = "the events in the shape of Athena's CloudTrail table";
        catalog.replace(name, Entry::view(what, cloudtrail_view::sql()));
    }
    let evidence = CachedQuery::new(
        evidence_schema(),
        "SELECT first_time, last_time, \
         (to_unixtime(last_time) - to_unixtime(first_time)) / 86400 AS days, n_events \
         FROM (SELECT min(eventtime) AS first_time, max(eventtime) AS last_time, \
         count(*) AS n_events FROM events)",
    );
    let what = "the bounds of the evidence, in one row; days are whole days from first to last";
    catalog.replace("evidence", Entry::cached(what, evidence));
    for view in VIEWS {
        catalog.replace(view.name, Entry::view(view.what, view.sql));
    }
}

fn evidence_schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("first_time", time.clone(), true),
        Field::new("last_time", time, true),
        Field::new("days", DataType::Int64, true),
        Field::new("n_events", DataType::Int64, true),
    ]))
}

/// The query that [`read_evidence`] reads.
pub(super) const EVIDENCE_QUERY: &str = "SELECT first_time, last_time, n_events FROM evidence";

/// The one row of [`EVIDENCE_QUERY`].
pub(super) fn read_evidence(batches: &[RecordBatch]) -> Evidence {
    let time = |index| times(batches, index).and_then(rfc3339);
    let n_events = evidence_column(batches, 2)
        .and_then(|column| column.as_primitive_opt::<Int64Type>())
        .map_or(0, |n_events| n_events.value(0));
    Evidence {
        first_time: time(0),
        last_time: time(1),
        n_events: u64::try_from(n_events).unwrap_or(0),
    }
}

/// The last time of [`EVIDENCE_QUERY`]'s row, in microseconds since 1970.
pub(super) fn last_time(batches: &[RecordBatch]) -> Option<i64> {
    times(batches, 1).map(|times| times.value(0))
}

/// A column of the first row; not without a row.
fn evidence_column(batches: &[RecordBatch], index: usize) -> Option<&ArrayRef> {
    let row = batches.iter().find(|batch| batch.num_rows() > 0)?;
    row.columns().get(index)
}

/// A time of the first row, where it is not null.
fn times(batches: &[RecordBatch], index: usize) -> Option<&TimestampMicrosecondArray> {
    let times = evidence_column(batches, index)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    times.is_valid(0).then_some(times)
}

/// The first time of an array in CloudTrail's own form; a fraction only where there is one.
fn rfc3339(times: &TimestampMicrosecondArray) -> Option<String> {
    let time = times.value_as_datetime(0)?;
    Some(time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string())
}

/// The answer to SHOW TABLES.
pub(super) fn listing(catalog: &Catalog) -> RecordBatch {
    let names = catalog.names();
    let whats = names
        .iter()
        .map(|name| catalog.entry(name).map(|entry| entry.what.clone()));
    let whats: StringArray = whats.collect();
    let names: StringArray = names.iter().map(Some).collect();
    let schema = Arc::new(Schema::new(vec![
        Field::new("table_name", DataType::Utf8, false),
        Field::new("what", DataType::Utf8, true),
    ]));
    let columns: Vec<ArrayRef> = vec![Arc::new(names), Arc::new(whats)];
    RecordBatch::try_new(Arc::clone(&schema), columns)
        .unwrap_or_else(|_| RecordBatch::new_empty(schema))
}

/// Every table with its columns.
pub(super) fn describe(catalog: &Catalog) -> Vec<TableInfo> {
    let tables = catalog.names().into_iter().filter_map(|name| {
        let entry = catalog.entry(&name)?;
        // Planning a view waits for nothing: rows are read only when a query runs.
        let provider = catalog.table(&name).now_or_never()?.ok()??;
        let columns = provider.schema();
        let columns = columns.fields().iter().map(|field| ColumnInfo {
            name: field.name().clone(),
            data_type: type_name(field.data_type()),
        });
        Some(TableInfo {
            name,
            what: entry.what.clone(),
            columns: columns.collect(),
        })
    });
    tables.collect()
}

/// A type in SQL's words.
fn type_name(data_type: &DataType) -> String {
    let fields = |fields: &datafusion::arrow::datatypes::Fields| {
        let fields = fields.iter();
        let fields =
            fields.map(|field| format!("{} {}", field.name(), type_name(field.data_type())));
        fields.collect::<Vec<_>>().join(", ")
    };
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytes".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::List(item) | DataType::LargeList(item) => {
            format!("list<{}>", type_name(item.data_type()))
        }
        DataType::Struct(members) => format!("struct<{}>", fields(members)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(members) => format!("map<{}>", fields(members)),
            other => format!("map<{}>", type_name(other)),
        },
        other => other.to_string().to_lowercase(),
    }
}
