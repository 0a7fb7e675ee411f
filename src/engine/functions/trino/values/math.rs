//! Arithmetic: rounding, powers and logarithms, `mod`, `sign`, `random`.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, Volatility};

use super::MATH;
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce};

pub(super) const FUNCTIONS: [Function; 19] = [
    ABS, CBRT, CEILING, DEGREES, E, EXP, FLOOR, LN, LOG, LOG10, LOG2, MOD, PI, POWER, RADIANS,
    RANDOM, ROUND, SIGN, SQRT,
];

const DOUBLE: Returns = Returns::Type(|_| Ok(DataType::Float64));

/// Integers stay integers; all other numbers are doubles.
const SAME: Returns =
    Returns::Type(|given| Ok(given.first().cloned().unwrap_or(DataType::Float64)));

/// Integers where all are, else doubles; and integers after the first `n` arguments.
fn numbers(name: &str, given: &[DataType], n: usize, most: usize) -> Result<Vec<DataType>> {
    if given.len() < n || given.len() > most {
        return plan_err!("`{name}` takes {n} to {most} numbers, not {}", given.len());
    }
    let integers = given.iter().take(n).all(DataType::is_integer);
    let kind = if integers {
        Kind::Integer
    } else {
        Kind::Double
    };
    let mut kinds = vec![kind; n];
    kinds.resize(most, Kind::Integer);
    coerce(name, given, &kinds, n)
}

fn is_integer(args: &ScalarFunctionArgs) -> bool {
    let first = args.args.first().map(ColumnarValue::data_type);
    first == Some(DataType::Int64)
}

macro_rules! double_of_double {
    ($constant:ident, $name:literal, $description:literal, $example:literal, $body:expr) => {
        const $constant: Function = Function::new(
            $name,
            Doc {
                family: MATH,
                syntax: concat!($name, "(number) → double"),
                description: $description,
                example: $example,
            },
            |given| coerce($name, given, &[Kind::Double], 1),
            DOUBLE,
            |args| {
                let body: fn(f64) -> f64 = $body;
                let rows = Rows::new(args);
                let numbers = rows.doubles(0)?;
                rows.give_doubles(|row| Ok(numbers.get(row).map(body)))
            },
        );
    };
}

double_of_double!(
    SQRT,
    "sqrt",
    "The square root.",
    "sqrt(9) -- 3.0",
    f64::sqrt
);
double_of_double!(CBRT, "cbrt", "The cube root.", "cbrt(27) -- 3.0", f64::cbrt);
double_of_double!(
    EXP,
    "exp",
    "e to the power of a number.",
    "exp(0) -- 1.0",
    f64::exp
);
double_of_double!(LN, "ln", "The natural logarithm.", "ln(1) -- 0.0", f64::ln);
double_of_double!(
    LOG2,
    "log2",
    "The logarithm to base 2.",
    "log2(8) -- 3.0",
    f64::log2
);
double_of_double!(
    LOG10,
    "log10",
    "The logarithm to base 10.",
    "log10(100) -- 2.0",
    f64::log10
);
double_of_double!(
    DEGREES,
    "degrees",
    "An angle in radians as degrees.",
    "degrees(0) -- 0.0",
    f64::to_degrees
);
double_of_double!(
    RADIANS,
    "radians",
    "An angle in degrees as radians.",
    "radians(0) -- 0.0",
    f64::to_radians
);

macro_rules! same_of_same {
    ($constant:ident, $name:literal, $aliases:expr, $description:literal, $example:literal,
     $integers:expr, $doubles:expr) => {
        const $constant: Function = Function::new(
            $name,
            Doc {
                family: MATH,
                syntax: concat!($name, "(number) → bigint or double"),
                description: $description,
                example: $example,
            },
            |given| numbers($name, given, 1, 1),
            SAME,
            |args| {
                let integers: fn(i64) -> Option<i64> = $integers;
                let doubles: fn(f64) -> f64 = $doubles;
                let rows = Rows::new(args);
                if is_integer(args) {
                    let values = rows.integers(0)?;
                    return rows.give_integers(|row| {
                        let Some(value) = values.get(row) else {
                            return Ok(None);
                        };
                        match integers(value) {
                            Some(answer) => Ok(Some(answer)),
                            None => exec_err!("`{}` of `{value}` is no bigint", $name),
                        }
                    });
                }
                let values = rows.doubles(0)?;
                rows.give_doubles(|row| Ok(values.get(row).map(doubles)))
            },
        )
        .with_aliases($aliases);
    };
}

