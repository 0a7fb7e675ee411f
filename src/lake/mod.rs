//! The lake: a folder with three Delta tables that other engines read without spoor.
//!
//! Always true: a table changes in one atomic step (a Delta commit) after its files are complete, and
//! a [`Snapshot`] never changes. The lake knows Arrow, Parquet and delta-rs; what the rows mean is
//! left to ingest, and queries to the engine.

mod compact;
mod events;
mod evolve;
mod file;
mod group;
mod history;
mod lock;
mod replace;
mod snapshot;
mod spill;
mod vacuum;
mod writer;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deltalake::kernel::transaction::CommitProperties;
use deltalake::{DeltaTable, TableProperty};

pub use compact::Compacted;
use events::TARGET_FILE_BYTES;
pub use evolve::SchemaDifference;
pub use history::Commit;
use history::RUN_MEMBER;
pub use lock::LakeLock;
pub use snapshot::{DataFile, FileStatistics, Snapshot};
pub use vacuum::Removed;
pub use writer::{DEFAULT_WAITING_BYTES, EVENT_ROW_GROUP_ROWS, Pending, TableWriter};

use crate::error::{Cause, FileError, LakeError, Result};
use crate::schema::Table;

/// How often one who waits for the lock looks for it.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// An opened lake on the local file system.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
    /// The run whose name goes into commits.
    run: Option<Arc<str>>,
}

impl Lake {
    /// Opens an existing lake.
    ///
    /// # Errors
    ///
    /// [`LakeError::Missing`] where nothing is, [`LakeError::NotALake`] where something else is.
    pub fn open(root: &Path) -> Result<Self> {
        let root = absolute(root)?;
        if !root.exists() {
            return Err(LakeError::Missing { path: root }.into());
        }
        if !is_lake(&root) {
            return Err(LakeError::NotALake { path: root }.into());
        }
        Ok(Self { root, run: None })
    }

    /// Opens the lake at `root`, or makes an empty one where nothing or an empty folder is.
    ///
    /// # Errors
    ///
    /// [`LakeError::NotALake`] where a file or a folder with other content is, [`LakeError::Newer`]
    /// where a newer spoor has written; anything the file system refuses.
    pub async fn open_or_create(root: &Path) -> Result<Self> {
        let root = absolute(root)?;
        let usable = !root.exists() || is_lake(&root) || is_vacant(&root)?;
        if !usable {
            return Err(LakeError::NotALake { path: root }.into());
        }
        let lake = Self { root, run: None };
        if is_lake(&lake.root) {
            for table in Table::ALL {
                evolve::check_known(table, &lake.load(table).await?)?;
            }
            return Ok(lake);
        }
        fs::create_dir_all(&lake.root).map_err(FileError::at("create", &lake.root))?;
        let _lock = lake.lock()?;
        for table in Table::ALL {
            lake.create_table(table).await?;
        }
        Ok(lake)
    }

    /// The same lake for one run, whose name its commits then carry.
    #[must_use]
    pub fn for_run(mut self, run: &str) -> Self {
        self.run = Some(run.into());
        self
    }

    /// The lake's folder, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Waits until no other process writes to this lake, then holds the right to until dropped (or
    /// until the process ends, in whatever way).
    ///
    /// # Errors
    ///
    /// Where the lock file cannot be made.
    pub fn lock(&self) -> Result<LakeLock> {
        LakeLock::acquire(&self.root)
    }

    /// Waits as [`Lake::lock`] does without blocking the thread; `on_wait` is called once where
    /// another process writes.
    ///
    /// # Errors
    ///
    /// Where the lock file cannot be made.
    pub async fn lock_patiently(&self, on_wait: impl FnOnce()) -> Result<LakeLock> {
        if let Some(lock) = self.try_lock()? {
            return Ok(lock);
        }
        on_wait();
        loop {
            tokio::time::sleep(LOCK_INTERVAL).await;
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
        }
    }

    /// The right to write, if no other process has it.
    ///
    /// # Errors
    ///
    /// Where the lock file cannot be made.
    pub fn try_lock(&self) -> Result<Option<LakeLock>> {
        LakeLock::try_acquire(&self.root)
    }

    /// The files of a table as of its latest commit.
    ///
    /// # Errors
    ///
    /// [`LakeError::Table`] when the log cannot be read.
    pub async fn snapshot(&self, table: Table) -> Result<Snapshot> {
        let delta = self.load(table).await?;
        snapshot::read(table, &delta)
    }

    /// How the lake's table differs from what this version of spoor writes.
    ///
    /// # Errors
    ///
    /// [`LakeError::Table`] when the log cannot be read.
    pub async fn schema_difference(&self, table: Table) -> Result<SchemaDifference> {
        evolve::compare(table, &self.load(table).await?)
    }

