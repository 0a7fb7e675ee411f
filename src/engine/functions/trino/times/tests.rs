//! The functions as statements use them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::util::pretty::pretty_format_batches;

use crate::engine::{Engine, EngineOptions, Now, Params};

/// A table `events` with five rows; the last one has no time.
const TIMES: [&str; 4] = [
    "2023-07-06T13:51:00Z",
    "2023-07-05T23:59:59.999999Z",
    "2024-02-29T00:00:00Z",
    "1969-12-31T23:59:59.5Z",
];

async fn engine() -> Engine {
    // 2023-07-08T00:00:00Z.
    let options = EngineOptions {
        now: Now::At(1_688_774_400_000_000),
        ..EngineOptions::default()
    };
    let engine = Engine::over_batches(Vec::new(), options).await.unwrap();
    let times = TIMES
        .iter()
        .map(|text| Some(super::text::text_range(text).unwrap().0));
    let times: TimestampMicrosecondArray = times.chain([None]).collect();
    let zones = ["UTC", "America/New_York", "Europe/Berlin", "+05:30", "UTC"];
    let columns: [(&str, ArrayRef); 3] = [
        ("n", Arc::new(Int64Array::from_iter_values(1..=5))),
        ("eventtime", Arc::new(times.with_timezone("UTC"))),
        ("zone", Arc::new(StringArray::from(zones.to_vec()))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    );
    let batch = batch.unwrap();
    engine
        .register_batches("events", batch.schema(), vec![batch])
        .unwrap();
    engine
}

/// The cells of an answer, or the error.
async fn answer(engine: &Engine, sql: &str) -> String {
    let rows = match engine.query(sql, &Params::new()).await {
        Ok(rows) => rows.collect().await,
        Err(error) => return format!("{error:?}"),
    };
    let batches = match rows {
        Ok(batches) => batches,
        Err(error) => return format!("{error:?}"),
    };
    let table = pretty_format_batches(&batches).unwrap().to_string();
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(1);
    let cells = lines.map(|line| {
        let cells = line.trim_matches('|').split('|').map(str::trim);
        cells.collect::<Vec<_>>().join(",")
    });
    cells.collect::<Vec<_>>().join(" ")
}

/// What expressions give that need no table; `!` before a part of an error.
async fn check(cases: &[(&str, &str)]) {
    let engine = engine().await;
    let mut wrong = Vec::new();
    for (sql, expected) in cases {
        let answer = answer(&engine, &format!("SELECT {sql}")).await;
        let right = match expected.strip_prefix('!') {
            Some(part) => answer.contains(part),
            None => &answer == expected,
        };
        if !right {
            wrong.push(format!("{sql}\n  gives {answer}\n  not   {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn iso_texts() {
    check(&[
        ("from_iso8601_timestamp('2020-05-11')", "2020-05-11T00:00:00Z"),
        ("from_iso8601_timestamp('2020-05-11T11:15:05.055+01:00')", "2020-05-11T10:15:05.055Z"),
        ("from_iso8601_timestamp('2020-W10')", "2020-03-02T00:00:00Z"),
        ("from_iso8601_timestamp(NULL)", ""),
        ("from_iso8601_timestamp('x')", "!`from_iso8601_timestamp` cannot read `x`"),
        ("from_iso8601_timestamp(7)", "!`from_iso8601_timestamp` takes a date or a time here, not Int64"),
        ("from_iso8601_timestamp(DATE '2020-05-11')", "2020-05-11T00:00:00Z"),
        ("from_iso8601_timestamp_nanos('2020-05-11T11:15:05.123456789Z')", "2020-05-11T11:15:05.123456789Z"),
        ("from_iso8601_date('2020-123')", "2020-05-02"),
        ("from_iso8601_date('2020-05-11T00:00:00Z')", "!`from_iso8601_date` cannot read"),
        ("from_iso8601_date(NULL)", ""),
        ("to_iso8601(DATE '2020-05-11')", "2020-05-11"),
        ("to_iso8601(TIMESTAMP '2020-05-11 11:15:05')", "2020-05-11T11:15:05.000"),
        ("to_iso8601(from_iso8601_timestamp('2020-05-11T11:15:05.5Z'))", "2020-05-11T11:15:05.500Z"),
        ("to_iso8601(at_timezone(from_iso8601_timestamp('2020-05-11T11:15:05Z'), 'Asia/Kolkata'))", "2020-05-11T16:45:05.000+05:30"),
        ("to_iso8601(NULL)", ""),
        ("from_iso8601_timestamp(eventtime) FROM events ORDER BY n", "2023-07-06T13:51:00Z 2023-07-05T23:59:59.999999Z 2024-02-29T00:00:00Z 1969-12-31T23:59:59.500Z "),
        ("from_iso8601_date(eventtime) FROM events ORDER BY n", "2023-07-06 2023-07-05 2024-02-29 1969-12-31 "),
        ("to_iso8601(eventtime) FROM events ORDER BY n LIMIT 2", "2023-07-06T13:51:00.000Z 2023-07-05T23:59:59.999999Z"),
        ("time_text(eventtime) FROM events ORDER BY n", "2023-07-06T13:51:00Z 2023-07-05T23:59:59.999999Z 2024-02-29T00:00:00Z 1969-12-31T23:59:59.500Z "),
    ])
    .await;
}

#[tokio::test]
async fn patterns() {
    check(&[
        ("date_parse('2023-07-06T13:51:00Z', '%Y-%m-%dT%H:%i:%sZ')", "2023-07-06T13:51:00"),
        ("date_parse('x', '%Y')", "!`date_parse` cannot read `x` with the format `%Y`"),
        ("date_parse('x', '%D')", "!`date_parse` cannot use the format `%D`: `%D` is not supported"),
        ("date_parse(NULL, '%Y')", ""),
        ("date_parse('2023', NULL)", ""),
        ("date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') FROM events WHERE n IN (1, 3, 5) ORDER BY n", "2023-07-06T13:51:00 2024-02-29T00:00:00 "),
        ("date_parse(eventtime, '%Y-%m-%dT%H:%i:%s.%fZ') FROM events WHERE n = 2", "2023-07-05T23:59:59.999"),
        ("date_parse(substr(time_text(eventtime), 1, 10), '%Y-%m-%d') FROM events WHERE n = 4", "1969-12-31T00:00:00"),
        ("date_format(eventtime, '%Y-%m-%d %H:%i:%s') FROM events ORDER BY n", "2023-07-06 13:51:00 2023-07-05 23:59:59 2024-02-29 00:00:00 1969-12-31 23:59:59 "),
        ("date_format(at_timezone(eventtime, 'America/New_York'), '%Y-%m-%d %H') FROM events WHERE n = 3", "2024-02-28 19"),
        ("date_format(DATE '2023-07-06', '%d.%m.%Y %H')", "06.07.2023 00"),
        ("parse_datetime('2023-07-06T13:51:00Z', 'yyyy-MM-dd''T''HH:mm:ss''Z''')", "2023-07-06T13:51:00Z"),
        ("parse_datetime('2023-07-06 13:51 +02:00', 'yyyy-MM-dd HH:mm Z')", "2023-07-06T11:51:00Z"),
        ("parse_datetime('2023-07-06 America/New_York', 'yyyy-MM-dd ZZZ')", "2023-07-06T04:00:00Z"),
        ("parse_datetime('2023', 'f')", "!`f` stands for nothing"),
        ("parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z''') FROM events WHERE n IN (1, 5) ORDER BY n", "2023-07-06T13:51:00Z "),
        ("format_datetime(eventtime, 'yyyy-MM-dd HH:mm:ss ZZ') FROM events WHERE n = 1", "2023-07-06 13:51:00 +00:00"),
        ("format_datetime(TIMESTAMP '2023-07-06 13:51:00', 'yyyy Z')", "!for a time that has none"),
        ("to_char(eventtime, 'yyyy-mm-dd hh24:mi:ss') FROM events WHERE n = 1", "2023-07-06 13:51:00"),
        ("to_date('2023/07/06', 'yyyy/mm/dd')", "2023-07-06"),
        ("to_date('2023-07-06')", "2023-07-06"),
        ("to_timestamp('2023/07/06 13', 'yyyy/mm/dd hh24')", "2023-07-06T13:00:00"),
        ("to_timestamp('2023-07-06 13:51:00')", "2023-07-06T13:51:00"),
        ("to_timestamp(1688651460)", "2023-07-06T13:51:00"),
    ])
    .await;
}

#[tokio::test]
async fn cuts_and_arithmetic() {
    check(&[
        ("date('2023-07-06')", "2023-07-06"),
        ("date(NULL)", ""),
        ("date(eventtime) FROM events ORDER BY n", "2023-07-06 2023-07-05 2024-02-29 1969-12-31 "),
        ("date(at_timezone(eventtime, 'America/New_York')) FROM events WHERE n = 3", "2024-02-28"),
        ("date('gestern')", "!`date` cannot read `gestern` as a time"),
        ("last_day_of_month(eventtime) FROM events ORDER BY n", "2023-07-31 2023-07-31 2024-02-29 1969-12-31 "),
        ("date_trunc('hour', eventtime) FROM events ORDER BY n", "2023-07-06T13:00:00Z 2023-07-05T23:00:00Z 2024-02-29T00:00:00Z 1969-12-31T23:00:00Z "),
        ("date_trunc('week', DATE '2001-08-22')", "2001-08-20"),
        ("date_trunc('hour', DATE '2001-08-22')", "!`date_trunc` cannot use the unit `hour` for a date"),
        ("date_trunc('eon', eventtime) FROM events", "!`date_trunc` does not know the unit `eon`"),
        ("date_trunc('day', '2023-07-06T13:51:00Z')", "2023-07-06T00:00:00Z"),
        ("date_trunc(NULL, eventtime) FROM events WHERE n = 1", ""),
        ("date_trunc('day', at_timezone(from_iso8601_timestamp('2023-03-26T12:00:00Z'), 'Europe/Berlin'))", "2023-03-26T00:00:00+01:00"),
        // The second 02:30 of that night.
        ("date_trunc('hour', at_timezone(from_iso8601_timestamp('2023-10-29T01:30:00Z'), 'Europe/Berlin'))", "2023-10-29T02:00:00+01:00"),
        ("date_add('day', -1, eventtime) FROM events ORDER BY n", "2023-07-05T13:51:00Z 2023-07-04T23:59:59.999999Z 2024-02-28T00:00:00Z 1969-12-30T23:59:59.500Z "),
        ("date_add('month', 1, DATE '2024-01-31')", "2024-02-29"),
        ("date_add('day', 1, at_timezone(from_iso8601_timestamp('2023-03-25T12:00:00Z'), 'Europe/Berlin'))", "2023-03-26T13:00:00+02:00"),
        ("date_add('hour', 24, at_timezone(from_iso8601_timestamp('2023-03-25T12:00:00Z'), 'Europe/Berlin'))", "2023-03-26T14:00:00+02:00"),
        ("date_add('hour', 1, DATE '2024-01-31')", "!`date_add` cannot use the unit `hour` for a date"),
        ("date_add('year', 9223372036854775807, eventtime) FROM events", "!beyond the years"),
        ("date_add('day', NULL, eventtime) FROM events WHERE n = 1", ""),
        ("date_add('hour', 2, TIME '23:00:00')", "01:00:00"),
        ("date_diff('day', eventtime, TIMESTAMP '2024-03-01 00:00:00') FROM events ORDER BY n", "238 239 1 19783 "),
        ("date_diff('second', TIMESTAMP '2020-03-02 00:00:00', TIMESTAMP '2020-03-01 00:00:00')", "-86400"),
        ("date_diff('month', DATE '2024-01-31', DATE '2024-02-29')", "1"),
        ("date_diff('hour', DATE '2024-01-31', DATE '2024-02-29')", "!cannot use the unit `hour` for a date"),
        ("date_diff('hour', DATE '2024-01-31', TIMESTAMP '2024-02-01 01:00:00')", "25"),
        ("date_diff('day', at_timezone(from_iso8601_timestamp('2023-03-25T12:00:00Z'), 'Europe/Berlin'), from_iso8601_timestamp('2023-03-26T11:00:00Z'))", "1"),
        ("date_diff('day', '2023-07-06T13:51:00Z', '2023-07-08')", "1"),
        ("date_diff('day', NULL, eventtime) FROM events WHERE n = 1", ""),
        ("date_diff('day', eventtime) FROM events", "!`date_diff` takes 3 arguments, not 2"),
    ])
    .await;
}

#[tokio::test]
async fn parts_and_spans() {
    check(&[
        ("year(eventtime), month(eventtime), day(eventtime), hour(eventtime), minute(eventtime), second(eventtime), millisecond(eventtime) FROM events ORDER BY n",
         "2023,7,6,13,51,0,0 2023,7,5,23,59,59,999 2024,2,29,0,0,0,0 1969,12,31,23,59,59,500 ,,,,,,"),
        ("quarter(eventtime), week(eventtime), week_of_year(eventtime), day_of_month(eventtime), dow(eventtime), day_of_week(eventtime), doy(eventtime), day_of_year(eventtime), yow(eventtime), year_of_week(eventtime) FROM events WHERE n IN (1, 4) ORDER BY n",
         "3,27,27,6,4,4,187,187,2023,2023 4,1,1,31,3,3,365,365,1970,1970"),
        ("hour(at_timezone(eventtime, 'America/New_York')) FROM events ORDER BY n", "9 19 19 18 "),
        ("hour(at_timezone(eventtime, zone)) FROM events WHERE n = 2", "23"),
        ("year('2023-07-06T13:51:00Z'), year(DATE '2023-07-06'), hour(TIME '13:51:00')", "2023,2023,13"),
        ("day(INTERVAL '50' HOUR), hour(INTERVAL '50' HOUR), year(INTERVAL '14' MONTH), month(INTERVAL '14' MONTH)", "2,2,1,2"),
        ("hour(eventtime - TIMESTAMP '2023-07-06 10:00:00') FROM events WHERE n = 1", "3"),
        ("quarter(INTERVAL '14' MONTH)", "!`quarter` takes a date or a time, not an interval"),
        ("year(NULL)", ""),
        ("year(5)", "!`year` takes a date or a time here, not Int64"),
        ("to_milliseconds(INTERVAL '1' MINUTE), to_milliseconds(parse_duration('42.8ms'))", "60000,43"),
        ("parse_duration('5')", "!`parse_duration` cannot read `5`"),
        ("human_readable_seconds(3762), human_readable_seconds(0.5), human_readable_seconds(NULL)", "1 hour, 2 minutes, 42 seconds,0 seconds,"),
        ("n FROM events WHERE eventtime - TIMESTAMP '2023-07-06 13:00:00' > parse_duration('50m') ORDER BY n", "1 3"),
    ])
    .await;
}

#[tokio::test]
async fn unix_times_and_zones() {
    check(&[
        ("to_unixtime(eventtime) FROM events ORDER BY n", "1688651460.0 1688601599.999999 1709164800.0 -0.5 "),
        ("from_unixtime(1688651460)", "2023-07-06T13:51:00Z"),
        ("from_unixtime(-0.5)", "1969-12-31T23:59:59.500Z"),
        ("from_unixtime(1688651460, 'America/New_York')", "2023-07-06T09:51:00-04:00"),
        ("from_unixtime(1688651460, -3, 30)", "2023-07-06T10:21:00-03:30"),
        ("from_unixtime(1688651460, 'Mars')", "!`from_unixtime` does not know the time zone `Mars`"),
        ("from_unixtime(0, 20, 0)", "!`from_unixtime` knows no zone at `20` hours"),
        ("from_unixtime(NULL)", ""),
        ("from_unixtime(1e300)", "!`from_unixtime` cannot go to"),
        ("from_unixtime(n) FROM events WHERE n < 3 ORDER BY n", "1970-01-01T00:00:01Z 1970-01-01T00:00:02Z"),
        ("from_unixtime_nanos(100), from_unixtime_nanos(CAST(-1234 AS DECIMAL(10, 0)))", "1970-01-01T00:00:00.000000100Z,1969-12-31T23:59:59.999998766Z"),
        ("at_timezone(eventtime, 'America/New_York') FROM events ORDER BY n", "2023-07-06T09:51:00-04:00 2023-07-05T19:59:59.999999-04:00 2024-02-28T19:00:00-05:00 1969-12-31T18:59:59.500-05:00 "),
        ("at_timezone(eventtime, '+02:00') FROM events WHERE n = 1", "2023-07-06T15:51:00+02:00"),
        ("at_timezone(eventtime, zone) FROM events WHERE n <= 2 ORDER BY n", "2023-07-06T13:51:00Z 2023-07-05T23:59:59.999999Z"),
        ("at_timezone(eventtime, 'Mars/Olympus') FROM events", "!`at_timezone` does not know the time zone `Mars/Olympus`"),
        ("at_timezone(eventtime, NULL) FROM events WHERE n = 1", ""),
        ("at_timezone(TIMESTAMP '2022-11-01 09:08:07', 'America/Los_Angeles')", "2022-11-01T02:08:07-07:00"),
        ("with_timezone(TIMESTAMP '2022-11-01 09:08:07', 'America/Los_Angeles')", "2022-11-01T09:08:07-07:00"),
        ("with_timezone(TIMESTAMP '2023-03-26 02:30:00', 'Europe/Berlin')", "2023-03-26T03:30:00+02:00"),
        ("with_timezone(date_parse('2023-07-06', '%Y-%m-%d'), 'Europe/Berlin')", "2023-07-06T00:00:00+02:00"),
        ("timezone(eventtime), timezone(at_timezone(eventtime, '+02:00')) FROM events WHERE n = 1", "UTC,+02:00"),
        ("timezone_hour(at_timezone(eventtime, 'Asia/Kolkata')), timezone_minute(at_timezone(eventtime, 'Asia/Kolkata')) FROM events WHERE n = 1", "5,30"),
        ("timezone_hour(at_timezone(eventtime, '-03:30')), timezone_minute(at_timezone(eventtime, '-03:30')) FROM events WHERE n = 1", "-3,-30"),
        ("current_timezone()", "UTC"),
    ])
    .await;
}

/// The conditions of a plan's filter, with `t` for `eventtime` and times to be read.
async fn filter(engine: &Engine, condition: &str) -> String {
    let sql = format!("EXPLAIN SELECT n FROM events WHERE {condition}");
    let plan = answer(engine, &sql).await;
    let Some((_, filter)) = plan.split_once("Filter: ") else {
        return plan;
    };
    let end = filter.find(" ,").unwrap_or(filter.len());
    let filter = filter[..end].replace("events.eventtime", "t");
    let mut parts = filter.split("TimestampMicrosecond(");
    let mut readable = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (micros, rest) = part.split_once(", Some(\"UTC\"))").unwrap();
        let time = chrono::DateTime::from_timestamp_micros(micros.parse().unwrap()).unwrap();
        let time = time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        readable.push_str(&format!("{time}{rest}"));
    }
    readable.replace("T00:00:00Z", "")
}

#[tokio::test]
async fn comparisons_become_ranges() {
    const DAY: &str = "t >= 2023-07-06 AND t < 2023-07-07";
    const SINCE: &str = "t >= 2023-07-06";
    const YEAR: &str = "t >= 2023-01-01 AND t < 2024-01-01";
    let engine = engine().await;
    let mut wrong = Vec::new();
    for (condition, expected) in [
        ("date(eventtime) = DATE '2023-07-06'", DAY),
        (
            "date(from_iso8601_timestamp(eventtime)) = DATE '2023-07-06'",
            DAY,
        ),
        ("date(eventtime) = '2023-07-06'", DAY),
        (
            "from_iso8601_timestamp(eventtime) >= TIMESTAMP '2023-07-06 00:00:00'",
            SINCE,
        ),
        (
            "from_iso8601_timestamp(eventtime) >= from_iso8601_timestamp('2023-07-06T00:00:00Z')",
            SINCE,
        ),
        ("from_iso8601_date(eventtime) >= DATE '2023-07-06'", SINCE),
        (
            "date_trunc('day', eventtime) = TIMESTAMP '2023-07-06 00:00:00'",
            DAY,
        ),
        (
            "date_trunc('day', from_iso8601_timestamp(eventtime)) = from_iso8601_timestamp('2023-07-06')",
            DAY,
        ),
        ("date_trunc('hour', eventtime) >= DATE '2023-07-06'", SINCE),
        ("year(eventtime) = 2023", YEAR),
        (
            "year(date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ')) = 2023",
            YEAR,
        ),
        (
            "to_unixtime(eventtime) > 1688651460",
            "t >= 2023-07-06T13:51:00.000001Z",
        ),
        (
            "to_unixtime(from_iso8601_timestamp(eventtime)) BETWEEN 1688601600 AND 1688651460",
            "t >= 2023-07-06 AND t < 2023-07-06T13:51:00.000001Z",
        ),
        (
            "date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') >= TIMESTAMP '2023-07-06 00:00:00'",
            SINCE,
        ),
        (
            "date_parse(eventtime, '%Y-%m-%dT%TZ') > date_parse('2023-07-06', '%Y-%m-%d')",
            "t >= 2023-07-06T00:00:00.001Z",
        ),
        (
            "date(date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ')) = DATE '2023-07-06'",
            DAY,
        ),
        (
            "parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z''') < parse_datetime('2023-07-06', 'yyyy-MM-dd')",
            "t < 2023-07-06",
        ),
        ("date_format(eventtime, '%Y-%m-%d') = '2023-07-06'", DAY),
        ("'2023-07-06' = date_format(eventtime, '%Y-%m-%d')", DAY),
        (
            "date_format(from_iso8601_timestamp(eventtime), '%Y%m%d') IN ('20230706', '20230708')",
            "t >= 2023-07-06 AND t < 2023-07-07 OR t >= 2023-07-08 AND t < 2023-07-09",
        ),
        (
            "format_datetime(eventtime, 'yyyy-MM-dd HH') >= '2023-07-06 00'",
            SINCE,
        ),
        (
            "format_datetime(parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z'''), 'yyyy-MM') <> '2023-07'",
            "t < 2023-07-01 OR t >= 2023-08-01",
        ),
        (
            "from_iso8601_timestamp(eventtime) > date_add('day', -7, from_iso8601_timestamp('2023-07-08'))",
            "t > 2023-07-01",
        ),
        (
            "date_add('day', 7, eventtime) >= TIMESTAMP '2023-07-13 00:00:00'",
            SINCE,
        ),
        (
            "date_diff('day', TIMESTAMP '2023-07-01 00:00:00', eventtime) >= 5",
            SINCE,
        ),
        (
            "time_text(eventtime) = '2023-07-06T13:51:00Z'",
            "t >= 2023-07-06T13:51:00Z AND t < 2023-07-06T13:51:00.000001Z",
        ),
        (
            "time_text(eventtime) >= '2023-07-06' AND time_text(eventtime) <= '2023-07-07'",
            DAY,
        ),
        // No range: clocks are changed, the order is another, the text begins no time.
        (
            "hour(at_timezone(eventtime, 'Europe/Berlin')) = 3",
            "hour(CAST(t AS Timestamp(µs, \"Europe/Berlin\"))) = Int64(3)",
        ),
        (
            "date_format(eventtime, '%d.%m.%Y') = '06.07.2023'",
            "date_format(t, Utf8View(\"%d.%m.%Y\")) = Utf8View(\"06.07.2023\")",
        ),
        (
            "time_text(eventtime) > '2023-7-6'",
            "time_text(t) > Utf8View(\"2023-7-6\")",
        ),
    ] {
        let filter = filter(&engine, condition).await;
        if filter != expected {
            wrong.push(format!("{condition}\n  gives {filter}\n  not   {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A constant is compared by ranges, a column of the same value row by row.
#[tokio::test]
async fn ranges_and_rows_agree() {
    const OPERATORS: [&str; 8] = [
        "=",
        "<>",
        "<",
        "<=",
        ">",
        ">=",
        "IS DISTINCT FROM",
        "IS NOT DISTINCT FROM",
    ];
    let engine = engine().await;
    for (call, constant) in [
        ("date(eventtime)", "DATE '2023-07-06'"),
        ("date(eventtime)", "DATE '1969-12-31'"),
        (
            "date_trunc('month', eventtime)",
            "TIMESTAMP '2023-07-01 00:00:00'",
        ),
        (
            "date_trunc('month', eventtime)",
            "TIMESTAMP '2023-07-06 13:51:00'",
        ),
        (
            "date_trunc('second', eventtime)",
            "from_iso8601_timestamp('2023-07-05T23:59:59Z')",
        ),
        ("year(eventtime)", "2023"),
        ("to_unixtime(eventtime)", "1688601599.999999"),
        ("to_unixtime(eventtime)", "-0.5"),
        ("to_unixtime(eventtime)", "1688651460"),
        ("date_format(eventtime, '%Y-%m-%d')", "'2023-07-06'"),
        ("date_format(eventtime, '%Y-%m-%d')", "'2023-07'"),
        (
            "date_format(eventtime, '%Y-%m-%d %H:%i:%s.%f')",
            "'2023-07-05 23:59:59.999000'",
        ),
        ("format_datetime(eventtime, 'yyyy-MM-dd')", "'2024-02-29x'"),
        (
            "date_add('month', 1, eventtime)",
            "TIMESTAMP '2024-03-29 00:00:00'",
        ),
        ("date_diff('month', DATE '2023-06-30', eventtime)", "0"),
        (
            "date_diff('hour', from_iso8601_timestamp('2023-07-06T13:00:00Z'), eventtime)",
            "0",
        ),
        (
            "from_iso8601_timestamp(eventtime)",
            "from_iso8601_timestamp('2023-07-06T13:51:00Z')",
        ),
        ("time_text(eventtime)", "'2023-07-06'"),
        ("time_text(eventtime)", "'2023-07-06T13:51:00Z'"),
        ("time_text(eventtime)", "'2023-7-6'"),
    ] {
        let one = format!("SELECT {constant} AS value");
        engine.materialize("constants", &one).await.unwrap();
        for operator in OPERATORS {
            let rows = |from: &str, value: &str| {
                format!("SELECT n FROM {from} WHERE {call} {operator} {value} ORDER BY n")
            };
            let by_range = answer(&engine, &rows("events", constant)).await;
            let by_row = answer(&engine, &rows("events CROSS JOIN constants", "value")).await;
            assert_eq!(by_range, by_row, "{call} {operator} {constant}");
        }
    }
}

/// What playbooks write.
#[tokio::test]
async fn statements_as_people_write_them() {
    let engine = engine().await;
    for (condition, expected) in [
        ("eventtime > current_timestamp - INTERVAL '7' DAY", "1 2 3"),
        (
            "from_iso8601_timestamp(eventtime) > date_add('day', -7, now())",
            "1 2 3",
        ),
        (
            "date_diff('day', from_iso8601_timestamp(eventtime), current_timestamp) < 3",
            "1 2 3",
        ),
        (
            "date_diff('day', eventtime, current_timestamp) BETWEEN 0 AND 2",
            "1 2",
        ),
        (
            "eventtime BETWEEN to_iso8601(current_timestamp - INTERVAL '2' DAY) AND to_iso8601(now())",
            "1",
        ),
        (
            "eventtime >= date_format(date_add('day', -2, current_timestamp), '%Y-%m-%dT%H:%i:%sZ')",
            "1 3",
        ),
        (
            "cast(from_iso8601_timestamp(eventtime) AS date) = DATE '2023-07-06'",
            "1",
        ),
        (
            "date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') > current_timestamp - INTERVAL '2' DAY",
            "1 3",
        ),
        (
            "from_iso8601_timestamp(eventtime) AT TIME ZONE 'America/New_York' > TIMESTAMP '2023-07-06 13:50:00'",
            "1 3",
        ),
        (
            "at_timezone(eventtime, 'America/New_York') > with_timezone(TIMESTAMP '2023-07-06 15:50:00', 'Europe/Berlin')",
            "1 3",
        ),
        (
            "at_timezone(eventtime, 'America/New_York') > date_add('day', 0 * n, TIMESTAMP '2023-07-06 13:50:00')",
            "1 3",
        ),
        (
            "extract(hour FROM from_iso8601_timestamp(eventtime)) = 13",
            "1",
        ),
        (
            "date(eventtime) BETWEEN current_date - INTERVAL '3' DAY AND current_date",
            "1 2",
        ),
        ("from_unixtime(to_unixtime(eventtime)) = eventtime", "1 3 4"),
        (
            "year(from_iso8601_timestamp(eventtime)) = 2023 AND month(eventtime) = 7",
            "1 2",
        ),
        ("eventtime > localtimestamp - INTERVAL '2' DAY", "1 3"),
        ("eventtime LIKE '2023-07-06%'", "1"),
    ] {
        let sql = format!("SELECT n FROM events WHERE {condition} ORDER BY n");
        assert_eq!(answer(&engine, &sql).await, expected, "{condition}");
    }
}
