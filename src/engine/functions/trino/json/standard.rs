//! The functions of the SQL standard: `json_exists`, `json_value`, `json_query`, and the common part of
//! their paths: `lax` or `strict`, members, `*`, subscripts with `to` and `last`.

use arrow::array::StringViewArray;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::FAMILY;
use super::scan::{elements, members, scalar, unescape, whole};
use super::write::compact;
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Column, Kind, Rows, coerce, shown};

#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    strict: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    EveryMember,
    Elements(Vec<(Place, Place)>),
    EveryElement,
}

/// A subscript, counted from 0 or from the last one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First(usize),
    Last(usize),
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_prefix("last") {
            Some("") => Some(Self::Last(0)),
            Some(rest) => {
                let back = rest.trim_start().strip_prefix('-')?;
                Some(Self::Last(back.trim().parse().ok()?))
            }
            None => Some(Self::First(text.parse().ok()?)),
        }
    }

    fn at(self, n: usize) -> Option<usize> {
        match self {
            Self::First(at) => Some(at),
            Self::Last(back) => n.checked_sub(1)?.checked_sub(back),
        }
    }
}

impl Path {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (strict, rest) = match (text.strip_prefix("lax"), text.strip_prefix("strict")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => (false, text),
        };
        let mut rest = rest.trim_start().strip_prefix('$')?.trim_start();
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = Step::parse(rest)?;
            steps.push(step);
            rest = after.trim_start();
        }
        Some(Self { strict, steps })
    }

    /// Every value that it leads to; `None` where the text is no JSON, or where a strict path does not fit.
    fn find<'a>(&self, json: &'a str) -> Option<Vec<&'a str>> {
        let mut found = vec![whole(json)?];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                step.follow(value, self.strict, &mut next)?;
            }
            found = next;
        }
        Some(found)
    }
}

impl Step {
    fn parse(text: &str) -> Option<(Self, &str)> {
        if let Some(rest) = text.strip_prefix('.') {
            let rest = rest.trim_start();
            if let Some(rest) = rest.strip_prefix('*') {
                return Some((Self::EveryMember, rest));
            }
            if let Some(quoted) = rest.strip_prefix('"') {
                let (name, rest) = quoted.split_once('"')?;
                return Some((Self::Member(name.to_owned()), rest));
            }
            let ends = |c: char| !(c.is_alphanumeric() || c == '_');
            let end = rest.find(ends).unwrap_or(rest.len());
            let (name, rest) = rest.split_at_checked(end)?;
            // What ends so is a method, `size()`.
            let is_name = !name.is_empty() && !rest.starts_with('(');
            return is_name.then(|| (Self::Member(name.to_owned()), rest));
        }
        let (inside, rest) = text.strip_prefix('[')?.split_once(']')?;
        if inside.trim() == "*" {
            return Some((Self::EveryElement, rest));
        }
        let ranges = inside
            .split(',')
            .map(|range| match range.split_once(" to ") {
                Some((first, last)) => Some((Place::parse(first)?, Place::parse(last)?)),
                None => Place::parse(range).map(|place| (place, place)),
            });
        Some((Self::Elements(ranges.collect::<Option<_>>()?), rest))
    }

    /// Appends what a value has there. A lax path takes arrays apart where it wants a member, and a value
    /// for an array of it where it wants an element. `None` where a strict path does not fit.
    fn follow<'a>(&self, value: &'a str, strict: bool, out: &mut Vec<&'a str>) -> Option<()> {
        match self {
            Self::Member(_) | Self::EveryMember if value.starts_with('[') && !strict => {
                for element in elements(value) {
                    self.of_object(element, strict, out)?;
                }
            }
            Self::Member(_) | Self::EveryMember => self.of_object(value, strict, out)?,
            Self::Elements(_) | Self::EveryElement => {
                let parts: Vec<_> = match (value.starts_with('['), strict) {
                    (true, _) => elements(value).collect(),
                    (false, false) => vec![value],
                    (false, true) => return None,
                };
                let Self::Elements(ranges) = self else {
                    out.extend(parts);
                    return Some(());
                };
                for (first, last) in ranges {
                    let bounds = first.at(parts.len()).zip(last.at(parts.len()));
                    match bounds {
                        Some((first, last)) if last < parts.len() || !strict => {
                            let all = parts.iter().enumerate();
                            let inside = all.filter(|(at, _)| (first..=last).contains(at));
                            out.extend(inside.map(|(_, value)| *value));
                        }
                        _ if strict => return None,
                        _ => {}
                    }
                }
            }
        }
        Some(())
    }

    fn of_object<'a>(&self, value: &'a str, strict: bool, out: &mut Vec<&'a str>) -> Option<()> {
        if !value.starts_with('{') {
            return (!strict).then_some(());
        }
        let before = out.len();
        match self {
            Self::Member(wanted) => {
                let named = |(name, _): &(&str, &str)| unescape(name) == *wanted;
                out.extend(members(value).find(named).map(|(_, value)| value));
                (!strict || out.len() > before).then_some(())
            }
            _ => {
                out.extend(members(value).map(|(_, value)| value));
                Some(())
            }
        }
    }
}

/// Evaluates a path for each row, reading it once as long as it is the same.
struct Finder<'a> {
    function: &'static str,
    json: &'a Column<StringViewArray>,
    paths: &'a Column<StringViewArray>,
    last: Option<(String, Path)>,
}

