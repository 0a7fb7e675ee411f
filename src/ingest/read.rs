//! From sources to parts: batches of rows with what is to be said of where they came from.
//!
//! Small texts are read whole and share a batch. A text that is longer than a portion is cut into
//! records by brackets alone, which is quick, and its portions are read side by side on other
//! threads. Parts arrive in the order of the sources, whoever makes them; a part is sent on when it
//! is full, and whoever sends waits until there is room, so that memory stays bounded whatever the
//! sources hold.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::container::{ContainerError, Format, Limits, Member, Object, Stored, Visit, visit};
use super::decode::{
    Cut, Decoded, EventKey, Output, SourceKind, decode, decode_line, decode_pieces,
};
use super::discover::{STDIN, Source};
use super::known::KnownSources;
use super::rows::RowBuilder;
use super::scan::{MAX_RECORD_BYTES, Piece, Scanner, Sink};
use super::select::Selection;
use super::table_text::{self, Sniffed};
use crate::error::{Cause, IngestError, LakeError, Result};
use crate::schema::Table;

/// Unpacked bytes that are read as one, and after which a part is sent on.
const PORTION_BYTES: usize = 4 * 1024 * 1024;

/// Parts of a task that wait to be taken.
const WAITING_PARTS: usize = 1;

/// Rows, and the sources they came from.
#[derive(Debug)]
pub(super) struct Part {
    /// The batch holds the rows of the first source first, and so on.
    pub(super) sources: Vec<PartOfSource>,
    /// Parallel to the rows of `batch`.
    pub(super) keys: Vec<EventKey>,
    pub(super) batch: RecordBatch,
}

/// A source, or what of it is in one part.
#[derive(Debug)]
pub(super) struct PartOfSource {
    pub(super) uri: Arc<str>,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) container: Option<&'static str>,
    /// `None`: read by an earlier run.
    pub(super) decoded: Option<Decoded>,
    /// How many rows of the part's batch are its own.
    pub(super) n_rows: usize,
    /// Nothing more of it follows.
    pub(super) is_last: bool,
}

type Pending = JoinHandle<Result<Part>>;

/// What all tasks of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) known: Arc<KnownSources>,
    pub(super) selection: Selection,
    pub(super) limits: Limits,
    pub(super) stop: Arc<AtomicBool>,
    /// What tasks leave for others, so that buffers do not grow anew each time.
    pub(super) room: Mutex<Vec<Room>>,
}

/// Buffers of a task.
#[derive(Default)]
pub(super) struct Room {
    rows: RowBuilder,
    /// The text of one source.
    text: Vec<u8>,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").finish_non_exhaustive()
    }
}

/// Reads some sources on another thread. The parts come in order, made or being made.
pub(super) fn read(sources: Vec<Source>, shared: &Arc<Shared>) -> mpsc::Receiver<Pending> {
    let (sender, receiver) = mpsc::channel(WAITING_PARTS);
    let shared = Arc::clone(shared);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let left = shared.room.lock().ok().and_then(|mut room| room.pop());
        let Room { rows, text } = left.unwrap_or_default();
        let mut reader = Reader {
            shared,
            runtime,
            sender,
            rows,
            keys: Vec::new(),
            sources: Vec::new(),
            json_bytes: 0,
            text,
        };
        let outcome = sources
            .iter()
            .try_for_each(|source| reader.source(source))
            .and_then(|()| reader.send());
        let Reader {
            rows,
            text,
            shared,
            runtime,
            sender,
            ..
        } = reader;
        if let Ok(mut room) = shared.room.lock() {
            room.push(Room { rows, text });
        }
        if let Err(error) = outcome {
            let failed = runtime.spawn(async { Err(error) });
            // Nobody listens any more where the run has ended for another reason.
            let _ = sender.blocking_send(failed);
        }
    });
    receiver
}

struct Reader {
    shared: Arc<Shared>,
    runtime: Handle,
    sender: mpsc::Sender<Pending>,
    rows: RowBuilder,
    keys: Vec<EventKey>,
    sources: Vec<PartOfSource>,
    /// Unpacked bytes behind the rows so far.
    json_bytes: usize,
    /// Room for the text of one source.
    text: Vec<u8>,
}

