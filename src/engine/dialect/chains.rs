//! Long chains of comparisons as lists: `a = 'x' OR a = 'y' OR …`, one for each indicator, is planned for
//! its depth, `a IN ('x', 'y', …)` for its length.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

/// The list that one more link makes of a chain; what is within has been joined already. NULL gives what
/// it gave.
pub(super) fn joined(left: &mut Expr, op: &BinaryOperator, right: &Expr) -> Option<Expr> {
    let (negated, comparison) = match op {
        BinaryOperator::Or => (false, BinaryOperator::Eq),
        BinaryOperator::And => (true, BinaryOperator::NotEq),
        _ => return None,
    };
    let (column, value) = link(right, &comparison)?;
    match left {
        Expr::InList {
            expr,
            list,
            negated: is_negated,
        } if **expr == *column && *is_negated == negated => {
            let mut list = std::mem::take(list);
            list.push(value.clone());
            Some(Expr::InList {
                expr: expr.clone(),
                list,
                negated,
            })
        }
        other => {
            let (same, first) = link(other, &comparison)?;
            (same == column).then(|| Expr::InList {
                expr: Box::new(column.clone()),
                list: vec![first.clone(), value.clone()],
                negated,
            })
        }
    }
}

/// The column and the constant of a comparison.
fn link<'a>(expr: &'a Expr, comparison: &BinaryOperator) -> Option<(&'a Expr, &'a Expr)> {
    let Expr::BinaryOp { left, op, right } = expr else {
        return None;
    };
    let is_column = matches!(**left, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    let is_link = op == comparison && is_column && matches!(**right, Expr::Value(_));
    is_link.then_some((left.as_ref(), right.as_ref()))
}
