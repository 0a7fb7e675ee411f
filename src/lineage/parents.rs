//! Who issued each session, and what stands at the beginning of its chain.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::evidence::{Shape, Who, pair};
use super::grants::{Gift, Grant};
use super::nodes::{Nodes, start, workload_kind};
use super::session::{Root, Session, SessionIndex};
use super::texts::Text;
use super::ties::{ROLE_LIFE_MICROS, is_directory_role, session_name};
use super::words::{CallerLink, Confidence, Link, RootKind, SessionKind};

/// The moment of credentials from Identity Center and of the call that handed them out.
const DIRECTORY_MICROS: i64 = 2_000_000;

/// Where a session hangs, and why.
struct Hold {
    parent: SessionIndex,
    /// How and how surely; nothing ties a session to an issuer that is not there.
    link: Option<(Link, Confidence)>,
    caller_link: CallerLink,
}

/// Finds the parent of every session.
pub(super) fn find_parents(nodes: &mut Nodes<'_>) {
    let others = Others::of(nodes);
    hang_granted(nodes, &others);
    let directory = directory_grants(nodes);
    for (index, at) in std::mem::take(&mut nodes.untied) {
        if nodes.sessions[index as usize].parent.is_some() {
            continue;
        }
        let who = nodes.evidence.callers[at].who.clone();
        if let Some(hold) = find_holder(nodes, &others, &directory, index, at, &who) {
            hang(&mut nodes.sessions, index, &hold);
        }
    }
    name_directory_users(nodes);
}

/// Users whom Identity Center's own records name by number only get the name of the sessions that they
/// took, where these have one.
fn name_directory_users(nodes: &mut Nodes<'_>) {
    let mut names: HashMap<SessionIndex, Option<Text>, FixedState> = HashMap::default();
    for session in &nodes.sessions {
        let Some(parent) = session.parent else {
            continue;
        };
        if nodes.sessions[parent as usize].kind == SessionKind::IdentityCenter {
            let name = names.entry(parent).or_insert(session.session_name);
            if *name != session.session_name {
                *name = None;
            }
        }
    }
    for (user, name) in names {
        if let Some(name) = name {
            let name = nodes.evidence.texts.get(name).to_owned();
            nodes.titles.insert(user, name);
        }
    }
}

/// Sessions by what others name them by.
struct Others {
    by_arn: HashMap<Text, Vec<SessionIndex>, FixedState>,
    /// Users of Identity Center by their credential's id.
    by_credential: HashMap<Text, SessionIndex, FixedState>,
    /// The long-term keys of users, by the user's id.
    keys: HashMap<Text, Vec<SessionIndex>, FixedState>,
    /// Who began a sign-in session, by its ARN.
    by_sign_in: HashMap<Text, SessionIndex, FixedState>,
    /// Who a session switched from in the console, by the session.
    switched_from: HashMap<SessionIndex, Text, FixedState>,
}

impl Others {
    fn of(nodes: &Nodes<'_>) -> Self {
        let mut others = Self {
            by_arn: HashMap::default(),
            by_credential: HashMap::default(),
            keys: HashMap::default(),
            by_sign_in: HashMap::default(),
            switched_from: HashMap::default(),
        };
        for (at, session) in (0..).zip(&nodes.sessions) {
            if session.kind == SessionKind::Account {
                continue;
            }
            if let (SessionKind::UserKey, Some(user)) = (session.kind, session.principal_id) {
                others.keys.entry(user).or_default().push(at);
            }
            if let Some(arn) = session.arn {
                others.by_arn.entry(arn).or_default().push(at);
            }
        }
        for (at, caller) in nodes.evidence.callers.iter().enumerate() {
            if caller.shape == Shape::Directory
                && let (Some(credential), Some(session)) =
                    (caller.who.credential_id, nodes.of_caller[at])
            {
                others.by_credential.insert(credential, session);
            }
        }
        for grant in &nodes.grants.all {
            let issue = &nodes.evidence.issues[grant.best];
            let caller = nodes.evidence.caller_of(issue.mark);
            let Some(session) = caller.and_then(|at| nodes.of_caller[at]) else {
                continue;
            };
            if let Some(sign_in) = issue.sign_in_begun {
                others.by_sign_in.entry(sign_in).or_insert(session);
            }
            if let (Gift::Switch, Some(from)) = (grant.gift, issue.switched_from) {
                others.switched_from.entry(session).or_insert(from);
            }
        }
        others
    }

