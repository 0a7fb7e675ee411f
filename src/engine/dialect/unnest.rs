//! Joins with UNNEST: the arrays on the right are columns of the left side, row by row.
//!
//! As in Trino, several arrays go side by side and the shorter are filled with NULL, an array of rows
//! gives a column for each member, a map gives keys and values, and WITH ORDINALITY counts from 1. Where
//! the names after the alias are as many as the arrays, a row stays one value: `UNNEST(resources) AS
//! t(r)`.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{
    Column, DFSchema, NullHandling, Result, TableReference, UnnestOptions, plan_err,
};
use datafusion::functions::core::expr_fn::{coalesce, greatest};
use datafusion::functions::core::get_field;
use datafusion::functions_nested::expr_fn::{cardinality, map_keys, map_values, range};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, ident, lit,
};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Join, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableWithJoins,
    Value, ValueWithSpan,
};

/// What the arrays are called between the steps.
const MADE_UP: &str = "__array_";

#[derive(Debug)]
pub(super) struct Unnest;

impl RelationPlanner for Unnest {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        match relation {
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_ordinality,
                ..
            } => {
                let left = LogicalPlanBuilder::empty(true).build()?;
                let right = Arrays {
                    exprs: array_exprs,
                    alias,
                    with_ordinality,
                    keep_rows: false,
                };
                planned(right.join(left, context)?)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => plan_join(table_with_joins, context),
            other => Ok(RelationPlanning::Original(Box::new(other))),
        }
    }
}

fn planned(plan: LogicalPlan) -> Result<RelationPlanning> {
    let planned = PlannedRelation::new(plan, None);
    Ok(RelationPlanning::Planned(Box::new(planned)))
}

/// A join whose last right side is UNNEST; others are left to the planner.
fn plan_join(
    mut tables: Box<TableWithJoins>,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    let original = |table_with_joins| {
        let factor = TableFactor::NestedJoin {
            table_with_joins,
            alias: None,
        };
        Ok(RelationPlanning::Original(Box::new(factor)))
    };
    match tables.joins.pop() {
        Some(Join {
            relation:
                TableFactor::UNNEST {
                    alias,
                    array_exprs,
                    with_ordinality,
                    ..
                },
            join_operator,
            ..
        }) => {
            let keep_rows = keeps_rows(&join_operator)?;
            let left = if tables.joins.is_empty() {
                tables.relation
            } else {
                TableFactor::NestedJoin {
                    table_with_joins: tables,
                    alias: None,
                }
            };
            let left = context.plan(left)?;
            let right = Arrays {
                exprs: array_exprs,
                alias,
                with_ordinality,
                keep_rows,
            };
            planned(right.join(left, context)?)
        }
        Some(join) => {
            tables.joins.push(join);
            original(tables)
        }
        None => original(tables),
    }
}

/// Whether rows of the left side without elements stay.
///
/// # Errors
///
/// For joins that Trino does not have with UNNEST either.
fn keeps_rows(operator: &JoinOperator) -> Result<bool> {
    let (keeps, constraint) = match operator {
        JoinOperator::CrossJoin(constraint) => (false, constraint),
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (false, constraint),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (true, constraint),
        other => return plan_err!("UNNEST is joined by CROSS JOIN or LEFT JOIN, not by {other:?}"),
    };
    match constraint {
        JoinConstraint::None
        | JoinConstraint::On(SqlExpr::Value(ValueWithSpan {
            value: Value::Boolean(true),
            ..
        })) => Ok(keeps),
        _ => plan_err!("a join with UNNEST takes no condition but `ON TRUE`; put it into WHERE"),
    }
}

/// The right side of a join.
struct Arrays {
    exprs: Vec<SqlExpr>,
    alias: Option<TableAlias>,
    with_ordinality: bool,
    /// Whether rows without elements stay, with NULLs.
    keep_rows: bool,
}

/// A list that is unnested.
struct List {
    expr: Expr,
    /// The members of its elements, where these are rows.
    members: Vec<String>,
    /// Those that Athena's have not; they are columns only where so many are named.
    further: Vec<String>,
    /// Where it has a name by itself: the parts of a map.
    name: Option<&'static str>,
}

