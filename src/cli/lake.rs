//! `spoor lake`: what a lake holds, what was done to it, what could not be read; and its upkeep.

mod upkeep;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, AsArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array,
};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::output::Target;
use super::rows::{RowsOut, unencoded};
use super::select::SelectionFlags;
use super::{Outcome, Shared};
use crate::app::{self, Case, Fact};
use crate::engine::{Param, Params, Rows};
use crate::error::{QueryError, ReportError, Result};
use crate::lake::{Commit, Lake};
use crate::report::rows::Format;
use crate::report::safe;
use crate::util::Span;

/// See what a lake holds and what was done to it, and keep it in shape.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  spoor lake info --lake case.lake
  spoor lake history --format csv -o history.csv
  spoor lake rejects --reason invalid-json
  spoor lake rejects --source broken.json.gz --index 7 --raw -o record.bin
  spoor lake compact
  spoor lake vacuum --older-than 30d --dry-run")]
pub(super) struct LakeCommands {
    #[command(subcommand)]
    command: LakeCommand,
}

#[derive(Debug, Subcommand)]
enum LakeCommand {
    /// Figures: events, days, accounts, regions, sources, rejects, files
    Info {
        #[command(flatten)]
        out: RowsOut,
    },
    /// Every commit of the lake's tables, by time
    History {
        #[command(flatten)]
        out: RowsOut,
    },
    /// What could not be read: where, why, and its bytes
    Rejects {
        #[command(flatten)]
        chosen: Chosen,
        /// The bytes of the one reject that the other flags choose
        #[arg(long, conflicts_with = "format")]
        raw: bool,
        #[command(flatten)]
        out: RowsOut,
    },
    /// Join the small files that many runs leave into few large ones
    ///
    /// The rows stay as they are, and whoever reads goes on reading the old files, which stay until
    /// `vacuum`. Ended anywhere, the lake is as it was.
    Compact {
        #[command(flatten)]
        out: RowsOut,
    },
    /// Remove files that the lake no longer needs
    ///
    /// Those that `compact` replaced, and those that killed runs left, once they are older than
    /// `--older-than`. A shell that was opened before may still read a replaced file, so less than a
    /// day needs `--force`.
    Vacuum {
        /// Leave what was replaced or written within this span (`12h`, `30d`)
        #[arg(long, value_name = "SPAN", default_value = "7d")]
        older_than: Span,
        /// Allow less than a day
        #[arg(long)]
        force: bool,
        /// Remove nothing and list what would be removed
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        out: RowsOut,
    },
}

/// Less than this may be in use by a reader that is still open.
const LEAST_RETENTION_SECONDS: i64 = 86_400;

/// What is shown of a reject; its bytes are for `--raw`.
const REJECT_COLUMNS: &str = "uri, record_index, byte_offset, reason, detail, raw_bytes, ingest_id";

/// Which rejects.
#[derive(Debug, Args)]
struct Chosen {
    /// Only these reason codes
    #[arg(long, value_name = "CODE")]
    reason: Vec<String>,
    /// Only of this source: its address, or the end of its path
    #[arg(long, value_name = "PATH")]
    source: Option<String>,
    /// Only the record at this position of its source, from 0
    #[arg(long, value_name = "N")]
    index: Option<u32>,
}

impl LakeCommands {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        match &self.command {
            LakeCommand::Info { out } => info(&open(shared).await?, out, shared).await,
            LakeCommand::History { out } => history(&shared.lake()?, out, shared),
            LakeCommand::Rejects { chosen, raw, out } => {
                let case = open(shared).await?;
                if *raw {
                    let rows = chosen.query(&case, "raw", "LIMIT 2").await?;
                    write_raw(rows, &out.target).await
                } else {
                    let rows = chosen.query(&case, REJECT_COLUMNS, "").await?;
                    out.write_rows(rows, shared).await
                }
            }
            LakeCommand::Compact { out } => upkeep::compact(shared.lake()?, out, shared).await,
            LakeCommand::Vacuum {
                older_than,
                force,
                dry_run,
                out,
            } => {
                if older_than.seconds() < LEAST_RETENTION_SECONDS && !force && !dry_run {
                    let message = "what was in use within the last day may be in use still";
                    return Err(QueryError::new(message)
                        .with_hint("close all shells over this lake and add `--force`")
                        .into());
                }
                let retention = Duration::from_secs(older_than.seconds().unsigned_abs());
                upkeep::vacuum(shared.lake()?, retention, *dry_run, out, shared).await
            }
        }?;
        Ok(Outcome::Done)
    }
}

async fn open(shared: &Shared) -> Result<Case> {
    shared.open_case(&[], &SelectionFlags::default()).await
}