impl Reader {
    fn source(&mut self, source: &Source) -> Result<()> {
        self.check_stop()?;
        let stored = match &source.problem {
            Some(problem) => Err(problem.clone()),
            None if source.uri == STDIN => Stored::spool(io::stdin().lock(), &self.shared.limits)
                .map_err(|error| error.to_string()),
            None => {
                Stored::open(&source.path, &self.shared.limits).map_err(|error| error.to_string())
            }
        };
        let hashed = stored.and_then(|stored| {
            let sha256 = stored.sha256().map_err(|error| error.to_string())?;
            Ok((stored, sha256))
        });
        let (stored, sha256) = match hashed {
            Ok(hashed) => hashed,
            Err(problem) => {
                let mut described = self.describe(&source.uri, source.size_bytes, String::new());
                let mut decoded = Decoded::new(SourceKind::Unknown);
                decoded.reject(0, &[], "unreadable", problem);
                described.decoded = Some(decoded);
                self.sources.push(described);
                return Ok(());
            }
        };
        if self.shared.known.contains(&source.uri, &sha256) {
            let described = self.describe(&source.uri, stored.size_bytes(), sha256);
            self.sources.push(described);
            return Ok(());
        }
        let object = Object {
            uri: &source.uri,
            stored: &stored,
            named_as_log: source.named_as_log,
        };
        let limits = self.shared.limits;
        visit(object, &limits, &mut |found| {
            self.found(found, source, &sha256)
        })
    }

    /// Something in a stored object.
    fn found(&mut self, found: Visit<'_>, source: &Source, sha256: &str) -> Result<()> {
        self.check_stop()?;
        match found {
            Visit::Text(member) | Visit::Listed(member)
                if member.uri != source.uri && !self.shared.selection.wants_uri(&member.uri) =>
            {
                Ok(())
            }
            Visit::Text(member) => self.member(member, source, sha256),
            Visit::Listed(member) => {
                let size_bytes = member.stored.size_bytes();
                let mut listed =
                    self.describe(&member.uri, size_bytes, hash_of(&member, source, sha256)?);
                listed.decoded = Some(Decoded::new(SourceKind::Unknown));
                self.sources.push(listed);
                Ok(())
            }
            Visit::Problem {
                uri,
                offset,
                reason,
                detail,
            } => {
                let mut described = self.describe(&uri, 0, String::new());
                let mut decoded = Decoded::new(SourceKind::Unknown);
                decoded.reject(offset, &[], reason, detail);
                described.decoded = Some(decoded);
                self.sources.push(described);
                Ok(())
            }
            Visit::Archive {
                uri,
                stored,
                format,
                ..
            } => {
                let hash = if uri == source.uri {
                    sha256.to_owned()
                } else {
                    stored.sha256().map_err(|error| unreadable(uri, error))?
                };
                let mut archive = self.describe(uri, stored.size_bytes(), hash);
                archive.container = container_word(format);
                archive.decoded = Some(Decoded::new(SourceKind::Archive));
                self.sources.push(archive);
                Ok(())
            }
        }
    }

    fn member(&mut self, mut member: Member, source: &Source, sha256: &str) -> Result<()> {
        let hash = hash_of(&member, source, sha256)?;
        let size_bytes = member.stored.size_bytes();
        let mut described = self.describe(&member.uri, size_bytes, hash);
        described.container = member.layers().first().copied().and_then(container_word);
        if self
            .shared
            .known
            .contains(&described.uri, &described.sha256)
        {
            self.sources.push(described);
            return Ok(());
        }
        let mut input = member.open();
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let end = fill(&mut input, &mut text, PORTION_BYTES);
        let outcome = self.text(&text, &end, described, &member, &mut input, source.kind);
        self.text = text;
        // A text that was long leaves no room behind that others will not need.
        self.text.shrink_to(2 * PORTION_BYTES);
        outcome?;
        if self.json_bytes >= PORTION_BYTES {
            self.send()?;
        }
        Ok(())
    }

