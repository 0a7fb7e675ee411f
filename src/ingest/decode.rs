//! From text to rows and rejects.
//!
//! The text of a source may come in parts, each read on its own and joined in order by whoever runs
//! the ingest; positions within a part count from its beginning. Nothing is opened here.

use twox_hash::XxHash64;

use super::normalize::{Refusal, Row, Wanted};
use super::rows::RowBuilder;
use super::scan::{Piece, Reason, Scanner, Sink};
use super::select::Selection;
use super::table_text;
use super::unwrap::{Inner, Unwrapped, unwrap};

/// Of a reject's bytes so many are kept: enough for any CloudTrail record, which ends at 256 KiB.
pub const MAX_REJECT_RAW_BYTES: usize = 256 * 1024;

/// Of a digest's text so much is kept: it lists the files of one hour.
pub const MAX_DIGEST_BYTES: usize = 16 * 1024 * 1024;

/// What kind of object a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    Events,
    Insight,
    Digest,
    /// Holds others; they have lines of their own.
    Archive,
    Unknown,
}

impl SourceKind {
    /// The word in `sources.kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Insight => "insight",
            Self::Digest => "digest",
            Self::Archive => "archive",
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

/// What one source gave, or a part of it.
#[derive(Debug, Clone)]
pub struct Decoded {
    pub kind: SourceKind,
    pub json_bytes: u64,
    /// Records met, rejects included, and not those left out.
    pub records_read: u64,
    /// Records outside of the run's selection.
    pub left_out: u64,
    pub rejects: Vec<Reject>,
    /// The form the records came in, where it is not CloudTrail's own.
    pub shape: Option<&'static str>,
    /// A digest's text.
    pub digest: Option<String>,
}

impl Decoded {
    pub fn new(kind: SourceKind) -> Self {
        Self {
            kind,
            json_bytes: 0,
            records_read: 0,
            left_out: 0,
            rejects: Vec::new(),
            shape: None,
            digest: None,
        }
    }

    /// Records met, left out or not: the position of the next.
    pub fn position(&self) -> u64 {
        self.records_read + self.left_out
    }

    /// Adds a reject for what stands at the next position.
    pub fn reject(&mut self, offset: u64, raw: &[u8], reason: &'static str, detail: String) {
        self.rejects.push(Reject {
            record_index: self.position(),
            byte_offset: offset,
            reason,
            detail,
            raw: raw[..raw.len().min(MAX_REJECT_RAW_BYTES)].to_vec(),
            raw_bytes: raw.len() as u64,
        });
        self.records_read += 1;
    }

    /// Adds what the next part of the source gave, save its rejects.
    pub fn append(&mut self, part: Self) {
        self.json_bytes += part.json_bytes;
        self.records_read += part.records_read;
        self.left_out += part.left_out;
        self.shape = self.shape.or(part.shape);
        self.digest = self.digest.take().or(part.digest);
        if part.kind != SourceKind::Unknown {
            self.kind = part.kind;
        }
    }

    /// Says of a source that ended badly; where the text ended early because of it, that is one fact.
    /// `end` is how many unpacked bytes there were.
    pub fn blame(&mut self, end: u64, reason: &'static str, detail: String) {
        match self.rejects.last_mut() {
            Some(last) if last.reason == Reason::Truncated.code() => {
                last.reason = reason;
                last.detail = detail;
            }
            _ => self.reject(end, &[], reason, detail),
        }
    }
}

/// Where rows go.
pub struct Output<'o> {
    pub rows: &'o mut RowBuilder,
    /// Parallel to the rows.
    pub keys: &'o mut Vec<EventKey>,
    pub selection: &'o Selection,
}

/// A piece of a text, found by one pass and read by another.
#[derive(Debug, Clone, Copy)]
pub enum Cut {
    Record {
        start: usize,
        end: usize,
    },
    Broken {
        start: usize,
        end: usize,
        reason: Reason,
    },
}

/// Reads the whole text of a source, or its table.
///
/// # Errors
///
/// Only where rows and schema disagree, which is a defect of the program.
pub fn decode(
    uri: &str,
    text: &[u8],
    kind: SourceKind,
    output: &mut Output<'_>,
) -> Result<Decoded, arrow::error::ArrowError> {
    let mut taker = Taker::new(uri, kind, output);
    Scanner::default().feed(text, true, &mut taker);
    taker.done(text.len())
}

