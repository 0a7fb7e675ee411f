//! Zones of times: `at_timezone`, `with_timezone`, and what zone a time has.

use std::sync::Arc;

use arrow::array::{Int64Array, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_err, plan_datafusion_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Cast, ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs};

use super::FAMILY;
use super::moments::{Kind, Moment, Moments, Slot, coerce, literal_text, text, texts};
use super::zone::Zone;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

pub(super) const FUNCTIONS: [Function; 6] = [AT, WITH, ZONE, HOUR, MINUTE, CURRENT];

const AT: Function = Function::new(
    "at_timezone",
    Doc {
        family: FAMILY,
        syntax: "at_timezone(timestamp, zone) → timestamp with time zone",
        description: "The same moment in another zone: a name of the tz database or a distance from UTC \
                      (`+02:00`). A time without a zone is in UTC. Where the zone differs from row to row, \
                      the moment is shown in UTC.",
        example: "SELECT at_timezone(TIMESTAMP '2022-11-01 09:08:07', 'America/Los_Angeles'); -- 2022-11-01T02:08:07-07:00",
    },
    |types| coerce_zoned("at_timezone", types),
    Returns::Field(|args| zoned_field("at_timezone", args)),
    |args| zoned("at_timezone", args, |moment, _| Some(moment.utc)),
)
.with_simplify(cast_moments);

const WITH: Function = Function::new(
    "with_timezone",
    Doc {
        family: FAMILY,
        syntax: "with_timezone(timestamp, zone) → timestamp with time zone",
        description: "The moment when calendar and clock of a zone show what a time shows.",
        example: "SELECT with_timezone(TIMESTAMP '2022-11-01 09:08:07', 'America/Los_Angeles'); -- 2022-11-01T09:08:07-07:00",
    },
    |types| coerce_zoned("with_timezone", types),
    Returns::Field(|args| zoned_field("with_timezone", args)),
    |args| zoned("with_timezone", args, |moment, zone| zone.utc(moment.local)),
);

const ZONE: Function = Function::new(
    "timezone",
    Doc {
        family: FAMILY,
        syntax: "timezone(timestamp with time zone) → varchar",
        description: "The zone of a time: its name or its distance from UTC.",
        example: "SELECT timezone(from_iso8601_timestamp('2020-05-11')); -- UTC",
    },
    |types| coerce("timezone", types, &[Slot::Time]),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        over_arrays(args, |arrays, n_rows| {
            let [array] = arrays else {
                return exec_err!("`timezone` takes 1 argument");
            };
            let moments = Moments::new("timezone", array)?;
            let zone = moments.kind.zone().unwrap_or(Zone::UTC).name();
            let names = moments.rows(n_rows, |_, _| Ok(Some(zone.as_str())))?;
            Ok(Arc::new(StringViewArray::from_iter(names)))
        })
    },
);

const HOUR: Function = Function::new(
    "timezone_hour",
    Doc {
        family: FAMILY,
        syntax: "timezone_hour(timestamp) → bigint",
        description: "The whole hours that the zone of a time is from UTC at that time.",
        example: "SELECT timezone_hour(at_timezone(TIMESTAMP '2023-07-06 13:51:00', 'Europe/Berlin')); -- 2",
    },
    |types| coerce("timezone_hour", types, &[Slot::Time]),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| offsets("timezone_hour", args, |minutes| minutes / 60),
);

const MINUTE: Function = Function::new(
    "timezone_minute",
    Doc {
        family: FAMILY,
        syntax: "timezone_minute(timestamp) → bigint",
        description: "The minutes beyond the whole hours that the zone of a time is from UTC at that time.",
        example: "SELECT timezone_minute(at_timezone(TIMESTAMP '2023-07-06 13:51:00', 'Asia/Kolkata')); -- 30",
    },
    |types| coerce("timezone_minute", types, &[Slot::Time]),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| offsets("timezone_minute", args, |minutes| minutes % 60),
);

const CURRENT: Function = Function::new(
    "current_timezone",
    Doc {
        family: FAMILY,
        syntax: "current_timezone() → varchar",
        description: "The zone of times that have none: always UTC.",
        example: "SELECT current_timezone(); -- UTC",
    },
    |types| coerce("current_timezone", types, &[]),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |_| {
        let utc = ScalarValue::Utf8View(Some("UTC".to_owned()));
        Ok(ColumnarValue::Scalar(utc))
    },
);

