//! Texts in texts: `strpos`, `starts_with`, `ends_with`, `replace`, `substr`.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::ExprSimplifyResult;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs};

use super::basic::n_chars;
use super::{STRINGS, VARCHAR, doc};
use crate::engine::functions::trino::define::{Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce};

pub(super) const STRPOS: Function = Function::new(
    "strpos",
    doc(
        STRINGS,
        "strpos(text, part [, instance]) → bigint\nposition(part IN text) → bigint",
        "Where a part stands in a text, counted in characters from 1; 0 where it does not. With an \
         instance, the place of that one; a negative one is counted from the end.",
        "strpos('a.b.c', '.', -1) -- 4",
    ),
    |given| coerce("strpos", given, &[Kind::Text, Kind::Text, Kind::Integer], 2),
    Returns::Type(|_| Ok(DataType::Int64)),
    strpos,
)
.with_aliases(&["instr", "position"]);

fn strpos(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (texts, parts) = (rows.texts(0)?, rows.texts(1)?);
    let instances = match rows.n_arguments() {
        2 => None,
        _ => Some(rows.integers(2)?),
    };
    rows.give_integers(|row| {
        let instance = instances.as_ref().map_or(Some(1), |all| all.get(row));
        let (Some((text, part)), Some(instance)) = (texts.get(row).zip(parts.get(row)), instance)
        else {
            return Ok(None);
        };
        if instance == 0 {
            return exec_err!("`strpos` counts instances from 1 or from -1");
        }
        if part.is_empty() {
            return Ok(Some(1));
        }
        let place = nth_place(text, part, instance);
        let before = place.and_then(|place| text.get(..place)).and_then(n_chars);
        Ok(Some(before.map_or(0, |n| n + 1)))
    })
}

/// Where an instance begins, in bytes. Instances may overlap, as in Trino.
fn nth_place(text: &str, part: &str, instance: i64) -> Option<usize> {
    let nth = usize::try_from(instance.unsigned_abs())
        .ok()?
        .checked_sub(1)?;
    if nth == 0 {
        return if instance > 0 {
            text.find(part)
        } else {
            text.rfind(part)
        };
    }
    let starts = |place: &usize| {
        text.get(*place..)
            .is_some_and(|rest| rest.starts_with(part))
    };
    let mut places = text.char_indices().map(|(place, _)| place);
    if instance > 0 {
        places.filter(starts).nth(nth)
    } else {
        let from_end: Vec<_> = places.by_ref().collect();
        from_end.into_iter().rev().filter(starts).nth(nth)
    }
}

pub(super) const STARTS_WITH: Function = Function::new(
    "starts_with",
    doc(
        STRINGS,
        "starts_with(text, part) → boolean",
        "Whether a text begins with a part.",
        "starts_with('AssumeRoleWithSAML', 'AssumeRole') -- true",
    ),
    |given| coerce("starts_with", given, &[Kind::Text; 2], 2),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| two_texts(args, |text, part| text.starts_with(part)),
)
// DataFusion's own takes texts only, but chooses row groups by them.
.with_simplify(|args, _| {
    let function = datafusion::functions::string::starts_with();
    let call = ScalarFunction::new_udf(function, args);
    Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)))
});

pub(super) const ENDS_WITH: Function = Function::new(
    "ends_with",
    doc(
        STRINGS,
        "ends_with(text, part) → boolean",
        "Whether a text ends with a part.",
        "ends_with('iam.amazonaws.com', '.amazonaws.com') -- true",
    ),
    |given| coerce("ends_with", given, &[Kind::Text; 2], 2),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| two_texts(args, |text, part| text.ends_with(part)),
);

fn two_texts(args: &ScalarFunctionArgs, holds: fn(&str, &str) -> bool) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (texts, parts) = (rows.texts(0)?, rows.texts(1)?);
    rows.give_truths(|row| {
        let both = texts.get(row).zip(parts.get(row));
        Ok(both.map(|(text, part)| holds(text, part)))
    })
}

pub(super) const REPLACE: Function = Function::new(
    "replace",
    doc(
        STRINGS,
        "replace(text, part [, replacement]) → varchar",
        "A text with every instance of a part replaced, or left out where no replacement is given.",
        "replace('a-b-c', '-') -- abc",
    ),
    |given| coerce("replace", given, &[Kind::Text; 3], 2),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let (texts, parts) = (rows.texts(0)?, rows.texts(1)?);
        let replacements = match rows.n_arguments() {
            2 => None,
            _ => Some(rows.texts(2)?),
        };
        rows.give_texts(|row| {
            let replacement = replacements.as_ref().map_or(Some(""), |all| all.get(row));
            let all = texts.get(row).zip(parts.get(row)).zip(replacement);
            Ok(all.map(|((text, part), replacement)| text.replace(part, replacement)))
        })
    },
);

pub(super) const SUBSTR: Function = Function::new(
    "substr",
    doc(
        STRINGS,
        "substr(text, start [, length]) → varchar\nsubstring(text FROM start [FOR length]) → varchar",
        "The part of a text from a place on, counted in characters from 1, or from the end where it is \
         negative. The empty text where the place is 0 or outside of the text.",
        "substr('CloudTrail', -5, 2) -- Tr",
    ),
    |given| coerce("substr", given, &[Kind::Text, Kind::Integer, Kind::Integer], 2),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let (texts, starts) = (rows.texts(0)?, rows.integers(1)?);
        let lengths = match rows.n_arguments() {
            2 => None,
            _ => Some(rows.integers(2)?),
        };
        rows.give_texts(|row| {
            let length = lengths.as_ref().map_or(Some(i64::MAX), |all| all.get(row));
            let all = texts.get(row).zip(starts.get(row)).zip(length);
            Ok(all.map(|((text, start), length)| part(text, start, length)))
        })
    },
)
.with_aliases(&["substring"]);

fn part(text: &str, start: i64, length: i64) -> &str {
    let n = n_chars(text).unwrap_or(i64::MAX);
    let first = match start {
        1.. => start - 1,
        0 => return "",
        _ => n + start.max(-n - 1),
    };
    if first < 0 || first >= n || length <= 0 {
        return "";
    }
    let end = first.saturating_add(length).min(n);
    let place = |chars: i64| {
        let chars = usize::try_from(chars).unwrap_or(usize::MAX);
        if text.is_ascii() {
            return chars;
        }
        text.char_indices()
            .nth(chars)
            .map_or(text.len(), |(place, _)| place)
    };
    text.get(place(first)..place(end)).unwrap_or_default()
}
