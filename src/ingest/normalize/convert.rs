//! From a member's text to the value of its column.

use std::borrow::Cow;

use super::super::json::{Cursor, Fault, Kind as JsonKind, Text, Value};
use super::super::time;
use super::Slot;
use crate::schema::{Kind, RESOURCE_FIELDS};

/// The column's value, and whether it gives the member back exactly.
pub(super) fn convert<'a>(kind: Kind, value: &Value<'a>) -> (Slot<'a>, bool) {
    match kind {
        Kind::Json => match value.raw {
            "null" => (Slot::Null, false),
            raw => (Slot::Text(Cow::Borrowed(raw)), true),
        },
        Kind::Text => match (string(value), value.raw) {
            (Some(text), _) => (Slot::Text(text), true),
            (None, raw @ ("true" | "false")) => (Slot::Text(Cow::Borrowed(raw)), false),
            (None, _) => (Slot::Null, false),
        },
        Kind::Bool => match value.raw {
            "true" => (Slot::Bool(true), true),
            "false" => (Slot::Bool(false), true),
            "\"true\"" => (Slot::Bool(true), false),
            "\"false\"" => (Slot::Bool(false), false),
            _ => (Slot::Null, false),
        },
        Kind::Time => match string(value) {
            Some(text) => match time::parse(&text) {
                Some(micros) => (Slot::Time(micros), time::is_plain(&text)),
                None => (Slot::Null, false),
            },
            None => (Slot::Null, false),
        },
        Kind::Resources => resources(value.raw).unwrap_or((Slot::Null, false)),
        Kind::TextMap => text_map(value.raw).unwrap_or((Slot::Null, false)),
    }
}

/// The text of a JSON string; `None` for other values and for escapes that are no text (half a
/// surrogate pair).
pub(super) fn string<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    let JsonKind::String { escaped } = value.kind else {
        return None;
    };
    let inner = value.raw.get(1..value.raw.len() - 1)?;
    unescaped(&Text { inner, escaped })
}

pub(super) fn unescaped<'a>(text: &Text<'a>) -> Option<Cow<'a, str>> {
    if !text.escaped {
        return Some(Cow::Borrowed(text.inner));
    }
    let quoted = format!("\"{}\"", text.inner);
    serde_json::from_str::<String>(&quoted).ok().map(Cow::Owned)
}

/// `None` where this is no list of objects.
fn resources(raw: &str) -> Option<(Slot<'_>, bool)> {
    let mut cursor = Cursor::new(raw, 0);
    let mut list = Vec::new();
    let mut more = cursor.open(b'[', b']').ok()?;
    let mut exact = more;
    while more {
        let mut fields: [Option<Cow<'_, str>>; RESOURCE_FIELDS.len()] = Default::default();
        exact &= members(&mut cursor, |key, value| {
            let field = RESOURCE_FIELDS
                .iter()
                .position(|(_, spelling)| spelling.eq_ignore_ascii_case(key));
            let (Some(field), Some(text)) = (field, string(value)) else {
                return false;
            };
            // A field that is named twice has its last value, and `extra` has them all.
            let is_first = fields[field].replace(text).is_none();
            is_first && RESOURCE_FIELDS[field].1 == key
        })
        .ok()?;
        list.push(fields);
        more = cursor.more(b']').ok()?;
    }
    Some((Slot::Resources(list), exact))
}

/// `None` where this is no object with a string in it.
fn text_map(raw: &str) -> Option<(Slot<'_>, bool)> {
    let mut texts: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    let exact = members(&mut Cursor::new(raw, 0), |key, value| {
        let Some(text) = string(value) else {
            return false;
        };
        let named_before = texts.iter().position(|(other, _)| other == key);
        match named_before {
            Some(at) => texts[at].1 = text,
            None => texts.push((Cow::Owned(key.to_owned()), text)),
        }
        named_before.is_none()
    })
    .ok()?;
    (!texts.is_empty()).then_some((Slot::TextMap(texts), exact))
}

/// Gives each member of the object at the cursor to `take`. True if there was one and all were taken
/// as they are.
fn members<'a>(
    cursor: &mut Cursor<'a>,
    mut take: impl FnMut(&str, &Value<'a>) -> bool,
) -> Result<bool, Fault> {
    let mut more = cursor.open(b'{', b'}')?;
    let mut all = more;
    while more {
        let key = cursor.key()?;
        let value = cursor.value(0)?;
        all &= match unescaped(&key) {
            Some(name) => take(&name, &value),
            None => false,
        };
        more = cursor.more(b'}')?;
    }
    Ok(all)
}
