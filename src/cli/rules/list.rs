//! `spoor rules list`.

use std::io::Write;

use clap::Args;

use crate::cli::output::Target;
use crate::detections::attack::Attack;
use crate::detections::{Rule, RuleSet};
use crate::error::{ReportError, Result};
use crate::report::safe;

/// Which rules, and how they are printed.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only rules of this family (`assume-role`, `create-role`, `hygiene`, or a folder of yours)
    #[arg(long, value_name = "FAMILY")]
    family: Option<String>,
    /// Only rules of this kind (`stateless`, `window`, `first-seen`, `sequence`, `graph`, `state`)
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only rules about this risk; a part of its words is enough
    #[arg(long, value_name = "WORDS")]
    risk: Option<String>,
    /// Only rules about this ATT&CK technique or one below it, by its present or an older id
    #[arg(long, value_name = "ID")]
    attack: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl List {
    /// Without flags.
    pub(super) fn all() -> Self {
        Self {
            family: None,
            kind: None,
            risk: None,
            attack: None,
            json: false,
            target: Target::stdout(),
        }
    }

    pub(super) fn run(&self, set: &RuleSet) -> Result<()> {
        let attack = Attack::pinned()?;
        let mut out = self.target.open()?;
        for rule in set.rules.iter().filter(|rule| self.wants(rule, &attack)) {
            let line = if self.json {
                serde_json::to_string(rule).map_err(|error| ReportError::Encode {
                    format: "json",
                    source: error.into(),
                })?
            } else {
                format!(
                    "{:<45} {:<9} {:<11} {}",
                    rule.id.as_str(),
                    rule.severity,
                    rule.kind.as_str(),
                    safe::line(&rule.title)
                )
            };
            writeln!(out, "{line}").map_err(ReportError::Write)?;
        }
        out.finish()
    }

    fn wants(&self, rule: &Rule, attack: &Attack) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            let same = |wanted: &String| wanted.eq_ignore_ascii_case(found);
            wanted.as_ref().is_none_or(same)
        };
        let of_risk = |words: &String| {
            let words = words.to_lowercase();
            rule.risk
                .iter()
                .any(|risk| risk.to_lowercase().contains(&words))
        };
        let of_technique = |wanted: &String| {
            rule.attack.iter().any(|id| {
                let older = attack
                    .technique(id)
                    .map(|technique| technique.older.as_slice());
                let ids = older.unwrap_or_default().iter().chain([id]);
                ids.into_iter().any(|id| is_or_is_below(id, wanted))
            })
        };
        is(&self.family, &rule.family)
            && is(&self.kind, rule.kind.as_str())
            && self.risk.as_ref().is_none_or(of_risk)
            && self.attack.as_ref().is_none_or(of_technique)
    }
}

/// `T1098.003` is below `T1098`.
fn is_or_is_below(id: &str, wanted: &str) -> bool {
    let (id, wanted) = (id.to_uppercase(), wanted.to_uppercase());
    let rest = id.strip_prefix(&wanted);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_techniques_are_below_their_technique() {
        for (id, wanted, expected) in [
            ("T1098.003", "t1098", true),
            ("T1098.003", "T1098.003", true),
            ("T1098", "T1098.003", false),
            ("T1098.003", "T109", false),
        ] {
            assert_eq!(is_or_is_below(id, wanted), expected, "{id} {wanted}");
        }
    }
}
