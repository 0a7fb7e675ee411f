//! A tolerant reader for policy documents as they occur in logs.
//!
//! IAM hands documents back percent-encoded, exporters store them as JSON strings inside JSON or as
//! plain objects, and attackers repeat member names because parsers disagree about which one counts.
//! So the reader undoes the encodings and keeps every member in order, repeated ones too
//! ([`super::readings`] tells what they may mean).
//!
//! Nesting is bounded by `serde_json`, which refuses more than 128 levels.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Longest text that is read, in bytes. IAM takes at most 131,072 characters, and CloudTrail drops
/// request parameters beyond about 100 KB; twice the first leaves room for percent-encoding.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Most content of a document, in characters without white space. The largest policy that IAM or
/// Identity Center keeps has 32,768; what is longer was refused, and would only cost time.
pub const MAX_CONTENT_CHARS: usize = 64 * 1024;
/// Rounds of unwrapping: encoded, quoted, encoded once more. Nothing honest has more.
const MAX_WRAPPINGS: usize = 4;
/// How far into the text an encoded brace still means that the whole text is encoded.
const ENCODED_BRACE_WITHIN_BYTES: usize = 16;

/// A JSON value that keeps the order of members and repeated names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    /// The number as text.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Why a text is no policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "document is longer than {MAX_TEXT_BYTES} bytes or {MAX_CONTENT_CHARS} characters of content"
    )]
    TooLong,
    #[error("document is not JSON: {0}")]
    NotJson(String),
    #[error("document is not a JSON object")]
    NotAnObject,
}

impl Json {
    /// The first member of that exact name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members()
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| value)
    }

    /// The members of an object; none for anything else.
    pub fn members(&self) -> &[(String, Json)] {
        match self {
            Self::Object(members) => members,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// The items of a list, or the value itself: the grammar takes one where it takes many.
    pub fn items(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => {
                std::slice::from_ref(self)
            }
        }
    }

    /// The scalar items as text (`true`, `17`, `text`); nulls, lists and objects inside are skipped.
    pub fn texts(&self) -> Vec<String> {
        self.items()
            .iter()
            .filter_map(|item| match item {
                Self::Bool(value) => Some(value.to_string()),
                Self::Number(text) | Self::Text(text) => Some(text.clone()),
                Self::Null | Self::List(_) | Self::Object(_) => None,
            })
            .collect()
    }

    /// Characters of the shortest JSON for this value, roughly: names, texts and what parts them.
    fn content_chars(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 4,
            Self::Number(text) => text.len() + 1,
            Self::Text(text) => text.chars().filter(|c| !c.is_whitespace()).count() + 3,
            Self::List(items) => 2 + items.iter().map(Json::content_chars).sum::<usize>(),
            Self::Object(members) => members.iter().fold(2, |sum, (name, value)| {
                sum + name.chars().count() + 3 + value.content_chars()
            }),
        }
    }

    pub(super) fn count_values(&self) -> usize {
        1 + match self {
            Self::List(items) => items.iter().map(Json::count_values).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.count_values()).sum(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => 0,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        // What serde_json makes of a number where a dependency turned on arbitrary precision.
        if let [(name, Json::Text(number))] = members.as_slice()
            && name == "$serde_json::private::Number"
        {
            return Ok(Json::Number(number.clone()));
        }
        Ok(Json::Object(members))
    }
}

/// Reads one policy document: plain, percent-encoded, or wrapped in a JSON string.
///
/// # Errors
/// [`Unreadable`] for text that is too long, no JSON, or JSON other than an object.
pub fn read(text: &str) -> Result<Json, Unreadable> {
    let mut text = text.to_owned();
    for _ in 0..MAX_WRAPPINGS {
        if text.len() > MAX_TEXT_BYTES {
            return Err(Unreadable::TooLong);
        }
        let bare = trim(&text);
        let decoded = if is_percent_encoded(bare) {
            percent_decode(bare)
        } else {
            bare.to_owned()
        };
        match serde_json::from_str(trim(&decoded)) {
            Ok(document @ Json::Object(_)) if document.content_chars() > MAX_CONTENT_CHARS => {
                return Err(Unreadable::TooLong);
            }
            Ok(document @ Json::Object(_)) => return Ok(document),
            Ok(Json::Text(inner)) => text = inner,
            Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_)) => {
                return Err(Unreadable::NotAnObject);
            }
            Err(error) => return Err(Unreadable::NotJson(error.to_string())),
        }
    }
    Err(Unreadable::NotAnObject)
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0')
}

fn is_percent_encoded(text: &str) -> bool {
    let start = text
        .as_bytes()
        .get(..ENCODED_BRACE_WITHIN_BYTES.min(text.len()))
        .unwrap_or_default();
    start.first() == Some(&b'%')
        || start
            .windows(3)
            .any(|window| window.eq_ignore_ascii_case(b"%7b"))
            && !matches!(start.first(), Some(b'{' | b'"'))
}

/// Undoes `%XX`; a percent sign without two hexadecimal digits stays. Broken UTF-8 is replaced.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = (hex_digit(bytes.get(at + 1)), hex_digit(bytes.get(at + 2)));
        if let (b'%', (Some(high), Some(low))) = (byte, digits) {
            decoded.push(high << 4 | low);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_digit(byte: Option<&u8>) -> Option<u8> {
    byte.and_then(|&byte| char::from(byte).to_digit(16))
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_read(text: &str, version: &str) {
        let document = read(text).expect("the test document is readable");
        assert_eq!(
            document.get("Version"),
            Some(&Json::Text(version.to_owned())),
            "{text}"
        );
    }

    #[test]
    fn encodings_are_undone() {
        check_read(r#"{"Version":"1"}"#, "1");
        check_read("\u{feff} \n{\"Version\":\"1\"}\n", "1");
        check_read("%7B%22Version%22%3A%221%22%7D", "1");
        check_read("%7b%22Version%22%3a%22a%2Bb%22%7d", "a+b");
        check_read(r#""{\"Version\":\"1\"}""#, "1");
        check_read(r#""%7B%22Version%22%3A%221%22%7D""#, "1");
        check_read("%22%7B%5C%22Version%5C%22%3A%5C%221%5C%22%7D%22", "1");
        check_read(r#"{"Version":"100%7B"}"#, "100%7B");
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "no", "[]", "1", "null", "%", "%7B", "{", "{} {}"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(matches!(
            read(&"[".repeat(10_000)),
            Err(Unreadable::NotJson(_))
        ));
        assert_eq!(
            read(&" ".repeat(MAX_TEXT_BYTES + 1)),
            Err(Unreadable::TooLong)
        );
        let long = format!(r#"{{"Version":"{}"}}"#, "x".repeat(MAX_CONTENT_CHARS));
        assert_eq!(read(&long), Err(Unreadable::TooLong));
        let padded = format!(r#"{{{}"Version":"1"}}"#, " ".repeat(MAX_CONTENT_CHARS));
        check_read(&padded, "1");
    }
}