    /// The only session of several that was alive at a time.
    fn only_alive(
        sessions: &[Session],
        candidates: Option<&Vec<SessionIndex>>,
        time: Option<i64>,
        but: SessionIndex,
    ) -> Option<SessionIndex> {
        let time = time?;
        let is_alive = |at: &SessionIndex| {
            let session = &sessions[*at as usize];
            let Some(begins) = start(session) else {
                return false;
            };
            let ends = session
                .tally
                .last_time
                .max(Some(begins.saturating_add(ROLE_LIFE_MICROS)));
            let lasting = matches!(session.kind, SessionKind::UserKey | SessionKind::User);
            lasting || begins <= time && ends.is_some_and(|ends| time <= ends)
        };
        let mut alive = candidates?.iter().filter(|at| **at != but && is_alive(at));
        let only = *alive.next()?;
        alive.next().is_none().then_some(only)
    }
}

fn hang(sessions: &mut [Session], index: SessionIndex, hold: &Hold) {
    let session = &mut sessions[index as usize];
    session.parent = Some(hold.parent);
    session.link = hold.link.map(|(link, _)| link);
    session.caller_link = Some(hold.caller_link);
    session.confidence = hold.link.map(|(_, confidence)| confidence);
}

/// The sessions whose issuing call the evidence has.
fn hang_granted(nodes: &mut Nodes<'_>, others: &Others) {
    for (at, grant) in nodes.grants.all.iter().enumerate() {
        let Some(index) = nodes.of_grant[at] else {
            continue;
        };
        let session = &nodes.sessions[index as usize];
        let link = session.link.unwrap_or(Link::Issued);
        let tied = session.confidence.unwrap_or(Confidence::Certain);
        if grant.gift == Gift::Login {
            // Nobody stands behind a sign-in with a password.
            continue;
        }
        let Some((parent, caller_link, sure)) = granting(nodes, others, grant, index) else {
            continue;
        };
        let hold = Hold {
            parent,
            link: Some(match caller_link {
                CallerLink::Inferred => (Link::CredentialId, sure),
                _ => (link, tied.min(sure)),
            }),
            caller_link,
        };
        hang(&mut nodes.sessions, index, &hold);
    }
}

/// The session that made an issuing call.
fn granting(
    nodes: &Nodes<'_>,
    others: &Others,
    grant: &Grant,
    child: SessionIndex,
) -> Option<(SessionIndex, CallerLink, Confidence)> {
    let issue = &nodes.evidence.issues[grant.best];
    let directory = issue
        .directory_credential
        .and_then(|id| others.by_credential.get(&id));
    if let Some(user) = directory {
        return Some((*user, CallerLink::Inferred, Confidence::Strong));
    }
    let at = nodes.evidence.caller_of(issue.mark)?;
    let parent = nodes.of_caller[at]?;
    if parent == child {
        return None;
    }
    // The target's record alone, and the caller's account tells whose id that is.
    if issue.outside && nodes.sessions[parent as usize].kind != SessionKind::Account {
        return Some((parent, CallerLink::Principal, Confidence::Likely));
    }
    Some((parent, grant.caller_link, Confidence::Certain))
}

