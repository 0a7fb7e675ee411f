//! One row group of `events`: rows of one day, put in order and encoded.
//!
//! Rules and hunts ask for one event name, often of one principal: sorted by these, the page index
//! and the bounds of a page cut most of a row group away. Rows come as positions in batches that lie
//! as they were read; each column is gathered in its final order and encoded before the next one is
//! touched, so that only one column is ever held twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, NullBufferBuilder, RecordBatch,
    StringArray, new_null_array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Field, Int32Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use foldhash::fast::RandomState;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::ParquetError;

use crate::schema::{DATE_PARTITION, Table};

/// The columns that rows are sorted by before `eventtime` and `eventid`.
const SORT_WORDS: [&str; 3] = ["eventsource", "eventname", "useridentity_arn"];

/// A row's place: the position of its batch, and its position in that batch.
pub(super) type Place = (u32, u32);

/// Rows that make one row group.
pub(super) struct Group {
    pub(super) batches: Vec<RecordBatch>,
    /// In the order of arrival.
    pub(super) rows: Vec<Place>,
}

impl Group {
    /// Sorts the rows and encodes them, on some threads. The partition column is not among what is
    /// encoded: its value is the name of the folder.
    pub(super) fn encode(
        &self,
        writers: Vec<ArrowColumnWriter>,
        n_threads: usize,
    ) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        let order = self.order()?;
        let schema = Table::Events.arrow_schema();
        let mut writers = writers.into_iter();
        // A column with its writers, one for each of its leaves.
        let columns: Vec<Mutex<Option<Vec<ArrowColumnWriter>>>> = schema
            .fields()
            .iter()
            .filter(|field| field.name() != DATE_PARTITION)
            .map(|field| {
                let n_leaves = n_leaves(field.data_type());
                Mutex::new(Some(writers.by_ref().take(n_leaves).collect()))
            })
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(column) = columns.get(index) else {
                    return Ok::<_, ParquetError>(done);
                };
                let writers = column.lock().ok().and_then(|mut writers| writers.take());
                let field = &schema.fields()[index];
                let chunks = self.encode_column(field, &order, writers.unwrap_or_default())?;
                done.push((index, chunks));
            }
        };
        let mut done: Vec<(usize, Vec<ArrowColumnChunk>)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..n_threads).map(|_| scope.spawn(work)).collect();
            let mut all = work()?;
            for thread in threads {
                let panicked = |_| ParquetError::General("an encoder panicked".to_owned());
                all.extend(thread.join().map_err(panicked)??);
            }
            Ok::<_, ParquetError>(all)
        })?;
        done.sort_unstable_by_key(|(index, _)| *index);
        Ok(done.into_iter().flat_map(|(_, chunks)| chunks).collect())
    }

    fn encode_column(
        &self,
        field: &Field,
        order: &[(usize, usize)],
        writers: Vec<ArrowColumnWriter>,
    ) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        let column = gather(&self.column(field.name())?, order)?;
        let leaves = compute_leaves(field, &column)?;
        leaves
            .iter()
            .zip(writers)
            .map(|(leaf, mut writer)| {
                writer.write(leaf)?;
                writer.close()
            })
            .collect()
    }

    /// The rows as one batch, in the order of arrival.
    pub(super) fn gathered(&self) -> Result<RecordBatch, ArrowError> {
        let schema = Table::Events.arrow_schema();
        let arrival = self.arrival();
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                let column = gather(&self.column(field.name())?, &arrival)?;
                Ok((field.name(), column, true))
            })
            .collect::<Result<Vec<_>, ArrowError>>()?;
        RecordBatch::try_from_iter_with_nullable(columns)
    }

    fn arrival(&self) -> Vec<(usize, usize)> {
        self.rows
            .iter()
            .map(|(batch, row)| (*batch as usize, *row as usize))
            .collect()
    }

    fn column(&self, name: &str) -> Result<Vec<ArrayRef>, ArrowError> {
        self.batches
            .iter()
            .map(|batch| Ok(Arc::clone(batch.column(batch.schema().index_of(name)?))))
            .collect()
    }

    /// The rows in their final order. Rows that compare equal are told apart by `eventid`, so that
    /// the order does not depend on the order of arrival.
    fn order(&self) -> Result<Vec<(usize, usize)>, ArrowError> {
        let arrival = self.arrival();
        let mut ranks = Vec::with_capacity(SORT_WORDS.len());
        for name in SORT_WORDS {
            let words: Vec<ArrayRef> = self
                .column(name)?
                .iter()
                .map(|array| cast(array, &words_type()))
                .collect::<Result<_, _>>()?;
            ranks.push(ranked(&gather(&words, &arrival)?));
        }
        let times = interleave(&refs(&self.column("eventtime")?), &arrival)?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let ids = self.column("eventid")?;
        let ids: Vec<&StringArray> = ids
            .iter()
            .map(|array| {
                array.as_string_opt::<i32>().ok_or_else(|| {
                    ArrowError::SchemaError("the column `eventid` is not plain text".to_owned())
                })
            })
            .collect::<Result<_, _>>()?;
        let id = |at: usize| {
            let (batch, row) = arrival[at];
            ids[batch].is_valid(row).then(|| ids[batch].value(row))
        };
        let key = |at: usize| {
            let time = times.is_valid(at).then(|| times.value(at));
            (ranks[0][at], ranks[1][at], ranks[2][at], time)
        };
        let mut keyed: Vec<_> = (0..arrival.len()).map(|at| (key(at), at)).collect();
        keyed.sort_unstable_by(|(a, a_at), (b, b_at)| {
            a.cmp(b)
                .then_with(|| id(*a_at).cmp(&id(*b_at)))
                .then_with(|| a_at.cmp(b_at))
        });
        Ok(keyed.into_iter().map(|(_, at)| arrival[at]).collect())
    }
}

