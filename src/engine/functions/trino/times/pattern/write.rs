//! From a time to its text.

use std::fmt::Write;

use chrono::{Datelike, Timelike};

use super::{Field, Item, MONTHS, Pattern, SHORT, WEEKDAYS, Written};
use crate::engine::functions::trino::times::iso::week_date;

impl Pattern {
    /// The text of a time. Fractions are cut to milliseconds, which is what Trino knows.
    pub fn format(&self, time: Written) -> String {
        let mut text = String::new();
        for item in &self.items {
            // Writing to a text cannot fail.
            let _ = item.write(time, &mut text);
        }
        text
    }
}

impl Item {
    fn write(&self, time: Written, text: &mut String) -> std::fmt::Result {
        match self {
            Self::Literal(literal) => text.write_str(literal),
            Self::Number { field, width, .. } => {
                let value = field.value(time);
                let sign = if value < 0 { "-" } else { "" };
                write!(text, "{sign}{:0width$}", value.unsigned_abs())
            }
            Self::ShortYear { field, .. } => {
                write!(text, "{:02}", field.value(time).unsigned_abs() % 100)
            }
            Self::Fraction { least, .. } => write_fraction(time, *least, text),
            Self::MonthName { long } => {
                write_name(MONTHS.get(time.local.month0() as usize), *long, text)
            }
            Self::WeekdayName { long } => {
                let day = time.local.weekday().num_days_from_monday() as usize;
                write_name(WEEKDAYS.get(day), *long, text)
            }
            Self::Halfday => text.write_str(if time.local.hour() < 12 { "AM" } else { "PM" }),
            Self::Era => text.write_str(if time.local.year() > 0 { "AD" } else { "BC" }),
            Self::Offset { colon } => {
                let offset = time.offset().to_string();
                let offset = if *colon {
                    offset
                } else {
                    offset.replace(':', "")
                };
                text.write_str(&offset)
            }
            Self::ZoneId => text.write_str(&time.zone.name()),
            Self::ZoneName { long: false } => text.write_str(&time.zone.abbreviation(time.utc)),
            Self::ZoneName { long: true } => {
                let name = time.zone.name();
                let utc = name == "UTC";
                text.write_str(if utc {
                    "Coordinated Universal Time"
                } else {
                    &name
                })
            }
        }
    }
}

fn write_name(name: Option<&&str>, long: bool, text: &mut String) -> std::fmt::Result {
    let name = name.copied().unwrap_or_default();
    text.write_str(if long {
        name
    } else {
        name.get(..SHORT).unwrap_or(name)
    })
}

fn write_fraction(time: Written, n_digits: usize, text: &mut String) -> std::fmt::Result {
    let millis = format!("{:03}", time.local.nanosecond() / 1_000_000);
    let shown = millis.get(..n_digits.min(3)).unwrap_or(&millis);
    write!(text, "{shown:0<n_digits$}")
}

impl Field {
    fn value(self, time: Written) -> i64 {
        let time = time.local;
        let number: u32 = match self {
            Self::Century => return i64::from(time.year()) / 100,
            Self::Year => return i64::from(time.year()),
            Self::WeekYear => return i64::from(week_date(time.date()).0),
            Self::Month => time.month(),
            Self::Week => week_date(time.date()).1,
            Self::DayOfYear => time.ordinal(),
            Self::Day => time.day(),
            Self::Weekday => time.weekday().number_from_monday(),
            Self::Hour => time.hour(),
            Self::ClockHour => (time.hour() + 23) % 24 + 1,
            Self::HalfdayHour => time.hour() % 12,
            Self::HalfdayClockHour => time.hour12().1,
            Self::Minute => time.minute(),
            Self::Second => time.second(),
        };
        i64::from(number)
    }
}