same_of_same!(
    ABS,
    "abs",
    &[],
    "A number without its sign.",
    "abs(-2) -- 2",
    i64::checked_abs,
    f64::abs
);
same_of_same!(
    CEILING,
    "ceiling",
    &["ceil"],
    "The least whole number that is not less.",
    "ceiling(1.2) -- 2.0",
    Some,
    f64::ceil
);
same_of_same!(
    FLOOR,
    "floor",
    &[],
    "The greatest whole number that is not greater.",
    "floor(1.8) -- 1.0",
    Some,
    f64::floor
);
same_of_same!(
    SIGN,
    "sign",
    &["signum"],
    "-1, 0 or 1, as a number is below, at or above zero.",
    "sign(-7) -- -1",
    |value| Some(value.signum()),
    |value| if value == 0.0 { value } else { value.signum() }
);

const ROUND: Function = Function::new(
    "round",
    Doc {
        family: MATH,
        syntax: "round(number [, decimals]) → bigint or double",
        description: "A number rounded to so many decimals, none where they are not given; halves go away \
            from zero.",
        example: "round(2.345, 1) -- 2.3",
    },
    |given| numbers("round", given, 1, 2),
    SAME,
    |args| to_decimals(args, f64::round),
);

/// `truncate`, which lies beside its like.
pub(super) const TRUNCATE: Function = Function::new(
    "truncate",
    Doc {
        family: MATH,
        syntax: "truncate(number [, decimals]) → bigint or double",
        description: "A number without what follows so many decimals, none where they are not given.",
        example: "truncate(-2.8) -- -2.0",
    },
    |given| numbers("truncate", given, 1, 2),
    SAME,
    |args| to_decimals(args, f64::trunc),
);

fn to_decimals(args: &ScalarFunctionArgs, whole: fn(f64) -> f64) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let decimals = match rows.n_arguments() {
        1 => None,
        _ => Some(rows.integers(1)?),
    };
    let decimals = |row| decimals.as_ref().map_or(Some(0), |all| all.get(row));
    let at = |value: f64, decimals: i64| {
        let decimals = i32::try_from(decimals.clamp(-400, 400)).unwrap_or_default();
        let factor = 10f64.powi(decimals.abs());
        let moved = if decimals < 0 {
            value / factor
        } else {
            value * factor
        };
        if !moved.is_finite() {
            return value;
        }
        let whole = whole(moved);
        if decimals < 0 {
            whole * factor
        } else {
            whole / factor
        }
    };
    if is_integer(args) {
        let values = rows.integers(0)?;
        return rows.give_integers(|row| {
            let both = values.get(row).zip(decimals(row));
            Ok(both.map(|(value, decimals)| match decimals {
                0.. => value,
                _ => at(value as f64, decimals) as i64,
            }))
        });
    }
    let values = rows.doubles(0)?;
    rows.give_doubles(|row| {
        let both = values.get(row).zip(decimals(row));
        Ok(both.map(|(value, decimals)| at(value, decimals)))
    })
}

const MOD: Function = Function::new(
    "mod",
    Doc {
        family: MATH,
        syntax: "mod(number, number) → bigint or double",
        description: "What is left of a number after division, with its sign. An error where an integer \
            is divided by 0.",
        example: "mod(-7, 3) -- -1",
    },
    |given| numbers("mod", given, 2, 2),
    SAME,
    |args| {
        let rows = Rows::new(args);
        if is_integer(args) {
            let (values, divisors) = (rows.integers(0)?, rows.integers(1)?);
            return rows.give_integers(|row| match values.get(row).zip(divisors.get(row)) {
                Some((_, 0)) => exec_err!("`mod` cannot divide by 0"),
                both => Ok(both.map(|(value, divisor)| value.wrapping_rem(divisor))),
            });
        }
        let (values, divisors) = (rows.doubles(0)?, rows.doubles(1)?);
        rows.give_doubles(|row| {
            let both = values.get(row).zip(divisors.get(row));
            Ok(both.map(|(value, divisor)| value % divisor))
        })
    },
);

