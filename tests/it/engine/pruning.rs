//! What a filter spares: files, row groups, pages. Each test fails when that is lost.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use spoor::engine::{Engine, EngineOptions, Params};
use spoor::lake::EVENT_ROW_GROUP_ROWS;
use spoor::schema::{EVENT_COLUMNS, Kind};

use super::{DAY_SECONDS, Filled, events, lake, rows, small, texts};

/// What `EXPLAIN` or `EXPLAIN ANALYZE` says.
pub(super) async fn explain(engine: &Engine, sql: &str) -> String {
    let rows = engine.query(sql, &Params::new()).await.unwrap();
    let batches = rows.collect().await.unwrap();
    let texts = batches.iter().flat_map(|batch| {
        let plans = batch.column_by_name("plan").unwrap();
        let plans = arrow::compute::cast(plans, &arrow::datatypes::DataType::Utf8).unwrap();
        let plans = plans
            .as_any()
            .downcast_ref::<StringArray>()
            .unwrap()
            .clone();
        (0..plans.len())
            .map(move |row| plans.value(row).to_owned())
            .collect::<Vec<_>>()
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// The number after `name=` in the metrics of a plan.
pub(super) fn metric(plan: &str, name: &str) -> String {
    let (_, rest) = plan
        .split_once(&format!("{name}="))
        .unwrap_or_else(|| panic!("{name}: {plan}"));
    rest.split([',', ']']).next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_filter_on_any_member_reaches_the_flat_column() {
    let folder = tempfile::tempdir().unwrap();
    // Every member has a value, so that no file can be left out for having none.
    let filled = EVENT_COLUMNS.iter().filter_map(|column| match column.kind {
        Kind::Text | Kind::Json => Some((column.name, texts(&["arn:b"]))),
        Kind::Bool => Some((
            column.name,
            Arc::new(BooleanArray::from(vec![true])) as ArrayRef,
        )),
        Kind::Time | Kind::Resources | Kind::TextMap => None,
    });
    let filled: Vec<Filled<'_>> = filled.collect();
    let lake = lake(&folder, &[events(&[Some(DAY_SECONDS)], &filled)]).await;
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    for column in EVENT_COLUMNS {
        let member = column.path.join(".").to_lowercase();
        let (filter, seen) = match column.kind {
            Kind::Text | Kind::Json => (format!("{member} = 'arn:b'"), format!("{}@", column.name)),
            Kind::Bool => (format!("{member} = true"), format!("{}@", column.name)),
            Kind::Time => (
                format!("{member} = timestamp '2025-03-02T00:00:00Z'"),
                format!("{}@", column.name),
            ),
            Kind::Resources | Kind::TextMap => continue,
        };
        let plan = explain(
            &engine,
            &format!("EXPLAIN SELECT eventid FROM cloudtrail WHERE {filter}"),
        )
        .await;
        let (_, predicate) = plan.split_once(" predicate=").unwrap_or_default();
        assert!(predicate.starts_with(&seen), "{filter}\n{plan}");
        assert!(predicate.contains("pruning_predicate="), "{filter}\n{plan}");
        assert!(!plan.contains("FilterExec"), "{filter}\n{plan}");
    }
}

/// Three row groups of one day; event id and caller grow with time.
pub(super) fn large() -> RecordBatch {
    let n = 3 * EVENT_ROW_GROUP_ROWS;
    let seconds: Vec<_> = (0..n).map(|i| Some(i as i64 / 8)).collect();
    let numbered = |prefix: &str| -> ArrayRef {
        let texts = (0..n).map(|i| format!("{prefix}{i:08}"));
        Arc::new(StringArray::from_iter_values(texts))
    };
    events(
        &seconds,
        &[
            (
                "useridentity_sessioncontext_sessionissuer_arn",
                numbered("arn:"),
            ),
            ("useridentity_accesskeyid", scattered(n)),
        ],
    )
}

/// Values whose bounds say nothing, so that only bloom filters can prune.
fn scattered(n: usize) -> ArrayRef {
    let texts = (0..n).map(|i| format!("{:08}", (i as u64 * 2_654_435_761) % 99_999_989));
    Arc::new(StringArray::from_iter_values(texts))
}

#[tokio::test]
async fn filters_prune_row_groups_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder, &[large()]).await;
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    for (filter, n, row_groups, by_bloom, pages) in [
        (
            "useridentity.sessioncontext.sessionissuer.arn = 'arn:00150000'",
            "1",
            "3 total → 1 matched",
            "1 total → 1 matched",
            "16 total → 1 matched",
        ),
        (
            "eventtime = timestamp '2025-03-01T05:12:30Z'",
            "8",
            "3 total → 1 matched",
            "1 total → 1 matched",
            "16 total → 1 matched",
        ),
        (
            // No such key, though it lies within the bounds of every row group.
            "useridentity.accesskeyid = '05363943'",
            "0",
            "3 total → 3 matched",
            "3 total → 0 matched",
            "0 total → 0 matched",
        ),
    ] {
        let sql = format!("SELECT eventname FROM cloudtrail WHERE {filter}");
        let plan = explain(&engine, &format!("EXPLAIN ANALYZE {sql}")).await;
        assert_eq!(
            metric(&plan, "row_groups_pruned_statistics"),
            row_groups,
            "{plan}"
        );
        assert_eq!(
            metric(&plan, "row_groups_pruned_bloom_filter"),
            by_bloom,
            "{plan}"
        );
        assert_eq!(metric(&plan, "page_index_pages_pruned"), pages, "{plan}");
        assert_eq!(metric(&plan, "output_rows"), n, "{plan}");
    }
}

#[tokio::test]
async fn files_are_chosen_before_they_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder, &[small()]).await;
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    let days = [
        "2025-03-01",
        "2025-03-02",
        "2025-03-03",
        "__HIVE_DEFAULT_PARTITION__",
    ];
    for (filter, expected) in [
        ("date = '2025-03-02'", "2025-03-02"),
        ("date IS NULL", "__HIVE_DEFAULT_PARTITION__"),
        (
            "date_partition LIKE '2025/03/%' AND day IN ('01', '03')",
            "2025-03-01 2025-03-03",
        ),
        (
            "year = '2025' AND month = '03' AND day > '02'",
            "2025-03-03",
        ),
        (
            "date <> '2025-03-02' OR date IS NULL",
            "2025-03-01 2025-03-03 __HIVE_DEFAULT_PARTITION__",
        ),
        (
            "\"timestamp\" BETWEEN '2025/03/01' AND '2025/03/02'",
            "2025-03-01 2025-03-02",
        ),
        (
            "eventtime > timestamp '2025-03-01T00:00:02Z'",
            "2025-03-02 2025-03-03",
        ),
        ("eventtime IS NULL", "__HIVE_DEFAULT_PARTITION__"),
        ("eventname = 'CreateRole'", "2025-03-02"),
        (
            "recipientaccountid = '444455556666' OR eventname = 'Odd'",
            "2025-03-02 __HIVE_DEFAULT_PARTITION__",
        ),
        ("date = '2025-03-02' AND eventname = 'AssumeRole'", ""),
        ("random() < 2 AND date = '2025-03-02'", "2025-03-02"),
    ] {
        let sql = format!("SELECT eventname FROM cloudtrail WHERE {filter}");
        let plan = explain(&engine, &format!("EXPLAIN {sql}")).await;
        let read = days
            .iter()
            .filter(|day| plan.contains(&format!("date={day}/")));
        let read: Vec<&str> = read.copied().collect();
        assert_eq!(read.join(" "), expected, "{filter}\n{plan}");
        // With and without files and pruning, the answer is one.
        let plain = Engine::over_batches(vec![small()], EngineOptions::default())
            .await
            .unwrap();
        let sorted = format!("{sql} ORDER BY 1");
        assert_eq!(
            rows(&engine, &sorted).await,
            rows(&plain, &sorted).await,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn counts_come_from_the_log_and_bounds_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder, &[small()]).await;
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    for (sql, from_log) in [
        ("SELECT count(*) FROM events", true),
        (
            "SELECT count(*) FROM events WHERE date = '2025-03-01'",
            true,
        ),
        ("SELECT max(eventtime) FROM events", false),
        ("SELECT max(eventname) FROM events", false),
    ] {
        let plan = explain(&engine, &format!("EXPLAIN {sql}")).await;
        assert_eq!(!plan.contains("DataSourceExec"), from_log, "{plan}");
    }
}
