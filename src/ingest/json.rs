//! JSON text, read once from left to right, strictly (RFC 8259), without building anything.
//!
//! Records are cut, checked and taken apart in this one pass, which is why it is not a library's: one
//! that gives raw slices of members does not say where a record in a longer text ends without a
//! second pass. Tests and fuzzing hold it against serde_json.

/// Deeper nesting is refused: real records stay under 20, and JSON libraries stop here too.
pub const MAX_DEPTH: usize = 127;

/// Why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It ends inside a value.
    Truncated,
    /// What stands at this byte of the text, and what should.
    Unexpected {
        at: usize,
        expected: &'static str,
    },
    TooDeep,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the text ends inside a value"),
            Self::Unexpected { at, expected } => write!(f, "expected {expected} at byte {at}"),
            Self::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels"),
        }
    }
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whether a backslash is in it.
    String {
        escaped: bool,
    },
    Number,
    Word,
    Object,
    Array,
}

/// A value's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    pub raw: &'a str,
    pub kind: Kind,
    /// White space stands between tokens of it.
    pub spaced: bool,
}

/// A string's text without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub inner: &'a str,
    pub escaped: bool,
}

/// A place in a text.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// White space was met since this was last set to false.
    spaced: bool,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str, at: usize) -> Self {
        Self {
            text,
            at,
            spaced: false,
        }
    }

    /// The place, in bytes from the text's beginning.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The byte here.
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps into the object or array here. True if it has something in it.
    pub fn open(&mut self, bracket: u8, close: u8) -> Result<bool, Fault> {
        self.expect(bracket, "an opening bracket")?;
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// After a member or element: true if another follows; else the bracket is behind us.
    pub fn more(&mut self, close: u8) -> Result<bool, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.fault("`,` or a closing bracket")),
        }
    }

    /// A member's name, and the colon after it.
    pub fn key(&mut self) -> Result<Text<'a>, Fault> {
        let key = self.string()?;
        self.skip_space();
        self.expect(b':', "`:`")?;
        self.skip_space();
        Ok(key)
    }

    /// The value here, checked, at `depth` open brackets.
    pub fn value(&mut self, depth: usize) -> Result<Value<'a>, Fault> {
        let start = self.at;
        let was_spaced = std::mem::replace(&mut self.spaced, false);
        let kind = match self.peek() {
            Some(b'"') => Kind::String {
                escaped: self.string()?.escaped,
            },
            Some(b'{') => {
                self.skip_bracketed(depth)?;
                Kind::Object
            }
            Some(b'[') => {
                self.skip_bracketed(depth)?;
                Kind::Array
            }
            _ => self.scalar()?,
        };
        let value = Value {
            raw: &self.text[start..self.at],
            kind,
            spaced: self.spaced,
        };
        self.spaced |= was_spaced;
        Ok(value)
    }

    /// Runs `read` and says whether it met white space.
    pub fn noting_space<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> (T, bool) {
        let was_spaced = std::mem::replace(&mut self.spaced, false);
        let outcome = read(self);
        let spaced = self.spaced;
        self.spaced |= was_spaced;
        (outcome, spaced)
    }

    /// The text from a place to here.
    pub fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// The string here.
    pub fn string(&mut self) -> Result<Text<'a>, Fault> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            self.at = plain_end(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => {
                    let inner = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Text { inner, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.fault("no control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        match bytes.get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                for _ in 0..4 {
                    self.at += 1;
                    if !bytes.get(self.at).is_some_and(u8::is_ascii_hexdigit) {
                        return Err(self.fault("four hexadecimal digits"));
                    }
                }
                self.at += 1;
            }
            _ => return Err(self.fault("an escape")),
        }
        Ok(())
    }

    /// A number or one of the three words.
    fn scalar(&mut self) -> Result<Kind, Fault> {
        let rest = &self.text.as_bytes()[self.at..];
        match rest.first() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(self.fault("a value")),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<Kind, Fault> {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(Kind::Word);
        }
        if word.as_bytes().starts_with(rest) {
            self.at = self.text.len();
        }
        Err(self.fault("a value"))
    }

    fn number(&mut self) -> Result<Kind, Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return Err(self.fault("a digit"));
        }
        self.at += length;
        Ok(())
    }

    /// Steps over the object or array here, which stands below `depth` open brackets.
    fn skip_bracketed(&mut self, depth: usize) -> Result<(), Fault> {
        // One bit for each open bracket: 1 for an object.
        let mut open: u128 = 0;
        let mut depth = depth;
        let outside = depth;
        loop {
            let bracket = self.peek();
            match bracket {
                Some(b'{' | b'[') => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(Fault::TooDeep);
                    }
                    let is_object = bracket == Some(b'{');
                    open = open << 1 | u128::from(is_object);
                    let close = if is_object { b'}' } else { b']' };
                    if self.open(if is_object { b'{' } else { b'[' }, close)? {
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                    open >>= 1;
                    depth -= 1;
                }
                Some(b'"') => {
                    self.string()?;
                }
                _ => {
                    self.scalar()?;
                }
            }
            loop {
                if depth == outside {
                    return Ok(());
                }
                let is_object = open & 1 == 1;
                if self.more(if is_object { b'}' } else { b']' })? {
                    if is_object {
                        self.key()?;
                    }
                    break;
                }
                open >>= 1;
                depth -= 1;
            }
        }
    }

    pub fn skip_space(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
            self.spaced = true;
        }
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.fault(what))
    }

    fn fault(&self, expected: &'static str) -> Fault {
        if self.at >= self.text.len() {
            return Fault::Truncated;
        }
        Fault::Unexpected {
            at: self.at,
            expected,
        }
    }
}

