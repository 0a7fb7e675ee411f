//! Partition columns of time. Tables over CloudTrail's buckets spell them differently (`2023/07/06`,
//! `2023-07-06`, a date; `7` or `07`), and statements compare them as their own table has it.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, lit};

use super::calls::Calls;
use super::meaning::is_text;
use crate::engine::functions::spelled_day;
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

/// Whether an expression is a partition column of time.
pub(super) fn is_partition(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(name) if spelling(&name.name).is_some())
}

/// Both sides of a comparison, where one is a partition column of time and the other may be spelled in
/// another way.
///
/// # Errors
///
/// None that is expected: a function that is not there.
pub(super) fn respelled(
    calls: &Calls,
    column: &Expr,
    other: &Expr,
    schema: &DFSchema,
) -> Result<Option<(Expr, Expr)>> {
    let Expr::Column(name) = column else {
        return Ok(None);
    };
    let Some(spelling) = spelling(&name.name) else {
        return Ok(None);
    };
    if let Some(text) = text_of(other) {
        return Ok(respelled_literal(spelling, name, text, schema));
    }
    let Ok(data_type) = other.get_type(schema) else {
        return Ok(None);
    };
    Ok(match (spelling, data_type) {
        (_, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) => {
            let day = cast(other.clone(), DataType::Date32);
            whole_day(name, schema).map(|column| (column, cast(day, DataType::Utf8View)))
        }
        (Spelling::Day(between), text) if is_text(&text) && !is_spelled(other) => {
            let between = lit(between.to_string());
            let day = calls.call("partition_day", vec![other.clone(), between])?;
            Some((column.clone(), day))
        }
        _ => None,
    })
}

/// Whether it is respelled already, or is a column itself.
fn is_spelled(other: &Expr) -> bool {
    match other {
        Expr::Column(_) | Expr::Cast(_) => true,
        Expr::ScalarFunction(call) => call.name() == "partition_day",
        _ => false,
    }
}

/// A pattern of LIKE in the spelling of a column of days.
pub(super) fn respelled_pattern(column: &Expr, pattern: &str) -> Option<String> {
    let Expr::Column(name) = column else {
        return None;
    };
    let Spelling::Day(between) = spelling(&name.name)? else {
        return None;
    };
    let plain = |character: char| character.is_ascii_digit() || "-/%_".contains(character);
    let respelled = pattern.replace(['-', '/'], &between.to_string());
    (pattern.chars().all(plain) && respelled != pattern).then_some(respelled)
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

/// A constant in the spelling of its column; a whole day beside a day of the month goes to the column of
/// whole days. `None` where it is right as it is.
fn respelled_literal(
    spelling: Spelling,
    name: &Column,
    text: &str,
    schema: &DFSchema,
) -> Option<(Expr, Expr)> {
    let literal = |text: String| lit(ScalarValue::Utf8View(Some(text)));
    match spelling {
        Spelling::Day(between) => {
            let spelled = spelled_day(text, &between.to_string())?;
            (spelled != text).then(|| (Expr::Column(name.clone()), literal(spelled)))
        }
        Spelling::TwoDigits
            if text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Some((Expr::Column(name.clone()), literal(format!("0{text}"))))
        }
        Spelling::TwoDigits => {
            let spelled = spelled_day(text, "-").filter(|day| day.len() == "2023-07-06".len())?;
            Some((whole_day(name, schema)?, literal(spelled)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_respelled() {
        let column = |name: &str| Expr::Column(Column::new_unqualified(name));
        for (name, pattern, expected) in [
            ("date", "2023/07/%", Some("2023-07-%")),
            ("date_partition", "2023-07%", Some("2023/07%")),
            ("timestamp", "2023/07/%", None),
            ("date", "%a/b%", None),
            ("region", "us-%", None),
        ] {
            let found = respelled_pattern(&column(name), pattern);
            assert_eq!(found.as_deref(), expected, "{name} {pattern}");
        }
    }
}
