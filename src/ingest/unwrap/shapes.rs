//! The members that are known to hold records, one line each.

use sonic_rs::to_array_iter;

use super::object::{Object, raw_of};

/// A member, and the shape that it shows.
pub struct Shape {
    /// A short name of the shape.
    pub name: &'static str,
    /// The object in words.
    pub title: &'static str,
    pub path: &'static [&'static str],
    /// It holds a record's original text; what stands beside it was made from that.
    pub original: bool,
    /// Members that may stand beside an empty list, so that nothing is an answer too.
    beside: &'static [&'static str],
    /// Each element is an item, whether or not it is a record.
    always: bool,
}

impl Shape {
    /// Whether its elements are the items without asking what they are.
    pub fn is_list(&self, object: &Object<'_>, values: &[&str]) -> bool {
        if self.always {
            return values.iter().all(|raw| raw.starts_with('['));
        }
        !self.beside.is_empty()
            && values.iter().all(|raw| is_empty_array(raw))
            && object
                .names()
                .all(|name| name == self.path[0] || self.beside.contains(&name))
    }
}

const fn holds(name: &'static str, title: &'static str, path: &'static [&'static str]) -> Shape {
    Shape {
        name,
        title,
        path,
        original: false,
        beside: &[],
        always: false,
    }
}

const fn original(name: &'static str, title: &'static str, path: &'static [&'static str]) -> Shape {
    Shape {
        original: true,
        ..holds(name, title, path)
    }
}

const fn list(
    name: &'static str,
    title: &'static str,
    path: &'static [&'static str],
    beside: &'static [&'static str],
) -> Shape {
    Shape {
        beside,
        ..holds(name, title, path)
    }
}

const LOOKUP: &str = "an answer of LookupEvents";
const LAKE: &str = "a CloudTrail Lake result";
const INSIGHTS: &str = "a CloudWatch Logs Insights result";
const ELASTIC: &str = "a document of a log pipeline";
const SQS: &str = "an SQS message";
const SNS: &str = "an SNS message";
const SPLUNK: &str = "a Splunk result";

/// In the order in which they are tried: the original before what was made of it, and what only
/// AWS has before names that anybody uses.
#[rustfmt::skip]
pub const SHAPES: &[Shape] = &[
    original("lookup-events", LOOKUP, &["CloudTrailEvent"]),
    original("lookup-events", LOOKUP, &["cloudTrailEvent"]),
    original("lookup-events", LOOKUP, &["cloud_trail_event"]),
    original("lake", LAKE, &["eventJson"]),
    original("lake", LAKE, &["eventjson"]),
    original("splunk", SPLUNK, &["_raw"]),
    original("logs-insights", INSIGHTS, &["@message"]),
    original("elastic", ELASTIC, &["event", "original"]),
    original("elastic", ELASTIC, &["event.original"]),
    original("elastic", ELASTIC, &["log", "original"]),
    original("ocsf", "an OCSF event", &["raw_data"]),
    list("lookup-events", LOOKUP, &["Events"], &["NextToken"]),
    Shape { always: true, ..holds("cloudwatch-logs", "a CloudWatch Logs delivery", &["logEvents"]) },
    holds("cloudwatch-logs", "a CloudWatch Logs delivery", &["awslogs", "data"]),
    holds("kinesis", "a Kinesis record", &["kinesis", "data"]),
    holds("sns", SNS, &["Sns", "Message"]),
    holds("sns", SNS, &["Message"]),
    holds("sqs", SQS, &["body"]),
    holds("sqs", SQS, &["Body"]),
    list("sqs", SQS, &["Messages"], &["ResponseMetadata"]),
    holds("eventbridge", "an EventBridge event", &["detail"]),
    list("records", "an envelope with `Records`", &["Records"], &["NextShardIterator", "MillisBehindLatest"]),
    holds("firehose", "a Firehose delivery", &["records"]),
    holds("kinesis", "a Kinesis record", &["Data"]),
    list("log-events", "an answer of FilterLogEvents", &["events"],
        &["searchedLogStreams", "nextToken", "nextForwardToken", "nextBackwardToken"]),
    list("lake", LAKE, &["QueryResultRows"], &["QueryStatus", "QueryStatistics", "NextToken"]),
    list("logs-insights", INSIGHTS, &["results"], &["statistics", "status", "queryLanguage", "encryptionKey"]),
    holds("elastic", "a search answer", &["hits", "hits"]),
    holds("elastic", ELASTIC, &["_source"]),
    holds("elastic", ELASTIC, &["fields"]),
    holds("elastic", "a log message", &["message"]),
    holds("splunk", SPLUNK, &["result"]),
    holds("splunk", "a Splunk event", &["event"]),
    holds("lake", "an audit event for CloudTrail Lake", &["auditEvents"]),
    holds("lake", "an audit event for CloudTrail Lake", &["eventData"]),
    holds("test-case", "a parser's test case", &["input"]),
    holds("data", "an object with `data`", &["data"]),
];

/// The names of members that shapes have.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHAPES
        .iter()
        .filter_map(|shape| shape.path.first().copied())
}

/// Whether a member is a shape by itself, so that it is tried before any other.
pub fn is_tried(name: &str) -> bool {
    SHAPES
        .iter()
        .any(|shape| *shape.path == [name] && !shape.original)
}

fn is_empty_array(raw: &str) -> bool {
    let inner = raw
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| inner.trim().is_empty())
}

/// Names of columns that hold a whole event in a query's answer.
const RECORD_CELLS: [&str; 5] = [
    "eventjson",
    "eventJson",
    "@message",
    "_raw",
    "CloudTrailEvent",
];

/// An array within an array.
pub enum Row<'a> {
    /// A row of a query's answer, whose cells are objects, with the cell that holds the event.
    Cells(Option<&'a str>),
    Array,
}

/// Reads `[{"field":…,"value":…},…]`, as CloudWatch answers, and `[{"<column>":…},…]`, as CloudTrail
/// Lake does. An array where two cells could be the event is a list of other things.
pub fn row(raw: &str) -> Row<'_> {
    let mut events = Vec::new();
    let mut is_empty = true;
    for cell in to_array_iter(raw) {
        let Some(cell) = cell.ok().and_then(|cell| Object::read(raw_of(&cell)).ok()) else {
            return Row::Array;
        };
        is_empty = false;
        match (cell.n_members(), cell.text("field")) {
            (2 | 3, Some(field)) if cell.has("value") => {
                if RECORD_CELLS.contains(&field.as_ref()) {
                    events.extend(cell.values(&["value"]));
                }
            }
            (1, _) => events.extend(RECORD_CELLS.iter().flat_map(|name| cell.values(&[name]))),
            _ => return Row::Array,
        }
    }
    if is_empty || events.len() > 1 {
        return Row::Array;
    }
    Row::Cells(events.first().copied())
}
