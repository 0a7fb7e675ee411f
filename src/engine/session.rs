//! The one place where a DataFusion session is made, so that every query runs under the same rules:
//! filters decide inside the Parquet reader, memory is bounded, what does not fit is spilled to a
//! temporary folder that goes with the session, and no SQL reaches the file system.

use std::collections::HashMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, SchemaProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::execution::{SessionStateDefaults, runtime_env::RuntimeEnv};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::object_store::ObjectStore;
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use url::Url;

use super::dialect;

/// The catalog and schema that unqualified table names live in.
pub(super) const CATALOG: &str = "spoor";
pub(super) const SCHEMA: &str = "default";

/// The share of the machine's memory that operators (sorts, joins, aggregates) may hold together
/// before they spill. Decoded batches in flight, Parquet footers and results are not counted by the
/// pool and need the rest.
const MEMORY_FRACTION: f64 = 0.6;

/// The pool's size where the machine does not tell how much memory it has.
const UNKNOWN_MEMORY_BYTES: usize = 4 << 30;

/// Below this, even small sorts fail instead of spilling.
const LEAST_MEMORY_BYTES: usize = 64 << 20;

/// Below this, a query runs in one partition.
const TIGHT_MEMORY_BYTES: usize = 512 << 20;

/// A merge of spilled runs holds a batch of each run. Whole events take some 2 KiB a row, so this
/// gives about thirty runs their place.
const BYTES_PER_BATCH_ROW: usize = 64 << 10;

/// The bounds of a batch's rows; the upper one is DataFusion's own size.
const LEAST_BATCH_ROWS: usize = 256;
const MOST_BATCH_ROWS: usize = 8_192;

/// Parquet footers kept between queries. One of 70 columns with its page index takes some 100 KiB.
const METADATA_CACHE_BYTES: usize = 256 << 20;

/// What a session may use.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Resources {
    /// Bytes that operators may hold; `None`: a share of the machine's memory.
    pub memory_limit_bytes: Option<usize>,
    /// Concurrent partitions of a plan; `None`: one for each processor.
    pub target_partitions: Option<usize>,
}

/// Makes a session whose tables are those of `schema` and nothing else.
pub(super) fn build(resources: Resources, schema: Arc<dyn SchemaProvider>) -> Result<SessionState> {
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, schema)?;
    let table_functions = SessionStateDefaults::default_table_functions()
        .into_iter()
        .map(|function| (function.name().to_owned(), function))
        .collect();
    let calls = Arc::new(dialect::Calls::new());
    // No file formats and no table factories: they serve COPY and CREATE EXTERNAL TABLE only.
    let mut state = SessionStateBuilder::new()
        .with_config(config(resources))
        .with_runtime_env(runtime(resources)?)
        .with_expr_planners(expr_planners(&calls))
        .with_relation_planners(vec![dialect::relation_planner()])
        .with_type_planner(dialect::type_planner())
        .with_analyzer_rules(analyzer_rules(&calls))
        .with_scalar_functions(SessionStateDefaults::default_scalar_functions())
        .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
        .with_aggregate_functions(SessionStateDefaults::default_aggregate_functions())
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_table_functions(table_functions)
        .build();
    datafusion_functions_json::register_all(&mut state)?;
    state
        .catalog_list()
        .register_catalog(CATALOG.to_owned(), Arc::new(catalog));
    Ok(state)
}

/// Ours first: what they leave is planned as ever.
fn expr_planners(calls: &Arc<dialect::Calls>) -> Vec<Arc<dyn ExprPlanner>> {
    let mut planners = vec![dialect::expr_planner(calls)];
    planners.extend(SessionStateDefaults::default_expr_planners());
    planners
}

/// Ours first: it needs the types as they are, before they are made to agree.
fn analyzer_rules(calls: &Arc<dialect::Calls>) -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules = vec![dialect::analyzer_rule(calls)];
    rules.extend(Analyzer::new().rules);
    rules
}

/// The plan that runs.
///
/// Accesses of members and of JSON move down to the scan, so that it reads only the columns they
/// need. DataFusion 55.2 fails at that where a projection gives one common expression two names
/// ("duplicate unqualified field name `__common_expr_1`"), and where a correlated subquery asks for
/// members of two tables; then the plan is made without it.
pub(super) async fn physical_plan(
    state: &SessionState,
    plan: &LogicalPlan,
) -> Result<Arc<dyn ExecutionPlan>> {
    let error = match state.create_physical_plan(plan).await {
        Ok(plan) => return Ok(plan),
        Err(error) => error,
    };
    let mut state = state.clone();
    let optimizer = &mut state.config_mut().options_mut().optimizer;
    optimizer.enable_leaf_expression_pushdown = false;
    // Where it fails again, the first error is the one that the statement is about.
    let plan = state.create_physical_plan(plan).await;
    plan.map_err(|_| error)
}

