//! Which sessions a handle names.

use serde::Deserialize;

use super::acts::EVENTS;
use super::bound::Bound;
use super::handle::{self, Handle};
use super::nearest;
use crate::engine::Engine;
use crate::error::Result;
use crate::lineage::story::HandleKind;

/// So many ids are looked up once and named in later statements; more are found anew each time.
const MAX_IDS: usize = 500;
/// So many events of a finding are looked up.
const MAX_EVENTS: usize = 1_000;

/// The sessions, as a query, so that there may be any number of them.
#[derive(Debug, Clone)]
pub struct Named {
    pub kind: HandleKind,
    /// A query with the one column `session_id`, each session once.
    pub sql: String,
    /// The values in it.
    pub bound: Bound,
    pub n: u64,
    /// Events that were asked for.
    pub event_ids: Vec<String>,
}

#[derive(Deserialize)]
struct SessionId {
    session_id: String,
}

#[derive(Deserialize)]
struct Count {
    n: u64,
}

/// The sessions that the handle names.
///
/// # Errors
///
/// Where it names none.
pub async fn find(engine: &Engine, handle: &Handle) -> Result<Named> {
    let found = match handle {
        Handle::Finding { event_ids, .. } => {
            let ids: Vec<&str> = event_ids.iter().map(String::as_str).collect();
            let sought = events(HandleKind::Finding, &ids);
            count(engine, sought).await?
        }
        Handle::Text(text) => find_text(engine, text).await?,
    };
    match found {
        Some(named) => resolve(engine, named).await,
        None => Err(nearest::nothing(engine, handle).await?.into()),
    }
}

/// Says so where a finding has more events than are looked up.
pub fn cut_events(handle: &Handle) -> Option<String> {
    match handle {
        Handle::Finding { event_ids, .. } if event_ids.len() > MAX_EVENTS => Some(format!(
            "of the finding's {} events the first {MAX_EVENTS} were looked up",
            event_ids.len()
        )),
        Handle::Finding { .. } | Handle::Text(_) => None,
    }
}

async fn find_text(engine: &Engine, text: &str) -> Result<Option<Named>> {
    for sought in ways(text) {
        if let Some(named) = count(engine, sought).await? {
            return Ok(Some(named));
        }
    }
    Ok(None)
}

/// Every way to read the text, the most likely first.
fn ways(text: &str) -> Vec<Named> {
    let kind = handle::kind(text);
    let mut ways = match kind {
        HandleKind::AccessKey => vec![
            sessions(kind, text, "access_key_id = $x OR session_id = $x"),
            // Keys that console sessions mint for single requests.
            events_where(kind, text, "a.access_key_id = $x"),
        ],
        HandleKind::SessionArn => vec![session_arn(text)],
        HandleKind::RoleArn => vec![sessions(
            kind,
            text,
            "role_arn = $x OR principal = $x OR arn = $x",
        )],
        HandleKind::UserArn => vec![
            sessions(kind, text, "arn = $x OR principal = $x"),
            sessions(kind, text, "parent_id IS NULL AND root_identity = $x"),
        ],
        HandleKind::PrincipalId => vec![sessions(
            kind,
            text,
            "principal_id = $x OR starts_with(principal_id, concat($x, ':'))",
        )],
        HandleKind::Address => vec![events_where(kind, text, "a.sourceipaddress = $x")],
        HandleKind::Network => {
            vec![events_where(
                kind,
                text,
                "in_network(a.sourceipaddress, $x)",
            )]
        }
        HandleKind::EventId | HandleKind::Finding | HandleKind::SessionId | HandleKind::Name => {
            Vec::new()
        }
    };
    ways.push(sessions(HandleKind::SessionId, text, "session_id = $x"));
    let by_name = sessions(HandleKind::Name, text, NAME);
    let by_event = [
        events(HandleKind::EventId, &[text]),
        // An event whose caller has no session may have made one.
        sessions(
            HandleKind::EventId,
            text,
            "issued_by = $x OR array_has(issue_event_ids, $x)",
        ),
    ];
    // Events are many more than sessions, so they are looked at last where the form does not ask for
    // them.
    if kind == HandleKind::EventId {
        ways.extend(by_event);
        ways.push(by_name);
    } else {
        ways.push(by_name);
        ways.extend(by_event);
    }
    ways
}

