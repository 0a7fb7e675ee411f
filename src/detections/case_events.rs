//! The events of a case, written short: templates, documents as JSON, and repetition.
//!
//! A record has dozens of members of which a case is about one or two. So an event may name templates
//! that it is `like`, whose members are laid under its own. What stands in the file always wins, and
//! what comes out is a plain record.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SecondsFormat};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::RuleError;

/// Templates of identities and calls that every case file may use.
const BUNDLED: &str = include_str!("../../sql/detections/templates.json");

/// How deep templates may name templates; deeper is a circle.
const MAX_DEPTH: usize = 8;

/// Most events that one entry may stand for.
const MAX_TIMES: u32 = 1_000;

/// Members of records by name of the template.
pub type Templates = BTreeMap<String, Map<String, Value>>;

/// Makes records of a case's entries. `own` are the file's templates, which come before the bundled
/// ones. A record without an `eventID` gets `e1`, `e2` and so on, by its place in the case.
///
/// # Errors
///
/// Where an entry is no object, names a template that is not there, or repeats without a time.
pub fn expand(path: &str, own: &Templates, entries: &[Value]) -> Result<Vec<Value>, RuleError> {
    let fail = |message: String| RuleError::new(path, message);
    let bundled: Templates = serde_json::from_str(BUNDLED).map_err(|source| RuleError {
        rule: "sql/detections/templates.json".to_owned(),
        message: "cannot read the templates".to_owned(),
        source: Some(Box::new(source)),
    })?;
    let find = |name: &str| own.get(name).or_else(|| bundled.get(name));
    let mut records = Vec::new();
    for entry in entries {
        let Value::Object(entry) = entry else {
            return Err(fail("an event is an object".to_owned()));
        };
        let mut record = resolve(entry, &find, 0).map_err(&fail)?;
        let repeat = record.remove("repeat");
        let mut record = Value::Object(record);
        write_texts(&mut record);
        match repeat {
            None => records.push(record),
            Some(repeat) => {
                let repeat: Repeat = serde_json::from_value(repeat)
                    .map_err(|error| fail(format!("`repeat`: {error}")))?;
                records.extend(repeat.copies(&record).map_err(&fail)?);
            }
        }
    }
    for (index, record) in records.iter_mut().enumerate() {
        if let Value::Object(record) = record {
            let id = || Value::from(format!("e{}", index + 1));
            record.entry("eventID").or_insert_with(id);
        }
    }
    Ok(records)
}

/// The entry over the templates that it is like, the last of which lies uppermost.
fn resolve<'a>(
    entry: &Map<String, Value>,
    find: &impl Fn(&str) -> Option<&'a Map<String, Value>>,
    depth: usize,
) -> Result<Map<String, Value>, String> {
    if depth > MAX_DEPTH {
        return Err("templates name one another in a circle".to_owned());
    }
    let mut entry = entry.clone();
    let names: Vec<String> = match entry.remove("like") {
        None => return Ok(entry),
        Some(Value::String(name)) => vec![name],
        Some(names) => serde_json::from_value(names)
            .map_err(|_| "`like` takes the names of templates".to_owned())?,
    };
    let mut record = Map::new();
    for name in names {
        let template = find(&name).ok_or_else(|| format!("there is no template `{name}`"))?;
        lay_over(&mut record, resolve(template, find, depth + 1)?);
    }
    lay_over(&mut record, entry);
    Ok(record)
}

fn lay_over(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (name, value) in over {
        match (under.get_mut(&name), value) {
            (Some(Value::Object(under)), Value::Object(over)) if !over.contains_key("$text") => {
                lay_over(under, over);
            }
            (_, value) => {
                under.insert(name, value);
            }
        }
    }
}

/// `{"$text": VALUE}` becomes the JSON text of the value, as policy documents are logged.
fn write_texts(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let (1, Some(document)) = (members.len(), members.get("$text")) {
                *value = Value::from(document.to_string());
            } else {
                members.values_mut().for_each(write_texts);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(write_texts),
        _ => {}
    }
}

