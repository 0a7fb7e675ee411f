//! The rows of `sources` and `rejects`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::error::ArrowError;

use super::decode::Reject;
use super::known::KnownRejects;
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
    let errors: StringArray = records
        .iter()
        .map(|record| record.decoded.rejects.first().map(describe))
        .collect();
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
            number(&|record| record.decoded.rejects.len() as u64),
            Arc::new(errors),
            text(&|_| options.ingest_id.clone()),
            Arc::new(times.with_timezone("UTC")),
            maybe(&|record| record.decoded.digest.as_deref()),
            number(&|record| record.decoded.left_out),
            maybe(&|record| record.decoded.shape),
            maybe(&|record| record.container),
        ],
    )
}

/// A line for every reject that is not in the lake yet.
pub(super) fn rejects(
    records: &[SourceRecord],
    known: &KnownRejects,
    options: &IngestOptions,
) -> Result<RecordBatch, ArrowError> {
    let rows: Vec<(&SourceRecord, &Reject)> = records
        .iter()
        .flat_map(|record| {
            record
                .decoded
                .rejects
                .iter()
                .map(move |reject| (record, reject))
        })
        .filter(|(record, reject)| {
            !known.contains(&record.uri, &record.sha256, reject.record_index)
        })
        .collect();
    let text = |of: &dyn Fn(&SourceRecord, &Reject) -> String| -> ArrayRef {
        let values = rows.iter().map(|(record, reject)| Some(of(record, reject)));
        Arc::new(values.collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Reject) -> u64| -> ArrayRef {
        let values = rows.iter().map(|(_, reject)| of(reject).cast_signed());
        Arc::new(Int64Array::from_iter_values(values))
    };
    let raw = BinaryArray::from_iter_values(rows.iter().map(|(_, reject)| &reject.raw));
    RecordBatch::try_new(
        Table::Rejects.arrow_schema(),
        vec![
            text(&|record, _| record.uri.to_string()),
            text(&|record, _| record.sha256.clone()),
            number(&|reject| reject.record_index),
            number(&|reject| reject.byte_offset),
            text(&|_, reject| reject.reason.to_owned()),
            text(&|_, reject| reject.detail.clone()),
            Arc::new(raw),
            number(&|reject| reject.raw_bytes),
            text(&|_, _| options.ingest_id.clone()),
        ],
    )
}

/// A reject in one line: where and why.
fn describe(reject: &Reject) -> String {
    format!(
        "record {} at byte {}: {}: {}",
        reject.record_index, reject.byte_offset, reject.reason, reject.detail
    )
}
