//! The one error type of the library, with an enum for each area behind it.
//!
//! Messages are lower case, name the file or value in backticks, and leave the cause to the source
//! chain. Where there is a way out, [`Error::hint`] says it; the command line prints it on a line of
//! its own.

use std::path::PathBuf;

/// What library functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cause whose type stays private to its area.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Anything that can go wrong in spoor.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Ctrl-C, where nothing was to be undone.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// What the user can do about it, if there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(_) => None,
            Self::Config(error) => error.hint(),
            Self::Lake(error) => error.hint(),
            Self::Ingest(error) => error.hint(),
            Self::Query(error) => error.hint.clone(),
            Self::Rule(_) | Self::Report(_) | Self::Interrupted => None,
        }
    }
}

/// A file or folder that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`", path.display())]
pub struct FileError {
    /// What was tried, as a verb: `read`, `create`, `list`.
    pub action: &'static str,
    pub path: PathBuf,
    #[source]
    pub source: std::io::Error,
}

impl FileError {
    /// For `map_err`: names the action and the path of an I/O error.
    pub fn at(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self {
            action,
            path,
            source,
        }
    }
}

/// Settings and lists that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the lists in `{}`", path.display())]
    Lists {
        path: PathBuf,
        #[source]
        source: Cause,
    },
    #[error("`{value}` is not {wanted}")]
    Value { value: String, wanted: &'static str },
}

impl ConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Lists { .. } => Some("the README's part on lists shows an example".to_owned()),
            Self::Value { .. } => None,
        }
    }
}

/// A lake that cannot be opened, read or committed to.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error("no lake at `{}`", path.display())]
    Missing { path: PathBuf },
    #[error("`{}` is not a lake", path.display())]
    NotALake { path: PathBuf },
    #[error("cannot {action} table `{table}` of the lake")]
    Table {
        action: &'static str,
        table: &'static str,
        #[source]
        source: Cause,
    },
    #[error("cannot read `{}` of the lake", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: Cause,
    },
    #[error("the new files of table `{table}` have {after:?} rows, the old ones {before:?}")]
    RowsDiffer {
        table: &'static str,
        before: Option<u64>,
        after: Option<u64>,
    },
    #[error(
        "table `{table}` of the lake has columns that this version does not know: `{}`",
        columns.join("`, `")
    )]
    Newer {
        table: &'static str,
        columns: Vec<String>,
    },
}

impl LakeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some(
                "`spoor ingest SRC… --lake DIR` makes one, or name log files to read directly"
                    .to_owned(),
            ),
            Self::NotALake { .. } => Some(
                "`--lake` takes a folder that `spoor ingest` has made, or a new one".to_owned(),
            ),
            Self::Newer { .. } => Some(
                "a newer spoor wrote this lake: use that one to add to it; reading it works"
                    .to_owned(),
            ),
            Self::Table { .. } | Self::File { .. } | Self::RowsDiffer { .. } => None,
        }
    }
}

/// Sources that cannot be taken in at all. Single broken files and records are data, not errors:
/// they end in the table `rejects`.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("no such file or folder `{}`", path.display())]
    NoSource { path: PathBuf },
    #[error("nothing matches `{pattern}`")]
    NoMatch { pattern: String },
    #[error("`{pattern}` is not a usable glob")]
    Glob {
        pattern: String,
        #[source]
        source: Cause,
    },
    #[error("no CloudTrail files in `{}`", path.display())]
    Empty { path: PathBuf },
    #[error("record {record_index} of `{source_uri}` is no CloudTrail record: {detail}")]
    NotRecords {
        source_uri: String,
        record_index: u64,
        detail: String,
    },
    /// A choice of files and records that cannot be made.
    #[error("{message}")]
    Selection {
        message: String,
        hint: Option<&'static str>,
    },
    #[error("interrupted; nothing of this run was committed")]
    Interrupted,
    #[error(
        "the totals of `{source_uri}` do not add up: {read} read, {written} written, {duplicate} duplicates, {rejected} rejected"
    )]
    Totals {
        source_uri: String,
        read: u64,
        written: u64,
        duplicate: u64,
        rejected: u64,
    },
}

impl IngestError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSource { .. }
            | Self::NoMatch { .. }
            | Self::Glob { .. }
            | Self::NotRecords { .. }
            | Self::Totals { .. } => None,
            Self::Selection { hint, .. } => hint.map(str::to_owned),
            Self::Empty { .. } => Some(
                "the folder and what is below it hold no file; hidden ones are left out".to_owned(),
            ),
            Self::Interrupted => {
                Some("run the same command again: nothing is lost or doubled".to_owned())
            }
        }
    }
}

/// A statement that cannot be planned or run.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Says which construct is wrong and, where known, line and column.
    pub message: String,
    pub hint: Option<String>,
    #[source]
    pub source: Option<Cause>,
}

impl QueryError {
    /// An error with no further cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    /// The same error with a way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A rule, its cases or a recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("rule `{rule}`: {message}")]
pub struct RuleError {
    /// The rule's id, or the path of its file where the id is not known yet.
    pub rule: String,
    pub message: String,
    #[source]
    pub source: Option<Cause>,
}

impl RuleError {
    /// An error with no further cause.
    pub fn new(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            message: message.into(),
            source: None,
        }
    }
}

/// Results that cannot be written out, and talk with the user that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A closed pipe comes as this too: the source says so, and it is no failure.
    #[error("cannot write the output")]
    Write(#[from] std::io::Error),
    #[error("cannot read the input")]
    Read(#[source] std::io::Error),
    #[error("cannot write the result as {format}")]
    Encode {
        format: &'static str,
        #[source]
        source: Cause,
    },
}
