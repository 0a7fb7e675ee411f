//! What must hold of any bytes. The smoke run of the tests and the fuzz targets share it.

use spoor::finding::Severity;
use spoor::ingest::MAX_REJECT_RAW_BYTES;
use spoor::ingest::fuzzing::{read, round_trips};
use spoor::policy::escalation::escalation_paths;
use spoor::policy::permissions::classify;
use spoor::policy::trust::{Code, TrustContext, Verdict, analyze, diff};

use super::json::{Json, canonical};

/// Any bytes as a file: nothing panics, the totals add up, every reject says why, and what came out
/// reads again to the same.
pub fn source(stored: &[u8]) {
    let first = read(stored).expect("rows and schema agree");
    let n_rows = first.restored.len() as u64;
    assert_eq!(first.records_read, n_rows + first.rejects.len() as u64);
    for reject in &first.rejects {
        let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(!reject.reason.is_empty() && reject.reason.chars().all(is_code));
        assert!(!reject.detail.is_empty(), "{}", reject.reason);
        assert!(reject.raw.len() <= MAX_REJECT_RAW_BYTES);
    }
    for record in &first.restored {
        assert!(
            matches!(Json::read(record), Some(Json::Object(_))),
            "{record}"
        );
    }
    if first.restored.is_empty() {
        return;
    }
    let exported = format!("{{\"Records\":[\n{}\n]}}\n", first.restored.join(",\n"));
    let again = read(exported.as_bytes()).expect("rows and schema agree");
    assert_eq!(again.rejects.len(), 0, "{:?}\n{exported}", again.rejects);
    assert_eq!(again.restored, first.restored);
}

/// Any text: each record in it comes back as it was, numbers by their spelling.
pub fn text(bytes: &[u8]) {
    for (original, restored) in round_trips(bytes).expect("rows and schema agree") {
        let expected = canonical(&original);
        assert!(
            expected.is_some(),
            "no JSON was taken for a record: {original}"
        );
        assert_eq!(canonical(&restored), expected, "\n{original}\n{restored}");
    }
}

/// Any text as a policy of either sort; with a line feed in it, as an earlier and a later one.
pub fn policies(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let context = TrustContext {
        role_account: Some("111122223333".to_owned()),
        role_arn: Some("arn:aws:iam::111122223333:role/app".to_owned()),
        own_accounts: set(&["111122223333", "444455556666"]),
        vendor_accounts: set(&["777788889999"]),
        own_org_ids: set(&["o-mine"]),
        oidc_subjects: Vec::new(),
    };
    let report = analyze(&text, &context);
    assert!(report.severity >= report.verdict.severity());
    let codes = report.codes();
    assert!(codes.is_sorted(), "{codes:?}");
    assert_eq!(report.codes().contains(&Code::T00), codes == [Code::T00]);
    if codes == [Code::T00] {
        assert_eq!(report.verdict, Verdict::Invalid);
    }
    let class = classify(&text);
    assert_eq!(class.readable, escalation_paths(&text).is_some());

    let (before, after) = text.split_once('\n').unwrap_or((&text, &text));
    let same = diff(before, before, &context);
    assert!(same.opened.is_empty() && same.closed.is_empty(), "{before}");
    let (forth, back) = (diff(before, after, &context), diff(after, before, &context));
    assert_eq!(forth.opened.is_empty(), back.closed.is_empty(), "{text}");
    assert_eq!(forth.closed.is_empty(), back.opened.is_empty(), "{text}");
    if forth.rose() {
        assert_eq!(forth.severity(), Some(Severity::High), "{text}");
    }
}
