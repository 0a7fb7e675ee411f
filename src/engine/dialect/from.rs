//! FROM and FETCH: a join with UNNEST stands in parentheses with all that is before it, since its arrays are
//! columns of that.

use datafusion::sql::sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, LimitClause, Query, TableFactor, TableWithJoins,
    Value,
};

use crate::error::QueryError;

/// FROM, in which a join with UNNEST stands in parentheses with all that is before it: its arrays are
/// columns of that.
pub(super) fn joined(from: Vec<TableWithJoins>) -> Vec<TableWithJoins> {
    let mut items: Vec<TableWithJoins> = Vec::new();
    for item in from {
        if matches!(item.relation, TableFactor::UNNEST { .. }) && !items.is_empty() {
            let mut before = std::mem::take(&mut items).into_iter();
            if let Some(mut first) = before.next() {
                for next in before {
                    first.joins.push(cross_join(next.relation));
                    first.joins.extend(next.joins);
                }
                first.joins.push(cross_join(item.relation));
                first.joins.extend(item.joins);
                items.push(nested(first));
            }
        } else {
            items.push(nested(item));
        }
    }
    items
}

fn cross_join(relation: TableFactor) -> Join {
    Join {
        relation,
        global: false,
        join_operator: JoinOperator::CrossJoin(JoinConstraint::None),
    }
}

fn nested(item: TableWithJoins) -> TableWithJoins {
    let mut out = TableWithJoins {
        relation: item.relation,
        joins: Vec::new(),
    };
    for join in item.joins {
        let unnests = matches!(join.relation, TableFactor::UNNEST { .. });
        out.joins.push(join);
        if unnests {
            out = TableWithJoins {
                relation: TableFactor::NestedJoin {
                    table_with_joins: Box::new(out),
                    alias: None,
                },
                joins: Vec::new(),
            };
        }
    }
    out
}

/// `FETCH FIRST n ROWS ONLY` as `LIMIT n`.
///
/// # Errors
///
/// For `WITH TIES` and for percentages.
pub(super) fn limit_of_fetch(query: &mut Query) -> Result<(), QueryError> {
    let Some(fetch) = query.fetch.take() else {
        return Ok(());
    };
    if fetch.with_ties || fetch.percent {
        return Err(QueryError::new(format!("`{fetch}` is not there")).with_hint("use `LIMIT`"));
    }
    let one = || Expr::value(Value::Number("1".to_owned(), false));
    let n_rows = Some(fetch.quantity.unwrap_or_else(one));
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit, .. }) => *limit = n_rows,
        _ => {
            query.limit_clause = Some(LimitClause::LimitOffset {
                limit: n_rows,
                offset: None,
                limit_by: Vec::new(),
            });
        }
    }
    Ok(())
}
