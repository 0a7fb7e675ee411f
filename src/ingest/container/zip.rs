//! Zip archives: the directory at the end, and the headers before each member.
//!
//! Read here and not by a crate, because the directory must not take memory for every entry it
//! claims, and because a zip that was cut off has its members still and no directory.

mod data;
mod salvage;

use std::io::{self, BufRead, Read};

use super::name::name_as_text;
use super::stored::StoredReader;
use super::{ContainerError, Stored};

pub(super) use data::ZipData;
pub(super) use salvage::Salvage;

const HEADER: &[u8] = b"PK\x03\x04";
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const DIRECTORY_END: &[u8] = b"PK\x05\x06";
const DIRECTORY_END_64: &[u8] = b"PK\x06\x06";
const DIRECTORY_PLACE_64: &[u8] = b"PK\x06\x07";

const HEADER_BYTES: usize = 30;
const DIRECTORY_ENTRY_BYTES: usize = 46;
const DIRECTORY_END_BYTES: usize = 22;
const DIRECTORY_END_64_BYTES: usize = 56;
const DIRECTORY_PLACE_64_BYTES: u64 = 20;

/// The end record has a comment of up to so many bytes behind it.
const COMMENT_MAX_BYTES: usize = 65_535;

const FLAG_ENCRYPTED: u16 = 1;
const FLAG_SIZES_BEHIND: u16 = 1 << 3;

/// A field of 32 bits that stands for one of 64 bits in the extra fields.
const IN_EXTRA: u64 = 0xffff_ffff;

/// A member, as the directory or its own header describes it.
#[derive(Debug, Clone)]
pub(super) struct ZipEntry {
    pub(super) name: String,
    pub(super) method: u16,
    flags: u16,
    /// Not known from a header when the member was written to a pipe.
    crc: Option<u32>,
    pub(super) packed_bytes: Option<u64>,
    pub(super) unpacked_bytes: Option<u64>,
    /// Where its header begins.
    pub(super) offset: u64,
    is_link: bool,
}

impl ZipEntry {
    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(['/', '\\']) && self.unpacked_bytes.unwrap_or(0) == 0
    }

    /// Why the member's bytes are not to be had, if so: a reason and a detail.
    pub(super) fn refusal(&self) -> Option<ContainerError> {
        if self.flags & FLAG_ENCRYPTED != 0 || self.method == 99 {
            return Some(ContainerError::new("encrypted", "the member is encrypted"));
        }
        if self.is_link {
            return Some(ContainerError::new("not-a-file", "a symbolic link"));
        }
        let name = match self.method {
            0 | 8 | 12 | 93 | 95 => return None,
            1 => "shrink",
            2..=5 => "reduce",
            6 => "implode",
            9 => "deflate64",
            14 => "lzma",
            96 => "jpeg",
            97 => "wavpack",
            98 => "ppmd",
            _ => "unknown",
        };
        let detail = format!(
            "packed by method {} ({name}), which is not read",
            self.method
        );
        Some(ContainerError::new("unsupported-method", detail))
    }
}

/// The directory of an archive, checked from one end to the other.
pub(super) struct Directory {
    start: u64,
    size_bytes: u64,
    /// How far everything lies behind where the archive says: something may stand before it.
    shift: u64,
}

