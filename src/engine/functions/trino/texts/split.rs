//! Texts cut at delimiters: `split`, `split_part`, `split_to_map`, `split_to_multimap`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringArray, StringBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::{STRINGS, VARCHAR, doc};
use crate::engine::functions::trino::collections::{array_of, build_array, build_map, map_of};
use crate::engine::functions::trino::define::{Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, shown};

/// `array(varchar)`.
pub(super) const TEXTS: Returns = Returns::Type(|_| Ok(array_of(&text("item"))));

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

/// A column of arrays of texts, made row by row.
#[derive(Default)]
pub(super) struct TextArrays(ListBuilder<StringBuilder>);

impl TextArrays {
    pub fn append<'a>(&mut self, texts: Option<impl Iterator<Item = Option<&'a str>>>) {
        let valid = texts.is_some();
        for text in texts.into_iter().flatten() {
            self.0.values().append_option(text);
        }
        self.0.append(valid);
    }

    pub fn finish(mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

pub(super) const SPLIT: Function = Function::new(
    "split",
    doc(
        STRINGS,
        "split(text, delimiter [, limit]) → array(varchar)",
        "A text cut at each delimiter; with a limit, into at most that many parts, the last of which is \
         the rest. An error where the delimiter is empty or the limit is not positive.",
        "split('a/b/c', '/', 2) -- [a, b/c]",
    ),
    |given| coerce("split", given, &[Kind::Text, Kind::Text, Kind::Integer], 2),
    TEXTS,
    split,
);

fn split(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (texts, delimiters) = (rows.texts(0)?, rows.texts(1)?);
    let limits = match rows.n_arguments() {
        2 => None,
        _ => Some(rows.integers(2)?),
    };
    let mut arrays = TextArrays::default();
    for row in 0..rows.n_rows() {
        let limit = limits.as_ref().map_or(Some(i64::MAX), |all| all.get(row));
        let all = texts.get(row).zip(delimiters.get(row)).zip(limit);
        let Some(((text, delimiter), limit)) = all else {
            arrays.append(None::<std::iter::Empty<_>>);
            continue;
        };
        if delimiter.is_empty() {
            return exec_err!("`split` takes a delimiter that is not empty");
        }
        if limit < 1 {
            return exec_err!("`split` takes a positive limit, not `{limit}`");
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        arrays.append(Some(text.splitn(limit, delimiter).map(Some)));
    }
    rows.give(arrays.finish())
}

pub(super) const SPLIT_PART: Function = Function::new(
    "split_part",
    doc(
        STRINGS,
        "split_part(text, delimiter, index) → varchar",
        "One part of a text cut at each delimiter, counted from 1. NULL where there are fewer parts. \
         Beyond Trino, a negative index counts from the end. An error where the index is 0.",
        "split_part('arn:aws:iam::111122223333:role/a', ':', 5) -- 111122223333",
    ),
    |given| {
        coerce(
            "split_part",
            given,
            &[Kind::Text, Kind::Text, Kind::Integer],
            3,
        )
    },
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let (texts, delimiters) = (rows.texts(0)?, rows.texts(1)?);
        let indexes = rows.integers(2)?;
        rows.give_texts(|row| {
            let both = texts.get(row).zip(delimiters.get(row));
            let Some(((text, delimiter), index)) = both.zip(indexes.get(row)) else {
                return Ok(None);
            };
            if index == 0 {
                return exec_err!("`split_part` counts from 1");
            }
            let nth = usize::try_from(index.unsigned_abs() - 1).unwrap_or(usize::MAX);
            Ok(match (delimiter, index > 0) {
                ("", true) => text
                    .char_indices()
                    .nth(nth)
                    .map(|(at, c)| (at, at + c.len_utf8())),
                ("", false) => text
                    .char_indices()
                    .rev()
                    .nth(nth)
                    .map(|(at, c)| (at, at + c.len_utf8())),
                (_, true) => return Ok(text.split(delimiter).nth(nth)),
                (_, false) => return Ok(text.rsplit(delimiter).nth(nth)),
            }
            .and_then(|(start, end)| text.get(start..end)))
        })
    },
);

/// The entries of a text, as keys and values.
///
/// # Errors
///
/// Names an entry that has no delimiter between key and value.
fn entries<'a>(
    name: &str,
    text: &'a str,
    between: &str,
    within: &str,
) -> Result<Vec<(&'a str, &'a str)>> {
    if between.is_empty() || within.is_empty() || between == within {
        return exec_err!("`{name}` takes two different delimiters that are not empty");
    }
    let mut entries = Vec::new();
    for entry in text.split(between) {
        match entry.split_once(within) {
            Some(both) => entries.push(both),
            // What ends with a delimiter has an empty entry after it.
            None if entry.is_empty() => {}
            None => {
                let entry = shown(entry);
                return exec_err!(
                    "`{name}` finds no `{}` in the entry `{entry}`",
                    shown(within)
                );
            }
        }
    }
    Ok(entries)
}

