//! The text of a time as CloudTrail writes it, and which times a text means.
//!
//! In Athena `eventtime` is text, and statements compare it with texts of every length. Here it is a
//! moment. The ranges of this file say what a comparison of texts says of moments, so that it can choose
//! row groups. A text that is no beginning of a time has no range: there texts are compared.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::{Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs};

use super::FAMILY;
use crate::engine::functions::arguments::is_text;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::types::event_time;

/// The texts of a table's times; what comparisons of `eventtime` with texts are made of.
pub(super) const TIME_TEXT: Function = Function::new(
    "time_text",
    Doc {
        family: FAMILY,
        syntax: "time_text(x) → varchar",
        description: "A time as CloudTrail writes it. Trino has no such function: comparisons of times with \
                      texts are made of it. A text that begins a time is compared as text, one that is a \
                      whole time as the moment it names.",
        example: "SELECT time_text(TIMESTAMP '2023-07-06 13:51:00'); -- 2023-07-06T13:51:00Z",
    },
    coerce,
    Returns::Type(|_| Ok(DataType::Utf8View)),
    body,
)
.with_preimage(preimage);

fn coerce(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [text] if is_text(text) => Ok(vec![DataType::Utf8View]),
        [DataType::Timestamp(..) | DataType::Date32 | DataType::Date64] => Ok(vec![event_time()]),
        [other] => {
            datafusion::common::plan_err!("`time_text` takes a time, not {other}")
        }
        _ => datafusion::common::plan_err!("`time_text` takes 1 argument, not {}", types.len()),
    }
}

fn body(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, _| {
        let [times] = arrays else {
            return datafusion::common::exec_err!("`time_text` takes 1 argument");
        };
        let texts: ArrayRef = cast(times, &DataType::Utf8View)?;
        Ok(Arc::clone(&texts))
    })
}

fn preimage(args: &[Expr], literal: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
    let [argument] = args else {
        return Ok(PreimageResult::None);
    };
    let Some(text) = literal.as_literal().and_then(|value| value.try_as_str()) else {
        return Ok(PreimageResult::None);
    };
    let Some((lower, upper)) = text.and_then(text_range) else {
        return Ok(PreimageResult::None);
    };
    if info.get_data_type(argument)? != event_time() {
        return Ok(PreimageResult::None);
    }
    let moment = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some(Arc::from("UTC")));
    Ok(PreimageResult::Range {
        expr: argument.clone(),
        interval: Box::new(Interval::try_new(moment(lower), moment(upper))?),
    })
}

/// The times that compare equal to a text, in microseconds: from the first to before the second. What is
/// before them is less than the text, what is after them is greater.
///
/// A text that only begins a time (`2023-07`) equals none, so both ends are where its times begin. A time
/// to the second is the moment itself, with or without a fraction, a zone and the `T`.
pub(in crate::engine) fn text_range(text: &str) -> Option<(i64, i64)> {
    let (stem, rest) = split_stem(text)?;
    let complete = stem.len() == TEMPLATE.len();
    let (fraction, zone) = split_fraction(rest)?;
    let minutes = stem.len() == MINUTES;
    let ends = rest.is_empty() || (minutes && fraction.is_empty());
    if !(complete || ends) {
        return None;
    }
    let start = whole_fields(stem)?;
    if !complete && zone.is_empty() {
        let start = micros(start)?;
        return Some((start, start));
    }
    let start = micros(start.checked_sub_offset(offset(zone)?)?)?;
    let (shown, below) = fraction.split_at(fraction.len().min(6));
    let start = start.checked_add(scaled(shown)?)?;
    let next = start.checked_add(1)?;
    // A time between two microseconds equals neither.
    let between = below.bytes().any(|digit| digit != b'0');
    Some((if between { next } else { start }, next))
}

/// The times whose text begins with a text, in microseconds: from the first to before the second. The
/// text may end anywhere, also inside of a number.
pub(in crate::engine) fn prefix_range(text: &str) -> Option<(i64, i64)> {
    if text.contains(' ') {
        return None;
    }
    let (stem, rest) = split_stem(text)?;
    if stem.len() == TEMPLATE.len() {
        return fraction_prefix(micros(whole_fields(stem)?)?, rest);
    }
    if !rest.is_empty() {
        return None;
    }
    let (lower, upper) = stem_prefix(stem)?;
    Some((micros(lower)?, micros(upper)?))
}

