//! One run: sources in, three commits out.
//!
//! Sources are decoded side by side and taken in their order, so that the lake does not depend on
//! chance. `events` is committed first, then `rejects`, then `sources`: a source counts as read only
//! when everything of it is in the lake. A run that ends anywhere in between is made good by the
//! next one, which finds its events by key, source and position and counts them as written.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;

use super::container::Limits;
use super::decode::{EventKey, SourceKind};
use super::discover::Source;
use super::known::{Known, KnownSources, Verdict};
use super::ledger;
use super::read::{Part, PartOfSource, Shared, defect, read};
use super::rejects::Rejects;
use super::select::Selection;
use super::summary::{Progress, SourceRecord, Summary};
use super::twins;
use crate::error::{IngestError, Result};
use crate::lake::{Lake, LakeLock, TableWriter};
use crate::schema::{CONFLICTING, SOURCE_INDEX, Table};

/// Small sources are read together up to this many stored bytes or this many sources, so that a
/// batch of rows is worth its overhead.
const UNIT_BYTES: u64 = 512 * 1024;
const UNIT_SOURCES: usize = 256;

/// Reasons that lie with the machine or with the limits of a run, and not with the source: it is
/// read again by the next run, so it has no hash in `sources`.
const PASSING_REASONS: [&str; 4] = ["unreadable", "bomb", "too-large", "too-many-members"];

/// What a run needs to know beside its sources.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Names the run in `sources` and `rejects`.
    pub ingest_id: String,
    /// When the run began, in microseconds since 1970.
    pub ingest_time: i64,
    /// Sources decoded side by side.
    pub parallelism: usize,
    /// What of the sources is taken in.
    pub selection: Selection,
    /// What a source may unpack to.
    pub limits: Limits,
    /// Bytes of rows that wait to be sorted and encoded.
    pub waiting_bytes: usize,
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
    let known = Arc::new(KnownSources::read(lake).await?);
    let shared = Arc::new(Shared {
        known: Arc::clone(&known),
        selection: options.selection.clone(),
        limits: options.limits,
        stop: Arc::clone(&stop),
        room: Mutex::default(),
    });
    let writer = lake.bounded_writer(Table::Events, options.waiting_bytes);
    let mut taker = Taker {
        known: Known::open(lake, Arc::clone(&known)).await?,
        writer: writer.await?,
        rejects: Rejects::open(lake).await?,
        begun: None,
        records: Vec::new(),
        summary: Summary::default(),
    };
    let taken = tokio::select! {
        taken = take_all(&mut taker, sources, options, &shared, progress.as_ref()) => taken,
        () = asked_to_stop(&stop) => Err(IngestError::Interrupted.into()),
    };
    if let Err(error) = taken {
        taker.writer.abandon().await;
        return Err(error);
    }
    // What was unreadable before and still is has its line.
    taker.records.retain(|record| {
        let is_archive = record.decoded.kind == SourceKind::Archive;
        !known.has_line(&record.uri, &record.sha256, is_archive)
    });
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

