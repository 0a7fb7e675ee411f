//! Times and spans as people write them on a command line.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// The text was no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time (`2023-07-10`, `2023-07-10T11:45:00Z`, `T-7d`)")]
pub struct UnknownTime(String);

/// The text was no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a span of time (`30m`, `12h`, `7d`, `2w`)")]
pub struct UnknownSpan(String);

/// A span of time: a whole number and `s`, `m`, `h`, `d` or `w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub micros: i64,
}

impl Span {
    /// Whole seconds.
    pub fn seconds(self) -> i64 {
        self.micros / MICROS_PER_SECOND
    }
}

impl FromStr for Span {
    type Err = UnknownSpan;

    fn from_str(text: &str) -> Result<Self, UnknownSpan> {
        let wrong = || UnknownSpan(text.to_owned());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(wrong()),
        };
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let micros = number.checked_mul(seconds * MICROS_PER_SECOND);
        Ok(Self {
            micros: micros.ok_or_else(wrong)?,
        })
    }
}

/// One end of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// A moment, in microseconds since 1970.
    At(i64),
    /// A UTC day, by its first microsecond: a stretch that begins with it begins there, one that ends
    /// with it has all of it.
    Day(i64),
    /// So long before the end of the evidence.
    BeforeEnd(Span),
}

impl TimeBound {
    /// Whether it needs the end of the evidence.
    pub fn is_relative(self) -> bool {
        matches!(self, Self::BeforeEnd(_))
    }

    /// As the begin of a stretch, which has this microsecond. `end` is the evidence's last one.
    pub fn first_micros(self, end: i64) -> i64 {
        match self {
            Self::At(micros) | Self::Day(micros) => micros,
            Self::BeforeEnd(span) => end.saturating_sub(span.micros),
        }
    }

    /// As the end of a stretch, which has this microsecond.
    pub fn last_micros(self, end: i64) -> i64 {
        match self {
            Self::At(micros) => micros,
            Self::Day(micros) => micros.saturating_add(MICROS_PER_DAY - 1),
            Self::BeforeEnd(span) => end.saturating_sub(span.micros),
        }
    }
}

impl FromStr for TimeBound {
    type Err = UnknownTime;

    fn from_str(text: &str) -> Result<Self, UnknownTime> {
        let wrong = || UnknownTime(text.to_owned());
        if let Some(back) = text.strip_prefix(['T', 't']) {
            let span = match back.strip_prefix('-') {
                Some(span) => span.parse().map_err(|_| wrong())?,
                None if back.is_empty() => Span { micros: 0 },
                None => return Err(wrong()),
            };
            return Ok(Self::BeforeEnd(span));
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.timestamp_micros()));
        }
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            let midnight = day.and_time(chrono::NaiveTime::MIN);
            return Ok(Self::Day(midnight.and_utc().timestamp_micros()));
        }
        let forms = [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%d %H:%M",
        ];
        let time = forms
            .into_iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        let time = time.ok_or_else(wrong)?;
        Ok(Self::At(time.and_utc().timestamp_micros()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_688_990_400_000_000;
    const MIDNIGHT: i64 = NOON - MICROS_PER_DAY / 2;

    #[test]
    fn times_are_read_in_every_form() {
        let check = |text: &str, expected| assert_eq!(text.parse().ok(), expected, "{text}");
        check("2023-07-10T12:00:00Z", Some(TimeBound::At(NOON)));
        check("2023-07-10T14:00:00+02:00", Some(TimeBound::At(NOON)));
        check("2023-07-10T12:00:00", Some(TimeBound::At(NOON)));
        check("2023-07-10 12:00", Some(TimeBound::At(NOON)));
        check("2023-07-10", Some(TimeBound::Day(MIDNIGHT)));
        let back = |micros| Some(TimeBound::BeforeEnd(Span { micros }));
        check("T-7d", back(7 * MICROS_PER_DAY));
        check("T-90m", back(5_400 * MICROS_PER_SECOND));
        check("T", back(0));
        for wrong in [
            "",
            "T-",
            "T+1d",
            "T-1",
            "T-1y",
            "now",
            "2023-02-30",
            "10/07/2023",
        ] {
            check(wrong, None);
        }
        check("T-99999999999999999999d", None);
        check("T-99999999999999w", None);
    }

    #[test]
    fn a_day_begins_and_ends_a_stretch_as_a_whole() {
        let day = TimeBound::Day(MIDNIGHT);
        assert_eq!(day.first_micros(0), MIDNIGHT);
        assert_eq!(day.last_micros(0), MIDNIGHT + MICROS_PER_DAY - 1);
        assert_eq!(TimeBound::At(NOON).last_micros(0), NOON);
        let back = TimeBound::BeforeEnd(Span { micros: 5 });
        assert_eq!((back.first_micros(7), back.last_micros(7)), (2, 2));
        assert_eq!(back.first_micros(i64::MIN), i64::MIN);
    }
}
