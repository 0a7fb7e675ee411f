//! Units of time: cutting to them, adding them, counting them.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use datafusion::common::{Result, exec_datafusion_err};

/// Ordered from short to long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    const ALL: [Self; 9] = [
        Self::Millisecond,
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// By its name, in any case.
    ///
    /// # Errors
    ///
    /// Where there is no such unit.
    pub fn parse(function: &str, name: &str) -> Result<Self> {
        Self::named(name)
            .ok_or_else(|| exec_datafusion_err!("`{function}` does not know the unit `{name}`"))
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|unit| unit.name().eq_ignore_ascii_case(name))
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Millisecond => "millisecond",
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// Whether it is shorter than a day, so that clocks that are changed do not change it.
    pub fn is_of_clock(self) -> bool {
        self < Self::Day
    }

    fn millis(self) -> i64 {
        match self {
            Self::Millisecond => 1,
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day | Self::Month | Self::Quarter | Self::Year => 86_400_000,
            Self::Week => 7 * 86_400_000,
        }
    }

    /// The begin of the unit that a time is in. Weeks begin on Monday.
    pub fn floor(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let (day, clock) = (time.date(), time.time());
        let day = match self {
            Self::Millisecond => {
                let nanos = clock.nanosecond() / 1_000_000 * 1_000_000;
                return time.with_nanosecond(nanos);
            }
            Self::Second => return time.with_nanosecond(0),
            Self::Minute => return day.and_hms_opt(clock.hour(), clock.minute(), 0),
            Self::Hour => return day.and_hms_opt(clock.hour(), 0, 0),
            Self::Day => day,
            Self::Week => {
                day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))?
            }
            Self::Month => day.with_day(1)?,
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1)?,
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1)?,
        };
        Some(day.and_time(NaiveTime::MIN))
    }

    /// So many units later. Where a month is too short for the day, its last day.
    pub fn add(self, time: NaiveDateTime, n: i64) -> Option<NaiveDateTime> {
        let months = match self {
            Self::Month => n,
            Self::Quarter => n.checked_mul(3)?,
            Self::Year => n.checked_mul(12)?,
            _ => {
                let delta = TimeDelta::try_milliseconds(n.checked_mul(self.millis())?)?;
                return time.checked_add_signed(delta);
            }
        };
        let magnitude = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        if months < 0 {
            time.checked_sub_months(magnitude)
        } else {
            time.checked_add_months(magnitude)
        }
    }

    /// How many whole units there are from one time to another; negative where the other is earlier.
    pub fn between(self, from: NaiveDateTime, to: NaiveDateTime) -> i64 {
        if to < from {
            return -self.between(to, from);
        }
        match self {
            Self::Month => months(from, to),
            Self::Quarter => months(from, to) / 3,
            Self::Year => years(from, to),
            _ => to.signed_duration_since(from).num_milliseconds() / self.millis(),
        }
    }
}

/// Whole months. The last day of a month is as good as a later day of a longer month.
fn months(from: NaiveDateTime, to: NaiveDateTime) -> i64 {
    let index = |time: NaiveDateTime| i64::from(time.year()) * 12 + i64::from(time.month0());
    let last = last_day_of_month(to.date()).is_some_and(|last| last == to.date());
    let day = if last {
        from.day().min(to.day())
    } else {
        from.day()
    };
    let complete = (day, from.time()) <= (to.day(), to.time());
    index(to) - index(from) - i64::from(!complete)
}

/// Whole years. From March on, days are counted as if no year were a leap year, if only one is.
fn years(from: NaiveDateTime, to: NaiveDateTime) -> i64 {
    const FEBRUARY_29: u32 = 59;
    let (mut from_day, mut to_day) = (from.ordinal0(), to.ordinal0());
    if from_day >= FEBRUARY_29 {
        match (from.date().leap_year(), to.date().leap_year()) {
            (true, false) => from_day -= 1,
            (false, true) if to_day >= FEBRUARY_29 => to_day -= 1,
            _ => {}
        }
    }
    let complete = (from_day, from.time()) <= (to_day, to.time());
    i64::from(to.year()) - i64::from(from.year()) - i64::from(!complete)
}

