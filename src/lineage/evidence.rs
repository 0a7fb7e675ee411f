//! What lineage is told from: the callers of events, and the calls that issued credentials.
//!
//! Events come in any order and are not kept: each adds to its caller. What is kept grows with the number
//! of callers, issuing calls and distinct places, not with the number of events.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::texts::{Text, Texts};

type Set = HashSet<u64, FixedState>;

/// Who made an event, as its record says.
#[derive(Debug, Clone, Copy, Default, Hash)]
pub struct Identity<'a> {
    /// `userIdentity.type`.
    pub kind: Option<&'a str>,
    pub principal: Option<&'a str>,
    pub principal_id: Option<&'a str>,
    pub arn: Option<&'a str>,
    pub account: Option<&'a str>,
    pub access_key_id: Option<&'a str>,
    /// When the session began, in microseconds since 1970.
    pub created: Option<i64>,
    /// The role, with its path; of a federated user the IAM user.
    pub issuer_arn: Option<&'a str>,
    pub user_name: Option<&'a str>,
    pub provider: Option<&'a str>,
    pub credential_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub service: Option<&'a str>,
    pub scope_type: Option<&'a str>,
    pub scope_arn: Option<&'a str>,
    pub source_identity: Option<&'a str>,
    pub sign_in: Option<&'a str>,
    pub from_metadata: bool,
    pub assumed_root: bool,
    pub console: bool,
    pub mfa: bool,
}

/// An event, as far as it tells of its caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// The sign by which the caller is told apart (view `callers`).
    pub mark: &'a str,
    pub identity: Identity<'a>,
    /// Microseconds since 1970.
    pub time: Option<i64>,
    pub service: Option<&'a str>,
    pub region: Option<&'a str>,
    pub address: Option<&'a str>,
    pub denied: bool,
    pub write: bool,
}

/// A record of a call that issued credentials or began a session (view `credential_grants`).
#[derive(Debug, Clone, Copy, Default)]
pub struct GrantRecord<'a> {
    pub event_id: &'a str,
    pub account: Option<&'a str>,
    pub time: Option<i64>,
    pub name: &'a str,
    /// The sign of who called.
    pub mark: &'a str,
    pub caller_kind: Option<&'a str>,
    pub shared_id: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub address: Option<&'a str>,
    pub key: Option<&'a str>,
    pub role_id: Option<&'a str>,
    pub session_arn: Option<&'a str>,
    pub role_arn: Option<&'a str>,
    pub target_account: Option<&'a str>,
    pub session_name: Option<&'a str>,
    pub source_identity: Option<&'a str>,
    pub expires_at: Option<i64>,
    pub saml_provider: Option<&'a str>,
    pub sign_in_begun: Option<&'a str>,
    pub switched_from: Option<&'a str>,
    pub directory_credential: Option<&'a str>,
    /// The event that this record amends.
    pub amends: Option<&'a str>,
}

/// How the mark of a caller is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Credentials that one key stands for.
    Key,
    /// A session whose keys change.
    Began,
    /// A sign-in, which is before its session.
    Login,
    /// A user or root without key or session.
    Who,
    Federated,
    Directory,
    Outside,
    Workload,
    Service,
    Other,
}

impl Shape {
    fn of(mark: &str) -> Self {
        match mark.split('|').next().unwrap_or_default() {
            "key" => Self::Key,
            "began" => Self::Began,
            "login" => Self::Login,
            "who" => Self::Who,
            "federated" => Self::Federated,
            "directory" => Self::Directory,
            "outside" => Self::Outside,
            "workload" => Self::Workload,
            "service" => Self::Service,
            _ => Self::Other,
        }
    }
}

/// One caller: all events of one mark.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub mark: Text,
    pub shape: Shape,
    pub who: Who,
    pub tally: Tally,
    /// Of what was last learned of it, so that the same is not learned again with every event.
    seen: Seen,
}

/// Fingerprints of the identity and of the places of a caller's last event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    identity: u64,
    places: u64,
}

