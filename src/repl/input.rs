//! What was typed or read so far, cut into commands and SQL.
//!
//! SQL runs until a semicolon that stands outside quotes and comments; a command is one line that
//! starts with `.` or `\` where no statement is open. The cuts only say when to hand text to the
//! engine: its parser decides what the text means.

/// Something to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A command line, with its first character.
    Command(String),
    /// One or more statements.
    Sql(Sql),
}

/// SQL text and where it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    pub text: String,
    /// Lines of the input before it.
    pub n_lines_before: usize,
}

impl Sql {
    /// The text behind so many empty lines that a parser's line numbers are those of the input.
    pub fn placed(&self) -> String {
        "\n".repeat(self.n_lines_before) + &self.text
    }
}

/// Gathers lines until there is something to run.
#[derive(Debug, Default)]
pub struct Input {
    open: String,
    /// Lines of the input before the open text.
    n_lines_before: usize,
    n_lines: usize,
}

impl Input {
    /// Adds a line, without its end; gives what it completes.
    pub fn push(&mut self, line: &str) -> Option<Piece> {
        self.n_lines += 1;
        if self.open.is_empty() {
            self.n_lines_before = self.n_lines - 1;
            if is_command(line) {
                return Some(Piece::Command(line.trim().to_owned()));
            }
            if line.trim().is_empty() {
                return None;
            }
        } else {
            self.open.push('\n');
        }
        self.open.push_str(line);
        match state(&self.open) {
            State::Complete => self.finish(),
            State::Blank | State::Open(_) => None,
        }
    }

    /// Takes what is left at the end of the input: a last statement needs no semicolon.
    pub fn finish(&mut self) -> Option<Piece> {
        let text = std::mem::take(&mut self.open);
        if matches!(state(&text), State::Blank) {
            return None;
        }
        Some(Piece::Sql(Sql {
            text,
            n_lines_before: self.n_lines_before,
        }))
    }
}

/// Whether the line is a command of the shell.
pub fn is_command(line: &str) -> bool {
    line.trim_start().starts_with(['.', '\\'])
}

/// How far a text of SQL has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing but blanks and comments, and no comment is open.
    Blank,
    /// Ends with a semicolon, apart from blanks and comments.
    Complete,
    /// A statement, quote or comment is open.
    Open(Span),
}

/// What a place in SQL belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Code,
    Text,
    Name,
    Comment,
}

/// The state at the end of a text.
pub fn state(text: &str) -> State {
    let mut state = State::Blank;
    for (span, part) in spans(text) {
        let is_closed = part.is_closed;
        match span {
            Span::Comment if is_closed => {}
            Span::Comment => return State::Open(Span::Comment),
            Span::Text | Span::Name if !is_closed => return State::Open(span),
            Span::Text | Span::Name => state = State::Open(Span::Code),
            Span::Code => {
                let code = part.text.trim_end();
                if code.ends_with(';') {
                    state = State::Complete;
                } else if !code.trim_start().is_empty() {
                    state = State::Open(Span::Code);
                }
            }
        }
    }
    state
}

/// A stretch of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    pub text: &'a str,
    /// False for a quote or comment that runs to the end of the text without its end mark.
    pub is_closed: bool,
}

/// The stretches of a text, in order and without gaps.
pub fn spans(text: &str) -> Vec<(Span, Part<'_>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (span, part) = first_span(rest);
        rest = &rest[part.text.len()..];
        found.push((span, part));
    }
    found
}

fn first_span(text: &str) -> (Span, Part<'_>) {
    let quoted = |span, mark| (span, until(text, 1, mark));
    match text.as_bytes() {
        [b'\'', ..] => quoted(Span::Text, "'"),
        [b'"', ..] => quoted(Span::Name, "\""),
        [b'`', ..] => quoted(Span::Name, "`"),
        [b'-', b'-', ..] => {
            let line = until(text, 2, "\n");
            // A line comment is whole at the end of the text too.
            let is_closed = true;
            (Span::Comment, Part { is_closed, ..line })
        }
        [b'/', b'*', ..] => (Span::Comment, until(text, 2, "*/")),
        _ => {
            let starts = ["'", "\"", "`", "--", "/*"];
            let end = starts.iter().filter_map(|mark| text.find(mark)).min();
            let part = Part {
                text: &text[..end.unwrap_or(text.len())],
                is_closed: true,
            };
            (Span::Code, part)
        }
    }
}

/// From the start to the first mark behind `skip` bytes, with the mark. A doubled quote inside a
/// quote reads as two quotes side by side, which comes to the same here.
fn until<'a>(text: &'a str, skip: usize, mark: &str) -> Part<'a> {
    match text[skip..].find(mark) {
        Some(at) => Part {
            text: &text[..skip + at + mark.len()],
            is_closed: true,
        },
        None => Part {
            text,
            is_closed: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_count_outside_quotes_and_comments() {
        let check = |text: &str, expected: State| assert_eq!(state(text), expected, "{text}");
        check("", State::Blank);
        check(" \n-- only words", State::Blank);
        check("SELECT 1", State::Open(Span::Code));
        check("SELECT 1;", State::Complete);
        check("SELECT 1; -- done", State::Complete);
        check("SELECT 1; /* done */ ", State::Complete);
        check("SELECT 1; SELECT", State::Open(Span::Code));
        check("SELECT ';", State::Open(Span::Text));
        check("SELECT ';'", State::Open(Span::Code));
        check("SELECT 'it''s';", State::Complete);
        check("SELECT \"a;", State::Open(Span::Name));
        check("SELECT 1 -- ;", State::Open(Span::Code));
        check("SELECT 1 /* ;", State::Open(Span::Comment));
        check("SELECT '--';", State::Complete);
        check("SELECT 'ünï';", State::Complete);
    }

    #[test]
    fn lines_become_commands_and_statements() {
        let mut input = Input::default();
        let lines = [
            "",
            "  .tables",
            "-- a note",
            "SELECT 1",
            "FROM t;",
            "\\q",
            ".mode csv",
            "SELECT 2; SELECT 3;",
            "SELECT '",
            ".quit",
            "'",
        ];
        let mut pieces: Vec<Piece> = lines.iter().filter_map(|line| input.push(line)).collect();
        pieces.extend(input.finish());
        let sql = |text: &str, n_lines_before| {
            Piece::Sql(Sql {
                text: text.to_owned(),
                n_lines_before,
            })
        };
        let command = |text: &str| Piece::Command(text.to_owned());
        assert_eq!(
            pieces,
            [
                command(".tables"),
                sql("-- a note\nSELECT 1\nFROM t;", 2),
                command("\\q"),
                command(".mode csv"),
                sql("SELECT 2; SELECT 3;", 7),
                sql("SELECT '\n.quit\n'", 8),
            ]
        );
        assert_eq!(input.finish(), None);
    }
}
