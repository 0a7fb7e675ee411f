//! CloudTrail records inside something else: answers of APIs, queue and stream messages, exports of
//! log tools.
//!
//! Given one JSON object that is no record, [`unwrap`] says what it is and gives the records inside,
//! each with its text as it was. One walk follows a table of members that are known to hold records
//! ([`shapes`]), through objects, arrays, text in strings, base64 and gzip. What leads to no record is
//! named ([`foreign`]). Everything is bounded: layers, bytes unpacked, and bytes looked at.
//!
//! Whether a record is a good one is for the normalizer to say; files are opened elsewhere.

mod budget;
mod foreign;
mod object;
mod output;
mod shapes;
pub(super) mod text;

use std::borrow::Cow;

use sonic_rs::to_array_iter;

use super::scan::{MAX_DEPTH, MAX_RECORD_BYTES, Reason};
use budget::Budget;
use object::{Object, raw_of};
use output::Output;
use shapes::{Row, SHAPES, Shape};

/// Objects, arrays and strings within one another on the way to a record. A Lambda event with an SQS
/// message, in it an SNS message, in it an EventBridge event takes seven.
const MAX_LAYERS: usize = 16;

/// An object without a known shape is opened if it has no more members than this.
const MAX_FEW_MEMBERS: usize = 12;

const NOT_CLOUDTRAIL: &str = "not-cloudtrail";
const TOO_LARGE: &str = "too-large";
const TOO_LARGE_DETAIL: &str = "unpacks to more than is read of one object";

/// What an object that is no record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwrapped {
    /// It holds records, or a list that could hold some; the name of its shape.
    Wrapper(&'static str),
    /// A digest file: a record of deliveries, not of events.
    Digest,
    /// Something else, by name.
    Foreign {
        reason: &'static str,
        detail: String,
    },
}

/// What a wrapper holds, one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inner<'a> {
    /// The text of a record, untouched.
    Record(&'a str),
    /// An item that is no record.
    Broken {
        raw: &'a [u8],
        reason: &'static str,
        detail: String,
    },
}

