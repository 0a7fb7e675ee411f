//! SQL over a lake: the session, its tables and views, and what may be asked of them.
//!
//! Every engine sees one snapshot: later commits to the lake do not change its answers. Statements
//! only read. Text becomes findings, tables or files elsewhere; here it becomes rows.

mod cached;
mod catalog;
mod cloudtrail_view;
mod compact;
mod dialect;
mod event_json;
mod examine;
pub mod functions;
mod guard;
mod knowledge;
mod lineage;
mod lists;
mod message;
mod now;
mod open;
mod params;
mod places;
mod reference;
mod rows;
mod session;
mod statement;
mod statistics;
mod table;
mod tables;
pub mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::MemTable;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;

pub use examine::Examined;
pub use lists::list_tables;
pub use now::Now;
pub use params::{Param, Params};
pub use reference::{FunctionInfo, FunctionReference};
pub use rows::Rows;
pub use statement::Statement;
pub use tables::{ColumnInfo, TableInfo};

use self::catalog::{Catalog, Entry};
use self::open::Draft;
use crate::config::Lists;
use crate::error::{Error, QueryError, Result};
use crate::lake::Lake;
use crate::lineage::{Lineage, SessionIndex};
use crate::schema::Table;

/// The stack that threads need which read, plan or run statements: trees of expressions are walked
/// recursively, and a list of indicators may be a chain of thousands of ORs. Only what is used is taken
/// from memory.
pub const STACK_BYTES: usize = 512 << 20;

/// What an engine may use, and what it knows of the case.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Bytes that sorts, joins and aggregates may hold before they spill to a temporary folder.
    /// `None`: 60 % of the machine's memory (or of the control group's limit).
    pub memory_limit_bytes: Option<usize>,
    /// Parts of a plan that run at once. `None`: one for each processor.
    pub target_partitions: Option<usize>,
    pub lists: Lists,
    /// Further names of tables: lower case, to one that the session has.
    pub aliases: BTreeMap<String, String>,
    pub now: Now,
}

/// The bounds of the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// RFC 3339, UTC; `None` where no event has a time.
    pub first_time: Option<String>,
    /// RFC 3339, UTC. This is "now" for everything that asks.
    pub last_time: Option<String>,
    pub n_events: u64,
}

/// A session over the tables of one lake, or over events in memory.
pub struct Engine {
    state: Arc<SessionState>,
    catalog: Arc<Catalog>,
    aliases: RwLock<BTreeMap<String, String>>,
    now: Now,
    known: Arc<lineage::Known>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("catalog", &self.catalog)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over the lake as it is now.
    ///
    /// # Errors
    ///
    /// Where the lake's tables cannot be read.
    pub async fn open(lake: &Lake, options: EngineOptions) -> Result<Self> {
        let mut draft = Draft::new(&options)?;
        for table in Table::ALL {
            draft.add_snapshot(lake.snapshot(table).await?)?;
        }
        draft.complete(&options).await
    }

    /// An engine over events in memory, with empty `sources` and `rejects`. Batches have the schema
    /// of [`Table::Events`].
    ///
    /// # Errors
    ///
    /// Where a batch has another schema.
    pub async fn over_batches(events: Vec<RecordBatch>, options: EngineOptions) -> Result<Self> {
        let mut draft = Draft::new(&options)?;
        draft.add_batches(Table::Events, &events)?;
        draft.add_batches(Table::Sources, &[])?;
        draft.add_batches(Table::Rejects, &[])?;
        draft.complete(&options).await
    }