impl Directory {
    /// # Errors
    ///
    /// `truncated-zip` where there is none, `invalid-zip` where it is damaged.
    pub(super) fn read(stored: &Stored) -> Result<Self, ContainerError> {
        let tail_bytes = COMMENT_MAX_BYTES + DIRECTORY_END_BYTES;
        let tail_at = stored.size_bytes().saturating_sub(tail_bytes as u64);
        let tail = stored.piece(tail_at, tail_bytes)?;
        let ends = memchr::memmem::rfind_iter(&tail, DIRECTORY_END);
        let mut failure =
            ContainerError::new("truncated-zip", "the directory at its end is missing");
        // A comment may hold the mark too, so an earlier one may be the right one.
        for at in ends.take(DIRECTORY_ENDS_MAX) {
            let Some(record) = tail[at..].first_chunk::<DIRECTORY_END_BYTES>() else {
                continue;
            };
            let found = Self::locate(stored, record, tail_at + at as u64)
                .and_then(|directory| directory.check(stored).map(|()| directory));
            match found {
                Ok(directory) => return Ok(directory),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn locate(
        stored: &Stored,
        record: &[u8; DIRECTORY_END_BYTES],
        record_at: u64,
    ) -> Result<Self, ContainerError> {
        let mut size_bytes = u64::from(u32_at(record, 12));
        let mut start = u64::from(u32_at(record, 16));
        let mut end = record_at;
        if u16_at(record, 4) != u16_at(record, 6) {
            return Err(damaged("it is one part of a split archive"));
        }
        if let Some((record, at)) = end_64(stored, record_at)? {
            (size_bytes, start, end) = (u64_at(&record, 40), u64_at(&record, 48), at);
        }
        let claimed_end = start.checked_add(size_bytes);
        let shift = claimed_end.and_then(|claimed| end.checked_sub(claimed));
        let shift = shift.ok_or_else(|| damaged("its directory does not fit"))?;
        Ok(Self {
            start: start + shift,
            size_bytes,
            shift,
        })
    }

    fn check(&self, stored: &Stored) -> Result<(), ContainerError> {
        let mut entries = self.entries(stored);
        while entries.next()?.is_some() {}
        Ok(())
    }

    pub(super) fn entries(&self, stored: &Stored) -> Entries {
        Entries {
            reader: stored.range(self.start, self.size_bytes),
            shift: self.shift,
        }
    }
}

/// So many places that look like a directory's end are tried.
const DIRECTORY_ENDS_MAX: usize = 4;

/// The end record for large archives, and where it begins.
fn end_64(
    stored: &Stored,
    record_at: u64,
) -> io::Result<Option<([u8; DIRECTORY_END_64_BYTES], u64)>> {
    let Some(place_at) = record_at.checked_sub(DIRECTORY_PLACE_64_BYTES) else {
        return Ok(None);
    };
    let place = stored.piece(place_at, 16)?;
    if !place.starts_with(DIRECTORY_PLACE_64) || place.len() < 16 {
        return Ok(None);
    }
    // Where it says, or right before, if something stands before the archive.
    let right_before = place_at.saturating_sub(DIRECTORY_END_64_BYTES as u64);
    for at in [u64_at(&place, 8), right_before] {
        let record = stored.piece(at, DIRECTORY_END_64_BYTES)?;
        if let (true, Some(record)) = (record.starts_with(DIRECTORY_END_64), record.first_chunk()) {
            return Ok(Some((*record, at)));
        }
    }
    Ok(None)
}

fn damaged(detail: &str) -> ContainerError {
    ContainerError::new("invalid-zip", detail)
}

/// Goes through a directory from front to back.
pub(super) struct Entries {
    reader: StoredReader,
    shift: u64,
}

impl Entries {
    /// # Errors
    ///
    /// Where the directory is damaged.
    pub(super) fn next(&mut self) -> Result<Option<ZipEntry>, ContainerError> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut fixed = [0; DIRECTORY_ENTRY_BYTES];
        self.fill(&mut fixed)?;
        if !fixed.starts_with(DIRECTORY_ENTRY) {
            return Err(damaged("its directory is damaged"));
        }
        let mut name = vec![0; usize::from(u16_at(&fixed, 28))];
        self.fill(&mut name)?;
        let mut extra = vec![0; usize::from(u16_at(&fixed, 30))];
        self.fill(&mut extra)?;
        self.fill(&mut vec![0; usize::from(u16_at(&fixed, 32))])?;
        let mut wide = Wide::find(&extra);
        let unpacked_bytes = wide.widen(u32_at(&fixed, 24));
        let packed_bytes = wide.widen(u32_at(&fixed, 20));
        let offset = wide.widen(u32_at(&fixed, 42)).saturating_add(self.shift);
        let is_unix = fixed[5] == 3;
        Ok(Some(ZipEntry {
            name: name_as_text(&name),
            flags: u16_at(&fixed, 8),
            method: u16_at(&fixed, 10),
            crc: Some(u32_at(&fixed, 16)),
            packed_bytes: Some(packed_bytes),
            unpacked_bytes: Some(unpacked_bytes),
            offset,
            is_link: is_unix && u16_at(&fixed, 40) & 0o170_000 == 0o120_000,
        }))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ContainerError> {
        self.reader
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => damaged("its directory is damaged"),
                _ => error.into(),
            })
    }
}

/// The fields of 64 bits in an entry's extra fields, in the order in which they are needed.
struct Wide<'a>(&'a [u8]);

impl<'a> Wide<'a> {
    fn find(mut extra: &'a [u8]) -> Self {
        while let [id0, id1, n0, n1, rest @ ..] = extra {
            let length = usize::from(u16::from_le_bytes([*n0, *n1])).min(rest.len());
            let (field, next) = rest.split_at(length);
            if [*id0, *id1] == [1, 0] {
                return Self(field);
            }
            extra = next;
        }
        Self(&[])
    }

    fn widen(&mut self, narrow: u32) -> u64 {
        match self.0.split_first_chunk::<8>() {
            Some((wide, rest)) if u64::from(narrow) == IN_EXTRA => {
                self.0 = rest;
                u64::from_le_bytes(*wide)
            }
            _ => u64::from(narrow),
        }
    }
}

/// Where a member's data begins, if its header is where the directory says.
pub(super) fn data_start(stored: &Stored, entry: &ZipEntry) -> Result<u64, ContainerError> {
    let header = stored.piece(entry.offset, HEADER_BYTES)?;
    if header.len() < HEADER_BYTES || !header.starts_with(HEADER) {
        return Err(damaged(
            "the member's header is not where the directory says",
        ));
    }
    Ok(entry.offset + after_header(&header))
}

/// From a header's beginning to the data behind it.
fn after_header(header: &[u8]) -> u64 {
    HEADER_BYTES as u64 + u64::from(u16_at(header, 26)) + u64::from(u16_at(header, 28))
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}
