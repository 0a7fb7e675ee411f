//! Chosen sessions in the order in which they are told: each behind its parent, siblings by time.

use std::collections::{BTreeMap, BTreeSet};

use super::choose::{Chosen, SessionRow};
use crate::lineage::story::{Issue, Trace, TracedSession};

/// The story without what was done.
pub fn arrange(chosen: Chosen) -> Trace {
    let order = preorder(&chosen.rows);
    let places: BTreeMap<&str, usize> = order.iter().enumerate().map(|(n, id)| (*id, n)).collect();
    let mut sessions: Vec<TracedSession> = Vec::with_capacity(order.len());
    for id in &order {
        let Some(row) = chosen.rows.get(*id) else {
            continue;
        };
        let parent = row.parent_id.as_deref();
        let parent = parent.and_then(|parent| places.get(parent)).copied();
        let parent = parent.filter(|parent| *parent < sessions.len());
        let above = parent.map(|parent| &sessions[parent]);
        let session = TracedSession {
            depth: above.map_or(0, |above| above.depth + 1),
            is_within: row.is_asked || above.is_some_and(|above| above.is_within),
            parent,
            ..session(row)
        };
        sessions.push(session);
    }
    count_children(&chosen, &mut sessions);
    Trace {
        notes: doubts(&sessions),
        n_named: chosen.n_named,
        n_sessions: chosen.n_sessions,
        sessions,
        ..Trace::default()
    }
}

/// What a reader should know before building on the story.
fn doubts(sessions: &[TracedSession]) -> Vec<String> {
    let count = |holds: fn(&TracedSession) -> bool| sessions.iter().filter(|s| holds(s)).count();
    let mut notes = Vec::new();
    match count(|session| session.kind == "unseen") {
        0 => {}
        1 => notes
            .push("an issuer is not in the evidence: what came before it is not known".to_owned()),
        n => notes.push(format!(
            "{n} issuers are not in the evidence: what came before them is not known"
        )),
    }
    match count(TracedSession::is_only_likely) {
        0 => {}
        1 => notes.push("one tie is only likely: another reading is possible".to_owned()),
        n => notes.push(format!(
            "{n} ties are only likely: other readings are possible"
        )),
    }
    notes
}

/// Ids so that each stands behind its parent; none twice, whatever the rows say of one another.
fn preorder(rows: &BTreeMap<String, SessionRow>) -> Vec<&str> {
    let time = |row: &SessionRow| row.issued_at.clone().or_else(|| row.first_time.clone());
    let mut sorted: Vec<(&String, &SessionRow)> = rows.iter().collect();
    // The last of a stack comes first. Who has no time comes last, as in tables.
    sorted.sort_by_key(|(id, row)| {
        let time = time(row);
        std::cmp::Reverse((time.is_none(), time, *id))
    });
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut stack: Vec<&str> = Vec::new();
    for (id, row) in sorted {
        match row.parent_id.as_deref().filter(|id| rows.contains_key(*id)) {
            Some(parent) => children.entry(parent).or_default().push(id),
            None => stack.push(id),
        }
    }
    let mut seen = BTreeSet::new();
    let mut order = Vec::with_capacity(rows.len());
    while let Some(id) = stack.pop() {
        if seen.insert(id) {
            order.push(id);
            stack.extend(children.get(id).into_iter().flatten());
        }
    }
    order
}

fn session(row: &SessionRow) -> TracedSession {
    let issue = row.issued_by.as_ref().map(|id| Issue {
        event_id: id.clone(),
        event_name: row.issued_name.clone().unwrap_or_default(),
        time: row.issued_at.clone(),
        event_ids: row
            .issue_event_ids
            .iter()
            .flatten()
            .flatten()
            .cloned()
            .collect(),
    });
    TracedSession {
        session_id: row.session_id.clone(),
        kind: row.kind.clone().unwrap_or_default(),
        is_asked: row.is_asked,
        access_key_id: row.access_key_id.clone(),
        principal: row.principal.clone(),
        principal_id: row.principal_id.clone(),
        arn: row.arn.clone(),
        role_arn: row.role_arn.clone(),
        session_name: row.session_name.clone(),
        account: row.account.clone(),
        source_identity: row.source_identity.clone(),
        mfa: row.mfa,
        console: row.console,
        expires_at: row.expires_at.clone(),
        issue,
        link: row.link.clone(),
        caller_link: row.caller_link.clone(),
        confidence: row.confidence.clone(),
        root_kind: row.root_kind.clone(),
        root_identity: row.root_identity.clone(),
        root_confidence: row.root_confidence.clone(),
        first_time: row.first_time.clone(),
        last_time: row.last_time.clone(),
        n_events: row.n_events.unwrap_or_default(),
        n_denied: row.n_denied.unwrap_or_default(),
        n_writes: row.n_writes.unwrap_or_default(),
        ..TracedSession::default()
    }
}

