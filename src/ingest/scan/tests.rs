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

fn described(piece: Piece<'_>) -> (u64, String) {
    match piece {
        Piece::Record { offset, json } => (offset, json.to_owned()),
        Piece::Broken { offset, raw, .. } => (offset, String::from_utf8_lossy(raw).into_owned()),
    }
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
            last = offset + length as u64;
        });
        prop_assert!(last <= input.len() as u64);
    }

    #[test]
    fn portions_change_nothing(
        lines in proptest::collection::vec(prop_oneof![
            4 => "[a-z\\[{}\"\\\\]{0,8}".prop_map(|text| serde_json::json!({ "eventVersion": text }).to_string()),
            1 => Just("{\"Records\":[{\"eventVersion\":1},{\"eventVersion\":2}] , \"x\": [3]}".to_owned()),
            1 => Just("[{\"eventVersion\":1}, 7 , {\"eventVersion\":{\"a\":[]}}]".to_owned()),
            1 => Just("no record".to_owned()),
        ], 0..6),
        at_least in 1_usize..40,
    ) {
        let text = lines.join("\n");
        let mut whole = Vec::new();
        scan(text.as_bytes(), |piece| whole.push(described(piece)));
        let mut found = Vec::new();
        let mut scanner = Scanner::default();
        let mut length = at_least;
        let mut done = 0;
        loop {
            let end = text.len().min(done + length);
            let is_last = end == text.len();
            let mut sink = |piece: Piece<'_>| found.push(described(piece));
            let used = scanner.feed(&text.as_bytes()[done..end], is_last, &mut sink);
            done += used;
            length = if used == 0 { length + at_least } else { at_least };
            if is_last {
                break;
            }
        }
        // Prose that a portion ends in is said to be prose twice.
        whole.retain(|(_, text)| text.starts_with('{'));
        found.retain(|(_, text)| text.starts_with('{'));
        prop_assert_eq!(whole, found);
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

#[test]
fn a_line_cut_inside_a_string_costs_itself() {
    check(
        "{\"eventVersion\":\"cut\n{\"eventVersion\":\"{\\\"a\\\":1}\"}\n{\"a\":1}",
        &[
            "!invalid-json:{\"eventVersion\":\"cut\n",
            r#"{"eventVersion":"{\"a\":1}"}"#,
            r#"{"a":1}"#,
        ],
    );
}

#[test]
fn wrappers_longer_than_a_record_are_stepped_into() {
    let item = format!("{{\"_source\":{{\"text\":\"{}\"}}}}", "x".repeat(1_000_000));
    let items = vec![item.as_str(); 20].join(",");
    for text in [
        format!(
            "{{\"took\":1,\"hits\":{{\"total\":{{\"value\":20}},\"hits\":[{items}],\"x\":1}},\"y\":[1]}}"
        ),
        format!("{{\"results\":[{items}]}}"),
        format!("[{{\"meta\":1,\"Items\":[{items}]}}]"),
    ] {
        let found = pieces(text.as_bytes());
        assert_eq!(found.len(), 20, "{}", &text[..60]);
        assert!(found.iter().all(|piece| *piece == item));
    }
    // A record is no wrapper, however long it is.
    let long = format!("{{\"eventVersion\":\"1\",\"list\":[{items}]}}");
    assert!(pieces(long.as_bytes())[0].starts_with("!too-long"));
}
