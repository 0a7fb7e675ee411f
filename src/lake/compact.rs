//! Compaction: the small files that many runs leave become few large ones.
//!
//! Always true: the rows are the same before and after; a table changes in one commit, so a
//! compaction that ends anywhere leaves what was there; one that has nothing to join does nothing.
//! Memory holds a batch and the row group that is being written.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{DataFile, Lake, Pending, Snapshot, TARGET_FILE_BYTES, TableWriter};
use crate::error::{Cause, FileError, LakeError, Result};
use crate::schema::{DATE_PARTITION, Table};

/// Files below this are joined with others of their day: half of what a full file has.
const SMALL_FILE_BYTES: u64 = TARGET_FILE_BYTES / 2;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 8_192;

/// What a compaction did to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    pub table: Table,
    /// Days whose files were joined; the small tables count as one day.
    pub days: u64,
    /// Of the files that were joined.
    pub files_before: u64,
    pub files_after: u64,
    pub rows: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
}

impl Lake {
    /// Joins the small files of a table, day by day. Needs the lake's lock.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read or written; then the table is as it was.
    pub async fn compact(&self, table: Table) -> Result<Compacted> {
        let snapshot = self.snapshot(table).await?;
        let mut done = Compacted {
            table,
            days: 0,
            files_before: 0,
            files_after: 0,
            rows: 0,
            bytes_before: 0,
            bytes_after: 0,
        };
        let (mut removed, mut pending) = (Vec::new(), Vec::new());
        for (_, files) in small_files(&snapshot) {
            done.days += 1;
            let written = self.join(table, &files).await?;
            done.bytes_after += written.size_bytes();
            done.files_after += written.n_files() as u64;
            pending.push(written);
            removed.extend(files);
        }
        if removed.is_empty() {
            return Ok(done);
        }
        done.files_before = removed.len() as u64;
        done.bytes_before = removed.iter().map(|file| file.size_bytes).sum();
        done.rows = removed.iter().filter_map(|file| file.statistics.rows).sum();
        self.replace(table, &removed, pending, TARGET_FILE_BYTES)
            .await?;
        Ok(done)
    }

    /// Writes the rows of some files anew, changed by `change`, which leaves their number and their
    /// days. Needs the lake's lock.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read or written; then the table is as it was.
    pub async fn rewrite(
        &self,
        table: Table,
        files: &[DataFile],
        change: &mut (dyn FnMut(RecordBatch) -> Result<RecordBatch, ArrowError> + Send),
    ) -> Result<()> {
        let pending = self.copied(table, files, change).await?;
        self.replace(table, files, vec![pending], TARGET_FILE_BYTES)
            .await
    }

    /// Writes the rows of some files of a day anew.
    async fn join(&self, table: Table, files: &[DataFile]) -> Result<Pending> {
        self.copied(table, files, &mut Ok).await
    }

    async fn copied(
        &self,
        table: Table,
        files: &[DataFile],
        change: &mut (dyn FnMut(RecordBatch) -> Result<RecordBatch, ArrowError> + Send),
    ) -> Result<Pending> {
        let mut writer = self.writer(table).await?;
        for file in files {
            if let Err(error) = self.copy(table, file, change, &mut writer).await {
                writer.abandon().await;
                return Err(error);
            }
        }
        writer.finish().await
    }

    async fn copy(
        &self,
        table: Table,
        file: &DataFile,
        change: &mut (dyn FnMut(RecordBatch) -> Result<RecordBatch, ArrowError> + Send),
        writer: &mut TableWriter,
    ) -> Result<()> {
        let path = self.root().join(table.name()).join(&file.path);
        let failed = |source: Cause| LakeError::File {
            path: path.clone(),
            source,
        };
        let opened = File::open(&path).map_err(FileError::at("read", &path))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened)
            .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
            .map_err(|error| failed(error.into()))?;
        for batch in reader {
            let batch = batch
                .and_then(|batch| whole(table, &batch, file.date.as_deref()))
                .and_then(&mut *change);
            writer
                .write(batch.map_err(|error| failed(error.into()))?)
                .await?;
        }
        Ok(())
    }
}

/// The files worth joining, by day, in order of their first event: where joining makes them fewer.
fn small_files(snapshot: &Snapshot) -> BTreeMap<Option<String>, Vec<DataFile>> {
    let mut days: BTreeMap<Option<String>, Vec<DataFile>> = BTreeMap::new();
    for file in &snapshot.files {
        if file.size_bytes < SMALL_FILE_BYTES {
            days.entry(file.date.clone())
                .or_default()
                .push(file.clone());
        }
    }
    days.retain(|_, files| {
        let bytes: u64 = files.iter().map(|file| file.size_bytes).sum();
        files.len() as u64 > bytes.div_ceil(SMALL_FILE_BYTES).max(1)
    });
    for files in days.values_mut() {
        files.sort_by_cached_key(|file| {
            let first = file.statistics.min_values.get("eventtime");
            (first.map(ToString::to_string), file.path.clone())
        });
    }
    days
}

/// The rows with all columns of the table: the partition's, which the file has not, and those that
/// are younger than the file.
fn whole(table: Table, batch: &RecordBatch, date: Option<&str>) -> Result<RecordBatch, ArrowError> {
    let schema = table.arrow_schema();
    let n_rows = batch.num_rows();
    let is_partition = |name: &str| table.partition_columns().contains(&name);
    let columns = schema.fields().iter().map(|field| {
        if is_partition(field.name()) {
            debug_assert_eq!(field.name(), DATE_PARTITION);
            let dates: StringArray = std::iter::repeat_n(date, n_rows).collect();
            return Ok(Arc::new(dates) as ArrayRef);
        }
        match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
            Some(column) => cast(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), n_rows)),
        }
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema, columns)
}
