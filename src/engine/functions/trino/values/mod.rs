//! Conversion, conditions, addresses and what is left.

use datafusion::logical_expr::ScalarUDF;

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    Vec::new()
}
