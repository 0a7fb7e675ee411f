//! From data to a session: tables first, then what follows from them, then the functions and views
//! that need to know it.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, cast::as_string_view_array};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::collect;
use datafusion::sql::parser::DFParser;

use super::catalog::{Catalog, Entry};
use super::functions::{self, FunctionContext};
use super::session::{self, Resources};
use super::table::LakeTable;
use super::{Engine, EngineOptions, knowledge, lineage, lists, message, tables};
use crate::error::{Error, Result};
use crate::lake::Snapshot;
use crate::schema::Table;

/// The column that says which account an event was recorded in.
const RECORDING_ACCOUNT: &str = "recipientaccountid";

/// A session that has tables only.
pub(super) struct Draft {
    state: SessionState,
    catalog: Arc<Catalog>,
    accounts: BTreeSet<String>,
    /// Accounts stand in files whose statistics do not name them.
    accounts_unread: bool,
}

impl Draft {
    pub(super) fn new(options: &EngineOptions) -> Result<Self> {
        let catalog = Arc::new(Catalog::default());
        let resources = Resources {
            memory_limit_bytes: options.memory_limit_bytes,
            target_partitions: options.target_partitions,
        };
        let state = session::build(resources, Arc::clone(&catalog) as _).map_err(unplanned)?;
        Ok(Self {
            state,
            catalog,
            accounts: BTreeSet::new(),
            accounts_unread: false,
        })
    }

    /// Adds a table of a lake.
    pub(super) fn add_snapshot(&mut self, snapshot: Snapshot) -> Result<()> {
        let table = snapshot.table;
        if table == Table::Events {
            self.read_accounts_of_files(&snapshot);
        }
        let provider = LakeTable::try_new(snapshot).map_err(unplanned)?;
        provider.register_store(&self.state);
        let entry = Entry::table(tables::what(table), Arc::new(provider));
        self.catalog.replace(table.name(), entry);
        Ok(())
    }

    /// Adds a table in memory.
    pub(super) fn add_batches(&mut self, table: Table, batches: &[RecordBatch]) -> Result<()> {
        if table == Table::Events {
            for batch in batches {
                if let Some(column) = batch.column_by_name(RECORDING_ACCOUNT) {
                    self.add_accounts(column).map_err(unplanned)?;
                }
            }
        }
        let provider = tables::in_memory(table, batches).map_err(unplanned)?;
        let entry = Entry::table(tables::what(table), Arc::new(provider));
        self.catalog.replace(table.name(), entry);
        Ok(())
    }

    /// Adds what follows from the tables and the lists.
    pub(super) async fn complete(mut self, options: &EngineOptions) -> Result<Engine> {
        let lists = &options.lists;
        if lists.own_accounts.is_empty() && self.accounts_unread {
            self.read_accounts_of_rows().await.map_err(unplanned)?;
        }
        let accounts: Vec<String> = self.accounts.into_iter().collect();
        for function in functions::all(&FunctionContext::new(lists, &accounts)) {
            self.state
                .register_udf(Arc::new(function))
                .map_err(unplanned)?;
        }
        for function in functions::higher_order_functions() {
            // The planner looks for a plain function of the name first.
            self.state
                .deregister_udf(function.name())
                .map_err(unplanned)?;
            self.state
                .register_higher_order_function(function)
                .map_err(unplanned)?;
        }
        for function in functions::aggregate_functions() {
            self.state
                .register_udaf(Arc::new(function))
                .map_err(unplanned)?;
        }
        lists::register(&self.catalog, lists, &accounts).map_err(unplanned)?;
        knowledge::register(&self.catalog).map_err(unplanned)?;
        tables::register_views(&self.catalog);
        let known = lineage::register(&self.catalog, &mut self.state);
        // Functions read settings from here; no query sets it, since none starts by the clock.
        let config = Arc::clone(self.state.config_options());
        self.state.execution_props_mut().config_options = Some(config);
        let state = Arc::new(self.state);
        self.catalog.bind(&state);
        known.bind(&state);
        let engine = Engine {
            state,
            catalog: self.catalog,
            aliases: RwLock::default(),
            now: options.now,
            known,
        };
        for (name, table) in &options.aliases {
            engine.alias(name, table)?;
        }
        Ok(engine)
    }

    /// Where the least and the greatest account of a file are one, the log has named them all.
    fn read_accounts_of_files(&mut self, snapshot: &Snapshot) {
        for file in &snapshot.files {
            let bound = |bounds: &serde_json::Map<String, serde_json::Value>| {
                let value = bounds.get(RECORDING_ACCOUNT)?;
                value.as_str().map(str::to_owned)
            };
            let least = bound(&file.statistics.min_values);
            match least {
                Some(account) if bound(&file.statistics.max_values).as_ref() == Some(&account) => {
                    self.accounts.insert(account);
                }
                _ => self.accounts_unread = true,
            }
        }
    }

    async fn read_accounts_of_rows(&mut self) -> Result<(), DataFusionError> {
        let sql = "SELECT DISTINCT recipientaccountid FROM events";
        for statement in DFParser::parse_sql(sql)? {
            let plan = self.state.statement_to_plan(statement).await?;
            let plan = self.state.create_physical_plan(&plan).await?;
            for batch in collect(plan, self.state.task_ctx()).await? {
                self.add_accounts(batch.column(0))?;
            }
        }
        Ok(())
    }

    fn add_accounts(&mut self, column: &dyn Array) -> Result<(), DataFusionError> {
        let column = cast(column, &DataType::Utf8View)?;
        for account in as_string_view_array(&column)?.iter().flatten() {
            if !self.accounts.contains(account) {
                self.accounts.insert(account.to_owned());
            }
        }
        Ok(())
    }
}

fn unplanned(error: DataFusionError) -> Error {
    message::of_planner(&error, &Catalog::default()).into()
}
