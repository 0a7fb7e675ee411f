//! "Now" is the end of the evidence, so that a query gives the same answer next year.

use datafusion::arrow::temporal_conversions::timestamp_us_to_datetime;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::QueryError;

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
