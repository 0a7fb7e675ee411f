//! The writer of `events`: rows of any day in, sorted row groups out, in bounded memory.
//!
//! Batches stay as they came, and each day keeps the positions of its rows. A day with enough rows
//! for a row group is encoded on another thread. Where the waiting rows outgrow their bound, the
//! biggest day goes early; if even that is small, all of them are put away in a spill file until the end, so that logs in
//! which hundreds of days alternate still end up in full, sorted row groups.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use deltalake::kernel::Add;
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::errors::ParquetError;
use tokio::task::JoinHandle;

use super::file::{DataFileWriter, write_failed};
use super::group::{Group, Place};
use super::spill::Spill;
use super::writer::EVENT_ROW_GROUP_ROWS;
use crate::error::{Cause, FileError, Result};
use crate::schema::{DATE_PARTITION, Table};

/// A file is closed when it grows over this many bytes.
pub(super) const TARGET_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Files open at the same time; then the one that was longest without rows is closed.
const MAX_OPEN_FILES: usize = 16;

/// Row groups encoded at the same time, and threads on each.
const MAX_ENCODING: usize = 2;
const MAX_ENCODING_THREADS: usize = 4;

/// Where room is needed, the biggest day is written early if it has this many rows.
const MIN_GROUP_ROWS: usize = EVENT_ROW_GROUP_ROWS / 8;

type Day = Option<String>;

/// A batch with rows that wait.
struct Held {
    batch: RecordBatch,
    n_bytes: usize,
    n_waiting: usize,
}

/// A row group on its way through another thread.
struct Encoding {
    day: Day,
    n_rows: usize,
    n_bytes: usize,
    job: JoinHandle<Result<Vec<ArrowColumnChunk>, ParquetError>>,
}

struct OpenFile {
    writer: DataFileWriter,
    last_used: u64,
}

pub(super) struct EventWriter {
    folder: PathBuf,
    max_bytes: usize,
    next_batch: u32,
    held: HashMap<u32, Held>,
    held_bytes: usize,
    waiting: BTreeMap<Day, Vec<Place>>,
    encoding: VecDeque<Encoding>,
    encoding_bytes: usize,
    spill: Option<Spill>,
    open: BTreeMap<Day, OpenFile>,
    clock: u64,
    closed: Vec<Add>,
}

impl EventWriter {
    pub(super) fn new(folder: PathBuf, max_bytes: usize) -> Self {
        Self {
            folder,
            max_bytes,
            next_batch: 0,
            held: HashMap::new(),
            held_bytes: 0,
            waiting: BTreeMap::new(),
            encoding: VecDeque::new(),
            encoding_bytes: 0,
            spill: None,
            open: BTreeMap::new(),
            clock: 0,
            closed: Vec::new(),
        }
    }

    pub(super) async fn write(&mut self, batch: RecordBatch, rows: Vec<u32>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.hold(batch, &rows)?;
        let full: Vec<Day> = self
            .waiting
            .iter()
            .filter(|(_, rows)| rows.len() >= EVENT_ROW_GROUP_ROWS)
            .map(|(day, _)| day.clone())
            .collect();
        for day in full {
            while self.waiting.get(&day).map_or(0, Vec::len) >= EVENT_ROW_GROUP_ROWS {
                self.encode(&day).await?;
            }
        }
        self.make_room().await
    }

    pub(super) async fn finish(mut self) -> Result<Vec<Add>> {
        let spilled = self.spill.iter().flat_map(Spill::days);
        let days: BTreeSet<Day> = self.waiting.keys().chain(spilled).cloned().collect();
        for day in days {
            self.unspill(&day).await?;
            while self.waiting.contains_key(&day) {
                self.encode(&day).await?;
            }
        }
        while !self.encoding.is_empty() {
            self.append_oldest().await?;
        }
        for (_, file) in std::mem::take(&mut self.open) {
            self.closed.push(file.writer.close()?);
        }
        Ok(self.closed)
    }

    pub(super) async fn abandon(mut self) {
        for encoding in self.encoding.drain(..) {
            // Its rows go nowhere; only the thread has to be done with them.
            let _ = encoding.job.await;
        }
        for add in &self.closed {
            // Nothing of it is visible: a file that stays is removed by the next vacuum.
            let _ = std::fs::remove_file(self.folder.join(&add.path));
        }
    }

