//! Who that really was: the roots and chains of the sessions behind each finding.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::DetectReport;
use crate::engine::Engine;
use crate::error::Result;
use crate::finding::{Finding, Origin};
use crate::lineage::{Lineage, Session, SessionIndex, SessionKind};

/// Events of a finding whose sessions are looked up: the earliest. A flood comes from one hand, and its
/// first events show it.
const MAX_EVENTS: usize = 500;
/// Origins that a finding names.
const MAX_ORIGINS: usize = 10;

/// A root, and the sessions from it to the one that acted.
type Chain = (String, Vec<String>);

/// Fills [`Finding::origins`] of all findings and of those that the lists cover.
///
/// # Errors
///
/// Where the events cannot be read.
pub(super) async fn add_origins(engine: &Engine, report: &mut DetectReport) -> Result<()> {
    let suppressed = report
        .suppressed
        .iter()
        .map(|suppressed| &suppressed.finding);
    let findings = report.findings.iter().chain(suppressed);
    let ids: BTreeSet<&str> = findings.flat_map(first_events).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let sessions = engine.sessions_of_events(&ids).await?;
    let lineage = engine.lineage().await?;
    let suppressed = report
        .suppressed
        .iter_mut()
        .map(|suppressed| &mut suppressed.finding);
    for finding in report.findings.iter_mut().chain(suppressed) {
        let of_finding = first_events(finding)
            .filter_map(|id| sessions.get(id))
            .flatten();
        finding.origins = origins(&lineage, of_finding.copied());
    }
    Ok(())
}

fn first_events(finding: &Finding) -> impl Iterator<Item = &str> {
    let ids = finding.event_ids.iter().take(MAX_EVENTS);
    ids.map(String::as_str)
}

/// The distinct chains of sessions, those with the most events first.
fn origins(lineage: &Lineage, events: impl Iterator<Item = SessionIndex>) -> Vec<Origin> {
    let mut n_events: BTreeMap<SessionIndex, u64> = BTreeMap::new();
    for session in events {
        *n_events.entry(session).or_default() += 1;
    }
    let mut chains: BTreeMap<Chain, (u64, Origin)> = BTreeMap::new();
    for (at, n) in n_events {
        let session = lineage.get(at);
        let root = session.root;
        let chain: Vec<String> = lineage
            .path(at)
            .into_iter()
            .map(|step| lineage.get(step))
            // The root is named before the chain.
            .filter(|step| step.parent.is_some())
            .map(|step| name(lineage, step))
            .collect();
        let identity = lineage.text(root.identity).to_owned();
        let (events, origin) =
            chains
                .entry((identity.clone(), chain))
                .or_insert_with_key(|(_, chain)| {
                    let origin = Origin {
                        root_kind: root.kind.as_str().to_owned(),
                        root_identity: identity,
                        confidence: root.confidence.map(|confidence| confidence.to_string()),
                        chain: chain.clone(),
                        session_id: lineage.text(session.id).to_owned(),
                        n_sessions: 0,
                    };
                    (0, origin)
                });
        *events += n;
        origin.n_sessions += 1;
    }
    // The beginning of a longer chain is told with it. Chains lie in their order, so it comes just before.
    let mut told: Vec<(Chain, (u64, Origin))> = Vec::new();
    for (key, origin) in chains {
        if told
            .last()
            .is_some_and(|((root, chain), _)| *root == key.0 && key.1.starts_with(chain))
        {
            told.pop();
        }
        told.push((key, origin));
    }
    let mut origins: Vec<(u64, Origin)> = told.into_iter().map(|(_, origin)| origin).collect();
    // The sort keeps the order of names among equals.
    origins.sort_by_key(|(n_events, _)| std::cmp::Reverse(*n_events));
    origins.truncate(MAX_ORIGINS);
    origins.into_iter().map(|(_, origin)| origin).collect()
}

/// A session in a chain: the role and the session's name, else what it is.
fn name(lineage: &Lineage, session: &Session) -> String {
    let text = |text: Option<_>| text.map(|text| lineage.text(text));
    let own = text(session.session_name);
    match session.kind {
        SessionKind::Role => {
            let role = text(session.role_arn).and_then(|arn| arn.rsplit('/').next());
            match (role, own) {
                (Some(role), Some(name)) => format!("{role}/{name}"),
                (Some(one), None) | (None, Some(one)) => one.to_owned(),
                (None, None) => lineage.text(session.id).to_owned(),
            }
        }
        kind => format!("{kind} {}", own.unwrap_or_else(|| lineage.text(session.id))),
    }
}
