//! What the line editor asks while one types: completions, whether a statement is complete, and how
//! to color it.

use std::borrow::Cow;

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Hinter};

use super::input::{Span, State, is_command, spans, state};
use super::names::{KEYWORDS, Names};

/// The editor's helper.
#[derive(Helper, Hinter)]
pub struct LineHelper {
    pub names: Names,
    pub color: bool,
    files: FilenameCompleter,
}

impl LineHelper {
    pub fn new(names: Names, color: bool) -> Self {
        Self {
            names,
            color,
            files: FilenameCompleter::new(),
        }
    }
}

impl Completer for LineHelper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        if line.trim_start().starts_with(".read ") {
            return self.files.complete(line, position, context);
        }
        let (n_bytes, names) = self.names.complete(&line[..position]);
        let pairs = names.into_iter().map(|name| Pair {
            display: name.clone(),
            replacement: name,
        });
        Ok((position - n_bytes, pairs.collect()))
    }
}

impl Validator for LineHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_open = !is_command(text) && matches!(state(text), State::Open(_));
        Ok(if is_open {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Highlighter for LineHelper {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        if !self.color || is_command(line) {
            return Cow::Borrowed(line);
        }
        let mut out = String::with_capacity(line.len() + 64);
        for (span, part) in spans(line) {
            match span {
                Span::Text => push_styled("\x1b[32m", part.text, &mut out),
                Span::Comment => push_styled("\x1b[2m", part.text, &mut out),
                Span::Name => out.push_str(part.text),
                Span::Code => push_code(part.text, &mut out),
            }
        }
        Cow::Owned(out)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        if self.color {
            Cow::Owned(format!("\x1b[1;32m{prompt}\x1b[0m"))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    fn highlight_char(&self, _line: &str, _position: usize, kind: CmdKind) -> bool {
        self.color && kind != CmdKind::MoveCursor
    }
}

fn push_code(code: &str, out: &mut String) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let inside = is_word(first);
        let end = rest.find(|c| is_word(c) != inside).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if KEYWORDS
            .iter()
            .any(|keyword| keyword.eq_ignore_ascii_case(word))
        {
            push_styled("\x1b[1;34m", word, out);
        } else {
            out.push_str(word);
        }
        rest = after;
    }
}

fn push_styled(style: &str, text: &str, out: &mut String) {
    out.push_str(style);
    out.push_str(text);
    out.push_str("\x1b[0m");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlighting_keeps_the_text() {
        let helper = LineHelper::new(Names::default(), true);
        let line = "SELECT 'a--' FROM \"x\" -- é";
        let shown = helper.highlight(line, 0);
        let mut plain = shown.to_string();
        for style in ["\x1b[1;34m", "\x1b[32m", "\x1b[2m", "\x1b[0m"] {
            assert!(plain.contains(style));
            plain = plain.replace(style, "");
        }
        assert_eq!(plain, line);
    }
}
