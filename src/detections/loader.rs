//! Finds rules: those compiled in, and those in folders the user names.
//!
//! A rule that cannot be loaded is an entry in [`RuleSet::errors`], never a silent gap, and does not
//! keep the others from running.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::attack::Attack;
use super::bundled::BUNDLED;
use super::rule::{Rule, RuleId};
use crate::config::Lists;
use crate::error::{FileError, Result, RuleError};
use crate::report::recipes;

/// Largest rule or case file that is read, in bytes; the bundled ones are a few kilobytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The text of a rule's cases and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseText {
    pub path: String,
    pub text: String,
}

/// Rules ready to run, sorted by id, and what kept others from it.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub rules: Vec<Rule>,
    /// The cases of the rules that have some.
    pub cases: BTreeMap<RuleId, CaseText>,
    pub errors: Vec<RuleError>,
    /// Ids of bundled rules that a user's rule replaces, sorted.
    pub replaced: Vec<RuleId>,
}

impl RuleSet {
    /// The rules that come with the binary.
    ///
    /// # Errors
    ///
    /// Only where the built-in table of techniques is malformed; a malformed rule is in `errors`.
    pub fn bundled() -> Result<Self> {
        Self::load(&[])
    }

    /// The bundled rules and those in the folders, searched through all levels for `*.sql`.
    ///
    /// # Errors
    ///
    /// Where a folder cannot be read. A file that is not a good rule is in `errors`.
    pub fn load(folders: &[PathBuf]) -> Result<Self> {
        let attack = Attack::pinned()?;
        let mut set = Self::default();
        for bundled in BUNDLED {
            let cases = CaseText {
                path: bundled.path.replace(".sql", ".cases.json"),
                text: bundled.cases.to_owned(),
            };
            set.add(bundled.path, bundled.text, Some(cases), &attack);
        }
        let mut own = Self::default();
        for folder in folders {
            own.add_folder(folder, &attack)?;
        }
        set.replace_by(own);
        Ok(set)
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id.as_str() == id)
    }

    /// Settings and allowances in the lists that name no rule or parameter, or give a value of another type. They
    /// would be ignored, and so hide findings.
    pub fn check_settings(&self, lists: &Lists) -> Vec<RuleError> {
        let mut errors = Vec::new();
        for allowance in &lists.allow {
            let id = &allowance.rule;
            // Allowances regard no case, as the suppression itself.
            let named = |rule: &Rule| rule.id.as_str().eq_ignore_ascii_case(id);
            if !id.contains('*') && !self.rules.iter().any(named) {
                let message = "an `[[allow]]` of the lists names a rule that is not there";
                errors.push(RuleError::new(id, message));
            }
        }
        for (id, settings) in &lists.rules {
            let Some(rule) = self.rule(id) else {
                errors.push(RuleError::new(
                    id,
                    "the lists name a rule that is not there",
                ));
                continue;
            };
            if let Some(text) = &settings.severity
                && let Err(error) = text.parse::<crate::finding::Severity>()
            {
                errors.push(RuleError::new(id, error.to_string()));
            }
            for (name, value) in &settings.params {
                match rule.params.get(name) {
                    None => errors.push(RuleError::new(id, format!("no parameter `{name}`"))),
                    Some(default) if default.replaced_by(value).is_none() => {
                        let wanted = default.type_name();
                        let message = format!("parameter `{name}` takes {wanted}, not `{value}`");
                        errors.push(RuleError::new(id, message));
                    }
                    Some(_) => {}
                }
            }
        }
        errors
    }

    /// A rule of the user's replaces the bundled one of its id, with its cases.
    fn replace_by(&mut self, own: Self) {
        for rule in &own.rules {
            if let Some(position) = self.rules.iter().position(|old| old.id == rule.id) {
                self.rules.remove(position);
                self.cases.remove(&rule.id);
                self.replaced.push(rule.id.clone());
            }
        }
        self.rules.extend(own.rules);
        self.cases.extend(own.cases);
        self.errors.extend(own.errors);
        self.rules.sort_by(|a, b| a.id.cmp(&b.id));
        self.replaced.sort();
    }

    fn add_folder(&mut self, folder: &Path, attack: &Attack) -> Result<()> {
        let walk = WalkDir::new(folder).sort_by_file_name();
        for entry in walk {
            let entry = entry.map_err(|error| FileError {
                action: "list",
                path: folder.to_owned(),
                source: error.into(),
            })?;
            let path = entry.path();
            if !entry.file_type().is_file() || path.extension().is_none_or(|end| end != "sql") {
                continue;
            }
            let text = match read_bounded(path) {
                Ok(text) => text,
                Err(error) => {
                    self.errors.push(error);
                    continue;
                }
            };
            let case_path = path.with_extension("cases.json");
            let cases = if case_path.is_file() {
                match read_bounded(&case_path) {
                    Ok(text) => Some(CaseText {
                        path: case_path.display().to_string(),
                        text,
                    }),
                    Err(error) => {
                        self.errors.push(error);
                        None
                    }
                }
            } else {
                None
            };
            self.add(&path.display().to_string(), &text, cases, attack);
        }
        Ok(())
    }

    fn add(&mut self, path: &str, text: &str, cases: Option<CaseText>, attack: &Attack) {
        match self.check(path, text, attack) {
            Ok(rule) => {
                if let Some(cases) = cases {
                    self.cases.insert(rule.id.clone(), cases);
                }
                self.rules.push(rule);
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn check(&self, path: &str, text: &str, attack: &Attack) -> Result<Rule, RuleError> {
        let rule = Rule::parse(path, text, attack)?;
        if let Some(other) = self.rule(rule.id.as_str()) {
            let line = rule.line_of(rule.id.as_str());
            let message = format!("line {line}: `{}` has the id `{}` too", other.path, rule.id);
            return Err(RuleError::new(path, message));
        }
        let known: BTreeSet<&str> = recipes::ids().collect();
        match rule
            .remediation
            .iter()
            .find(|id| !known.contains(id.as_str()))
        {
            Some(id) => {
                let line = rule.line_of(&format!("\"{id}\""));
                let message = format!("line {line}: there is no recipe `{id}`");
                Err(RuleError::new(path, message))
            }
            None => Ok(rule),
        }
    }
}

/// The file's text.
fn read_bounded(path: &Path) -> Result<String, RuleError> {
    let name = path.display().to_string();
    let unreadable = |source: std::io::Error| RuleError {
        rule: name.clone(),
        message: "cannot read the file".to_owned(),
        source: Some(Box::new(source)),
    };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(RuleError::new(name, "the file is larger than 1 MiB"));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| RuleError::new(name, "the file is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowances_name_a_rule_or_are_patterns() {
        let set = RuleSet::bundled().unwrap();
        for (rule, n_errors) in [
            ("trust-policy-public", 0),
            ("Trust-Policy-Public", 0),
            ("trust-*", 0),
            ("nosuch-*", 0),
            ("trust-policy-publik", 1),
        ] {
            let text = format!("[[allow]]\nrule = \"{rule}\"\nreason = \"known\"\n");
            let lists: Lists = toml::from_str(&text).unwrap();
            let errors = set.check_settings(&lists);
            assert_eq!(errors.len(), n_errors, "{rule}: {errors:?}");
            assert!(errors.iter().all(|error| error.rule == rule));
        }
    }
}
