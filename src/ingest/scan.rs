//! Cuts unpacked bytes into records, without reading what is in them.
//!
//! A file is a sequence of JSON values: `{"Records":[…]}`, arrays of records, single records one
//! after another (JSON Lines or not). The scanner follows brackets and strings only, so that one
//! broken record costs that record and not the file: what is balanced but wrong is found later by
//! the JSON library, and after something unbalanced it goes on at the next place that looks like
//! the beginning of a record.

/// Nesting deeper than this is no CloudTrail record (real ones stay under 20), and is what JSON
/// libraries refuse.
pub const MAX_DEPTH: usize = 127;

/// A record longer than this is refused: CloudTrail events end at 256 KiB, in event data stores at
/// 1 MiB.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Something the scanner met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A balanced object.
    Record {
        offset: usize,
        json: &'a str,
        /// White space stands between its tokens.
        spaced: bool,
    },
    /// Bytes that are no record.
    Broken {
        offset: usize,
        raw: &'a [u8],
        reason: Reason,
    },
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

/// Gives every piece of `bytes`, in order.
pub fn scan<'a>(bytes: &'a [u8], mut emit: impl FnMut(Piece<'a>)) {
    let mut scanner = Scanner {
        bytes,
        at: 0,
        wasted: 0,
        cut_short: false,
    };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        scanner.at = 3;
    } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return scanner.broken(0, bytes.len(), Reason::Utf16, &mut emit);
    }
    while scanner.skip_space() {
        scanner.document(&mut emit);
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bytes walked over in vain.
    wasted: usize,
    /// It was said already that the text ends early.
    cut_short: bool,
}

/// A value's end and what was noticed on the way.
struct Extent {
    end: usize,
    spaced: bool,
}

