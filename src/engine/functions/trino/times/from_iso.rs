//! `from_iso8601_timestamp`, `from_iso8601_timestamp_nanos`, `from_iso8601_date` and `to_iso8601`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{NaiveDateTime, SecondsFormat, TimeZone, Timelike};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs};

use super::FAMILY;
use super::iso::{self, Iso};
use super::moments::{Kind, Moment, Moments, Slot, coerce, text, texts};
use super::zone::Zone;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

pub(super) const FUNCTIONS: [Function; 4] = [TIMESTAMP, NANOS, DATE, TO_ISO];

const TIMESTAMP: Function = Function::new(
    "from_iso8601_timestamp",
    Doc {
        family: FAMILY,
        syntax: "from_iso8601_timestamp(string) → timestamp(3) with time zone",
        description: "The moment that an ISO 8601 text names: a calendar, week or ordinal date, with a time or \
                      without; without a zone it is in UTC. `eventtime` passes as it is. The answer is \
                      shown in UTC, in Trino with the offset of the text.",
        example: "SELECT from_iso8601_timestamp('2020-05-11T11:15:05.055+01:00'); -- 2020-05-11T10:15:05.055Z",
    },
    |types| coerce_text_or_time("from_iso8601_timestamp", types),
    Returns::Type(|types| Ok(type_of_moments(types, TimeUnit::Millisecond))),
    |args| to_moments("from_iso8601_timestamp", args, TimeUnit::Millisecond),
)
.with_simplify(pass_moments);

const NANOS: Function = Function::new(
    "from_iso8601_timestamp_nanos",
    Doc {
        family: FAMILY,
        syntax: "from_iso8601_timestamp_nanos(string) → timestamp(9) with time zone",
        description: "As `from_iso8601_timestamp`, to the nanosecond; for the years 1678 to 2261.",
        example: "SELECT from_iso8601_timestamp_nanos('2020-05-11T11:15:05.123456789Z'); -- 2020-05-11T11:15:05.123456789Z",
    },
    |types| coerce_text_or_time("from_iso8601_timestamp_nanos", types),
    Returns::Type(|types| Ok(type_of_moments(types, TimeUnit::Nanosecond))),
    |args| to_moments("from_iso8601_timestamp_nanos", args, TimeUnit::Nanosecond),
)
.with_simplify(pass_moments);

const DATE: Function = Function::new(
    "from_iso8601_date",
    Doc {
        family: FAMILY,
        syntax: "from_iso8601_date(string) → date",
        description: "The day that an ISO 8601 text names, which must have no time. Of `eventtime`, its day.",
        example: "SELECT from_iso8601_date('2020-W10'); -- 2020-03-02",
    },
    |types| coerce_text_or_time("from_iso8601_date", types),
    Returns::Type(|_| Ok(DataType::Date32)),
    to_dates,
)
.with_preimage(super::cuts::date_preimage);

const TO_ISO: Function = Function::new(
    "to_iso8601",
    Doc {
        family: FAMILY,
        syntax: "to_iso8601(x) → varchar",
        description: "A date, or a time with its zone, as ISO 8601 has it. Times have three digits of a \
                      fraction, or six or nine where three are too few.",
        example: "SELECT to_iso8601(from_iso8601_timestamp('2020-05-11')); -- 2020-05-11T00:00:00.000Z",
    },
    |types| coerce("to_iso8601", types, &[Slot::Time]),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    to_texts,
);

/// Texts and NULL become texts.
fn coerce_text_or_time(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [DataType::Null] => Ok(vec![DataType::Utf8View]),
        _ => coerce(name, types, &[Slot::Time]),
    }
}

fn type_of_moments(types: &[DataType], unit: TimeUnit) -> DataType {
    match types {
        [moment @ DataType::Timestamp(_, Some(_))] => moment.clone(),
        [DataType::Timestamp(unit, None)] => DataType::Timestamp(*unit, Some("UTC".into())),
        _ => DataType::Timestamp(unit, Some("UTC".into())),
    }
}

/// A moment stays what it is, so that comparisons with it are comparisons of the column.
fn pass_moments(mut args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
    let moments = match args.as_slice() {
        [argument] => matches!(
            info.get_data_type(argument)?,
            DataType::Timestamp(_, Some(_))
        ),
        _ => false,
    };
    match args.pop() {
        Some(argument) if moments => Ok(ExprSimplifyResult::Simplified(argument)),
        Some(argument) => {
            args.push(argument);
            Ok(ExprSimplifyResult::Original(args))
        }
        None => Ok(ExprSimplifyResult::Original(args)),
    }
}

fn to_moments(name: &str, args: &ScalarFunctionArgs, unit: TimeUnit) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, _| {
        let [array] = arrays else {
            return exec_err!("`{name}` takes 1 argument");
        };
        let data_type = type_of_moments(&[array.data_type().clone()], unit);
        if array.data_type() != &DataType::Utf8View {
            return Ok(cast(array, &data_type)?);
        }
        let kind = Kind::Timestamp(unit, Some(Zone::UTC));
        let numbers = read(name, array, |iso| kind.raw_of_utc(iso.utc()?))?;
        kind.array(&numbers, &data_type)
    })
}

fn to_dates(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    const NAME: &str = "from_iso8601_date";
    over_arrays(args, |arrays, n_rows| {
        let [array] = arrays else {
            return exec_err!("`{NAME}` takes 1 argument");
        };
        let day = |time: NaiveDateTime| Kind::Date.raw_of_utc(time);
        let numbers = if array.data_type() == &DataType::Utf8View {
            read(NAME, array, |iso| {
                (!iso.has_time).then_some(day(iso.local)?)
            })?
        } else {
            let moments = Moments::new(NAME, array)?;
            moments
                .rows(n_rows, |_, moment| Ok(day(moment.local)))?
                .into()
        };
        Kind::Date.array(&numbers, &DataType::Date32)
    })
}

fn read(name: &str, array: &ArrayRef, number: impl Fn(Iso) -> Option<i64>) -> Result<Int64Array> {
    let texts = texts(array)?;
    let rows = (0..array.len()).map(|row| match text(texts, row) {
        None => Ok(None),
        Some(text) => match iso::parse(text).and_then(&number) {
            Some(number) => Ok(Some(number)),
            None => exec_err!("`{name}` cannot read `{text}`"),
        },
    });
    rows.collect()
}

fn to_texts(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    const NAME: &str = "to_iso8601";
    over_arrays(args, |arrays, n_rows| {
        let [array] = arrays else {
            return exec_err!("`{NAME}` takes 1 argument");
        };
        let moments = Moments::new(NAME, array)?;
        let rows = moments.rows(n_rows, |_, moment| Ok(Some(write(moments.kind, moment))))?;
        Ok(Arc::new(StringViewArray::from_iter(rows)))
    })
}

fn write(kind: Kind, moment: Moment) -> String {
    let nanos = moment.local.nanosecond();
    let digits = match nanos {
        _ if nanos.is_multiple_of(1_000_000) => SecondsFormat::Millis,
        _ if nanos.is_multiple_of(1_000) => SecondsFormat::Micros,
        _ => SecondsFormat::Nanos,
    };
    let Some(zone) = kind.zone() else {
        return match kind {
            Kind::Date => moment.local.date().to_string(),
            _ => {
                let text = moment.local.and_utc().to_rfc3339_opts(digits, true);
                text.trim_end_matches('Z').to_owned()
            }
        };
    };
    let offset = zone.offset(moment.utc);
    offset
        .from_utc_datetime(&moment.utc)
        .to_rfc3339_opts(digits, true)
}
