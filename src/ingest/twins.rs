//! Rows that were written before their twin came: they are made to say that they have one.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;

use super::known::{Twin, read_columns};
use super::read::defect;
use super::time;
use crate::error::Result;
use crate::lake::{DataFile, Lake};
use crate::schema::{CONFLICTING, CONTENT_HASH, SOURCE_FILE, SOURCE_INDEX, Table};

/// A row's source, its position there, and the hash of its content.
type Place = (Arc<str>, i64, i64);

/// The columns that tell a row.
const PLACE_COLUMNS: [&str; 3] = [SOURCE_FILE, SOURCE_INDEX, CONTENT_HASH];

/// Flags the rows in the files that hold them, in one commit. Gives the number of rows.
///
/// # Errors
///
/// Where the lake cannot be read or written.
pub(super) async fn flag(lake: &Lake, twins: &HashSet<Twin>) -> Result<u64> {
    if twins.is_empty() {
        return Ok(0);
    }
    let days: BTreeSet<Option<String>> = twins
        .iter()
        .map(|twin| twin.day.map(time::format_day))
        .collect();
    let places: HashSet<Place> = twins
        .iter()
        .map(|twin| {
            let index = twin.source_index.cast_signed();
            let hash = twin.content_hash.cast_signed();
            (Arc::clone(&twin.source_file), index, hash)
        })
        .collect();
    let snapshot = lake.snapshot(Table::Events).await?;
    let mut files: Vec<DataFile> = Vec::new();
    for file in snapshot
        .files
        .iter()
        .filter(|file| days.contains(&file.date))
    {
        for batch in read_columns(lake, &snapshot, file, &PLACE_COLUMNS)? {
            let flags = wanted(&batch?, &places).map_err(defect)?;
            if flags.iter().any(|flag| *flag) {
                files.push(file.clone());
                break;
            }
        }
    }
    let mut n_flagged = 0;
    let mut change = |batch: RecordBatch| {
        let flags = wanted(&batch, &places)?;
        let index = batch.schema().index_of(CONFLICTING)?;
        let before = batch.column(index).as_boolean();
        let after: BooleanArray = flags
            .iter()
            .zip(before)
            .map(|(flag, before)| Some(*flag || before == Some(true)))
            .collect();
        n_flagged += (after.true_count() - before.true_count()) as u64;
        let mut columns = batch.columns().to_vec();
        columns[index] = Arc::new(after);
        RecordBatch::try_new(batch.schema(), columns)
    };
    lake.rewrite(Table::Events, &files, &mut change).await?;
    Ok(n_flagged)
}

/// Which rows are among those wanted.
fn wanted(batch: &RecordBatch, places: &HashSet<Place>) -> Result<Vec<bool>, ArrowError> {
    let schema = batch.schema();
    let column = |name: &str| schema.index_of(name).map(|index| batch.column(index));
    let files = column(SOURCE_FILE)?.as_string::<i32>();
    let indexes = column(SOURCE_INDEX)?.as_primitive::<Int64Type>();
    let hashes = column(CONTENT_HASH)?.as_primitive::<Int64Type>();
    let rows = files.iter().zip(indexes.values()).zip(hashes.values());
    Ok(rows
        .map(|((file, index), hash)| {
            places.contains(&(file.unwrap_or_default().into(), *index, *hash))
        })
        .collect())
}
