//! What to say where a handle names nothing, and what may have been meant.

use serde::Deserialize;

use super::bound::Bound;
use super::handle::{self, Handle};
use crate::engine::Engine;
use crate::error::{QueryError, Result};
use crate::lineage::story::HandleKind;

#[derive(Deserialize)]
struct Candidate {
    name: String,
}

#[derive(Deserialize)]
struct Count {
    n: u64,
}

/// The error for a handle that names nothing.
///
/// # Errors
///
/// Where the sessions cannot be read.
pub async fn nothing(engine: &Engine, handle: &Handle) -> Result<QueryError> {
    let text = match handle {
        Handle::Finding { id, .. } => {
            let message = format!("the events of finding `{id}` belong to no session");
            return Ok(QueryError::new(message));
        }
        Handle::Text(text) => text,
    };
    let kind = handle::kind(text);
    if is_event(engine, text).await? {
        let message = format!("event `{text}` belongs to no session");
        return Ok(QueryError::new(message).with_hint(
            "its record does not tell who called; `spoor query` shows it: \
             SELECT * FROM cloudtrail WHERE eventid = …",
        ));
    }
    let message = match kind {
        HandleKind::AccessKey => {
            format!("no session has the access key `{text}`, and no event was made with it")
        }
        HandleKind::SessionArn => format!("no session has the ARN `{text}`"),
        HandleKind::RoleArn => format!("no session is of the role `{text}`"),
        HandleKind::UserArn => format!("no session is of the principal `{text}`"),
        HandleKind::PrincipalId => format!("no session has the principal id `{text}`"),
        HandleKind::Address => format!("no session was used from the address `{text}`"),
        HandleKind::Network => format!("no session was used from the network `{text}`"),
        HandleKind::EventId => format!("no event has the id `{text}`"),
        HandleKind::Finding | HandleKind::SessionId | HandleKind::Name => format!(
            "no session, event, user, role, session name or source identity is called `{text}`"
        ),
    };
    let error = QueryError::new(message);
    Ok(match nearest(engine, kind, text).await? {
        Some(name) => error.with_hint(format!("did you mean `{name}`?")),
        None => error.with_hint(hint(kind, text)),
    })
}

fn hint(kind: HandleKind, text: &str) -> &'static str {
    match kind {
        HandleKind::Name if handle::finding_id(text).is_some() => {
            "it is no finding of the rules either; `spoor detect` lists them with their ids in JSON"
        }
        HandleKind::AccessKey => {
            "keys of accounts or days that were not recorded are not in the evidence"
        }
        _ => {
            "a handle is an access key, an ARN of a role, session or user, a principal id, an event id, \
             an address or network, a finding's id, or a name; `SELECT * FROM sessions` lists all"
        }
    }
}

async fn is_event(engine: &Engine, text: &str) -> Result<bool> {
    let mut bound = Bound::default();
    let sql = format!(
        "SELECT count(*) AS n FROM events WHERE eventid = {}",
        bound.text(text)
    );
    let counts: Vec<Count> = bound.rows(engine, &sql).await?;
    Ok(counts.iter().any(|count| count.n > 0))
}

/// The name of the same kind that takes the fewest changes, where those are few.
async fn nearest(engine: &Engine, kind: HandleKind, text: &str) -> Result<Option<String>> {
    let names: &[&str] = match kind {
        HandleKind::AccessKey => &["access_key_id"],
        HandleKind::SessionArn => &["arn"],
        HandleKind::RoleArn => &["role_arn"],
        HandleKind::UserArn => &["arn", "principal"],
        HandleKind::PrincipalId => &["principal_id"],
        HandleKind::Address | HandleKind::Network | HandleKind::EventId => return Ok(None),
        HandleKind::Finding | HandleKind::SessionId | HandleKind::Name => &[
            "session_name",
            "source_identity",
            "split_part(role_arn, '/', -1)",
            "split_part(coalesce(arn, principal), '/', -1)",
            "session_id",
        ],
    };
    let mut bound = Bound::default();
    let place = bound.text(&text.to_lowercase());
    // A third of the text may differ; more is another name.
    let most = text.chars().count() / 3;
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("SELECT DISTINCT {name} AS name FROM sessions"))
        .collect();
    let sql = format!(
        "SELECT name FROM (SELECT name, levenshtein(lower(name), {place}) AS distance \
         FROM ({}) AS names WHERE name IS NOT NULL AND name <> '') AS names \
         WHERE distance <= {most} ORDER BY distance, name LIMIT 1",
        names.join(" UNION ALL ")
    );
    let found: Vec<Candidate> = bound.rows(engine, &sql).await?;
    Ok(found.into_iter().next().map(|found| found.name))
}
