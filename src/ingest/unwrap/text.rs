//! Text in strings: escapes, base64, gzip, and where one value ends.

use std::borrow::Cow;
use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use flate2::read::MultiGzDecoder;

use super::TOO_LARGE;
use super::TOO_LARGE_DETAIL;
use crate::ingest::scan::Reason;

/// The text of a JSON string, given with its quotes. Half of a surrogate pair is no text; it stays
/// the escape that it was, which says the same where the text is JSON.
pub fn unescape(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    let text = serde_json::from_str::<String>(raw)
        .or_else(|_| serde_json::from_str(&keep_half_surrogates(raw)));
    text.ok().map(Cow::Owned)
}

/// Doubles the backslash of each `\uXXXX` that is half of a surrogate pair.
fn keep_half_surrogates(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() + 16);
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match unit(escape) {
            Some(0xd800..=0xdbff) => {
                let next = escape.get(6..).and_then(unit);
                if matches!(next, Some(0xdc00..=0xdfff)) {
                    12
                } else {
                    out.push('\\');
                    6
                }
            }
            Some(0xdc00..=0xdfff) => {
                out.push('\\');
                6
            }
            _ => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        out.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    out.push_str(rest);
    out
}

/// The number in a `\uXXXX` that the text begins with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

/// Whether the text begins as JSON values do, and prose in brackets does not.
pub fn is_json(text: &str) -> bool {
    let text = skip_space(text);
    let Some(rest) = text.strip_prefix(['{', '[']) else {
        return false;
    };
    match skip_space(rest).bytes().next() {
        Some(b'"' | b'}') => true,
        Some(b'{' | b'[' | b']') => text.starts_with('['),
        _ => false,
    }
}

/// Whether the inside of a string may be JSON or [`Packed`], by its first byte.
pub fn is_packed_or_json(inside: &[u8]) -> bool {
    let first = inside.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[' | b'\\' | b'H' | b'e' | b'W' | 0xef))
}

/// Without white space in front, and without the mark that some programs begin a text with.
pub fn skip_space(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// The length of the object, array or string that a text begins with.
///
/// # Errors
///
/// The [`Reason`] why there is none.
pub fn first_value(text: &str, max_depth: usize) -> Result<usize, Reason> {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'{' | b'[') => {}
        Some(b'"') => {
            let end = string_end(bytes, 1).ok_or(Reason::Truncated)?;
            return Ok(end + 1);
        }
        _ => return Err(Reason::Syntax),
    }
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at + 1).ok_or(Reason::Truncated)?,
            b'{' | b'[' => {
                depth += 1;
                if depth > max_depth {
                    return Err(Reason::TooDeep);
                }
            }
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(Reason::Truncated)
}

/// Where the quote stands that ends a string.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Base64 of JSON, or of gzip.
pub struct Packed<'a> {
    base64: &'a str,
    is_gzip: bool,
}

/// Why something packed could not be read.
pub struct Fault {
    pub reason: &'static str,
    pub detail: String,
    /// What was unpacked before that.
    pub n_bytes: usize,
}

impl<'a> Packed<'a> {
    /// Judged by the first bytes, so that other text costs nothing.
    pub fn of(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let start = text.get(..4)?;
        let mut first = [0_u8; 3];
        STANDARD.decode_slice(start, &mut first).ok()?;
        let is_gzip = first == [0x1f, 0x8b, 0x08];
        let is_json = match first {
            [b'{', second, _] => matches!(second, b'"' | b' ' | b'\n' | b'\r' | b'\t' | b'}'),
            [b'[', second, _] => matches!(second, b'{' | b' ' | b'\n' | b'\r' | b'\t' | b']'),
            _ => false,
        };
        (is_gzip || is_json).then_some(Self {
            base64: text,
            is_gzip,
        })
    }

    /// The bytes packed in it, no more than `max_bytes`.
    ///
    /// # Errors
    ///
    /// A [`Fault`] with a code for `rejects.reason`.
    pub fn unpack(&self, max_bytes: usize) -> Result<Vec<u8>, Fault> {
        let decoder = DecoderReader::new(self.base64.as_bytes(), &STANDARD);
        if self.is_gzip {
            read_bounded(MultiGzDecoder::new(decoder), max_bytes)
        } else {
            read_bounded(decoder, max_bytes)
        }
    }
}

fn read_bounded(reader: impl Read, max_bytes: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut bounded = reader.take(max_bytes as u64 + 1);
    let outcome = bounded.read_to_end(&mut bytes);
    let n_bytes = bytes.len();
    let fault = |reason, detail| Fault {
        reason,
        detail,
        n_bytes,
    };
    match outcome {
        Ok(_) if n_bytes > max_bytes => Err(fault(TOO_LARGE, TOO_LARGE_DETAIL.to_owned())),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(fault(
            "truncated-gzip",
            "the gzip stream ends early".to_owned(),
        )),
        Err(error) => Err(fault("invalid-packing", error.to_string())),
    }
}
