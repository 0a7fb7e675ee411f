//! JSON as it is spelled: a small reader of its own, so that what the program says of a record can be
//! held against the text of the record without trusting any parser that the program uses.

// Two programs use it, and neither uses all of it.
#![allow(dead_code)]

use std::fmt;

/// A value. Numbers are their spelling, texts their UTF-16 units (an escape may be half a pair),
/// objects all their members in order, those named twice as well.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(Vec<u16>),
    Array(Vec<Json>),
    Object(Vec<(Vec<u16>, Json)>),
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |units: &[u16]| format!("{:?}", String::from_utf16_lossy(units));
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(spelling) => f.write_str(spelling),
            Self::Text(units) => f.write_str(&text(units)),
            Self::Array(elements) => f.debug_list().entries(elements).finish(),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| (text(name), value));
                f.debug_map().entries(members).finish()
            }
        }
    }
}

impl Json {
    /// Reads one value with white space around it; `None` where the text is anything else.
    pub fn read(text: &str) -> Option<Self> {
        let (value, end) = Self::first(text.as_bytes())?;
        let rest = &text.as_bytes()[end..];
        rest.iter().all(u8::is_ascii_whitespace).then_some(value)
    }

    /// Reads the value that a text begins with, and says where it ends.
    pub fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut reader = Reader::new(bytes);
        let value = reader.value()?;
        Some((value, reader.at))
    }

    /// The last member of this name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let mut named = members.iter().rev();
        let (_, value) = named.find(|(other, _)| name.encode_utf16().eq(other.iter().copied()))?;
        Some(value)
    }

    /// The text of a value that is one.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(units) => String::from_utf16(units).ok(),
            _ => None,
        }
    }

    /// The same value with the members of objects sorted by name; members of one name keep their
    /// order, which decides what they mean.
    pub fn sorted(self) -> Self {
        match self {
            Self::Array(elements) => Self::Array(elements.into_iter().map(Self::sorted).collect()),
            Self::Object(members) => {
                let members = members.into_iter();
                let mut members: Vec<_> = members
                    .map(|(name, value)| (name, value.sorted()))
                    .collect();
                members.sort_by(|one, other| one.0.cmp(&other.0));
                Self::Object(members)
            }
            other => other,
        }
    }
}

/// A text to compare by: equal for texts that spell one value, whatever the order of its members.
pub fn canonical(text: &str) -> Option<Json> {
    Json::read(text).map(Json::sorted)
}

/// Each member of an object as its name and the bytes of its value.
pub fn members(text: &str) -> Option<Vec<(String, &str)>> {
    let mut reader = Reader::new(text.as_bytes());
    let mut members = Vec::new();
    reader.space();
    reader.take(b'{')?;
    reader.space();
    if reader.take(b'}').is_some() {
        return Some(members);
    }
    loop {
        reader.space();
        let name = String::from_utf16_lossy(&reader.text()?);
        reader.space();
        reader.take(b':')?;
        reader.space();
        let start = reader.at;
        reader.value()?;
        members.push((name, &text[start..reader.at]));
        reader.space();
        if reader.take(b',').is_none() {
            reader.take(b'}')?;
            return Some(members);
        }
    }
}

/// Each element of an array as its bytes.
pub fn elements(text: &str) -> Option<Vec<&str>> {
    let mut reader = Reader::new(text.as_bytes());
    let mut elements = Vec::new();
    reader.space();
    reader.take(b'[')?;
    reader.space();
    if reader.take(b']').is_some() {
        return Some(elements);
    }
    loop {
        reader.space();
        let start = reader.at;
        reader.value()?;
        elements.push(&text[start..reader.at]);
        reader.space();
        if reader.take(b',').is_none() {
            reader.take(b']')?;
            return Some(elements);
        }
    }
}

/// Values nest no deeper than this.
const MAX_DEPTH: usize = 200;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let (at, depth) = (0, 0);
        Self { bytes, at, depth }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (*self.bytes.get(self.at)? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        let rest = self.bytes.get(self.at..)?;
        rest.starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    fn value(&mut self) -> Option<Json> {
        self.space();
        match *self.bytes.get(self.at)? {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => self.text().map(Json::Text),
            b'[' | b'{' if self.depth >= MAX_DEPTH => None,
            open @ (b'[' | b'{') => {
                self.depth += 1;
                let value = if open == b'[' {
                    self.array()
                } else {
                    self.object()
                };
                self.depth -= 1;
                value
            }
            _ => self.number(),
        }
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        (length > 0).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if self.take(b'e').or_else(|| self.take(b'E')).is_some() {
            let _ = self.take(b'+').or_else(|| self.take(b'-'));
            self.digits()?;
        }
        let spelling = std::str::from_utf8(&self.bytes[start..self.at]).ok()?;
        Some(Json::Number(spelling.to_owned()))
    }

    fn text(&mut self) -> Option<Vec<u16>> {
        self.take(b'"')?;
        let mut units = Vec::new();
        loop {
            let rest = &self.bytes[self.at..];
            match *rest.first()? {
                b'"' => {
                    self.at += 1;
                    return Some(units);
                }
                b'\\' => units.push(self.escape()?),
                0..0x20 => return None,
                _ => {
                    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
                    let length = rest.iter().take_while(is_plain).count();
                    let plain = std::str::from_utf8(&rest[..length]).ok()?;
                    units.extend(plain.encode_utf16());
                    self.at += length;
                }
            }
        }
    }

    fn escape(&mut self) -> Option<u16> {
        let letter = *self.bytes.get(self.at + 1)?;
        self.at += 2;
        Some(match letter {
            b'n' => 0x0a,
            b'r' => 0x0d,
            b't' => 0x09,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'"' | b'\\' | b'/' => u16::from(letter),
            b'u' => {
                let digits = std::str::from_utf8(self.bytes.get(self.at..self.at + 4)?).ok()?;
                self.at += 4;
                u16::from_str_radix(digits, 16).ok()?
            }
            _ => return None,
        })
    }

    fn array(&mut self) -> Option<Json> {
        self.take(b'[')?;
        let mut elements = Vec::new();
        self.space();
        if self.take(b']').is_some() {
            return Some(Json::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            self.space();
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(Json::Array(elements));
            }
        }
    }

    fn object(&mut self) -> Option<Json> {
        self.take(b'{')?;
        let mut members = Vec::new();
        self.space();
        if self.take(b'}').is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            let name = self.text()?;
            self.space();
            self.take(b':')?;
            members.push((name, self.value()?));
            self.space();
            if self.take(b',').is_none() {
                self.take(b'}')?;
                return Some(Json::Object(members));
            }
        }
    }
}
