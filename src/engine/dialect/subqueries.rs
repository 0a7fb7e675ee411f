//! Subqueries that DataFusion does not plan: over the elements of an outer row's array, and with several
//! columns on the left of IN.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, LambdaFunction, LambdaFunctionParameter, LambdaSyntax,
    OneOrManyWithParens, Query, Select, SelectItem, SetExpr, Statement, TableFactor, UnaryOperator,
    Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::parser::Parser;

use super::Athena;
use super::names::folded;
use super::syntax::call;

/// `EXISTS (SELECT … FROM UNNEST(x) AS t (r) WHERE c)` as `any_match(x, r -> c)`.
pub(super) fn exists(subquery: &Query, negated: bool) -> Option<Expr> {
    let elements = Elements::of(subquery)?;
    let condition = elements.condition.clone()?;
    let matched = call(
        "any_match",
        vec![elements.array.clone(), elements.lambda(condition)],
    );
    // Nothing matches in an array that is not there.
    let matched = call(
        "coalesce",
        vec![matched, Expr::value(Value::Boolean(false))],
    );
    Some(if negated {
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(matched),
        }
    } else {
        matched
    })
}

/// `(SELECT count(*) FROM UNNEST(x) AS t (r) WHERE c)` as `cardinality(filter(x, r -> c))`.
pub(super) fn count(subquery: &Query) -> Option<Expr> {
    let elements = Elements::of(subquery)?;
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        elements.select.projection.as_slice()
    else {
        return None;
    };
    if !item.to_string().eq_ignore_ascii_case("count(*)") {
        return None;
    }
    let array = elements.array.clone();
    let chosen = match elements.condition.clone() {
        Some(condition) => call("filter", vec![array, elements.lambda(condition)]),
        None => array,
    };
    let n = call("cardinality", vec![chosen]);
    let zero = Expr::value(Value::Number("0".to_owned(), false));
    Some(call("coalesce", vec![n, zero]))
}

/// `(a, b) IN (SELECT c, d …)`: makes the columns of the subquery one row.
pub(super) fn join_columns(left: &Expr, subquery: &mut Query) {
    let Expr::Tuple(columns) = left else { return };
    let SetExpr::Select(select) = subquery.body.as_mut() else {
        return;
    };
    let mut exprs = Vec::new();
    for item in &select.projection {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            return;
        };
        exprs.push(expr.clone());
    }
    if exprs.len() > 1 && exprs.len() == columns.len() {
        select.projection = vec![SelectItem::ExprWithAlias {
            expr: Expr::Tuple(exprs),
            alias: Ident::new("columns"),
        }];
    }
}

/// `x = ANY (SELECT …)` as IN, `x <> ALL (SELECT …)` as NOT IN: these are joined by their values.
pub(super) fn as_list(expr: &Expr) -> Option<Expr> {
    let (left, right, negated) = match expr {
        Expr::AnyOp {
            left,
            compare_op: BinaryOperator::Eq,
            right,
            ..
        } => (left, right, false),
        Expr::AllOp {
            left,
            compare_op: BinaryOperator::NotEq,
            right,
        } => (left, right, true),
        _ => return None,
    };
    match right.as_ref() {
        Expr::Subquery(subquery) => Some(Expr::InSubquery {
            expr: left.clone(),
            subquery: subquery.clone(),
            negated,
        }),
        _ => None,
    }
}

/// The subquery of a comparison with ANY or ALL with a relation of its own around it: DataFusion puts the
/// left side into the subquery, where a column of the same name would be meant.
pub(super) fn enclose(right: &mut Expr) {
    let Expr::Subquery(subquery) = right else {
        return;
    };
    let text = "SELECT \"__value\" FROM (SELECT 1) AS \"__any\" (\"__value\")";
    if let Ok(statements) = Parser::parse_sql(&Athena, text)
        && let Some(Statement::Query(mut made)) = statements.into_iter().next()
        && let SetExpr::Select(select) = made.body.as_mut()
        && let Some(TableFactor::Derived {
            subquery: inner, ..
        }) = select.from.first_mut().map(|from| &mut from.relation)
    {
        std::mem::swap(inner, subquery);
        std::mem::swap(subquery, &mut made);
    }
}

