//! For fuzzing and its smoke run: the way of any bytes through decoding and normalizing, and back.
//!
//! Nothing here is for users. What must hold is said by the callers, `tests/support/fuzz.rs`.

use arrow::array::RecordBatch;

use super::at_once::{decode_at_once, unbuilt};
use super::decode::{Reject, SourceKind};
use super::normalize::{Refusal, Row};
use super::rows::RowBuilder;
use super::scan::{Piece, scan};
use super::unwrap::{Inner, unwrap};
use crate::error::Result;
use crate::record::Records;

/// What the bytes of one source gave.
#[derive(Debug)]
pub struct Read {
    pub records_read: u64,
    pub rejects: Vec<Reject>,
    /// The record of each row, as its columns give it back.
    pub restored: Vec<String>,
}

/// Reads a source whose name says nothing.
///
/// # Errors
///
/// Where rows and schema disagree, which no bytes may bring about.
pub fn read(stored: &[u8]) -> Result<Read> {
    let (batch, decoded) = decode_at_once("-", stored, SourceKind::Unknown)?;
    Ok(Read {
        records_read: decoded.records_read,
        rejects: decoded.rejects,
        restored: restore(&batch)?,
    })
}

/// Every record in unpacked text, and what its row gives back.
///
/// # Errors
///
/// As [`read`].
pub fn round_trips(text: &[u8]) -> Result<Vec<(String, String)>> {
    let mut originals = Vec::new();
    scan(text, |piece| {
        let Piece::Record { json, .. } = piece else {
            return;
        };
        match Row::default().read(json, true) {
            Ok(()) => originals.push(json.to_owned()),
            Err(Refusal::NotCloudTrail(_)) => {
                unwrap(json, &mut |inner| {
                    if let Inner::Record(json) = inner {
                        originals.push(json.to_owned());
                    }
                });
            }
            Err(Refusal::Invalid(_) | Refusal::Digest) => {}
        }
    });
    originals.retain(|json| Row::default().read(json, true).is_ok());
    let mut rows = RowBuilder::default();
    for (index, json) in (0..).zip(&originals) {
        let mut row = Row::default();
        if row.read(json, true).is_ok() {
            rows.push(&row, "-", index).map_err(unbuilt)?;
        }
    }
    let restored = restore(&rows.finish().map_err(unbuilt)?)?;
    Ok(originals.into_iter().zip(restored).collect())
}

fn restore(batch: &RecordBatch) -> Result<Vec<String>> {
    let records = Records::of_batch(batch)?;
    let restored = (0..batch.num_rows()).map(|row| {
        let mut json = String::new();
        records.write(row, &mut json).map(|()| json)
    });
    restored.collect()
}
