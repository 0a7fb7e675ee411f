//! CloudTrail records inside something else: answers of APIs, queue and stream messages, exports of
//! log tools.
//!
//! Given one JSON object that is no record, [`unwrap`] says what it is and gives the records inside,
//! each with its text as it was. One walk follows a table of members that are known to hold records
//! ([`shapes`]), through objects, arrays, text in strings, base64 and gzip. What leads to no record is
//! named ([`foreign`]). Everything is bounded: layers, bytes unpacked, and bytes looked at.
//!
//! Whether a record is a good one is for the normalizer to say; files are opened elsewhere.

mod foreign;
mod object;
mod shapes;
pub(super) mod text;

use std::borrow::Cow;

use sonic_rs::to_array_iter;

use super::scan::{MAX_DEPTH, MAX_RECORD_BYTES, Reason};
use object::{Object, raw_of};
use shapes::{Row, SHAPES, Shape};

/// Objects, arrays and strings within one another on the way to a record. A Lambda event with an SQS
/// message, in it an SNS message, in it an EventBridge event takes seven.
const MAX_LAYERS: usize = 16;

/// What one string may unpack to. Queues and streams stop at 1 MiB a message.
const MAX_TEXT_BYTES: usize = 32 * 1024 * 1024;

/// The same for short strings, for each byte of theirs: gzip packs repeated records about 1 to 100,
/// and a bomb should leave what its neighbors need.
const MAX_UNPACKED_RATIO: usize = 100;

/// What any string may unpack to, however short.
const MIN_TEXT_BYTES: usize = 64 * 1024;

/// What one object may unpack to: escaped text, base64 and gzip together, and twice where a probe
/// went first. Under three layers of escapes an object of 16 MiB needs half of this.
const MAX_UNPACKED_BYTES: usize = 256 * 1024 * 1024;

/// Bytes looked at for each byte of the object and each byte unpacked. A record under ten layers is
/// looked at about twenty times; only something built to be slow comes near.
const MAX_LOOKS: usize = 64;

/// To learn whether an array holds records, so many elements are tried.
const MAX_PROBED_ELEMENTS: usize = 1_000;

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
/// wrapper.
pub fn unwrap(json: &str, emit: &mut dyn FnMut(Inner<'_>)) -> Unwrapped {
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
        sink: Sink::Emit(emit),
        budget: Budget::of(json),
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

/// What a probe met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    Nothing,
    /// Something that should be opened and cannot be.
    Fault,
    Record,
}

enum Sink<'e> {
    Emit(&'e mut dyn FnMut(Inner<'_>)),
    /// Only to learn whether there is a record.
    Probe(Finding),
}

/// What may still be spent on one object.
#[derive(Debug, Clone, Copy)]
struct Budget {
    unpack_bytes: usize,
    look_bytes: usize,
}

impl Budget {
    fn of(json: &str) -> Self {
        let unpack_bytes = json.len().saturating_mul(2 * MAX_UNPACKED_RATIO);
        Self {
            unpack_bytes: unpack_bytes.clamp(2 * MIN_TEXT_BYTES, MAX_UNPACKED_BYTES),
            look_bytes: json.len().saturating_mul(MAX_LOOKS),
        }
    }

    /// What a string of this length may unpack to.
    fn text_bytes(&self, n_bytes: usize) -> usize {
        let bytes = n_bytes.saturating_mul(MAX_UNPACKED_RATIO);
        let bytes = bytes.clamp(MIN_TEXT_BYTES, MAX_TEXT_BYTES);
        bytes.min(self.unpack_bytes)
    }

    /// Takes what was unpacked, and allows for looking at it.
    fn unpacked(&mut self, n_bytes: usize) {
        self.unpack_bytes = self.unpack_bytes.saturating_sub(n_bytes);
        let more = n_bytes.saturating_mul(MAX_LOOKS);
        self.look_bytes = self.look_bytes.saturating_add(more);
    }

    fn look(&mut self, n_bytes: usize) -> bool {
        let left = self.look_bytes.checked_sub(n_bytes);
        self.look_bytes = left.unwrap_or(0);
        left.is_some()
    }
}

