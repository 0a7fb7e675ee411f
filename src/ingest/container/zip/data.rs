//! The data of one member of a zip, unpacked and checked.

use std::io::{self, Read};

use flate2::Crc;

use super::{ZipEntry, damaged};
use crate::ingest::container::stored::StoredReader;
use crate::ingest::container::unpack::{Input, Unpacker, zip_unpacker};
use crate::ingest::container::{ContainerError, Limits, Stored};

/// Reads a member's data. All bytes come before the error, if they are not what was promised.
pub(in super::super) struct ZipData {
    packing: Packing,
    crc: Crc,
    given_bytes: u64,
    promised: ZipEntry,
    is_cut: bool,
}

enum Packing {
    None(StoredReader),
    Some(Box<dyn Unpacker>),
}

impl ZipData {
    /// # Errors
    ///
    /// Where the entry's method is not read.
    pub(in super::super) fn open(
        stored: &Stored,
        entry: &ZipEntry,
        data_at: u64,
        limits: &Limits,
    ) -> Result<Self, ContainerError> {
        let there_bytes = stored.size_bytes().saturating_sub(data_at);
        let packed_bytes = entry.packed_bytes.unwrap_or(there_bytes);
        let reader = stored.range(data_at, packed_bytes);
        let packing = if entry.method == 0 {
            Packing::None(reader)
        } else {
            let unpacker = zip_unpacker(entry.method, Input::Stored(reader, None), limits);
            Packing::Some(unpacker.ok_or_else(|| damaged("its method is not read"))?)
        };
        Ok(Self {
            packing,
            crc: Crc::new(),
            given_bytes: 0,
            promised: entry.clone(),
            is_cut: packed_bytes > there_bytes,
        })
    }

    /// How many packed bytes were read.
    pub(in super::super) fn taken_bytes(&self) -> u64 {
        match &self.packing {
            Packing::None(_) => self.given_bytes,
            Packing::Some(unpacker) => unpacker.taken_bytes(),
        }
    }

    fn check(&self) -> Result<(), ContainerError> {
        if self.is_cut {
            let detail = "the zip archive ends within this file";
            return Err(ContainerError::new("truncated-zip", detail));
        }
        if let Some(promised_bytes) = self.promised.unpacked_bytes
            && promised_bytes != self.given_bytes
        {
            return Err(damaged(&format!(
                "unpacks to {} bytes instead of {promised_bytes}",
                self.given_bytes
            )));
        }
        if self.promised.crc.is_some_and(|crc| crc != self.crc.sum()) {
            return Err(damaged("the checksum does not match"));
        }
        Ok(())
    }
}

impl Read for ZipData {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n_bytes = match &mut self.packing {
            Packing::None(reader) => reader.read(out)?,
            Packing::Some(unpacker) => unpacker.read(out)?,
        };
        if n_bytes == 0 && !out.is_empty() {
            self.check()?;
        }
        self.crc.update(&out[..n_bytes]);
        self.given_bytes += n_bytes as u64;
        Ok(n_bytes)
    }
}
