//! What was done to a lake: the commits of its tables, as their logs tell them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{LOG_FOLDER, Lake};
use crate::error::{FileError, LakeError, Result};
use crate::schema::Table;

/// The member of a commit's information that names the run.
pub(super) const RUN_MEMBER: &str = "spoorRun";

/// One commit of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub table: Table,
    /// The Delta version that it made.
    pub version: u64,
    /// Milliseconds since 1970.
    pub time_ms: Option<i64>,
    /// Delta's word in lower case: `create table`, `write`, `optimize`, `add column`, `vacuum end`.
    pub operation: String,
    /// The run that committed, as in `sources.ingest_id`, where the commit names it.
    pub run: Option<String>,
    pub files_added: u64,
    pub files_removed: u64,
    pub rows_added: u64,
    pub rows_removed: u64,
    pub bytes_added: u64,
    pub bytes_removed: u64,
}

impl Lake {
    /// The commits of all tables, by time, as far back as the logs go: lakes of the first versions let
    /// old entries go.
    ///
    /// # Errors
    ///
    /// Where a log cannot be read.
    pub fn history(&self) -> Result<Vec<Commit>> {
        let mut commits = Vec::new();
        for table in Table::ALL {
            read_log(&self.root().join(table.name()), table, &mut commits)?;
        }
        commits.sort_by_key(|commit| (commit.time_ms, commit.table, commit.version));
        Ok(commits)
    }
}

/// A line of a log. What does not concern us is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    commit_info: Option<CommitInfo>,
    add: Option<FileAction>,
    remove: Option<FileAction>,
}

#[derive(Deserialize)]
struct CommitInfo {
    timestamp: Option<i64>,
    #[serde(default)]
    operation: String,
    #[serde(flatten)]
    further: Map<String, Value>,
}

#[derive(Deserialize)]
struct FileAction {
    path: String,
    size: Option<u64>,
    stats: Option<String>,
}

impl FileAction {
    fn rows(&self) -> Option<u64> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Statistics {
            num_records: u64,
        }
        let statistics: Statistics = serde_json::from_str(self.stats.as_deref()?).ok()?;
        Some(statistics.num_records)
    }
}

fn read_log(folder: &Path, table: Table, commits: &mut Vec<Commit>) -> Result<()> {
    // Removals do not tell their rows; the addition before them did.
    let mut rows = HashMap::new();
    for (version, name) in versions(&folder.join(LOG_FOLDER))? {
        let path = folder.join(LOG_FOLDER).join(name);
        let file = File::open(&path).map_err(FileError::at("read", &path))?;
        let mut commit = Commit {
            table,
            version,
            time_ms: None,
            operation: String::new(),
            run: None,
            files_added: 0,
            files_removed: 0,
            rows_added: 0,
            rows_removed: 0,
            bytes_added: 0,
            bytes_removed: 0,
        };
        for line in BufReader::new(file).lines() {
            let line = line.map_err(FileError::at("read", &path))?;
            let action = serde_json::from_str(&line).map_err(|source| LakeError::Table {
                action: "read the history of",
                table: table.name(),
                source: source.into(),
            })?;
            commit.take(action, &mut rows);
        }
        commits.push(commit);
    }
    Ok(())
}

/// The log's entries in their order.
fn versions(log: &Path) -> Result<Vec<(u64, String)>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(log).map_err(FileError::at("list", log))? {
        let entry = entry.map_err(FileError::at("list", log))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let version = name.strip_suffix(".json").filter(|stem| stem.len() == 20);
        if let Some(version) = version.and_then(|stem| stem.parse().ok()) {
            versions.push((version, name));
        }
    }
    versions.sort();
    Ok(versions)
}

impl Commit {
    fn take(&mut self, action: Action, rows: &mut HashMap<String, u64>) {
        if let Some(info) = action.commit_info {
            self.time_ms = info.timestamp;
            self.operation = info.operation.to_lowercase();
            let run = info.further.get(RUN_MEMBER).and_then(Value::as_str);
            self.run = run.map(str::to_owned);
        }
        if let Some(add) = action.add {
            let n_rows = add.rows().unwrap_or(0);
            self.files_added += 1;
            self.rows_added += n_rows;
            self.bytes_added += add.size.unwrap_or(0);
            rows.insert(add.path, n_rows);
        }
        if let Some(remove) = action.remove {
            self.files_removed += 1;
            self.rows_removed += rows.remove(&remove.path).unwrap_or(0);
            self.bytes_removed += remove.size.unwrap_or(0);
        }
    }
}