async fn info(case: &Case, out: &RowsOut, shared: &Shared) -> Result<()> {
    let facts = app::overview(&case.lake, &case.engine).await?;
    if out.chosen_format()? == Format::Json {
        let mut target = out.target.open()?;
        let text =
            serde_json::to_string_pretty(&nested(facts)).map_err(|error| ReportError::Encode {
                format: "json",
                source: error.into(),
            })?;
        writeln!(target, "{text}").map_err(ReportError::Write)?;
        return target.finish();
    }
    let column = |of: &dyn Fn(&Fact) -> String| -> ArrayRef {
        let values = facts.iter().map(|fact| Some(of(fact)));
        Arc::new(values.collect::<StringArray>())
    };
    let batch = RecordBatch::try_from_iter([
        ("part", column(&|fact| fact.part.to_owned())),
        ("name", column(&|fact| fact.name.clone())),
        ("value", column(&|fact| plain(&fact.value))),
    ]);
    out.write_batch(&batch.map_err(unencoded)?, shared)
}

/// One object with an object for each part.
fn nested(facts: Vec<Fact>) -> Map<String, Value> {
    let mut parts = Map::new();
    for fact in facts {
        let part = parts.entry(fact.part.replace(' ', "_"));
        if let Value::Object(part) = part.or_insert_with(|| Value::Object(Map::new())) {
            part.insert(fact.name, fact.value);
        }
    }
    parts
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn history(lake: &Lake, out: &RowsOut, shared: &Shared) -> Result<()> {
    let commits = lake.history()?;
    let text = |of: &dyn Fn(&Commit) -> Option<String>| -> ArrayRef {
        Arc::new(commits.iter().map(of).collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Commit) -> u64| -> ArrayRef {
        Arc::new(commits.iter().map(of).collect::<UInt64Array>())
    };
    let times: TimestampMillisecondArray = commits.iter().map(|commit| commit.time_ms).collect();
    let batch = RecordBatch::try_from_iter_with_nullable([
        (
            "time",
            Arc::new(times.with_timezone("UTC")) as ArrayRef,
            true,
        ),
        (
            "table",
            text(&|commit| Some(commit.table.name().to_owned())),
            false,
        ),
        ("version", number(&|commit| commit.version), false),
        (
            "operation",
            text(&|commit| Some(commit.operation.clone())),
            false,
        ),
        ("run", text(&|commit| commit.run.clone()), true),
        ("files_added", number(&|commit| commit.files_added), false),
        (
            "files_removed",
            number(&|commit| commit.files_removed),
            false,
        ),
        ("rows_added", number(&|commit| commit.rows_added), false),
        ("rows_removed", number(&|commit| commit.rows_removed), false),
        ("bytes_added", number(&|commit| commit.bytes_added), false),
        (
            "bytes_removed",
            number(&|commit| commit.bytes_removed),
            false,
        ),
    ]);
    out.write_batch(&batch.map_err(unencoded)?, shared)
}

impl Chosen {
    async fn query(&self, case: &Case, columns: &str, limit: &str) -> Result<Rows> {
        let mut params = Params::new();
        let mut wheres = vec!["true".to_owned()];
        if !self.reason.is_empty() {
            let names = self.reason.iter().enumerate().map(|(n, reason)| {
                params.insert(format!("reason{n}"), Param::Text(reason.clone()));
                format!("$reason{n}")
            });
            let names: Vec<String> = names.collect();
            wheres.push(format!("reason IN ({})", names.join(", ")));
        }
        if let Some(source) = &self.source {
            params.insert("source".to_owned(), Param::Text(source.clone()));
            wheres.push("(uri = $source OR ends_with(uri, '/' || $source))".to_owned());
        }
        if let Some(index) = self.index {
            params.insert("index".to_owned(), Param::Integer(index.into()));
            wheres.push("record_index = $index".to_owned());
        }
        let sql = format!(
            "SELECT {columns} FROM rejects WHERE {} \
             ORDER BY uri, sha256, record_index, byte_offset {limit}",
            wheres.join(" AND ")
        );
        case.engine.query(&sql, &params).await
    }
}

/// Writes the bytes of the only row; to a terminal without what would control it.
async fn write_raw(rows: Rows, target: &Target) -> Result<()> {
    let batches = rows.collect().await?;
    let n_rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let only = batches.iter().find(|batch| batch.num_rows() > 0);
    let (1, Some(batch)) = (n_rows, only) else {
        let chosen = if n_rows == 0 {
            "none is"
        } else {
            "several are"
        };
        let message = format!("`--raw` is for one reject, and {chosen} chosen");
        return Err(QueryError::new(message)
            .with_hint("choose with `--source PATH`, `--index N` and `--reason CODE`")
            .into());
    };
    let column = batch.column_by_name("raw");
    let bytes = column.and_then(|column| column.as_binary_view_opt());
    let bytes = bytes.map_or(&[][..], |bytes| bytes.value(0));
    let mut out = target.open()?;
    if target.is_terminal() {
        let text = String::from_utf8_lossy(bytes);
        writeln!(out, "{}", safe::lines(&text)).map_err(ReportError::Write)?;
    } else {
        out.write_all(bytes).map_err(ReportError::Write)?;
    }
    out.finish()
}
