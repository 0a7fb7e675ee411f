//! What was done in each session, from where and with what.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bound::{Bound, between};
use crate::engine::Engine;
use crate::error::Result;
use crate::lineage::story::{Act, ActKind, Part, TracedSession};

/// Calls told of each session, things of each call, and events of each.
const MAX_ACTS: usize = 60;
const MAX_RESOURCES: usize = 10;
const MAX_EVENT_IDS: usize = 5;
/// Addresses, Regions and agents told of each session.
const MAX_PLACES: usize = 20;

/// What a call is about: the resource, or the member of the request that names it.
pub const RESOURCE: &str = "coalesce(a.subject, \
    json_get_str(a.requestparameters, 'secretId'), json_get_str(a.requestparameters, 'tableName'), \
    json_get_str(a.requestparameters, 'functionName'), json_get_str(a.requestparameters, 'path'), \
    json_get_str(a.requestparameters, 'name'), json_get_str(a.requestparameters, 'bucketName'), \
    json_get_str(a.requestparameters, 'instanceId'), json_get_str(a.requestparameters, 'keyId'))";

/// A call that changes something. Old records do not say so; then its name does.
pub const IS_WRITE: &str = "coalesce(NOT a.readonly, \
    NOT regexp_like(a.eventname, '^(Get|List|Describe|Head|Lookup|Search|Batch(Get|Describe)|AssumeRole)'))";

/// The events `a` of sessions `e`. The view `session_events` is this join too; asked directly, each
/// event is read once.
pub const EVENTS: &str = "session_marks AS e JOIN callers AS a ON a.mark = e.mark";

#[derive(Deserialize)]
struct ActRow {
    session_id: String,
    kind: u8,
    eventsource: Option<String>,
    eventname: Option<String>,
    errorcode: Option<String>,
    n: u64,
    first_time: Option<String>,
    last_time: Option<String>,
    resources: Option<Vec<Option<String>>>,
    n_resources: u64,
    event_ids: Option<Vec<Option<String>>>,
    is_asked: u8,
    n_acts: u64,
}

#[derive(Deserialize)]
struct PlaceRow {
    session_id: String,
    what: String,
    value: String,
    n_all: u64,
}

/// Adds acts and places to the sessions; acts that hold an event that was asked for are marked.
///
/// # Errors
///
/// Where the events cannot be read.
pub async fn add(engine: &Engine, sessions: &mut [TracedSession], asked: &[String]) -> Result<()> {
    let with_events: Vec<&TracedSession> = sessions.iter().filter(|s| s.n_events > 0).collect();
    if with_events.is_empty() {
        return Ok(());
    }
    let mut bound = Bound::default();
    let ids = bound.list(
        with_events
            .iter()
            .map(|session| session.session_id.as_str()),
    );
    let condition = format!("e.session_id IN ({ids}) AND {}", times(&with_events));
    let places = places(engine, &bound, &condition).await?;
    let asked = bound.list(asked.iter().map(String::as_str));
    let acts = acts(engine, &bound, &condition, &asked).await?;
    let by_id = sessions.iter().enumerate();
    let by_id: BTreeMap<String, usize> = by_id
        .map(|(at, session)| (session.session_id.clone(), at))
        .collect();
    for row in places {
        if let Some(at) = by_id.get(&row.session_id) {
            add_place(&mut sessions[*at], row);
        }
    }
    for row in acts {
        if let Some(at) = by_id.get(&row.session_id) {
            let acts = &mut sessions[*at].acts;
            acts.n_all = row.n_acts;
            acts.shown.push(act(row));
        }
    }
    for session in sessions {
        // What matters most came out of the engine; it is told in order of kind and time.
        session.acts.shown.sort_by(|a, b| {
            (a.kind.cmp(&b.kind))
                .then_with(|| a.first_time.cmp(&b.first_time))
                .then_with(|| a.event_source.cmp(&b.event_source))
                .then_with(|| a.event_name.cmp(&b.event_name))
                .then_with(|| a.error_code.cmp(&b.error_code))
        });
    }
    Ok(())
}

/// That the events lie within the times of the sessions.
fn times(sessions: &[&TracedSession]) -> String {
    let first = sessions.iter().map(|session| session.first_time.as_deref());
    let last = sessions.iter().map(|session| session.last_time.as_deref());
    // One that has no time has no bound, and then neither have all.
    let first = first.min().flatten();
    let last = if last.clone().any(|time| time.is_none()) {
        None
    } else {
        last.max().flatten()
    };
    between("a.eventtime", first, last)
}

