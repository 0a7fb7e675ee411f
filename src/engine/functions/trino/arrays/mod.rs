//! Arrays.

mod common;
mod lookup;
mod order;
mod sequence;
mod sets;
mod shape;
#[cfg(test)]
mod tests;

use datafusion::logical_expr::ScalarUDF;

pub(in crate::engine) use order::REVERSE;
pub(in crate::engine) use shape::CONCAT;

use super::define::{Family, Function};

const FAMILY: Family = Family {
    title: "Arrays",
    page: "https://trino.io/docs/current/functions/array.html",
};

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let functions = [
        lookup::CARDINALITY,
        lookup::CONTAINS,
        lookup::CONTAINS_SEQUENCE,
        lookup::ELEMENT_AT,
        lookup::ARRAY_POSITION,
        shape::ARRAY_JOIN,
        sets::ARRAY_DISTINCT,
        sets::ARRAY_EXCEPT,
        sets::ARRAY_INTERSECT,
        sets::ARRAY_UNION,
        sets::ARRAY_REMOVE,
        sets::ARRAYS_OVERLAP,
        sets::ARRAY_HISTOGRAM,
        order::ARRAY_FIRST,
        order::ARRAY_LAST,
        order::ARRAY_MAX,
        order::ARRAY_MIN,
        order::SLICE,
        order::TRIM_ARRAY,
        order::SHUFFLE,
        shape::COMBINATIONS,
        shape::FLATTEN,
        shape::NGRAMS,
        shape::REPEAT,
        shape::ZIP,
        sequence::SEQUENCE,
    ];
    functions.map(Function::into_udf).into()
}
