//! A detection rule: one SQL file with TOML front matter in its leading comment.
//!
//! A [`Rule`] that exists is well formed: its id is the file's stem, every field is there and known,
//! its techniques are in the pinned table, and each parameter it uses has a default. Whether the SQL
//! plans and gives the fixed columns is for the runner, which has an engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use serde::{Deserialize, Serialize};

use super::attack::Attack;
use crate::error::RuleError;
use crate::finding::{RuleNotes, Severity};

/// The columns every rule gives first, in this order.
pub const FIXED_COLUMNS: [&str; 8] = [
    "eventtime",
    "eventid",
    "recipientaccountid",
    "awsregion",
    "actor",
    "sourceipaddress",
    "eventname",
    "subject",
];

/// Longest id: it becomes a file name, a SARIF rule id and a column of the terminal table.
const MAX_ID_BYTES: usize = 64;

const OPEN: &str = "/*---";
const CLOSE: &str = "---*/";

/// A rule's name: lower-case words joined by hyphens, the stem of its file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RuleId(String);

impl RuleId {
    /// Takes the text if it has the form of an id.
    ///
    /// # Errors
    ///
    /// Where the text is empty, long, or has anything but lower-case letters, digits and single
    /// hyphens between them.
    pub fn new(text: &str) -> Result<Self, RuleError> {
        let word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if text.len() <= MAX_ID_BYTES && text.split('-').all(word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RuleError::new(
                text,
                "an id is lower-case words joined by hyphens, at most 64 bytes",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How far a rule can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Maturity {
    /// Quiet on ordinary trails.
    Stable,
    /// Needs tuning of its lists or parameters on some trails.
    Incubating,
    /// An experiment.
    Sandbox,
    /// Kept for its id only.
    Deprecated,
}

impl Maturity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Incubating => "incubating",
            Self::Sandbox => "sandbox",
            Self::Deprecated => "deprecated",
        }
    }
}

/// What a rule looks at to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One event.
    Stateless,
    /// Several events of one principal in a span of time.
    Window,
    /// History: what was never there before.
    FirstSeen,
    /// Events that follow one another.
    Sequence,
    /// Role to role edges.
    Graph,
    /// The last known value of something.
    State,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stateless => "stateless",
            Self::Window => "window",
            Self::FirstSeen => "first-seen",
            Self::Sequence => "sequence",
            Self::Graph => "graph",
            Self::State => "state",
        }
    }
}

/// The front matter, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    id: String,
    title: String,
    severity: Severity,
    maturity: Maturity,
    kind: Kind,
    risk: Vec<String>,
    attack: Vec<String>,
    description: String,
    summary: String,
    false_positives: Vec<String>,
    triage: Vec<String>,
    remediation: Vec<String>,
    references: Vec<String>,
    #[serde(default)]
    group_by: Vec<String>,
    full_scan: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, toml::Value>,
}

/// A parameter's default, or what a case's lists put in its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ParamValue {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
}

impl ParamValue {
    /// Takes a TOML value of one of the four types.
    pub fn from_toml(value: &toml::Value) -> Option<Self> {
        match value {
            toml::Value::String(text) => Some(Self::Text(text.clone())),
            toml::Value::Integer(number) => Some(Self::Integer(*number)),
            toml::Value::Float(number) => Some(Self::Float(*number)),
            toml::Value::Boolean(flag) => Some(Self::Bool(*flag)),
            toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => None,
        }
    }

    /// The value in place of this default: of the same type, or a whole number for a float.
    pub fn replaced_by(&self, value: &toml::Value) -> Option<Self> {
        match (self, Self::from_toml(value)?) {
            (Self::Float(_), Self::Integer(number)) => Some(Self::Float(number as f64)),
            (default, value)
                if std::mem::discriminant(default) == std::mem::discriminant(&value) =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Bool(_) => "bool",
        }
    }
}

/// A detection rule, checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    pub id: RuleId,
    /// The folder the file is in: `assume-role`, `create-role`, `hygiene`, or the user's own.
    pub family: String,
    pub title: String,
    /// Of rows that do not bring their own.
    pub severity: Severity,
    pub maturity: Maturity,
    pub kind: Kind,
    /// What can go wrong for the owner, in a word or two each.
    pub risk: Vec<String>,
    /// ATT&CK technique ids of the pinned version.
    pub attack: Vec<String>,
    pub description: String,
    /// A minijinja sentence over the columns of the worst row and the grouped values.
    pub summary: String,
    pub false_positives: Vec<String>,
    /// Questions to ask of a finding.
    pub triage: Vec<String>,
    /// Recipe ids: stems of files under `sql/remediation/`.
    pub remediation: Vec<String>,
    pub references: Vec<String>,
    /// Columns that split findings further than account and subject.
    pub group_by: Vec<String>,
    /// Parameters and their defaults.
    pub params: BTreeMap<String, ParamValue>,
    /// Why the rule reads all events, where it does so on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_scan: Option<String>,
    /// The statement, without the front matter.
    pub sql: String,
    /// The whole file.
    pub text: String,
    /// The file it was read from; of a bundled rule, from the root of the sources.
    pub path: String,
}

