//! Made-up records from a seed: every member that CloudTrail knows, with values as they should be and
//! values as an attacker may write them.

use spoor::schema::{EVENT_COLUMNS, Kind, RESOURCE_FIELDS};

/// Numbers that a parser to floats or integers would spell otherwise, or refuse.
const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "1.0",
    "1e2",
    "1E+2",
    "0.10",
    "-1.50e-07",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "123456789012345678901234567890.123",
    "1e400",
    "-1e-400",
    "100000000000000000000000",
    "0.1e0",
    "5",
];

/// Pieces of texts between their quotes.
const PIECES: [&str; 20] = [
    "a",
    "Role",
    "arn:aws:iam::111122223333:role/x",
    " ",
    "é",
    "😀",
    "\u{2028}",
    "<&>",
    "\u{7f}",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\u0000",
    "\\ud800",
    "\\udc00x",
    "\\\"",
    "\\\\",
    "\\/",
    "\\n",
    "\\u000B",
    "$",
];

/// Names that have no column, or are spoor's own in `extra`, or belong to other shapes.
const NAMES: [&str; 14] = [
    "new",
    "$absent",
    "$record",
    "@timestamp",
    "eventId",
    "EVENTNAME",
    "",
    "a.b",
    "é",
    "n\\u0061me",
    "q\\\"",
    "detail-type",
    "CloudTrailEvent",
    "Records",
];

/// A small generator of pseudo-random numbers (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % n as u64).unwrap()
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// White space between tokens: mostly none.
    fn space(&mut self) -> &'static str {
        match self.below(12) {
            0 => " ",
            1 => "\n\t ",
            _ => "",
        }
    }

    fn text(&mut self) -> String {
        let n = self.below(4);
        let pieces: String = (0..n).map(|_| self.pick(&PIECES)).collect();
        format!("\"{pieces}\"")
    }

    /// The name of a member, quoted.
    fn name(&mut self) -> String {
        if self.once_in(2) {
            return format!("\"{}\"", self.pick(&NAMES));
        }
        let column = &EVENT_COLUMNS[self.below(EVENT_COLUMNS.len())];
        let name = column.path[self.below(column.path.len())];
        if self.once_in(20) {
            // The same name, spelled otherwise.
            let (first, rest) = name.split_at(1);
            return format!("\"\\u{:04x}{rest}\"", first.as_bytes()[0]);
        }
        format!("\"{name}\"")
    }

    /// Any JSON value.
    pub fn json(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => "null".to_owned(),
            1 => self.pick(&["true", "false"]).to_owned(),
            2 => self.pick(&NUMBERS).to_owned(),
            3 | 4 => self.text(),
            5 => {
                let n = self.below(4);
                let elements: Vec<String> = (0..n).map(|_| self.json(depth - 1)).collect();
                let space = self.space();
                format!("[{space}{}]", elements.join(&format!("{space},")))
            }
            _ => {
                let n = self.below(5);
                let members = (0..n).map(|_| {
                    let name = self.name();
                    (name, self.json(depth - 1))
                });
                let members: Vec<(String, String)> = members.collect();
                self.object(&members)
            }
        }
    }

    pub fn object(&mut self, members: &[(String, String)]) -> String {
        let mut text = format!("{{{}", self.space());
        for (index, (name, value)) in members.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let (before, after) = (self.space(), self.space());
            text.push_str(&format!(
                "{comma}{before}{name}{after}:{before}{value}{after}"
            ));
        }
        text.push('}');
        text
    }

    /// A value for a column: usually of its type.
    fn value(&mut self, kind: Kind) -> String {
        if self.once_in(6) {
            return self.json(3);
        }
        match kind {
            Kind::Text => self.text(),
            Kind::Bool => self.pick(&["true", "false"]).to_owned(),
            Kind::Time => self
                .pick(&[
                    "\"2025-03-01T10:00:00Z\"",
                    "\"2025-03-02T10:00:00Z\"",
                    "\"2025-03-01T10:00:00.5Z\"",
                    "\"2025-03-01T12:00:00+02:00\"",
                    "\"2025-03-01 10:00:00\"",
                    "\"2016-12-31T23:59:60Z\"",
                    "\"2025-03-01t10:00:00Z\"",
                ])
                .to_owned(),
            Kind::Json => self.json(5),
            Kind::Resources => {
                let n = self.below(4);
                let entries: Vec<String> = (0..n).map(|_| self.resource()).collect();
                format!("[{}]", entries.join(","))
            }
            Kind::TextMap => {
                let n = self.below(4);
                let members: Vec<(String, String)> =
                    (0..n).map(|_| (self.name(), self.text())).collect();
                self.object(&members)
            }
        }
    }

    fn resource(&mut self) -> String {
        if self.once_in(10) {
            return self.json(2);
        }
        let mut members = Vec::new();
        for (_, name) in RESOURCE_FIELDS {
            if self.once_in(2) {
                members.push((format!("\"{name}\""), self.text()));
            }
        }
        if self.once_in(8) {
            members.push((self.name(), self.json(1)));
        }
        if self.once_in(8) && !members.is_empty() {
            members.push(members[0].clone());
        }
        self.object(&members)
    }

    /// The members below `path` for a random part of the columns, and others.
    fn members(&mut self, path: &[&str]) -> Vec<(String, String)> {
        let mut members: Vec<(String, String)> = Vec::new();
        let depth = path.len();
        let mut names: Vec<&str> = Vec::new();
        for column in EVENT_COLUMNS {
            if column.path.starts_with(path) && !names.contains(&column.path[depth]) {
                names.push(column.path[depth]);
            }
        }
        for name in names {
            if self.once_in(2) {
                continue;
            }
            let mut below = path.to_vec();
            below.push(name);
            let column = EVENT_COLUMNS.iter().find(|column| column.path == below);
            let value = match column {
                Some(column) => self.value(column.kind),
                None if self.once_in(8) => self.json(2),
                None => {
                    let members = self.members(&below);
                    self.object(&members)
                }
            };
            members.push((format!("\"{name}\""), value));
        }
        while self.once_in(4) {
            let other = (self.name(), self.json(4));
            members.insert(self.below(members.len() + 1), other);
        }
        if self.once_in(15) && !members.is_empty() {
            // A member named twice.
            let twin = (members[self.below(members.len())].0.clone(), self.json(2));
            members.insert(self.below(members.len() + 1), twin);
        }
        members
    }

    /// A record that is told from all others by its id.
    pub fn record(&mut self, id: usize) -> String {
        let mut members = self.members(&[]);
        if self.once_in(60) {
            let huge = format!("\"{}\"", "é\\n".repeat(20_000));
            members.push(("\"errorMessage\"".to_owned(), huge));
        }
        // What makes it a record comes last, and so decides where a name comes twice.
        members.push(("\"eventVersion\"".to_owned(), "\"1.11\"".to_owned()));
        members.push(("\"eventSource\"".to_owned(), "\"made.up\"".to_owned()));
        members.push(("\"eventID\"".to_owned(), format!("\"id-{id}\"")));
        self.object(&members)
    }
}
