//! What is wrong with rules, or could be better, each with its place.
//!
//! Errors are what keeps a rule from working or from being believed: it does not load or plan, lacks
//! cases, names columns that are not there. Warnings are what a reader or a large lake would suffer
//! from. Nothing here looks at evidence: statements are planned over a lake without events.

use std::collections::BTreeSet;
use std::fmt;

use arrow::datatypes::{DataType, Schema};

use super::cases;
use super::group::MEANINGFUL_COLUMNS;
use super::loader::RuleSet;
use super::outcome::Failure;
use super::render::{GROUPED, variables};
use super::row::check_columns;
use super::rule::{Kind, Rule};
use super::runner::params;
use super::shared::{materialize, words_read};
use crate::config::{LISTS_FILE, Lists};
use crate::engine::{Engine, EngineOptions, Examined, list_tables};
use crate::error::{Error, FileError, Result, RuleError};
use crate::lake::Lake;

/// The longest title that leaves the table of rules readable, in characters.
pub const MAX_TITLE_CHARS: usize = 70;

/// Lists that the functions on trust policies read by themselves.
const LISTS_OF_FUNCTIONS: [&str; 3] = ["own_accounts", "own_org_ids", "vendor_accounts"];

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error,
    Warning,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The rule's file, its cases, or the file of the lists.
    pub path: String,
    /// From 1; none where the problem is about all of the file.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    pub level: Level,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, "{number}:")?;
        }
        write!(f, " {}: {}", self.level.as_str(), self.message)
    }
}

/// Looks at the rules that `wanted` accepts, and at what could not be loaded. Where it accepts all,
/// also at the lists. Sorted by place.
///
/// # Errors
///
/// Only where no engine can be made at all.
pub async fn lint(set: &RuleSet, wanted: impl Fn(&str) -> bool) -> Result<Vec<Problem>> {
    let mut problems: Vec<Problem> = Vec::new();
    let errors = set.errors.iter().filter(|error| wanted(stem(&error.rule)));
    problems.extend(errors.map(unloaded));
    let rules: Vec<&Rule> = set
        .rules
        .iter()
        .filter(|rule| wanted(rule.id.as_str()))
        .collect();
    // A lake and not events in memory, since only a lake's table takes filters.
    let folder = tempfile::tempdir().map_err(FileError::at("create", std::env::temp_dir()))?;
    let lake = Lake::open_or_create(folder.path()).await?;
    let engine = Engine::open(&lake, EngineOptions::default()).await?;
    // As in a run: what a shared view reads is not the doing of the rule.
    materialize(&engine, &rules, 0).await?;
    for rule in &rules {
        let mut linted = Linted {
            rule,
            problems: &mut problems,
        };
        linted.check_words();
        linted.check_lists();
        linted.check_cases(set);
        linted.check_statement(&engine).await;
    }
    if rules.len() == set.rules.len() && set.errors.is_empty() {
        problems.extend(unread_lists(&rules));
    }
    problems.sort();
    problems.dedup();
    Ok(problems)
}

/// A rule and where its problems go.
struct Linted<'a> {
    rule: &'a Rule,
    problems: &'a mut Vec<Problem>,
}

