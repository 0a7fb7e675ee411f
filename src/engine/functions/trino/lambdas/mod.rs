//! Functions that take lambdas.

use std::sync::Arc;

use datafusion::logical_expr::HigherOrderUDF;

/// All of them.
pub(super) fn functions() -> Vec<Arc<HigherOrderUDF>> {
    Vec::new()
}
