//! The three tables of a lake as Arrow schemas.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use super::{
    CONFLICTING, CONTENT_HASH, EVENT_COLUMNS, EXTRA, Kind, RESOURCE_FIELDS, SOURCE_FILE,
    SOURCE_INDEX,
};

/// The partition column of `events`: the UTC day of `eventtime`, `YYYY-MM-DD`.
pub const DATE_PARTITION: &str = "date";
/// The folder name of the partition for events without a time.
pub const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    Events,
    Sources,
    Rejects,
}

impl Table {
    pub const ALL: [Self; 3] = [Self::Events, Self::Sources, Self::Rejects];

    /// The table's name, which is also its folder in the lake.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Sources => "sources",
            Self::Rejects => "rejects",
        }
    }

    /// The columns that make the folders below the table's own.
    pub fn partition_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => &[DATE_PARTITION],
            Self::Sources | Self::Rejects => &[],
        }
    }

    /// The table's Arrow schema; partition columns come last.
    pub fn arrow_schema(self) -> SchemaRef {
        match self {
            Self::Events => events_schema(),
            Self::Sources => stored_schema(SOURCE_COLUMNS),
            Self::Rejects => stored_schema(REJECT_COLUMNS),
        }
    }
}

/// The type of a column of the small tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredType {
    Text,
    Integer,
    Time,
    Bytes,
}

/// A column of `sources` or `rejects`.
#[derive(Debug, Clone, Copy)]
pub struct StoredColumn {
    pub name: &'static str,
    pub stored: StoredType,
    pub nullable: bool,
    /// What it holds, with its unit.
    pub doc: &'static str,
}

const fn stored(
    name: &'static str,
    stored: StoredType,
    nullable: bool,
    doc: &'static str,
) -> StoredColumn {
    StoredColumn {
        name,
        stored,
        nullable,
        doc,
    }
}

/// The text of a digest is kept in `sources.content` up to this many bytes: some seven thousand log
/// files named in one digest, more than an hour of a large trail.
pub const MAX_CONTENT_BYTES: usize = 4 * 1024 * 1024;

/// One row for every source object ever offered and read. Lakes outlive versions of spoor: a new
/// column goes to the end and is nullable, since earlier rows have nothing in it.
#[rustfmt::skip]
pub const SOURCE_COLUMNS: &[StoredColumn] = &[
    stored("uri", StoredType::Text, false, "the object's absolute path, or `-` for standard input"),
    stored("sha256", StoredType::Text, false, "lower-case hex over the bytes as stored"),
    stored("size_bytes", StoredType::Integer, false, "bytes as stored"),
    stored("json_bytes", StoredType::Integer, false, "bytes after unpacking"),
    stored("kind", StoredType::Text, false, "events, insight, digest or unknown"),
    stored("status", StoredType::Text, false, "ok, partial (some of it rejected), rejected, or listed (not events)"),
    stored("records_read", StoredType::Integer, false, "records met: written, duplicate and rejected together"),
    stored("rows_written", StoredType::Integer, false, "rows in events"),
    stored("duplicates", StoredType::Integer, false, "records already in the lake"),
    stored("rejected", StoredType::Integer, false, "records in rejects"),
    stored("error", StoredType::Text, true, "the first reason, where something was rejected"),
    stored("ingest_id", StoredType::Text, false, "the run that read it"),
    stored("ingest_time", StoredType::Time, false, "when that run began"),
    stored("content", StoredType::Text, true, "the JSON text of a digest file, up to a limit"),
    stored("records_left_out", StoredType::Integer, true, "records outside of the run's selection, in no other count"),
    stored("shape", StoredType::Text, true, "the form that the records came in: records, lookup-events, eventbridge, csv …"),
    stored("container", StoredType::Text, true, "what they were packed in: gzip, zip …"),
];

/// One row for every record, or unreadable rest of a file, that is no event.
#[rustfmt::skip]
pub const REJECT_COLUMNS: &[StoredColumn] = &[
    stored("uri", StoredType::Text, false, "the source, as in sources"),
    stored("sha256", StoredType::Text, false, "the source's hash, as in sources"),
    stored("record_index", StoredType::Integer, false, "position among the source's records, from 0"),
    stored("byte_offset", StoredType::Integer, false, "where it begins in the unpacked bytes"),
    stored("reason", StoredType::Text, false, "a short code"),
    stored("detail", StoredType::Text, false, "what exactly is wrong"),
    stored("raw", StoredType::Bytes, false, "the bytes themselves, up to a limit"),
    stored("raw_bytes", StoredType::Integer, false, "how many bytes there were"),
    stored("ingest_id", StoredType::Text, false, "the run that read it"),
];

fn stored_schema(columns: &[StoredColumn]) -> SchemaRef {
    let fields: Vec<Field> = columns
        .iter()
        .map(|column| {
            let data_type = match column.stored {
                StoredType::Text => DataType::Utf8,
                StoredType::Integer => DataType::Int64,
                StoredType::Time => time_type(),
                StoredType::Bytes => DataType::Binary,
            };
            Field::new(column.name, data_type, column.nullable)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn events_schema() -> SchemaRef {
    let mut fields: Vec<Field> = EVENT_COLUMNS
        .iter()
        .map(|column| Field::new(column.name, event_type(column.kind), true))
        .collect();
    fields.push(Field::new(EXTRA, DataType::Utf8, true));
    fields.push(Field::new(SOURCE_FILE, DataType::Utf8, false));
    fields.push(Field::new(SOURCE_INDEX, DataType::Int64, false));
    fields.push(Field::new(CONTENT_HASH, DataType::Int64, false));
    fields.push(Field::new(CONFLICTING, DataType::Boolean, false));
    fields.push(Field::new(DATE_PARTITION, DataType::Utf8, true));
    Arc::new(Schema::new(fields))
}

fn event_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Json => DataType::Utf8,
        Kind::Bool => DataType::Boolean,
        Kind::Time => time_type(),
        Kind::Resources => DataType::List(Arc::new(Field::new(
            "element",
            DataType::Struct(resource_fields()),
            true,
        ))),
        Kind::TextMap => text_map_type(),
    }
}

/// Microseconds, UTC: Delta's `timestamp`.
fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The fields of one resource.
pub(crate) fn resource_fields() -> Fields {
    RESOURCE_FIELDS
        .iter()
        .map(|(name, _)| Field::new(*name, DataType::Utf8, true))
        .collect()
}

/// A map of text to text with the field names that Delta writes.
fn text_map_type() -> DataType {
    let entries = Field::new(
        "key_value",
        DataType::Struct(Fields::from(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Utf8, true),
        ])),
        false,
    );
    DataType::Map(Arc::new(entries), false)
}
