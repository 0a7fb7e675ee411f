//! Permission policies: the worst class of what a document allows.
//!
//! Allow statements count, less what an unconditioned Deny on every resource takes away. A class that
//! is reached only under a condition is one step milder and says so. The tables of actions below are
//! the place to change what counts.
//!
//! Not judged, because the document alone does not show it: the removal of a policy that held a Deny,
//! and tags where access is decided by attributes.

mod tables;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::document::{Json, read};
use super::pattern::{Arn, has_wildcard, matches, matches_everything};
use super::readings::readings;
use super::statement::{Effect, Selection, Statement, statements};
use crate::finding::Severity;
use tables::{
    ASSUME, BROAD_KINDS, CONSUMERS, DATA_WIDE, ESCALATION_DIRECT, EXISTING_ROLE, GUARD_TAMPER,
    SENSITIVE_SERVICES,
};

/// Classes of permission policies, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionClass {
    /// Nothing of the following.
    Plain,
    /// Reads data or secrets everywhere.
    DataWide,
    /// Can switch off what watches.
    GuardTamper,
    /// All of a sensitive service.
    ServiceFull,
    /// Can take any role that lets it.
    AssumeAny,
    /// Can hand a role to something it controls, or steer something that has one.
    EscalationCombo,
    /// Can raise its own rights by one call.
    EscalationDirect,
    /// Everything, or all of IAM.
    Admin,
}

impl PermissionClass {
    /// The name in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::DataWide => "data-wide",
            Self::GuardTamper => "guard-tamper",
            Self::ServiceFull => "service-full",
            Self::AssumeAny => "assume-any",
            Self::EscalationCombo => "escalation-combo",
            Self::EscalationDirect => "escalation-direct",
            Self::Admin => "admin",
        }
    }

    /// The severity on a role, without a condition.
    pub fn severity(self) -> Severity {
        match self {
            Self::Plain => Severity::Info,
            Self::DataWide | Self::GuardTamper | Self::ServiceFull | Self::AssumeAny => {
                Severity::Medium
            }
            Self::EscalationCombo | Self::EscalationDirect => Severity::High,
            Self::Admin => Severity::Critical,
        }
    }
}

/// The result for one permission policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionReport {
    pub class: PermissionClass,
    pub severity: Severity,
    /// The class is reached only under a condition.
    pub conditioned: bool,
    /// The actions or services that make the class, sorted.
    pub actions: Vec<String>,
    /// False for a text that is no policy document; the class is plain then, because nothing is known.
    pub readable: bool,
}

/// Classes a permission policy. Never fails: an unreadable text is plain and marked as unreadable.
///
/// A document with repeated member names is read in every way, and the worst reading is reported.
pub fn classify(text: &str) -> PermissionReport {
    let unreadable = PermissionReport {
        class: PermissionClass::Plain,
        severity: Severity::Info,
        conditioned: false,
        actions: Vec::new(),
        readable: false,
    };
    let Ok(document) = read(text) else {
        return unreadable;
    };
    let reports = readings(&document);
    let worst = reports.iter().map(classify_reading).min_by_key(|report| {
        // A total order, so that the choice does not depend on the order of the readings.
        (
            Reverse(report.severity),
            Reverse(report.class),
            report.actions.clone(),
        )
    });
    worst.unwrap_or(unreadable)
}

/// Which of those sets of actions a policy allows as a whole, each action without a condition and on a
/// broad resource. `None` for a text that is no policy. Of several readings, each may allow a set.
pub(super) fn allowed_sets(text: &str, sets: &[&[String]]) -> Option<Vec<bool>> {
    let document = read(text).ok()?;
    let mut allowed = vec![false; sets.len()];
    for reading in readings(&document) {
        let statements = statements(&reading);
        let policy = Policy::new(&statements.list);
        for (allowed, set) in allowed.iter_mut().zip(sets) {
            let mut actions = set.iter();
            *allowed |= actions.all(|action| policy.allows_broadly(action, false));
        }
    }
    Some(allowed)
}

fn classify_reading(document: &Json) -> PermissionReport {
    let statements = statements(document);
    let policy = Policy::new(&statements.list);
    let mut worst = PermissionReport {
        class: PermissionClass::Plain,
        severity: Severity::Info,
        conditioned: false,
        actions: Vec::new(),
        readable: true,
    };
    for conditioned in [false, true] {
        for (class, severity, actions) in policy.classes(conditioned) {
            let severity = if conditioned {
                milder(severity)
            } else {
                severity
            };
            if (severity, class) > (worst.severity, worst.class) {
                worst = PermissionReport {
                    class,
                    severity,
                    conditioned,
                    actions: actions.into_iter().collect(),
                    readable: true,
                };
            }
        }
    }
    worst
}

