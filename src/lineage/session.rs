//! Sessions as data, and the walks over them.

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::evidence::Tally;
use super::texts::{Text, Texts};
use super::words::{CallerLink, Confidence, Link, RootKind, SessionKind};

/// The place of a session in [`Lineage::sessions`].
pub type SessionIndex = u32;

/// One credential or session, or whoever else holds one.
#[derive(Debug, Clone)]
pub struct Session {
    /// Unique.
    pub id: Text,
    pub kind: SessionKind,
    pub access_key_id: Option<Text>,
    /// The vocabulary's `principal_key`.
    pub principal: Option<Text>,
    pub principal_id: Option<Text>,
    pub arn: Option<Text>,
    pub role_arn: Option<Text>,
    pub session_name: Option<Text>,
    pub account: Option<Text>,
    /// The call that issued it.
    pub issued: Option<Issued>,
    pub parent: Option<SessionIndex>,
    pub link: Option<Link>,
    pub caller_link: Option<CallerLink>,
    pub confidence: Option<Confidence>,
    pub root: Root,
    pub tally: Tally,
    pub n_services: u64,
    pub n_regions: u64,
    pub n_addresses: u64,
    pub console: bool,
    /// Not known where no record shows the session.
    pub mfa: Option<bool>,
    pub source_identity: Option<Text>,
    /// Microseconds since 1970.
    pub expires_at: Option<i64>,
    /// No key is the session's own.
    pub(super) several_keys: bool,
}

/// The call that issued a session.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The record that says most of the caller.
    pub event_id: Text,
    pub name: Text,
    /// Microseconds since 1970.
    pub time: Option<i64>,
    /// All records of the call.
    pub event_ids: Vec<Text>,
}

/// What stands at the beginning of a session's chain.
#[derive(Debug, Clone, Copy)]
pub struct Root {
    pub session: SessionIndex,
    pub kind: RootKind,
    pub identity: Text,
    /// As sure as the least sure link on the way; `None` for a root.
    pub confidence: Option<Confidence>,
    /// Links on the way.
    pub depth: u32,
}

/// A session within a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub session: SessionIndex,
    /// From where the walk began.
    pub depth: u32,
}

/// All sessions of the evidence, by id, and how they came from one another.
#[derive(Debug)]
pub struct Lineage {
    pub sessions: Vec<Session>,
    /// Marks of callers (view `callers`) with the session each belongs to.
    pub marks: Vec<(Text, SessionIndex)>,
    pub(super) texts: Texts,
    /// Children of each session, by time.
    pub(super) children: Vec<Vec<SessionIndex>>,
}

impl Lineage {
    pub fn text(&self, text: Text) -> &str {
        self.texts.get(text)
    }

    pub fn get(&self, index: SessionIndex) -> &Session {
        &self.sessions[index as usize]
    }

    pub fn children(&self, index: SessionIndex) -> &[SessionIndex] {
        &self.children[index as usize]
    }

    /// Sessions that a text names: the one with this id, else those with this access key, ARN of the session, role or
    /// user, principal id or principal, or id of the issuing event. In the order of their ids.
    pub fn find(&self, name: &str) -> Vec<SessionIndex> {
        let id = |session: &Session| self.text(session.id);
        // Sessions lie in the order of their ids.
        if let Ok(at) = self
            .sessions
            .binary_search_by(|session| id(session).cmp(name))
        {
            return u32::try_from(at).into_iter().collect();
        }
        let Some(name) = self.texts.find(name) else {
            return Vec::new();
        };
        let named = |session: &Session| {
            let members = [
                session.access_key_id,
                session.principal,
                session.principal_id,
                session.arn,
                session.role_arn,
            ];
            let issued = session.issued.as_ref();
            members.contains(&Some(name))
                || issued.is_some_and(|issued| issued.event_ids.contains(&name))
        };
        let found = self
            .sessions
            .iter()
            .enumerate()
            .filter(|(_, session)| named(session));
        // As many sessions as texts at most.
        found
            .map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX))
            .collect()
    }

    /// The session that a mark of the view `callers` belongs to.
    pub fn of_mark(&self, mark: &str) -> Option<SessionIndex> {
        let found = self
            .marks
            .binary_search_by(|(kept, _)| self.text(*kept).cmp(mark));
        Some(self.marks[found.ok()?].1)
    }

    /// The sessions from the root down to this one.
    pub fn path(&self, end: SessionIndex) -> Vec<SessionIndex> {
        let mut path = vec![end];
        let mut at = end;
        while let Some(parent) = self.get(at).parent {
            path.push(parent);
            at = parent;
        }
        path.reverse();
        path
    }

    /// These sessions with everything that came from them, parents before children, each once.
    pub fn tree(&self, starts: &[SessionIndex]) -> Vec<Step> {
        let mut seen: HashSet<SessionIndex, FixedState> = HashSet::default();
        let mut steps = Vec::new();
        // A start below another one belongs to that one's tree.
        let all: HashSet<SessionIndex, FixedState> = starts.iter().copied().collect();
        let below = |at: SessionIndex| {
            let path = self.path(at);
            path.iter().any(|step| *step != at && all.contains(step))
        };
        for start in starts.iter().filter(|start| !below(**start)) {
            let mut waiting = vec![Step {
                session: *start,
                depth: 0,
            }];
            while let Some(step) = waiting.pop() {
                if !seen.insert(step.session) {
                    continue;
                }
                steps.push(step);
                waiting.extend(self.children(step.session).iter().rev().map(|child| Step {
                    session: *child,
                    depth: step.depth + 1,
                }));
            }
        }
        steps
    }
}