impl<'a> Finder<'a> {
    /// `None` is NULL; within, `None` is an error of the path over this value, which is no error of the
    /// call.
    #[allow(clippy::option_option, reason = "NULL and nothing found differ")]
    fn find(&mut self, row: usize) -> Result<Option<Option<Vec<&'a str>>>> {
        let Some((json, text)) = self.json.get(row).zip(self.paths.get(row)) else {
            return Ok(None);
        };
        let path = match &self.last {
            Some((known, path)) if known == text => path,
            _ => {
                let Some(path) = Path::parse(text) else {
                    let function = self.function;
                    let text = shown(text);
                    return exec_err!("`{function}` cannot read the path `{text}`");
                };
                &self.last.insert((text.to_owned(), path)).1
            }
        };
        Ok(Some(path.find(json)))
    }
}

pub(super) const JSON_EXISTS: Function = Function::new(
    "json_exists",
    Doc {
        family: FAMILY,
        syntax: "json_exists(json, path) → boolean",
        description: "Whether a path of the SQL standard leads to a value: `lax` or `strict`, then `$` and \
            `.name`, `.\"name\"`, `.*`, `[0]`, `[last]`, `[0 to 2]` or `[*]`. Filters and methods are not \
            there. False where the text is no JSON or a strict path does not fit; an error where the path \
            is none.",
        example: "json_exists('{\"a\": [1]}', 'lax $.a[0]') -- true",
    },
    |given| coerce("json_exists", given, &[Kind::Text, Kind::Text], 2),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| {
        let rows = Rows::new(args);
        let (json, paths) = (rows.texts(0)?, rows.texts(1)?);
        let (json, paths) = (&json, &paths);
        let mut finder = Finder {
            function: "json_exists",
            json,
            paths,
            last: None,
        };
        rows.give_truths(|row| {
            let found = finder.find(row)?;
            Ok(found.map(|found| found.is_some_and(|values| !values.is_empty())))
        })
    },
);

pub(super) const JSON_VALUE: Function = Function::new(
    "json_value",
    Doc {
        family: FAMILY,
        syntax: "json_value(json, path) → varchar",
        description: "The one text, number or truth value that a path of the SQL standard leads to, as \
            text. NULL where there is none or more than one, and where it is an object or an array. Paths \
            are those of `json_exists`.",
        example: "json_value('{\"a\": [1, 2]}', 'lax $.a[last]') -- 2",
    },
    |given| coerce("json_value", given, &[Kind::Text, Kind::Text], 2),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        let rows = Rows::new(args);
        let (json, paths) = (rows.texts(0)?, rows.texts(1)?);
        let (json, paths) = (&json, &paths);
        let mut finder = Finder {
            function: "json_value",
            json,
            paths,
            last: None,
        };
        rows.give_texts(|row| {
            let found = finder.find(row)?.flatten();
            Ok(found.and_then(|values| match values.as_slice() {
                [value] => scalar(value),
                _ => None,
            }))
        })
    },
);

pub(super) const JSON_QUERY: Function = Function::new(
    "json_query",
    Doc {
        family: FAMILY,
        syntax: "json_query(json, path) → varchar",
        description: "The one value that a path of the SQL standard leads to, as the text of its JSON. NULL \
            where there is none or more than one. Paths are those of `json_exists`.",
        example: "json_query('{\"a\": [1, 2]}', 'lax $.a') -- [1,2]",
    },
    |given| coerce("json_query", given, &[Kind::Text, Kind::Text], 2),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        let rows = Rows::new(args);
        let (json, paths) = (rows.texts(0)?, rows.texts(1)?);
        let (json, paths) = (&json, &paths);
        let mut finder = Finder {
            function: "json_query",
            json,
            paths,
            last: None,
        };
        rows.give_texts(|row| {
            let found = finder.find(row)?.flatten();
            Ok(found.and_then(|values| match values.as_slice() {
                [value] => Some(compact(value)),
                _ => None,
            }))
        })
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_paths_lead_to_values() {
        let json = r#"{"a": [{"b": 1}, {"b": 2}, 3], "c d": "x", "o": {"p": 1, "q": 2}}"#;
        for (path, expected) in [
            ("lax $.a[0].b", Some(vec!["1"])),
            ("$.a.b", Some(vec!["1", "2"])),
            ("strict $.a.b", None),
            ("lax $.a[last]", Some(vec!["3"])),
            ("lax $.a[0 to 1].b", Some(vec!["1", "2"])),
            ("lax $.a[last - 1].b", Some(vec!["2"])),
            ("lax $.a[0, 2]", Some(vec![r#"{"b": 1}"#, "3"])),
            ("lax $.a[7]", Some(vec![])),
            ("strict $.a[7]", None),
            ("lax $.\"c d\"[0]", Some(vec!["\"x\""])),
            ("lax $.o.*", Some(vec!["1", "2"])),
            ("lax $.none.x", Some(vec![])),
            ("strict $.none", None),
            ("lax $[*].o.p", Some(vec!["1"])),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(json), expected, "{path}");
        }
        for path in [
            "",
            "a",
            "lax a",
            "lax $.",
            "lax $.a.size()",
            "lax $.a ? (@ > 1)",
            "lax $[x]",
        ] {
            assert_eq!(Path::parse(path), None, "{path}");
        }
    }
}
