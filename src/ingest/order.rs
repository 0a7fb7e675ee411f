//! The order of rows within a row group.

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use arrow::error::ArrowError;

/// Rules and hunts ask for one event name, often of one principal: with this order the page index
/// and the bounds of a page cut most of a row group away.
const SORT_COLUMNS: [&str; 4] = ["eventsource", "eventname", "useridentity_arn", "eventtime"];

/// The same rows, sorted. Rows that compare equal are told apart by `eventid`, so that the order
/// does not depend on the order of arrival.
pub fn sort_group(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<SortColumn> = SORT_COLUMNS
        .iter()
        .chain(&["eventid"])
        .map(|name| {
            let index = rows.schema().index_of(name)?;
            Ok(SortColumn {
                values: rows.column(index).clone(),
                options: None,
            })
        })
        .collect::<Result<_, ArrowError>>()?;
    let order = lexsort_to_indices(&columns, None)?;
    take_record_batch(rows, &order)
}
