//! Puts a document together: every grant of every Allow, what Deny leaves of it, and the codes that
//! only the whole document shows.

use std::collections::{BTreeMap, BTreeSet};

use super::codes::{Code, Verdict};
use super::conditions::{Conditions, Test};
use super::context::TrustContext;
use super::deny::Guards;
use super::federation::{Call, call_of, grade_any_provider, grade_federated};
use super::grade::{Grade, Raised};
use super::principals::{AwsView, is_everyone, is_outside};
use super::services::{grade_service, is_listed, service_name};
use crate::finding::Severity;
use crate::policy::document::Json;
use crate::policy::pattern::has_wildcard;
use crate::policy::statement::{Effect, Principals, Statement, statements};

/// Actions that only dress a session and open nothing by themselves.
const TAG_SESSION: &str = "sts:TagSession";
const SET_SOURCE_IDENTITY: &str = "sts:SetSourceIdentity";
pub(super) const DRESSING: [&str; 3] = [TAG_SESSION, SET_SOURCE_IDENTITY, "sts:SetContext"];
/// From this number of services on, a role serves too many.
const MANY_SERVICES: usize = 3;

/// The result for one reading of a document.
pub(super) struct Assembly {
    pub verdict: Verdict,
    /// The verdict of each principal that a statement lets in, by position and value.
    pub grades: BTreeMap<(usize, String), Verdict>,
    pub raised: Vec<(Option<usize>, Raised)>,
    pub principals: BTreeSet<String>,
    pub notes: Vec<String>,
}

/// Grades one reading, which has no repeated names.
pub(super) fn assemble(document: &Json, context: &TrustContext) -> Assembly {
    let statements = statements(document);
    let mut notes = statements.notes.clone();
    let conditions: Vec<Conditions> = statements
        .list
        .iter()
        .map(|statement| Conditions::read(statement.condition, statements.variables, context))
        .collect();
    let mut guards = Guards::default();
    for (statement, conditions) in statements.list.iter().zip(&conditions) {
        notes.extend(conditions.notes.iter().cloned());
        if statement.effect == Effect::Deny {
            guards.read(statement, conditions);
        }
    }
    let mut grants = Grants {
        context,
        guards: &guards,
        notes,
        raised: Vec::new(),
        verdict: None,
        grades: BTreeMap::new(),
        kinds: BTreeSet::new(),
        services: BTreeSet::new(),
        principals: BTreeSet::new(),
        outsiders: BTreeSet::new(),
    };
    let allows = || {
        let both = statements.list.iter().zip(&conditions);
        both.filter(|(statement, _)| statement.effect == Effect::Allow)
    };
    for (statement, conditions) in allows() {
        grants.take(statement, conditions);
    }
    for (statement, conditions) in allows() {
        grants.take_dressing(statement, conditions);
    }
    grants.finish()
}

/// One principal with one way into the role.
struct Grant<'a> {
    kind: &'a str,
    value: &'a str,
    call: Call,
}

struct Grants<'a> {
    context: &'a TrustContext,
    guards: &'a Guards<'a>,
    notes: Vec<String>,
    raised: Vec<(Option<usize>, Raised)>,
    verdict: Option<Verdict>,
    grades: BTreeMap<(usize, String), Verdict>,
    kinds: BTreeSet<&'static str>,
    services: BTreeSet<String>,
    principals: BTreeSet<String>,
    /// AWS principals outside that can take the role.
    outsiders: BTreeSet<String>,
}