    /// The text of a source: `text` is its beginning, or all of it.
    fn text(
        &mut self,
        text: &[u8],
        end: &End,
        mut described: PartOfSource,
        member: &Member,
        input: &mut dyn Read,
        name_kind: SourceKind,
    ) -> Result<()> {
        let head = &text[..text.len().min(table_text::MAX_HEADER_BYTES)];
        if !begins_like_json(head) {
            match table_text::sniff(head) {
                Sniffed::Table(layout) => {
                    let mut rest = text.chain(input);
                    return self.table(&layout, &mut rest, end, described);
                }
                Sniffed::Other(name) => {
                    let mut decoded = Decoded::new(SourceKind::Unknown);
                    let detail = name.to_owned();
                    decoded.reject(0, text, "not-cloudtrail", detail);
                    decoded.json_bytes = text.len() as u64;
                    described.decoded = Some(decoded);
                    self.sources.push(described);
                    return Ok(());
                }
                Sniffed::Nothing
                    if !member.named_as_log && matches!(end, End::Whole | End::More) =>
                {
                    described.decoded = Some(Decoded::new(SourceKind::Unknown));
                    self.sources.push(described);
                    return Ok(());
                }
                Sniffed::Nothing => {}
            }
        }
        if matches!(end, End::More) {
            self.send()?;
            return self.portions(text, described, input, name_kind);
        }
        let before = self.rows.len();
        let shared = Arc::clone(&self.shared);
        let mut output = Output {
            rows: &mut self.rows,
            keys: &mut self.keys,
            selection: &shared.selection,
        };
        let mut decoded = decode(&described.uri, text, name_kind, &mut output).map_err(defect)?;
        if let End::Failed { reason, detail } = end {
            decoded.blame(text.len() as u64, reason, detail.clone());
        }
        described.decoded = Some(decoded);
        described.n_rows = self.rows.len() - before;
        self.sources.push(described);
        self.json_bytes += text.len();
        Ok(())
    }