/// What people call sessions by: the name of a user, role, session or subject, or the end of an id
/// (`i-…`, a function's name).
const NAME: &str = "session_name = $x OR source_identity = $x OR principal = $x OR arn = $x \
    OR split_part(role_arn, '/', -1) = $x \
    OR (kind <> 'role' AND split_part(coalesce(arn, principal), '/', -1) = $x) \
    OR split_part(session_id, '/', -1) = $x OR session_id = concat('service:', $x) \
    OR (parent_id IS NULL AND (root_identity = $x OR split_part(root_identity, '/', -1) = $x))";

fn sessions(kind: HandleKind, text: &str, condition: &str) -> Named {
    let mut bound = Bound::default();
    let place = bound.text(text);
    let condition = condition.replace("$x", &place);
    Named {
        kind,
        sql: format!("SELECT session_id FROM sessions WHERE {condition}"),
        bound,
        n: 0,
        event_ids: Vec::new(),
    }
}

/// The ARN of a session has its role without the path.
fn session_arn(arn: &str) -> Named {
    let mut bound = Bound::default();
    let whole = bound.text(arn);
    let mut condition = format!("arn = {whole} OR principal = {whole}");
    let account = arn.split(':').nth(4).unwrap_or_default();
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let mut parts = resource.splitn(3, '/').skip(1);
    if let (Some(role), Some(session)) = (parts.next(), parts.next()) {
        let (account, role, session) = (bound.text(account), bound.text(role), bound.text(session));
        condition.push_str(&format!(
            " OR (split_part(role_arn, ':', 5) = {account} AND session_name = {session} \
             AND split_part(role_arn, '/', -1) = {role})"
        ));
    }
    Named {
        kind: HandleKind::SessionArn,
        sql: format!("SELECT session_id FROM sessions WHERE {condition}"),
        bound,
        n: 0,
        event_ids: Vec::new(),
    }
}

fn events(kind: HandleKind, ids: &[&str]) -> Named {
    let ids = &ids[..ids.len().min(MAX_EVENTS)];
    let mut bound = Bound::default();
    let places = bound.list(ids.iter().copied());
    Named {
        kind,
        sql: format!(
            "SELECT DISTINCT session_id FROM session_events \
             WHERE eventid IN ({places}) AND session_id IS NOT NULL"
        ),
        bound,
        n: 0,
        event_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    }
}

/// Sessions with an event `a` of which something holds.
fn events_where(kind: HandleKind, text: &str, condition: &str) -> Named {
    let mut bound = Bound::default();
    let place = bound.text(text);
    let condition = condition.replace("$x", &place);
    Named {
        kind,
        sql: format!(
            "SELECT DISTINCT e.session_id FROM {EVENTS} \
             WHERE ({condition}) AND e.session_id IS NOT NULL"
        ),
        bound,
        n: 0,
        event_ids: Vec::new(),
    }
}

/// The same with the number of sessions, where there are some.
async fn count(engine: &Engine, sought: Named) -> Result<Option<Named>> {
    let sql = format!("SELECT count(*) AS n FROM ({}) AS named", sought.sql);
    let counts: Vec<Count> = sought.bound.rows(engine, &sql).await?;
    let n = counts.first().map_or(0, |count| count.n);
    Ok((n > 0).then_some(Named { n, ..sought }))
}

/// Names the sessions by their ids, where that is not too long a list.
async fn resolve(engine: &Engine, named: Named) -> Result<Named> {
    if named.n > MAX_IDS as u64 {
        return Ok(named);
    }
    let sql = format!("SELECT session_id FROM ({}) AS named ORDER BY 1", named.sql);
    let ids: Vec<SessionId> = named.bound.rows(engine, &sql).await?;
    let mut bound = Bound::default();
    let places = bound.list(ids.iter().map(|id| id.session_id.as_str()));
    Ok(Named {
        sql: format!("SELECT session_id FROM sessions WHERE session_id IN ({places})"),
        bound,
        ..named
    })
}
