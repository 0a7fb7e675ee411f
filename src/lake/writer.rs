//! Writing: files nobody can see, then one commit that shows them.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use deltalake::DeltaTable;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add};
use deltalake::protocol::{DeltaOperation, SaveMode};
use parquet::arrow::arrow_writer::compute_leaves;

use super::events::EventWriter;
use super::file::{DataFileWriter, file_schema, write_failed};
use crate::error::{Cause, LakeError, Result};
use crate::schema::Table;

/// Rows of a row group of `events`: enough for zstd and dictionaries to pay, few enough that one
/// sorted group is a small part of a day.
pub const EVENT_ROW_GROUP_ROWS: usize = 131_072;

/// Bytes that rows may take while they wait for their row group to fill or to be encoded.
pub const DEFAULT_WAITING_BYTES: usize = 104 * 1024 * 1024;

/// A writer of one table.
pub struct TableWriter {
    table: Table,
    inner: Inner,
}

enum Inner {
    Events(Box<EventWriter>),
    Small(Box<SmallWriter>),
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl TableWriter {
    pub(super) fn new(table: Table, lake_folder: &Path, waiting_bytes: usize) -> Self {
        let folder = lake_folder.join(table.name());
        let inner = match table {
            Table::Events => Inner::Events(Box::new(EventWriter::new(folder, waiting_bytes))),
            Table::Sources | Table::Rejects => Inner::Small(Box::new(SmallWriter {
                table,
                folder,
                waiting: Vec::new(),
                n_bytes: 0,
                file: None,
            })),
        };
        Self { table, inner }
    }

    /// Writes rows. A batch of `events` may hold several days, in any order; its text columns may be
    /// plain or dictionaries.
    ///
    /// # Errors
    ///
    /// [`LakeError::Table`] with the cause (a full disk, mostly).
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let rows = (0..u32::try_from(batch.num_rows()).unwrap_or(u32::MAX)).collect();
        self.write_rows(batch, rows).await
    }

    /// As [`TableWriter::write`], for some rows of the batch, by their position, ascending.
    ///
    /// # Errors
    ///
    /// As [`TableWriter::write`].
    pub async fn write_rows(&mut self, batch: RecordBatch, rows: Vec<u32>) -> Result<()> {
        match &mut self.inner {
            Inner::Events(events) => events.write(batch, rows).await,
            Inner::Small(small) => {
                let rows = arrow::array::UInt32Array::from(rows);
                let taken = arrow::compute::take_record_batch(&batch, &rows)
                    .map_err(|error| write_failed(self.table, error))?;
                small.write(taken)
            }
        }
    }

    /// Completes the files. They stay invisible until [`super::Lake::commit`].
    ///
    /// # Errors
    ///
    /// [`LakeError::Table`] with the cause.
    pub async fn finish(self) -> Result<Pending> {
        let table = self.table;
        let files = match self.inner {
            Inner::Events(events) => events.finish().await?,
            Inner::Small(small) => small.finish()?,
        };
        Ok(Pending { table, files })
    }

    /// Gives up: what was written so far is removed, and never shown.
    pub async fn abandon(self) {
        if let Inner::Events(events) = self.inner {
            events.abandon().await;
        }
    }
}

/// The writer of a small table: one file, a row group for every so many bytes.
struct SmallWriter {
    table: Table,
    folder: PathBuf,
    waiting: Vec<RecordBatch>,
    n_bytes: usize,
    file: Option<DataFileWriter>,
}

/// Rows of a small table are encoded when they take so many bytes.
const SMALL_WAITING_BYTES: usize = 16 * 1024 * 1024;

impl SmallWriter {
    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.n_bytes += batch.get_array_memory_size();
        self.waiting.push(batch);
        if self.n_bytes >= SMALL_WAITING_BYTES {
            self.encode()?;
        }
        Ok(())
    }

    /// Makes a row group of what waits.
    fn encode(&mut self) -> Result<()> {
        let table = self.table;
        let failed = |error: Cause| write_failed(table, error);
        let schema = file_schema(table);
        let rows = arrow::compute::concat_batches(&schema, &self.waiting)
            .map_err(|error| failed(error.into()))?;
        self.waiting.clear();
        self.n_bytes = 0;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = DataFileWriter::create(table, &self.folder, None)?;
                self.file.insert(file)
            }
        };
        let mut chunks = Vec::new();
        let mut writers = file.column_writers()?.into_iter();
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            for leaf in compute_leaves(field, column).map_err(|error| failed(error.into()))? {
                if let Some(mut writer) = writers.next() {
                    writer.write(&leaf).map_err(|error| failed(error.into()))?;
                    chunks.push(writer.close().map_err(|error| failed(error.into()))?);
                }
            }
        }
        file.append(chunks, rows.num_rows())
    }

    fn finish(mut self) -> Result<Vec<Add>> {
        self.encode()?;
        self.file.into_iter().map(DataFileWriter::close).collect()
    }
}

/// Complete files that no reader sees yet.
#[derive(Debug)]
#[must_use = "files that are not committed are lost"]
pub struct Pending {
    pub(super) table: Table,
    pub(super) files: Vec<Add>,
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