/// Members of the only table of a subquery as plain columns: DataFusion joins a correlated scalar subquery
/// on plain columns only.
pub(super) fn flatten(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return;
    };
    let [from] = select.from.as_mut_slice() else {
        return;
    };
    let TableFactor::Table { name, alias, .. } = &from.relation else {
        return;
    };
    let Some(relation) = alias
        .as_ref()
        .map(|alias| alias.name.clone())
        .or_else(|| name.0.last()?.as_ident().cloned())
    else {
        return;
    };
    let mut members = Members {
        relation: folded(&relation),
        found: Vec::new(),
    };
    let _: ControlFlow<()> = VisitMut::visit(&mut select.selection, &mut members);
    if members.found.is_empty() {
        return;
    }
    let columns = members.found.iter().enumerate();
    let columns: Vec<String> = columns
        .map(|(at, member)| format!("{member} AS \"{MEMBER}{at}\""))
        .collect();
    let relation = Ident::with_quote('"', members.relation);
    let text = format!(
        "SELECT 1 FROM (SELECT *, {} FROM {}) AS {relation}",
        columns.join(", "),
        from.relation
    );
    // The text is printed from a tree, so that it parses.
    if let Ok(statements) = Parser::parse_sql(&Athena, &text)
        && let Some(Statement::Query(made)) = statements.into_iter().next()
        && let SetExpr::Select(made) = *made.body
        && let Some(made) = made.from.into_iter().next()
    {
        from.relation = made.relation;
    }
}

/// What the plain columns are called.
const MEMBER: &str = "__member_";

/// Replaces the members of one relation's columns by names, and keeps them.
struct Members {
    relation: String,
    found: Vec<String>,
}

impl VisitorMut for Members {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        const ROWS: [&str; 2] = ["useridentity", "tlsdetails"];
        let Expr::CompoundIdentifier(parts) = expr else {
            return ControlFlow::Continue(());
        };
        let own = match parts.as_slice() {
            [table, _, _, ..] => folded(table) == self.relation,
            [column, _] => ROWS.contains(&folded(column).as_str()),
            _ => false,
        };
        if own {
            let written = expr.to_string();
            let known = self.found.iter().position(|member| *member == written);
            let at = known.unwrap_or(self.found.len());
            if known.is_none() {
                self.found.push(written);
            }
            *expr = Expr::CompoundIdentifier(vec![
                Ident::with_quote('"', self.relation.clone()),
                Ident::with_quote('"', format!("{MEMBER}{at}")),
            ]);
        }
        ControlFlow::Continue(())
    }
}

/// A query over the elements of one array, and nothing else.
struct Elements<'a> {
    select: &'a Select,
    array: &'a Expr,
    /// What the array's relation and its elements are called.
    relation: String,
    element: Ident,
    condition: Option<Expr>,
}

impl<'a> Elements<'a> {
    fn of(query: &'a Query) -> Option<Self> {
        let plain = query.with.is_none() && query.order_by.is_none();
        let SetExpr::Select(select) = query.body.as_ref() else {
            return None;
        };
        let [from] = select.from.as_slice() else {
            return None;
        };
        let TableFactor::UNNEST {
            alias: Some(alias),
            array_exprs,
            with_ordinality: false,
            ..
        } = &from.relation
        else {
            return None;
        };
        let ([array], [column]) = (array_exprs.as_slice(), alias.columns.as_slice()) else {
            return None;
        };
        // An array that is made here is a table like any other.
        let is_outer = matches!(array, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        (plain && is_outer && from.joins.is_empty() && select.having.is_none()).then(|| Self {
            select,
            array,
            relation: folded(&alias.name),
            element: column.name.clone(),
            condition: select.selection.clone(),
        })
    }

    fn lambda(&self, mut condition: Expr) -> Expr {
        let _: ControlFlow<()> = VisitMut::visit(&mut condition, &mut Unqualified(&self.relation));
        Expr::Lambda(LambdaFunction {
            params: OneOrManyWithParens::One(LambdaFunctionParameter {
                name: self.element.clone(),
                data_type: None,
            }),
            body: Box::new(condition),
            syntax: LambdaSyntax::Arrow,
        })
    }
}

/// Takes the relation's name off: `t.r.arn` as `r.arn`.
struct Unqualified<'a>(&'a str);

impl VisitorMut for Unqualified<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && parts.first().map(folded).as_deref() == Some(self.0)
        {
            parts.remove(0);
            if let [only] = parts.as_slice() {
                *expr = Expr::Identifier(only.clone());
            }
        }
        ControlFlow::Continue(())
    }
}
