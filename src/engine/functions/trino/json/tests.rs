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

#[test]
fn json_becomes_values() {
    check(&[
        (r#"json_cast('"7"', CAST(NULL AS bigint))"#, "7"),
        ("json_cast('2.5', CAST(NULL AS bigint))", "3"),
        ("json_cast('true', CAST(NULL AS int))", "1"),
        ("json_cast('null', CAST(NULL AS int))", "NULL"),
        (
            r#"json_cast('"x"', CAST(NULL AS bigint))"#,
            "error: cannot cast `\"x\"` to bigint",
        ),
        (r#"try_json_cast('"x"', CAST(NULL AS bigint))"#, "NULL"),
        (
            "json_cast('3000000000', CAST(NULL AS int))",
            "error: to integer",
        ),
        (
            "json_cast('[1]', CAST(NULL AS bigint))",
            "error: cannot cast",
        ),
        (r#"json_cast('"a\"b"', CAST(NULL AS varchar))"#, "a\"b"),
        ("json_cast('1.50', CAST(NULL AS varchar))", "1.50"),
        (
            r#"json_cast('{"a": 1}', CAST(NULL AS varchar))"#,
            r#"{"a":1}"#,
        ),
        ("json_cast('0', CAST(NULL AS boolean))", "false"),
        (r#"json_cast('"true"', CAST(NULL AS boolean))"#, "true"),
        ("json_cast('1e2', CAST(NULL AS double))", "100.0"),
        ("json_cast('1.25', CAST(NULL AS decimal(5,1)))", "1.3"),
        (
            r#"json_cast('"2023-01-02"', CAST(NULL AS date))"#,
            "2023-01-02",
        ),
        ("json_cast('5', CAST(NULL AS date))", "error: to date"),
        (
            r#"json_cast('["a", null, 1]', CAST(NULL AS array(varchar)))"#,
            "[a, NULL, 1]",
        ),
        (
            "json_cast('[[1], []]', CAST(NULL AS array(array(bigint))))",
            "[[1], []]",
        ),
        (
            "json_cast('{}', CAST(NULL AS array(bigint)))",
            "error: to array(bigint)",
        ),
        (
            "try_json_cast('[1, \"x\"]', CAST(NULL AS array(bigint)))",
            "NULL",
        ),
        (
            "json_cast('x', CAST(NULL AS bigint))",
            "error: cannot cast `x`",
        ),
        (
            r#"json_cast('{"B": [1], "a": "x"}', arrow_cast(NULL, 'Struct("a": Utf8, "b": List(Int64))'))"#,
            "{a: x, b: [1]}",
        ),
        (
            r#"json_cast('["x", [1]]', arrow_cast(NULL, 'Struct("a": Utf8, "b": List(Int64))'))"#,
            "{a: x, b: [1]}",
        ),
        (
            r#"json_cast('["x"]', arrow_cast(NULL, 'Struct("a": Utf8, "b": List(Int64))'))"#,
            "error: to row(a varchar, b array(bigint))",
        ),
        (
            r#"json_cast('{"k": 1, "l": null, "k": 2}', arrow_cast(NULL, 'Map("entries": non-null Struct("key": non-null Utf8, "value": Int64), unsorted)'))"#,
            "{k: 2, l: NULL}",
        ),
    ]);
}

#[test]
fn values_become_json() {
    check(&[
        ("to_json('a\"')", r#""a\"""#),
        ("to_json(json_parse('{\"a\": 1}'))", r#"{"a":1}"#),
        ("to_json(1)", "1"),
        ("to_json(1.5)", "1.5"),
        ("to_json(true)", "true"),
        ("to_json(NULL)", "NULL"),
        ("to_json(make_array('a', NULL))", r#"["a",null]"#),
        (
            "to_json(named_struct('a', 1, 'B', 'x'))",
            r#"{"a":1,"B":"x"}"#,
        ),
        (
            "to_json(map(make_array('k', 'a'), make_array(1, 2)))",
            r#"{"a":2,"k":1}"#,
        ),
        ("to_json(DATE '2023-01-02')", "\"2023-01-02\""),
        (
            "to_json(arrow_cast('2023-07-06T13:51:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))'))",
            "\"2023-07-06T13:51:00Z\"",
        ),
        (
            "to_json(arrow_cast('2023-07-06T13:51:00Z', 'Timestamp(Millisecond, Some(\"UTC\"))'))",
            "\"2023-07-06 13:51:00.000 UTC\"",
        ),
    ]);
}

#[test]
fn standard_paths() {
    check(&[
        (r#"json_exists('{"a": [1]}', 'lax $.a[0]')"#, "true"),
        (r#"json_exists('{"a": [1]}', 'strict $.b')"#, "false"),
        (r#"json_exists('x', 'lax $.b')"#, "false"),
        (
            r#"json_exists('{}', 'b')"#,
            "error: cannot read the path `b`",
        ),
        (r#"json_value('{"a": [1, "x"]}', 'lax $.a[last]')"#, "x"),
        (r#"json_value('{"a": [1, 2]}', 'lax $.a[*]')"#, "NULL"),
        (r#"json_query('{"a": [1, 2]}', 'lax $.a')"#, "[1,2]"),
        ("json_query(NULL, 'lax $')", "NULL"),
    ]);
}
