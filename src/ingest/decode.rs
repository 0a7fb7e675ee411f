//! From the bytes of one source to rows and rejects.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use twox_hash::XxHash64;

use super::normalize::{Refusal, Row};
use super::rows::RowBuilder;
use super::scan::{Piece, Reason, scan};
use super::unwrap::{Inner, Unwrapped, unwrap};
use crate::schema::event_column_index;

/// A source is read up to this many unpacked bytes. Files as CloudTrail delivers them stay under
/// 50 MB; the limit keeps a gzip bomb from filling the memory.
pub const MAX_SOURCE_JSON_BYTES: u64 = 1024 * 1024 * 1024;

/// Of a reject's bytes so many are kept: enough for any CloudTrail record, which ends at 256 KiB.
pub const MAX_REJECT_RAW_BYTES: usize = 256 * 1024;

/// What kind of object a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    Events,
    Insight,
    Digest,
    Unknown,
}

impl SourceKind {
    /// The word in `sources.kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Insight => "insight",
            Self::Digest => "digest",
            Self::Unknown => "unknown",
        }
    }
}

/// Bytes that became no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub record_index: u64,
    pub byte_offset: u64,
    pub reason: &'static str,
    pub detail: String,
    /// Up to [`MAX_REJECT_RAW_BYTES`].
    pub raw: Vec<u8>,
    pub raw_bytes: u64,
}

/// What makes two records one event, and how to tell twins apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKey {
    /// 128 bits over event id and recipient account.
    pub key: u128,
    pub content_hash: u64,
    /// The day since 1970 of the event, which names its partition.
    pub day: Option<i64>,
    pub record_index: u64,
}

/// What one source gave.
#[derive(Debug, Clone)]
pub struct Decoded {
    pub kind: SourceKind,
    pub sha256: String,
    pub json_bytes: u64,
    /// Records met, rejects included.
    pub records_read: u64,
    pub rejects: Vec<Reject>,
}

/// The hash of a source's bytes as stored, lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether the bytes are a gzip member's.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Whether unpacked bytes begin like JSON text.
pub fn looks_like_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}

/// Unpacked bytes, and what went wrong at their end.
struct Unpacked<'a> {
    bytes: std::borrow::Cow<'a, [u8]>,
    failure: Option<(&'static str, String)>,
}

/// Reads a source: unpacks it, cuts it into records and adds a row for each to `rows`, with its key
/// to `keys`. `name_kind` is what the source's name says it is.
///
/// # Errors
///
/// Only where rows and schema disagree, which is a defect of the program.
pub fn decode(
    uri: &str,
    stored: &[u8],
    name_kind: SourceKind,
    rows: &mut RowBuilder,
    keys: &mut Vec<EventKey>,
) -> Result<Decoded, arrow::error::ArrowError> {
    let unpacked = unpack(stored, MAX_SOURCE_JSON_BYTES);
    let mut decoded = Decoded {
        kind: name_kind,
        sha256: sha256(stored),
        json_bytes: unpacked.bytes.len() as u64,
        records_read: 0,
        rejects: Vec::new(),
    };
    if name_kind == SourceKind::Digest && unpacked.failure.is_none() {
        return Ok(decoded);
    }
    let mut failed = Ok(());
    let mut row = Row::default();
    scan(&unpacked.bytes, |piece| {
        if failed.is_ok() {
            failed = take(uri, piece, &mut row, rows, keys, &mut decoded);
        }
    });
    failed?;
    if let Some((reason, detail)) = unpacked.failure {
        blame_container(&mut decoded, reason, detail);
    }
    let n_rejects = decoded.rejects.len() as u64;
    if decoded.kind == SourceKind::Unknown && decoded.records_read > n_rejects {
        decoded.kind = SourceKind::Events;
    }
    Ok(decoded)
}

fn unpack(stored: &[u8], max_bytes: u64) -> Unpacked<'_> {
    if !is_gzip(stored) {
        return Unpacked {
            bytes: stored.into(),
            failure: None,
        };
    }
    // Text of this kind packs about 1 to 8; growing by doubling covers the rest.
    let mut bytes = Vec::with_capacity(stored.len().saturating_mul(6).min(64 * 1024 * 1024));
    let mut decoder = MultiGzDecoder::new(stored).take(max_bytes);
    let failure = match decoder.read_to_end(&mut bytes) {
        Ok(_) if decoder.limit() == 0 => Some((
            "too-large",
            format!("unpacks to more than {max_bytes} bytes"),
        )),
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Some(("truncated-gzip", "the gzip stream ends early".to_owned()))
        }
        Err(error) => Some(("invalid-gzip", error.to_string())),
    };
    Unpacked {
        bytes: bytes.into(),
        failure,
    }
}

