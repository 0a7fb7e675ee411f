//! Regular expressions: `regexp_like` and its kin.

mod replace;
mod syntax;

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use regex::{Captures, Regex};

use self::syntax::Patterns;
use super::basic::n_chars;
use super::split::{TEXTS, TextArrays};
use super::{REGULAR, VARCHAR, doc};
use crate::engine::functions::trino::define::{Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce};

pub(super) const FUNCTIONS: [Function; 7] = [
    REGEXP_COUNT,
    REGEXP_EXTRACT,
    REGEXP_EXTRACT_ALL,
    REGEXP_LIKE,
    REGEXP_POSITION,
    REGEXP_SPLIT,
    replace::REGEXP_REPLACE,
];

const REGEXP_LIKE: Function = Function::new(
    "regexp_like",
    doc(
        REGULAR,
        "regexp_like(text, pattern [, flags]) → boolean",
        "Whether a pattern matches anywhere in a text. Patterns are Java's, without look-around, \
         references to groups, and possessive and atomic parts: these are errors, as what is no pattern \
         is. Beyond Trino, flags may follow: `i` for either case, `s`, `m`, `x`.",
        "regexp_like('1a 2b 14m', '\\d+b') -- true",
    ),
    |given| coerce("regexp_like", given, &[Kind::Text; 3], 2),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| {
        let rows = Rows::new(args);
        let (texts, patterns) = (rows.texts(0)?, rows.texts(1)?);
        let mut patterns = Patterns::new("regexp_like", &patterns);
        if rows.n_arguments() == 3 {
            let flags = rows.texts(2)?;
            if !flags.is_constant() {
                return exec_err!("`regexp_like` takes flags that are constant");
            }
            match flags.get(0) {
                Some(flags) => patterns = patterns.with_flags(flags),
                None => return rows.give_truths(|_| Ok(None)),
            }
        }
        rows.give_truths(|row| {
            let both = patterns.get(row)?.zip(texts.get(row));
            Ok(both.map(|(pattern, text)| pattern.is_match(text)))
        })
    },
);

/// The group that a call names.
///
/// # Errors
///
/// Where the pattern has no such group.
fn group(function: &str, pattern: &Regex, group: i64) -> Result<usize> {
    let n_groups = pattern.captures_len() - 1;
    match usize::try_from(group) {
        Ok(group) if group <= n_groups => Ok(group),
        _ => exec_err!("`{function}` finds {n_groups} groups in the pattern and no group {group}"),
    }
}

const REGEXP_EXTRACT: Function = Function::new(
    "regexp_extract",
    doc(
        REGULAR,
        "regexp_extract(text, pattern [, group]) → varchar",
        "The first match of a pattern, or a group of it, counted from 1. NULL where there is no match or \
         the group takes no part in it; an error where the pattern has no such group.",
        "regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2) -- a",
    ),
    |given| {
        coerce(
            "regexp_extract",
            given,
            &[Kind::Text, Kind::Text, Kind::Integer],
            2,
        )
    },
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let (texts, patterns) = (rows.texts(0)?, rows.texts(1)?);
        let mut patterns = Patterns::new("regexp_extract", &patterns);
        let groups = match rows.n_arguments() {
            2 => None,
            _ => Some(rows.integers(2)?),
        };
        rows.give_texts(|row| {
            let wanted = groups.as_ref().map_or(Some(0), |all| all.get(row));
            let both = patterns.get(row)?.zip(wanted);
            let Some((pattern, wanted)) = both else {
                return Ok(None);
            };
            let wanted = group("regexp_extract", &pattern, wanted)?;
            let Some(text) = texts.get(row) else {
                return Ok(None);
            };
            if wanted == 0 {
                return Ok(pattern.find(text).map(|found| found.as_str()));
            }
            let found = pattern.captures(text);
            Ok(found
                .and_then(|found| found.get(wanted))
                .map(|part| part.as_str()))
        })
    },
);

const REGEXP_EXTRACT_ALL: Function = Function::new(
    "regexp_extract_all",
    doc(
        REGULAR,
        "regexp_extract_all(text, pattern [, group]) → array(varchar)",
        "Every match of a pattern, or a group of each, counted from 1: NULL where the group takes no \
         part in it.",
        "regexp_extract_all('1a 2b 14m', '\\d+') -- [1, 2, 14]",
    ),
    |given| {
        coerce(
            "regexp_extract_all",
            given,
            &[Kind::Text, Kind::Text, Kind::Integer],
            2,
        )
    },
    TEXTS,
    |args| {
        let rows = Rows::new(args);
        let (texts, patterns) = (rows.texts(0)?, rows.texts(1)?);
        let mut patterns = Patterns::new("regexp_extract_all", &patterns);
        let groups = match rows.n_arguments() {
            2 => None,
            _ => Some(rows.integers(2)?),
        };
        let mut arrays = TextArrays::default();
        for row in 0..rows.n_rows() {
            let wanted = groups.as_ref().map_or(Some(0), |all| all.get(row));
            let all = patterns.get(row)?.zip(wanted).zip(texts.get(row));
            let Some(((pattern, wanted), text)) = all else {
                arrays.append(None::<std::iter::Empty<_>>);
                continue;
            };
            let wanted = group("regexp_extract_all", &pattern, wanted)?;
            let part = |found: Captures<'_>| found.get(wanted).map(|part| part.range());
            let found = pattern.captures_iter(text).map(part);
            arrays.append(Some(found.map(|range| text.get(range?))));
        }
        rows.give(arrays.finish())
    },
);

