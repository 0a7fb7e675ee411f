//! The bundled rules: every one loads, its cases hold, and it says what users need to know.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use spoor::detections::{RuleSet, cases};

fn bundled() -> RuleSet {
    RuleSet::bundled().expect("the built-in tables are good")
}

/// Stems of the files of one ending below `sql/detections`, as `family/stem`.
fn files(ending: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/detections");
    let mut found = BTreeSet::new();
    for family in fs::read_dir(root).expect("the folder of rules") {
        let family = family.expect("a family").path();
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
