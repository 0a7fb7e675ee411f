//! `timestamp_text`: a time as Trino's CAST to varchar spells it.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewBuilder};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, exec_err};

use super::FAMILY;
use super::moments::{Moment, Moments, Slot, coerce};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

/// What `CAST(x AS varchar)` of a time becomes; times of CloudTrail itself are texts as they are.
pub(super) const FUNCTION: Function = Function::new(
    "timestamp_text",
    Doc {
        family: FAMILY,
        syntax: "timestamp_text(x) → varchar",
        description: "A time as a CAST to varchar spells it, with three digits of the second and, where it \
                      has one, its zone. Trino has no such function: casts are made of it.",
        example: "timestamp_text(from_iso8601_timestamp('2023-07-06T13:51:00Z')) -- 2023-07-06 13:51:00.000 UTC",
    },
    |types| coerce("timestamp_text", types, &[Slot::Time]),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        over_arrays(args, |arrays, n_rows| {
            let [times] = arrays else {
                return exec_err!("`timestamp_text` takes 1 argument");
            };
            texts(times, n_rows)
        })
    },
);

fn texts(times: &ArrayRef, n_rows: usize) -> Result<ArrayRef> {
    let moments = Moments::new("timestamp_text", times)?;
    let zone = moments.kind.zone().map(|zone| zone.name());
    let format = match times.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, None) => "%Y-%m-%d %H:%M:%S%.6f",
        DataType::Date32 => "%Y-%m-%d",
        _ => "%Y-%m-%d %H:%M:%S%.3f",
    };
    let spell = |moment: Moment| {
        let text = moment.local.format(format);
        match &zone {
            Some(zone) => format!("{text} {zone}"),
            None => text.to_string(),
        }
    };
    let mut builder = StringViewBuilder::with_capacity(n_rows);
    for row in 0..n_rows {
        builder.append_option(moments.get(row)?.map(spell));
    }
    Ok(Arc::new(builder.finish()))
}

#[cfg(test)]
mod tests {
    use crate::engine::functions::trino::checks::check;

    #[test]
    fn times_as_casts_spell_them() {
        check(&[
            (
                "timestamp_text(date_parse('2023-07-06 13:51', '%Y-%m-%d %H:%i'))",
                "2023-07-06 13:51:00.000",
            ),
            (
                "timestamp_text(from_iso8601_timestamp('2023-07-06T13:51:00.5Z'))",
                "2023-07-06 13:51:00.500 UTC",
            ),
            (
                "timestamp_text(at_timezone(from_iso8601_timestamp('2023-07-06T13:51:00Z'), 'America/New_York'))",
                "2023-07-06 09:51:00.000 America/New_York",
            ),
            ("timestamp_text(NULL)", "NULL"),
        ]);
    }
}