/// Says what the object `json` is, and gives what it holds to `emit`: nothing, unless it is a
/// wrapper. Other text may hold records too, see `unwrap_values`.
pub fn unwrap(json: &str, emit: &mut dyn FnMut(Inner<'_>)) -> Unwrapped {
    if !json.starts_with('{') {
        return unwrap_values(json, emit);
    }
    let object = match Object::read(json) {
        Ok(object) => object,
        Err(detail) => {
            return Unwrapped::Foreign {
                reason: Reason::Syntax.code(),
                detail,
            };
        }
    };
    if object.is_digest() {
        return Unwrapped::Digest;
    }
    let mut walk = Walk {
        output: Output::new(emit),
        budget: Budget::of(json.len()),
        n_layers: 1,
    };
    match walk.open(&object) {
        Some(name) => Unwrapped::Wrapper(name),
        None if object.is_record() => {
            walk.record(json);
            Unwrapped::Wrapper("record")
        }
        None => Unwrapped::Foreign {
            reason: NOT_CLOUDTRAIL,
            detail: foreign::describe(&object),
        },
    }
}

/// Strings that hold records, one after another or in arrays, as is left of an answer where a query
/// picked one member: `aws … --query`, `jq`.
fn unwrap_values(text: &str, emit: &mut dyn FnMut(Inner<'_>)) -> Unwrapped {
    let mut walk = Walk {
        output: Output::new(emit),
        budget: Budget::of(0),
        n_layers: 0,
    };
    let guess = walk.output.begin_guess();
    walk.values(text, |walk, value| {
        // Each is as if it stood alone.
        walk.budget = Budget::of(value.len());
        walk.value(value);
    });
    if walk.output.end_guess(guess, false) {
        return Unwrapped::Wrapper("values");
    }
    Unwrapped::Foreign {
        reason: Reason::NotAnObject.code(),
        detail: Reason::NotAnObject.detail().to_owned(),
    }
}

struct Walk<'e> {
    output: Output<'e>,
    budget: Budget,
    n_layers: usize,
}

impl Walk<'_> {
    /// Walks what the object holds, if its shape is known and leads to a record, or if any member
    /// does. The name of the shape.
    fn open(&mut self, object: &Object<'_>) -> Option<&'static str> {
        if foreign::is_known(object) {
            return None;
        }
        let is_record = object.is_record();
        if object.is_of_interest() {
            for shape in SHAPES.iter().filter(|shape| shape.original || !is_record) {
                let values = object.values(shape.path);
                if !values.is_empty() && self.open_as(shape, object, &values) {
                    return Some(shape.name);
                }
            }
        }
        if is_record || object.n_members() > MAX_FEW_MEMBERS {
            return None;
        }
        let mut name = None;
        for (member, value) in object.containers() {
            if !shapes::is_tried(member) && self.guess(&[value], false) {
                name = Some("wrapped");
            }
        }
        name
    }

    /// A record that carries its own original is opened for nothing less than a record.
    fn open_as(&mut self, shape: &Shape, object: &Object<'_>, values: &[&str]) -> bool {
        if shape.is_list(object, values) {
            values.iter().for_each(|value| self.value(value));
            return true;
        }
        self.guess(values, !object.is_record())
    }

    fn guess(&mut self, values: &[&str], or_fault: bool) -> bool {
        let guess = self.output.begin_guess();
        values.iter().for_each(|value| self.value(value));
        self.output.end_guess(guess, or_fault)
    }

    fn broken(&mut self, raw: &str, reason: &'static str, detail: &str) {
        self.output.broken(raw.as_bytes(), reason, detail);
    }

    fn refused(&mut self, raw: &str, reason: Reason) {
        self.broken(raw, reason.code(), reason.detail());
    }

    fn record(&mut self, raw: &str) {
        if raw.len() > MAX_RECORD_BYTES {
            return self.refused(raw, Reason::TooLong);
        }
        self.output.record(raw);
    }

    fn value(&mut self, raw: &str) {
        if self.output.gave_up() {
            return;
        }
        if self.n_layers >= MAX_LAYERS {
            return self.broken(raw, Reason::TooDeep.code(), "wrapped too often");
        }
        if !self.budget.look(raw.len()) {
            return self.broken(raw, TOO_LARGE, "too much to look at");
        }
        self.n_layers += 1;
        match raw.as_bytes().first() {
            Some(b'{') => self.object(raw),
            Some(b'[') => self.array(raw),
            Some(b'"') => self.string(raw),
            _ => self.refused(raw, Reason::NotAnObject),
        }
        self.n_layers -= 1;
    }

    fn object(&mut self, raw: &str) {
        let object = match Object::read(raw) {
            Ok(object) => object,
            Err(detail) => return self.broken(raw, Reason::Syntax.code(), &detail),
        };
        if object.is_digest() {
            return self.broken(raw, NOT_CLOUDTRAIL, "a CloudTrail digest");
        }
        if self.open(&object).is_some() {
            return;
        }
        if object.is_record() {
            self.record(raw);
        } else {
            self.output.foreign(raw);
        }
    }

    fn array(&mut self, raw: &str) {
        for element in to_array_iter(raw) {
            if self.output.gave_up() {
                return;
            }
            let Ok(element) = element else {
                return self.broken(raw, Reason::Syntax.code(), "a broken array");
            };
            let element = raw_of(&element);
            match element.starts_with('[').then(|| shapes::row(element)) {
                Some(Row::Cells(Some(event))) => self.value(event),
                Some(Row::Cells(None)) => {
                    let detail = "a row without the text of an event";
                    self.broken(element, NOT_CLOUDTRAIL, detail);
                }
                Some(Row::Array) | None => self.value(element),
            }
        }
    }

    fn string(&mut self, raw: &str) {
        if raw.len() > self.budget.text_bytes(raw.len()) {
            return self.broken(raw, TOO_LARGE, TOO_LARGE_DETAIL);
        }
        match text::unescape(raw) {
            Some(Cow::Borrowed(text)) => self.text(text),
            Some(Cow::Owned(text)) => {
                self.budget.unpacked(raw.len());
                self.text(&text);
            }
            None => self.broken(raw, Reason::Syntax.code(), "a string with broken escapes"),
        }
    }

    /// Text out of a string: JSON values one after another, perhaps packed.
    fn text(&mut self, text: &str) {
        if let Some(packed) = text::Packed::of(text) {
            return self.unpack(text, packed);
        }
        if !text::is_json(text) {
            return self.broken(text, NOT_CLOUDTRAIL, foreign::name_line(text));
        }
        self.values(text, Self::value);
    }

    fn unpack(&mut self, text: &str, packed: text::Packed<'_>) {
        match packed.unpack(self.budget.text_bytes(text.len())) {
            Ok(bytes) => {
                self.budget.unpacked(bytes.len());
                match std::str::from_utf8(&bytes) {
                    Ok(inner) if text::is_json(inner) => self.values(inner, Self::value),
                    Ok(inner) => self.broken(inner, NOT_CLOUDTRAIL, foreign::name_line(inner)),
                    Err(_) => {
                        let reason = Reason::NotUtf8;
                        self.output.broken(&bytes, reason.code(), reason.detail());
                    }
                }
            }
            Err(fault) => {
                self.budget.unpacked(fault.n_bytes);
                self.broken(text, fault.reason, &fault.detail);
            }
        }
    }

    /// Every value of a text. A broken one costs the rest.
    fn values(&mut self, text: &str, mut take: impl FnMut(&mut Self, &str)) {
        let mut rest = text::skip_space(text);
        while !rest.is_empty() && !self.output.gave_up() {
            match text::first_value(rest, MAX_DEPTH) {
                Ok(length) => {
                    take(self, &rest[..length]);
                    rest = text::skip_space(&rest[length..]);
                }
                Err(reason) => return self.refused(rest, reason),
            }
        }
    }
}

#[cfg(test)]
mod tests;
