//! Vacuum: files that no version needs any more, and what runs that were killed left behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use deltalake::operations::vacuum::VacuumMode;
use walkdir::WalkDir;

use super::{LOG_FOLDER, Lake};
use crate::error::{FileError, LakeError, Result};
use crate::schema::Table;

/// A file that was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Removed {
    pub table: Table,
    /// Relative to the table's folder.
    pub path: String,
    pub size_bytes: u64,
}

impl Lake {
    /// Removes the files of a table that its latest version does not need and that are out of use for
    /// longer than `retention`: replaced that long ago, or never shown and written that long ago.
    /// Readers of older snapshots fail at what is removed. Needs the lake's lock, so that no run is
    /// writing. With `dry_run`, only tells.
    ///
    /// # Errors
    ///
    /// Where the table cannot be read or a file not removed.
    pub async fn vacuum(
        &self,
        table: Table,
        retention: Duration,
        dry_run: bool,
    ) -> Result<Vec<Removed>> {
        let folder = self.root().join(table.name());
        let plan = self.vacuum_files(table, retention, true).await?;
        // The log remembers a removed file for some time after an earlier vacuum took it.
        let there = plan.into_iter().filter(|path| folder.join(path).exists());
        let mut removed: Vec<Removed> = there
            .map(|path| Removed {
                table,
                size_bytes: size_of(&folder.join(&path)),
                path,
            })
            .collect();
        let is_listed = !removed.is_empty();
        let unfinished = unfinished(&folder, retention);
        removed.extend(unfinished.iter().map(|path| Removed {
            table,
            path: inner(&folder, path),
            size_bytes: size_of(path),
        }));
        if !dry_run {
            if is_listed {
                self.vacuum_files(table, retention, false).await?;
            }
            for path in &unfinished {
                std::fs::remove_file(path).map_err(FileError::at("remove", path))?;
            }
        }
        removed.sort();
        Ok(removed)
    }

    async fn vacuum_files(
        &self,
        table: Table,
        retention: Duration,
        dry_run: bool,
    ) -> Result<Vec<String>> {
        let failed = |source: deltalake::DeltaTableError| LakeError::Table {
            action: "vacuum",
            table: table.name(),
            source: source.into(),
        };
        // Longer than a thousand centuries is for ever.
        let seconds = i64::try_from(retention.as_secs())
            .unwrap_or(i64::MAX)
            .min(1 << 42);
        let (_, metrics) = self
            .load(table)
            .await?
            .vacuum()
            .with_mode(VacuumMode::Full)
            .with_retention_period(chrono::Duration::seconds(seconds))
            .with_enforce_retention_duration(false)
            .with_dry_run(dry_run)
            .await
            .map_err(failed)?;
        Ok(metrics.files_deleted)
    }
}

/// Files that a killed run was still writing: they have their name with `#` and a number behind it,
/// and the object store that Delta works with does not list them.
fn unfinished(folder: &Path, retention: Duration) -> Vec<PathBuf> {
    let now = SystemTime::now();
    let is_old = |entry: &walkdir::DirEntry| {
        let modified = entry
            .metadata()
            .ok()
            .and_then(|metadata| metadata.modified().ok());
        modified.is_some_and(|modified| {
            now.duration_since(modified)
                .is_ok_and(|age| age >= retention)
        })
    };
    let is_unfinished = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        let number = name.split_once(".parquet#").map(|(_, number)| number);
        number
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    WalkDir::new(folder)
        .into_iter()
        .filter_entry(|entry| entry.file_name() != LOG_FOLDER)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && is_unfinished(entry) && is_old(entry))
        .map(walkdir::DirEntry::into_path)
        .collect()
}

fn inner(folder: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(folder).unwrap_or(path);
    inner.to_string_lossy().into_owned()
}

/// Nothing where the file is gone already.
fn size_of(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}
