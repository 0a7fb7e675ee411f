//! Patterns of LIKE: Trino has no escape character but the one that a statement names, DataFusion always
//! has the backslash.

use datafusion::sql::sqlparser::ast::{Expr, Value, ValueWithSpan};

use crate::error::QueryError;

/// Makes a pattern one in which the backslash escapes: Trino has no escape character but the one that a
/// statement names.
pub(super) fn escape(
    pattern: &mut Expr,
    escape_char: &mut Option<ValueWithSpan>,
) -> Result<(), QueryError> {
    let escape = match escape_char.as_ref().map(|value| &value.value) {
        None => None,
        Some(Value::SingleQuotedString(text)) => {
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => Some(character),
                _ => {
                    let message = format!("`ESCAPE '{text}'` is not one character");
                    return Err(QueryError::new(message));
                }
            }
        }
        Some(_) => return Ok(()),
    };
    if let Expr::Value(ValueWithSpan {
        value: Value::SingleQuotedString(text),
        ..
    }) = pattern
    {
        *text = escaped(text, escape);
        *escape_char = None;
    }
    Ok(())
}

fn escaped(pattern: &str, escape: Option<char>) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            // An escape at the end, or before what needs none, stands for itself.
            match characters.clone().next() {
                Some(next) if "%_".contains(next) || Some(next) == escape => {
                    characters.next();
                    out.push('\\');
                    out.push(next);
                    continue;
                }
                _ => {}
            }
        }
        if character == '\\' {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_as_it_stands_is_escaped() {
        for (pattern, escape, expected) in [
            ("a%", None, "a%"),
            (r"a\_%", None, r"a\\_%"),
            ("a!_!%!!", Some('!'), r"a\_\%\!"),
            ("a!b!", Some('!'), "a!b!"),
            (r"%\%%", Some('\\'), r"%\%%"),
        ] {
            assert_eq!(escaped(pattern, escape), expected, "{pattern}");
        }
    }
}