    /// Takes a batch in, and its rows to their days.
    fn hold(&mut self, batch: RecordBatch, rows: &[u32]) -> Result<()> {
        let number = self.next_batch;
        self.next_batch += 1;
        let words = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let dates = batch
            .schema()
            .index_of(DATE_PARTITION)
            .and_then(|index| cast(batch.column(index), &words))
            .map_err(|error| write_failed(Table::Events, error))?;
        let dates = dates.as_dictionary::<Int32Type>();
        let mut by_key: BTreeMap<Option<usize>, Vec<Place>> = BTreeMap::new();
        for &row in rows {
            let places = by_key.entry(dates.key(row as usize)).or_default();
            places.push((number, row));
        }
        let names = dates.values().as_string::<i32>();
        for (key, places) in by_key {
            let day = key.map(|key| names.value(key).to_owned());
            self.waiting.entry(day).or_default().extend(places);
        }
        let n_bytes = batch.get_array_memory_size();
        self.held_bytes += n_bytes;
        let held = Held {
            n_bytes,
            n_waiting: rows.len(),
            batch,
        };
        self.held.insert(number, held);
        Ok(())
    }

    /// Brings what waits under its bound.
    async fn make_room(&mut self) -> Result<()> {
        while self.held_bytes + self.encoding_bytes > self.max_bytes {
            if !self.encoding.is_empty() {
                self.append_oldest().await?;
                continue;
            }
            let biggest = self.waiting.iter().max_by_key(|(_, rows)| rows.len());
            match biggest {
                Some((day, rows)) if rows.len() >= MIN_GROUP_ROWS => {
                    let day = day.clone();
                    self.encode(&day).await?;
                }
                Some(_) if self.waiting_share() * 2 < self.max_bytes => {
                    self.condense()?;
                    if self.held_bytes > self.max_bytes {
                        self.spill_all()?;
                    }
                }
                Some(_) => self.spill_all()?,
                None => break,
            }
        }
        Ok(())
    }

    /// The bytes that the waiting rows have in the batches that are held for them.
    fn waiting_share(&self) -> usize {
        let share = |held: &Held| held.n_bytes / held.batch.num_rows().max(1) * held.n_waiting;
        self.held.values().map(share).sum()
    }

    /// Copies the waiting rows out of batches of which most rows are gone.
    fn condense(&mut self) -> Result<()> {
        let days: Vec<Day> = self.waiting.keys().cloned().collect();
        for day in days {
            let (group, _) = self.take_group(&day);
            let rows = group
                .gathered()
                .map_err(|error| write_failed(Table::Events, error))?;
            let all: Vec<u32> = (0..u32::try_from(rows.num_rows()).unwrap_or(u32::MAX)).collect();
            self.hold(rows, &all)?;
        }
        Ok(())
    }

    /// Takes up to a row group's rows from those of a day.
    fn take_group(&mut self, day: &Day) -> (Group, usize) {
        let Some(mut places) = self.waiting.remove(day) else {
            let (batches, rows) = (Vec::new(), Vec::new());
            return (Group { batches, rows }, 0);
        };
        if places.len() > EVENT_ROW_GROUP_ROWS {
            let rest = places.split_off(EVENT_ROW_GROUP_ROWS);
            self.waiting.insert(day.clone(), rest);
        }
        let mut position_of: HashMap<u32, u32> = HashMap::new();
        let mut batches = Vec::new();
        let mut n_bytes = 0;
        for (number, _) in &mut places {
            let batch = *number;
            let position = *position_of.entry(batch).or_insert_with(|| {
                if let Some(held) = self.held.get(&batch) {
                    batches.push(held.batch.clone());
                }
                u32::try_from(batches.len() - 1).unwrap_or(u32::MAX)
            });
            *number = position;
            if let Some(held) = self.held.get_mut(&batch) {
                held.n_waiting -= 1;
                if held.n_waiting == 0 {
                    self.held_bytes -= held.n_bytes;
                    n_bytes += held.n_bytes;
                    self.held.remove(&batch);
                }
            }
        }
        let rows = places;
        (Group { batches, rows }, n_bytes)
    }

