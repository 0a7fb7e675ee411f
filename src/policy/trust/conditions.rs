//! The `Condition` element as a list of tests, and which of them really restrict.
//!
//! Operators, keys and the values of one key combine as AND, AND and OR. A positive operator is false
//! when its key is absent, a negated one true; `IfExists` and `ForAllValues` are true when it is
//! absent. So only an *enforced* test ([`Conditions::enforced`]) keeps a caller out.

use std::collections::BTreeSet;

use super::context::TrustContext;
use crate::policy::document::Json;
use crate::policy::pattern::{has_wildcard, matches_everything};

/// Keys that say which tenant a caller belongs to.
pub(super) const TENANT_KEYS: [&str; 4] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
];
/// Keys that are sent only when a service calls for somebody.
pub(super) const SOURCE_KEYS: [&str; 4] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
];
/// Keys that say from which network a call comes.
pub(super) const NETWORK_KEYS: [&str; 3] = ["aws:sourceip", "aws:sourcevpc", "aws:sourcevpce"];
/// Keys of multi-factor authentication.
pub(super) const MFA_KEYS: [&str; 2] = ["aws:multifactorauthpresent", "aws:multifactorauthage"];
/// Keys for which `ForAllValues` is the documented use: it bounds a list that may be empty.
const LIST_KEYS: [&str; 2] = ["aws:tagkeys", "sts:transitivetagkeys"];
/// Keys whose real values may hold a star, so that a literal one is not dead.
const STARRED_KEYS: [&str; 2] = ["aws:useragent", "aws:referer"];
/// Part of an ARN of a log group, which ends in a star of its own.
const LOG_GROUP: &str = ":log-group:";
/// Longest rendering of a test in a finding, in characters.
const MAX_RENDERED_CHARS: usize = 200;

pub(super) const EXTERNAL_ID: &str = "sts:externalid";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    StringEquals,
    StringLike,
    Arn,
    Bool,
    Null,
    IpAddress,
    /// Dates, numbers and binary values: they never bind a tenant.
    Other,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    Plain,
    ForAll,
    ForAny,
}

/// What one value of a test lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// A wildcard under an operator that compares literally: no value of the key is like that.
    Nothing,
    Exact(String),
    Pattern(String),
    /// Whatever is there.
    Anything,
}

/// One operator on one key.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub kind: Kind,
    pub negated: bool,
    pub quantifier: Quantifier,
    pub if_exists: bool,
    /// The operator in lower case, without quantifier and `IfExists`.
    pub operator: String,
    /// The key in lower case.
    pub key: String,
    pub values: Vec<Reach>,
    /// `operator key=values`, as written, for the finding.
    pub rendered: String,
}

impl Test {
    /// A positive test of text: what can bind somebody.
    pub fn is_positive_text(&self) -> bool {
        !self.negated && matches!(self.kind, Kind::StringEquals | Kind::StringLike | Kind::Arn)
    }

    pub fn is_negated_text(&self) -> bool {
        self.negated && matches!(self.kind, Kind::StringEquals | Kind::StringLike | Kind::Arn)
    }

    /// True if every value is that boolean.
    pub fn is_flag(&self, wanted: &str) -> bool {
        !self.values.is_empty()
            && self.values.iter().all(
                |value| matches!(value, Reach::Exact(text) if text.eq_ignore_ascii_case(wanted)),
            )
    }

    fn has_dead_value(&self) -> bool {
        self.values.contains(&Reach::Nothing)
    }
}

/// The tests of one statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    pub tests: Vec<Test>,
    /// Keys that a `Null … false` demands to be there.
    present: BTreeSet<String>,
    pub notes: Vec<String>,
}

