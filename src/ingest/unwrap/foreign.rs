//! Names for what is no CloudTrail record.

use std::borrow::Cow;

use sonic_rs::to_array_iter;

use super::object::{Object, raw_of};
use super::shapes::SHAPES;
use super::text::{first_value, is_json, skip_space, unescape};

/// Something known by members that nothing else has together.
struct Known {
    title: &'static str,
    members: &'static [&'static str],
    /// A member whose text must begin so.
    says: Option<(&'static str, &'static str)>,
}

const fn has(title: &'static str, members: &'static [&'static str]) -> Known {
    Known {
        title,
        members,
        says: None,
    }
}

const fn says(title: &'static str, member: &'static str, text: &'static str) -> Known {
    Known {
        title,
        members: &[],
        says: Some((member, text)),
    }
}

/// Never opened: they hold no records, though a part may look like one.
#[rustfmt::skip]
const KNOWN: &[Known] = &[
    has("CloudTrail's notice of a delivered file", &["s3Bucket", "s3ObjectKey"]),
    has("an S3 event notification", &["s3", "eventSource"]),
    says("an S3 test notification", "Event", "s3:TestEvent"),
    says("a CloudWatch Logs control message", "messageType", "CONTROL_MESSAGE"),
    has("a DynamoDB stream record", &["dynamodb", "eventID"]),
    has("an AWS Config history or snapshot", &["configurationItems"]),
    has("an AWS Config notification", &["configurationItemDiff"]),
    says("an AWS Config notification", "messageType", "ConfigurationItemChange"),
    says("an AWS Config notification", "messageType", "ConfigurationSnapshot"),
    says("an AWS Config notification", "messageType", "ComplianceChange"),
    has("an AWS Config rule's invocation", &["invokingEvent", "configRuleName"]),
    has("a GuardDuty finding", &["schemaVersion", "service", "severity"]),
    has("a GuardDuty finding", &["SchemaVersion", "Service", "Severity"]),
    has("a Security Hub finding", &["SchemaVersion", "ProductArn"]),
    has("a list of Security Hub findings", &["Findings"]),
    has("an Access Analyzer finding", &["analyzedAt", "isPublic"]),
    has("an Access Analyzer finding", &["analyzedAt", "resourceType"]),
    has("a Macie finding", &["classificationDetails"]),
    has("an Inspector finding", &["findingArn", "packageVulnerabilityDetails"]),
    has("a VPC flow log", &["srcaddr", "dstaddr"]),
    has("a VPC flow log", &["srcAddr", "dstAddr"]),
    has("a Route 53 resolver log", &["query_name", "query_type"]),
    has("a WAF log", &["webaclId", "httpRequest"]),
    has("a load balancer's log", &["elb_status_code"]),
    has("a CloudFront log", &["cs-uri-stem"]),
    has("a CloudFront log", &["cs_uri_stem"]),
    Known { members: &["kind"], ..says("a Kubernetes audit event", "apiVersion", "audit.k8s.io/") },
    has("an SNS subscription message", &["SubscribeURL"]),
];

/// Named only where no record was found inside: these may carry the original.
const NORMALIZED: &[Known] = &[
    has("an OCSF event", &["class_uid"]),
    has("an OCSF event", &["metadata", "category_uid"]),
    has("an ECS document", &["ecs", "event"]),
    has("an ECS document", &["@timestamp", "event"]),
];

impl Known {
    fn fits(&self, object: &Object<'_>) -> bool {
        let says = self.says.is_none_or(|(member, text)| {
            object
                .text(member)
                .is_some_and(|found| found.starts_with(text))
        });
        says && self.members.iter().all(|name| object.has(name))
    }
}

/// The names of members by which things are known.
pub fn names() -> impl Iterator<Item = &'static str> {
    let all = KNOWN.iter().chain(NORMALIZED);
    let says = |known: &'static Known| known.says.map(|(member, _)| member);
    all.flat_map(move |known| known.members.iter().copied().chain(says(known)))
        .chain(["detail-type"])
}

/// Whether each entry has a member with such a name.
#[cfg(test)]
pub fn every_entry_has(is_such: impl Fn(&str) -> bool) -> bool {
    let mut all = KNOWN.iter().chain(NORMALIZED);
    all.all(|known| {
        let says = known.says.is_some_and(|(member, _)| is_such(member));
        says || known.members.iter().any(|name| is_such(name))
    })
}

/// Whether it is something that need not be opened.
pub fn is_known(object: &Object<'_>) -> bool {
    object.is_of_interest() && KNOWN.iter().any(|known| known.fits(object))
}