    /// Sends up to a row group's rows of a day to be encoded.
    async fn encode(&mut self, day: &Day) -> Result<()> {
        while self.encoding.len() >= MAX_ENCODING {
            self.append_oldest().await?;
        }
        let (group, n_bytes) = self.take_group(day);
        let writers = self.file(day).await?.column_writers()?;
        let n_rows = group.rows.len();
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        let n_threads = n_threads.min(MAX_ENCODING_THREADS);
        let job = tokio::task::spawn_blocking(move || group.encode(writers, n_threads));
        self.encoding_bytes += n_bytes;
        self.encoding.push_back(Encoding {
            day: day.clone(),
            n_rows,
            n_bytes,
            job,
        });
        Ok(())
    }

    async fn append_oldest(&mut self) -> Result<()> {
        let Some(oldest) = self.encoding.pop_front() else {
            return Ok(());
        };
        let failed = |error: Cause| write_failed(Table::Events, error);
        let chunks = oldest.job.await.map_err(|error| failed(error.into()))?;
        let chunks = chunks.map_err(|error| failed(error.into()))?;
        self.encoding_bytes -= oldest.n_bytes;
        let file = self.open(&oldest.day)?;
        file.append(chunks, oldest.n_rows)?;
        if file.size_bytes() as u64 > TARGET_FILE_BYTES {
            let still = self.encoding.iter().any(|other| other.day == oldest.day);
            if !still && let Some(full) = self.open.remove(&oldest.day) {
                self.closed.push(full.writer.close()?);
            }
        }
        Ok(())
    }

    /// The file that a day's rows go to, with room made for it among the open ones.
    async fn file(&mut self, day: &Day) -> Result<&mut DataFileWriter> {
        if !self.open.contains_key(day) && self.open.len() >= MAX_OPEN_FILES {
            while !self.encoding.is_empty() {
                self.append_oldest().await?;
            }
            let idle = self.open.iter().min_by_key(|(_, file)| file.last_used);
            if let Some(idle) = idle.map(|(day, _)| day.clone())
                && let Some(file) = self.open.remove(&idle)
            {
                self.closed.push(file.writer.close()?);
            }
        }
        self.open(day)
    }

    fn open(&mut self, day: &Day) -> Result<&mut DataFileWriter> {
        self.clock += 1;
        if !self.open.contains_key(day) {
            let writer = DataFileWriter::create(Table::Events, &self.folder, day.as_deref())?;
            let file = OpenFile {
                writer,
                last_used: 0,
            };
            self.open.insert(day.clone(), file);
        }
        let file = self
            .open
            .get_mut(day)
            .ok_or_else(|| write_failed(Table::Events, "a file that was opened is not there"))?;
        file.last_used = self.clock;
        Ok(&mut file.writer)
    }

    /// Puts all waiting rows away.
    fn spill_all(&mut self) -> Result<()> {
        let failed = |error: Cause| write_failed(Table::Events, error);
        let mut spill = match self.spill.take() {
            Some(spill) => spill,
            // Beside the table's folder, on the same disk: where the system keeps its own temporary
            // files there may be less room.
            None => {
                let lake = self.folder.parent().unwrap_or(&self.folder);
                Spill::create(lake).map_err(FileError::at("create", lake))?
            }
        };
        while let Some(day) = self.waiting.keys().next().cloned() {
            let (group, _) = self.take_group(&day);
            let rows = group.gathered().map_err(|error| failed(error.into()))?;
            spill.add(&day, &rows).map_err(failed)?;
        }
        self.spill = Some(spill);
        Ok(())
    }

    /// Brings a day's rows back, a row group at a time.
    async fn unspill(&mut self, day: &Day) -> Result<()> {
        let failed = |error: Cause| write_failed(Table::Events, error);
        let frames = self.spill.iter().flat_map(|spill| spill.frames(day));
        for frame in frames.collect::<Vec<_>>() {
            let batches = match &mut self.spill {
                Some(spill) => spill.read(frame).map_err(failed)?,
                None => Vec::new(),
            };
            for batch in batches {
                let rows: Vec<u32> =
                    (0..u32::try_from(batch.num_rows()).unwrap_or(u32::MAX)).collect();
                self.hold(batch, &rows)?;
            }
            while self.waiting.get(day).map_or(0, Vec::len) >= EVENT_ROW_GROUP_ROWS {
                self.encode(day).await?;
            }
        }
        Ok(())
    }
}
