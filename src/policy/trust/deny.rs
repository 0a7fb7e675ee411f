//! Which Deny statements guard a role, so that an Allow is worth less than it says.
//!
//! Three shapes are understood. Any other Deny gets no credit: to trust a guard that does not hold
//! would hide an open role.

use super::codes::Code;
use super::conditions::{Conditions, Kind, MFA_KEYS, Quantifier, TENANT_KEYS, Test};
use super::federation::Call;
use super::grade::Raised;
use super::principals::{canonical, is_everyone};
use crate::policy::statement::{Principals, Selection, Statement};

/// What one understood Deny does.
enum Shape {
    /// Everybody is refused; true if federated callers are meant too.
    Closed { federated: bool },
    /// Everybody who does not pass this test is refused.
    Unless {
        test: Test,
        spares_services: bool,
        /// True if federated callers are meant too, who carry none of the tenant keys.
        federated: bool,
    },
    /// Everybody but these, by kind and value, is refused.
    Except(Vec<(String, String)>),
}

/// The Deny statements of a document.
#[derive(Default)]
pub(super) struct Guards<'a> {
    guards: Vec<(&'a Selection, Shape)>,
    /// What was noteworthy, with the statement.
    pub raised: Vec<(usize, Raised)>,
}

impl<'a> Guards<'a> {
    /// Takes in one Deny statement.
    pub fn read(&mut self, statement: &'a Statement<'a>, conditions: &Conditions) {
        for test in &conditions.tests {
            if test.kind == Kind::Bool
                && MFA_KEYS.contains(&test.key.as_str())
                && test.is_flag("false")
                && !test.if_exists
            {
                self.raise(statement, Raised::new(Code::T33, &test.rendered));
            }
        }
        for test in conditions.literal_wildcards() {
            self.raise(statement, Raised::new(Code::T21, &test.rendered));
        }
        let is_on_opening = Call::ALL
            .into_iter()
            .any(|call| statement.actions.covers_action(call.action()));
        match shape(statement, conditions).filter(|_| is_on_opening) {
            Some(shape) => self.guards.push((&statement.actions, shape)),
            None => self.raise(statement, Raised::new(Code::T38, "Deny")),
        }
    }

    fn raise(&mut self, statement: &Statement<'_>, raised: Raised) {
        self.raised.push((statement.index, raised));
    }

    fn on(&self, call: Call) -> impl Iterator<Item = &Shape> {
        self.guards
            .iter()
            .filter(move |(actions, _)| actions.covers_action(call.action()))
            .map(|(_, shape)| shape)
    }

    /// Is the call refused to everybody of this kind?
    pub fn close(&self, kind: &str, call: Call) -> bool {
        self.on(call).any(|shape| match shape {
            Shape::Closed { federated } => *federated || kind != "Federated",
            Shape::Unless { .. } | Shape::Except(_) => false,
        })
    }

    /// The tests that AWS principals have to pass besides those of the Allow.
    pub fn tests(&self, call: Call) -> impl Iterator<Item = &Test> {
        self.on(call).filter_map(|shape| match shape {
            Shape::Unless { test, .. } => Some(test),
            Shape::Closed { .. } | Shape::Except(_) => None,
        })
    }

    /// Services carry none of the tenant keys, so a guard that does not spare them refuses them.
    pub fn refuse_services(&self, call: Call) -> bool {
        self.on(call).any(|shape| match shape {
            Shape::Unless {
                spares_services, ..
            } => !spares_services,
            Shape::Closed { .. } | Shape::Except(_) => false,
        })
    }

    /// Tokens and assertions carry no tenant key either: a guard that means everybody refuses them.
    pub fn refuse_federated(&self, call: Call) -> bool {
        self.on(call).any(|shape| match shape {
            Shape::Unless { federated, .. } => *federated,
            Shape::Closed { .. } | Shape::Except(_) => false,
        })
    }

    /// What is left of a principal: itself, nothing, or for the star the list of the exceptions.
    pub fn limit(&self, kind: &str, value: &str, call: Call) -> Vec<String> {
        let mut left = vec![value.to_owned()];
        for shape in self.on(call) {
            let Shape::Except(listed) = shape else {
                continue;
            };
            let same_kind = || listed.iter().filter(|(other, _)| other == kind);
            left = left
                .into_iter()
                .flat_map(|value| {
                    if kind == "AWS" && is_everyone(&value) {
                        same_kind().map(|(_, listed)| listed.clone()).collect()
                    } else if same_kind()
                        .any(|(_, listed)| canonical(kind, listed) == canonical(kind, &value))
                    {
                        vec![value]
                    } else {
                        Vec::new()
                    }
                })
                .collect();
        }
        left
    }
}

fn shape(statement: &Statement<'_>, conditions: &Conditions) -> Option<Shape> {
    let tests = &conditions.tests;
    if statement.principals_negated {
        return match &statement.principals {
            Principals::Named(listed) if tests.is_empty() => Some(Shape::Except(listed.clone())),
            Principals::Named(_) | Principals::Everyone | Principals::Absent => None,
        };
    }
    let federated = match &statement.principals {
        Principals::Everyone => true,
        Principals::Named(named)
            if named
                .iter()
                .any(|(kind, value)| kind == "AWS" && is_everyone(value)) =>
        {
            false
        }
        Principals::Named(_) | Principals::Absent => return None,
    };
    if tests.is_empty() {
        return Some(Shape::Closed { federated });
    }
    let mut tenant_tests = tests.iter().filter(|test| is_tenant_guard(test));
    let test = tenant_tests.next()?;
    let n_exemptions = tests
        .iter()
        .filter(|test| is_service_exemption(test))
        .count();
    if tenant_tests.next().is_some() || tests.len() != n_exemptions + 1 {
        return None;
    }
    Some(Shape::Unless {
        test: Test {
            negated: false,
            if_exists: false,
            quantifier: Quantifier::Plain,
            ..test.clone()
        },
        spares_services: n_exemptions > 0,
        federated,
    })
}

/// A negated test refuses callers without the key as well, save with `ForAnyValue`, which is false
/// when the key is absent.
fn is_tenant_guard(test: &Test) -> bool {
    test.is_negated_text()
        && test.quantifier != Quantifier::ForAny
        && TENANT_KEYS.contains(&test.key.as_str())
        && !test.values.is_empty()
}

fn is_service_exemption(test: &Test) -> bool {
    test.kind == Kind::Bool && test.key == "aws:principalisawsservice" && test.is_flag("false")
}
