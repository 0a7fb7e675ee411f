//! Texts kept once, told apart by a number.

use std::hash::BuildHasher;
use std::num::NonZeroU32;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// A text of a [`Texts`]. Numbers follow the order of arrival, so nothing may be sorted by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(NonZeroU32);

impl Text {
    fn at(self) -> usize {
        self.0.get() as usize - 1
    }

    /// A number for sets of pairs.
    pub(super) fn number(self) -> u32 {
        self.0.get()
    }
}

/// Every text that sessions are told by, once.
#[derive(Debug, Default)]
pub struct Texts {
    bytes: String,
    ends: Vec<usize>,
    index: HashTable<Text>,
    hasher: FixedState,
}

impl Texts {
    /// The number of a text, which is kept where it is new.
    pub fn keep(&mut self, text: &str) -> Text {
        let hash = self.hasher.hash_one(text);
        if let Some(known) = self.find_hashed(hash, text) {
            return known;
        }
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        // Four billion distinct texts do not fit into memory.
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        let kept = Text(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX));
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.index.insert_unique(hash, kept, |text| {
            hasher.hash_one(slice(bytes, ends, *text))
        });
        kept
    }

    /// The number of a text that is there.
    pub fn find(&self, text: &str) -> Option<Text> {
        self.find_hashed(self.hasher.hash_one(text), text)
    }

    fn find_hashed(&self, hash: u64, text: &str) -> Option<Text> {
        let same = |kept: &Text| self.get(*kept) == text;
        self.index.find(hash, same).copied()
    }

    pub fn get(&self, text: Text) -> &str {
        slice(&self.bytes, &self.ends, text)
    }
}

fn slice<'a>(bytes: &'a str, ends: &[usize], text: Text) -> &'a str {
    let at = text.at();
    let start = at.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[start..ends[at]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once() {
        let mut texts = Texts::default();
        let kept: Vec<Text> = ["a", "", "a", "ü"].map(|text| texts.keep(text)).to_vec();
        assert_eq!(kept[0], kept[2]);
        assert_eq!(texts.find("ü"), Some(kept[3]));
        assert_eq!(texts.find("b"), None);
        assert_eq!((texts.get(kept[1]), texts.get(kept[3])), ("", "ü"));
    }
}
