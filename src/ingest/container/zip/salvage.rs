//! Members of a zip whose directory is missing or damaged, by the headers before each of them.

use memchr::memmem;

use super::{
    DIRECTORY_ENTRY, FLAG_SIZES_BEHIND, HEADER, HEADER_BYTES, Wide, ZipEntry, after_header,
    name_as_text, u16_at, u32_at,
};
use crate::ingest::container::{ContainerError, Stored};

/// Marks are looked for in pieces of this size.
const PIECE_BYTES: usize = 128 * 1024;

/// Stands behind a member whose sizes were not known before.
const SIZES_BEHIND: &[u8] = b"PK\x07\x08";

/// The highest version of the format is 6.3; what asks for more is no header.
const VERSION_MAX: u8 = 63;

/// Goes from header to header.
pub(in super::super) struct Salvage<'a> {
    stored: &'a Stored,
    at: u64,
    headers: Marks,
    sizes: Marks,
    directory: Marks,
}

impl<'a> Salvage<'a> {
    pub(in super::super) fn new(stored: &'a Stored) -> Self {
        Self {
            stored,
            at: 0,
            headers: Marks::new(HEADER),
            sizes: Marks::new(SIZES_BEHIND),
            directory: Marks::new(DIRECTORY_ENTRY),
        }
    }

    /// The next member and where its data begins.
    ///
    /// # Errors
    ///
    /// Where the stored bytes cannot be read.
    pub(in super::super) fn next(&mut self) -> Result<Option<(ZipEntry, u64)>, ContainerError> {
        while let Some(at) = self.headers.find(self.stored, self.at)? {
            let header = self
                .stored
                .piece(at, HEADER_BYTES + usize::from(u16::MAX) * 2)?;
            let data_at = at + after_header(&header);
            // Past this header, unless the caller knows how far the data goes.
            self.at = at + HEADER.len() as u64;
            if header.len() >= HEADER_BYTES
                && header[4] <= VERSION_MAX
                && data_at <= self.stored.size_bytes()
            {
                self.at = data_at;
                let entry = self.entry(&header, at, data_at)?;
                return Ok(Some((entry, data_at)));
            }
        }
        Ok(None)
    }

    /// The member given last ends here.
    pub(in super::super) fn go_to(&mut self, at: u64) {
        self.at = self.at.max(at);
    }

    fn entry(
        &mut self,
        header: &[u8],
        offset: u64,
        data_at: u64,
    ) -> Result<ZipEntry, ContainerError> {
        let name_bytes = usize::from(u16_at(header, 26));
        let (name, extra) = header[HEADER_BYTES..].split_at(name_bytes);
        let extra = &extra[..usize::from(u16_at(header, 28))];
        let flags = u16_at(header, 6);
        let method = u16_at(header, 8);
        let mut entry = ZipEntry {
            name: name_as_text(name),
            flags,
            method,
            crc: None,
            packed_bytes: None,
            unpacked_bytes: None,
            offset,
            is_link: false,
        };
        if flags & FLAG_SIZES_BEHIND == 0 {
            let mut wide = Wide::find(extra);
            entry.unpacked_bytes = Some(wide.widen(u32_at(header, 22)));
            entry.packed_bytes = Some(wide.widen(u32_at(header, 18)));
            entry.crc = Some(u32_at(header, 14));
        } else if method == 0 {
            // Packed data ends itself; what is not packed ends where the sizes behind it say so.
            entry.packed_bytes = Some(self.end_of_unpacked(data_at)? - data_at);
        }
        Ok(entry)
    }

    /// Only the next mark is tried, so that a file full of marks costs no more than its length.
    fn end_of_unpacked(&mut self, data_at: u64) -> Result<u64, ContainerError> {
        if let Some(at) = self.sizes.find(self.stored, data_at)? {
            let behind = self.stored.piece(at, 12)?;
            if u64::from(u32_at(&behind, 8)) == (at - data_at) & 0xffff_ffff {
                return Ok(at);
            }
        }
        let next = match self.headers.find(self.stored, data_at)? {
            Some(at) => Some(at),
            None => self.directory.find(self.stored, data_at)?,
        };
        Ok(next.unwrap_or(self.stored.size_bytes()))
    }
}

/// The places of one mark. Remembers the place found last, which may be far away and asked for often.
struct Marks {
    mark: &'static [u8],
    /// Asked from where, found where.
    last: Option<(u64, Option<u64>)>,
}

impl Marks {
    fn new(mark: &'static [u8]) -> Self {
        Self { mark, last: None }
    }

    /// The first place at or after `from`.
    fn find(&mut self, stored: &Stored, from: u64) -> Result<Option<u64>, ContainerError> {
        match self.last {
            Some((asked, found)) if asked <= from && found.is_none_or(|at| at >= from) => Ok(found),
            _ => {
                let found = find(stored, self.mark, from)?;
                self.last = Some((from, found));
                Ok(found)
            }
        }
    }
}

fn find(stored: &Stored, mark: &[u8], from: u64) -> Result<Option<u64>, ContainerError> {
    let mut from = from;
    loop {
        let piece = stored.piece(from, PIECE_BYTES)?;
        if let Some(at) = memmem::find(&piece, mark) {
            return Ok(Some(from + at as u64));
        }
        if piece.len() < PIECE_BYTES {
            return Ok(None);
        }
        from += (PIECE_BYTES - mark.len() + 1) as u64;
    }
}
