//! Packers for tests, and what a visit saw.

use std::io::{Read as _, Write as _};

use super::super::{ContainerError, Limits, Member, Object, Stored, Visit, visit};

pub(super) type Pack = fn(&[u8]) -> Vec<u8>;

/// The packed formats by the words of their faults.
pub(super) const PACKED: [(&str, Pack); 4] =
    [("gzip", gzip), ("zstd", zstd), ("bzip2", bzip2), ("xz", xz)];

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

pub(super) fn deflate(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

pub(super) fn zstd(text: &[u8]) -> Vec<u8> {
    let mut packer = zstd::Encoder::new(Vec::new(), 1).unwrap();
    packer.include_checksum(true).unwrap();
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

pub(super) fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

pub(super) fn xz(text: &[u8]) -> Vec<u8> {
    let mut packer = liblzma::write::XzEncoder::new(Vec::new(), 0);
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// Text that packs a little, different for each seed.
pub(super) fn text(n_bytes: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut text = Vec::with_capacity(n_bytes);
    while text.len() < n_bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(format!("{{\"id\":\"{:08x}\"}}\n", state).as_bytes());
    }
    text.truncate(n_bytes);
    text
}

/// A tar header, with everything that is not given as programs write it.
pub(super) fn tar_header(name: &str, kind: u8, size: &str) -> Vec<u8> {
    let mut block = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(100, b"0000644\0");
    put(124, size.as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

pub(super) fn tar_entry(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut entry = tar_header(name, kind, &format!("{:011o}\0", data.len()));
    entry.extend_from_slice(data);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, data) in files {
        archive.extend(tar_entry(name, b'0', data));
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// A member of a zip and how it is written.
#[derive(Clone)]
pub(super) struct ZipFile<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a [u8],
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) crc_xor: u32,
    pub(super) sizes_behind: bool,
    /// Sizes and place of 64 bits in the directory.
    pub(super) wide: bool,
    /// For the directory: who wrote it, and the file's mode.
    pub(super) unix_mode: u32,
}

pub(super) fn file<'a>(name: &'a str, text: &'a [u8]) -> ZipFile<'a> {
    ZipFile {
        name,
        text,
        method: 8,
        flags: 0,
        crc_xor: 0,
        sizes_behind: false,
        wide: false,
        unix_mode: 0,
    }
}

fn crc(text: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(text);
    crc.sum()
}

/// Headers and data of the members, and the directory with its end.
pub(super) fn zip_parts(files: &[ZipFile<'_>]) -> (Vec<u8>, Vec<u8>) {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let data = match file.method {
            8 => deflate(file.text),
            12 => bzip2(file.text),
            93 => zstd(file.text),
            95 => xz(file.text),
            _ => file.text.to_vec(),
        };
        let offset = body.len() as u64;
        let flags = file.flags | if file.sizes_behind { 8 } else { 0 };
        let sum = crc(file.text) ^ file.crc_xor;
        let sizes = |here: bool| {
            let (sum, packed, unpacked) = match here {
                true => (sum, data.len() as u32, file.text.len() as u32),
                false => (0, 0, 0),
            };
            [sum, packed, unpacked].map(u32::to_le_bytes).concat()
        };
        let name_bytes = (file.name.len() as u16).to_le_bytes();
        let common = [20, 0].into_iter().chain(flags.to_le_bytes());
        let common: Vec<u8> = common
            .chain(file.method.to_le_bytes())
            .chain([0; 4])
            .collect();
        body.extend_from_slice(b"PK\x03\x04");
        body.extend_from_slice(&common);
        body.extend(sizes(!file.sizes_behind));
        body.extend_from_slice(&name_bytes);
        body.extend_from_slice(&[0, 0]);
        body.extend_from_slice(file.name.as_bytes());
        body.extend_from_slice(&data);
        if file.sizes_behind {
            body.extend_from_slice(b"PK\x07\x08");
            body.extend(sizes(true));
        }
        let mut extra = Vec::new();
        if file.wide {
            extra.extend_from_slice(&[1, 0, 24, 0]);
            for wide in [file.text.len() as u64, data.len() as u64, offset] {
                extra.extend_from_slice(&wide.to_le_bytes());
            }
        }
        directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        directory.extend_from_slice(&common);
        if file.wide {
            directory.extend_from_slice(&sum.to_le_bytes());
            directory.extend_from_slice(&[0xff; 8]);
        } else {
            directory.extend(sizes(true));
        }
        directory.extend_from_slice(&name_bytes);
        directory.extend_from_slice(&(extra.len() as u16).to_le_bytes());
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&(file.unix_mode << 16).to_le_bytes());
        let narrow = if file.wide { u32::MAX } else { offset as u32 };
        directory.extend_from_slice(&narrow.to_le_bytes());
        directory.extend_from_slice(file.name.as_bytes());
        directory.extend_from_slice(&extra);
    }
    let n_files = (files.len() as u16).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    directory.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    directory.extend_from_slice(&[n_files, n_files].concat());
    directory.extend_from_slice(&size);
    directory.extend_from_slice(&(body.len() as u32).to_le_bytes());
    directory.extend_from_slice(&[0, 0]);
    (body, directory)
}

pub(super) fn zip(files: &[ZipFile<'_>]) -> Vec<u8> {
    let (mut archive, directory) = zip_parts(files);
    archive.extend(directory);
    archive
}

/// A text as it was read: its address, bytes, and the reason of its end.
pub(super) type Read = (String, Vec<u8>, Option<&'static str>);

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) texts: Vec<Read>,
    pub(super) listed: Vec<String>,
    /// Address and reason.
    pub(super) problems: Vec<(String, &'static str)>,
    /// Address and members.
    pub(super) archives: Vec<(String, u64)>,
}

impl Seen {
    /// The texts' addresses and bytes, where all ended well and nothing went wrong.
    pub(super) fn whole(&self) -> Vec<(&str, &[u8])> {
        assert_eq!(self.problems, []);
        let well = |(uri, bytes, end): &'_ Read| assert_eq!(*end, None, "{uri} {}", bytes.len());
        self.texts.iter().for_each(well);
        self.texts
            .iter()
            .map(|(uri, bytes, _)| (&uri[..], &bytes[..]))
            .collect()
    }

    pub(super) fn reasons(&self) -> Vec<&'static str> {
        let ends = self.texts.iter().filter_map(|(_, _, end)| *end);
        ends.chain(self.problems.iter().map(|(_, reason)| *reason))
            .collect()
    }
}

/// All bytes of a member, and why they end.
pub(super) fn read(member: &mut Member) -> (Vec<u8>, Option<ContainerError>) {
    let mut bytes = Vec::new();
    let read = member.open().read_to_end(&mut bytes);
    (bytes, read.err().map(ContainerError::from))
}

pub(super) fn see_stored(uri: &str, stored: &Stored, limits: &Limits) -> Seen {
    let mut seen = Seen::default();
    let object = Object {
        uri,
        stored,
        named_as_log: true,
    };
    let end: Result<(), std::convert::Infallible> = visit(object, limits, &mut |visited| {
        match visited {
            Visit::Text(mut member) => {
                let (bytes, end) = read(&mut member);
                seen.texts
                    .push((member.uri, bytes, end.map(|end| end.reason)));
            }
            Visit::Listed(member) => seen.listed.push(member.uri),
            Visit::Problem { uri, reason, .. } => seen.problems.push((uri, reason)),
            Visit::Archive { uri, members, .. } => seen.archives.push((uri.to_owned(), members)),
        }
        Ok(())
    });
    let Ok(()) = end;
    seen
}

pub(super) fn see(uri: &str, bytes: &[u8]) -> Seen {
    see_stored(
        uri,
        &Stored::Bytes(bytes.to_vec().into()),
        &Limits::default(),
    )
}
