//! From the marks of callers to the calls that issued their credentials.
//!
//! A tie must hold against everything that both sides say: the principal, the role, the moment, the source
//! identity. Where two calls fit equally well and different callers made them, there is no tie.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::evidence::{Caller, Evidence, Issue, Shape};
use super::grants::{Gift, Grant, Grants};
use super::texts::Text;
use super::words::{Confidence, Link};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// The moment in the session and the time of the call that issued it differ by no more (times have whole
/// seconds, and two machines write them).
const MOMENT_MICROS: i64 = 2 * SECOND;
/// A key is proof by itself, so that its moment may be a little off.
const KEY_MOMENT_MICROS: i64 = 60 * SECOND;
/// A sign-in is recorded when it is done, the session may begin a little before or after.
const LOGIN_MICROS: i64 = 60 * SECOND;
/// Clocks of services.
const CLOCK_MICROS: i64 = 5 * SECOND;
/// The longest life of a role's session, and of other temporary credentials.
pub(super) const ROLE_LIFE_MICROS: i64 = 12 * HOUR;
const USER_LIFE_MICROS: i64 = 36 * HOUR;

/// A caller's credentials and the grant that issued them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tie {
    pub grant: usize,
    pub link: Link,
    pub confidence: Confidence,
}

/// Grants by what they can be told by.
struct Index {
    by_key: HashMap<Text, Vec<usize>, FixedState>,
    /// Principal, then time.
    by_principal: Vec<(Text, i64, usize)>,
    /// Account, role and session name of grants that do not say the role's id.
    by_name: HashMap<String, Vec<usize>, FixedState>,
    by_source: HashMap<Text, Vec<usize>, FixedState>,
    /// Principals with the moments at which sessions of theirs began.
    moments: Moments,
}

type Moments = HashSet<(Text, i64), FixedState>;

/// The view of one grant that ties are judged by.
struct Side<'a> {
    evidence: &'a Evidence,
    grant: &'a Grant,
    issue: &'a Issue,
}

impl<'a> Side<'a> {
    fn new(evidence: &'a Evidence, grants: &'a Grants, at: usize) -> Self {
        let grant = &grants.all[at];
        Self {
            evidence,
            grant,
            issue: &evidence.issues[grant.best],
        }
    }

