//! What the planner says of a query without running it.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, Result as PlanResult};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};

use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::{Engine, Params, params, session};
use crate::error::{Error, QueryError, Result};
use crate::schema::Table;

/// A query that plans.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The columns of its answer.
    pub schema: SchemaRef,
    /// Times that it reads the events of a lake from the first to the last: no filter reaches the scan
    /// by which files, row groups or pages could be left out. Events in memory take no filters at all.
    pub n_full_scans: usize,
}

impl Engine {
    /// Plans one query as [`Engine::query`] does, and runs nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::query`], save for what only fails while a query runs.
    pub async fn examine(&self, sql: &str, params: &Params) -> Result<Examined> {
        let statements = self.parse(sql)?;
        let [statement] = statements.as_slice() else {
            let n = statements.len();
            return Err(QueryError::new(format!("expected one statement, found {n}")).into());
        };
        let examined = async {
            let mut plan = self.plan(statement).await?;
            if !params.is_empty() {
                plan = plan
                    .with_param_values(params::bind(params))
                    .map_err(|error| self.unplanned(&error))?;
            }
            let planned = session::physical_plan(&self.state, &plan).await;
            let schema = planned.map_err(|error| self.unplanned(&error))?.schema();
            let optimized = self.state.optimize(&plan);
            let n_full_scans = optimized
                .and_then(|plan| self.full_scans(&plan))
                .map_err(|error| self.unplanned(&error))?;
            Ok(Examined {
                schema,
                n_full_scans,
            })
        };
        examined.await.map_err(|error: Error| match error {
            Error::Query(error) => statement.place(error).into(),
            error => error,
        })
    }

    fn full_scans(&self, plan: &LogicalPlan) -> PlanResult<usize> {
        let mut n_full_scans = 0;
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node
                && scan.table_name.table() == Table::Events.name()
                && !self.can_prune(scan)?
            {
                n_full_scans += 1;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(n_full_scans)
    }

    /// Whether statistics of a file could say that none of its rows passes.
    fn can_prune(&self, scan: &TableScan) -> PlanResult<bool> {
        let filters = scan
            .filters
            .iter()
            .cloned()
            .flat_map(split_conjunction_owned);
        // That there is a value, or none, leaves next to nothing out.
        let filters =
            filters.filter(|filter| !matches!(filter, Expr::IsNull(_) | Expr::IsNotNull(_)));
        let Some(filter) = conjunction(filters) else {
            return Ok(false);
        };
        let filter = super::table::unqualified(filter)?;
        let schema = scan.source.schema();
        let columns = DFSchema::try_from(SchemaRef::clone(&schema))?;
        let predicate = self.state.create_physical_expr(filter, &columns)?;
        let pruning = PruningPredicateBuilder::new()
            .with_file_schema(schema)
            .build(predicate);
        Ok(pruning.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;
    use crate::lake::Lake;

    #[tokio::test]
    async fn scans_that_nothing_narrows_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(folder.path()).await.unwrap();
        let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
        for (sql, expected) in [
            ("SELECT eventid FROM events", 1),
            (
                "SELECT eventid FROM events WHERE eventname = 'AssumeRole'",
                0,
            ),
            (
                "SELECT eventid FROM activity WHERE eventname IN ('A', 'B') AND ok",
                0,
            ),
            (
                "SELECT eventid FROM activity WHERE useridentity.type = 'Root'",
                0,
            ),
            // Computed for every row.
            ("SELECT eventid FROM activity WHERE ok", 1),
            (
                "SELECT eventid FROM activity WHERE eventname IS NOT NULL",
                1,
            ),
            ("SELECT actor, count(*) FROM activity GROUP BY actor", 1),
            (
                "SELECT a.eventid FROM activity a JOIN activity b ON b.actor = a.actor \
                 WHERE a.eventname = 'AssumeRole'",
                1,
            ),
            (
                "SELECT eventid FROM activity WHERE eventname = 'A' \
                 AND actor IN (SELECT actor FROM activity WHERE eventname LIKE 'Get%')",
                0,
            ),
            (
                "SELECT eventid, n FROM activity \
                 LEFT JOIN (SELECT actor AS who, count(*) AS n FROM activity GROUP BY actor) \
                 ON who = actor WHERE eventname = 'A'",
                1,
            ),
            ("SELECT * FROM own_accounts", 0),
        ] {
            let examined = engine.examine(sql, &Params::new()).await.unwrap();
            assert_eq!(examined.n_full_scans, expected, "{sql}");
        }
    }

    #[tokio::test]
    async fn what_does_not_plan_is_placed() {
        let engine = Engine::over_batches(Vec::new(), EngineOptions::default());
        let engine = engine.await.unwrap();
        let sql = "SELECT\n  evntid FROM activity";
        let Err(Error::Query(error)) = engine.examine(sql, &Params::new()).await else {
            panic!("it plans");
        };
        assert!(error.message.starts_with("line 2, column 3: "), "{error}");
        assert!(error.hint.unwrap().contains("eventid"));
    }
}
