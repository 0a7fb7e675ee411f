//! Who issued each session, found the slow way: every call is compared with every other.
//!
//! Written from what CloudTrail's records mean, without an index, a cache or an order. It knows the
//! shapes that `world` makes and no more, and where the records leave a choice it says so.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::Value;

/// How far a session's beginning may be from the call that issued it.
const LATITUDE_SECONDS: i64 = 2;

/// What must be said of something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// There is none: the session is a beginning.
    Nobody,
    /// A node of kind `unseen`.
    Unseen,
    /// The session of this id.
    Session(String),
    /// Any session of this kind.
    Kind(String),
    /// The records do not tell.
    Open,
}

/// A record, with the few things that lineage looks at.
pub struct Call {
    pub event: String,
    name: String,
    time: Option<i64>,
    kind: String,
    pub key: Option<String>,
    principal: Option<String>,
    account: Option<String>,
    role: Option<String>,
    began: Option<i64>,
    began_text: Option<String>,
    console: bool,
    service: Option<String>,
    source_identity: Option<String>,
    delivered: bool,
    granted: bool,
    issued: Option<String>,
    target: Option<String>,
    target_name: Option<String>,
    made_id: Option<String>,
    sets: Option<String>,
    shared: Option<String>,
    request: Option<String>,
}

impl Call {
    fn of(record: &Value) -> Self {
        let text = |pointer: &str| {
            let value = record.pointer(pointer).and_then(Value::as_str);
            value.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let seconds = |text: &Option<String>| {
            let time = text.as_deref().map(DateTime::parse_from_rfc3339);
            time.and_then(Result::ok).map(|time| time.timestamp())
        };
        let began_text = text("/userIdentity/sessionContext/attributes/creationDate");
        let answer = "/responseElements/credentials/accessKeyId";
        Self {
            event: text("/eventID").unwrap_or_default(),
            name: text("/eventName").unwrap_or_default(),
            time: seconds(&text("/eventTime")),
            kind: text("/userIdentity/type").unwrap_or_default(),
            key: text("/userIdentity/accessKeyId"),
            principal: text("/userIdentity/principalId"),
            account: text("/userIdentity/accountId"),
            role: text("/userIdentity/sessionContext/sessionIssuer/arn"),
            began: seconds(&began_text),
            began_text,
            console: text("/sessionCredentialFromConsole").as_deref() == Some("true"),
            service: text("/userIdentity/invokedBy"),
            source_identity: text("/userIdentity/sessionContext/sourceIdentity"),
            delivered: text("/userIdentity/sessionContext/ec2RoleDelivery").is_some(),
            granted: text("/errorCode").is_none() && text("/errorMessage").is_none(),
            issued: text(answer),
            target: text("/requestParameters/roleArn"),
            target_name: text("/requestParameters/roleSessionName"),
            made_id: text("/responseElements/assumedRoleUser/assumedRoleId"),
            sets: text("/requestParameters/sourceIdentity"),
            shared: text("/sharedEventID"),
            request: text("/requestID"),
        }
    }

    fn issues(&self) -> bool {
        let names = ["GetSessionToken", "AssumeRole", "AssumeRoleWithSAML"];
        self.granted && names.contains(&self.name.as_str())
    }

    fn session_name(&self) -> Option<&str> {
        Some(self.principal.as_deref()?.split_once(':')?.1)
    }

    /// The source identity that what this call issues must have, if it is known.
    fn passes_on(&self) -> Option<&String> {
        self.source_identity.as_ref().or(self.sets.as_ref())
    }

    fn is_long_term(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.starts_with("AKIA"))
    }
}

pub struct Oracle {
    pub calls: Vec<Call>,
}

impl Oracle {
    pub fn of(records: &[Value]) -> Self {
        Self {
            calls: records.iter().map(Call::of).collect(),
        }
    }

    /// The session that the call was made in.
    pub fn session(&self, call: &Call) -> Answer {
        match call.kind.as_str() {
            // The call for an instance may be the service's or the instance's.
            "AWSService" => Answer::Open,
            "SAMLUser" => Answer::Kind("saml".to_owned()),
            "AWSAccount" => self.session_of_stranger(call),
            _ => match &call.key {
                Some(_) if self.is_open_to_console(call) => Answer::Open,
                Some(key) if call.is_long_term() || self.is_issued(key) => {
                    Answer::Session(key.clone())
                }
                Some(_) if call.console || call.kind == "IAMUser" && self.is_console(call) => {
                    begun(call)
                }
                Some(_) if self.is_console(call) => Answer::Open,
                // With a key of its own and no beginning it may be of a session known by its beginning.
                Some(_) if call.began.is_none() && self.has_beginnings(call) => Answer::Open,
                Some(key) => Answer::Session(key.clone()),
                None if call.began.is_some() => self.session_without_key(call),
                None => Answer::Open,
            },
        }
    }

