//! Cuts a table's text into lines and cells.
//!
//! Quotes count only where a cell begins with one; within, two of them stand for one. A line is held
//! whole, up to a limit. Where a quote is never closed, the line ends at its first end of line and
//! reading goes on behind it, a few times in a text; then the rest is one broken line.

use std::io::{self, Read};
use std::ops::Range;

use super::MAX_COLUMNS;
use crate::ingest::scan::MAX_RECORD_BYTES;

/// A quote that is not closed makes the text behind it be read twice; so often, no more.
const MAX_RESYNCS: usize = 8;

/// Of a text so many bytes are asked for at first.
const CHUNK_BYTES: usize = 64 * 1024;

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Whole,
    TooLong,
    OpenQuote,
}

/// The cells of one line, as bytes.
#[derive(Debug, Default)]
pub struct Cells {
    text: Vec<u8>,
    ends: Vec<usize>,
    n_cells: usize,
}

/// The same, known to be UTF-8.
#[derive(Debug)]
pub struct Texts<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl Cells {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.n_cells = 0;
    }

    /// Ends a cell. Only so many as a header may have are kept.
    fn end(&mut self) {
        self.n_cells += 1;
        if self.n_cells <= MAX_COLUMNS {
            self.ends.push(self.text.len());
        }
    }

    pub fn len(&self) -> usize {
        self.n_cells
    }

    /// The bytes of a cell; of none, where there is none.
    pub fn cell(&self, column: usize) -> &[u8] {
        let range = cell_range(&self.ends, column);
        range
            .and_then(|range| self.text.get(range))
            .unwrap_or_default()
    }

    /// The cells, unless one is no text.
    pub fn texts(&self) -> Option<Texts<'_>> {
        let text = std::str::from_utf8(&self.text).ok()?;
        // Ends between bytes of a character come only from cells that are no text by themselves.
        let ends = &self.ends;
        let is_cut = |end: &usize| text.is_char_boundary(*end);
        ends.iter().all(is_cut).then_some(Texts { text, ends })
    }
}

impl<'a> Texts<'a> {
    /// The text of a cell; empty where there is none.
    pub fn get(&self, column: usize) -> &'a str {
        let range = cell_range(self.ends, column);
        range
            .and_then(|range| self.text.get(range))
            .unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        (0..self.ends.len()).map(|column| self.get(column))
    }
}

fn cell_range(ends: &[usize], column: usize) -> Option<Range<usize>> {
    let start = match column.checked_sub(1) {
        Some(before) => *ends.get(before)?,
        None => 0,
    };
    Some(start..*ends.get(column)?)
}

/// A line with its place.
pub struct RawLine<'a> {
    pub offset: u64,
    pub raw: &'a [u8],
    pub cut: Cut,
    pub cells: &'a Cells,
}

/// The lines of a text.
pub struct Lines<'r> {
    input: &'r mut dyn Read,
    delimiter: u8,
    /// What was read and not given yet begins at `at`.
    buffer: Vec<u8>,
    at: usize,
    /// The place of the buffer's first byte in the text.
    base: u64,
    is_end: bool,
    n_resyncs: usize,
    cells: Cells,
}

impl<'r> Lines<'r> {
    pub fn new(input: &'r mut dyn Read, delimiter: u8) -> Self {
        Self {
            input,
            delimiter,
            buffer: Vec::new(),
            at: 0,
            base: 0,
            is_end: false,
            n_resyncs: 0,
            cells: Cells::default(),
        }
    }

    /// The next line, `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the input.
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let (length, cut) = loop {
            let rest = &self.buffer[self.at..];
            if self.is_end && rest.is_empty() {
                return Ok(None);
            }
            if let Some(length) = cut_line(rest, self.delimiter, self.is_end, &mut self.cells) {
                let is_long = length > MAX_RECORD_BYTES;
                break (length, if is_long { Cut::TooLong } else { Cut::Whole });
            }
            if self.is_end || rest.len() > MAX_RECORD_BYTES {
                break self.give_up();
            }
            self.fill()?;
        };
        let start = self.at;
        self.at += length;
        Ok(Some(RawLine {
            offset: self.base + start as u64,
            raw: &self.buffer[start..start + length],
            cut,
            cells: &self.cells,
        }))
    }

    /// How much of a line without an end is given up.
    fn give_up(&mut self) -> (usize, Cut) {
        let rest = &self.buffer[self.at..];
        let line = memchr::memchr(b'\n', rest).map(|end| end + 1);
        self.n_resyncs += 1;
        match line {
            Some(length) if self.n_resyncs <= MAX_RESYNCS => (length, Cut::OpenQuote),
            Some(_) => (rest.len(), Cut::OpenQuote),
            None if rest.len() > MAX_RECORD_BYTES => (rest.len(), Cut::TooLong),
            None => (rest.len(), Cut::OpenQuote),
        }
    }

    /// Reads on: as much again as is held, so that a long line is walked only a few times.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.base += self.at as u64;
        self.at = 0;
        let want = self.buffer.len().max(CHUNK_BYTES) as u64;
        let mut input = Read::take(&mut *self.input, want);
        let got = input.read_to_end(&mut self.buffer)?;
        self.is_end = got == 0;
        Ok(())
    }
}

/// The length of the line that the bytes begin with, its end included, and its cells. `None` where
/// it does not end.
pub fn cut_line(bytes: &[u8], delimiter: u8, is_end: bool, cells: &mut Cells) -> Option<usize> {
    cells.clear();
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            at = quoted(bytes, at + 1, &mut cells.text)?;
        }
        // What stands behind a closing quote belongs to the cell too.
        let rest = bytes.get(at..)?;
        let Some(length) = memchr::memchr2(delimiter, b'\n', rest) else {
            if !is_end {
                return None;
            }
            cells.text.extend_from_slice(rest);
            cells.end();
            return Some(bytes.len());
        };
        let is_line = rest[length] == b'\n';
        let cell = &rest[..length];
        let cell = cell.strip_suffix(b"\r").filter(|_| is_line).unwrap_or(cell);
        cells.text.extend_from_slice(cell);
        cells.end();
        at += length + 1;
        if is_line {
            return Some(at);
        }
    }
}

/// Copies a quoted cell whose text begins at `at`. The place behind its closing quote.
fn quoted(bytes: &[u8], mut at: usize, text: &mut Vec<u8>) -> Option<usize> {
    loop {
        let length = memchr::memchr(b'"', bytes.get(at..)?)?;
        text.extend_from_slice(&bytes[at..at + length]);
        at += length + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        text.push(b'"');
        at += 1;
    }
}
