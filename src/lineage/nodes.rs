//! Callers and grants into sessions: which marks belong together, and what each session is called.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::evidence::{Caller, Evidence, Shape, Tally, earlier};
use super::grants::{Gift, Grant, Grants};
use super::outside::join_outside;
use super::session::{Issued, Root, Session, SessionIndex};
use super::texts::Text;
use super::ties::{Tie, is_directory_role, session_name};
use super::words::{Link, RootKind, SessionKind};

/// Sessions while they are made.
pub(super) struct Nodes<'a> {
    pub evidence: &'a mut Evidence,
    pub grants: &'a Grants,
    pub sessions: Vec<Session>,
    by_id: HashMap<Text, SessionIndex, FixedState>,
    /// The session of each caller.
    pub of_caller: Vec<Option<SessionIndex>>,
    /// The session of each grant.
    pub of_grant: Vec<Option<SessionIndex>>,
    /// The grant of each session.
    pub grant_of: HashMap<SessionIndex, usize, FixedState>,
    /// A caller of each session that no grant is tied to.
    pub untied: Vec<(SessionIndex, usize)>,
    /// What sessions are called as roots, where their id does not say it well.
    pub titles: HashMap<SessionIndex, String, FixedState>,
    /// Users whose console session cannot be told, by the session that stands for it.
    pub users_in_console: HashMap<SessionIndex, String, FixedState>,
    /// Accounts with sessions of their own in the evidence.
    recorded: HashSet<Text, FixedState>,
    /// The SAML provider that vouched for a caller, by mark.
    vouched: HashMap<Text, Text, FixedState>,
}

impl<'a> Nodes<'a> {
    /// Makes the sessions of all grants and callers. Every order in it is one of contents, so that the order
    /// of the evidence makes no difference.
    pub(super) fn of(evidence: &'a mut Evidence, grants: &'a Grants, ties: &[Option<Tie>]) -> Self {
        let n_callers = evidence.callers.len();
        let mut nodes = Self {
            evidence,
            grants,
            sessions: Vec::new(),
            by_id: HashMap::default(),
            of_caller: vec![None; n_callers],
            of_grant: vec![None; grants.all.len()],
            grant_of: HashMap::default(),
            untied: Vec::new(),
            titles: HashMap::default(),
            users_in_console: HashMap::default(),
            recorded: HashSet::default(),
            vouched: HashMap::default(),
        };
        nodes.learn_providers();
        nodes.learn_accounts();
        let mut order: Vec<usize> = (0..n_callers).collect();
        let mark = |at: usize| nodes.evidence.texts.get(nodes.evidence.callers[at].mark);
        order.sort_unstable_by_key(|at| mark(*at));
        for (at, grant) in grants.all.iter().enumerate() {
            if matches!(
                grant.gift,
                Gift::Role | Gift::Root | Gift::User | Gift::Federation
            ) {
                nodes.add_granted(at, grant);
            }
        }
        // Records of a key that do not say when its session began are of the one session that has the key.
        let (complete, partial) = nodes.split_partial(&order);
        for &at in &complete {
            if let Some(tie) = ties[at] {
                nodes.add_tied(at, tie);
            }
        }
        nodes.add_untied(&complete);
        for (at, sibling) in partial {
            if let Some(index) = nodes.of_caller[sibling] {
                nodes.absorb(index, at);
            }
        }
        nodes.add_logins(&order);
        nodes.join_sides();
        join_outside(&mut nodes, &order);
        for &at in &order {
            if nodes.of_caller[at].is_none() {
                nodes.add_holder(at);
            }
        }
        nodes
    }

    /// Callers without those that another caller completes, and those with it.
    fn split_partial(&self, order: &[usize]) -> (Vec<usize>, Vec<(usize, usize)>) {
        let mut whole: HashMap<(Text, Text), Vec<usize>, FixedState> = HashMap::default();
        let key = |at: usize| {
            let caller = &self.evidence.callers[at];
            let keyed = caller.shape == Shape::Key;
            caller
                .who
                .access_key_id
                .zip(caller.who.principal_id)
                .filter(|_| keyed)
        };
        let created = |at: usize| self.evidence.callers[at].who.created;
        for &at in order.iter().filter(|at| created(**at).is_some()) {
            if let Some(key) = key(at) {
                whole.entry(key).or_default().push(at);
            }
        }
        let mut complete = Vec::with_capacity(order.len());
        let mut partial = Vec::new();
        for &at in order {
            let siblings = key(at).filter(|_| created(at).is_none());
            match siblings.and_then(|key| whole.get(&key)).map(Vec::as_slice) {
                Some([only]) => partial.push((at, *only)),
                _ => complete.push(at),
            }
        }
        (complete, partial)
    }