/// How many Parquet columns a column becomes.
fn n_leaves(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| n_leaves(field.data_type())).sum(),
        DataType::List(element) | DataType::Map(element, _) => n_leaves(element.data_type()),
        _ => 1,
    }
}

/// Text with numbers for its distinct values.
fn words_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn refs(arrays: &[ArrayRef]) -> Vec<&dyn Array> {
    arrays.iter().map(AsRef::as_ref).collect()
}

/// The rank of each row's value among the distinct ones; 0 for no value.
fn ranked(words: &ArrayRef) -> Vec<u32> {
    let Some(words) = words.as_dictionary_opt::<Int32Type>() else {
        return vec![0; words.len()];
    };
    let values = words.values().as_string::<i32>();
    let mut sorted: Vec<usize> = (0..values.len()).collect();
    sorted.sort_unstable_by_key(|index| values.value(*index));
    let mut rank_of = vec![0_u32; values.len()];
    for (rank, index) in (1..).zip(sorted) {
        rank_of[index] = rank;
    }
    words
        .keys_iter()
        .map(|key| key.map_or(0, |key| rank_of[key]))
        .collect()
}

/// The values of a column in the order given.
fn gather(arrays: &[ArrayRef], order: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    let Some(first) = arrays.first() else {
        return Ok(new_null_array(&DataType::Utf8, 0));
    };
    if arrays.iter().all(|array| array.null_count() == array.len()) {
        let data_type = match first.data_type() {
            DataType::Dictionary(_, value) => value.as_ref(),
            other => other,
        };
        return Ok(new_null_array(data_type, order.len()));
    }
    if arrays
        .iter()
        .any(|array| *array.data_type() == words_type())
    {
        // Rows that come back from a spill file are plain.
        let words: Vec<ArrayRef> = arrays
            .iter()
            .map(|array| cast(array, &words_type()))
            .collect::<Result<_, _>>()?;
        return gather_words(&words, order);
    }
    interleave(&refs(arrays), order)
}

/// As [`gather`], for dictionaries: one dictionary over all of them, and numbers moved about.
fn gather_words(arrays: &[ArrayRef], order: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    let words: Vec<&DictionaryArray<Int32Type>> = arrays
        .iter()
        .map(|array| array.as_dictionary::<Int32Type>())
        .collect();
    let mut number_of: HashMap<&str, i32, RandomState> = HashMap::default();
    let mut distinct = Vec::new();
    let renumbered: Vec<Vec<i32>> = words
        .iter()
        .map(|array| {
            let values = array.values().as_string::<i32>();
            let renumber = |value| {
                *number_of.entry(value).or_insert_with(|| {
                    distinct.push(value);
                    i32::try_from(distinct.len() - 1).unwrap_or(i32::MAX)
                })
            };
            (0..values.len())
                .map(|index| values.value(index))
                .map(renumber)
                .collect()
        })
        .collect();
    let keys: Vec<&Int32Array> = words.iter().map(|array| array.keys()).collect();
    let has_nulls = words.iter().any(|array| array.null_count() > 0);
    let mut nulls = NullBufferBuilder::new(order.len());
    let mut gathered = Vec::with_capacity(order.len());
    for &(batch, row) in order {
        let valid = !has_nulls || keys[batch].is_valid(row);
        let key = usize::try_from(keys[batch].value(row)).unwrap_or(0);
        gathered.push(if valid { renumbered[batch][key] } else { 0 });
        nulls.append(valid);
    }
    let keys = Int32Array::try_new(ScalarBuffer::from(gathered), nulls.finish())?;
    let values: StringArray = distinct.into_iter().map(Some).collect();
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(values))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_are_gathered_as_one() {
        let words = |texts: &[Option<&str>]| -> ArrayRef {
            Arc::new(
                texts
                    .iter()
                    .copied()
                    .collect::<DictionaryArray<Int32Type>>(),
            )
        };
        let arrays = [
            words(&[Some("b"), None, Some("a")]),
            words(&[Some("a"), Some("c")]),
        ];
        let order = [(1, 1), (0, 2), (0, 1), (1, 0), (0, 0)];
        let gathered = gather(&arrays, &order).unwrap();
        let plain = cast(&gathered, &DataType::Utf8).unwrap();
        let texts: Vec<_> = plain.as_string::<i32>().iter().collect();
        assert_eq!(texts, [Some("c"), Some("a"), None, Some("a"), Some("b")]);
        assert_eq!(ranked(&gathered), [3, 1, 0, 1, 2]);
    }

    #[test]
    fn a_column_that_is_empty_everywhere_stays_so() {
        let nothing: ArrayRef = new_null_array(&words_type(), 2);
        let gathered = gather(&[nothing], &[(0, 1), (0, 0)]).unwrap();
        assert_eq!((gathered.len(), gathered.null_count()), (2, 2));
    }
}