/// What the records say of a caller, each text the least of those that they say.
#[derive(Debug, Clone, Default)]
pub(super) struct Who {
    pub kind: Option<Text>,
    pub principal: Option<Text>,
    pub principal_id: Option<Text>,
    pub arn: Option<Text>,
    pub account: Option<Text>,
    /// Only where one key stands for the caller.
    pub access_key_id: Option<Text>,
    pub created: Option<i64>,
    pub issuer_arn: Option<Text>,
    pub user_name: Option<Text>,
    pub provider: Option<Text>,
    pub credential_id: Option<Text>,
    pub user_id: Option<Text>,
    pub service: Option<Text>,
    pub scope_type: Option<Text>,
    pub scope_arn: Option<Text>,
    pub source_identity: Option<Text>,
    /// There is a source identity, and CloudTrail does not show it.
    pub source_hidden: bool,
    pub sign_in: Option<Text>,
    pub from_metadata: bool,
    pub assumed_root: bool,
    pub console: bool,
    pub mfa: bool,
}

/// What the events of a caller or session come to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub first_time: Option<i64>,
    pub last_time: Option<i64>,
    pub n_events: u64,
    pub n_denied: u64,
    pub n_writes: u64,
}

impl Tally {
    fn add(&mut self, call: &Call<'_>) {
        self.add_all(Self {
            first_time: call.time,
            last_time: call.time,
            n_events: 1,
            n_denied: u64::from(call.denied),
            n_writes: u64::from(call.write),
        });
    }

    pub(super) fn add_all(&mut self, other: Self) {
        self.first_time = earlier(self.first_time, other.first_time);
        self.last_time = self.last_time.max(other.last_time);
        self.n_events += other.n_events;
        self.n_denied += other.n_denied;
        self.n_writes += other.n_writes;
    }
}

/// A record of an issuing call.
#[derive(Debug, Clone)]
pub(super) struct Issue {
    pub event_id: Text,
    pub account: Option<Text>,
    pub time: Option<i64>,
    pub name: Text,
    pub mark: Text,
    /// The record says no more of the caller than account and id.
    pub outside: bool,
    pub shared_id: Option<Text>,
    pub request_id: Option<Text>,
    pub address: Option<Text>,
    pub key: Option<Text>,
    pub role_id: Option<Text>,
    pub session_arn: Option<Text>,
    pub role_arn: Option<Text>,
    pub target_account: Option<Text>,
    pub session_name: Option<Text>,
    pub source_identity: Option<Text>,
    pub expires_at: Option<i64>,
    pub saml_provider: Option<Text>,
    pub sign_in_begun: Option<Text>,
    pub switched_from: Option<Text>,
    pub directory_credential: Option<Text>,
    pub amends: Option<Text>,
}

/// Distinct values of a caller, as pairs of caller and text.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    pub services: Set,
    pub regions: Set,
    pub addresses: Set,
}

/// All that lineage is told from.
#[derive(Debug, Default)]
pub struct Evidence {
    pub(super) texts: Texts,
    pub(super) callers: Vec<Caller>,
    pub(super) issues: Vec<Issue>,
    pub(super) distinct: Distinct,
    by_mark: HashMap<Text, u32, FixedState>,
}

/// The lesser of two texts, so that no answer depends on the order of the events.
fn settle(texts: &mut Texts, kept: &mut Option<Text>, value: Option<&str>) {
    let told = |value: &&str| !value.is_empty() && !value.starts_with(HIDDEN);
    let Some(value) = value.filter(told) else {
        return;
    };
    if kept.is_none_or(|kept| value < texts.get(kept)) {
        *kept = Some(texts.keep(value));
    }
}

