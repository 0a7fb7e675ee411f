//! One packed layer as a reader: members one after another, faults after the bytes before them.

use std::io::{self, BufRead, BufReader, Read};

use super::codec::{Bzip2, Codec, Deflate, Gzip, Trouble, Xz, Zstd};
use super::format::begins_json;
use super::stored::StoredReader;
use super::{ContainerError, Format, HEAD_BYTES, Limits};

/// Unpacked bytes that are unpacked again go through a buffer of this size.
const LAYER_BUFFER_BYTES: usize = 32 * 1024;

/// What a layer reads from.
pub(super) enum Input {
    /// An object's bytes, and what to say where they end, if they end badly.
    Stored(StoredReader, Option<ContainerError>),
    /// What another layer gives.
    Layer(Box<BufReader<Opened>>),
}

impl Input {
    pub(super) fn layer(outer: Opened) -> Self {
        Self::Layer(Box::new(BufReader::with_capacity(
            LAYER_BUFFER_BYTES,
            outer,
        )))
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Layer(reader) => reader.fill_buf(),
            Self::Stored(reader, ending) => {
                let bytes = reader.fill_buf()?;
                match ending {
                    Some(ending) if bytes.is_empty() => Err(ending.clone().into()),
                    _ => Ok(bytes),
                }
            }
        }
    }

    fn consume(&mut self, n_bytes: usize) {
        match self {
            Self::Layer(reader) => reader.consume(n_bytes),
            Self::Stored(reader, _) => reader.consume(n_bytes),
        }
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Layer(reader) => reader.read(out),
            Self::Stored(reader, ending) => match (reader.read(out)?, ending) {
                (0, Some(ending)) if !out.is_empty() => Err(ending.clone().into()),
                (n_bytes, _) => Ok(n_bytes),
            },
        }
    }
}

/// An input that knows how much of it was taken.
struct Counted {
    input: Input,
    taken_bytes: u64,
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, n_bytes: usize) {
        self.taken_bytes += n_bytes as u64;
        self.input.consume(n_bytes);
    }
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.input.read(out)?;
        self.taken_bytes += n_bytes as u64;
        Ok(n_bytes)
    }
}

/// What to call a layer and its faults.
#[derive(Clone, Copy)]
pub(super) struct Words {
    what: &'static str,
    truncated: &'static str,
    invalid: &'static str,
}

const GZIP: Words = words("gzip", "truncated-gzip", "invalid-gzip");
const ZSTD: Words = words("zstd", "truncated-zstd", "invalid-zstd");
const BZIP2: Words = words("bzip2", "truncated-bzip2", "invalid-bzip2");
const XZ: Words = words("xz", "truncated-xz", "invalid-xz");
/// Packed data in a zip, whatever its method.
const ZIP: Words = words("zip", "truncated-zip", "invalid-zip");

const fn words(what: &'static str, truncated: &'static str, invalid: &'static str) -> Words {
    Words {
        what,
        truncated,
        invalid,
    }
}

/// A layer that says how many packed bytes it took.
pub(super) trait Unpacker: Read + Send {
    fn taken_bytes(&self) -> u64;
}

/// The reader for a format that is packed.
///
/// # Errors
///
/// Gives the input back where there is nothing to unpack.
pub(super) fn unpacker(
    format: Format,
    input: Input,
    limits: &Limits,
) -> Result<Box<dyn Unpacker>, Input> {
    let many = Members::Many;
    Ok(match format {
        Format::Gzip => Unpack::boxed(Gzip::default(), input, GZIP, many, limits),
        Format::Zstd => Unpack::boxed(Zstd::default(), input, ZSTD, many, limits),
        Format::Bzip2 => Unpack::boxed(Bzip2::default(), input, BZIP2, many, limits),
        Format::Xz => Unpack::boxed(Xz::default(), input, XZ, many, limits),
        Format::Plain | Format::Zip | Format::Tar | Format::Foreign(_) => return Err(input),
    })
}

/// The reader for a member of a zip, by its method's number; `None` for methods that are not read.
pub(super) fn zip_unpacker(
    method: u16,
    input: Input,
    limits: &Limits,
) -> Option<Box<dyn Unpacker>> {
    let one = Members::One;
    Some(match method {
        8 => Unpack::boxed(Deflate::default(), input, ZIP, one, limits),
        12 => Unpack::boxed(Bzip2::default(), input, ZIP, one, limits),
        93 => Unpack::boxed(Zstd::default(), input, ZIP, one, limits),
        95 => Unpack::boxed(Xz::default(), input, ZIP, one, limits),
        _ => return None,
    })
}

/// Whether a layer ends with its first member or with its input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    One,
    Many,
}

enum Phase {
    BeforeFirst,
    Inside,
    Between,
    Done(Option<ContainerError>),
}

struct Unpack<C> {
    codec: C,
    input: Counted,
    given_bytes: u64,
    words: Words,
    members: Members,
    limits: Limits,
    phase: Phase,
}

