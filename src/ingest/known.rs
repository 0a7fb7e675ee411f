//! What the lake holds already: sources that need no second reading, and the keys of events.

mod keys;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use twox_hash::XxHash64;

use super::decode::{EventKey, key_hash};
use super::time;
use crate::error::{Cause, FileError, LakeError, Result};
use crate::lake::{DataFile, Lake, Snapshot};
use crate::schema::{CONFLICTING, CONTENT_HASH, SOURCE_FILE, SOURCE_INDEX, Table};
use keys::{Entry, Keys, Origin};

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

/// A row that has to say that it has a twin.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Twin {
    /// Its partition.
    pub day: Option<i64>,
    pub source_file: Arc<str>,
    pub source_index: u64,
    /// A file may have been another once, so its name and a position do not tell a row.
    pub content_hash: u64,
}

/// A lake with up to so many rows is known as a whole, so that twins are found wherever they are. In
/// a larger one only the days are known that a run touches: the same event always has the same day,
/// so duplicates are found all the same.
const MAX_WHOLE_ROWS: u64 = 20_000_000;

/// The events that are in the lake, or will be.
pub struct Known {
    lake: Lake,
    snapshot: Snapshot,
    /// Days whose events are known; `None`: all of them are.
    loaded: Option<HashSet<Option<i64>>>,
    is_new: bool,
    keys: Keys,
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    sources: Arc<KnownSources>,
    twins: HashSet<Twin>,
    found: Vec<(u32, Entry)>,
}

impl Known {
    /// Nothing is loaded before the first record is judged.
    ///
    /// # Errors
    ///
    /// Where the lake cannot be read.
    pub async fn open(lake: &Lake, sources: Arc<KnownSources>) -> Result<Self> {
        Ok(Self {
            lake: lake.clone(),
            snapshot: lake.snapshot(Table::Events).await?,
            loaded: Some(HashSet::new()),
            is_new: true,
            keys: Keys::new(),
            names: Vec::new(),
            numbers: HashMap::new(),
            sources,
            twins: HashSet::new(),
            found: Vec::new(),
        })
    }

    /// The number by which a source goes here.
    pub fn source_number(&mut self, uri: &Arc<str>) -> u32 {
        if let Some(&number) = self.numbers.get(uri) {
            return number;
        }
        // More than four thousand million sources do not fit into one lake.
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(Arc::clone(uri));
        self.numbers.insert(Arc::clone(uri), number);
        number
    }

    /// Decides on a record of a source, and remembers it if it is to be written.
    ///
    /// # Errors
    ///
    /// Where a file of the lake or a temporary one cannot be read or written.
    pub fn judge(&mut self, key: &EventKey, source: u32) -> Result<Verdict> {
        self.load(key.day)?;
        let origin = Origin {
            content_hash: key.content_hash,
            source,
            record_index: key.record_index,
        };
        let mut found = std::mem::take(&mut self.found);
        self.keys.find(key.key, &mut found).map_err(failed)?;
        let verdict = self.compare(&found, origin);
        if verdict != Verdict::Duplicate {
            self.note_twins(&found, key.content_hash)?;
        }
        self.found = found;
        if matches!(verdict, Verdict::New | Verdict::Conflicting) {
            let entry = Entry {
                key: key.key,
                origin,
                day: key.day,
                flagged: verdict == Verdict::Conflicting,
            };
            self.keys.add(entry).map_err(failed)?;
        }
        Ok(verdict)
    }

    /// The rows that were written without saying that they have a twin.
    pub fn unflagged_twins(&self) -> &HashSet<Twin> {
        &self.twins
    }

    fn compare(&self, found: &[(u32, Entry)], origin: Origin) -> Verdict {
        let mut all = found.iter().map(|(_, entry)| entry.origin);
        if found.is_empty() {
            Verdict::New
        } else if all.clone().any(|twin| twin == origin) {
            let uri = &self.names[origin.source as usize];
            // A file that has grown since has its old records at their old places.
            if origin.record_index < self.sources.n_records(uri) {
                Verdict::Duplicate
            } else {
                Verdict::Recovered
            }
        } else if all.any(|twin| twin.content_hash == origin.content_hash) {
            Verdict::Duplicate
        } else {
            Verdict::Conflicting
        }
    }