impl<'a> Grants<'a> {
    fn take(&mut self, statement: &Statement<'_>, conditions: &Conditions) {
        let index = statement.index;
        let opens = Call::ALL
            .into_iter()
            .any(|call| statement.actions.covers_action(call.action()));
        if !opens && dresses(statement) {
            return;
        }
        if statement.resources.is_some() {
            let note =
                format!("statement {index} has a Resource, which IAM refuses in a trust policy");
            self.notes.push(note);
        }
        for test in conditions.literal_wildcards() {
            self.raise(index, Raised::new(Code::T21, &test.rendered));
        }
        if opens && conditions.dead_test().is_some() {
            self.verdict.get_or_insert(Verdict::None);
            return;
        }
        let view = self.aws_view(conditions);
        let mut is_live = false;
        for (kind, value) in grantees(statement) {
            let calls = calls(kind, value);
            if !calls
                .iter()
                .any(|call| statement.actions.covers_action(call.action()))
            {
                self.settle(index, kind, value, &Grade::dead(value));
                continue;
            }
            for call in calls {
                if !statement.actions.covers_action(call.action()) || self.guards.close(kind, call)
                {
                    continue;
                }
                for value in self.guards.limit(kind, value, call) {
                    let grant = Grant {
                        kind,
                        value: &value,
                        call,
                    };
                    let grade = self.grade(statement, conditions, &view, &grant);
                    is_live |= self.settle(index, kind, &value, &grade);
                }
            }
        }
        if is_live {
            self.raise_defects(statement, conditions);
        }
    }

    /// The conditions as AWS principals meet them: those of the Allow and those of the guards.
    fn aws_view(&self, conditions: &Conditions) -> AwsView<'a> {
        let mut all = conditions.clone();
        let tests: Vec<&Test> = self.guards.tests(Call::AssumeRole).collect();
        for test in tests {
            all.push(test.clone());
        }
        AwsView::new(&all, self.context)
    }

    fn grade(
        &self,
        statement: &Statement<'_>,
        conditions: &Conditions,
        view: &AwsView<'_>,
        grant: &Grant<'_>,
    ) -> Grade {
        let value = grant.value;
        let unbound = if statement.principals_negated {
            Code::T06
        } else {
            Code::T01
        };
        match (grant.kind, grant.call) {
            (EVERYONE, Call::AssumeRole) => view.grade_everyone(unbound, value),
            (EVERYONE | "Federated", call)
                if call != Call::AssumeRole && self.guards.refuse_federated(call) =>
            {
                Grade::dead(value)
            }
            (EVERYONE, call) => grade_any_provider(call, conditions, self.context),
            ("AWS", _) => view.grade_named(value),
            ("Service", call) if self.guards.refuse_services(call) => Grade::dead(value),
            ("Service", _) => grade_service(value, conditions, self.context),
            ("Federated", _) => grade_federated(value, conditions, self.context),
            _ => Grade::with(Verdict::Invalid, Code::T43, value),
        }
    }

    /// Takes a grade into the whole; true if somebody gets in by it.
    fn settle(&mut self, index: usize, kind: &str, value: &str, grade: &Grade) -> bool {
        self.verdict = Some(match self.verdict {
            Some(verdict) => verdict.min(grade.verdict),
            None => grade.verdict,
        });
        for raised in &grade.raised {
            self.raise(index, raised.clone());
        }
        if matches!(grade.verdict, Verdict::None | Verdict::Invalid) {
            return false;
        }
        self.principals.insert(value.to_owned());
        let worst = self.grades.entry((index, value.to_owned()));
        let worst = worst.or_insert(grade.verdict);
        *worst = grade.verdict.min(*worst);
        match kind {
            "Service" => {
                self.kinds.insert("Service");
                let name = service_name(value).unwrap_or_else(|| value.to_owned());
                if !is_listed(&name) {
                    let note = format!("service `{value}` is on no list; a source pin is expected");
                    self.notes.push(note);
                }
                self.services.insert(name);
            }
            "Federated" => {
                self.kinds.insert("Federated");
            }
            _ => {
                self.kinds.insert("AWS");
                if is_outside(grade.verdict) {
                    self.outsiders.insert(value.to_owned());
                }
            }
        }
        true
    }

    fn raise(&mut self, index: usize, raised: Raised) {
        self.raised.push((Some(index), raised));
    }

    /// Conditions that do not do what they look like, and actions that are too many.
    fn raise_defects(&mut self, statement: &Statement<'_>, conditions: &Conditions) {
        let index = statement.index;
        for test in conditions.optional_restrictions() {
            self.raise(index, Raised::new(Code::T30, &test.rendered));
        }
        for test in conditions.vacuous() {
            let severity = if super::conditions::is_always_carried(&test.key) {
                Severity::Medium
            } else {
                Code::T31.severity()
            };
            self.raise(index, Raised::with(Code::T31, severity, &test.rendered));
        }
        for test in conditions.outsider_selectors() {
            self.raise(index, Raised::new(Code::T32, &test.rendered));
        }
        for test in conditions.optional_mfa() {
            self.raise(index, Raised::new(Code::T33, &test.rendered));
        }
        if let Some(action) = sts_wildcard(statement) {
            self.raise(index, Raised::new(Code::T36, action));
        }
    }

    /// Session tags and source identity that an outsider may choose freely.
    fn take_dressing(&mut self, statement: &Statement<'_>, conditions: &Conditions) {
        if sts_wildcard(statement).is_some() || self.outsiders.is_empty() {
            return;
        }
        let reaches_outsider = statement.principals_negated
            || grantees(statement).into_iter().any(|(kind, value)| {
                matches!(kind, EVERYONE | "AWS")
                    && (is_everyone(value) || self.outsiders.contains(value))
            });
        if !reaches_outsider {
            return;
        }
        let tests = |prefix: &str| {
            conditions
                .tests
                .iter()
                .any(|test| test.key.starts_with(prefix))
        };
        let tags_bound = tests("aws:requesttag/") || tests("aws:tagkeys");
        let identity_bound = tests("sts:sourceidentity");
        for (action, bound) in [
            (TAG_SESSION, tags_bound),
            (SET_SOURCE_IDENTITY, identity_bound),
        ] {
            if !bound && statement.actions.covers_action(action) {
                self.raise(statement.index, Raised::new(Code::T36, action));
            }
        }
    }

    fn finish(mut self) -> Assembly {
        if self.kinds.len() > 1 {
            let kinds: Vec<&str> = self.kinds.iter().copied().collect();
            let raised = Raised::new(Code::T34, &kinds.join(", "));
            self.raised.push((None, raised));
        }
        if self.services.len() >= MANY_SERVICES {
            let services: Vec<&str> = self.services.iter().map(String::as_str).collect();
            let raised = Raised::new(Code::T35, &services.join(", "));
            self.raised.push((None, raised));
        }
        let guards = self.guards.raised.iter();
        self.raised
            .extend(guards.map(|(index, raised)| (Some(*index), raised.clone())));
        Assembly {
            verdict: self.verdict.unwrap_or(Verdict::None),
            grades: self.grades,
            raised: self.raised,
            principals: self.principals,
            notes: self.notes,
        }
    }
}

