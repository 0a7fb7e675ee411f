//! The bundled rules: every one loads, its cases hold, and it says what users need to know.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;
use spoor::config::Lists;
use spoor::detections::{DetectReport, RuleSet, cases, detect};
use spoor::engine::{Engine, EngineOptions, Params};
use spoor::ingest;

fn bundled() -> RuleSet {
    RuleSet::bundled().expect("the built-in tables are good")
}

/// Stems of the files of one ending below `sql/detections`, as `family/stem`.
fn files(ending: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/detections");
    let mut found = BTreeSet::new();
    for family in fs::read_dir(root).expect("the folder of rules") {
        let family = family.expect("a family").path();
        if !family.is_dir() {
            continue;
        }
        for file in fs::read_dir(&family).expect("a folder of a family") {
            let name = file.expect("a file").file_name();
            let (name, family) = (name.to_string_lossy(), family.file_name().expect("a name"));
            if let Some(stem) = name.strip_suffix(ending) {
                found.insert(format!("{}/{stem}", family.to_string_lossy()));
            }
        }
    }
    found
}

#[test]
fn every_file_is_a_rule_of_the_binary() {
    let set = bundled();
    assert!(set.errors.is_empty(), "{:#?}", set.errors);
    let rules: BTreeSet<String> = set
        .rules
        .iter()
        .map(|rule| format!("{}/{}", rule.family, rule.id))
        .collect();
    assert_eq!(rules, files(".sql"));
    assert_eq!(rules, files(".cases.json"));
}

#[test]
fn rules_say_what_users_need() {
    for rule in bundled().rules {
        let id = &rule.id;
        assert!(!rule.title.ends_with('.'), "{id}: a title is no sentence");
        assert!(rule.title.len() <= 70, "{id}: a title fits into a table");
        assert!(rule.summary.ends_with('.'), "{id}: a summary is a sentence");
        assert!(
            rule.references
                .iter()
                .all(|url| url.starts_with("https://")),
            "{id}"
        );
        assert!(
            rule.triage.iter().all(|question| question.ends_with('?')),
            "{id}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_holds() {
    let outcomes = cases::test(&bundled(), |_| true)
        .await
        .expect("cases that read");
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.passed())
        .map(ToString::to_string)
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The records of the sample case, each once.
fn sample_records() -> Vec<Value> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/samples");
    let mut records = BTreeMap::new();
    let files = walkdir::WalkDir::new(data).sort_by_file_name();
    for file in files.into_iter().map(|file| file.expect("a sample")) {
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.contains("_CloudTrail_") {
            continue;
        }
        let packed = fs::read(file.path()).expect("a sample that reads");
        let mut text = String::new();
        let unpacked = GzDecoder::new(packed.as_slice()).read_to_string(&mut text);
        unpacked.expect("a sample that unpacks");
        let mut content: Value = serde_json::from_str(&text).expect("a sample is JSON");
        for record in content["Records"].as_array_mut().expect("records") {
            let key = (
                record["eventID"].to_string(),
                record["recipientAccountId"].to_string(),
            );
            records.insert(key, record.take());
        }
    }
    records.into_values().collect()
}

async fn detect_in(records: Vec<Value>) -> (Engine, DetectReport) {
    let bytes = Value::Array(records).to_string();
    let batch = ingest::records_to_batch("sample", bytes.as_bytes()).expect("records");
    let engine = Engine::over_batches(vec![batch], EngineOptions::default())
        .await
        .expect("an engine");
    let report = detect(&engine, &bundled(), &Lists::default()).await;
    (engine, report.expect("a report"))
}

/// Rule, account, subject and event ids, as the lists beside the sample have them.
fn listed(name: &str) -> Vec<(String, String, String, BTreeSet<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name);
    let text = fs::read_to_string(path).expect("the list");
    let list: Vec<Value> = serde_json::from_str(&text).expect("a list");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    list.iter()
        .map(|entry| {
            let ids = entry["event_ids"].as_array().expect("ids");
            let [rule, account, subject] =
                ["rule", "account", "subject"].map(|name| text(&entry[name]));
            (rule, account, subject, ids.iter().map(text).collect())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_case_gives_what_it_promises_in_any_order() {
    let records = sample_records();
    let mut reversed = records.clone();
    reversed.reverse();
    let (engine, report) = detect_in(records).await;
    assert!(report.errors.is_empty(), "{:#?}", report.errors);
    let as_json = |report: &DetectReport| serde_json::to_string(report).expect("a report is JSON");
    let (_, again) = detect_in(reversed).await;
    assert_eq!(as_json(&report), as_json(&again));
    for finding in &report.findings {
        let rows = engine.query(&finding.next_sql, &Params::new()).await;
        let batches = rows.expect("a query that runs").collect().await;
        let n_rows: usize = batches
            .expect("rows")
            .iter()
            .map(|batch| batch.num_rows())
            .sum();
        assert!(n_rows as u64 >= finding.count, "{}", finding.next_sql);
    }

    let findings = &report.findings;
    let own: BTreeSet<String> = bundled()
        .rules
        .iter()
        .map(|rule| rule.id.to_string())
        .collect();
    for (rule, account, subject, ids) in listed("samples.expected.json") {
        assert!(own.contains(&rule), "{rule} is no rule");
        let proves = |wanted: &BTreeSet<String>| {
            findings.iter().any(|finding| {
                let found: BTreeSet<String> = finding.event_ids.iter().cloned().collect();
                finding.rule == rule
                    && finding.subject == subject
                    && finding.account.as_deref() == Some(account.as_str())
                    && wanted.is_subset(&found)
            })
        };
        assert!(
            proves(&ids),
            "{rule} does not tell of {subject} in {account}"
        );
    }
    // And nothing else, at any severity: what is found is what the list tells of.
    let told: BTreeSet<(String, String, String)> = listed("samples.expected.json")
        .into_iter()
        .map(|(rule, account, subject, _)| (rule, account, subject))
        .collect();
    let found: BTreeSet<(String, String, String)> = findings
        .iter()
        .map(|finding| {
            let account = finding.account.clone().unwrap_or_default();
            (finding.rule.to_string(), account, finding.subject.clone())
        })
        .collect();
    let unexpected: Vec<_> = found.difference(&told).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    let speaking: BTreeSet<&str> = findings.iter().map(|f| f.rule.as_str()).collect();
    let mute: Vec<&String> = own
        .iter()
        .filter(|id| !speaking.contains(id.as_str()))
        .collect();
    assert!(mute.is_empty(), "the case has nothing for {mute:?}");
    for (rule, _, subject, ids) in listed("samples.silent.json") {
        let told = findings.iter().any(|finding| {
            finding.rule == rule
                && (finding.subject == subject
                    || finding.event_ids.iter().any(|id| ids.contains(id)))
        });
        assert!(!told, "{rule} tells of {subject}");
    }
}
