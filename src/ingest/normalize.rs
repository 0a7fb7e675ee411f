//! From one record to the values of its columns, losing nothing.
//!
//! Members that have a column fill it. Whatever the typed columns could not give back exactly
//! (unknown members, explicit nulls, odd types, odd time text, empty objects) goes into `extra`: a
//! JSON object that is laid over the typed members when the record is printed back. Two members of
//! `extra` are spoor's own: `$absent` lists top members that a column holds but the record does not
//! have, and `$record` holds the whole record where laying over is not enough (members named twice).

mod convert;
mod members;

use std::borrow::Cow;

use twox_hash::XxHash64;

use super::json::{Cursor, Fault, Text, Value};
use super::time;
use crate::schema::RESOURCE_FIELDS;
use convert::{convert, string, unescaped};
pub use members::Wanted;
use members::{Members, Node, Place, TREE};

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
    Resources(Vec<[Option<Cow<'a, str>>; RESOURCE_FIELDS.len()]>),
    TextMap(Vec<(Cow<'a, str>, Cow<'a, str>)>),
}

/// A record as column values.
#[derive(Debug, Default)]
pub struct Row<'a> {
    /// The columns that hold something, each at most once: its position in
    /// [`crate::schema::EVENT_COLUMNS`].
    filled: Vec<(usize, Slot<'a>)>,
    /// Where in `filled` the columns of [`Wanted`] stand.
    wanted: [Option<usize>; Wanted::ALL.len()],
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
    /// Not JSON.
    Invalid(Fault),
    /// An object that ends at `end`, but not CloudTrail's; says what it looks like.
    NotCloudTrail { end: usize, looks_like: String },
    /// A digest file, which ends at `end`: a record of deliveries, not of events.
    Digest { end: usize },
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Invalid(fault)
    }
}

/// What the members without a column say of an object.
#[derive(Debug, Default)]
struct Strangers<'a> {
    /// Some of their names.
    names: Vec<&'a str>,
    is_digest: bool,
    /// What may stand in for an event's own time and id.
    time: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
}

/// So many names of members say what an object looks like.
const N_NAMES: usize = 5;

impl<'a> Strangers<'a> {
    fn notice(&mut self, name: &'a str, value: &Value<'a>) {
        match name {
            "digestPublicKeyFingerprint" | "digestS3Object" | "digestStartTime" => {
                self.is_digest = true;
            }
            "@timestamp" => self.time = string(value),
            "eventId" => self.id = string(value),
            _ => {}
        }
        if self.names.len() < N_NAMES {
            self.names.push(name);
        }
    }
}

impl<'a> Row<'a> {
    /// Reads the record that begins at `start` into `self`, in place of what was there. Gives the
    /// place where it ends.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] where the text there is no JSON object or no CloudTrail record.
    pub fn read(&mut self, text: &'a str, start: usize) -> Result<usize, Refusal> {
        self.clear();
        let mut n_known = 0;
        let mut strangers = Strangers::default();
        let mut next = 0;
        let mut cursor = Cursor::new(text, start);
        let mut more = cursor.open(b'{', b'}')?;
        while more {
            let key = cursor.key()?;
            let name = self.name_of(&key);
            match TREE.find(&name, &mut next) {
                Some(node) => {
                    n_known += 1;
                    self.member(node, &name, &mut cursor)?;
                }
                None => {
                    let value = cursor.value(1)?;
                    self.add_hash(&name, value.raw, value.spaced);
                    self.irregular |= name.starts_with('$');
                    put_member(&mut self.extra, &name, value.raw);
                    strangers.notice(key.inner, &value);
                }
            }
            more = cursor.more(b'}')?;
        }
        self.judge(n_known, &strangers, cursor.at())?;
        self.stand_ins(strangers);
        self.close_extra(cursor.since(start));
        Ok(cursor.at())
    }

