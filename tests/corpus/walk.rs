//! The plain reading of log files that the library's is held against: no scanner, no columns, only
//! JSON as it is spelled. Shares no code with the library.
//!
//! A file that is JSON from end to end has one right answer: which of its values are records, and at
//! which position. A value that is no record is searched to the bottom, through text in strings,
//! base64 and gzip: every record in it must be found, though not every copy of it. A file that is not
//! JSON (broken on purpose, cut off, no JSON at all) has its own rule: every record in it that can be
//! read by itself must be found, and the rest must be rejected at least once.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use super::json::{self, Json};

/// Values within one another that are searched for records.
const MAX_LAYERS: usize = 24;

/// What one file should give.
#[derive(Debug, Default)]
pub struct Walked {
    pub shape: Shape,
    /// The records with their positions among all values met.
    pub records: Vec<(u64, Record)>,
    /// Values that are no records and hold none.
    pub n_others: u64,
}

/// A record.
#[derive(Debug)]
pub struct Record {
    /// As it is written.
    pub text: String,
    /// With sorted members: equal for records that say the same.
    pub value: Json,
}

/// How a file reads.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// JSON from end to end.
    #[default]
    Whole,
    /// The same, with records inside other things; positions mean nothing.
    Wrapped,
    /// JSON up to some place, or nowhere; positions mean nothing.
    Broken,
    /// Neither named like a log nor beginning like one.
    Foreign,
}

impl Walked {
    /// How many different records there are.
    pub fn n_distinct(&self) -> u64 {
        let values: BTreeSet<&Json> = self
            .records
            .iter()
            .map(|(_, record)| &record.value)
            .collect();
        values.len() as u64
    }
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
    let values = std::str::from_utf8(text).ok().and_then(values);
    Ok(match values {
        Some(values) if complete => whole(&values),
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

/// The values of a text, one after another; `None` where it holds anything else.
fn values(text: &str) -> Option<Vec<&str>> {
    let mut values = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let (_, length) = Json::first(rest.as_bytes())?;
        values.push(&rest[..length]);
        rest = rest[length..].trim_ascii_start();
    }
    Some(values)
}

fn whole(values: &[&str]) -> Walked {
    let mut walked = Walked::default();
    let mut position = 0;
    for text in values.iter().flat_map(|value| elements(value)) {
        let Some(value) = json::canonical(text) else {
            continue;
        };
        if is_digest(&value) {
            continue;
        }
        let n_before = walked.records.len();
        if is_record(&value) {
            let text = text.to_owned();
            walked.records.push((position, Record { text, value }));
        } else {
            search(text, 0, &mut walked.records);
            if walked.records.len() > n_before {
                walked.shape = Shape::Wrapped;
            } else {
                walked.n_others += 1;
            }
        }
        position += 1;
    }
    walked
}

/// Every record at any depth of a value that is none itself.
fn search(text: &str, layer: usize, found: &mut Vec<(u64, Record)>) {
    let Some(value) = json::canonical(text).filter(|_| layer < MAX_LAYERS) else {
        return;
    };
    match &value {
        Json::Object(_) if is_record(&value) => {
            let text = text.to_owned();
            found.push((0, Record { text, value }));
        }
        Json::Object(_) => {
            for (_, inner) in json::members(text).unwrap_or_default() {
                search(inner, layer + 1, found);
            }
        }
        Json::Array(_) => {
            for inner in json::elements(text).unwrap_or_default() {
                search(inner, layer + 1, found);
            }
        }
        Json::Text(_) => {
            let text = value.text().unwrap_or_default();
            let packed = STANDARD.decode(&text).map(|bytes| unpack(bytes).0);
            let unpacked = packed.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            for text in [Some(text), unpacked].into_iter().flatten() {
                if text.trim_ascii_start().starts_with(['{', '[']) {
                    for inner in values(&text).unwrap_or_default() {
                        search(inner, layer + 1, found);
                    }
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
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
        at = found + 1;
        if let Some((_, length)) = Json::first(&text[found..])
            && let Ok(value) = std::str::from_utf8(&text[found..found + length])
        {
            for element in elements(value) {
                search(element, MAX_LAYERS - 1, &mut walked.records);
            }
            at = found + length;
        }
    }
    walked
}

/// The values that a value at the top of a file stands for.
fn elements(text: &str) -> Vec<&str> {
    if let Some(elements) = json::elements(text) {
        return elements;
    }
    let members = json::members(text).unwrap_or_default();
    let names = |name: &str| members.iter().rfind(|(other, _)| other == name);
    match names("Records").and_then(|(_, raw)| json::elements(raw)) {
        Some(elements) if names("eventVersion").is_none() => elements,
        _ => vec![text],
    }
}

/// A CloudTrail record says which event it is: by its id (aggregated ones spell it `eventId`), or by
/// service and name. Notifications of other services have the same members and name their source
/// `aws:…`.
fn is_record(value: &Json) -> bool {
    let text = |name: &str| value.get(name).and_then(Json::text);
    let notification = text("eventSource").is_some_and(|source| source.starts_with("aws:"));
    let identified =
        text("eventID").is_some() || text("eventId").is_some() && text("eventVersion").is_some();
    let named = text("eventSource").is_some() && text("eventName").is_some();
    (identified || named) && !notification
}

fn is_digest(value: &Json) -> bool {
    value.get("digestStartTime").is_some() && value.get("eventName").is_none()
}

/// What makes two records one event: id and recipient account. Without an id, the record itself.
pub fn key(record: &Json) -> String {
    let text = |name: &str| record.get(name).and_then(Json::text);
    match text("eventID").or_else(|| text("eventId")) {
        Some(id) => format!("{id} {}", text("recipientAccountId").unwrap_or_default()),
        None => format!("{record:?}"),
    }
}
