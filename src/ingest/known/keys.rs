//! The keys of very many events in little memory: a fingerprint and a number for each in a hash
//! table, and what is behind the number in a file without a name once there are many.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use hashbrown::HashTable;

/// Where a written event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) content_hash: u64,
    /// The source's number in [`super::Known`].
    pub(super) source: u32,
    pub(super) record_index: u64,
}

/// An event that is in the lake, or will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: u128,
    pub(super) origin: Origin,
    pub(super) day: Option<i64>,
    /// Its row says that there is a twin with other content.
    pub(super) flagged: bool,
}

/// An entry's place in [`Entries`], found by part of its key.
#[derive(Debug, Clone, Copy)]
struct Slot {
    fingerprint: u32,
    number: u32,
}

impl Slot {
    /// The hash that the table places it by.
    fn hash(self) -> u64 {
        u64::from(self.fingerprint).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Tables grow one at a time, so that growing takes little room.
const N_TABLES: usize = 64;

/// Entries by key; several may share one.
pub(super) struct Keys {
    tables: Vec<HashTable<Slot>>,
    entries: Entries,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            tables: (0..N_TABLES).map(|_| HashTable::new()).collect(),
            entries: Entries::default(),
        }
    }

    /// All entries with this key, by number.
    pub(super) fn find(&mut self, key: u128, found: &mut Vec<(u32, Entry)>) -> io::Result<()> {
        found.clear();
        let (table, slot) = place(key, 0);
        for other in self.tables[table].iter_hash(slot.hash()) {
            if other.fingerprint != slot.fingerprint {
                continue;
            }
            let entry = self.entries.get(other.number)?;
            if entry.key == key {
                found.push((other.number, entry));
            }
        }
        // The table's order is chance.
        found.sort_unstable_by_key(|(number, _)| *number);
        Ok(())
    }

    pub(super) fn add(&mut self, entry: Entry) -> io::Result<()> {
        let number = self.entries.push(entry)?;
        let (table, slot) = place(entry.key, number);
        self.tables[table].insert_unique(slot.hash(), slot, |slot| slot.hash());
        Ok(())
    }

    /// Notes that an entry's row says, or is going to say, that it has a twin.
    pub(super) fn flag(&mut self, number: u32) -> io::Result<()> {
        let entry = self.entries.get(number)?;
        self.entries.set(
            number,
            Entry {
                flagged: true,
                ..entry
            },
        )
    }
}

/// The table of a key, and the slot in it. The halves of a key are hashes already.
fn place(key: u128, number: u32) -> (usize, Slot) {
    let bytes = key.to_le_bytes();
    let fingerprint = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let slot = Slot {
        fingerprint,
        number,
    };
    (usize::from(bytes[8]) % N_TABLES, slot)
}

/// Bytes of an entry in the file.
const ENTRY_BYTES: usize = 48;

/// So many entries are held in memory before a block of them goes to the file: some 8 MB.
const MAX_HELD: usize = 128 * 1024;

/// Entries by number. The oldest ones lie in a temporary file.
#[derive(Default)]
struct Entries {
    file: Option<File>,
    n_stored: usize,
    held: Vec<Entry>,
}

impl Entries {
    fn push(&mut self, entry: Entry) -> io::Result<u32> {
        if self.held.len() >= MAX_HELD {
            self.store()?;
        }
        let number = u32::try_from(self.n_stored + self.held.len())
            .map_err(|_| io::Error::other("more than four thousand million events"))?;
        self.held.push(entry);
        Ok(number)
    }

    fn store(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        let mut block = Vec::with_capacity(self.held.len() * ENTRY_BYTES);
        for entry in &self.held {
            block.extend_from_slice(&pack(entry));
        }
        file.seek(SeekFrom::End(0))?;
        file.write_all(&block)?;
        self.n_stored += self.held.len();
        self.held.clear();
        Ok(())
    }

    fn get(&mut self, number: u32) -> io::Result<Entry> {
        let number = number as usize;
        if let Some(at) = number.checked_sub(self.n_stored) {
            return Ok(self.held[at]);
        }
        let mut packed = [0; ENTRY_BYTES];
        let file = self.stored_at(number)?;
        file.read_exact(&mut packed)?;
        Ok(unpack(&packed))
    }

    fn set(&mut self, number: u32, entry: Entry) -> io::Result<()> {
        let number = number as usize;
        if let Some(at) = number.checked_sub(self.n_stored) {
            self.held[at] = entry;
            return Ok(());
        }
        self.stored_at(number)?.write_all(&pack(&entry))
    }

    fn stored_at(&mut self, number: usize) -> io::Result<&mut File> {
        let file = self
            .file
            .as_mut()
            .ok_or_else(|| io::Error::other("no file of stored entries"))?;
        file.seek(SeekFrom::Start((number * ENTRY_BYTES) as u64))?;
        Ok(file)
    }
}

fn pack(entry: &Entry) -> [u8; ENTRY_BYTES] {
    let mut packed = [0; ENTRY_BYTES];
    packed[..16].copy_from_slice(&entry.key.to_le_bytes());
    packed[16..24].copy_from_slice(&entry.origin.content_hash.to_le_bytes());
    packed[24..32].copy_from_slice(&entry.origin.record_index.to_le_bytes());
    packed[32..36].copy_from_slice(&entry.origin.source.to_le_bytes());
    packed[36] = u8::from(entry.flagged);
    packed[37] = u8::from(entry.day.is_some());
    packed[40..].copy_from_slice(&entry.day.unwrap_or_default().to_le_bytes());
    packed
}

fn unpack(packed: &[u8; ENTRY_BYTES]) -> Entry {
    let word = |from: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&packed[from..from + 8]);
        u64::from_le_bytes(bytes)
    };
    Entry {
        key: u128::from(word(8)) << 64 | u128::from(word(0)),
        origin: Origin {
            content_hash: word(16),
            record_index: word(24),
            source: u32::from_le_bytes([packed[32], packed[33], packed[34], packed[35]]),
        },
        flagged: packed[36] == 1,
        day: (packed[37] == 1).then(|| word(40).cast_signed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        Entry {
            key: u128::from(number).wrapping_mul(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
            origin: Origin {
                content_hash: number,
                source: 7,
                record_index: number << 33,
            },
            day: (!number.is_multiple_of(3)).then_some(-5),
            flagged: number.is_multiple_of(2),
        }
    }

    #[test]
    fn what_went_to_the_file_is_found_too() {
        let mut keys = Keys::new();
        let n_entries = MAX_HELD as u64 * 2 + 5;
        for number in 0..n_entries {
            keys.add(entry(number)).unwrap();
        }
        keys.add(entry(3)).unwrap();
        let mut found = Vec::new();
        for number in [1, 2, MAX_HELD as u64, n_entries - 1] {
            keys.find(entry(number).key, &mut found).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].1, entry(number));
        }
        keys.find(entry(3).key, &mut found).unwrap();
        assert_eq!(found.len(), 2);
        keys.flag(3).unwrap();
        keys.find(entry(3).key, &mut found).unwrap();
        assert!(found[0].1.flagged && !found[1].1.flagged);
        keys.find(12345, &mut found).unwrap();
        assert!(found.is_empty());
    }
}
