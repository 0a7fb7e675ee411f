//! Which sessions are told: those that were asked for, what came of them, and the way up to where all
//! of them began.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::TraceLimits;
use super::named::Named;
use crate::engine::Engine;
use crate::error::Result;

/// A row of `sessions`, and whether the handle names it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SessionRow {
    pub session_id: String,
    pub kind: Option<String>,
    pub access_key_id: Option<String>,
    pub principal: Option<String>,
    pub principal_id: Option<String>,
    pub arn: Option<String>,
    pub role_arn: Option<String>,
    pub session_name: Option<String>,
    pub account: Option<String>,
    pub issued_by: Option<String>,
    pub issued_at: Option<String>,
    pub issued_name: Option<String>,
    pub issue_event_ids: Option<Vec<Option<String>>>,
    pub parent_id: Option<String>,
    pub link: Option<String>,
    pub caller_link: Option<String>,
    pub confidence: Option<String>,
    pub root_kind: Option<String>,
    pub root_identity: Option<String>,
    pub root_confidence: Option<String>,
    pub first_time: Option<String>,
    pub last_time: Option<String>,
    pub n_events: Option<u64>,
    pub n_denied: Option<u64>,
    pub n_writes: Option<u64>,
    pub n_children: Option<u64>,
    pub console: Option<bool>,
    pub mfa: Option<bool>,
    pub source_identity: Option<String>,
    pub expires_at: Option<String>,
    pub is_asked: bool,
    /// Sessions asked for and all that came of them.
    pub n_all: Option<u64>,
}

const COLUMNS: &str = "s.session_id, s.kind, s.access_key_id, s.principal, s.principal_id, s.arn, \
    s.role_arn, s.session_name, s.account, s.issued_by, s.issued_at, s.issued_name, \
    s.issue_event_ids, s.parent_id, s.link, s.caller_link, s.confidence, s.root_kind, s.root_identity, \
    s.root_confidence, s.first_time, s.last_time, s.n_events, s.n_denied, s.n_writes, \
    s.n_children, s.console, s.mfa, s.source_identity, s.expires_at, \
    named.session_id IS NOT NULL AS is_asked";

/// The chosen sessions by their ids.
#[derive(Debug, Default)]
pub struct Chosen {
    pub rows: BTreeMap<String, SessionRow>,
    pub n_named: u64,
    pub n_sessions: u64,
    /// Of chosen sessions that only lead to what was asked: how many sessions that were asked for
    /// they made.
    pub n_named_children: BTreeMap<String, u64>,
}

/// The names `named` and `tree`: what was asked for, and that with all that came of it.
pub fn tree(named: &Named) -> String {
    format!(
        "WITH RECURSIVE named AS ({}), tree AS (SELECT session_id FROM named UNION \
         SELECT s.session_id FROM tree AS t JOIN sessions AS s ON s.parent_id = t.session_id)",
        named.sql
    )
}

/// The sessions to tell: of those asked for and what came of them the ones with denials and writes
/// first, each with all on its way up.
///
/// # Errors
///
/// Where the sessions cannot be read.
pub async fn choose(engine: &Engine, named: &Named, limits: TraceLimits) -> Result<Chosen> {
    let limit = limits.max_sessions.max(1);
    let best = best(engine, named, limit).await?;
    let mut above = above(engine, named, &best).await?;
    let n_sessions = best.first().and_then(|row| row.n_all).unwrap_or_default();
    let mut chosen = Chosen {
        n_named: named.n,
        n_sessions,
        ..Chosen::default()
    };
    for row in &best {
        above.insert(row.session_id.clone(), row.clone());
    }
    for row in best {
        let way = way_up(&row.session_id, &chosen.rows, &above);
        if !chosen.rows.is_empty() && chosen.rows.len() + way.len() > limit {
            continue;
        }
        for id in way {
            if let Some(row) = above.get(&id) {
                chosen.rows.insert(id, row.clone());
            }
        }
    }
    chosen.n_named_children = named_children(engine, named, &chosen.rows).await?;
    Ok(chosen)
}

