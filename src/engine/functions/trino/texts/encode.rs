//! Bytes as text and back: UTF-8, base64, base32, hexadecimal digits.

use arrow::datatypes::DataType;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::{BINARY, VARCHAR, doc};
use crate::engine::functions::trino::define::{Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, shown};

pub(super) const FUNCTIONS: [Function; 10] = [
    FROM_BASE32,
    FROM_BASE64,
    FROM_BASE64URL,
    FROM_HEX,
    FROM_UTF8,
    TO_BASE32,
    TO_BASE64,
    TO_BASE64URL,
    TO_HEX,
    TO_UTF8,
];

pub(super) const VARBINARY: Returns = Returns::Type(|_| Ok(DataType::BinaryView));

/// As Java reads it, with or without padding.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const FOR_URLS: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Bytes to text.
macro_rules! written {
    ($constant:ident, $name:literal, $description:literal, $example:literal, $body:expr) => {
        const $constant: Function = Function::new(
            $name,
            doc(
                BINARY,
                concat!($name, "(bytes) → varchar"),
                concat!($description, " Texts count as their UTF-8."),
                $example,
            ),
            |given| coerce($name, given, &[Kind::Bytes], 1),
            VARCHAR,
            |args| {
                let body: fn(&[u8]) -> String = $body;
                let rows = Rows::new(args);
                let bytes = rows.bytes(0)?;
                rows.give_texts(|row| Ok(bytes.get(row).map(body)))
            },
        );
    };
}

/// Text to bytes.
macro_rules! read {
    ($constant:ident, $name:literal, $description:literal, $example:literal, $body:expr) => {
        const $constant: Function = Function::new(
            $name,
            doc(
                BINARY,
                concat!($name, "(text) → varbinary"),
                concat!($description, " An error where the text is something else."),
                $example,
            ),
            |given| coerce($name, given, &[Kind::Text], 1),
            VARBINARY,
            |args| {
                let body: fn(&str) -> Option<Vec<u8>> = $body;
                let rows = Rows::new(args);
                let texts = rows.texts(0)?;
                rows.give_bytes(|row| {
                    let Some(text) = texts.get(row) else {
                        return Ok(None);
                    };
                    let bytes = body(text);
                    bytes.map(Some).ok_or_else(|| {
                        exec_datafusion_err!("`{}` cannot read `{}`", $name, shown(text))
                    })
                })
            },
        );
    };
}

written!(
    TO_BASE64,
    "to_base64",
    "Bytes as base64.",
    "to_base64(to_utf8('ab')) -- YWI=",
    |bytes| STANDARD.encode(bytes)
);
written!(
    TO_BASE64URL,
    "to_base64url",
    "Bytes as base64 in the alphabet for URLs.",
    "to_base64url(from_hex('fbff')) -- -_8=",
    |bytes| FOR_URLS.encode(bytes)
);
written!(
    TO_BASE32,
    "to_base32",
    "Bytes as base32.",
    "to_base32(to_utf8('ab')) -- MFRA====",
    to_base32
);
written!(
    TO_HEX,
    "to_hex",
    "Bytes as hexadecimal digits in upper case.",
    "to_hex(to_utf8('ab')) -- 6162",
    |bytes| bytes.iter().map(|byte| format!("{byte:02X}")).collect()
);
read!(
    FROM_BASE64,
    "from_base64",
    "The bytes of a text in base64.",
    "from_utf8(from_base64('YWI=')) -- ab",
    |text| STANDARD.decode(text).ok()
);
read!(
    FROM_BASE64URL,
    "from_base64url",
    "The bytes of a text in base64 with the alphabet for URLs.",
    "to_hex(from_base64url('-_8')) -- FBFF",
    |text| FOR_URLS.decode(text).ok()
);
read!(
    FROM_BASE32,
    "from_base32",
    "The bytes of a text in base32.",
    "from_utf8(from_base32('MFRA====')) -- ab",
    from_base32
);
read!(
    FROM_HEX,
    "from_hex",
    "The bytes of hexadecimal digits.",
    "from_utf8(from_hex('6162')) -- ab",
    from_hex
);

const ALPHABET_32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn to_base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut padded = [0; 8];
        for (place, byte) in padded.iter_mut().skip(3).zip(group) {
            *place = *byte;
        }
        let bits = u64::from_be_bytes(padded);
        let n_letters = (group.len() * 8).div_ceil(5);
        for (at, shift) in (0..40).step_by(5).rev().enumerate() {
            let letter = usize::try_from(bits >> shift & 31)
                .ok()
                .and_then(|index| ALPHABET_32.get(index));
            let letter = letter.filter(|_| at < n_letters);
            out.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    out
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let letters = text.trim_end_matches('=').as_bytes();
    if matches!(letters.len() % 8, 1 | 3 | 6) {
        return None;
    }
    let mut out = Vec::with_capacity(letters.len() * 5 / 8);
    let (mut bits, mut n_bits) = (0u32, 0);
    for letter in letters {
        let letter = letter.to_ascii_uppercase();
        let value = ALPHABET_32.iter().position(|known| *known == letter)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        n_bits += 5;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push(u8::try_from(bits >> n_bits & 0xff).ok()?);
            bits &= (1 << n_bits) - 1;
        }
    }
    Some(out)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high << 4 | low).ok(),
        _ => None,
    });
    pairs.collect()
}

const TO_UTF8: Function = Function::new(
    "to_utf8",
    doc(
        BINARY,
        "to_utf8(text) → varbinary",
        "The bytes of a text.",
        "to_hex(to_utf8('é')) -- C3A9",
    ),
    |given| coerce("to_utf8", given, &[Kind::Text], 1),
    VARBINARY,
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_bytes(|row| Ok(texts.get(row)))
    },
);

const FROM_UTF8: Function = Function::new(
    "from_utf8",
    doc(
        BINARY,
        "from_utf8(bytes [, replacement]) → varchar",
        "Bytes read as UTF-8. What is none becomes U+FFFD, or the replacement: one character or none.",
        "from_utf8(from_hex('61ff'), '?') -- a?",
    ),
    |given| coerce("from_utf8", given, &[Kind::Bytes, Kind::Text], 1),
    VARCHAR,
    from_utf8,
);

fn from_utf8(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let bytes = rows.bytes(0)?;
    let replacements = match rows.n_arguments() {
        1 => None,
        _ => Some(rows.texts(1)?),
    };
    rows.give_texts(|row| {
        let standard = Some("\u{fffd}");
        let replacement = replacements.as_ref().map_or(standard, |all| all.get(row));
        let Some((bytes, replacement)) = bytes.get(row).zip(replacement) else {
            return Ok(None);
        };
        if replacement.chars().nth(1).is_some() {
            let replacement = shown(replacement);
            return exec_err!("`from_utf8` replaces by one character, not by `{replacement}`");
        }
        let mut out = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            out.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                out.push_str(replacement);
            }
        }
        Ok(Some(out))
    })
}
