//! Callers whom a record names by account and id only, since it is another account's copy: their own
//! account's records may be there, and tell who that was.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::evidence::Shape;
use super::nodes::{Nodes, start};
use super::session::{Session, SessionIndex};
use super::texts::Text;
use super::ties::ROLE_LIFE_MICROS;
use super::words::{Confidence, Link, SessionKind};

/// Clocks of two services.
const CLOCK_MICROS: i64 = 5_000_000;

/// Sessions by principal id.
type ByPrincipal = HashMap<Text, Vec<SessionIndex>, FixedState>;

/// Gives such callers to the session that they are: the only one of the principal that was alive all the
/// time that they acted. Of a user with several keys it is the user.
pub(super) fn join_outside(nodes: &mut Nodes<'_>, order: &[usize]) {
    let mut by_principal = ByPrincipal::default();
    for (at, session) in (0..).zip(&nodes.sessions) {
        if let Some(principal) = session.principal_id {
            by_principal.entry(principal).or_default().push(at);
        }
    }
    // All are judged before any is joined, so that one does not make room for the next.
    let mut found = Vec::new();
    for &at in order {
        let caller = &nodes.evidence.callers[at];
        if caller.shape == Shape::Outside && nodes.of_caller[at].is_none() {
            found.extend(whose(nodes, &by_principal, at).map(|whose| (at, whose)));
        }
    }
    for (at, whose) in found {
        let index = match whose {
            Whose::Session(index) => index,
            Whose::User(arn) => {
                let arn = nodes.evidence.texts.get(arn).to_owned();
                let index = nodes.named(&format!("user:{arn}"), SessionKind::User);
                let arn = nodes.evidence.texts.keep(&arn);
                nodes.sessions[index as usize].arn = Some(arn);
                index
            }
            Whose::UserInConsole(arn) => {
                let user = nodes.evidence.texts.get(arn).to_owned();
                let index = nodes.named(&format!("unseen:console of {user}"), SessionKind::Unseen);
                nodes.users_in_console.insert(index, user);
                index
            }
            Whose::OneOfSeveral(principal) => {
                let name = nodes.evidence.texts.get(principal).to_owned();
                let index = nodes.named(&format!("unseen:{name}"), SessionKind::Unseen);
                let title = format!("one of several sessions of {name}");
                nodes.titles.insert(index, title);
                index
            }
        };
        nodes.absorb(index, at);
        let session = &mut nodes.sessions[index as usize];
        if session.link == Some(Link::Issued) {
            session.link = Some(Link::RoleId);
            session.confidence = Some(Confidence::Likely);
        }
    }
}

enum Whose {
    Session(SessionIndex),
    /// A user by ARN.
    User(Text),
    /// A user by ARN, in a console session that cannot be told.
    UserInConsole(Text),
    /// A principal with more than one session at that time.
    OneOfSeveral(Text),
}

fn whose(nodes: &Nodes<'_>, by_principal: &ByPrincipal, at: usize) -> Option<Whose> {
    let caller = &nodes.evidence.callers[at];
    let principal = caller.who.principal_id?;
    let candidates = by_principal.get(&principal)?;
    let (first, last) = (caller.tally.first_time?, caller.tally.last_time?);
    let session = |at: &SessionIndex| &nodes.sessions[*at as usize];
    let is_user = |at: &&SessionIndex| {
        let kind = session(at).kind;
        matches!(
            kind,
            SessionKind::UserKey | SessionKind::UserSession | SessionKind::Console
        )
    };
    let user = candidates.iter().find(is_user);
    let by_console = caller.who.console && user.is_some();
    let fits = |at: &&SessionIndex| {
        let session = session(at);
        // A record that shows the console is of a sign-in; one that does not may be of any session.
        (!by_console || session.kind == SessionKind::Console) && was_alive(session, first, last)
    };
    let mut alive = candidates.iter().filter(fits);
    match (
        alive.next(),
        alive.next(),
        user.and_then(|at| session(at).arn),
    ) {
        (Some(only), None, _) => Some(Whose::Session(*only)),
        (_, _, Some(arn)) if by_console => Some(Whose::UserInConsole(arn)),
        (_, _, Some(arn)) => Some(Whose::User(arn)),
        (Some(_), Some(_), None) => Some(Whose::OneOfSeveral(principal)),
        (None, _, None) => None,
    }
}

/// Whether a session's credentials were good from one moment to another.
fn was_alive(session: &Session, from: i64, to: i64) -> bool {
    if matches!(session.kind, SessionKind::UserKey | SessionKind::User) {
        return true;
    }
    let Some(begins) = start(session) else {
        return false;
    };
    let lasts = begins.saturating_add(ROLE_LIFE_MICROS);
    let ends = session
        .expires_at
        .unwrap_or(lasts)
        .max(session.tally.last_time.unwrap_or(begins));
    begins.saturating_sub(CLOCK_MICROS) <= from && to <= ends.saturating_add(CLOCK_MICROS)
}
