//! Characters: `chr`, `codepoint`, `length`, `lower`, `upper`, `reverse`, `translate`, `title_case`.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::{STRINGS, VARCHAR, doc};
use crate::engine::functions::trino::arrays;
use crate::engine::functions::trino::collections::element_field;
use crate::engine::functions::trino::define::{Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, is_bytes, shown};

pub(super) const CHR: Function = Function::new(
    "chr",
    doc(
        STRINGS,
        "chr(n) → varchar",
        "The character with a code point. An error where there is none.",
        "chr(65) -- A",
    ),
    |given| coerce("chr", given, &[Kind::Integer], 1),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let codes = rows.integers(0)?;
        rows.give_texts(|row| {
            let Some(code) = codes.get(row) else {
                return Ok(None);
            };
            let character = u32::try_from(code).ok().and_then(char::from_u32);
            match character {
                Some(character) => Ok(Some(character.to_string())),
                None => exec_err!("`chr` knows no character `{code}`"),
            }
        })
    },
);

pub(super) const CODEPOINT: Function = Function::new(
    "codepoint",
    doc(
        STRINGS,
        "codepoint(text) → integer",
        "The code point of a text of one character. An error where it has another number of them.",
        "codepoint('A') -- 65",
    ),
    |given| coerce("codepoint", given, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_integers(|row| {
            let Some(text) = texts.get(row) else {
                return Ok(None);
            };
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(only), None) => Ok(Some(u32::from(only).into())),
                _ => exec_err!("`codepoint` takes one character, not `{}`", shown(text)),
            }
        })
    },
);

pub(super) const LENGTH: Function = Function::new(
    "length",
    doc(
        STRINGS,
        "length(text) → bigint\nlength(bytes) → bigint",
        "How many characters a text has, or how many bytes bytes are.",
        "length('café') -- 4",
    ),
    |given| match given {
        [bytes] if is_bytes(bytes) => coerce("length", given, &[Kind::Bytes], 1),
        _ => coerce("length", given, &[Kind::Text], 1),
    },
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        let rows = Rows::new(args);
        if rows.is_bytes(0) {
            let bytes = rows.bytes(0)?;
            return rows
                .give_integers(|row| Ok(bytes.get(row).and_then(|b| i64::try_from(b.len()).ok())));
        }
        let texts = rows.texts(0)?;
        rows.give_integers(|row| Ok(texts.get(row).and_then(n_chars)))
    },
)
.with_aliases(&["char_length", "character_length"]);

/// How many characters; ASCII is counted by its bytes.
pub(super) fn n_chars(text: &str) -> Option<i64> {
    let n = if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    };
    i64::try_from(n).ok()
}

/// A function from one text to another, NULL to NULL.
macro_rules! text_to_text {
    ($constant:ident, $name:literal, $description:literal, $example:literal, $body:expr) => {
        pub(super) const $constant: Function = Function::new(
            $name,
            doc(
                STRINGS,
                concat!($name, "(text) → varchar"),
                $description,
                $example,
            ),
            |given| coerce($name, given, &[Kind::Text], 1),
            VARCHAR,
            |args| {
                let body: fn(&str) -> String = $body;
                let rows = Rows::new(args);
                let texts = rows.texts(0)?;
                rows.give_texts(|row| Ok(texts.get(row).map(body)))
            },
        );
    };
}

text_to_text!(
    LOWER,
    "lower",
    "A text in lower case.",
    "lower('AssumeRole') -- assumerole",
    |text| text.to_lowercase()
);
text_to_text!(
    UPPER,
    "upper",
    "A text in upper case.",
    "upper('AssumeRole') -- ASSUMEROLE",
    |text| text.to_uppercase()
);
text_to_text!(
    TITLE_CASE,
    "title_case",
    "A text with the first letter of each word in upper case and the others in lower case.",
    "title_case('hello wORLD') -- Hello World",
    title_case
);

fn title_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for character in text.chars() {
        if inside {
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_uppercase());
        }
        inside = character.is_alphanumeric();
    }
    out
}

pub(super) const REVERSE: Function = Function::new(
    "reverse",
    doc(
        STRINGS,
        "reverse(text) → varchar\nreverse(array) → array",
        "The characters of a text, or the elements of an array, from the last to the first.",
        "reverse('abc') -- cba",
    ),
    |given| match given {
        [array] if element_field(array).is_some() => (arrays::REVERSE.coerce)(given),
        _ => coerce("reverse", given, &[Kind::Text], 1),
    },
    Returns::Type(|types| match types {
        [array] if element_field(array).is_some() => Ok(array.clone()),
        _ => Ok(DataType::Utf8View),
    }),
    reverse,
);

fn reverse(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let first = args.args.first().map(ColumnarValue::data_type);
    if first.is_some_and(|given| element_field(&given).is_some()) {
        return (arrays::REVERSE.body)(args);
    }
    let rows = Rows::new(args);
    let texts = rows.texts(0)?;
    rows.give_texts(|row| {
        Ok(texts
            .get(row)
            .map(|text| text.chars().rev().collect::<String>()))
    })
}

pub(super) const TRANSLATE: Function = Function::new(
    "translate",
    doc(
        STRINGS,
        "translate(text, from, to) → varchar",
        "A text in which each character of `from` is replaced by the one at its place in `to`, or left \
         out where `to` is shorter. Of a character that `from` holds twice the first place counts.",
        "translate('abcd', 'ac', 'z') -- zbd",
    ),
    |given| coerce("translate", given, &[Kind::Text; 3], 3),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let (texts, from, to) = (rows.texts(0)?, rows.texts(1)?, rows.texts(2)?);
        rows.give_texts(|row| {
            let all = (texts.get(row), from.get(row), to.get(row));
            let (Some(text), Some(from), Some(to)) = all else {
                return Ok(None);
            };
            let mut table = HashMap::new();
            let mut to = to.chars();
            for character in from.chars() {
                let other = to.next();
                table.entry(character).or_insert(other);
            }
            let translated = text.chars().filter_map(|character| {
                let known = table.get(&character);
                known.copied().unwrap_or(Some(character))
            });
            Ok(Some(translated.collect::<String>()))
        })
    },
);
