//! The plain reading of log files that the library's is held against: no scanner, no columns, only
//! whole JSON values. Shares no code with the library.
//!
//! A file that is JSON from end to end has one right answer: which of its values are records, and at
//! which position. A file that is not (broken on purpose, cut off, no JSON at all) has its own rule,
//! computed as well: every record in it that can be read by itself must be found, and the rest must
//! be rejected at least once.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::{Deserializer, Value};

/// What one file should give.
#[derive(Debug, Default)]
pub struct Walked {
    pub shape: Shape,
    /// The records with their positions among all values met.
    pub records: Vec<(u64, Value)>,
    /// Values that are no records.
    pub n_others: u64,
}

/// How a file reads.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// JSON from end to end.
    #[default]
    Whole,
    /// JSON up to some place, or nowhere; positions mean nothing.
    Broken,
    /// Neither named like a log nor beginning like one.
    Foreign,
}

/// Every file below a folder, sorted.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads one file.
pub fn walk(path: &Path) -> io::Result<Walked> {
    let (bytes, complete) = unpack(std::fs::read(path)?);
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    if !is_log_name(path) && !matches!(first, Some(b'{' | b'[')) {
        return Ok(Walked {
            shape: Shape::Foreign,
            ..Walked::default()
        });
    }
    let values: Result<Vec<Value>, _> = Deserializer::from_slice(text).into_iter().collect();
    Ok(match values {
        Ok(values) if complete => whole(values),
        _ => broken(text),
    })
}

/// The unpacked bytes, as far as they go, and whether that is all.
fn unpack(stored: Vec<u8>) -> (Vec<u8>, bool) {
    if !stored.starts_with(&[0x1f, 0x8b]) {
        return (stored, true);
    }
    let mut bytes = Vec::new();
    let complete = MultiGzDecoder::new(stored.as_slice())
        .read_to_end(&mut bytes)
        .is_ok();
    (bytes, complete)
}

/// Names that promise log text, packed or not.
fn is_log_name(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    [".json", ".jsonl", ".ndjson", ".log", ".gz"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn whole(values: Vec<Value>) -> Walked {
    let mut walked = Walked::default();
    let mut position = 0;
    for value in values.into_iter().flat_map(elements) {
        if is_digest(&value) {
            continue;
        }
        if is_record(&value) {
            walked.records.push((position, value));
        } else {
            walked.n_others += 1;
        }
        position += 1;
    }
    walked
}

/// The records that can be read by themselves: from each brace on as one value, else from the next.
fn broken(text: &[u8]) -> Walked {
    let mut walked = Walked {
        shape: Shape::Broken,
        ..Walked::default()
    };
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| {
        let length = rest.iter().position(|byte| *byte == b'{')?;
        Some(at + length)
    }) {
        let mut values = Deserializer::from_slice(&text[found..]).into_iter::<Value>();
        at = match values.next() {
            Some(Ok(value)) => {
                let records = elements(value).into_iter().filter(is_record);
                walked.records.extend(records.map(|record| (0, record)));
                found + values.byte_offset()
            }
            _ => found + 1,
        };
    }
    walked
}

/// The values that a value at the top of a file stands for.
fn elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        Value::Object(mut members) if !members.contains_key("eventVersion") => {
            match members.remove("Records") {
                Some(Value::Array(elements)) => elements,
                Some(other) => {
                    members.insert("Records".to_owned(), other);
                    vec![Value::Object(members)]
                }
                None => vec![Value::Object(members)],
            }
        }
        other => vec![other],
    }
}

/// A CloudTrail record says which event it is: by its id (aggregated ones spell it `eventId`), or by
/// service and name. Notifications of other services have the same members and name their source
/// `aws:…`.
fn is_record(value: &Value) -> bool {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let notification = text("eventSource").is_some_and(|source| source.starts_with("aws:"));
    let identified =
        text("eventID").is_some() || text("eventId").is_some() && text("eventVersion").is_some();
    let named = text("eventSource").is_some() && text("eventName").is_some();
    (identified || named) && !notification
}

fn is_digest(value: &Value) -> bool {
    value.get("digestStartTime").is_some() && value.get("eventName").is_none()
}

/// The value as text that is equal for equal values, whatever the order of their members.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(canonical).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// What makes two records one event: id and recipient account. Without an id, the record itself.
pub fn key(record: &Value) -> String {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    match text("eventID").or_else(|| text("eventId")) {
        Some(id) => format!("{id} {}", text("recipientAccountId").unwrap_or_default()),
        None => canonical(record),
    }
}
