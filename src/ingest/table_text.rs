//! CloudTrail in tables of text: what Athena, CloudTrail Lake, the console's event history, Splunk,
//! CloudWatch Logs Insights, DuckDB and pandas write as CSV or TSV.
//!
//! [`sniff`] reads the header and says which column is which member of a record; [`read`] gives a
//! record for each line. Where a column holds whole records, that text is the record and the other
//! columns, which were made from it, are left out. Elsewhere a record is put together in CloudTrail's
//! spelling: an empty cell is a missing member, JSON in cells stays as it is, columns that are no
//! member keep their name and their text. What cannot be read as a member stays in the record as
//! text, so that nothing of a line is lost.

mod cells;
mod header;
mod lines;
mod loose;
mod names;

use std::io::{self, Read};

use super::scan::{MAX_DEPTH, MAX_RECORD_BYTES, Reason};
use super::unwrap::text::{first_value, is_json, skip_space};
use cells::Part;
use lines::{Cut, Lines};

/// The header must end within so many bytes; callers give that much to [`sniff`].
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// CloudTrail has some seventy members, flattened exports of one service some hundred.
pub const MAX_COLUMNS: usize = 1_000;

/// Names stand in every record, so a long one in the header would make much of short lines.
const MAX_NAME_BYTES: usize = 256;

/// What the beginning of a text is.
#[derive(Debug)]
pub enum Sniffed {
    /// A table of CloudTrail records.
    Table(Layout),
    /// A table of something else, by name.
    Other(&'static str),
    /// No table that is known.
    Nothing,
}

/// What the columns of a table are.
#[derive(Debug)]
pub struct Layout {
    delimiter: u8,
    /// The first line, with its end.
    header: Vec<u8>,
    n_columns: usize,
    /// The column that holds whole records.
    whole: Option<usize>,
    /// A record from the other columns, if they are enough for one.
    record: Option<Part>,
}

/// One line of a table; a line has more than one end where cells have ends of lines in them.
#[derive(Debug)]
pub struct Line<'a> {
    /// Where it begins in the text.
    pub offset: u64,
    /// Its record as JSON text, or a code for `rejects.reason` with what exactly is wrong.
    pub record: Result<&'a str, (&'static str, String)>,
    pub raw: &'a [u8],
}

/// Reads a header from the first bytes of a text, [`MAX_HEADER_BYTES`] of them where there are so
/// many.
pub fn sniff(head: &[u8]) -> Sniffed {
    header::sniff(head)
}

/// Gives a record, or what is wrong, for each line of a table; `input` begins where what `layout` was
/// sniffed from began. Empty lines and repeated headers are no lines.
///
/// # Errors
///
/// Those of `input`.
pub fn read(
    layout: &Layout,
    input: &mut dyn Read,
    emit: &mut dyn FnMut(Line<'_>),
) -> io::Result<()> {
    let mut lines = Lines::new(input, layout.delimiter);
    let mut json = String::new();
    while let Some(line) = lines.next_line()? {
        let is_empty = matches!(line.raw, b"\n" | b"\r\n");
        if is_empty || is_header(line.raw, &layout.header) {
            continue;
        }
        json.clear();
        let record = match line.cut {
            Cut::Whole => record_of(layout, line.cells, &mut json),
            Cut::TooLong => Err((
                Reason::TooLong.code(),
                "a line longer than 16 MiB".to_owned(),
            )),
            Cut::OpenQuote => Err(("open-quote", "a quote that is not closed".to_owned())),
        };
        emit(Line {
            offset: line.offset,
            record,
            raw: line.raw,
        });
    }
    Ok(())
}

fn is_header(raw: &[u8], header: &[u8]) -> bool {
    raw.strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(raw)
        .trim_ascii_end()
        == header.trim_ascii_end()
}

fn record_of<'a>(
    layout: &Layout,
    cells: &'a lines::Cells,
    json: &'a mut String,
) -> Result<&'a str, (&'static str, String)> {
    if cells.len() != layout.n_columns {
        let (found, expected) = (cells.len(), layout.n_columns);
        let detail = format!("{found} cells, where the header has {expected}");
        return Err(("ragged-row", detail));
    }
    let Some(cells) = cells.texts() else {
        return Err((Reason::NotUtf8.code(), Reason::NotUtf8.detail().to_owned()));
    };
    let whole = layout
        .whole
        .map(|column| skip_space(cells.get(column)).trim_end());
    match (whole, &layout.record) {
        (Some(text), _) if !text.is_empty() => check_whole(text),
        (_, Some(record)) => {
            if !record.write(&cells, json) {
                return Err(("empty-row", "no cell holds anything".to_owned()));
            }
            if json.len() > MAX_RECORD_BYTES {
                let reason = Reason::TooLong;
                return Err((reason.code(), reason.detail().to_owned()));
            }
            Ok(json)
        }
        _ => Err(("empty-row", "the cell for the record is empty".to_owned())),
    }
}

/// Whether a cell is one JSON object, as far as its brackets go; the rest is the normalizer's.
fn check_whole(text: &str) -> Result<&str, (&'static str, String)> {
    if !is_json(text) || !text.starts_with('{') {
        let detail = "the cell for the record is no JSON object";
        return Err(("not-cloudtrail", detail.to_owned()));
    }
    let reason = match first_value(text, MAX_DEPTH) {
        Ok(length) if length == text.len() => return Ok(text),
        Ok(_) => Reason::Syntax,
        Err(reason) => reason,
    };
    Err((reason.code(), reason.detail().to_owned()))
}

#[cfg(test)]
mod tests;
