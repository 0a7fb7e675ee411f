use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::finding::Remediation;

fn finding(rule: &str, severity: Severity, first_time: &str) -> Finding {
    let evidence = json!({"verdict": "public", "codes": ["T1"]});
    Finding {
        id: format!("{rule}-1"),
        rule: rule.to_owned(),
        title: "Trust policy opens a role to everyone".to_owned(),
        severity,
        first_time: first_time.to_owned(),
        last_time: "2023-07-10T12:05:00Z".to_owned(),
        count: 2,
        account: Some("111122223333".to_owned()),
        regions: vec!["us-east-1".to_owned()],
        actors: vec!["arn:aws:iam::111122223333:user/mallory".to_owned()],
        subject: "arn:aws:iam::111122223333:role/deploy".to_owned(),
        source_ips: vec!["203.0.113.7".to_owned()],
        event_names: vec!["UpdateAssumeRolePolicy".to_owned()],
        summary: "mallory let every AWS principal assume deploy, with no condition that holds it back; \x1b[2Jseen twice".to_owned(),
        evidence: evidence.as_object().cloned().unwrap_or_default(),
        event_ids: (1..=6).map(|n| format!("event-{n}")).collect(),
        next_sql: "SELECT *\nFROM activity\nWHERE eventid = 'event-1'".to_owned(),
        remediation: vec![
            Remediation {
                id: "correct-trust-policy".to_owned(),
                title: "Correct the trust policy".to_owned(),
                account: Some("444455556666".to_owned()),
                steps: "## Console\n\n1. IAM → Roles → `deploy` → Trust relationships.\n2. Save.\n".to_owned(),
            },
            Remediation {
                id: "revoke-sessions".to_owned(),
                title: "End the sessions already issued".to_owned(),
                account: None,
                steps: String::new(),
            },
        ],
    }
}

fn render(findings: &[Finding], format: FindingFormat, options: FindingOptions) -> String {
    let suppressed = [Suppressed {
        entry: "[[allow]] 1: r".to_owned(),
        finding: finding("known", Severity::Low, "2023-07-10T12:00:00Z"),
        reason: "the landing zone".to_owned(),
    }];
    let report = FindingsReport {
        findings,
        n_rules: 45,
        suppressed: &suppressed,
        learning: &["assume-role-first-seen-edge".to_owned()],
    };
    let mut out = Vec::new();
    write_findings(&report, format, &mut out, options).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn blocks_are_wrapped_and_harmless() {
    let findings = [finding(
        "public-trust",
        Severity::Critical,
        "2023-07-10T12:00:00Z",
    )];
    let options = FindingOptions {
        width: Some(72),
        ..FindingOptions::default()
    };
    assert_snapshot!(render(&findings, FindingFormat::Table, options), @r"
    CRITICAL  Trust policy opens a role to everyone (public-trust)
      who     arn:aws:iam::111122223333:user/mallory
      what    UpdateAssumeRolePolicy
      about   arn:aws:iam::111122223333:role/deploy
      when    2023-07-10T12:00:00Z – 2023-07-10T12:05:00Z (2 events)
      where   account 111122223333, us-east-1, from 203.0.113.7
      why     mallory let every AWS principal assume deploy, with no
              condition that holds it back; \x1b[2Jseen twice
      next    Correct the trust policy in account 444455556666: IAM → Roles
              → `deploy` → Trust relationships. [and 1 recipe more]
      proof   event-1, event-2, event-3, event-4 and 2 more
      sql     SELECT *
              FROM activity
              WHERE eventid = 'event-1'

    1 finding: 1 critical; 45 rules run; 1 suppressed by the lists
    learning  assume-role-first-seen-edge: what came first is taken as
              normal, not judged
    ");
    assert_snapshot!(render(&[], FindingFormat::Table, options), @r"
    0 findings; 45 rules run; 1 suppressed by the lists
    learning  assume-role-first-seen-edge: what came first is taken as
              normal, not judged
    ");
}

#[test]
fn worst_come_first_then_oldest() {
    let findings = [
        finding("c", Severity::Low, "2023-01-01T00:00:00Z"),
        finding("b", Severity::High, "2023-01-02T00:00:00Z"),
        finding("a", Severity::High, "2023-01-01T00:00:00Z"),
    ];
    let shown = render(&findings, FindingFormat::Ndjson, FindingOptions::default());
    let rules: Vec<String> = shown
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["rule"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(rules, ["a", "b", "c"]);
}

#[test]
fn colors_only_when_asked() {
    let findings = [finding("a", Severity::High, "2023-01-01T00:00:00Z")];
    let plain = render(&findings, FindingFormat::Table, FindingOptions::default());
    assert!(!plain.contains('\x1b'));
    let options = FindingOptions {
        color: true,
        ..FindingOptions::default()
    };
    let colored = render(&findings, FindingFormat::Table, options);
    assert_eq!(colored.matches("\x1b[").count(), 2);
}

#[test]
fn json_and_csv_carry_every_field() {
    let findings = [finding("a", Severity::High, "2023-01-01T00:00:00Z")];
    let whole = serde_json::to_value(&findings[0]).unwrap();
    let document = render(&findings, FindingFormat::Json, FindingOptions::default());
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["findings"][0], whole);
    assert_eq!(document["counts"]["high"], 1);
    assert_eq!(document["suppressed"][0]["rule"], "known");
    assert_eq!(document["suppressed"][0]["reason"], "the landing zone");
    assert_eq!(document["learning"][0], "assume-role-first-seen-edge");

    let table = render(&findings, FindingFormat::Csv, FindingOptions::default());
    let mut reader = ::csv::Reader::from_reader(table.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let mut names: Vec<_> = whole.as_object().unwrap().keys().cloned().collect();
    let mut sorted = header.clone();
    names.sort();
    sorted.sort();
    assert_eq!(sorted, names);
    let record = reader.records().next().unwrap().unwrap();
    let cell = |name: &str| record[header.iter().position(|n| n == name).unwrap()].to_owned();
    assert_eq!(
        cell("event_ids"),
        "event-1; event-2; event-3; event-4; event-5; event-6"
    );
    assert_eq!(cell("evidence"), r#"{"codes":["T1"],"verdict":"public"}"#);
    assert!(cell("summary").contains("\\x1b[2J"));
}

#[test]
fn names_and_formats_agree() {
    for (format, name) in FindingFormat::ALL.into_iter().zip(FindingFormat::NAMES) {
        assert_eq!(format.as_str(), name);
        assert_eq!(name.parse(), Ok(format));
    }
}
