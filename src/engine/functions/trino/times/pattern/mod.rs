//! Patterns of dates and times: the letters of MySQL, of Joda-Time and of Teradata become one form, which
//! reads and writes texts.

mod fields;
mod joda;
mod mysql;
mod read;
mod teradata;
mod write;

use std::sync::Arc;

use chrono::{FixedOffset, NaiveDateTime};
use datafusion::common::{Result, exec_datafusion_err};

pub(super) use self::joda::joda;
pub(super) use self::mysql::mysql;
pub(super) use self::teradata::teradata;
use super::zone::Zone;

/// A number in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Century,
    Year,
    WeekYear,
    Month,
    Week,
    DayOfYear,
    Day,
    Weekday,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    ClockHour,
    /// 0 to 11.
    HalfdayHour,
    /// 1 to 12.
    HalfdayClockHour,
    Minute,
    Second,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Literal(String),
    /// Written with at least `width` digits, read with at most `most`.
    Number {
        field: Field,
        width: usize,
        most: usize,
    },
    /// The last two digits of a year; `any` also reads years that have not just two.
    ShortYear {
        field: Field,
        any: bool,
    },
    /// Digits after the point: at least so many are written, at most so many read.
    Fraction {
        least: usize,
        most: usize,
    },
    MonthName {
        long: bool,
    },
    WeekdayName {
        long: bool,
    },
    /// `AM` or `PM`.
    Halfday,
    /// `AD` or `BC`.
    Era,
    Offset {
        colon: bool,
    },
    ZoneId,
    ZoneName {
        long: bool,
    },
}

/// What a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parsed {
    pub local: NaiveDateTime,
    pub zone: Option<Zone>,
}

/// What is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub local: NaiveDateTime,
    pub utc: NaiveDateTime,
    pub zone: Zone,
}

impl Written {
    fn offset(self) -> FixedOffset {
        self.zone.offset(self.utc)
    }
}

/// A pattern, ready for use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    items: Vec<Item>,
    reads_event_times: bool,
}

impl Pattern {
    /// Whether it writes or reads a zone.
    pub fn has_zone(&self) -> bool {
        let zone = |item: &Item| {
            matches!(
                item,
                Item::Offset { .. } | Item::ZoneId | Item::ZoneName { .. }
            )
        };
        self.items.iter().any(zone)
    }

    /// Whether texts that it writes are in the order of their times: years of four digits first, then
    /// months and so on, each of full width.
    pub fn keeps_order(&self) -> bool {
        const ORDER: [(Field, usize); 6] = [
            (Field::Year, 4),
            (Field::Month, 2),
            (Field::Day, 2),
            (Field::Hour, 2),
            (Field::Minute, 2),
            (Field::Second, 2),
        ];
        let parts = self
            .items
            .iter()
            .filter(|item| !matches!(item, Item::Literal(_)));
        let mut n_numbers = 0;
        for (place, item) in parts.enumerate() {
            let fits = match item {
                Item::Number { field, width, .. } => ORDER.get(place) == Some(&(*field, *width)),
                Item::Fraction { .. } => place == ORDER.len(),
                _ => false,
            };
            if !fits {
                return false;
            }
            n_numbers += 1;
        }
        n_numbers > 0
    }

    /// Whether it reads the very moment from the text of an event's time, so that the text need not be
    /// made.
    pub fn reads_event_times(&self) -> bool {
        self.reads_event_times
    }

    fn new(items: Vec<Item>) -> Self {
        let mut pattern = Self {
            items,
            reads_event_times: false,
        };
        // Two texts that no two numbers agree in.
        pattern.reads_event_times = ["2023-07-16T13:51:28Z", "1969-12-31T23:59:00Z"]
            .into_iter()
            .all(|text| {
                let said = pattern.parse(text);
                let moment = said.and_then(|said| said.zone.unwrap_or(Zone::UTC).utc(said.local));
                moment.is_some() && moment == super::iso::read(text)
            });
        pattern
    }
}

type Compile = fn(&str) -> Result<Pattern, String>;

/// The patterns of a column, each made once as long as it stays the same from row to row.
pub(super) struct Patterns {
    function: &'static str,
    compile: Compile,
    last: Option<(String, Arc<Pattern>)>,
}

impl Patterns {
    pub fn new(function: &'static str, compile: Compile) -> Self {
        Self {
            function,
            compile,
            last: None,
        }
    }

    /// # Errors
    ///
    /// Where the pattern has letters that mean nothing.
    pub fn get(&mut self, text: &str) -> Result<Arc<Pattern>> {
        if let Some((last, pattern)) = &self.last
            && last == text
        {
            return Ok(Arc::clone(pattern));
        }
        let pattern = (self.compile)(text).map_err(|reason| {
            exec_datafusion_err!(
                "`{}` cannot use the format `{text}`: {reason}",
                self.function
            )
        })?;
        let pattern = Arc::new(pattern);
        self.last = Some((text.to_owned(), Arc::clone(&pattern)));
        Ok(pattern)
    }
}

/// Adds a literal, joined to one before it.
fn push_literal(items: &mut Vec<Item>, text: &str) {
    if let Some(Item::Literal(last)) = items.last_mut() {
        last.push_str(text);
    } else if !text.is_empty() {
        items.push(Item::Literal(text.to_owned()));
    }
}

fn number(field: Field, width: usize, most: usize) -> Item {
    Item::Number { field, width, most }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
/// Letters of a short name.
const SHORT: usize = 3;

#[cfg(test)]
mod tests;
