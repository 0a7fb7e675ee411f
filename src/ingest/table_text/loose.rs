//! Structs as databases print them: `{type=Root, arn=null}` of Athena and Spark, `{'type': 'Root'}`
//! of DuckDB and Python.
//!
//! `{k=v}` text has no quotes, so a value may look like what parts values. It ends before `, name=`,
//! or before a bracket that something of the outer value follows. A database prints every field once,
//! so a value that tries to pass for a second field is found by the name that comes twice; such text,
//! and any whose brackets do not match, is refused and stays text.

use std::borrow::Cow;
use std::collections::HashSet;

/// Deeper than any struct of a record.
const MAX_DEPTH: usize = 16;

/// Longer than any struct of a record; what is longer stays text.
const MAX_STRUCT_BYTES: usize = 256 * 1024;

/// A printed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loose<'a> {
    Null,
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Members(Vec<(Cow<'a, str>, Self)>),
}

/// Reads a printed struct or list, to its last byte.
pub fn parse(text: &str) -> Option<Loose<'_>> {
    let text = text.trim();
    if text.len() > MAX_STRUCT_BYTES {
        return None;
    }
    let inner = text.trim_start_matches(['[', '{', ' ']);
    let form = if inner.starts_with(['\'', '"']) {
        Form::Quoted
    } else {
        Form::Bare
    };
    let mut parser = Parser { rest: text, form };
    let value = parser.bracketed(0)?;
    parser.rest.is_empty().then_some(value)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `name=value`
    Bare,
    /// `'name': value`
    Quoted,
}

struct Parser<'a> {
    rest: &'a str,
    form: Form,
}

impl<'a> Parser<'a> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn bracketed(&mut self, depth: usize) -> Option<Loose<'a>> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take("[") {
            return self.list(depth);
        }
        self.take("{").then(|| self.members(depth)).flatten()
    }

    fn list(&mut self, depth: usize) -> Option<Loose<'a>> {
        let mut values = Vec::new();
        if self.take("]") {
            return Some(Loose::List(values));
        }
        loop {
            values.push(self.value(depth)?);
            if self.take("]") {
                return Some(Loose::List(values));
            }
            self.take(", ").then_some(())?;
        }
    }

    fn members(&mut self, depth: usize) -> Option<Loose<'a>> {
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        if self.take("}") {
            return Some(Loose::Members(members));
        }
        loop {
            let name = self.name()?;
            if !seen.insert(name.to_lowercase()) {
                return None;
            }
            members.push((name, self.value(depth)?));
            if self.take("}") {
                return Some(Loose::Members(members));
            }
            self.take(", ").then_some(())?;
        }
    }

    fn name(&mut self) -> Option<Cow<'a, str>> {
        match self.form {
            Form::Bare => {
                let length = name_length(self.rest)?;
                let (name, rest) = self.rest.split_at(length);
                self.rest = &rest[1..];
                Some(Cow::Borrowed(name))
            }
            Form::Quoted => {
                let name = self.quoted()?;
                self.take(": ").then_some(name)
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Loose<'a>> {
        if self.rest.starts_with(['{', '[']) {
            // A text that begins with a bracket and is no struct makes the whole unreadable.
            return self.bracketed(depth + 1);
        }
        if self.form == Form::Quoted && self.rest.starts_with(['\'', '"']) {
            return self.quoted().map(Loose::Text);
        }
        let text = self.bare()?;
        Some(match text {
            "null" | "NULL" | "None" => Loose::Null,
            _ => Loose::Text(Cow::Borrowed(text)),
        })
    }

    /// A text without quotes, up to where something else may begin.
    fn bare(&mut self) -> Option<&'a str> {
        let is_end = |at: usize| {
            let rest = &self.rest[at..];
            match rest.strip_prefix(", ") {
                Some(next) => match self.form {
                    Form::Bare => name_length(next).is_some() || next.starts_with('{'),
                    Form::Quoted => true,
                },
                None => closes(rest),
            }
        };
        let found = memchr::memchr3_iter(b',', b'}', b']', self.rest.as_bytes());
        let end = { found }.find(|at| is_end(*at))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(text)
    }

    /// A text in quotes of either kind, with backslashes.
    fn quoted(&mut self) -> Option<Cow<'a, str>> {
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|c| matches!(c, '\'' | '"'))?;
        let body = &self.rest[1..];
        let mut text = String::new();
        let mut chars = body.char_indices();
        let mut is_plain = true;
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = &body[at + 1..];
                let plain = &body[..at];
                return Some(if is_plain {
                    Cow::Borrowed(plain)
                } else {
                    Cow::Owned(text)
                });
            }
            if c == '\\' {
                if is_plain {
                    text.push_str(&body[..at]);
                    is_plain = false;
                }
                match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    same @ ('\\' | '\'' | '"') => text.push(same),
                    // Other escapes mean different things in different tools.
                    _ => return None,
                }
            } else if !is_plain {
                text.push(c);
            }
        }
        None
    }
}

/// The length of a name that `=` follows.
fn name_length(text: &str) -> Option<usize> {
    let is_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    let length = text.bytes().position(|byte| !is_name(&byte))?;
    (length > 0 && text.as_bytes()[length] == b'=').then_some(length)
}

/// Whether brackets that close stand here, with only what may follow them.
fn closes(text: &str) -> bool {
    // No more than can be open, so that a long run of them is not walked from each of its places.
    let run = text.bytes().take(MAX_DEPTH + 2);
    let n_brackets = run.take_while(|byte| matches!(byte, b'}' | b']')).count();
    let behind = &text[n_brackets..];
    let Some(next) = behind.strip_prefix(", ") else {
        return n_brackets > 0 && behind.is_empty();
    };
    n_brackets > 0 && (name_length(next).is_some() || next.starts_with(['{', '\'', '"']))
}
