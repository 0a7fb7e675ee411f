//! A Parquet file that is being written, and what the Delta log says of it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::datatypes::{Schema, SchemaRef};
use chrono::DateTime;
use deltalake::kernel::Add;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use serde_json::{Map, Value, json};
use tempfile::{NamedTempFile, TempPath};

use super::writer::EVENT_ROW_GROUP_ROWS;
use crate::error::{Cause, FileError, LakeError, Result};
use crate::schema::{DATE_PARTITION, EVENT_COLUMNS, EXTRA, Kind, NULL_PARTITION, Table};

/// Rows of a Parquet page: the unit that the page index prunes.
const PAGE_ROWS: usize = 8_192;

/// The columns whose file-wide bounds the log keeps: those that hunts cut by.
const STATISTICS_COLUMNS: [&str; 6] = [
    "eventtime",
    "eventsource",
    "eventname",
    "awsregion",
    "recipientaccountid",
    "useridentity_accountid",
];

/// A file in the folder of its table. It is removed when dropped, until [`DataFileWriter::close`].
pub(super) struct DataFileWriter {
    table: Table,
    /// The file's name from the table's folder on.
    relative: String,
    partition: HashMap<String, Option<String>>,
    path: TempPath,
    writer: SerializedFileWriter<BufWriter<File>>,
    encoders: ArrowRowGroupWriterFactory,
    n_rows: usize,
}

impl DataFileWriter {
    /// A new file for the rows of one partition (`date`, for a table that has one).
    pub(super) fn create(table: Table, table_folder: &Path, date: Option<&str>) -> Result<Self> {
        let failed = |error: parquet::errors::ParquetError| write_failed(table, error);
        let mut partition = HashMap::new();
        let mut below = String::new();
        if table.partition_columns() == [DATE_PARTITION] {
            below = format!("{DATE_PARTITION}={}/", date.unwrap_or(NULL_PARTITION));
            partition.insert(DATE_PARTITION.to_owned(), date.map(str::to_owned));
        }
        let folder = table_folder.join(&below);
        fs::create_dir_all(&folder).map_err(FileError::at("create", &folder))?;
        let (file, path) = new_file(&folder)?.into_parts();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let relative = format!("{below}{name}");
        let schema = file_schema(table);
        let (writer, encoders) =
            ArrowWriter::try_new(BufWriter::new(file), schema, Some(properties(table)))
                .and_then(ArrowWriter::into_serialized_writer)
                .map_err(failed)?;
        Ok(Self {
            table,
            relative,
            partition,
            path,
            writer,
            encoders,
            n_rows: 0,
        })
    }

    /// Encoders for the columns of one row group.
    pub(super) fn column_writers(&self) -> Result<Vec<ArrowColumnWriter>> {
        let index = self.writer.flushed_row_groups().len();
        let writers = self.encoders.create_column_writers(index);
        writers.map_err(|error| write_failed(self.table, error))
    }

    /// Adds an encoded row group.
    pub(super) fn append(&mut self, chunks: Vec<ArrowColumnChunk>, n_rows: usize) -> Result<()> {
        let failed = |error: parquet::errors::ParquetError| write_failed(self.table, error);
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group).map_err(failed)?;
        }
        group.close().map_err(failed)?;
        self.n_rows += n_rows;
        Ok(())
    }

    /// Bytes written so far.
    pub(super) fn size_bytes(&self) -> usize {
        self.writer.bytes_written()
    }

    /// Completes the file, and says of it what the log will.
    pub(super) fn close(self) -> Result<Add> {
        let Self {
            table,
            relative,
            partition,
            path,
            writer,
            n_rows,
            ..
        } = self;
        let mut writer = writer;
        let metadata = writer
            .finish()
            .map_err(|error| write_failed(table, error))?;
        drop(writer);
        let path = path.keep().map_err(|error| {
            let kept = error.path.to_path_buf();
            FileError::at("write", &kept)(error.error)
        })?;
        let stored = fs::metadata(&path).map_err(FileError::at("read", &path))?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let add = Add {
            path: relative,
            partition_values: partition,
            size: i64::try_from(stored.len()).unwrap_or(i64::MAX),
            modification_time: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
            data_change: true,
            stats: Some(statistics(table, &metadata, n_rows)),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        };
        Ok(add)
    }
}

/// The columns in the files of a table: all but the partition's.
pub(super) fn file_schema(table: Table) -> SchemaRef {
    let schema = table.arrow_schema();
    let kept: Vec<_> = schema
        .fields()
        .iter()
        .filter(|field| !table.partition_columns().contains(&field.name().as_str()))
        .cloned()
        .collect();
    Arc::new(Schema::new(kept))
}