/// As many of the sessions as may be told, those that matter most first.
async fn best(engine: &Engine, named: &Named, limit: usize) -> Result<Vec<SessionRow>> {
    // Where most of the places would go to what was asked for, what came of it competes for them.
    let asked_first = if named.n <= (limit as u64).div_ceil(2) {
        "is_asked DESC, "
    } else {
        ""
    };
    let sql = format!(
        "{} SELECT *, count(*) OVER () AS n_all FROM (SELECT {COLUMNS} FROM tree \
         JOIN sessions AS s ON s.session_id = tree.session_id \
         LEFT JOIN named ON named.session_id = s.session_id) AS told \
         ORDER BY {asked_first}coalesce(n_denied, 0) + coalesce(n_writes, 0) > 0 DESC, \
         coalesce(n_denied, 0) + coalesce(n_writes, 0) DESC, is_asked DESC, \
         coalesce(n_events, 0) DESC, first_time, session_id LIMIT {limit}",
        tree(named)
    );
    named.bound.rows(engine, &sql).await
}

/// All sessions above these.
async fn above(
    engine: &Engine,
    named: &Named,
    best: &[SessionRow],
) -> Result<BTreeMap<String, SessionRow>> {
    let mut bound = named.bound.clone();
    let ids: BTreeSet<&str> = best.iter().map(|row| row.session_id.as_str()).collect();
    let parents = best.iter().filter_map(|row| row.parent_id.as_deref());
    let parents: BTreeSet<&str> = parents.filter(|parent| !ids.contains(parent)).collect();
    if parents.is_empty() {
        return Ok(BTreeMap::new());
    }
    let places = bound.list(parents);
    let sql = format!(
        "WITH RECURSIVE named AS ({}), above AS (\
         SELECT session_id, parent_id FROM sessions WHERE session_id IN ({places}) UNION \
         SELECT s.session_id, s.parent_id FROM above AS a JOIN sessions AS s \
         ON s.session_id = a.parent_id) \
         SELECT {COLUMNS} FROM above JOIN sessions AS s ON s.session_id = above.session_id \
         LEFT JOIN named ON named.session_id = s.session_id",
        named.sql
    );
    let rows: Vec<SessionRow> = bound.rows(engine, &sql).await?;
    let rows = rows.into_iter().map(|row| (row.session_id.clone(), row));
    Ok(rows.collect())
}

/// The session and all above it that are not chosen yet.
fn way_up(
    id: &str,
    chosen: &BTreeMap<String, SessionRow>,
    known: &BTreeMap<String, SessionRow>,
) -> BTreeSet<String> {
    let mut way = BTreeSet::new();
    let mut next = Some(id);
    while let Some(id) = next
        && !chosen.contains_key(id)
        && let Some(row) = known.get(id)
        && way.insert(id.to_owned())
    {
        next = row.parent_id.as_deref();
    }
    way
}

#[derive(Deserialize)]
struct NamedChildren {
    parent_id: String,
    n: u64,
}

async fn named_children(
    engine: &Engine,
    named: &Named,
    rows: &BTreeMap<String, SessionRow>,
) -> Result<BTreeMap<String, u64>> {
    let mut bound = named.bound.clone();
    let places = bound.list(rows.keys().map(String::as_str));
    let sql = format!(
        "WITH named AS ({}) SELECT s.parent_id, count(*) AS n FROM sessions AS s \
         JOIN named ON named.session_id = s.session_id \
         WHERE s.parent_id IN ({places}) GROUP BY s.parent_id",
        named.sql
    );
    let counts: Vec<NamedChildren> = bound.rows(engine, &sql).await?;
    let counts = counts.into_iter().map(|count| (count.parent_id, count.n));
    Ok(counts.collect())
}
