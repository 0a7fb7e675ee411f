//! Writing: files nobody can see, then one commit that shows them.

use std::collections::HashMap;
use std::num::NonZeroU64;

use arrow::array::RecordBatch;
use deltalake::DeltaTable;
use deltalake::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add};
use deltalake::operations::get_num_idx_cols_and_stats_columns;
use deltalake::protocol::{DeltaOperation, SaveMode};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::error::{Cause, LakeError, Result};
use crate::schema::{DATE_PARTITION, EVENT_COLUMNS, EXTRA, Kind, Table};

/// Rows of a row group of `events`: enough for zstd and dictionaries to pay, few enough that one
/// sorted group is a small part of a day.
pub const EVENT_ROW_GROUP_ROWS: usize = 131_072;

/// Rows of a Parquet page: the unit that the page index prunes.
const PAGE_ROWS: usize = 8_192;

/// A file is closed when it grows over this many bytes.
pub(super) const TARGET_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// The columns whose file-wide bounds the log keeps: those that hunts cut by.
const STATISTICS_COLUMNS: [&str; 6] = [
    "eventtime",
    "eventsource",
    "eventname",
    "awsregion",
    "recipientaccountid",
    "useridentity_accountid",
];

/// A writer of one table.
pub struct TableWriter {
    table: Table,
    inner: DeltaWriter,
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl TableWriter {
    pub(super) fn new(table: Table, delta: &DeltaTable) -> Result<Self> {
        let state = delta
            .snapshot()
            .map_err(|error| failed("open", table, error))?;
        let (indexed, _) =
            get_num_idx_cols_and_stats_columns(Some(state.table_config()), HashMap::new());
        let statistics = match table {
            Table::Events => Some(STATISTICS_COLUMNS.map(str::to_owned).to_vec()),
            Table::Sources | Table::Rejects => None,
        };
        let config = WriterConfig::new(
            table.arrow_schema(),
            table
                .partition_columns()
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            Some(properties(table)),
            NonZeroU64::new(TARGET_FILE_BYTES),
            Some(EVENT_ROW_GROUP_ROWS),
            indexed,
            statistics,
        );
        Ok(Self {
            table,
            inner: DeltaWriter::new(delta.object_store(), config),
        })
    }

    /// Writes rows; a batch of `events` may hold several days.
    ///
    /// # Errors
    ///
    /// [`LakeError::Table`] with the cause (a full disk, mostly).
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.inner
            .write(batch)
            .await
            .map_err(|error| failed("write", self.table, error).into())
    }

    /// Completes the files. They stay invisible until [`super::Lake::commit`].
    ///
    /// # Errors
    ///
    /// [`LakeError::Table`] with the cause.
    pub async fn finish(self) -> Result<Pending> {
        let table = self.table;
        let files = self
            .inner
            .close()
            .await
            .map_err(|error| failed("write", table, error))?;
        Ok(Pending { table, files })
    }

    /// Gives up: what was written so far is never shown.
    pub async fn abandon(self) {
        // Nothing of it is visible, and left-over files are harmless until the next vacuum.
        let _ = self.inner.abort().await;
    }
}

/// Complete files that no reader sees yet.
#[derive(Debug)]
#[must_use = "files that are not committed are lost"]
pub struct Pending {
    table: Table,
    files: Vec<Add>,
}

impl Pending {
    /// The table the files belong to.
    pub fn table(&self) -> Table {
        self.table
    }

    /// Bytes over all files.
    pub fn size_bytes(&self) -> u64 {
        self.files
            .iter()
            .filter_map(|add| u64::try_from(add.size).ok())
            .sum()
    }

    pub(super) async fn commit(
        self,
        delta: &DeltaTable,
        properties: CommitProperties,
    ) -> Result<()> {
        let Self { table, files } = self;
        if files.is_empty() {
            return Ok(());
        }
        let state = delta
            .snapshot()
            .map_err(|error| failed("open", table, error))?;
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(
                table
                    .partition_columns()
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect(),
            ),
            predicate: None,
        };
        CommitBuilder::from(properties)
            .with_actions(files.into_iter().map(Action::Add).collect())
            .build(Some(state), delta.log_store(), operation)
            .await
            .map_err(|error| failed("commit to", table, error))?;
        Ok(())
    }
}

fn failed(action: &'static str, table: Table, source: impl Into<Cause>) -> LakeError {
    LakeError::Table {
        action,
        table: table.name(),
        source: source.into(),
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
            if column.kind == Kind::Json {
                builder = builder
                    .set_column_statistics_enabled(path.clone(), EnabledStatistics::Chunk)
                    .set_column_dictionary_enabled(path, false);
            }
        }
        builder = builder
            .set_column_statistics_enabled(ColumnPath::from(EXTRA), EnabledStatistics::Chunk);
        debug_assert_eq!(table.partition_columns(), [DATE_PARTITION]);
    }
    builder.build()
}

impl Pending {
    /// How many files.
    pub fn n_files(&self) -> usize {
        self.files.len()
    }

    /// The files, for a commit of another kind.
    pub(super) fn into_files(self) -> Vec<Add> {
        self.files
    }
}
