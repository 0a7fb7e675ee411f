//! One source into one batch.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::decode::{Decoded, Output, SourceKind, decode};
use super::rows::{RowBuilder, plain};
use super::select::Selection;
use crate::error::{Error, LakeError, Result};
use crate::schema::Table;

/// Reads the text of one source.
///
/// # Errors
///
/// Where rows and schema disagree, which is a defect of the program.
pub(super) fn decode_at_once(
    uri: &str,
    bytes: &[u8],
    kind: SourceKind,
) -> Result<(RecordBatch, Decoded)> {
    let mut rows = RowBuilder::default();
    let mut keys = Vec::new();
    let mut output = Output {
        rows: &mut rows,
        keys: &mut keys,
        selection: &Selection::default(),
    };
    let decoded = decode(uri, bytes, kind, &mut output).map_err(unbuilt)?;
    let batch = rows.finish().and_then(|batch| plain(&batch));
    Ok((batch.map_err(unbuilt)?, decoded))
}

/// Rows that do not fit their schema.
pub(super) fn unbuilt(source: ArrowError) -> Error {
    let error = LakeError::Table {
        action: "build rows for",
        table: Table::Events.name(),
        source: source.into(),
    };
    error.into()
}