fn coerce_zoned(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    if matches!(types, [DataType::Time32(_) | DataType::Time64(_), _]) {
        return plan_err!("`{name}` takes a date and a time, not a time of day");
    }
    let coerced = coerce(name, types, &[Slot::Time, Slot::Text])?;
    Ok(constant_zone_kept(types, coerced))
}

/// A zone stays the text that it is: a cast would hide the constant, and with it the type of the answer.
pub(super) fn constant_zone_kept(types: &[DataType], mut coerced: Vec<DataType>) -> Vec<DataType> {
    if let ([_, given @ (DataType::Utf8 | DataType::LargeUtf8)], [_, zone]) =
        (types, coerced.as_mut_slice())
    {
        *zone = given.clone();
    }
    coerced
}

/// A field that may be null.
pub(super) fn nullable(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

/// The zone of a constant; UTC where there is none.
///
/// # Errors
///
/// Where no zone has the name.
pub(super) fn known_zone(name: &str, constant: Option<&ScalarValue>) -> Result<Zone> {
    match constant
        .and_then(|constant| constant.try_as_str())
        .flatten()
    {
        None => Ok(Zone::UTC),
        Some(zone) => Zone::parse(zone)
            .ok_or_else(|| plan_datafusion_err!("`{name}` does not know the time zone `{zone}`")),
    }
}

fn zoned_field(name: &str, args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let ([times, _], [_, zone]) = (args.arg_fields, args.scalar_arguments) else {
        return plan_err!("`{name}` takes 2 arguments");
    };
    let unit = match Kind::of(name, times.data_type())? {
        Kind::Timestamp(unit, _) => unit,
        Kind::Date | Kind::TimeOfDay => TimeUnit::Millisecond,
    };
    let kind = Kind::Timestamp(unit, Some(known_zone(name, *zone)?));
    Ok(nullable(name, kind.data_type()))
}

fn zoned(
    name: &'static str,
    args: &ScalarFunctionArgs,
    utc: impl Fn(Moment, Zone) -> Option<chrono::NaiveDateTime>,
) -> Result<ColumnarValue> {
    let data_type = args.return_field.data_type();
    let kind = Kind::of(name, data_type)?;
    over_arrays(args, |arrays, n_rows| {
        let [times, zones] = arrays else {
            return exec_err!("`{name}` takes 2 arguments");
        };
        let zones = cast(zones, &DataType::Utf8View)?;
        let (moments, zones) = (Moments::new(name, times)?, texts(&zones)?);
        let mut last: Option<(&str, Zone)> = None;
        let numbers = moments.rows(n_rows, |row, moment| {
            let Some(given) = text(zones, row) else {
                return Ok(None);
            };
            let zone = match last {
                Some((text, zone)) if text == given => zone,
                _ => match Zone::parse(given) {
                    Some(zone) => zone,
                    None => return exec_err!("`{name}` does not know the time zone `{given}`"),
                },
            };
            last = Some((given, zone));
            Ok(utc(moment, zone).and_then(|utc| kind.raw_of_utc(utc)))
        })?;
        kind.array(&Int64Array::from(numbers), data_type)
    })
}

/// A moment in another zone is the same number, so that comparisons with it are comparisons of the column.
fn cast_moments(args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
    let target = match args.as_slice() {
        [times, zone] => match (info.get_data_type(times)?, literal_text(zone)) {
            (DataType::Timestamp(unit, Some(_)), Some(zone)) => {
                Zone::parse(zone).map(|zone| Kind::Timestamp(unit, Some(zone)).data_type())
            }
            _ => None,
        },
        _ => None,
    };
    let Some(target) = target else {
        return Ok(ExprSimplifyResult::Original(args));
    };
    let mut args = args;
    args.truncate(1);
    Ok(match args.pop() {
        Some(times) => {
            ExprSimplifyResult::Simplified(Expr::Cast(Cast::new(Box::new(times), target)))
        }
        None => ExprSimplifyResult::Original(args),
    })
}

fn offsets(
    name: &'static str,
    args: &ScalarFunctionArgs,
    part: fn(i64) -> i64,
) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let [array] = arrays else {
            return exec_err!("`{name}` takes 1 argument");
        };
        let moments = Moments::new(name, array)?;
        let zone = moments.kind.zone().unwrap_or(Zone::UTC);
        let numbers = moments.rows(n_rows, |_, moment| {
            let seconds = zone.offset(moment.utc).local_minus_utc();
            Ok(Some(part(i64::from(seconds / 60))))
        })?;
        Ok(Arc::new(Int64Array::from(numbers)))
    })
}
