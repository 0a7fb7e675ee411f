//! A tolerant reader for policy documents as they occur in logs.
//!
//! IAM hands documents back percent-encoded, exporters store them as JSON strings inside JSON or as
//! plain objects, and attackers repeat member names because parsers disagree about which one counts.
//! So the reader undoes the encodings, keeps every member in order, repeated ones too, and offers all
//! readings of a document with repeated names ([`readings`]).
//!
//! Nesting is bounded by `serde_json`, which refuses more than 128 levels.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Longest text that is read, in bytes. IAM takes at most 131,072 characters, and CloudTrail drops
/// request parameters beyond about 100 KB; twice the first leaves room for percent-encoding.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Most readings of one document with repeated names.
const MAX_READINGS: usize = 64;
/// Bound for readings times values, so that a large document gets fewer readings.
const MAX_READING_VALUES: usize = 200_000;
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
    #[error("document is longer than {MAX_TEXT_BYTES} bytes")]
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

    fn count_values(&self) -> usize {
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

/// Repeated member names: the statement they are in, where they are in one, and the name.
///
/// Names inside a `Condition` count as repeated also when only their case differs, because IAM
/// compares operators and condition keys without regard to case.
pub fn duplicate_names(document: &Json) -> Vec<(Option<usize>, String)> {
    let mut found = Vec::new();
    collect_duplicates(document.members(), 0, None, &mut found);
    for (name, value) in document.members() {
        if name == "Statement" {
            for (index, statement) in value.items().iter().enumerate() {
                collect_in(statement, 0, Some(index), &mut found);
            }
        } else {
            collect_in(value, 0, None, &mut found);
        }
    }
    found.sort();
    found.dedup();
    found
}

type Found = Vec<(Option<usize>, String)>;

fn collect_in(value: &Json, folded_levels: usize, statement: Option<usize>, found: &mut Found) {
    match value {
        Json::List(items) => {
            for item in items {
                collect_in(item, folded_levels, statement, found);
            }
        }
        Json::Object(members) => {
            collect_duplicates(members, folded_levels, statement, found);
            for (name, value) in members {
                collect_in(value, levels_below(name, folded_levels), statement, found);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
    }
}

fn collect_duplicates(
    members: &[(String, Json)],
    folded_levels: usize,
    statement: Option<usize>,
    found: &mut Found,
) {
    let mut names: Vec<String> = members
        .iter()
        .map(|(name, _)| group_name(name, folded_levels))
        .collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        if let [a, b] = pair
            && a == b
        {
            found.push((statement, a.clone()));
        }
    }
}

/// The operators and the keys below a `Condition` are compared without regard to case.
fn levels_below(name: &str, folded_levels: usize) -> usize {
    if name == "Condition" {
        2
    } else {
        folded_levels.saturating_sub(1)
    }
}

fn group_name(name: &str, folded_levels: usize) -> String {
    if folded_levels > 0 {
        name.to_ascii_lowercase()
    } else {
        name.to_owned()
    }
}

/// Every reading of a document with repeated names, each without repetition.
///
/// All combinations, as long as they are few. Beyond the bound, enough readings that each repeated
/// member is in at least one of them. A document without repetition has one reading: itself.
pub fn readings(document: &Json) -> Vec<Json> {
    if duplicate_names(document).is_empty() {
        return vec![document.clone()];
    }
    let limit = (MAX_READING_VALUES / document.count_values().max(1)).clamp(2, MAX_READINGS);
    expand(document, 0, limit)
}

fn expand(value: &Json, folded_levels: usize, limit: usize) -> Vec<Json> {
    match value {
        Json::List(items) => {
            let choices = items
                .iter()
                .map(|item| expand(item, folded_levels, limit))
                .collect::<Vec<_>>();
            combine(&choices, limit)
                .into_iter()
                .map(Json::List)
                .collect()
        }
        Json::Object(members) => {
            let mut names: Vec<(String, &str)> = Vec::new();
            let mut choices: Vec<Vec<Json>> = Vec::new();
            let mut place = std::collections::HashMap::new();
            for (name, value) in members {
                let group = group_name(name, folded_levels);
                let mut read = expand(value, levels_below(name, folded_levels), limit);
                let at = *place.entry(group.clone()).or_insert_with(|| {
                    names.push((group, name));
                    choices.push(Vec::new());
                    choices.len() - 1
                });
                if let Some(choice) = choices.get_mut(at) {
                    choice.append(&mut read);
                }
            }
            combine(&choices, limit)
                .into_iter()
                .map(|values| {
                    let names = names.iter().map(|(_, name)| (*name).to_owned());
                    Json::Object(names.zip(values).collect())
                })
                .collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => vec![value.clone()],
    }
}

/// One value from each choice, in all combinations or, beyond the limit, side by side.
fn combine(choices: &[Vec<Json>], limit: usize) -> Vec<Vec<Json>> {
    let total = choices
        .iter()
        .try_fold(1_usize, |total, choice| total.checked_mul(choice.len()))
        .filter(|total| *total <= limit);
    let rounds = total.unwrap_or_else(|| {
        let most = choices.iter().map(Vec::len).max().unwrap_or(1);
        most.min(limit)
    });
    (0..rounds)
        .map(|round| {
            let mut rest = round;
            choices
                .iter()
                .filter_map(|choice| {
                    let at = rest % choice.len().max(1);
                    if total.is_some() {
                        rest /= choice.len().max(1);
                    }
                    choice.get(at).cloned()
                })
                .collect()
        })
        .collect()
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
    }

    #[test]
    fn repeated_names_give_all_readings() {
        let document = read(
            r#"{"Statement":[{"Effect":"Allow","Effect":"Deny",
                "Condition":{"Bool":{"a:B":"1","A:b":"2"}}}]}"#,
        )
        .expect("readable");
        assert_eq!(
            duplicate_names(&document),
            [(Some(0), "Effect".to_owned()), (Some(0), "a:b".to_owned())]
        );
        let all = readings(&document);
        assert_eq!(all.len(), 4);
        assert!(
            all.iter()
                .all(|reading| duplicate_names(reading).is_empty())
        );
    }

    #[test]
    fn many_repeated_names_stay_bounded_and_covered() {
        let pairs: Vec<String> = (0..40)
            .map(|n| format!(r#""k{n}":"first","k{n}":"second""#))
            .collect();
        let document = read(&format!("{{{}}}", pairs.join(","))).expect("readable");
        let all = readings(&document);
        assert!(all.len() <= MAX_READINGS);
        for n in 0..40 {
            for wanted in ["first", "second"] {
                let name = format!("k{n}");
                assert!(
                    all.iter()
                        .any(|r| r.get(&name) == Some(&Json::Text(wanted.to_owned())))
                );
            }
        }
    }
}