    fn caller(&self) -> Option<&'a Caller> {
        let at = self.evidence.caller_of(self.issue.mark)?;
        self.evidence.callers.get(at)
    }

    /// Who holds what is granted, as its records will name it.
    fn principal(&self) -> Option<Text> {
        match self.grant.gift {
            Gift::Role | Gift::Federation => self.issue.role_id,
            Gift::Root => self.issue.target_account,
            Gift::User | Gift::Login | Gift::Token => self.caller()?.who.principal_id,
            Gift::Switch | Gift::SignIn | Gift::Directory => None,
        }
    }

    fn source_identity(&self) -> Option<Text> {
        self.issue
            .source_identity
            .or_else(|| self.caller()?.who.source_identity)
    }

    /// A source identity is set with the call or passed on by the caller's session, else there is none.
    fn source_fits(&self, caller: &Caller) -> bool {
        match (self.source_identity(), caller.who.source_identity) {
            (Some(set), Some(shown)) => set == shown,
            // Records of the target do not show the caller's session, and some lack the request.
            (None, Some(_)) => self.issue.outside || self.issue.session_name.is_none(),
            _ => true,
        }
    }

    fn kind_fits(&self, caller: &Caller) -> bool {
        match (self.evidence.text(caller.who.kind), self.grant.gift) {
            (Some("AssumedRole"), Gift::Role | Gift::Token)
            | (Some("IAMUser"), Gift::User | Gift::Login)
            | (Some("FederatedUser"), Gift::Federation | Gift::Token) => true,
            (Some("Root"), Gift::Root) => caller.who.assumed_root,
            (Some("Root"), Gift::User | Gift::Login) => !caller.who.assumed_root,
            _ => false,
        }
    }

    /// Whether nothing that is known of both speaks against it, times aside.
    fn fits(&self, caller: &Caller) -> bool {
        let agree = |a: Option<Text>, b: Option<Text>| a.is_none() || b.is_none() || a == b;
        // Where records lack the principal's id, its ARN stands for it.
        let id = caller.who.principal_id;
        let by_arn = self
            .evidence
            .text(id)
            .is_some_and(|id| id.starts_with("arn:"));
        let principal = match (by_arn, self.grant.gift) {
            (true, Gift::Role) => self.issue.session_arn,
            _ => self.principal(),
        };
        // Nothing issues itself.
        if self.issue.mark == caller.mark
            || !self.kind_fits(caller)
            || !agree(principal, id)
            || !self.source_fits(caller)
        {
            return false;
        }
        let roles = (self.issue.role_arn, caller.who.issuer_arn);
        match (self.principal(), self.grant.gift, roles) {
            (None, Gift::Role, (Some(target), Some(issuer))) => {
                let name = |arn| role_place(self.evidence.texts.get(arn));
                name(target) == name(issuer)
            }
            _ => true,
        }
    }

    /// The longest that the credentials may live.
    fn life(&self) -> i64 {
        match self.grant.gift {
            Gift::Role | Gift::Root => ROLE_LIFE_MICROS,
            _ => USER_LIFE_MICROS,
        }
    }

    /// How far the beginning of a session lies from the grant; `None` where it cannot be its beginning.
    fn distance(&self, caller: &Caller, tolerance: i64, moments: &Moments) -> Option<u64> {
        let Some(granted) = self.grant.time else {
            // A key is proof also where its grant has no time.
            return (tolerance == KEY_MOMENT_MICROS).then_some(u64::MAX);
        };
        if let Some(created) = caller.who.created {
            let distance = created.abs_diff(granted);
            let other = caller
                .who
                .principal_id
                .map(|principal| (principal, granted));
            // The grant of another session, which began at just its moment.
            let taken = distance > 0 && other.is_some_and(|other| moments.contains(&other));
            return (distance <= tolerance.unsigned_abs() && !taken).then_some(distance);
        }
        let first = caller.tally.first_time?;
        let ends = self
            .issue
            .expires_at
            .unwrap_or(granted.saturating_add(self.life()));
        let alive = first >= granted.saturating_sub(CLOCK_MICROS)
            && first <= ends.saturating_add(CLOCK_MICROS);
        alive.then(|| first.abs_diff(granted))
    }
}

/// Account and name of a role, without partition and path: `111122223333/name`.
pub(super) fn role_place(arn: &str) -> String {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let name = match arn.split_once(":assumed-role/") {
        Some((_, rest)) => rest.split('/').next(),
        None => arn.rsplit('/').next(),
    };
    format!("{account}/{}", name.unwrap_or_default())
}

/// Whether a role belongs to Identity Center.
pub(super) fn is_directory_role(arn: &str) -> bool {
    arn.contains("/AWSReservedSSO_")
}

impl Index {
    fn of(evidence: &Evidence, grants: &Grants) -> Self {
        let mut index = Self {
            by_key: HashMap::default(),
            by_principal: Vec::new(),
            by_name: HashMap::default(),
            by_source: HashMap::default(),
            moments: HashSet::default(),
        };
        for (at, grant) in grants.all.iter().enumerate() {
            let side = Side::new(evidence, grants, at);
            for record in grants.records(grant) {
                if let Some(key) = evidence.issues[*record].key {
                    let list = index.by_key.entry(key).or_default();
                    if list.last() != Some(&at) {
                        list.push(at);
                    }
                }
            }
            let Some(time) = grant.time else { continue };
            if let Some(principal) = side.principal() {
                index.by_principal.push((principal, time, at));
            } else if let (Some(role), Some(name)) = (side.issue.role_arn, side.issue.session_name)
            {
                let place = role_place(evidence.texts.get(role));
                let name = format!("{place}/{}", evidence.texts.get(name));
                index.by_name.entry(name).or_default().push(at);
            } else if let Some(source) = side.source_identity() {
                index.by_source.entry(source).or_default().push(at);
            }
        }
        index.by_principal.sort_unstable();
        let callers = evidence.callers.iter().map(|caller| &caller.who);
        let moments = callers.filter_map(|who| who.principal_id.zip(who.created));
        index.moments.extend(moments);
        index
    }

    /// The grants of a principal within a span of time.
    fn of_principal(&self, principal: Text, from: i64, to: i64) -> &[(Text, i64, usize)] {
        let start = self
            .by_principal
            .partition_point(|(p, t, _)| (*p, *t) < (principal, from));
        let rest = &self.by_principal[start..];
        let n = rest.partition_point(|(p, t, _)| (*p, *t) <= (principal, to));
        &rest[..n]
    }
}

