//! What a run of the rules prints over the sample case: the summary, the baseline, the reports.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::scratch::{Done, Scratch};

/// Rules enough for every part of a report, since planning all of them takes its time.
const RULES: [&str; 3] = [
    "--rule=assume-role-first-seen-edge",
    "--rule=role-lacks-permissions",
    "--rule=trust-policy-untrusted-account",
];

/// The sample case as a lake, read once.
async fn sample_case() -> Scratch {
    let scratch = Scratch::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/samples");
    scratch.ingest(&[samples.to_str().unwrap()]).await;
    scratch
}

fn detect(scratch: &Scratch, further: &[&str]) -> Done {
    let args = ["detect", "--quiet"];
    let done = scratch.run(args.iter().chain(&RULES).chain(further));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(done.stderr, "");
    done
}

/// What is written to a file of this name; nothing goes to stdout.
fn detect_into(scratch: &Scratch, name: &str) -> String {
    assert_eq!(detect(scratch, &["-o", name]).stdout, "");
    fs::read_to_string(scratch.path(name)).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn ids(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|f| f["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_baseline_is_learned_from_and_not_reported() {
    let scratch = sample_case().await;
    let whole = json(&detect(&scratch, &["--format=json"]).stdout);
    assert_eq!(whole["n_baseline"], 0);
    // The evidence begins on 2025-02-17; the intruder comes on 2025-03-06.
    let hunt = detect(
        &scratch,
        &["--format=json", "--baseline-until", "2025-03-06"],
    );
    let hunt = json(&hunt.stdout);
    let n_baseline = hunt["n_baseline"].as_u64().unwrap();
    assert!(n_baseline > 0, "{hunt:#}");
    assert_eq!(hunt["learning"], serde_json::json!([]));
    assert!(!ids(&hunt).is_empty());
    for finding in hunt["findings"].as_array().unwrap() {
        let last_time = finding["last_time"].as_str().unwrap();
        assert!(last_time >= "2025-03-06T00:00:00Z", "{finding:#}");
    }
    let gone = ids(&whole)
        .into_iter()
        .filter(|id| !ids(&hunt).contains(id));
    assert!(gone.count() > 0, "nothing lay before the hunt");

    // The flag wins over the lists.
    scratch.write("spoor.toml", "baseline_until = \"2025-02-01\"\n");
    let until = "--baseline-until=2025-03-06T01:00:00+01:00";
    let flag = detect(&scratch, &["--format=json", until]);
    assert_eq!(json(&flag.stdout), hunt);
    for (further, expected) in [(&[until][..], "2025-03-06"), (&[], "2025-02-01")] {
        let sql = ["query", "-c", "SELECT baseline_until FROM settings"];
        let settings = scratch.run(sql.iter().chain(further));
        let expected = format!("{{\"baseline_until\":\"{expected}T00:00:00Z\"}}\n");
        assert_eq!(settings.stdout, expected, "{}", settings.stderr);
    }
    for wrong in ["soon", "T-7d", "2025-02-30"] {
        let done = scratch.run(["detect", "--baseline-until", wrong]);
        assert_eq!(done.code, Some(2));
        let message = format!("`{wrong}` is not a moment (`2023-07-10`");
        assert!(done.stderr.contains(&message), "{}", done.stderr);
    }
}

#[tokio::test]
async fn the_summary_counts_what_was_found_and_what_was_not() {
    let scratch = sample_case().await;
    scratch.write(
        "spoor.toml",
        "[[allow]]\nrule = \"role-lacks-*\"\nreason = \"known | since May\"\n",
    );
    let whole = detect(&scratch, &[]).stdout;
    let report = json(&detect_into(&scratch, "report.json"));
    let n_events = report["evidence"]["n_events"].as_u64().unwrap();
    let n_findings = ids(&report).len();
    let closing = whole.rsplit_once("\n\n").unwrap().1;
    let lines: Vec<&str> = closing.lines().collect();
    assert!(
        lines[0].starts_with(&format!("{n_findings} findings: "))
            && lines[0].ends_with(&format!("; 3 rules run over {n_events} events")),
        "{closing}"
    );
    for budget in report["budget"].as_array().unwrap() {
        let rule = budget["rule"].as_str().unwrap();
        let line = lines.iter().find(|line| line.ends_with(rule)).unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[0], budget["n_findings"].to_string());
        assert_eq!(cells[1], budget["n_events"].to_string());
        let percent = budget["n_events"].as_f64().unwrap() * 100.0 / n_events as f64;
        assert_eq!(cells[2], format!("{percent:.4}"));
    }
    let n_suppressed = report["suppressed"].as_array().unwrap().len();
    assert!(n_suppressed > 0);
    let suppressed = format!(
        "lists     {n_suppressed} suppressed by [[allow]] 1: role-lacks-* (known | since May)"
    );
    assert!(lines.contains(&suppressed.as_str()), "{closing}");
    assert!(closing.contains("\nlearning  assume-role-first-seen-edge ("));
    assert!(!closing.contains("role-lacks-permissions"), "{closing}");
    assert_eq!(report["suppressed_by"][0]["n_findings"], n_suppressed);

    // What was not asked for is counted, and its events are in no sum.
    let bad = detect(&scratch, &["--format=json", "--min-severity=critical"]);
    let bad = json(&bad.stdout);
    assert_eq!(
        bad["n_left_out"].as_u64().unwrap() as usize + ids(&bad).len(),
        n_findings
    );
    assert!(
        bad["totals"]["all"]["n_events"].as_u64() < report["totals"]["all"]["n_events"].as_u64()
    );
    let rules = |value: &Value| -> Vec<String> {
        let rows = value.as_array().unwrap().iter();
        let mut rules: Vec<_> = rows.map(|row| row["rule"].to_string()).collect();
        rules.sort();
        rules
    };
    assert_eq!(rules(&bad["budget"]), rules(&bad["notes"]));
}

#[tokio::test]
async fn reports_to_hand_over_hold_every_finding() {
    let scratch = sample_case().await;
    let report = json(&detect(&scratch, &["--format=json"]).stdout);
    let markdown = detect_into(&scratch, "report.md");
    let html = detect_into(&scratch, "report.html");
    assert_eq!(html, detect(&scratch, &["--format=html"]).stdout);
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    assert!(!ids(&report).is_empty());
    for finding in report["findings"].as_array().unwrap() {
        let id = finding["id"].as_str().unwrap();
        let title = finding["title"].as_str().unwrap();
        assert!(html.contains(&format!("id=\"finding-{id}\"")));
        assert!(markdown.contains(&format!("<a id=\"finding-{id}\">")));
        assert!(html.contains(title) && markdown.contains(title));
        let recipes = finding["remediation"].as_array().unwrap();
        assert!(!recipes.is_empty());
        for recipe in recipes {
            let id = recipe["id"].as_str().unwrap();
            assert!(html.contains(&format!("<code>{id}</code></summary>")));
            assert!(markdown.contains(&format!("(`{id}`)")));
        }
    }
    for notes in report["notes"].as_array().unwrap() {
        let question = notes["triage"][0].as_str().unwrap();
        assert!(markdown.contains(question), "{question}");
    }
    // Every part of a recipe came through, and none of its Markdown is left in the page.
    for part in ["Console", "CLI", "boto3", "Notes"] {
        assert!(html.contains(&format!("<h4>{part}</h4>")));
        assert!(markdown.contains(&format!("###### {part}\n")));
    }
    assert!(!html.contains("```") && !html.contains("## "));
    // A part of several blocks is one part, and no block is lost.
    assert_eq!(
        markdown.matches("###### CLI\n").count(),
        html.matches("<h4>CLI</h4>").count()
    );
    let n_shell = markdown.matches("\n```sh\n").count();
    let n_python = markdown.matches("\n```python\n").count();
    assert!(n_shell > 0 && html.matches("<pre>").count() >= n_shell + n_python);
}

#[cfg(unix)]
#[tokio::test]
async fn the_shell_has_the_outcome_as_tables() {
    let scratch = sample_case().await;
    scratch.write(
        "spoor.toml",
        "[[allow]]\nrule = \"trust-policy-untrusted-*\"\nreason = \"a drill\"\n",
    );
    scratch.write(
        "asked.sql",
        ".detect trust-policy-untrusted-account\n\
         SELECT count(*) AS n FROM findings;\n\
         SELECT DISTINCT rule, entry, reason FROM suppressed;\n\
         .mode markdown\n\
         .detect role-lacks-permissions\n\
         .mode ndjson\n\
         SELECT rule, severity, count, cardinality(event_ids) AS n_ids FROM findings;\n\
         SELECT count(*) AS n FROM suppressed;\n",
    );
    let done = scratch.shell("\"$SPOOR\" repl < asked.sql");
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines: Vec<&str> = done.stdout.lines().collect();
    let rule = "\"rule\":\"trust-policy-untrusted-account\"";
    let expected = format!(
        "{{{rule},\"entry\":\"[[allow]] 1: trust-policy-untrusted-*\",\"reason\":\"a drill\"}}"
    );
    assert_eq!(lines[..2], ["{\"n\":0}", &expected], "{}", done.stdout);
    assert_eq!(lines[2], "# Findings in CloudTrail");
    let n_lines = lines.len();
    let finding = json(lines[n_lines - 2]);
    assert_eq!(finding["rule"], "role-lacks-permissions");
    assert_eq!(finding["count"], finding["n_ids"]);
    assert_eq!(lines[n_lines - 1], "{\"n\":0}");
}