    /// As [`Row::read`], for a text that is one record and nothing else.
    ///
    /// # Errors
    ///
    /// As [`Row::read`], and where something follows.
    pub fn read_whole(&mut self, text: &'a str) -> Result<(), Refusal> {
        let start = text.len() - text.trim_ascii_start().len();
        let end = self.read(text, start)?;
        if text[end..].trim_ascii_start().is_empty() {
            return Ok(());
        }
        let fault = Fault::Unexpected {
            at: end,
            expected: "nothing more",
        };
        Err(fault.into())
    }

    /// A member's name. One whose escapes are no text (half a surrogate pair) only the record itself
    /// can give back.
    fn name_of(&mut self, key: &Text<'a>) -> Cow<'a, str> {
        let name = unescaped(key);
        self.irregular |= name.is_none();
        name.unwrap_or(Cow::Borrowed(key.inner))
    }

    fn clear(&mut self) {
        self.filled.clear();
        self.wanted = Default::default();
        self.extra.clear();
        self.content_hash = 0;
        self.absent.clear();
        self.seen = 0;
        self.irregular = false;
    }

    /// The columns that hold something: position in [`crate::schema::EVENT_COLUMNS`] and value.
    pub fn filled(&self) -> impl Iterator<Item = (usize, &Slot<'a>)> {
        self.filled.iter().map(|(column, slot)| (*column, slot))
    }

    /// The text of a column, if it holds some.
    pub fn text(&self, wanted: Wanted) -> Option<&str> {
        match self.wanted_slot(wanted)? {
            Slot::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The event's time in microseconds, if it has one.
    pub fn event_time(&self) -> Option<i64> {
        match self.wanted_slot(Wanted::Time)? {
            Slot::Time(micros) => Some(*micros),
            _ => None,
        }
    }

    fn wanted_slot(&self, wanted: Wanted) -> Option<&Slot<'a>> {
        let at = self.wanted[wanted as usize]?;
        Some(&self.filled[at].1)
    }

    /// Gives a column its value, in place of one that a member of the same name gave.
    fn set(&mut self, column: usize, wanted: Option<Wanted>, slot: Slot<'a>) {
        let given = self.irregular.then(|| {
            let mut filled = self.filled.iter();
            filled.position(|(other, _)| *other == column)
        });
        let at = match given.flatten() {
            Some(at) => {
                self.filled[at].1 = slot;
                at
            }
            None if slot == Slot::Null => return,
            None => {
                self.filled.push((column, slot));
                self.filled.len() - 1
            }
        };
        if let Some(wanted) = wanted {
            self.wanted[wanted as usize] = Some(at);
        }
    }

    /// An id for a record without one: the same content always gets the same.
    fn content_id(&self) -> String {
        format!("content-{:016x}", self.content_hash)
    }

    /// Fills what a record should have from what it has instead.
    fn stand_ins(&mut self, strangers: Strangers<'a>) {
        if self.event_time().is_none()
            && let Some(time) = strangers.time.as_deref().and_then(time::parse)
        {
            self.stand_in("eventTime", Wanted::Time, Slot::Time(time));
        }
        if self.text(Wanted::Id).is_none() {
            let id = strangers
                .id
                .unwrap_or_else(|| Cow::Owned(self.content_id()));
            self.stand_in("eventID", Wanted::Id, Slot::Text(id));
        }
    }

    /// Fills a column that the record leaves empty. A member that is there, but odd, is in `extra`.
    fn stand_in(&mut self, name: &'static str, wanted: Wanted, slot: Slot<'a>) {
        self.set(wanted.column(), Some(wanted), slot);
        if self.seen & TREE.bit(name) == 0 {
            self.absent.push(name);
        }
    }

    fn see(&mut self, node: &Node) {
        self.irregular |= self.seen & node.bit != 0;
        self.seen |= node.bit;
    }

    /// Whether what was read is a CloudTrail record.
    fn judge(&self, n_known: usize, strangers: &Strangers<'_>, end: usize) -> Result<(), Refusal> {
        let foreign = |source: &str| source.starts_with("aws:");
        if strangers.is_digest {
            return Err(Refusal::Digest { end });
        }
        let looks_like = if self.text(Wanted::Source).is_some_and(foreign) {
            "a notification of another service".to_owned()
        } else if n_known >= 3 || self.text(Wanted::Id).is_some() {
            return Ok(());
        } else if strangers.names.is_empty() {
            "an object with next to no members".to_owned()
        } else {
            format!("an object with the members {}", strangers.names.join(", "))
        };
        Err(Refusal::NotCloudTrail { end, looks_like })
    }

    /// A top member that has a column, or columns below it.
    fn member(&mut self, node: &Node, name: &str, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        self.see(node);
        match &node.place {
            Place::Column { .. } => {
                let value = cursor.value(1)?;
                self.add_hash(name, value.raw, value.spaced);
                if !self.fill(&node.place, &value) {
                    put_member(&mut self.extra, name, value.raw);
                }
            }
            Place::Object(members) => {
                let start = cursor.at();
                let mut rest = String::new();
                let (is_left, spaced) =
                    cursor.noting_space(|cursor| self.nested(members, cursor, 1, &mut rest));
                self.add_hash(name, cursor.since(start), spaced);
                if is_left? {
                    put_member(&mut self.extra, name, &rest);
                }
            }
        }
        Ok(())
    }

    /// Fills the columns below the value at the cursor, which stands below `depth` open brackets.
    /// True if `rest` was given what they could not hold.
    fn nested(
        &mut self,
        members: &Members,
        cursor: &mut Cursor<'a>,
        depth: usize,
        rest: &mut String,
    ) -> Result<bool, Fault> {
        if cursor.peek() != Some(b'{') {
            rest.push_str(cursor.value(depth)?.raw);
            return Ok(true);
        }
        let mut holds_something = false;
        let mut next = 0;
        let mut more = cursor.open(b'{', b'}')?;
        while more {
            let key = cursor.key()?;
            let name = self.name_of(&key);
            let node = members.find(&name, &mut next);
            if let Some(node) = node {
                self.see(node);
            }
            match node.map(|node| &node.place) {
                Some(place @ Place::Column { .. }) => {
                    let value = cursor.value(depth + 1)?;
                    if self.fill(place, &value) {
                        holds_something = true;
                    } else {
                        put_member(rest, &name, value.raw);
                    }
                }
                Some(Place::Object(below)) => {
                    let mut deeper = String::new();
                    if self.nested(below, cursor, depth + 1, &mut deeper)? {
                        put_member(rest, &name, &deeper);
                    } else {
                        holds_something = true;
                    }
                }
                None => put_member(rest, &name, cursor.value(depth + 1)?.raw),
            }
            more = cursor.more(b'}')?;
        }
        if rest.is_empty() && holds_something {
            return Ok(false);
        }
        if rest.is_empty() {
            rest.push('{');
        }
        rest.push('}');
        Ok(true)
    }

    /// Puts a value into its column. False if the column cannot give it back exactly.
    fn fill(&mut self, place: &Place, value: &Value<'a>) -> bool {
        let Place::Column {
            index,
            kind,
            wanted,
        } = place
        else {
            return false;
        };
        let (slot, exact) = convert(*kind, value);
        self.set(*index, *wanted, slot);
        exact
    }

    /// Adding up the members' hashes is blind to their order.
    fn add_hash(&mut self, name: &str, raw: &str, spaced: bool) {
        let value = if spaced {
            XxHash64::oneshot(0, &without_space(raw))
        } else {
            XxHash64::oneshot(0, raw.as_bytes())
        };
        let member = XxHash64::oneshot(value, name.as_bytes());
        self.content_hash = self.content_hash.wrapping_add(member);
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
