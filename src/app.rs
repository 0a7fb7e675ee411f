//! The parts put together, once: from what the user names to an engine over a case.

mod overview;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

pub use overview::{Fact, overview};

use crate::config::{LISTS_FILE, Lists};
use crate::engine::{Engine, EngineOptions};
use crate::error::{FileError, Result};
use crate::ingest::{self, IngestOptions, Progress, Summary};
use crate::lake::{self, Lake};

/// What a case is made of.
#[derive(Debug, Clone, Default)]
pub struct CaseOptions {
    /// Log files, folders or globs, or one lake. Empty: the lake alone.
    pub sources: Vec<String>,
    /// The lake, if one was named. Without it, sources are converted into a lake that lives as long
    /// as the case.
    pub lake: Option<PathBuf>,
    /// The lake where neither is named.
    pub default_lake: PathBuf,
    /// The lists, if a file was named.
    pub lists: Option<PathBuf>,
    pub memory_limit_bytes: Option<usize>,
}

/// An opened case: a lake, the engine over it, and the case's lists.
#[derive(Debug)]
pub struct Case {
    pub engine: Arc<Engine>,
    pub lake: Lake,
    pub lists: Lists,
    /// What was read on the way, where sources were.
    pub summary: Option<Summary>,
    /// Holds the folder of a lake that lives as long as the case.
    _scratch: Option<TempDir>,
}

impl Case {
    /// Opens the case, reading its sources first where it has some.
    ///
    /// # Errors
    ///
    /// Whatever ingest, the lake, the lists or the engine say.
    pub async fn open(
        options: &CaseOptions,
        progress: Arc<dyn Progress>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self> {
        let mut scratch = None;
        let mut summary = None;
        let lake = match (options.sources.as_slice(), &options.lake) {
            ([], named) => Lake::open(named.as_deref().unwrap_or(&options.default_lake))?,
            ([only], None) if lake::is_lake(Path::new(only)) => Lake::open(Path::new(only))?,
            (sources, named) => {
                let root = match named {
                    Some(root) => root.clone(),
                    None => {
                        let folder = scratch_folder()?;
                        let root = folder.path().join("lake");
                        scratch = Some(folder);
                        root
                    }
                };
                let (lake, done) = read_into(&root, sources, progress, stop).await?;
                summary = Some(done);
                lake
            }
        };
        let lists = read_lists(options, &lake, scratch.is_some())?;
        let engine = Engine::open(
            &lake,
            EngineOptions {
                memory_limit_bytes: options.memory_limit_bytes,
                target_partitions: None,
                lists: lists.clone(),
            },
        )
        .await?;
        Ok(Self {
            engine: Arc::new(engine),
            lake,
            lists,
            summary,
            _scratch: scratch,
        })
    }
}

/// Reads sources into the lake at `root`, which is made where there is none.
///
/// # Errors
///
/// As [`ingest::discover`] and [`ingest::ingest`].
pub async fn read_into(
    root: &Path,
    sources: &[String],
    progress: Arc<dyn Progress>,
    stop: Arc<AtomicBool>,
) -> Result<(Lake, Summary)> {
    let sources = ingest::discover(sources)?;
    let lake = Lake::open_or_create(root).await?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    let options = IngestOptions {
        ingest_id: format!("{micros:x}-{:x}", std::process::id()),
        ingest_time: micros,
        parallelism: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let summary = ingest::ingest(&lake, sources, &options, progress, stop).await?;
    Ok((lake, summary))
}

/// The named lists, else `spoor.toml` beside the lake, else in the working directory, else none.
fn read_lists(options: &CaseOptions, lake: &Lake, is_scratch: bool) -> Result<Lists> {
    if let Some(path) = &options.lists {
        return Lists::read(path);
    }
    let beside = lake.root().parent().filter(|_| !is_scratch);
    let candidates = [
        Some(lake.root().join(LISTS_FILE)),
        beside.map(|folder| folder.join(LISTS_FILE)),
        Some(PathBuf::from(LISTS_FILE)),
    ];
    match candidates.into_iter().flatten().find(|path| path.is_file()) {
        Some(path) => Lists::read(&path),
        None => Ok(Lists::default()),
    }
}

fn scratch_folder() -> Result<TempDir, FileError> {
    tempfile::Builder::new()
        .prefix("spoor-")
        .tempdir()
        .map_err(FileError::at("create", std::env::temp_dir()))
}
