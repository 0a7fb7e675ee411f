//! A table of the lake at one snapshot, as DataFusion sees it: the files of the Delta log, read by
//! DataFusion's own Parquet source.
//!
//! Files are cut before any of them is opened: by the partition column exactly, by the log's
//! statistics where they prove that no row can match. Row groups, pages, bloom filters and rows are
//! left to the Parquet source, which gets the filters.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, BooleanArray, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, Statistics, internal_err};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, ParquetSource, parquet::CachedParquetFileReaderFactory,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::path::Path;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::{ExecutionPlan, empty::EmptyExec};

use super::statistics::{self, Containers};
use crate::lake::{DataFile, Snapshot};
use crate::schema::{DATE_PARTITION, Table};

/// A snapshot as a table.
pub(super) struct LakeTable {
    /// Where its store is registered.
    url: ObjectStoreUrl,
    snapshot: Snapshot,
    /// All columns, the partition column last.
    schema: SchemaRef,
    files: Vec<ScanFile>,
}

/// A file with what the planner knows of it.
struct ScanFile {
    file: PartitionedFile,
    date: Option<String>,
    /// Of every column of the table. Bounds are true bounds, but need not be values of the file.
    bounds: Arc<Statistics>,
}

impl std::fmt::Debug for LakeTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LakeTable")
            .field("table", &self.snapshot.table)
            .field("version", &self.snapshot.version)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

impl LakeTable {
    pub(super) fn try_new(snapshot: Snapshot) -> Result<Self> {
        let schema = reading_schema(snapshot.table);
        let url = ObjectStoreUrl::parse(format!("spoor-{}://lake", snapshot.table.name()))?;
        let partitioned = !snapshot.table.partition_columns().is_empty();
        let files = snapshot
            .files
            .iter()
            .map(|file| scan_file(file, &schema, partitioned))
            .collect::<Result<_>>()?;
        Ok(Self {
            url,
            snapshot,
            schema,
            files,
        })
    }

    /// Makes the files readable under this table's address.
    pub(super) fn register_store(&self, state: &dyn Session) {
        state
            .runtime_env()
            .register_object_store(self.url.as_ref(), Arc::clone(&self.snapshot.store));
    }

    fn partition_fields(&self) -> Vec<FieldRef> {
        let names = self.snapshot.table.partition_columns();
        let fields = self.schema.fields().iter();
        fields
            .filter(|field| names.contains(&field.name().as_str()))
            .cloned()
            .collect()
    }

    /// The files in which a row may match.
    fn prune(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&ScanFile>> {
        let (by_date, by_bounds): (Vec<Expr>, Vec<Expr>) =
            filters.iter().cloned().partition(decided_by_partition);
        let mut kept: Vec<&ScanFile> = self.files.iter().collect();
        if let Some(filter) = conjunction(by_date) {
            let keep = self.evaluate_on_dates(state, filter, &kept)?;
            kept = select(kept, keep.iter().map(|row| row == Some(true)));
        }
        if let Some(filter) = conjunction(by_bounds) {
            let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
            let predicate = state.create_physical_expr(filter, &schema)?;
            let pruning = PruningPredicateBuilder::new()
                .with_file_schema(Arc::clone(&self.schema))
                .build(predicate);
            if let Some(pruning) = pruning {
                let containers = Containers {
                    files: kept.iter().map(|file| file.bounds.as_ref()).collect(),
                    schema: &self.schema,
                };
                let keep = pruning.prune(&containers)?;
                kept = select(kept, keep.into_iter());
            }
        }
        Ok(kept)
    }

    /// Evaluates a filter over the partition column alone, for each file.
    fn evaluate_on_dates(
        &self,
        state: &dyn Session,
        filter: Expr,
        files: &[&ScanFile],
    ) -> Result<BooleanArray> {
        let fields = self.partition_fields();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let dates: StringViewArray = files.iter().map(|file| file.date.as_deref()).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(dates)])?;
        let filter =
            state.create_physical_expr(unqualified(filter)?, &DFSchema::try_from(schema)?)?;
        let keep = filter.evaluate(&batch)?.into_array(files.len())?;
        match keep.as_any().downcast_ref::<BooleanArray>() {
            Some(keep) => Ok(keep.clone()),
            None => internal_err!("a filter is not of type boolean"),
        }
    }
}

