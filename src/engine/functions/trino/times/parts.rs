//! Parts of times and of intervals as numbers: `year` to `millisecond`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit};
use chrono::{Datelike, NaiveDateTime, Timelike};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs};

use super::FAMILY;
use super::iso::week_date;
use super::moments::{Moments, Slot, coerce};
use super::range;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

pub(super) const FUNCTIONS: [Function; 13] = [
    YEAR,
    QUARTER,
    MONTH,
    WEEK,
    DAY,
    DAY_OF_WEEK,
    DAY_OF_YEAR,
    YEAR_OF_WEEK,
    HOUR,
    MINUTE,
    SECOND,
    MILLISECOND,
    TO_MILLISECONDS,
];

/// Months, and milliseconds of days and clock: intervals in Trino are either.
#[derive(Debug, Clone, Copy, Default)]
struct Interval {
    months: i64,
    millis: i64,
}

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A part of a time, and of an interval where Trino has it.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    of_time: fn(NaiveDateTime) -> i64,
    of_interval: Option<fn(Interval) -> i64>,
}

macro_rules! part {
    ($name:literal, $syntax:literal, $description:literal, $example:literal, $time:expr, $interval:expr) => {{
        const PART: Part = Part {
            name: $name,
            of_time: $time,
            of_interval: $interval,
        };
        Function::new(
            $name,
            Doc {
                family: FAMILY,
                syntax: $syntax,
                description: $description,
                example: $example,
            },
            |types| coerce_part(PART, types),
            Returns::Type(|_| Ok(DataType::Int64)),
            |args| parts(PART, args),
        )
    }};
}

const YEAR: Function = part!(
    "year",
    "year(x) → bigint",
    "The year of a date or a time in the zone of its type, or the whole years of an interval.",
    "SELECT year(DATE '2023-07-06'); -- 2023",
    |time| time.year().into(),
    Some(|interval| interval.months / 12)
)
.with_preimage(year_preimage);

const QUARTER: Function = part!(
    "quarter",
    "quarter(x) → bigint",
    "The quarter of the year, 1 to 4.",
    "SELECT quarter(DATE '2023-07-06'); -- 3",
    |time| time.quarter().into(),
    None
);

const MONTH: Function = part!(
    "month",
    "month(x) → bigint",
    "The month of a date or a time, 1 to 12, or the months of an interval beyond its whole years.",
    "SELECT month(DATE '2023-07-06'); -- 7",
    |time| time.month().into(),
    Some(|interval| interval.months % 12)
);

const WEEK: Function = part!(
    "week",
    "week(x) → bigint",
    "The ISO week of the year, 1 to 53.",
    "SELECT week(DATE '2023-07-06'); -- 27",
    |time| week_date(time.date()).1.into(),
    None
)
.with_aliases(&["week_of_year"]);

const DAY: Function = part!(
    "day",
    "day(x) → bigint",
    "The day of the month, or the whole days of an interval.",
    "SELECT day(DATE '2023-07-06'); -- 6",
    |time| time.day().into(),
    Some(|interval| interval.millis / MILLIS_PER_DAY)
)
.with_aliases(&["day_of_month"]);

const DAY_OF_WEEK: Function = part!(
    "day_of_week",
    "day_of_week(x) → bigint",
    "The day of the week, from 1 (Monday) to 7 (Sunday).",
    "SELECT day_of_week(DATE '2023-07-06'); -- 4",
    |time| time.weekday().number_from_monday().into(),
    None
)
.with_aliases(&["dow"]);

const DAY_OF_YEAR: Function = part!(
    "day_of_year",
    "day_of_year(x) → bigint",
    "The day of the year, 1 to 366.",
    "SELECT day_of_year(DATE '2023-07-06'); -- 187",
    |time| time.ordinal().into(),
    None
)
.with_aliases(&["doy"]);

const YEAR_OF_WEEK: Function = part!(
    "year_of_week",
    "year_of_week(x) → bigint",
    "The year that the ISO week belongs to.",
    "SELECT year_of_week(DATE '2024-12-30'); -- 2025",
    |time| week_date(time.date()).0.into(),
    None
)
.with_aliases(&["yow"]);