fn milder(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium => Severity::Low,
        Severity::Low | Severity::Info => Severity::Info,
    }
}

/// The statements that matter for a class.
struct Policy<'a> {
    allows: Vec<&'a Statement<'a>>,
    /// What is refused everywhere and always.
    denied: Vec<&'a Selection>,
}

impl<'a> Policy<'a> {
    fn new(statements: &'a [Statement<'a>]) -> Self {
        let of = |effect| statements.iter().filter(move |s| s.effect == effect);
        let denied = of(Effect::Deny)
            .filter(|statement| !has_condition(statement) && is_on_everything(statement))
            .map(|statement| &statement.actions)
            .collect();
        Self {
            allows: of(Effect::Allow).collect(),
            denied,
        }
    }

    /// Every class that applies, with the actions that make it.
    fn classes(&self, conditioned: bool) -> Vec<(PermissionClass, Severity, BTreeSet<String>)> {
        let mut classes = Vec::new();
        let mut add = |class: PermissionClass, severity: Severity, actions: BTreeSet<String>| {
            if !actions.is_empty() {
                classes.push((class, severity, actions));
            }
        };
        let set = |actions: &[&'static [&'static str]]| self.complete(actions, conditioned);
        let plain = |class: PermissionClass| class.severity();
        use PermissionClass::{
            Admin, AssumeAny, DataWide, EscalationCombo, EscalationDirect, GuardTamper, ServiceFull,
        };
        add(Admin, plain(Admin), self.admin_actions(conditioned));
        add(
            EscalationDirect,
            plain(EscalationDirect),
            set(&ESCALATION_DIRECT),
        );
        add(
            EscalationCombo,
            plain(EscalationCombo),
            self.combo_actions(conditioned),
        );
        let assumes = set(&ASSUME);
        // AssumeRoot reaches the root user of every member account.
        let severity = if assumes.contains("sts:AssumeRoot") {
            Severity::High
        } else {
            plain(AssumeAny)
        };
        add(AssumeAny, severity, assumes);
        let services = SENSITIVE_SERVICES
            .iter()
            .filter(|service| self.allows_service(service, conditioned))
            .map(|service| format!("{service}:*"))
            .collect();
        add(ServiceFull, plain(ServiceFull), services);
        add(GuardTamper, plain(GuardTamper), set(&GUARD_TAMPER));
        add(DataWide, plain(DataWide), set(&DATA_WIDE));
        classes
    }

    /// Does a statement give all of IAM, by whatever pattern? The patterns that do.
    fn admin_actions(&self, conditioned: bool) -> BTreeSet<String> {
        if self.is_service_denied("iam") {
            return BTreeSet::new();
        }
        self.counted(conditioned)
            .filter(|allow| {
                allow.actions.covers_service("iam") && is_on_whole_service(allow, "iam")
            })
            .flat_map(|allow| {
                let negated = allow.actions.negated;
                let givers = allow.actions.patterns.iter().filter(move |pattern| {
                    negated || matches(&pattern.to_ascii_lowercase(), "iam:~~~~~~~~")
                });
                givers.map(move |pattern| {
                    if negated {
                        format!("NotAction {pattern}")
                    } else {
                        pattern.clone()
                    }
                })
            })
            .collect()
    }

    fn combo_actions(&self, conditioned: bool) -> BTreeSet<String> {
        let mut actions = self.complete(&EXISTING_ROLE, conditioned);
        let passes = self.counted(conditioned).any(|allow| {
            allow.actions.covers_action("iam:PassRole")
                && is_broad(allow, "iam")
                && !limits_service(allow)
        });
        if passes && !self.is_denied("iam:PassRole") {
            let consumers = self.complete(&CONSUMERS, conditioned);
            if !consumers.is_empty() {
                actions.insert("iam:PassRole".to_owned());
                actions.extend(consumers);
            }
        }
        actions
    }

    /// The actions of those sets that are allowed as a whole, each on a broad resource.
    fn complete(&self, sets: &[&'static [&'static str]], conditioned: bool) -> BTreeSet<String> {
        sets.iter()
            .filter(|set| {
                set.iter()
                    .all(|action| self.allows_broadly(action, conditioned))
            })
            .flat_map(|set| set.iter().map(|action| (*action).to_owned()))
            .collect()
    }

    fn allows_broadly(&self, action: &str, conditioned: bool) -> bool {
        let service = action.split(':').next().unwrap_or_default();
        !self.is_denied(action)
            && self
                .counted(conditioned)
                .any(|allow| allow.actions.covers_action(action) && is_broad(allow, service))
    }

    fn allows_service(&self, service: &str, conditioned: bool) -> bool {
        !self.is_service_denied(service)
            && self
                .counted(conditioned)
                .any(|allow| allow.actions.covers_service(service) && is_on_everything(allow))
    }

    /// The Allow statements without a condition, or all of them.
    fn counted(&self, conditioned: bool) -> impl Iterator<Item = &&'a Statement<'a>> {
        self.allows
            .iter()
            .filter(move |allow| conditioned || !has_condition(allow))
    }

    fn is_denied(&self, action: &str) -> bool {
        self.denied
            .iter()
            .any(|denied| denied.covers_action(action))
    }

    fn is_service_denied(&self, service: &str) -> bool {
        self.denied
            .iter()
            .any(|denied| denied.covers_service(service))
    }
}