/// `d` stands for a digit.
const TEMPLATE: &str = "dddd-dd-ddTdd:dd:dd";
/// The length of a text up to its minutes.
const MINUTES: usize = 16;

/// The longest beginning that a time can have before its fraction, and the rest. A space may stand in the
/// place of the `T`.
fn split_stem(text: &str) -> Option<(&str, &str)> {
    let fits = |(byte, place): &(u8, u8)| match place {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b' '),
        other => byte == other,
    };
    let length = text.bytes().zip(TEMPLATE.bytes()).take_while(fits).count();
    let stem = text.get(..length)?;
    (length > 0).then_some((stem, text.get(length..)?))
}

/// The digits after a point, and what follows them.
fn split_fraction(rest: &str) -> Option<(&str, &str)> {
    let Some(rest) = rest.strip_prefix('.') else {
        return Some(("", rest));
    };
    let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    ((1..=9).contains(&n_digits)).then(|| rest.split_at(n_digits))
}

/// East of UTC: none and `Z` are UTC, ` UTC` too, `+02:00`, `+0200`, `+02`.
fn offset(zone: &str) -> Option<FixedOffset> {
    let east = match zone {
        "" | "Z" | " UTC" => 0,
        _ => {
            let (sign, digits) = match zone.split_at_checked(1)? {
                ("+", digits) => (1, digits),
                ("-", digits) => (-1, digits),
                _ => return None,
            };
            let digits = match digits.split_once(':') {
                Some((hours, minutes)) if hours.len() == 2 => format!("{hours}{minutes}"),
                Some(_) => return None,
                None => digits.to_owned(),
            };
            let (hours, minutes) = match digits.len() {
                2 => (number(&digits)?, 0),
                4 => (number(digits.get(..2)?)?, number(digits.get(2..)?)?),
                _ => return None,
            };
            if minutes > 59 {
                return None;
            }
            sign * i32::try_from(hours * 3_600 + minutes * 60).ok()?
        }
    };
    FixedOffset::east_opt(east)
}

/// The first moment of a text that ends after a whole number.
fn whole_fields(stem: &str) -> Option<NaiveDateTime> {
    if !matches!(stem.len(), 4 | 7 | 10 | 13 | MINUTES | 19) {
        return None;
    }
    let field = |from: usize, to: usize, least: u32| match stem.get(from..to) {
        Some(digits) => number(digits),
        None => Some(least),
    };
    let year = i32::try_from(field(0, 4, 0)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, field(5, 7, 1)?, field(8, 10, 1)?)?;
    day.and_hms_opt(field(11, 13, 0)?, field(14, 16, 0)?, field(17, 19, 0)?)
}

/// The times that begin with a text which ends before the seconds do.
fn stem_prefix(stem: &str) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let stem = stem.trim_end_matches(['-', 'T', ':']);
    if stem.len() < 4 {
        return year_prefix(stem);
    }
    // Where a number has one of its two digits, the rest of the text is whole.
    if matches!(stem.len(), 4 | 7 | 10 | 13 | MINUTES) {
        let start = whole_fields(stem)?;
        return Some((start, after(start, stem.len(), 1)?));
    }
    let (whole, digit) = stem.split_at_checked(stem.len().checked_sub(2)?)?;
    let tens = number(digit.get(1..)?)?.checked_mul(10)?;
    let outer = whole_fields(whole)?;
    let end = after(outer, whole.len(), 1)?;
    let inner = stem.len() + 1;
    let least = u32::from(inner <= 10);
    let start = after(outer, inner, tens.max(least).checked_sub(least)?)?;
    let stop = after(outer, inner, tens.checked_add(10)?.checked_sub(least)?)?;
    (start < end).then(|| (start, stop.min(end)))
}

fn year_prefix(digits: &str) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let scale = 10_i32.checked_pow(4_u32.checked_sub(u32::try_from(digits.len()).ok()?)?)?;
    let first = i32::try_from(number(digits)?).ok()?.checked_mul(scale)?;
    let january = |year| Some(NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(NaiveTime::MIN));
    Some((january(first)?, january(first.checked_add(scale)?)?))
}

