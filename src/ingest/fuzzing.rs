//! For fuzzing and its smoke run: the way of any bytes through decoding and normalizing, and back.
//!
//! Nothing here is for users. What must hold is said by the callers, `tests/support/fuzz.rs`.

use std::io::Read as _;

use arrow::array::RecordBatch;

use super::at_once::{decode_at_once, unbuilt};
use super::container::{Limits, Object, Stored, Visit, visit};
use super::decode::{Reject, SourceKind};
use super::normalize::{Refusal, Row};
use super::rows::{RowBuilder, plain};
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

/// Reads a source whose name says nothing, with whatever is packed in it.
///
/// # Errors
///
/// Where rows and schema disagree, which no bytes may bring about.
pub fn read(stored: &[u8]) -> Result<Read> {
    let stored = Stored::Bytes(stored.to_vec().into());
    let object = Object {
        uri: "-",
        stored: &stored,
        named_as_log: true,
    };
    let limits = Limits {
        expanded_bytes: MAX_TEXT_BYTES,
        archive_bytes: MAX_TEXT_BYTES,
        ..Limits::default()
    };
    let mut whole = Read {
        records_read: 0,
        rejects: Vec::new(),
        restored: Vec::new(),
    };
    visit::<crate::Error>(object, &limits, &mut |found| {
        let Visit::Text(mut member) = found else {
            return Ok(());
        };
        let mut text = Vec::new();
        // What could be unpacked is read, as an ingest does.
        let failure = member.open().read_to_end(&mut text).err();
        let (batch, mut decoded) = decode_at_once("-", &text, SourceKind::Unknown)?;
        if let Some(error) = failure {
            decoded.blame(text.len() as u64, "unreadable", error.to_string());
        }
        whole.records_read += decoded.records_read;
        whole.rejects.append(&mut decoded.rejects);
        whole.restored.append(&mut restore(&batch)?);
        Ok(())
    })?;
    Ok(whole)
}

/// Mutated archives may unpack to anything.
const MAX_TEXT_BYTES: u64 = 16 * 1024 * 1024;

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
        match Row::default().read_whole(json) {
            Ok(()) => originals.push(json.to_owned()),
            Err(Refusal::NotCloudTrail { .. }) => {
                unwrap(json, &mut |inner| {
                    if let Inner::Record(json) = inner {
                        originals.push(json.to_owned());
                    }
                });
            }
            Err(Refusal::Invalid(_) | Refusal::Digest { .. }) => {}
        }
    });
    originals.retain(|json| Row::default().read_whole(json).is_ok());
    let mut rows = RowBuilder::default();
    for (index, json) in (0..).zip(&originals) {
        let mut row = Row::default();
        if row.read_whole(json).is_ok() {
            rows.push(&row, "-", index).map_err(unbuilt)?;
        }
    }
    let batch = rows.finish().and_then(|batch| plain(&batch));
    let restored = restore(&batch.map_err(unbuilt)?)?;
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