impl Rule {
    /// Reads a rule from its file's text. `path` is for messages, and its stem is the id; its folder
    /// is the family.
    ///
    /// # Errors
    ///
    /// Where the front matter is absent, has unknown keys, lacks fields or names unknown techniques,
    /// or where the text is not one `SELECT` with declared parameters. The message names the line.
    pub fn parse(path: &str, text: &str, attack: &Attack) -> Result<Self, RuleError> {
        let fail =
            |line: usize, message: &str| RuleError::new(path, format!("line {line}: {message}"));
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Some(body) = text.strip_prefix(OPEN) else {
            return Err(fail(1, "a rule begins with `/*---`, its front matter"));
        };
        let Some((front, sql)) = body.split_once(CLOSE) else {
            return Err(fail(1, "the front matter has no end `---*/`"));
        };
        let front_matter = read_front_matter(path, front)?;
        check_front_matter(path, front, &front_matter, attack)?;
        let mut params = BTreeMap::new();
        for (name, value) in &front_matter.params {
            let value = ParamValue::from_toml(value).ok_or_else(|| {
                let message = format!("parameter `{name}` is not text, a number or a bool");
                fail(param_line(front, name), &message)
            })?;
            params.insert(name.clone(), value);
        }
        let first_sql_line = 1 + front.matches('\n').count();
        let used = check_statement(path, sql, first_sql_line, &params)?;
        if let Some(name) = params.keys().find(|name| !used.contains(*name)) {
            let message = format!("parameter `{name}` is not used");
            return Err(fail(param_line(front, name), &message));
        }
        Ok(Self {
            id: RuleId::new(&front_matter.id)?,
            family: family(path),
            title: front_matter.title,
            severity: front_matter.severity,
            maturity: front_matter.maturity,
            kind: front_matter.kind,
            risk: front_matter.risk,
            attack: front_matter.attack,
            description: front_matter.description,
            summary: front_matter.summary,
            false_positives: front_matter.false_positives,
            triage: front_matter.triage,
            remediation: front_matter.remediation,
            references: front_matter.references,
            group_by: front_matter.group_by,
            params,
            full_scan: front_matter.full_scan,
            sql: sql.trim().trim_end_matches(';').trim_end().to_owned(),
            text: text.to_owned(),
            path: path.to_owned(),
        })
    }

    /// What the rule says of itself beside its findings.
    pub fn notes(&self, attack: &Attack) -> RuleNotes {
        let techniques = self.attack.iter().filter_map(|id| attack.technique(id));
        RuleNotes {
            rule: self.id.to_string(),
            title: self.title.clone(),
            description: self.description.clone(),
            triage: self.triage.clone(),
            false_positives: self.false_positives.clone(),
            attack: techniques.cloned().collect(),
            references: self.references.clone(),
        }
    }

    /// The line of the file, from 1, on which the front matter says something: a key, or a value.
    pub fn line_of(&self, what: &str) -> usize {
        line_of(self.front_and_rest().0, what)
    }

    /// The place in the file of a place in the statement, both as line and column from 1.
    pub fn place_in_file(&self, line: usize, column: usize) -> (usize, usize) {
        let (front, rest) = self.front_and_rest();
        let blank = rest.len() - rest.trim_start().len();
        let before = format!("{OPEN}{front}{CLOSE}{}", &rest[..blank]);
        let first = before.matches('\n').count();
        let indent = before.rsplit('\n').next().unwrap_or_default();
        match line {
            0 | 1 => (first + 1, column + indent.chars().count()),
            line => (first + line, column),
        }
    }

    fn front_and_rest(&self) -> (&str, &str) {
        let body = self.text.strip_prefix(OPEN).unwrap_or(&self.text);
        body.split_once(CLOSE).unwrap_or((body, ""))
    }
}