const HOUR: Function = part!(
    "hour",
    "hour(x) → bigint",
    "The hour of the day, 0 to 23, in the zone of the type; of an interval, the hours beyond its whole days.",
    "SELECT hour(TIMESTAMP '2023-07-06 13:51:00'); -- 13",
    |time| time.hour().into(),
    Some(|interval| interval.millis % MILLIS_PER_DAY / 3_600_000)
);

const MINUTE: Function = part!(
    "minute",
    "minute(x) → bigint",
    "The minute of the hour.",
    "SELECT minute(TIMESTAMP '2023-07-06 13:51:00'); -- 51",
    |time| time.minute().into(),
    Some(|interval| interval.millis % 3_600_000 / 60_000)
);

const SECOND: Function = part!(
    "second",
    "second(x) → bigint",
    "The second of the minute.",
    "SELECT second(TIMESTAMP '2023-07-06 13:51:08'); -- 8",
    |time| time.second().into(),
    Some(|interval| interval.millis % 60_000 / 1_000)
);

const MILLISECOND: Function = part!(
    "millisecond",
    "millisecond(x) → bigint",
    "The millisecond of the second.",
    "SELECT millisecond(TIMESTAMP '2023-07-06 13:51:08.25'); -- 250",
    |time| (time.nanosecond() / 1_000_000).into(),
    Some(|interval| interval.millis % 1_000)
);

const TO_MILLISECONDS: Function = Function::new(
    "to_milliseconds",
    Doc {
        family: FAMILY,
        syntax: "to_milliseconds(interval) → bigint",
        description: "The milliseconds of an interval; months do not count.",
        example: "SELECT to_milliseconds(INTERVAL '1' MINUTE); -- 60000",
    },
    |types| match types {
        [DataType::Null] => Ok(vec![INTERVAL]),
        [given] if is_interval(given) => Ok(vec![INTERVAL]),
        _ => plan_err!("`to_milliseconds` takes an interval"),
    },
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        over_arrays(args, |arrays, n_rows| {
            of_intervals("to_milliseconds", arrays, n_rows, |interval| {
                interval.millis
            })
        })
    },
);

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

fn coerce_part(part: Part, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [given] if is_interval(given) => match part.of_interval {
            Some(_) => Ok(vec![INTERVAL]),
            None => plan_err!("`{}` takes a date or a time, not an interval", part.name),
        },
        _ => coerce(part.name, types, &[Slot::Time]),
    }
}

fn parts(part: Part, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [array] = arrays else {
            return exec_err!("`{}` takes 1 argument", part.name);
        };
        if let (&INTERVAL, Some(of_interval)) = (array.data_type(), part.of_interval) {
            return of_intervals(part.name, arrays, n_rows, of_interval);
        }
        let moments = Moments::new(part.name, array)?;
        let numbers = moments.rows(n_rows, |_, moment| Ok(Some((part.of_time)(moment.local))))?;
        Ok(Arc::new(Int64Array::from(numbers)))
    })
}

fn of_intervals(
    name: &str,
    arrays: &[ArrayRef],
    n_rows: usize,
    part: fn(Interval) -> i64,
) -> Result<ArrayRef> {
    let [array] = arrays else {
        return exec_err!("`{name}` takes 1 argument");
    };
    let intervals = cast(array, &INTERVAL)?;
    let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
    let numbers = (0..n_rows).map(|row| {
        intervals.is_valid(row).then(|| {
            let interval = intervals.value(row);
            let days = i64::from(interval.days) * MILLIS_PER_DAY;
            part(Interval {
                months: interval.months.into(),
                millis: days + interval.nanoseconds / 1_000_000,
            })
        })
    });
    Ok(Arc::new(numbers.collect::<Int64Array>()))
}

fn year_preimage(args: &[Expr], constant: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
    let year = constant.as_literal().cloned().map(i64::try_from);
    let ([argument], Some(Ok(year))) = (args, year) else {
        return Ok(PreimageResult::None);
    };
    range::preimage(argument, info, |moment| {
        Some(i64::from(moment.local.year()).cmp(&year))
    })
}