/// Of the sessions that each made: how many belong to the story and are missing from it, and how many
/// lead elsewhere.
fn count_children(chosen: &Chosen, sessions: &mut [TracedSession]) {
    let mut n_told = vec![0_u64; sessions.len()];
    let mut n_asked_told = vec![0_u64; sessions.len()];
    for session in sessions.iter() {
        if let Some(parent) = session.parent {
            n_told[parent] += 1;
            n_asked_told[parent] += u64::from(session.is_asked);
        }
    }
    for (at, session) in sessions.iter_mut().enumerate() {
        let row = chosen.rows.get(&session.session_id);
        let n_children = row.and_then(|row| row.n_children).unwrap_or_default();
        let n_missing = n_children.saturating_sub(n_told[at]);
        if session.is_within {
            session.n_left_out = n_missing;
            continue;
        }
        let n_asked = chosen.n_named_children.get(&session.session_id);
        let n_asked = n_asked.copied().unwrap_or_default();
        session.n_left_out = n_asked.saturating_sub(n_asked_told[at]).min(n_missing);
        session.n_aside = n_missing - session.n_left_out;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, parent: Option<&str>, time: &str, is_asked: bool) -> (String, SessionRow) {
        let row = SessionRow {
            session_id: id.to_owned(),
            parent_id: parent.map(str::to_owned),
            issued_at: (!time.is_empty()).then(|| time.to_owned()),
            n_children: Some(3),
            is_asked,
            ..SessionRow::default()
        };
        (id.to_owned(), row)
    }

    #[test]
    fn doubts_are_told() {
        let told = |kinds: &[(&str, &str)]| {
            let sessions: Vec<TracedSession> = kinds
                .iter()
                .map(|(kind, confidence)| TracedSession {
                    kind: (*kind).to_owned(),
                    confidence: Some((*confidence).to_owned()),
                    ..TracedSession::default()
                })
                .collect();
            doubts(&sessions).join("; ")
        };
        assert_eq!(told(&[("role", "certain"), ("user-key", "strong")]), "");
        assert_eq!(
            told(&[("unseen", ""), ("role", "likely")]),
            "an issuer is not in the evidence: what came before it is not known; \
             one tie is only likely: another reading is possible"
        );
        assert_eq!(
            told(&[
                ("unseen", ""),
                ("unseen", ""),
                ("role", "likely"),
                ("role", "likely")
            ]),
            "2 issuers are not in the evidence: what came before them is not known; \
             2 ties are only likely: other readings are possible"
        );
    }

    #[test]
    fn parents_come_first_and_siblings_by_time() {
        let rows = [
            row("a", Some("elsewhere"), "1", false),
            row("b", Some("a"), "3", true),
            row("c", Some("a"), "2", false),
            row("d", Some("b"), "9", false),
            row("e", Some("a"), "", false),
            // What cannot be is not told, and does no harm.
            row("x", Some("y"), "1", false),
            row("y", Some("x"), "1", false),
        ];
        let story = arrange(Chosen {
            rows: rows.into_iter().collect(),
            n_named_children: BTreeMap::from([("a".to_owned(), 1)]),
            ..Chosen::default()
        });
        let told: Vec<_> = story
            .sessions
            .iter()
            .map(|s| {
                (
                    s.session_id.as_str(),
                    s.depth,
                    s.parent,
                    s.is_within,
                    s.n_left_out,
                    s.n_aside,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a", 0, None, false, 0, 0),
                ("c", 1, Some(0), false, 0, 3),
                ("b", 1, Some(0), true, 2, 0),
                ("d", 2, Some(2), true, 3, 0),
                ("e", 1, Some(0), false, 0, 3),
            ]
        );
    }
}