impl Arrays {
    fn join(
        self,
        left: LogicalPlan,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<LogicalPlan> {
        let mut lists = Vec::new();
        for expr in &self.exprs {
            let expr = context.sql_to_expr(expr.clone(), left.schema())?;
            add_lists(expr, left.schema(), &mut lists)?;
        }
        if self.with_ordinality {
            let positions = positions(&lists)?;
            lists.push(List {
                expr: positions,
                members: Vec::new(),
                further: Vec::new(),
                name: Some("ordinality"),
            });
        }
        let outputs = self.outputs(&mut lists, context)?;
        let passed = left.schema().columns();
        let mut exprs: Vec<Expr> = passed.iter().cloned().map(Expr::Column).collect();
        let mut made_up = Vec::new();
        for (at, list) in lists.into_iter().enumerate() {
            let name = format!("{MADE_UP}{at}");
            exprs.push(list.expr.alias(&name));
            made_up.push(Column::new_unqualified(name));
        }
        let options = UnnestOptions {
            null_handling: if self.keep_rows {
                NullHandling::PreserveAndExpandEmpty
            } else {
                NullHandling::Drop
            },
            recursions: Vec::new(),
        };
        let passed = passed.into_iter().map(Expr::Column);
        LogicalPlanBuilder::from(left)
            .project(exprs)?
            .unnest_columns_with_options(made_up, options)?
            .project(passed.chain(outputs))?
            .build()
    }

    /// The columns that the alias names, from the unnested lists.
    fn outputs(
        &self,
        lists: &mut [List],
        context: &dyn RelationPlannerContext,
    ) -> Result<Vec<Expr>> {
        let names: Vec<String> = self
            .alias
            .iter()
            .flat_map(|alias| &alias.columns)
            .map(|column| context.normalize_ident(column.name.clone()))
            .collect();
        let n_members: usize = lists.iter().map(|list| list.members.len().max(1)).sum();
        let whole = names.len() == lists.len();
        let n_further: usize = lists.iter().map(|list| list.further.len()).sum();
        let n_members = if names.len() == n_members + n_further {
            for list in lists.iter_mut() {
                list.members.append(&mut list.further);
            }
            names.len()
        } else {
            n_members
        };
        if !names.is_empty() && !whole && names.len() != n_members {
            let what = if n_members == lists.len() {
                format!("{n_members}")
            } else {
                format!("{n_members}, or {} for whole rows", lists.len())
            };
            return plan_err!("UNNEST gives {what} columns, but {} are named", names.len());
        }
        let table = self
            .alias
            .as_ref()
            .map(|alias| TableReference::bare(context.normalize_ident(alias.name.clone())));
        let mut columns = Vec::new();
        for (at, list) in lists.iter().enumerate() {
            let element = ident(format!("{MADE_UP}{at}"));
            if whole || list.members.is_empty() {
                let own = list.name.unwrap_or("element").to_owned();
                columns.push((element, own));
                continue;
            }
            for member in &list.members {
                let value = get_field().call(vec![element.clone(), lit(member.as_str())]);
                columns.push((value, member.clone()));
            }
        }
        let named = columns.into_iter().enumerate().map(|(at, (expr, own))| {
            let name = names.get(at).cloned().unwrap_or(own);
            expr.alias_qualified(table.clone(), name)
        });
        Ok(named.collect())
    }
}

/// The lists of one argument: itself, or the keys and the values of a map.
fn add_lists(expr: Expr, schema: &DFSchema, lists: &mut Vec<List>) -> Result<()> {
    match expr.get_type(schema)? {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let (members, further) = members_of(&item);
            lists.push(List {
                expr,
                members,
                further,
                name: None,
            });
        }
        DataType::Map(..) => {
            for (part, name) in [(map_keys(expr.clone()), "key"), (map_values(expr), "value")] {
                lists.push(List {
                    expr: part,
                    members: Vec::new(),
                    further: Vec::new(),
                    name: Some(name),
                });
            }
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            return plan_err!(
                "UNNEST takes arrays and maps, and this is text: CAST(json_parse(…) AS array(json))"
            );
        }
        other => return plan_err!("UNNEST takes arrays and maps, not {other}"),
    }
    Ok(())
}

/// The columns that an element makes, and those that it makes where they are named: elements of
/// `resources` have three members in Athena's table.
fn members_of(item: &Field) -> (Vec<String>, Vec<String>) {
    let DataType::Struct(fields) = item.data_type() else {
        return (Vec::new(), Vec::new());
    };
    let names = fields.iter().map(|field| field.name().clone());
    names.partition(|name| name != "arnprefix")
}

/// The numbers from 1 to the length of the longest list.
fn positions(lists: &[List]) -> Result<Expr> {
    let length = |list: &List| {
        let length = cast(cardinality(list.expr.clone()), DataType::Int64);
        coalesce(vec![length, lit(0_i64)])
    };
    let mut lengths: Vec<Expr> = lists.iter().map(length).collect();
    let longest = match (lengths.pop(), lengths.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            lengths.push(last);
            greatest(lengths)
        }
        (None, _) => return plan_err!("UNNEST takes at least one array"),
    };
    Ok(range(lit(1_i64), longest + lit(1_i64), lit(1_i64)))
}
