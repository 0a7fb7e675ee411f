//! Times cut to days and to other units: `date`, `date_trunc`, `last_day_of_month`.

use arrow::array::Int64Array;
use arrow::datatypes::DataType;
use chrono::{NaiveDate, NaiveTime};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs};

use super::FAMILY;
use super::moments::{Kind, Moment, Moments, Slot, coerce, literal, literal_text, text, texts};
use super::range;
use super::units::{Unit, last_day_of_month};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::types::event_time;

pub(super) const FUNCTIONS: [Function; 3] = [DATE, LAST_DAY, TRUNC];

const DATE: Function = Function::new(
    "date",
    Doc {
        family: FAMILY,
        syntax: "date(x) → date",
        description: "The day of a time in the zone of its type, or of a text that is a date or a time.",
        example: "SELECT date(TIMESTAMP '2023-07-06 13:51:00'); -- 2023-07-06",
    },
    |types| coerce("date", types, &[Slot::Time]),
    Returns::Type(|_| Ok(DataType::Date32)),
    |args| days("date", args, Some),
)
.with_preimage(date_preimage);

const LAST_DAY: Function = Function::new(
    "last_day_of_month",
    Doc {
        family: FAMILY,
        syntax: "last_day_of_month(x) → date",
        description: "The last day of the month that a date or a time is in.",
        example: "SELECT last_day_of_month(DATE '2024-02-06'); -- 2024-02-29",
    },
    |types| coerce("last_day_of_month", types, &[Slot::Time]),
    Returns::Type(|_| Ok(DataType::Date32)),
    |args| days("last_day_of_month", args, last_day_of_month),
);

const TRUNC: Function = Function::new(
    "date_trunc",
    Doc {
        family: FAMILY,
        syntax: "date_trunc(unit, x) → [same as x]",
        description: "The begin of the millisecond, second, minute, hour, day, week, month, quarter or year \
                      that a time is in, in the zone of its type. Weeks begin on Monday.",
        example: "SELECT date_trunc('week', DATE '2001-08-22'); -- 2001-08-20",
    },
    |types| coerce("date_trunc", types, &[Slot::Text, Slot::Time]),
    Returns::Type(|types| Ok(same_as(types.last()))),
    truncate,
)
.with_preimage(truncate_preimage);

/// The type of an answer that is of the type of an argument: texts are read as event times.
pub(super) fn same_as(data_type: Option<&DataType>) -> DataType {
    match data_type {
        Some(DataType::Utf8View) | None => event_time(),
        Some(other) => other.clone(),
    }
}

fn days(
    name: &'static str,
    args: &ScalarFunctionArgs,
    day: impl Fn(NaiveDate) -> Option<NaiveDate>,
) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [array] = arrays else {
            return exec_err!("`{name}` takes 1 argument");
        };
        let moments = Moments::new(name, array)?;
        let numbers = moments.rows(n_rows, |_, moment| {
            let day = day(moment.local.date()).map(|day| day.and_time(NaiveTime::MIN));
            Ok(day.and_then(|day| Kind::Date.raw_of_utc(day)))
        })?;
        Kind::Date.array(&Int64Array::from(numbers), &DataType::Date32)
    })
}

pub(super) fn date_preimage(
    args: &[Expr],
    constant: &Expr,
    info: &SimplifyContext,
) -> Result<PreimageResult> {
    let ([argument], Some(constant)) = (args, constant.as_literal().and_then(literal)) else {
        return Ok(PreimageResult::None);
    };
    range::preimage(argument, info, |moment| {
        Some(moment.local.date().cmp(&constant.local.date()))
    })
}

fn truncate(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [units, times] = arrays else {
            return exec_err!("`date_trunc` takes 2 arguments");
        };
        let units = texts(units)?;
        let moments = Moments::new("date_trunc", times)?;
        moments.map(n_rows, |row, moment| {
            let Some(unit) = text(units, row) else {
                return Ok(None);
            };
            let unit = unit_of("date_trunc", unit, moments.kind)?;
            truncated(&moments, unit, moment)
        })
    })
}

/// What is shorter than a day is cut off the moment, so that a time in the hour that clocks show twice
/// stays on its side.
fn truncated(moments: &Moments, unit: Unit, moment: Moment) -> Result<Option<i64>> {
    let floor = unit.floor(moment.local);
    if unit.is_of_clock() {
        let cut = floor.map(|floor| moment.local.signed_duration_since(floor));
        return moments.number_of_utc(cut.and_then(|cut| moment.utc.checked_sub_signed(cut)));
    }
    moments.number(floor)
}

/// A unit that a type knows: a date has no hours, a time of day no months.
///
/// # Errors
///
/// Names the unit.
pub(super) fn unit_of(name: &str, unit: &str, kind: Kind) -> Result<Unit> {
    let known = Unit::parse(name, unit)?;
    match kind {
        Kind::Date if known.is_of_clock() => {
            exec_err!("`{name}` cannot use the unit `{unit}` for a date")
        }
        Kind::TimeOfDay if !known.is_of_clock() => {
            exec_err!("`{name}` cannot use the unit `{unit}` for a time of day")
        }
        Kind::Date | Kind::TimeOfDay | Kind::Timestamp(..) => Ok(known),
    }
}

fn truncate_preimage(
    args: &[Expr],
    constant: &Expr,
    info: &SimplifyContext,
) -> Result<PreimageResult> {
    let ([unit, argument], Some(constant)) = (args, constant.as_literal().and_then(literal)) else {
        return Ok(PreimageResult::None);
    };
    let Some(unit) = literal_text(unit).and_then(Unit::named) else {
        return Ok(PreimageResult::None);
    };
    // What cannot be cut is an error, and must stay one.
    let Ok(kind) = Kind::of("", &info.get_data_type(argument)?) else {
        return Ok(PreimageResult::None);
    };
    if unit_of("", unit.name(), kind).is_err() {
        return Ok(PreimageResult::None);
    }
    range::preimage(argument, info, |moment| {
        Some(unit.floor(moment.local)?.cmp(&constant.local))
    })
}
