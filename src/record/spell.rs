//! JSON text of single values.

use chrono::{DateTime, Datelike, Timelike};

/// Begins a member whose name needs no escapes, of the object that began at `start`.
pub(super) fn put_name(out: &mut String, start: usize, name: &str) {
    out.push(if out.len() == start { '{' } else { ',' });
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

/// Adds a text in quotes.
pub(super) fn put_text(out: &mut String, text: &str) {
    out.push('"');
    // Without branches, so that the compiler looks at many bytes at once.
    let odd = text
        .bytes()
        .fold(false, |odd, byte| odd | needs_escape(byte));
    if odd {
        put_escaped(out, text);
    } else {
        out.push_str(text);
    }
    out.push('"');
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn put_escaped(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !needs_escape(byte) {
            continue;
        }
        // What needs an escape is one byte long, so these are places between characters.
        out.push_str(&text[done..at]);
        done = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => {
                out.push_str("\\u00");
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out.push_str(&text[done..]);
}

/// Adds a time in quotes as CloudTrail writes it; a fraction only where there is one.
pub(super) fn put_time(out: &mut String, micros: i64) {
    let time = DateTime::from_timestamp_micros(micros);
    let Some(time) = time.filter(|time| (0..=9999).contains(&time.year())) else {
        // No four-digit year: such a time stands in `extra` as well, as it was written.
        out.push_str(&micros.to_string());
        return;
    };
    let year = time.year().unsigned_abs();
    out.push('"');
    put_two(out, year / 100);
    put_two(out, year % 100);
    for (separator, number) in [
        ('-', time.month()),
        ('-', time.day()),
        ('T', time.hour()),
        (':', time.minute()),
        (':', time.second()),
    ] {
        out.push(separator);
        put_two(out, number);
    }
    let fraction = micros.rem_euclid(1_000_000);
    if fraction != 0 {
        out.push_str(&format!(".{fraction:06}"));
    }
    out.push_str("Z\"");
}

fn put_two(out: &mut String, number: u32) {
    for digit in [number / 10 % 10, number % 10] {
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_a_json_library_does() {
        for text in [
            "",
            "plain",
            "\"",
            "a\\b\"c",
            "\u{0}\u{1f}\u{7f}\u{8}\u{c}\n\r\t",
            "é\u{2028}😀\"",
        ] {
            let mut out = String::new();
            put_text(&mut out, text);
            assert_eq!(out, serde_json::Value::from(text).to_string());
        }
    }

    #[test]
    fn times_are_spelled_as_cloudtrail_does() {
        let check = |micros, expected: &str| {
            let mut out = String::new();
            put_time(&mut out, micros);
            assert_eq!(out, expected);
        };
        check(0, "\"1970-01-01T00:00:00Z\"");
        check(1_688_989_500_000_000, "\"2023-07-10T11:45:00Z\"");
        check(-1_000_000, "\"1969-12-31T23:59:59Z\"");
        check(1_688_989_500_500_000, "\"2023-07-10T11:45:00.500000Z\"");
        check(-62_167_219_200_000_000, "\"0000-01-01T00:00:00Z\"");
        check(253_402_300_799_000_000, "\"9999-12-31T23:59:59Z\"");
        check(i64::MAX, "9223372036854775807");
    }
}