    /// A text that is longer than a portion: cut here, read elsewhere.
    fn portions(
        &mut self,
        beginning: &[u8],
        described: PartOfSource,
        input: &mut dyn Read,
        name_kind: SourceKind,
    ) -> Result<()> {
        let mut scanner = Scanner::default();
        let mut portion = beginning.to_vec();
        let mut base = 0;
        let mut kind = name_kind;
        loop {
            self.check_stop()?;
            let room = PORTION_BYTES.max(portion.len() + portion.len() / 2);
            let end = fill(input, &mut portion, room);
            let is_last = !matches!(end, End::More);
            let mut cutter = Cutter {
                cuts: Vec::new(),
                base,
            };
            let done = scanner.feed(&portion, is_last, &mut cutter);
            let cuts = cutter.cuts;
            if done == 0 && cuts.is_empty() && !is_last {
                // A record that is longer than the portion.
                if portion.len() > MAX_RECORD_BYTES + PORTION_BYTES {
                    return Err(defect("a scan that does not go on"));
                }
                continue;
            }
            let rest = portion[done..].to_vec();
            let job = Job {
                text: std::mem::replace(&mut portion, rest),
                length: done,
                base,
                cuts,
                kind: std::mem::replace(&mut kind, SourceKind::Unknown),
                end,
                described: PartOfSource {
                    is_last,
                    ..again(&described)
                },
                shared: Arc::clone(&self.shared),
            };
            base += done as u64;
            let pending = self.runtime.spawn_blocking(move || job.run());
            self.hand_over(pending)?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// A table of text, line by line.
    fn table(
        &mut self,
        layout: &table_text::Layout,
        input: &mut dyn Read,
        end: &End,
        described: PartOfSource,
    ) -> Result<()> {
        self.send()?;
        let mut input = Noting {
            inner: input,
            n_bytes: 0,
            failure: match end {
                End::Failed { reason, detail } => Some((*reason, detail.clone())),
                End::Whole | End::More => None,
            },
        };
        let mut total = Decoded::new(SourceKind::Unknown);
        let mut outcome = Ok(());
        let mut reader = TableReader {
            reader: self,
            described: &described,
            outcome: &mut outcome,
            total: &mut total,
            n_bytes: 0,
        };
        let read = table_text::read(layout, &mut input, &mut |line| reader.line(&line));
        outcome?;
        if let Err(error) = read {
            total.reject(input.n_bytes, &[], "unreadable", error.to_string());
        }
        total.json_bytes = input.n_bytes;
        total.kind = SourceKind::Events;
        total.shape = total.shape.or(Some("table"));
        if let Some((reason, detail)) = input.failure {
            total.blame(input.n_bytes, reason, detail);
        }
        let n_rows = self.rows.len();
        self.sources.push(PartOfSource {
            decoded: Some(total),
            n_rows,
            ..described
        });
        self.json_bytes = PORTION_BYTES;
        Ok(())
    }

    fn check_stop(&self) -> Result<()> {
        if self.shared.stop.load(Ordering::Relaxed) {
            return Err(IngestError::Interrupted.into());
        }
        Ok(())
    }

    fn describe(&self, uri: &str, size_bytes: u64, sha256: String) -> PartOfSource {
        PartOfSource {
            uri: uri.into(),
            size_bytes,
            sha256,
            container: None,
            decoded: None,
            n_rows: 0,
            is_last: true,
        }
    }

    /// Sends on what there is.
    fn send(&mut self) -> Result<()> {
        if self.sources.is_empty() {
            return Ok(());
        }
        let part = Part {
            sources: std::mem::take(&mut self.sources),
            keys: std::mem::take(&mut self.keys),
            batch: self.rows.finish().map_err(defect)?,
        };
        self.json_bytes = 0;
        let ready = self.runtime.spawn(async { Ok(part) });
        self.hand_over(ready)
    }

    fn hand_over(&self, pending: Pending) -> Result<()> {
        let sent = self.sender.blocking_send(pending);
        sent.map_err(|_| IngestError::Interrupted.into())
    }
}

/// A portion of a long text.
struct Job {
    text: Vec<u8>,
    length: usize,
    base: u64,
    cuts: Vec<Cut>,
    kind: SourceKind,
    end: End,
    described: PartOfSource,
    shared: Arc<Shared>,
}

impl Job {
    fn run(self) -> Result<Part> {
        let mut rows = RowBuilder::default();
        let mut keys = Vec::new();
        let mut output = Output {
            rows: &mut rows,
            keys: &mut keys,
            selection: &self.shared.selection,
        };
        let text = &self.text[..self.length];
        let uri = &self.described.uri;
        let mut decoded =
            decode_pieces(uri, text, self.base, &self.cuts, &mut output).map_err(defect)?;
        if decoded.kind == SourceKind::Unknown {
            decoded.kind = self.kind;
        }
        if let End::Failed { reason, detail } = &self.end {
            let end = self.base + decoded.json_bytes;
            decoded.blame(end, reason, detail.clone());
        }
        let batch = rows.finish().map_err(defect)?;
        let source = PartOfSource {
            decoded: Some(decoded),
            n_rows: batch.num_rows(),
            ..self.described
        };
        Ok(Part {
            sources: vec![source],
            keys,
            batch,
        })
    }
}

/// Notes where pieces lie.
struct Cutter {
    cuts: Vec<Cut>,
    base: u64,
}

impl Cutter {
    fn place(&self, offset: u64, length: usize) -> (usize, usize) {
        let start = usize::try_from(offset - self.base).unwrap_or(0);
        (start, start + length)
    }
}

impl<'a> Sink<'a> for Cutter {
    fn record(&mut self, _: &'a str, _: usize, _: u64) -> Option<usize> {
        None
    }

    fn piece(&mut self, piece: Piece<'a>) {
        self.cuts.push(match piece {
            Piece::Record { offset, json } => {
                let (start, end) = self.place(offset, json.len());
                Cut::Record { start, end }
            }
            Piece::Broken {
                offset,
                raw,
                reason,
            } => {
                let (start, end) = self.place(offset, raw.len());
                Cut::Broken { start, end, reason }
            }
        });
    }
}

/// Collects the lines of a table, and sends parts on the way.
struct TableReader<'r> {
    reader: &'r mut Reader,
    described: &'r PartOfSource,
    outcome: &'r mut Result<()>,
    total: &'r mut Decoded,
    /// Bytes of the lines in the present part.
    n_bytes: usize,
}

impl TableReader<'_> {
    fn line(&mut self, line: &table_text::Line<'_>) {
        if self.outcome.is_ok() {
            *self.outcome = self.take(line);
        }
    }

