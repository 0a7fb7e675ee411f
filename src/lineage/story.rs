//! The story of some sessions as plain data: where their credentials came from, what was done with
//! them, and what came of that.
//!
//! Nothing here knows SQL, files or terminals. `trace` makes stories, the renderers in `report` print
//! them. Times are RFC 3339 UTC text, as CloudTrail writes them. Every text may come from a log.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// What kind of handle somebody asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandleKind {
    AccessKey,
    SessionArn,
    RoleArn,
    /// A user's ARN.
    UserArn,
    PrincipalId,
    EventId,
    Address,
    Network,
    Finding,
    SessionId,
    /// A name: of a user, a role, a session, a token's subject.
    Name,
}

impl HandleKind {
    /// The kind in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "access key",
            Self::SessionArn => "session ARN",
            Self::RoleArn => "role ARN",
            Self::UserArn => "user ARN",
            Self::PrincipalId => "principal id",
            Self::EventId => "event id",
            Self::Address => "source address",
            Self::Network => "network",
            Self::Finding => "finding",
            Self::SessionId => "session id",
            Self::Name => "name",
        }
    }
}

impl fmt::Display for HandleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Some of a number of things: those that are told, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part<T> {
    pub shown: Vec<T>,
    pub n_all: u64,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self::all(Vec::new())
    }
}

impl<T> Part<T> {
    /// All there are.
    pub fn all(shown: Vec<T>) -> Self {
        let n_all = shown.len() as u64;
        Self { shown, n_all }
    }

    /// How many are not told.
    pub fn n_left_out(&self) -> u64 {
        self.n_all.saturating_sub(self.shown.len() as u64)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n_all == 0 && self.shown.is_empty()
    }
}

/// The whole story of what somebody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// What was asked for, as it was written.
    pub asked: String,
    pub kind: Option<HandleKind>,
    /// Sessions that the handle names.
    pub n_named: u64,
    /// Those and all that came of them, shown or not.
    pub n_sessions: u64,
    /// From the roots down: each session stands behind its parent, siblings in order of time.
    pub sessions: Vec<TracedSession>,
    /// What the named sessions and all that came of them did.
    pub blast: Blast,
    /// What the reader should know of how far this can be trusted, a sentence each.
    pub notes: Vec<String>,
}

impl Trace {
    /// Sessions that were asked for or came of those, and are shown.
    pub fn n_shown(&self) -> u64 {
        let told = self.sessions.iter().filter(|session| session.is_within);
        told.count() as u64
    }

    /// Sessions that came of what was asked for, and are not shown.
    pub fn n_left_out(&self) -> u64 {
        self.n_sessions.saturating_sub(self.n_shown())
    }
}

/// A session, or a credential, in a story.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TracedSession {
    pub session_id: String,
    /// As the table `sessions` has it: `role`, `user-key`, `unseen` …
    pub kind: String,
    /// Steps below its root among the sessions of the story.
    pub depth: usize,
    /// The place of its parent in the list.
    pub parent: Option<usize>,
    /// Whether the handle names it.
    pub is_asked: bool,
    /// Whether the handle names it or one above it; the others only lead there.
    pub is_within: bool,
    pub access_key_id: Option<String>,
    pub principal: Option<String>,
    pub principal_id: Option<String>,
    pub arn: Option<String>,
    pub role_arn: Option<String>,
    pub session_name: Option<String>,
    pub account: Option<String>,
    pub source_identity: Option<String>,
    pub mfa: Option<bool>,
    pub console: Option<bool>,
    pub expires_at: Option<String>,
    /// The event that issued the credential, where the evidence has it.
    pub issue: Option<Issue>,
    /// How it was tied to the event that issued it, and how sure that is.
    pub link: Option<String>,
    /// How the caller of that event was known.
    pub caller_link: Option<String>,
    pub confidence: Option<String>,
    pub root_kind: Option<String>,
    pub root_identity: Option<String>,
    pub root_confidence: Option<String>,
    pub first_time: Option<String>,
    pub last_time: Option<String>,
    pub n_events: u64,
    pub n_denied: u64,
    pub n_writes: u64,
    pub addresses: Part<String>,
    pub regions: Part<String>,
    pub agents: Part<String>,
    /// Denied calls first, then writes, then reads.
    pub acts: Part<Act>,
    /// Sessions that it made which belong to the story and are not shown.
    pub n_left_out: u64,
    /// Sessions that it made which do not lead to what was asked for.
    pub n_aside: u64,
}

impl TracedSession {
    /// Whether the tie to its parent is less than sure.
    pub fn is_only_likely(&self) -> bool {
        self.confidence.as_deref() == Some("likely")
    }