    fn learn_accounts(&mut self) {
        let own = |shape| matches!(shape, Shape::Key | Shape::Began | Shape::Who);
        let callers = self.evidence.callers.iter();
        let accounts = callers.filter(|caller| own(caller.shape));
        self.recorded
            .extend(accounts.filter_map(|caller| caller.who.account));
    }

    fn learn_providers(&mut self) {
        for issue in &self.evidence.issues {
            if let Some(provider) = issue.saml_provider {
                let kept = self.vouched.entry(issue.mark).or_insert(provider);
                if self.evidence.texts.get(provider) < self.evidence.texts.get(*kept) {
                    *kept = provider;
                }
            }
        }
    }

    /// The session with this id, made where there is none.
    pub(super) fn named(&mut self, id: &str, kind: SessionKind) -> SessionIndex {
        let id = self.evidence.texts.keep(id);
        if let Some(known) = self.by_id.get(&id) {
            return *known;
        }
        self.push(id, kind)
    }

    fn push(&mut self, id: Text, kind: SessionKind) -> SessionIndex {
        // As many sessions as texts at most.
        let index = u32::try_from(self.sessions.len()).unwrap_or(u32::MAX);
        self.by_id.insert(id, index);
        self.sessions.push(blank(id, kind, index));
        index
    }

    /// A session of its own: where the id is taken, `otherwise` tells the two apart.
    fn fresh(&mut self, id: &str, otherwise: &str, kind: SessionKind) -> SessionIndex {
        let mut name = id.to_owned();
        let mut n_taken = 0;
        loop {
            let kept = self.evidence.texts.keep(&name);
            if !self.by_id.contains_key(&kept) {
                return self.push(kept, kind);
            }
            n_taken += 1;
            name = match n_taken {
                1 => format!("{id} {otherwise}"),
                _ => format!("{id} {otherwise} {n_taken}"),
            };
        }
    }

    fn get(&self, text: Option<Text>) -> &str {
        self.evidence.text(text).unwrap_or_default()
    }

    fn add_granted(&mut self, at: usize, grant: &Grant) {
        let issue = self.evidence.issues[grant.best].clone();
        let event = self.evidence.texts.get(issue.event_id).to_owned();
        let kind = match grant.gift {
            Gift::Root => SessionKind::AssumedRoot,
            Gift::User => SessionKind::UserSession,
            Gift::Federation => SessionKind::FederatedUser,
            _ => SessionKind::Role,
        };
        let id = match (issue.key, issue.role_id) {
            (Some(key), _) => self.evidence.texts.get(key).to_owned(),
            (None, Some(role)) => moment_id(self.evidence.texts.get(role), grant.time),
            (None, None) => {
                let held = issue.role_arn.or(issue.target_account);
                let name = self.get(issue.session_name);
                moment_id(&format!("{}/{name}", self.get(held)), grant.time)
            }
        };
        let index = self.fresh(&id, &event, kind);
        let issued = self.issued(grant);
        let caller = self
            .evidence
            .caller_of(issue.mark)
            .map(|at| &self.evidence.callers[at].who);
        let (user, user_id) = match (kind, caller) {
            (SessionKind::UserSession, Some(who)) => (who.arn, who.principal_id),
            _ => (None, None),
        };
        let source = issue
            .source_identity
            .or(caller.and_then(|who| who.source_identity));
        let account = match (kind, caller) {
            (SessionKind::Role | SessionKind::AssumedRoot, _) => issue.target_account,
            (_, Some(who)) => who.account,
            _ => None,
        };
        let principal = match (issue.role_arn, issue.session_name) {
            (Some(role), Some(name)) if kind == SessionKind::Role => {
                let principal = format!("{}/{}", self.get(Some(role)), self.get(Some(name)));
                Some(self.evidence.texts.keep(&principal))
            }
            _ => user,
        };
        let session = &mut self.sessions[index as usize];
        session.access_key_id = issue.key;
        session.principal = principal;
        session.principal_id = issue.role_id.or(user_id);
        session.arn = issue.session_arn.or(user);
        session.role_arn = issue.role_arn;
        session.session_name = issue.session_name;
        session.account = account;
        session.source_identity = source;
        session.expires_at = issue.expires_at;
        session.issued = Some(issued);
        session.link = Some(Link::Issued);
        self.of_grant[at] = Some(index);
        self.grant_of.insert(index, at);
    }

