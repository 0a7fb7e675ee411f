use crate::engine::functions::trino::testing::check;

#[tokio::test]
async fn arrays() {
    check(&[
        ("filter(ARRAY[5, -6, NULL, 7], x -> x > 0)", "[5, 7]"),
        ("filter(ARRAY[1], x -> NULL)", "[]"),
        ("filter(ARRAY[1], x -> x + 1)", "error: the lambda of `filter` must give a boolean…"),
        ("filter(NULL, x -> true)", "NULL"),
        ("filter(ARRAY[], x -> true)", "[]"),
        ("filter('a', x -> true)", "error: `filter` takes an array, not Utf8…"),
        ("filter(ARRAY[1])", "error: `filter` is called as `filter(array(T), function(T, boolean)) → array(T)`…"),
        ("SELECT filter(l, x -> x <> n) FROM t ORDER BY n", "[2, 3];[5];NULL;[1, 1];[9, 8, 7];[]"),
        ("SELECT k FROM t WHERE cardinality(filter(l, x -> x > n)) = 3", "b"),
        ("SELECT transform(l, x -> x * n) FROM t ORDER BY n", "[1, 2, 3];[10, NULL];NULL;[5, 5];[54, 48, 42];[NULL]"),
        ("transform(ARRAY[5, NULL, 6], x -> coalesce(x, 0) + 1)", "[6, 1, 7]"),
        ("transform(ARRAY['x', 'abc'], x -> x || 'z')", "[xz, abcz]"),
        ("transform(ARRAY[ARRAY[1, NULL, 2], NULL], a -> filter(a, x -> x IS NOT NULL))", "[[1, 2], NULL]"),
        ("transform(ARRAY[1, 2], x -> transform(ARRAY[10, 20], y -> x + y))", "[[11, 21], [12, 22]]"),
        ("SELECT transform(l, x -> transform(ARRAY[1, 2], y -> x * y + n)) FROM t WHERE k = 'a' ORDER BY n", "[[2, 3], [3, 5], [4, 7]];[[7, 12], [NULL, NULL]];[[6, 7], [6, 7]]"),
        ("transform(ARRAY[1, 2], x -> 7)", "[7, 7]"),
        ("zip_with(ARRAY[1, 3, 5], ARRAY['a', 'b'], (x, y) -> coalesce(y, 'none'))", "[a, b, none]"),
        ("zip_with(ARRAY[1], NULL, (x, y) -> x)", "NULL"),
        ("SELECT zip_with(l, ARRAY[1, 1], (x, y) -> x + y + n) FROM t WHERE k = 'a' ORDER BY n", "[3, 4, NULL];[8, NULL];[7, 7]"),
    ])
    .await;
}

#[tokio::test]
async fn matches() {
    check(&[
        ("any_match(ARRAY[1, 2], x -> x = 2)", "true"),
        ("any_match(ARRAY[1, NULL], x -> x = 2)", "NULL"),
        ("any_match(ARRAY[2, NULL], x -> x = 2)", "true"),
        ("any_match(ARRAY[], x -> true)", "false"),
        ("any_match(NULL, x -> true)", "NULL"),
        ("all_match(ARRAY[2, 2], x -> x = 2)", "true"),
        ("all_match(ARRAY[2, NULL], x -> x = 2)", "NULL"),
        ("all_match(ARRAY[1, NULL], x -> x = 2)", "false"),
        ("all_match(ARRAY[], x -> false)", "true"),
        ("none_match(ARRAY[1, 3], x -> x = 2)", "true"),
        ("none_match(ARRAY[1, NULL], x -> x = 2)", "NULL"),
        ("none_match(ARRAY[2, NULL], x -> x = 2)", "false"),
        ("none_match(ARRAY[], x -> true)", "true"),
        (
            "SELECT any_match(l, x -> x = n) FROM t ORDER BY n",
            "true;NULL;NULL;false;false;NULL",
        ),
        ("SELECT count(*) FROM t WHERE any_match(l, x -> x < n)", "1"),
        ("find_first(ARRAY[1, 7, 8], x -> x > 5)", "7"),
        ("find_first(ARRAY[1, 7, 8], 3, x -> x > 5)", "8"),
        ("find_first(ARRAY[1, 7, 8, 2], -1, x -> x > 5)", "8"),
        ("find_first(ARRAY[1, 7, 8, 2], 0, x -> x > 5)", "error: …"),
        ("find_first(ARRAY[1], x -> x > 5)", "NULL"),
        ("find_first_index(ARRAY['a', 'b'], x -> x = 'b')", "2"),
        (
            "find_first_index(ARRAY['a', 'b', 'b'], -1, x -> x = 'b')",
            "3",
        ),
        ("find_first_index(NULL, x -> x = 'b')", "NULL"),
    ])
    .await;
}

