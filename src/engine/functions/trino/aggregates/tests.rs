use crate::engine::functions::trino::testing::check;

#[tokio::test]
async fn conditions_and_extremes() {
    check(&[
        ("SELECT count_if(n > 2) FROM t", "3"),
        ("SELECT k, count_if(n > 2), count_if(n IS NULL) FILTER (WHERE k = 'b') FROM t GROUP BY k ORDER BY k", "a,1,0;b,2,1"),
        ("SELECT count_if(n > 2) FROM t WHERE n > 100", "0"),
        ("SELECT k, count_if(n > 1) OVER (PARTITION BY k ORDER BY n) FROM t ORDER BY k, n", "a,0;a,1;a,2;b,1;b,2;b,2"),
        ("SELECT max_by(x, n), min_by(x, n) FROM t", "six,one"),
        ("SELECT k, max_by(x, n), min_by(x, n) FROM t GROUP BY k ORDER BY k", "a,five,one;b,six,three"),
        ("SELECT max_by(n, x) FROM t", "2"),
        ("SELECT max_by(l, n) FROM t WHERE k = 'a'", "[1, 1]"),
        ("SELECT max_by(named_struct('a', x, 'b', n), n) FROM t", "{a: six, b: 6}"),
        ("SELECT max_by(x, n) FILTER (WHERE n < 3) FROM t", "two"),
        ("SELECT max_by(x, n) FROM t WHERE n IS NULL", "NULL"),
        ("SELECT min_by(n, k) FROM t", "1"),
        ("SELECT max_by(x, n, 2), min_by(x, n, 2) FROM t", "[six, five],[one, two]"),
        ("SELECT k, max_by(x, n, 2) FROM t GROUP BY k ORDER BY k", "a,[five, two];b,[six, three]"),
        ("SELECT n, max_by(x, n) OVER (PARTITION BY k ORDER BY n) FROM t WHERE k = 'a' ORDER BY n", "1,one;2,two;5,five"),
        ("SELECT max_by(x, n) OVER () FROM t WHERE n < 3", "two;two"),
        ("SELECT max_by(x, n) || '!' FROM t HAVING count(*) > 100", ""),
        ("SELECT max_by(eventname, eventtime), min_by(eventname, eventtime), max(eventtime) FROM cloudtrail", "NULL,NULL,NULL"),
    ])
    .await;
}

#[tokio::test]
async fn entries() {
    check(&[
        (
            "SELECT map_agg(x, n) FROM t",
            "{five: 5, one: 1, six: 6, three: 3, two: 2}",
        ),
        ("SELECT map_agg(k, n) FROM t", "{a: 1, b: 3}"),
        (
            "SELECT k, map_agg(x, n) FROM t GROUP BY k ORDER BY k",
            "a,{five: 5, one: 1, two: 2};b,{six: 6, three: 3}",
        ),
        (
            "SELECT multimap_agg(k, n) FROM t",
            "{a: [1, 2, 5], b: [3, 6, NULL]}",
        ),
        (
            "SELECT multimap_agg(k, l) FROM t WHERE k = 'a'",
            "{a: [[1, 1], [1, 2, 3], [5, NULL]]}",
        ),
        ("SELECT histogram(k) FROM t", "{a: 3, b: 3}"),
        ("SELECT histogram(x) FROM t WHERE n IS NULL", "NULL"),
        (
            "SELECT k, histogram(n % 2) FROM t GROUP BY k ORDER BY k",
            "a,{0: 1, 1: 2};b,{0: 1, 1: 1}",
        ),
        (
            "SELECT approx_most_frequent(2, n % 3, 10) FROM t",
            "{0: 2, 2: 2}",
        ),
        (
            "SELECT map_union(map(make_array(k), make_array(n))) FROM t",
            "{a: 1, b: 3}",
        ),
        (
            "SELECT set_agg(k), set_agg(n) FROM t",
            "[a, b],[1, 2, 3, 5, 6, NULL]",
        ),
        (
            "SELECT set_union(l) FROM t",
            "[1, 2, 3, 4, 5, 7, 8, 9, NULL]",
        ),
        ("SELECT set_union(l) FROM t WHERE n = 3", "NULL"),
        (
            "SELECT k, set_agg(n) OVER (PARTITION BY k ORDER BY n) FROM t WHERE k = 'a' ORDER BY n",
            "a,[1];a,[1, 2];a,[1, 2, 5]",
        ),
        (
            "SELECT map_agg(x, n) FILTER (WHERE n = 1) FROM t",
            "{one: 1}",
        ),
        (
            "SELECT array_agg(n ORDER BY n DESC NULLS FIRST) FROM t",
            "[NULL, 6, 5, 3, 2, 1]",
        ),
        ("SELECT array_agg(DISTINCT k ORDER BY k) FROM t", "[a, b]"),
        (
            "SELECT array_agg(n ORDER BY n) FILTER (WHERE n > 3) FROM t",
            "[5, 6]",
        ),
        ("SELECT array_agg(n) FROM t WHERE n > 100", "NULL"),
    ])
    .await;
}

