//! URLs: `url_extract_…`, `url_encode`, `url_decode`.

use std::fmt::Write as _;

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::{URLS, VARCHAR, doc};
use crate::engine::functions::trino::define::{Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, shown};

pub(super) const FUNCTIONS: [Function; 9] = [
    URL_DECODE,
    URL_ENCODE,
    URL_EXTRACT_FRAGMENT,
    URL_EXTRACT_HOST,
    URL_EXTRACT_PARAMETER,
    URL_EXTRACT_PATH,
    URL_EXTRACT_PORT,
    URL_EXTRACT_PROTOCOL,
    URL_EXTRACT_QUERY,
];

/// The parts of a URL as written (RFC 3986).
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    host: Option<&'a str>,
    port: Option<i64>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

/// `None` where the text is no URL: where it holds characters that none may hold.
fn parse(text: &str) -> Option<Parts<'_>> {
    let forbidden = |c: char| c <= ' ' || c == '\u{7f}' || "\"<>\\^`{|}".contains(c);
    if text.contains(forbidden) || has_broken_escape(text) {
        return None;
    }
    let (rest, fragment) = cut(text, '#');
    let (rest, query) = cut(rest, '?');
    let mut parts = Parts {
        query,
        fragment,
        ..Parts::default()
    };
    let mut rest = rest;
    if let Some((scheme, after)) = rest.split_once(':')
        && !scheme.contains('/')
    {
        let letters = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(letters) {
            return None;
        }
        parts.scheme = Some(scheme);
        rest = after;
    }
    match rest.strip_prefix("//") {
        Some(after) => {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at_checked(end)?;
            (parts.host, parts.port) = host_and_port(authority);
            parts.path = path;
        }
        // `mailto:a@b` has no path in Java, and no query.
        None if parts.scheme.is_some() && !rest.starts_with('/') => parts.query = None,
        None => parts.path = rest,
    }
    Some(parts)
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn has_broken_escape(text: &str) -> bool {
    text.split('%').skip(1).any(|after| {
        let digits = after.as_bytes().get(..2);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn host_and_port(authority: &str) -> (Option<&str>, Option<i64>) {
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    // The colons of an IPv6 address are inside of its brackets.
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (place, None),
    };
    ((!host.is_empty()).then_some(host), port)
}

/// `%41` as `A`, and `+` as it is. What is no UTF-8 becomes U+FFFD.
fn unescaped(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// A part of a URL as text: NULL where the text is no URL, empty where the URL has no such part.
macro_rules! part {
    ($constant:ident, $name:literal, $description:literal, $example:literal, $part:expr) => {
        const $constant: Function = Function::new(
            $name,
            doc(
                URLS,
                concat!($name, "(url) → varchar"),
                concat!(
                    $description,
                    " Empty where there is none; NULL where the text is no URL."
                ),
                $example,
            ),
            |given| coerce($name, given, &[Kind::Text], 1),
            VARCHAR,
            |args| {
                let part: fn(Parts<'_>) -> String = $part;
                let rows = Rows::new(args);
                let texts = rows.texts(0)?;
                rows.give_texts(|row| Ok(texts.get(row).and_then(parse).map(part)))
            },
        );
    };
}

part!(
    URL_EXTRACT_PROTOCOL,
    "url_extract_protocol",
    "The scheme of a URL, as `https`.",
    "url_extract_protocol('https://example.com/a') -- https",
    |parts| parts.scheme.unwrap_or_default().to_owned()
);
part!(
    URL_EXTRACT_HOST,
    "url_extract_host",
    "The host of a URL.",
    "url_extract_host('https://example.com:8443/a') -- example.com",
    |parts| parts.host.unwrap_or_default().to_owned()
);
part!(
    URL_EXTRACT_PATH,
    "url_extract_path",
    "The path of a URL, without its escapes.",
    "url_extract_path('https://example.com/a%20b?c=d') -- /a b",
    |parts| unescaped(parts.path)
);
part!(
    URL_EXTRACT_QUERY,
    "url_extract_query",
    "The query of a URL, without its escapes.",
    "url_extract_query('https://example.com/?a=b#c') -- a=b",
    |parts| unescaped(parts.query.unwrap_or_default())
);
part!(
    URL_EXTRACT_FRAGMENT,
    "url_extract_fragment",
    "The fragment of a URL, without its escapes.",
    "url_extract_fragment('https://example.com/?a=b#c') -- c",
    |parts| unescaped(parts.fragment.unwrap_or_default())
);

const URL_EXTRACT_PORT: Function = Function::new(
    "url_extract_port",
    doc(
        URLS,
        "url_extract_port(url) → bigint",
        "The port of a URL. NULL where it names none or the text is no URL.",
        "url_extract_port('https://example.com:8443/a') -- 8443",
    ),
    |given| coerce("url_extract_port", given, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_integers(|row| Ok(texts.get(row).and_then(|text| parse(text)?.port)))
    },
);

const URL_EXTRACT_PARAMETER: Function = Function::new(
    "url_extract_parameter",
    doc(
        URLS,
        "url_extract_parameter(url, name) → varchar",
        "The first parameter of that name in the query of a URL, without its escapes. NULL where there \
         is none or the text is no URL.",
        "url_extract_parameter('https://example.com/?a=b%2Bc', 'a') -- b+c",
    ),
    |given| coerce("url_extract_parameter", given, &[Kind::Text; 2], 2),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let (texts, names) = (rows.texts(0)?, rows.texts(1)?);
        rows.give_texts(|row| {
            let query = texts.get(row).and_then(|text| parse(text)?.query);
            let Some((query, name)) = query.zip(names.get(row)) else {
                return Ok(None);
            };
            let mut parameters = query
                .split('&')
                .map(|one| one.split_once('=').unwrap_or((one, "")));
            let found = parameters.find(|(known, _)| *known == name);
            found.map(|(_, value)| decode(value)).transpose()
        })
    },
);

const URL_ENCODE: Function = Function::new(
    "url_encode",
    doc(
        URLS,
        "url_encode(text) → varchar",
        "A text as it stands in the query of a URL: letters, digits and `-_.*` as they are, a space as \
         `+`, all else as `%` and two digits for each byte.",
        "url_encode('a b/c') -- a+b%2Fc",
    ),
    |given| coerce("url_encode", given, &[Kind::Text], 1),
    VARCHAR,
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_texts(|row| Ok(texts.get(row).map(encode)))
    },
);

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'*' => out.push(char::from(byte)),
            plain if plain.is_ascii_alphanumeric() => out.push(char::from(plain)),
            // Writing to a text cannot fail.
            other => drop(write!(out, "%{other:02X}")),
        }
    }
    out
}