fn read_front_matter(path: &str, front: &str) -> Result<FrontMatter, RuleError> {
    toml::from_str(front).map_err(|error| {
        // The front matter starts right behind the opening mark, so its line 1 is the file's line 1.
        // A missing field has no place of its own; the TOML reader then gives the whole text.
        let start = error.span().map_or(0, |span| span.start);
        let before = front.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        RuleError::new(path, format!("line {line}: {}", error.message()))
    })
}

fn check_front_matter(
    path: &str,
    front: &str,
    front_matter: &FrontMatter,
    attack: &Attack,
) -> Result<(), RuleError> {
    let fail = |what: &str, message: String| {
        let line = line_of(front, what);
        Err(RuleError::new(path, format!("line {line}: {message}")))
    };
    let FrontMatter { id, .. } = front_matter;
    RuleId::new(id)?;
    if stem(path) != id {
        return fail(id, format!("the id `{id}` is not the stem of the file"));
    }
    for (name, text) in [
        ("title", &front_matter.title),
        ("description", &front_matter.description),
        ("summary", &front_matter.summary),
    ] {
        if text.trim().is_empty() {
            return fail(name, format!("`{name}` is empty"));
        }
    }
    for (name, list) in [
        ("risk", &front_matter.risk),
        ("false_positives", &front_matter.false_positives),
        ("triage", &front_matter.triage),
        ("remediation", &front_matter.remediation),
    ] {
        if list.is_empty() {
            return fail(name, format!("`{name}` is empty"));
        }
    }
    if let Some(why) = &front_matter.full_scan
        && why.trim().is_empty()
    {
        return fail("full_scan", "`full_scan` says why, it is empty".to_owned());
    }
    for id in &front_matter.attack {
        if attack.technique(id).is_some() {
            continue;
        }
        let version = &attack.version;
        return match attack.replacement(id) {
            Some(new) => fail(
                id,
                format!("`{id}` is `{}` in ATT&CK version {version}", new.id),
            ),
            None => fail(
                id,
                format!("`{id}` is not in the table of ATT&CK version {version}"),
            ),
        };
    }
    Ok(())
}

/// Checks on tokens that the text is one `SELECT` and uses declared parameters only; gives those.
///
/// Tokens, not a syntax tree: which dialect the engine reads is the engine's business.
fn check_statement(
    path: &str,
    sql: &str,
    first_line: usize,
    params: &BTreeMap<String, ParamValue>,
) -> Result<BTreeSet<String>, RuleError> {
    let fail = |line: u64, message: String| {
        let line = first_line as u64 + line.max(1) - 1;
        Err(RuleError::new(path, format!("line {line}: {message}")))
    };
    let tokens = match Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => return fail(error.location.line, error.message),
    };
    let mut tokens: Vec<&TokenWithSpan> = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
        .collect();
    while matches!(
        tokens.last().map(|last| &last.token),
        Some(Token::SemiColon)
    ) {
        tokens.pop();
    }
    let starts_a_query = |token: &Token| match token {
        Token::Word(word) => {
            word.value.eq_ignore_ascii_case("select") || word.value.eq_ignore_ascii_case("with")
        }
        _ => false,
    };
    match tokens.first() {
        None => return fail(1, "there is no statement".to_owned()),
        Some(first) if !starts_a_query(&first.token) => {
            return fail(first.span.start.line, "a rule is one `SELECT`".to_owned());
        }
        Some(_) => {}
    }
    let mut used = BTreeSet::new();
    for token in &tokens {
        let line = token.span.start.line;
        match &token.token {
            Token::SemiColon => return fail(line, "a rule is one statement only".to_owned()),
            Token::Placeholder(placeholder) => {
                let name = placeholder.trim_start_matches(['$', ':']);
                if !params.contains_key(name) {
                    return fail(
                        line,
                        format!("`{placeholder}` has no default in `[params]`"),
                    );
                }
                used.insert(name.to_owned());
            }
            _ => {}
        }
    }
    Ok(used)
}

/// The line of the file on which a parameter is declared.
fn param_line(front: &str, name: &str) -> usize {
    let lines = front.lines().enumerate();
    let mut lines = lines.skip_while(|(_, line)| line.trim() != "[params]");
    let declares = |line: &str| {
        let rest = line.trim_start().strip_prefix(name);
        rest.is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let found = lines.find(|(_, line)| declares(line));
    found.map_or(1, |(index, _)| index + 1)
}

/// The line of the file on which a text of the front matter first stands.
fn line_of(front: &str, what: &str) -> usize {
    let before = front.find(what).and_then(|start| front.get(..start));
    before.unwrap_or_default().matches('\n').count() + 1
}

fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".sql").unwrap_or(name)
}