    pub(super) fn issued(&self, grant: &Grant) -> Issued {
        let issue = &self.evidence.issues[grant.best];
        let records = self.grants.records(grant).iter();
        let mut event_ids: Vec<Text> = Vec::new();
        for record in records {
            let id = self.evidence.issues[*record].event_id;
            if !event_ids.contains(&id) {
                event_ids.push(id);
            }
        }
        Issued {
            event_id: issue.event_id,
            name: issue.name,
            time: grant.time,
            event_ids,
        }
    }

    /// A caller whose credentials a grant issued. Of a session that shows several keys none is its own.
    fn add_tied(&mut self, at: usize, tie: Tie) {
        let grant = &self.grants.all[tie.grant];
        let index = match self.of_grant[tie.grant] {
            Some(index) => index,
            // A sign-in: the session that it began.
            None => {
                let who = &self.evidence.callers[at].who;
                let kind = match self.get(who.kind) {
                    "AssumedRole" => SessionKind::Role,
                    "FederatedUser" => SessionKind::FederatedUser,
                    _ => SessionKind::Console,
                };
                let id = match (grant.gift, who.access_key_id) {
                    (Gift::Token, Some(key)) => self.get(Some(key)).to_owned(),
                    _ => moment_id(self.get(who.principal_id), who.created),
                };
                let index = self.fresh(&id, "console", kind);
                self.sessions[index as usize].console = true;
                self.sessions[index as usize].issued = Some(self.issued(grant));
                self.of_grant[tie.grant] = Some(index);
                self.grant_of.insert(index, tie.grant);
                index
            }
        };
        self.absorb(index, at);
        let session = &mut self.sessions[index as usize];
        let stronger = match session.link {
            None | Some(Link::Issued) => true,
            Some(link) => {
                (session.confidence, std::cmp::Reverse(link))
                    < (Some(tie.confidence), std::cmp::Reverse(tie.link))
            }
        };
        if stronger {
            session.link = Some(tie.link);
            session.confidence = Some(tie.confidence);
        }
    }

    /// Sessions that nobody is seen to have issued. Of one principal and moment are one session what services
    /// and the console did in it, and keys that one hand makes anew ([`Self::shares_moment`]).
    fn add_untied(&mut self, order: &[usize]) {
        let mut begun: HashMap<Moment, Vec<SessionIndex>, FixedState> = HashMap::default();
        let mut shared: HashMap<Moment, SessionIndex, FixedState> = HashMap::default();
        for shape in [Shape::Key, Shape::Began] {
            for &at in order {
                let caller = &self.evidence.callers[at];
                if caller.shape != shape || self.of_caller[at].is_some() {
                    continue;
                }
                let who = &caller.who;
                let moment = who.principal_id.zip(who.created);
                let moment = moment.map(|(id, created)| (id, created, who.source_identity));
                let shares = self.shares_moment(at);
                let same = moment.and_then(|moment| {
                    let only = begun.get(&moment).and_then(|all| match all.as_slice() {
                        [only] if shape == Shape::Began => Some(*only),
                        _ => None,
                    });
                    let shared = shared.get(&moment).copied().filter(|_| shares);
                    shared.or(only)
                });
                let index = same.unwrap_or_else(|| self.add_held(at));
                if same.is_some() {
                    self.rename(index, at);
                }
                self.absorb(index, at);
                if same.is_none() {
                    self.untied.push((index, at));
                    if let Some(moment) = moment {
                        begun.entry(moment).or_default().push(index);
                        if shares {
                            shared.insert(moment, index);
                        }
                    }
                }
            }
        }
    }

