//! JSON as it is spelled: a small reader of its own, so that what the program says of a record can be
//! held against the text of the record without trusting any parser that the program uses.

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
        let mut reader = Reader {
            bytes: text.as_bytes(),
            at: 0,
        };
        let value = reader.value()?;
        reader.space();
        (reader.at == text.len()).then_some(value)
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
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
    };
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

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
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
            b'[' => self.array(),
            b'{' => self.object(),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Option<Json> {
        let rest = self.bytes.get(self.at..)?;
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let spelling = std::str::from_utf8(&rest[..length]).ok()?;
        self.at += length;
        (length > 0).then(|| Json::Number(spelling.to_owned()))
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
                _ => {
                    let length = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\'));
                    let length = length.count();
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
