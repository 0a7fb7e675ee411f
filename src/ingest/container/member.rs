//! One text among what a stored object holds.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;

use super::limit::{Budget, Limited};
use super::unpack::{Input, Opened, Peeked, unpacker};
use super::{ContainerError, Format, Limits, Stored};

/// An object, or a member of an archive, that is to be read as text.
pub struct Member {
    /// The object's own address, or `outer!/path/inside.json.gz`.
    pub uri: String,
    /// As it lies in its archive, packed or not: what is hashed.
    pub stored: Stored,
    /// What it is when all packing is off: [`Format::Plain`], or what is recognised and not read.
    pub format: Format,
    /// Its name or its format promises records, so that anything else in it is worth a reject.
    pub named_as_log: bool,
    pub(super) head: Bytes,
    pub(super) layers: Vec<Format>,
    pub(super) ending: Option<ContainerError>,
    /// Why its text is not to be had at all.
    pub(super) refusal: Option<ContainerError>,
    pub(super) started: Option<Opened>,
    pub(super) limits: Limits,
    pub(super) budget: Arc<Budget>,
}

impl Member {
    /// The first unpacked bytes: enough to see whether JSON begins, and if not, up to
    /// [`super::HEAD_BYTES`].
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The packing around the text, from the outside in.
    pub fn layers(&self) -> &[Format] {
        &self.layers
    }

    /// Reads the unpacked bytes from their beginning. Where they end badly, all that could be unpacked
    /// comes first and then an error, which [`ContainerError::of`] explains. May be called again.
    pub fn open(&mut self) -> Box<dyn Read + Send> {
        if let Some(refusal) = &self.refusal {
            return Box::new(Refused(refusal.clone()));
        }
        match self.started.take().or_else(|| self.unpack_again()) {
            Some(opened) => {
                let max_bytes = self.limits.expanded_bytes;
                Box::new(Limited::new(opened, max_bytes, Some(&self.budget)))
            }
            // Nothing is unpacked: a file is as long as it is, and a member was paid for before.
            None => Box::new(self.stored_input()),
        }
    }

    fn stored_input(&self) -> Input {
        Input::Stored(self.stored.reader(), self.ending.clone())
    }

    fn unpack_again(&self) -> Option<Opened> {
        let mut opened: Option<Opened> = None;
        for format in &self.layers {
            let input = opened.map_or_else(|| self.stored_input(), Input::layer);
            opened = unpacker(*format, input, &self.limits).ok().map(Peeked::new);
        }
        opened
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member")
            .field("uri", &self.uri)
            .field("size_bytes", &self.stored.size_bytes())
            .field("format", &self.format)
            .field("layers", &self.layers)
            .field("named_as_log", &self.named_as_log)
            .field("ending", &self.ending)
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

struct Refused(ContainerError);

impl Read for Refused {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.clone().into())
    }
}