    fn has_beginnings(&self, call: &Call) -> bool {
        let mut others = self.calls.iter();
        others.any(|other| other.principal == call.principal && other.began.is_some())
    }

    /// The target's record has its caller from the caller's record.
    fn session_of_stranger(&self, call: &Call) -> Answer {
        if let Some(twin) = self.twin(call) {
            return self.session(twin);
        }
        let is_known = self.calls.iter().any(|other| {
            let acts = other.principal == call.principal && other.kind != "AWSAccount";
            let id = (&other.made_id, &call.principal);
            acts || matches!(id, (Some(made), Some(own)) if made == own)
        });
        if is_known {
            return Answer::Open;
        }
        match (&call.account, &call.principal) {
            (Some(account), Some(principal)) => {
                // An account whose records are there is none from outside.
                let kinds = ["AssumedRole", "IAMUser", "Root", "FederatedUser"];
                let own = self.calls.iter().any(|other| {
                    kinds.contains(&other.kind.as_str()) && other.account.as_ref() == Some(account)
                });
                let kind = if own { "unseen" } else { "account" };
                Answer::Session(format!("{kind}:{account}/{principal}"))
            }
            _ => Answer::Open,
        }
    }

    /// The caller's record of a call that the target's account recorded, too.
    fn twin(&self, call: &Call) -> Option<&Call> {
        self.calls.iter().find(|other| {
            let shared = other.shared.is_some() && other.shared == call.shared;
            let request = other.request.is_some() && other.request == call.request;
            other.kind != "AWSAccount"
                && (shared || request)
                && other.issued == call.issued
                && other.target == call.target
        })
    }

    /// What a service does in a session has the session's principal and its beginning.
    fn session_without_key(&self, call: &Call) -> Answer {
        let same = self.calls.iter().filter(|other| {
            other.key.is_some() && other.principal == call.principal && other.began == call.began
        });
        let sessions: BTreeSet<Answer> = same.map(|other| self.session(other)).collect();
        // What was issued and never used under its key may be used by the service alone.
        let mut issues = self.calls.iter();
        let may_be_issued = issues.any(|issue| {
            let free = issue
                .issued
                .as_ref()
                .is_some_and(|key| !self.has_beginning(key));
            free && self.may_issue(issue, call)
        });
        match sessions.len() {
            _ if may_be_issued => Answer::Open,
            0 | 1 => sessions.into_iter().next().unwrap_or_else(|| begun(call)),
            _ => Answer::Open,
        }
    }

    fn is_issued(&self, key: &String) -> bool {
        let mut issues = self.calls.iter().filter(|call| call.issues());
        issues.any(|call| call.issued.as_ref() == Some(key))
    }

    /// Keys of the console change from call to call, and not every record says that they are its.
    fn is_console(&self, call: &Call) -> bool {
        call.console
            || self.calls.iter().any(|other| {
                let same = other.principal == call.principal;
                // A user's keys that begin in one second and differ are the console's.
                let changing = call.kind == "IAMUser"
                    && other.key.as_ref().is_some_and(|key| !self.is_issued(key))
                    && other.key != call.key;
                let sibling = other.began == call.began && (other.console || changing);
                let sign_in = other.name == "ConsoleLogin" && other.granted && near(other, call);
                same && call.began.is_some() && (sibling || sign_in)
            })
    }

    /// Whether a role's console session and one of an issued key have the same principal and second:
    /// the console may have used that key first.
    fn is_open_to_console(&self, call: &Call) -> bool {
        let mut siblings = self.calls.iter().filter(|other| {
            let same = other.principal == call.principal && other.began == call.began;
            same && call.role.is_some() && call.began.is_some()
        });
        let issued = |call: &Call| call.key.as_ref().is_some_and(|key| self.is_issued(key));
        siblings.any(|other| other.console != call.console && issued(other) != issued(call))
    }

