//! Dates, times, intervals and time zones.
//!
//! A moment has a zone in its type, in which calendar and clock are read; what has none is in UTC. Event
//! times are moments in microseconds. Where Trino would want a time and a text is given, the text is read
//! as ISO 8601. Comparisons with what never falls as time goes on are turned into ranges of the column.

mod arithmetic;
mod cuts;
mod durations;
mod formats;
mod from_iso;
mod iso;
mod moments;
pub(in crate::engine) mod partition;
mod parts;
mod pattern;
mod range;
mod spelled;
pub(in crate::engine) mod text;
mod units;
mod unixtime;
mod zone;
mod zones;

use datafusion::logical_expr::ScalarUDF;

use super::define::{Family, Function};

const FAMILY: Family = Family {
    title: "Dates and times",
    page: "https://trino.io/docs/current/functions/datetime.html",
};

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let lists: [&[Function]; 11] = [
        &[partition::FUNCTION],
        &[spelled::FUNCTION],
        &from_iso::FUNCTIONS,
        &formats::FUNCTIONS,
        &cuts::FUNCTIONS,
        &arithmetic::FUNCTIONS,
        &parts::FUNCTIONS,
        &unixtime::FUNCTIONS,
        &zones::FUNCTIONS,
        &durations::FUNCTIONS,
        &[text::TIME_TEXT],
    ];
    let functions = lists.into_iter().flatten();
    functions.map(|function| function.into_udf()).collect()
}

#[cfg(test)]
mod tests;
