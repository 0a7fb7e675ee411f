//! Nothing is lost: whatever a record holds, its row gives it back, numbers by their spelling.

pub mod dice;
#[path = "../support/json.rs"]
pub mod json;

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use proptest::prelude::*;
use spoor::ingest::records_to_batch;
use spoor::record::{Records, record_json};
use spoor::schema::{EVENT_COLUMNS, Kind};

use self::dice::Dice;
use self::json::{canonical, members};
use crate::scratch::{Scratch, envelope, gzip};

/// A record must come back as it was, through an array of one.
#[track_caller]
fn check(record: &str) {
    let batch = records_to_batch("test", format!("[{record}]").as_bytes()).unwrap();
    let restored = record_json(&batch, 0).unwrap();
    let expected = canonical(record);
    assert!(expected.is_some(), "{record}");
    assert_eq!(canonical(&restored), expected, "\n{record}\n{restored}");
}

/// A record with these further members.
fn with(rest: &str) -> String {
    format!(r#"{{"eventVersion":"1.08","eventSource":"s","eventName":"n"{rest}}}"#)
}

#[test]
fn odd_members_come_back() {
    for rest in [
        "",
        r#","eventID":"e","eventTime":"2024-01-01T00:00:00Z""#,
        r#","eventTime":"2024-01-01T00:00:00.250+01:00""#,
        r#","eventTime":"yesterday","readOnly":"true","managementEvent":1"#,
        r#","eventTime":1700000000,"eventID":null,"userAgent":["a","b"]"#,
        r#","requestParameters":null,"responseElements":{"a": [1.0, 1e3, 9223372036854775808]}"#,
        r#","userIdentity":{"sessionContext":{"sessionIssuer":{},"attributes":{"mfaAuthenticated":true}}}"#,
        r#","userIdentity":"nobody","tlsDetails":[],"addendum":{}"#,
        r#","userIdentity":{"type":"Root","new":{"deep":[{}]},"sessionContext":null}"#,
        r#","resources":[{"ARN":"a","type":"t"},{"accountId":"1","ARNPrefix":"p"}]"#,
        r#","resources":[{"arn":"lower"},null],"@timestamp":"2024-01-01T00:00:00Z""#,
        r#","resources":[],"sessionCredentialFromConsole":true"#,
        r#","userIdentity":{"sessionContext":{"webIdFederationData":{"attributes":{"a":"b","c":1}}}}"#,
        r#","errorMessage":"quote \" tab \t \u00e9 \ud83d\ude00""#,
        r#","$absent":["eventName"],"$record":1"#,
        r#","eventId":"aggregated","@timestamp":"2024-01-01T00:00:00Z","eventTime":{}"#,
        r#","errorMessage":"half \ud800","userAgent":"nul \u0000","apiVersion":1.50"#,
    ] {
        check(&with(rest));
    }
}

#[test]
fn members_named_twice_come_back_twice() {
    for record in [
        r#"{"eventVersion":"1","eventName":"a","eventSource":"s","eventName":"b"}"#,
        r#"{"eventVersion":"1","userIdentity":{"type":"A"},"eventSource":"s","userIdentity":{"arn":"b"}}"#,
        r#"{"eventVersion":"1","eventID":"x","new":1,"eventSource":"s","new":{"a":2}}"#,
        r#"{"eventID":"x","tlsDetails":{"tlsVersion":"1"},"tlsDetails":{"cipherSuite":5}}"#,
        r#"{"eventID":"x","tlsDetails":{"new":1},"tlsDetails":{"other":5}}"#,
        r#"{"eventID":"x","userIdentity":{"type":"a","type":"b","new":1,"new":2}}"#,
        r#"{"eventID":"x","requestParameters":{"a":1,"a":2}}"#,
        r#"{"eventID":"x","resources":[{"ARN":"a","ARN":"b"}]}"#,
        r#"{"eventID":"x","userIdentity":{"sessionContext":{"webIdFederationData":{"attributes":{"a":"b","a":"c"}}}}}"#,
    ] {
        check(record);
    }
}

#[test]
fn json_columns_are_the_bytes_of_the_record() {
    let json = EVENT_COLUMNS
        .iter()
        .filter(|column| column.kind == Kind::Json);
    for column in json {
        for raw in [
            "{ \"b\" : 1.0 ,\n\t\"a\":\"\\u00e9\\/\\ud800\" , \"b\":2e+05}",
            "[ 1,  -0 ]",
            "\" text \\u0000\"",
            "1e400",
            "true",
            "{}",
        ] {
            let record = with(&format!(",\n \"{}\" : {raw}  ", column.path[0]));
            let batch = records_to_batch("test", record.as_bytes()).unwrap();
            let values = batch.column_by_name(column.name).unwrap();
            assert_eq!(values.as_string::<i32>().value(0), raw);
            let restored = record_json(&batch, 0).unwrap();
            let restored = members(&restored).unwrap();
            assert!(restored.contains(&(column.path[0].to_owned(), raw)));
        }
    }
}

#[test]
fn text_columns_hold_the_text() {
    let columns = EVENT_COLUMNS
        .iter()
        .filter(|column| column.kind == Kind::Text);
    for column in columns.filter(|column| column.path.len() == 1) {
        for (raw, text) in [
            (r#""""#, Some("")),
            (r#""a\u0000b\ud83d\ude00\/""#, Some("a\u{0}b😀/")),
            ("\" \u{2028}é\\n\"", Some(" \u{2028}é\n")),
            (r#""\ud800""#, None),
            ("1.0", None),
        ] {
            let rest = format!(",\"eventID\":\"e\",\"{}\":{raw}", column.path[0]);
            let record =
                format!("{{\"eventTime\":\"2025-03-01T10:00:00Z\",\"tlsDetails\":{{}}{rest}}}");
            let record = record.replacen(",\"eventID\":\"e\",\"eventID\"", ",\"eventID\"", 1);
            if column.path[0] == "eventID" && text.is_none() {
                continue;
            }
            let batch = records_to_batch("test", record.as_bytes()).unwrap();
            let values = batch
                .column_by_name(column.name)
                .unwrap()
                .as_string::<i32>();
            assert_eq!(
                values.is_valid(0).then(|| values.value(0)),
                text,
                "{record}"
            );
            check(&record);
        }
    }
}

#[test]
fn members_come_in_the_usual_order() {
    let record = r#"{"eventVersion":"1.11","userIdentity":{"type":"Root","arn":"a","accountId":"1","accessKeyId":"k","sessionContext":{"sessionIssuer":{},"webIdFederationData":{},"attributes":{"mfaAuthenticated":"false"}},"invokedBy":"i"},"eventTime":"2025-03-01T10:00:00Z","eventSource":"s","requestParameters":{ "b":1},"responseElements":null,"eventID":"e","readOnly":true,"resources":[{"accountId":"1","type":"t","ARN":"a"}],"new":0}"#;
    let batch = records_to_batch("test", record.as_bytes()).unwrap();
    assert_eq!(record_json(&batch, 0).unwrap(), record);
}

/// JSON text of a seed, small ones for small seeds.
fn any_record() -> impl Strategy<Value = String> {
    any::<u64>().prop_map(|seed| Dice(seed).record(1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_record_comes_back(record in any_record()) {
        check(&record);
    }
}

/// The shapes that a file of records may have.
pub fn files(records: &[String]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("envelope.json", envelope(records).into_bytes()),
        (
            "account.json",
            format!(
                "{{\"account\": {{\"a\":1.0}}, \"Records\" : [ {} ] , \"b\":[]}}\n",
                records.join(" ,\n ")
            )
            .into_bytes(),
        ),
        (
            "array.json",
            format!("\u{feff}[{}]", records.join(",\n")).into_bytes(),
        ),
        ("lines.jsonl", records.join("\n").into_bytes()),
        ("row.json", records.concat().into_bytes()),
        ("one.json", records[0].clone().into_bytes()),
    ]
}

#[tokio::test]
async fn every_shape_of_file_gives_its_records_back() {
    const RECORDS: usize = 60;
    const LINES: usize = 3;
    let scratch = Scratch::new();
    let mut expected = BTreeMap::new();
    let mut id = 0;
    for (n, packed) in [false, true].into_iter().enumerate() {
        let n_files = files(&[String::new()]).len();
        for file in 0..n_files {
            let mut dice = Dice((n * 100 + file) as u64);
            let records: Vec<String> = (0..RECORDS)
                .map(|_| {
                    id += 1;
                    let record = dice.record(id);
                    // A line of JSON Lines holds a record.
                    if file == LINES {
                        record.replace('\n', " ")
                    } else {
                        record
                    }
                })
                .collect();
            let (name, bytes) = files(&records).swap_remove(file);
            let path = if packed {
                scratch.write(format!("in/{name}.gz"), gzip(&bytes))
            } else {
                scratch.write(format!("in/{name}"), &bytes)
            };
            let n_records = if name == "one.json" { 1 } else { RECORDS };
            for (index, record) in records.into_iter().take(n_records).enumerate() {
                expected.insert((path.to_str().unwrap().to_owned(), index), record);
            }
        }
    }
    let summary = scratch.ingest(&["in"]).await;
    assert_eq!(summary.rejected, 0);
    assert_eq!(summary.rows_written, expected.len() as u64);
    let sql = "SELECT source_file, source_index, event_json(), requestparameters FROM cloudtrail";
    for row in scratch.rows(sql).await {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let index = usize::try_from(row["source_index"].as_u64().unwrap()).unwrap();
        let original = expected.remove(&(text("source_file"), index)).unwrap();
        let restored = text("event_json");
        assert_eq!(
            canonical(&restored),
            canonical(&original),
            "\n{original}\n{restored}"
        );
        let mut original_members = members(&original).unwrap().into_iter();
        let parameters = original_members.rfind(|(name, _)| name == "requestParameters");
        if let Some((_, raw)) = parameters.filter(|(_, raw)| *raw != "null") {
            assert_eq!(text("requestparameters"), raw);
        }
    }
    assert!(expected.is_empty());
}

#[test]
fn rows_of_many_records_are_told_apart() {
    let mut dice = Dice(7);
    let records: Vec<String> = (0..200).map(|id| dice.record(id)).collect();
    let batch = records_to_batch("test", envelope(&records).as_bytes()).unwrap();
    let rows = Records::of_batch(&batch).unwrap();
    for (row, record) in records.iter().enumerate() {
        let mut restored = String::new();
        rows.write(row, &mut restored).unwrap();
        assert_eq!(canonical(&restored), canonical(record));
    }
}
