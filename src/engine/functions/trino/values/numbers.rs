//! Numbers: kinds of doubles, `mod`, `truncate`, `sign`, `width_bucket`, bases, bits, sizes as text.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::{BITS, CONVERSION, MATH};
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, shown};

pub(super) const FUNCTIONS: [Function; 18] = [
    BITWISE_AND,
    BITWISE_OR,
    BITWISE_XOR,
    BITWISE_LEFT_SHIFT,
    BITWISE_RIGHT_SHIFT,
    BITWISE_RIGHT_SHIFT_ARITHMETIC,
    BITWISE_NOT,
    BIT_COUNT,
    FORMAT_NUMBER,
    FROM_BASE,
    INFINITY,
    IS_FINITE,
    IS_INFINITE,
    IS_NAN,
    NAN,
    PARSE_DATA_SIZE,
    TO_BASE,
    WIDTH_BUCKET,
];

const BOOLEAN: Returns = Returns::Type(|_| Ok(DataType::Boolean));
const BIGINT: Returns = Returns::Type(|_| Ok(DataType::Int64));
const DOUBLE: Returns = Returns::Type(|_| Ok(DataType::Float64));
const VARCHAR: Returns = Returns::Type(|_| Ok(DataType::Utf8View));

macro_rules! double_is {
    ($constant:ident, $name:literal, $description:literal, $example:literal, $body:expr) => {
        const $constant: Function = Function::new(
            $name,
            Doc {
                family: MATH,
                syntax: concat!($name, "(number) → boolean"),
                description: $description,
                example: $example,
            },
            |given| coerce($name, given, &[Kind::Double], 1),
            BOOLEAN,
            |args| {
                let body: fn(f64) -> bool = $body;
                let rows = Rows::new(args);
                let numbers = rows.doubles(0)?;
                rows.give_truths(|row| Ok(numbers.get(row).map(body)))
            },
        );
    };
}

double_is!(
    IS_NAN,
    "is_nan",
    "Whether a number is none.",
    "is_nan(nan()) -- true",
    f64::is_nan
);
double_is!(
    IS_FINITE,
    "is_finite",
    "Whether a number is neither infinite nor none.",
    "is_finite(1.5) -- true",
    f64::is_finite
);
double_is!(
    IS_INFINITE,
    "is_infinite",
    "Whether a number is infinite.",
    "is_infinite(infinity()) -- true",
    f64::is_infinite
);

const NAN: Function = Function::new(
    "nan",
    Doc {
        family: MATH,
        syntax: "nan() → double",
        description: "The number that is none.",
        example: "nan() -- NaN",
    },
    |given| coerce("nan", given, &[], 0),
    DOUBLE,
    |args| Rows::new(args).give_doubles(|_| Ok(Some(f64::NAN))),
);

const INFINITY: Function = Function::new(
    "infinity",
    Doc {
        family: MATH,
        syntax: "infinity() → double",
        description: "The number above all others.",
        example: "infinity() -- inf",
    },
    |given| coerce("infinity", given, &[], 0),
    DOUBLE,
    |args| Rows::new(args).give_doubles(|_| Ok(Some(f64::INFINITY))),
);

macro_rules! bitwise {
    ($constant:ident, $name:literal, $description:literal, $example:literal, $body:expr) => {
        const $constant: Function = Function::new(
            $name,
            Doc {
                family: BITS,
                syntax: concat!($name, "(integer, integer) → bigint"),
                description: $description,
                example: $example,
            },
            |given| coerce($name, given, &[Kind::Integer; 2], 2),
            BIGINT,
            |args| {
                let body: fn(i64, i64) -> i64 = $body;
                let rows = Rows::new(args);
                let (left, right) = (rows.integers(0)?, rows.integers(1)?);
                rows.give_integers(|row| {
                    let both = left.get(row).zip(right.get(row));
                    Ok(both.map(|(left, right)| body(left, right)))
                })
            },
        );
    };
}

