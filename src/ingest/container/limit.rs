//! How much a stored object may cost, and the readers that hold it to that.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ContainerError;

/// Limits on what a source may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One text unpacks to at most so many bytes.
    pub expanded_bytes: u64,
    /// Everything in an archive, with archives in it, unpacks to at most so many bytes.
    pub archive_bytes: u64,
    /// Packed bytes give at most so many times as many; judged only after some MiB.
    pub ratio: u64,
    /// An archive, with archives in it, has at most so many members.
    pub archive_members: u64,
    /// So many layers may lie in each other: a gzipped tar is two, a gzipped file in it is three.
    pub nesting: u32,
    /// Stored objects up to this are held in memory. Larger ones stay files, and what comes out of an
    /// archive waits in a temporary file without a name.
    pub in_memory_bytes: u64,
}

/// A whole trail of a large company, exported as one file, is some ten GB. A member of an archive may
/// wait on disk, so this is also what a hostile one can take there.
const EXPANDED_BYTES: u64 = 64 * GIB;

/// A copy of a bucket in one archive, with years of many accounts in it.
const ARCHIVE_BYTES: u64 = 1024 * GIB;

/// CloudTrail's files pack 1:8 to 1:20, files of one event over and over up to 1:200. Deflate ends at
/// 1:1032, and other methods go far beyond: whoever wants to fill memory, disk or time is there.
const RATIO: u64 = 500;

/// A file for every five minutes, account and region: this is a year of twenty accounts.
const ARCHIVE_MEMBERS: u64 = 2_000_000;

/// A gzipped log in a tar, gzipped, in a zip, is four; twice that is no accident.
const NESTING: u32 = 8;

/// CloudTrail's files end far below, packed and mostly unpacked too.
const IN_MEMORY_BYTES: u64 = 16 * MIB;

/// A stream is judged by its ratio from here on. Files as CloudTrail delivers them stay under 50 MB
/// unpacked, so nobody hides events from spoor by making them pack well.
const STREAM_GRACE_BYTES: u64 = 64 * MIB;

/// All of an archive together is judged from here on: a second or two of unpacking.
const ARCHIVE_GRACE_BYTES: u64 = GIB;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

impl Default for Limits {
    fn default() -> Self {
        Self {
            expanded_bytes: EXPANDED_BYTES,
            archive_bytes: ARCHIVE_BYTES,
            ratio: RATIO,
            archive_members: ARCHIVE_MEMBERS,
            nesting: NESTING,
            in_memory_bytes: IN_MEMORY_BYTES,
        }
    }
}

impl Limits {
    /// Whether one stream that turned `packed` bytes into `unpacked` is a bomb.
    pub(super) fn judge_stream(&self, packed: u64, unpacked: u64) -> Result<(), ContainerError> {
        if unpacked <= STREAM_GRACE_BYTES || unpacked <= packed.saturating_mul(self.ratio) {
            return Ok(());
        }
        Err(bomb(packed, self.ratio))
    }
}

fn bomb(packed: u64, ratio: u64) -> ContainerError {
    ContainerError::new(
        "bomb",
        format!("{packed} packed bytes unpack to more than {ratio} times as many"),
    )
}

fn too_large(max_bytes: u64) -> ContainerError {
    ContainerError::new(
        "too-large",
        format!("unpacks to more than {max_bytes} bytes"),
    )
}

/// What one stored object and everything in it may still unpack to.
#[derive(Debug)]
pub(super) struct Budget {
    spent_bytes: AtomicU64,
    allowed_bytes: u64,
    stored_bytes: u64,
    limits: Limits,
}

impl Budget {
    pub(super) fn new(stored_bytes: u64, limits: &Limits) -> Self {
        let by_ratio = stored_bytes
            .saturating_mul(limits.ratio)
            .max(ARCHIVE_GRACE_BYTES);
        Self {
            spent_bytes: AtomicU64::new(0),
            allowed_bytes: by_ratio.min(limits.archive_bytes),
            stored_bytes,
            limits: *limits,
        }
    }

    fn spend(&self, n_bytes: usize) {
        self.spent_bytes
            .fetch_add(n_bytes as u64, Ordering::Relaxed);
    }

    fn explain(&self) -> ContainerError {
        if self.allowed_bytes < self.limits.archive_bytes {
            bomb(self.stored_bytes, self.limits.ratio)
        } else {
            too_large(self.limits.archive_bytes)
        }
    }

    pub(super) fn check(&self) -> Result<(), ContainerError> {
        if self.spent_bytes.load(Ordering::Relaxed) > self.allowed_bytes {
            return Err(self.explain());
        }
        Ok(())
    }
}

/// A reader that ends with an error where a limit is reached.
pub(super) struct Limited<R> {
    inner: R,
    left_bytes: u64,
    max_bytes: u64,
    budget: Option<Arc<Budget>>,
}

impl<R: Read> Limited<R> {
    /// Up to `max_bytes`. The budget is left out where the bytes were paid for already.
    pub(super) fn new(inner: R, max_bytes: u64, budget: Option<&Arc<Budget>>) -> Self {
        Self {
            inner,
            left_bytes: max_bytes,
            max_bytes,
            budget: budget.map(Arc::clone),
        }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if let Some(budget) = &self.budget {
            budget.check()?;
        }
        if self.left_bytes == 0 {
            // What ends exactly at the limit is not too large.
            return match self.inner.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(too_large(self.max_bytes).into()),
            };
        }
        let wanted = usize::try_from(self.left_bytes).unwrap_or(usize::MAX);
        let wanted = wanted.min(out.len());
        let n_bytes = self.inner.read(&mut out[..wanted])?;
        self.left_bytes -= n_bytes as u64;
        // Bytes beyond the budget are still handed out; the next read says so.
        if let Some(budget) = &self.budget {
            budget.spend(n_bytes);
        }
        Ok(n_bytes)
    }
}
