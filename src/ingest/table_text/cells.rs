//! From the cells of a line to the JSON text of a record.

use sonic_rs::to_object_iter;

use super::lines::Texts;
use super::loose::{self, Loose};
use super::names::{self, Members, Name, Place, fold};
use crate::ingest::scan::MAX_DEPTH;
use crate::ingest::time;
use crate::ingest::unwrap::text::{first_value, is_json};
use crate::schema::Kind;

/// How a cell becomes a value.
#[derive(Debug, Clone, Copy)]
pub enum How {
    Leaf(Kind),
    Object(&'static Members),
    /// A column that is no member, or lies below one that may hold anything.
    Any,
}

impl How {
    pub fn of(place: &'static Place) -> Self {
        match place {
            Place::Leaf(kind) => Self::Leaf(*kind),
            Place::Object(members) => Self::Object(members),
        }
    }
}

/// A record's form: which column stands where.
#[derive(Debug)]
pub enum Part {
    Cell { column: usize, how: How },
    Object(Vec<(String, Self)>),
}

impl Default for Part {
    fn default() -> Self {
        Self::Object(Vec::new())
    }
}

impl Part {
    /// Puts a column at the end of a path. False if something is there, or on the way.
    pub fn put(&mut self, path: &[&str], column: usize, how: How) -> bool {
        let (Self::Object(members), [first, rest @ ..]) = (self, path) else {
            return false;
        };
        let found = members.iter_mut().find(|(name, _)| name == first);
        match (found, rest) {
            (Some(_), []) => false,
            (Some((_, part)), _) => part.put(rest, column, how),
            (None, []) => {
                members.push(((*first).to_owned(), Self::Cell { column, how }));
                true
            }
            (None, _) => {
                let mut part = Self::default();
                part.put(rest, column, how);
                members.push(((*first).to_owned(), part));
                true
            }
        }
    }

    /// Puts a column at the top, under a name that nothing else has.
    pub fn put_beside(&mut self, name: &str, column: usize) {
        if !self.put(&[name], column, How::Any) {
            let name = format!("{name}#{}", column + 1);
            self.put(&[&name], column, How::Any);
        }
    }