    fn take(&mut self, line: &table_text::Line<'_>) -> Result<()> {
        self.reader.check_stop()?;
        let reader = &mut *self.reader;
        let mut output = Output {
            rows: &mut reader.rows,
            keys: &mut reader.keys,
            selection: &reader.shared.selection,
        };
        let uri = &self.described.uri;
        decode_line(uri, line, self.total, &mut output).map_err(defect)?;
        self.n_bytes += line.raw.len();
        if self.n_bytes < PORTION_BYTES {
            return Ok(());
        }
        self.n_bytes = 0;
        let n_rows = reader.rows.len();
        let decoded = std::mem::replace(self.total, Decoded::new(SourceKind::Events));
        reader.sources.push(PartOfSource {
            decoded: Some(decoded),
            n_rows,
            is_last: false,
            ..again(self.described)
        });
        reader.send()
    }
}

/// The same source once more.
fn again(described: &PartOfSource) -> PartOfSource {
    PartOfSource {
        uri: Arc::clone(&described.uri),
        size_bytes: described.size_bytes,
        sha256: described.sha256.clone(),
        container: described.container,
        decoded: None,
        n_rows: 0,
        is_last: described.is_last,
    }
}

/// How the filling of a portion ended.
#[derive(Debug, Clone)]
enum End {
    /// The text is over.
    Whole,
    /// There may be more.
    More,
    Failed {
        reason: &'static str,
        detail: String,
    },
}

/// Reads until `text` has `length` bytes, or there is nothing more.
fn fill(input: &mut dyn Read, text: &mut Vec<u8>, length: usize) -> End {
    let room = length.saturating_sub(text.len());
    match input.take(room as u64).read_to_end(text) {
        Ok(n_read) if n_read < room => End::Whole,
        Ok(_) => End::More,
        Err(error) => {
            let (reason, detail) = blame(&error);
            End::Failed { reason, detail }
        }
    }
}

fn blame(error: &io::Error) -> (&'static str, String) {
    match ContainerError::of(error) {
        Some(error) => (error.reason, error.detail.clone()),
        None => ("unreadable", error.to_string()),
    }
}

/// Ends where its reader fails, and remembers why.
struct Noting<'r> {
    inner: &'r mut dyn Read,
    n_bytes: u64,
    failure: Option<(&'static str, String)>,
}

impl Read for Noting<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(out) {
            Ok(n_read) => {
                self.n_bytes += n_read as u64;
                Ok(n_read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failure = Some(blame(&error));
                Ok(0)
            }
        }
    }
}

/// Whether a text begins like JSON, or like text in UTF-16, which is named as such.
fn begins_like_json(text: &[u8]) -> bool {
    let is_utf16 = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    is_utf16 || matches!(first, Some(b'{' | b'['))
}

fn hash_of(member: &Member, source: &Source, sha256: &str) -> Result<String> {
    if member.uri == source.uri {
        return Ok(sha256.to_owned());
    }
    let hash = member.stored.sha256();
    hash.map_err(|error| unreadable(&member.uri, error))
}

/// The word in `sources.container`.
fn container_word(format: Format) -> Option<&'static str> {
    match format {
        Format::Gzip => Some("gzip"),
        Format::Zstd => Some("zstd"),
        Format::Bzip2 => Some("bzip2"),
        Format::Xz => Some("xz"),
        Format::Zip => Some("zip"),
        Format::Tar => Some("tar"),
        _ => None,
    }
}

/// A temporary file that cannot be read back.
fn unreadable(uri: &str, error: io::Error) -> crate::Error {
    crate::error::FileError::at("read", uri)(error).into()
}

/// What can only go wrong through a defect of the program, or for want of memory.
pub(super) fn defect(source: impl Into<Cause>) -> crate::Error {
    LakeError::Table {
        action: "build rows for",
        table: Table::Events.name(),
        source: source.into(),
    }
    .into()
}
