//! What a walk gives, with what it only guesses held back.
//!
//! A member that may hold records is walked once, as a guess: what is no record is held until a
//! record shows that the guess was right, and dropped with the guess where none comes.

use super::object::Object;
use super::{Inner, NOT_CLOUDTRAIL, foreign};
use crate::ingest::scan::Reason;

/// A guess ends as wrong after so many items that are no records.
const MAX_HELD_ITEMS: usize = 1_000;

/// And after so many bytes of them.
const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;

/// An item that is no record.
struct Held {
    raw: Vec<u8>,
    reason: &'static str,
    /// None for an object that has yet to be named.
    detail: Option<String>,
}

impl Held {
    /// Whether it should have been opened and could not be.
    fn is_fault(&self) -> bool {
        self.reason != NOT_CLOUDTRAIL && self.reason != Reason::NotAnObject.code()
    }
}

/// Where a guess began.
#[derive(Debug, Clone, Copy)]
pub struct Guess {
    n_held: usize,
    n_records: u64,
}

pub struct Output<'e> {
    emit: &'e mut dyn FnMut(Inner<'_>),
    held: Vec<Held>,
    held_bytes: usize,
    /// Guesses that no record has confirmed yet.
    n_guesses: usize,
    n_records: u64,
    gave_up: bool,
}

impl<'e> Output<'e> {
    pub fn new(emit: &'e mut dyn FnMut(Inner<'_>)) -> Self {
        Self {
            emit,
            held: Vec::new(),
            held_bytes: 0,
            n_guesses: 0,
            n_records: 0,
            gave_up: false,
        }
    }

    /// The last guess is wrong; nothing more needs to be walked for it.
    pub fn gave_up(&self) -> bool {
        self.gave_up
    }

    pub fn begin_guess(&mut self) -> Guess {
        self.n_guesses += 1;
        Guess {
            n_held: self.held.len(),
            n_records: self.n_records,
        }
    }

    /// Ends a guess: whether a record came, or where `or_fault` says so, at least something that
    /// should have been opened and could not be.
    pub fn end_guess(&mut self, guess: Guess, or_fault: bool) -> bool {
        if self.n_records > guess.n_records {
            return true;
        }
        let or_fault = or_fault && !self.gave_up;
        self.n_guesses = self.n_guesses.saturating_sub(1);
        // What was too much goes with this guess; the one around it may still be right.
        self.gave_up = false;
        let of_guess = self.held.get(guess.n_held..).unwrap_or_default();
        if or_fault && of_guess.iter().any(Held::is_fault) {
            if self.n_guesses == 0 {
                self.flush();
            }
            return true;
        }
        let dropped: usize = of_guess.iter().map(|held| held.raw.len()).sum();
        self.held_bytes = self.held_bytes.saturating_sub(dropped);
        self.held.truncate(guess.n_held);
        false
    }

    /// A record: every guess on the way to it was right.
    pub fn record(&mut self, raw: &str) {
        self.n_guesses = 0;
        self.n_records += 1;
        self.flush();
        (self.emit)(Inner::Record(raw));
    }

    /// An object that is no record, named when it is given.
    pub fn foreign(&mut self, raw: &str) {
        self.put(raw.as_bytes(), NOT_CLOUDTRAIL, None);
    }

    pub fn broken(&mut self, raw: &[u8], reason: &'static str, detail: &str) {
        self.put(raw, reason, Some(detail));
    }

    fn put(&mut self, raw: &[u8], reason: &'static str, detail: Option<&str>) {
        let detail = detail.map(str::to_owned);
        if self.n_guesses == 0 {
            return give(self.emit, raw, reason, detail);
        }
        self.held_bytes = self.held_bytes.saturating_add(raw.len());
        if self.held.len() >= MAX_HELD_ITEMS || self.held_bytes > MAX_HELD_BYTES {
            self.held_bytes -= raw.len();
            self.gave_up = true;
            return;
        }
        self.held.push(Held {
            raw: raw.to_vec(),
            reason,
            detail,
        });
    }

    fn flush(&mut self) {
        self.held_bytes = 0;
        for held in self.held.drain(..) {
            give(self.emit, &held.raw, held.reason, held.detail);
        }
    }
}

fn give(emit: &mut dyn FnMut(Inner<'_>), raw: &[u8], reason: &'static str, detail: Option<String>) {
    let named = || {
        let json = std::str::from_utf8(raw).ok()?;
        Some(foreign::describe(&Object::read(json).ok()?))
    };
    let detail = detail.or_else(named).unwrap_or_default();
    emit(Inner::Broken {
        raw,
        reason,
        detail,
    });
}
