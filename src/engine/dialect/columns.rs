//! Names of columns: a member without a name of its own is called by its last part, as in Trino
//! (`useridentity.arn` is `arn`), no two columns of a result have one name, and columns that other
//! layouts of a table have are found under ours.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, ExceptSelectItem, Expr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr,
    Statement, Subscript, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};

use super::names::folded;
use super::outputs::unused;
use crate::schema::{EVENT_COLUMNS, SOURCE_FILE};

/// The tables that have the columns of Athena's.
const EVENT_TABLES: [&str; 3] = ["cloudtrail", "cloudtrail_logs", "activity"];

/// Columns of other layouts, and where their content is in ours. `$path` is Athena's name of the object
/// that a row came from; the others are partition columns that people define for CloudTrail's buckets.
const ELSEWHERE: [(&str, &str); 17] = [
    ("$path", SOURCE_FILE),
    ("accountid", "account"),
    ("account_id", "account"),
    ("aws_account_id", "account"),
    ("aws_account", "account"),
    ("p_account", "account"),
    ("aws_region", "region"),
    ("regionname", "region"),
    ("region_name", "region"),
    ("p_region", "region"),
    ("p_date", "date_partition"),
    ("dt", "date"),
    ("ds", "date"),
    ("event_date", "date"),
    ("eventdate", "date"),
    ("log_date", "date"),
    ("partition_date", "date"),
];

/// Columns of ours whose names statements give to columns of their own.
const OWN_COLUMNS: [&str; 11] = [
    "account",
    "region",
    "year",
    "month",
    "day",
    "timestamp",
    "date",
    "date_partition",
    "region_partition",
    "account_partition",
    "extra",
];

/// Names columns and finds those that are elsewhere.
pub(super) fn resolve(statement: &mut Statement) {
    let mut columns = Columns::default();
    let _: ControlFlow<()> = statement.visit(&mut columns);
}

#[derive(Default)]
struct Columns {
    /// Names that the statement gives to something, anywhere.
    given: BTreeSet<String>,
    /// The relations of each SELECT around the place, the innermost last.
    scopes: Vec<Scope>,
}

#[derive(Default)]
struct Scope {
    relations: BTreeSet<String>,
    holds_events: bool,
    /// The names that it gives to its columns.
    results: BTreeSet<String>,
}

impl VisitorMut for Columns {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for common in query.with.iter().flat_map(|with| &with.cte_tables) {
            let columns = common.alias.columns.iter();
            self.given
                .extend(columns.map(|column| folded(&column.name)));
        }
        ControlFlow::Continue(())
    }

    /// With DISTINCT, DataFusion sorts by columns of the result only: what is one of them is called by
    /// its name.
    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let SetExpr::Select(select) = query.body.as_ref() else {
            return ControlFlow::Continue(());
        };
        let order_by = query.order_by.as_mut().map(|by| &mut by.kind);
        let (Some(_), Some(OrderByKind::Expressions(exprs))) = (&select.distinct, order_by) else {
            return ControlFlow::Continue(());
        };
        for by in exprs {
            let written = by.expr.to_string().to_lowercase();
            let mut items = select.projection.iter();
            let name = items.find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias }
                    if expr.to_string().to_lowercase() == written =>
                {
                    Some(alias.clone())
                }
                _ => None,
            });
            if let Some(name) = name {
                by.expr = Expr::Identifier(name);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let mut scope = Scope::default();
        for from in &select.from {
            self.add_joined(from, &mut scope);
        }
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                scope.results.insert(folded(alias));
            }
        }
        self.scopes.push(scope);
        self.yield_names(select);
        self.name(select);
        // A name of this result means nothing in its own columns and conditions.
        self.find_elsewhere(&mut select.selection);
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                self.find_elsewhere(expr);
            }
        }
        let results = self.scopes.last().map(|scope| scope.results.clone());
        self.given.extend(results.into_iter().flatten());
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.replace(expr);
        ControlFlow::Continue(())
    }
}

/// Goes over a part of a SELECT, but not into its subqueries.
struct Elsewhere<'a> {
    columns: &'a Columns,
}

impl VisitorMut for Elsewhere<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.columns.replace(expr);
        ControlFlow::Continue(())
    }
}