async fn places(engine: &Engine, bound: &Bound, condition: &str) -> Result<Vec<PlaceRow>> {
    let sql = format!(
        "SELECT session_id, what, value, n_all FROM (\
           SELECT *, row_number() OVER (PARTITION BY session_id, what ORDER BY n DESC, value) AS place, \
             count(*) OVER (PARTITION BY session_id, what) AS n_all \
           FROM (SELECT session_id, coalesce(address, region, agent) AS value, \
               CASE WHEN address IS NOT NULL THEN 'address' WHEN region IS NOT NULL THEN 'region' \
                 ELSE 'agent' END AS what, n \
             FROM (SELECT e.session_id AS session_id, a.sourceipaddress AS address, \
                 a.awsregion AS region, a.useragent AS agent, count(*) AS n FROM {EVENTS} \
               WHERE {condition} \
               GROUP BY GROUPING SETS ((e.session_id, a.sourceipaddress), \
                 (e.session_id, a.awsregion), (e.session_id, a.useragent))) AS counted) AS named \
           WHERE value IS NOT NULL) AS placed \
         WHERE place <= {MAX_PLACES} ORDER BY session_id, what, place"
    );
    bound.rows(engine, &sql).await
}

async fn acts(engine: &Engine, bound: &Bound, condition: &str, asked: &str) -> Result<Vec<ActRow>> {
    // Counted by resource first, so that a session that touched a million objects holds no list of
    // them; then so many resources of each act are kept, and so many acts of each session.
    let act = "session_id, kind, eventsource, eventname, errorcode";
    let sql = format!(
        "WITH calls AS (\
           SELECT e.session_id AS session_id, \
             CASE WHEN a.denied THEN 0 WHEN {IS_WRITE} THEN 1 ELSE 2 END AS kind, \
             a.eventsource AS eventsource, a.eventname AS eventname, a.errorcode AS errorcode, \
             {RESOURCE} AS resource, a.eventid AS eventid, a.eventtime AS eventtime, \
             CASE WHEN a.eventid IN ({asked}) THEN 1 ELSE 0 END AS is_asked \
           FROM {EVENTS} WHERE {condition}), \
         counted AS (\
           SELECT {act}, resource, count(DISTINCT eventid) AS n, min(eventtime) AS first_time, \
             max(eventtime) AS last_time, min(eventid) AS eventid, max(is_asked) AS is_asked \
           FROM calls GROUP BY {act}, resource), \
         placed AS (\
           SELECT *, row_number() OVER (PARTITION BY {act} \
             ORDER BY is_asked DESC, first_time, resource, eventid) AS place FROM counted), \
         acts AS (\
           SELECT {act}, sum(n) AS n, min(first_time) AS first_time, max(last_time) AS last_time, \
             array_agg(resource ORDER BY place) FILTER (WHERE place <= {MAX_RESOURCES} AND resource IS NOT NULL) \
               AS resources, \
             count(resource) AS n_resources, \
             array_agg(eventid ORDER BY place) FILTER (WHERE place <= {MAX_EVENT_IDS}) AS event_ids, \
             max(is_asked) AS is_asked \
           FROM placed GROUP BY {act}) \
         SELECT * FROM (\
           SELECT *, row_number() OVER (PARTITION BY session_id \
               ORDER BY is_asked DESC, kind, n DESC, first_time, eventsource, eventname, errorcode) \
               AS act_place, \
             count(*) OVER (PARTITION BY session_id) AS n_acts FROM acts) AS told \
         WHERE act_place <= {MAX_ACTS} ORDER BY session_id, act_place"
    );
    bound.rows(engine, &sql).await
}

fn add_place(session: &mut TracedSession, row: PlaceRow) {
    let part = match row.what.as_str() {
        "address" => &mut session.addresses,
        "region" => &mut session.regions,
        _ => &mut session.agents,
    };
    part.n_all = row.n_all;
    part.shown.push(row.value);
}

fn act(row: ActRow) -> Act {
    let mut resources: Vec<String> = row.resources.into_iter().flatten().flatten().collect();
    resources.sort();
    Act {
        kind: match row.kind {
            0 => ActKind::Denied,
            1 => ActKind::Write,
            _ => ActKind::Read,
        },
        event_source: row.eventsource.unwrap_or_default(),
        event_name: row.eventname.unwrap_or_default(),
        error_code: row.errorcode,
        count: row.n,
        first_time: row.first_time,
        last_time: row.last_time,
        resources: Part {
            shown: resources,
            n_all: row.n_resources,
        },
        event_ids: row.event_ids.into_iter().flatten().flatten().collect(),
        is_asked: row.is_asked > 0,
    }
}
