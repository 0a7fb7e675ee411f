//! Aggregates.
//!
//! Answers do not depend on the order that rows come in, nor on how many partitions there are, save
//! where a statement asks for an order itself.

mod borrowed;
mod define;
mod entries;
mod extremes;
mod numbers;
#[cfg(test)]
mod tests;

use datafusion::logical_expr::AggregateUDF;

use super::define::Family;

const FAMILY: Family = Family {
    title: "Aggregates",
    page: "https://trino.io/docs/current/functions/aggregate.html",
};

/// All of them.
pub(super) fn functions() -> Vec<AggregateUDF> {
    let own = [
        numbers::COUNT_IF,
        extremes::MAX_BY,
        extremes::MIN_BY,
        numbers::APPROX_PERCENTILE,
        entries::MAP_AGG,
        entries::MULTIMAP_AGG,
        entries::MAP_UNION,
        entries::HISTOGRAM,
        entries::APPROX_MOST_FREQUENT,
        entries::SET_AGG,
        entries::SET_UNION,
        numbers::GEOMETRIC_MEAN,
        numbers::ENTROPY,
    ];
    let mut functions: Vec<AggregateUDF> = own.map(define::Aggregate::into_udf).into();
    functions.extend(borrowed::functions());
    functions
}
