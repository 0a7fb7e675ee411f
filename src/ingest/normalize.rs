//! From one record to the values of its columns, losing nothing.
//!
//! Members that have a column fill it. Whatever the typed columns could not give back exactly
//! (unknown members, explicit nulls, odd types, odd time text, empty objects) goes into `extra`: a
//! JSON object that is laid over the typed members when the record is printed back. Two members of
//! `extra` are spoor's own: `$absent` lists top members that a column holds but the record does not
//! have, and `$record` holds the whole record where laying over is not enough (members named twice).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use sonic_rs::{LazyValue, to_array_iter, to_object_iter};
use twox_hash::XxHash64;

use super::{escapes, time};
use crate::schema::{EVENT_COLUMNS, Kind, RESOURCE_FIELDS};

/// What a column holds for one record.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Slot<'a> {
    #[default]
    Null,
    Text(Cow<'a, str>),
    Bool(bool),
    /// Microseconds since 1970, UTC.
    Time(i64),
    /// One entry per resource: the fields of [`RESOURCE_FIELDS`].
    Resources(Vec<[Option<String>; RESOURCE_FIELDS.len()]>),
    TextMap(Vec<(String, String)>),
}

/// A record as column values.
#[derive(Debug, Default)]
pub struct Row<'a> {
    /// One for each of [`EVENT_COLUMNS`].
    pub slots: Vec<Slot<'a>>,
    /// JSON text; empty for none.
    pub extra: String,
    /// See [`crate::schema::CONTENT_HASH`].
    pub content_hash: u64,
    absent: Vec<&'static str>,
    /// The bits of the members met.
    seen: u128,
    /// Laying `extra` over the columns would not give the record back.
    irregular: bool,
}

/// Why a record is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not JSON, with the parser's words.
    Invalid(String),
    /// JSON, but not CloudTrail's; says what it looks like.
    NotCloudTrail(String),
    /// A digest file: a record of deliveries, not of events.
    Digest,
}

/// What the members without a column say about an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Shape {
    #[default]
    Plain,
    Digest,
    EventBridge,
    Lookup,
}

impl Shape {
    fn notice(&mut self, name: &str) {
        match name {
            "digestPublicKeyFingerprint" | "digestS3Object" | "digestStartTime" => {
                *self = Self::Digest;
            }
            "detail" | "detail-type" if *self == Self::Plain => *self = Self::EventBridge,
            "CloudTrailEvent" | "Events" if *self == Self::Plain => *self = Self::Lookup,
            _ => {}
        }
    }
}

/// The columns by the way to them, for walking a record once.
struct Node {
    /// One bit, its own.
    bit: u128,
    place: Place,
}

enum Place {
    /// The column's position.
    Column(usize),
    Object(Members),
}

type Members = HashMap<&'static str, Node>;

static TREE: LazyLock<Members> = LazyLock::new(|| {
    let mut root = HashMap::new();
    let mut n_nodes = 0;
    for (index, column) in EVENT_COLUMNS.iter().enumerate() {
        insert(&mut root, column.path, index, &mut n_nodes);
    }
    root
});