    /// Writes what the cells hold; nothing, and false, where they are empty.
    pub fn write(&self, cells: &Texts<'_>, out: &mut String) -> bool {
        match self {
            Self::Cell { column, how } => {
                let cell = cells.get(*column);
                if cell.is_empty() {
                    return false;
                }
                write_value(*how, cell, out);
                true
            }
            Self::Object(members) => {
                let start = out.len();
                out.push('{');
                let mut is_first = true;
                for (name, part) in members {
                    let before = out.len();
                    write_name(name, is_first, out);
                    if part.write(cells, out) {
                        is_first = false;
                    } else {
                        out.truncate(before);
                    }
                }
                out.push('}');
                if is_first {
                    out.truncate(start);
                }
                !is_first
            }
        }
    }
}

fn write_name(name: &str, is_first: bool, out: &mut String) {
    if !is_first {
        out.push(',');
    }
    write_text(name, out);
    out.push(':');
}

fn write_text(text: &str, out: &mut String) {
    let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if text.bytes().any(is_special) {
        out.push_str(&serde_json::Value::from(text).to_string());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

/// What cannot be read as what it should be stays text.
fn write_value(how: How, cell: &str, out: &mut String) {
    let start = out.len();
    let is_written = match how {
        How::Leaf(Kind::Text) | How::Any => false,
        How::Leaf(Kind::Bool) => write_bool(cell, out),
        How::Leaf(Kind::Time) => write_time(cell, out),
        How::Leaf(Kind::Json) => write_json(cell, out),
        How::Leaf(Kind::TextMap) => write_json(cell, out) || write_loose(cell, None, out),
        How::Leaf(Kind::Resources) => {
            write_json(cell, out) || write_loose(cell, Some(names::resource_members()), out)
        }
        How::Object(members) => {
            write_renamed(cell, members, out) || write_loose(cell, Some(members), out)
        }
    };
    if !is_written {
        out.truncate(start);
        write_text(cell, out);
    }
}

fn write_bool(cell: &str, out: &mut String) -> bool {
    let value = if cell.eq_ignore_ascii_case("true") {
        "true"
    } else if cell.eq_ignore_ascii_case("false") {
        "false"
    } else {
        return false;
    };
    out.push_str(value);
    true
}

/// Databases print a timestamp with a space and digits behind the seconds.
fn write_time(cell: &str, out: &mut String) -> bool {
    let text = cell.strip_suffix(" UTC").unwrap_or(cell);
    let Some(micros) = time::parse(text) else {
        return false;
    };
    write_text(&time::format(micros), out);
    true
}

/// Valid JSON stays as it is, byte for byte.
fn write_json(cell: &str, out: &mut String) -> bool {
    let is_value = is_json(cell) || matches!(cell, "null" | "{}" | "[]");
    if is_value && is_valid(cell) {
        out.push_str(cell);
        return true;
    }
    false
}

fn is_valid(json: &str) -> bool {
    let text = json.trim();
    // One level less than a record may have, which is around it.
    let is_whole = match first_value(text, MAX_DEPTH - 1) {
        Ok(length) => length == text.len(),
        Err(_) => text == "null",
    };
    is_whole && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok()
}

/// A JSON object whose members may be spelled as a database spells them.
fn write_renamed(cell: &str, members: &Members, out: &mut String) -> bool {
    let start = out.len();
    let is_object = cell.trim_start().starts_with('{') && is_valid(cell);
    let is_written = is_object && write_members(cell, members, out);
    if !is_written {
        out.truncate(start);
    }
    is_written
}

fn write_members(object: &str, members: &Members, out: &mut String) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut is_first = true;
    out.push('{');
    for member in to_object_iter(object) {
        let Ok((key, value)) = member else {
            return false;
        };
        let raw = value.as_raw_cow();
        let name = members.get(&fold(&key));
        if let Some(name) = name {
            // Named twice under two spellings: it is kept as it is.
            if seen.contains(&name.spelling) {
                return false;
            }
            seen.push(name.spelling);
        }
        write_name(name.map_or(&key, |name| name.spelling), is_first, out);
        is_first = false;
        match name.map(|name| &name.place) {
            Some(Place::Object(below)) if raw.starts_with('{') => {
                if !write_members(&raw, below, out) {
                    return false;
                }
            }
            _ => out.push_str(&raw),
        }
    }
    out.push('}');
    true
}

/// `{k=v}` text and the like. Members without names of their own may have any.
fn write_loose(cell: &str, members: Option<&Members>, out: &mut String) -> bool {
    match loose::parse(cell) {
        Some(Loose::Text(_)) | None => false,
        Some(value) => {
            write_loose_value(&value, members, out);
            true
        }
    }
}

fn write_loose_value(value: &Loose<'_>, members: Option<&Members>, out: &mut String) {
    match value {
        Loose::Null => out.push_str("null"),
        Loose::Text(text) => write_text(text, out),
        Loose::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_loose_value(value, members, out);
            }
            out.push(']');
        }
        Loose::Members(values) => {
            out.push('{');
            let mut is_first = true;
            for (key, value) in values {
                // Databases print a member that was never there as null.
                if *value == Loose::Null {
                    continue;
                }
                let name = members.and_then(|members| members.get(&fold(key)));
                write_name(
                    name.map_or(key.as_ref(), |name| name.spelling),
                    is_first,
                    out,
                );
                is_first = false;
                let below = match name {
                    Some(Name {
                        place: Place::Object(below),
                        ..
                    }) => Some(below),
                    _ => None,
                };
                write_loose_value(value, below, out);
            }
            out.push('}');
        }
    }
}