impl Conditions {
    /// Reads a `Condition` element; `variables` says whether `${…}` is filled in.
    pub fn read(condition: Option<&Json>, variables: bool, context: &TrustContext) -> Self {
        let mut conditions = Self::default();
        for (operator, keys) in condition.map(Json::members).unwrap_or_default() {
            let (base, quantifier, if_exists) = split_operator(operator);
            let (kind, negated) = read_operator(&base);
            if kind != Kind::Unknown && !is_canonical(operator) {
                let note = format!("operator `{operator}` is not spelled as in the grammar");
                conditions.notes.push(note);
            }
            if kind == Kind::Unknown {
                conditions
                    .notes
                    .push(format!("unknown operator `{operator}`"));
            }
            for (key, values) in keys.members() {
                let texts = values.texts();
                let mut rendered = format!("{operator} {key}={}", texts.join(", "));
                if let Some((end, _)) = rendered.char_indices().nth(MAX_RENDERED_CHARS) {
                    rendered.truncate(end);
                    rendered.push('…');
                }
                let test = Test {
                    kind,
                    negated,
                    quantifier,
                    if_exists,
                    operator: base.clone(),
                    key: key.to_ascii_lowercase(),
                    values: texts
                        .iter()
                        .map(|text| reach(text, kind, variables, context))
                        .collect(),
                    rendered,
                };
                conditions.push(test);
            }
        }
        conditions
    }

    pub fn push(&mut self, test: Test) {
        if test.kind == Kind::Null && !test.if_exists && test.is_flag("false") {
            self.present.insert(test.key.clone());
        }
        self.tests.push(test);
    }

    /// Tests of any kind that refuse a caller without the key.
    pub fn demanded(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(|test| {
            !test.negated
                && !matches!(test.kind, Kind::Null | Kind::Unknown)
                && self.is_strict(test)
        })
    }

    /// Positive text tests that no caller can dodge by not having the key.
    pub fn enforced(&self) -> impl Iterator<Item = &Test> {
        self.tests
            .iter()
            .filter(|test| test.is_positive_text() && self.is_strict(test))
    }

    /// [`Self::enforced`] for one key, given in lower case.
    pub fn enforced_on<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Test> {
        self.enforced().filter(move |test| test.key == key)
    }

    /// Is a caller without the key refused by this test?
    pub fn is_strict(&self, test: &Test) -> bool {
        let may_pass_absent = test.if_exists || test.quantifier == Quantifier::ForAll;
        !may_pass_absent || is_always_carried(&test.key) || self.present.contains(&test.key)
    }

    /// The first test that nothing can pass, if there is one.
    pub fn dead_test(&self) -> Option<&Test> {
        self.enforced().find(|test| {
            !STARRED_KEYS.contains(&test.key.as_str())
                && !test.rendered.contains(LOG_GROUP)
                && !test.values.is_empty()
                && test.values.iter().all(|value| *value == Reach::Nothing)
        })
    }

    /// Tests with a wildcard that is taken literally (T21).
    pub fn literal_wildcards(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(|test| test.has_dead_value())
    }

    /// `IfExists` on a key that should restrict, unless another test of the key does (T30).
    pub fn optional_restrictions(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(|test| {
            let restricts = TENANT_KEYS.contains(&test.key.as_str())
                || SOURCE_KEYS.contains(&test.key.as_str())
                || NETWORK_KEYS.contains(&test.key.as_str())
                || is_always_carried(&test.key);
            test.if_exists
                && !test.negated
                && restricts
                && !self.present.contains(&test.key)
                && !self.enforced_on(&test.key).any(|other| !other.if_exists)
        })
    }

    /// `ForAllValues` that an absent key passes (T31).
    pub fn vacuous(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(|test| {
            test.quantifier == Quantifier::ForAll
                && !test.negated
                && !LIST_KEYS.contains(&test.key.as_str())
                && !self.present.contains(&test.key)
        })
    }

    /// `Null … true` on a tenant key (T32).
    pub fn outsider_selectors(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(|test| {
            test.kind == Kind::Null
                && TENANT_KEYS.contains(&test.key.as_str())
                && test.values.iter().any(
                    |value| matches!(value, Reach::Exact(text) if text.eq_ignore_ascii_case("true")),
                )
        })
    }

    /// MFA tests that a caller without the key passes (T33 in an Allow).
    pub fn optional_mfa(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().filter(|test| {
            test.if_exists
                && MFA_KEYS.contains(&test.key.as_str())
                && !self.present.contains(&test.key)
        })
    }
}

/// Claims that every token of an identity provider has: subject and audience.
pub(super) fn is_always_carried(key: &str) -> bool {
    match key.rsplit_once(':') {
        Some(("aws" | "sts" | "iam", _)) | None => false,
        Some((_, claim)) => matches!(claim, "sub" | "aud"),
    }
}

