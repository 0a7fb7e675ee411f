//! What a text said of a time, put together: from the longest unit to the shortest, and what was not said
//! is as early as it can be.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use super::Field;
use crate::engine::functions::trino::times::zone::Zone;

/// The year of dates that say none, so that February has 29 days.
const DEFAULT_YEAR: i64 = 2_000;

#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    century: Option<i64>,
    year: Option<i64>,
    week_year: Option<i64>,
    month: Option<i64>,
    week: Option<i64>,
    day_of_year: Option<i64>,
    day: Option<i64>,
    weekday: Option<i64>,
    hour: Option<i64>,
    halfday_hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    pub millis: Option<u32>,
    pub afternoon: Option<bool>,
    pub before_christ: bool,
    pub zone: Option<Zone>,
}

impl Fields {
    /// `None` where no clock and no calendar has the number.
    pub fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let (place, value) = match field {
            Field::Century => (&mut self.century, value),
            Field::Year => (&mut self.year, value),
            Field::WeekYear => (&mut self.week_year, value),
            Field::Month => (&mut self.month, value),
            Field::Week => (&mut self.week, value),
            Field::DayOfYear => (&mut self.day_of_year, value),
            Field::Day => (&mut self.day, value),
            Field::Weekday => (&mut self.weekday, value),
            Field::Hour => (&mut self.hour, within(value, 0, 23)?),
            Field::ClockHour => (&mut self.hour, within(value, 1, 24)? % 24),
            Field::HalfdayHour => (&mut self.halfday_hour, within(value, 0, 11)?),
            Field::HalfdayClockHour => (&mut self.halfday_hour, within(value, 1, 12)? % 12),
            Field::Minute => (&mut self.minute, within(value, 0, 59)?),
            Field::Second => (&mut self.second, within(value, 0, 59)?),
        };
        *place = Some(value);
        Some(())
    }

    /// `None` where there is no such day.
    pub fn time(&self) -> Option<NaiveDateTime> {
        Some(self.date()?.and_time(self.clock()?))
    }

    fn clock(&self) -> Option<NaiveTime> {
        let mut hour = self.hour.unwrap_or(0);
        if let Some(afternoon) = self.afternoon {
            hour = hour % 12 + if afternoon { 12 } else { 0 };
        }
        if let Some(halfday_hour) = self.halfday_hour {
            hour = hour / 12 * 12 + halfday_hour;
        }
        let number = |value: Option<i64>| u32::try_from(value.unwrap_or(0)).ok();
        NaiveTime::from_hms_milli_opt(
            number(Some(hour))?,
            number(self.minute)?,
            number(self.second)?,
            self.millis.unwrap_or(0),
        )
    }

    fn date(&self) -> Option<NaiveDate> {
        let mut date = match self.stated_year() {
            Some(year) => NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, 1, 1)?,
            None => NaiveDate::default(),
        };
        if let Some(year) = self.week_year {
            date = NaiveDate::from_isoywd_opt(i32::try_from(year).ok()?, 1, Weekday::Mon)?;
        }
        let number = |value: i64| u32::try_from(value).ok();
        if let Some(month) = self.month {
            date = date.with_day(1)?.with_month(number(month)?)?;
        }
        if let Some(week) = self.week {
            date = NaiveDate::from_isoywd_opt(date.iso_week().year(), number(week)?, Weekday::Mon)?;
        }
        if let Some(day) = self.day_of_year {
            date = date.with_ordinal(number(day)?)?;
        }
        if let Some(day) = self.day {
            date = date.with_day(number(day)?)?;
        }
        if let Some(weekday) = self.weekday {
            let weekday = u64::try_from(within(weekday, 1, 7)? - 1).ok()?;
            let monday = Days::new(date.weekday().num_days_from_monday().into());
            date = date
                .checked_sub_days(monday)?
                .checked_add_days(Days::new(weekday))?;
        }
        Some(date)
    }

    fn stated_year(&self) -> Option<i64> {
        let says_day = [
            self.month,
            self.week,
            self.day_of_year,
            self.day,
            self.weekday,
        ]
        .iter()
        .any(Option::is_some);
        let year = match (self.year, self.century) {
            (Some(year), _) => year,
            (None, Some(century)) => century.checked_mul(100)?,
            (None, None) if says_day && self.week_year.is_none() => DEFAULT_YEAR,
            (None, None) => return None,
        };
        // There was no year 0: 1 BC is its number.
        Some(if self.before_christ { 1 - year } else { year })
    }
}

fn within(value: i64, least: i64, most: i64) -> Option<i64> {
    (least..=most).contains(&value).then_some(value)
}
