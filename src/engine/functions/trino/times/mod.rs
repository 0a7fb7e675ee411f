//! Dates, times, intervals and time zones.

use datafusion::logical_expr::ScalarUDF;

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    Vec::new()
}
