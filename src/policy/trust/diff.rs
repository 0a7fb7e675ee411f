//! What a later trust policy of a role opened, and what it closed.
//!
//! Both documents are taken apart into grants: one principal, the calls it may make, and the tests that
//! it has to pass. A grant of the later document that one of the earlier document already held opened
//! nothing, so the order of statements, one value or a list, the case of keys, and `Sid` make no
//! difference. A Deny works the other way round: what is lost of it opened something.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::codes::Verdict;
use super::conditions::Conditions;
use super::context::TrustContext;
use super::federation::Call;
use super::implication::{Comparison, Kept};
use super::principals::{canonical, is_everyone, is_outside};
use super::verdict::{DRESSING, EVERYONE, calls, grantees};
use super::{Judged, cut, worst_reading};
use crate::finding::Severity;
use crate::policy::document::read;
use crate::policy::pattern::{Arn, is_account_id};
use crate::policy::statement::{Effect, Principals, Statement, statements};

/// Most statements and principals of one document that are compared one by one. IAM keeps at most
/// 4,096 characters of a trust policy, which hold fewer.
const MAX_STATEMENTS: usize = 200;
const MAX_GRANTS: usize = 2_000;

macro_rules! kinds {
    ($($kind:ident $text:literal $meaning:literal;)*) => {
        /// What a change is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ChangeKind {
            $(#[doc = $meaning] $kind,)*
        }

        impl ChangeKind {
            /// Every kind, those that open first.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The name in kebab case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// What it says, as half a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$kind => $meaning,)* }
            }
        }
    };
}

kinds! {
    VerdictRose "verdict-rose" "the verdict is worse than before";
    PrincipalAdded "principal-added" "somebody can take the role who could not be named for it before";
    ConditionRemoved "condition-removed" "a condition key is not tested any more";
    ConditionWeakened "condition-weakened" "the same values under an operator that lets more through";
    ValueWidened "value-widened" "a condition key takes more values";
    ActionAdded "action-added" "a principal may make one more call";
    GuardRemoved "guard-removed" "a Deny is gone or refuses less";
    TooLarge "too-large" "a document too large to be compared part by part is another one now";
    VerdictFell "verdict-fell" "the verdict is milder than before";
    PrincipalRemoved "principal-removed" "somebody is not named any more";
    ConditionAdded "condition-added" "a condition key is tested that was not";
    ConditionTightened "condition-tightened" "the same values under an operator that lets less through";
    ValueNarrowed "value-narrowed" "a condition key takes fewer values";
    ActionRemoved "action-removed" "a principal may make one call less";
    GuardAdded "guard-added" "a Deny is new or refuses more";
}

