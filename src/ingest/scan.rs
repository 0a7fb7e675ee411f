//! Cuts unpacked bytes into records.
//!
//! A file is a sequence of JSON values: `{"Records":[…]}`, arrays of records, single records one
//! after another (JSON Lines or not). Whoever takes the records reads them where they begin and says
//! where they end. Only what cannot be read is walked over by brackets and strings, so that one
//! broken record costs that record and not the file: what is balanced but wrong is one piece, and
//! after something unbalanced it goes on at the next place that looks like the beginning of a
//! record. Bytes may come in portions; what a portion cuts through is looked at again with the next.

pub use super::json::MAX_DEPTH;

/// A record longer than this is refused: CloudTrail events end at 256 KiB, in event data stores at
/// 1 MiB.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Something the scanner met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A balanced object.
    Record { offset: u64, json: &'a str },
    /// Bytes that are no record.
    Broken {
        offset: u64,
        raw: &'a [u8],
        reason: Reason,
    },
}

/// Takes what the scanner meets.
pub trait Sink<'a> {
    /// A record may begin at `start` of `text`, which lies at `base` of the source. Gives its end, if
    /// it was read; else it comes back as a [`Piece`].
    fn record(&mut self, text: &'a str, start: usize, base: u64) -> Option<usize>;

    /// Something that was not taken as a record.
    fn piece(&mut self, piece: Piece<'a>);
}

impl<'a, F: FnMut(Piece<'a>)> Sink<'a> for F {
    fn record(&mut self, _: &'a str, _: usize, _: u64) -> Option<usize> {
        None
    }

    fn piece(&mut self, piece: Piece<'a>) {
        self(piece);
    }
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The text ends inside a value.
    Truncated,
    /// Brackets do not match, or a separator is missing.
    Syntax,
    /// Not the beginning of an object.
    NotAnObject,
    NotUtf8,
    /// UTF-16, as some shells write what they redirect.
    Utf16,
    TooDeep,
    TooLong,
}

impl Reason {
    /// The code in `rejects.reason`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Syntax => "invalid-json",
            Self::NotAnObject => "not-a-record",
            Self::NotUtf8 | Self::Utf16 => "not-utf8",
            Self::TooDeep => "too-deep",
            Self::TooLong => "too-long",
        }
    }

    /// The code in words.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Truncated => "the text ends inside a value",
            Self::Syntax => "brackets or separators do not match",
            Self::NotAnObject => "a record begins with `{`",
            Self::NotUtf8 => "bytes that are not UTF-8",
            Self::Utf16 => "UTF-16 text, where UTF-8 is read",
            Self::TooDeep => "nested deeper than 127 levels",
            Self::TooLong => "a record longer than 16 MiB",
        }
    }
}

/// Where in a source the scanner is.
#[derive(Debug, Default)]
pub struct Scanner {
    /// The brackets around what comes next, from the outside in: none between values, `[` among the
    /// records of an array, `{` in an envelope after its array.
    around: Vec<u8>,
    /// Bytes done with.
    base: u64,
    /// Bytes walked over in vain.
    wasted: u64,
    /// It was said already that the text ends early.
    cut_short: bool,
    /// Something unbalanced was met, and no likely beginning of a record since.
    lost: bool,
}

/// The portion ends before what stands here does.
struct More;

impl Scanner {
    /// Gives every piece of `bytes` that lies in it whole, in order, and says how many bytes are done
    /// with; the next portion begins with the others. `last` says that no more will come.
    pub fn feed<'a>(&mut self, bytes: &'a [u8], last: bool, sink: &mut impl Sink<'a>) -> usize {
        let mut portion = Portion {
            bytes,
            text: "",
            text_start: 0,
            at: 0,
            last,
            scanner: self,
        };
        if portion.scanner.base == 0 {
            if bytes.starts_with(b"\xef\xbb\xbf") {
                portion.at = 3;
            } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                portion.broken(0, bytes.len(), Reason::Utf16, sink);
            }
        }
        while portion.step(sink).is_ok() {}
        let done = portion.at;
        self.base += done as u64;
        done
    }
}

/// Gives every piece of `bytes`, in order.
pub fn scan<'a>(bytes: &'a [u8], mut sink: impl Sink<'a>) {
    Scanner::default().feed(bytes, true, &mut sink);
}

/// Bytes that lie together.
struct Portion<'s, 'a> {
    bytes: &'a [u8],
    /// What of the bytes is known to be UTF-8, and where it begins.
    text: &'a str,
    text_start: usize,
    at: usize,
    last: bool,
    scanner: &'s mut Scanner,
}

/// A value's end.
type Extent = usize;