fn config(resources: Resources) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    if let Some(partitions) = resources.target_partitions {
        config = config.with_target_partitions(partitions.max(1));
    }
    let limit = memory_limit_bytes(resources);
    if limit < TIGHT_MEMORY_BYTES {
        // Each partition sorts and merges on its own: one at a time leaves it more.
        config = config.with_target_partitions(1);
    }
    config = config
        .with_batch_size((limit / BYTES_PER_BATCH_ROW).clamp(LEAST_BATCH_ROWS, MOST_BATCH_ROWS));
    let options = config.options_mut();
    // As in Trino: whichever the direction.
    options.execution.time_zone = Some("UTC".to_owned());
    "nulls_last".clone_into(&mut options.sql_parser.default_null_ordering);
    options.execution.sort_spill_reservation_bytes = (limit / 8).min(10 << 20);
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.parquet.enable_page_index = true;
    options.execution.parquet.bloom_filter_on_read = true;
    options.execution.parquet.pruning = true;
    // Errors then know line and column.
    options.sql_parser.collect_spans = true;
    config
}

fn memory_limit_bytes(resources: Resources) -> usize {
    resources
        .memory_limit_bytes
        .unwrap_or_else(default_memory_limit_bytes)
        .max(LEAST_MEMORY_BYTES)
}

fn runtime(resources: Resources) -> Result<Arc<RuntimeEnv>> {
    let limit = memory_limit_bytes(resources);
    // Naming the largest consumers makes "out of memory" an answer one can act on.
    let largest = NonZeroUsize::new(3).unwrap_or(NonZeroUsize::MIN);
    let pool = TrackConsumersPool::new(FairSpillPool::new(limit), largest);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(
            // Made at the first spill, removed with the session.
            DiskManagerBuilder::default().with_mode(DiskManagerMode::OsTmpDirectory),
        )
        .with_metadata_cache_limit(METADATA_CACHE_BYTES)
        .with_object_store_registry(Arc::new(LakeStores::default()))
        .build_arc()
}

/// [`MEMORY_FRACTION`] of what this process may use: the control group's limit where there is one,
/// else the machine's memory (Linux; elsewhere a fixed size).
fn default_memory_limit_bytes() -> usize {
    let read = |path: &str| fs::read_to_string(Path::new(path)).ok();
    let machine = read("/proc/meminfo").and_then(|text| mem_total_bytes(&text));
    let group = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    match (machine, group) {
        (Some(machine), group) => {
            let usable = group.map_or(machine, |group: usize| group.min(machine));
            (usable as f64 * MEMORY_FRACTION) as usize
        }
        (None, _) => UNKNOWN_MEMORY_BYTES,
    }
}

/// The line `MemTotal:  24596484 kB` of `/proc/meminfo`.
fn mem_total_bytes(meminfo: &str) -> Option<usize> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Only the stores of the lake's tables: there is none for `file://`, so that no statement can read
/// another file, whatever a later DataFusion may offer.
#[derive(Debug, Default)]
struct LakeStores(Mutex<HashMap<String, Arc<dyn ObjectStore>>>);

impl ObjectStoreRegistry for LakeStores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stores.insert(key(url), store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stores.get(&key(url)).cloned().ok_or_else(|| {
            DataFusionError::Plan(format!("`{url}` is outside of the lake and cannot be read"))
        })
    }
}

fn key(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.authority())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_memory_is_read() {
        let text = "MemFree: 1 kB\nMemTotal:       24596484 kB\nBuffers: 7 kB\n";
        assert_eq!(mem_total_bytes(text), Some(24_596_484 * 1024));
        for text in ["", "MemTotal: much", "MemTotal: 5 MB"] {
            assert_eq!(mem_total_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn files_have_no_store() {
        let runtime = runtime(Resources::default()).unwrap();
        for url in ["file:///etc/passwd", "s3://bucket/key"] {
            let url = Url::parse(url).unwrap();
            assert!(
                runtime.object_store_registry.get_store(&url).is_err(),
                "{url}"
            );
        }
    }
}