#[tokio::test]
async fn reduce() {
    check(&[
        ("reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s)", "75"),
        ("reduce(ARRAY[], 0, (s, x) -> s + 1, s -> s)", "0"),
        ("reduce(NULL, 0, (s, x) -> s + 1, s -> s)", "NULL"),
        (
            "reduce(ARRAY[5, NULL], 0, (s, x) -> s + coalesce(x, 0), s -> s * 2)",
            "10",
        ),
        ("reduce(ARRAY[5, NULL], 0, (s, x) -> s + x, s -> s)", "NULL"),
        ("reduce(ARRAY[1.5, 2.5], 0, (s, x) -> s + x, s -> s)", "4.0"),
        (
            "reduce(ARRAY['a', 'b'], '', (s, x) -> s || x, s -> s || '!')",
            "ab!",
        ),
        (
            "SELECT reduce(l, 0, (s, x) -> s + x * n, s -> s + n) FROM t ORDER BY n",
            "7;NULL;NULL;15;150;NULL",
        ),
    ])
    .await;
}

#[tokio::test]
async fn sort() {
    check(&[
        ("array_sort(ARRAY[3, NULL, 1])", "[1, 3, NULL]"),
        ("array_sort(ARRAY['b', 'B', 'a'])", "[B, a, b]"),
        ("array_sort(NULL)", "NULL"),
        ("array_sort(ARRAY[3, 2, 5, 1, 2], (x, y) -> CASE WHEN x < y THEN 1 WHEN x = y THEN 0 ELSE -1 END)", "[5, 3, 2, 2, 1]"),
        ("array_sort(ARRAY['bcd', 'a', 'abc', 'zz'], (x, y) -> length(x) - length(y))", "[a, zz, bcd, abc]"),
        ("array_sort(ARRAY[1, NULL, 3], (x, y) -> x - y)", "error: …"),
        ("array_sort(ARRAY[1, 3], (x, y) -> x < y)", "error: the lambda of `array_sort` must give an integer, not Boolean…"),
        ("SELECT array_sort(l, (x, y) -> coalesce(x, 0) * n - coalesce(y, 0) * n) FROM t WHERE n IS NOT NULL ORDER BY n", "[1, 2, 3];[NULL, 5];NULL;[1, 1];[7, 8, 9]"),
    ])
    .await;
}

#[tokio::test]
async fn maps() {
    check(&[
        ("map_filter(map(make_array('a', 'b'), make_array(1, 9)), (k, v) -> v > 5)", "{b: 9}"),
        ("map_filter(map(make_array('a', 'b'), make_array(1, 9)), (k, v) -> k = 'a')", "{a: 1}"),
        ("map_filter(NULL, (k, v) -> true)", "NULL"),
        ("transform_keys(map(make_array('a', 'b'), make_array(1, 9)), (k, v) -> upper(k))", "{A: 1, B: 9}"),
        ("transform_keys(map(make_array('a', 'b'), make_array(1, 9)), (k, v) -> 'c')", "error: …"),
        ("transform_values(map(make_array('a', 'b'), make_array(1, NULL)), (k, v) -> v + 1)", "{a: 2, b: NULL}"),
        ("SELECT transform_values(map(make_array(k), make_array(n)), (i, v) -> v * n) FROM t WHERE k = 'a' ORDER BY n", "{a: 1};{a: 4};{a: 25}"),
        ("map_zip_with(map(make_array('a', 'b'), make_array(1, 2)), map(make_array('b', 'c'), make_array(3, 4)), (k, x, y) -> coalesce(x, 0) * 10 + coalesce(y, 0))", "{a: 10, b: 23, c: 4}"),
    ])
    .await;
}

#[tokio::test]
async fn attempts() {
    check(&[
        ("SELECT try(1 / 0)", "NULL"),
        ("SELECT try(1 + 1)", "2"),
        (
            "SELECT try(6 / (n - 2)) FROM t ORDER BY n",
            "-6;NULL;6;2;1;NULL",
        ),
        (
            "SELECT try(6 / (n - 2)), try(6 / (n - 2) + 1) FROM t WHERE k = 'a' ORDER BY n",
            "-6,-5;NULL,NULL;2,3",
        ),
        (
            "SELECT try(CAST(x AS bigint)) FROM t WHERE n < 3",
            "NULL;NULL",
        ),
        (
            "SELECT try(CAST(concat(x, '') AS bigint)) FROM t WHERE n < 3",
            "NULL;NULL",
        ),
        (
            "SELECT try(sum(n) / (count(n) - 2)) FROM t GROUP BY k ORDER BY k",
            "8;NULL",
        ),
        (
            "SELECT try(sum(n) OVER () / (n - 2)) FROM t WHERE k = 'a' ORDER BY n",
            "-8;NULL;2",
        ),
        ("SELECT k FROM t WHERE try(6 / (n - 2) = 6)", "b"),
        (
            "SELECT try(filter(l, y -> y / (n - 2) > 0)) FROM t ORDER BY n",
            "[];NULL;NULL;[];[9, 8, 7];[]",
        ),
        ("SELECT try(CAST('abc' AS bigint))", "NULL"),
    ])
    .await;
}

#[tokio::test]
async fn members_of_parameters() {
    check(&[
        ("SELECT transform(ARRAY[named_struct('arn', 'a', 'n', 1)], r -> get_field(r, 'arn'))", "[a]"),
        ("SELECT transform(ARRAY[named_struct('arn', 'a', 'n', 1)], r -> r['arn'])", "[a]"),
        ("SELECT transform(ARRAY[named_struct('arn', 'a', 'n', 1)], r -> r.arn)", "[a]"),
        ("SELECT filter(resources, r -> get_field(r, 'accountid') <> recipientaccountid) FROM cloudtrail", ""),
    ])
    .await;
}