/// The tie of each caller, where it has one.
pub(super) fn ties(evidence: &Evidence, grants: &Grants) -> Vec<Option<Tie>> {
    let index = Index::of(evidence, grants);
    let tie = |caller: &Caller| {
        let ties = Ties {
            evidence,
            grants,
            index: &index,
            caller,
        };
        match caller.shape {
            Shape::Key => ties
                .by_key()
                .or_else(|| ties.by_moment())
                .or_else(|| ties.by_lone_key()),
            Shape::Began => ties.by_moment(),
            Shape::Who => ties.by_principal_alone(),
            _ => None,
        }
    };
    let mut ties: Vec<Option<Tie>> = evidence.callers.iter().map(tie).collect();
    keep_one_session(evidence, grants, &mut ties);
    ties
}

/// One call issues one session: of callers that were tied to it by their moment only those stay that can be
/// of the same, and none where two are equally near.
fn keep_one_session(evidence: &Evidence, grants: &Grants, ties: &mut [Option<Tie>]) {
    let mut tied: HashMap<usize, Vec<usize>, FixedState> = HashMap::default();
    for (at, tie) in ties.iter().enumerate() {
        if let Some(tie) = tie {
            tied.entry(tie.grant).or_default().push(at);
        }
    }
    for (grant, callers) in tied.into_iter().filter(|(_, callers)| callers.len() > 1) {
        let granted = grants.all[grant].time;
        let by_key = |at: &usize| ties[*at].is_some_and(|tie| tie.link == Link::IssuedKey);
        let who = |at: &usize| &evidence.callers[*at].who;
        let proven = callers
            .iter()
            .find(|at| by_key(at) && who(at).created.is_some());
        let distance = |at: &usize| Some(who(at).created?.abs_diff(granted?));
        let created = match proven {
            Some(proven) => who(proven).created,
            None => {
                let least = callers.iter().filter_map(distance).min();
                let mut nearest = callers.iter().filter(|at| distance(at) == least);
                let first = nearest.next().and_then(|at| who(at).created);
                first.filter(|_| nearest.all(|at| who(at).created == first))
            }
        };
        let of_moment = |at: &usize| who(at).created.is_none() || who(at).created == created;
        let own_key = |at: &usize| {
            let caller = &evidence.callers[*at];
            let role = evidence.text(caller.who.issuer_arn).unwrap_or_default();
            let one_hand =
                is_directory_role(role) || ties[*at].is_some_and(|tie| tie.link == Link::Console);
            caller
                .who
                .access_key_id
                .filter(|_| caller.shape == Shape::Key && !one_hand)
        };
        let keys: HashSet<Text, FixedState> = callers
            .iter()
            .filter(|at| of_moment(at))
            .filter_map(own_key)
            .collect();
        let several_keys = keys.len() > 1;
        let falls: Vec<usize> = callers
            .iter()
            .filter(|at| !by_key(at) && (!of_moment(at) || several_keys && own_key(at).is_some()))
            .copied()
            .collect();
        for at in falls {
            ties[at] = None;
        }
    }
}

/// The ways to tie one caller.
struct Ties<'a> {
    evidence: &'a Evidence,
    grants: &'a Grants,
    index: &'a Index,
    caller: &'a Caller,
}

