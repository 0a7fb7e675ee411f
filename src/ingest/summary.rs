//! What a run says of itself: to whoever watches it, and at its end.

use std::sync::Arc;
use std::time::Duration;

use super::decode::{Decoded, Reject, SourceKind};
use crate::error::IngestError;

/// Hears how a run goes on. Every method may be called often; none should wait.
pub trait Progress: Send + Sync {
    /// The run knows what lies before it.
    fn begin(&self, n_sources: u64, n_bytes: u64);
    /// A source is done: its stored bytes, and records so far.
    fn advance(&self, n_bytes: u64, n_records: u64);
    /// Something was rejected.
    fn reject(&self, uri: &str, reject: &Reject);
    /// Another process writes to the lake; the run waits for it.
    fn waiting(&self);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: u64, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
    fn reject(&self, _: &str, _: &Reject) {}
    fn waiting(&self) {}
}

/// The totals of a run. `records_read = rows_written + duplicates + rejected`, always.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Sources named, of every kind, and members of archives among them.
    pub sources: u64,
    /// Of them, read by an earlier run.
    pub sources_skipped: u64,
    /// Of them, digest files and others that hold no events.
    pub sources_listed: u64,
    /// Of them, with something rejected.
    pub sources_rejected: u64,
    /// Stored bytes read.
    pub stored_bytes: u64,
    /// Unpacked bytes read.
    pub json_bytes: u64,
    pub records_read: u64,
    pub rows_written: u64,
    pub duplicates: u64,
    pub rejected: u64,
    /// Records outside of the run's selection, which are not among those read.
    pub left_out: u64,
    /// Rows that were found to have a twin: the same key, other content. Both count.
    pub conflicting: u64,
    pub elapsed: Duration,
}

/// A source's line in `sources`.
#[derive(Debug, Clone)]
pub(super) struct SourceRecord {
    pub(super) uri: Arc<str>,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) container: Option<&'static str>,
    /// Without its rejects, which are on their way already.
    pub(super) decoded: Decoded,
    pub(super) rows_written: u64,
    pub(super) duplicates: u64,
    pub(super) rejected: u64,
    /// What was rejected may be readable another time.
    pub(super) may_change: bool,
    /// The first reject in words.
    pub(super) error: Option<String>,
}

impl SourceRecord {
    /// The word in `sources.status`.
    pub(super) fn status(&self) -> &'static str {
        let taken = self.rows_written + self.duplicates;
        match self.decoded.kind {
            SourceKind::Digest | SourceKind::Archive if self.rejected == 0 => "listed",
            SourceKind::Unknown if self.rejected == 0 && taken == 0 => "listed",
            _ if self.rejected == 0 => "ok",
            _ if taken > 0 => "partial",
            _ => "rejected",
        }
    }

    /// # Errors
    ///
    /// [`IngestError::Totals`] where what was read is not what became of it.
    pub(super) fn check(&self) -> Result<(), IngestError> {
        let sum = self.rows_written + self.duplicates + self.rejected;
        if self.decoded.records_read == sum {
            return Ok(());
        }
        Err(IngestError::Totals {
            source_uri: self.uri.to_string(),
            read: self.decoded.records_read,
            written: self.rows_written,
            duplicate: self.duplicates,
            rejected: self.rejected,
        })
    }
}

impl Summary {
    /// Adds a source that is done.
    pub(super) fn add(&mut self, record: &SourceRecord) {
        self.sources_listed += u64::from(record.status() == "listed");
        self.sources_rejected += u64::from(record.rejected > 0);
        self.stored_bytes += record.size_bytes;
        self.json_bytes += record.decoded.json_bytes;
        self.records_read += record.decoded.records_read;
        self.rows_written += record.rows_written;
        self.duplicates += record.duplicates;
        self.rejected += record.rejected;
        self.left_out += record.decoded.left_out;
    }
}
