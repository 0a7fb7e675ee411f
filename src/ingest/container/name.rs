//! Names of members: text to show and to judge by, never a path to open.

use std::collections::HashMap;

use twox_hash::XxHash64;

/// Endings of files that are packed, or hold other files.
const PACKED: [&str; 15] = [
    ".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".zip", ".tar", ".tgz", ".tbz", ".tbz2",
    ".txz", ".tzst", ".7z", ".rar",
];

/// Endings of files with records as text.
const TEXT: [&str; 6] = [".json", ".jsonl", ".ndjson", ".log", ".csv", ".tsv"];

/// Whether a name promises log text, so that anything else behind it is worth a reject.
pub fn is_log_name(name: &str) -> bool {
    let name = last_part(name).to_ascii_lowercase();
    PACKED
        .iter()
        .chain(&TEXT)
        .any(|ending| name.ends_with(ending))
}

/// Whether a member lies in the shadows that archivers and file managers leave: names that begin with
/// a dot, and the folder that macOS adds to a zip.
pub fn is_hidden_name(name: &str) -> bool {
    parts(name)
        .any(|part| part == "__MACOSX" || part.starts_with('.') && part != "." && part != "..")
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(['/', '\\'])
}

fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// A name as text. Bytes that are not UTF-8 become `%XX`, so that two names remain two.
pub fn name_as_text(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Gives the members of one archive their addresses.
#[derive(Default)]
pub(super) struct Addresses {
    /// How often a name was met, by its hash: an archive may have millions of long names.
    met: HashMap<u64, u32>,
}

impl Addresses {
    /// `outer!/name`. A name that comes again gets its number, so that an address is one member.
    pub(super) fn next(&mut self, outer: &str, name: &str) -> String {
        let mut name = name;
        while let Some(rest) = name.strip_prefix("./").or_else(|| name.strip_prefix('/')) {
            name = rest;
        }
        let hash = XxHash64::oneshot(0, name.as_bytes());
        let times = self.met.entry(hash).or_default();
        *times += 1;
        match *times {
            1 => format!("{outer}!/{name}"),
            times => format!("{outer}!/{name}#{times}"),
        }
    }
}