pub(super) fn last_day_of_month(day: NaiveDate) -> Option<NaiveDate> {
    day.with_day(1)?
        .checked_add_months(Months::new(1))?
        .pred_opt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_cut() {
        for (unit, expected) in [
            ("millisecond", "2001-08-22T03:04:05.321"),
            ("second", "2001-08-22T03:04:05"),
            ("MINUTE", "2001-08-22T03:04:00"),
            ("hour", "2001-08-22T03:00:00"),
            ("day", "2001-08-22T00:00:00"),
            ("week", "2001-08-20T00:00:00"),
            ("month", "2001-08-01T00:00:00"),
            ("quarter", "2001-07-01T00:00:00"),
            ("year", "2001-01-01T00:00:00"),
        ] {
            let unit = Unit::parse("f", unit).unwrap();
            assert_eq!(
                unit.floor(at("2001-08-22T03:04:05.321987")),
                Some(at(expected))
            );
        }
        let before = at("1969-12-31T23:59:59.9995");
        assert_eq!(
            Unit::Millisecond.floor(before),
            Some(at("1969-12-31T23:59:59.999"))
        );
        assert_eq!(Unit::Week.floor(before), Some(at("1969-12-29T00:00:00")));
        assert!(Unit::parse("f", "decade").is_err());
    }

    #[test]
    fn units_are_added() {
        for (n, unit, from, expected) in [
            (1, Unit::Month, "2023-01-31T10:00:00", "2023-02-28T10:00:00"),
            (
                -1,
                Unit::Month,
                "2024-03-31T10:00:00",
                "2024-02-29T10:00:00",
            ),
            (1, Unit::Year, "2024-02-29T00:00:00", "2025-02-28T00:00:00"),
            (
                2,
                Unit::Quarter,
                "2023-12-31T00:00:00",
                "2024-06-30T00:00:00",
            ),
            (
                -86_401,
                Unit::Second,
                "1970-01-01T00:00:00",
                "1969-12-30T23:59:59",
            ),
            (3, Unit::Week, "2024-02-20T00:00:00", "2024-03-12T00:00:00"),
        ] {
            assert_eq!(unit.add(at(from), n), Some(at(expected)), "{n} {unit:?}");
        }
        assert_eq!(Unit::Year.add(at("2023-01-01T00:00:00"), i64::MAX), None);
        assert_eq!(Unit::Day.add(at("2023-01-01T00:00:00"), i64::MIN), None);
    }

    #[test]
    fn whole_units_are_counted() {
        for (unit, from, to, expected) in [
            (
                Unit::Second,
                "2020-03-01T00:00:00",
                "2020-03-02T00:00:00",
                86_400,
            ),
            (Unit::Day, "2020-03-01T00:00:01", "2020-03-02T00:00:00", 0),
            (Unit::Day, "2020-03-02T00:00:00", "2020-02-28T23:00:00", -2),
            (Unit::Hour, "1969-12-31T22:30:00", "1970-01-01T00:00:00", 1),
            (Unit::Week, "2023-07-01T00:00:00", "2023-07-15T00:00:00", 2),
            (Unit::Month, "2023-01-31T00:00:00", "2023-02-28T00:00:00", 1),
            (Unit::Month, "2023-01-30T00:00:00", "2023-02-27T00:00:00", 0),
            (
                Unit::Month,
                "2024-02-29T00:00:00",
                "2024-01-31T00:00:00",
                -1,
            ),
            (Unit::Month, "2024-01-31T12:00:00", "2024-02-29T00:00:00", 0),
            (
                Unit::Month,
                "2023-07-06T00:00:00",
                "2022-07-06T00:00:00",
                -12,
            ),
            (
                Unit::Quarter,
                "2023-01-01T00:00:00",
                "2023-06-30T00:00:00",
                1,
            ),
            (Unit::Year, "2020-02-29T00:00:00", "2021-02-28T00:00:00", 1),
            (Unit::Year, "2020-03-01T00:00:00", "2021-03-01T00:00:00", 1),
            (Unit::Year, "2023-03-01T00:00:00", "2024-03-01T00:00:00", 1),
            (
                Unit::Year,
                "2023-07-06T00:00:00",
                "1960-07-07T00:00:00",
                -62,
            ),
            (
                Unit::Millisecond,
                "2023-07-06T00:00:00",
                "2023-07-06T00:00:00.0019",
                1,
            ),
        ] {
            assert_eq!(
                unit.between(at(from), at(to)),
                expected,
                "{unit:?} {from} {to}"
            );
        }
    }
}
