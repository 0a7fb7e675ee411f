//! The external id that a third party has to present, and whether a stranger could present it too.

use super::conditions::{Conditions, EXTERNAL_ID, Kind, Reach, Test};
use super::context::TrustContext;

/// Shortest external id that may pass as random, in characters.
const MIN_EXTERNAL_ID_CHARS: usize = 12;
/// What must remain of an external id without known words and account ids, in characters.
const MIN_UNKNOWN_CHARS: usize = 8;
/// Digits of an account id.
const ACCOUNT_ID_DIGITS: usize = 12;
/// Words that people put into external ids.
const GUESSABLE_WORDS: [&str; 32] = [
    "external",
    "customer",
    "account",
    "company",
    "production",
    "staging",
    "secret",
    "password",
    "vendor",
    "partner",
    "access",
    "assume",
    "client",
    "tenant",
    "service",
    "default",
    "change",
    "example",
    "sample",
    "monitor",
    "policy",
    "trust",
    "admin",
    "cloud",
    "test",
    "role",
    "demo",
    "prod",
    "user",
    "aws",
    "dev",
    "id",
];

/// What a statement demands of the external id. The texts are the tests at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ExternalId {
    Missing,
    Optional(String),
    Guessable(String),
    Strong,
}

impl ExternalId {
    /// The best that any test of the statement demands.
    pub fn find(conditions: &Conditions, context: &TrustContext) -> Self {
        let mut best = ExternalId::Missing;
        let tests = || {
            conditions
                .tests
                .iter()
                .filter(|test| test.key == EXTERNAL_ID)
        };
        for test in tests() {
            let found = if test.is_positive_text() && conditions.is_strict(test) {
                grade_external_id(test, context)
            } else if test.is_positive_text() || test.kind == Kind::Null && test.is_flag("false") {
                ExternalId::Optional(test.rendered.clone())
            } else {
                continue;
            };
            best = match (best, found) {
                (ExternalId::Strong, _) | (_, ExternalId::Strong) => ExternalId::Strong,
                (best @ ExternalId::Guessable(_), _) => best,
                (_, found @ ExternalId::Guessable(_)) => found,
                (best @ ExternalId::Optional(_), _) => best,
                (ExternalId::Missing, found) => found,
            };
        }
        best
    }
}

fn grade_external_id(test: &Test, context: &TrustContext) -> ExternalId {
    let mut grade = ExternalId::Strong;
    for reach in &test.values {
        match reach {
            Reach::Nothing => {}
            Reach::Anything => return ExternalId::Optional(test.rendered.clone()),
            Reach::Exact(text) | Reach::Pattern(text) if is_guessable(text, context) => {
                grade = ExternalId::Guessable(test.rendered.clone());
            }
            Reach::Exact(_) | Reach::Pattern(_) => {}
        }
    }
    grade
}

/// Short, numeric, or made of account ids and words that anybody would try.
fn is_guessable(text: &str, context: &TrustContext) -> bool {
    let mut rest = text.to_ascii_lowercase();
    if rest.chars().count() < MIN_EXTERNAL_ID_CHARS {
        return true;
    }
    // Only a run of digits as long as an account id can be one; most external ids have none.
    if rest
        .split(|c: char| !c.is_ascii_digit())
        .any(|run| run.len() >= ACCOUNT_ID_DIGITS)
    {
        let accounts = context.own_accounts.iter().map(String::as_str);
        for account in accounts.chain(context.account()) {
            rest = rest.replace(account, "");
        }
    }
    for word in GUESSABLE_WORDS {
        rest = rest.replace(word, "");
    }
    rest.retain(|c| c.is_alphanumeric());
    rest.chars().count() < MIN_UNKNOWN_CHARS || rest.chars().all(|c| c.is_ascii_digit())
}
