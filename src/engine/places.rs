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