const REGEXP_COUNT: Function =
    Function::new(
        "regexp_count",
        doc(
            REGULAR,
            "regexp_count(text, pattern) → bigint",
            "How often a pattern matches in a text.",
            "regexp_count('1a 2b 14m', '\\s*[a-z]+\\s*') -- 3",
        ),
        |given| coerce("regexp_count", given, &[Kind::Text; 2], 2),
        Returns::Type(|_| Ok(DataType::Int64)),
        |args| {
            let rows = Rows::new(args);
            let (texts, patterns) = (rows.texts(0)?, rows.texts(1)?);
            let mut patterns = Patterns::new("regexp_count", &patterns);
            rows.give_integers(|row| {
                let both = patterns.get(row)?.zip(texts.get(row));
                Ok(both.and_then(|(pattern, text)| {
                    i64::try_from(pattern.find_iter(text).count()).ok()
                }))
            })
        },
    );

const REGEXP_POSITION: Function = Function::new(
    "regexp_position",
    doc(
        REGULAR,
        "regexp_position(text, pattern [, start [, instance]]) → bigint",
        "Where a match begins, counted in characters from 1: the first one, or that instance, from a \
         place on. -1 where there is none.",
        "regexp_position('5 pears and 13 plums', '\\d+', 2) -- 13",
    ),
    |given| {
        let kinds = [Kind::Text, Kind::Text, Kind::Integer, Kind::Integer];
        coerce("regexp_position", given, &kinds, 2)
    },
    Returns::Type(|_| Ok(DataType::Int64)),
    position,
);

fn position(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (texts, patterns) = (rows.texts(0)?, rows.texts(1)?);
    let mut patterns = Patterns::new("regexp_position", &patterns);
    let optional = |at: usize| match rows.n_arguments() {
        n if n > at => rows.integers(at).map(Some),
        _ => Ok(None),
    };
    let (starts, instances) = (optional(2)?, optional(3)?);
    rows.give_integers(|row| {
        let start = starts.as_ref().map_or(Some(1), |all| all.get(row));
        let instance = instances.as_ref().map_or(Some(1), |all| all.get(row));
        let both = patterns.get(row)?.zip(texts.get(row));
        let (Some((pattern, text)), Some((start, instance))) = (both, start.zip(instance)) else {
            return Ok(None);
        };
        if start < 1 || instance < 1 {
            return exec_err!("`regexp_position` counts places and instances from 1");
        }
        let skipped = usize::try_from(start - 1).unwrap_or(usize::MAX);
        let nth = usize::try_from(instance - 1).unwrap_or(usize::MAX);
        let first = text.char_indices().map(|(at, _)| at).nth(skipped);
        let found = first.and_then(|first| nth_from(&pattern, text, first, nth));
        let before = found.and_then(|at| text.get(..at)).and_then(n_chars);
        Ok(Some(before.map_or(-1, |n| n + 1)))
    })
}

fn nth_from(pattern: &Regex, text: &str, first: usize, nth: usize) -> Option<usize> {
    let mut at = first;
    for _ in 0..nth {
        let found = pattern.find_at(text, at)?;
        at = if found.is_empty() {
            found.end() + 1
        } else {
            found.end()
        };
        while at < text.len() && !text.is_char_boundary(at) {
            at += 1;
        }
        if at > text.len() {
            return None;
        }
    }
    pattern.find_at(text, at).map(|found| found.start())
}

const REGEXP_SPLIT: Function = Function::new(
    "regexp_split",
    doc(
        REGULAR,
        "regexp_split(text, pattern) → array(varchar)",
        "A text cut at each match of a pattern. Empty parts stay, also at the end.",
        "regexp_split('a1b22', '\\d+') -- [a, b, ]",
    ),
    |given| coerce("regexp_split", given, &[Kind::Text; 2], 2),
    TEXTS,
    |args| {
        let rows = Rows::new(args);
        let (texts, patterns) = (rows.texts(0)?, rows.texts(1)?);
        let mut patterns = Patterns::new("regexp_split", &patterns);
        let mut arrays = TextArrays::default();
        for row in 0..rows.n_rows() {
            match patterns.get(row)?.zip(texts.get(row)) {
                Some((pattern, text)) => arrays.append(Some(pattern.split(text).map(Some))),
                None => arrays.append(None::<std::iter::Empty<_>>),
            }
        }
        rows.give(arrays.finish())
    },
);
