//! `event_json()`, `event_json(c)` and the column names `eventjson`, `c.eventjson`: on the syntax
//! tree they become a call over the columns that make up a record.
//!
//! So they cost only where they are named: no table has such a column, `SELECT *` does not compute
//! it, and filters see what they saw before. Which columns there are is the planner's to find out: a
//! subquery that passes them all on can be asked as the table itself.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DFStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, Query, Select, SelectItem, TableFactor, TableWithJoins, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::functions::EVENT_JSON;
use crate::error::QueryError;
use crate::record::member_columns;

/// The column of CloudTrail Lake with the same content.
const LAKE_COLUMN: &str = "eventjson";

/// The tables that have all columns of a record, one row for each.
const EVENT_TABLES: [&str; 3] = ["cloudtrail", "cloudtrail_logs", "activity"];

/// Replaces every mention in a statement.
///
/// # Errors
///
/// Where a mention may mean more than one table, with its place.
pub(super) fn rewrite(statement: &mut DFStatement) -> Result<(), QueryError> {
    match statement {
        DFStatement::Statement(statement) => match statement.visit(&mut Mentions::default()) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        },
        DFStatement::Explain(explain) => rewrite(&mut explain.statement),
        DFStatement::CreateExternalTable(_) | DFStatement::CopyTo(_) | DFStatement::Reset(_) => {
            Ok(())
        }
    }
}

/// What a name in FROM stands for.
struct Relation {
    name: Ident,
    /// One of [`EVENT_TABLES`].
    holds_events: bool,
}

#[derive(Default)]
struct Mentions {
    /// Names that WITH has given to something else.
    common: BTreeSet<String>,
    /// The relations of each SELECT around the place, the innermost last.
    scopes: Vec<Vec<Relation>>,
}

impl VisitorMut for Mentions {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        for common in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.common.insert(folded(&common.alias.name));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        let mut relations = Vec::new();
        for from in &select.from {
            self.add_joined(from, &mut relations);
        }
        self.scopes.push(relations);
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = item else {
                continue;
            };
            // Without a name of its own, the column would be called by all its arguments.
            let name = match expr {
                Expr::Function(_) => EVENT_JSON,
                _ => LAKE_COLUMN,
            };
            if let Some(call) = self.call_for(expr)? {
                *item = SelectItem::ExprWithAlias {
                    expr: call,
                    alias: Ident::new(name),
                };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<QueryError> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        if let Some(call) = self.call_for(expr)? {
            *expr = call;
        }
        ControlFlow::Continue(())
    }
}

impl Mentions {
    fn add_joined(&self, from: &TableWithJoins, relations: &mut Vec<Relation>) {
        self.add(&from.relation, relations);
        for join in &from.joins {
            self.add(&join.relation, relations);
        }
    }

    fn add(&self, factor: &TableFactor, relations: &mut Vec<Relation>) {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                let Some(table) = name.0.last().and_then(|part| part.as_ident()) else {
                    return;
                };
                let folded = folded(table);
                relations.push(Relation {
                    name: alias.as_ref().map_or(table, |alias| &alias.name).clone(),
                    holds_events: EVENT_TABLES.contains(&folded.as_str())
                        && !self.common.contains(&folded),
                });
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => self.add_joined(table_with_joins, relations),
            TableFactor::Derived {
                alias: Some(alias), ..
            } => relations.push(Relation {
                name: alias.name.clone(),
                holds_events: false,
            }),
            _ => {}
        }
    }

    /// The call that an expression stands for, if it is a mention.
    fn call_for(&self, expr: &Expr) -> ControlFlow<QueryError, Option<Expr>> {
        ControlFlow::Continue(match expr {
            Expr::Function(function) => match asked_table(function) {
                Some(Asked::Named(table)) => Some(call(Some(table), table.span)),
                Some(Asked::Only(span)) => {
                    let scope = self.scopes.last().map(Vec::as_slice).unwrap_or_default();
                    Some(call(only_table(scope, span)?, span))
                }
                None => None,
            },
            Expr::Identifier(name) if folded(name) == LAKE_COLUMN => {
                let scopes = self.scopes.iter().rev();
                let mut scopes = scopes.filter(|scope| scope.iter().any(|one| one.holds_events));
                match scopes.next() {
                    Some(scope) => Some(call(only_table(scope, name.span)?, name.span)),
                    None => None,
                }
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., table, name] if folded(name) == LAKE_COLUMN && self.holds_events(table) => {
                    Some(call(Some(table), name.span))
                }
                _ => None,
            },
            _ => None,
        })
    }

    fn holds_events(&self, table: &Ident) -> bool {
        let mut relations = self.scopes.iter().rev().flatten();
        let named = relations.find(|relation| folded(&relation.name) == folded(table));
        named.is_some_and(|relation| relation.holds_events)
    }
}

/// Which table's record a call asks for.
enum Asked<'a> {
    Named(&'a Ident),
    Only(Span),
}

