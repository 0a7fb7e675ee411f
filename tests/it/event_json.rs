//! `event_json` in SQL: the record of each event, at no cost where it is not asked for.

use spoor::engine::{Engine, EngineOptions, Params};
use spoor::lake::Lake;

use crate::lossless::json::canonical;
use crate::scratch::{Scratch, envelope, event};

/// Records with something in each kind of place.
fn records() -> Vec<String> {
    let mut records: Vec<String> = (0..4).map(event).collect();
    records.push(
        r#"{"eventVersion":"1.11","eventSource":"s","eventName":"Odd","eventID":"odd","new":{"n":1.0},"userIdentity":{"type":"Root","deep":-0},"responseElements":null,"resources":[{"ARN":"a","accountId":"1","type":"t"}]}"#.to_owned(),
    );
    records
}

async fn lake() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("in/a.json", envelope(&records()));
    scratch.ingest(&["in"]).await;
    scratch
}

#[tokio::test]
async fn every_way_to_ask_gives_the_record() {
    let scratch = lake().await;
    for select in [
        "SELECT event_json() FROM cloudtrail",
        "SELECT eventjson FROM cloudtrail",
        "SELECT eventJson FROM cloudtrail_logs",
        "SELECT c.eventjson FROM activity AS c",
        "SELECT event_json(c) AS record FROM cloudtrail c JOIN activity a USING (eventid)",
        "SELECT event_json() FROM (SELECT * FROM cloudtrail)",
        "WITH some AS (SELECT * FROM activity) SELECT event_json(some) FROM some",
        "SELECT j FROM (SELECT event_json() AS j, eventname FROM cloudtrail)",
        "SELECT max(event_json()) FROM cloudtrail GROUP BY eventid",
        "SELECT DISTINCT event_json() FROM cloudtrail",
        "SELECT event_json() FROM cloudtrail WHERE event_json() LIKE '{%'",
    ] {
        let sql = format!("{select} ORDER BY 1");
        let mut found: Vec<_> = scratch.column(&sql).await;
        let mut expected = records();
        found.sort_by_key(|record| canonical(record));
        expected.sort_by_key(|record| canonical(record));
        let canonical = |records: &[String]| -> Vec<_> {
            records
                .iter()
                .map(|record| canonical(record).unwrap())
                .collect()
        };
        assert_eq!(canonical(&found), canonical(&expected), "{sql}");
    }
}

#[tokio::test]
async fn where_an_outer_join_finds_nothing_there_is_no_record() {
    let scratch = lake().await;
    let sql = "SELECT event_json(c) FROM (VALUES ('odd'), ('none')) AS wanted (id) \
               LEFT JOIN cloudtrail AS c ON c.eventid = wanted.id ORDER BY wanted.id";
    let found = scratch.column(sql).await;
    assert_eq!(found[0], "null");
    assert_eq!(canonical(&found[1]), canonical(&records()[4]));
}

