//! The bytes of an object as they are stored, readable as often as needed.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{ContainerError, Limits};

/// Files are read in pieces of this size.
const FILE_BUFFER_BYTES: usize = 128 * 1024;

/// What an archive says of a member's size is believed up to here, when memory is set aside for it.
const EXPECTED_BYTES_MAX: u64 = 1024 * 1024;

/// An object as stored. Clones share the bytes or the open file.
#[derive(Clone)]
pub enum Stored {
    Bytes(Bytes),
    /// A file and its size in bytes. Readers do not share a position.
    File(Arc<File>, u64),
}

impl Stored {
    /// # Errors
    ///
    /// Where the system cannot open or read the file.
    pub fn open(path: &Path, limits: &Limits) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.len() > limits.in_memory_bytes {
            return Ok(Self::File(Arc::new(file), metadata.len()));
        }
        // A pipe has no size; a file may grow while it is read.
        let (stored, failure) = Self::spool_what_comes(file, metadata.len(), limits);
        failure.map_or(Ok(stored), Err)
    }

    /// Reads all that a reader gives, into memory or into a temporary file without a name.
    ///
    /// # Errors
    ///
    /// Where the reader fails, and where the temporary file cannot be written.
    pub fn spool(reader: impl Read, limits: &Limits) -> io::Result<Self> {
        let (stored, failure) = Self::spool_what_comes(reader, 0, limits);
        failure.map_or(Ok(stored), Err)
    }

    /// As [`Stored::spool`], keeping what came before a failure.
    pub(super) fn spool_what_comes(
        mut reader: impl Read,
        expected_bytes: u64,
        limits: &Limits,
    ) -> (Self, Option<io::Error>) {
        let expected = if expected_bytes <= limits.in_memory_bytes {
            expected_bytes.min(EXPECTED_BYTES_MAX)
        } else {
            0
        };
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        let read = (&mut reader)
            .take(limits.in_memory_bytes.saturating_add(1))
            .read_to_end(&mut bytes);
        if read.is_err() || bytes.len() as u64 <= limits.in_memory_bytes {
            return (Self::Bytes(bytes.into()), read.err());
        }
        let mut file = match tempfile::tempfile() {
            Ok(file) => file,
            Err(error) => return (Self::Bytes(bytes.into()), Some(error)),
        };
        let mut size_bytes = 0;
        let failure = spill(&mut file, bytes, &mut reader, &mut size_bytes).err();
        (Self::File(Arc::new(file), size_bytes), failure)
    }

    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, size_bytes) => *size_bytes,
        }
    }

    /// The hash of the stored bytes, lower-case hex.
    ///
    /// # Errors
    ///
    /// Where the system cannot read the file.
    pub fn sha256(&self) -> io::Result<String> {
        let mut hash = Sha256::new();
        let mut reader = self.reader();
        loop {
            let piece = reader.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            hash.update(piece);
            let n_bytes = piece.len();
            reader.consume(n_bytes);
        }
        let hash = hash.finalize();
        Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The first `n_bytes`, or all there are.
    ///
    /// # Errors
    ///
    /// Where the system cannot read the file.
    pub fn head(&self, n_bytes: usize) -> io::Result<Bytes> {
        self.piece(0, n_bytes)
    }

    /// Up to `n_bytes` from `start` on.
    pub(super) fn piece(&self, start: u64, n_bytes: usize) -> io::Result<Bytes> {
        let end = start.saturating_add(n_bytes as u64).min(self.size_bytes());
        let start = start.min(end);
        match self {
            Self::Bytes(bytes) => Ok(slice(bytes, start, end)),
            Self::File(file, _) => {
                let mut piece = Vec::with_capacity(n_bytes.min(FILE_BUFFER_BYTES));
                FileRange::new(file, start, end).read_to_end(&mut piece)?;
                Ok(piece.into())
            }
        }
    }

    pub fn reader(&self) -> StoredReader {
        self.range(0, self.size_bytes())
    }

    /// Reads `n_bytes` from `start` on, or what there is of them.
    pub(super) fn range(&self, start: u64, n_bytes: u64) -> StoredReader {
        let end = start.saturating_add(n_bytes).min(self.size_bytes());
        let start = start.min(end);
        match self {
            Self::Bytes(bytes) => StoredReader::Bytes(Cursor::new(slice(bytes, start, end))),
            Self::File(file, _) => {
                let capacity = usize::try_from(end - start).unwrap_or(FILE_BUFFER_BYTES);
                StoredReader::File(BufReader::with_capacity(
                    capacity.clamp(1, FILE_BUFFER_BYTES),
                    FileRange::new(file, start, end),
                ))
            }
        }
    }
}

/// What the bytes are is not for messages.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self {
            Self::Bytes(_) => "in memory",
            Self::File(..) => "in a file",
        };
        write!(f, "Stored({} bytes {place})", self.size_bytes())
    }
}

/// Both ends lie within the bytes, which are in memory, so they fit into `usize`.
fn slice(bytes: &Bytes, start: u64, end: u64) -> Bytes {
    let place = |at: u64| usize::try_from(at).unwrap_or(bytes.len());
    bytes.slice(place(start)..place(end))
}

fn spill(
    file: &mut File,
    begun: Vec<u8>,
    reader: &mut impl Read,
    size_bytes: &mut u64,
) -> io::Result<()> {
    file.write_all(&begun)?;
    *size_bytes = begun.len() as u64;
    drop(begun);
    let mut buffer = vec![0; FILE_BUFFER_BYTES];
    loop {
        let n_bytes = match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n_bytes) => n_bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        file.write_all(&buffer[..n_bytes]).map_err(|error| {
            let detail = format!("cannot be unpacked into a temporary file: {error}");
            ContainerError::new("unreadable", detail)
        })?;
        *size_bytes += n_bytes as u64;
    }
}

/// Reads a [`Stored`] from its beginning.
#[derive(Debug)]
pub enum StoredReader {
    Bytes(Cursor<Bytes>),
    File(BufReader<FileRange>),
}

impl Read for StoredReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Bytes(reader) => reader.read(out),
            Self::File(reader) => reader.read(out),
        }
    }
}

impl BufRead for StoredReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Bytes(reader) => reader.fill_buf(),
            Self::File(reader) => reader.fill_buf(),
        }
    }

    fn consume(&mut self, n_bytes: usize) {
        match self {
            Self::Bytes(reader) => reader.consume(n_bytes),
            Self::File(reader) => reader.consume(n_bytes),
        }
    }
}

/// A part of an open file, read by position, so that readers of one file do not disturb each other.
#[derive(Debug)]
pub struct FileRange {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl FileRange {
    fn new(file: &Arc<File>, start: u64, end: u64) -> Self {
        Self {
            file: Arc::clone(file),
            at: start,
            end,
        }
    }
}

impl Read for FileRange {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = left.min(out.len());
        loop {
            match read_at(&self.file, &mut out[..wanted], self.at) {
                Ok(n_bytes) => {
                    self.at += n_bytes as u64;
                    return Ok(n_bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, at)
}

#[cfg(windows)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, at)
}
