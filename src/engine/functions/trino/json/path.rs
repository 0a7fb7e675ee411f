//! The paths of `json_extract` and its kin: `$.a.b[0]["c-d"]`.
//!
//! As in Trino a step is a name for an object and, where it is a number, an index for an array, however it
//! is spelled. Beyond Trino, names may stand in single quotes, and `.*` and `[*]` mean every part.

use datafusion::common::{Result, exec_err};

use super::scan::{Cursor, elements, members};
use crate::engine::functions::trino::rows::{Column, shown};
use arrow::array::StringViewArray;

/// A path after its `$`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Part { name: String, index: Option<usize> },
    Every,
}

impl Path {
    /// `None` where the text is no path.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = Step::parse(rest)?;
            steps.push(step);
            rest = after;
        }
        Some(Self { steps })
    }

    /// Whether it may lead to more than one value.
    pub fn is_wild(&self) -> bool {
        self.steps.contains(&Step::Every)
    }

    /// The value that it leads to, as written; the first one where it is wild. `None` where there is
    /// none, or where the text up to there is no JSON.
    pub fn find<'a>(&self, json: &'a str) -> Option<&'a str> {
        let mut cursor = Cursor::new(json);
        for step in &self.steps {
            match (step, cursor.peek()?) {
                (Step::Part { name, .. }, b'{') => cursor.enter_member(name)?,
                (Step::Part { index, .. }, b'[') => cursor.enter_element((*index)?)?,
                (Step::Every, _) => return self.find_all(json).into_iter().next(),
                _ => return None,
            }
        }
        cursor.value()
    }

    /// Every value that it leads to, in their order.
    pub fn find_all<'a>(&self, json: &'a str) -> Vec<&'a str> {
        let mut found: Vec<&str> = Cursor::new(json).value().into_iter().collect();
        for step in &self.steps {
            found = found
                .into_iter()
                .flat_map(|value| match step {
                    Step::Part { .. } => {
                        let steps = vec![step.clone()];
                        Self { steps }.find(value).into_iter().collect::<Vec<_>>()
                    }
                    Step::Every => members(value)
                        .map(|(_, value)| value)
                        .chain(elements(value))
                        .collect(),
                })
                .collect();
        }
        found
    }
}

impl Step {
    fn parse(text: &str) -> Option<(Self, &str)> {
        if let Some(rest) = text.strip_prefix(".*").or(text.strip_prefix("[*]")) {
            return Some((Self::Every, rest));
        }
        if let Some(rest) = text.strip_prefix('.') {
            return plain(rest, |character| character == ':');
        }
        let rest = text.strip_prefix('[')?;
        let (step, rest) = match rest.chars().next()? {
            quote @ ('"' | '\'') => quoted(rest.get(1..)?, quote)?,
            _ => plain(rest, |_| false)?,
        };
        Some((step, rest.strip_prefix(']')?))
    }

    fn part(name: String) -> Self {
        let index = name.parse().ok();
        Self::Part { name, index }
    }
}

/// A name of letters, digits and underscores, and of what else is allowed.
fn plain(text: &str, also: impl Fn(char) -> bool) -> Option<(Step, &str)> {
    let ends = |c: char| !(c.is_alphanumeric() || c == '_' || also(c));
    let end = text.find(ends).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    (!name.is_empty()).then(|| (Step::part(name.to_owned()), rest))
}

/// A name up to its closing quote. A backslash may stand before a quote or a backslash only.
fn quoted(text: &str, quote: char) -> Option<(Step, &str)> {
    let mut name = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '\\' => match chars.next()? {
                escaped if escaped == '\\' || escaped == quote => name.push(escaped),
                _ => return None,
            },
            end if end == quote => return Some((Step::part(name), chars.as_str())),
            other => name.push(other),
        }
    }
}

/// The paths of a batch, each read once as long as they are the same.
pub(super) struct Paths<'a> {
    function: &'static str,
    texts: &'a Column<StringViewArray>,
    last: Option<(String, Path)>,
}

impl<'a> Paths<'a> {
    pub fn new(function: &'static str, texts: &'a Column<StringViewArray>) -> Self {
        let last = None;
        Self {
            function,
            texts,
            last,
        }
    }

    /// The path of a row; `None` is NULL.
    ///
    /// # Errors
    ///
    /// Names what is no path.
    pub fn get(&mut self, row: usize) -> Result<Option<&Path>> {
        let Some(text) = self.texts.get(row) else {
            return Ok(None);
        };
        let known = self.last.as_ref().is_some_and(|(known, _)| known == text);
        if !known {
            let Some(path) = Path::parse(text) else {
                let function = self.function;
                let text = shown(text);
                return exec_err!("`{function}` cannot read the path `{text}`");
            };
            self.last = Some((text.to_owned(), path));
        }
        Ok(self.last.as_ref().map(|(_, path)| path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let json = r#" {"a": {"b": [10, {"c-d": "x", "e:f": null}], "0": true}, "a": 2,
            "q\"\\": [], "\u0075": 5, "b": {"x":1, "y":[2]}} "#;
        for (path, expected) in [
            ("$.a.b[0]", Some("10")),
            (r#"$["a"]["b"][1]["c-d"]"#, Some("\"x\"")),
            ("$.a['b'][1]['c-d']", Some("\"x\"")),
            ("$.a.b[1].e:f", Some("null")),
            ("$.a.b.0", Some("10")),
            ("$.a[0]", Some("true")),
            (r#"$["q\"\\"]"#, Some("[]")),
            ("$.u", Some("5")),
            ("$.a.b[2]", None),
            ("$.a.b.c", None),
            ("$.b.x.z", None),
            ("$.none", None),
            ("$.A", None),
            ("$.b.*", Some("1")),
        ] {
            let parsed = Path::parse(path).unwrap();
            assert_eq!(parsed.find(json), expected, "{path}");
        }
        let wild = Path::parse("$.b.*").unwrap();
        assert_eq!(wild.find_all(json), ["1", "[2]"]);
    }

    #[test]
    fn other_texts_are_no_paths() {
        for text in [
            "",
            "a",
            ".a",
            "$.",
            "$a",
            "$.a-b",
            "$..a",
            "$.a[",
            "$.a[]",
            "$.a[-1]",
            r#"$["a]"#,
            r#"$["a\x"]"#,
            "$.a b",
            "$[0",
            "$.a.",
        ] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_comes_after_is_not_read() {
        let path = Path::parse("$.a").unwrap();
        assert_eq!(path.find(r#"{"a": 1, "b": "#), Some("1"));
        assert_eq!(path.find(r#"{"b": tru, "a": 1}"#), None);
        assert_eq!(path.find(r#"{"a": {"b" 1}}"#), None);
    }
}
