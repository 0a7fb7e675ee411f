use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;

/// A record with some spelling that only its own text keeps.
fn record(id: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08", "eventSource":"s3.amazonaws.com","eventName":"Get\u00e9\/\"x\"","requestParameters":{{"n":1.50}},"eventID":"{id}"}}"#
    )
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// A record's text, or the reason and detail of what is none.
type Item = Result<String, (String, String)>;

/// What an object is, and what it gave.
fn opened(json: &str) -> (Unwrapped, Vec<Item>) {
    let mut items = Vec::new();
    let what = unwrap(json, &mut |inner| {
        items.push(match inner {
            Inner::Record(text) => Ok(text.to_owned()),
            Inner::Broken { reason, detail, .. } => Err((reason.to_owned(), detail)),
        });
    });
    (what, items)
}

/// The object must be a wrapper of this shape with these items: `a` for the record with the id `a`,
/// untouched, `!reason` for what is none.
fn check(json: &str, name: &str, expected: &[&str]) {
    let (what, items) = opened(json);
    assert_eq!(what, Unwrapped::Wrapper(match_name(name)), "{json}");
    let expected: Vec<_> = expected.iter().map(|item| (*item).to_owned()).collect();
    let found: Vec<String> = items
        .iter()
        .map(|item| match item {
            Ok(text) => {
                let value: serde_json::Value = serde_json::from_str(text).unwrap();
                let id = value["eventID"].as_str().unwrap().to_owned();
                assert_eq!(*text, record(&id), "{json}");
                id
            }
            Err((reason, _)) => format!("!{reason}"),
        })
        .collect();
    assert_eq!(found, expected, "{json}: {items:?}");
}

fn match_name(name: &str) -> &'static str {
    let names = SHAPES.iter().map(|shape| shape.name);
    let mut names = names.chain(["wrapped", "record", "values"]);
    names.find(|known| *known == name).unwrap()
}