impl ChangeKind {
    /// The same seen from the other document.
    fn reversed(self) -> Self {
        match self {
            Self::VerdictRose => Self::VerdictFell,
            Self::PrincipalAdded => Self::PrincipalRemoved,
            Self::ConditionRemoved => Self::ConditionAdded,
            Self::ConditionWeakened => Self::ConditionTightened,
            Self::ValueWidened => Self::ValueNarrowed,
            Self::ActionAdded => Self::ActionRemoved,
            Self::GuardRemoved => Self::GuardAdded,
            Self::TooLarge => Self::TooLarge,
            Self::VerdictFell => Self::VerdictRose,
            Self::PrincipalRemoved => Self::PrincipalAdded,
            Self::ConditionAdded => Self::ConditionRemoved,
            Self::ConditionTightened => Self::ConditionWeakened,
            Self::ValueNarrowed => Self::ValueWidened,
            Self::ActionRemoved => Self::ActionAdded,
            Self::GuardAdded => Self::GuardRemoved,
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustChange {
    pub kind: ChangeKind,
    /// High for a worse verdict or a principal outside the own accounts, medium for a condition key
    /// that is gone, low for the rest of what opened, and info for what closed.
    pub severity: Severity,
    /// Position of the statement in the later document, from 0; in the earlier one for what the later
    /// one does not have. `None` for the document as a whole.
    pub statement: Option<usize>,
    /// The principal, test or call at issue, cut to a bounded length.
    pub value: String,
}

/// The difference of two trust policies of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustDiff {
    pub before: Verdict,
    pub after: Verdict,
    /// Worst first.
    pub opened: Vec<TrustChange>,
    pub closed: Vec<TrustChange>,
}

impl TrustDiff {
    /// Is the later verdict worse? Unreadable documents compare with nothing.
    pub fn rose(&self) -> bool {
        let mut opened = self.opened.iter();
        opened.any(|change| change.kind == ChangeKind::VerdictRose)
    }

    /// The worst of what opened; `None` if nothing did.
    pub fn severity(&self) -> Option<Severity> {
        self.opened.iter().map(|change| change.severity).max()
    }
}

/// Compares two trust policies of one role. Never fails: a text that is no policy differs from nothing,
/// because what it stood for is not known.
pub fn diff(before: &str, after: &str, context: &TrustContext) -> TrustDiff {
    let judge = |text| read(text).ok().map(|json| worst_reading(&json, context));
    let (old, new) = (judge(before), judge(after));
    let verdict = |judged: &Option<Judged>| {
        let report = judged.as_ref().map(|judged| judged.report.verdict);
        report.unwrap_or(Verdict::Invalid)
    };
    let mut diff = TrustDiff {
        before: verdict(&old),
        after: verdict(&new),
        opened: Vec::new(),
        closed: Vec::new(),
    };
    let (Some(old), Some(new)) = (old, new) else {
        return diff;
    };
    if old.reading == new.reading {
        return diff;
    }
    let comparison = Comparison::new();
    let (old_policy, new_policy) = (Policy::read(&old, context), Policy::read(&new, context));
    diff.opened = gained(&old_policy, &new_policy, &comparison, false);
    diff.closed = gained(&new_policy, &old_policy, &comparison, true);
    for change in &mut diff.closed {
        change.kind = change.kind.reversed();
        change.severity = Severity::Info;
    }
    if diff.before != diff.after {
        let rose = diff.after < diff.before;
        let change = TrustChange {
            kind: if rose {
                ChangeKind::VerdictRose
            } else {
                ChangeKind::VerdictFell
            },
            severity: if rose { Severity::High } else { Severity::Info },
            statement: None,
            value: format!("{} → {}", diff.before, diff.after),
        };
        if rose {
            &mut diff.opened
        } else {
            &mut diff.closed
        }
        .push(change);
    }
    for changes in [&mut diff.opened, &mut diff.closed] {
        changes.sort_by(|a, b| (b.severity, a).cmp(&(a.severity, b)));
        changes.dedup();
    }
    diff
}

/// Who a statement is about, one value each, however it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Who {
    /// Every AWS principal.
    Everyone,
    /// Every identity provider.
    AnyProvider,
    /// Everybody but these.
    Except(BTreeSet<(String, String)>),
    Named {
        kind: String,
        value: String,
    },
}

impl Who {
    fn named(kind: &str, value: &str) -> Self {
        match kind {
            "AWS" if is_everyone(value) => Self::Everyone,
            "Federated" if value == "*" => Self::AnyProvider,
            _ => Self::Named {
                kind: kind.to_owned(),
                value: canonical(kind, value).to_owned(),
            },
        }
    }

    /// Does a grant to this one hold for the other as well?
    fn covers(&self, other: &Self, context: &TrustContext) -> bool {
        match (self, other) {
            (Self::Everyone, Self::Named { kind, .. }) => kind == "AWS",
            (Self::AnyProvider, Self::Named { kind, .. }) => kind == "Federated",
            (Self::Everyone, Self::Except(_)) => true,
            (Self::Except(few), Self::Except(many)) => few.is_subset(many),
            (Self::Except(listed), Self::Named { kind, value }) => {
                !listed.contains(&(kind.clone(), value.clone()))
            }
            // A foreign account as a whole holds each of its principals. In the role's own account a
            // named principal needs no rights of its own, so naming it gives more.
            (Self::Named { value: account, .. }, Self::Named { kind, value })
                if is_account_id(account) && account != value && kind == "AWS" =>
            {
                let owner = Arn::parse(value).map(|arn| arn.account);
                owner == Some(account.as_str()) && context.account() != owner
            }
            _ => self == other,
        }
    }

    fn usable_calls(&self) -> Vec<Call> {
        match self {
            Self::Everyone => vec![Call::AssumeRole],
            Self::AnyProvider => calls("Federated", "*"),
            Self::Except(_) => calls(EVERYONE, "*"),
            Self::Named { kind, value } => calls(kind, value),
        }
    }
}

/// One statement, ready to be compared.
struct Rule {
    index: usize,
    /// Each with how it is written.
    who: BTreeMap<Who, String>,
    /// What is covered of the calls that matter, and other patterns as they are, in lower case.
    actions: BTreeSet<String>,
    conditions: Conditions,
}

impl Rule {
    fn read(statement: &Statement<'_>, conditions: Conditions) -> Self {
        let mut who = BTreeMap::new();
        let listed = match &statement.principals {
            Principals::Named(named) if statement.principals_negated => Some(named),
            Principals::Named(_) | Principals::Everyone | Principals::Absent => None,
        };
        if let Some(listed) = listed {
            let texts: Vec<&str> = listed.iter().map(|(_, value)| value.as_str()).collect();
            let written = format!("everybody except {}", texts.join(", "));
            let canonical = |(kind, value): &(String, String)| {
                (kind.clone(), canonical(kind, value).to_owned())
            };
            who.insert(Who::Except(listed.iter().map(canonical).collect()), written);
        } else {
            for (kind, value) in grantees(statement) {
                if kind == EVERYONE {
                    who.insert(Who::Everyone, value.to_owned());
                    who.insert(Who::AnyProvider, value.to_owned());
                } else {
                    who.insert(Who::named(kind, value), value.to_owned());
                }
            }
        }
        let known = Call::ALL.into_iter().map(Call::action).chain(DRESSING);
        let covered = known.filter(|action| statement.actions.covers_action(action));
        Self {
            index: statement.index,
            who,
            actions: covered.map(str::to_owned).collect(),
            conditions,
        }
    }

