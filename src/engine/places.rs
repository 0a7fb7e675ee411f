//! Lines and columns of a text, as the parser counts them, and what stands there.

use datafusion::sql::sqlparser::tokenizer::Location;

/// The text between two places.
pub(super) fn cut(text: &str, start: Location, end: Location) -> &str {
    let start = offset(text, start);
    let end = offset(text, end).max(start);
    text.get(start..end).unwrap_or(text).trim_end()
}

/// Byte offset of a place; lines and columns count from 1, columns in characters.
fn offset(text: &str, place: Location) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX))
        .map(str::len)
        .sum();
    let line = text.get(before..).unwrap_or_default();
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let within = line
        .char_indices()
        .nth(column)
        .map_or(line.len(), |(at, _)| at);
    before + within
}

/// Where a word stands in a text, outside of single quotes, whatever its case. The first few places.
pub(super) fn find(text: &str, word: &str) -> Vec<Location> {
    const ENOUGH: usize = 2;
    let mut found = Vec::new();
    if word.is_empty() {
        return found;
    }
    let (mut line, mut column) = (1, 1);
    let mut quoted = false;
    let mut current = String::new();
    let mut start = Location::new(1, 1);
    for character in text.chars().chain(['\n']) {
        if character.is_alphanumeric() || "_$".contains(character) {
            if current.is_empty() {
                start = Location::new(line, column);
            }
            current.push(character);
        } else {
            if !quoted && current.eq_ignore_ascii_case(word) {
                found.push(start);
            }
            current.clear();
            quoted ^= character == '\'';
        }
        if found.len() == ENOUGH {
            break;
        }
        if character == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_outside_of_texts() {
        for (text, word, expected) in [
            ("SELECT a\n FROM b", "B", vec![(2, 7)]),
            ("SELECT 'a', ab, a.b, é.a", "a", vec![(1, 17), (1, 24)]),
            ("SELECT 1", "a", vec![]),
            ("SELECT 1", "", vec![]),
        ] {
            let places: Vec<(u64, u64)> = find(text, word)
                .iter()
                .map(|place| (place.line, place.column))
                .collect();
            assert_eq!(places, expected, "{text}");
        }
    }
}