/// A file under a name that no other has, readable as other files of this user are.
fn new_file(folder: &Path) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder
        .prefix("part-")
        .suffix(".zstd.parquet")
        .rand_bytes(22);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    Ok(builder
        .tempfile_in(folder)
        .map_err(FileError::at("create", folder))?)
}

/// The statistics of a file as the Delta protocol writes them: JSON text, times cut to milliseconds.
fn statistics(table: Table, metadata: &ParquetMetaData, n_rows: usize) -> String {
    let mut all = json!({ "numRecords": n_rows });
    if table == Table::Events {
        let mut least = Map::new();
        let mut most = Map::new();
        let mut nulls = Map::new();
        for name in STATISTICS_COLUMNS {
            let bounds = Bounds::over(metadata, name);
            least.extend(bounds.least.map(|value| (name.to_owned(), value.json())));
            most.extend(bounds.most.map(|value| (name.to_owned(), value.json())));
            nulls.extend(bounds.nulls.map(|count| (name.to_owned(), count.into())));
        }
        all["minValues"] = Value::Object(least);
        all["maxValues"] = Value::Object(most);
        all["nullCount"] = Value::Object(nulls);
    }
    all.to_string()
}

/// A bound of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Text(String),
    Micros(i64),
}

impl Bound {
    fn json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Micros(micros) => DateTime::from_timestamp_micros(*micros)
                .map_or(Value::Null, |time| {
                    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into()
                }),
        }
    }
}

/// Bounds of a column over all row groups of a file.
#[derive(Default)]
struct Bounds {
    least: Option<Bound>,
    most: Option<Bound>,
    nulls: Option<u64>,
}

impl Bounds {
    fn over(metadata: &ParquetMetaData, name: &str) -> Self {
        let mut bounds = Self {
            nulls: Some(0),
            ..Self::default()
        };
        for group in metadata.row_groups() {
            let column = group
                .columns()
                .iter()
                .find(|column| column.column_path().parts() == [name]);
            let Some(statistics) = column.and_then(|column| column.statistics()) else {
                return Self::default();
            };
            bounds.nulls = bounds
                .nulls
                .zip(statistics.null_count_opt())
                .map(|(a, b)| a + b);
            let (least, most) = match statistics {
                Statistics::Int64(values) => (
                    values.min_opt().copied().map(Bound::Micros),
                    values.max_opt().copied().map(Bound::Micros),
                ),
                Statistics::ByteArray(values) => {
                    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
                    (
                        values.min_bytes_opt().and_then(text).map(Bound::Text),
                        values.max_bytes_opt().and_then(text).map(Bound::Text),
                    )
                }
                _ => return Self::default(),
            };
            let is_empty = statistics.null_count_opt() == u64::try_from(group.num_rows()).ok();
            match (least, most) {
                (Some(least), Some(most)) => {
                    bounds.least = Some(bounds.least.map_or(least.clone(), |b| b.min(least)));
                    bounds.most = Some(bounds.most.map_or(most.clone(), |b| b.max(most)));
                }
                _ if is_empty => {}
                _ => return Self::default(),
            }
        }
        bounds
    }
}

/// zstd at its fastest level, page index on. Bodies of requests and responses get no bounds: nobody
/// compares them, and they would bloat the footer.
fn properties(table: Table) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(EVENT_ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(1_024)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_created_by(concat!("spoor ", env!("CARGO_PKG_VERSION")).to_owned());
    if table == Table::Events {
        for column in EVENT_COLUMNS {
            let path = ColumnPath::from(column.name);
            if column.bloom_filter {
                builder = builder
                    .set_column_bloom_filter_enabled(path.clone(), true)
                    .set_column_bloom_filter_fpp(path.clone(), 0.01);
            }
            if column.unique {
                builder = builder.set_column_dictionary_enabled(path.clone(), false);
            }
            if column.kind == Kind::Json {
                builder = builder
                    .set_column_statistics_enabled(path.clone(), EnabledStatistics::Chunk)
                    .set_column_dictionary_enabled(path, false);
            }
        }
        builder = builder
            .set_column_statistics_enabled(ColumnPath::from(EXTRA), EnabledStatistics::Chunk);
    }
    builder.build()
}

pub(super) fn write_failed(table: Table, source: impl Into<Cause>) -> crate::Error {
    LakeError::Table {
        action: "write",
        table: table.name(),
        source: source.into(),
    }
    .into()
}