    /// Whom the session belongs to, in the words that say most: never empty.
    pub fn name(&self) -> Cow<'_, str> {
        let filled = |text: Option<&String>| text.is_some_and(|text| !text.is_empty());
        if self.kind == "assumed-root"
            && !filled(self.principal.as_ref())
            && let Some(account) = &self.account
        {
            return Cow::Owned(format!("{account}:root"));
        }
        // The record of a workload's or federated user's first call names a service, or an id that
        // says nothing.
        let by_root = matches!(
            self.kind.as_str(),
            "instance" | "function" | "task" | "pod" | "saml" | "oidc" | "identity-center"
        );
        let named = if by_root {
            [&self.root_identity, &self.principal, &self.arn]
        } else {
            [&self.principal, &self.arn, &self.root_identity]
        };
        let mut named = named.into_iter().flatten();
        let named = named.find(|text| !text.is_empty());
        Cow::Borrowed(named.unwrap_or(&self.session_id))
    }
}

/// The event that issued a credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Issue {
    pub event_id: String,
    pub event_name: String,
    pub time: Option<String>,
    /// All records of it: the caller's, the target's.
    pub event_ids: Vec<String>,
}

/// What became of a call, the most telling first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ActKind {
    /// Refused for want of rights.
    Denied,
    Write,
    #[default]
    Read,
}

impl ActKind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::Denied, Self::Write, Self::Read];

    /// Their name in front of a list of them.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Write => "writes",
            Self::Read => "reads",
        }
    }

    /// The kind in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Write => "write",
            Self::Read => "read",
        }
    }
}

/// Calls of one name in a session that ended the same way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Act {
    pub kind: ActKind,
    pub event_source: String,
    pub event_name: String,
    pub error_code: Option<String>,
    pub count: u64,
    pub first_time: Option<String>,
    pub last_time: Option<String>,
    /// What the calls were about, sorted.
    pub resources: Part<String>,
    /// Some of the events, the first ones.
    pub event_ids: Vec<String>,
    /// Whether one of the events is what was asked for.
    pub is_asked: bool,
}

impl Act {
    /// `iam:CreateUser`.
    pub fn call(&self) -> String {
        call(&self.event_source, &self.event_name)
    }
}

fn call(event_source: &str, event_name: &str) -> String {
    let service = event_source.split('.').next().unwrap_or_default();
    if service.is_empty() {
        event_name.to_owned()
    } else {
        format!("{service}:{event_name}")
    }
}

/// How far a credential and what came of it reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Blast {
    pub n_sessions: u64,
    pub n_events: u64,
    pub n_denied: u64,
    pub n_writes: u64,
    pub first_time: Option<String>,
    pub last_time: Option<String>,
    pub accounts: Part<String>,
    /// Roles whose sessions are among them.
    pub roles: Part<String>,
    pub regions: Part<String>,
    pub addresses: Part<String>,
    /// What outlives the sessions: users, keys, passwords, roles, trust, providers that were made.
    pub persistence: Part<Deed>,
    /// What else was written.
    pub written: Part<Deed>,
    /// Data that was read: objects, secrets, parameters, table items.
    pub read: Part<Deed>,
}

/// Calls of one name about one thing, over all sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Deed {
    pub event_source: String,
    pub event_name: String,
    /// What it was about, where the record tells.
    pub subject: Option<String>,
    pub count: u64,
    pub first_time: Option<String>,
    pub last_time: Option<String>,
    /// The first of the events.
    pub event_id: Option<String>,
    /// Whose, where that is one session.
    pub session_id: Option<String>,
}

impl Deed {
    /// `iam:CreateUser`.
    pub fn call(&self) -> String {
        call(&self.event_source, &self.event_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_named_by_what_says_most() {
        let check = |principal: Option<&str>, arn: Option<&str>, expected: &str| {
            let session = TracedSession {
                session_id: "ASIA1".to_owned(),
                principal: principal.map(str::to_owned),
                arn: arn.map(str::to_owned),
                ..TracedSession::default()
            };
            assert_eq!(session.name(), expected);
        };
        check(Some("p"), Some("a"), "p");
        check(Some(""), Some("a"), "a");
        check(None, None, "ASIA1");
        let mut session = TracedSession {
            kind: "function".to_owned(),
            principal: Some("lambda.amazonaws.com".to_owned()),
            root_identity: Some("nightly".to_owned()),
            account: Some("111122223333".to_owned()),
            ..TracedSession::default()
        };
        assert_eq!(session.name(), "nightly");
        session.kind = "service".to_owned();
        assert_eq!(session.name(), "lambda.amazonaws.com");
        (session.kind, session.principal) = ("assumed-root".to_owned(), None);
        assert_eq!(session.name(), "111122223333:root");
    }

    #[test]
    fn calls_are_named_as_policies_name_them() {
        assert_eq!(call("iam.amazonaws.com", "CreateUser"), "iam:CreateUser");
        assert_eq!(call("", "CreateUser"), "CreateUser");
    }

    #[test]
    fn what_is_not_told_is_counted() {
        let part = Part {
            shown: vec![1, 2],
            n_all: 5,
        };
        assert_eq!((part.n_left_out(), part.is_empty()), (3, false));
        assert!(Part::<u8>::default().is_empty());
    }
}