/// What is known of who issued a session whose issuing call is not there.
fn find_holder(
    nodes: &mut Nodes<'_>,
    others: &Others,
    directory: &HashMap<SessionIndex, (usize, Confidence), FixedState>,
    index: SessionIndex,
    at: usize,
    who: &Who,
) -> Option<Hold> {
    let kind = nodes.sessions[index as usize].kind;
    let inferred = |parent, link, confidence| {
        Some(Hold {
            parent,
            link: Some((link, confidence)),
            caller_link: CallerLink::Inferred,
        })
    };
    let missing = |parent| {
        Some(Hold {
            parent,
            link: None,
            caller_link: CallerLink::Inferred,
        })
    };
    let sign_in = who
        .sign_in
        .and_then(|sign_in| others.by_sign_in.get(&sign_in));
    if let Some(parent) = sign_in.filter(|parent| **parent != index) {
        return inferred(*parent, Link::SignInSession, Confidence::Strong);
    }
    match kind {
        SessionKind::Role => {}
        SessionKind::FederatedUser => {
            let user = nodes.evidence.text(who.issuer_arn)?.to_owned();
            let parent = nodes.named(&format!("user:{user}"), SessionKind::User);
            let user = nodes.evidence.texts.keep(&user);
            nodes.sessions[parent as usize].arn.get_or_insert(user);
            return inferred(parent, Link::SessionIssuer, Confidence::Strong);
        }
        SessionKind::AssumedRoot => {
            let parent = unseen(nodes, index);
            return missing(parent);
        }
        // What services do for a key that lasts has a moment for each call.
        SessionKind::UserSession if nodes.evidence.callers[at].shape == Shape::Began => {
            let keys = who.principal_id.and_then(|user| others.keys.get(&user));
            return match keys.map(Vec::as_slice) {
                Some([key]) => inferred(*key, Link::PrincipalCreation, Confidence::Likely),
                _ => None,
            };
        }
        // A user or root is who he is.
        _ => return None,
    }
    if let Some((grant, confidence)) = directory.get(&index) {
        let grant = &nodes.grants.all[*grant];
        let issue = &nodes.evidence.issues[grant.best];
        let user = nodes
            .evidence
            .caller_of(issue.mark)
            .map(|at| &nodes.evidence.callers[at].who);
        let same = who.credential_id.is_some()
            && user.is_some_and(|user| user.credential_id == who.credential_id);
        let link = if same {
            Link::CredentialId
        } else {
            Link::IdentityCenter
        };
        let parent = nodes
            .evidence
            .caller_of(issue.mark)
            .and_then(|at| nodes.of_caller[at]);
        if let Some(parent) = parent {
            nodes.sessions[index as usize].issued = Some(nodes.issued(grant));
            return Some(Hold {
                parent,
                link: Some((link, *confidence)),
                caller_link: CallerLink::Record,
            });
        }
    }
    let credential = who
        .credential_id
        .and_then(|id| others.by_credential.get(&id));
    if let Some(parent) = credential {
        return inferred(*parent, Link::CredentialId, Confidence::Strong);
    }
    if let Some(from) = others.switched_from.get(&index) {
        let time = start(&nodes.sessions[index as usize]).or(who.created);
        let candidates = others.by_arn.get(from);
        if let Some(parent) = Others::only_alive(&nodes.sessions, candidates, time, index) {
            return Some(Hold {
                parent,
                link: Some((Link::Console, Confidence::Likely)),
                caller_link: CallerLink::SwitchFrom,
            });
        }
    }
    if let Some((id, kind, link, confidence)) = holder_of(nodes, at, who) {
        let parent = nodes.named(&id, kind);
        if link == Link::Workload {
            nodes.name_workload(parent);
        }
        return inferred(parent, link, confidence);
    }
    let parent = unseen(nodes, index);
    missing(parent)
}

/// The workload, service or person that a role's records themselves tell of.
fn holder_of(
    nodes: &Nodes<'_>,
    at: usize,
    who: &Who,
) -> Option<(String, SessionKind, Link, Confidence)> {
    let get = |text| nodes.evidence.text(text).unwrap_or_default();
    let account = get(who.account);
    let role = get(who.issuer_arn);
    let name = session_name(
        nodes.evidence.text(who.principal_id),
        nodes.evidence.text(who.arn),
    );
    if let Some(service) = role.split_once(":role/aws-service-role/") {
        let service = service.1.split('/').next().unwrap_or_default();
        let id = format!("service:{service}");
        return Some((
            id,
            SessionKind::Service,
            Link::ServiceLinked,
            Confidence::Strong,
        ));
    }
    let name = name?;
    if is_directory_role(role) {
        let id = format!("identity-center:{name}");
        return Some((
            id,
            SessionKind::IdentityCenter,
            Link::IdentityCenter,
            Confidence::Strong,
        ));
    }
    let scope = match get(who.scope_type) {
        scope if scope.starts_with("AWS::Lambda::") => Some("function"),
        scope if scope.starts_with("AWS::ECS::") => Some("task"),
        scope if scope.starts_with("AWS::EKS::") => Some("pod"),
        scope if scope.starts_with("AWS::EC2::") => Some("instance"),
        _ => None,
    };
    if let Some(scope) = scope {
        let scoped = get(who.scope_arn)
            .rsplit([':', '/'])
            .next()
            .unwrap_or_default();
        let name = match (scope, scoped) {
            ("function" | "instance", scoped) if !scoped.is_empty() => scoped,
            _ => name,
        };
        let id = format!("{scope}:{account}/{name}");
        return Some((id, workload_kind(scope), Link::Workload, Confidence::Strong));
    }
    // Whoever takes a role chooses the session's name; the metadata service does not lie.
    let sure = nodes.evidence.callers[at].who.from_metadata;
    if sure || is_instance_id(name) {
        let id = format!("instance:{account}/{name}");
        let confidence = if sure {
            Confidence::Strong
        } else {
            Confidence::Likely
        };
        return Some((id, SessionKind::Instance, Link::Workload, confidence));
    }
    None
}

