//! ISO 8601: calendar dates, week dates and ordinal dates, with or without a time and a zone.

use chrono::{Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use super::zone::{Zone, parse_offset};

/// A text as ISO 8601 has it, cut into what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Iso {
    pub local: NaiveDateTime,
    pub offset: Option<FixedOffset>,
    /// Whether there is more than a date.
    pub has_time: bool,
}

impl Iso {
    /// The moment; without an offset it is in UTC.
    pub fn utc(self) -> Option<NaiveDateTime> {
        match self.offset {
            Some(offset) => self.local.checked_sub_offset(offset),
            None => Some(self.local),
        }
    }
}

/// Every form of a date, with a `T` and a time or without; a time alone is one of 1970-01-01. Numbers may
/// have fewer digits than usual, and the last part of a time may have a fraction.
pub(super) fn parse(text: &str) -> Option<Iso> {
    let mut rest = Rest(text);
    let day = if text.starts_with('T') {
        NaiveDate::default()
    } else {
        date(&mut rest)?
    };
    let has_time = rest.take("T");
    let (time, offset) = if has_time {
        let time = if rest.next_is_digit() {
            time_of_day(&mut rest)?
        } else {
            TimeDelta::zero()
        };
        (time, offset(&mut rest)?)
    } else {
        (TimeDelta::zero(), None)
    };
    let local = day.and_time(NaiveTime::MIN).checked_add_signed(time)?;
    rest.0.is_empty().then_some(Iso {
        local,
        offset,
        has_time,
    })
}

/// A moment as people write it: ISO 8601, also with a space in the place of the `T`, and with a zone
/// behind a space.
pub(super) fn read(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Some(iso) = parse(text) {
        return iso.utc();
    }
    let (day, time) = text.split_once(' ')?;
    let (time, zone) = match time.split_once(' ') {
        Some((time, zone)) => (time, Some(Zone::parse(zone)?)),
        None => (time, None),
    };
    let iso = parse(&format!("{day}T{time}"))?;
    match (zone, iso.offset) {
        (Some(zone), None) => zone.utc(iso.local),
        (Some(_), Some(_)) => None,
        (None, _) => iso.utc(),
    }
}

fn date(rest: &mut Rest<'_>) -> Option<NaiveDate> {
    let negative = rest.take("-");
    if !negative {
        rest.take("+");
    }
    let year = i32::try_from(rest.digits(9)?.0).ok()?;
    let year = if negative { -year } else { year };
    if rest.take("-W") {
        let week = u32::try_from(rest.digits(2)?.0).ok()?;
        let weekday = if rest.take("-") { rest.digits(1)?.0 } else { 1 };
        let weekday = Weekday::try_from(u8::try_from(weekday.checked_sub(1)?).ok()?).ok()?;
        return NaiveDate::from_isoywd_opt(year, week, weekday);
    }
    if !rest.take("-") {
        return NaiveDate::from_ymd_opt(year, 1, 1);
    }
    let (number, n_digits) = rest.digits(3)?;
    let number = u32::try_from(number).ok()?;
    if n_digits == 3 {
        return NaiveDate::from_yo_opt(year, number);
    }
    let day = if rest.take("-") {
        u32::try_from(rest.digits(2)?.0).ok()?
    } else {
        1
    };
    NaiveDate::from_ymd_opt(year, number, day)
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;

fn time_of_day(rest: &mut Rest<'_>) -> Option<TimeDelta> {
    let mut nanos: i64 = 0;
    for (most, unit) in [(23, 3_600), (59, 60), (59, 1)] {
        let (number, _) = rest.digits(2)?;
        if number > most {
            return None;
        }
        nanos += number * unit * NANOS_PER_SECOND;
        if rest.take(".") || rest.take(",") {
            nanos += fraction(rest)? * unit;
            break;
        }
        if unit == 1 || !rest.take(":") {
            break;
        }
    }
    Some(TimeDelta::nanoseconds(nanos))
}

/// Billionths.
fn fraction(rest: &mut Rest<'_>) -> Option<i64> {
    let n_digits = rest.0.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.0.split_at_checked(n_digits)?;
    rest.0 = after;
    let digits = digits.get(..n_digits.min(9))?;
    (n_digits > 0).then(|| format!("{digits:0<9}").parse().ok())?
}

#[allow(clippy::option_option, reason = "no offset and a wrong one differ")]
fn offset(rest: &mut Rest<'_>) -> Option<Option<FixedOffset>> {
    let text = std::mem::take(&mut rest.0);
    match text {
        "" => Some(None),
        "Z" | "z" => Some(FixedOffset::east_opt(0)),
        _ => parse_offset(text).map(Some),
    }
}

/// What is left of a text.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn take(&mut self, text: &str) -> bool {
        let after = self.0.strip_prefix(text);
        self.0 = after.unwrap_or(self.0);
        after.is_some()
    }

    fn next_is_digit(&self) -> bool {
        self.0.starts_with(|c: char| c.is_ascii_digit())
    }

    /// A number and how many digits it has.
    fn digits(&mut self, most: usize) -> Option<(i64, usize)> {
        let length = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, after) = self.0.split_at_checked(length)?;
        self.0 = after;
        Some((digits.parse().ok()?, length))
    }
}