fn family(path: &str) -> String {
    let mut parts = path.rsplit(['/', '\\']);
    parts.nth(1).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"/*---
id = "logging-stopped"
title = "Logging stopped"
severity = "high"
maturity = "stable"
kind = "stateless"
risk = ["misconfiguration"]
attack = ["T1685.002"]
description = "A trail was stopped."
summary = "{{ actor }} stopped {{ subject }}."
false_positives = ["tests"]
triage = ["Who?"]
remediation = ["trail-on"]
references = []
[params]
n_min = 2
---*/
SELECT 'a;b' FROM activity -- ; not the end
WHERE 1 < $n_min;
"#;

    fn parse(text: &str) -> Result<Rule, RuleError> {
        let attack = Attack::pinned().unwrap();
        Rule::parse("sql/detections/hygiene/logging-stopped.sql", text, &attack)
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().message
    }

    #[test]
    fn a_whole_rule_is_read() {
        let rule = parse(GOOD).unwrap();
        assert_eq!(rule.family, "hygiene");
        assert_eq!(rule.params["n_min"], ParamValue::Integer(2));
        assert!(rule.sql.starts_with("SELECT") && rule.sql.ends_with("$n_min"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            ("severity = \"high\"", "severity = \"hihg\"", "line 4: "),
            ("kind =", "knid =", "line 6: unknown field `knid`"),
            ("title = \"Logging stopped\"\n", "", "missing field `title`"),
            (
                "T1685.002",
                "T1562.008",
                "line 8: `T1562.008` is `T1685.002`",
            ),
            ("T1685.002", "T9999", "line 8: `T9999` is not in the table"),
            ("\"trail-on\"", "", "line 13: `remediation` is empty"),
            ("logging-stopped\"", "logging-off\"", "line 2: the id"),
            ("n_min = 2", "n_max = 2", "line 19: `$n_min` has no default"),
            ("n_min = 2", "n_min = []", "line 16: parameter `n_min`"),
            ("$n_min", "2", "line 16: parameter `n_min` is not used"),
            ("SELECT", "DELETE", "line 18: a rule is one `SELECT`"),
            (
                "$n_min;",
                "$n_min; SELECT 1",
                "line 19: a rule is one statement",
            ),
            ("/*---", "/*", "line 1: a rule begins"),
            ("---*/", "*/", "no end"),
        ];
        for (from, to, expected) in cases {
            let message = message(&GOOD.replacen(from, to, 1));
            assert!(message.contains(expected), "{from} -> {to}: {message}");
        }
    }

    #[test]
    fn places_of_the_statement_are_places_of_the_file() {
        let rule = parse(GOOD).unwrap();
        assert_eq!(rule.line_of("T1685.002"), 8);
        assert_eq!(rule.line_of("n_min"), 16);
        assert_eq!(rule.place_in_file(1, 8), (18, 8));
        assert_eq!(rule.place_in_file(2, 7), (19, 7));
        let inline = parse(&GOOD.replace("---*/\n", "---*/ ")).unwrap();
        assert_eq!(inline.place_in_file(1, 1), (17, 7));
        assert_eq!(inline.place_in_file(2, 1), (18, 1));
    }

    #[test]
    fn a_full_scan_needs_a_reason() {
        let with = |why: &str| {
            parse(&GOOD.replace("[params]", &format!("full_scan = \"{why}\"\n[params]")))
        };
        let why = "a first time needs all of the past";
        assert_eq!(with(why).unwrap().full_scan.as_deref(), Some(why));
        assert!(with(" ").unwrap_err().message.contains("line 15: "));
    }

    #[test]
    fn ids_have_one_form() {
        for id in ["a", "role-chain-loop", "r2d2"] {
            assert!(RuleId::new(id).is_ok(), "{id}");
        }
        for id in ["", "-a", "a-", "a--b", "A", "a_b", "../a", &"a".repeat(65)] {
            assert!(RuleId::new(id).is_err(), "{id}");
        }
    }

    #[test]
    fn overrides_keep_the_type() {
        let five = toml::Value::Integer(5);
        let replaced = |default: ParamValue| default.replaced_by(&five);
        assert_eq!(
            replaced(ParamValue::Integer(1)),
            Some(ParamValue::Integer(5))
        );
        assert_eq!(
            replaced(ParamValue::Float(0.5)),
            Some(ParamValue::Float(5.0))
        );
        assert_eq!(replaced(ParamValue::Text("x".to_owned())), None);
    }
}
