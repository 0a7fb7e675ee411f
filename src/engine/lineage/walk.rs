//! `session_tree` and `session_path`: walks over the sessions, as tables.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::{MemTable, TableType};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use super::collect::{Columns, each, text};
use super::rows::{numbers, session_batch, session_fields};
use super::{Known, quoted};
use crate::lineage::{Lineage, SessionIndex};

/// Rows of one batch at most.
const BATCH_ROWS: usize = 65_536;

pub(super) fn register(state: &mut SessionState, known: &Arc<Known>) {
    for walk in [Walk::Tree, Walk::Path] {
        let function = WalkFunction {
            walk,
            known: Arc::clone(known),
        };
        state.register_udtf(walk.name(), Arc::new(function));
    }
}

/// Which way a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// From sessions down to everything that came from them.
    Tree,
    /// From the root down to a session.
    Path,
}

impl Walk {
    fn name(self) -> &'static str {
        match self {
            Self::Tree => "session_tree",
            Self::Path => "session_path",
        }
    }

    fn schema(self) -> SchemaRef {
        let own = match self {
            Self::Tree => ["depth_below", "place"],
            Self::Path => ["step", "place"],
        };
        let own = own.map(|name| Field::new(name, DataType::Int64, true));
        let fields = own.into_iter().chain(session_fields());
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Sessions with their distance from where the walk begins, in the order of the walk.
    fn steps(self, lineage: &Lineage, named: &[SessionIndex]) -> Vec<(SessionIndex, u64)> {
        match self {
            Self::Tree => {
                let steps = lineage.tree(named).into_iter();
                steps
                    .map(|step| (step.session, u64::from(step.depth)))
                    .collect()
            }
            Self::Path => {
                let paths = named.iter().map(|end| lineage.path(*end));
                paths.flat_map(|path| path.into_iter().zip(0..)).collect()
            }
        }
    }
}

#[derive(Debug)]
struct WalkFunction {
    walk: Walk,
    known: Arc<Known>,
}

impl TableFunctionImpl for WalkFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let name = self.walk.name();
        let of = match args.exprs() {
            [Expr::Literal(value, _)] => value.try_as_str().flatten(),
            _ => None,
        };
        let Some(of) = of else {
            return plan_err!(
                "`{name}` takes one text: a session's id, an access key, an ARN, a principal id or an event id"
            );
        };
        Ok(Arc::new(WalkTable {
            walk: self.walk,
            of: of.to_owned(),
            schema: self.walk.schema(),
            known: Arc::clone(&self.known),
        }))
    }
}

#[derive(Debug)]
struct WalkTable {
    walk: Walk,
    of: String,
    schema: SchemaRef,
    known: Arc<Known>,
}

impl WalkTable {
    async fn batches(&self) -> Result<Vec<RecordBatch>> {
        let lineage = self.known.lineage().await?;
        let mut named = lineage.find(&self.of);
        if named.is_empty() {
            named = self.of_events(&lineage).await?;
        }
        let steps = self.walk.steps(&lineage, &named);
        let places: Vec<u64> = (0..).take(steps.len()).collect();
        let parts = steps.chunks(BATCH_ROWS).zip(places.chunks(BATCH_ROWS));
        let batches = parts.map(|(steps, places)| {
            let part: Vec<SessionIndex> = steps.iter().map(|(session, _)| *session).collect();
            let own = vec![
                numbers(steps.iter().map(|(_, distance)| *distance)),
                numbers(places.iter().copied()),
            ];
            session_batch(&lineage, &part, &self.schema, Some(own))
        });
        batches.collect()
    }

    /// The sessions of an event, or of a key that is none of theirs alone, as the console's are.
    async fn of_events(&self, lineage: &Lineage) -> Result<Vec<SessionIndex>> {
        let of = quoted(&self.of);
        let sql = format!(
            "SELECT DISTINCT mark FROM callers WHERE mark IS NOT NULL \
             AND (eventid = {of} OR access_key_id = {of})"
        );
        let mut named = Vec::new();
        let session = self.known.session()?;
        each(&session, &sql, |batch| {
            let columns = Columns::of(batch)?;
            let marks = columns.texts(0)?;
            let marks = (0..batch.num_rows()).filter_map(|row| text(marks, row));
            named.extend(marks.filter_map(|mark| lineage.of_mark(mark)));
            Ok(())
        })
        .await?;
        named.sort_unstable();
        named.dedup();
        Ok(named)
    }
}

#[async_trait]
impl TableProvider for WalkTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = MemTable::try_new(Arc::clone(&self.schema), vec![self.batches().await?])?;
        rows.scan(state, projection, filters, limit).await
    }
}
