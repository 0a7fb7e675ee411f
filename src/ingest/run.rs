//! One run: sources in, three commits out.
//!
//! Sources are decoded side by side and taken in their order, so that the lake does not depend on
//! chance. `events` is committed first, then `rejects`, then `sources`: a source counts as read only
//! when everything of it is in the lake. A run that ends anywhere in between is made good by the
//! next one, which finds its events by key, source and position and counts them as written.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{BooleanArray, RecordBatch, StringArray};
use arrow::compute::{concat_batches, filter_record_batch};
use futures::{Stream, StreamExt};

use super::decode::{
    Decoded, EventKey, Reject, SourceKind, decode, is_gzip, looks_like_json, sha256,
};
use super::discover::{STDIN, Source};
use super::known::{Known, KnownSources, Verdict, read_rejects};
use super::ledger;
use super::order::sort_group;
use super::rows::RowBuilder;
use crate::error::{Cause, IngestError, LakeError, Result};
use crate::lake::{EVENT_ROW_GROUP_ROWS, Lake, LakeLock, TableWriter};
use crate::schema::{CONFLICTING, DATE_PARTITION, Table};

/// Small sources are decoded together up to this many stored bytes or this many sources, so that a
/// batch of rows is worth its overhead.
const UNIT_BYTES: u64 = 4 * 1024 * 1024;
const UNIT_SOURCES: usize = 256;

/// Rows that wait for their day's row group to fill take up to this many bytes; then the biggest day
/// is written as it is.
const WAITING_BYTES: usize = 256 * 1024 * 1024;

/// What a run needs to know beside its sources.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Names the run in `sources` and `rejects`.
    pub ingest_id: String,
    /// When the run began, in microseconds since 1970.
    pub ingest_time: i64,
    /// Sources decoded side by side.
    pub parallelism: usize,
}

/// Hears how a run goes on. Every method may be called often; none should wait.
pub trait Progress: Send + Sync {
    /// The run knows what lies before it.
    fn begin(&self, n_sources: u64, n_bytes: u64);
    /// A source is done: its stored bytes, and records so far.
    fn advance(&self, n_bytes: u64, n_records: u64);
    /// Something was rejected.
    fn reject(&self, uri: &str, reject: &Reject);
    /// Another process writes to the lake; the run waits for it.
    fn waiting(&self);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: u64, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
    fn reject(&self, _: &str, _: &Reject) {}
    fn waiting(&self) {}
}

/// The totals of a run. `records_read = rows_written + duplicates + rejected`, always.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Sources named, of every kind.
    pub sources: u64,
    /// Of them, read by an earlier run.
    pub sources_skipped: u64,
    /// Of them, digest files and others that hold no events.
    pub sources_listed: u64,
    /// Of them, with something rejected.
    pub sources_rejected: u64,
    /// Stored bytes read.
    pub stored_bytes: u64,
    /// Unpacked bytes read.
    pub json_bytes: u64,
    pub records_read: u64,
    pub rows_written: u64,
    pub duplicates: u64,
    pub rejected: u64,
    /// Of the rows written, those whose key was there with other content.
    pub conflicting: u64,
    pub elapsed: Duration,
}

/// A source's line in `sources`.
#[derive(Debug, Clone)]
pub(super) struct SourceRecord {
    pub(super) uri: String,
    pub(super) size_bytes: u64,
    pub(super) decoded: Decoded,
    pub(super) rows_written: u64,
    pub(super) duplicates: u64,
}

impl SourceRecord {
    fn rejected(&self) -> u64 {
        self.decoded.rejects.len() as u64
    }

    /// The word in `sources.status`.
    pub(super) fn status(&self) -> &'static str {
        let taken = self.rows_written + self.duplicates;
        match self.decoded.kind {
            SourceKind::Digest if self.rejected() == 0 => "listed",
            SourceKind::Unknown if self.rejected() == 0 && taken == 0 => "listed",
            _ if self.rejected() == 0 => "ok",
            _ if taken > 0 => "partial",
            _ => "rejected",
        }
    }

    fn check(&self) -> Result<(), IngestError> {
        let sum = self.rows_written + self.duplicates + self.rejected();
        if self.decoded.records_read == sum {
            return Ok(());
        }
        Err(IngestError::Totals {
            source_uri: self.uri.clone(),
            read: self.decoded.records_read,
            written: self.rows_written,
            duplicate: self.duplicates,
            rejected: self.rejected(),
        })
    }
}

/// What one decoding task gives: some sources, and one batch with the rows of all of them.
struct Unit {
    sources: Vec<UnitSource>,
    /// Parallel to the rows of `batch`.
    keys: Vec<EventKey>,
    batch: RecordBatch,
}

