//! Dates, times, intervals and time zones.

pub(in crate::engine) mod text;

use datafusion::logical_expr::ScalarUDF;

use super::define::{Family, Function};

const FAMILY: Family = Family {
    title: "Dates and times",
    page: "https://trino.io/docs/current/functions/datetime.html",
};

const FUNCTIONS: &[Function] = &[text::TIME_TEXT];

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    FUNCTIONS
        .iter()
        .map(|function| function.into_udf())
        .collect()
}
