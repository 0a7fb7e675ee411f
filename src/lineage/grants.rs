//! Records of issuing calls, put together: one grant for each call, however many accounts recorded it.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::FixedState;

use super::evidence::{Evidence, Issue};
use super::texts::Text;
use super::words::CallerLink;

/// Two records of one call do not lie further apart.
pub(super) const TWIN_MICROS: i64 = 5_000_000;

/// What a grant gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gift {
    /// A role's session.
    Role,
    /// Root's rights in an account.
    Root,
    /// A user's temporary key.
    User,
    Federation,
    /// A sign-in to the console.
    Login,
    /// The console's record of switching roles, beside the call that took the role.
    Switch,
    /// A token that turns credentials into a console session.
    Token,
    /// A token of a sign-in session.
    SignIn,
    /// A role's credentials, handed out by Identity Center.
    Directory,
}

impl Gift {
    fn of(name: &str) -> Self {
        match name {
            "AssumeRoot" => Self::Root,
            "GetSessionToken" => Self::User,
            "GetFederationToken" => Self::Federation,
            "ConsoleLogin" => Self::Login,
            "GetSigninToken" => Self::Token,
            "SwitchRole" => Self::Switch,
            "CreateOAuth2Token" => Self::SignIn,
            "GetRoleCredentials" => Self::Directory,
            _ => Self::Role,
        }
    }
}

/// One issuing call.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub gift: Gift,
    /// The record that says most of the caller.
    pub best: usize,
    /// All its records, as a range of [`Grants::records`].
    pub records: Range<usize>,
    pub time: Option<i64>,
    /// How the caller is known.
    pub caller_link: CallerLink,
}

/// All issuing calls, by time.
#[derive(Debug)]
pub(super) struct Grants {
    pub all: Vec<Grant>,
    /// Indexes of issues, grant by grant, the best record first.
    pub records: Vec<usize>,
}

impl Grants {
    /// Puts the records of each call together, in an order that does not depend on theirs.
    pub(super) fn of(evidence: &Evidence) -> Self {
        let issues = &evidence.issues;
        let mut order: Vec<usize> = (0..issues.len()).collect();
        let id = |at: usize| evidence.texts.get(issues[at].event_id);
        let account = |at: usize| evidence.text(issues[at].account);
        order.sort_unstable_by(|&a, &b| {
            (issues[a].time, id(a), account(a)).cmp(&(issues[b].time, id(b), account(b)))
        });
        let groups = group(issues, &order);
        let mut grants = Self {
            all: Vec::with_capacity(groups.len()),
            records: Vec::with_capacity(issues.len()),
        };
        for mut group in groups {
            // The sort keeps the order within each half.
            group.sort_by_key(|at| issues[*at].outside);
            grants.push(evidence, &group);
        }
        // The best record is not always the first.
        grants.all.sort_by_key(|grant| grant.time);
        grants
    }

    fn push(&mut self, evidence: &Evidence, group: &[usize]) {
        let Some(&best) = group.first() else { return };
        let issue = &evidence.issues[best];
        let start = self.records.len();
        self.records.extend_from_slice(group);
        let name = evidence.texts.get(issue.name);
        let twin = group
            .iter()
            .find(|at| evidence.issues[**at].outside != issue.outside);
        let caller_link = match twin.map(|at| &evidence.issues[*at]) {
            None => CallerLink::Record,
            Some(twin) if twin.shared_id.is_some() && twin.shared_id == issue.shared_id => {
                CallerLink::SharedEventId
            }
            Some(_) => CallerLink::RequestId,
        };
        self.all.push(Grant {
            gift: Gift::of(name),
            best,
            records: start..self.records.len(),
            time: issue.time,
            caller_link,
        });
    }

    pub(super) fn records(&self, grant: &Grant) -> &[usize] {
        &self.records[grant.records.clone()]
    }
}

/// Indexes of issues in groups, in the order given.
fn group(issues: &[Issue], order: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<(u8, Text), usize, FixedState> = HashMap::default();
    for &at in order {
        let issue = &issues[at];
        let original = issue.amends.or(Some(issue.event_id));
        let handles = [
            (0, issue.request_id),
            (1, issue.shared_id),
            (2, issue.key),
            (3, original),
        ];
        let handles = handles.map(|(sort, text)| text.map(|text| (sort, text)));
        let found = handles.iter().flatten().find_map(|handle| {
            let group = *known.get(handle)?;
            let all_agree = groups[group]
                .iter()
                .all(|other| are_twins(&issues[*other], issue));
            all_agree.then_some(group)
        });
        let group = found.unwrap_or_else(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(at);
        for handle in handles.into_iter().flatten() {
            known.insert(handle, group);
        }
    }
    groups
}

/// Whether two records can be of one call: the same name, moment, key and session, and, where one is not a
/// copy of the other, one from the caller's and one from the target's side.
fn are_twins(a: &Issue, b: &Issue) -> bool {
    let agree = |a: Option<Text>, b: Option<Text>| a.is_none() || b.is_none() || a == b;
    let near = match (a.time, b.time) {
        (Some(a), Some(b)) => a.abs_diff(b) <= TWIN_MICROS.unsigned_abs(),
        _ => true,
    };
    let original = |issue: &Issue| issue.amends.unwrap_or(issue.event_id);
    let copies = original(a) == original(b);
    let sides = a.outside != b.outside && a.account != b.account;
    a.name == b.name
        && near
        && (copies || sides)
        && agree(a.key, b.key)
        && agree(a.role_id, b.role_id)
        && agree(a.request_id, b.request_id)
        && agree(a.role_arn, b.role_arn)
        && (a.request_id.is_some() && a.request_id == b.request_id
            || a.shared_id.is_some() && a.shared_id == b.shared_id
            || a.key.is_some() && a.key == b.key
            || copies)
}
