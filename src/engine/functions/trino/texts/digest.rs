//! Digests of bytes: `md5`, `sha1`, `sha256`, `sha512`, each with its `hmac_…`, `xxhash64`, `crc32`.

use arrow::datatypes::DataType;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

use super::encode::VARBINARY;
use super::{BINARY, doc};
use crate::engine::functions::trino::define::{Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce};

pub(super) const FUNCTIONS: [Function; 10] = [
    CRC32,
    HMAC_MD5,
    HMAC_SHA1,
    HMAC_SHA256,
    HMAC_SHA512,
    MD5,
    SHA1,
    SHA256,
    SHA512,
    XXHASH64,
];

type Hash = fn(&[u8]) -> Vec<u8>;

fn md5(bytes: &[u8]) -> Vec<u8> {
    Md5::digest(bytes).to_vec()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

fn sha512(bytes: &[u8]) -> Vec<u8> {
    Sha512::digest(bytes).to_vec()
}

fn xxhash64(bytes: &[u8]) -> Vec<u8> {
    twox_hash::XxHash64::oneshot(0, bytes)
        .to_be_bytes()
        .to_vec()
}

/// SHA-1 (RFC 3174).
fn sha1(bytes: &[u8]) -> Vec<u8> {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if padded.len() - bytes.len() < 9 {
        padded.resize(padded.len() + 64, 0);
    }
    let n_bits = u64::try_from(bytes.len())
        .unwrap_or_default()
        .wrapping_mul(8);
    padded.truncate(padded.len() - 8);
    padded.extend(n_bits.to_be_bytes());
    for block in padded.chunks_exact(64) {
        sha1_block(&mut state, block);
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn sha1_block(state: &mut [u32; 5], block: &[u8]) {
    let mut words: Vec<u32> = block
        .chunks_exact(4)
        .map(|four| {
            four.iter()
                .fold(0, |word, byte| word << 8 | u32::from(*byte))
        })
        .collect();
    for at in 16..80 {
        let word = [3, 8, 14, 16]
            .iter()
            .filter_map(|back| words.get(at - back))
            .fold(0, |word, other| word ^ other);
        words.push(word.rotate_left(1));
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (round, word) in words.into_iter().enumerate() {
        let (mixed, constant) = match round {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
        *sum = sum.wrapping_add(part);
    }
}

/// A digest under a key (RFC 2104).
fn hmac(hash: Hash, block_bytes: usize, bytes: &[u8], key: &[u8]) -> Vec<u8> {
    let mut key = if key.len() > block_bytes {
        hash(key)
    } else {
        key.to_vec()
    };
    key.resize(block_bytes, 0);
    let masked = |mask: u8| key.iter().map(move |byte| byte ^ mask);
    let inner: Vec<u8> = masked(0x36).chain(bytes.iter().copied()).collect();
    let outer: Vec<u8> = masked(0x5c).chain(hash(&inner)).collect();
    hash(&outer)
}

macro_rules! digest {
    ($constant:ident, $name:literal, $title:literal, $example:literal, $hash:expr) => {
        const $constant: Function = Function::new(
            $name,
            doc(
                BINARY,
                concat!($name, "(bytes) → varbinary"),
                concat!(
                    "The ",
                    $title,
                    " digest of bytes. Texts count as their UTF-8."
                ),
                $example,
            ),
            |given| coerce($name, given, &[Kind::Bytes], 1),
            VARBINARY,
            |args| {
                let hash: Hash = $hash;
                let rows = Rows::new(args);
                let bytes = rows.bytes(0)?;
                rows.give_bytes(|row| Ok(bytes.get(row).map(hash)))
            },
        );
    };
}

macro_rules! keyed {
    ($constant:ident, $name:literal, $title:literal, $block_bytes:literal, $hash:expr) => {
        const $constant: Function = Function::new(
            $name,
            doc(
                BINARY,
                concat!($name, "(bytes, key) → varbinary"),
                concat!(
                    "The ",
                    $title,
                    " digest of bytes under a key (HMAC). Texts count as their UTF-8."
                ),
                concat!("length(", $name, "('text', 'key')) > 0 -- true"),
            ),
            |given| coerce($name, given, &[Kind::Bytes; 2], 2),
            VARBINARY,
            |args| {
                let rows = Rows::new(args);
                let (bytes, keys) = (rows.bytes(0)?, rows.bytes(1)?);
                rows.give_bytes(|row| {
                    let both = bytes.get(row).zip(keys.get(row));
                    Ok(both.map(|(bytes, key)| hmac($hash, $block_bytes, bytes, key)))
                })
            },
        );
    };
}

digest!(
    MD5,
    "md5",
    "MD5",
    "to_hex(md5(to_utf8(''))) -- D41D8CD98F00B204E9800998ECF8427E",
    md5
);
digest!(
    SHA1,
    "sha1",
    "SHA-1",
    "to_hex(sha1(to_utf8('abc'))) -- A9993E364706816ABA3E25717850C26C9CD0D89D",
    sha1
);
digest!(
    SHA256,
    "sha256",
    "SHA-256",
    "substr(to_hex(sha256(to_utf8('abc'))), 1, 8) -- BA7816BF",
    sha256
);
digest!(
    SHA512,
    "sha512",
    "SHA-512",
    "substr(to_hex(sha512(to_utf8('abc'))), 1, 8) -- DDAF35A1",
    sha512
);
digest!(
    XXHASH64,
    "xxhash64",
    "xxHash64",
    "to_hex(xxhash64(to_utf8(''))) -- EF46DB3751D8E999",
    xxhash64
);
keyed!(HMAC_MD5, "hmac_md5", "MD5", 64, md5);
keyed!(HMAC_SHA1, "hmac_sha1", "SHA-1", 64, sha1);
keyed!(HMAC_SHA256, "hmac_sha256", "SHA-256", 64, sha256);
keyed!(HMAC_SHA512, "hmac_sha512", "SHA-512", 128, sha512);

const CRC32: Function = Function::new(
    "crc32",
    doc(
        BINARY,
        "crc32(bytes) → bigint",
        "The CRC-32 checksum of bytes. Texts count as their UTF-8.",
        "crc32(to_utf8('abc')) -- 891568578",
    ),
    |given| coerce("crc32", given, &[Kind::Bytes], 1),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        let rows = Rows::new(args);
        let bytes = rows.bytes(0)?;
        rows.give_integers(|row| Ok(bytes.get(row).map(|bytes| crc32fast::hash(bytes).into())))
    },
);