impl<'a> Portion<'_, 'a> {
    /// One step onwards; an error at the end of the portion, with `at` where the next one begins.
    fn step(&mut self, sink: &mut impl Sink<'a>) -> Result<(), More> {
        if std::mem::take(&mut self.scanner.lost) {
            let next = self.next_beginning(self.at);
            self.give_up(self.at, next, Reason::Syntax, sink);
        }
        let around = self.scanner.around.last().copied();
        if !self.skip_space() {
            if self.last && around.is_some() {
                self.broken(self.at, self.at, Reason::Truncated, sink);
            }
            return Err(More);
        }
        match around {
            None => self.document(sink),
            Some(b'[') => self.element(sink),
            Some(_) => self.envelope_rest(sink),
        }
    }

    /// One value at the top of the file.
    fn document(&mut self, sink: &mut impl Sink<'a>) -> Result<(), More> {
        let start = self.at;
        match self.bytes[start] {
            b'[' => {
                self.at += 1;
                self.scanner.around.push(b'[');
            }
            b'{' => match self.envelope() {
                Ok(Some(first_element)) => {
                    self.at = first_element;
                    self.scanner.around.extend(b"{[");
                }
                Ok(None) => self.record(sink)?,
                Err(More) if self.is_over_long(start) => self.record(sink)?,
                Err(More) => return Err(More),
            },
            _ => {
                let end = self.prose_end();
                self.broken(start, end, Reason::NotAnObject, sink);
            }
        }
        Ok(())
    }

    /// Where the elements begin, if the object here is an envelope. The search ends at the first
    /// member that only records have, so that records are not walked twice.
    fn envelope(&mut self) -> Result<Option<usize>, More> {
        let start = self.at;
        let found = self.find_elements();
        self.at = start;
        match found {
            Err(More) if self.last => Ok(None),
            found => found,
        }
    }

    fn find_elements(&mut self) -> Result<Option<usize>, More> {
        self.at += 1;
        loop {
            let Some(key) = self.token(b'"')? else {
                return Ok(None);
            };
            if self.token(b':')?.is_none() {
                return Ok(None);
            }
            if !self.skip_space() {
                return Err(More);
            }
            let value = self.bytes[self.at];
            if ENVELOPE_MEMBERS.contains(&key) {
                return Ok((value == b'[').then_some(self.at + 1));
            }
            if RECORD_MEMBERS.contains(&key) {
                return Ok(None);
            }
            match value {
                b'{' | b'[' => match self.walk(self.at) {
                    (_, Ok(end)) => self.at = end,
                    (_, Err(Reason::Truncated)) => return Err(More),
                    (_, Err(_)) => return Ok(None),
                },
                b'"' => {
                    self.token(b'"')?;
                }
                _ => self.scalar()?,
            }
            if self.token(b',')?.is_none() {
                return Ok(None);
            }
        }
    }

    /// The string here, without its quotes, or one byte; `None` where something else stands.
    fn token(&mut self, byte: u8) -> Result<Option<&'a [u8]>, More> {
        if !self.skip_space() {
            return Err(More);
        }
        if self.bytes[self.at] != byte {
            return Ok(None);
        }
        let start = self.at + 1;
        if byte == b'"' {
            self.at = string_end(self.bytes, start).ok_or(More)?;
            return Ok(Some(&self.bytes[start..self.at - 1]));
        }
        self.at = start;
        Ok(Some(&self.bytes[start..start]))
    }

    /// One step in an array of records.
    fn element(&mut self, sink: &mut impl Sink<'a>) -> Result<(), More> {
        match self.bytes[self.at] {
            b']' => {
                self.at += 1;
                self.scanner.around.pop();
            }
            b',' => self.at += 1,
            b'{' => self.record(sink)?,
            _ => self.odd_element(sink)?,
        }
        Ok(())
    }

    /// An element that is no object: a scalar, a nested array, or garbage.
    fn odd_element(&mut self, sink: &mut impl Sink<'a>) -> Result<(), More> {
        let start = self.at;
        let end = match self.bytes[start] {
            b'"' => string_end(self.bytes, start + 1).ok_or(Reason::Truncated),
            b'[' => self.extent(start),
            b'}' | b':' => Ok(start + 1),
            _ => {
                self.scalar()?;
                Ok(self.at)
            }
        };
        match end {
            Ok(end) => self.broken(start, end, Reason::NotAnObject, sink),
            Err(reason) => self.resume(start, reason, sink)?,
        }
        Ok(())
    }

    /// A step through what follows the records in their envelope: other members, then the brace.
    fn envelope_rest(&mut self, sink: &mut impl Sink<'a>) -> Result<(), More> {
        let start = self.at;
        let end = match self.bytes[start] {
            b'}' => {
                self.scanner.around.pop();
                Ok(start + 1)
            }
            b'{' | b'[' => self.extent(start),
            b'"' => string_end(self.bytes, start + 1).ok_or(Reason::Truncated),
            b',' | b':' => Ok(start + 1),
            b']' => Err(Reason::Syntax),
            _ => {
                self.scalar()?;
                Ok(self.at)
            }
        };
        match end {
            Ok(end) => self.at = end,
            Err(reason) => {
                self.resume(start, reason, sink)?;
                self.scanner.around.clear();
            }
        }
        Ok(())
    }

    /// The object here.
    fn record(&mut self, sink: &mut impl Sink<'a>) -> Result<(), More> {
        let start = self.at;
        if let Some(end) = self.read(sink) {
            self.at = end;
            return Ok(());
        }
        let end = match self.extent(start) {
            Ok(end) => end,
            Err(reason) => return self.resume(start, reason, sink),
        };
        let raw = &self.bytes[start..end];
        if raw.len() > MAX_RECORD_BYTES {
            if !self.step_inside(start) {
                self.broken(start, end, Reason::TooLong, sink);
            }
            return Ok(());
        }
        self.at = end;
        match std::str::from_utf8(raw) {
            Ok(json) => {
                let offset = self.scanner.base + start as u64;
                sink.piece(Piece::Record { offset, json });
            }
            Err(_) => self.broken(start, end, Reason::NotUtf8, sink),
        }
        Ok(())
    }

    /// Lets the record here be read, if it stands in text.
    fn read(&mut self, sink: &mut impl Sink<'a>) -> Option<usize> {
        if self.at >= self.text_start + self.text.len() {
            self.text_start = self.at;
            let rest = &self.bytes[self.at..];
            self.text = match std::str::from_utf8(rest) {
                Ok(text) => text,
                Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or(""),
            };
        }
        let start = self.at.checked_sub(self.text_start)?;
        let base = self.scanner.base + self.text_start as u64;
        let end = sink.record(self.text, start, base)?;
        Some(self.text_start + end)
    }

    /// The end of the bracketed value at `start`.
    fn extent(&mut self, start: usize) -> Result<Extent, Reason> {
        let (walked, found) = self.walk(start);
        if found.is_err() {
            self.scanner.wasted += (walked - start) as u64;
        }
        found
    }

    /// Where the walk over the value at `start` ended, and what it found.
    fn walk(&self, start: usize) -> (usize, Result<Extent, Reason>) {
        // One bit for each open bracket: 1 for an object. MAX_DEPTH fits.
        let mut open: u128 = 0;
        let mut depth = 0_usize;
        let mut at = start;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'"' => {
                    match line_string_end(self.bytes, at + 1) {
                        Ok(end) => at = end,
                        Err((stopped, reason)) => return (stopped, Err(reason)),
                    }
                    continue;
                }
                b'{' | b'[' => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return (at, Err(Reason::TooDeep));
                    }
                    open = open << 1 | u128::from(byte == b'{');
                }
                b'}' | b']' => {
                    if (open & 1 == 1) != (byte == b'}') {
                        return (at, Err(Reason::Syntax));
                    }
                    open >>= 1;
                    depth -= 1;
                    if depth == 0 {
                        return (at + 1, Ok(at + 1));
                    }
                }
                _ => {}
            }
            at += 1;
        }
        (self.bytes.len(), Err(Reason::Truncated))
    }

    /// After something unbalanced at `start`: gives up what lies before the next likely beginning of
    /// a record, and goes on there. Text that ends too early may go on in the next portion.
    fn resume(
        &mut self,
        start: usize,
        reason: Reason,
        sink: &mut impl Sink<'a>,
    ) -> Result<(), More> {
        if reason == Reason::Truncated && !self.last && !self.is_over_long(start) {
            self.at = start;
            return Err(More);
        }
        if reason == Reason::Truncated && self.is_over_long(start) && self.step_inside(start) {
            return Ok(());
        }
        let seen = self.scanner.base + self.bytes.len() as u64;
        let next = if self.scanner.wasted > seen.saturating_mul(MAX_WASTE) {
            self.bytes.len()
        } else {
            self.next_beginning(start + 1)
        };
        let reason = match reason {
            Reason::Truncated if self.is_over_long(start) => Reason::TooLong,
            Reason::Truncated if next < self.bytes.len() => Reason::Syntax,
            reason => reason,
        };
        self.give_up(start, next, reason, sink);
        Ok(())
    }

    /// Goes into what at `start` is longer than a record may be, if it is no record itself: to the
    /// elements of the outermost array that has not ended yet. Answers of searches, exports and
    /// queues hold their records so.
    fn step_inside(&mut self, start: usize) -> bool {
        let mut open: Vec<(usize, u8)> = Vec::new();
        let mut at = start;
        while at < start + MAX_RECORD_BYTES
            && let Some(&byte) = self.bytes.get(at)
        {
            match byte {
                b'"' => {
                    let Ok(end) = line_string_end(self.bytes, at + 1) else {
                        break;
                    };
                    if open.len() == 1 && RECORD_MEMBERS.contains(&&self.bytes[at + 1..end - 1]) {
                        return false;
                    }
                    at = end;
                    continue;
                }
                b'{' | b'[' if open.len() >= MAX_DEPTH => return false,
                b'{' | b'[' => open.push((at, byte)),
                b'}' | b']' => {
                    open.pop();
                }
                _ => {}
            }
            at += 1;
        }
        let Some(array) = open.iter().position(|(_, bracket)| *bracket == b'[') else {
            return false;
        };
        self.at = open[array].0 + 1;
        let around = open[..=array].iter().map(|(_, bracket)| *bracket);
        self.scanner.around.extend(around);
        true
    }

    /// Leaves the bytes up to `next`; without a likely beginning before the portion's end, the search
    /// goes on in the next.
    fn give_up(&mut self, start: usize, next: usize, reason: Reason, sink: &mut impl Sink<'a>) {
        self.scanner.lost = next == self.bytes.len() && !self.last;
        if start < next || reason == Reason::Truncated {
            self.broken(start, next, reason, sink);
        }
    }

    /// The value at `start` has filled a portion as long as a record may be, and goes on.
    fn is_over_long(&self, start: usize) -> bool {
        self.bytes.len() - start > MAX_RECORD_BYTES
    }

    /// The next brace that looks like the beginning of a record: at the beginning of a line, with the
    /// indentation that records have in pretty-printed files, or before the member that AWS writes
    /// first.
    fn next_beginning(&self, from: usize) -> usize {
        memchr::memchr_iter(b'{', &self.bytes[from..])
            .map(|found| from + found)
            .find(|&at| {
                self.bytes[at..].starts_with(b"{\"eventVersion\"")
                    || INDENTS
                        .iter()
                        .any(|indent| self.bytes[..at].ends_with(indent))
            })
            .unwrap_or(self.bytes.len())
    }

    fn broken(&mut self, start: usize, end: usize, reason: Reason, sink: &mut impl Sink<'a>) {
        self.at = end;
        let cut_short = &mut self.scanner.cut_short;
        if reason == Reason::Truncated && std::mem::replace(cut_short, true) {
            return;
        }
        sink.piece(Piece::Broken {
            offset: self.scanner.base + start as u64,
            raw: &self.bytes[start..end],
            reason,
        });
    }

    /// False at the end of the text.
    fn skip_space(&mut self) -> bool {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.at < self.bytes.len()
    }

    /// Steps over a number, a word, or other bytes up to a separator; at least one byte.
    fn scalar(&mut self) -> Result<(), More> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| {
            matches!(
                byte,
                b',' | b']' | b'}' | b'{' | b'[' | b'"' | b' ' | b'\t' | b'\n' | b'\r'
            )
        });
        let length = match end {
            Some(length) => length,
            None if self.last || self.is_over_long(self.at) => rest.len(),
            None => return Err(More),
        };
        self.at += length.max(1);
        Ok(())
    }

    /// The end of the last line before one that begins like JSON: a log of another kind is one
    /// piece, not a piece for each line.
    fn prose_end(&self) -> usize {
        let mut end = self.at;
        loop {
            end = memchr::memchr(b'\n', &self.bytes[end..])
                .map_or(self.bytes.len(), |length| end + length);
            let rest = &self.bytes[end..];
            match rest.iter().position(|byte| !byte.is_ascii_whitespace()) {
                None => return end,
                Some(blank) if matches!(rest[blank], b'{' | b'[') => return end,
                Some(blank) => end += blank,
            }
        }
    }
}

