//! `spoor rules show`.

use std::fmt::Write as _;
use std::io::Write;

use clap::Args;

use crate::cli::output::Target;
use crate::detections::attack::Attack;
use crate::detections::{ParamValue, Rule, RuleSet, lists_read};
use crate::error::{ReportError, Result};
use crate::report::recipes;
use crate::report::safe;

/// Columns of the page.
const WIDTH: usize = 100;

/// Which rule, and in what form.
#[derive(Debug, Args)]
pub(super) struct Show {
    id: String,
    /// The statement alone
    #[arg(long, conflicts_with = "raw")]
    sql: bool,
    /// The rule's file as it is
    #[arg(long)]
    raw: bool,
}

impl Show {
    pub(super) fn run(&self, set: &RuleSet) -> Result<()> {
        let rule = super::find(set, &self.id)?;
        let text = if self.raw {
            rule.text.trim_end().to_owned()
        } else if self.sql {
            rule.sql.clone()
        } else {
            page(rule, &Attack::pinned()?)
        };
        let mut out = Target::stdout().open()?;
        writeln!(out, "{}", safe::lines(&text)).map_err(ReportError::Write)?;
        out.finish()
    }
}

fn page(rule: &Rule, attack: &Attack) -> String {
    let mut page = format!("{}\n{}\n\n", rule.title, rule.id);
    let techniques: Vec<String> = rule.attack.iter().map(|id| technique(id, attack)).collect();
    for (name, value) in [
        ("severity", rule.severity.as_str().to_owned()),
        ("family", rule.family.clone()),
        ("kind", rule.kind.as_str().to_owned()),
        ("maturity", rule.maturity.as_str().to_owned()),
        ("risk", rule.risk.join(", ")),
        ("ATT&CK", techniques.join("\n")),
        ("lists", lists_read(rule).join(", ")),
        ("full scan", rule.full_scan.clone().unwrap_or_default()),
        ("file", rule.path.clone()),
    ] {
        for (index, line) in value.lines().enumerate() {
            let name = if index == 0 { name } else { "" };
            let _ = writeln!(page, "{name:<10} {line}");
        }
    }
    let _ = writeln!(page, "\n{}", wrapped(&rule.description, ""));
    let recipes: Vec<String> = rule.remediation.iter().map(|id| recipe(id)).collect();
    let params = rule.params.iter();
    let params: Vec<String> = params
        .map(|(name, default)| format!("{name} = {}", shown(default)))
        .collect();
    for (heading, entries) in [
        ("False positives", &rule.false_positives),
        ("Triage", &rule.triage),
        ("Remediation", &recipes),
        ("Parameters", &params),
        ("References", &rule.references),
    ] {
        if entries.is_empty() {
            continue;
        }
        let _ = writeln!(page, "\n{heading}");
        for entry in entries {
            let _ = writeln!(page, "{}", wrapped(entry, "  "));
        }
    }
    let _ = write!(page, "\nSQL\n{}", rule.sql);
    page
}

/// `T1685.002 Disable or Modify Cloud Log (older: T1562.008)`.
fn technique(id: &str, attack: &Attack) -> String {
    match attack.technique(id) {
        None => id.to_owned(),
        Some(technique) if technique.older.is_empty() => format!("{id} {}", technique.name),
        Some(technique) => {
            format!(
                "{id} {} (older: {})",
                technique.name,
                technique.older.join(", ")
            )
        }
    }
}

/// `contain-user: Contain a user`.
fn recipe(id: &str) -> String {
    match recipes::title(id) {
        Some(title) => format!("{id}: {title}"),
        None => id.to_owned(),
    }
}

fn shown(value: &ParamValue) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A paragraph in lines, each behind `indent`, the ones after the first two columns further in where
/// there is an indent.
fn wrapped(text: &str, indent: &str) -> String {
    let hanging = if indent.is_empty() { "" } else { "  " };
    let mut lines: Vec<String> = Vec::new();
    let mut line = indent.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, format!("{indent}{hanging}")));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn paragraphs_are_wrapped_between_words() {
        let text = "word ".repeat(41);
        let lines = wrapped(&text, "  ");
        let lengths: Vec<usize> = lines.lines().map(str::len).collect();
        assert_eq!(lengths, [96, 98, 18]);
        assert_eq!(wrapped("a  b\nc", ""), "a b c");
    }

    #[test]
    fn a_page_names_everything() {
        let set = RuleSet::bundled().unwrap();
        let attack = Attack::pinned().unwrap();
        for rule in &set.rules {
            let page = page(rule, &attack);
            let words: BTreeSet<&str> = page.split_whitespace().collect();
            for word in [rule.id.as_str(), rule.severity.as_str(), rule.kind.as_str()] {
                assert!(words.contains(word), "{}: {word}", rule.id);
            }
            assert!(page.contains(&rule.title) && page.ends_with(&rule.sql));
            assert!(rule.references.iter().all(|url| page.contains(url)));
            assert!(
                rule.params
                    .keys()
                    .all(|name| page.contains(&format!("  {name} =")))
            );
        }
    }
}