impl Columns {
    fn add_joined(&mut self, from: &TableWithJoins, scope: &mut Scope) {
        self.add(&from.relation, scope);
        for join in &from.joins {
            self.add(&join.relation, scope);
        }
    }

    fn add(&mut self, factor: &TableFactor, scope: &mut Scope) {
        let (name, alias) = match factor {
            TableFactor::Table { name, alias, .. } => {
                (name.0.last().and_then(|part| part.as_ident()), alias)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                self.add_joined(table_with_joins, scope);
                (None, alias)
            }
            TableFactor::Derived { alias, .. } | TableFactor::UNNEST { alias, .. } => (None, alias),
            _ => return,
        };
        if let Some(name) = name {
            scope.holds_events |= EVENT_TABLES.contains(&folded(name).as_str());
        }
        let columns = alias.iter().flat_map(|alias| &alias.columns);
        self.given
            .extend(columns.map(|column| folded(&column.name)));
        let known_as = alias.as_ref().map(|alias| &alias.name).or(name);
        scope.relations.extend(known_as.map(folded));
    }

    /// Replaces the columns of other layouts in a part of the innermost SELECT.
    fn find_elsewhere(&self, part: &mut impl VisitMut) {
        let _: ControlFlow<()> = part.visit(&mut Elsewhere { columns: self });
    }

    fn replace(&self, expr: &mut Expr) {
        match expr {
            Expr::Identifier(name) => {
                if let Some(place) = self.elsewhere(name) {
                    *name = Ident::with_quote_and_span('"', name.span, place);
                }
            }
            Expr::CompoundIdentifier(parts) => {
                if self.is_outer_member(parts) {
                    *expr = outer_member(parts);
                } else if let [table, name] = parts.as_mut_slice()
                    && self.is_relation(table)
                    && let Some(place) = self.elsewhere(name)
                {
                    *name = Ident::with_quote_and_span('"', name.span, place);
                }
            }
            _ => {}
        }
    }

    fn is_relation(&self, name: &Ident) -> bool {
        let name = folded(name);
        self.scopes
            .iter()
            .any(|scope| scope.relations.contains(&name))
    }

    /// Whether it is a member of a column of a query around this one, which the planner takes in pieces
    /// only.
    fn is_outer_member(&self, parts: &[Ident]) -> bool {
        let ([table, _, _, ..], Some((inner, outer))) = (parts, self.scopes.split_last()) else {
            return false;
        };
        let name = folded(table);
        !inner.relations.contains(&name)
            && outer.iter().any(|scope| scope.relations.contains(&name))
    }

    /// Our column for one of another layout, where nothing in the statement has that name.
    fn elsewhere(&self, name: &Ident) -> Option<&'static str> {
        let lower = folded(name);
        let (_, place) = ELSEWHERE.iter().find(|(other, _)| *other == lower)?;
        let scope = self.scopes.last()?;
        (scope.holds_events && !self.given.contains(&lower)).then_some(*place)
    }

    /// Keeps columns that Athena's table need not have out of `*`, where the result has another column of
    /// that name.
    fn yield_names(&self, select: &mut Select) {
        let Some(scope) = self.scopes.last().filter(|scope| scope.holds_events) else {
            return;
        };
        let mut given = OWN_COLUMNS
            .iter()
            .filter(|name| scope.results.contains(**name))
            .map(|name| Ident::with_quote('"', *name));
        let Some(first_element) = given.next() else {
            return;
        };
        let except = ExceptSelectItem {
            first_element,
            additional_elements: given.collect(),
        };
        for item in &mut select.projection {
            if let SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) = item
            {
                options.opt_except.get_or_insert_with(|| except.clone());
            }
        }
    }

    /// Gives the members of a SELECT's result their names.
    fn name(&self, select: &mut Select) {
        let mut taken = BTreeSet::new();
        let wild = |item: &SelectItem| {
            matches!(
                item,
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
            )
        };
        if select.projection.iter().any(wild) {
            let tops = EVENT_COLUMNS
                .iter()
                .filter_map(|column| column.path.first());
            taken.extend(tops.map(|top| top.to_lowercase()));
        }
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => {
                    let name = unused(&alias.value, &mut taken);
                    if name != alias.value && alias.quote_style.is_some() {
                        alias.value = name;
                    }
                }
                SelectItem::UnnamedExpr(expr) => {
                    let Some((name, by_itself)) = self.name_of(expr) else {
                        continue;
                    };
                    let free = unused(&name, &mut taken);
                    if by_itself && free == name {
                        continue;
                    }
                    *item = SelectItem::ExprWithAlias {
                        expr: expr.clone(),
                        alias: Ident::with_quote('"', free),
                    };
                }
                _ => {}
            }
        }
    }

    /// The name of a column, and whether the planner gives it by itself.
    fn name_of(&self, expr: &Expr) -> Option<(String, bool)> {
        match expr {
            Expr::Identifier(name) => Some((folded(name), self.elsewhere(name).is_none())),
            Expr::CompoundIdentifier(parts) => {
                let (last, rest) = parts.split_last()?;
                let of_table = matches!(rest, [table] if self.is_relation(table))
                    && self.elsewhere(last).is_none();
                Some((folded(last), of_table))
            }
            Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last()? {
                AccessExpr::Dot(Expr::Identifier(name)) => Some((folded(name), false)),
                _ => Some((expr.to_string(), false)),
            },
            Expr::Nested(inner) => self.name_of(inner).map(|(name, _)| (name, false)),
            _ => None,
        }
    }
}

