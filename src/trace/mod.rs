//! From a handle (a key, an ARN, a name, an event, an address) to the story of the sessions it names:
//! where they came from, what came of them, and what was done with all of these.
//!
//! Everything is asked of the engine by SQL, over the tables `sessions` and `session_marks` and the
//! view `callers`. Always true: no more sessions are told than asked for, the rest are counted; what
//! grows with the evidence stays in the engine; and a handle that names nothing is an error that says
//! what was looked for. Which finding has which events is left to the caller, and so is how a story
//! looks.

mod acts;
mod arrange;
mod bound;
mod choose;
mod handle;
mod named;
mod nearest;
mod reach;

pub use handle::{Handle, finding_id};

use crate::engine::Engine;
use crate::error::Result;
use crate::lineage::story::Trace;

/// How much of a story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceLimits {
    /// Sessions told in full; the rest are counted. At least one is told.
    pub max_sessions: usize,
}

impl Default for TraceLimits {
    fn default() -> Self {
        Self { max_sessions: 200 }
    }
}

/// The story of the sessions that a handle names.
///
/// # Errors
///
/// Where it names none, with what was looked for and what may have been meant; and where the
/// evidence cannot be read.
pub async fn trace(engine: &Engine, handle: &Handle, limits: TraceLimits) -> Result<Trace> {
    let named = named::find(engine, handle).await?;
    let chosen = choose::choose(engine, &named, limits).await?;
    let mut story = arrange::arrange(chosen);
    acts::add(engine, &mut story.sessions, &named.event_ids).await?;
    story.blast = reach::reach(engine, &named).await?;
    story.notes.extend(named::cut_events(handle));
    story.asked = handle.asked().to_owned();
    story.kind = Some(named.kind);
    Ok(story)
}