#[tokio::test]
async fn the_hunt_in_the_text_finds_members_without_a_column() {
    let scratch = lake().await;
    let sql = "SELECT eventname FROM cloudtrail WHERE eventjson LIKE '%\"n\":1.0%'";
    assert_eq!(scratch.column(sql).await, ["Odd"]);
    let sql = "SELECT json_get_int(event_json(), 'requestParameters', 'n') FROM cloudtrail \
               WHERE eventname <> 'Odd' ORDER BY 1";
    assert_eq!(scratch.column(sql).await, ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn who_does_not_ask_does_not_pay() {
    let scratch = lake().await;
    let lake = Lake::open(&scratch.lake()).unwrap();
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    let explain = async |sql: &str| {
        let sql = format!("EXPLAIN {sql}");
        let rows = engine.query(&sql, &Params::new()).await.unwrap();
        let batches = rows.collect().await.unwrap();
        arrow::util::pretty::pretty_format_batches(&batches)
            .unwrap()
            .to_string()
    };
    for sql in [
        "SELECT * FROM cloudtrail",
        "SELECT * FROM activity",
        "SELECT count(*) FROM (SELECT *, event_json() FROM cloudtrail)",
        "SELECT eventname FROM (SELECT eventname, event_json() AS j FROM activity)",
    ] {
        let plan = explain(sql).await;
        let (_, physical) = plan.split_once("physical_plan").unwrap();
        assert!(!physical.contains("event_json"), "{plan}");
    }
    // A filter beside it is as good as without it.
    let plan = explain(
        "SELECT event_json() FROM activity \
         WHERE eventname = 'Odd' AND useridentity.type = 'Root'",
    )
    .await;
    for part in ["pruning_predicate=", "eventname@", "useridentity_type@"] {
        assert!(plan.contains(part), "{plan}");
    }
    assert!(!plan.contains("FilterExec"), "{plan}");
}

#[tokio::test]
async fn what_is_no_event_has_no_record() {
    let scratch = lake().await;
    let lake = Lake::open(&scratch.lake()).unwrap();
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    for (sql, expected) in [
        (
            "SELECT event_json() FROM sources",
            "line 1, column 8: there is no column `eventversion`",
        ),
        (
            "SELECT eventjson FROM rejects",
            "line 1, column 8: there is no column `eventjson`",
        ),
        (
            "SELECT event_json(1, 2) FROM cloudtrail",
            "line 1, column 8: `event_json` takes nothing, or the name of one table",
        ),
        (
            "SELECT event_json() FROM cloudtrail a, cloudtrail b",
            "line 1, column 8: the record of which table?",
        ),
    ] {
        let error = match engine.query(sql, &Params::new()).await {
            Ok(_) => panic!("{sql}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(error, expected, "{sql}");
    }
}

/// An addendum with the id `id`.
fn addendum(id: &str, addendum: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.11","eventTime":"2025-03-02T10:00:00Z","eventSource":"s","eventName":"Late","eventID":"{id}","recipientAccountId":"111122223333","addendum":{addendum}}}"#
    )
}

#[tokio::test]
async fn an_addendum_is_paired_with_what_it_amends() {
    let scratch = Scratch::new();
    let with_request = event(9).replace("\"eventID\"", "\"requestID\":\"req-9\",\"eventID\"");
    let other_account = with_request
        .replace("000000000009", "000000000010")
        .replace(
            "\"recipientAccountId\":\"111122223333\"",
            "\"recipientAccountId\":\"444455556666\"",
        );
    let updated = r#"{"reason":"UPDATED_DATA","updatedFields":"eventCategory","#;
    let records = [
        event(1),
        with_request,
        other_account,
        addendum(
            "a1",
            &format!("{updated}\"originalEventID\":\"00000000-0000-4000-8000-000000000001\"}}"),
        ),
        addendum("a2", &format!("{updated}\"originalRequestID\":\"req-9\"}}")),
        addendum(
            "a3",
            &format!("{updated}\"originalEventID\":\"gone\",\"originalRequestID\":\"gone\"}}"),
        ),
        addendum("a4", r#"{"reason":"DELIVERY_DELAY"}"#),
        // One that amends another, and one that names itself.
        addendum("a5", &format!("{updated}\"originalEventID\":\"a1\"}}")),
        addendum("a6", &format!("{updated}\"originalEventID\":\"a6\"}}")),
    ];
    scratch.write("in/a.json", envelope(&records));
    scratch.ingest(&["in"]).await;
    let sql = "SELECT concat_ws(' ', eventid, reason, updatedfields, original_eventname, \
               right(original_eventid, 2), original_source_index) FROM addenda ORDER BY eventid";
    assert_eq!(
        scratch.column(sql).await,
        [
            "a1 UPDATED_DATA eventCategory GetCallerIdentity 01 0",
            "a2 UPDATED_DATA eventCategory GetCallerIdentity 09 1",
            "a3 UPDATED_DATA eventCategory",
            "a4 DELIVERY_DELAY",
            "a5 UPDATED_DATA eventCategory Late a1 3",
            "a6 UPDATED_DATA eventCategory",
        ]
    );
}