impl<'a> Scanner<'a> {
    /// One value at the top of the file.
    fn document(&mut self, emit: &mut impl FnMut(Piece<'a>)) {
        let start = self.at;
        match self.bytes[start] {
            b'[' => {
                self.at += 1;
                self.elements(emit);
            }
            b'{' => self.object(emit),
            _ => {
                let end = self.prose_end();
                self.broken(start, end, Reason::NotAnObject, emit);
            }
        }
    }

    /// An object at the top: an envelope with `Records`, or a record itself.
    fn object(&mut self, emit: &mut impl FnMut(Piece<'a>)) {
        let start = self.at;
        match self.records_array() {
            Some(first_element) => {
                self.at = first_element;
                if self.elements(emit) {
                    self.envelope_rest(emit);
                }
            }
            None => self.record(start, emit),
        }
    }

    /// Where the elements of the member `Records` begin, if this object has one. The search ends at
    /// the first member that only records have, so that records are not walked twice.
    fn records_array(&self) -> Option<usize> {
        let mut look = Scanner {
            bytes: self.bytes,
            at: self.at + 1,
            wasted: 0,
            cut_short: false,
        };
        loop {
            look.skip_space();
            let key = look.string()?;
            look.skip_space();
            look.expect(b':')?;
            look.skip_space();
            let value = *look.bytes.get(look.at)?;
            if key == b"Records" {
                return (value == b'[').then_some(look.at + 1);
            }
            if RECORD_MEMBERS.contains(&key) {
                return None;
            }
            match value {
                b'{' | b'[' => look.at = look.extent(look.at).ok()?.end,
                b'"' => {
                    look.string()?;
                }
                _ => look.scalar(),
            }
            look.skip_space();
            look.expect(b',')?;
        }
    }

    /// The elements of an array, up to its bracket. True if the bracket was there.
    fn elements(&mut self, emit: &mut impl FnMut(Piece<'a>)) -> bool {
        loop {
            if !self.skip_space() {
                self.broken(self.at, self.at, Reason::Truncated, emit);
                return false;
            }
            match self.bytes[self.at] {
                b']' => {
                    self.at += 1;
                    return true;
                }
                b',' => self.at += 1,
                b'{' => self.record(self.at, emit),
                _ => self.odd_element(emit),
            }
        }
    }

    /// An element that is no object: a scalar, a nested array, or garbage.
    fn odd_element(&mut self, emit: &mut impl FnMut(Piece<'a>)) {
        let start = self.at;
        match self.bytes[start] {
            b'"' => {
                if self.string().is_none() {
                    return self.resume(start, Reason::Truncated, emit);
                }
            }
            b'[' => match self.extent(start) {
                Ok(extent) => self.at = extent.end,
                Err(reason) => return self.resume(start, reason, emit),
            },
            b'}' | b':' => self.at += 1,
            _ => self.scalar(),
        }
        self.broken(start, self.at, Reason::NotAnObject, emit);
    }

    /// What follows the array `Records` in its envelope: other members, then the brace.
    fn envelope_rest(&mut self, emit: &mut impl FnMut(Piece<'a>)) {
        let start = self.at;
        loop {
            if !self.skip_space() {
                return self.broken(start, self.bytes.len(), Reason::Truncated, emit);
            }
            match self.bytes[self.at] {
                b'}' => {
                    self.at += 1;
                    return;
                }
                b'{' | b'[' => match self.extent(self.at) {
                    Ok(extent) => self.at = extent.end,
                    Err(reason) => return self.resume(start, reason, emit),
                },
                b'"' => {
                    if self.string().is_none() {
                        return self.resume(start, Reason::Truncated, emit);
                    }
                }
                b',' | b':' => self.at += 1,
                b']' => return self.resume(start, Reason::Syntax, emit),
                _ => self.scalar(),
            }
        }
    }

    /// The object at `start`.
    fn record(&mut self, start: usize, emit: &mut impl FnMut(Piece<'a>)) {
        let extent = match self.extent(start) {
            Ok(extent) => extent,
            Err(reason) => return self.resume(start, reason, emit),
        };
        self.at = extent.end;
        let raw = &self.bytes[start..extent.end];
        if raw.len() > MAX_RECORD_BYTES {
            return self.broken(start, extent.end, Reason::TooLong, emit);
        }
        match std::str::from_utf8(raw) {
            Ok(json) => emit(Piece::Record {
                offset: start,
                json,
                spaced: extent.spaced,
            }),
            Err(_) => self.broken(start, extent.end, Reason::NotUtf8, emit),
        }
    }

    /// The end of the bracketed value at `start`.
    fn extent(&mut self, start: usize) -> Result<Extent, Reason> {
        let (walked, found) = self.walk(start);
        if found.is_err() {
            self.wasted += walked - start;
        }
        found
    }

    /// Where the walk over the value at `start` ended, and what it found.
    fn walk(&self, start: usize) -> (usize, Result<Extent, Reason>) {
        // One bit for each open bracket: 1 for an object. MAX_DEPTH fits.
        let mut open: u128 = 0;
        let mut depth = 0_usize;
        let mut spaced = false;
        let mut at = start;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'"' => {
                    match string_end(self.bytes, at + 1) {
                        Some(end) => at = end,
                        None => return (self.bytes.len(), Err(Reason::Truncated)),
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
                        let end = at + 1;
                        return (end, Ok(Extent { end, spaced }));
                    }
                }
                b' ' | b'\t' | b'\n' | b'\r' => spaced = true,
                _ => {}
            }
            at += 1;
        }
        (self.bytes.len(), Err(Reason::Truncated))
    }

    /// After something unbalanced at `start`: gives up what lies before the next likely beginning of
    /// a record, and goes on there.
    fn resume(&mut self, start: usize, reason: Reason, emit: &mut impl FnMut(Piece<'a>)) {
        let next = if self.wasted > self.bytes.len().saturating_mul(MAX_WASTE) {
            self.bytes.len()
        } else {
            self.next_beginning(start + 1)
        };
        let reason = if next < self.bytes.len() && reason == Reason::Truncated {
            Reason::Syntax
        } else {
            reason
        };
        self.broken(start, next, reason, emit);
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

    fn broken(
        &mut self,
        start: usize,
        end: usize,
        reason: Reason,
        emit: &mut impl FnMut(Piece<'a>),
    ) {
        self.at = end;
        if reason == Reason::Truncated && std::mem::replace(&mut self.cut_short, true) {
            return;
        }
        emit(Piece::Broken {
            offset: start,
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

    /// The bytes between the quotes of the string here.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        self.at = string_end(self.bytes, start)?;
        Some(&self.bytes[start..self.at - 1])
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (*self.bytes.get(self.at)? == byte).then(|| self.at += 1)
    }

    /// Steps over a number, a word, or other bytes up to a separator; at least one byte.
    fn scalar(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|byte| {
                matches!(
                    byte,
                    b',' | b']' | b'}' | b'{' | b'[' | b'"' | b' ' | b'\t' | b'\n' | b'\r'
                )
            })
            .unwrap_or(rest.len());
        self.at += length.max(1);
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

/// Members of records that tell them from envelopes.
const RECORD_MEMBERS: [&[u8]; 4] = [b"eventVersion", b"eventTime", b"eventName", b"userIdentity"];

/// What stands before a record's brace in JSON Lines and in pretty-printed files.
const INDENTS: [&[u8]; 3] = [b"\n", b"\n  ", b"\n    "];

/// Walks that led nowhere may cost this many times the text before the rest is given up, so that
/// hostile input costs linear time.
const MAX_WASTE: usize = 8;

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