/// Layers of wrappers that a name goes into.
const MAX_NAMED_LAYERS: usize = 6;

/// Of a text of the log's own so many characters are quoted.
const MAX_QUOTED_CHARS: usize = 80;

/// What an object without a record is.
pub fn describe(object: &Object<'_>) -> String {
    describe_at(object, MAX_NAMED_LAYERS)
}

fn describe_at(object: &Object<'_>, left_layers: usize) -> String {
    let found = object
        .is_of_interest()
        .then(|| describe_known(object, left_layers));
    if let Some(name) = found.flatten() {
        return name;
    }
    let names: Vec<Cow<'_, str>> = object.names().take(5).map(quoted).collect();
    match names.as_slice() {
        [] => "an object without members".to_owned(),
        names => format!("an object with the members {}", names.join(", ")),
    }
}

fn describe_known(object: &Object<'_>, left_layers: usize) -> Option<String> {
    if let Some(known) = KNOWN.iter().find(|known| known.fits(object)) {
        return Some(known.title.to_owned());
    }
    if let (Some(source), Some(kind)) = (object.text("source"), object.text("detail-type")) {
        let (source, kind) = (quoted(&source), quoted(&kind));
        return Some(format!("an EventBridge event of `{source}`: {kind}"));
    }
    if let Some(known) = NORMALIZED.iter().find(|known| known.fits(object)) {
        return Some(known.title.to_owned());
    }
    // The last shapes have names that anybody uses, so they say little of what has them.
    let shape = SHAPES.iter().find_map(|shape| {
        let value = object.values(shape.path).first().copied()?;
        let says_much = shape.original
            || shape.path[0].starts_with(char::is_uppercase)
            || *shape.path == ["message"]
            || ["sns", "sqs", "kinesis", "cloudwatch-logs"].contains(&shape.name);
        says_much.then_some((shape.title, value))
    });
    if let Some((title, value)) = shape {
        let inner = name_value(value, left_layers);
        return Some(format!("{title} that carries {inner}"));
    }
    let source = object.text("eventSource")?;
    let is_notice = source.starts_with("aws:");
    is_notice.then(|| format!("a notification of `{}`", quoted(&source)))
}

fn name_value(raw: &str, left_layers: usize) -> String {
    let something = || "something else".to_owned();
    let Some(left_layers) = left_layers.checked_sub(1) else {
        return something();
    };
    match raw.as_bytes().first() {
        Some(b'{') => Object::read(raw).map_or_else(
            |_| "broken JSON".to_owned(),
            |object| describe_envelope(&object, left_layers),
        ),
        Some(b'[') => match to_array_iter(raw).next() {
            Some(Ok(element)) => name_value(raw_of(&element), left_layers),
            _ => "an empty list".to_owned(),
        },
        Some(b'"') => match unescape(raw) {
            Some(text) if is_json(&text) => {
                let text = skip_space(&text);
                first_value(text, super::MAX_DEPTH).map_or_else(
                    |_| "broken JSON".to_owned(),
                    |length| name_value(&text[..length], left_layers),
                )
            }
            Some(text) => name_line(&text).to_owned(),
            None => something(),
        },
        _ => something(),
    }
}

/// An envelope is named by its first record.
fn describe_envelope(object: &Object<'_>, left_layers: usize) -> String {
    match object.values(&["Records"]).first() {
        Some(records) if !is_known(object) => name_value(records, left_layers),
        _ => describe_at(object, left_layers),
    }
}

/// A text that is no JSON, by its first words.
pub fn name_line(text: &str) -> &'static str {
    let mut words = text.split_ascii_whitespace();
    let (first, second, third) = (words.next(), words.next(), words.next());
    let is_account =
        |word: &str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit());
    match (first, second, third) {
        (None, ..) => "an empty text",
        (Some("2" | "3" | "4" | "5"), Some(account), Some(interface))
            if is_account(account) && interface.starts_with("eni-") =>
        {
            "a VPC flow log line"
        }
        (Some("version"), Some("account-id"), _) => "a VPC flow log header",
        (Some("START" | "END" | "REPORT"), Some("RequestId:"), _) => "a Lambda function's log line",
        (Some("http" | "https" | "h2" | "ws" | "wss"), Some(time), Some(balancer))
            if time.ends_with('Z') && balancer.starts_with("app/") =>
        {
            "a load balancer's log line"
        }
        _ => "text that is no JSON",
    }
}

/// A piece of the log in a message: short, and on one line.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_QUOTED_CHARS && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let cut = text.chars().take(MAX_QUOTED_CHARS);
    Cow::Owned(cut.map(|c| if c.is_control() { ' ' } else { c }).collect())
}
