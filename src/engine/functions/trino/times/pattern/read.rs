//! From a text to what it says.

use chrono::FixedOffset;

use super::fields::Fields;
use super::{Field, Item, MONTHS, Parsed, Pattern, SHORT, WEEKDAYS};
use crate::engine::functions::trino::times::zone::{Zone, parse_offset};

/// Two digits mean a year from here to 99 years later.
const FIRST_SHORT_YEAR: i64 = 1_970;

/// Names of zones that Joda-Time reads beside `UTC`.
const ZONE_NAMES: [(&str, &str); 12] = [
    ("UTC", "UTC"),
    ("UT", "UTC"),
    ("GMT", "UTC"),
    ("Z", "UTC"),
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("MST", "America/Denver"),
    ("MDT", "America/Denver"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
];

impl Pattern {
    /// What a text says; `None` where it does not fit the pattern to its end, or no calendar has the day.
    pub fn parse(&self, text: &str) -> Option<Parsed> {
        let mut rest = text;
        let mut fields = Fields::default();
        for item in &self.items {
            item.read(&mut rest, &mut fields)?;
        }
        if !rest.is_empty() {
            return None;
        }
        Some(Parsed {
            local: fields.time()?,
            zone: fields.zone,
        })
    }
}

impl Item {
    fn read(&self, rest: &mut &str, fields: &mut Fields) -> Option<()> {
        match self {
            Self::Literal(literal) => take_literal(rest, literal),
            Self::Number { field, most, .. } => {
                let signed = matches!(field, Field::Year | Field::WeekYear);
                fields.set(*field, take_number(rest, *most, signed)?)
            }
            Self::ShortYear { field, any } => fields.set(*field, take_short_year(rest, *any)?),
            Self::Fraction { most, .. } => {
                let digits = take_digits(rest, *most)?;
                // Trino knows milliseconds.
                let millis = digits.get(..digits.len().min(3))?;
                fields.millis = format!("{millis:0<3}").parse().ok();
                Some(())
            }
            Self::MonthName { .. } => fields.set(Field::Month, take_name(rest, &MONTHS)?),
            Self::WeekdayName { .. } => fields.set(Field::Weekday, take_name(rest, &WEEKDAYS)?),
            Self::Halfday => {
                fields.afternoon = Some(take_one_of(rest, &["AM", "PM"])? == 1);
                Some(())
            }
            Self::Era => {
                fields.before_christ = take_one_of(rest, &["AD", "BC"])? == 1;
                Some(())
            }
            Self::Offset { .. } => {
                fields.zone = Some(take_offset(rest)?);
                Some(())
            }
            Self::ZoneId => {
                fields.zone = Some(take_zone(rest)?);
                Some(())
            }
            Self::ZoneName { .. } => {
                let names = ZONE_NAMES.map(|(name, _)| name);
                let (_, zone) = ZONE_NAMES.get(take_one_of(rest, &names)?)?;
                fields.zone = Zone::parse(zone);
                Some(())
            }
        }
    }
}

fn take_literal(rest: &mut &str, literal: &str) -> Option<()> {
    let (begin, after) = rest.split_at_checked(literal.len())?;
    *rest = after;
    begin.eq_ignore_ascii_case(literal).then_some(())
}

fn take_digits<'a>(rest: &mut &'a str, most: usize) -> Option<&'a str> {
    let length = rest
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    let (digits, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(digits)
}

fn take_number(rest: &mut &str, most: usize, signed: bool) -> Option<i64> {
    let negative = signed && rest.starts_with('-');
    if signed && rest.starts_with(['-', '+']) {
        *rest = rest.get(1..)?;
    }
    let number: i64 = take_digits(rest, most)?.parse().ok()?;
    Some(if negative { -number } else { number })
}

fn take_short_year(rest: &mut &str, any: bool) -> Option<i64> {
    let signed = any && rest.starts_with(['-', '+']);
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    if signed || (any && length != 2) {
        return take_number(rest, 9, true);
    }
    let digits = take_digits(rest, 2)?;
    let short: i64 = digits.parse().ok()?;
    let century = FIRST_SHORT_YEAR / 100 * 100;
    let year = century + short;
    (digits.len() == 2).then(|| {
        if year < FIRST_SHORT_YEAR {
            year + 100
        } else {
            year
        }
    })
}

/// The place of a name, whole or short, counted from one.
fn take_name(rest: &mut &str, names: &[&str]) -> Option<i64> {
    let place = match take_one_of(rest, names) {
        Some(place) => place,
        None => {
            let short: Vec<&str> = names.iter().filter_map(|name| name.get(..SHORT)).collect();
            take_one_of(rest, &short)?
        }
    };
    i64::try_from(place + 1).ok()
}

/// The first of some texts that comes next, in any case.
fn take_one_of(rest: &mut &str, texts: &[&str]) -> Option<usize> {
    let begins = |text: &&str| {
        let begin = rest.get(..text.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(text))
    };
    let place = texts.iter().position(begins)?;
    *rest = rest.get(texts.get(place)?.len()..)?;
    Some(place)
}

fn take_offset(rest: &mut &str) -> Option<Zone> {
    if let Some(after) = rest.strip_prefix(['Z', 'z']) {
        *rest = after;
        return Some(Zone::UTC);
    }
    // `+02:00`, `+0200`, `+02`.
    for length in [6, 5, 3] {
        let Some((begin, after)) = rest.split_at_checked(length) else {
            continue;
        };
        if let Some(offset) = parse_offset(begin) {
            *rest = after;
            return Some(fixed(offset));
        }
    }
    None
}

fn fixed(offset: FixedOffset) -> Zone {
    if offset.local_minus_utc() == 0 {
        Zone::UTC
    } else {
        Zone::Fixed(offset)
    }
}

/// The longest text that is a zone.
fn take_zone(rest: &mut &str) -> Option<Zone> {
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"/_+-:".contains(b);
    let most = rest.bytes().take_while(part).count();
    for length in (1..=most).rev() {
        let (begin, after) = rest.split_at_checked(length)?;
        if let Some(zone) = Zone::parse(begin) {
            *rest = after;
            return Some(zone);
        }
    }
    None
}