/// Reads pieces of a text that begins at `base` of its source.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_pieces(
    uri: &str,
    text: &[u8],
    base: u64,
    cuts: &[Cut],
    output: &mut Output<'_>,
) -> Result<Decoded, arrow::error::ArrowError> {
    let mut taker = Taker::new(uri, SourceKind::Unknown, output);
    for cut in cuts {
        taker.piece(match *cut {
            Cut::Record { start, end } => match std::str::from_utf8(&text[start..end]) {
                Ok(json) => Piece::Record {
                    offset: base + start as u64,
                    json,
                },
                Err(_) => Piece::Broken {
                    offset: base + start as u64,
                    raw: &text[start..end],
                    reason: Reason::NotUtf8,
                },
            },
            Cut::Broken { start, end, reason } => Piece::Broken {
                offset: base + start as u64,
                raw: &text[start..end],
                reason,
            },
        });
    }
    taker.done(text.len())
}

/// Reads a line of a table, and adds what it gave to `decoded`.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_line(
    uri: &str,
    line: &table_text::Line<'_>,
    decoded: &mut Decoded,
    output: &mut Output<'_>,
) -> Result<(), arrow::error::ArrowError> {
    match &line.record {
        Ok(json) => {
            let mut taker = Taker::new(uri, SourceKind::Events, output);
            std::mem::swap(&mut taker.decoded, decoded);
            taker.whole(line.offset, json);
            std::mem::swap(&mut taker.decoded, decoded);
            taker.failed
        }
        Err((reason, detail)) => {
            decoded.reject(line.offset, line.raw, reason, detail.clone());
            Ok(())
        }
    }
}

/// Makes rows of what the scanner finds.
struct Taker<'t, 'o, 'a> {
    uri: &'t str,
    output: &'t mut Output<'o>,
    row: Row<'a>,
    decoded: Decoded,
    failed: Result<(), arrow::error::ArrowError>,
}

impl<'t, 'o, 'a> Taker<'t, 'o, 'a> {
    fn new(uri: &'t str, kind: SourceKind, output: &'t mut Output<'o>) -> Self {
        Self {
            uri,
            output,
            row: Row::default(),
            decoded: Decoded::new(kind),
            failed: Ok(()),
        }
    }

    fn done(self, json_bytes: usize) -> Result<Decoded, arrow::error::ArrowError> {
        self.failed?;
        let mut decoded = self.decoded;
        decoded.json_bytes = json_bytes as u64;
        let n_rejects = decoded.rejects.len() as u64;
        if decoded.kind == SourceKind::Unknown && decoded.position() > n_rejects {
            decoded.kind = SourceKind::Events;
        }
        Ok(decoded)
    }

    /// Adds the record that was just read.
    fn push(&mut self) {
        push(
            &self.row,
            self.uri,
            &mut self.decoded,
            self.output,
            &mut self.failed,
        );
    }

    /// What is an object, but no record.
    fn other(&mut self, offset: u64, json: &str, is_digest: bool) {
        if !is_digest {
            return self.open(offset, json);
        }
        self.decoded.kind = SourceKind::Digest;
        if json.len() > MAX_DIGEST_BYTES {
            let detail = format!("a digest longer than {MAX_DIGEST_BYTES} bytes");
            self.decoded
                .reject(offset, json.as_bytes(), "too-long", detail);
        } else {
            self.decoded.digest = Some(json.to_owned());
        }
    }

    /// A text that is one record.
    fn whole(&mut self, offset: u64, json: &str) {
        let mut row = Row::default();
        match row.read_whole(json) {
            Ok(()) => push(
                &row,
                self.uri,
                &mut self.decoded,
                self.output,
                &mut self.failed,
            ),
            Err(Refusal::Invalid(fault)) => {
                let code = Reason::Syntax.code();
                self.decoded
                    .reject(offset, json.as_bytes(), code, fault.to_string());
            }
            Err(Refusal::Digest { .. }) => self.other(offset, json, true),
            Err(Refusal::NotCloudTrail { .. }) => self.other(offset, json, false),
        }
    }

