//! From a table's first line to what its columns are.

use super::cells::{How, Part};
use super::lines::{Cells, Texts, cut_line};
use super::names::{self, Place, fold};
use super::{Layout, MAX_COLUMNS, MAX_HEADER_BYTES, MAX_NAME_BYTES, Sniffed};
use crate::schema::Kind;

/// What cells are parted by.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Columns that hold whole records, by folded names, the surest first.
const WHOLE: [&str; 8] = [
    "eventjson",
    "cloudtrailevent",
    "raw",
    "@message",
    "message",
    "rawevent",
    "record",
    "event",
];

/// Columns that tables of other things do not have. Two of them make a table of ours.
const CORE: [&str; 9] = [
    "eventversion",
    "eventsource",
    "eventname",
    "eventtime",
    "eventid",
    "eventtype",
    "useridentity",
    "useridentitytype",
    "useridentityarn",
];

/// Tables that people keep beside CloudTrail, by folded names that they have.
#[rustfmt::skip]
const OTHERS: &[(&[&str], &str)] = &[
    (&["srcaddr", "dstaddr"], "VPC flow logs"),
    (&["lineitemusageaccountid"], "a cost and usage report"),
    (&["identitylineitemid"], "a cost and usage report"),
    (&["user", "usercreationtime", "passwordenabled"], "an IAM credential report"),
    (&["elbstatuscode"], "a load balancer's log"),
    (&["csuristem"], "a CloudFront log"),
    (&["queryname", "querytype"], "Route 53 resolver logs"),
    (&["productarn", "findingid"], "Security Hub findings"),
];

pub fn sniff(head: &[u8]) -> Sniffed {
    let start = if head.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let head = &head[start..head.len().min(MAX_HEADER_BYTES)];
    if matches!(head.trim_ascii_start().first(), None | Some(b'{' | b'[')) {
        return Sniffed::Nothing;
    }
    let mut best: Option<(usize, Layout)> = None;
    for delimiter in DELIMITERS {
        let mut cells = Cells::default();
        // Without an end of line the text is no table, or has a header too long to be one.
        let Some(length) = cut_line(head, delimiter, false, &mut cells) else {
            continue;
        };
        let Some(texts) = cells.texts() else { continue };
        let n_known = texts
            .iter()
            .filter(|name| names::member(name).is_some())
            .count();
        if cells.len() > MAX_COLUMNS || best.as_ref().is_some_and(|(n, _)| *n >= n_known) {
            continue;
        }
        let (header, rows) = head.split_at(length);
        if let Some(layout) = layout(delimiter, header, rows, &texts) {
            best = Some((n_known, layout));
        }
    }
    match best {
        Some((_, layout)) => Sniffed::Table(layout),
        None => other(head),
    }
}

fn layout(delimiter: u8, header: &[u8], rows: &[u8], texts: &Texts<'_>) -> Option<Layout> {
    let names: Vec<&str> = texts.iter().map(str::trim).collect();
    if names.iter().any(|name| name.len() > MAX_NAME_BYTES) {
        return None;
    }
    let folded: Vec<String> = names.iter().map(|name| fold(name)).collect();
    let n_core = CORE
        .iter()
        .filter(|name| folded.iter().any(|other| other == *name))
        .count();
    let n_known = names
        .iter()
        .filter(|name| names::member(name).is_some())
        .count();
    let is_enough = n_core >= 2 && n_known >= 3;
    let whole = WHOLE.iter().find_map(|name| {
        let column = folded.iter().position(|other| other == name)?;
        holds_json(rows, delimiter, column).then_some(column)
    });
    if whole.is_none() && !is_enough {
        return None;
    }
    Some(Layout {
        delimiter,
        header: header.to_vec(),
        n_columns: names.len(),
        whole,
        record: is_enough.then(|| record(&names)),
    })
}

/// Whether the first row that has something in a column has a JSON object there. The last row may
/// be cut by the end of what is sniffed, and counts as far as it goes.
fn holds_json(mut rows: &[u8], delimiter: u8, column: usize) -> bool {
    let mut cells = Cells::default();
    loop {
        let length = cut_line(rows, delimiter, false, &mut cells);
        if length.is_none() {
            // An open quote keeps the cell it is in from being ended.
            let mut closed = rows.to_vec();
            closed.push(b'"');
            cut_line(&closed, delimiter, true, &mut cells);
        }
        let cell = cells.cell(column).trim_ascii_start();
        if !cell.is_empty() || length.is_none() {
            return cell.starts_with(b"{");
        }
        rows = &rows[length.unwrap_or(rows.len())..];
    }
}

/// Puts the columns where they stand in a record. What is there already, or is no member, stays at
/// the top under its own name.
fn record(names: &[&str]) -> Part {
    let mut root = Part::default();
    for (column, name) in names.iter().enumerate() {
        let is_put = match names::member(name) {
            Some((path, place)) => root.put(path, column, How::of(place)),
            None => match nested(name) {
                Some(path) => {
                    let path: Vec<&str> = path.iter().map(String::as_str).collect();
                    root.put(&path, column, How::Any)
                }
                None => false,
            },
        };
        if !is_put {
            root.put_beside(name, column);
        }
    }
    root
}

/// `requestParameters.bucketName`, as flattening tools write it: the member of a member that has no
/// columns of its own.
fn nested(name: &str) -> Option<Vec<String>> {
    let (first, rest) = name.split_once(['.', '/'])?;
    let (path, place) = names::member(first)?;
    let is_open = matches!(
        place,
        Place::Leaf(Kind::Json | Kind::TextMap) | Place::Object(_)
    );
    if !is_open || rest.split(['.', '/']).any(str::is_empty) {
        return None;
    }
    let rest = rest.split(['.', '/']).take(super::MAX_DEPTH / 2);
    Some(
        path.iter()
            .copied()
            .chain(rest)
            .map(str::to_owned)
            .collect(),
    )
}

fn other(head: &[u8]) -> Sniffed {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else {
        return Sniffed::Nothing;
    };
    if line.starts_with("#Version:") {
        return Sniffed::Other("a CloudFront log");
    }
    let is_between = |c: char| DELIMITERS.iter().any(|byte| char::from(*byte) == c) || c == ' ';
    let folded: Vec<String> = line.split(is_between).take(MAX_COLUMNS).map(fold).collect();
    let found = OTHERS.iter().find(|(names, _)| {
        names
            .iter()
            .all(|name| folded.iter().any(|other| other == name))
    });
    found.map_or(Sniffed::Nothing, |(_, title)| Sniffed::Other(title))
}