/// Where a run of bytes that mean themselves ends: at a quote, a backslash, a control character, or
/// the end of the text. Eight bytes at a time.
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(word) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes([
            word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7],
        ]);
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        // The lowest high bit that is set stands in the first byte that is zero, or below a space.
        let hit = (quote.wrapping_sub(ONES) & !quote
            | slash.wrapping_sub(ONES) & !slash
            | word.wrapping_sub(ONES * 0x20) & !word)
            & HIGH;
        if hit != 0 {
            return at + (hit.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if *byte < 0x20 || matches!(byte, b'"' | b'\\') {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether the text is one value and nothing else, as read here.
    fn accepts(text: &str) -> bool {
        let mut cursor = Cursor::new(text, 0);
        cursor.skip_space();
        let read = cursor.value(0);
        cursor.skip_space();
        read.is_ok() && cursor.at() == text.len()
    }

    /// The same, as serde_json sees it; it refuses numbers that no double holds, which are JSON all
    /// the same.
    fn accepted_by_serde(text: &str) -> bool {
        match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => true,
            Err(error) => error.to_string().starts_with("number out of range"),
        }
    }

    #[test]
    fn the_library_agrees_on_what_is_json() {
        for text in [
            "{}",
            "[]",
            "[1,]",
            "{\"a\":1,}",
            "{,}",
            "01",
            "-",
            "-0",
            "1.",
            "1.5e+7",
            "1e",
            ".5",
            "tru",
            "true",
            "nulll",
            "\"\\u12G4\"",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"\n\"",
            "\"a",
            "{\"a\"1}",
            "{\"a\":}",
            "{a:1}",
            "[1 2]",
            "[]]",
            " [ 1 , { \"a\" : [ ] } ] ",
            "\"\u{7f}\"",
            "\"\t\"",
            "{\"a\":1}x",
            "",
            " ",
            "+1",
            "Infinity",
            "[\"a\",\"b\\\\\",\"\\\"\"]",
            "1E400",
        ] {
            assert_eq!(accepts(text), accepted_by_serde(text), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(accepts(&nested(MAX_DEPTH)));
        let mut cursor = Cursor::new("", 0);
        let deeper = nested(MAX_DEPTH + 1);
        cursor.text = &deeper;
        assert_eq!(cursor.value(0), Err(Fault::TooDeep));
    }

    #[test]
    fn every_place_in_a_word_is_looked_at() {
        for length in 0..40 {
            for stop in ['"', '\\', '\u{1}', '\u{1f}'] {
                let text = "é~ ".repeat(length) + &stop.to_string() + "rest of it, long enough";
                assert_eq!(plain_end(text.as_bytes(), 0), text.find(stop).unwrap());
            }
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<f64>().prop_map(|n| serde_json::json!(n).to_string()),
            ".{0,20}".prop_map(|text| serde_json::json!(text).to_string()),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|items| format!("[{}]", items.join(" , "))),
                prop::collection::vec((".{0,6}", inner), 0..5).prop_map(|members| {
                    let member = |(key, value): &(String, String)| {
                        format!("{}:{value}", serde_json::json!(key))
                    };
                    let members: Vec<String> = members.iter().map(member).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_library_agrees_on_damaged_json(text in json(), at in any::<prop::sample::Index>(), with in "[\\[\\]{},:\"\\\\0-9a-z. -]?") {
            prop_assert!(accepts(&text), "{text}");
            let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            let place = places[at.index(places.len())];
            let mut damaged = text.clone();
            damaged.remove(place);
            damaged.insert_str(place, &with);
            prop_assert_eq!(accepts(&damaged), accepted_by_serde(&damaged), "{}", damaged);
        }
    }
}