    /// The calls of this statement that fit a principal; none if it does not open the role for it
    /// and dresses nothing.
    fn usable(&self, who: &Who) -> Vec<&str> {
        let fitting = who.usable_calls();
        let fits = |action: &&String| {
            DRESSING.contains(&action.as_str())
                || fitting.iter().any(|call| call.action() == action.as_str())
        };
        self.actions
            .iter()
            .filter(fits)
            .map(String::as_str)
            .collect()
    }

    fn opens_for(&self, who: &Who) -> bool {
        let fitting = who.usable_calls();
        fitting
            .iter()
            .any(|call| self.actions.contains(call.action()))
    }
}

/// The rules of one document.
struct Policy<'a> {
    judged: &'a Judged,
    context: &'a TrustContext,
    allows: Vec<Rule>,
    denies: Vec<Rule>,
}

impl<'a> Policy<'a> {
    fn read(judged: &'a Judged, context: &'a TrustContext) -> Self {
        let read = statements(&judged.reading);
        let mut policy = Self {
            judged,
            context,
            allows: Vec::new(),
            denies: Vec::new(),
        };
        for statement in &read.list {
            let conditions = Conditions::read(statement.condition, read.variables, context);
            let rule = Rule::read(statement, conditions);
            match statement.effect {
                Effect::Allow => policy.allows.push(rule),
                Effect::Deny => policy.denies.push(rule),
            }
        }
        policy
    }

    fn is_large(&self) -> bool {
        let rules = || self.allows.iter().chain(&self.denies);
        rules().count() > MAX_STATEMENTS
            || rules().map(|rule| rule.who.len()).sum::<usize>() > MAX_GRANTS
    }

    /// Is it somebody outside whom this statement lets in?
    fn is_outsider(&self, rule: &Rule, written: &str) -> bool {
        let graded = self.judged.grades.get(&(rule.index, written.to_owned()));
        // Everybody but some is graded as everybody.
        let graded = graded.or_else(|| self.judged.grades.get(&(rule.index, "*".to_owned())));
        graded.is_some_and(|verdict| is_outside(*verdict) || *verdict == Verdict::FederatedOpen)
    }
}

/// What the later document grants beyond the earlier one. `backwards`: the two have changed places, and
/// places are told in the document that is the earlier one here.
fn gained(
    old: &Policy<'_>,
    new: &Policy<'_>,
    comparison: &Comparison,
    backwards: bool,
) -> Vec<TrustChange> {
    if old.is_large() || new.is_large() {
        return vec![TrustChange {
            kind: ChangeKind::TooLarge,
            severity: Severity::Low,
            statement: None,
            value: format!("{} statements", new.allows.len() + new.denies.len()),
        }];
    }
    let mut gains = Gains {
        old,
        new,
        comparison,
        backwards,
        implied: HashMap::new(),
        changes: Vec::new(),
    };
    for rule in &new.allows {
        for (who, written) in &rule.who {
            gains.explain(rule, who, written);
        }
    }
    for rule in &old.denies {
        gains.explain_guard(rule);
    }
    gains.changes
}

struct Gains<'a> {
    old: &'a Policy<'a>,
    new: &'a Policy<'a>,
    comparison: &'a Comparison,
    backwards: bool,
    /// Whether the conditions of a statement of the later document imply those of one of the earlier.
    implied: HashMap<(usize, usize), bool>,
    changes: Vec<TrustChange>,
}

