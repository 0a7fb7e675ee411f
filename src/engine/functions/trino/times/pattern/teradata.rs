//! Teradata's words, as `to_char`, `to_date` and `to_timestamp` take them.

use super::{Field, Item, Pattern, push_literal};

const PIVOTED: Item = Item::ShortYear {
    field: Field::Year,
    any: false,
};

/// In any case; where one word begins another, the longer one is meant.
const WORDS: [(&str, Item); 8] = [
    ("yyyy", number_item(Field::Year, 4, 4)),
    ("hh24", number_item(Field::Hour, 2, 2)),
    ("hh", number_item(Field::HalfdayClockHour, 2, 2)),
    ("mi", number_item(Field::Minute, 2, 2)),
    ("mm", number_item(Field::Month, 2, 2)),
    ("ss", number_item(Field::Second, 2, 2)),
    ("dd", number_item(Field::Day, 2, 2)),
    ("yy", PIVOTED),
];

const fn number_item(field: Field, width: usize, most: usize) -> Item {
    Item::Number { field, width, most }
}

/// # Errors
///
/// Names what is neither a word nor punctuation.
pub(in super::super) fn teradata(text: &str) -> Result<Pattern, String> {
    let words = WORDS;
    let mut items = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let word = words.iter().find(|(word, _)| {
            rest.get(..word.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        });
        let length = match word {
            Some((word, item)) => {
                items.push(item.clone());
                word.len()
            }
            None if "-/,.;: ".contains(letter) => {
                push_literal(&mut items, letter.encode_utf8(&mut [0; 4]));
                letter.len_utf8()
            }
            None => return Err(format!("`{letter}` stands for nothing")),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(Pattern::new(items))
}
