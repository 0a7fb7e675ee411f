//! The parts put together, once: from what the user names to an engine over a case.

mod overview;
mod plan;
mod story;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

pub use overview::{Fact, overview};
pub use plan::{Plan, PlannedSource, plan};
pub use story::trace;

use crate::config::{BaselineUntil, LISTS_FILE, Lists};
use crate::engine::{Engine, EngineOptions, Now};
use crate::error::{FileError, IngestError, Result};
use crate::ingest::container::Limits;
use crate::ingest::{self, IngestOptions, Progress, SelectionRequest, Summary};
use crate::lake::{self, Lake};

/// What a case is made of.
#[derive(Debug, Clone, Default)]
pub struct CaseOptions {
    /// Log files, folders or globs, or one lake. Empty: the lake alone.
    pub sources: Vec<String>,
    /// Which part of the sources is read.
    pub selection: SelectionRequest,
    /// The lake, if one was named. Without it, sources are converted into a lake that lives as long
    /// as the case.
    pub lake: Option<PathBuf>,
    /// The lake where neither is named.
    pub default_lake: PathBuf,
    /// The lists, if a file was named.
    pub lists: Option<PathBuf>,
    /// Takes the place of what the lists say.
    pub baseline_until: Option<BaselineUntil>,
    pub memory_limit_bytes: Option<usize>,
    /// Further names of tables, each with the table it is read as.
    pub aliases: Vec<(String, String)>,
    /// What "now" is in statements.
    pub now: Now,
}

/// An opened case: a lake, the engine over it, and the case's lists.
#[derive(Debug)]
pub struct Case {
    pub engine: Arc<Engine>,
    pub lake: Lake,
    pub lists: Lists,
    /// What was read on the way, where sources were.
    pub summary: Option<Summary>,
    /// Sources that the selection left unread.
    pub sources_left_out: u64,
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
        let mut sources_left_out = 0;
        let lake = match (options.sources.as_slice(), &options.lake) {
            ([], named) => open_whole(named.as_deref().unwrap_or(&options.default_lake), options)?,
            ([only], None) if lake::is_lake(Path::new(only)) => {
                open_whole(Path::new(only), options)?
            }
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
                let request = ReadRequest {
                    sources: sources.to_vec(),
                    selection: options.selection.clone(),
                    limits: Limits::default(),
                    memory_limit_bytes: options.memory_limit_bytes,
                };
                let done = read_selected(&root, &request, progress, stop).await?;
                summary = Some(done.summary);
                sources_left_out = done.sources_left_out;
                done.lake
            }
        };
        let root = Some(lake.root()).filter(|_| scratch.is_none());
        let (mut lists, _) = lists_in_force(options.lists.as_deref(), root)?;
        lists.baseline_until = options.baseline_until.or(lists.baseline_until);
        let engine = Engine::open(
            &lake,
            EngineOptions {
                memory_limit_bytes: options.memory_limit_bytes,
                target_partitions: None,
                lists: lists.clone(),
                aliases: options.aliases.iter().cloned().collect(),
                now: options.now,
            },
        )
        .await?;
        Ok(Self {
            engine: Arc::new(engine),
            lake,
            lists,
            summary,
            sources_left_out,
            _scratch: scratch,
        })
    }
}

/// Opens a lake that is asked as it is: a selection is for reading logs.
fn open_whole(root: &Path, options: &CaseOptions) -> Result<Lake> {
    let lake = Lake::open(root)?;
    if options.selection.is_all() {
        return Ok(lake);
    }
    Err(IngestError::Selection {
        message: "a lake is asked as a whole; only logs can be chosen from".to_owned(),
        hint: Some("narrow the question: `WHERE eventtime >= … AND recipientaccountid = …`"),
    }
    .into())
}

/// What is to be read.
#[derive(Debug, Clone, Default)]
pub struct ReadRequest {
    /// Files, folders, globs, or `-`.
    pub sources: Vec<String>,
    pub selection: SelectionRequest,
    /// What a source may unpack to.
    pub limits: Limits,
    /// Bounds what waits in memory; the default where there is none.
    pub memory_limit_bytes: Option<usize>,
}

/// What reading gave.
#[derive(Debug)]
pub struct ReadDone {
    pub lake: Lake,
    pub summary: Summary,
    /// Sources that the selection left unread.
    pub sources_left_out: u64,
}

/// Reads sources as a whole into the lake at `root`, which is made where there is none.
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
    let request = ReadRequest {
        sources: sources.to_vec(),
        selection: SelectionRequest::default(),
        ..ReadRequest::default()
    };
    let done = read_selected(root, &request, progress, stop).await?;
    Ok((done.lake, done.summary))
}

/// Reads what is asked for into the lake at `root`, which is made where there is none.
///
/// # Errors
///
/// As [`ingest::discover`], [`SelectionRequest::resolve`] and [`ingest::ingest`].
pub async fn read_selected(
    root: &Path,
    request: &ReadRequest,
    progress: Arc<dyn Progress>,
    stop: Arc<AtomicBool>,
) -> Result<ReadDone> {
    let mut sources = ingest::discover(&request.sources)?;
    let n_found = sources.len();
    let selection = request.selection.resolve(&sources)?;
    sources.retain(|source| selection.wants_source(source));
    let sources_left_out = (n_found - sources.len()) as u64;
    let lake = Lake::open_or_create(root).await?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    let options = IngestOptions {
        ingest_id: format!("{micros:x}-{:x}", std::process::id()),
        ingest_time: micros,
        parallelism: std::thread::available_parallelism().map_or(1, usize::from),
        selection,
        limits: request.limits,
        waiting_bytes: waiting_bytes(request.memory_limit_bytes),
    };
    let lake = lake.for_run(&options.ingest_id);
    let summary = ingest::ingest(&lake, sources, &options, progress, stop).await?;
    Ok(ReadDone {
        lake,
        summary,
        sources_left_out,
    })
}

/// What rows may take while they wait, of all the memory that a run may take: the rest is for texts
/// being read, rows being encoded, and the keys of events.
fn waiting_bytes(memory_limit_bytes: Option<usize>) -> usize {
    memory_limit_bytes.map_or(lake::DEFAULT_WAITING_BYTES, |limit| {
        (limit / 4).clamp(LEAST_WAITING_BYTES, lake::DEFAULT_WAITING_BYTES)
    })
}

/// Less than this would make row groups of a few thousand rows.
const LEAST_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// The named lists, else `spoor.toml` in the lake's folder or beside it, else in the working directory,
/// else none; and the file they are from.
///
/// # Errors
///
/// Where the file cannot be read or is malformed.
pub fn lists_in_force(
    named: Option<&Path>,
    lake: Option<&Path>,
) -> Result<(Lists, Option<PathBuf>)> {
    if let Some(path) = named {
        return Ok((Lists::read(path)?, Some(path.to_owned())));
    }
    let candidates = [
        lake.map(|root| root.join(LISTS_FILE)),
        lake.and_then(Path::parent)
            .map(|folder| folder.join(LISTS_FILE)),
        Some(PathBuf::from(LISTS_FILE)),
    ];
    match candidates.into_iter().flatten().find(|path| path.is_file()) {
        Some(path) => Ok((Lists::read(&path)?, Some(path))),
        None => Ok((Lists::default(), None)),
    }
}

fn scratch_folder() -> Result<TempDir, FileError> {
    tempfile::Builder::new()
        .prefix("spoor-")
        .tempdir()
        .map_err(FileError::at("create", std::env::temp_dir()))
}
