//! `spoor ingest`: logs into a lake.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use clap::Args;

use super::interrupt::Interrupt;
use super::progress::Bar;
use super::rows::{RowsOut, unencoded};
use super::select::SelectionFlags;
use super::{Outcome, Shared};
use crate::app::{self, PlannedSource, ReadRequest};
use crate::error::{QueryError, Result};
use crate::ingest::container::Limits;
use crate::util::{ByteSize, human_bytes};

/// Read CloudTrail logs into a lake. What the lake has is not read or written again, so the same
/// command may be run any number of times.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  spoor ingest /evidence/AWSLogs --lake case.lake
  spoor ingest /evidence --from 2023-07-01 --to 2023-07-10 --account 111122223333
  spoor ingest /evidence --from T-7d --exclude '*_CloudTrail-Insight_*' --dry-run")]
pub(super) struct Ingest {
    /// Files, folders with everything below, globs, or `-` for stdin
    #[arg(required = true, value_name = "SRC")]
    sources: Vec<String>,
    #[command(flatten)]
    selection: SelectionFlags,
    /// Read nothing and list what would be read: address, size, and what the name says
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    out: RowsOut,
}

/// What a source may unpack to. Whatever goes over is a reject, and the run goes on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Most bytes that one text may unpack to [default: 64 GiB]
    #[arg(long, value_name = "SIZE")]
    max_unpacked: Option<ByteSize>,
    /// Most unpacked bytes for each packed one, judged after some MiB [default: 500]
    #[arg(long, value_name = "N")]
    max_ratio: Option<u64>,
    /// Most members of an archive, archives in it included [default: 2000000]
    #[arg(long, value_name = "N")]
    max_members: Option<u64>,
    /// Most archives and packed files in each other [default: 8]
    #[arg(long, value_name = "N")]
    max_nesting: Option<u32>,
}

impl LimitFlags {
    fn limits(&self) -> Limits {
        let default = Limits::default();
        let bytes = self.max_unpacked.map(|size| size.0);
        Limits {
            expanded_bytes: bytes.unwrap_or(default.expanded_bytes),
            ratio: self.max_ratio.unwrap_or(default.ratio),
            archive_members: self.max_members.unwrap_or(default.archive_members),
            nesting: self.max_nesting.unwrap_or(default.nesting),
            ..default
        }
    }
}

impl Ingest {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let root = shared
            .lake
            .clone()
            .unwrap_or_else(|| PathBuf::from("spoor-lake"));
        let request = ReadRequest {
            sources: self.sources.clone(),
            selection: self.selection.request(),
            limits: self.limits.limits(),
            memory_limit_bytes: shared.memory_limit_bytes(),
        };
        if self.dry_run {
            return self.list(&root, &request, shared).await;
        }
        if self.out.is_asked() {
            let message = "`--format` and `-o` are for the list of `--dry-run`";
            return Err(QueryError::new(message).into());
        }
        let bar = Bar::new(shared.quiet);
        let interrupt = Interrupt::listen();
        let done = app::read_selected(&root, &request, bar.clone(), interrupt.flag()).await;
        bar.close(done.as_ref().ok().map(|done| &done.summary));
        shared.say_left_out(done?.sources_left_out);
        Ok(Outcome::Done)
    }

    async fn list(&self, root: &Path, request: &ReadRequest, shared: &Shared) -> Result<Outcome> {
        let plan = app::plan(root, request).await?;
        self.out.write_batch(&batch(&plan.sources)?, shared)?;
        if !shared.quiet {
            let new = plan.sources.iter().filter(|source| !source.in_lake);
            let (n_new, bytes) = new.fold((0_u64, 0_u64), |(n, bytes), source| {
                (n + 1, bytes.saturating_add(source.size_bytes))
            });
            say!(
                "{} sources would be read, {n_new} of them new to the lake ({})",
                plan.sources.len(),
                human_bytes(bytes)
            );
        }
        shared.say_left_out(plan.left_out);
        Ok(Outcome::Done)
    }
}

fn batch(sources: &[PlannedSource]) -> Result<RecordBatch> {
    let text = |of: &dyn Fn(&PlannedSource) -> Option<String>| -> ArrayRef {
        Arc::new(sources.iter().map(of).collect::<StringArray>())
    };
    let sizes: UInt64Array = sources
        .iter()
        .map(|source| Some(source.size_bytes))
        .collect();
    let known: BooleanArray = sources.iter().map(|source| Some(source.in_lake)).collect();
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("uri", text(&|source| Some(source.uri.clone())), false),
        ("size_bytes", Arc::new(sizes) as ArrayRef, false),
        ("day", text(&|source| source.day.clone()), true),
        ("account", text(&|source| source.account.clone()), true),
        ("region", text(&|source| source.region.clone()), true),
        ("in_lake", Arc::new(known) as ArrayRef, false),
    ]);
    Ok(batch.map_err(unencoded)?)
}