/// So many units later; the unit is that of the last number of a text of this length.
fn after(time: NaiveDateTime, length: usize, n: u32) -> Option<NaiveDateTime> {
    match length {
        4 => time.checked_add_months(Months::new(n.checked_mul(12)?)),
        7 => time.checked_add_months(Months::new(n)),
        10 => time.checked_add_days(Days::new(n.into())),
        13 => time.checked_add_signed(TimeDelta::hours(n.into())),
        MINUTES => time.checked_add_signed(TimeDelta::minutes(n.into())),
        _ => time.checked_add_signed(TimeDelta::seconds(n.into())),
    }
}

/// The times of a second whose text goes on with `rest`. Times are written with no digits of a fraction,
/// with three or with six, whichever are enough.
fn fraction_prefix(second: i64, rest: &str) -> Option<(i64, i64)> {
    let (lower, upper) = match rest {
        "" => (0, 1_000_000),
        "Z" => (0, 1),
        "." => (1, 1_000_000),
        _ => {
            let (digits, zone) = split_fraction(rest)?;
            let n_digits = digits.len();
            let lower = scaled(digits)?;
            let shown = if n_digits > 3 { lower % 1_000 } else { lower } != 0;
            match (zone, n_digits) {
                ("Z", 3 | 6) if shown => (lower, lower + 1),
                ("", 1..=6) => {
                    let step = 10_i64.checked_pow(6 - u32::try_from(n_digits).ok()?)?;
                    (lower + i64::from(!shown), lower + step)
                }
                _ => return None,
            }
        }
    };
    (lower < upper).then_some((second.checked_add(lower)?, second.checked_add(upper)?))
}

/// Up to six digits after a point, in microseconds.
fn scaled(digits: &str) -> Option<i64> {
    let scale = 10_i64.checked_pow(6_u32.checked_sub(u32::try_from(digits.len()).ok()?)?)?;
    if digits.is_empty() {
        return Some(0);
    }
    i64::from(number(digits)?).checked_mul(scale)
}

fn number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

