//! Ends of texts: `trim`, `ltrim`, `rtrim`, `lpad`, `rpad`.

use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::basic::n_chars;
use super::{STRINGS, VARCHAR, doc};
use crate::engine::functions::trino::define::Function;
use crate::engine::functions::trino::rows::{Kind, Rows, coerce};

/// What SQL's `TRIM(…)` calls.
pub(super) const TRIM: Function = Function::new(
    "btrim",
    doc(
        STRINGS,
        "btrim(text [, characters]) → varchar\ntrim(text) → varchar\ntrim([LEADING | TRAILING | BOTH] \
         [characters] FROM text) → varchar",
        "A text without the white space, or the given characters, at both ends.",
        "trim('  a b ') -- a b",
    ),
    |given| coerce("trim", given, &[Kind::Text; 2], 1),
    VARCHAR,
    |args| trimmed(args, true, true),
)
.with_aliases(&["trim"]);

pub(super) const LTRIM: Function = Function::new(
    "ltrim",
    doc(
        STRINGS,
        "ltrim(text [, characters]) → varchar",
        "A text without the white space, or the given characters, at its start.",
        "ltrim('  a ') || '.' -- a .",
    ),
    |given| coerce("ltrim", given, &[Kind::Text; 2], 1),
    VARCHAR,
    |args| trimmed(args, true, false),
);

pub(super) const RTRIM: Function = Function::new(
    "rtrim",
    doc(
        STRINGS,
        "rtrim(text [, characters]) → varchar",
        "A text without the white space, or the given characters, at its end.",
        "rtrim('xyz', 'zy') -- x",
    ),
    |given| coerce("rtrim", given, &[Kind::Text; 2], 1),
    VARCHAR,
    |args| trimmed(args, false, true),
);

fn trimmed(args: &ScalarFunctionArgs, start: bool, end: bool) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let texts = rows.texts(0)?;
    let characters = match rows.n_arguments() {
        1 => None,
        _ => Some(rows.texts(1)?),
    };
    rows.give_texts(|row| {
        let Some(mut text) = texts.get(row) else {
            return Ok(None);
        };
        let Some(characters) = &characters else {
            if start {
                text = text.trim_start();
            }
            if end {
                text = text.trim_end();
            }
            return Ok(Some(text));
        };
        let Some(characters) = characters.get(row) else {
            return Ok(None);
        };
        if start {
            text = text.trim_start_matches(|c| characters.contains(c));
        }
        if end {
            text = text.trim_end_matches(|c| characters.contains(c));
        }
        Ok(Some(text))
    })
}

/// A padded text is not longer: a size beyond this is a mistake or an attack.
const MOST_CHARS: i64 = 1 << 20;

pub(super) const LPAD: Function = Function::new(
    "lpad",
    doc(
        STRINGS,
        "lpad(text, size [, padding]) → varchar",
        "A text of exactly that many characters: filled up at its start with the padding (a space where \
         none is given), or cut at its end. An error where the size is negative or more than a million, \
         or the padding is empty.",
        "lpad('7', 3, '0') -- 007",
    ),
    |given| coerce("lpad", given, &[Kind::Text, Kind::Integer, Kind::Text], 2),
    VARCHAR,
    |args| padded("lpad", args, |text, padding| padding + text),
);

pub(super) const RPAD: Function = Function::new(
    "rpad",
    doc(
        STRINGS,
        "rpad(text, size [, padding]) → varchar",
        "A text of exactly that many characters: filled up at its end with the padding (a space where \
         none is given), or cut there. An error where the size is negative or more than a million, or \
         the padding is empty.",
        "rpad('ab', 5, 'xy') -- abxyx",
    ),
    |given| coerce("rpad", given, &[Kind::Text, Kind::Integer, Kind::Text], 2),
    VARCHAR,
    |args| padded("rpad", args, |text, padding| text.to_owned() + &padding),
);

fn padded(
    name: &str,
    args: &ScalarFunctionArgs,
    join: fn(&str, String) -> String,
) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (texts, sizes) = (rows.texts(0)?, rows.integers(1)?);
    let paddings = match rows.n_arguments() {
        2 => None,
        _ => Some(rows.texts(2)?),
    };
    rows.give_texts(|row| {
        let padding = paddings.as_ref().map_or(Some(" "), |all| all.get(row));
        let (Some((text, size)), Some(padding)) = (texts.get(row).zip(sizes.get(row)), padding)
        else {
            return Ok(None);
        };
        if !(0..=MOST_CHARS).contains(&size) {
            return exec_err!("`{name}` takes a size of 0 to {MOST_CHARS}, not `{size}`");
        }
        if padding.is_empty() {
            return exec_err!("`{name}` cannot pad with an empty text");
        }
        let missing = size - n_chars(text).unwrap_or(i64::MAX);
        let n = |count: i64| usize::try_from(count).unwrap_or_default();
        if missing < 0 {
            return Ok(Some(text.chars().take(n(size)).collect()));
        }
        Ok(Some(join(
            text,
            padding.chars().cycle().take(n(missing)).collect(),
        )))
    })
}