    /// Notes the rows among those found that do not say yet that they have a twin.
    fn note_twins(&mut self, found: &[(u32, Entry)], content_hash: u64) -> Result<()> {
        let first = found.first().map(|(_, entry)| entry.origin.content_hash);
        let differ = |entry: &Entry| {
            let hash = entry.origin.content_hash;
            hash != content_hash || Some(hash) != first
        };
        if !found.iter().any(|(_, entry)| differ(entry)) {
            return Ok(());
        }
        for (number, entry) in found.iter().filter(|(_, entry)| !entry.flagged) {
            self.keys.flag(*number).map_err(failed)?;
            self.twins.insert(Twin {
                day: entry.day,
                source_file: Arc::clone(&self.names[entry.origin.source as usize]),
                source_index: entry.origin.record_index,
                content_hash: entry.origin.content_hash,
            });
        }
        Ok(())
    }

    /// Makes what the lake has known: all of it, or a day.
    fn load(&mut self, day: Option<i64>) -> Result<()> {
        if std::mem::take(&mut self.is_new)
            && self
                .snapshot
                .rows()
                .is_some_and(|rows| rows <= MAX_WHOLE_ROWS)
        {
            self.loaded = None;
            for file in self.snapshot.files.clone() {
                self.load_file(&file)?;
            }
        }
        let is_missing = self
            .loaded
            .as_mut()
            .is_some_and(|loaded| loaded.insert(day));
        if !is_missing {
            return Ok(());
        }
        let date = day.map(time::format_day);
        for file in self.snapshot.files.clone() {
            if file.date == date {
                self.load_file(&file)?;
            }
        }
        Ok(())
    }

    fn load_file(&mut self, file: &DataFile) -> Result<()> {
        let columns = [
            "eventid",
            "recipientaccountid",
            CONTENT_HASH,
            SOURCE_FILE,
            SOURCE_INDEX,
            CONFLICTING,
        ];
        let day = file.date.as_deref().and_then(time::parse_day);
        let snapshot = self.snapshot.clone();
        for batch in read_columns(&self.lake.clone(), &snapshot, file, &columns)? {
            self.add_batch(&batch?, day)?;
        }
        Ok(())
    }

    fn add_batch(&mut self, batch: &RecordBatch, day: Option<i64>) -> Result<()> {
        let ids = batch.column(0).as_string::<i32>();
        let accounts = batch.column(1).as_string::<i32>();
        let hashes = batch.column(2).as_primitive::<Int64Type>();
        let uris = batch.column(3).as_string::<i32>();
        let indexes = batch.column(4).as_primitive::<Int64Type>();
        let flags = batch.column(5).as_boolean();
        let mut last: Option<(Arc<str>, u32)> = None;
        for row in 0..batch.num_rows() {
            let uri = uris.value(row);
            let source = match &last {
                Some((name, number)) if **name == *uri => *number,
                _ => {
                    let name: Arc<str> = uri.into();
                    let number = self.source_number(&name);
                    last = Some((name, number));
                    number
                }
            };
            let text = |array: &arrow::array::StringArray| {
                let value = array.is_valid(row).then(|| array.value(row));
                value.unwrap_or_default().to_owned()
            };
            let entry = Entry {
                key: key_hash(&text(ids), &text(accounts)),
                origin: Origin {
                    content_hash: hashes.value(row).cast_unsigned(),
                    source,
                    record_index: indexes.value(row).cast_unsigned(),
                },
                day,
                flagged: flags.value(row),
            };
            self.keys.add(entry).map_err(failed)?;
        }
        Ok(())
    }
}

fn failed(error: io::Error) -> crate::Error {
    LakeError::Table {
        action: "look up events of",
        table: Table::Events.name(),
        source: error.into(),
    }
    .into()
}