macro_rules! double_of_two {
    ($constant:ident, $name:literal, $aliases:expr, $syntax:literal, $description:literal,
     $example:literal, $body:expr) => {
        const $constant: Function = Function::new(
            $name,
            Doc {
                family: MATH,
                syntax: $syntax,
                description: $description,
                example: $example,
            },
            |given| coerce($name, given, &[Kind::Double; 2], 2),
            DOUBLE,
            |args| {
                let body: fn(f64, f64) -> f64 = $body;
                let rows = Rows::new(args);
                let (left, right) = (rows.doubles(0)?, rows.doubles(1)?);
                rows.give_doubles(|row| {
                    let both = left.get(row).zip(right.get(row));
                    Ok(both.map(|(left, right)| body(left, right)))
                })
            },
        )
        .with_aliases($aliases);
    };
}

double_of_two!(
    POWER,
    "power",
    &["pow"],
    "power(number, exponent) → double",
    "A number to the power of another.",
    "power(2, 10) -- 1024.0",
    f64::powf
);
double_of_two!(
    LOG,
    "log",
    &[],
    "log(base, number) → double",
    "The logarithm of a number to a base.",
    "log(2, 8) -- 3.0",
    |base, number| number.ln() / base.ln()
);

const PI: Function = Function::new(
    "pi",
    Doc {
        family: MATH,
        syntax: "pi() → double",
        description: "The circumference of a circle of diameter 1.",
        example: "floor(pi()) -- 3.0",
    },
    |given| coerce("pi", given, &[], 0),
    DOUBLE,
    |args| Rows::new(args).give_doubles(|_| Ok(Some(std::f64::consts::PI))),
);

const E: Function = Function::new(
    "e",
    Doc {
        family: MATH,
        syntax: "e() → double",
        description: "The base of natural logarithms.",
        example: "floor(e()) -- 2.0",
    },
    |given| coerce("e", given, &[], 0),
    DOUBLE,
    |args| Rows::new(args).give_doubles(|_| Ok(Some(std::f64::consts::E))),
);

const RANDOM: Function = Function::new(
    "random",
    Doc {
        family: MATH,
        syntax: "random() → double\nrandom(n) → bigint\nrandom(m, n) → bigint",
        description: "A number from 0 on and below 1, or an integer from 0 or m on and below n; another \
            one in each row. An error where there is none between m and n.",
        example: "random(1, 2) -- 1",
    },
    |given| coerce("random", given, &[Kind::Integer; 2], 0),
    Returns::Type(|given| {
        Ok(if given.is_empty() { DataType::Float64 } else { DataType::Int64 })
    }),
    random,
)
.with_aliases(&["rand"])
.with_volatility(Volatility::Volatile);

fn random(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::volatile(args);
    // The keys of hash tables are the randomness that the standard library has.
    let keys = RandomState::new();
    let bits = |row: usize| keys.hash_one(row);
    let (low, high) = match rows.n_arguments() {
        0 => {
            return rows
                .give_doubles(|row| Ok(Some((bits(row) >> 11) as f64 / (1u64 << 53) as f64)));
        }
        1 => (None, rows.integers(0)?),
        _ => (Some(rows.integers(0)?), rows.integers(1)?),
    };
    rows.give_integers(|row| {
        let low = low.as_ref().map_or(Some(0), |all| all.get(row));
        let Some((low, high)) = low.zip(high.get(row)) else {
            return Ok(None);
        };
        if low >= high {
            return exec_err!("`random` finds no integer from `{low}` on and below `{high}`");
        }
        let n = high.abs_diff(low);
        let step = (u128::from(bits(row)) * u128::from(n)) >> 64;
        Ok(u64::try_from(step)
            .ok()
            .and_then(|step| low.checked_add_unsigned(step)))
    })
}
