//! `json_member`: a member of a JSON text by its name, as `requestparameters.bucketname` means it.

use std::borrow::Cow;

use arrow::datatypes::DataType;

use super::FAMILY;
use super::scan::{members, scalar, unescape};
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce};

pub(in crate::engine) const JSON_MEMBER: Function = Function::new(
    "json_member",
    Doc {
        family: FAMILY,
        syntax: "json_member(json, name) → varchar",
        description: "The member of a JSON object with a name: exactly that one where there is one, \
            else the first that differs in case only, since unquoted names in SQL are lower case. \
            Texts come without quotes, objects and arrays as they are written. NULL where there is \
            none, where it is null, and where the text is no JSON object. This is what \
            `requestparameters.bucketname` means; Trino has no such function.",
        example: "json_member('{\"bucketName\": \"logs\"}', 'bucketname') -- logs",
    },
    |given| coerce("json_member", given, &[Kind::Text, Kind::Text], 2),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        let rows = Rows::new(args);
        let (texts, names) = (rows.texts(0)?, rows.texts(1)?);
        rows.give_texts(|row| {
            let found = texts.get(row).zip(names.get(row));
            Ok(found.and_then(|(json, name)| member(json, name)))
        })
    },
);

fn member<'a>(json: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut alike = None;
    for (written, value) in members(json) {
        let known = unescape(written);
        if known == name {
            return as_text(value);
        }
        if alike.is_none() && known.eq_ignore_ascii_case(name) {
            alike = Some(value);
        }
    }
    alike.and_then(as_text)
}

fn as_text(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first() {
        Some(b'{' | b'[') => Some(Cow::Borrowed(value)),
        _ => scalar(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name() {
        let json = r#"{"bucketName": "a\/b", "BUCKETNAME": 2, "bucketname": 3, "n": null,
            "Policy": { "x" : 1 }, "\u0041b": true, "list": [1]}"#;
        for (name, expected) in [
            ("bucketname", Some("3")),
            ("bucketName", Some("a/b")),
            ("Bucketname", Some("a/b")),
            ("policy", Some(r#"{ "x" : 1 }"#)),
            ("ab", Some("true")),
            ("list", Some("[1]")),
            ("n", None),
            ("none", None),
        ] {
            assert_eq!(member(json, name).as_deref(), expected, "{name}");
        }
        for json in ["", "[1]", "7", "\"bucketname\"", "{bucketname: 1}"] {
            assert_eq!(member(json, "bucketname"), None, "{json}");
        }
    }
}
