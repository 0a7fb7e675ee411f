//! JSON text read where it lies: values are found and skipped without a tree, strictly (what is no JSON is
//! seen when it is passed) and without recursion, so that hostile nesting costs nothing.

use std::borrow::Cow;

/// Deeper nesting is no JSON here. CloudTrail's is under twenty.
pub(super) const MAX_DEPTH: usize = 512;

const WORD_BITS: usize = 64;

/// A place in a JSON text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Which containers are open: a bit for each, set for objects.
#[derive(Default)]
struct Nesting {
    objects: [u64; MAX_DEPTH / WORD_BITS],
    depth: usize,
}

impl Nesting {
    fn push(&mut self, object: bool) -> Option<()> {
        let word = self.objects.get_mut(self.depth / WORD_BITS)?;
        let bit = 1 << (self.depth % WORD_BITS);
        if object {
            *word |= bit
        } else {
            *word &= !bit
        }
        self.depth += 1;
        Some(())
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn in_object(&self) -> Option<bool> {
        let top = self.depth.checked_sub(1)?;
        let word = self.objects.get(top / WORD_BITS)?;
        Some(word >> (top % WORD_BITS) & 1 == 1)
    }
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.byte()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.byte() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// The first byte of what comes, after white space.
    pub fn peek(&mut self) -> Option<u8> {
        self.space();
        self.byte()
    }

    /// Whether only white space is left.
    pub fn at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The value that comes, as written; `None` where it is no JSON.
    pub fn value(&mut self) -> Option<&'a str> {
        self.space();
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at)
    }

    /// Passes the value that comes.
    pub fn skip(&mut self) -> Option<()> {
        let mut nesting = Nesting::default();
        loop {
            self.space();
            match self.next()? {
                b'"' => self.string_rest()?,
                b'{' => {
                    self.space();
                    if !self.eat(b'}') {
                        nesting.push(true)?;
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.space();
                    if !self.eat(b']') {
                        nesting.push(false)?;
                        continue;
                    }
                }
                b't' => self.word(b"rue")?,
                b'f' => self.word(b"alse")?,
                b'n' => self.word(b"ull")?,
                first @ (b'-' | b'0'..=b'9') => self.number(first)?,
                _ => return None,
            }
            loop {
                let Some(in_object) = nesting.in_object() else {
                    return Some(());
                };
                self.space();
                match (self.next()?, in_object) {
                    (b',', true) => {
                        self.name()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => nesting.pop(),
                    _ => return None,
                }
            }
        }
    }

    /// A member's name with its colon; the name is as written, without quotes.
    fn name(&mut self) -> Option<&'a str> {
        self.space();
        if !self.eat(b'"') {
            return None;
        }
        let start = self.at;
        self.string_rest()?;
        let name = self.text.get(start..self.at.checked_sub(1)?)?;
        self.space();
        self.eat(b':').then_some(name)
    }

    /// What follows an opening quote, eight bytes at a time.
    fn string_rest(&mut self) -> Option<()> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        const QUOTES: u64 = ONES * b'"' as u64;
        const BACKSLASHES: u64 = ONES * b'\\' as u64;
        const SPACES: u64 = ONES * b' ' as u64;
        let bytes = self.text.as_bytes();
        loop {
            while let Some(chunk) = bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
                let word = u64::from_le_bytes(*chunk);
                let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
                let controls = word.wrapping_sub(SPACES) & !word & HIGH;
                let ends = has_zero(word ^ QUOTES) | has_zero(word ^ BACKSLASHES) | controls;
                if ends != 0 {
                    self.at += (ends.trailing_zeros() / 8) as usize;
                    break;
                }
                self.at += 8;
            }
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                control if control < b' ' => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.as_bytes().get(self.at..)?.first_chunk::<4>()?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        let found = self.text.as_bytes().get(self.at..)?.starts_with(rest);
        self.at += rest.len();
        found.then_some(())
    }

    fn number(&mut self, first: u8) -> Option<()> {
        let leading = if first == b'-' { self.next()? } else { first };
        match leading {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.eat(b'.') {
            self.digit()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit()?;
        }
        Some(())
    }

    fn digit(&mut self) -> Option<()> {
        let found = self.byte()?.is_ascii_digit();
        self.digits();
        found.then_some(())
    }

    fn digits(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    /// Goes to the value of the first member of that name; `None` where the object that comes has none,
    /// or where it is no object.
    pub fn enter_member(&mut self, name: &str) -> Option<()> {
        self.space();
        if !self.eat(b'{') || self.peek()? == b'}' {
            return None;
        }
        loop {
            if is_named(self.name()?, name) {
                return Some(());
            }
            self.skip()?;
            self.space();
            if !self.eat(b',') {
                return None;
            }
        }
    }

    /// Goes to an element of the array that comes, counted from 0.
    pub fn enter_element(&mut self, index: usize) -> Option<()> {
        self.space();
        if !self.eat(b'[') || self.peek()? == b']' {
            return None;
        }
        for _ in 0..index {
            self.skip()?;
            self.space();
            if !self.eat(b',') {
                return None;
            }
        }
        Some(())
    }
}

/// The members of an object: names as written, without quotes, and values as written.
///
/// Ends early at what is no JSON, and gives nothing where the text is no object.
pub(super) fn members(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut cursor = Cursor::new(text);
    let mut open = cursor.peek() == Some(b'{');
    cursor.at += 1;
    open = open && cursor.peek() != Some(b'}');
    std::iter::from_fn(move || {
        if !open {
            return None;
        }
        let name = cursor.name()?;
        let value = cursor.value()?;
        cursor.space();
        open = cursor.eat(b',');
        Some((name, value))
    })
}

/// The elements of an array, as written; like [`members`] otherwise.
pub(super) fn elements(text: &str) -> impl Iterator<Item = &str> {
    let mut cursor = Cursor::new(text);
    let mut open = cursor.peek() == Some(b'[');
    cursor.at += 1;
    open = open && cursor.peek() != Some(b']');
    std::iter::from_fn(move || {
        if !open {
            return None;
        }
        let value = cursor.value()?;
        cursor.space();
        open = cursor.eat(b',');
        Some(value)
    })
}

/// The one value that a text is, without the white space around it; `None` where it is no JSON.
pub(super) fn whole(text: &str) -> Option<&str> {
    let mut cursor = Cursor::new(text);
    let value = cursor.value()?;
    cursor.at_end().then_some(value)
}

/// Whether a name as written means this one.
pub(super) fn is_named(written: &str, name: &str) -> bool {
    written == name || (written.contains('\\') && unescape(written) == name)
}

/// The text of a value that is a string.
pub(super) fn string(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(unescape(inner))
}

/// A scalar's text: strings without quotes and escapes, numbers and truth values as written. `None` for
/// null, objects and arrays.
pub(super) fn scalar(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'"' => string(value),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(value)),
    }
}