fn take<'a>(
    uri: &str,
    piece: Piece<'a>,
    row: &mut Row<'a>,
    rows: &mut RowBuilder,
    keys: &mut Vec<EventKey>,
    decoded: &mut Decoded,
) -> Result<(), arrow::error::ArrowError> {
    let record_index = decoded.records_read;
    let (offset, raw, reason, detail) = match piece {
        Piece::Broken {
            offset,
            raw,
            reason,
        } => match text_of_values(raw, reason) {
            Some(text) => return open(uri, offset, text, rows, keys, decoded),
            None => (offset, raw, reason.code(), reason.detail().to_owned()),
        },
        Piece::Record {
            offset,
            json,
            spaced,
        } => match row.read(json, spaced) {
            Ok(()) => {
                keys.push(event_key(row, record_index));
                rows.push(row, uri, record_index)?;
                decoded.records_read += 1;
                return Ok(());
            }
            Err(Refusal::Digest) => {
                decoded.kind = SourceKind::Digest;
                return Ok(());
            }
            Err(Refusal::Invalid(detail)) => {
                (offset, json.as_bytes(), Reason::Syntax.code(), detail)
            }
            Err(Refusal::NotCloudTrail(_)) => {
                return open(uri, offset, json, rows, keys, decoded);
            }
        },
    };
    reject(decoded, offset, raw, reason, detail);
    Ok(())
}

/// Strings and nested arrays, which may hold records too.
fn text_of_values(raw: &[u8], reason: Reason) -> Option<&str> {
    let may_hold = reason == Reason::NotAnObject && matches!(raw.first(), Some(b'"' | b'['));
    may_hold.then(|| std::str::from_utf8(raw).ok()).flatten()
}

/// What is no record may hold some: each thing in it counts as one read, at its place.
fn open(
    uri: &str,
    offset: usize,
    json: &str,
    rows: &mut RowBuilder,
    keys: &mut Vec<EventKey>,
    decoded: &mut Decoded,
) -> Result<(), arrow::error::ArrowError> {
    let mut outcome = Ok(());
    let what = unwrap(json, &mut |inner| match inner {
        Inner::Broken {
            raw,
            reason,
            detail,
        } => reject(decoded, offset, raw, reason, detail),
        Inner::Record(text) => {
            let mut row = Row::default();
            match row.read(text, true) {
                Ok(()) if outcome.is_ok() => {
                    keys.push(event_key(&row, decoded.records_read));
                    outcome = rows.push(&row, uri, decoded.records_read);
                    decoded.records_read += 1;
                }
                Ok(()) => {}
                Err(refusal) => {
                    let (reason, detail) = match refusal {
                        Refusal::Invalid(detail) => (Reason::Syntax.code(), detail),
                        Refusal::NotCloudTrail(detail) => ("not-cloudtrail", detail),
                        Refusal::Digest => ("not-cloudtrail", "a digest".to_owned()),
                    };
                    reject(decoded, offset, text.as_bytes(), reason, detail);
                }
            }
        }
    });
    match what {
        Unwrapped::Wrapper(_) => {}
        Unwrapped::Digest => decoded.kind = SourceKind::Digest,
        Unwrapped::Foreign { reason, detail } => {
            reject(decoded, offset, json.as_bytes(), reason, detail);
        }
    }
    outcome
}

fn reject(decoded: &mut Decoded, offset: usize, raw: &[u8], reason: &'static str, detail: String) {
    decoded.rejects.push(Reject {
        record_index: decoded.records_read,
        byte_offset: offset as u64,
        reason,
        detail,
        raw: raw[..raw.len().min(MAX_REJECT_RAW_BYTES)].to_vec(),
        raw_bytes: raw.len() as u64,
    });
    decoded.records_read += 1;
}

/// Says of a container that ended badly; where the text ended early because of it, that is one fact.
fn blame_container(decoded: &mut Decoded, reason: &'static str, detail: String) {
    match decoded.rejects.last_mut() {
        Some(last) if last.reason == Reason::Truncated.code() => {
            last.reason = reason;
            last.detail = detail;
        }
        _ => {
            decoded.rejects.push(Reject {
                record_index: decoded.records_read,
                byte_offset: decoded.json_bytes,
                reason,
                detail,
                raw: Vec::new(),
                raw_bytes: 0,
            });
            decoded.records_read += 1;
        }
    }
}

fn event_key(row: &Row<'_>, record_index: u64) -> EventKey {
    let text = |name: &str| {
        event_column_index(name)
            .and_then(|index| row.text(index))
            .unwrap_or_default()
    };
    EventKey {
        key: key_hash(text("eventid"), text("recipientaccountid")),
        content_hash: row.content_hash,
        day: row
            .event_time()
            .map(|micros| micros.div_euclid(super::time::MICROS_PER_DAY)),
        record_index,
    }
}

/// The key of an event: its id and the account it was delivered to.
pub fn key_hash(event_id: &str, account: &str) -> u128 {
    let text = format!("{event_id}\n{account}");
    let half = |seed| u128::from(XxHash64::oneshot(seed, text.as_bytes()));
    half(0) << 64 | half(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    #[test]
    fn what_unpacks_without_end_is_cut() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&[b' '; 100_000]).unwrap();
        let bomb = packer.finish().unwrap();
        assert!(bomb.len() < 1_000);
        let cut = unpack(&bomb, 2_000);
        assert_eq!(cut.bytes.len(), 2_000);
        assert_eq!(cut.failure.map(|(reason, _)| reason), Some("too-large"));
        assert!(unpack(&bomb, 200_000).failure.is_none());
    }
}
