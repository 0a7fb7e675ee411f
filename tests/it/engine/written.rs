//! Conditions on times as people write them for Athena prune as the plain comparison does, and choose
//! the same rows.

use spoor::engine::{Engine, EngineOptions};

use super::pruning::{explain, large, metric};
use super::{lake, rows, small};

/// Each is about some minutes of a day that three row groups hold.
#[tokio::test]
async fn conditions_on_text_of_times_prune_row_groups_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder, &[large()]).await;
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    let minute = "480";
    for (filter, n) in [
        (
            "eventtime >= timestamp '2025-03-01T05:12:00Z' AND eventtime < timestamp '2025-03-01T05:13:00Z'",
            minute,
        ),
        (
            "eventtime >= '2025-03-01T05:12:00Z' AND eventtime < '2025-03-01T05:13:00Z'",
            minute,
        ),
        (
            "eventtime >= '2025-03-01 05:12:00' AND eventtime < '2025-03-01 05:13:00'",
            minute,
        ),
        (
            "eventtime BETWEEN '2025-03-01T05:12:00Z' AND '2025-03-01T05:12:59Z'",
            minute,
        ),
        (
            "eventtime >= '2025-03-01T05:12' AND eventtime < '2025-03-01T05:13'",
            minute,
        ),
        ("eventtime LIKE '2025-03-01T05:12:%'", minute),
        (
            "CAST(eventtime AS varchar) LIKE '2025-03-01T05:12%'",
            minute,
        ),
        ("substr(eventtime, 1, 16) = '2025-03-01T05:12'", minute),
        (
            "substring(cast(eventtime AS varchar), 1, 16) = '2025-03-01T05:12'",
            minute,
        ),
        ("eventtime = '2025-03-01T05:12:30Z'", "8"),
        (
            "eventtime IN ('2025-03-01T05:12:30Z', '2025-03-01 05:12:31')",
            "16",
        ),
        (
            "from_iso8601_timestamp(eventtime) BETWEEN timestamp '2025-03-01 05:12:00' \
             AND timestamp '2025-03-01 05:12:59'",
            minute,
        ),
        (
            "date_trunc('minute', from_iso8601_timestamp(eventtime)) = timestamp '2025-03-01 05:12:00'",
            minute,
        ),
        (
            "date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') >= timestamp '2025-03-01 05:12:00' \
             AND date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') < timestamp '2025-03-01 05:13:00'",
            minute,
        ),
        (
            "parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z''') \
             BETWEEN parse_datetime('2025-03-01:05:12', 'yyyy-MM-dd:HH:mm') \
             AND parse_datetime('2025-03-01:05:12:59', 'yyyy-MM-dd:HH:mm:ss')",
            minute,
        ),
        (
            "to_unixtime(from_iso8601_timestamp(eventtime)) >= 1740805920 \
             AND to_unixtime(from_iso8601_timestamp(eventtime)) < 1740805980",
            minute,
        ),
        (
            "eventtime > current_timestamp - interval '9' hour \
             AND eventtime < to_iso8601(current_timestamp - interval '8' hour)",
            "28.79 K",
        ),
    ] {
        let sql = format!("SELECT eventname FROM cloudtrail WHERE {filter}");
        let plan = explain(&engine, &format!("EXPLAIN ANALYZE {sql}")).await;
        assert_eq!(metric(&plan, "output_rows"), n, "{filter}\n{plan}");
        let groups = metric(&plan, "row_groups_pruned_statistics");
        assert!(
            matches!(
                groups.as_str(),
                "3 total → 1 matched" | "3 total → 2 matched"
            ),
            "{filter}\n{plan}"
        );
        let pages = metric(&plan, "page_index_pages_pruned");
        let (total, matched) = pages.split_once(" total → ").unwrap();
        let matched = matched.trim_end_matches(" matched");
        let share = |text: &str| text.parse::<u32>().unwrap();
        assert!(share(matched) < share(total), "{filter}\n{plan}");
    }
}

#[tokio::test]
async fn conditions_on_days_choose_files() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder, &[small()]).await;
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    let plain = Engine::over_batches(vec![small()], EngineOptions::default())
        .await
        .unwrap();
    for filter in [
        "date(from_iso8601_timestamp(eventtime)) = DATE '2025-03-02'",
        "date(eventtime) = DATE '2025-03-02'",
        "CAST(from_iso8601_timestamp(eventtime) AS date) = DATE '2025-03-02'",
        "eventtime LIKE '2025-03-02%'",
        "eventtime >= '2025-03-02' AND eventtime < '2025-03-03'",
        "substr(eventtime, 1, 10) = '2025-03-02'",
        "date_format(from_iso8601_timestamp(eventtime), '%Y-%m-%d') = '2025-03-02'",
        "format_datetime(from_iso8601_timestamp(eventtime), 'yyyy-MM-dd') = '2025-03-02'",
        "date_trunc('day', eventtime) = timestamp '2025-03-02 00:00:00'",
        "year = '2025' AND month = '3' AND day = '2'",
        "year = '2025' AND month = '03' AND day = '02'",
        "day = '2025-03-02'",
        "date = '20250302'",
        "dt = '2025/3/2'",
        "p_date LIKE '2025-03-02%'",
        "date >= date_format(timestamp '2025-03-02 00:00:00', '%Y/%m/%d') AND date < '2025/03/03'",
        "CAST(eventtime AS varchar(10)) = '2025-03-02'",
        "day BETWEEN DATE '2025-03-02' AND DATE '2025-03-02'",
        "date_partition = '2025-03-02'",
        "\"timestamp\" = '2025/03/02'",
        "dt = '2025/03/02'",
        "date_partition >= date_format(date_add('day', -1, current_timestamp), '%Y/%m/%d') \
         AND date_partition < date_format(current_timestamp, '%Y/%m/%d')",
    ] {
        let sql = format!("SELECT eventname FROM cloudtrail WHERE {filter}");
        let plan = explain(&engine, &format!("EXPLAIN {sql}")).await;
        for (day, is_read) in [("01", false), ("02", true), ("03", false)] {
            let is_there = plan.contains(&format!("date=2025-03-{day}/"));
            assert_eq!(is_there, is_read, "{filter}: {day}\n{plan}");
        }
        let sorted = format!("{sql} ORDER BY 1");
        let answer = rows(&engine, &sorted).await;
        assert_eq!(answer, rows(&plain, &sorted).await, "{filter}");
        let wanted = "SELECT eventname FROM events WHERE date = '2025-03-02' ORDER BY 1";
        assert_eq!(answer, rows(&engine, wanted).await, "{filter}");
    }
}
