//! Which rules speak on recordings of attacks whose events carry labels, and what else they touch there.
//!
//! The outcome is `docs/detections-corpus.md`; where it differs from what the rules do now, the corpus
//! differs. `SPOOR_WRITE_DOCS=1` writes the page anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use spoor::config::Lists;
use spoor::detections::{RuleSet, detect};
use spoor::engine::{Engine, EngineOptions};
use spoor::finding::{Finding, Severity};

use super::Report;

const PAGE: &str = "docs/detections-corpus.md";

const HEAD: &str = "# Rules over collected logs

What the bundled rules say about public recordings of attacks, each source read as a case of its own, without any \
lists. Made by `tests/corpus/labelled.rs`, which `.ci/corpus` runs where the recordings lie beside the clone; \
`SPOOR_WRITE_DOCS=1 .ci/corpus` writes the page anew.

Most of what is recorded there is no abuse of roles, and no rule is meant for it: these tables show what the rules \
reach and what they touch by the way, not a rate. Labels are those of the sources: the technique that was run, the \
ATT&CK technique that a call can serve, or the tool that made the call (its preparation and cleaning up included).
";

/// What stands below the tables: what was found when somebody looked.
const LOOKED_AT: &str = "
## What speaks without a label

Every finding on an event that no label marks was looked at, in the sources above and with all collected logs read \
as one case. None was tuned away, since each says what its events show:

- Root users at work: sign-ins without MFA, an alias, users and buckets made, an MFA device taken off, a weak password \
policy. They come from laboratories and from examples of the AWS guides in which the root user does everything.
- Administrators of laboratories: a user that writes itself a policy of `*`, `AdministratorAccess` attached to a user, \
a sign-in profile for another user, trails stopped, the bucket of a trail deleted by the clean-up of an exercise, \
metadata of a SAML provider replaced. They are what other rule sets keep as their samples of attacks.
- Examples of the guides: console sign-ins without MFA, a role of another account taken without MFA, instance \
credentials on an address that the few records of that account had not shown. Thrown together with years of other \
trails, such records look as if the account had a history, which makes what is new in them count.
- At low severity: a role for log delivery that does not pin its source, access keys without use, a first step onto a \
role, an administrator of Identity Center who makes a role.

Refused calls are no finding of most rules: the catalogue of techniques was recorded by a user who may do next to \
nothing, so most of its events fail, and are what a rule about the success of such a call leaves alone.
";

/// Labels of a source: what each event is part of.
type Labels = BTreeMap<String, String>;

/// Runs all rules over each source that has labels, and holds the page to what they say.
pub async fn check(shared: &Path, scratch: &Path, report: &mut Report) -> Result<()> {
    let text = fs::read_to_string(shared.join("data/labels/events.jsonl"))?;
    let mut sources: BTreeMap<String, Labels> = BTreeMap::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line)?;
        let file = event["file"].as_str().context("a label names its file")?;
        let id = event["eventID"]
            .as_str()
            .context("a label names its event")?;
        let (source, _) = file.split_once('/').unwrap_or((file, ""));
        let labels = sources.entry(source.to_owned()).or_default();
        labels.insert(id.to_owned(), label(&event));
    }
    let mut page = HEAD.to_owned();
    for (source, labels) in &sources {
        let folder = shared.join("data/events").join(source);
        let (lake, summary) = super::read(&folder, &scratch.join(source)).await?;
        let engine = Engine::open(&lake, EngineOptions::default()).await?;
        let found = detect(&engine, &RuleSet::bundled()?, &Lists::default()).await?;
        for error in &found.errors {
            report.differ(&error.rule, &error.message);
        }
        write_source(
            &mut page,
            source,
            summary.rows_written,
            labels,
            &found.findings,
        )?;
    }
    page.push_str(LOOKED_AT);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("SPOOR_WRITE_DOCS").is_some() {
        fs::write(&path, &page)?;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    for (index, (kept, made)) in kept.lines().zip(page.lines()).enumerate() {
        if kept != made {
            let place = format!("{PAGE}, line {}", index + 1);
            report.differ(&place, &format!("`{kept}` is `{made}` now"));
        }
    }
    if kept.lines().count() != page.lines().count() {
        report.differ(PAGE, "has more or fewer lines than the rules make");
    }
    report.figure("sources with labels", sources.len());
    Ok(())
}

/// What an event is part of, in the most exact words of its source.
fn label(event: &Value) -> String {
    if let Some(technique) = event["technique"].as_str() {
        return technique.to_owned();
    }
    let mitre = event["mitre"].as_array().into_iter().flatten();
    let mitre: Vec<&str> = mitre.filter_map(Value::as_str).collect();
    if !mitre.is_empty() {
        return mitre.join(", ");
    }
    event["label"].as_str().unwrap_or("labelled").to_owned()
}

fn write_source(
    page: &mut String,
    source: &str,
    n_events: u64,
    labels: &Labels,
    findings: &[Finding],
) -> Result<()> {
    write!(
        page,
        "\n## {source}\n\n{n_events} events, {} of them with a label.\n\n\
         | label | events | in findings | at medium or worse | rules and how many of the events they name |\n\
         |---|--:|--:|--:|---|\n",
        labels.len()
    )?;
    let names: BTreeSet<&String> = labels.values().collect();
    for name in names {
        let events: BTreeSet<&str> = labels
            .iter()
            .filter(|(_, label)| *label == name)
            .map(|(id, _)| id.as_str())
            .collect();
        let mut rules: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let (mut told, mut loud) = (BTreeSet::new(), BTreeSet::new());
        for finding in findings {
            let ids = finding.event_ids.iter().map(String::as_str);
            let named: Vec<&str> = ids.filter(|id| events.contains(id)).collect();
            if named.is_empty() {
                continue;
            }
            told.extend(named.iter().copied());
            if finding.severity >= Severity::Medium {
                loud.extend(named.iter().copied());
            }
            rules.entry(&finding.rule).or_default().extend(named);
        }
        let rules: Vec<String> = rules
            .iter()
            .map(|(rule, ids)| format!("{rule} ({})", ids.len()))
            .collect();
        writeln!(
            page,
            "| {name} | {} | {} | {} | {} |",
            events.len(),
            told.len(),
            loud.len(),
            rules.join(", ")
        )?;
    }
    write_rules(page, labels, findings)
}

/// What each rule says in a source, and how many events without a label it names.
fn write_rules(page: &mut String, labels: &Labels, findings: &[Finding]) -> Result<()> {
    let mut rules: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        rules.entry(&finding.rule).or_default().push(finding);
    }
    if rules.is_empty() {
        return Ok(());
    }
    page.push_str(
        "\n| rule | findings | at medium or worse | labelled events | other events | findings without a labelled event |\n\
         |---|--:|--:|--:|--:|--:|\n",
    );
    for (rule, findings) in rules {
        let ids: BTreeSet<&str> = findings
            .iter()
            .flat_map(|finding| finding.event_ids.iter().map(String::as_str))
            .collect();
        let n_labelled = ids.iter().filter(|id| labels.contains_key(**id)).count();
        let n_loud = findings
            .iter()
            .filter(|finding| finding.severity >= Severity::Medium)
            .count();
        let is_labelled = |finding: &&&Finding| {
            let mut ids = finding.event_ids.iter();
            ids.any(|id| labels.contains_key(id))
        };
        let n_others = findings.len() - findings.iter().filter(is_labelled).count();
        writeln!(
            page,
            "| {rule} | {} | {n_loud} | {n_labelled} | {} | {n_others} |",
            findings.len(),
            ids.len() - n_labelled
        )?;
    }
    Ok(())
}
