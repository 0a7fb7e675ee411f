//! JSON written: strings quoted, white space left out, members in order.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::scan::{elements, members, string, unescape};

/// Appends a text as a JSON string.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            // Writing to a text cannot fail.
            Some(control) => drop(write!(out, "\\u{:04X}", u32::from(control))),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// A value without white space between its parts, strings as written.
pub(super) fn compact(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut out: Option<String> = None;
    let (mut from, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at),
            b' ' | b'\n' | b'\t' | b'\r' => {
                let out = out.get_or_insert_with(|| String::with_capacity(json.len()));
                out.push_str(json.get(from..at).unwrap_or(""));
                at += 1;
                from = at;
            }
            _ => at += 1,
        }
    }
    match out {
        None => Cow::Borrowed(json),
        Some(mut out) => {
            out.push_str(json.get(from..).unwrap_or(""));
            Cow::Owned(out)
        }
    }
}

/// Past the closing quote of the string whose opening quote is at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(rest) = bytes.get(at..)
        && let Some(next) = memchr::memchr2(b'"', b'\\', rest)
    {
        at += next;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// Appends a value in the one form that equal values have: no white space, members sorted by name and
/// the last of one name kept, strings with the fewest escapes. Numbers stay as written.
pub(super) fn normal(json: &str, out: &mut String) {
    match json.as_bytes().first() {
        Some(b'{') => {
            let mut parts: Vec<(Cow<'_, str>, &str)> = members(json)
                .map(|(name, value)| (unescape(name), value))
                .collect();
            parts.sort_by(|(a, _), (b, _)| a.cmp(b));
            out.push('{');
            let mut first = true;
            for (at, (name, value)) in parts.iter().enumerate() {
                if parts.get(at + 1).is_some_and(|(next, _)| next == name) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                quote(name, out);
                out.push(':');
                normal(value, out);
            }
            out.push('}');
        }
        Some(b'[') => {
            out.push('[');
            for (at, value) in elements(json).enumerate() {
                if at > 0 {
                    out.push(',');
                }
                normal(value, out);
            }
            out.push(']');
        }
        Some(b'"') => match string(json) {
            Some(text) => quote(&text, out),
            None => out.push_str(json),
        },
        _ => out.push_str(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted() {
        for (text, expected) in [
            ("", r#""""#),
            ("a/é\u{1f600}", "\"a/é\u{1f600}\""),
            ("\"\\\n\t\r\u{8}\u{c}\u{1}", r#""\"\\\n\t\r\b\f\u0001""#),
        ] {
            let mut out = String::new();
            quote(text, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn white_space_goes() {
        for (json, expected) in [
            (
                "{ \"a b\" : [ 1 ,\n 2 ] , \"c\\\" \" : \" d \" }",
                r#"{"a b":[1,2],"c\" ":" d "}"#,
            ),
            (r#"{"a":"b c"}"#, r#"{"a":"b c"}"#),
        ] {
            assert_eq!(compact(json), expected);
        }
    }

    #[test]
    fn equal_values_have_one_form() {
        for (json, expected) in [
            (
                r#"{"b": 1, "a": {"d": [], "c": "\u0041\/"}, "b": 2.50}"#,
                r#"{"a":{"c":"A/","d":[]},"b":2.50}"#,
            ),
            ("[ {} , null , true ]", "[{},null,true]"),
        ] {
            let mut out = String::new();
            normal(json, &mut out);
            assert_eq!(out, expected);
        }
    }
}