struct UnitSource {
    uri: String,
    size_bytes: u64,
    /// `None`: read by an earlier run.
    decoded: Option<Decoded>,
    /// How many rows of the unit's batch are its own.
    n_rows: usize,
}

/// Reads `sources` into the lake. Setting `stop` ends the run early; then, as after any error,
/// nothing of it becomes visible.
///
/// # Errors
///
/// Where the lake cannot be read or written, and [`IngestError::Interrupted`]. Broken sources and
/// records are no errors.
pub async fn ingest(
    lake: &Lake,
    sources: Vec<Source>,
    options: &IngestOptions,
    progress: Arc<dyn Progress>,
    stop: Arc<AtomicBool>,
) -> Result<Summary> {
    let started = Instant::now();
    let _lock = wait_for_lock(lake, progress.as_ref(), &stop).await?;
    let n_bytes = sources.iter().map(|source| source.size_bytes).sum();
    progress.begin(sources.len() as u64, n_bytes);
    let known_sources = Arc::new(KnownSources::read(lake).await?);
    let mut taker = Taker {
        known: Known::open(lake, Arc::clone(&known_sources)).await?,
        writer: lake.writer(Table::Events).await?,
        waiting: BTreeMap::new(),
        waiting_bytes: 0,
        records: Vec::new(),
        summary: Summary {
            sources: sources.len() as u64,
            ..Summary::default()
        },
    };
    let units = units(sources);
    let units = read_units(units, options.parallelism, &known_sources, &stop);
    let taken = tokio::select! {
        taken = take_all(&mut taker, units, progress.as_ref()) => taken,
        () = asked_to_stop(&stop) => Err(IngestError::Interrupted.into()),
    };
    if let Err(error) = taken {
        taker.writer.abandon().await;
        return Err(error);
    }
    // What was unreadable before and still is has its line.
    taker
        .records
        .retain(|record| !known_sources.contains(&record.uri, &record.decoded.sha256));
    let mut summary = taker.publish(lake, options).await?;
    summary.elapsed = started.elapsed();
    Ok(summary)
}

/// How often a run that waits looks whether it was asked to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// Ends when `stop` is set.
async fn asked_to_stop(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_INTERVAL).await;
    }
}