fn select(files: Vec<&ScanFile>, keep: impl Iterator<Item = bool>) -> Vec<&ScanFile> {
    let pairs = files.into_iter().zip(keep);
    pairs
        .filter_map(|(file, keep)| keep.then_some(file))
        .collect()
}

/// Columns in filters may carry the table's name, which the schema of the files does not.
pub(super) fn unqualified(filter: Expr) -> Result<Expr> {
    Ok(filter
        .transform(|expr| {
            Ok(match expr {
                Expr::Column(column) => {
                    Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
                }
                other => Transformed::no(other),
            })
        })?
        .data)
}

/// Whether a filter's outcome is one and the same for all rows of a file.
fn decided_by_partition(filter: &Expr) -> bool {
    let mut columns = 0;
    let mut decided = !filter.is_volatile();
    let walked = filter.apply(|expr| {
        match expr {
            Expr::Column(column) => {
                columns += 1;
                decided &= column.name == DATE_PARTITION;
            }
            Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
            | Expr::SetComparison(_)
            | Expr::OuterReferenceColumn(..)
            | Expr::Placeholder(_) => decided = false,
            _ => {}
        }
        Ok(if decided {
            TreeNodeRecursion::Continue
        } else {
            TreeNodeRecursion::Stop
        })
    });
    walked.is_ok() && decided && columns > 0
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let partitioned = !self.snapshot.table.partition_columns().is_empty();
        Ok(filters
            .iter()
            .map(|filter| {
                if partitioned && decided_by_partition(filter) {
                    TableProviderFilterPushDown::Exact
                } else {
                    // The physical optimizer pushes these into the Parquet source and then drops
                    // its own copy; here they only choose files.
                    TableProviderFilterPushDown::Inexact
                }
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let kept = self.prune(state, filters)?;
        if kept.is_empty() {
            let schema = datafusion::physical_plan::project_schema(&self.schema, projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let all_bounds = kept.iter().map(|file| file.bounds.as_ref());
        let statistics = statistics::summed(all_bounds, &self.schema)?;
        let files = kept.iter().map(|file| file.file.clone()).collect();
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());

        let n_stored = self.schema.fields().len() - self.partition_fields().len();
        let stored = self.schema.project(&(0..n_stored).collect::<Vec<_>>())?;
        let table_schema = TableSchema::builder(Arc::new(stored))
            .with_table_partition_cols(self.partition_fields())
            .build();
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let runtime = state.runtime_env();
        let reader = CachedParquetFileReaderFactory::new(
            runtime.object_store(&self.url)?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let mut source = ParquetSource::new(table_schema)
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(reader));
        if let Some(hint) = state.config_options().execution.parquet.metadata_size_hint {
            source = source.with_metadata_size_hint(hint);
        }
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// The schema that queries see: text as views, which the Parquet reader fills without copying.
pub(super) fn reading_schema(table: Table) -> SchemaRef {
    let fields: Vec<Field> = table
        .arrow_schema()
        .fields()
        .iter()
        .map(|field| {
            let data_type = match field.data_type() {
                DataType::Utf8 => DataType::Utf8View,
                DataType::Binary => DataType::BinaryView,
                other => other.clone(),
            };
            Field::new(field.name(), data_type, field.is_nullable())
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn scan_file(file: &DataFile, schema: &SchemaRef, partitioned: bool) -> Result<ScanFile> {
    let mut planned = PartitionedFile::new(String::new(), file.size_bytes);
    // The path is as the store knows it; building it from text would escape it again.
    planned.object_meta.location = Path::parse(&file.path)?;
    let bounds = Arc::new(statistics::of_file(file, schema));
    if partitioned {
        planned.partition_values = vec![ScalarValue::Utf8View(file.date.clone())];
    }
    planned.statistics = Some(Arc::clone(&bounds));
    Ok(ScanFile {
        file: planned,
        date: file.date.clone(),
        bounds,
    })
}
