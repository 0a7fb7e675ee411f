//! Names of results: an expression without a name is called as it was written, before anything about it
//! is changed.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, OrderBy, OrderByKind, Query, Select, SelectItem, SetExpr, Statement, Value,
    ValueWithSpan, Visit, Visitor,
};

use super::names::folded;
use super::types::WRITTEN_TYPE;
use crate::engine::functions::EVENT_JSON;

/// Longer texts are cut: they head columns.
const MAX_NAME_CHARACTERS: usize = 120;

/// Names the expressions of the outermost SELECT. Those of subqueries cannot be referred to without a
/// name of their own.
pub(super) fn name(statement: &mut Statement) {
    match statement {
        Statement::Query(query) => name_query(query),
        Statement::Explain { statement, .. } => name(statement),
        _ => {}
    }
}

fn name_query(query: &mut Query) {
    let mut body = query.body.as_mut();
    loop {
        match body {
            SetExpr::Select(select) => {
                name_select(select);
                return name_positions(&mut query.order_by, &select.projection);
            }
            SetExpr::Query(query) => return name_query(query),
            SetExpr::SetOperation { left, .. } => body = left.as_mut(),
            _ => return,
        }
    }
}

/// `ORDER BY 2` by the name of the second column: DataFusion takes a position for what stands there,
/// which cannot be computed again where it is a window over groups.
fn name_positions(order_by: &mut Option<OrderBy>, columns: &[SelectItem]) {
    let Some(OrderByKind::Expressions(exprs)) = order_by.as_mut().map(|by| &mut by.kind) else {
        return;
    };
    for by in exprs {
        let Expr::Value(ValueWithSpan {
            value: Value::Number(position, _),
            ..
        }) = &by.expr
        else {
            continue;
        };
        let Ok(position) = position.parse::<usize>() else {
            continue;
        };
        let before = columns.get(..position).unwrap_or_default();
        let plain = |item: &SelectItem| {
            matches!(
                item,
                SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }
            )
        };
        if before.iter().all(plain)
            && let Some(SelectItem::ExprWithAlias { alias, .. }) = before.last()
        {
            by.expr = Expr::Identifier(alias.clone());
        }
    }
}

fn name_select(select: &mut Select) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expr) = item else {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                taken.insert(folded(alias));
            }
            continue;
        };
        if is_named(expr) {
            continue;
        }
        let name = unused(&written(expr), &mut taken);
        *item = SelectItem::ExprWithAlias {
            expr: expr.clone(),
            alias: Ident::with_quote('"', name),
        };
    }
}

/// A name that no earlier column has: the second `arn` is `arn_2`.
pub(super) fn unused(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut unused = name.to_owned();
    let mut n = 1_usize;
    while !taken.insert(unused.to_lowercase()) {
        n += 1;
        unused = format!("{name}_{n}");
    }
    unused
}

/// Whether an expression has a name by itself, or gives more than one column.
fn is_named(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. } => {
            true
        }
        Expr::Nested(inner) => is_named(inner),
        other => matches!(other.visit(&mut Special), ControlFlow::Break(())),
    }
}

/// Finds calls that are named elsewhere, or that make columns of their own.
struct Special;

impl Visitor for Special {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && [EVENT_JSON, "unnest"]
                .iter()
                .any(|name| function.name.to_string().eq_ignore_ascii_case(name))
        {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Types without the name that they passed the parser under.
fn unwrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let wrapper = format!("{WRITTEN_TYPE}(");
    while let Some((before, inner)) = rest.split_once(&wrapper) {
        out.push_str(before);
        let mut depth = 1_usize;
        let end = inner.find(|character| {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let (wrapped, after) = inner.split_at(end.unwrap_or(inner.len()));
        out.push_str(wrapped);
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn written(expr: &Expr) -> String {
    let text = unwrapped(&match expr {
        Expr::Nested(inner) => inner.to_string(),
        other => other.to_string(),
    });
    match text.char_indices().nth(MAX_NAME_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_shown_as_they_were_written() {
        for (text, expected) in [
            ("count(*)", "count(*)"),
            (
                "CAST(a AS written_type(array(row(b varchar))))[1]",
                "CAST(a AS array(row(b varchar)))[1]",
            ),
            ("written_type(json", "json"),
        ] {
            assert_eq!(unwrapped(text), expected);
        }
    }

    #[test]
    fn names_are_used_once() {
        let mut taken = BTreeSet::new();
        let names = ["arn", "ARN", "arn", "other"].map(|name| unused(name, &mut taken));
        assert_eq!(names, ["arn", "ARN_2", "arn_3", "other"]);
    }
}
