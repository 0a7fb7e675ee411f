//! What the lake holds already: sources that need no second reading, and the keys of events.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::decode::{EventKey, key_hash};
use super::time;
use crate::error::{Cause, FileError, LakeError, Result};
use crate::lake::{DataFile, Lake, Snapshot};
use crate::schema::{CONTENT_HASH, SOURCE_FILE, SOURCE_INDEX, Table};

/// What happens to a record whose key was looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// New, but another record has the same key and other content.
    Conflicting,
    /// The same event was delivered before.
    Duplicate,
    /// This very record was written by a run that ended before it could say so.
    Recovered,
}

/// Where a written event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin {
    content_hash: u64,
    /// The source's number in [`Known::uris`].
    uri: u32,
    record_index: u64,
}

/// The events of the days that a run touches, loaded day by day.
pub struct Known {
    lake: Lake,
    snapshot: Snapshot,
    loaded: HashSet<Option<i64>>,
    /// The first event of each key, and the few that share one.
    events: HashMap<u128, Origin>,
    twins: HashMap<u128, Vec<Origin>>,
    uris: HashMap<String, u32>,
    sources: Arc<KnownSources>,
}

impl Known {
    /// Nothing loaded yet; days come with [`Known::load`].
    ///
    /// # Errors
    ///
    /// Where the lake cannot be read.
    pub async fn open(lake: &Lake, sources: Arc<KnownSources>) -> Result<Self> {
        Ok(Self {
            lake: lake.clone(),
            snapshot: lake.snapshot(Table::Events).await?,
            loaded: HashSet::new(),
            events: HashMap::new(),
            twins: HashMap::new(),
            uris: HashMap::new(),
            sources,
        })
    }

    /// Makes the events of a day known, once.
    ///
    /// # Errors
    ///
    /// Where a file of the lake cannot be read.
    pub fn load(&mut self, day: Option<i64>) -> Result<()> {
        if !self.loaded.insert(day) {
            return Ok(());
        }
        let date = day.map(time::format_day);
        let files: Vec<DataFile> = self
            .snapshot
            .files
            .iter()
            .filter(|file| file.date == date)
            .cloned()
            .collect();
        for file in files {
            let columns = [
                "eventid",
                "recipientaccountid",
                CONTENT_HASH,
                SOURCE_FILE,
                SOURCE_INDEX,
            ];
            for batch in read_columns(&self.lake, &self.snapshot, &file, &columns)? {
                self.add_batch(&batch);
            }
        }
        Ok(())
    }

    fn add_batch(&mut self, batch: &RecordBatch) {
        let ids = batch.column(0).as_string::<i32>();
        let accounts = batch.column(1).as_string::<i32>();
        let hashes = batch.column(2).as_primitive::<Int64Type>();
        let uris = batch.column(3).as_string::<i32>();
        let indexes = batch.column(4).as_primitive::<Int64Type>();
        let text = |array: &arrow::array::StringArray, row: usize| {
            if array.is_null(row) {
                String::new()
            } else {
                array.value(row).to_owned()
            }
        };
        for row in 0..batch.num_rows() {
            let origin = Origin {
                content_hash: hashes.value(row).cast_unsigned(),
                uri: self.uri_number(uris.value(row)),
                record_index: indexes.value(row).cast_unsigned(),
            };
            let key = key_hash(&text(ids, row), &text(accounts, row));
            self.remember(key, origin);
        }
    }

    /// Decides on a record of the source `uri`, and remembers it if it is to be written.
    pub fn judge(&mut self, key: &EventKey, uri: &str) -> Verdict {
        let origin = Origin {
            content_hash: key.content_hash,
            uri: self.uri_number(uri),
            record_index: key.record_index,
        };
        let verdict = match self.compare(key.key, origin) {
            // A file that has grown since has its old records at their old places.
            Verdict::Recovered if origin.record_index < self.sources.n_records(uri) => {
                Verdict::Duplicate
            }
            verdict => verdict,
        };
        if matches!(verdict, Verdict::New | Verdict::Conflicting) {
            self.remember(key.key, origin);
        }
        verdict
    }

    fn compare(&self, key: u128, origin: Origin) -> Verdict {
        let Some(first) = self.events.get(&key) else {
            return Verdict::New;
        };
        let twins = self.twins.get(&key).map_or(&[][..], Vec::as_slice);
        let mut all = std::iter::once(first).chain(twins);
        if all.clone().any(|twin| *twin == origin) {
            Verdict::Recovered
        } else if all.any(|twin| twin.content_hash == origin.content_hash) {
            Verdict::Duplicate
        } else {
            Verdict::Conflicting
        }
    }

