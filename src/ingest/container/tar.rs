//! Tar archives, read from front to back.
//!
//! Read here and not by a crate, because names and tables of an attacker's archive must not take
//! memory, and because what follows a damaged header is evidence too.

use std::io::{self, Read};

use super::ContainerError;
use super::name::name_as_text;

const BLOCK_BYTES: usize = 512;

/// Names and attributes that do not fit a header stand in entries of their own, which are read whole.
const ATTRIBUTES_MAX_BYTES: u64 = 1024 * 1024;

type Block = [u8; BLOCK_BYTES];

/// What stands next in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TarEntry {
    File {
        name: String,
        size_bytes: u64,
    },
    Folder,
    /// An entry without bytes of its own to read, or in a form that is not read.
    Other {
        name: String,
        offset: u64,
        what: String,
    },
    /// No entry begins where one should. The next call looks for one further on.
    Damaged {
        offset: u64,
    },
}

/// An archive that is being read.
pub(super) struct Tar<R> {
    input: R,
    offset: u64,
    /// Of the entry given last: bytes not read yet, and what fills its last block.
    left_bytes: u64,
    padding_bytes: u64,
    is_lost: bool,
    zero_blocks: u64,
}

/// Attributes that came before an entry and hold for it.
#[derive(Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    size_bytes: Option<u64>,
    link: Option<Vec<u8>>,
    is_sparse: bool,
    too_long: bool,
}

