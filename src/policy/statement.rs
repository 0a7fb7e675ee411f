//! The statements of a policy document, as far as analysis needs them.
//!
//! Element names are matched as the grammar writes them, action names and `Effect` without regard to
//! case. What is not understood becomes a note and never an error.

use super::document::Json;
use super::pattern::matches_ignoring_case;

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`: patterns, or everything but the patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub negated: bool,
    pub patterns: Vec<String>,
}

impl Selection {
    /// Does the selection hold this action? Case does not count.
    pub fn covers_action(&self, action: &str) -> bool {
        let named = self
            .patterns
            .iter()
            .any(|pattern| matches_ignoring_case(pattern, action));
        named != self.negated
    }

    /// Does the selection hold everything in a service, including actions not yet invented?
    pub fn covers_service(&self, service: &str) -> bool {
        // No real action looks like this, so only a pattern that takes any action matches it.
        self.covers_action(&format!("{service}:~~~~~~~~"))
    }
}

/// Who a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// No `Principal` element at all.
    Absent,
    /// The bare `"*"`.
    Everyone,
    /// Kind (`AWS`, `Service`, `Federated`, …) and value, in document order.
    Named(Vec<(String, String)>),
}

/// One `Statement`.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// Position in the document, from 0.
    pub index: usize,
    pub effect: Effect,
    pub actions: Selection,
    pub resources: Option<Selection>,
    pub principals: Principals,
    /// True for `NotPrincipal`.
    pub principals_negated: bool,
    /// The `Condition` element.
    pub condition: Option<&'a Json>,
}

/// The statements of one document and what could not be used.
#[derive(Debug, Clone)]
pub struct Statements<'a> {
    /// Policy variables such as `${aws:username}` are filled in only from version 2012-10-17 on.
    pub variables: bool,
    pub list: Vec<Statement<'a>>,
    /// Sentences about elements that were skipped or look wrong.
    pub notes: Vec<String>,
}

const DOCUMENT_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
];
/// Unknown elements named in the notes; the rest are only counted by their absence.
const MAX_NOTES: usize = 32;

/// Reads the statements of a document that has no repeated names.
pub fn statements(document: &Json) -> Statements<'_> {
    let mut notes = unknown_elements(document, &DOCUMENT_ELEMENTS);
    let version = document.get("Version").map(Json::texts).unwrap_or_default();
    let mut list = Vec::new();
    let items = document.get("Statement").map_or(&[][..], Json::items);
    for (index, item) in items.iter().enumerate() {
        notes.append(&mut unknown_elements(item, &STATEMENT_ELEMENTS));
        match effect(item) {
            Some(effect) => list.push(statement(index, effect, item)),
            None => notes.push(format!("statement {index} has neither Allow nor Deny")),
        }
    }
    notes.truncate(MAX_NOTES);
    Statements {
        variables: version.iter().any(|version| version == "2012-10-17"),
        list,
        notes,
    }
}

fn unknown_elements(value: &Json, known: &[&str]) -> Vec<String> {
    value
        .members()
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .take(MAX_NOTES)
        .map(|(name, _)| format!("unknown element `{name}`"))
        .collect()
}

fn effect(item: &Json) -> Option<Effect> {
    match item.get("Effect") {
        Some(Json::Text(text)) if text.eq_ignore_ascii_case("allow") => Some(Effect::Allow),
        Some(Json::Text(text)) if text.eq_ignore_ascii_case("deny") => Some(Effect::Deny),
        Some(_) | None => None,
    }
}

fn statement(index: usize, effect: Effect, item: &Json) -> Statement<'_> {
    let (principals, principals_negated) = match (item.get("Principal"), item.get("NotPrincipal")) {
        (Some(value), _) => (principals(value), false),
        (None, Some(value)) => (principals(value), true),
        (None, None) => (Principals::Absent, false),
    };
    Statement {
        index,
        effect,
        actions: selection(item, "Action", "NotAction").unwrap_or(Selection {
            negated: false,
            patterns: Vec::new(),
        }),
        resources: selection(item, "Resource", "NotResource"),
        principals,
        principals_negated,
        condition: item.get("Condition"),
    }
}

fn selection(item: &Json, name: &str, negated_name: &str) -> Option<Selection> {
    let (negated, value) = match (item.get(name), item.get(negated_name)) {
        (Some(value), _) => (false, value),
        (None, Some(value)) => (true, value),
        (None, None) => return None,
    };
    Some(Selection {
        negated,
        patterns: value.texts(),
    })
}

fn principals(value: &Json) -> Principals {
    if value.texts().iter().any(|text| text == "*") {
        return Principals::Everyone;
    }
    // A bare string other than the star is refused by IAM; as an attempt it reads as an AWS principal.
    let bare = value
        .texts()
        .into_iter()
        .map(|text| ("AWS".to_owned(), text));
    let named = value.members().iter().flat_map(|(kind, values)| {
        values
            .texts()
            .into_iter()
            .map(|value| (kind.clone(), value))
            .collect::<Vec<_>>()
    });
    Principals::Named(bare.chain(named).collect())
}
