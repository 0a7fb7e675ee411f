//! Functions under Trino's names and with Trino's meaning, so that statements written for Athena run as
//! they are. Where DataFusion has a function of the same name that means something else, Trino's takes
//! its place.
//!
//! One file per function or small family, each with its documentation, its source and its tests. A family
//! lists its functions; the lists here join them.

mod aggregates;
pub(in crate::engine) mod arrays;
#[cfg(test)]
mod checks;
mod collections;
mod define;
pub(in crate::engine) mod json;
mod keys;
mod lambdas;
mod maps;
mod rows;
#[cfg(test)]
pub(in crate::engine) mod testing;
mod texts;
pub(in crate::engine) mod times;
mod type_names;
pub(in crate::engine) mod types;
pub(in crate::engine) mod values;

use std::sync::Arc;

pub(in crate::engine) use times::partition::spelled_day;
pub(in crate::engine) use times::text::prefix_range;

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF};

/// Every scalar function.
pub(in crate::engine) fn scalar_functions() -> Vec<ScalarUDF> {
    [
        texts::functions(),
        json::functions(),
        times::functions(),
        arrays::functions(),
        maps::functions(),
        values::functions(),
    ]
    .concat()
}

/// Every function that takes lambdas.
pub(in crate::engine) fn higher_order_functions() -> Vec<Arc<HigherOrderUDF>> {
    lambdas::functions()
}

/// Every aggregate function.
pub(in crate::engine) fn aggregate_functions() -> Vec<AggregateUDF> {
    aggregates::functions()
}
