//! `regexp_replace`.

use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use regex::{Captures, Regex};

use super::syntax::Patterns;
use super::{REGULAR, VARCHAR, doc};
use crate::engine::functions::trino::define::Function;
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, shown};

pub(super) const REGEXP_REPLACE: Function = Function::new(
    "regexp_replace",
    doc(
        REGULAR,
        "regexp_replace(text, pattern [, replacement]) → varchar",
        "A text with every match of a pattern replaced, or left out where no replacement is given. In \
         the replacement `$1` and `${name}` are groups, and a backslash takes its meaning from the \
         character after it. Trino's form with a lambda is not there.",
        "regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ') -- 3ca 3cb 14m",
    ),
    |given| coerce("regexp_replace", given, &[Kind::Text; 3], 2),
    VARCHAR,
    replace,
);

fn replace(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (texts, patterns) = (rows.texts(0)?, rows.texts(1)?);
    let mut patterns = Patterns::new("regexp_replace", &patterns);
    let replacements = match rows.n_arguments() {
        2 => None,
        _ => Some(rows.texts(2)?),
    };
    rows.give_texts(|row| {
        let replacement = replacements.as_ref().map_or(Some(""), |all| all.get(row));
        let both = patterns.get(row)?.zip(texts.get(row));
        let Some(((pattern, text), replacement)) = both.zip(replacement) else {
            return Ok(None);
        };
        let parts = parts(replacement, &pattern)?;
        let with = |found: &Captures<'_>| filled(&parts, found);
        Ok(Some(pattern.replace_all(text, with).into_owned()))
    })
}

enum Part {
    Text(String),
    Group(usize),
}

fn filled(parts: &[Part], found: &Captures<'_>) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Group(group) => out.push_str(found.get(*group).map_or("", |part| part.as_str())),
        }
    }
    out
}

/// A replacement read for a pattern.
fn parts(replacement: &str, pattern: &Regex) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = replacement.chars();
    let no_group = || {
        exec_err!(
            "`regexp_replace` finds no group for a `$` in the replacement `{}`",
            shown(replacement)
        )
    };
    while let Some(character) = rest.next() {
        let group = match character {
            '\\' => {
                text.extend(rest.next());
                continue;
            }
            '$' => match rest.as_str().strip_prefix('{') {
                Some(named) => {
                    let Some((name, after)) = named.split_once('}') else {
                        return no_group();
                    };
                    rest = after.chars();
                    pattern
                        .capture_names()
                        .position(|known| known == Some(name))
                }
                None => numbered(&mut rest, pattern),
            },
            other => {
                text.push(other);
                continue;
            }
        };
        let Some(group) = group else {
            return no_group();
        };
        parts.push(Part::Text(std::mem::take(&mut text)));
        parts.push(Part::Group(group));
    }
    parts.push(Part::Text(text));
    Ok(parts)
}

/// As many digits as still name a group.
fn numbered(rest: &mut std::str::Chars<'_>, pattern: &Regex) -> Option<usize> {
    let mut group = None;
    while let Some(digit) = rest.clone().next().and_then(|c| c.to_digit(10)) {
        let next = group.unwrap_or(0usize) * 10 + usize::try_from(digit).ok()?;
        if next >= pattern.captures_len() {
            break;
        }
        group = Some(next);
        rest.next();
    }
    group
}