const URL_DECODE: Function = Function::new(
    "url_decode",
    doc(
        URLS,
        "url_decode(text) → varchar",
        "What `url_encode` made, or any text with `%` and two digits for a byte: policy documents in \
         the answers of IAM are such. Bytes that are no UTF-8 become U+FFFD; an error where no two \
         digits follow a `%`.",
        "url_decode('%7B%22a%22%3A1%7D') -- {\"a\":1}",
    ),
    |given| coerce("url_decode", given, &[Kind::Text], 1),
    VARCHAR,
    decode_rows,
);

fn decode_rows(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let texts = rows.texts(0)?;
    rows.give_texts(|row| texts.get(row).map(decode).transpose())
}

fn decode(text: &str) -> Result<String> {
    if has_broken_escape(text) {
        return exec_err!(
            "`url_decode` finds a `%` without two digits in `{}`",
            shown(text)
        );
    }
    Ok(unescaped(&text.replace('+', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let parts = parse("https://u:p@example.com:8443/a/b?c=d&e#f").unwrap();
        let expected = Parts {
            scheme: Some("https"),
            host: Some("example.com"),
            port: Some(8443),
            path: "/a/b",
            query: Some("c=d&e"),
            fragment: Some("f"),
        };
        assert_eq!(parts, expected);
        for (text, host, path) in [
            ("http://[::1]:80/x", Some("[::1]"), "/x"),
            ("http://[::1]", Some("[::1]"), ""),
            ("/a/b:c", None, "/a/b:c"),
            ("mailto:a@b.c", None, ""),
            ("//host/x", Some("host"), "/x"),
            ("", None, ""),
        ] {
            let parts = parse(text).unwrap();
            assert_eq!((parts.host, parts.path), (host, path), "{text}");
        }
        for text in [
            "a b",
            "http://a/{b}",
            "1http://a",
            "%zz",
            "https://a/\"",
            ":a",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
