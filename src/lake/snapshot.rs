//! What a table consists of at one version: its files, with the statistics that prune them.

use std::fs::File;
use std::sync::Arc;

use deltalake::{DeltaTable, ObjectStore};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Lake;
use crate::error::{FileError, LakeError, Result};
use crate::schema::Table;

/// A table at one version. Later commits do not change it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub table: Table,
    /// The Delta version.
    pub version: u64,
    /// Rooted at the table's folder; the paths of [`DataFile`] are relative to it.
    pub store: Arc<dyn ObjectStore>,
    /// Sorted by path, so that two readers see one order.
    pub files: Vec<DataFile>,
}

impl Snapshot {
    /// Rows over all files, where every file tells.
    pub fn rows(&self) -> Option<u64> {
        self.files.iter().map(|file| file.statistics.rows).sum()
    }

    /// Bytes over all files.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

impl Lake {
    /// Row groups over all files of a snapshot, read from their footers.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read.
    pub fn row_groups(&self, snapshot: &Snapshot) -> Result<u64> {
        let folder = self.root().join(snapshot.table.name());
        let mut n_groups = 0;
        for file in &snapshot.files {
            let path = folder.join(&file.path);
            let opened = File::open(&path).map_err(FileError::at("read", &path))?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|source| {
                LakeError::Table {
                    action: "read",
                    table: snapshot.table.name(),
                    source: source.into(),
                }
            })?;
            n_groups += reader.metadata().num_row_groups() as u64;
        }
        Ok(n_groups)
    }
}

/// A Parquet file of a table.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Relative to the table's folder, `/` between its parts.
    pub path: String,
    pub size_bytes: u64,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
    /// The value of the partition column `date` (`YYYY-MM-DD`), where the table has one.
    pub date: Option<String>,
    pub statistics: FileStatistics,
}

/// Statistics of a file as the Delta log keeps them: JSON values by column name. A missing column
/// says nothing. Times are RFC 3339 text, cut to milliseconds, so a maximum may be up to a
/// millisecond too small.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileStatistics {
    #[serde(rename = "numRecords")]
    pub rows: Option<u64>,
    pub min_values: Map<String, Value>,
    pub max_values: Map<String, Value>,
    pub null_count: Map<String, Value>,
}

pub(super) fn read(table: Table, delta: &DeltaTable) -> Result<Snapshot> {
    let state = delta.snapshot().map_err(|source| LakeError::Table {
        action: "read",
        table: table.name(),
        source: source.into(),
    })?;
    let partition = table.partition_columns().first().copied();
    let mut files: Vec<DataFile> = state
        .log_data()
        .iter()
        .map(|view| {
            // Statistics only ever speed things up: unreadable ones count as none.
            let statistics = view
                .stats()
                .and_then(|json| serde_json::from_str(&json).ok())
                .unwrap_or_default();
            let date = partition.and_then(|name| {
                view.partition_values_map()
                    .remove(name)
                    .flatten()
                    .filter(|value| !value.is_empty())
            });
            DataFile {
                path: view.object_store_path().to_string(),
                size_bytes: u64::try_from(view.size()).unwrap_or(0),
                modified_ms: view.modification_time(),
                date,
                statistics,
            }
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Snapshot {
        table,
        version: state.version(),
        store: delta.object_store(),
        files,
    })
}
