//! CloudTrail's time text and microseconds, both ways.

use chrono::{DateTime, NaiveDateTime};

/// Microseconds of a day.
pub const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Whether the text has CloudTrail's own form, `YYYY-MM-DDTHH:MM:SSZ`, so that printing the parsed
/// time gives it back.
pub fn is_plain(text: &str) -> bool {
    text.len() == 20
        && text.ends_with('Z')
        && text.as_bytes()[10] == b'T'
        // A leap second is read as the second after it.
        && &text[17..19] != "60"
}

/// Microseconds since 1970 of an RFC 3339 time; the `T` may be a space, and without an offset it is
/// UTC. Further digits of a fraction are cut. `None` for anything else.
pub fn parse(text: &str) -> Option<i64> {
    if let Some(micros) = parse_plain(text.as_bytes()) {
        return Some(micros);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|time| time.and_utc().timestamp_micros())
}

/// CloudTrail's own form, which nearly all times have; `None` for everything that takes a closer
/// look.
fn parse_plain(text: &[u8]) -> Option<i64> {
    let marks = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'Z'),
    ];
    if text.len() != 20 || marks.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().try_fold(0_u32, |number, digit| {
            let digit = digit.wrapping_sub(b'0');
            (digit < 10).then(|| number * 10 + u32::from(digit))
        })
    };
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = chrono::NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    Some(i64::from(day.to_epoch_days()) * MICROS_PER_DAY + seconds * 1_000_000)
}

/// The time as CloudTrail writes it; a fraction only where there is one.
pub fn format(micros: i64) -> String {
    let Some(time) = DateTime::from_timestamp_micros(micros) else {
        return micros.to_string();
    };
    let form = if micros % 1_000_000 == 0 {
        "%Y-%m-%dT%H:%M:%SZ"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6fZ"
    };
    time.format(form).to_string()
}

/// The UTC day of a time as `YYYY-MM-DD`.
pub fn format_day(day: i64) -> String {
    let mut text = format(day * MICROS_PER_DAY);
    text.truncate(10);
    text
}

/// The day since 1970 of a `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Option<i64> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(i64::from(day.to_epoch_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_spelling() {
        let check = |text, expected| assert_eq!(parse(text), expected, "{text}");
        check("1970-01-01T00:00:00Z", Some(0));
        check("2023-07-10T11:45:00Z", Some(1_688_989_500_000_000));
        check("2023-07-10T13:45:00+02:00", Some(1_688_989_500_000_000));
        check("2023-07-10 11:45:00", Some(1_688_989_500_000_000));
        check("2023-07-10T11:45:00.5Z", Some(1_688_989_500_500_000));
        check("1969-12-31T23:59:59Z", Some(-1_000_000));
        for wrong in ["", "2023-07-10", "2023-02-29T00:00:00Z", "20230710T114500Z"] {
            check(wrong, None);
        }
    }

    #[test]
    fn what_is_plain_comes_back() {
        for text in [
            "2023-07-10T11:45:00Z",
            "1969-12-31T23:59:59Z",
            "2024-02-29T00:00:00Z",
        ] {
            assert!(is_plain(text));
            assert_eq!(format(parse(text).unwrap()), text);
        }
        assert_eq!(
            format(parse("2023-07-10T11:45:00.5Z").unwrap()),
            "2023-07-10T11:45:00.500000Z"
        );
        assert_eq!(format_day(-1), "1969-12-31");
        for odd in [
            "2023-07-10T13:45:00+02:00",
            "2023-07-10 11:45:00",
            "2016-12-31T23:59:60Z",
        ] {
            assert!(!is_plain(odd), "{odd}");
        }
    }
}
