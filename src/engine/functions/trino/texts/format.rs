//! `format`: Java's format strings, as far as they go for texts, numbers and truth values.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::{STRINGS, VARCHAR, doc};
use crate::engine::functions::trino::define::{Function, over_arrays};
use crate::engine::functions::trino::rows::{Kind, one, shown};

pub(super) const FORMAT: Function = Function::new(
    "format",
    doc(
        STRINGS,
        "format(format, value, …) → varchar",
        "Values in a format of Java: `%s` (any value), `%d`, `%x`, `%o` (integers), `%f`, `%e` \
         (numbers), `%b`, `%c`, `%n`, `%%`, with `%2$s` for the second value, the flags `-`, `0`, `+`, \
         `,`, a space and `(`, a width and a precision. A value that is NULL is written as `null`. An \
         error where the format has something else, or a value does not fit.",
        "format('%s has %,d events, %.1f%%', 'a', 12345, 6.25) -- a has 12,345 events, 6.3%",
    ),
    types,
    VARCHAR,
    format,
);

fn types(given: &[DataType]) -> Result<Vec<DataType>> {
    let Some((first, values)) = given.split_first() else {
        return plan_err!("`format` takes a format");
    };
    let mut types = vec![one("format", first, Kind::Text)?];
    types.extend(values.iter().map(|given| match given {
        DataType::Boolean => DataType::Boolean,
        integer if integer.is_integer() => DataType::Int64,
        number if number.is_numeric() => DataType::Float64,
        _ => DataType::Utf8View,
    }));
    Ok(types)
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Null,
    Integer(i64),
    Double(f64),
    Truth(bool),
    Text(&'a str),
}

fn value(array: &ArrayRef, row: usize) -> Value<'_> {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Int64 => Value::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Value::Truth(array.as_boolean().value(row)),
        DataType::Utf8View => Value::Text(array.as_string_view().value(row)),
        _ => Value::Null,
    }
}

fn format(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let Some((formats, values)) = arrays.split_first() else {
            return plan_err!("`format` takes a format");
        };
        let formats = cast(formats, &DataType::Utf8View)?;
        let formats = formats.as_string_view();
        let mut builder = arrow::array::StringViewBuilder::with_capacity(n_rows);
        for row in 0..n_rows {
            if formats.is_null(row) {
                builder.append_null();
                continue;
            }
            let values: Vec<_> = values.iter().map(|array| value(array, row)).collect();
            builder.append_value(formatted(formats.value(row), &values)?);
        }
        Ok(std::sync::Arc::new(builder.finish()) as ArrayRef)
    })
}

/// One `%…` of a format.
#[derive(Default)]
struct Place {
    index: Option<usize>,
    flags: String,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

/// Wider places are a mistake or an attack.
const MOST_CHARS: usize = 10_000;

impl Place {
    /// Reads what follows a `%`.
    fn parse(rest: &str) -> Option<(Self, &str)> {
        let mut place = Self::default();
        let (number, after) = digits(rest);
        let mut rest = rest;
        if let Some(after) = after.strip_prefix('$') {
            place.index = Some(number?.checked_sub(1)?);
            rest = after;
        }
        let is_flag = |c: char| "-0+, (#".contains(c);
        let flags_end = rest.find(|c| !is_flag(c))?;
        let (flags, after) = rest.split_at_checked(flags_end)?;
        flags.clone_into(&mut place.flags);
        let (width, mut after) = digits(after);
        place.width = width.unwrap_or_default();
        if let Some(precision) = after.strip_prefix('.') {
            let (precision, rest) = digits(precision);
            place.precision = Some(precision?);
            after = rest;
        }
        let mut chars = after.chars();
        place.conversion = chars.next()?;
        let fits = place.width.max(place.precision.unwrap_or_default()) <= MOST_CHARS;
        fits.then_some((place, chars.as_str()))
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    /// The value as text; `None` where it does not fit.
    fn write(&self, value: Value<'_>) -> Option<String> {
        let upper = self.conversion.is_ascii_uppercase();
        let text = match (self.conversion.to_ascii_lowercase(), value) {
            ('b', Value::Truth(truth)) => self.cut(truth.to_string()),
            ('b', Value::Null) => self.cut("false".to_owned()),
            ('b', _) => self.cut("true".to_owned()),
            (_, Value::Null) => self.cut("null".to_owned()),
            ('s', Value::Text(text)) => self.cut(text.to_owned()),
            ('s', Value::Integer(number)) => self.cut(number.to_string()),
            ('s', Value::Double(number)) => self.cut(format!("{number:?}")),
            ('s', Value::Truth(truth)) => self.cut(truth.to_string()),
            ('d', Value::Integer(number)) => {
                return Some(self.number(&number.unsigned_abs().to_string(), number < 0));
            }
            ('x', Value::Integer(number)) => format!("{number:x}"),
            ('o', Value::Integer(number)) => format!("{number:o}"),
            ('c', Value::Integer(code)) => char::from_u32(u32::try_from(code).ok()?)?.to_string(),
            ('c', Value::Text(text)) if text.chars().count() == 1 => text.to_owned(),
            ('f' | 'e', Value::Double(number)) => return Some(self.double(number)),
            ('f' | 'e', Value::Integer(number)) => return Some(self.double(number as f64)),
            _ => return None,
        };
        let text = if upper { text.to_uppercase() } else { text };
        if self.has('0') && matches!(self.conversion, 'x' | 'X' | 'o') {
            return Some(format!("{text:0>width$}", width = self.width));
        }
        Some(self.padded(text))
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text,
        }
    }

