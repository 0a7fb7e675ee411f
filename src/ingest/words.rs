//! A column of text that repeats: each distinct value once, and a number for each row.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, NullBufferBuilder, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Builds a dictionary array. Rows without a value are filled in when a later one comes, so that a
/// column costs nothing for the records that do not have it.
pub(super) struct Words {
    keys: Vec<i32>,
    nulls: NullBufferBuilder,
    text: String,
    /// Where each distinct value begins in `text`, and the end of the last.
    offsets: Vec<i32>,
    table: HashTable<i32>,
    hashes: RandomState,
    last: i32,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            nulls: NullBufferBuilder::new(0),
            text: String::new(),
            offsets: vec![0],
            table: HashTable::new(),
            // Seeded anew in each process: logs are written by strangers, who must not choose what
            // collides.
            hashes: RandomState::default(),
            last: -1,
        }
    }
}

impl Words {
    /// Gives row `row` its value; rows come in ascending order, and the last one given may be given
    /// anew.
    pub(super) fn set(&mut self, row: usize, value: &str) {
        let key = self.key_of(value);
        self.set_key(row, key);
    }

    /// As [`Words::set`], with the number that [`Words::key_of`] gave.
    pub(super) fn set_key(&mut self, row: usize, key: i32) {
        if let Some(given) = self.keys.get_mut(row) {
            *given = key;
            return;
        }
        self.fill(row);
        self.keys.push(key);
        self.nulls.append_non_null();
    }

    /// The number of a value.
    pub(super) fn key_of(&mut self, value: &str) -> i32 {
        // Neighbours in a log mostly say the same.
        if self.last >= 0 && slice(&self.text, &self.offsets, self.last) == value {
            return self.last;
        }
        let hash = self.hashes.hash_one(value.as_bytes());
        let (text, offsets, hashes) = (&self.text, &self.offsets, &self.hashes);
        let found = self
            .table
            .find(hash, |key| slice(text, offsets, *key) == value);
        self.last = match found {
            Some(key) => *key,
            None => {
                let key = as_i32(offsets.len() - 1);
                let rehash =
                    |key: &i32| hashes.hash_one(slice(&self.text, &self.offsets, *key).as_bytes());
                self.table.insert_unique(hash, key, rehash);
                self.text.push_str(value);
                self.offsets.push(as_i32(self.text.len()));
                key
            }
        };
        self.last
    }

    /// The rows up to `n_rows` as an array; the column is empty again.
    pub(super) fn finish(&mut self, n_rows: usize) -> Result<ArrayRef, ArrowError> {
        self.fill(n_rows);
        let next = Self {
            keys: Vec::with_capacity(self.keys.len()),
            ..Self::default()
        };
        let done = std::mem::replace(self, next);
        let Self {
            keys,
            mut nulls,
            text,
            offsets,
            ..
        } = done;
        let keys = Int32Array::try_new(ScalarBuffer::from(keys), nulls.finish())?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let values = StringArray::try_new(offsets, Buffer::from_vec(text.into_bytes()), None)?;
        Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(values))?))
    }

    fn fill(&mut self, n_rows: usize) {
        let missing = n_rows.saturating_sub(self.keys.len());
        if missing > 0 {
            self.keys.resize(n_rows, 0);
            self.nulls.append_n_nulls(missing);
        }
    }
}

fn slice<'a>(text: &'a str, offsets: &[i32], key: i32) -> &'a str {
    let key = usize::try_from(key).unwrap_or(0);
    let at = |index: usize| usize::try_from(offsets[index]).unwrap_or(0);
    &text[at(key)..at(key + 1)]
}

/// A batch is made from at most some 100 MB of text, so lengths fit.
fn as_i32(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
