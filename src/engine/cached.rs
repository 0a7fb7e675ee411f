//! A table whose rows come from a query that runs once, when they are first read.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, internal_err};
use datafusion::datasource::{MemTable, TableType};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::sql::parser::DFParser;
use tokio::sync::OnceCell;

/// The query and, once asked for, its rows.
#[derive(Debug)]
pub(super) struct CachedQuery {
    schema: SchemaRef,
    sql: &'static str,
    session: OnceLock<Weak<SessionState>>,
    rows: OnceCell<MemTable>,
}

impl CachedQuery {
    /// `schema` is what readers are promised; the query's columns are cast to it by position.
    pub(super) fn new(schema: SchemaRef, sql: &'static str) -> Self {
        Self {
            schema,
            sql,
            session: OnceLock::new(),
            rows: OnceCell::new(),
        }
    }

    /// Names the session that runs the query.
    pub(super) fn bind(&self, session: &Weak<SessionState>) {
        let _ = self.session.set(Weak::clone(session));
    }

    async fn run(&self) -> Result<MemTable> {
        let Some(session) = self.session.get().and_then(Weak::upgrade) else {
            return internal_err!("a cached query is used outside of its session");
        };
        let mut statements = DFParser::parse_sql(self.sql)?;
        let Some(statement) = statements.pop_front() else {
            return internal_err!("a cached query is empty");
        };
        let plan = session.statement_to_plan(statement).await?;
        let plan = session.create_physical_plan(&plan).await?;
        let batches = collect(plan, session.task_ctx()).await?;
        let batches = batches.iter().map(|batch| self.conform(batch));
        MemTable::try_new(
            Arc::clone(&self.schema),
            vec![batches.collect::<Result<_>>()?],
        )
    }

    fn conform(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| Ok(cast(column, field.data_type())?));
        Ok(RecordBatch::try_new(
            Arc::clone(&self.schema),
            columns.collect::<Result<_>>()?,
        )?)
    }
}

#[async_trait]
impl TableProvider for CachedQuery {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.rows.get_or_try_init(|| self.run()).await?;
        rows.scan(state, projection, filters, limit).await
    }
}
