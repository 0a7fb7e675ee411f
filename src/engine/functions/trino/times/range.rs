//! From comparisons of a function's answer to comparisons of its argument, for functions that never fall
//! as time goes on: these can choose row groups.

use std::cmp::Ordering;

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;

use super::moments::{Kind, Moment};

/// The times of `argument` for which the function's answer equals a constant. `compare` says how the
/// answer for a time compares with it, and must never fall as time goes on; `None` where it cannot tell.
///
/// None where the zone changes its clocks: there, calendar and clock go back once a year.
///
/// # Errors
///
/// Where the argument has no type.
pub(super) fn preimage(
    argument: &Expr,
    info: &SimplifyContext,
    compare: impl Fn(Moment) -> Option<Ordering>,
) -> Result<PreimageResult> {
    let data_type = info.get_data_type(argument)?;
    let Some((lower, upper)) = bounds(&data_type, compare) else {
        return Ok(PreimageResult::None);
    };
    Ok(PreimageResult::Range {
        expr: argument.clone(),
        interval: Box::new(Interval::try_new(lower, upper)?),
    })
}

fn bounds(
    data_type: &DataType,
    compare: impl Fn(Moment) -> Option<Ordering>,
) -> Option<(ScalarValue, ScalarValue)> {
    if !matches!(data_type, DataType::Date32 | DataType::Timestamp(..)) {
        return None;
    }
    let kind = Kind::of("", data_type).ok()?;
    if kind.zone().is_some_and(|zone| !zone.is_fixed()) {
        return None;
    }
    let (first, last) = reach(kind)?;
    let compare_raw = |raw| compare(kind.moment(raw)?);
    let lower = first_where(first, last, |raw| Some(compare_raw(raw)?.is_ge()))?;
    let upper = first_where(lower, last, |raw| Some(compare_raw(raw)?.is_gt()))?;
    // Beyond the first and the last one nothing is known.
    if lower == first || upper > last {
        return None;
    }
    let scalar = |raw| kind.scalar(raw, data_type).ok();
    Some((scalar(lower)?, scalar(upper)?))
}

/// The years of four digits, or as many of them as the type has.
fn reach(kind: Kind) -> Option<(i64, i64)> {
    let (first, last) = match kind {
        Kind::Timestamp(TimeUnit::Nanosecond, _) => (1_678, 2_262),
        _ => (1, 9_999),
    };
    let begin = |year| -> Option<NaiveDateTime> {
        Some(NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(NaiveTime::MIN))
    };
    Some((
        kind.raw_of_utc(begin(first)?)?,
        kind.raw_of_utc(begin(last)?)?,
    ))
}

/// The first number of a stretch from which on something holds; the one after the stretch where it holds
/// nowhere.
fn first_where(first: i64, last: i64, holds: impl Fn(i64) -> Option<bool>) -> Option<i64> {
    let (mut low, mut high) = (first, last.checked_add(1)?);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::functions::trino::types::event_time;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_are_exact() {
        let day = at("2023-07-06T00:00:00").date();
        let range = bounds(&event_time(), |moment| Some(moment.local.date().cmp(&day)));
        let micros = |text| {
            let micros = at(text).and_utc().timestamp_micros();
            ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))
        };
        let expected = (micros("2023-07-06T00:00:00"), micros("2023-07-07T00:00:00"));
        assert_eq!(range, Some(expected));
        let days = bounds(&DataType::Date32, |moment| {
            Some(moment.local.date().cmp(&day))
        });
        let expected = (
            ScalarValue::Date32(Some(19_544)),
            ScalarValue::Date32(Some(19_545)),
        );
        assert_eq!(days, Some(expected));
    }

    #[test]
    fn nothing_is_said_of_far_years_and_changing_zones() {
        let early = |_| Some(Ordering::Less);
        assert_eq!(bounds(&event_time(), early), None);
        assert_eq!(bounds(&event_time(), |_| Some(Ordering::Greater)), None);
        assert_eq!(bounds(&event_time(), |_| None), None);
        let berlin = DataType::Timestamp(TimeUnit::Microsecond, Some("Europe/Berlin".into()));
        let day = at("2023-07-06T00:00:00");
        let compare = |moment: Moment| Some(moment.local.cmp(&day));
        assert_eq!(bounds(&berlin, compare), None);
        assert_eq!(bounds(&DataType::Utf8View, compare), None);
    }
}
