//! Quoted names: in Trino they fold to lower case like all names, and only the names of results keep the
//! case that they were given.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, Statement, TableAlias,
    TableFactor, Visit, VisitMut, Visitor, VisitorMut,
};

use crate::schema::EVENT_COLUMNS;

/// Folds what refers to something, and leaves what names a result.
pub(super) fn fold(statement: &mut Statement) {
    let mut results = Results::default();
    let _: ControlFlow<()> = Visit::visit(statement, &mut results);
    let _: ControlFlow<()> = VisitMut::visit(statement, &mut Fold { results });
}

/// The name as it is compared.
pub(super) fn folded(name: &Ident) -> String {
    name.value.to_lowercase()
}

/// Names of results with capitals, by their lower case.
#[derive(Default)]
struct Results {
    with_capitals: BTreeMap<String, String>,
}

impl Results {
    fn holds(&self, name: &str) -> bool {
        self.with_capitals
            .get(&name.to_lowercase())
            .is_some_and(|known| known == name)
    }
}

impl Visitor for Results {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item
                && alias.quote_style.is_some()
                && alias.value != folded(alias)
            {
                self.with_capitals
                    .insert(folded(alias), alias.value.clone());
            }
        }
        ControlFlow::Continue(())
    }
}

struct Fold {
    results: Results,
}

impl VisitorMut for Fold {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for common in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            fold_alias(&mut common.alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        for part in &mut name.0 {
            if let ObjectNamePart::Identifier(name) = part {
                fold_name(name);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::NestedJoin { alias, .. } = factor
            && let Some(alias) = alias
        {
            fold_alias(alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => self.fold_reference(name),
            Expr::CompoundIdentifier(parts) => {
                let last = parts.len().saturating_sub(1);
                for (at, part) in parts.iter_mut().enumerate() {
                    if at == last {
                        self.fold_reference(part);
                    } else {
                        fold_name(part);
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Fold {
    fn fold_reference(&self, name: &mut Ident) {
        if name.quote_style.is_some() && self.results.holds(&name.value) {
            return;
        }
        let lower = folded(name);
        if let Some(result) = self.results.with_capitals.get(&lower)
            && !is_column(&lower)
        {
            result.clone_into(&mut name.value);
            name.quote_style = Some('"');
            return;
        }
        fold_name(name);
    }
}

fn is_column(lower: &str) -> bool {
    let mut columns = EVENT_COLUMNS.iter();
    columns.any(|column| {
        column
            .path
            .first()
            .is_some_and(|top| top.eq_ignore_ascii_case(lower))
    })
}

/// Unquoted names are folded by the planner.
fn fold_name(name: &mut Ident) {
    if name.quote_style.is_some() {
        name.value = folded(name);
        name.quote_style = Some('"');
    }
}

fn fold_alias(alias: &mut TableAlias) {
    fold_name(&mut alias.name);
    for column in &mut alias.columns {
        fold_name(&mut column.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::parser::Parser;

    #[test]
    fn references_fold_and_results_stay() {
        for (sql, expected) in [
            (
                r#"SELECT "eventName" AS "Event Name", count(*) AS "Total" FROM "Cloud"."Trail" AS "T" WHERE "T"."eventName" = 'A' ORDER BY "Total", total"#,
                r#"SELECT "eventname" AS "Event Name", count(*) AS "Total" FROM "cloud"."trail" AS "t" WHERE "t"."eventname" = 'A' ORDER BY "Total", "Total""#,
            ),
            (
                r#"SELECT eventname AS "EventName" FROM t WHERE eventName = 'a'"#,
                r#"SELECT eventname AS "EventName" FROM t WHERE eventName = 'a'"#,
            ),
            (
                r#"WITH "X" ("A") AS (SELECT 1) SELECT "X"."A" FROM "x""#,
                r#"WITH "x" ("a") AS (SELECT 1) SELECT "x"."a" FROM "x""#,
            ),
        ] {
            let mut statement = Parser::parse_sql(&super::super::Athena, sql)
                .unwrap()
                .remove(0);
            fold(&mut statement);
            assert_eq!(statement.to_string(), expected);
        }
    }
}