/// `a.b.c` of an outer `a` as `(a.b)['c']`.
fn outer_member(parts: &[Ident]) -> Expr {
    let (column, members) = parts.split_at(parts.len().min(2));
    let members = members.iter().map(|name| {
        let value = Value::SingleQuotedString(folded(name));
        AccessExpr::Subscript(Subscript::Index {
            index: Expr::value(value),
        })
    });
    Expr::CompoundFieldAccess {
        root: Box::new(Expr::CompoundIdentifier(column.to_vec())),
        access_chain: members.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::parser::Parser;

    #[test]
    fn members_are_called_by_their_last_part() {
        for (sql, expected) in [
            (
                "SELECT userIdentity.accountId, eventName FROM cloudtrail",
                "SELECT userIdentity.accountId AS \"accountid\", eventName FROM cloudtrail",
            ),
            (
                "SELECT c.useridentity.arn, useridentity.sessioncontext.sessionissuer.arn, c.arn FROM x c",
                "SELECT c.useridentity.arn AS \"arn\", \
                 useridentity.sessioncontext.sessionissuer.arn AS \"arn_2\", c.arn AS \"arn_3\" FROM x c",
            ),
            (
                "SELECT *, eventname FROM cloudtrail",
                "SELECT *, eventname AS \"eventname_2\" FROM cloudtrail",
            ),
            (
                "SELECT resources[1].arn FROM cloudtrail",
                "SELECT resources[1].arn AS \"arn\" FROM cloudtrail",
            ),
        ] {
            check(sql, expected);
        }
    }

    #[test]
    fn columns_of_other_layouts_are_found() {
        for (sql, expected) in [
            (
                "SELECT \"$path\", t.dt FROM cloudtrail t WHERE account_id = 'a'",
                "SELECT \"source_file\" AS \"$path\", t.\"date\" AS \"dt\" FROM cloudtrail t \
                 WHERE \"account\" = 'a'",
            ),
            (
                "SELECT eventtime AS dt FROM cloudtrail ORDER BY dt",
                "SELECT eventtime AS dt FROM cloudtrail ORDER BY dt",
            ),
            ("SELECT dt FROM mine", "SELECT dt FROM mine"),
            (
                "SELECT lower(dt) AS dt FROM cloudtrail WHERE dt > 'a'",
                "SELECT lower(\"date\") AS dt FROM cloudtrail WHERE \"date\" > 'a'",
            ),
            (
                "SELECT DISTINCT useridentity.arn FROM cloudtrail ORDER BY userIdentity.arn",
                "SELECT DISTINCT useridentity.arn AS \"arn\" FROM cloudtrail ORDER BY \"arn\"",
            ),
        ] {
            check(sql, expected);
        }
    }

    fn check(sql: &str, expected: &str) {
        let mut statement = Parser::parse_sql(&super::super::Athena, sql)
            .unwrap()
            .remove(0);
        resolve(&mut statement);
        assert_eq!(statement.to_string(), expected);
    }
}