impl<R: Read> Tar<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            offset: 0,
            left_bytes: 0,
            padding_bytes: 0,
            is_lost: false,
            zero_blocks: 0,
        }
    }

    /// Where in the unpacked archive the next byte stands.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next entry, passing over what is left of the one before; `None` at the end.
    ///
    /// # Errors
    ///
    /// Where the archive ends early, or what it lies in ends badly.
    pub(super) fn next(&mut self) -> Result<Option<TarEntry>, ContainerError> {
        self.pass_over(self.left_bytes.saturating_add(self.padding_bytes))?;
        (self.left_bytes, self.padding_bytes) = (0, 0);
        let mut ahead = Ahead::default();
        loop {
            let offset = self.offset;
            let Some(block) = self.next_block()? else {
                return Ok(None);
            };
            let Some(header) = Header::read(&block).filter(|header| self.is_trusted(header)) else {
                if std::mem::replace(&mut self.is_lost, true) {
                    continue;
                }
                return Ok(Some(TarEntry::Damaged { offset }));
            };
            (self.is_lost, self.zero_blocks) = (false, 0);
            if let Some(entry) = self.take(&header, &mut ahead, offset)? {
                return Ok(Some(entry));
            }
        }
    }

    /// The bytes of the file given last.
    pub(super) fn data(&mut self) -> TarData<'_, R> {
        TarData(self)
    }

    /// After a damage only a header with its mark counts, since any bytes may lie there.
    fn is_trusted(&self, header: &Header<'_>) -> bool {
        header.has_mark || !self.is_lost
    }

    /// The next block that is not all zeros; `None` where the archive ends as it should.
    fn next_block(&mut self) -> Result<Option<Block>, ContainerError> {
        let mut block = [0; BLOCK_BYTES];
        loop {
            let n_bytes = self.fill(&mut block)?;
            let is_zero = block[..n_bytes].iter().all(|byte| *byte == 0);
            let is_marked_end = self.zero_blocks > 0 && is_zero;
            if n_bytes < BLOCK_BYTES {
                if is_marked_end || (n_bytes == 0 && self.is_lost) {
                    return Ok(None);
                }
                return Err(truncated("the tar archive ends without its end mark"));
            }
            if !is_zero {
                return Ok(Some(block));
            }
            self.zero_blocks += 1;
        }
    }

    /// `None`: the header says something of the next one.
    fn take(
        &mut self,
        header: &Header<'_>,
        ahead: &mut Ahead,
        offset: u64,
    ) -> Result<Option<TarEntry>, ContainerError> {
        match header.kind {
            b'L' => {
                ahead.name = self.read_attributes(header, ahead)?.map(until_zero);
                return Ok(None);
            }
            b'K' => {
                ahead.link = self.read_attributes(header, ahead)?.map(until_zero);
                return Ok(None);
            }
            b'x' | b'X' => {
                if let Some(text) = self.read_attributes(header, ahead)? {
                    read_pax(&text, ahead);
                }
                return Ok(None);
            }
            // What it says holds for all entries: times and comments, but for curious archives.
            b'g' => {
                self.skip_data(header.size_bytes)?;
                return Ok(None);
            }
            _ => {}
        }
        let ahead = std::mem::take(ahead);
        let name = ahead
            .name
            .map_or_else(|| header.name(), |name| name_as_text(&name));
        let size_bytes = ahead.size_bytes.unwrap_or(header.size_bytes);
        let link = ahead.link.as_deref().unwrap_or(header.link);
        let what = match header.kind {
            _ if ahead.too_long => "an entry with a name or attributes too long to read".to_owned(),
            b'S' => "a sparse file, which is not read".to_owned(),
            _ if ahead.is_sparse => "a sparse file, which is not read".to_owned(),
            b'1' => format!("a link to `{}`", name_as_text(link)),
            b'2' => format!("a symbolic link to `{}`", name_as_text(link)),
            b'3' | b'4' => "a device".to_owned(),
            b'6' => "a pipe".to_owned(),
            b'5' | b'D' => {
                self.begin_data(if header.kind == b'D' { size_bytes } else { 0 });
                return Ok(Some(TarEntry::Folder));
            }
            b'V' | b'I' => {
                self.begin_data(size_bytes);
                return Ok(Some(TarEntry::Folder));
            }
            b'M' => "a part of a file that begins in another archive".to_owned(),
            _ if name.ends_with('/') => {
                self.begin_data(size_bytes);
                return Ok(Some(TarEntry::Folder));
            }
            _ => {
                self.begin_data(size_bytes);
                return Ok(Some(TarEntry::File { name, size_bytes }));
            }
        };
        // Links, devices and pipes have no data, whatever their size says.
        if !matches!(header.kind, b'1'..=b'6') {
            if header.kind == b'S' {
                self.skip_sparse_map(header)?;
            }
            self.begin_data(size_bytes);
        }
        Ok(Some(TarEntry::Other { name, offset, what }))
    }

    fn begin_data(&mut self, size_bytes: u64) {
        self.left_bytes = size_bytes;
        self.padding_bytes = padding(size_bytes);
    }

    fn skip_data(&mut self, size_bytes: u64) -> Result<(), ContainerError> {
        self.pass_over(size_bytes.saturating_add(padding(size_bytes)))
    }

    /// The data of an entry that says something of the next; `None` if it is too long.
    fn read_attributes(
        &mut self,
        header: &Header<'_>,
        ahead: &mut Ahead,
    ) -> Result<Option<Vec<u8>>, ContainerError> {
        let size_bytes = header.size_bytes;
        if size_bytes > ATTRIBUTES_MAX_BYTES {
            ahead.too_long = true;
            self.skip_data(size_bytes)?;
            return Ok(None);
        }
        let mut text = Vec::new();
        self.begin_data(size_bytes);
        self.data().read_to_end(&mut text)?;
        self.pass_over(self.padding_bytes)?;
        self.padding_bytes = 0;
        Ok(Some(text))
    }

    /// Further places of data follow the header of a sparse file in blocks of their own.
    fn skip_sparse_map(&mut self, header: &Header<'_>) -> Result<(), ContainerError> {
        let mut is_extended = header.block[482] != 0;
        let mut block = [0; BLOCK_BYTES];
        while is_extended {
            if self.fill(&mut block)? < BLOCK_BYTES {
                return Err(truncated("the tar archive ends within a header"));
            }
            is_extended = block[504] != 0;
        }
        Ok(())
    }

    fn pass_over(&mut self, n_bytes: u64) -> Result<(), ContainerError> {
        let passed = io::copy(&mut (&mut self.input).take(n_bytes), &mut io::sink())?;
        self.offset = self.offset.saturating_add(passed);
        if passed < n_bytes {
            return Err(truncated("the tar archive ends within an entry"));
        }
        Ok(())
    }

    /// Fills a block as far as there are bytes.
    fn fill(&mut self, block: &mut Block) -> Result<usize, ContainerError> {
        let mut n_bytes = 0;
        while n_bytes < BLOCK_BYTES {
            match self.input.read(&mut block[n_bytes..]) {
                Ok(0) => break,
                Ok(more_bytes) => n_bytes += more_bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.offset = self.offset.saturating_add(n_bytes as u64);
        Ok(n_bytes)
    }
}

/// Reads the bytes of one file in an archive.
pub(super) struct TarData<'a, R>(&'a mut Tar<R>);