/// The kind under which the bare star and `NotPrincipal` are graded: any call fits them.
pub(super) const EVERYONE: &str = "*";

/// Kind and value of everybody an Allow names, each once.
pub(super) fn grantees<'a>(statement: &'a Statement<'a>) -> BTreeSet<(&'a str, &'a str)> {
    match &statement.principals {
        Principals::Absent => BTreeSet::new(),
        Principals::Everyone => BTreeSet::from([(EVERYONE, "*")]),
        Principals::Named(_) if statement.principals_negated => BTreeSet::from([(EVERYONE, "*")]),
        Principals::Named(named) => named
            .iter()
            .map(|(kind, value)| (kind.as_str(), value.as_str()))
            .collect(),
    }
}

/// The calls by which a principal of this kind can take a role.
pub(super) fn calls(kind: &str, value: &str) -> Vec<Call> {
    match kind {
        EVERYONE => Call::ALL.to_vec(),
        "Federated" if value == "*" => vec![Call::WithWebIdentity, Call::WithSaml],
        "Federated" => vec![call_of(value)],
        _ => vec![Call::AssumeRole],
    }
}

fn dresses(statement: &Statement<'_>) -> bool {
    DRESSING
        .iter()
        .any(|action| statement.actions.covers_action(action))
}

/// A pattern that takes in what dresses a session along with what opens the role.
fn sts_wildcard<'a>(statement: &'a Statement<'_>) -> Option<&'a str> {
    let actions = &statement.actions;
    if actions.negated {
        return actions.covers_action(TAG_SESSION).then_some("NotAction");
    }
    let takes = |pattern: &String, action: &str| {
        crate::policy::pattern::matches_ignoring_case(pattern, action)
    };
    let found = actions.patterns.iter().find(|pattern| {
        has_wildcard(pattern)
            && Call::ALL.iter().any(|call| takes(pattern, call.action()))
            && takes(pattern, TAG_SESSION)
    });
    found.map(String::as_str)
}
