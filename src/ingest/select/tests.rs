use std::path::PathBuf;

use chrono::NaiveDate;

use super::*;
use crate::ingest::SourceKind;

const FILE: &str = "111122223333_CloudTrail_eu-west-1_20230710T1145Z_x.json.gz";

fn source(uri: &str) -> Source {
    Source {
        uri: uri.to_owned(),
        path: PathBuf::from(uri),
        size_bytes: 1,
        kind: SourceKind::Unknown,
        named_as_log: true,
        problem: None,
    }
}

fn day(text: &str) -> i64 {
    i64::from(text.parse::<NaiveDate>().unwrap().to_epoch_days())
}

fn request(from: &str, to: &str) -> SelectionRequest {
    let bound = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    SelectionRequest {
        from: bound(from),
        to: bound(to),
        ..SelectionRequest::default()
    }
}

#[test]
fn files_are_left_out_with_a_day_to_spare() {
    let check = |from, to, expected| {
        let selection = request(from, to).resolve(&[]).unwrap();
        assert_eq!(
            selection.wants_source(&source(FILE)),
            expected,
            "{from} to {to}"
        );
        assert!(selection.wants_source(&source("/x/unnamed.json")));
        assert!(selection.wants_source(&source(STDIN)));
    };
    check("", "", true);
    check("2023-07-10", "2023-07-10", true);
    check("2023-07-11", "", true);
    check("2023-07-12", "", false);
    check("", "2023-07-09", true);
    check("", "2023-07-08T23:59:59Z", false);
    check("", "2023-07-08", false);
}

#[test]
fn accounts_and_regions_leave_out_what_is_named_otherwise() {
    let wants = |accounts: &[&str], regions: &[&str], uri: &str| {
        let request = SelectionRequest {
            accounts: accounts.iter().map(ToString::to_string).collect(),
            regions: regions.iter().map(ToString::to_string).collect(),
            ..SelectionRequest::default()
        };
        request.resolve(&[]).unwrap().wants_source(&source(uri))
    };
    assert!(wants(&["111122223333"], &["EU-WEST-1"], FILE));
    assert!(wants(&["444455556666", "111122223333"], &[], FILE));
    assert!(!wants(&["444455556666"], &[], FILE));
    assert!(!wants(&[], &["us-west-1"], FILE));
    // Events of IAM are us-east-1's wherever they were delivered.
    assert!(wants(&[], &["us-east-1"], FILE));
    assert!(wants(&["444455556666"], &["us-west-1"], "/x/unnamed.json"));
}

#[test]
fn excluded_names_and_what_is_below_them_are_left_out() {
    let check = |pattern: &str, uri: &str, expected: bool| {
        let request = SelectionRequest {
            exclude: vec![pattern.to_owned()],
            ..SelectionRequest::default()
        };
        let selection = request.resolve(&[]).unwrap();
        assert!(!selection.is_all() && selection.keeps_all_records());
        assert_eq!(
            selection.wants_source(&source(uri)),
            !expected,
            "{pattern} {uri}"
        );
    };
    check("*.json.gz", &format!("/a/{FILE}"), true);
    check("*.json", &format!("/a/{FILE}"), false);
    check("old", "/a/old/b/c.json", true);
    check("old", "/a/older/c.json", false);
    check("/a/*/c.json", "/a/b/c.json", true);
    check("/a/*/c.json", "/a/b/b/c.json", false);
    check("/a/**", "/a/b/b/c.json", true);
    check("/a", "/a/b/b/c.json", true);
}

#[test]
fn records_decide_for_themselves_and_silence_keeps_them() {
    let mut selection = request("2023-07-10", "2023-07-10").resolve(&[]).unwrap();
    let midnight = day("2023-07-10") * MICROS_PER_DAY;
    for (time, expected) in [
        (Some(midnight), true),
        (Some(midnight - 1), false),
        (Some(midnight + MICROS_PER_DAY - 1), true),
        (Some(midnight + MICROS_PER_DAY), false),
        (None, true),
    ] {
        assert_eq!(selection.keeps(time, None, None), expected, "{time:?}");
    }
    selection.accounts.insert("111122223333".to_owned());
    selection.regions.insert("eu-west-1".to_owned());
    let keeps = |account, region| selection.keeps(None, account, region);
    assert!(keeps(Some("111122223333"), Some("eu-west-1")));
    assert!(keeps(None, None));
    assert!(!keeps(Some("444455556666"), None));
    assert!(!keeps(Some("111122223333"), Some("us-east-1")));
}

#[test]
fn relative_times_count_from_the_newest_day_in_the_names() {
    let newest = FILE.replace("20230710T1145Z", "20230712T0000Z");
    let sources = [source(FILE), source(&newest), source("/x/unnamed.json")];
    let selection = request("T-1d", "T").resolve(&sources).unwrap();
    let end = day("2023-07-13") * MICROS_PER_DAY - 1;
    assert_eq!(selection.to_micros, Some(end));
    assert_eq!(selection.from_micros, Some(end - MICROS_PER_DAY));
    let refused = request("T-1d", "").resolve(&sources[2..]).unwrap_err();
    assert!(refused.to_string().contains("evidence ends"), "{refused}");
    assert!(refused.hint().is_some());
    assert!(request("2023-07-10", "").resolve(&[]).is_ok());
    assert!(request("2023-07-10", "2023-07-09").resolve(&[]).is_err());
}

#[test]
fn nothing_asked_is_everything() {
    let request = SelectionRequest::default();
    assert!(request.is_all());
    let selection = request.resolve(&[]).unwrap();
    assert!(selection.is_all() && selection.keeps(Some(0), Some("x"), Some("y")));
}

#[test]
fn what_is_no_account_or_glob_is_refused() {
    let mut request = SelectionRequest {
        accounts: vec!["1234".to_owned()],
        ..SelectionRequest::default()
    };
    assert!(request.resolve(&[]).is_err());
    request.accounts.clear();
    request.exclude.push("a[".to_owned());
    assert!(request.resolve(&[]).is_err());
}