fn insert(at: &mut Members, path: &[&'static str], index: usize, n_nodes: &mut u32) {
    let [name, rest @ ..] = path else { return };
    let node = at.entry(name).or_insert_with(|| {
        let bit = 1_u128
            .checked_shl(*n_nodes)
            .expect("fewer than 128 members have a column");
        *n_nodes += 1;
        let place = if rest.is_empty() {
            Place::Column(index)
        } else {
            Place::Object(HashMap::new())
        };
        Node { bit, place }
    });
    if let Place::Object(members) = &mut node.place {
        insert(members, rest, index, n_nodes);
    }
}

/// The columns that the normalizer itself looks at.
struct Wanted {
    time: usize,
    id: usize,
    source: usize,
}

static WANTED: LazyLock<Wanted> = LazyLock::new(|| {
    let index = |name: &str| {
        crate::schema::event_column_index(name).expect("the columns that CloudTrail always had")
    };
    Wanted {
        time: index("eventtime"),
        id: index("eventid"),
        source: index("eventsource"),
    }
});

impl<'a> Row<'a> {
    /// Reads one record into `self`, in place of what was there. `spaced` says that white space
    /// stands between the tokens of `json`.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] where the text is no JSON object or no CloudTrail record.
    pub fn read(&mut self, json: &'a str, spaced: bool) -> Result<(), Refusal> {
        self.slots.clear();
        self.slots.resize(EVENT_COLUMNS.len(), Slot::Null);
        self.extra.clear();
        self.content_hash = 0;
        self.absent.clear();
        self.seen = 0;
        self.irregular = false;
        if let Some(at) = escapes::first_broken(json) {
            return Err(Refusal::Invalid(format!("a broken escape at byte {at}")));
        }
        let mut n_known = 0;
        let mut names = Vec::new();
        let mut shape = Shape::default();
        let mut fallback_time = None;
        let mut fallback_id = None;
        for member in to_object_iter(json) {
            let (key, value) = member.map_err(|error| Refusal::Invalid(first_line(&error)))?;
            let raw = raw_of(&value);
            self.content_hash = self
                .content_hash
                .wrapping_add(member_hash(&key, raw, spaced));
            match TREE.get(key.as_ref()) {
                Some(node) => {
                    n_known += 1;
                    self.see(node);
                    self.member(node, &key, value, raw);
                }
                None => {
                    match key.as_ref() {
                        "@timestamp" => fallback_time = string(raw),
                        "eventId" => fallback_id = string(raw),
                        _ => {}
                    }
                    self.irregular |= key.starts_with('$');
                    put_member(&mut self.extra, &key, raw);
                    shape.notice(&key);
                    if names.len() < 5 {
                        names.push(key.into_owned());
                    }
                }
            }
        }
        self.judge(n_known, &names, shape)?;
        if self.slots[WANTED.time] == Slot::Null
            && let Some(time) = fallback_time.as_deref().and_then(time::parse)
        {
            self.stand_in("eventTime", WANTED.time, Slot::Time(time));
        }
        if self.slots[WANTED.id] == Slot::Null {
            let id = fallback_id.unwrap_or_else(|| Cow::Owned(self.content_id()));
            self.stand_in("eventID", WANTED.id, Slot::Text(id));
        }
        self.close_extra(json);
        Ok(())
    }

    /// The text of a column, if it holds some.
    pub fn text(&self, index: usize) -> Option<&str> {
        match &self.slots[index] {
            Slot::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The event's time in microseconds, if it has one.
    pub fn event_time(&self) -> Option<i64> {
        match self.slots[WANTED.time] {
            Slot::Time(micros) => Some(micros),
            _ => None,
        }
    }

    /// An id for a record without one: the same content always gets the same.
    fn content_id(&self) -> String {
        format!("content-{:016x}", self.content_hash)
    }

    /// Fills a column that the record leaves empty. A member that is there, but odd, is in `extra`.
    fn stand_in(&mut self, name: &'static str, column: usize, slot: Slot<'a>) {
        self.slots[column] = slot;
        if TREE.get(name).is_some_and(|node| self.seen & node.bit == 0) {
            self.absent.push(name);
        }
    }

    fn see(&mut self, node: &Node) {
        self.irregular |= self.seen & node.bit != 0;
        self.seen |= node.bit;
    }

    /// Whether what was read is a CloudTrail record.
    fn judge(&self, n_known: usize, names: &[String], shape: Shape) -> Result<(), Refusal> {
        let foreign = |source: &str| source.starts_with("aws:");
        let looks_like = match shape {
            Shape::Digest => return Err(Refusal::Digest),
            _ if self.text(WANTED.source).is_some_and(foreign) => {
                "a notification of another service".to_owned()
            }
            _ if n_known >= 3 || self.slots[WANTED.id] != Slot::Null => return Ok(()),
            Shape::EventBridge => {
                "an EventBridge event, which holds its record under `detail`".to_owned()
            }
            Shape::Lookup => "an answer of LookupEvents, which holds records as text".to_owned(),
            Shape::Plain if names.is_empty() => "an object with next to no members".to_owned(),
            Shape::Plain => format!("an object with the members {}", names.join(", ")),
        };
        Err(Refusal::NotCloudTrail(looks_like))
    }

    /// A top member that has a column, or columns below it.
    fn member(&mut self, node: &Node, key: &str, value: LazyValue<'a>, raw: &'a str) {
        match &node.place {
            Place::Column(index) => {
                if !self.fill(*index, raw) {
                    put_member(&mut self.extra, key, raw);
                }
            }
            Place::Object(members) => {
                let mut rest = String::new();
                if self.nested(members, value, raw, &mut rest) {
                    put_member(&mut self.extra, key, &rest);
                }
            }
        }
    }

    /// Fills the columns below an object. True if `rest` was given what they could not hold.
    fn nested(
        &mut self,
        members: &Members,
        value: LazyValue<'a>,
        raw: &'a str,
        rest: &mut String,
    ) -> bool {
        let Some(object) = value.into_object_iter() else {
            rest.push_str(raw);
            return true;
        };
        let mut holds_something = false;
        for member in object {
            let Ok((key, value)) = member else {
                // The outer iterator has checked this text; were it wrong after all, the whole
                // record is kept as it is.
                self.irregular = true;
                continue;
            };
            let raw = raw_of(&value);
            let node = members.get(key.as_ref());
            if let Some(node) = node {
                self.see(node);
            }
            match node.map(|node| &node.place) {
                Some(Place::Column(index)) => {
                    if self.fill(*index, raw) {
                        holds_something = true;
                    } else {
                        put_member(rest, &key, raw);
                    }
                }
                Some(Place::Object(below)) => {
                    let mut deeper = String::new();
                    if self.nested(below, value, raw, &mut deeper) {
                        put_member(rest, &key, &deeper);
                    } else {
                        holds_something = true;
                    }
                }
                None => put_member(rest, &key, raw),
            }
        }
        if rest.is_empty() && holds_something {
            return false;
        }
        if rest.is_empty() {
            rest.push('{');
        }
        rest.push('}');
        true
    }

    /// Puts a value into its column. False if the column cannot give it back exactly.
    fn fill(&mut self, index: usize, raw: &'a str) -> bool {
        let (slot, exact) = convert(EVENT_COLUMNS[index].kind, raw);
        self.slots[index] = slot;
        exact
    }

    /// Ends the text of `extra`.
    fn close_extra(&mut self, json: &str) {
        if self.irregular {
            self.extra.clear();
            put_member(&mut self.extra, "$record", json);
        } else if !self.absent.is_empty() {
            let names = serde_json::json!(self.absent).to_string();
            put_member(&mut self.extra, "$absent", &names);
        }
        if !self.extra.is_empty() {
            self.extra.push('}');
        }
    }
}

fn convert(kind: Kind, raw: &str) -> (Slot<'_>, bool) {
    match kind {
        Kind::Json => match raw {
            "null" => (Slot::Null, false),
            _ => (Slot::Text(Cow::Borrowed(raw)), true),
        },
        Kind::Text => match (string(raw), raw) {
            (Some(text), _) => (Slot::Text(text), true),
            (None, "true" | "false") => (Slot::Text(Cow::Borrowed(raw)), false),
            (None, _) => (Slot::Null, false),
        },
        Kind::Bool => match raw {
            "true" => (Slot::Bool(true), true),
            "false" => (Slot::Bool(false), true),
            "\"true\"" => (Slot::Bool(true), false),
            "\"false\"" => (Slot::Bool(false), false),
            _ => (Slot::Null, false),
        },
        Kind::Time => match string(raw) {
            Some(text) => match time::parse(&text) {
                Some(micros) => (Slot::Time(micros), time::is_plain(&text)),
                None => (Slot::Null, false),
            },
            None => (Slot::Null, false),
        },
        Kind::Resources => resources(raw),
        Kind::TextMap => text_map(raw),
    }
}

fn resources(raw: &str) -> (Slot<'_>, bool) {
    let Ok(entries) = serde_json::from_str::<Vec<serde_json::Map<String, serde_json::Value>>>(raw)
    else {
        return (Slot::Null, false);
    };
    let n_kept: usize = entries.iter().map(serde_json::Map::len).sum();
    let mut exact = !entries.is_empty() && n_kept == n_members(raw);
    let mut list = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut fields: [Option<String>; RESOURCE_FIELDS.len()] = Default::default();
        exact &= !entry.is_empty();
        for (key, value) in entry {
            let field = RESOURCE_FIELDS
                .iter()
                .position(|(_, spelling)| spelling.eq_ignore_ascii_case(&key));
            match (field, value) {
                (Some(field), serde_json::Value::String(text)) => {
                    exact &= RESOURCE_FIELDS[field].1 == key && fields[field].is_none();
                    fields[field] = Some(text);
                }
                _ => exact = false,
            }
        }
        list.push(fields);
    }
    (Slot::Resources(list), exact)
}

fn text_map(raw: &str) -> (Slot<'_>, bool) {
    let Ok(members) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(raw)
    else {
        return (Slot::Null, false);
    };
    let texts: Vec<(String, String)> = members
        .into_iter()
        .filter_map(|(key, value)| match value {
            serde_json::Value::String(text) => Some((key, text)),
            _ => None,
        })
        .collect();
    if texts.is_empty() {
        return (Slot::Null, false);
    }
    let exact = texts.len() == n_members(raw);
    (Slot::TextMap(texts), exact)
}

/// The members of an object, or of the objects of an array, counting those named twice.
fn n_members(raw: &str) -> usize {
    if raw.starts_with('[') {
        let entries = to_array_iter(raw).flatten();
        return entries.map(|entry| n_members(raw_of(&entry))).sum();
    }
    to_object_iter(raw).count()
}

/// The text of a JSON string; `None` for other values and for escapes that are no text (half a
/// surrogate pair).
fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
}

/// Adds a member to the text of an object that is not closed yet.
fn put_member(object: &mut String, key: &str, raw: &str) {
    object.push(if object.is_empty() { '{' } else { ',' });
    let plain = key
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        object.push('"');
        object.push_str(key);
        object.push('"');
    } else {
        object.push_str(&serde_json::Value::from(key).to_string());
    }
    object.push(':');
    object.push_str(raw);
}

/// Adding these up is blind to the order of the members.
fn member_hash(key: &str, raw: &str, spaced: bool) -> u64 {
    let value = if spaced {
        XxHash64::oneshot(0, &without_space(raw))
    } else {
        XxHash64::oneshot(0, raw.as_bytes())
    };
    XxHash64::oneshot(value, key.as_bytes())
}

fn without_space(json: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for &byte in json.as_bytes() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if !byte.is_ascii_whitespace() {
            out.push(byte);
            in_string = byte == b'"';
        }
    }
    out
}

/// The value's own text within the record.
fn raw_of<'a>(value: &LazyValue<'a>) -> &'a str {
    match value.as_raw_cow() {
        Cow::Borrowed(text) => text,
        // Slices of a borrowed text stay borrowed; an owned one cannot come from `to_object_iter`.
        Cow::Owned(_) => "",
    }
}

fn first_line(error: &sonic_rs::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or("not JSON").to_owned()
}
