//! MySQL's letters, as `date_parse` and `date_format` take them.

use super::{Field, Item, Pattern, number, push_literal};

/// # Errors
///
/// Names a letter that MySQL has and Trino has not.
pub(in super::super) fn mysql(text: &str) -> Result<Pattern, String> {
    let mut items = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            push_literal(&mut items, letter.encode_utf8(&mut [0; 4]));
            continue;
        }
        // A sign at the end means nothing.
        let Some(letter) = letters.next() else { break };
        match letter {
            'T' => items.extend(mysql("%H:%i:%s")?.items),
            'r' => items.extend(mysql("%h:%i:%s %p")?.items),
            'D' | 'U' | 'u' | 'V' | 'w' | 'X' => {
                return Err(format!("`%{letter}` is not supported"));
            }
            _ => match item(letter) {
                Some(item) => items.push(item),
                None => push_literal(&mut items, letter.encode_utf8(&mut [0; 4])),
            },
        }
    }
    Ok(Pattern::new(items))
}

fn item(letter: char) -> Option<Item> {
    let item = match letter {
        'a' => Item::WeekdayName { long: false },
        'b' => Item::MonthName { long: false },
        'c' => number(Field::Month, 1, 2),
        'd' => number(Field::Day, 2, 2),
        'e' => number(Field::Day, 1, 2),
        'f' => Item::Fraction { least: 6, most: 9 },
        'H' => number(Field::Hour, 2, 2),
        'h' | 'I' => number(Field::HalfdayClockHour, 2, 2),
        'i' => number(Field::Minute, 2, 2),
        'j' => number(Field::DayOfYear, 3, 3),
        'k' => number(Field::Hour, 1, 2),
        'l' => number(Field::HalfdayClockHour, 1, 2),
        'M' => Item::MonthName { long: true },
        'm' => number(Field::Month, 2, 2),
        'p' => Item::Halfday,
        'S' | 's' => number(Field::Second, 2, 2),
        'v' => number(Field::Week, 2, 2),
        'W' => Item::WeekdayName { long: true },
        'x' => number(Field::WeekYear, 4, 4),
        'Y' => number(Field::Year, 4, 4),
        'y' => Item::ShortYear {
            field: Field::Year,
            any: false,
        },
        _ => return None,
    };
    Some(item)
}