impl<R: Read> Read for TarData<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.0.left_bytes).unwrap_or(usize::MAX);
        let wanted = left.min(out.len());
        if wanted == 0 {
            return Ok(0);
        }
        let n_bytes = self.0.input.read(&mut out[..wanted])?;
        if n_bytes == 0 {
            return Err(truncated("the tar archive ends within this file").into());
        }
        self.0.left_bytes -= n_bytes as u64;
        self.0.offset = self.0.offset.saturating_add(n_bytes as u64);
        Ok(n_bytes)
    }
}

fn truncated(detail: &str) -> ContainerError {
    ContainerError::new("truncated-tar", detail)
}

/// What fills the last block of so much data.
fn padding(size_bytes: u64) -> u64 {
    size_bytes.wrapping_neg() % BLOCK_BYTES as u64
}

/// Whether an object begins with a tar header. Text never does: JSON has no zero bytes.
pub(super) fn looks_like_tar(head: &[u8]) -> bool {
    let has_mark = |head: &[u8]| {
        head.get(257..263)
            .is_some_and(|mark| matches!(mark, b"ustar\0" | b"ustar "))
    };
    match head.first_chunk::<BLOCK_BYTES>() {
        Some(block) => {
            has_mark(head) || head[0] != 0 && head.contains(&0) && Header::read(block).is_some()
        }
        None => has_mark(head),
    }
}

struct Header<'a> {
    block: &'a Block,
    kind: u8,
    size_bytes: u64,
    link: &'a [u8],
    has_mark: bool,
}

impl<'a> Header<'a> {
    /// `None` if the block is no header: its checksum or its size is not right.
    fn read(block: &'a Block) -> Option<Self> {
        let sum = number(&block[148..156])?;
        let spaces = 8 * u64::from(b' ');
        let unsigned = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        // Some old programs took bytes for signed.
        let high = block.iter().filter(|byte| !byte.is_ascii()).count() as u64;
        let expected = unsigned(&block[..148]) + spaces + unsigned(&block[156..]);
        if sum != expected && Some(sum) != expected.checked_sub(256 * high) {
            return None;
        }
        Some(Self {
            block,
            kind: block[156],
            size_bytes: number(&block[124..136])?,
            link: field(&block[157..257]),
            has_mark: block[257..].starts_with(b"ustar"),
        })
    }

    fn name(&self) -> String {
        let name = field(&self.block[..100]);
        let is_posix = self.block[257..].starts_with(b"ustar\0");
        let prefix = field(&self.block[345..500]);
        if is_posix && !prefix.is_empty() {
            format!("{}/{}", name_as_text(prefix), name_as_text(name))
        } else {
            name_as_text(name)
        }
    }
}

/// A field up to its first zero.
fn field(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn until_zero(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(field(&bytes).len());
    bytes
}

/// Octal digits between blanks and zeros, or, with the high bit set, a binary number.
fn number(bytes: &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    if *first == 0x80 {
        let (high, low) = rest.split_at(rest.len().checked_sub(8)?);
        let is_small = high.iter().all(|byte| *byte == 0);
        return is_small.then(|| low.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)));
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let digits = text.trim_matches([' ', '\0']);
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(digits, 8).ok()
}

/// Reads `length key=value` lines.
fn read_pax(mut text: &[u8], ahead: &mut Ahead) {
    while let Some((key, value, rest)) = next_attribute(text) {
        text = rest;
        match key {
            b"path" => ahead.name = Some(value.to_vec()),
            b"linkpath" => ahead.link = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value).ok();
                ahead.size_bytes = size.and_then(|size| size.parse().ok());
            }
            _ if key.starts_with(b"GNU.sparse.") => ahead.is_sparse = true,
            _ => {}
        }
    }
}

fn next_attribute(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&text[..space]).ok()?.parse().ok()?;
    let line = text.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = line.iter().position(|byte| *byte == b'=')?;
    Some((&line[..equals], &line[equals + 1..], &text[length..]))
}
