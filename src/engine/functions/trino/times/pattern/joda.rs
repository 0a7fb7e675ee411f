//! Joda-Time's letters, as `parse_datetime` and `format_datetime` take them.

use std::iter::Peekable;
use std::str::Chars;

use super::{Field, Item, Pattern, number, push_literal};

/// Most digits of a year that no other number follows.
const LONG_YEAR: usize = 9;

/// # Errors
///
/// Names a letter that stands for nothing.
pub(in super::super) fn joda(text: &str) -> Result<Pattern, String> {
    let mut items = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            push_literal(&mut items, &quoted(&mut letters));
        } else if letter.is_ascii_alphabetic() {
            let mut n = 1;
            while letters.next_if_eq(&letter).is_some() {
                n += 1;
            }
            let item = item(letter, n, number_follows(letters.clone()));
            items.push(item.ok_or_else(|| format!("`{letter}` stands for nothing"))?);
        } else {
            push_literal(&mut items, letter.encode_utf8(&mut [0; 4]));
        }
    }
    if items.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(Pattern::new(items))
}

/// The text up to the closing quote; two quotes are one.
fn quoted(letters: &mut Peekable<Chars<'_>>) -> String {
    if letters.next_if_eq(&'\'').is_some() {
        return "'".to_owned();
    }
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        if letter == '\'' && letters.next_if_eq(&'\'').is_none() {
            break;
        }
        text.push(letter);
    }
    text
}

/// Whether digits come next, so that a year must not take them.
fn number_follows(letters: Peekable<Chars<'_>>) -> bool {
    let mut letters = letters;
    let Some(letter) = letters.next() else {
        return false;
    };
    match letter {
        'M' => letters.take_while(|&next| next == 'M').count() < 2,
        _ => "CxyYdhHmsSeDFwWkK".contains(letter),
    }
}

fn item(letter: char, n: usize, number_follows: bool) -> Option<Item> {
    let item = match letter {
        'G' => Item::Era,
        'C' => number(Field::Century, n, LONG_YEAR),
        'x' | 'y' | 'Y' => {
            let field = if letter == 'x' {
                Field::WeekYear
            } else {
                Field::Year
            };
            if n == 2 {
                return Some(Item::ShortYear {
                    field,
                    any: !number_follows,
                });
            }
            number(field, n, if number_follows { n } else { LONG_YEAR })
        }
        'M' => match n {
            1 | 2 => number(Field::Month, n, 2),
            3 => Item::MonthName { long: false },
            _ => Item::MonthName { long: true },
        },
        'w' => number(Field::Week, n, 2),
        'D' => number(Field::DayOfYear, n, 3),
        'd' => number(Field::Day, n, 2),
        'e' => number(Field::Weekday, n, 1),
        'E' => Item::WeekdayName { long: n >= 4 },
        'a' => Item::Halfday,
        'K' => number(Field::HalfdayHour, n, 2),
        'h' => number(Field::HalfdayClockHour, n, 2),
        'H' => number(Field::Hour, n, 2),
        'k' => number(Field::ClockHour, n, 2),
        'm' => number(Field::Minute, n, 2),
        's' => number(Field::Second, n, 2),
        'S' => Item::Fraction { least: n, most: n },
        'z' => Item::ZoneName { long: n >= 4 },
        'Z' => match n {
            1 | 2 => Item::Offset { colon: n == 2 },
            _ => Item::ZoneId,
        },
        _ => return None,
    };
    Some(item)
}
