use crate::engine::functions::trino::testing::check;

#[tokio::test]
async fn lookup() {
    check(&[
        ("contains(ARRAY['s3', 'iam'], 'iam')", "true"),
        ("contains(ARRAY['s3', NULL], 'iam')", "NULL"),
        ("contains(ARRAY['s3'], NULL)", "NULL"),
        ("contains(NULL, 's3')", "NULL"),
        ("contains(ARRAY[], 's3')", "false"),
        ("contains(ARRAY[1.5, 2], 2)", "true"),
        ("contains(ARRAY[ARRAY[1]], ARRAY[1])", "true"),
        ("contains('10.0.0.0/8', '10.1.2.3')", "true"),
        ("contains('10.0.0.0/8', 's3.amazonaws.com')", "NULL"),
        (
            "SELECT contains(l, n) FROM t ORDER BY n",
            "true;NULL;NULL;false;false;NULL",
        ),
        (
            "SELECT count(*) FROM cloudtrail WHERE contains(ARRAY['a'], eventname)",
            "0",
        ),
        ("contains_sequence(ARRAY[1, 2, 3], ARRAY[2, 3])", "true"),
        ("contains_sequence(ARRAY[1, 2, 3], ARRAY[3, 2])", "false"),
        ("contains_sequence(ARRAY[1], ARRAY[1, 2])", "false"),
        ("contains_sequence(ARRAY[1], NULL)", "NULL"),
        ("array_position(ARRAY['a', 'b'], 'b')", "2"),
        ("array_position(ARRAY['a', NULL], 'c')", "0"),
        ("array_position(ARRAY['a'], NULL)", "NULL"),
        ("cardinality(ARRAY[1, NULL])", "2"),
        ("cardinality(ARRAY[])", "0"),
        ("cardinality(NULL)", "NULL"),
        ("cardinality(map(make_array('a'), make_array(1)))", "1"),
        (
            "cardinality('a')",
            "error: `cardinality` takes an array, not Utf8…",
        ),
        ("element_at(ARRAY['a', 'b'], 1)", "a"),
        ("element_at(ARRAY['a', 'b'], -1)", "b"),
        ("element_at(ARRAY['a', 'b'], 3)", "NULL"),
        ("element_at(ARRAY['a', 'b'], 0)", "error: …"),
        ("element_at(NULL, 1)", "NULL"),
        (
            "element_at(map(make_array('a', 'b'), make_array(1, 2)), 'b')",
            "2",
        ),
        (
            "element_at(map(make_array('a', 'b'), make_array(1, 2)), 'c')",
            "NULL",
        ),
        (
            "element_at('{\"bucketName\": \"logs\"}', 'bucketName')",
            "logs",
        ),
        (
            "SELECT element_at(l, n), element_at(l, -1) FROM t ORDER BY n",
            "1,3;NULL,NULL;NULL,NULL;NULL,1;NULL,7;NULL,4",
        ),
        (
            "SELECT element_at(requestparameters, 'bucketName') FROM cloudtrail",
            "",
        ),
        ("SELECT element_at(resources, 1)['arn'] FROM cloudtrail", ""),
    ])
    .await;
}

#[tokio::test]
async fn sets() {
    check(&[
        ("array_distinct(ARRAY[2, 1, NULL, 2, NULL])", "[2, 1, NULL]"),
        ("array_except(ARRAY[1, 2, 2, 3], ARRAY[3])", "[1, 2]"),
        ("array_except(ARRAY[1, NULL], ARRAY[NULL])", "[1]"),
        ("array_except(ARRAY[1], NULL)", "NULL"),
        (
            "array_intersect(ARRAY[1, 2, NULL], ARRAY[NULL, 2, 2])",
            "[2, NULL]",
        ),
        (
            "array_union(ARRAY[1, 1, NULL], ARRAY[2, NULL])",
            "[1, NULL, 2]",
        ),
        ("array_union(ARRAY['a'], ARRAY[])", "[a]"),
        ("array_remove(ARRAY[1, 2, 1, NULL], 1)", "[2, NULL]"),
        ("array_remove(ARRAY[1], NULL)", "NULL"),
        ("arrays_overlap(ARRAY[1, 2], ARRAY[2, NULL])", "true"),
        ("arrays_overlap(ARRAY[1, NULL], ARRAY[2])", "NULL"),
        ("arrays_overlap(ARRAY[1], ARRAY[2])", "false"),
        ("arrays_overlap(ARRAY[], ARRAY[NULL])", "false"),
        (
            "array_histogram(ARRAY['a', 'b', 'a', NULL])",
            "{a: 2, b: 1}",
        ),
        (
            "SELECT array_distinct(l), array_union(l, ARRAY[n]) FROM t WHERE k = 'a' ORDER BY n",
            "[1, 2, 3],[1, 2, 3];[5, NULL],[5, NULL, 2];[1],[1, 5]",
        ),
    ])
    .await;
}

