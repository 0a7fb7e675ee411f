//! Each form, as written and as it becomes.

use super::*;
use datafusion::sql::sqlparser::parser::Parser;

fn rewritten(sql: &str) -> Result<String, QueryError> {
    let mut statement = Parser::parse_sql(&crate::engine::dialect::Athena, sql)
        .unwrap()
        .remove(0);
    rewrite(&mut statement)?;
    Ok(statement.to_string())
}

#[test]
fn forms() {
    for (sql, expected) in [
        ("SELECT resources[1].arn", "SELECT resources[1]['arn']"),
        (
            "SELECT c.resources[1].a.b",
            "SELECT c.resources[1]['a']['b']",
        ),
        (
            "SELECT element_at(x, 1).arn",
            "SELECT element_at(x, 1)['arn']",
        ),
        (
            "SELECT filter(x, r -> r.arn = y.arn)",
            "SELECT filter(x, r -> r['arn'] = y.arn)",
        ),
        ("SELECT if(a, 1, 2)", "SELECT CASE WHEN a THEN 1 ELSE 2 END"),
        ("SELECT IF(a, b)", "SELECT CASE WHEN a THEN b END"),
        ("SELECT JSON '{}'", "SELECT json_parse('{}')"),
        (
            "SELECT TIMESTAMP '2023-07-06 13:51', CAST('2023-07-06 13:51 UTC' AS timestamp)",
            "SELECT TIMESTAMP '2023-07-06 13:51:00', CAST('2023-07-06 13:51:00 UTC' AS TIMESTAMP)",
        ),
        (
            "SELECT INTERVAL '1 02:03' DAY TO MINUTE",
            "SELECT INTERVAL '1 day 2 hour 3 minute'",
        ),
        (
            "SELECT CAST(a AS varchar(10)), map_keys(requestParameters)",
            "SELECT substr(CAST(a AS VARCHAR), 1, 10), \
             map_keys(TRY_CAST(json_parse(requestParameters) AS written_type(map(varchar, varchar))))",
        ),
        ("SELECT map(a, b)", "SELECT trino_map(a, b)"),
        (
            "SELECT listagg(a) WITHIN GROUP (ORDER BY b)",
            "SELECT listagg(a, '' ORDER BY b)",
        ),
        (
            "SELECT coalesce(eventTime, 'none'), if(a, t.eventtime, 'x'), coalesce(eventtime, b)",
            "SELECT coalesce(time_text(eventTime), 'none'), \
             CASE WHEN a THEN time_text(t.eventtime) ELSE 'x' END, coalesce(eventtime, b)",
        ),
        (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM UNNEST(resources) AS t (r) WHERE t.r.arn = 'a')",
            "SELECT 1 WHERE NOT coalesce(any_match(resources, r -> r['arn'] = 'a'), false)",
        ),
        (
            "SELECT (SELECT count(*) FROM UNNEST(c.resources) AS t (r) WHERE r.arn = 'a')",
            "SELECT coalesce(cardinality(filter(c.resources, r -> r['arn'] = 'a')), 0)",
        ),
        (
            "SELECT (a, b) IN (SELECT c, d FROM t)",
            "SELECT (a, b) IN (SELECT (c, d) AS columns FROM t)",
        ),
        (
            "SELECT a <=> (b) = FALSE AND c <=> d",
            "SELECT a IS DISTINCT FROM (b) AND c IS NOT DISTINCT FROM d",
        ),
        (
            "SELECT a = ANY (SELECT a FROM t), a <> ALL (SELECT a FROM t)",
            "SELECT a IN (SELECT a FROM t), a NOT IN (SELECT a FROM t)",
        ),
        (
            "SELECT a > ALL (SELECT a FROM t)",
            "SELECT a > ALL(SELECT \"__value\" FROM (SELECT a FROM t) AS \"__any\" (\"__value\"))",
        ),
        (
            "SELECT a = 1 OR a = 2 OR b = 1 OR b = 2, x.a <> 1 AND x.a <> NULL AND c AND a = 1",
            "SELECT a IN (1, 2) OR b = 1 OR b = 2, x.a NOT IN (1, NULL) AND c AND a = 1",
        ),
        ("SELECT try(a / 0)", "SELECT try(() -> a / 0)"),
        (
            "SELECT a AT TIME ZONE 'UTC'",
            "SELECT at_timezone(a, 'UTC')",
        ),
        ("SELECT extract(dow FROM a)", "SELECT dow(a)"),
        ("SELECT substring(a, 1, 2)", "SELECT substr(a, 1, 2)"),
        ("SELECT substring(a FROM 3)", "SELECT substr(a, 3)"),
        (
            "SELECT json_extract_scalar(useridentity, '$.arn')",
            "SELECT json_extract_scalar(to_json(useridentity), '$.arn')",
        ),
        (r"SELECT a LIKE 'x\_%'", r"SELECT a LIKE 'x\\_%'"),
        (
            r"SELECT a LIKE 'x!_!!\%' ESCAPE '!'",
            r"SELECT a LIKE 'x\_\!\\%'",
        ),
        (
            "SELECT * FROM t CROSS JOIN UNNEST(t.x) AS u (y) JOIN v ON a = b",
            "SELECT * FROM (t CROSS JOIN UNNEST(t.x) AS u (y)) JOIN v ON a = b",
        ),
        (
            "SELECT * FROM s, t, UNNEST(t.x) AS u (y), UNNEST(y) AS w (z)",
            "SELECT * FROM ((s CROSS JOIN t CROSS JOIN UNNEST(t.x) AS u (y)) \
             CROSS JOIN UNNEST(y) AS w (z))",
        ),
        (
            "SELECT 1 OFFSET 2 ROWS FETCH FIRST 5 ROWS ONLY",
            "SELECT 1 LIMIT 5 OFFSET 2 ROWS",
        ),
        (
            "SELECT * FROM UNNEST(ARRAY[1]) AS u (y)",
            "SELECT * FROM UNNEST(ARRAY[1]) AS u (y)",
        ),
    ] {
        assert_eq!(rewritten(sql).unwrap(), expected, "{sql}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let sql = "SELECT *\nFROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS true) AS m";
    let error = rewritten(sql).unwrap_err();
    assert!(
        error.to_string().contains("`MATCH_RECOGNIZE` is not there"),
        "{error}"
    );
    let error = rewritten("SELECT * FROM t TABLESAMPLE BERNOULLI (10)").unwrap_err();
    assert!(error.to_string().contains("TABLESAMPLE"), "{error}");
}