    /// A writer whose rows become visible with [`Lake::commit`]. Columns that the lake's table lacks
    /// are added to it first, so the caller holds the lock.
    ///
    /// # Errors
    ///
    /// [`LakeError::Table`] when the table cannot be opened, [`LakeError::Newer`] when it has columns
    /// that this version does not know.
    pub async fn writer(&self, table: Table) -> Result<TableWriter> {
        self.bounded_writer(table, DEFAULT_WAITING_BYTES).await
    }

    /// As [`Lake::writer`], with a bound on the bytes of rows that wait to be sorted and encoded.
    ///
    /// # Errors
    ///
    /// As [`Lake::writer`].
    pub async fn bounded_writer(&self, table: Table, waiting_bytes: usize) -> Result<TableWriter> {
        evolve::complete(table, self.load(table).await?).await?;
        Ok(TableWriter::new(table, &self.root, waiting_bytes))
    }

    /// Shows the written files to readers, in one atomic step. Does nothing where nothing was written.
    ///
    /// # Errors
    ///
    /// [`LakeError::Table`] when the commit fails; then nothing of it is visible.
    pub async fn commit(&self, pending: Pending) -> Result<()> {
        let delta = self.load(pending.table()).await?;
        pending.commit(&delta, self.commit_properties()).await
    }

    fn commit_properties(&self) -> CommitProperties {
        let run = self.run.iter();
        let run = run.map(|run| (RUN_MEMBER.to_owned(), run.to_string().into()));
        CommitProperties::default().with_metadata(run)
    }

    async fn load(&self, table: Table) -> Result<DeltaTable> {
        let failed = |source: Cause| LakeError::Table {
            action: "open",
            table: table.name(),
            source,
        };
        let url = self.url(table)?;
        Ok(deltalake::open_table(url)
            .await
            .map_err(|error| failed(error.into()))?)
    }

    async fn create_table(&self, table: Table) -> Result<()> {
        let failed = |source: Cause| LakeError::Table {
            action: "create",
            table: table.name(),
            source,
        };
        let folder = self.root.join(table.name());
        if has_commit(&folder) {
            return Ok(());
        }
        fs::create_dir_all(&folder).map_err(FileError::at("create", &folder))?;
        DeltaTable::try_from_url(self.url(table)?)
            .await
            .map_err(|error| failed(error.into()))?
            .create()
            .with_table_name(table.name())
            .with_columns(evolve::declared(table)?)
            .with_partition_columns(table.partition_columns().iter().copied())
            // What was done to evidence is part of it: no entry of the log is ever let go.
            .with_configuration_property(TableProperty::EnableExpiredLogCleanup, Some("false"))
            .await
            .map_err(|error| failed(error.into()))?;
        Ok(())
    }

    fn url(&self, table: Table) -> Result<url::Url> {
        let folder = self.root.join(table.name());
        url::Url::from_directory_path(&folder)
            .map_err(|()| LakeError::NotALake { path: folder }.into())
    }
}

/// Whether `path` is a lake: a folder with the three tables.
pub fn is_lake(path: &Path) -> bool {
    Table::ALL
        .iter()
        .all(|table| has_commit(&path.join(table.name())))
}

/// The folder of a table's log, in the table's own.
const LOG_FOLDER: &str = "_delta_log";

/// Whether a table's folder has a finished commit. Its log may be there without: the first commit is
/// written under another name and then renamed.
fn has_commit(folder: &Path) -> bool {
    let is_commit = |entry: fs::DirEntry| {
        let path = entry.path();
        path.extension().is_some_and(|ending| ending == "json")
    };
    fs::read_dir(folder.join(LOG_FOLDER))
        .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(is_commit)))
}

/// An empty folder, or one in which a first run ended before all tables were there.
fn is_vacant(path: &Path) -> Result<bool, FileError> {
    let is_ours = |name: &OsStr| {
        let folder = path.join(name);
        let is_table = Table::ALL.iter().any(|table| table.name() == name) && folder.is_dir();
        let is_new = is_table && all_entries(&folder, |name| Ok(name == LOG_FOLDER))?;
        Ok(is_new || name == lock::LOCK_FILE)
    };
    Ok(path.is_dir() && all_entries(path, is_ours)?)
}

/// Whether all names in a folder fit.
fn all_entries(
    folder: &Path,
    fits: impl Fn(&OsStr) -> Result<bool, FileError>,
) -> Result<bool, FileError> {
    for entry in fs::read_dir(folder).map_err(FileError::at("list", folder))? {
        let entry = entry.map_err(FileError::at("list", folder))?;
        if !fits(&entry.file_name())? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    std::path::absolute(path).map_err(FileError::at("find", path))
}

#[cfg(test)]
mod tests;
