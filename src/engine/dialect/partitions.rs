//! Partition columns of time. Tables over CloudTrail's buckets spell them differently (`2023/07/06`,
//! `2023-07-06`, a date; `7` or `07`), and statements compare them as their own table has it.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::{Cast, Expr};

use crate::schema::DATE_PARTITION;

/// What one of our partition columns holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// A whole day, with this between its parts.
    Day(char),
    /// Two digits: the month, or the day of the month.
    TwoDigits,
}

fn spelling(name: &str) -> Option<Spelling> {
    Some(match name {
        DATE_PARTITION => Spelling::Day('-'),
        "timestamp" | "date_partition" => Spelling::Day('/'),
        "month" | "day" => Spelling::TwoDigits,
        _ => return None,
    })
}

/// Both sides of a comparison, where one is a partition column of time and the other is spelled in
/// another way.
pub(super) fn respelled(column: &Expr, other: &Expr, schema: &DFSchema) -> Option<(Expr, Expr)> {
    let Expr::Column(name) = column else {
        return None;
    };
    let spelling = spelling(&name.name)?;
    if let Some(text) = text_of(other) {
        let (day, text) = respelled_text(spelling, text)?;
        let column = if day {
            whole_day(name, schema)?
        } else {
            column.clone()
        };
        let text = ScalarValue::Utf8View(Some(text));
        return Some((column, Expr::Literal(text, None)));
    }
    match datafusion::logical_expr::ExprSchemable::get_type(other, schema).ok()? {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            let day = cast(other.clone(), DataType::Date32);
            Some((whole_day(name, schema)?, cast(day, DataType::Utf8View)))
        }
        _ => None,
    }
}

/// The text of a literal.
pub(super) fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), data_type))
}

/// The column `date` of the same table.
fn whole_day(beside: &Column, schema: &DFSchema) -> Option<Expr> {
    let day = Column::new(beside.relation.clone(), DATE_PARTITION);
    schema.has_column(&day).then_some(Expr::Column(day))
}

/// How a text is to be spelled, and whether it is to be compared with the whole day; `None` where it is
/// right as it is.
fn respelled_text(spelling: Spelling, text: &str) -> Option<(bool, String)> {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(digits) {
        return None;
    }
    let year = parts.first().is_some_and(|year| year.len() == 4);
    match (spelling, parts.as_slice()) {
        (Spelling::TwoDigits, [one]) if one.len() == 1 => Some((false, format!("0{one}"))),
        (Spelling::TwoDigits, [_, _, _]) if year => Some((true, parts.join("-"))),
        (Spelling::Day(between), [_, _] | [_, _, _]) if year => {
            let spelled = parts.join(&between.to_string());
            (spelled != text).then_some((false, spelled))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_respelled() {
        for (name, text, expected) in [
            ("date", "2023/07/06", Some((false, "2023-07-06"))),
            ("date", "2023-07-06", None),
            ("date_partition", "2023-07", Some((false, "2023/07"))),
            ("timestamp", "2023/07/06", None),
            ("month", "7", Some((false, "07"))),
            ("month", "07", None),
            ("day", "2023/07/06", Some((true, "2023-07-06"))),
            ("day", "##", None),
            ("date", "####", None),
        ] {
            let found = respelled_text(spelling(name).unwrap(), text);
            let expected = expected.map(|(day, text)| (day, text.to_owned()));
            assert_eq!(found, expected, "{name} {text}");
        }
        assert_eq!(spelling("region"), None);
    }
}