/// The sources that were read to their end, or found unreadable (then without a hash). Only hashes of
/// names are kept: a lake may have very many sources.
#[derive(Debug, Default)]
pub struct KnownSources {
    done: HashSet<u128>,
    /// Names and hashes that have a line, whatever it says.
    listed: HashSet<u128>,
    /// Records of a source, the most over its versions.
    n_records: HashMap<u128, u64>,
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
            let columns = ["uri", "sha256", "records_read", "records_left_out", "kind"];
            for batch in read_columns(lake, &snapshot, file, &columns)? {
                let batch = batch?;
                let uris = batch.column(0).as_string::<i32>();
                let hashes = batch.column(1).as_string::<i32>();
                let records = batch.column(2).as_primitive::<Int64Type>();
                let left_out = batch.column(3).as_primitive_opt::<Int64Type>();
                let kinds = batch.column(4).as_string::<i32>();
                for row in 0..batch.num_rows() {
                    let left_out = left_out
                        .filter(|column| column.is_valid(row))
                        .map_or(0, |column| column.value(row).cast_unsigned());
                    let n_records = records.value(row).cast_unsigned() + left_out;
                    // What is in an archive has lines of its own; some of it may have been left out.
                    let is_whole = left_out == 0 && kinds.value(row) != "archive";
                    known.add(uris.value(row), hashes.value(row), n_records, is_whole);
                }
            }
        }
        Ok(known)
    }

    fn add(&mut self, uri: &str, sha256: &str, n_records: u64, is_whole: bool) {
        self.listed.insert(hash_of(&[uri, sha256]));
        if is_whole {
            self.done.insert(hash_of(&[uri, sha256]));
        }
        if !sha256.is_empty() {
            let most = self.n_records.entry(hash_of(&[uri])).or_default();
            *most = n_records.max(*most);
        }
    }

    /// Whether the source has a line with this hash, and nothing of it was left out.
    pub fn contains(&self, uri: &str, sha256: &str) -> bool {
        self.done.contains(&hash_of(&[uri, sha256]))
    }

    /// Whether the source has a line with this hash that a further one would only repeat.
    pub fn has_line(&self, uri: &str, sha256: &str, is_archive: bool) -> bool {
        let hash = hash_of(&[uri, sha256]);
        self.done.contains(&hash) || (is_archive && self.listed.contains(&hash))
    }

    fn n_records(&self, uri: &str) -> u64 {
        let known = self.n_records.get(&hash_of(&[uri]));
        known.copied().unwrap_or_default()
    }
}

/// 128 bits over some texts.
fn hash_of(texts: &[&str]) -> u128 {
    let joined = texts.join("\n");
    let half = |seed| u128::from(XxHash64::oneshot(seed, joined.as_bytes()));
    half(0) << 64 | half(1)
}

/// The rejects that are in the lake: source address, source hash and record position, as one hash.
///
/// # Errors
///
/// Where the lake cannot be read.
pub async fn read_rejects(lake: &Lake) -> Result<KnownRejects> {
    let snapshot = lake.snapshot(Table::Rejects).await?;
    let mut known = KnownRejects::default();
    for file in &snapshot.files {
        for batch in read_columns(lake, &snapshot, file, &["uri", "sha256", "record_index"])? {
            let batch = batch?;
            let uris = batch.column(0).as_string::<i32>();
            let hashes = batch.column(1).as_string::<i32>();
            let indexes = batch.column(2).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let index = indexes.value(row).to_string();
                let hash = hash_of(&[uris.value(row), hashes.value(row), &index]);
                known.0.insert(hash);
            }
        }
    }
    Ok(known)
}

/// The rejects that have a line.
#[derive(Debug, Default)]
pub struct KnownRejects(HashSet<u128>);

impl KnownRejects {
    pub fn contains(&self, uri: &str, sha256: &str, record_index: u64) -> bool {
        let index = record_index.to_string();
        self.0.contains(&hash_of(&[uri, sha256, &index]))
    }
}

/// Rows read at a time.
const BATCH_ROWS: usize = 8_192;

/// Some columns of a file, in the order asked for. One that is younger than the file is all null.
pub(super) fn read_columns<'c>(
    lake: &Lake,
    snapshot: &Snapshot,
    file: &DataFile,
    columns: &'c [&str],
) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<'c>> {
    let table = snapshot.table;
    let failed = move |source: Cause| LakeError::Table {
        action: "read",
        table: table.name(),
        source,
    };
    let path = lake.root().join(table.name()).join(&file.path);
    let opened = File::open(&path).map_err(FileError::at("read", &path))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| failed(error.into()))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| failed(error.into()))?;
    Ok(reader.map(move |batch| {
        let batch = batch.map_err(|error| failed(error.into()))?;
        let arrays = columns.iter().map(|name| {
            let column: Option<&ArrayRef> = batch.column_by_name(name);
            let array = column.map(Arc::clone);
            let array = array.unwrap_or_else(|| new_null_array(&DataType::Int64, batch.num_rows()));
            (*name, array, true)
        });
        let ordered = RecordBatch::try_from_iter_with_nullable(arrays);
        Ok(ordered.map_err(|error| failed(error.into()))?)
    }))
}
