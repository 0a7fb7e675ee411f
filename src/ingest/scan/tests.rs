use super::*;
use proptest::prelude::*;

/// The pieces as short text: a record as itself, something broken as `!code:bytes`.
fn pieces(input: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    scan(input, |piece| {
        found.push(match piece {
            Piece::Record { json, .. } => json.to_owned(),
            Piece::Broken { raw, reason, .. } => {
                format!("!{}:{}", reason.code(), String::from_utf8_lossy(raw))
            }
        });
    });
    found
}

fn check(input: &str, expected: &[&str]) {
    assert_eq!(pieces(input.as_bytes()), expected, "{input}");
}

#[test]
fn every_shape_gives_its_records() {
    check(
        r#"{"Records":[{"a":1},{"b":"]}"}]}"#,
        &[r#"{"a":1}"#, r#"{"b":"]}"}"#],
    );
    check(
        r#" {"x":1,"Records":[{"a":1}],"y":{"z":[2]}} "#,
        &[r#"{"a":1}"#],
    );
    check(
        r#"[{"a":[1,2]},{"b":{}}]"#,
        &[r#"{"a":[1,2]}"#, r#"{"b":{}}"#],
    );
    check("{\"a\":1}\n{\"a\":2}\n\n", &[r#"{"a":1}"#, r#"{"a":2}"#]);
    check("{\"a\":1}{\"a\":2}", &[r#"{"a":1}"#, r#"{"a":2}"#]);
    check("\u{feff}{\"a\":\"\\\"}\"}", &[r#"{"a":"\"}"}"#]);
    check(r#"{"Records":"none"}"#, &[r#"{"Records":"none"}"#]);
    check("", &[]);
    check(r#"{"Records":[]}"#, &[]);
    check("[]", &[]);
}

#[test]
fn a_broken_record_costs_itself() {
    check(
        "{\"Records\":[{\"eventVersion\":\"1\",\"a\":\"x},{\"eventVersion\":\"2\"}]}",
        &[
            "!invalid-json:{\"eventVersion\":\"1\",\"a\":\"x},",
            "{\"eventVersion\":\"2\"}",
        ],
    );
    check(
        "{\"a\":1]\n{\"b\":2}",
        &["!invalid-json:{\"a\":1]\n", "{\"b\":2}"],
    );
    check(
        "{\"a\":1}\nnonsense\n{\"b\":2}",
        &["{\"a\":1}", "!not-a-record:nonsense", "{\"b\":2}"],
    );
    check(
        "a log\nof another\n\n  kind\n {\"a\":1}\nend",
        &[
            "!not-a-record:a log\nof another\n\n  kind",
            "{\"a\":1}",
            "!not-a-record:end",
        ],
    );
    check(
        r#"[1,{"a":1},"x",[{}]]"#,
        &[
            "!not-a-record:1",
            r#"{"a":1}"#,
            "!not-a-record:\"x\"",
            "!not-a-record:[{}]",
        ],
    );
}

#[test]
fn a_text_that_ends_early_keeps_what_was_whole() {
    check(
        r#"{"Records":[{"a":1},{"b":"#,
        &[r#"{"a":1}"#, "!truncated:{\"b\":"],
    );
    check(r#"{"Records":[{"a":1},"#, &[r#"{"a":1}"#, "!truncated:"]);
    check(r#"{"Records":[{"a":1}]"#, &[r#"{"a":1}"#, "!truncated:"]);
    check("{\"a", &["!truncated:{\"a"]);
}

#[test]
fn hostile_bytes_are_bounded() {
    let deep = "{\"a\":".repeat(200_000);
    assert_eq!(pieces(deep.as_bytes()).len(), 1);
    assert!(pieces(deep.as_bytes())[0].starts_with("!too-deep"));
    assert_eq!(pieces(b"{\"a\":\"\xff\"}{\"b\":1}").len(), 2);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_RECORD_BYTES));
    assert!(pieces(long.as_bytes())[0].starts_with("!too-long"));
}

proptest! {
    #[test]
    fn any_bytes_are_used_up_in_order(input in proptest::collection::vec(
        proptest::sample::select(b"{}[]\",:\\ \nab1".to_vec()), 0..200)
    ) {
        let mut last = 0;
        scan(&input, |piece| {
            let (offset, length) = match piece {
                Piece::Record { offset, json, .. } => (offset, json.len()),
                Piece::Broken { offset, raw, .. } => (offset, raw.len()),
            };
            assert!(offset >= last);
            last = offset + length;
        });
        prop_assert!(last <= input.len());
    }

    #[test]
    fn arrays_of_valid_objects_are_cut_as_a_parser_does(
        values in proptest::collection::vec(
            proptest::collection::btree_map("[a-z\"\\\\{}\\[\\]]{0,4}", "[ -~]{0,8}", 0..4), 0..5),
        pretty in any::<bool>(),
    ) {
        let text = if pretty {
            serde_json::to_string_pretty(&values).unwrap()
        } else {
            serde_json::to_string(&values).unwrap()
        };
        let mut found = Vec::new();
        scan(text.as_bytes(), |piece| match piece {
            Piece::Record { json, .. } => found.push(serde_json::from_str(json).unwrap()),
            Piece::Broken { .. } => panic!("{text}"),
        });
        prop_assert_eq!(values, found);
    }
}