/// The operators as the grammar writes them, without what is put before and behind.
const OPERATORS: [&str; 27] = [
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

fn is_canonical(operator: &str) -> bool {
    let bare = ["ForAllValues:", "ForAnyValue:"]
        .iter()
        .find_map(|prefix| operator.strip_prefix(prefix))
        .unwrap_or(operator);
    OPERATORS.contains(&bare.strip_suffix("IfExists").unwrap_or(bare))
}

/// The operator in lower case without what is put before and behind it.
fn split_operator(text: &str) -> (String, Quantifier, bool) {
    let lower = text.to_ascii_lowercase();
    let (quantifier, rest) = match lower.split_once(':') {
        Some(("forallvalues", rest)) => (Quantifier::ForAll, rest),
        Some(("foranyvalue", rest)) => (Quantifier::ForAny, rest),
        Some(_) | None => (Quantifier::Plain, lower.as_str()),
    };
    match rest.strip_suffix("ifexists") {
        Some(rest) => (rest.to_owned(), quantifier, true),
        None => (rest.to_owned(), quantifier, false),
    }
}

/// What a bare operator compares, and whether it is negated.
fn read_operator(operator: &str) -> (Kind, bool) {
    match operator {
        "stringequals" | "stringequalsignorecase" => (Kind::StringEquals, false),
        "stringnotequals" | "stringnotequalsignorecase" => (Kind::StringEquals, true),
        "stringlike" => (Kind::StringLike, false),
        "stringnotlike" => (Kind::StringLike, true),
        "arnequals" | "arnlike" => (Kind::Arn, false),
        "arnnotequals" | "arnnotlike" => (Kind::Arn, true),
        "bool" => (Kind::Bool, false),
        "null" => (Kind::Null, false),
        "ipaddress" => (Kind::IpAddress, false),
        "notipaddress" => (Kind::IpAddress, true),
        "numericequals"
        | "numericlessthan"
        | "numericlessthanequals"
        | "numericgreaterthan"
        | "numericgreaterthanequals"
        | "dateequals"
        | "datelessthan"
        | "datelessthanequals"
        | "dategreaterthan"
        | "dategreaterthanequals"
        | "binaryequals" => (Kind::Other, false),
        "numericnotequals" | "datenotequals" => (Kind::Other, true),
        _ => (Kind::Unknown, false),
    }
}

fn reach(text: &str, kind: Kind, variables: bool, context: &TrustContext) -> Reach {
    let (text, has_variable) = if variables {
        fill_variables(text, context)
    } else {
        (text.to_owned(), false)
    };
    match kind {
        // A variable takes whatever value the request has, so it is as wide as a star.
        Kind::StringEquals if has_variable && matches_everything(&text) => Reach::Anything,
        Kind::StringEquals if has_variable => Reach::Pattern(text),
        Kind::StringEquals if has_wildcard(&text) => Reach::Nothing,
        Kind::StringLike | Kind::Arn if matches_everything(&text) => Reach::Anything,
        Kind::StringLike | Kind::Arn if has_wildcard(&text) => Reach::Pattern(text),
        Kind::StringEquals
        | Kind::StringLike
        | Kind::Arn
        | Kind::Bool
        | Kind::Null
        | Kind::IpAddress
        | Kind::Other
        | Kind::Unknown => Reach::Exact(text),
    }
}

/// Stands for a star, question mark or dollar sign that is meant literally. No real value has it.
const LITERAL_MARK: char = '\u{e000}';

/// Replaces policy variables: those of the role's own tenant by their value, others by a star.
fn fill_variables(text: &str, context: &TrustContext) -> (String, bool) {
    let mut filled = String::with_capacity(text.len());
    let mut has_variable = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            // No end here means no end further on either.
            break;
        };
        let lower = name.to_ascii_lowercase();
        match (
            lower.as_str(),
            context.account(),
            context.own_org_ids.first(),
        ) {
            ("*" | "?" | "$", _, _) => filled.push(LITERAL_MARK),
            ("aws:resourceaccount", Some(account), _) => filled.push_str(account),
            ("aws:resourceorgid", _, Some(org)) => filled.push_str(org),
            _ => {
                filled.push('*');
                has_variable = true;
            }
        }
        rest = tail;
    }
    filled.push_str(rest);
    (filled, has_variable)
}