/// What stands between quotes, without its escapes. Half of a surrogate pair becomes U+FFFD.
pub(super) fn unescape(written: &str) -> Cow<'_, str> {
    if !written.contains('\\') {
        return Cow::Borrowed(written);
    }
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let mut chars = escape.chars();
        match chars.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (character, after) = escaped_unit(chars.as_str());
                text.push(character);
                rest = after;
                continue;
            }
            Some(other) => text.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character of one `\u` escape, or of two that are a pair, and what follows.
fn escaped_unit(digits: &str) -> (char, &str) {
    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let lone = char::REPLACEMENT_CHARACTER;
    let (Some(first), Some(rest)) = (unit(digits), digits.get(4..)) else {
        return (lone, "");
    };
    if let Some(character) = char::from_u32(first) {
        return (character, rest);
    }
    let second = rest.strip_prefix("\\u").and_then(unit);
    match (first, second) {
        (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00);
            (
                char::from_u32(code).unwrap_or(lone),
                rest.get(6..).unwrap_or(""),
            )
        }
        _ => (lone, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_is_what_a_library_takes() {
        for text in [
            "{}",
            "[]",
            " {\"a\" : [1 , 2.5e-3, -0, true,false , null]} ",
            "\"\"",
            "0",
            "-1.5E+7",
            r#""a\"\\\/\b\f\n\r\t\u00e9""#,
            "[[[[]]],{}]",
            "\"seven8\"",
            "\"éé\u{1f600}, long enough\"",
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "[1 2]",
            "01",
            "1.",
            "-",
            "+1",
            ".5",
            "1e",
            "tru",
            "nul",
            "[}",
            "{]",
            "\"\n\"",
            "\"a",
            r#""\x""#,
            r#""\u12g4""#,
            "{\"a\"}",
            "{\"a\":}",
            "1 2",
            "[1],",
            "\"tab\there, and more\"",
            "'a'",
            "[,1]",
            "NaN",
        ] {
            let theirs = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert_eq!(whole(text).is_some(), theirs, "{text}");
        }
    }

    #[test]
    fn deep_nesting_ends() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(whole(&nested(MAX_DEPTH + 1)).is_some());
        assert!(whole(&nested(MAX_DEPTH + 2)).is_none());
        assert!(whole(&"{\"a\":".repeat(1_000_000)).is_none());
    }

    #[test]
    fn escapes_are_read() {
        for (written, expected) in [
            ("plain", "plain"),
            (r"\u0041\n\/\\", "A\n/\\"),
            (r"\ud83d\ude00!", "\u{1f600}!"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(unescape(written), expected, "{written}");
        }
    }

    #[test]
    fn parts_are_listed() {
        let object: Vec<_> = members(r#" {"a" : 1, "b":[2] } "#).collect();
        assert_eq!(object, [("a", "1"), ("b", "[2]")]);
        let array: Vec<_> = elements(r#"[1, {"a":[]} ,"x"]"#).collect();
        assert_eq!(array, ["1", r#"{"a":[]}"#, "\"x\""]);
        for text in ["", "{}", "[]", "7"] {
            assert_eq!(members(text).count() + elements(text).count(), 0, "{text}");
        }
    }
}