    fn remember(&mut self, key: u128, origin: Origin) {
        match self.events.entry(key) {
            Entry::Vacant(place) => {
                place.insert(origin);
            }
            Entry::Occupied(_) => self.twins.entry(key).or_default().push(origin),
        }
    }

    fn uri_number(&mut self, uri: &str) -> u32 {
        if let Some(&number) = self.uris.get(uri) {
            return number;
        }
        // More than four thousand million sources do not fit into one lake.
        let number = u32::try_from(self.uris.len()).unwrap_or(u32::MAX);
        self.uris.insert(uri.to_owned(), number);
        number
    }
}

/// The sources that were read to their end, or found unreadable (then without a hash).
#[derive(Debug, Default)]
pub struct KnownSources {
    hashes: HashSet<(String, String)>,
    /// Records of a source, the most over its versions.
    n_records: HashMap<String, u64>,
}

impl KnownSources {
    /// Reads the table `sources`.
    ///
    /// # Errors
    ///
    /// Where the lake cannot be read.
    pub async fn read(lake: &Lake) -> Result<Self> {
        let snapshot = lake.snapshot(Table::Sources).await?;
        let mut known = Self::default();
        for file in &snapshot.files {
            let columns = ["uri", "sha256", "records_read"];
            for batch in read_columns(lake, &snapshot, file, &columns)? {
                let uris = batch.column(0).as_string::<i32>();
                let hashes = batch.column(1).as_string::<i32>();
                let records = batch.column(2).as_primitive::<Int64Type>();
                for row in 0..batch.num_rows() {
                    let (uri, hash) = (uris.value(row), hashes.value(row));
                    known.add(uri, hash, records.value(row).cast_unsigned());
                }
            }
        }
        Ok(known)
    }

    fn add(&mut self, uri: &str, sha256: &str, n_records: u64) {
        self.hashes.insert((uri.to_owned(), sha256.to_owned()));
        if !sha256.is_empty() {
            let most = self.n_records.entry(uri.to_owned()).or_default();
            *most = n_records.max(*most);
        }
    }

    /// Whether the source has a line with this hash.
    pub fn contains(&self, uri: &str, sha256: &str) -> bool {
        self.hashes.contains(&(uri.to_owned(), sha256.to_owned()))
    }

    fn n_records(&self, uri: &str) -> u64 {
        self.n_records.get(uri).copied().unwrap_or_default()
    }
}

/// The rejects that are in the lake: source address, source hash and record position.
///
/// # Errors
///
/// Where the lake cannot be read.
pub async fn read_rejects(lake: &Lake) -> Result<HashSet<(String, String, u64)>> {
    let snapshot = lake.snapshot(Table::Rejects).await?;
    let mut known = HashSet::new();
    for file in &snapshot.files {
        for batch in read_columns(lake, &snapshot, file, &["uri", "sha256", "record_index"])? {
            let uris = batch.column(0).as_string::<i32>();
            let hashes = batch.column(1).as_string::<i32>();
            let indexes = batch.column(2).as_primitive::<Int64Type>();
            known.extend((0..batch.num_rows()).map(|row| {
                (
                    uris.value(row).to_owned(),
                    hashes.value(row).to_owned(),
                    indexes.value(row).cast_unsigned(),
                )
            }));
        }
    }
    Ok(known)
}

/// Some columns of a file, in the order asked for.
fn read_columns(
    lake: &Lake,
    snapshot: &Snapshot,
    file: &DataFile,
    columns: &[&str],
) -> Result<Vec<RecordBatch>> {
    let failed = |source: Cause| LakeError::Table {
        action: "read",
        table: snapshot.table.name(),
        source,
    };
    let path = lake.root().join(snapshot.table.name()).join(&file.path);
    let opened = File::open(&path).map_err(FileError::at("read", &path))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| failed(error.into()))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let reader = builder
        .with_projection(mask)
        .build()
        .map_err(|error| failed(error.into()))?;
    reader
        .map(|batch| {
            let batch = batch?;
            let order: Vec<usize> = columns
                .iter()
                .map(|name| batch.schema().index_of(name))
                .collect::<Result<_, _>>()?;
            batch.project(&order)
        })
        .collect::<Result<_, arrow::error::ArrowError>>()
        .map_err(|error| failed(error.into()).into())
}