    /// Whether other keys of the same principal and moment are this session's as well: those of users and
    /// root in the console, of one sign-in, and of Identity Center. Other roles' keys are not: two calls
    /// may take a role in one second.
    fn shares_moment(&self, at: usize) -> bool {
        let who = &self.evidence.callers[at].who;
        is_directory_role(self.get(who.issuer_arn))
            || who.sign_in.is_some()
            || matches!(self.get(who.kind), "IAMUser" | "Root") && !who.assumed_root
    }

    /// A session that shows a second key is called after its principal and moment.
    fn rename(&mut self, index: SessionIndex, at: usize) {
        let who = &self.evidence.callers[at].who;
        let session = &self.sessions[index as usize];
        let is_user = matches!(self.get(who.kind), "IAMUser" | "Root");
        let other_key = match who.access_key_id {
            Some(key) => session.access_key_id.is_some_and(|own| own != key),
            // The console made keys in this session; whose records do not show which.
            None => session.access_key_id.is_some() && is_user && who.console,
        };
        if !other_key {
            return;
        }
        let id = moment_id(self.get(who.principal_id), who.created);
        let id = self.evidence.texts.keep(&id);
        if self.by_id.contains_key(&id) {
            return;
        }
        self.by_id.insert(id, index);
        let session = &mut self.sessions[index as usize];
        session.id = id;
        session.root.identity = id;
        session.access_key_id = None;
        session.several_keys = true;
        if is_user {
            session.kind = SessionKind::Console;
            session.console = true;
        }
    }

    /// A session named after the credentials of its holder.
    fn add_held(&mut self, at: usize) -> SessionIndex {
        let caller = &self.evidence.callers[at];
        let who = &caller.who;
        let long_term = who.created.is_none();
        let kind = match self.get(who.kind) {
            "AssumedRole" => SessionKind::Role,
            "FederatedUser" => SessionKind::FederatedUser,
            "Root" if who.assumed_root => SessionKind::AssumedRoot,
            "Root" if who.console => SessionKind::Console,
            "Root" => SessionKind::Root,
            _ if who.console => SessionKind::Console,
            _ if long_term && !self.get(who.access_key_id).starts_with("ASIA") => {
                SessionKind::UserKey
            }
            _ => SessionKind::UserSession,
        };
        let principal = self.get(who.principal_id);
        let id = match who.access_key_id {
            Some(key) => self.get(Some(key)).to_owned(),
            None => moment_id(principal, who.created),
        };
        let otherwise = moment_id(principal, who.created);
        self.fresh(&id, &otherwise, kind)
    }

    /// Sign-ins: each belongs to the session that it began, else it is one by itself.
    fn add_logins(&mut self, order: &[usize]) {
        for &at in order {
            let caller = &self.evidence.callers[at];
            if caller.shape != Shape::Login {
                continue;
            }
            let mark = caller.mark;
            let is_login = |grant: &&Grant| {
                grant.gift == Gift::Login && self.evidence.issues[grant.best].mark == mark
            };
            // Marks of sign-ins name the event, so there is one grant at most.
            let time = caller.tally.first_time;
            let start = self.grants.all.partition_point(|grant| grant.time < time);
            let found = self.grants.all[start..]
                .iter()
                .take_while(|grant| grant.time <= time)
                .position(|grant| is_login(&grant))
                .map(|offset| start + offset);
            let session = found.and_then(|grant| self.of_grant[grant]);
            let index = match session {
                Some(index) => index,
                None => {
                    let id = moment_id(self.get(caller.who.principal_id), time);
                    let index = self.fresh(&id, "sign-in", SessionKind::Console);
                    if let Some(grant) = found {
                        self.of_grant[grant] = Some(index);
                        self.grant_of.insert(index, grant);
                        let issued = self.issued(&self.grants.all[grant]);
                        self.sessions[index as usize].issued = Some(issued);
                    }
                    index
                }
            };
            self.absorb(index, at);
            let session = &mut self.sessions[index as usize];
            session.console = true;
        }
    }