async fn wait_for_lock(
    lake: &Lake,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<LakeLock> {
    if let Some(lock) = lake.try_lock()? {
        return Ok(lock);
    }
    progress.waiting();
    loop {
        tokio::time::sleep(STOP_INTERVAL).await;
        if stop.load(Ordering::Relaxed) {
            return Err(IngestError::Interrupted.into());
        }
        if let Some(lock) = lake.try_lock()? {
            return Ok(lock);
        }
    }
}

/// Decodes units side by side and gives them in their order.
fn read_units(
    units: Vec<Vec<Source>>,
    parallelism: usize,
    known: &Arc<KnownSources>,
    stop: &Arc<AtomicBool>,
) -> impl Stream<Item = Result<Unit>> {
    let (known, stop) = (Arc::clone(known), Arc::clone(stop));
    futures::stream::iter(units)
        .map(move |sources| {
            let (known, stop) = (Arc::clone(&known), Arc::clone(&stop));
            tokio::task::spawn_blocking(move || read_unit(sources, &known, &stop))
        })
        .buffered(parallelism.max(1) + 1)
        .map(|unit| unit.map_err(|error| defect(error.into()))?)
}

async fn take_all(
    taker: &mut Taker,
    units: impl Stream<Item = Result<Unit>>,
    progress: &dyn Progress,
) -> Result<()> {
    let mut units = std::pin::pin!(units);
    while let Some(unit) = units.next().await {
        taker.take(unit?, progress).await?;
    }
    taker.flush_all().await
}

fn units(sources: Vec<Source>) -> Vec<Vec<Source>> {
    let mut units: Vec<Vec<Source>> = Vec::new();
    let mut bytes = u64::MAX;
    for source in sources {
        let size = source.size_bytes;
        match units.last_mut() {
            Some(unit) if bytes.saturating_add(size) <= UNIT_BYTES && unit.len() < UNIT_SOURCES => {
                bytes += size;
                unit.push(source);
            }
            _ => {
                bytes = size;
                units.push(vec![source]);
            }
        }
    }
    units
}

fn read_unit(sources: Vec<Source>, known: &KnownSources, stop: &AtomicBool) -> Result<Unit> {
    let mut rows = RowBuilder::default();
    let mut keys = Vec::new();
    let mut done = Vec::with_capacity(sources.len());
    for source in sources {
        if stop.load(Ordering::Relaxed) {
            return Err(IngestError::Interrupted.into());
        }
        let before = rows.len();
        let (size_bytes, decoded) = read_source(&source, known, &mut rows, &mut keys)?;
        done.push(UnitSource {
            uri: source.uri,
            size_bytes,
            decoded,
            n_rows: rows.len() - before,
        });
    }
    Ok(Unit {
        sources: done,
        keys,
        batch: rows.finish().map_err(|error| defect(error.into()))?,
    })
}

/// The stored bytes of a source and what is in them; `None` if an earlier run has read it.
fn read_source(
    source: &Source,
    known: &KnownSources,
    rows: &mut RowBuilder,
    keys: &mut Vec<EventKey>,
) -> Result<(u64, Option<Decoded>)> {
    let read = match &source.problem {
        Some(problem) => Err(problem.clone()),
        None => read_bytes(source).map_err(|error| error.to_string()),
    };
    let stored = match read {
        Ok(stored) => stored,
        Err(problem) => return Ok((source.size_bytes, Some(unreadable(problem)))),
    };
    let size = stored.len() as u64;
    let hash = sha256(&stored);
    if known.contains(&source.uri, &hash) {
        return Ok((size, None));
    }
    if !source.named_as_log && !is_gzip(&stored) && !looks_like_json(&stored) {
        let listed = Decoded {
            kind: SourceKind::Unknown,
            sha256: hash,
            json_bytes: 0,
            records_read: 0,
            rejects: Vec::new(),
        };
        return Ok((size, Some(listed)));
    }
    let decoded = decode(&source.uri, &stored, source.kind, rows, keys)
        .map_err(|error| defect(error.into()))?;
    Ok((size, Some(decoded)))
}

fn read_bytes(source: &Source) -> io::Result<Vec<u8>> {
    if source.uri != STDIN {
        return fs::read(&source.path);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A source that the system does not let us read is one reject.
fn unreadable(detail: String) -> Decoded {
    Decoded {
        kind: SourceKind::Unknown,
        sha256: String::new(),
        json_bytes: 0,
        records_read: 1,
        rejects: vec![Reject {
            record_index: 0,
            byte_offset: 0,
            reason: "unreadable",
            detail,
            raw: Vec::new(),
            raw_bytes: 0,
        }],
    }
}

/// Rows of one day that wait for a full row group.
#[derive(Default)]
struct Waiting {
    batches: Vec<RecordBatch>,
    n_rows: usize,
    n_bytes: usize,
}

/// Takes units in order: drops duplicates, sorts rows into days, writes full row groups.
struct Taker {
    known: Known,
    writer: TableWriter,
    waiting: BTreeMap<Option<String>, Waiting>,
    waiting_bytes: usize,
    records: Vec<SourceRecord>,
    summary: Summary,
}

impl Taker {
    async fn take(&mut self, unit: Unit, progress: &dyn Progress) -> Result<()> {
        let days: HashSet<Option<i64>> = unit.keys.iter().map(|key| key.day).collect();
        for day in days {
            self.known.load(day)?;
        }
        let mut keep = Vec::with_capacity(unit.keys.len());
        let mut conflicting = Vec::with_capacity(unit.keys.len());
        let mut keys = unit.keys.iter();
        for source in unit.sources {
            let Some(decoded) = source.decoded else {
                self.summary.sources_skipped += 1;
                progress.advance(source.size_bytes, self.summary.records_read);
                continue;
            };
            let mut record = SourceRecord {
                uri: source.uri,
                size_bytes: source.size_bytes,
                decoded,
                rows_written: 0,
                duplicates: 0,
            };
            for key in keys.by_ref().take(source.n_rows) {
                let verdict = self.known.judge(key, &record.uri);
                match verdict {
                    Verdict::Duplicate => record.duplicates += 1,
                    Verdict::New | Verdict::Conflicting | Verdict::Recovered => {
                        record.rows_written += 1;
                    }
                }
                keep.push(matches!(verdict, Verdict::New | Verdict::Conflicting));
                conflicting.push(verdict == Verdict::Conflicting);
            }
            self.book(record, progress)?;
        }
        self.summary.conflicting += conflicting.iter().filter(|flag| **flag).count() as u64;
        let rows = select(&unit.batch, keep, conflicting).map_err(|error| defect(error.into()))?;
        self.wait(rows).await
    }

    fn book(&mut self, record: SourceRecord, progress: &dyn Progress) -> Result<()> {
        record.check()?;
        let summary = &mut self.summary;
        summary.sources_listed += u64::from(record.status() == "listed");
        summary.sources_rejected += u64::from(record.rejected() > 0);
        summary.stored_bytes += record.size_bytes;
        summary.json_bytes += record.decoded.json_bytes;
        summary.records_read += record.decoded.records_read;
        summary.rows_written += record.rows_written;
        summary.duplicates += record.duplicates;
        summary.rejected += record.rejected();
        for reject in &record.decoded.rejects {
            progress.reject(&record.uri, reject);
        }
        progress.advance(record.size_bytes, summary.records_read);
        self.records.push(record);
        Ok(())
    }

    async fn wait(&mut self, rows: RecordBatch) -> Result<()> {
        for (date, batch) in split_by_date(&rows).map_err(|error| defect(error.into()))? {
            let waiting = self.waiting.entry(date.clone()).or_default();
            let n_bytes = batch.get_array_memory_size();
            waiting.n_rows += batch.num_rows();
            waiting.n_bytes += n_bytes;
            waiting.batches.push(batch);
            self.waiting_bytes += n_bytes;
            if waiting.n_rows >= EVENT_ROW_GROUP_ROWS {
                self.flush(&date).await?;
            }
        }
        while self.waiting_bytes > WAITING_BYTES {
            let biggest = self
                .waiting
                .iter()
                .max_by_key(|(_, waiting)| waiting.n_bytes)
                .map(|(date, _)| date.clone());
            match biggest {
                Some(date) => self.flush(&date).await?,
                None => break,
            }
        }
        Ok(())
    }

    async fn flush_all(&mut self) -> Result<()> {
        while let Some(date) = self.waiting.keys().next().cloned() {
            self.flush(&date).await?;
        }
        Ok(())
    }

    /// Writes what waits of a day, in sorted row groups.
    async fn flush(&mut self, date: &Option<String>) -> Result<()> {
        let Some(waiting) = self.waiting.remove(date) else {
            return Ok(());
        };
        self.waiting_bytes -= waiting.n_bytes;
        let groups = tokio::task::spawn_blocking(move || {
            let rows = concat_batches(&Table::Events.arrow_schema(), &waiting.batches)?;
            drop(waiting);
            (0..rows.num_rows())
                .step_by(EVENT_ROW_GROUP_ROWS)
                .map(|from| {
                    let length = EVENT_ROW_GROUP_ROWS.min(rows.num_rows() - from);
                    sort_group(&rows.slice(from, length))
                })
                .collect::<Result<Vec<_>, _>>()
        })
        .await
        .map_err(|error| defect(error.into()))?
        .map_err(|error| defect(error.into()))?;
        for group in groups {
            self.writer.write(&group).await?;
        }
        Ok(())
    }

    /// Makes the run visible, table by table.
    async fn publish(self, lake: &Lake, options: &IngestOptions) -> Result<Summary> {
        let pending = self.writer.finish().await?;
        lake.commit(pending).await?;
        let known = read_rejects(lake).await?;
        for (table, batch) in [
            (
                Table::Rejects,
                ledger::rejects(&self.records, &known, options),
            ),
            (Table::Sources, ledger::sources(&self.records, options)),
        ] {
            let batch = batch.map_err(|error| defect(error.into()))?;
            if batch.num_rows() == 0 {
                continue;
            }
            let mut writer = lake.writer(table).await?;
            writer.write(&batch).await?;
            lake.commit(writer.finish().await?).await?;
        }
        Ok(self.summary)
    }
}

/// The rows to keep, with their flags.
fn select(
    batch: &RecordBatch,
    keep: Vec<bool>,
    conflicting: Vec<bool>,
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut columns = batch.columns().to_vec();
    columns[batch.schema().index_of(CONFLICTING)?] = Arc::new(BooleanArray::from(conflicting));
    let batch = RecordBatch::try_new(batch.schema(), columns)?;
    if keep.iter().all(|keep| *keep) {
        return Ok(batch);
    }
    filter_record_batch(&batch, &BooleanArray::from(keep))
}

fn split_by_date(
    rows: &RecordBatch,
) -> Result<Vec<(Option<String>, RecordBatch)>, arrow::error::ArrowError> {
    if rows.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let index = rows.schema().index_of(DATE_PARTITION)?;
    let Some(dates) = rows.column(index).as_any().downcast_ref::<StringArray>() else {
        return Ok(vec![(None, rows.clone())]);
    };
    let distinct: std::collections::BTreeSet<Option<&str>> = dates.iter().collect();
    if let [date] = distinct.iter().collect::<Vec<_>>()[..] {
        return Ok(vec![(date.map(str::to_owned), rows.clone())]);
    }
    distinct
        .into_iter()
        .map(|date| {
            let mask: BooleanArray = dates.iter().map(|value| Some(value == date)).collect();
            Ok((date.map(str::to_owned), filter_record_batch(rows, &mask)?))
        })
        .collect()
}

/// What can only go wrong through a defect of the program, or for want of memory.
fn defect(source: Cause) -> LakeError {
    LakeError::Table {
        action: "build rows for",
        table: Table::Events.name(),
        source,
    }
}