    /// What is no record may hold some: each thing in it counts as one read, at its place.
    fn open(&mut self, offset: u64, json: &str) {
        let (uri, decoded) = (self.uri, &mut self.decoded);
        let (output, failed) = (&mut *self.output, &mut self.failed);
        let what = unwrap(json, &mut |inner| match inner {
            Inner::Broken {
                raw,
                reason,
                detail,
            } => decoded.reject(offset, raw, reason, detail),
            Inner::Record(text) => {
                let mut row = Row::default();
                let (reason, detail) = match row.read_whole(text) {
                    Ok(()) => return push(&row, uri, decoded, output, failed),
                    Err(Refusal::Invalid(fault)) => (Reason::Syntax.code(), fault.to_string()),
                    Err(Refusal::NotCloudTrail { looks_like, .. }) => {
                        ("not-cloudtrail", looks_like)
                    }
                    Err(Refusal::Digest { .. }) => ("not-cloudtrail", "a digest".to_owned()),
                };
                decoded.reject(offset, text.as_bytes(), reason, detail);
            }
        });
        match what {
            Unwrapped::Wrapper(shape) => self.decoded.shape = self.decoded.shape.or(Some(shape)),
            Unwrapped::Digest => self.other(offset, json, true),
            Unwrapped::Foreign { reason, detail } => {
                self.decoded.reject(offset, json.as_bytes(), reason, detail);
            }
        }
    }
}

fn push(
    row: &Row<'_>,
    uri: &str,
    decoded: &mut Decoded,
    output: &mut Output<'_>,
    failed: &mut Result<(), arrow::error::ArrowError>,
) {
    let is_wanted = output.selection.keeps(
        row.event_time(),
        row.text(Wanted::Account),
        row.text(Wanted::Region),
    );
    if !is_wanted {
        decoded.left_out += 1;
        return;
    }
    let position = decoded.position();
    output.keys.push(event_key(row, position));
    if let Err(error) = output.rows.push(row, uri, position) {
        *failed = Err(error);
    }
    decoded.records_read += 1;
}

impl<'a> Sink<'a> for Taker<'_, '_, 'a> {
    fn record(&mut self, text: &'a str, start: usize, base: u64) -> Option<usize> {
        match self.row.read(text, start) {
            Ok(end) => {
                self.push();
                Some(end)
            }
            Err(Refusal::Invalid(_)) => None,
            Err(Refusal::NotCloudTrail { end, .. }) => {
                self.other(base + start as u64, &text[start..end], false);
                Some(end)
            }
            Err(Refusal::Digest { end }) => {
                self.other(base + start as u64, &text[start..end], true);
                Some(end)
            }
        }
    }

    fn piece(&mut self, piece: Piece<'a>) {
        match piece {
            Piece::Record { offset, json } => self.whole(offset, json),
            Piece::Broken {
                offset,
                raw,
                reason,
            } => match text_of_values(raw, reason) {
                Some(text) => self.open(offset, text),
                None => {
                    let detail = reason.detail().to_owned();
                    self.decoded.reject(offset, raw, reason.code(), detail);
                }
            },
        }
    }
}

/// Strings and nested arrays, which may hold records too.
fn text_of_values(raw: &[u8], reason: Reason) -> Option<&str> {
    let may_hold = reason == Reason::NotAnObject && matches!(raw.first(), Some(b'"' | b'['));
    may_hold.then(|| std::str::from_utf8(raw).ok()).flatten()
}

fn event_key(row: &Row<'_>, record_index: u64) -> EventKey {
    let text = |wanted| row.text(wanted).unwrap_or_default();
    EventKey {
        key: key_hash(text(Wanted::Id), text(Wanted::Account)),
        content_hash: row.content_hash,
        day: row
            .event_time()
            .map(|micros| micros.div_euclid(super::time::MICROS_PER_DAY)),
        record_index,
    }
}

/// The key of an event: its id and the account it was delivered to.
pub fn key_hash(event_id: &str, account: &str) -> u128 {
    // Ids and accounts as AWS writes them are 49 bytes together.
    let mut short = [0_u8; 64];
    let length = event_id.len() + 1 + account.len();
    let halves = |text: &[u8]| {
        let half = |seed| u128::from(XxHash64::oneshot(seed, text));
        half(0) << 64 | half(1)
    };
    match short.get_mut(..length) {
        Some(text) => {
            text[..event_id.len()].copy_from_slice(event_id.as_bytes());
            text[event_id.len()] = b'\n';
            text[event_id.len() + 1..].copy_from_slice(account.as_bytes());
            halves(text)
        }
        None => halves(format!("{event_id}\n{account}").as_bytes()),
    }
}