#[tokio::test]
async fn order() {
    check(&[
        ("array_max(ARRAY[1, 3, 2])", "3"),
        ("array_first(ARRAY[1, 3, 2])", "1"),
        ("array_last(ARRAY[1, 3, 2])", "2"),
        ("array_last(ARRAY[])", "NULL"),
        ("array_min(ARRAY['b', 'a'])", "a"),
        ("array_max(ARRAY[1, NULL])", "NULL"),
        ("array_max(ARRAY[])", "NULL"),
        ("slice(ARRAY[1, 2, 3, 4], 2, 2)", "[2, 3]"),
        ("slice(ARRAY[1, 2, 3, 4], -2, 5)", "[3, 4]"),
        ("slice(ARRAY[1, 2], 3, 5)", "[]"),
        ("slice(ARRAY[1, 2], -3, 2)", "[]"),
        ("slice(ARRAY[1, 2], 0, 2)", "error: …"),
        ("slice(ARRAY[1, 2], 1, -2)", "error: …"),
        ("trim_array(ARRAY[1, 2, 3], 1)", "[1, 2]"),
        ("trim_array(ARRAY[1], 2)", "error: …"),
        ("array_sort(shuffle(ARRAY[3, 1, 2]))", "[1, 2, 3]"),
        (
            "SELECT slice(l, n, 2), array_max(l) FROM t WHERE k = 'a' ORDER BY n",
            "[1, 2],3;[NULL],NULL;[],1",
        ),
    ])
    .await;
}

#[tokio::test]
async fn shape() {
    check(&[
        ("array_join(ARRAY['a', NULL, 'b'], ', ')", "a, b"),
        ("array_join(ARRAY['a', NULL, 'b'], ', ', '-')", "a, -, b"),
        ("array_join(ARRAY[1, 2], '/')", "1/2"),
        ("array_join(ARRAY[], '/')", ""),
        ("array_join(NULL, '/')", "NULL"),
        (
            "combinations(ARRAY['a', 'b', 'c'], 2)",
            "[[a, b], [a, c], [b, c]]",
        ),
        ("combinations(ARRAY[1, 1], 1)", "[[1], [1]]"),
        ("combinations(ARRAY[1], 2)", "[]"),
        ("combinations(ARRAY[1], 6)", "error: …"),
        ("flatten(ARRAY[ARRAY[1, 2], NULL, ARRAY[3]])", "[1, 2, 3]"),
        ("flatten(NULL)", "NULL"),
        ("ngrams(ARRAY['a', 'b', 'c'], 2)", "[[a, b], [b, c]]"),
        ("ngrams(ARRAY['a', 'b'], 3)", "[[a, b]]"),
        ("repeat('a', 2)", "[a, a]"),
        ("repeat(NULL, 2)", "[NULL, NULL]"),
        ("repeat(1, -1)", "[]"),
        ("repeat(1, 1000000)", "error: …"),
        (
            "zip(ARRAY[1, 2], ARRAY['a'])",
            "[{field0: 1, field1: a}, {field0: 2, field1: NULL}]",
        ),
        ("zip(ARRAY[1], NULL)", "NULL"),
        (
            "SELECT flatten(ARRAY[l, ARRAY[n]]) FROM t ORDER BY n",
            "[1, 2, 3, 1];[5, NULL, 2];[3];[1, 1, 5];[9, 8, 7, 6];[4, NULL]",
        ),
    ])
    .await;
}

#[tokio::test]
async fn sequences() {
    check(&[
        ("sequence(1, 3)", "[1, 2, 3]"),
        ("sequence(3, 1)", "[3, 2, 1]"),
        ("sequence(1, 7, 3)", "[1, 4, 7]"),
        ("sequence(1, 7, -1)", "error: …"),
        ("sequence(1, 100000)", "error: …"),
        ("sequence(1, NULL)", "NULL"),
        ("sequence(DATE '2024-01-30', DATE '2024-02-01')", "[2024-01-30, 2024-01-31, 2024-02-01]"),
        ("sequence(DATE '2024-01-31', DATE '2024-04-01', INTERVAL '1' MONTH)", "[2024-01-31, 2024-02-29, 2024-03-31]"),
        ("sequence(TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-01 02:00:00', INTERVAL '1' HOUR)", "[2024-01-01T00:00:00, 2024-01-01T01:00:00, 2024-01-01T02:00:00]"),
        ("sequence(TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-01 02:00:00')", "error: `sequence` of times takes a step…"),
    ])
    .await;
}
