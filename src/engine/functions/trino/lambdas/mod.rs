//! Functions that take lambdas.

mod arrays;
mod attempt;
mod define;
mod maps;
mod matches;
mod reduce;
mod sort;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::HigherOrderUDF;

use super::define::Family;

const FAMILY: Family = Family {
    title: "Lambdas",
    page: "https://trino.io/docs/current/functions/lambda.html",
};

/// All of them.
pub(super) fn functions() -> Vec<Arc<HigherOrderUDF>> {
    let functions = [
        arrays::FILTER,
        arrays::TRANSFORM,
        arrays::ZIP_WITH,
        matches::ANY_MATCH,
        matches::ALL_MATCH,
        matches::NONE_MATCH,
        matches::FIND_FIRST,
        matches::FIND_FIRST_INDEX,
        reduce::REDUCE,
        sort::ARRAY_SORT,
        maps::MAP_FILTER,
        maps::TRANSFORM_KEYS,
        maps::TRANSFORM_VALUES,
        maps::MAP_ZIP_WITH,
        attempt::TRY,
    ];
    functions.map(define::LambdaFunction::into_udf).into()
}

/// The first of some arguments.
fn first<T>(arguments: &[T]) -> Result<&T> {
    match arguments.first() {
        Some(first) => Ok(first),
        None => plan_err!("an argument is missing"),
    }
}
