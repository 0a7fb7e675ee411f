//! From a stored object to bounded streams of text: compressed files, archives, archives in archives.
//!
//! What an object is, its first bytes say; its name only tells whether it was meant as a log. Nothing
//! is ever created under a name that stands in an archive. Whatever the bytes are, memory, open files
//! and time stay within [`Limits`], bytes that could be unpacked before a fault are handed out before
//! the fault is, and what cannot be read is named with a reason. What the text means is for others.

mod codec;
mod format;
mod limit;
mod member;
mod name;
mod stored;
mod tar;
mod unpack;
mod walk;
mod zip;

#[cfg(test)]
mod tests;

use std::io;

pub use format::{Format, HEAD_BYTES, sniff};
pub use limit::Limits;
pub use member::Member;
pub use name::{is_hidden_name, is_log_name, name_as_text};
pub use stored::{Stored, StoredReader};
pub use walk::{Object, Visit, visit};

/// Why bytes could not be unpacked to their end. Readers carry it inside [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ContainerError {
    /// A short code, as in `rejects.reason`.
    pub reason: &'static str,
    pub detail: String,
}

impl ContainerError {
    pub(crate) fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }

    /// What an error of a reader says, if it is one of this module's.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<ContainerError> for io::Error {
    fn from(error: ContainerError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// An error of the system is a reason too: the bytes cannot be had.
impl From<io::Error> for ContainerError {
    fn from(error: io::Error) -> Self {
        match Self::of(&error) {
            Some(known) => known.clone(),
            None => Self::new("unreadable", error.to_string()),
        }
    }
}