/// What `event_json()` or `event_json(c)` asks for; `None` for other calls.
fn asked_table(function: &Function) -> Option<Asked<'_>> {
    let [name] = function.name.0.as_slice() else {
        return None;
    };
    let name = name.as_ident()?;
    if folded(name) != EVENT_JSON {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    match list.args.as_slice() {
        [] => Some(Asked::Only(name.span)),
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(table)))] => {
            Some(Asked::Named(table))
        }
        _ => None,
    }
}

/// The one relation that holds events; none where the planner may find the columns by themselves.
fn only_table(scope: &[Relation], span: Span) -> ControlFlow<QueryError, Option<&Ident>> {
    let mut tables = scope.iter().filter(|relation| relation.holds_events);
    let first = tables.next();
    let Some(second) = tables.next() else {
        return ControlFlow::Continue(first.map(|relation| &relation.name));
    };
    let (line, column) = (span.start.line, span.start.column);
    let message = format!("line {line}, column {column}: the record of which table?");
    let hint = format!("name it: `{EVENT_JSON}({})`", second.name);
    ControlFlow::Break(QueryError::new(message).with_hint(hint))
}

/// The call over the columns of a table.
fn call(table: Option<&Ident>, span: Span) -> Expr {
    let column = |name: String| {
        let name = Ident::with_quote_and_span('"', span, name);
        let expr = match table {
            Some(table) => Expr::CompoundIdentifier(vec![table.clone(), name]),
            None => Expr::Identifier(name),
        };
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
    };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_span(span, EVENT_JSON)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: member_columns().into_iter().map(column).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// A name as the planner compares it.
fn folded(name: &Ident) -> String {
    match name.quote_style {
        None => name.value.to_lowercase(),
        Some(_) => name.value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::parser::DFParser;

    fn rewritten(sql: &str) -> Result<String, QueryError> {
        let mut statement = DFParser::parse_sql(sql).unwrap().pop_front().unwrap();
        rewrite(&mut statement)?;
        let text = statement.to_string();
        // The columns between the first and the last are of no interest here.
        let mut short = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("\"eventversion\", ") {
            let (columns, after) = after.split_once("\"extra\"").unwrap();
            assert!(columns.contains("\"useridentity\""));
            short = format!("{short}{before}…");
            rest = after;
        }
        Ok(format!("{short}{rest}"))
    }

    #[test]
    fn mentions_become_calls() {
        for (sql, expected) in [
            (
                "SELECT event_json() FROM cloudtrail",
                "SELECT event_json(cloudtrail.…) AS event_json FROM cloudtrail",
            ),
            (
                "SELECT EventJson FROM activity WHERE eventJson LIKE 'a'",
                "SELECT event_json(activity.…) AS eventjson FROM activity \
                 WHERE event_json(activity.…) LIKE 'a'",
            ),
            (
                "SELECT length(event_json(c)), c.eventjson AS j FROM cloudtrail c, own_accounts",
                "SELECT length(event_json(c.…)), event_json(c.…) AS j FROM cloudtrail c, own_accounts",
            ),
            (
                "WITH x AS (SELECT * FROM cloudtrail) SELECT event_json() FROM x",
                "WITH x AS (SELECT * FROM cloudtrail) SELECT event_json(…) AS event_json FROM x",
            ),
            (
                "SELECT eventjson FROM (SELECT eventjson FROM cloudtrail) AS c",
                "SELECT eventjson FROM (SELECT event_json(cloudtrail.…) AS eventjson \
                 FROM cloudtrail) AS c",
            ),
            (
                "SELECT 1 FROM cloudtrail c WHERE EXISTS (SELECT 1 FROM x WHERE x.j = c.eventjson)",
                "SELECT 1 FROM cloudtrail c WHERE EXISTS (SELECT 1 FROM x \
                 WHERE x.j = event_json(c.…))",
            ),
            (
                "EXPLAIN SELECT event_json() FROM cloudtrail",
                "EXPLAIN SELECT event_json(cloudtrail.…) AS event_json FROM cloudtrail",
            ),
        ] {
            assert_eq!(rewritten(sql).unwrap(), expected);
        }
    }

    #[test]
    fn other_names_stay() {
        for sql in [
            "SELECT eventjson FROM other",
            "SELECT 'eventjson', eventname AS eventjson FROM cloudtrail",
            "WITH cloudtrail AS (SELECT 1 AS eventjson) SELECT eventjson FROM cloudtrail",
            "SELECT t.eventjson FROM cloudtrail, other AS t",
            "SELECT event_json(1, 2) FROM cloudtrail",
        ] {
            assert_eq!(rewritten(sql).unwrap(), sql);
        }
    }

    #[test]
    fn of_two_tables_one_must_be_named() {
        let sql =
            "SELECT a.eventid,\n event_json() FROM cloudtrail a JOIN activity b USING (eventid)";
        let error = rewritten(sql).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2, column 2: the record of which table?"
        );
        assert_eq!(error.hint.unwrap(), "name it: `event_json(b)`");
    }
}