bitwise!(
    BITWISE_AND,
    "bitwise_and",
    "The bits that both integers have.",
    "bitwise_and(19, 25) -- 17",
    |a, b| a & b
);
bitwise!(
    BITWISE_OR,
    "bitwise_or",
    "The bits that either integer has.",
    "bitwise_or(19, 25) -- 27",
    |a, b| a | b
);
bitwise!(
    BITWISE_XOR,
    "bitwise_xor",
    "The bits that only one of the integers has.",
    "bitwise_xor(19, 25) -- 10",
    |a, b| a ^ b
);
bitwise!(
    BITWISE_LEFT_SHIFT,
    "bitwise_left_shift",
    "An integer with its bits moved up. 0 where they are moved by 64 or more.",
    "bitwise_left_shift(7, 2) -- 28",
    |value, shift| shifted(shift, |shift| value.checked_shl(shift)).unwrap_or(0)
);
bitwise!(
    BITWISE_RIGHT_SHIFT,
    "bitwise_right_shift",
    "An integer with its bits moved down, zeros coming in. 0 where they are moved by 64 or more.",
    "bitwise_right_shift(7, 2) -- 1",
    |value, shift| {
        let moved = shifted(shift, |shift| value.cast_unsigned().checked_shr(shift));
        moved.unwrap_or(0).cast_signed()
    }
);
bitwise!(
    BITWISE_RIGHT_SHIFT_ARITHMETIC,
    "bitwise_right_shift_arithmetic",
    "An integer with its bits moved down, the sign coming in.",
    "bitwise_right_shift_arithmetic(-8, 2) -- -2",
    |value, shift| shifted(shift, |shift| value.checked_shr(shift)).unwrap_or(value >> 63)
);

fn shifted<T>(shift: i64, by: impl Fn(u32) -> Option<T>) -> Option<T> {
    u32::try_from(shift).ok().and_then(by)
}

const BITWISE_NOT: Function = Function::new(
    "bitwise_not",
    Doc {
        family: BITS,
        syntax: "bitwise_not(integer) → bigint",
        description: "The bits that an integer does not have.",
        example: "bitwise_not(19) -- -20",
    },
    |given| coerce("bitwise_not", given, &[Kind::Integer], 1),
    BIGINT,
    |args| {
        let rows = Rows::new(args);
        let values = rows.integers(0)?;
        rows.give_integers(|row| Ok(values.get(row).map(|value| !value)))
    },
);

const BIT_COUNT: Function = Function::new(
    "bit_count",
    Doc {
        family: BITS,
        syntax: "bit_count(integer [, bits]) → bigint",
        description: "How many bits an integer has set, as one of that many bits: 64 where none are given. \
            An error where it does not fit.",
        example: "bit_count(-7, 8) -- 6",
    },
    |given| coerce("bit_count", given, &[Kind::Integer; 2], 1),
    BIGINT,
    |args| {
        let rows = Rows::new(args);
        let values = rows.integers(0)?;
        let sizes = match rows.n_arguments() {
            1 => None,
            _ => Some(rows.integers(1)?),
        };
        rows.give_integers(|row| {
            let size = sizes.as_ref().map_or(Some(64), |all| all.get(row));
            let Some((value, size)) = values.get(row).zip(size) else {
                return Ok(None);
            };
            let unused = u32::try_from(size)
                .ok()
                .and_then(|size| 64u32.checked_sub(size));
            let Some(unused) = unused.filter(|unused| *unused < 63) else {
                return exec_err!("`bit_count` takes 2 to 64 bits, not `{size}`");
            };
            if (value << unused) >> unused != value {
                return exec_err!("`bit_count` cannot fit `{value}` into {size} bits");
            }
            Ok(Some((value << unused).count_ones().into()))
        })
    },
);

const WIDTH_BUCKET: Function = Function::new(
    "width_bucket",
    Doc {
        family: MATH,
        syntax: "width_bucket(number, low, high, n) → bigint",
        description: "In which of n equal parts of a range a number lies, counted from 1; 0 below it and \
            n + 1 above it. An error where there is no range or n is not positive.",
        example: "width_bucket(5.35, 0.024, 10.06, 5) -- 3",
    },
    |given| {
        let kinds = [Kind::Double, Kind::Double, Kind::Double, Kind::Integer];
        coerce("width_bucket", given, &kinds, 4)
    },
    BIGINT,
    width_bucket,
);

fn width_bucket(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (values, lows) = (rows.doubles(0)?, rows.doubles(1)?);
    let (highs, counts) = (rows.doubles(2)?, rows.integers(3)?);
    rows.give_integers(|row| {
        let range = lows.get(row).zip(highs.get(row));
        let Some(((value, (low, high)), n)) = values.get(row).zip(range).zip(counts.get(row))
        else {
            return Ok(None);
        };
        let is_range = value.is_finite() && low.is_finite() && high.is_finite() && low != high;
        if !is_range || n < 1 {
            return exec_err!("`width_bucket` takes a range of numbers and a positive count");
        }
        let (start, end, value) = if low < high {
            (low, high, value)
        } else {
            (-low, -high, -value)
        };
        Ok(Some(if value < start {
            0
        } else if value >= end {
            n.saturating_add(1)
        } else {
            (n as f64 * (value - start) / (end - start)) as i64 + 1
        }))
    })
}