/// Members whose array holds records, or what wraps them, one by one.
const ENVELOPE_MEMBERS: [&[u8]; 4] = [b"Records", b"Events", b"logEvents", b"events"];

/// Members of records that tell them from envelopes.
const RECORD_MEMBERS: [&[u8]; 4] = [b"eventVersion", b"eventTime", b"eventName", b"userIdentity"];

/// What stands before a record's brace in JSON Lines and in pretty-printed files.
const INDENTS: [&[u8]; 3] = [b"\n", b"\n  ", b"\n    "];

/// Walks that led nowhere may cost this many times the text before the rest is given up, so that
/// hostile input costs linear time.
const MAX_WASTE: u64 = 8;

/// As [`string_end`], for text that may be damaged: no string of JSON goes over the end of a line, so
/// one that does was cut, and what follows is not its. Also gives the place where the search ended.
fn line_string_end(bytes: &[u8], mut at: usize) -> Result<usize, (usize, Reason)> {
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(length) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
            return Err((bytes.len(), Reason::Truncated));
        };
        at += length;
        match bytes[at] {
            b'"' => return Ok(at + 1),
            b'\n' => return Err((at, Reason::Syntax)),
            _ => at += 2,
        }
    }
}

/// The place after the closing quote of a string whose text begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        at += length;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests;
