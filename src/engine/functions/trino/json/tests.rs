use super::super::checks::check;

#[test]
fn parts_by_path() {
    check(&[
        (
            r#"json_extract_scalar('{"a": {"b": "x\ny"}}', '$.a.b')"#,
            "x\ny",
        ),
        (r#"json_extract_scalar('{"a": 1.50}', '$.a')"#, "1.50"),
        (r#"json_extract_scalar('{"a": true}', '$["a"]')"#, "true"),
        (r#"json_extract_scalar('{"a": null}', '$.a')"#, "NULL"),
        (r#"json_extract_scalar('{"a": [1]}', '$.a')"#, "NULL"),
        (r#"json_extract_scalar('{"a": [1]}', '$.a[0]')"#, "1"),
        ("json_extract_scalar('x', '$.a')", "NULL"),
        ("json_extract_scalar('7', '$')", "7"),
        ("json_extract_scalar(NULL, '$.a')", "NULL"),
        ("json_extract_scalar('{}', NULL)", "NULL"),
        (
            "json_extract_scalar('{}', '$.a-b')",
            "error: cannot read the path `$.a-b`",
        ),
        (
            "json_extract_scalar('[1]', '$[*]')",
            "error: may lead to many",
        ),
        (
            r#"json_extract('{"a": { "b" : null }}', '$.a')"#,
            r#"{"b":null}"#,
        ),
        (r#"json_extract('{"a": null}', '$.a')"#, "null"),
        (r#"json_extract('{"a": "x"}', '$.a')"#, "\"x\""),
        (
            r#"json_extract('[{"a": 1}, {"a": 2}, 3]', '$[*].a')"#,
            "[1,2]",
        ),
        (r#"json_extract(json_parse('{"a": 1}'), '$.b')"#, "NULL"),
        (r#"json_size('{"x": {"a": 1, "b": 2}}', '$.x')"#, "2"),
        (r#"json_size('{"x": [1, 2, 3]}', '$.x')"#, "3"),
        (r#"json_size('{"x": {"a": 1, "b": 2}}', '$.x.a')"#, "0"),
        (r#"json_size('{}', '$.x')"#, "NULL"),
        ("json_extract('{}')", "error: takes 2 arguments"),
        ("json_extract(1, '$')", "error: takes texts"),
    ]);
}

#[test]
fn values_and_arrays() {
    check(&[
        (
            r#"json_parse(' {"b": 1, "a": [true, null]} ')"#,
            r#"{"a":[true,null],"b":1}"#,
        ),
        (
            "json_parse('abc')",
            "error: `json_parse` cannot read `abc` as JSON",
        ),
        ("json_parse(NULL)", "NULL"),
        (r#"json_format(json_parse('["a", 1]'))"#, r#"["a",1]"#),
        ("is_json_scalar('null')", "true"),
        ("is_json_scalar('[1]')", "false"),
        ("is_json_scalar('x')", "error: as JSON"),
        ("json_array_length('[1, 2, [3]]')", "3"),
        ("json_array_length('{}')", "NULL"),
        ("json_array_length('[1')", "NULL"),
        ("json_array_get('[\"a\", [3, 9], null]', 0)", "\"a\""),
        ("json_array_get('[\"a\", [3, 9], null]', -2)", "[3,9]"),
        ("json_array_get('[\"a\", [3, 9], null]', 2)", "NULL"),
        ("json_array_get('[1]', 1)", "NULL"),
        ("json_array_get('[1]', -2)", "NULL"),
        ("json_array_contains('[1, 2, 3]', 2)", "true"),
        ("json_array_contains('[1, 2.0, \"3\"]', 3)", "false"),
        ("json_array_contains('[2.5]', 2.5)", "true"),
        ("json_array_contains('[\"a\\\"\"]', 'a\"')", "true"),
        ("json_array_contains('[true]', false)", "false"),
        ("json_array_contains('{}', 'a')", "NULL"),
        ("json_array_contains('[null]', NULL)", "NULL"),
        (
            r#"json_member('{"bucketName": "logs"}', 'bucketname')"#,
            "logs",
        ),
        (
            r#"json_member(json_member('{"a": {"B": 7}}', 'a'), 'b')"#,
            "7",
        ),
    ]);
}
