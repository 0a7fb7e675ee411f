//! Java's regular expressions in the words of the crate `regex`, as far as these go: what it cannot do in
//! linear time (look-around, references to groups, possessive and atomic parts) is named.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::StringViewArray;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use regex::Regex;

use crate::engine::functions::trino::rows::{Column, shown};

/// A pattern in the crate's syntax, or what it holds that has none.
pub(super) fn translate(pattern: &str) -> std::result::Result<String, String> {
    let mut translator = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        class_depth: 0,
        after_quantifier: false,
        out: String::with_capacity(pattern.len()),
    };
    while let Some(character) = translator.next() {
        translator.step(character)?;
    }
    Ok(translator.out)
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    /// How many character classes are open.
    class_depth: usize,
    after_quantifier: bool,
    out: String,
}

impl Translator {
    fn next(&mut self) -> Option<char> {
        let character = self.chars.get(self.at).copied()?;
        self.at += 1;
        Some(character)
    }

    /// Takes the next character as it is.
    fn copy(&mut self) {
        let character = self.next();
        self.out.extend(character);
    }

    fn rest_is(&self, wanted: &str) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let n = wanted.chars().count();
        rest.iter().take(n).copied().eq(wanted.chars())
    }

    fn step(&mut self, character: char) -> std::result::Result<(), String> {
        let after_quantifier = std::mem::take(&mut self.after_quantifier);
        match character {
            '\\' => return self.escape(),
            '[' => {
                self.class_depth += 1;
                self.out.push('[');
            }
            ']' if self.class_depth > 0 => {
                self.class_depth -= 1;
                self.out.push(']');
            }
            _ if self.class_depth > 0 => self.out.push(character),
            '(' => return self.group(),
            '+' if after_quantifier => return Err("a possessive quantifier".to_owned()),
            '*' | '+' | '?' => {
                self.after_quantifier = !(character == '?' && after_quantifier);
                self.out.push(character);
            }
            '{' => match self.counted() {
                Some(quantifier) => {
                    self.out.push_str(&quantifier);
                    self.after_quantifier = true;
                }
                None => self.out.push_str("\\{"),
            },
            other => self.out.push(other),
        }
        Ok(())
    }

    /// `{2}`, `{2,}` or `{2,5}` after its brace; a brace before anything else is a brace.
    fn counted(&mut self) -> Option<String> {
        let rest = self.chars.get(self.at..)?;
        let end = rest.iter().position(|c| *c == '}')?;
        let inside: String = rest.get(..end)?.iter().collect();
        let (least, most) = inside.split_once(',').unwrap_or((&inside, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if least.is_empty() || !is_number(least) || !is_number(most) {
            return None;
        }
        self.at += end + 1;
        Some(format!("{{{inside}}}"))
    }

    fn group(&mut self) -> std::result::Result<(), String> {
        for start in ["?=", "?!", "?<=", "?<!"] {
            if self.rest_is(start) {
                return Err(format!("look-around (`({start}`)"));
            }
        }
        if self.rest_is("?>") {
            return Err("an atomic group (`(?>`)".to_owned());
        }
        self.out.push('(');
        if !self.rest_is("?") || self.rest_is("?<") || self.rest_is("?:") {
            for _ in 0..if self.rest_is("?") { 2 } else { 0 } {
                self.copy();
            }
            return Ok(());
        }
        // Flags; those for Unicode are always on, and `d` is not known to Trino either.
        self.copy();
        while let Some(flag) = self.next() {
            match flag {
                'u' | 'U' | 'd' => {}
                ':' | ')' => {
                    if self.out.ends_with('?') && flag == ')' {
                        self.out.push(':');
                    }
                    self.out.push(flag);
                    return Ok(());
                }
                other => self.out.push(other),
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> std::result::Result<(), String> {
        let Some(escaped) = self.next() else {
            return Err("a backslash at its end".to_owned());
        };
        let in_class = self.class_depth > 0;
        let class = |inside: &str| {
            if in_class {
                inside.to_owned()
            } else {
                format!("[{inside}]")
            }
        };
        const BLANKS: &str = r" \t\xA0\u{1680}\u{180E}\u{2000}-\u{200A}\u{202F}\u{205F}\u{3000}";
        let text = match escaped {
            'Q' => {
                self.quoted();
                return Ok(());
            }
            'E' => String::new(),
            'Z' => r"(?:\n?\z)".to_owned(),
            'h' => class(BLANKS),
            'H' => format!("[^{BLANKS}]"),
            'R' => r"(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])".to_owned(),
            'e' => r"\x1B".to_owned(),
            '0' => self.octal()?,
            'p' | 'P' => return self.property(escaped == 'P'),
            '1'..='9' => return Err(format!("a reference to a group (`\\{escaped}`)")),
            'k' => return Err("a reference to a group (`\\k`)".to_owned()),
            'G' | 'X' | 'N' | 'c' => return Err(format!("`\\{escaped}`")),
            known if known.is_ascii_alphanumeric() => format!("\\{known}"),
            literal => regex::escape(&literal.to_string()),
        };
        self.out.push_str(&text);
        Ok(())
    }

    /// What stands between `\Q` and `\E`.
    fn quoted(&mut self) {
        while !self.rest_is("\\E") {
            let Some(character) = self.next() else {
                return;
            };
            self.out.push_str(&regex::escape(&character.to_string()));
        }
        self.at += 2;
    }

    fn octal(&mut self) -> std::result::Result<String, String> {
        let mut value = 0;
        let mut n_digits = 0;
        while n_digits < 3
            && let Some(digit) = self.chars.get(self.at).and_then(|c| c.to_digit(8))
            && value * 8 + digit <= 0o377
        {
            value = value * 8 + digit;
            n_digits += 1;
            self.at += 1;
        }
        if n_digits == 0 {
            return Err("`\\0` without digits".to_owned());
        }
        Ok(format!("\\x{{{value:X}}}"))
    }

    fn property(&mut self, negated: bool) -> std::result::Result<(), String> {
        let name: String = match self.next() {
            Some('{') => {
                let rest = self.chars.get(self.at..).unwrap_or_default();
                let Some(end) = rest.iter().position(|c| *c == '}') else {
                    return Err("`\\p{` without its end".to_owned());
                };
                self.at += end + 1;
                rest.get(..end).unwrap_or_default().iter().collect()
            }
            Some(letter) => letter.to_string(),
            None => return Err("`\\p` at its end".to_owned()),
        };
        let posix = match name.as_str() {
            "Lower" | "Upper" | "Alpha" | "Digit" | "Alnum" | "Punct" | "Graph" | "Print"
            | "Blank" | "Cntrl" | "Space" | "XDigit" => Some(name.to_ascii_lowercase()),
            "ASCII" => Some("ascii".to_owned()),
            _ => None,
        };
        if let Some(posix) = posix {
            let not = if negated { "^" } else { "" };
            let inside = format!("[:{not}{posix}:]");
            let text = if self.class_depth > 0 {
                inside
            } else {
                format!("[{inside}]")
            };
            self.out.push_str(&text);
            return Ok(());
        }
        if name.starts_with("In") || name.starts_with("java") {
            return Err(format!("`\\p{{{name}}}`"));
        }
        let name = name.strip_prefix("Is").unwrap_or(&name);
        let letter = if negated { 'P' } else { 'p' };
        self.out.push_str(&format!("\\{letter}{{{name}}}"));
        Ok(())
    }
}

/// Most patterns kept at once, where they differ from row to row.
const MOST_PATTERNS: usize = 256;

/// The patterns of a batch, each compiled once.
pub(super) struct Patterns<'a> {
    function: &'static str,
    texts: &'a Column<StringViewArray>,
    flags: String,
    last: Option<(String, Arc<Regex>)>,
    known: HashMap<String, Arc<Regex>>,
}

impl<'a> Patterns<'a> {
    pub fn new(function: &'static str, texts: &'a Column<StringViewArray>) -> Self {
        Self {
            function,
            texts,
            flags: String::new(),
            last: None,
            known: HashMap::new(),
        }
    }

    /// With flags (`i`, `s`, `m`, `x`) that hold for every pattern.
    pub fn with_flags(mut self, flags: &str) -> Self {
        if !flags.is_empty() {
            self.flags = format!("(?{flags})");
        }
        self
    }

    /// The pattern of a row; `None` is NULL.
    ///
    /// # Errors
    ///
    /// Names what is no pattern, or what is not possible.
    pub fn get(&mut self, row: usize) -> Result<Option<Arc<Regex>>> {
        let Some(text) = self.texts.get(row) else {
            return Ok(None);
        };
        if let Some((known, pattern)) = &self.last
            && known == text
        {
            return Ok(Some(Arc::clone(pattern)));
        }
        let pattern = match self.known.get(text) {
            Some(pattern) => Arc::clone(pattern),
            None => Arc::new(self.compile(text)?),
        };
        if self.known.len() < MOST_PATTERNS {
            self.known.insert(text.to_owned(), Arc::clone(&pattern));
        }
        self.last = Some((text.to_owned(), Arc::clone(&pattern)));
        Ok(Some(pattern))
    }

    fn compile(&self, text: &str) -> Result<Regex> {
        let function = self.function;
        let translated = match translate(text) {
            Ok(translated) => translated,
            Err(part) => {
                let text = shown(text);
                return exec_err!(
                    "`{function}` does not support {part}, as in the pattern `{text}`"
                );
            }
        };
        Regex::new(&format!("{}{translated}", self.flags)).map_err(|error| {
            let error = error.to_string();
            let last = error.lines().last().unwrap_or_default();
            let reason = last.strip_prefix("error: ").unwrap_or(last);
            let text = shown(text);
            exec_datafusion_err!("`{function}` cannot read the pattern `{text}`: {reason}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_java() {
        for (pattern, text, expected) in [
            (r"\d+b", "1a 2b", true),
            (r"(?i)ASSUME", "assumed", true),
            (r"(?iu)É", "é", true),
            (r"(?u)a", "a", true),
            (r"\Qa.b[\E+", "a.b[[", true),
            (r"\Qa.b\E", "axb", false),
            (r"end\Z", "end\n", true),
            (r"\p{Alpha}+\p{Punct}", "ab!", true),
            (r"^[\p{Alpha}\p{Digit}]+$", "ab1", true),
            (r"^\P{Alpha}$", "a", false),
            (r"\p{IsAlphabetic}", "é", true),
            (r"\p{L}\p{Lu}", "aB", true),
            (r"\pL", "a", true),
            ("{\"a\": ?{", "{\"a\": {", true),
            (r"^a{2}$", "aa", true),
            (r"^a{2,}?$", "aaa", true),
            (r"a\<b\/c\-d\_e\@f\ g", "a<b/c-d_e@f g", true),
            (r"[\h]x\hy", "\tx y", true),
            (r"\x41\u0042\x{43}\0104", "ABCD", true),
            (r"(?<name>a)(?:b)", "ab", true),
            (r"[a-z&&[^b]]", "b", false),
            (r"a\Rb", "a\r\nb", true),
            (r"[(?=]", "=", true),
        ] {
            let translated = translate(pattern).unwrap();
            let regex =
                Regex::new(&translated).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(regex.is_match(text), expected, "{pattern} ({translated})");
        }
    }

    #[test]
    fn what_is_not_possible_is_named() {
        for (pattern, part) in [
            ("(?!a)", "look-around (`(?!`)"),
            ("(?<=a)b", "look-around (`(?<=`)"),
            (r"(a)\1", r"a reference to a group (`\1`)"),
            (r"(?<n>a)\k<n>", r"a reference to a group (`\k`)"),
            ("a++", "a possessive quantifier"),
            ("a{2}+", "a possessive quantifier"),
            ("(?>a)", "an atomic group (`(?>`)"),
            (r"\p{InGreek}", r"`\p{InGreek}`"),
            (r"a\", "a backslash at its end"),
        ] {
            assert_eq!(translate(pattern), Err(part.to_owned()), "{pattern}");
        }
    }
}