    /// Who issued the session that the call was made in.
    pub fn parent(&self, call: &Call) -> Answer {
        let session = self.session(call);
        let Answer::Session(id) = &session else {
            return match session {
                Answer::Kind(_) => Answer::Nobody,
                _ => Answer::Open,
            };
        };
        if call.is_long_term() || id.starts_with("account:") || id.starts_with("unseen:") {
            return Answer::Nobody;
        }
        if call.kind == "AWSAccount" {
            return Answer::Open;
        }
        let issuers = self.calls.iter().filter(|issue| issue.issues());
        let mut callers: BTreeSet<Answer> = issuers
            .filter(|issue| issue.issued.as_ref() == Some(id))
            .map(|issue| self.caller(issue))
            .collect();
        match callers.len() {
            0 => {}
            1 => return callers.pop_first().unwrap_or(Answer::Open),
            _ => return Answer::Unseen,
        }
        if call.delivered {
            return instance(call.account.as_deref(), call.session_name());
        }
        match call.kind.as_str() {
            "IAMUser" if self.is_console(call) => Answer::Nobody,
            "AssumedRole" => self.parent_by_beginning(call, &session),
            _ => Answer::Open,
        }
    }

    /// The call that took this role by this name when the session began, if it is the only one.
    fn parent_by_beginning(&self, call: &Call, session: &Answer) -> Answer {
        if call.began.is_none() {
            return Answer::Open;
        }
        let console = self.is_console(call);
        let fitting: Vec<&Call> = self
            .calls
            .iter()
            .filter(|issue| self.may_issue(issue, call) && (console || issue.issued.is_none()))
            .filter(|issue| self.session(issue) != *session)
            .collect();
        // A key that is used is of its own session, and then the call issued that one.
        let taken = |issue: &&Call| issue.issued.as_ref().is_some_and(|key| self.is_used(key));
        let rivals = self.calls.iter().any(|other| {
            fitting.iter().any(|issue| self.may_issue(issue, other))
                && self.session(other) != *session
                && !other.key.as_ref().is_some_and(|key| self.is_issued(key))
        });
        let callers: BTreeSet<Answer> = fitting.iter().map(|issue| self.caller(issue)).collect();
        let distinct: BTreeSet<_> = fitting.iter().map(|issue| &issue.request).collect();
        match (fitting.len(), callers.len()) {
            (0, _) => Answer::Unseen,
            (_, 1) if distinct.len() == 1 && !rivals && !fitting.iter().any(taken) => {
                callers.into_iter().next().unwrap_or(Answer::Open)
            }
            _ => Answer::Open,
        }
    }

    fn may_issue(&self, issue: &Call, call: &Call) -> bool {
        let source = match (issue.passes_on(), &call.source_identity) {
            (Some(passed), Some(own)) => passed == own,
            // The target's copy does not tell what the caller has, the caller's does.
            (None, Some(_)) => issue.kind == "AWSAccount",
            _ => true,
        };
        issue.issues()
            && issue.target.is_some()
            && issue.target == call.role
            && issue.target_name.as_deref() == call.session_name()
            && near(issue, call)
            && source
    }

    /// Whether what a service does without a key may be of the session with this key: it was issued by a
    /// call that fits, or was used with the same beginning.
    pub fn may_have(&self, call: &Call, key: &String) -> bool {
        self.calls.iter().any(|other| {
            let issued = other.issued.as_ref() == Some(key) && self.may_issue(other, call);
            let used = other.key.as_ref() == Some(key) && other.began == call.began;
            issued || used && other.principal == call.principal
        })
    }

    fn has_beginning(&self, key: &String) -> bool {
        let mut calls = self.calls.iter();
        calls.any(|call| call.key.as_ref() == Some(key) && call.began.is_some())
    }

    fn is_used(&self, key: &String) -> bool {
        self.calls.iter().any(|call| call.key.as_ref() == Some(key))
    }

    /// The session that a call issues from: of a service, what it acts for.
    fn caller(&self, issue: &Call) -> Answer {
        if issue.kind == "AWSService" && issue.service.as_deref() == Some("ec2.amazonaws.com") {
            let account = issue
                .target
                .as_deref()
                .and_then(|arn| arn.split(':').nth(4));
            return instance(account, issue.target_name.as_deref());
        }
        self.session(issue)
    }
}

fn near(issue: &Call, call: &Call) -> bool {
    let (Some(time), Some(began)) = (issue.time, call.began) else {
        return false;
    };
    (time - began).abs() <= LATITUDE_SECONDS
}

fn instance(account: Option<&str>, name: Option<&str>) -> Answer {
    match (account, name) {
        (Some(account), Some(name)) => Answer::Session(format!("instance:{account}/{name}")),
        _ => Answer::Open,
    }
}

/// A session whose keys change is its principal and when it began.
fn begun(call: &Call) -> Answer {
    match (&call.principal, &call.began_text) {
        (Some(principal), Some(began)) => Answer::Session(format!("{principal}@{began}")),
        _ => Answer::Open,
    }
}