#[test]
fn every_shape_gives_its_records() {
    let a = record("a");
    let b = record("b");
    let (qa, qb) = (quote(&a), quote(&b));
    let packed = base64(a.as_bytes());
    let envelope = format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[{{"id":"1","timestamp":1,"message":{qa}}},{{"id":"2","timestamp":2,"message":{qb}}}]}}"#
    );
    let zipped = base64(&gzip(&envelope));
    let cases: &[(&str, &[&str], String)] = &[
        (
            "lookup-events",
            &["a"],
            format!(r#"{{"EventId":"a","EventTime":1.5,"Resources":[],"CloudTrailEvent":{qa}}}"#),
        ),
        (
            "lookup-events",
            &["a", "b"],
            format!(
                r#"{{"Events":[{{"CloudTrailEvent":{qa}}},{{"CloudTrailEvent":{qb}}}],"NextToken":"t"}}"#
            ),
        ),
        (
            "lookup-events",
            &[],
            r#"{"Events": [ ], "NextToken": null}"#.to_owned(),
        ),
        (
            "eventbridge",
            &["a"],
            format!(
                r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","resources":[],"detail":{a}}}"#
            ),
        ),
        ("cloudwatch-logs", &["a", "b"], envelope.clone()),
        (
            "cloudwatch-logs",
            &["a", "b"],
            format!(r#"{{"awslogs":{{"data":"{zipped}"}}}}"#),
        ),
        (
            "kinesis",
            &["a"],
            format!(
                r#"{{"kinesis":{{"partitionKey":"k","data":"{packed}"}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shard:1","eventName":"aws:kinesis:record","awsRegion":"r"}}"#
            ),
        ),
        (
            "kinesis",
            &["a", "b"],
            format!(r#"{{"kinesis":{{"data":"{zipped}"}},"eventSource":"aws:kinesis"}}"#),
        ),
        (
            "records",
            &["a"],
            format!(
                r#"{{"Records":[{{"SequenceNumber":"1","Data":"{packed}","PartitionKey":"p"}}],"MillisBehindLatest":0}}"#
            ),
        ),
        (
            "firehose",
            &["a", "a"],
            format!(
                r#"{{"invocationId":"i","deliveryStreamArn":"d","records":[{{"recordId":"1","data":"{packed}"}},{{"recordId":"2","data":"{packed}"}}]}}"#
            ),
        ),
        (
            "log-events",
            &["a", "!not-cloudtrail"],
            format!(
                r#"{{"events":[{{"timestamp":1,"message":{qa},"eventId":"9"}},{{"message":"START RequestId: 1"}}],"searchedLogStreams":[]}}"#
            ),
        ),
        (
            "log-events",
            &[],
            r#"{"events":[],"nextForwardToken":"f","nextBackwardToken":"b"}"#.to_owned(),
        ),
        (
            "logs-insights",
            &["a"],
            format!(r#"{{"@timestamp":"2024-01-01 00:00:00.000","@message":{qa}}}"#),
        ),
        (
            "logs-insights",
            &["a"],
            format!(r#"{{"@timestamp":"t","@message":{a}}}"#),
        ),
        (
            "logs-insights",
            &["a", "!not-cloudtrail", "b"],
            format!(
                r#"{{"results":[[{{"field":"@timestamp","value":"t"}},{{"field":"@message","value":{qa}}}],[{{"field":"@ptr","value":"p"}}],[{{"field":"@message","value":{qb}}}]],"status":"Complete"}}"#
            ),
        ),
        (
            "sns",
            &["a"],
            format!(
                r#"{{"Type":"Notification","MessageId":"m","TopicArn":"t","Message":{qa},"Signature":"s"}}"#
            ),
        ),
        (
            "sns",
            &["a"],
            format!(
                r#"{{"EventSource":"aws:sns","EventVersion":"1.0","Sns":{{"Type":"Notification","Message":{qa}}}}}"#
            ),
        ),
        (
            "sqs",
            &["a"],
            format!(
                r#"{{"messageId":"m","body":{qa},"eventSource":"aws:sqs","awsRegion":"r","attributes":{{}}}}"#
            ),
        ),
        (
            "sqs",
            &["a"],
            format!(r#"{{"Messages":[{{"MessageId":"m","ReceiptHandle":"r","Body":{qa}}}]}}"#),
        ),
        (
            "elastic",
            &["a"],
            format!(
                r#"{{"_index":"i","_id":"1","_source":{{"@timestamp":"t","message":{qa},"event":{{"dataset":"aws.cloudtrail"}},"ecs":{{}}}}}}"#
            ),
        ),
        (
            "elastic",
            &["a", "b"],
            format!(
                r#"{{"took":1,"hits":{{"total":{{"value":2}},"hits":[{{"_source":{{"event":{{"original":{qa}}}}}}},{{"_source":{b}}}]}}}}"#
            ),
        ),
        (
            "elastic",
            &["a"],
            format!(
                r#"{{"_id":"1","fields":{{"event.original":[{qa}],"aws.cloudtrail.event_version":["1.08"]}}}}"#
            ),
        ),
        (
            "elastic",
            &["a"],
            format!(
                r#"{{"@timestamp":"t","@metadata":{{}},"message":{qa},"log":{{"offset":0}},"input":{{"type":"aws-s3"}},"host":{{}},"agent":{{}}}}"#
            ),
        ),
        (
            "splunk",
            &["a"],
            format!(
                r#"{{"preview":false,"offset":0,"result":{{"_raw":{qa},"_time":"t","host":"h","eventName":"n","eventSource":"s","eventVersion":"1","eventID":"flat"}}}}"#
            ),
        ),
        (
            "splunk",
            &["a"],
            format!(r#"{{"time":1,"sourcetype":"aws:cloudtrail","event":{a}}}"#),
        ),
        (
            "lake",
            &["a"],
            format!(r#"{{"eventJson":{qa},"eventname":"n"}}"#),
        ),
        (
            "lake",
            &["a", "b"],
            format!(
                r#"{{"QueryStatus":"FINISHED","QueryResultRows":[[{{"eventjson":{qa}}},{{"eventtime":"t"}}],[{{"eventid":"b"}},{{"eventjson":{qb}}}]]}}"#
            ),
        ),
        (
            "lake",
            &["a"],
            format!(r#"{{"auditEvents":[{{"id":"1","eventData":{qa}}}]}}"#),
        ),
        ("lake", &["a"], format!(r#"{{"eventData":{a},"id":"1"}}"#)),
        (
            "test-case",
            &["a"],
            format!(r#"{{"input":{{"message":{qa}}},"expected":{{"message":{qa},"event":{{}}}}}}"#),
        ),
        (
            "data",
            &["a", "b"],
            format!(r#"{{"data":{{"Records":[{a},{b}]}},"description":"d"}}"#),
        ),
        (
            "data",
            &["a"],
            format!(r#"{{"data":{{"account":1,"detail-type":"x","detail":{a}}}}}"#),
        ),
        (
            "ocsf",
            &["a"],
            format!(r#"{{"class_uid":6003,"metadata":{{}},"api":{{}},"raw_data":{qa}}}"#),
        ),
        (
            "wrapped",
            &["!not-a-record", "a"],
            format!(r#"{{"anything":{{"at":[0,{{"all":{qa}}}]}},"n":1}}"#),
        ),
        ("record", &["a"], a.clone()),
    ];
    for (name, expected, json) in cases {
        check(json, name, expected);
    }
}

#[test]
fn wrappers_stand_in_wrappers() {
    let event = format!(
        r#"{{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{}}}"#,
        record("a")
    );
    let sns = format!(r#"{{"Type":"Notification","Message":{}}}"#, quote(&event));
    let sqs = format!(
        r#"{{"messageId":"1","body":{},"eventSource":"aws:sqs"}}"#,
        quote(&sns)
    );
    check(&sqs, "sqs", &["a"]);
    let message = format!(r#"{{"Body":{}}}"#, quote(&format!("[{sqs},{event}]")));
    check(&message, "sqs", &["a", "a"]);
    // Streams put messages after one another, with or without lines.
    let many = format!("{}{}\n {}", record("a"), record("b"), sns);
    let kinesis = format!(r#"{{"Data":"{}"}}"#, base64(many.as_bytes()));
    check(&kinesis, "kinesis", &["a", "b", "a"]);
}

#[test]
fn strings_alone_may_hold_records() {
    let (qa, qb) = (quote(&record("a")), quote(&record("b")));
    check(&format!("{qa}\n{qb}\r\n"), "values", &["a", "b"]);
    check(&qa, "values", &["a"]);
    check(&format!("[{qa},[{qb}]]"), "values", &["a", "b"]);
    check(
        &format!(r#""x"{qa} prose"#),
        "values",
        &["!not-cloudtrail", "a", "!invalid-json"],
    );
    for text in [
        "",
        "prose",
        "\"prose\"",
        "[1,2]",
        "\"{}\"",
        "\"open",
        "\"a\",\"b\"\n\"c\",\"d\"\n",
    ] {
        let (what, items) = opened(text);
        assert!(
            matches!(
                what,
                Unwrapped::Foreign {
                    reason: "not-a-record",
                    ..
                }
            ),
            "{text}"
        );
        assert!(items.is_empty());
    }
}

#[test]
fn each_item_that_is_no_record_is_named() {
    let a = record("a");
    let list = |items: &str| format!(r#"{{"logEvents":[{items}]}}"#);
    let message = |text: &str| format!(r#"{{"message":{}}}"#, quote(text));
    let check = |items: &[String], expected: &[&str]| {
        check(&list(&items.join(",")), "cloudwatch-logs", expected);
    };
    let half = &a[..a.len() - 1];
    check(&[message(half), message(&a)], &["!truncated", "a"]);
    check(&[message(&format!("{a}}}"))], &["a", "!invalid-json"]);
    check(
        &[message(r#"{"a" 1}"#), "7".to_owned()],
        &["!invalid-json", "!not-a-record"],
    );
    check(&[message(&"[{\"a\":".repeat(200))], &["!too-deep"]);
    check(
        &[message("H4sIAAAAAAAA"), message("[INFO] x")],
        &["!truncated-gzip", "!not-cloudtrail"],
    );
    let zipped = base64(&gzip(&a));
    check(
        &[message(&zipped[..zipped.len() - 12])],
        &["!truncated-gzip"],
    );
    check(
        &[message(&format!("{}!!!!", &zipped[..24]))],
        &["!invalid-packing"],
    );
    check(&[message(&base64(b"{\"\xff\xfe\""))], &["!not-utf8"]);
    check(
        &[r#"{"digestStartTime":"t"}"#.to_owned()],
        &["!not-cloudtrail"],
    );
}

#[test]
fn what_cannot_be_opened_is_a_wrapper_with_a_fault() {
    let zipped = base64(&gzip(&record("a")));
    let json = format!(
        r#"{{"awslogs":{{"data":"{}"}}}}"#,
        &zipped[..zipped.len() / 8 * 4]
    );
    check(&json, "cloudwatch-logs", &["!truncated-gzip"]);
}

#[test]
fn what_holds_no_record_has_a_name() {
    let check = |json: &str, expected: &str| {
        let (what, items) = opened(json);
        let expected = Unwrapped::Foreign {
            reason: "not-cloudtrail",
            detail: expected.to_owned(),
        };
        assert_eq!(what, expected, "{json}");
        assert!(items.is_empty(), "{json}");
    };
    let notification = r#"{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"r","eventTime":"t","eventName":"ObjectCreated:Put","s3":{}}"#;
    let notice = r#"{"s3Bucket":"b","s3ObjectKey":["k"]}"#;
    check(notification, "an S3 event notification");
    check(notice, "CloudTrail's notice of a delivered file");
    let inside = |text: &str| format!(r#"{{"messageId":"m","body":{}}}"#, quote(text));
    check(
        &inside(&format!(r#"{{"Records":[{notification}]}}"#)),
        "an SQS message that carries an S3 event notification",
    );
    check(
        &inside(&format!(
            r#"{{"Type":"Notification","Message":{}}}"#,
            quote(notice)
        )),
        "an SQS message that carries an SNS message that carries CloudTrail's notice of a delivered file",
    );
    check(
        &inside("hello"),
        "an SQS message that carries text that is no JSON",
    );
    check(
        r#"{"version":"0","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","detail":{"instance-id":"i","state":"running"}}"#,
        "an EventBridge event of `aws.ec2`: EC2 Instance State-change Notification",
    );
    check(
        r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logEvents":[{"message":"x"}]}"#,
        "a CloudWatch Logs control message",
    );
    check(
        r#"{"schemaVersion":"2.0","accountId":"1","service":{},"severity":5}"#,
        "a GuardDuty finding",
    );
    check(
        r#"{"SchemaVersion":"2018-10-08","ProductArn":"p"}"#,
        "a Security Hub finding",
    );
    check(
        r#"{"fileVersion":"1.0","configurationItems":[]}"#,
        "an AWS Config history or snapshot",
    );
    check(
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","userAgent":"k"}"#,
        "a Kubernetes audit event",
    );
    check(
        r#"{"class_uid":6003,"api":{"operation":"x"}}"#,
        "an OCSF event",
    );
    check(
        r#"{"@timestamp":"t","event":{"action":"x"},"ecs":{"version":"8"}}"#,
        "an ECS document",
    );
    check(
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#,
        "an S3 test notification",
    );
    check("{}", "an object without members");
    check(
        r#"{"event":{"eventID":"1"}}"#,
        "an object with the members event",
    );
    check(
        r#"{"events":[],"more":1}"#,
        "an object with the members events, more",
    );
    assert_eq!(opened(r#"{"digestS3Object":"d"}"#).0, Unwrapped::Digest);
}

#[test]
fn escapes_keep_their_meaning() {
    // Half of a surrogate pair in the inner text, once as an escape there, once as one of the outer.
    for half in [r"\\ud800", r"\ud800", r"\ud83d\u0041", r"\udc00"] {
        let json = format!(
            r#"{{"CloudTrailEvent":"{{\"eventID\":\"a\",\"eventName\":\"n\",\"userAgent\":\"{half}\ud83d\ude00\"}}"}}"#
        );
        let (_, items) = opened(&json);
        let Ok(text) = &items[0] else {
            panic!("{items:?}")
        };
        let unit = half.trim_start_matches('\\');
        let expected = format!(r#""userAgent":"\{}"#, unit.replace("\\u0041", "A"));
        assert!(text.contains(&expected), "{text}");
        assert!(text.ends_with("\u{1f600}\"}"), "{text}");
    }
}

#[test]
fn members_named_twice_hide_nothing() {
    let json = format!(r#"{{"detail":{},"detail":{}}}"#, record("a"), record("b"));
    check(&json, "eventbridge", &["a", "b"]);
}

#[test]
fn what_unpacks_without_end_is_refused() {
    let bomb = |n_bytes: usize| base64(&gzip(&format!("{{\"a\":\"{}\"}}", " ".repeat(n_bytes))));
    let json = format!(
        r#"{{"logEvents":[{{"message":"{}"}},{{"message":"{}"}}]}}"#,
        bomb(3_000_000),
        bomb(100)
    );
    check(&json, "cloudwatch-logs", &["!too-large", "!not-cloudtrail"]);
    let mut packed = gzip(&record("a"));
    for _ in 0..3 {
        packed = gzip(&format!(r#"{{"Data":"{}"}}"#, base64(&packed)));
    }
    check(
        &format!(r#"{{"Data":"{}"}}"#, base64(&packed)),
        "kinesis",
        &["a"],
    );
}

#[test]
fn a_long_list_of_other_things_hides_no_record() {
    let list = |n_items: usize| vec!["{}"; n_items].join(",");
    let json = |items: &str| format!(r#"{{"detail":{{"items":[{items}],"x":{}}}}}"#, record("a"));
    check(&json(&list(3_000)), "eventbridge", &["a"]);
    let both = format!("{},{}", list(2), record("b"));
    let expected = ["!not-cloudtrail", "!not-cloudtrail", "b", "a"];
    check(&json(&both), "eventbridge", &expected);
    // In what is known to be a list every item counts, however late the first record comes.
    let events = format!(r#"{{"logEvents":[{},{}]}}"#, list(3_000), record("a"));
    assert_eq!(opened(&events).1.len(), 3_001);
}

#[test]
fn layers_end() {
    let nested = |n_layers: usize| {
        let mut text = record("a");
        for _ in 0..n_layers {
            text = format!(r#"{{"x":{text}}}"#);
        }
        text
    };
    check(&nested(10), "wrapped", &["a"]);
    assert!(matches!(opened(&nested(40)).0, Unwrapped::Foreign { .. }));
    let arrays = format!(
        r#"{{"logEvents":[{}{}]}}"#,
        "[".repeat(100),
        "]".repeat(100)
    );
    check(&arrays, "cloudwatch-logs", &["!too-deep"]);
}

/// Ways to put some text around a record; each gives an object again.
fn wrap(text: &str, how: u8) -> String {
    match how {
        0 => format!(r#"{{"EventId":"1","CloudTrailEvent":{}}}"#, quote(text)),
        1 => format!(r#"{{"source":"aws.s3","detail-type":"x","detail":{text}}}"#),
        2 => format!(
            r#"{{"logEvents":[{{"id":"1","message":{}}}]}}"#,
            quote(text)
        ),
        3 => format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, base64(&gzip(text))),
        4 => format!(
            r#"{{"records":[{{"data":"{}"}}]}}"#,
            base64(text.as_bytes())
        ),
        5 => format!(r#"{{"Type":"Notification","Message":{}}}"#, quote(text)),
        6 => format!(
            r#"{{"hits":{{"hits":[{{"_source":{{"message":{}}}}}]}}}}"#,
            quote(text)
        ),
        7 => format!(
            r#"{{"results":[[{{"field":"@message","value":{}}}]]}}"#,
            quote(text)
        ),
        8 => format!(
            r#"{{"QueryResultRows":[[{{"eventjson":{}}}]]}}"#,
            quote(text)
        ),
        _ => format!("{{ \"Records\" : [ {text} ] }}"),
    }
}

proptest! {
    #[test]
    fn any_chain_of_wrappers_gives_the_text_back(
        name in "\\PC{0,8}",
        number in "-?[1-9][0-9]{0,25}(\\.[0-9]{1,3})?",
        ways in proptest::collection::vec(0..10_u8, 1..4),
    ) {
        let text = format!(
            r#"{{"eventVersion":"1.08","eventSource":"s","eventName":{} , "requestParameters":{{"n":{number}}}}}"#,
            quote(&name)
        );
        let json = ways.iter().fold(text.clone(), |inner, how| wrap(&inner, *how));
        let (_, items) = opened(&json);
        prop_assert_eq!(items, vec![Ok(text)]);
    }

    #[test]
    fn no_text_ends_the_program(tail in "[\\[{}\\]\":,a\\\\ ]{0,40}", name in "Message|Data|logEvents|detail") {
        for value in [tail.clone(), quote(&tail), format!("\"{}\"", base64(tail.as_bytes()))] {
            opened(&format!(r#"{{"{name}":{value}}}"#));
        }
    }
}

/// Else records would be asked about every shape, or such a shape never be found.
#[test]
fn every_name_of_a_shape_is_none_of_records() {
    let is_column = |name: &str| {
        let mut columns = crate::schema::EVENT_COLUMNS.iter();
        columns.any(|column| column.path[0] == name)
    };
    for shape in SHAPES {
        assert!(!is_column(shape.path[0]), "{}", shape.path[0]);
    }
    assert!(foreign::every_entry_has(|name| !is_column(name)));
}

/// The kinds of events that are not API calls are records as they are.
#[test]
fn every_kind_of_event_is_a_record() {
    let common = r#""eventVersion":"1.09","awsRegion":"r","recipientAccountId":"111122223333""#;
    let kinds = [
        r#""eventType":"AwsCloudTrailInsight","eventTime":"2024-01-01T00:00:00Z","eventID":"i","sharedEventID":"s","insightDetails":{"state":"Start"},"eventCategory":"Insight""#,
        r#""eventType":"AwsVpceEvent","eventSource":"s3.amazonaws.com","eventName":"GetObject","vpcEndpointId":"vpce-1","eventCategory":"NetworkActivity""#,
        r#""eventType":"AwsAggregatedEvent","eventId":"g","accountId":"1","eventSource":"s3.amazonaws.com","eventCategory":"Aggregated","timeWindow":{"windowSize":"PT5M"},"summary":{}"#,
        r#""eventType":"AwsMcpEvent","eventSource":"x.amazonaws.com","eventName":"CallTool","eventID":"m","userIdentity":{"type":"AssumedRole"}"#,
        r#""eventType":"AwsServiceEvent","eventSource":"kms.amazonaws.com","eventName":"RotateKey","serviceEventDetails":{}"#,
        r#""eventType":"ActivityLog","eventCategory":"ActivityAuditLog","metadata":{},"eventData":{"version":"v","eventName":"n"}"#,
    ];
    for kind in kinds {
        let text = format!("{{{common},{kind}}}");
        let batch = crate::ingest::records_to_batch("test", text.as_bytes()).unwrap();
        assert_eq!(batch.num_rows(), 1, "{text}");
        let (_, items) = opened(&format!(r#"{{"detail":{text}}}"#));
        assert_eq!(items, [Ok(text)]);
    }
}