/// `i-` and 8 or 17 hexadecimal digits.
fn is_instance_id(name: &str) -> bool {
    name.strip_prefix("i-").is_some_and(|digits| {
        (8..=17).contains(&digits.len())
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Stands for whoever issued a session that the evidence does not tell of.
fn unseen(nodes: &mut Nodes<'_>, child: SessionIndex) -> SessionIndex {
    let session = &nodes.sessions[child as usize];
    let id = nodes.evidence.texts.get(session.id);
    let whose = nodes
        .evidence
        .text(session.arn.or(session.principal))
        .unwrap_or(id);
    let title = format!("unseen issuer of {whose}");
    let id = format!("unseen:{id}");
    let parent = nodes.named(&id, SessionKind::Unseen);
    nodes.titles.insert(parent, title);
    parent
}

/// Role sessions of Identity Center with the call that handed out their credentials, where just one of
/// each fits the other.
fn directory_grants(nodes: &Nodes<'_>) -> HashMap<SessionIndex, (usize, Confidence), FixedState> {
    let grants = nodes.grants.all.iter().enumerate();
    let calls: Vec<usize> = grants
        .filter(|(_, grant)| grant.gift == Gift::Directory && grant.time.is_some())
        .map(|(at, _)| at)
        .collect();
    let mut found: HashMap<SessionIndex, Vec<(usize, Confidence)>, FixedState> = HashMap::default();
    let mut uses: HashMap<usize, HashSet<SessionIndex, FixedState>, FixedState> =
        HashMap::default();
    for &(index, at) in &nodes.untied {
        let who = &nodes.evidence.callers[at].who;
        let role = nodes.evidence.text(who.issuer_arn).unwrap_or_default();
        let Some(created) = who.created.filter(|_| is_directory_role(role)) else {
            continue;
        };
        let time = |at: &usize| nodes.grants.all[*at].time.unwrap_or_default();
        let from = calls.partition_point(|at| time(at) < created - DIRECTORY_MICROS);
        let near = calls[from..]
            .iter()
            .take_while(|at| time(at) <= created + DIRECTORY_MICROS);
        for &call in near {
            if let Some(confidence) = directory_fit(nodes, call, at) {
                found.entry(index).or_default().push((call, confidence));
                uses.entry(call).or_default().insert(index);
            }
        }
    }
    let alone = |(session, calls): (SessionIndex, Vec<(usize, Confidence)>)| match calls.as_slice()
    {
        [(call, confidence)] if uses[call].len() == 1 => Some((session, (*call, *confidence))),
        _ => None,
    };
    found.into_iter().filter_map(alone).collect()
}

/// How well a call of Identity Center fits a caller's credentials; `None` where something speaks against it.
fn directory_fit(nodes: &Nodes<'_>, call: usize, at: usize) -> Option<Confidence> {
    let issue = &nodes.evidence.issues[nodes.grants.all[call].best];
    let caller = &nodes.evidence.callers[at];
    let get = |text| nodes.evidence.text(text);
    let role = get(caller.who.issuer_arn).unwrap_or_default();
    let user = nodes
        .evidence
        .caller_of(issue.mark)
        .map(|at| &nodes.evidence.callers[at].who);
    let users = (user.and_then(|who| who.user_id), caller.who.user_id);
    let credentials = (
        user.and_then(|who| who.credential_id),
        caller.who.credential_id,
    );
    let mut same_person = false;
    for pair in [users, credentials] {
        if let (Some(a), Some(b)) = pair {
            if a != b {
                return None;
            }
            same_person = true;
        }
    }
    let named = get(issue.role_arn);
    if named.is_some_and(|name| !role.contains(&format!("/AWSReservedSSO_{name}_"))) {
        return None;
    }
    if get(issue.target_account).is_some_and(|account| Some(account) != get(caller.who.account)) {
        return None;
    }
    let caller_number = u32::try_from(at).unwrap_or(u32::MAX);
    let same_place = issue.address.is_some_and(|address| {
        nodes
            .evidence
            .distinct
            .addresses
            .contains(&pair(caller_number, address))
    });
    match (named.is_some(), same_place || same_person) {
        (_, true) => Some(Confidence::Strong),
        (true, false) => Some(Confidence::Likely),
        (false, false) => None,
    }
}

/// Finds the root of every session. Where records contradict each other so that sessions would issue one
/// another, the link that closes the circle is dropped.
pub(super) fn find_roots(nodes: &mut Nodes<'_>) {
    let n_sessions = nodes.sessions.len();
    let mut done = vec![false; n_sessions];
    let mut on_way = vec![false; n_sessions];
    let mut order: Vec<usize> = (0..n_sessions).collect();
    let texts = &nodes.evidence.texts;
    order.sort_unstable_by_key(|at| texts.get(nodes.sessions[*at].id));
    for begin in order {
        let mut way = Vec::new();
        let mut at = begin;
        while !done[at] {
            way.push(at);
            on_way[at] = true;
            match nodes.sessions[at].parent.map(|parent| parent as usize) {
                Some(parent) if on_way[parent] => {
                    cut(&mut nodes.sessions[at]);
                    break;
                }
                Some(parent) => at = parent,
                None => break,
            }
        }
        for &at in way.iter().rev() {
            let root = root_of(nodes, at);
            nodes.sessions[at].root = root;
            done[at] = true;
            on_way[at] = false;
        }
    }
}

fn cut(session: &mut Session) {
    session.parent = None;
    session.link = None;
    session.caller_link = None;
    session.confidence = None;
}

/// The root of a session whose parent's root is known.
fn root_of(nodes: &mut Nodes<'_>, at: usize) -> Root {
    let session = &nodes.sessions[at];
    if let Some(parent) = session.parent {
        let above = nodes.sessions[parent as usize].root;
        let confidence = [above.confidence, session.confidence]
            .into_iter()
            .flatten()
            .min();
        return Root {
            confidence,
            depth: above.depth + 1,
            ..above
        };
    }
    let (kind, identity) = root_identity(nodes, at);
    Root {
        // An index of the sessions.
        session: u32::try_from(at).unwrap_or(u32::MAX),
        kind,
        identity: nodes.evidence.texts.keep(&identity),
        confidence: None,
        depth: 0,
    }
}

/// What a session without a parent is, in words.
fn root_identity(nodes: &Nodes<'_>, at: usize) -> (RootKind, String) {
    let session = &nodes.sessions[at];
    let get = |text| nodes.evidence.text(text).unwrap_or_default();
    let id = nodes.evidence.texts.get(session.id);
    let after = |sign: char| id.split_once(sign).map_or(id, |(_, rest)| rest).to_owned();
    let user = || get(session.arn.or(session.principal)).to_owned();
    let root = || format!("{}:root", get(session.account));
    if let Some(user) = nodes.users_in_console.get(&session.root.session) {
        return (RootKind::ConsoleUser, user.clone());
    }
    let title = nodes.titles.get(&session.root.session);
    let title = || title.cloned().unwrap_or_else(|| after(':'));
    match session.kind {
        SessionKind::UserKey
        | SessionKind::User
        | SessionKind::UserSession
        | SessionKind::FederatedUser => (RootKind::IamUserKey, user()),
        SessionKind::Console if get(session.arn).ends_with(":root") => (RootKind::Root, root()),
        SessionKind::Console => (RootKind::ConsoleUser, user()),
        SessionKind::Root => (RootKind::Root, root()),
        SessionKind::Saml => (RootKind::Saml, title()),
        SessionKind::Oidc => (RootKind::Oidc, title()),
        SessionKind::IdentityCenter => (RootKind::IdentityCenter, title()),
        SessionKind::Unseen => (RootKind::Unseen, title()),
        SessionKind::Pod if id.contains("/system:serviceaccount:") => (RootKind::Pod, title()),
        SessionKind::Instance => (RootKind::Instance, after('/')),
        SessionKind::Function => (RootKind::Function, after('/')),
        SessionKind::Task => (RootKind::Task, after('/')),
        SessionKind::Pod => (RootKind::Pod, after('/')),
        SessionKind::Service => (RootKind::Service, after(':')),
        SessionKind::Account => (RootKind::ExternalAccount, after(':')),
        SessionKind::Role | SessionKind::AssumedRoot | SessionKind::Unknown => {
            (RootKind::Unseen, id.to_owned())
        }
    }
}