    /// The statements of a text, split and placed by the parser. All are checked to read only.
    ///
    /// # Errors
    ///
    /// The first thing that does not parse or is refused, with its line and column.
    pub fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        Ok(statement::parse(sql, &self.table_names())?)
    }

    /// One SELECT with a condition of the user's joined to its WHERE. Errors in the condition are
    /// placed by its own lines and columns.
    ///
    /// # Errors
    ///
    /// Where the condition does not parse, or is more than one expression.
    pub fn parse_where(&self, select: &str, condition: &str) -> Result<Statement> {
        Ok(statement::parse_where(
            select,
            condition,
            &self.table_names(),
        )?)
    }

    /// Runs a statement.
    ///
    /// # Errors
    ///
    /// Where it cannot be planned; what fails later comes with the rows.
    pub async fn execute(&self, statement: &Statement) -> Result<Rows> {
        if statement.is_show_tables() {
            return Ok(Rows::of_batch(tables::listing(&self.catalog)));
        }
        if let Some(table) = statement.show_columns_of() {
            let described = self.parse(&format!("DESCRIBE {table}"))?;
            let [described] = described.as_slice() else {
                return Err(QueryError::new(format!("`{table}` is not a table")).into());
            };
            let plan = self.plan(described).await?;
            return self.run(&plan).await;
        }
        let mut rows = self.answer(statement, &Params::new()).await?;
        rows.notes.splice(..0, statement.notes.iter().cloned());
        Ok(rows)
    }

    /// Runs one query with values for its `$name`s.
    ///
    /// # Errors
    ///
    /// As [`Engine::parse`] and [`Engine::execute`]; also where the text is not exactly one statement
    /// or a `$name` has no value.
    pub async fn query(&self, sql: &str, params: &Params) -> Result<Rows> {
        let statements = self.parse(sql)?;
        let [statement] = statements.as_slice() else {
            let n = statements.len();
            return Err(QueryError::new(format!("expected one statement, found {n}")).into());
        };
        if params.is_empty() {
            return self.execute(statement).await;
        }
        self.answer(statement, params).await
    }

    /// Plans and starts a statement; errors are placed in its text.
    async fn answer(&self, statement: &Statement, params: &Params) -> Result<Rows> {
        let answer = async {
            let mut plan = self.plan(statement).await?;
            if !params.is_empty() {
                plan = plan
                    .with_param_values(params::bind(params))
                    .map_err(|error| self.unplanned(&error))?;
            }
            self.run(&plan).await
        };
        answer.await.map_err(|error| match error {
            Error::Query(error) => statement.place(error).into(),
            error => error,
        })
    }

    /// The bounds of the evidence, from the table `evidence`.
    ///
    /// # Errors
    ///
    /// Where the events cannot be read.
    pub async fn evidence(&self) -> Result<Evidence> {
        Ok(tables::read_evidence(&self.evidence_row().await?))
    }

    /// The sessions of the evidence, as in the table `sessions`. Found once for an engine.
    ///
    /// # Errors
    ///
    /// Where the events cannot be read.
    pub async fn lineage(&self) -> Result<Arc<Lineage>> {
        let lineage = self.known.lineage().await;
        lineage.map_err(|error| message::of_engine(&error).into())
    }

    /// The sessions that made events, by event id. An id that two accounts recorded may have two.
    ///
    /// # Errors
    ///
    /// Where the events cannot be read.
    pub async fn sessions_of_events(
        &self,
        ids: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, Vec<SessionIndex>>> {
        let sessions = self.known.of_events(ids).await;
        sessions.map_err(|error| message::of_engine(&error).into())
    }

    /// Runs a query once and keeps its rows as a table, in the place of one with the same name.
    ///
    /// # Errors
    ///
    /// As [`Engine::query`], and what fails while it runs.
    pub async fn materialize(&self, name: &str, sql: &str) -> Result<()> {
        let rows = self.query(sql, &Params::new()).await?;
        let schema = Arc::clone(&rows.schema);
        let batches = rows.collect().await?;
        let batches =
            compact::compact(&schema, &batches).map_err(|error| self.unplanned(&error))?;
        self.register_batches(name, schema, batches)
    }

    /// Gives a table a further name, as statements written elsewhere have it: `db.trail` or `trail`.
    ///
    /// # Errors
    ///
    /// Where there is no such table.
    pub fn alias(&self, name: &str, table: &str) -> Result<()> {
        let table = table.to_lowercase();
        if self.catalog.entry(&table).is_none() {
            return Err(message::no_table(&table, &self.catalog).into());
        }
        let mut aliases = self.aliases.write().unwrap_or_else(PoisonError::into_inner);
        aliases.insert(name.to_lowercase().replace(['"', '`'], ""), table);
        Ok(())
    }

    /// Makes rows a table, in the place of one with the same name.
    ///
    /// # Errors
    ///
    /// Where a batch has another schema.
    pub fn register_batches(
        &self,
        name: &str,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        let table =
            MemTable::try_new(schema, vec![batches]).map_err(|error| self.unplanned(&error))?;
        let entry = Entry::table("rows kept in memory", Arc::new(table));
        self.catalog.replace(name, entry);
        Ok(())
    }

    /// Every table and view with its columns, by name.
    pub fn tables(&self) -> Vec<TableInfo> {
        tables::describe(&self.catalog)
    }

    /// The names of all functions, sorted.
    pub fn function_names(&self) -> Vec<String> {
        let state = &self.state;
        let mut names: Vec<String> = state.scalar_functions().keys().cloned().collect();
        names.extend(state.aggregate_functions().keys().cloned());
        names.extend(state.window_functions().keys().cloned());
        names.extend(state.table_functions().keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    /// What tables may be called in a statement.
    fn table_names(&self) -> dialect::Tables {
        let aliases = self.aliases.read().unwrap_or_else(PoisonError::into_inner);
        dialect::Tables {
            known: self.catalog.names().into_iter().collect(),
            aliases: aliases.clone(),
        }
    }

    async fn plan(&self, statement: &Statement) -> Result<LogicalPlan> {
        let plan = self.state.statement_to_plan(statement.parsed.clone()).await;
        let plan = plan.map_err(|error| self.unplanned(&error))?;
        guard::check_plan(&plan).map_err(|error| self.unplanned(&error))?;
        Ok(plan)
    }

    async fn run(&self, plan: &LogicalPlan) -> Result<Rows> {
        if !now::is_asked(plan) {
            return self.run_in(&self.state, plan).await;
        }
        let time = match self.now {
            Now::EndOfEvidence => tables::last_time(&self.evidence_row().await?),
            Now::Real => Some(chrono::Utc::now().timestamp_micros()),
            Now::At(microseconds) => Some(microseconds),
        };
        let state = now::at(&self.state, time)?;
        let mut rows = self.run_in(&state, plan).await?;
        rows.notes.extend(self.now.note(time));
        Ok(rows)
    }

    async fn run_in(&self, state: &SessionState, plan: &LogicalPlan) -> Result<Rows> {
        let plan = session::physical_plan(state, plan).await;
        let plan = plan.map_err(|error| self.unplanned(&error))?;
        let stream = execute_stream(plan, state.task_ctx());
        Ok(Rows::new(
            stream.map_err(|error| message::of_engine(&error))?,
        ))
    }

    async fn evidence_row(&self) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for statement in self.parse(tables::EVIDENCE_QUERY)? {
            let plan = self.plan(&statement).await?;
            batches.extend(self.run_in(&self.state, &plan).await?.collect().await?);
        }
        Ok(batches)
    }

    fn unplanned(&self, error: &datafusion::common::DataFusionError) -> crate::error::Error {
        message::of_planner(error, &self.catalog).into()
    }
}