    fn double(&self, number: f64) -> String {
        if !number.is_finite() {
            return self.padded(if number.is_nan() {
                "NaN".to_owned()
            } else {
                if number > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                }
                .to_owned()
            });
        }
        let precision = self.precision.unwrap_or(6);
        let digits = if self.conversion.eq_ignore_ascii_case(&'e') {
            let text = format!("{:.precision$e}", number.abs());
            let (number, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{number}e{sign}{exponent:0>2}")
        } else {
            half_up(number.abs(), precision)
        };
        self.number(&digits, number < 0.0)
    }

    /// Digits with their sign, groups and zeros.
    fn number(&self, digits: &str, negative: bool) -> String {
        let mut text = if self.has(',') {
            grouped(digits)
        } else {
            digits.to_owned()
        };
        let (before, after) = match (negative, self.has('('), self.has('+'), self.has(' ')) {
            (true, true, _, _) => ("(", ")"),
            (true, false, _, _) => ("-", ""),
            (false, _, true, _) => ("+", ""),
            (false, _, false, true) => (" ", ""),
            (false, _, false, false) => ("", ""),
        };
        if self.has('0') {
            let width = self.width.saturating_sub(before.len() + after.len());
            text = format!("{text:0>width$}");
        }
        self.padded(format!("{before}{text}{after}"))
    }

    fn padded(&self, text: String) -> String {
        let width = self.width;
        if self.has('-') {
            format!("{text:<width$}")
        } else {
            format!("{text:>width$}")
        }
    }
}

/// Rounded as Java does: half up, by the shortest decimal digits of the number.
fn half_up(number: f64, precision: usize) -> String {
    let shortest = format!("{number}");
    let decimals = shortest
        .split_once('.')
        .map_or("", |(_, decimals)| decimals);
    let is_half = decimals.len() == precision + 1 && decimals.ends_with('5');
    if !is_half {
        return format!("{number:.precision$}");
    }
    // The digit before the five goes up: a number a little larger rounds so.
    let larger = format!("{}6", shortest.strip_suffix('5').unwrap_or(&shortest));
    let larger = larger.parse().unwrap_or(number);
    format!("{larger:.precision$}")
}

fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.find(['.', 'e']).unwrap_or(digits.len()));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

fn digits(text: &str) -> (Option<usize>, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    // A leading zero is a flag.
    match text.split_at_checked(end) {
        Some((number, rest)) if !number.starts_with('0') => (number.parse().ok(), rest),
        _ => (None, text),
    }
}

fn formatted(format: &str, values: &[Value<'_>]) -> Result<String> {
    let mut out = String::new();
    let mut rest = format;
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let Some((place, after)) = Place::parse(after) else {
            return exec_err!("`format` cannot read the format `{}`", shown(format));
        };
        rest = after;
        match place.conversion {
            '%' => out.push_str(&place.padded("%".to_owned())),
            'n' => out.push('\n'),
            conversion => {
                let index = place.index.unwrap_or(next);
                next += usize::from(place.index.is_none());
                let Some(value) = values.get(index) else {
                    let format = shown(format);
                    return exec_err!(
                        "`format` has no value {} for the format `{format}`",
                        index + 1
                    );
                };
                let Some(text) = place.write(*value) else {
                    let format = shown(format);
                    return exec_err!(
                        "`format` cannot write value {} as `%{conversion}` in the format `{format}`",
                        index + 1
                    );
                };
                out.push_str(&text);
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}