struct Walk<'e> {
    sink: Sink<'e>,
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
        for shape in SHAPES.iter().filter(|shape| shape.original || !is_record) {
            let values = object.values(shape.path);
            if !values.is_empty() && self.open_as(shape, object, &values) {
                return Some(shape.name);
            }
        }
        if is_record || object.n_members() > MAX_FEW_MEMBERS {
            return None;
        }
        let mut name = None;
        for value in object.containers() {
            if self.leads(&[value], Finding::Record) {
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
        let least = if object.is_record() {
            Finding::Record
        } else {
            Finding::Fault
        };
        self.leads(values, least)
    }

    /// Walks the values if a record lies behind them, or where that is enough, a fault.
    fn leads(&mut self, values: &[&str], least: Finding) -> bool {
        let mut probe = Walk {
            sink: Sink::Probe(Finding::Nothing),
            budget: self.budget,
            n_layers: self.n_layers,
        };
        values.iter().for_each(|value| probe.value(value));
        self.budget = probe.budget;
        let found = match probe.sink {
            Sink::Probe(found) => found,
            Sink::Emit(_) => Finding::Nothing,
        };
        if found == Finding::Nothing || (found == Finding::Fault && least == Finding::Record) {
            return false;
        }
        match &mut self.sink {
            Sink::Probe(finding) => *finding = found,
            Sink::Emit(_) => values.iter().for_each(|value| self.value(value)),
        }
        true
    }

    /// Enough is known already.
    fn is_done(&self) -> bool {
        matches!(self.sink, Sink::Probe(Finding::Record))
    }

    fn value(&mut self, raw: &str) {
        if self.is_done() {
            return;
        }
        if self.n_layers >= MAX_LAYERS {
            return self.broken(raw.as_bytes(), Reason::TooDeep.code(), "wrapped too often");
        }
        if !self.budget.look(raw.len()) {
            return self.broken(raw.as_bytes(), TOO_LARGE, "too much to look at");
        }
        self.n_layers += 1;
        match raw.as_bytes().first() {
            Some(b'{') => self.object(raw),
            Some(b'[') => self.array(raw),
            Some(b'"') => self.string(raw),
            _ => self.broken(
                raw.as_bytes(),
                Reason::NotAnObject.code(),
                "a value that is no object",
            ),
        }
        self.n_layers -= 1;
    }

    fn object(&mut self, raw: &str) {
        let object = match Object::read(raw) {
            Ok(object) => object,
            Err(detail) => return self.broken(raw.as_bytes(), Reason::Syntax.code(), &detail),
        };
        if object.is_digest() {
            return self.broken(raw.as_bytes(), NOT_CLOUDTRAIL, "a CloudTrail digest");
        }
        if self.open(&object).is_some() {
            return;
        }
        if object.is_record() {
            self.record(raw);
        } else if matches!(self.sink, Sink::Emit(_)) {
            self.broken(raw.as_bytes(), NOT_CLOUDTRAIL, &foreign::describe(&object));
        }
    }

    fn array(&mut self, raw: &str) {
        let most = match self.sink {
            Sink::Emit(_) => usize::MAX,
            Sink::Probe(_) => MAX_PROBED_ELEMENTS,
        };
        for element in to_array_iter(raw).take(most) {
            let Ok(element) = element else {
                return self.broken(raw.as_bytes(), Reason::Syntax.code(), "a broken array");
            };
            let element = raw_of(&element);
            match element.starts_with('[').then(|| shapes::row(element)) {
                Some(Row::Cells(Some(event))) => self.value(event),
                Some(Row::Cells(None)) => {
                    let detail = "a row without the text of an event";
                    self.broken(element.as_bytes(), NOT_CLOUDTRAIL, detail);
                }
                Some(Row::Array) | None => self.value(element),
            }
        }
    }

    fn string(&mut self, raw: &str) {
        if raw.len() > self.budget.text_bytes(raw.len()) {
            return self.broken(raw.as_bytes(), TOO_LARGE, TOO_LARGE_DETAIL);
        }
        match text::unescape(raw) {
            Some(Cow::Borrowed(text)) => self.text(text),
            Some(Cow::Owned(text)) => {
                self.budget.unpacked(raw.len());
                self.text(&text);
            }
            None => self.broken(
                raw.as_bytes(),
                Reason::Syntax.code(),
                "a string with broken escapes",
            ),
        }
    }

    /// Text out of a string: JSON values one after another, perhaps packed.
    fn text(&mut self, text: &str) {
        if let Some(packed) = text::Packed::of(text) {
            return self.unpack(text, packed);
        }
        if !text::is_json(text) {
            return self.broken(text.as_bytes(), NOT_CLOUDTRAIL, foreign::name_line(text));
        }
        self.values(text);
    }

    fn unpack(&mut self, text: &str, packed: text::Packed) {
        match packed.unpack(self.budget.text_bytes(text.len())) {
            Ok(bytes) => {
                self.budget.unpacked(bytes.len());
                match std::str::from_utf8(&bytes) {
                    Ok(inner) if text::is_json(inner) => self.values(inner),
                    Ok(inner) => self.broken(&bytes, NOT_CLOUDTRAIL, foreign::name_line(inner)),
                    Err(_) => self.broken(&bytes, Reason::NotUtf8.code(), Reason::NotUtf8.detail()),
                }
            }
            Err(fault) => {
                self.budget.unpacked(fault.n_bytes);
                self.broken(text.as_bytes(), fault.reason, &fault.detail);
            }
        }
    }

    /// Every value of a text. A broken one costs the rest.
    fn values(&mut self, text: &str) {
        let mut rest = text::skip_space(text);
        while !rest.is_empty() && !self.is_done() {
            match text::first_value(rest, MAX_DEPTH) {
                Ok(length) => {
                    self.value(&rest[..length]);
                    rest = text::skip_space(&rest[length..]);
                }
                Err(reason) => return self.broken(rest.as_bytes(), reason.code(), reason.detail()),
            }
        }
    }

    fn record(&mut self, raw: &str) {
        if raw.len() > MAX_RECORD_BYTES {
            return self.broken(
                raw.as_bytes(),
                Reason::TooLong.code(),
                Reason::TooLong.detail(),
            );
        }
        match &mut self.sink {
            Sink::Emit(emit) => emit(Inner::Record(raw)),
            Sink::Probe(finding) => *finding = Finding::Record,
        }
    }

    fn broken(&mut self, raw: &[u8], reason: &'static str, detail: &str) {
        match &mut self.sink {
            Sink::Emit(emit) => emit(Inner::Broken {
                raw,
                reason,
                detail: detail.to_owned(),
            }),
            Sink::Probe(finding) => {
                let is_other = reason == NOT_CLOUDTRAIL || reason == Reason::NotAnObject.code();
                if !is_other && *finding == Finding::Nothing {
                    *finding = Finding::Fault;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
