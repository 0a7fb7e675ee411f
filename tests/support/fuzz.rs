//! What must hold of any bytes. The smoke run of the tests and the fuzz targets share it.

use spoor::ingest::MAX_REJECT_RAW_BYTES;
use spoor::ingest::fuzzing::{read, round_trips};

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