const TO_BASE: Function = Function::new(
    "to_base",
    Doc {
        family: MATH,
        syntax: "to_base(integer, base) → varchar",
        description: "An integer written in a base of 2 to 36.",
        example: "to_base(255, 16) -- ff",
    },
    |given| coerce("to_base", given, &[Kind::Integer; 2], 2),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let (values, bases) = (rows.integers(0)?, rows.integers(1)?);
        rows.give_texts(|row| {
            let Some((value, given)) = values.get(row).zip(bases.get(row)) else {
                return Ok(None);
            };
            let base = base("to_base", given)?;
            let mut rest = value.unsigned_abs();
            let mut digits = Vec::new();
            while rest > 0 || digits.is_empty() {
                let digit = u32::try_from(rest % u64::from(base)).unwrap_or_default();
                digits.extend(char::from_digit(digit, base));
                rest /= u64::from(base);
            }
            digits.extend((value < 0).then_some('-'));
            Ok(Some(digits.into_iter().rev().collect::<String>()))
        })
    },
);

fn base(name: &str, given: i64) -> Result<u32> {
    match u32::try_from(given) {
        Ok(base @ 2..=36) => Ok(base),
        _ => exec_err!("`{name}` takes a base of 2 to 36, not `{given}`"),
    }
}

const FROM_BASE: Function = Function::new(
    "from_base",
    Doc {
        family: MATH,
        syntax: "from_base(text, base) → bigint",
        description: "The integer that a text writes in a base of 2 to 36. An error where it is none.",
        example: "from_base('ff', 16) -- 255",
    },
    |given| coerce("from_base", given, &[Kind::Text, Kind::Integer], 2),
    BIGINT,
    |args| {
        let rows = Rows::new(args);
        let (texts, bases) = (rows.texts(0)?, rows.integers(1)?);
        rows.give_integers(|row| {
            let Some((text, given)) = texts.get(row).zip(bases.get(row)) else {
                return Ok(None);
            };
            let base = base("from_base", given)?;
            let number = i64::from_str_radix(text, base);
            number.map(Some).map_err(|_| {
                exec_datafusion_err!("`from_base` cannot read `{}` in base {base}", shown(text))
            })
        })
    },
);

const FORMAT_NUMBER: Function = Function::new(
    "format_number",
    Doc {
        family: CONVERSION,
        syntax: "format_number(number) → varchar",
        description: "A number with three digits and a letter for thousands (K), millions (M), billions \
            (B), trillions (T) or quadrillions (Q).",
        example: "format_number(123456) -- 123K",
    },
    |given| coerce("format_number", given, &[Kind::Double], 1),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let numbers = rows.doubles(0)?;
        rows.give_texts(|row| Ok(numbers.get(row).map(short_number)))
    },
);

fn short_number(number: f64) -> String {
    let mut size = number.abs();
    let mut letters = ["", "K", "M", "B", "T", "Q"].into_iter();
    let mut letter = letters.next().unwrap_or_default();
    while size >= 1000.0
        && let Some(next) = letters.next()
    {
        size /= 1000.0;
        letter = next;
    }
    let n_decimals = match size {
        small if small < 10.0 => 2,
        middle if middle < 100.0 => 1,
        _ => 0,
    };
    let mut digits = format!("{size:.n_decimals$}");
    if digits.contains('.') {
        digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
    }
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{digits}{letter}")
}

const PARSE_DATA_SIZE: Function = Function::new(
    "parse_data_size",
    Doc {
        family: CONVERSION,
        syntax: "parse_data_size(text) → decimal",
        description: "The bytes that a size like `2.3MB` means, as a bigint: units are powers of 1024, \
            from `B` to `EB`. An error where the text is none or the size does not fit.",
        example: "parse_data_size('1kB') -- 1024",
    },
    |given| coerce("parse_data_size", given, &[Kind::Text], 1),
    BIGINT,
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_integers(|row| {
            let Some(text) = texts.get(row) else {
                return Ok(None);
            };
            let bytes = data_size(text).map(Some);
            bytes.ok_or_else(|| exec_datafusion_err!("`parse_data_size` cannot read `{}`", shown(text)))
        })
    },
)
.with_aliases(&["parse_presto_data_size"]);

fn data_size(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = text.split_at_checked(end)?;
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let power = units.iter().position(|known| *known == unit.trim())?;
    let power = i32::try_from(power).ok()?;
    let bytes = number.parse::<f64>().ok()? * 1024f64.powi(power);
    (bytes < 9e18).then_some(bytes as i64)
}
