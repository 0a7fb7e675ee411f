//! Lakes of other versions of spoor. Columns that an older lake lacks read as NULL, and are added to
//! its metadata before the first write. Columns that only a newer spoor knows keep us from writing:
//! rows without them would look as if there had been nothing to say.

use deltalake::DeltaTable;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::{StructField, StructType};

use crate::error::{Cause, LakeError, Result};
use crate::schema::Table;

/// How a table of a lake differs from what this version of spoor writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaDifference {
    /// Columns that the lake's table has not.
    pub missing: Vec<String>,
    /// Columns of the lake's table that are unknown here, or known with another type.
    pub unknown: Vec<String>,
}

/// The columns of a table as Delta declares them.
pub(super) fn declared(table: Table) -> Result<Vec<StructField>> {
    let schema: StructType = table
        .arrow_schema()
        .as_ref()
        .try_into_kernel()
        .map_err(|error: arrow::error::ArrowError| failed("declare", table, error.into()))?;
    Ok(schema.fields().cloned().collect())
}

/// Compares a table with what would be written to it.
pub(super) fn compare(table: Table, delta: &DeltaTable) -> Result<SchemaDifference> {
    let (missing, unknown) = differing(table, delta)?;
    let missing = missing.into_iter().map(|field| field.name().clone());
    Ok(SchemaDifference {
        missing: missing.collect(),
        unknown,
    })
}

/// Refuses a table of a newer spoor.
pub(super) fn check_known(table: Table, delta: &DeltaTable) -> Result<()> {
    let (_, unknown) = differing(table, delta)?;
    if unknown.is_empty() {
        return Ok(());
    }
    Err(LakeError::Newer {
        table: table.name(),
        columns: unknown,
    }
    .into())
}

/// Adds what the table lacks, in one commit. Needs the lake's lock.
pub(super) async fn complete(table: Table, delta: DeltaTable) -> Result<DeltaTable> {
    check_known(table, &delta)?;
    let (missing, _) = differing(table, &delta)?;
    if missing.is_empty() {
        return Ok(delta);
    }
    delta
        .add_columns()
        .with_fields(missing)
        .await
        .map_err(|error| failed("add columns to", table, error.into()).into())
}

fn differing(table: Table, delta: &DeltaTable) -> Result<(Vec<StructField>, Vec<String>)> {
    let state = delta
        .snapshot()
        .map_err(|error| failed("read", table, error.into()))?;
    let stored = state.schema();
    let declared = declared(table)?;
    let is_known = |field: &StructField| {
        let same = declared.iter().find(|own| own.name() == field.name());
        same.is_some_and(|own| own.data_type() == field.data_type())
    };
    let unknown = stored
        .fields()
        .filter(|field| !is_known(field))
        .map(|field| field.name().clone())
        .collect();
    let missing = declared
        .iter()
        .filter(|own| stored.field(own.name()).is_none())
        .cloned()
        .collect();
    Ok((missing, unknown))
}

fn failed(action: &'static str, table: Table, source: Cause) -> LakeError {
    LakeError::Table {
        action,
        table: table.name(),
        source,
    }
}
