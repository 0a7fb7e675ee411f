//! Members and operators, planned where their types are known: a member of JSON text is read from the
//! text, and comparisons are given the meaning that [`super::meaning`] tells.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, IntervalMonthDayNano};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, TableReference};
use datafusion::functions::core::get_field;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr,
};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, Operator, binary_expr, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::calls::Calls;
use super::meaning::{as_text, compared, is_text};
use crate::schema::{EVENT_COLUMNS, Kind};

#[derive(Debug)]
pub(super) struct Operators {
    pub calls: Arc<Calls>,
}

impl ExprPlanner for Operators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op == BinaryOperator::StringConcat {
            return joined(expr, schema);
        }
        if expr.op == BinaryOperator::Multiply
            && let Some(interval) =
                multiplied(&expr.left, &expr.right).or_else(|| multiplied(&expr.right, &expr.left))
        {
            return Ok(PlannerResult::Planned(interval));
        }
        if expr.op == BinaryOperator::Multiply {
            let types = (expr.left.get_type(schema), expr.right.get_type(schema));
            let sides = match types {
                (Ok(number), Ok(DataType::Interval(_))) if number.is_numeric() => {
                    Some(vec![expr.left.clone(), expr.right.clone()])
                }
                (Ok(DataType::Interval(_)), Ok(number)) if number.is_numeric() => {
                    Some(vec![expr.right.clone(), expr.left.clone()])
                }
                _ => None,
            };
            return Ok(match sides {
                Some(sides) => PlannerResult::Planned(self.calls.call("interval_times", sides)?),
                None => PlannerResult::Original(expr),
            });
        }
        let Some(op) = comparison(&expr.op) else {
            return Ok(PlannerResult::Original(expr));
        };
        match compared(&self.calls, &expr.left, op, &expr.right, schema)? {
            Some(planned) => Ok(PlannerResult::Planned(planned)),
            None => Ok(PlannerResult::Original(expr)),
        }
    }

    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        // What has no type is a mistake that the planner places.
        let Ok(data_type) = expr.expr.get_type(schema) else {
            return Ok(PlannerResult::Original(expr));
        };
        let planned = match &expr.field_access {
            GetFieldAccess::NamedStructField { name } => {
                let Some(name) = name.try_as_str().flatten() else {
                    return Ok(PlannerResult::Original(expr));
                };
                self.member(expr.expr.clone(), &data_type, name)?
            }
            GetFieldAccess::ListIndex { key } if matches!(data_type, DataType::Struct(_)) => {
                member_at(&expr.expr, key, &data_type)
            }
            GetFieldAccess::ListIndex { key } if matches!(data_type, DataType::Map(..)) => Some(
                self.calls
                    .call("element_at", vec![expr.expr.clone(), (**key).clone()])?,
            ),
            GetFieldAccess::ListIndex { key } if is_text(&data_type) => Some(
                self.calls
                    .call("json_member", vec![expr.expr.clone(), (**key).clone()])?,
            ),
            _ => None,
        };
        Ok(match planned {
            Some(planned) => PlannerResult::Planned(planned),
            None => PlannerResult::Original(expr),
        })
    }

    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let mut expr = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        let mut data_type = field.data_type().clone();
        if is_text(&data_type) && is_plain_text(field.name()) {
            return Ok(PlannerResult::Original(Vec::new()));
        }
        let mut within_row = false;
        for name in nested_names {
            // Texts within records are texts, not JSON.
            if within_row && is_text(&data_type) {
                return Ok(PlannerResult::Original(Vec::new()));
            }
            let Some(member) = self.member(expr, &data_type, name)? else {
                return Ok(PlannerResult::Original(Vec::new()));
            };
            within_row = matches!(data_type, DataType::Struct(_));
            data_type = match &data_type {
                DataType::Struct(fields) => {
                    let field = fields.iter().find(|field| field.name() == name);
                    field.map_or(DataType::Null, |field| field.data_type().clone())
                }
                DataType::Map(entries, _) => map_value(entries),
                _ => DataType::Utf8View,
            };
            expr = member;
        }
        Ok(PlannerResult::Planned(expr))
    }
}

impl Operators {
    /// A member of a struct, a map or a JSON text; `None` where the type has none.
    fn member(&self, expr: Expr, data_type: &DataType, name: &str) -> Result<Option<Expr>> {
        Ok(match data_type {
            DataType::Struct(fields) => {
                let lower = name.to_lowercase();
                let exact = fields.iter().any(|field| field.name() == name);
                let name = if exact { name } else { lower.as_str() };
                Some(get_field().call(vec![expr, lit(name)]))
            }
            DataType::Map(..) => Some(self.calls.call("element_at", vec![expr, lit(name)])?),
            text if is_text(text) => {
                let name = lit(ScalarValue::Utf8View(Some(name.to_owned())));
                Some(self.calls.call("json_member", vec![expr, name])?)
            }
            // The planner has said that the member before is missing.
            DataType::Null => Some(get_field().call(vec![expr, lit(name)])),
            _ => None,
        })
    }
}

/// A member of a row by its position, counted from 1.
fn member_at(row: &Expr, position: &Expr, data_type: &DataType) -> Option<Expr> {
    let DataType::Struct(fields) = data_type else {
        return None;
    };
    let Expr::Literal(position, _) = position else {
        return None;
    };
    let position: usize = position.to_string().parse().ok()?;
    let field = fields.get(position.checked_sub(1)?)?;
    Some(get_field().call(vec![row.clone(), lit(field.name().as_str())]))
}

/// Whether a column of events holds text that is no JSON.
fn is_plain_text(name: &str) -> bool {
    let mut columns = EVENT_COLUMNS.iter();
    columns.any(|column| column.name == name && matches!(column.kind, Kind::Text))
}

fn map_value(entries: &Field) -> DataType {
    match entries.data_type() {
        DataType::Struct(fields) => fields
            .get(1)
            .map_or(DataType::Null, |value| value.data_type().clone()),
        _ => DataType::Null,
    }
}

/// `a || b` of what is not text: as texts. Lists stay lists.
fn joined(expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
    let types = (expr.left.get_type(schema), expr.right.get_type(schema));
    let (Ok(left), Ok(right)) = types else {
        return Ok(PlannerResult::Original(expr));
    };
    let stays = |data_type: &DataType| data_type.is_nested() || data_type.is_binary();
    if stays(&left) || stays(&right) || (is_text(&left) && is_text(&right)) {
        return Ok(PlannerResult::Original(expr));
    }
    let text = |side: Expr, data_type: &DataType| match is_text(data_type) {
        true => side,
        false => as_text(side),
    };
    Ok(PlannerResult::Planned(binary_expr(
        text(expr.left, &left),
        Operator::StringConcat,
        text(expr.right, &right),
    )))
}

/// `3 * INTERVAL '1' HOUR`, where both are constants.
fn multiplied(number: &Expr, interval: &Expr) -> Option<Expr> {
    let (
        Expr::Literal(ScalarValue::Int64(Some(number)), _),
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _),
    ) = (number, interval)
    else {
        return None;
    };
    let times = i32::try_from(*number).ok()?;
    let product = IntervalMonthDayNano::new(
        interval.months.checked_mul(times)?,
        interval.days.checked_mul(times)?,
        interval.nanoseconds.checked_mul(*number)?,
    );
    Some(lit(ScalarValue::IntervalMonthDayNano(Some(product))))
}

fn comparison(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    })
}