fn has_condition(statement: &Statement<'_>) -> bool {
    statement.condition.is_some_and(|condition| {
        condition
            .members()
            .iter()
            .any(|(_, keys)| !keys.members().is_empty())
    })
}

/// A condition on the service that a role may be passed to.
fn limits_service(statement: &Statement<'_>) -> bool {
    let operators = statement.condition.map(Json::members).unwrap_or_default();
    operators.iter().any(|(_, keys)| {
        keys.members()
            .iter()
            .any(|(key, _)| key.eq_ignore_ascii_case("iam:PassedToService"))
    })
}

/// Every resource: `*`, or nothing left out.
fn is_on_everything(statement: &Statement<'_>) -> bool {
    match &statement.resources {
        Some(resources) if resources.negated => resources.patterns.is_empty(),
        Some(resources) => resources
            .patterns
            .iter()
            .any(|pattern| matches_everything(pattern)),
        None => false,
    }
}

/// Every resource of the service, or of one of the kinds through which others' rights are taken.
fn is_broad(statement: &Statement<'_>, service: &str) -> bool {
    covers_kind(statement, service, kinds(service))
}

/// Every resource of the service, of whatever kind.
fn is_on_whole_service(statement: &Statement<'_>, service: &str) -> bool {
    covers_kind(statement, service, &[""])
}

fn covers_kind(statement: &Statement<'_>, service: &str, kinds: &[&str]) -> bool {
    let covers = |pattern: &String| is_broad_pattern(pattern, service, kinds);
    match &statement.resources {
        Some(resources) => resources.patterns.iter().any(covers) != resources.negated,
        None => false,
    }
}

fn kinds(service: &str) -> &'static [&'static str] {
    let row = BROAD_KINDS.iter().find(|(name, _)| *name == service);
    row.map_or(&[""], |(_, kinds)| kinds)
}

/// Does the pattern hold every resource of one of the kinds, whatever its name?
fn is_broad_pattern(pattern: &str, service: &str, kinds: &[&str]) -> bool {
    if matches_everything(pattern) {
        return true;
    }
    // `sts:AssumeRole` names roles, which are resources of IAM.
    let (service, of_any_account) = match service {
        "sts" => ("iam", true),
        _ => (service, false),
    };
    let Some(arn) = Arn::parse(pattern) else {
        // Cut short, as in `arn:aws:iam::*`: wide enough if it takes any end.
        return matches(
            pattern,
            &format!("arn:aws:{service}::000000000000:~~~~~~~~"),
        );
    };
    // Region and account narrow a pattern, but all of one account's roles are still all roles, save to
    // take them: that is about the roles of other accounts too.
    let or_pattern = |part: &'static str, own: &str| {
        let text = if has_wildcard(own) { part } else { own };
        text.to_owned()
    };
    let region = or_pattern("~~~~", arn.region);
    let account = if of_any_account {
        "000000000000".to_owned()
    } else {
        or_pattern("000000000000", arn.account)
    };
    let partition = or_pattern("aws", arn.partition);
    kinds.iter().any(|kind| {
        // No real resource has such a name, so only a pattern for any name matches it.
        let probe = format!("arn:{partition}:{service}:{region}:{account}:{kind}~~~~~~~~");
        matches(pattern, &probe)
    })
}

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests;
