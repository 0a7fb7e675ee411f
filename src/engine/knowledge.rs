//! What is known of AWS, as tables: the same in every case.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, ListArray, ListBuilder, RecordBatch, StringBuilder, StringViewArray,
};
use datafusion::common::Result;
use datafusion::datasource::MemTable;

use super::catalog::{Catalog, Entry};
use crate::policy::escalation::EscalationPaths;

/// Registers every table of this sort.
pub(super) fn register(catalog: &Catalog) -> Result<()> {
    let what = "known paths from some rights to more: what each needs, and the events that show it";
    catalog.replace(
        "escalation_paths",
        Entry::table(what, Arc::new(escalation_paths()?)),
    );
    Ok(())
}

fn escalation_paths() -> Result<MemTable> {
    let paths = &EscalationPaths::built_in().paths;
    let ids = paths.iter().map(|path| path.id.as_str());
    let kinds = paths.iter().map(|path| path.kind.as_str());
    let columns: [(&str, ArrayRef); 4] = [
        ("id", Arc::new(StringViewArray::from_iter_values(ids))),
        ("kind", Arc::new(StringViewArray::from_iter_values(kinds))),
        (
            "permissions",
            Arc::new(lists(paths.iter().map(|path| &path.permissions))),
        ),
        (
            "events",
            Arc::new(lists(paths.iter().map(|path| &path.events))),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns)?;
    MemTable::try_new(batch.schema(), vec![vec![batch]])
}

fn lists<'a>(rows: impl Iterator<Item = &'a Vec<String>>) -> ListArray {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        builder.append_value(row.iter().map(Some));
    }
    builder.finish()
}
