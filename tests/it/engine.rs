//! The engine over real lakes.

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
        writer.write(batch).await.unwrap();
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
