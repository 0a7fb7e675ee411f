//! Time zones by name or by offset.

use chrono::{
    DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::{OffsetName, TZ_VARIANTS, Tz};

/// A zone of the tz database, or a fixed distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    pub const UTC: Self = Self::Named(Tz::UTC);

    /// `America/New_York` in any case, `Z`, `+02:00`, `+0200`, `+02`, `UTC+2`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "Z" {
            return Some(Self::UTC);
        }
        if let Ok(zone) = text.parse() {
            return Some(Self::Named(zone));
        }
        let offset = ["UTC", "GMT", "UT"]
            .into_iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .unwrap_or(text);
        if let Some(offset) = parse_offset(offset) {
            return Some(Self::Fixed(offset));
        }
        let named = |zone: &&Tz| zone.name().eq_ignore_ascii_case(text);
        TZ_VARIANTS.iter().find(named).copied().map(Self::Named)
    }

    /// As Arrow and Trino write it.
    pub fn name(self) -> String {
        match self {
            Self::Named(zone) => zone.name().to_owned(),
            Self::Fixed(offset) => offset.to_string(),
        }
    }

    /// `EST`, `CEST`, `UTC`, `+02:00`.
    pub fn abbreviation(self, utc: NaiveDateTime) -> String {
        match self {
            Self::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&utc);
                offset
                    .abbreviation()
                    .map_or_else(|| self.name(), str::to_owned)
            }
            Self::Fixed(_) => self.name(),
        }
    }

    pub fn offset(self, utc: NaiveDateTime) -> FixedOffset {
        match self {
            Self::Named(Tz::UTC) => Utc.fix(),
            Self::Named(zone) => zone.offset_from_utc_datetime(&utc).fix(),
            Self::Fixed(offset) => offset,
        }
    }

    /// Whether it never changes its distance from UTC.
    pub fn is_fixed(self) -> bool {
        matches!(self, Self::Named(Tz::UTC) | Self::Fixed(_))
    }

    /// What the clock shows.
    pub fn local(self, utc: NaiveDateTime) -> Option<NaiveDateTime> {
        if self == Self::UTC {
            return Some(utc);
        }
        utc.checked_add_offset(self.offset(utc))
    }

    /// When the clock shows it: the first time where it does so twice; where it is put forward, so much
    /// later.
    pub fn utc(self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let zone = match self {
            Self::Named(Tz::UTC) => return Some(local),
            Self::Fixed(offset) => return local.checked_sub_offset(offset),
            Self::Named(zone) => zone,
        };
        let first = |time: DateTime<Tz>| time.naive_utc();
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => {
                Some(first(time))
            }
            MappedLocalTime::None => {
                let before = local.checked_sub_signed(TimeDelta::days(1))?;
                local.checked_sub_offset(self.offset(before))
            }
        }
    }
}

/// `+02:00`, `+0200`, `+02`, `+2`.
pub(super) fn parse_offset(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number = |digits: &str| -> Option<i32> {
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    // The widest offset that Trino takes.
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn zones_have_names() {
        for (text, name) in [
            ("UTC", Some("UTC")),
            ("Z", Some("UTC")),
            ("America/New_York", Some("America/New_York")),
            ("america/new_york", Some("America/New_York")),
            ("+02:00", Some("+02:00")),
            ("-0530", Some("-05:30")),
            ("UTC+2", Some("+02:00")),
            ("+15:00", None),
            ("Mars/Olympus", None),
            ("", None),
            ("+", None),
        ] {
            assert_eq!(Zone::parse(text).map(Zone::name).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn clocks_are_changed_twice_a_year() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        for (local, utc) in [
            ("2023-07-06T14:00:00", "2023-07-06T12:00:00"),
            ("2023-01-06T14:00:00", "2023-01-06T13:00:00"),
            // Put forward: there is no 02:30.
            ("2023-03-26T02:30:00", "2023-03-26T01:30:00"),
            // Put back: there are two.
            ("2023-10-29T02:30:00", "2023-10-29T00:30:00"),
        ] {
            assert_eq!(berlin.utc(at(local)), Some(at(utc)), "{local}");
        }
        assert_eq!(
            berlin.local(at("2023-10-29T01:30:00")),
            Some(at("2023-10-29T02:30:00"))
        );
        assert_eq!(berlin.abbreviation(at("2023-07-06T12:00:00")), "CEST");
    }
}
