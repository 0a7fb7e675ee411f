//! Records inside other things, from the file to the lake.

use crate::scratch::{Scratch, envelope, event, gzip};

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A message of a queue, with a notice in it, with an event of the bus in that.
fn message(record: &str) -> String {
    let event = format!(r#"{{"source":"aws.iam","detail-type":"x","detail":{record}}}"#);
    let notice = format!(r#"{{"Type":"Notification","Message":{}}}"#, quote(&event));
    format!(
        r#"{{"messageId":"m","eventSource":"aws:sqs","body":{}}}"#,
        quote(&notice)
    )
}

#[tokio::test]
async fn records_inside_other_things_are_rows_like_any() {
    let scratch = Scratch::new();
    let delivery = format!(
        r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"message":{}}},{{"message":"START"}},{{"message":{}}}]}}"#,
        quote(&event(1)),
        quote(&event(2))
    );
    // Streams deliver envelopes after one another.
    scratch.write("in/stream.json.gz", gzip([delivery.as_str(); 2].concat()));
    let messages = [message(&event(3)), message(&event(4)), message("{}")];
    scratch.write("in/queue.json", envelope(&messages));
    scratch.write("in/trail.json", envelope(&[event(2), event(3), event(5)]));
    let summary = scratch.ingest(&["in"]).await;
    let totals = (summary.records_read, summary.rows_written);
    assert_eq!(totals, (12, 5));
    assert_eq!((summary.duplicates, summary.rejected), (4, 3));
    assert_eq!(summary.conflicting, 0);
    let rejects = scratch
        .column("SELECT reason || ' ' || record_index || ': ' || detail FROM rejects ORDER BY 1")
        .await;
    assert_eq!(
        rejects,
        [
            "not-cloudtrail 1: a log message that carries text that is no JSON",
            "not-cloudtrail 2: an SQS message that carries an SNS message that carries \
             an EventBridge event of `aws.iam`: x",
            "not-cloudtrail 4: a log message that carries text that is no JSON",
        ]
    );
    let again = scratch.ingest(&["in"]).await;
    assert_eq!(again.records_read, 0);
}

#[tokio::test]
async fn strings_of_records_are_read() {
    let scratch = Scratch::new();
    let strings: Vec<String> = (1..4).map(|id| quote(&event(id))).collect();
    scratch.write("in/array.json", format!("[{},\"x\"]", strings.join(",\n")));
    scratch.write("in/lines.json", strings.join("\n"));
    let summary = scratch.ingest(&["in"]).await;
    let totals = (summary.records_read, summary.rows_written);
    assert_eq!(totals, (7, 3));
    assert_eq!((summary.duplicates, summary.rejected), (3, 1));
}