impl<'a> Gains<'a> {
    /// Says why one principal of one Allow has more than before, if it has.
    fn explain(&mut self, rule: &'a Rule, who: &Who, written: &str) {
        let old = self.old;
        let usable = rule.usable(who);
        let kin: Vec<&Rule> = old
            .allows
            .iter()
            .filter(|earlier| {
                earlier
                    .who
                    .keys()
                    .any(|other| other.covers(who, old.context))
            })
            .collect();
        let missing: Vec<&str> = usable
            .into_iter()
            .filter(|action| {
                !kin.iter()
                    .any(|earlier| earlier.actions.contains(*action) && self.implies(rule, earlier))
            })
            .collect();
        if missing.is_empty() {
            return;
        }
        let named: Vec<&&Rule> = kin.iter().filter(|kin| kin.who.contains_key(who)).collect();
        if rule.opens_for(who) && !named.iter().any(|earlier| earlier.opens_for(who)) {
            let outsider = self.new.is_outsider(rule, written);
            let severity = if outsider {
                Severity::High
            } else {
                Severity::Low
            };
            self.push(ChangeKind::PrincipalAdded, severity, rule.index, written);
            return;
        }
        for action in missing {
            let earlier = named
                .iter()
                .filter(|earlier| earlier.actions.contains(action));
            let lost = |earlier: &Rule| {
                let tests = earlier.conditions.tests.iter();
                tests
                    .filter(|test| !self.keeps(rule, earlier, test))
                    .count()
            };
            match earlier.min_by_key(|earlier| lost(earlier)) {
                Some(earlier) => self.explain_tests(rule, earlier),
                None => {
                    let value = format!("{action} for {written}");
                    self.push(ChangeKind::ActionAdded, Severity::Low, rule.index, &value);
                }
            }
        }
    }

    fn keeps(&self, rule: &Rule, earlier: &Rule, test: &super::conditions::Test) -> bool {
        let kept = self
            .comparison
            .kept(&rule.conditions, &earlier.conditions, test);
        matches!(kept, Kept::Entirely)
    }

    /// Which tests of the earlier statement the later one does not have any more.
    fn explain_tests(&mut self, rule: &Rule, earlier: &Rule) {
        let index = if self.backwards {
            earlier.index
        } else {
            rule.index
        };
        for test in &earlier.conditions.tests {
            let (kind, severity, other) =
                match self
                    .comparison
                    .kept(&rule.conditions, &earlier.conditions, test)
                {
                    Kept::Entirely => continue,
                    Kept::Not => (ChangeKind::ConditionRemoved, Severity::Medium, None),
                    Kept::Weaker(other) => {
                        (ChangeKind::ConditionWeakened, Severity::Low, Some(other))
                    }
                    Kept::Wider(other) => (ChangeKind::ValueWidened, Severity::Low, Some(other)),
                };
            // What the later document of the two has; what is gone stands in the earlier one.
            let shown = match other {
                Some(other) if !self.backwards => &other.rendered,
                Some(_) | None => &test.rendered,
            };
            self.push(kind, severity, index, &shown.clone());
        }
    }

    /// Says what of one Deny is lost.
    fn explain_guard(&mut self, guard: &'a Rule) {
        let new = self.new;
        let is_lost = guard.who.keys().any(|who| {
            guard.actions.iter().any(|action| {
                !new.denies.iter().any(|later| {
                    later.actions.contains(action)
                        && later.who.keys().any(|other| other.covers(who, new.context))
                        && self
                            .comparison
                            .implies(&guard.conditions, &later.conditions)
                })
            })
        });
        if !is_lost {
            return;
        }
        let tests = &guard.conditions.tests;
        let is_tested = |key: &str| {
            let mut later = new.denies.iter().flat_map(|later| &later.conditions.tests);
            later.any(|test| test.key == key)
        };
        let key_gone = tests.is_empty() || tests.iter().any(|test| !is_tested(&test.key));
        let severity = if key_gone {
            Severity::Medium
        } else {
            Severity::Low
        };
        let rendered: Vec<&str> = tests.iter().map(|test| test.rendered.as_str()).collect();
        let value = if rendered.is_empty() {
            let written: Vec<&str> = guard.who.values().map(String::as_str).collect();
            format!("Deny {}", written.join(", "))
        } else {
            format!("Deny if {}", rendered.join(" and "))
        };
        self.push(ChangeKind::GuardRemoved, severity, guard.index, &value);
    }

    fn implies(&mut self, later: &Rule, earlier: &Rule) -> bool {
        let comparison = self.comparison;
        *self
            .implied
            .entry((later.index, earlier.index))
            .or_insert_with(|| comparison.implies(&later.conditions, &earlier.conditions))
    }

    fn push(&mut self, kind: ChangeKind, severity: Severity, index: usize, value: &str) {
        self.changes.push(TrustChange {
            kind,
            severity,
            statement: Some(index),
            value: cut(value),
        });
    }
}
