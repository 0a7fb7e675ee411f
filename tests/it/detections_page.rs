//! `docs/detections.md` is what the bundled rules say of themselves.
//!
//! `SPOOR_WRITE_DOCS=1 cargo test --test it detections_page` writes the page anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use spoor::detections::attack::Attack;
use spoor::detections::{ParamValue, Rule, RuleSet, lists_read};
use spoor::report::recipes;

const HEAD: &str = "# Detections

The rules that come with spoor. Made from the rules themselves by `tests/it/detections_page.rs`: change a rule's \
front matter, then run `SPOOR_WRITE_DOCS=1 cargo test --test it detections_page`.

Techniques are those of ATT&CK version {version}; where an older version had another id, it stands in brackets. \
How to tune rules and to write others: [Writing rules](writing-rules.md). Which rules speak on public attack \
recordings: [Rules over collected logs](detections-corpus.md).
";

#[test]
fn the_page_is_what_the_rules_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/detections.md");
    let made = page(
        &RuleSet::bundled().unwrap().rules,
        &Attack::pinned().unwrap(),
    );
    if std::env::var_os("SPOOR_WRITE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(made.lines()).position(|(a, b)| a != b);
    assert!(
        kept == made,
        "docs/detections.md is out of step from line {}: SPOOR_WRITE_DOCS=1 writes it anew",
        differs.map_or(kept.lines().count().min(made.lines().count()), |n| n) + 1
    );
}

fn page(rules: &[Rule], attack: &Attack) -> String {
    let mut families: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        families.entry(&rule.family).or_default().push(rule);
    }
    let mut page = HEAD.replace("{version}", &attack.version);
    for (family, rules) in &families {
        write!(page, "\n## Family {family}\n\n").unwrap();
        page.push_str(
            "| rule | severity | kind | maturity | risk | ATT&CK |\n|---|---|---|---|---|---|\n",
        );
        for rule in rules {
            let techniques: Vec<String> =
                rule.attack.iter().map(|id| technique(id, attack)).collect();
            writeln!(
                page,
                "| [{id}](#{id}) | {} | {} | {} | {} | {} |",
                rule.severity,
                rule.kind.as_str(),
                rule.maturity.as_str(),
                rule.risk.join(", "),
                techniques.join(", "),
                id = rule.id
            )
            .unwrap();
        }
    }
    for rule in families.values().flatten() {
        page.push_str(&entry(rule, attack));
    }
    page
}

fn entry(rule: &Rule, attack: &Attack) -> String {
    let mut text = format!(
        "\n## {}\n\n**{}.** {}\n",
        rule.id,
        rule.title,
        words(&rule.description)
    );
    let mut add = |heading: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            write!(text, "\n{heading}\n\n").unwrap();
            for line in lines {
                writeln!(text, "- {}", words(&line)).unwrap();
            }
        }
    };
    add(
        "ATT&CK:",
        rule.attack
            .iter()
            .filter_map(|id| attack.technique(id))
            .map(|known| format!("{} {}", technique(&known.id, attack), known.name))
            .collect(),
    );
    let params = rule.params.iter();
    add(
        "Parameters:",
        params
            .map(|(name, default)| format!("`{name}` = `{}`", shown(default)))
            .collect(),
    );
    let lists = lists_read(rule);
    add(
        "Lists:",
        lists.iter().map(|list| format!("`{list}`")).collect(),
    );
    add(
        "Reads all events:",
        rule.full_scan.iter().cloned().collect(),
    );
    add("Harmless where:", rule.false_positives.clone());
    add("To ask of a finding:", rule.triage.clone());
    let recipe = |id: &String| format!("`{id}`: {}", recipes::title(id).unwrap_or_default());
    add("What to do:", rule.remediation.iter().map(recipe).collect());
    add(
        "To read:",
        rule.references
            .iter()
            .map(|url| format!("<{url}>"))
            .collect(),
    );
    text
}

/// `T1685.002 (T1562.008)`.
fn technique(id: &str, attack: &Attack) -> String {
    let older = attack.technique(id).map(|known| known.older.join(", "));
    match older.filter(|older| !older.is_empty()) {
        Some(older) => format!("{id} ({older})"),
        None => id.to_owned(),
    }
}

fn shown(value: &ParamValue) -> String {
    serde_json::to_string(value).unwrap()
}

/// One line, however the source breaks it.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
