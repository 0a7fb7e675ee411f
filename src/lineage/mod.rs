//! Who that was, really: sessions, the calls that issued them, and the chains they make.
//!
//! CloudTrail names the credentials of each call, and some calls hand out new ones. Put together, they say
//! from which key, person, workload or account a session came, over any number of roles. Evidence goes in
//! in any order ([`Evidence`]), sessions come out ([`Lineage`]); the same evidence gives the same sessions.
//! Links must hold against everything that both sides say, and where two readings are equally good there is
//! none: the session hangs on an unseen issuer then.
//!
//! Nothing here knows SQL, files or terminals. The engine reads the evidence from the views `callers` and
//! `credential_grants` and makes tables of the sessions.

mod evidence;
mod grants;
mod nodes;
mod outside;
mod parents;
mod session;
pub mod story;
mod texts;
mod ties;
mod words;

use hashbrown::HashSet;

pub use evidence::{Call, Evidence, GrantRecord, Identity, Tally};
pub use session::{Issued, Lineage, Root, Session, SessionIndex, Step};
pub use texts::{Text, Texts};
pub use words::{CallerLink, Confidence, Link, RootKind, SessionKind};

use self::evidence::Distinct;
use self::grants::Grants;
use self::nodes::Nodes;

impl Evidence {
    /// The sessions that the evidence tells of.
    pub fn into_lineage(mut self) -> Lineage {
        let grants = Grants::of(&self);
        let ties = ties::ties(&self, &grants);
        let mut nodes = Nodes::of(&mut self, &grants, &ties);
        parents::find_parents(&mut nodes);
        parents::find_roots(&mut nodes);
        let (mut sessions, of_caller) = (nodes.sessions, nodes.of_caller);
        count_distinct(&mut sessions, &of_caller, &self.distinct);
        let marks = self.callers.iter().zip(&of_caller);
        let marks = marks.filter_map(|(caller, session)| Some((caller.mark, (*session)?)));
        let marks = marks.collect();
        sorted(sessions, marks, self.texts)
    }
}

/// Services, regions and addresses of each session, over all its callers.
fn count_distinct(
    sessions: &mut [Session],
    of_caller: &[Option<SessionIndex>],
    distinct: &Distinct,
) {
    let mut count = |pairs: &HashSet<u64, _>, add: fn(&mut Session)| {
        let mut of_sessions: Vec<(SessionIndex, u32)> = pairs
            .iter()
            .filter_map(|pair| {
                let session = of_caller[(pair >> 32) as usize]?;
                // The lower half is the text's number.
                Some((session, (pair & u64::from(u32::MAX)) as u32))
            })
            .collect();
        of_sessions.sort_unstable();
        of_sessions.dedup();
        for (session, _) in of_sessions {
            add(&mut sessions[session as usize]);
        }
    };
    count(&distinct.services, |session| session.n_services += 1);
    count(&distinct.regions, |session| session.n_regions += 1);
    count(&distinct.addresses, |session| session.n_addresses += 1);
}

/// Sessions in the order of their ids, with the children of each by time.
fn sorted(sessions: Vec<Session>, mut marks: Vec<(Text, SessionIndex)>, texts: Texts) -> Lineage {
    let mut order: Vec<SessionIndex> = (0..).take(sessions.len()).collect();
    let id = |at: &SessionIndex| texts.get(sessions[*at as usize].id);
    order.sort_unstable_by(|a, b| id(a).cmp(id(b)));
    let mut place = vec![0; sessions.len()];
    for (at, old) in (0..).zip(&order) {
        place[*old as usize] = at;
    }
    let mut moved: Vec<Option<Session>> = sessions.into_iter().map(Some).collect();
    let sessions: Vec<Session> = order
        .iter()
        .filter_map(|old| {
            let mut session = moved[*old as usize].take()?;
            session.parent = session.parent.map(|parent| place[parent as usize]);
            session.root.session = place[session.root.session as usize];
            Some(session)
        })
        .collect();
    for (_, session) in &mut marks {
        *session = place[*session as usize];
    }
    marks.sort_unstable_by(|(a, _), (b, _)| texts.get(*a).cmp(texts.get(*b)));
    let mut children = vec![Vec::new(); sessions.len()];
    for (at, session) in (0..).zip(&sessions) {
        if let Some(parent) = session.parent {
            children[parent as usize].push(at);
        }
    }
    let time = |at: &SessionIndex| {
        let session = &sessions[*at as usize];
        let issued = session.issued.as_ref().and_then(|issued| issued.time);
        issued.or(session.tally.first_time)
    };
    for list in &mut children {
        list.sort_by_key(time);
    }
    Lineage {
        sessions,
        marks,
        texts,
        children,
    }
}