fn micros(time: NaiveDateTime) -> Option<i64> {
    Some(time.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap();
        time.and_utc().timestamp_micros()
    }

    #[test]
    fn texts_that_begin_a_time_equal_none() {
        for (text, start) in [
            ("2023", "2023-01-01 00:00:00"),
            ("2023-07", "2023-07-01 00:00:00"),
            ("2023-07-06", "2023-07-06 00:00:00"),
            ("2023-07-06T13", "2023-07-06 13:00:00"),
            ("2023-07-06T13:51", "2023-07-06 13:51:00"),
            ("2023-07-06 13:51", "2023-07-06 13:51:00"),
            ("1969-12-31", "1969-12-31 00:00:00"),
            ("2024-02-29", "2024-02-29 00:00:00"),
        ] {
            assert_eq!(text_range(text), Some((at(start), at(start))), "{text}");
        }
    }

    #[test]
    fn whole_times_are_moments() {
        for (text, moment) in [
            ("2023-07-06T13:51:00Z", "2023-07-06 13:51:00"),
            ("2023-07-06T13:51:00", "2023-07-06 13:51:00"),
            ("2023-07-06 13:51:00", "2023-07-06 13:51:00"),
            ("2023-07-06 13:51:00 UTC", "2023-07-06 13:51:00"),
            ("2023-07-06T13:51Z", "2023-07-06 13:51:00"),
            ("2023-07-06T13:51:00.5Z", "2023-07-06 13:51:00.5"),
            ("2023-07-06 13:51:00.000", "2023-07-06 13:51:00"),
            (
                "2023-07-06T13:51:00.123456000Z",
                "2023-07-06 13:51:00.123456",
            ),
            ("2023-07-06T13:51:00+02:00", "2023-07-06 11:51:00"),
            ("2023-07-06T01:51:00.25-0530", "2023-07-06 07:21:00.25"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31 23:59:59.999"),
        ] {
            let moment = at(moment);
            assert_eq!(text_range(text), Some((moment, moment + 1)), "{text}");
        }
        let next = at("2023-07-06 13:51:00.123457");
        let between = text_range("2023-07-06T13:51:00.1234561Z");
        assert_eq!(between, Some((next, next)));
    }

    #[test]
    fn other_texts_have_no_range() {
        for text in [
            "",
            "2",
            "202",
            "2023-",
            "2023-7",
            "2023-7-6",
            "2023-07-6",
            "2023-07-06T",
            "2023-13",
            "2023-02-30",
            "2023-07-06T25",
            "2023-07-06T13:60",
            "2023-07-06T13:51:60Z",
            "2023Z",
            "2023-07-06T13:51:00.Z",
            "2023-07-06T13:51:00X",
            "2023-07-06T13:51:00+2",
            "now",
            "２０２３",
            "2023-07-06Z",
            "2023-07-06T13:51.5Z",
            "2023-07-06T13:51:00.1234567890Z",
            "2023-07-06T13:51:00+99:00",
            "2023-07-06T13:51:00+1:000",
        ] {
            assert_eq!(text_range(text), None, "{text}");
        }
    }

    #[test]
    fn prefixes_are_stretches() {
        for (text, start, end) in [
            ("2", "2000-01-01 00:00:00", "3000-01-01 00:00:00"),
            ("202", "2020-01-01 00:00:00", "2030-01-01 00:00:00"),
            ("2023", "2023-01-01 00:00:00", "2024-01-01 00:00:00"),
            ("2023-", "2023-01-01 00:00:00", "2024-01-01 00:00:00"),
            ("2023-0", "2023-01-01 00:00:00", "2023-10-01 00:00:00"),
            ("2023-1", "2023-10-01 00:00:00", "2024-01-01 00:00:00"),
            ("2023-07", "2023-07-01 00:00:00", "2023-08-01 00:00:00"),
            ("2023-12-", "2023-12-01 00:00:00", "2024-01-01 00:00:00"),
            ("2023-07-0", "2023-07-01 00:00:00", "2023-07-10 00:00:00"),
            ("2023-02-2", "2023-02-20 00:00:00", "2023-03-01 00:00:00"),
            ("2023-07-3", "2023-07-30 00:00:00", "2023-08-01 00:00:00"),
            ("2023-07-06", "2023-07-06 00:00:00", "2023-07-07 00:00:00"),
            ("2023-07-06T", "2023-07-06 00:00:00", "2023-07-07 00:00:00"),
            ("2023-07-06T1", "2023-07-06 10:00:00", "2023-07-06 20:00:00"),
            ("2023-07-06T2", "2023-07-06 20:00:00", "2023-07-07 00:00:00"),
            (
                "2023-07-06T13:",
                "2023-07-06 13:00:00",
                "2023-07-06 14:00:00",
            ),
            (
                "2023-07-06T13:5",
                "2023-07-06 13:50:00",
                "2023-07-06 14:00:00",
            ),
            (
                "2023-07-06T13:51:0",
                "2023-07-06 13:51:00",
                "2023-07-06 13:51:10",
            ),
            (
                "2023-07-06T13:51:00",
                "2023-07-06 13:51:00",
                "2023-07-06 13:51:01",
            ),
            (
                "2023-07-06T13:51:00Z",
                "2023-07-06 13:51:00",
                "2023-07-06 13:51:00.000001",
            ),
            (
                "2023-07-06T13:51:00.",
                "2023-07-06 13:51:00.000001",
                "2023-07-06 13:51:01",
            ),
            (
                "2023-07-06T13:51:00.0",
                "2023-07-06 13:51:00.000001",
                "2023-07-06 13:51:00.1",
            ),
            (
                "2023-07-06T13:51:00.5",
                "2023-07-06 13:51:00.5",
                "2023-07-06 13:51:00.6",
            ),
            (
                "2023-07-06T13:51:00.500Z",
                "2023-07-06 13:51:00.5",
                "2023-07-06 13:51:00.500001",
            ),
            (
                "2023-07-06T13:51:00.5000",
                "2023-07-06 13:51:00.500001",
                "2023-07-06 13:51:00.5001",
            ),
        ] {
            assert_eq!(prefix_range(text), Some((at(start), at(end))), "{text}");
        }
        for text in [
            "",
            "x",
            "-",
            "2023-4",
            "2023-13",
            "2023-02-3",
            "2023-07-4",
            "2023-07-06 13",
            "2023-07-06T3",
            "2023-07-06T13:6",
            "2023-07-06T13:51:00.5Z",
            "2023-07-06T13:51:00.500000Z",
            "2023-07x",
            "2023-07-06T13:51:00.000Z",
        ] {
            assert_eq!(prefix_range(text), None, "{text}");
        }
    }
}
