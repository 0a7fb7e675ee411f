//! `spoor lake`: what a lake holds, what was done to it, and what could not be read.

use std::io::Write;
use std::sync::Arc;

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
use crate::report::rows::Format;
use crate::report::safe;

/// See what a lake holds and what was done to it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  spoor lake info --lake case.lake
  spoor lake history --format csv -o history.csv
  spoor lake rejects --reason invalid-json
  spoor lake rejects --source broken.json.gz --index 7 --raw -o record.bin")]
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
}

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
        let case = shared.open_case(&[], &SelectionFlags::default()).await?;
        match &self.command {
            LakeCommand::Info { out } => info(&case, out, shared).await,
            LakeCommand::History { out } => history(&case, out, shared),
            LakeCommand::Rejects { chosen, raw, out } => {
                let rows = chosen.query(&case).await?;
                if *raw {
                    write_raw(rows, &out.target).await
                } else {
                    out.write_rows(rows, "raw", shared).await
                }
            }
        }?;
        Ok(Outcome::Done)
    }
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

fn history(case: &Case, out: &RowsOut, shared: &Shared) -> Result<()> {
    let commits = case.lake.history()?;
    let text = |of: &dyn Fn(&crate::lake::Commit) -> Option<String>| -> ArrayRef {
        Arc::new(commits.iter().map(of).collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&crate::lake::Commit) -> u64| -> ArrayRef {
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
    async fn query(&self, case: &Case) -> Result<Rows> {
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
            "SELECT uri, record_index, byte_offset, reason, detail, raw_bytes, ingest_id, raw \
             FROM rejects WHERE {} ORDER BY uri, sha256, record_index, byte_offset",
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
        return Err(QueryError::new(format!(
            "`--raw` is for one reject, and {n_rows} are chosen"
        ))
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