/// An event that comes several times.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    times: u32,
    /// Between one and the next.
    seconds: i64,
}

impl Repeat {
    /// Copies with later times, in whose texts `{n}` is the number of the copy, from 1.
    fn copies(&self, record: &Value) -> Result<Vec<Value>, String> {
        if self.times > MAX_TIMES {
            return Err(format!("`repeat` takes at most {MAX_TIMES} times"));
        }
        let time = record["eventTime"].as_str().unwrap_or_default();
        let first = DateTime::parse_from_rfc3339(time)
            .map_err(|_| "an event that repeats needs an `eventTime`".to_owned())?;
        let copy = |index: u32| {
            let mut record = record.clone();
            number(&mut record, index + 1);
            let time = first + Duration::seconds(self.seconds * i64::from(index));
            record["eventTime"] = time.to_rfc3339_opts(SecondsFormat::Secs, true).into();
            record
        };
        Ok((0..self.times).map(copy).collect())
    }
}

fn number(value: &mut Value, n: u32) {
    match value {
        Value::String(text) if text.contains("{n}") => *text = text.replace("{n}", &n.to_string()),
        Value::Object(members) => members.values_mut().for_each(|value| number(value, n)),
        Value::Array(values) => values.iter_mut().for_each(|value| number(value, n)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(templates: Value, entries: Value, expected: &Result<Value, &str>) {
        let templates: Templates = serde_json::from_value(templates).unwrap();
        let entries = entries.as_array().unwrap();
        let got = expand("c", &templates, entries).map_err(|error| error.message);
        assert_eq!(
            got.map(Value::from),
            expected.clone().map_err(str::to_owned)
        );
    }

    #[test]
    fn own_members_lie_over_templates() {
        check(
            json!({"a": {"x": {"y": 1, "z": 2}, "t": 1}, "b": {"like": "a", "t": 2}}),
            json!([{"like": "b", "x": {"z": null}, "eventID": "i"}, {"like": ["a", "b"]}]),
            &Ok(json!([
                {"x": {"y": 1, "z": null}, "t": 2, "eventID": "i"},
                {"x": {"y": 1, "z": 2}, "t": 2, "eventID": "e2"}
            ])),
        );
    }

    #[test]
    fn documents_become_texts() {
        check(
            json!({"a": {"d": {"$text": {"b": 1}}}}),
            json!([{"like": "a"}, {"like": "a", "d": {"$text": {"c": 2}}}]),
            &Ok(json!([{"d": "{\"b\":1}", "eventID": "e1"}, {"d": "{\"c\":2}", "eventID": "e2"}])),
        );
    }

    #[test]
    fn repeated_events_are_numbered_and_move_on() {
        check(
            json!({}),
            json!([{"eventTime": "2025-03-01T10:00:00Z", "r": ["x{n}"],
                "repeat": {"times": 2, "seconds": 90}}]),
            &Ok(json!([
                {"eventTime": "2025-03-01T10:00:00Z", "r": ["x1"], "eventID": "e1"},
                {"eventTime": "2025-03-01T10:01:30Z", "r": ["x2"], "eventID": "e2"}
            ])),
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check(
            json!({"a": {"like": "a"}}),
            json!([{"like": "a"}]),
            &Err("templates name one another in a circle"),
        );
        check(
            json!({}),
            json!([{"like": "x"}]),
            &Err("there is no template `x`"),
        );
        check(
            json!({}),
            json!([{"repeat": {"times": 2, "seconds": 1}}]),
            &Err("an event that repeats needs an `eventTime`"),
        );
    }

    #[test]
    fn every_bundled_template_can_be_used() {
        let bundled: Templates = serde_json::from_str(BUNDLED).unwrap();
        let entries: Vec<Value> = bundled.keys().map(|name| json!({"like": name})).collect();
        assert_eq!(
            expand("c", &Templates::new(), &entries).unwrap().len(),
            bundled.len()
        );
    }
}
