//! Maps, and rows without names.

mod make;
mod parts;
mod row;
#[cfg(test)]
mod tests;

use datafusion::logical_expr::ScalarUDF;

use super::define::{Family, Function};

const FAMILY: Family = Family {
    title: "Maps",
    page: "https://trino.io/docs/current/functions/map.html",
};

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let functions = [
        make::MAP,
        make::MAP_FROM_ENTRIES,
        make::MULTIMAP_FROM_ENTRIES,
        make::MAP_CONCAT,
        parts::MAP_ENTRIES,
        parts::MAP_KEYS,
        parts::MAP_VALUES,
        row::ROW,
    ];
    functions.map(Function::into_udf).into()
}