/// Reads units side by side and takes their parts in order.
async fn take_all(
    taker: &mut Taker,
    sources: Vec<Source>,
    options: &IngestOptions,
    shared: &Arc<Shared>,
    progress: &dyn Progress,
) -> Result<()> {
    let mut units = units(sources).into_iter();
    let mut reading = VecDeque::new();
    loop {
        while reading.len() <= options.parallelism
            && let Some(unit) = units.next()
        {
            reading.push_back(read(unit, shared));
        }
        let Some(mut parts) = reading.pop_front() else {
            return Ok(());
        };
        while let Some(part) = parts.recv().await {
            taker.take(part.await.map_err(defect)??, progress).await?;
            taker.rejects.make_room(options).await?;
        }
    }
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

/// Takes parts in order: drops duplicates, hands the rest to the lake.
struct Taker {
    known: Known,
    writer: TableWriter,
    rejects: Rejects,
    /// A source of which parts are still to come.
    begun: Option<SourceRecord>,
    records: Vec<SourceRecord>,
    summary: Summary,
}

impl Taker {
    async fn take(&mut self, part: Part, progress: &dyn Progress) -> Result<()> {
        let mut judged = Judged::default();
        let mut keys = part.keys.iter();
        for source in part.sources {
            let is_last = source.is_last;
            let Some(record) = self.record_of(source, &mut keys, &mut judged, progress)? else {
                self.summary.sources += 1;
                self.summary.sources_skipped += 1;
                continue;
            };
            if is_last {
                self.book(record, progress)?;
            } else {
                self.begun = Some(record);
            }
        }
        self.summary.conflicting += judged.n_conflicting();
        let (batch, keep) = judged.apply(part.batch).map_err(defect)?;
        self.writer.write_rows(batch, keep).await
    }

    /// What is known of a source with this part of it; `None` where an earlier run has read it.
    fn record_of<'k>(
        &mut self,
        source: PartOfSource,
        keys: &mut impl Iterator<Item = &'k EventKey>,
        judged: &mut Judged,
        progress: &dyn Progress,
    ) -> Result<Option<SourceRecord>> {
        let Some(mut decoded) = source.decoded else {
            return Ok(None);
        };
        let rejects = std::mem::take(&mut decoded.rejects);
        let begun = self.begun.take();
        let (mut record, base) = match begun {
            Some(mut record) => {
                let base = record.decoded.position();
                record.decoded.append(decoded);
                (record, base)
            }
            None => {
                let record = SourceRecord {
                    uri: source.uri,
                    size_bytes: source.size_bytes,
                    sha256: source.sha256,
                    container: source.container,
                    decoded,
                    rows_written: 0,
                    duplicates: 0,
                    rejected: 0,
                    may_change: false,
                    error: None,
                };
                (record, 0)
            }
        };
        for mut reject in rejects {
            reject.record_index += base;
            record.rejected += 1;
            record.may_change |= PASSING_REASONS.contains(&reject.reason);
            record
                .error
                .get_or_insert_with(|| ledger::describe(&reject));
            progress.reject(&record.uri, &reject);
            self.rejects.add(&record.uri, &record.sha256, reject);
        }
        let uri = self.known.source_number(&record.uri);
        for key in keys.take(source.n_rows) {
            let key = EventKey {
                record_index: base + key.record_index,
                ..*key
            };
            let verdict = self.known.judge(&key, uri)?;
            match verdict {
                Verdict::Duplicate => record.duplicates += 1,
                Verdict::New | Verdict::Conflicting | Verdict::Recovered => {
                    record.rows_written += 1;
                }
            }
            judged.add(verdict, base);
        }
        Ok(Some(record))
    }

    fn book(&mut self, mut record: SourceRecord, progress: &dyn Progress) -> Result<()> {
        record.check()?;
        if record.may_change {
            record.sha256.clear();
        }
        self.summary.sources += 1;
        self.summary.add(&record);
        progress.advance(record.size_bytes, self.summary.records_read);
        self.records.push(record);
        Ok(())
    }

    /// Makes the run visible, table by table.
    async fn publish(mut self, lake: &Lake, options: &IngestOptions) -> Result<Summary> {
        let pending = self.writer.finish().await?;
        lake.commit(pending).await?;
        self.summary.conflicting += twins::flag(lake, self.known.unflagged_twins()).await?;
        self.rejects.publish(lake, options).await?;
        let sources = ledger::sources(&self.records, options).map_err(defect)?;
        let mut writer = lake.writer(Table::Sources).await?;
        writer.write(sources).await?;
        lake.commit(writer.finish().await?).await?;
        Ok(self.summary)
    }
}

/// What was decided on the rows of a part.
#[derive(Default)]
struct Judged {
    keep: Vec<u32>,
    conflicting: Vec<bool>,
    /// What is to be added to each row's position in its source.
    bases: Vec<i64>,
}

impl Judged {
    fn add(&mut self, verdict: Verdict, base: u64) {
        if matches!(verdict, Verdict::New | Verdict::Conflicting) {
            self.keep
                .push(u32::try_from(self.bases.len()).unwrap_or(u32::MAX));
        }
        self.conflicting.push(verdict == Verdict::Conflicting);
        self.bases.push(base.cast_signed());
    }

    fn n_conflicting(&self) -> u64 {
        self.conflicting.iter().filter(|flag| **flag).count() as u64
    }

    /// The batch with flags and positions set right, and the rows of it to write.
    fn apply(self, batch: RecordBatch) -> Result<(RecordBatch, Vec<u32>), ArrowError> {
        let Self {
            keep,
            conflicting,
            bases,
        } = self;
        let schema = batch.schema();
        let mut columns = batch.columns().to_vec();
        columns[schema.index_of(CONFLICTING)?] = Arc::new(BooleanArray::from(conflicting));
        if bases.iter().any(|base| *base > 0) {
            let index = schema.index_of(SOURCE_INDEX)?;
            let within = columns[index].as_primitive::<Int64Type>();
            let shifted = within
                .values()
                .iter()
                .zip(&bases)
                .map(|(at, base)| at + base);
            columns[index] = Arc::new(Int64Array::from_iter_values(shifted));
        }
        Ok((RecordBatch::try_new(schema, columns)?, keep))
    }
}