    /// The target's record of a call is the caller's, where the caller's own record tells who that was.
    fn join_sides(&mut self) {
        for grant in &self.grants.all {
            let issues = &self.evidence.issues;
            let best = self.evidence.caller_of(issues[grant.best].mark);
            let Some(index) = best.and_then(|at| self.of_caller[at]) else {
                continue;
            };
            for record in self.grants.records(grant) {
                let at = self.evidence.caller_of(self.evidence.issues[*record].mark);
                if let Some(at) = at.filter(|at| self.of_caller[*at].is_none()) {
                    self.absorb(index, at);
                }
            }
        }
    }

    /// Whoever is no session but holds one: a service, a workload, somebody from outside.
    fn add_holder(&mut self, at: usize) {
        let caller = self.evidence.callers[at].clone();
        let who = &caller.who;
        let mut title = None;
        let (id, kind) = match caller.shape {
            Shape::Federated => {
                let (id, kind, named) = self.vouched_for(&caller);
                title = Some(named);
                (id, kind)
            }
            Shape::Directory => {
                let user = self.get(who.user_id.or(who.principal_id));
                let credential = self.get(who.credential_id);
                title = Some(user.to_owned());
                let id = match credential {
                    "" => format!("identity-center:{user}"),
                    _ => format!("identity-center:{user}/{credential}"),
                };
                (id, SessionKind::IdentityCenter)
            }
            Shape::Outside => {
                let principal = self.get(who.principal_id);
                let account = self.get(who.account);
                let place = format!("{account}/{principal}");
                // An account whose records are there is none from outside.
                if who
                    .account
                    .is_some_and(|account| self.recorded.contains(&account))
                {
                    title = Some(format!("an unseen session of {principal}"));
                    (format!("unseen:{place}"), SessionKind::Unseen)
                } else {
                    (format!("account:{place}"), SessionKind::Account)
                }
            }
            Shape::Workload => {
                let mark = self.evidence.texts.get(caller.mark);
                let mut parts = mark.splitn(4, '|').skip(1);
                let kind = workload_kind(parts.next().unwrap_or_default());
                let account = parts.next().unwrap_or_default();
                let name = parts.next().unwrap_or_default();
                (format!("{kind}:{account}/{name}"), kind)
            }
            Shape::Service => (
                format!("service:{}", self.get(who.service)),
                SessionKind::Service,
            ),
            Shape::Who if self.get(who.kind) == "Root" => (
                format!("root:{}", self.get(who.account.or(who.principal_id))),
                SessionKind::Root,
            ),
            Shape::Who if self.get(who.kind) == "IAMUser" => (
                format!("user:{}", self.get(who.arn.or(who.principal_id))),
                SessionKind::User,
            ),
            Shape::Who => {
                let kind = match self.get(who.kind) {
                    "AssumedRole" => SessionKind::Role,
                    _ => SessionKind::FederatedUser,
                };
                (self.get(who.principal_id).to_owned(), kind)
            }
            _ => {
                let (kind, account) = (self.get(who.kind), self.get(who.account));
                let id = format!("unknown:{kind}/{account}/{}", self.get(who.principal_id));
                (id, SessionKind::Unknown)
            }
        };
        let index = self.named(&id, kind);
        if let Some(title) = title {
            self.titles.insert(index, title);
        }
        self.absorb(index, at);
        match caller.shape {
            Shape::Who => self.untied.push((index, at)),
            Shape::Workload => self.name_workload(index),
            _ => {}
        }
    }

    /// A workload's records name the service that asked for it; its id says which it is.
    pub(super) fn name_workload(&mut self, index: SessionIndex) {
        let id = self.sessions[index as usize].id;
        let id = self.evidence.texts.get(id).to_owned();
        let place = id.split_once(':').map_or(id.as_str(), |(_, place)| place);
        if let Some((account, name)) = place.split_once('/') {
            let account = self.evidence.texts.keep(account);
            let name = self.evidence.texts.keep(name);
            let session = &mut self.sessions[index as usize];
            session.account = Some(account);
            session.principal = Some(name);
            session.session_name = Some(name);
        }
    }