/// `2020-W10-1`'s week year, week and day, for those who write them.
pub(super) fn week_date(day: NaiveDate) -> (i32, u32, u32) {
    let week = day.iso_week();
    (week.year(), week.week(), day.weekday().number_from_monday())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            ("2020-05-11", Some("2020-05-11T00:00:00")),
            ("2020-05", Some("2020-05-01T00:00:00")),
            ("2020", Some("2020-01-01T00:00:00")),
            ("2020-5-1", Some("2020-05-01T00:00:00")),
            ("2020-W10", Some("2020-03-02T00:00:00")),
            ("2020-W10-7", Some("2020-03-08T00:00:00")),
            ("2020-123", Some("2020-05-02T00:00:00")),
            ("2020-05-11T", Some("2020-05-11T00:00:00")),
            ("2020-05-11T11", Some("2020-05-11T11:00:00")),
            ("2020-05-11T11:15", Some("2020-05-11T11:15:00")),
            ("2020-05-11T11:15:05", Some("2020-05-11T11:15:05")),
            ("2020-05-11T11:15:05Z", Some("2020-05-11T11:15:05")),
            (
                "2020-05-11T11:15:05.055+01:00",
                Some("2020-05-11T10:15:05.055"),
            ),
            ("2020-05-11T11:15:05,5-0130", Some("2020-05-11T12:45:05.5")),
            ("2020-05-11T11.5", Some("2020-05-11T11:30:00")),
            ("2020-05-11T11:15.5Z", Some("2020-05-11T11:15:30")),
            (
                "2020-05-11T11:15:05.1234567891Z",
                Some("2020-05-11T11:15:05.123456789"),
            ),
            ("T01:02:03", Some("1970-01-01T01:02:03")),
            ("1969-12-31T23:59:59Z", Some("1969-12-31T23:59:59")),
            ("-0044-03-15", Some("-0044-03-15T00:00:00")),
            ("2020-02-30", None),
            ("2020-366", Some("2020-12-31T00:00:00")),
            ("2021-366", None),
            ("2020-W54", None),
            ("2020-05-11 11:15:05", None),
            ("2020-05-11T24:00:00", None),
            ("2020-05-11T11:15:05X", None),
            ("2020-05-11T11:15:05.Z", None),
            ("2020-05-11Z", None),
            ("20200511", None),
            ("", None),
            ("now", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(parse(text).and_then(Iso::utc), expected, "{text}");
        }
    }

    #[test]
    fn people_write_spaces() {
        for (text, expected) in [
            ("2023-07-06 13:51:00", Some("2023-07-06T13:51:00")),
            ("2023-07-06 13:51:00.5Z", Some("2023-07-06T13:51:00.5")),
            ("2023-07-06 13:51:00 UTC", Some("2023-07-06T13:51:00")),
            (
                "2023-07-06 13:51 America/New_York",
                Some("2023-07-06T17:51:00"),
            ),
            ("2023-07-06 13:51Z UTC", None),
            ("2023-07-06 x", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
