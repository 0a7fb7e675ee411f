//! Spans of time as people write them: `parse_duration` and `human_readable_seconds`.

use std::sync::Arc;

use arrow::array::{Array, AsArray, IntervalMonthDayNanoArray, StringViewArray};
use arrow::datatypes::{
    DataType, Float64Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::FAMILY;
use super::moments::{Slot, coerce, text, texts};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

pub(super) const FUNCTIONS: [Function; 3] = [PARSE, HUMAN, TIMES];

const TIMES: Function = Function::new(
    "interval_times",
    Doc {
        family: FAMILY,
        syntax: "interval_times(number, interval) → interval",
        description: "What `number * interval` becomes, for whole numbers. What is too long is an error.",
        example: "SELECT interval_times(3, INTERVAL '10' MINUTE) = INTERVAL '30' MINUTE; -- true",
    },
    |types| match types {
        [number, DataType::Interval(_)] if number.is_integer() || number.is_null() => Ok(vec![
            DataType::Int64,
            DataType::Interval(IntervalUnit::MonthDayNano),
        ]),
        _ => plan_err!("`interval_times` takes a whole number and an interval"),
    },
    Returns::Type(|_| Ok(DataType::Interval(IntervalUnit::MonthDayNano))),
    times,
);

const PARSE: Function = Function::new(
    "parse_duration",
    Doc {
        family: FAMILY,
        syntax: "parse_duration(string) → interval",
        description: "The span that a number and a unit name (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`), to the \
                      millisecond.",
        example: "SELECT to_milliseconds(parse_duration('42.8ms')); -- 43",
    },
    |types| coerce("parse_duration", types, &[Slot::Text]),
    Returns::Type(|_| Ok(DataType::Interval(IntervalUnit::MonthDayNano))),
    parse,
);

const HUMAN: Function = Function::new(
    "human_readable_seconds",
    Doc {
        family: FAMILY,
        syntax: "human_readable_seconds(double) → varchar",
        description: "Whole seconds as weeks, days, hours, minutes and seconds. The sign does not count.",
        example: "SELECT human_readable_seconds(3762); -- 1 hour, 2 minutes, 42 seconds",
    },
    |types| coerce("human_readable_seconds", types, &[Slot::Number]),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    human,
);

fn times(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [numbers, intervals] = arrays else {
            return exec_err!("`interval_times` takes 2 arguments");
        };
        let numbers = numbers.as_primitive::<Int64Type>();
        let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
        let products = (0..n_rows).map(|row| {
            if numbers.is_null(row) || intervals.is_null(row) {
                return Ok(None);
            }
            match product(numbers.value(row), intervals.value(row)) {
                Some(product) => Ok(Some(product)),
                None => exec_err!("`interval_times`: the interval is too long"),
            }
        });
        let products = products.collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(IntervalMonthDayNanoArray::from(products)))
    })
}

/// `None` where a part is too long.
fn product(number: i64, interval: IntervalMonthDayNano) -> Option<IntervalMonthDayNano> {
    let part = |part: i32| i32::try_from(i64::from(part).checked_mul(number)?).ok();
    Some(IntervalMonthDayNano::new(
        part(interval.months)?,
        part(interval.days)?,
        interval.nanoseconds.checked_mul(number)?,
    ))
}

fn parse(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [array] = arrays else {
            return exec_err!("`parse_duration` takes 1 argument");
        };
        let texts = texts(array)?;
        let spans = (0..n_rows).map(|row| match text(texts, row) {
            None => Ok(None),
            Some(text) => match millis(text).and_then(|millis| millis.checked_mul(1_000_000)) {
                Some(nanos) => Ok(Some(IntervalMonthDayNano::new(0, 0, nanos))),
                None => exec_err!("`parse_duration` cannot read `{text}`"),
            },
        });
        let spans = spans.collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(IntervalMonthDayNanoArray::from(spans)))
    })
}

/// Whole milliseconds, rounded.
fn millis(text: &str) -> Option<i64> {
    let text = text.trim();
    let plain = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let (number, unit) = text.split_at_checked(text.bytes().take_while(plain).count())?;
    let well_formed = match number.split_once('.') {
        Some((whole, fraction)) => {
            !whole.is_empty() && !fraction.is_empty() && !fraction.contains('.')
        }
        None => !number.is_empty(),
    };
    if !well_formed {
        return None;
    }
    let unit = match unit.trim() {
        "ns" => 1e-6,
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 6e4,
        "h" => 3.6e6,
        "d" => 8.64e7,
        _ => return None,
    };
    let millis = (number.parse::<f64>().ok()? * unit + 0.5).floor();
    // Nanoseconds of the span must fit in 64 bits.
    (millis < 9.2e12).then_some(millis as i64)
}

fn human(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [array] = arrays else {
            return exec_err!("`human_readable_seconds` takes 1 argument");
        };
        let seconds = array.as_primitive::<Float64Type>();
        let texts = (0..n_rows).map(|row| {
            if seconds.is_null(row) {
                return Ok(None);
            }
            let value = seconds.value(row);
            if !value.is_finite() {
                return exec_err!("`human_readable_seconds` takes a finite number, not `{value}`");
            }
            Ok(Some(words(value.abs() as u64)))
        });
        let texts = texts.collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(StringViewArray::from_iter(texts)))
    })
}

fn words(seconds: u64) -> String {
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, length) in [
        ("week", 604_800),
        ("day", 86_400),
        ("hour", 3_600),
        ("minute", 60),
        ("second", 1),
    ] {
        let n = rest / length;
        rest %= length;
        if n > 0 || (name == "second" && parts.is_empty()) {
            let s = if n == 1 { "" } else { "s" };
            parts.push(format!("{n} {name}{s}"));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, expected) in [
            ("42.8ms", Some(43)),
            ("3.81 d", Some(329_184_000)),
            ("5m", Some(300_000)),
            (" 1h ", Some(3_600_000)),
            ("499999ns", Some(0)),
            ("500us", Some(1)),
            ("5", None),
            ("m", None),
            (".5s", None),
            ("5.s", None),
            ("1.2.3s", None),
            ("-5s", None),
            ("5w", None),
            ("99999999999d", None),
            ("", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }

    #[test]
    fn seconds_are_written() {
        for (seconds, expected) in [
            (96, "1 minute, 36 seconds"),
            (3_762, "1 hour, 2 minutes, 42 seconds"),
            (
                56_363_463,
                "93 weeks, 1 day, 8 hours, 31 minutes, 3 seconds",
            ),
            (60, "1 minute"),
            (0, "0 seconds"),
        ] {
            assert_eq!(words(seconds), expected);
        }
    }
}
