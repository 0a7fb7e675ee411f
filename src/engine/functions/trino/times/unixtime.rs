//! Seconds since 1970: `to_unixtime`, `from_unixtime`, `from_unixtime_nanos`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Float64Type, TimeUnit};
use chrono::{FixedOffset, NaiveDateTime};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs};

use super::FAMILY;
use super::moments::{Moments, Slot, coerce, text, texts};
use super::range;
use super::zone::Zone;
use super::zones::{constant_zone_kept, known_zone, nullable};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::types::timestamp_with_zone;

pub(super) const FUNCTIONS: [Function; 3] = [TO, FROM, FROM_NANOS];

const TO: Function = Function::new(
    "to_unixtime",
    Doc {
        family: FAMILY,
        syntax: "to_unixtime(x) → double",
        description: "Seconds since 1970-01-01 00:00:00 UTC.",
        example: "SELECT to_unixtime(TIMESTAMP '2023-07-06 13:51:00'); -- 1688651460.0",
    },
    |types| coerce("to_unixtime", types, &[Slot::Time]),
    Returns::Type(|_| Ok(DataType::Float64)),
    to_unixtime,
)
.with_preimage(to_preimage);

const FROM: Function = Function::new(
    "from_unixtime",
    Doc {
        family: FAMILY,
        syntax: "from_unixtime(unixtime) → timestamp(3) with time zone\n\
                 from_unixtime(unixtime, zone) → timestamp(3) with time zone\n\
                 from_unixtime(unixtime, hours, minutes) → timestamp(3) with time zone",
        description: "The moment so many seconds after 1970-01-01 00:00:00 UTC, to the millisecond, shown in \
                      UTC, in a zone, or so many hours and minutes from UTC. A zone that differs from row to \
                      row is not kept.",
        example: "SELECT from_unixtime(1688651460); -- 2023-07-06T13:51:00Z",
    },
    coerce_from,
    Returns::Field(from_field),
    from_unixtime,
);

const FROM_NANOS: Function = Function::new(
    "from_unixtime_nanos",
    Doc {
        family: FAMILY,
        syntax: "from_unixtime_nanos(unixtime) → timestamp(9) with time zone",
        description: "The moment so many nanoseconds after 1970-01-01 00:00:00 UTC.",
        example: "SELECT from_unixtime_nanos(1000000000); -- 1970-01-01T00:00:01Z",
    },
    |types| match types {
        [DataType::Null] => Ok(vec![DataType::Int64]),
        [whole] if whole.is_integer() => Ok(vec![DataType::Int64]),
        [decimal] if decimal.is_decimal() => Ok(vec![decimal.clone()]),
        _ => plan_err!("`from_unixtime_nanos` takes a whole or decimal number"),
    },
    Returns::Type(|_| {
        Ok(DataType::Timestamp(
            TimeUnit::Nanosecond,
            Some("UTC".into()),
        ))
    }),
    from_nanos,
);

fn to_unixtime(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [array] = arrays else {
            return exec_err!("`to_unixtime` takes 1 argument");
        };
        let moments = Moments::new("to_unixtime", array)?;
        let rows = moments.rows(n_rows, |_, moment| Ok(Some(seconds(moment.utc))))?;
        Ok(Arc::new(Float64Array::from(rows)))
    })
}

fn seconds(time: NaiveDateTime) -> f64 {
    let time = time.and_utc();
    // Trino counts milliseconds or picoseconds; microseconds are what events have.
    time.timestamp_micros() as f64 / 1e6
}

fn to_preimage(args: &[Expr], constant: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
    let ([argument], Some(ScalarValue::Float64(Some(constant)))) = (args, constant.as_literal())
    else {
        return Ok(PreimageResult::None);
    };
    range::preimage(argument, info, |moment| {
        seconds(moment.utc).partial_cmp(constant)
    })
}

fn coerce_from(types: &[DataType]) -> Result<Vec<DataType>> {
    let slots: &[Slot] = match types.len() {
        2 => &[Slot::Number, Slot::Text],
        3 => &[Slot::Number, Slot::Whole, Slot::Whole],
        _ => &[Slot::Number],
    };
    let coerced = coerce("from_unixtime", types, slots)?;
    Ok(constant_zone_kept(types, coerced))
}

fn from_field(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let zone = match args.scalar_arguments {
        [_, zone] => known_zone("from_unixtime", *zone)?.name(),
        [_, Some(hours), Some(minutes)] => {
            let number = |value: &ScalarValue| i64::try_from((*value).clone()).unwrap_or(0);
            Zone::Fixed(fixed(number(hours), number(minutes))?).name()
        }
        _ => "UTC".to_owned(),
    };
    Ok(nullable("from_unixtime", timestamp_with_zone(&zone)))
}

/// Hours and minutes east of UTC; minutes go the way of the hours.
fn fixed(hours: i64, minutes: i64) -> Result<FixedOffset> {
    let wrong = || {
        exec_datafusion_err!(
            "`from_unixtime` knows no zone at `{hours}` hours and `{minutes}` minutes"
        )
    };
    let minutes_east = hours
        .checked_mul(60)
        .and_then(|east| east.checked_add(if hours < 0 { -minutes } else { minutes }))
        .filter(|east| east.abs() <= 14 * 60 && (0..60).contains(&minutes))
        .ok_or_else(wrong)?;
    let seconds = i32::try_from(minutes_east * 60).map_err(|_| wrong())?;
    FixedOffset::east_opt(seconds).ok_or_else(wrong)
}

fn from_unixtime(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let data_type = args.return_field.data_type();
    over_arrays(args, |arrays, n_rows| {
        let Some(seconds) = arrays.first() else {
            return exec_err!("`from_unixtime` takes 1 to 3 arguments");
        };
        let seconds = seconds.as_primitive::<Float64Type>();
        let millis = (0..n_rows).map(|row| {
            let null = arrays.iter().any(|argument| argument.is_null(row));
            if null {
                return Ok(None);
            }
            check_zone(arrays, row)?;
            from_seconds(seconds.value(row)).map(Some)
        });
        let millis: ArrayRef = Arc::new(millis.collect::<Result<Int64Array>>()?);
        Ok(cast(&millis, data_type)?)
    })
}

fn from_seconds(seconds: f64) -> Result<i64> {
    let millis = (seconds * 1e3 + 0.5).floor();
    // The years that a time can have.
    if millis.abs() < 8e15 {
        Ok(millis as i64)
    } else {
        exec_err!("`from_unixtime` cannot go to `{seconds}`")
    }
}

/// A zone that differs from row to row is not kept, but must be one.
fn check_zone(arrays: &[ArrayRef], row: usize) -> Result<()> {
    match arrays {
        [_, zones] => match text(texts(&cast(zones, &DataType::Utf8View)?)?, row) {
            Some(zone) if Zone::parse(zone).is_none() => {
                exec_err!("`from_unixtime` does not know the time zone `{zone}`")
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn from_nanos(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let data_type = args.return_field.data_type();
    over_arrays(args, |arrays, _| {
        let [array] = arrays else {
            return exec_err!("`from_unixtime_nanos` takes 1 argument");
        };
        let numbers = cast(array, &DataType::Int64)?;
        Ok(cast(&numbers, data_type)?)
    })
}
