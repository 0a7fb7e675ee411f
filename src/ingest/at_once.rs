//! One source into one batch.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::decode::{Decoded, SourceKind, decode};
use super::rows::RowBuilder;
use crate::error::{Error, LakeError, Result};
use crate::schema::Table;

/// Reads the bytes of one source.
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
    let decoded = decode(uri, bytes, kind, &mut rows, &mut keys).map_err(unbuilt)?;
    Ok((rows.finish().map_err(unbuilt)?, decoded))
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
