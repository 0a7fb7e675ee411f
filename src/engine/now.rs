//! "Now" is the end of the evidence, so that a query gives the same answer next year.

use std::str::FromStr;

use datafusion::arrow::temporal_conversions::timestamp_us_to_datetime;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::QueryError;
use crate::util::TimeBound;

/// What "now" is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Now {
    /// The time of the last event: a statement over the last seven days answers over the last seven days
    /// that there is evidence of, and gives the same answer next year.
    #[default]
    EndOfEvidence,
    /// The clock's.
    Real,
    /// Microseconds since 1970, UTC.
    At(i64),
}

impl FromStr for Now {
    type Err = UnknownNow;

    /// `end`, `real`, or a time; a day is its beginning.
    fn from_str(text: &str) -> Result<Self, UnknownNow> {
        match text {
            "end" => Ok(Self::EndOfEvidence),
            "real" => Ok(Self::Real),
            time => match time.parse() {
                Ok(TimeBound::At(microseconds) | TimeBound::Day(microseconds)) => {
                    Ok(Self::At(microseconds))
                }
                Ok(TimeBound::BeforeEnd(_)) | Err(_) => Err(UnknownNow(time.to_owned())),
            },
        }
    }
}

/// The text is no "now".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not `end`, `real` or a time (`2023-07-10`, `2023-07-10T11:45:00Z`)")]
pub struct UnknownNow(String);

impl Now {
    /// What the user should know of a statement that asked for it.
    pub(super) fn note(self, microseconds: Option<i64>) -> Option<String> {
        let time = microseconds.and_then(timestamp_us_to_datetime)?;
        let time = time.format("%Y-%m-%dT%H:%M:%SZ");
        Some(match self {
            Self::EndOfEvidence => {
                format!("now is {time}, the end of the evidence (`--now real` takes the clock's)")
            }
            Self::Real => format!("now is {time}, by the clock"),
            Self::At(_) => format!("now is {time}, as given"),
        })
    }
}

/// The functions that ask for the time; `current_timestamp` and `today` are other names of them.
const ASKING: [&str; 3] = ["now", "current_date", "current_time"];

/// Whether a plan asks what time it is.
pub(super) fn is_asked(plan: &LogicalPlan) -> bool {
    let mut asked = false;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarFunction(call) = expr {
                    asked |= ASKING.contains(&call.func.name());
                }
                Ok(recursion(asked))
            })
        })?;
        Ok(recursion(asked))
    });
    // A plan that cannot be walked is asked to be on the safe side.
    asked || walked.is_err()
}

fn recursion(asked: bool) -> TreeNodeRecursion {
    if asked {
        TreeNodeRecursion::Stop
    } else {
        TreeNodeRecursion::Continue
    }
}

/// The session at a time.
///
/// # Errors
///
/// Where there is no time: no event has one.
pub(super) fn at(
    state: &SessionState,
    microseconds: Option<i64>,
) -> Result<SessionState, QueryError> {
    let Some(time) = microseconds.and_then(timestamp_us_to_datetime) else {
        let message = "`now()` is the end of the evidence, but no event has a time";
        return Err(QueryError::new(message).with_hint("write the time: `timestamp '2025-03-01'`"));
    };
    let mut state = state.clone();
    state.execution_props_mut().query_execution_start_time = Some(time.and_utc());
    Ok(state)
}