#[tokio::test]
async fn numbers() {
    check(&[
        ("SELECT approx_percentile(n, 0.5), approx_percentile(n, 0.0), approx_percentile(n, 1.0) FROM t", "3,1,6"),
        ("SELECT approx_percentile(n, ARRAY[0.0, 0.5, 0.9]) FROM t", "[1, 3, 6]"),
        ("SELECT k, approx_percentile(n * 1.5, 0.5) FROM t GROUP BY k ORDER BY k", "a,3.0;b,4.5"),
        ("SELECT approx_percentile(n, 1, 0.5) FROM t", "error: `approx_percentile` is supported with two arguments…"),
        ("SELECT approx_percentile(n, 2) FROM t", "error: `approx_percentile` takes constant percentages…"),
        ("SELECT approx_distinct(k), approx_distinct(n, 0.01), approx_distinct(n > 2) FROM t", "2,5,2"),
        ("SELECT k, approx_distinct(n, 0.01) FROM t GROUP BY k ORDER BY k", "a,3;b,2"),
        ("SELECT round(geometric_mean(n), 3) FROM t", "2.825"),
        ("SELECT entropy(n) FROM (VALUES (1), (1), (2)) AS v(n)", "1.5"),
        ("SELECT arbitrary(n), any_value(x), arbitrary(k) FROM t WHERE n IS NULL OR n = 6", "6,six,b"),
        ("SELECT k, arbitrary(x) OVER (PARTITION BY k) FROM t WHERE n < 3", "a,one;a,one"),
        ("SELECT arbitrary(named_struct('a', n)), arbitrary(l) FROM t WHERE n = 6", "{a: 6},[9, 8, 7]"),
        ("SELECT every(n > 0), bool_and(n > 2), bool_or(n > 5), every(n > 0) FILTER (WHERE n > 9) AS none FROM t", "true,false,true,NULL"),
        ("SELECT listagg(x, ',' ORDER BY n) FROM t", "one,two,three,five,six"),
        ("SELECT listagg(x, ',') WITHIN GROUP (ORDER BY n) FROM t", "one,two,three,five,six"),
        ("SELECT bitwise_or_agg(n), bitwise_and_agg(n), variance(n) FROM t WHERE n < 3", "3,0,0.5"),
        ("SELECT min(x), max(x), sum(n), avg(n), count(n), count(*) FROM t", "five,two,17,3.4,5,6"),
    ])
    .await;
}

#[tokio::test]
async fn groupings() {
    check(&[
        ("SELECT k, n > 2, count(*) FROM t WHERE n IS NOT NULL GROUP BY ROLLUP (k, n > 2) ORDER BY 1, 2", "a,false,2;a,true,1;a,NULL,3;b,true,2;b,NULL,2;NULL,NULL,5"),
        ("SELECT k, grouping(k), max_by(x, n) FROM t GROUP BY CUBE (k) ORDER BY 1", "a,0,five;b,0,six;NULL,1,six"),
        ("SELECT k, n % 2, count_if(n > 2), map_agg(k, n) FROM t WHERE n < 4 GROUP BY GROUPING SETS ((k), (n % 2), ()) ORDER BY 1, 2", "a,NULL,0,{a: 1};b,NULL,1,{b: 3};NULL,0,0,{a: 2};NULL,1,1,{a: 1, b: 3};NULL,NULL,1,{a: 1, b: 3}"),
    ])
    .await;
}