impl Evidence {
    /// Adds an event to its caller.
    pub fn add_call(&mut self, call: &Call<'_>) {
        let mark = self.texts.keep(call.mark);
        let at = *self.by_mark.entry(mark).or_insert_with(|| {
            self.callers.push(Caller {
                mark,
                shape: Shape::of(call.mark),
                who: Who::default(),
                tally: Tally::default(),
                seen: Seen::default(),
            });
            // As many callers as texts at most.
            u32::try_from(self.callers.len() - 1).unwrap_or(u32::MAX)
        });
        let texts = &mut self.texts;
        let caller = &mut self.callers[at as usize];
        caller.tally.add(call);
        let hasher = FixedState::default();
        let places = (call.service, call.region, call.address);
        let seen = Seen {
            identity: hasher.hash_one(call.identity),
            places: hasher.hash_one(places),
        };
        let before = std::mem::replace(&mut caller.seen, seen);
        if seen.identity != before.identity {
            caller.who.learn(texts, &call.identity, caller.shape);
        }
        if seen.places != before.places {
            let mut note = |set: &mut Set, value: Option<&str>| {
                if let Some(value) = value {
                    set.insert(pair(at, texts.keep(value)));
                }
            };
            note(&mut self.distinct.services, call.service);
            note(&mut self.distinct.regions, call.region);
            note(&mut self.distinct.addresses, call.address);
        }
    }

    /// Adds a record of a call that issued credentials.
    pub fn add_grant(&mut self, record: &GrantRecord<'_>) {
        let texts = &mut self.texts;
        let mut keep = |text: Option<&str>| {
            let text = text.filter(|text| !text.is_empty() && !text.starts_with(HIDDEN));
            text.map(|text| texts.keep(text))
        };
        let issue = Issue {
            account: keep(record.account),
            time: record.time,
            outside: record.caller_kind == Some("AWSAccount"),
            shared_id: keep(record.shared_id),
            request_id: keep(record.request_id),
            address: keep(record.address),
            // A key that is blotted out tells nothing.
            key: keep(record.key.filter(|key| !key.contains('*'))),
            role_id: keep(record.role_id),
            session_arn: keep(record.session_arn),
            role_arn: keep(record.role_arn),
            target_account: keep(record.target_account),
            session_name: keep(record.session_name),
            source_identity: keep(record.source_identity),
            expires_at: record.expires_at,
            saml_provider: keep(record.saml_provider),
            sign_in_begun: keep(record.sign_in_begun),
            switched_from: keep(record.switched_from),
            directory_credential: keep(record.directory_credential),
            amends: keep(record.amends),
            event_id: texts.keep(record.event_id),
            name: texts.keep(record.name),
            mark: texts.keep(record.mark),
        };
        self.issues.push(issue);
    }

    pub(super) fn caller_of(&self, mark: Text) -> Option<usize> {
        self.by_mark.get(&mark).map(|at| *at as usize)
    }

    pub(super) fn text(&self, text: Option<Text>) -> Option<&str> {
        text.map(|text| self.texts.get(text))
    }
}

/// What CloudTrail writes instead of a secret: no value to join on.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// A caller with one of its values.
pub(super) fn pair(caller: u32, value: Text) -> u64 {
    u64::from(caller) << 32 | u64::from(value.number())
}

impl Who {
    fn learn(&mut self, texts: &mut Texts, identity: &Identity<'_>, shape: Shape) {
        let key = identity.access_key_id.filter(|_| shape == Shape::Key);
        let members = [
            (&mut self.kind, identity.kind),
            (&mut self.principal, identity.principal),
            (&mut self.principal_id, identity.principal_id),
            (&mut self.arn, identity.arn),
            (&mut self.account, identity.account),
            (&mut self.access_key_id, key),
            (&mut self.issuer_arn, identity.issuer_arn),
            (&mut self.user_name, identity.user_name),
            (&mut self.provider, identity.provider),
            (&mut self.credential_id, identity.credential_id),
            (&mut self.user_id, identity.user_id),
            (&mut self.service, identity.service),
            (&mut self.scope_type, identity.scope_type),
            (&mut self.scope_arn, identity.scope_arn),
            (&mut self.source_identity, identity.source_identity),
            (&mut self.sign_in, identity.sign_in),
        ];
        for (kept, value) in members {
            settle(texts, kept, value);
        }
        self.created = earlier(self.created, identity.created);
        let hidden = |text: &str| text.starts_with(HIDDEN);
        self.source_hidden |= identity.source_identity.is_some_and(hidden);
        self.from_metadata |= identity.from_metadata;
        self.assumed_root |= identity.assumed_root;
        self.console |= identity.console;
        self.mfa |= identity.mfa;
    }
}

/// The earlier of two times, of which either may be unknown.
pub(super) fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    [a, b].into_iter().flatten().min()
}
