//! What an object is, by its first bytes.

use super::tar::looks_like_tar;

/// So many first bytes are enough for [`sniff`].
pub const HEAD_BYTES: usize = 512;

/// A kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text, or anything that is not recognised.
    Plain,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Zip,
    Tar,
    /// Recognised and not read.
    Foreign(Foreign),
}

/// A kind of content that is not read: what it is called, and whether logs are kept in such files, so
/// that leaving one out is worth a reject whatever its name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    pub name: &'static str,
    pub may_hold_logs: bool,
}

/// First bytes, name, whether logs are kept in it.
const FOREIGN: &[(&[u8], &str, bool)] = &[
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", true),
    (b"Rar!\x1a\x07", "a rar archive", true),
    (b"MSCF\0\0\0\0", "a cabinet archive", true),
    (b"!<arch>\n", "an ar archive", true),
    (b"\x1f\x9d", "a file packed by compress (.Z)", true),
    (b"LZIP", "an lzip file", true),
    (b"\x5d\0\0", "an lzma file", true),
    (b"\x04\x22\x4d\x18", "an lz4 file", true),
    (b"\x02\x21\x4c\x18", "an lz4 file of the old kind", true),
    (b"\xff\x06\0\0sNaPpY", "a snappy file", true),
    (b"\x89LZO\0\r\n\x1a\n", "an lzop file", true),
    (b"PAR1", "a Parquet file", true),
    (b"PARE", "an encrypted Parquet file", true),
    (b"Obj\x01", "an Avro file", true),
    (b"ORC", "an ORC file", true),
    (b"ARROW1\0\0", "an Arrow file", true),
    (b"ElfFile\0", "a Windows event log", true),
    (b"SQLite format 3\0", "an SQLite database", true),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Office document",
        true,
    ),
    (b"Salted__", "a file encrypted by openssl", true),
    (b"age-encryption.org/v1\n", "a file encrypted by age", true),
    (
        b"-----BEGIN PGP MESSAGE-----",
        "a file encrypted by PGP",
        true,
    ),
    (b"\x0a\x0d\x0d\x0a", "a network capture", false),
    (b"\xd4\xc3\xb2\xa1", "a network capture", false),
    (b"\xa1\xb2\xc3\xd4", "a network capture", false),
    (b"%PDF-", "a PDF document", false),
    (b"\x89PNG\r\n\x1a\n", "a PNG image", false),
    (b"\xff\xd8\xff", "a JPEG image", false),
    (b"GIF87a", "a GIF image", false),
    (b"GIF89a", "a GIF image", false),
    (b"\x7fELF", "a program (ELF)", false),
    (b"MZ", "a program (Windows)", false),
    (b"\xcf\xfa\xed\xfe", "a program (macOS)", false),
    (b"\xca\xfe\xba\xbe", "a program (Java or macOS)", false),
    (b"bplist00", "a binary property list", false),
];

/// First bytes up to this length that are letters may begin a text by chance. Then other bytes than
/// text must follow, within [`TEXT_BYTES`].
const SHORT_MAGIC_BYTES: usize = 5;
const TEXT_BYTES: usize = 64;

impl Format {
    /// Whether it is one packed stream, without members.
    pub fn is_compressed(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd | Self::Bzip2 | Self::Xz)
    }

    /// Whether it has members.
    pub fn is_archive(self) -> bool {
        matches!(self, Self::Zip | Self::Tar)
    }

    /// Its name in messages, with the article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "a plain file",
            Self::Gzip => "a gzip file",
            Self::Zstd => "a zstd file",
            Self::Bzip2 => "a bzip2 file",
            Self::Xz => "an xz file",
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
            Self::Foreign(foreign) => foreign.name,
        }
    }
}

/// Says what begins with these bytes; [`HEAD_BYTES`] of them are enough, fewer may be all there are.
pub fn sniff(head: &[u8]) -> Format {
    if begins_json(head) {
        return Format::Plain;
    }
    let begins = |magic: &[u8]| head.starts_with(magic);
    if begins(b"\x1f\x8b") {
        return Format::Gzip;
    }
    if begins(b"\x28\xb5\x2f\xfd") || is_skippable_frame(head) {
        return Format::Zstd;
    }
    if begins_bzip2(head) {
        return Format::Bzip2;
    }
    if begins(b"\xfd7zXZ\0") {
        return Format::Xz;
    }
    if [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]
        .iter()
        .any(|magic| begins(*magic))
    {
        return Format::Zip;
    }
    if looks_like_tar(head) {
        return Format::Tar;
    }
    let foreign = FOREIGN.iter().find(|(magic, ..)| {
        let may_be_text = magic.len() <= SHORT_MAGIC_BYTES && is_text(magic) && is_text(head);
        begins(magic) && !may_be_text
    });
    match foreign {
        Some(&(_, name, may_hold_logs)) => Format::Foreign(Foreign {
            name,
            may_hold_logs,
        }),
        None => Format::Plain,
    }
}

/// Whether this is surely the beginning of a JSON text. Names in brackets, with which a tar may begin,
/// are not.
pub(super) fn begins_json(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let [first @ (b'{' | b'['), rest @ ..] = text.trim_ascii_start() else {
        return false;
    };
    let second = rest.trim_ascii_start().first();
    match first {
        b'{' => matches!(second, Some(b'"')),
        _ => matches!(second, Some(b'{')),
    }
}

/// zstd passes over frames of these sixteen kinds; some packers begin their files with one.
fn is_skippable_frame(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// A level, then the first block's mark or, of an empty file, the end's.
fn begins_bzip2(head: &[u8]) -> bool {
    let [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] = head else {
        return false;
    };
    let rest = &rest[..rest.len().min(6)];
    b"\x31\x41\x59\x26\x53\x59".starts_with(rest) || b"\x17\x72\x45\x38\x50\x90".starts_with(rest)
}

fn is_text(head: &[u8]) -> bool {
    let head = &head[..head.len().min(TEXT_BYTES)];
    head.iter()
        .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e))
}
