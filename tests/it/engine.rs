//! The engine over real lakes.

mod pruning;
mod written;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::util::pretty::pretty_format_batches;
use spoor::engine::{Engine, EngineOptions, Param, Params};
use spoor::lake::Lake;
use spoor::schema::{DATE_PARTITION, Table};

/// 2025-03-01T00:00:00Z.
const START_MICROSECONDS: i64 = 1_740_787_200_000_000;
const SECOND: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// A column of made-up events.
type Filled<'a> = (&'a str, ArrayRef);

/// Events with the given columns, the others null; `seconds` after the start, `None` without a time.
fn events(seconds: &[Option<i64>], filled: &[Filled<'_>]) -> RecordBatch {
    let n = seconds.len();
    let schema = Table::Events.arrow_schema();
    let dates = seconds
        .iter()
        .map(|seconds| seconds.map(|seconds| format!("2025-03-{:02}", 1 + seconds / DAY_SECONDS)));
    let dates: StringArray = dates.collect();
    let times = seconds
        .iter()
        .map(|seconds| seconds.map(|s| START_MICROSECONDS + s * SECOND));
    let times = times
        .collect::<TimestampMicrosecondArray>()
        .with_timezone("UTC");
    let columns = schema.fields().iter().map(|field| {
        let given = filled.iter().find(|(name, _)| name == field.name());
        match (given, field.name().as_str()) {
            (Some((_, column)), _) => Arc::clone(column),
            (None, "eventtime") => Arc::new(times.clone()) as ArrayRef,
            (None, DATE_PARTITION) => Arc::new(dates.clone()),
            (None, "source_file") => Arc::new(StringArray::from(vec!["a.json.gz"; n])),
            (None, "source_index") => Arc::new(Int64Array::from_iter_values(0..n as i64)),
            (None, "content_hash") => Arc::new(Int64Array::from(vec![0; n])),
            (None, "conflicting") => Arc::new(BooleanArray::from(vec![false; n])),
            (None, _) => new_null_array(field.data_type(), n),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

async fn lake(folder: &tempfile::TempDir, batches: &[RecordBatch]) -> Lake {
    let lake = Lake::open_or_create(&folder.path().join("lake"))
        .await
        .unwrap();
    let mut writer = lake.writer(Table::Events).await.unwrap();
    for batch in batches {
        writer.write(batch.clone()).await.unwrap();
    }
    let pending = writer.finish().await.unwrap();
    lake.commit(pending).await.unwrap();
    lake
}

async fn rows(engine: &Engine, sql: &str) -> String {
    let rows = engine.query(sql, &Params::new()).await.unwrap();
    let batches = rows.collect().await.unwrap();
    let table = pretty_format_batches(&batches).unwrap().to_string();
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(1);
    let cells = lines.map(|line| {
        let cells = line.trim_matches('|').split('|').map(str::trim);
        cells.collect::<Vec<_>>().join(",")
    });
    cells.collect::<Vec<_>>().join("\n")
}

/// Three days, and one event without a time.
fn small() -> RecordBatch {
    events(
        &[Some(1), Some(DAY_SECONDS), Some(2 * DAY_SECONDS), None],
        &[
            (
                "eventname",
                texts(&["AssumeRole", "CreateRole", "AssumeRole", "Odd"]),
            ),
            (
                "useridentity_arn",
                texts(&["arn:a", "arn:b", "arn:c", "arn:d"]),
            ),
            (
                "recipientaccountid",
                texts(&[
                    "111122223333",
                    "444455556666",
                    "111122223333",
                    "111122223333",
                ]),
            ),
        ],
    )
}

#[tokio::test]
async fn a_lake_and_batches_answer_alike() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder, &[small()]).await;
    let over_lake = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    let over_batches = Engine::over_batches(vec![small()], EngineOptions::default())
        .await
        .unwrap();
    for (sql, expected) in [
        ("SELECT count(*) FROM cloudtrail", "4"),
        (
            "SELECT eventName, userIdentity.arn FROM cloudtrail_logs WHERE useridentity.arn >= 'arn:b' ORDER BY 2",
            "CreateRole,arn:b\nAssumeRole,arn:c\nOdd,arn:d",
        ),
        (
            "SELECT \"timestamp\", year, month, day FROM cloudtrail WHERE day = '02'",
            "2025/03/02,2025,03,02",
        ),
        ("SELECT eventname FROM cloudtrail WHERE date IS NULL", "Odd"),
        (
            "SELECT eventname FROM cloudtrail WHERE date_partition = '2025/03/03'",
            "AssumeRole",
        ),
        (
            "SELECT * FROM own_accounts",
            "111122223333,true\n444455556666,true",
        ),
        ("SELECT days, n_events FROM evidence", "1,4"),
        ("SELECT baseline_days FROM settings", "14"),
        ("SELECT count(*) FROM sources", "0"),
    ] {
        for engine in [&over_lake, &over_batches] {
            assert_eq!(rows(engine, sql).await, expected, "{sql}");
        }
    }
    let evidence = over_lake.evidence().await.unwrap();
    assert_eq!(evidence.first_time.as_deref(), Some("2025-03-01T00:00:01Z"));
    assert_eq!(evidence.last_time.as_deref(), Some("2025-03-03T00:00:00Z"));
    assert_eq!(evidence.n_events, 4);
    assert_eq!(evidence, over_batches.evidence().await.unwrap());
}

#[tokio::test]
async fn values_are_bound() {
    let engine = Engine::over_batches(vec![small()], EngineOptions::default())
        .await
        .unwrap();
    let params = Params::from([
        ("name".to_owned(), Param::Text("' OR true --".to_owned())),
        ("n".to_owned(), Param::Integer(1)),
    ]);
    let sql = "SELECT count(*) FROM cloudtrail WHERE eventname = $name HAVING count(*) < $n";
    let rows = engine
        .query(sql, &params)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[tokio::test]
async fn now_is_the_end_of_the_evidence() {
    let engine = Engine::over_batches(vec![small()], EngineOptions::default())
        .await
        .unwrap();
    for (sql, expected) in [
        ("SELECT now() = max(eventtime) FROM cloudtrail", "true"),
        ("SELECT current_date", "2025-03-03"),
        (
            "SELECT count(*) FROM cloudtrail WHERE eventtime >= (SELECT now() - INTERVAL '1' DAY)",
            "2",
        ),
    ] {
        assert_eq!(rows(&engine, sql).await, expected, "{sql}");
    }
    let empty = Engine::over_batches(Vec::new(), EngineOptions::default())
        .await
        .unwrap();
    let refused = empty.query("SELECT now()", &Params::new()).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn errors_say_where_and_what_to_do() {
    let engine = Engine::over_batches(vec![small()], EngineOptions::default())
        .await
        .unwrap();
    for (sql, message, hint) in [
        (
            "SELECT\n  evntname FROM cloudtrail",
            "line 2, column 3: there is no column `evntname`",
            Some("did you mean `eventname`?"),
        ),
        (
            "SELECT useridentity.arm FROM cloudtrail",
            "line 1, column 21: a struct has no member `arm`",
            Some("did you mean `arn`?"),
        ),
        (
            "SELECT * FROM cloudtrial",
            "line 1, column 15: there is no table `cloudtrial`",
            Some("did you mean `cloudtrail`?"),
        ),
        (
            "SELECT arn_acount(eventname) FROM cloudtrail",
            "line 1, column 8: there is no function `arn_acount`",
            Some("did you mean `arn_account`?"),
        ),
        (
            "SELECT eventname FROM",
            "expected identifier, found the end of the text",
            None,
        ),
        (
            "SELECT eventname\nFROM cloudtrail WHERE )",
            "line 2, column 23: expected an expression, found )",
            None,
        ),
        (
            "SELECT 1 VALUES 2",
            "line 1, column 10: expected the end of the statement, found `VALUES`",
            None,
        ),
        (
            "SELECT 'a",
            "line 1, column 8: unterminated string literal",
            None,
        ),
        (
            "SELECT 1; SELECT 2",
            "expected one statement, found 2",
            None,
        ),
        (
            "SELECT $n",
            "line 1, column 8: there is no value for `$n`",
            None,
        ),
        (
            "SELECT eventname, count(*) FROM cloudtrail",
            "line 1, column 8: 'cloudtrail.eventname' must appear in GROUP BY clause because it's \
             not an aggregate expression",
            Some(
                "either add 'cloudtrail.eventname' to GROUP BY clause, or use an aggregate \
                 function like ANY_VALUE(cloudtrail.eventname)",
            ),
        ),
        (
            "SELECT eventname + 1 FROM cloudtrail",
            "line 1, column 8: cannot coerce arithmetic expression Utf8View + Int64 to valid types",
            None,
        ),
        (
            "SELECT upper(eventname, 3) FROM cloudtrail",
            "line 1, column 8: `upper` takes one argument, not 2",
            None,
        ),
        (
            "SELECT * FROM read_csv('/etc/passwd')",
            "line 1, column 15: there is no table function `read_csv`",
            None,
        ),
    ] {
        let error = engine.query(sql, &Params::new()).await.unwrap_err();
        assert_eq!(error.to_string(), message, "{sql}");
        assert_eq!(error.hint().as_deref(), hint, "{sql}");
    }
}

#[tokio::test]
async fn files_are_no_tables() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder, &[small()]).await;
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    let file = lake.snapshot(Table::Events).await.unwrap().files[0]
        .path
        .clone();
    let file = lake.root().join("events").join(file);
    let file = file.to_str().unwrap();
    for sql in [
        format!("SELECT * FROM '{file}'"),
        format!("SELECT * FROM \"{file}\""),
        format!("SELECT * FROM 'file://{file}'"),
        format!("SELECT * FROM '{}/'", folder.path().display()),
    ] {
        let refused = engine.query(&sql, &Params::new()).await.unwrap_err();
        assert!(
            refused.to_string().contains("there is no table"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn tables_are_listed_and_described() {
    let engine = Engine::over_batches(vec![small()], EngineOptions::default())
        .await
        .unwrap();
    let tables = engine.tables();
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let n_tables = rows(&engine, "SHOW TABLES").await.lines().count();
    assert_eq!(n_tables, names.len());
    let type_of = |table: &str, column: &str| {
        let table = tables.iter().find(|info| info.name == table).unwrap();
        let column = table.columns.iter().find(|info| info.name == column);
        column.unwrap().data_type.clone()
    };
    assert_eq!(type_of("cloudtrail", "eventtime"), "timestamp");
    assert_eq!(
        type_of("cloudtrail", "addendum"),
        "struct<reason text, updatedfields text, originalrequestid text, originaleventid text>"
    );
    assert_eq!(
        type_of("cloudtrail", "resources"),
        "list<struct<arn text, accountid text, type text, arnprefix text>>"
    );
    for sql in ["DESCRIBE settings", "SHOW COLUMNS FROM settings"] {
        assert!(
            rows(&engine, sql).await.starts_with("baseline_days,Int64"),
            "{sql}"
        );
    }
    let functions = engine.function_names();
    for name in [
        "json_get_str",
        "arn_account",
        "count",
        "row_number",
        "generate_series",
    ] {
        assert!(functions.iter().any(|known| known == name), "{name}");
    }
}

#[tokio::test]
async fn kept_rows_are_a_table() {
    let engine = Engine::over_batches(vec![small()], EngineOptions::default())
        .await
        .unwrap();
    let sql = "SELECT eventname, count(*) AS n FROM cloudtrail GROUP BY eventname";
    engine.materialize("names", sql).await.unwrap();
    assert_eq!(
        rows(
            &engine,
            "SELECT n FROM names WHERE eventname = 'AssumeRole'"
        )
        .await,
        "2"
    );
    engine
        .materialize("names", "SELECT 1 AS one")
        .await
        .unwrap();
    assert_eq!(rows(&engine, "SELECT * FROM names").await, "1");
}
