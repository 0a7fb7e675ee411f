//! From events to the files of a trail's bucket: late, in bundles, some twice, with one digest and
//! one Insights file beside the logs.

use std::collections::BTreeMap;
use std::io;

use sha2::{Digest as _, Sha256};

use super::super::event::Event;
use super::super::kit::{DAY, HOUR, Json, Time, gzip, log_key};
use super::{Case, HUB, ORG, STORY_DAY, moment};

const BUCKET: &str = "fernhill-org-trail";
const LEVEL: u32 = 9;

type Files = Vec<(String, Vec<u8>)>;

/// All files, sorted by path. Records inside a file are out of order by some minutes, as delivered.
pub fn deliver(case: &mut Case) -> io::Result<Files> {
    let start = moment(0, (0, 0, 0)).0;
    let mut bundles: BTreeMap<(String, String, i64), Vec<Event>> = BTreeMap::new();
    for event in std::mem::take(&mut case.events) {
        let day = (event.time.0 - start) / DAY;
        // A real trail delivers every few minutes; fewer, fuller files keep the repository small.
        let span = if day < STORY_DAY { DAY } else { DAY / 2 };
        let slot = (event.time.0 - start) / span * span;
        let key = (event.account.clone(), event.region.clone(), slot);
        bundles.entry(key).or_default().push(event);
    }
    let mut files = Files::new();
    let mut digest = None;
    let mut again: Option<Event> = None;
    for (n, ((account, region, _), mut events)) in bundles.into_iter().enumerate() {
        // The order of delivery is the order of events, blurred.
        events.sort_by_cached_key(|e| (e.time.0 / 240, e.event_id.clone()));
        let last = events.iter().map(|e| e.time.0).max().unwrap_or(start);
        let stamp = Time(last + 150 + case.mint.rng.below(300) as i64);
        // Delivery is at least once: every third file brings a record of the one before again.
        if let Some(copy) = again.take_if(|e| e.account == account && e.region == region) {
            events.push(copy);
        }
        again = (n % 3 == 0).then(|| events[0].clone());
        let body = records(&events);
        let suffix = case.mint.rng.file_suffix();
        let key = log_key(Some(ORG), &account, &region, stamp, &suffix);
        if digest.is_none() && account == HUB {
            digest = Some(digest_file(&key, &body, &events, stamp)?);
        }
        let bytes = gzip(body.as_bytes(), LEVEL)?;
        if n % 40 == 7 {
            // A whole file delivered twice, under another random name.
            let suffix = case.mint.rng.file_suffix();
            let twin = log_key(Some(ORG), &account, &region, stamp, &suffix);
            files.push((twin, bytes.clone()));
        }
        files.push((key, bytes));
    }
    files.extend(digest);
    files.push(insight_file(case)?);
    files.sort();
    Ok(files)
}

fn records(events: &[Event]) -> String {
    let mut json = Json::default();
    json.0.push_str("{\"Records\":[");
    for event in events {
        event.write(&mut json);
    }
    json.0.push_str("]}");
    json.0
}

/// The starting digest of the chain: it has no digest before it, so nothing in it needs a signature
/// to be believed, and its one hash can be checked.
fn digest_file(
    key: &str,
    body: &str,
    events: &[Event],
    stamp: Time,
) -> io::Result<(String, Vec<u8>)> {
    let end = Time((stamp.0 / HOUR + 1) * HOUR + 131);
    let name = format!(
        "{HUB}_CloudTrail-Digest_us-east-1_org-trail_us-east-1_{}.json.gz",
        end.iso().replace(['-', ':'], "")
    );
    let object = format!(
        "AWSLogs/{ORG}/{HUB}/CloudTrail-Digest/us-east-1/{}/{name}",
        end.folders()
    );
    let newest = events.iter().map(|e| e.time).max().unwrap_or(stamp).iso();
    let oldest = events.iter().map(|e| e.time).min().unwrap_or(stamp).iso();
    let hash: String = Sha256::digest(body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let log = Json::object(|j| {
        j.str("s3Bucket", BUCKET)
            .str("s3Object", key)
            .str("hashValue", &hash)
            .str("hashAlgorithm", "SHA-256")
            .str("newestEventTime", &newest)
            .str("oldestEventTime", &oldest);
    });
    let text = Json::object(|j| {
        j.str("awsAccountId", HUB)
            .str("digestStartTime", &end.plus(-HOUR).iso())
            .str("digestEndTime", &end.iso())
            .str("digestS3Bucket", BUCKET)
            .str("digestS3Object", &object)
            .str(
                "digestPublicKeyFingerprint",
                "5c0ffee05c0ffee05c0ffee05c0ffee0",
            )
            .str("digestSignatureAlgorithm", "SHA256withRSA")
            .str("newestEventTime", &newest)
            .str("oldestEventTime", &oldest);
        for member in [
            "S3Bucket",
            "S3Object",
            "HashValue",
            "HashAlgorithm",
            "Signature",
        ] {
            j.raw(&format!("previousDigest{member}"), "null");
        }
        j.list("logFiles", &[log]);
    });
    Ok((object, gzip(text.as_bytes(), LEVEL)?))
}

/// CloudTrail's own alarm over the refused calls of the intrusion: a start and an end record.
fn insight_file(case: &mut Case) -> io::Result<(String, Vec<u8>)> {
    let shared = case.mint.rng.uuid();
    let (start, end) = (moment(17, (1, 55, 0)), moment(17, (2, 0, 0)));
    let records: Vec<String> = [(start, "Start"), (end, "End")]
        .into_iter()
        .map(|(time, state)| {
            let id = case.mint.rng.uuid();
            insight(time, state, &id, &shared)
        })
        .collect();
    let body = format!("{{\"Records\":[{}]}}", records.join(","));
    let suffix = case.mint.rng.file_suffix();
    let key = log_key(Some(ORG), HUB, "us-east-1", end.plus(1_500), &suffix)
        .replace("/CloudTrail/", "/CloudTrail-Insight/")
        .replace("_CloudTrail_", "_CloudTrail-Insight_");
    Ok((key, gzip(body.as_bytes(), LEVEL)?))
}

fn insight(time: Time, state: &str, id: &str, shared: &str) -> String {
    let average = |value: &str| format!("{{\"average\":{value}}}");
    Json::object(|j| {
        j.str("eventVersion", "1.08")
            .str("eventTime", &time.iso())
            .str("awsRegion", "us-east-1")
            .str("eventID", id)
            .str("eventType", "AwsCloudTrailInsight")
            .str("recipientAccountId", HUB)
            .str("sharedEventID", shared);
        j.obj("insightDetails", |j| {
            j.str("state", state)
                .str("eventSource", "sts.amazonaws.com")
                .str("eventName", "AssumeRole")
                .str("insightType", "ApiErrorRateInsight")
                .str("errorCode", "AccessDenied");
            j.obj("insightContext", |j| {
                j.obj("statistics", |j| {
                    j.raw("baseline", &average("0.0004960317"))
                        .raw("insight", &average("2.4"));
                    if state == "End" {
                        j.raw("insightDuration", "5");
                    }
                    j.raw("baselineDuration", "10080");
                });
            });
        });
        j.str("eventCategory", "Insight");
    })
}
