//! Escapes in JSON strings that the JSON library passes over without looking.
//!
//! It skips what it does not read, and takes `\ud83l` for an escape on the way. Such a text is no
//! JSON: kept as it is, it would make every export that holds it unreadable.

/// The place of the first backslash in a string of `json` that begins no escape. Outside of strings a
/// backslash is an error that the library finds.
pub(super) fn first_broken(json: &str) -> Option<usize> {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'\\', bytes.get(at..)?) {
        at += length;
        let length = match bytes.get(at + 1)? {
            b'u' if is_hex(bytes.get(at + 2..at + 6)) => 6,
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            _ => return Some(at),
        };
        at += length;
    }
    None
}

fn is_hex(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_json_knows_is_an_escape() {
        for (json, expected) in [
            (r#"{"a":"plain"}"#, None),
            (r#"{"a":"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00\ud800"}"#, None),
            (r#"{"a":"\\ud83l \\q"}"#, None),
            (r#"{"a":"\ud83l"}"#, Some(6)),
            (r#"{"a":"\n\u12"}"#, Some(8)),
            (r#"{"a":"\q"}"#, Some(6)),
            (r#"{"a":"\u+123"}"#, Some(6)),
            ("\"\\", None),
        ] {
            assert_eq!(first_broken(json), expected, "{json}");
        }
    }
}