impl Linted<'_> {
    fn add(
        &mut self,
        level: Level,
        line: usize,
        column: Option<usize>,
        message: impl Into<String>,
    ) {
        self.problems.push(Problem {
            path: self.rule.path.clone(),
            line: Some(line),
            column,
            level,
            message: message.into(),
        });
    }

    /// The front matter as a reader sees it.
    fn check_words(&mut self) {
        let rule = self.rule;
        let n_chars = rule.title.chars().count();
        let line = key_line(rule, "title");
        if n_chars > MAX_TITLE_CHARS {
            let message =
                format!("the title has {n_chars} characters, more than {MAX_TITLE_CHARS}");
            self.add(Level::Warning, line, None, message);
        }
        if rule.title.ends_with('.') {
            self.add(
                Level::Warning,
                line,
                None,
                "a title ends without a full stop",
            );
        }
        if !rule.summary.trim_end().ends_with('.') {
            let line = key_line(rule, "summary");
            self.add(
                Level::Warning,
                line,
                None,
                "the summary is a sentence and ends in a full stop",
            );
        }
        for question in rule.triage.iter().filter(|text| !text.ends_with('?')) {
            let line = value_line(rule, "triage", question);
            self.add(
                Level::Warning,
                line,
                None,
                "an entry of `triage` is a question",
            );
        }
        if rule.references.is_empty() {
            let line = key_line(rule, "references");
            self.add(
                Level::Warning,
                line,
                None,
                "no `references`: where can one read more?",
            );
        }
        for url in rule
            .references
            .iter()
            .filter(|url| !url.starts_with("https://"))
        {
            let line = value_line(rule, "references", url);
            self.add(
                Level::Warning,
                line,
                None,
                format!("`{url}` is no https address"),
            );
        }
    }

    /// A list that a reader is told to fill must be one that the rule looks into.
    fn check_lists(&mut self) {
        let rule = self.rule;
        let read = Reads::of(&[rule]);
        for entry in &rule.false_positives {
            let named = entry.split('`').skip(1).step_by(2);
            for list in named.filter(|name| list_tables().contains(name)) {
                if !read.list(list) {
                    let line = value_line(rule, "false_positives", entry);
                    let message =
                        format!("`false_positives` names `{list}`, which the rule does not read");
                    self.add(Level::Warning, line, None, message);
                }
            }
        }
    }

    fn check_cases(&mut self, set: &RuleSet) {
        let Some(text) = set.cases.get(&self.rule.id) else {
            let message = format!(
                "no cases: a hit and a near miss belong into `{}.cases.json`",
                self.rule.id
            );
            return self.add(Level::Error, 1, None, message);
        };
        let (line, message) = match cases::parse(text) {
            Ok(cases) => {
                let n_hits = cases.iter().filter(|case| !case.expect.is_empty()).count();
                match (n_hits, cases.len() - n_hits) {
                    (0, 0) => (
                        None,
                        "there is no case; a hit and a near miss are the least".to_owned(),
                    ),
                    (0, _) => (None, "no case expects a finding".to_owned()),
                    (_, 0) => (
                        None,
                        "no case is a near miss, which expects nothing".to_owned(),
                    ),
                    _ => return,
                }
            }
            Err(error) => (json_line(&error), Failure::new("", &error).message),
        };
        self.problems.push(Problem {
            path: text.path.clone(),
            line,
            column: None,
            level: Level::Error,
            message,
        });
    }

    async fn check_statement(&mut self, engine: &Engine) {
        let rule = self.rule;
        match engine
            .examine(&rule.sql, &params(rule, &Lists::default()))
            .await
        {
            Ok(examined) => {
                self.check_answer(&examined.schema);
                self.check_scans(&examined);
            }
            Err(error) => {
                let hint = error.hint().map(|hint| format!(" ({hint})"));
                let said = match &error {
                    Error::Query(error) => error.message.clone(),
                    error => error.to_string(),
                };
                let (line, column, message) = placed(&said);
                let (line, column) = match line {
                    Some(line) => {
                        let (line, column) = rule.place_in_file(line, column.unwrap_or(1));
                        (line, Some(column))
                    }
                    None => (rule.place_in_file(1, 1).0, None),
                };
                let message = format!("{message}{}", hint.unwrap_or_default());
                self.add(Level::Error, line, column, message);
            }
        }
    }

    /// The columns, and what else names them.
    fn check_answer(&mut self, schema: &Schema) {
        let rule = self.rule;
        let statement = rule.place_in_file(1, 1).0;
        if let Err(error) = check_columns(rule.id.as_str(), schema) {
            self.add(Level::Error, statement, None, error.message);
        }
        for name in MEANINGFUL_COLUMNS {
            if let Ok(field) = schema.field_with_name(name)
                && let Some(wanted) = wrong_type(name, field.data_type())
            {
                let message = format!("column `{name}` is {wanted}");
                self.add(Level::Error, statement, None, message);
            }
        }
        let column = |name: &str| schema.field_with_name(name).is_ok();
        for name in rule.group_by.iter().filter(|name| !column(name)) {
            let line = value_line(rule, "group_by", name);
            self.add(
                Level::Error,
                line,
                None,
                format!("`group_by` names `{name}`, which is no column"),
            );
        }
        let line = key_line(rule, "summary");
        match variables(&rule.summary) {
            Ok(names) => {
                for name in names {
                    if !column(&name) && !GROUPED.contains(&name.as_str()) {
                        let message = format!("the summary names `{name}`, which is no column");
                        let at = summary_line(rule, line, &name);
                        self.add(Level::Error, at, None, message);
                    }
                }
            }
            Err((inner, message)) => {
                let message = format!("the summary is no template: {message}");
                self.add(Level::Error, line + inner - 1, None, message);
            }
        }
        if rule.kind == Kind::FirstSeen && !column("learning") {
            let message = "a first-seen rule without a column `learning` cannot tell new from not yet recorded";
            self.add(Level::Warning, statement, None, message);
        }
    }

    fn check_scans(&mut self, examined: &Examined) {
        let rule = self.rule;
        match (&rule.full_scan, examined.n_full_scans) {
            (None, 0) | (Some(_), 1..) => {}
            (None, n) => {
                let line = rule.place_in_file(1, 1).0;
                let times = if n == 1 {
                    "once".to_owned()
                } else {
                    format!("{n} times")
                };
                let message = format!(
                    "the rule reads all events {times}, since no filter on a column of theirs reaches \
                     the scan (name event sources or names, or say `full_scan = \"why\"`)"
                );
                self.add(Level::Warning, line, None, message);
            }
            (Some(_), 0) => {
                let line = key_line(rule, "full_scan");
                self.add(
                    Level::Warning,
                    line,
                    None,
                    "`full_scan` is declared and not needed",
                );
            }
        }
    }
}

