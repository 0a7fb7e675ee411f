//! `partition_day`: a day as a partition column spells it.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::FAMILY;
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce};

/// What a text compared with a partition column of days becomes.
pub(super) const FUNCTION: Function = Function::new(
    "partition_day",
    Doc {
        family: FAMILY,
        syntax: "partition_day(text, separator) → varchar",
        description: "A day or a month in the spelling of a partition column: `2023/7/6`, `2023-07-06` and \
                      `20230706` with the separator between padded parts. Another text stays as it is. Trino \
                      has no such function: comparisons of partition columns are made of it.",
        example: "partition_day('20230706', '/') -- 2023/07/06",
    },
    |types| coerce("partition_day", types, &[Kind::Text, Kind::Text], 2),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    body,
);

fn body(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (texts, separators) = (rows.texts(0)?, rows.texts(1)?);
    rows.give_texts(|row| {
        let (Some(text), Some(separator)) = (texts.get(row), separators.get(row)) else {
            return Ok(None);
        };
        Ok(Some(
            spelled_day(text, separator).unwrap_or_else(|| text.to_owned()),
        ))
    })
}

/// A day or a month with padded parts; `None` where the text is neither.
pub(in crate::engine) fn spelled_day(text: &str, separator: &str) -> Option<String> {
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = text.split_at_checked(4)?;
    let parts: Vec<&str> = match (rest.chars().next(), rest.len()) {
        (Some(mark @ ('-' | '/')), _) => rest.get(1..)?.split(mark).collect(),
        (Some(_), 2) => vec![rest],
        (Some(_), 4) => {
            let (month, day) = rest.split_at_checked(2)?;
            vec![month, day]
        }
        _ => return None,
    };
    let fits = |part: &&str| (1..=2).contains(&part.len()) && is_number(part);
    if !is_number(&year) || parts.len() > 2 || !parts.iter().all(fits) {
        return None;
    }
    let mut spelled = year.to_owned();
    for part in parts {
        spelled.push_str(separator);
        spelled.push_str(&format!("{part:0>2}"));
    }
    Some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_spelled_alike() {
        for (text, expected) in [
            ("2023/7/6", Some("2023-07-06")),
            ("2023-07-06", Some("2023-07-06")),
            ("20230706", Some("2023-07-06")),
            ("2023/07", Some("2023-07")),
            ("202307", Some("2023-07")),
            ("2023", None),
            ("####", None),
            ("2023/07/06/12", None),
            ("2023-07-06 12:00:00", None),
            ("é023/07", None),
        ] {
            assert_eq!(spelled_day(text, "-").as_deref(), expected, "{text}");
        }
    }
}