impl<C: Codec + 'static> Unpack<C> {
    fn boxed(
        codec: C,
        input: Input,
        words: Words,
        members: Members,
        limits: &Limits,
    ) -> Box<dyn Unpacker> {
        Box::new(Self {
            codec,
            input: Counted {
                input,
                taken_bytes: 0,
            },
            given_bytes: 0,
            words,
            members,
            limits: *limits,
            phase: Phase::BeforeFirst,
        })
    }

    /// Stands before a member or at the end of the input.
    fn begin_next(&mut self) -> Result<Phase, ContainerError> {
        if self.members == Members::One {
            return Ok(Phase::Done(None));
        }
        // Tapes and block devices fill up with zeros.
        let next = loop {
            let bytes = self.input.fill_buf()?;
            let n_bytes = bytes.len();
            if n_bytes == 0 {
                return Ok(Phase::Done(None));
            }
            let next = bytes
                .iter()
                .copied()
                .enumerate()
                .find(|(_, byte)| *byte != 0);
            self.input.consume(next.map_or(n_bytes, |(at, _)| at));
            if let Some((_, byte)) = next {
                break byte;
            }
        };
        let offset = self.input.taken_bytes;
        let rubbish = |words: Words| {
            let what = words.what;
            let detail = format!("the bytes from offset {offset} on are no {what} data");
            ContainerError::new(words.invalid, detail)
        };
        if !C::may_begin(next) {
            return Err(rubbish(self.words));
        }
        match self.codec.start(&mut self.input) {
            Ok(()) => Ok(Phase::Inside),
            Err(Trouble::Invalid(_)) => Err(rubbish(self.words)),
            Err(trouble) => Err(self.explain(trouble)),
        }
    }

    /// One step inside a member.
    fn go_on(&mut self, out: &mut [u8]) -> (usize, Result<Phase, ContainerError>) {
        let (piece, cut) = match self.input.input.fill_buf() {
            Ok(piece) => (piece, None),
            // What the machine still holds comes out first.
            Err(error) => (&[][..], Some(error)),
        };
        let n_left = piece.len();
        let step = self.codec.step(piece, out);
        self.input.consume(step.consumed);
        self.given_bytes += step.produced as u64;
        let phase = match step.ended {
            Err(trouble) => Err(self.explain(trouble)),
            Ok(true) => match self.codec.finish(&mut self.input) {
                Ok(()) => Ok(Phase::Between),
                Err(trouble) => Err(self.explain(trouble)),
            },
            Ok(false) if step.consumed > 0 || step.produced > 0 => Ok(Phase::Inside),
            Ok(false) => Err(self.explain(match cut {
                Some(error) => Trouble::Input(error),
                None if n_left == 0 => Trouble::Ended,
                None => Trouble::Invalid("it does not go on".to_owned()),
            })),
        };
        let judged = self
            .limits
            .judge_stream(self.input.taken_bytes, self.given_bytes);
        (step.produced, judged.and(phase))
    }

    fn explain(&self, trouble: Trouble) -> ContainerError {
        let Words {
            what,
            truncated,
            invalid,
        } = self.words;
        match trouble {
            Trouble::Ended => ContainerError::new(truncated, format!("the {what} data ends early")),
            Trouble::Invalid(detail) => ContainerError::new(invalid, detail),
            Trouble::Memory(detail) => ContainerError::new("too-much-memory", detail),
            Trouble::Input(error) => error.into(),
        }
    }
}

impl<C: Codec + 'static> Read for Unpack<C> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let (n_bytes, next) = match &self.phase {
                Phase::Done(None) => return Ok(0),
                Phase::Done(Some(error)) => return Err(error.clone().into()),
                Phase::BeforeFirst => {
                    let started = self.codec.start(&mut self.input);
                    let started = started.map(|()| Phase::Inside);
                    (0, started.map_err(|trouble| self.explain(trouble)))
                }
                Phase::Between => (0, self.begin_next()),
                Phase::Inside => self.go_on(out),
            };
            self.phase = next.unwrap_or_else(|error| Phase::Done(Some(error)));
            if n_bytes > 0 {
                return Ok(n_bytes);
            }
        }
    }
}

impl<C: Codec + 'static> Unpacker for Unpack<C> {
    fn taken_bytes(&self) -> u64 {
        self.input.taken_bytes
    }
}

/// A layer whose first bytes were looked at.
pub(super) type Opened = Peeked<Box<dyn Unpacker>>;

/// A reader whose first bytes were looked at already.
pub(super) struct Peeked<R> {
    head: Vec<u8>,
    given_bytes: usize,
    failure: Option<io::Error>,
    rest: R,
}

/// If these first bytes begin a JSON text, no more are looked at: for small files the second look
/// would cost more than all the rest of this module.
const GLANCE_BYTES: usize = 16;

impl<R: Read> Peeked<R> {
    pub(super) fn new(rest: R) -> Self {
        let mut peeked = Self {
            head: Vec::with_capacity(GLANCE_BYTES),
            given_bytes: 0,
            failure: None,
            rest,
        };
        peeked.look_ahead(GLANCE_BYTES);
        if !begins_json(&peeked.head) {
            peeked.look_ahead(HEAD_BYTES);
        }
        peeked
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    fn look_ahead(&mut self, n_bytes: usize) {
        let mut filled = self.head.len();
        self.head.resize(n_bytes, 0);
        while filled < n_bytes && self.failure.is_none() {
            match self.rest.read(&mut self.head[filled..]) {
                Ok(0) => break,
                Ok(more_bytes) => filled += more_bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.failure = Some(error),
            }
        }
        self.head.truncate(filled);
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let head = &self.head[self.given_bytes..];
        if head.is_empty() {
            return match self.failure.take() {
                Some(failure) => Err(failure),
                None => self.rest.read(out),
            };
        }
        let n_bytes = head.len().min(out.len());
        out[..n_bytes].copy_from_slice(&head[..n_bytes]);
        self.given_bytes += n_bytes;
        // A short read at the very beginning would cost callers a round; the rest follows at once.
        if n_bytes < out.len() && self.failure.is_none() {
            match self.rest.read(&mut out[n_bytes..]) {
                Ok(more_bytes) => return Ok(n_bytes + more_bytes),
                Err(error) => self.failure = Some(error),
            }
        }
        Ok(n_bytes)
    }
}
