use crate::engine::functions::trino::testing::check;

#[tokio::test]
async fn made() {
    check(&[
        ("trino_map()", "{}"),
        ("cardinality(trino_map())", "0"),
        ("map(ARRAY['a', 'b'], ARRAY[1, NULL])", "{a: 1, b: NULL}"),
        ("map(ARRAY['a', 'a'], ARRAY[1, 2])", "error: …"),
        ("map(ARRAY['a', NULL], ARRAY[1, 2])", "error: …"),
        ("map(ARRAY['a', 'b'], ARRAY[1])", "error: …"),
        ("trino_map(NULL, ARRAY[1])", "NULL"),
        ("trino_map(ARRAY['a'])", "error: `map` takes keys and values…"),
        ("SELECT map(ARRAY[k, 'z'], ARRAY[n, 0]) FROM t WHERE k = 'a' ORDER BY n", "{a: 1, z: 0};{a: 2, z: 0};{a: 5, z: 0}"),
        ("map_from_entries(ARRAY[ROW('a', 1), ROW('b', NULL)])", "{a: 1, b: NULL}"),
        ("map_from_entries(ARRAY[ROW('a', 1), ROW('a', 2)])", "error: …"),
        ("map_from_entries(ARRAY[])", "{}"),
        ("map_from_entries(NULL)", "NULL"),
        ("multimap_from_entries(ARRAY[ROW('a', 1), ROW('b', 2), ROW('a', NULL)])", "{a: [1, NULL], b: [2]}"),
        ("map_concat(map(ARRAY['a', 'b'], ARRAY[1, 2]), map(ARRAY['b', 'c'], ARRAY[3, 4]))", "{a: 1, b: 3, c: 4}"),
        ("map_concat(map(ARRAY['a'], ARRAY[1]), trino_map())", "{a: 1}"),
        ("map_concat(map(ARRAY['a'], ARRAY[1]), NULL)", "NULL"),
        ("SELECT map_concat(map(ARRAY[k], ARRAY[n]), map(ARRAY['b'], ARRAY[0])) FROM t WHERE n < 4 ORDER BY n", "{a: 1, b: 0};{a: 2, b: 0};{b: 0}"),
        ("ROW(1, 'a')", "{field0: 1, field1: a}"),
        ("SELECT ROW(k, n) FROM t WHERE n < 3 ORDER BY n", "{field0: a, field1: 1};{field0: a, field1: 2}"),
    ])
    .await;
}

#[tokio::test]
async fn parts() {
    check(&[
        ("map_keys(map(ARRAY['a', 'b'], ARRAY[1, 2]))", "[a, b]"),
        (
            "map_values(map(ARRAY['a', 'b'], ARRAY[1, NULL]))",
            "[1, NULL]",
        ),
        (
            "map_entries(map(ARRAY['a'], ARRAY[1]))",
            "[{field0: a, field1: 1}]",
        ),
        ("map_keys(trino_map())", "[]"),
        ("map_keys(NULL)", "NULL"),
        ("map_keys(ARRAY[1])", "error: `map_keys` takes a map…"),
        (
            "map_from_entries(map_entries(map(ARRAY['a'], ARRAY[1])))",
            "{a: 1}",
        ),
        ("SELECT map_keys(histogram(k)) FROM t", "[a, b]"),
        ("SELECT element_at(map_agg(x, n), 'two') FROM t", "2"),
        ("SELECT map_agg(x, n)['two'] FROM t", "2"),
    ])
    .await;
}

#[tokio::test]
async fn windows() {
    check(&[
        ("SELECT n, row_number() OVER (ORDER BY n), rank() OVER (ORDER BY k), dense_rank() OVER (ORDER BY k), ntile(2) OVER (ORDER BY n) FROM t ORDER BY n", "1,1,1,1,1;2,2,1,1,1;3,3,4,2,1;5,4,1,1,2;6,5,4,2,2;NULL,6,4,2,2"),
        ("SELECT percent_rank() OVER (ORDER BY k), cume_dist() OVER (ORDER BY k) FROM t WHERE n < 4 ORDER BY n", "0.0,0.6666666666666666;0.0,0.6666666666666666;1.0,1.0"),
        ("SELECT lag(n) OVER (ORDER BY n), lag(n, 2, 0) OVER (ORDER BY n), lead(n, 1, -1) OVER (ORDER BY n) FROM t WHERE n < 4 ORDER BY n", "NULL,0,2;1,0,3;2,1,-1"),
        ("SELECT lag(x) IGNORE NULLS OVER (ORDER BY k, n) FROM t WHERE k = 'b' ORDER BY n", "NULL;three;six"),
        ("SELECT first_value(x) OVER (ORDER BY n), last_value(x) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), nth_value(x, 2) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM t WHERE n < 4 ORDER BY n", "one,three,two;one,three,two;one,three,two"),
        ("SELECT sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), sum(n) OVER (ORDER BY n RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WHERE n IS NOT NULL ORDER BY n", "1,1;3,3;5,5;8,5;11,11"),
        ("SELECT count(*) OVER (ORDER BY k GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING) FROM t ORDER BY k", "6;6;6;3;3;3"),
        ("SELECT sum(n) OVER w, max_by(x, n) OVER w FROM t WHERE k = 'a' WINDOW w AS (PARTITION BY k ORDER BY n) ORDER BY n", "1,one;3,two;8,five"),
        ("SELECT array_agg(n) OVER (PARTITION BY k ORDER BY n) FROM t WHERE k = 'a' ORDER BY n", "[1];[1, 2];[1, 2, 5]"),
        ("SELECT count(*) FILTER (WHERE n > 2) OVER () FROM t WHERE n < 4", "1;1;1"),
        ("SELECT rank() OVER (ORDER BY count(*) DESC, k) FROM t GROUP BY k ORDER BY k", "1;2"),
        ("SELECT count_if(n > 1) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WHERE n < 4 ORDER BY n", "0;1;2"),
        ("SELECT max_by(x, n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WHERE n < 4 ORDER BY n", "one;two;three"),
        ("SELECT set_agg(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WHERE n < 4 ORDER BY n", "[1];[1, 2];[2, 3]"),
        ("SELECT arbitrary(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WHERE n < 4 ORDER BY n", "1;1;2"),
    ])
    .await;
}