impl Ties<'_> {
    fn side(&self, at: usize) -> Side<'_> {
        Side::new(self.evidence, self.grants, at)
    }

    fn distance(&self, at: usize, tolerance: i64) -> Option<u64> {
        let moments = &self.index.moments;
        self.side(at).distance(self.caller, tolerance, moments)
    }

    /// The nearest of the grants that fit; none where different callers are equally near.
    fn nearest(
        &self,
        candidates: impl Iterator<Item = usize>,
        tolerance: i64,
    ) -> Option<(usize, bool)> {
        let mut near: Vec<(u64, usize)> = candidates
            .filter(|at| self.side(*at).fits(self.caller))
            .filter_map(|at| Some((self.distance(at, tolerance)?, at)))
            .collect();
        near.sort_unstable();
        let (least, first) = *near.first()?;
        let mark = |at: usize| self.side(at).issue.mark;
        let mut equal = near.iter().take_while(|(distance, _)| *distance == least);
        let same_caller = equal.all(|(_, at)| mark(*at) == mark(first));
        let alone = near.get(1).is_none_or(|(distance, _)| *distance > least);
        same_caller.then_some((first, alone))
    }

    fn by_key(&self) -> Option<Tie> {
        let key = self.caller.who.access_key_id?;
        let candidates = self.within_life(self.index.by_key.get(&key)?);
        let (grant, _) = self.nearest(candidates, KEY_MOMENT_MICROS)?;
        let sure = self.side(grant).principal().is_some() && self.caller.who.principal_id.is_some();
        Some(Tie {
            grant,
            link: Link::IssuedKey,
            confidence: if sure {
                Confidence::Certain
            } else {
                Confidence::Strong
            },
        })
    }

    /// The only call that issued the key, though the session claims to have begun at another moment: logs
    /// whose times were moved keep the moments inside the identity. Everything else must agree.
    fn by_lone_key(&self) -> Option<Tie> {
        let key = self.caller.who.access_key_id?;
        let &[grant] = self.index.by_key.get(&key)?.as_slice() else {
            return None;
        };
        let side = self.side(grant);
        let (granted, tally) = (side.grant.time?, self.caller.tally);
        let from = granted.saturating_sub(CLOCK_MICROS);
        let to = granted.saturating_add(side.life() + CLOCK_MICROS);
        let alive = tally.first_time? >= from && tally.last_time? <= to;
        let same = side.principal().is_some() && side.principal() == self.caller.who.principal_id;
        (alive && same && side.fits(self.caller)).then_some(Tie {
            grant,
            link: Link::IssuedKey,
            confidence: Confidence::Likely,
        })
    }

    /// Those of many grants that may still be alive, and those without a time: placeholders for keys are
    /// issued again and again.
    fn within_life<'b>(&self, grants: &'b [usize]) -> impl Iterator<Item = usize> + use<'b> {
        let time = |at: &usize| self.grants.all[*at].time;
        let untimed = grants.partition_point(|at| time(at).is_none());
        let alive = match self.caller.who.created.or(self.caller.tally.first_time) {
            None => 0..0,
            Some(moment) => {
                let from = Some(moment.saturating_sub(USER_LIFE_MICROS));
                let to = Some(moment.saturating_add(KEY_MOMENT_MICROS));
                let start = grants.partition_point(|at| time(at) < from);
                start..grants.partition_point(|at| time(at) <= to).max(start)
            }
        };
        let alive = alive.start.max(untimed)..alive.end.max(untimed);
        grants[..untimed].iter().chain(&grants[alive]).copied()
    }

    /// By principal or name, with the moment the session began.
    fn by_moment(&self) -> Option<Tie> {
        let Some(created) = self.caller.who.created else {
            return self.by_principal_alone();
        };
        let principal = self.caller.who.principal_id?;
        let tolerance = match self.evidence.text(self.caller.who.kind) {
            Some("IAMUser" | "Root") if !self.caller.who.assumed_root => LOGIN_MICROS,
            _ => MOMENT_MICROS,
        };
        let (from, to) = (
            created.saturating_sub(tolerance),
            created.saturating_add(tolerance),
        );
        let candidates = self.index.of_principal(principal, from, to);
        let candidates = candidates.iter().map(|(_, _, at)| *at);
        let candidates = candidates.filter(|at| self.may_have_other_key(*at));
        if let Some((grant, alone)) = self.nearest(candidates, tolerance) {
            return Some(self.moment_tie(grant, Link::PrincipalCreation, alone));
        }
        let named = self.index.by_name.get(&self.name()?).into_iter().flatten();
        let named = named.copied().filter(|at| self.may_have_other_key(*at));
        if let Some((grant, alone)) = self.nearest(named, MOMENT_MICROS) {
            return Some(self.moment_tie(grant, Link::SessionName, alone));
        }
        let source = self.caller.who.source_identity?;
        let set = self.index.by_source.get(&source)?.iter().copied();
        let set = set.filter(|at| self.may_have_other_key(*at));
        let (grant, alone) = self.nearest(set, MOMENT_MICROS)?;
        alone.then_some(Tie {
            grant,
            link: Link::SourceIdentity,
            confidence: Confidence::Likely,
        })
    }

    fn moment_tie(&self, grant: usize, link: Link, alone: bool) -> Tie {
        let side = self.side(grant);
        let role = self.evidence.text(self.caller.who.issuer_arn);
        let link = match side.grant.gift {
            Gift::Login => Link::Console,
            _ if role.is_some_and(is_directory_role) => Link::IdentityCenter,
            _ if self.caller.who.console => Link::Console,
            _ => link,
        };
        let other_key = self.caller.shape == Shape::Key && side.issue.key.is_some();
        let confidence = if alone && !other_key {
            Confidence::Strong
        } else {
            Confidence::Likely
        };
        Tie {
            grant,
            link,
            confidence,
        }
    }

    /// The same principal, where the records do not say when the session began: the only grant alive.
    fn by_principal_alone(&self) -> Option<Tie> {
        // The key of a user is not granted, and users have sessions beside it.
        if self.evidence.text(self.caller.who.kind) != Some("AssumedRole") {
            return None;
        }
        let principal = self.caller.who.principal_id?;
        let first = self.caller.tally.first_time?;
        let from = first.saturating_sub(ROLE_LIFE_MICROS);
        // All calls without a moment are one caller, so every grant up to the last of them counts.
        let last = self.caller.tally.last_time.unwrap_or(first);
        let candidates = self.index.of_principal(principal, from, last);
        let mut alive = candidates.iter().map(|(_, _, at)| *at).filter(|at| {
            let side = self.side(*at);
            self.may_have_other_key(*at) && side.fits(self.caller)
        });
        let grant = alive.next()?;
        self.distance(grant, MOMENT_MICROS)?;
        let mark = self.side(grant).issue.mark;
        alive
            .all(|at| self.side(at).issue.mark == mark)
            .then_some(Tie {
                grant,
                link: Link::RoleId,
                confidence: Confidence::Likely,
            })
    }

    /// Whether a tie by the moment may be: credentials of this grant can show another key than the one issued where the console, a
    /// service or Identity Center made it, or where a SAML provider vouched.
    fn may_have_other_key(&self, at: usize) -> bool {
        let side = self.side(at);
        // What a call set, every record of its session shows.
        let who = &self.caller.who;
        let shows_none = who.source_identity.is_none() && !who.source_hidden;
        if side.issue.source_identity.is_some() && shows_none {
            return false;
        }
        if side.grant.gift == Gift::Login {
            // Older records do not say that the console made their keys; theirs is the sign-in's moment.
            let moment = self.caller.who.created.zip(side.grant.time);
            let exact = moment.is_some_and(|(a, b)| a.abs_diff(b) <= MOMENT_MICROS.unsigned_abs());
            return self.caller.shape != Shape::Key || self.caller.who.console || exact;
        }
        let Some(issued) = side.issue.key else {
            return true;
        };
        // A person is who he is in all the sessions that a provider named after him; other names are chosen
        // by programs, and two of them may choose the same in one second.
        self.caller.shape != Shape::Key
            || self.is_directory_session()
            || side.grant.gift == Gift::Token
            || self.evidence.texts.get(side.issue.name) == "AssumeRoleWithSAML"
            || self.caller.who.access_key_id == Some(issued)
    }

    fn is_directory_session(&self) -> bool {
        let role = self.evidence.text(self.caller.who.issuer_arn);
        role.is_some_and(is_directory_role)
    }

    /// Account, role and session name, as in [`Index::by_name`].
    fn name(&self) -> Option<String> {
        let who = &self.caller.who;
        let role = self.evidence.text(who.issuer_arn.or(who.arn))?;
        let session = session_name(
            self.evidence.text(who.principal_id),
            self.evidence.text(who.arn),
        )?;
        Some(format!("{}/{session}", role_place(role)))
    }
}

/// The session's name, from the principal id or the ARN.
pub(super) fn session_name<'a>(
    principal_id: Option<&'a str>,
    arn: Option<&'a str>,
) -> Option<&'a str> {
    let of_id = principal_id
        .and_then(|id| id.split_once(':'))
        .map(|(_, name)| name);
    let of_arn = || arn.and_then(|arn| arn.split_once(":assumed-role/")?.1.split_once('/'));
    of_id
        .or_else(|| of_arn().map(|(_, name)| name))
        .filter(|name| !name.is_empty())
}
