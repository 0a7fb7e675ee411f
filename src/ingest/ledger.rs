//! The rows of `sources` and `rejects`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::error::ArrowError;

use super::decode::Reject;
use super::run::IngestOptions;
use super::summary::SourceRecord;
use crate::schema::Table;

/// A line for every source that was read.
pub(super) fn sources(
    records: &[SourceRecord],
    options: &IngestOptions,
) -> Result<RecordBatch, ArrowError> {
    let text = |of: &dyn Fn(&SourceRecord) -> String| -> ArrayRef {
        Arc::new(
            records
                .iter()
                .map(|record| Some(of(record)))
                .collect::<StringArray>(),
        )
    };
    let number = |of: &dyn Fn(&SourceRecord) -> u64| -> ArrayRef {
        let values = records.iter().map(|record| of(record).cast_signed());
        Arc::new(Int64Array::from_iter_values(values))
    };
    let maybe = |of: &dyn for<'r> Fn(&'r SourceRecord) -> Option<&'r str>| -> ArrayRef {
        Arc::new(records.iter().map(of).collect::<StringArray>())
    };
    let times = TimestampMicrosecondArray::from(vec![options.ingest_time; records.len()]);
    RecordBatch::try_new(
        Table::Sources.arrow_schema(),
        vec![
            text(&|record| record.uri.to_string()),
            text(&|record| record.sha256.clone()),
            number(&|record| record.size_bytes),
            number(&|record| record.decoded.json_bytes),
            text(&|record| record.decoded.kind.as_str().to_owned()),
            text(&|record| record.status().to_owned()),
            number(&|record| record.decoded.records_read),
            number(&|record| record.rows_written),
            number(&|record| record.duplicates),
            number(&|record| record.rejected),
            maybe(&|record| record.error.as_deref()),
            text(&|_| options.ingest_id.clone()),
            Arc::new(times.with_timezone("UTC")),
            maybe(&|record| record.decoded.digest.as_deref()),
            number(&|record| record.decoded.left_out),
            maybe(&|record| record.decoded.shape),
            maybe(&|record| record.container),
        ],
    )
}

/// A reject, and the source it is from.
#[derive(Debug)]
pub(super) struct SourceReject {
    pub(super) uri: Arc<str>,
    pub(super) sha256: String,
    pub(super) reject: Reject,
}

/// A line for every reject.
pub(super) fn rejects(
    rows: &[SourceReject],
    options: &IngestOptions,
) -> Result<RecordBatch, ArrowError> {
    let text = |of: &dyn Fn(&SourceReject) -> String| -> ArrayRef {
        let values = rows.iter().map(|row| Some(of(row)));
        Arc::new(values.collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Reject) -> u64| -> ArrayRef {
        let values = rows.iter().map(|row| of(&row.reject).cast_signed());
        Arc::new(Int64Array::from_iter_values(values))
    };
    let raw = BinaryArray::from_iter_values(rows.iter().map(|row| &row.reject.raw));
    RecordBatch::try_new(
        Table::Rejects.arrow_schema(),
        vec![
            text(&|row| row.uri.to_string()),
            text(&|row| row.sha256.clone()),
            number(&|reject| reject.record_index),
            number(&|reject| reject.byte_offset),
            text(&|row| row.reject.reason.to_owned()),
            text(&|row| row.reject.detail.clone()),
            Arc::new(raw),
            number(&|reject| reject.raw_bytes),
            text(&|_| options.ingest_id.clone()),
        ],
    )
}

/// A reject in one line: where and why.
pub(super) fn describe(reject: &Reject) -> String {
    format!(
        "record {} at byte {}: {}: {}",
        reject.record_index, reject.byte_offset, reject.reason, reject.detail
    )
}