/// A rule that did not load, as its loader says it: `line 3: …`.
fn unloaded(error: &RuleError) -> Problem {
    let said = Failure::new("", error).message;
    let (line, column, message) = placed(&said);
    Problem {
        path: error.rule.clone(),
        line,
        column,
        level: Level::Error,
        message: message.to_owned(),
    }
}

/// Lists that could be filled for nothing.
fn unread_lists(rules: &[&Rule]) -> Vec<Problem> {
    let read = Reads::of(rules);
    let unread = list_tables().into_iter().filter(|list| !read.list(list));
    unread
        .map(|list| Problem {
            path: LISTS_FILE.to_owned(),
            line: None,
            column: None,
            level: Level::Warning,
            message: format!("no rule reads the list `{list}`"),
        })
        .collect()
}

/// The lists that a rule looks into, directly or through views and functions.
pub fn lists_read(rule: &Rule) -> Vec<&'static str> {
    let read = Reads::of(&[rule]);
    let mut lists = list_tables();
    lists.retain(|list| read.list(list));
    lists
}

/// What rules read.
struct Reads {
    /// The words of the rules and of their views.
    words: BTreeSet<String>,
    /// A rule asks what a trust policy amounts to. That some view could tell is not enough: many do.
    trust: bool,
}

impl Reads {
    fn of(rules: &[&Rule]) -> Self {
        let asks = |rule: &&Rule| {
            let mut words = rule.sql.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            words.any(|word| word.to_lowercase().starts_with("trust_"))
        };
        Self {
            words: words_read(rules),
            trust: rules.iter().any(asks),
        }
    }

    fn list(&self, list: &str) -> bool {
        self.words.contains(list) || self.trust && LISTS_OF_FUNCTIONS.contains(&list)
    }
}

/// What a column with a meaning must be, where it is not.
fn wrong_type(name: &str, found: &DataType) -> Option<&'static str> {
    let found = match found {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    let is_text = matches!(
        found,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    let is_null = matches!(found, DataType::Null);
    match name {
        "severity" | "suppressed_by" => (!is_text && !is_null).then_some("a text"),
        "event_ids" => {
            let is_list = matches!(found, DataType::List(_) | DataType::LargeList(_));
            (!is_list).then_some("a list of event ids")
        }
        "learning" => (*found != DataType::Boolean && !is_null).then_some("true or false"),
        // Times; texts of the same form serve too.
        _ => {
            let is_time = matches!(found, DataType::Timestamp(_, _));
            (!is_time && !is_text && !is_null).then_some("a time")
        }
    }
}

/// Takes `line 3, column 4: ` or `line 3: ` off a message.
fn placed(message: &str) -> (Option<usize>, Option<usize>, &str) {
    let parsed = || {
        let (place, rest) = message.strip_prefix("line ")?.split_once(": ")?;
        let (line, column) = match place.split_once(", column ") {
            Some((line, column)) => (line, Some(column.parse().ok()?)),
            None => (place, None),
        };
        Some((Some(line.parse().ok()?), column, rest))
    };
    parsed().unwrap_or((None, None, message))
}

/// The line on which the JSON reader stopped.
fn json_line(error: &RuleError) -> Option<usize> {
    let source = error
        .source
        .as_deref()?
        .downcast_ref::<serde_json::Error>()?;
    Some(source.line()).filter(|line| *line > 0)
}

/// The line of a key of the front matter.
fn key_line(rule: &Rule, key: &str) -> usize {
    let is_key = |line: &str| {
        let rest = line.trim_start().strip_prefix(key);
        rest.is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    rule.text
        .lines()
        .position(is_key)
        .map_or(1, |index| index + 1)
}

/// The line of an entry of a list of the front matter: the first after the key that has the text.
fn value_line(rule: &Rule, key: &str, value: &str) -> usize {
    let from = key_line(rule, key);
    let start = value.lines().next().unwrap_or_default();
    let lines = rule.text.lines().enumerate().skip(from - 1);
    let mut found = lines.filter(|(_, line)| line.contains(start));
    found.next().map_or(from, |(index, _)| index + 1)
}

/// The line of the summary that names a variable.
fn summary_line(rule: &Rule, from: usize, name: &str) -> usize {
    let n_lines = rule.summary.lines().count().max(1) + 1;
    let lines = rule.text.lines().enumerate().skip(from - 1).take(n_lines);
    let is_word = |line: &str| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| word == name)
    };
    let mut found = lines.filter(|(_, line)| is_word(line));
    found.next().map_or(from, |(index, _)| index + 1)
}

/// The id that a file would have.
fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