pub(super) const SPLIT_TO_MAP: Function = Function::new(
    "split_to_map",
    doc(
        STRINGS,
        "split_to_map(text, entry_delimiter, key_value_delimiter) → map(varchar, varchar)",
        "A text cut into entries, and each of them into a key and a value. An error where an entry has \
         no value or two have one key.",
        "split_to_map('a=1&b=2', '&', '=') -- {a: 1, b: 2}",
    ),
    |given| coerce("split_to_map", given, &[Kind::Text; 3], 3),
    Returns::Type(|_| Ok(map_of(&text("key"), &text("value")))),
    |args| {
        let rows = Rows::new(args);
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let (lengths, nulls) = each_entry(&rows, "split_to_map", |found| {
            let mut known = HashMap::new();
            for (key, value) in &found {
                if known.insert(*key, ()).is_some() {
                    return exec_err!("`split_to_map` finds the key `{}` twice", shown(key));
                }
                keys.push((*key).to_owned());
                values.push((*value).to_owned());
            }
            Ok(found.len())
        })?;
        let entries = (
            Arc::new(StringArray::from(keys)) as ArrayRef,
            Arc::new(StringArray::from(values)) as ArrayRef,
        );
        let map_type = map_of(&text("key"), &text("value"));
        rows.give(build_map(&map_type, entries, lengths, Some(nulls))?)
    },
);

pub(super) const SPLIT_TO_MULTIMAP: Function = Function::new(
    "split_to_multimap",
    doc(
        STRINGS,
        "split_to_multimap(text, entry_delimiter, key_value_delimiter) → map(varchar, array(varchar))",
        "As `split_to_map`, with every value of a key, in their order.",
        "split_to_multimap('a=1&b=2&a=3', '&', '=') -- {a: [1, 3], b: [2]}",
    ),
    |given| coerce("split_to_multimap", given, &[Kind::Text; 3], 3),
    Returns::Type(|_| Ok(multimap())),
    |args| {
        let rows = Rows::new(args);
        let mut keys = Vec::new();
        let (mut values, mut value_counts) = (Vec::new(), Vec::new());
        let (lengths, nulls) = each_entry(&rows, "split_to_multimap", |found| {
            let mut places: HashMap<&str, usize> = HashMap::new();
            let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
            for (key, value) in found {
                let place = *places.entry(key).or_insert(groups.len());
                match groups.get_mut(place) {
                    Some((_, group)) => group.push(value),
                    None => groups.push((key, vec![value])),
                }
            }
            for (key, group) in &groups {
                keys.push((*key).to_owned());
                value_counts.push(group.len());
                values.extend(group.iter().map(|value| (*value).to_owned()));
            }
            Ok(groups.len())
        })?;
        let values: ArrayRef = Arc::new(StringArray::from(values));
        let values = build_array(&array_of(&text("item")), values, value_counts, None)?;
        let entries = (Arc::new(StringArray::from(keys)) as ArrayRef, values);
        rows.give(build_map(&multimap(), entries, lengths, Some(nulls))?)
    },
);

fn multimap() -> DataType {
    let values = Field::new("value", array_of(&text("item")), true);
    map_of(&text("key"), &values)
}

/// Gives the entries of each row to `take`, which says how many the row has in the end.
fn each_entry(
    rows: &Rows<'_>,
    name: &str,
    mut take: impl FnMut(Vec<(&str, &str)>) -> Result<usize>,
) -> Result<(Vec<usize>, NullBuffer)> {
    let (texts, between, within) = (rows.texts(0)?, rows.texts(1)?, rows.texts(2)?);
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for row in 0..rows.n_rows() {
        let delimiters = between.get(row).zip(within.get(row));
        let found = texts.get(row).zip(delimiters);
        lengths.push(match found {
            Some((text, (between, within))) => take(entries(name, text, between, within)?)?,
            None => 0,
        });
        valid.push(found.is_some());
    }
    Ok((lengths, NullBuffer::from(valid)))
}