    /// A person or program that a provider vouched for: id, kind, and provider and name.
    fn vouched_for(&self, caller: &Caller) -> (String, SessionKind, String) {
        let who = &caller.who;
        let name = self.get(who.user_name.or(who.principal_id));
        let provider = self.vouched.get(&caller.mark).copied().or(who.provider);
        let provider = self.get(provider);
        let title = format!("{provider} {name}");
        if self.get(who.kind) == "SAMLUser" {
            // Identity Center is a provider of its own name in every account.
            if provider.contains(":saml-provider/AWSSSO_") {
                let id = format!("identity-center:{name}");
                return (id, SessionKind::IdentityCenter, name.to_owned());
            }
            return (format!("saml:{provider}/{name}"), SessionKind::Saml, title);
        }
        if name.starts_with("system:serviceaccount:") {
            return (format!("pod:{provider}/{name}"), SessionKind::Pod, title);
        }
        (format!("oidc:{provider}/{name}"), SessionKind::Oidc, title)
    }

    /// Adds what a caller did to a session, and what it tells of it.
    pub(super) fn absorb(&mut self, index: SessionIndex, at: usize) {
        self.of_caller[at] = Some(index);
        let caller = &self.evidence.callers[at];
        let who = &caller.who;
        let (principal_id, arn) = (self.get(who.principal_id), self.get(who.arn));
        let name = match self.get(who.kind) {
            "AssumedRole" => session_name(Some(principal_id), Some(arn)),
            _ => who.user_name.map(|_| self.get(who.user_name)),
        };
        let name = name
            .map(str::to_owned)
            .map(|name| self.evidence.texts.keep(&name));
        let caller = &self.evidence.callers[at];
        let who = &caller.who;
        let session = &mut self.sessions[index as usize];
        let is_role = session.kind == SessionKind::Role;
        fill(&mut session.principal, who.principal);
        fill(&mut session.principal_id, who.principal_id);
        fill(&mut session.arn, who.arn);
        fill(&mut session.account, who.account);
        fill(&mut session.session_name, name);
        fill(&mut session.source_identity, who.source_identity);
        if !session.several_keys {
            fill(&mut session.access_key_id, who.access_key_id);
        }
        if is_role {
            fill(&mut session.role_arn, who.issuer_arn);
        }
        if matches!(caller.shape, Shape::Key | Shape::Began | Shape::Who) {
            session.console |= who.console;
        }
        if matches!(caller.shape, Shape::Key | Shape::Began) {
            session.mfa = Some(session.mfa.unwrap_or(false) || who.mfa);
        }
        session.tally.add_all(caller.tally);
    }
}

/// Principal, beginning and source identity of a session.
type Moment = (Text, i64, Option<Text>);

fn fill(kept: &mut Option<Text>, value: Option<Text>) {
    if kept.is_none() {
        *kept = value;
    }
}

fn blank(id: Text, kind: SessionKind, index: SessionIndex) -> Session {
    Session {
        id,
        kind,
        access_key_id: None,
        principal: None,
        principal_id: None,
        arn: None,
        role_arn: None,
        session_name: None,
        account: None,
        issued: None,
        parent: None,
        link: None,
        caller_link: None,
        confidence: None,
        root: Root {
            session: index,
            kind: RootKind::Unseen,
            identity: id,
            confidence: None,
            depth: 0,
        },
        tally: Tally::default(),
        n_services: 0,
        n_regions: 0,
        n_addresses: 0,
        console: false,
        mfa: None,
        source_identity: None,
        expires_at: None,
        several_keys: false,
    }
}

pub(super) fn workload_kind(word: &str) -> SessionKind {
    match word {
        "instance" => SessionKind::Instance,
        "function" => SessionKind::Function,
        "task" => SessionKind::Task,
        _ => SessionKind::Pod,
    }
}

/// `PRINCIPAL@TIME`.
fn moment_id(principal: &str, time: Option<i64>) -> String {
    let time = time.and_then(chrono::DateTime::from_timestamp_micros);
    match time {
        Some(time) => format!("{principal}@{}", time.format("%Y-%m-%dT%H:%M:%S%.fZ")),
        None => principal.to_owned(),
    }
}

/// The earlier moment of a session: when it was issued, or first used.
pub(super) fn start(session: &Session) -> Option<i64> {
    let issued = session.issued.as_ref().and_then(|issued| issued.time);
    earlier(issued, session.tally.first_time)
}
