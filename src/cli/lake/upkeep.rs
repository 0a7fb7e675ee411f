//! `spoor lake compact` and `spoor lake vacuum`.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};

use crate::cli::Shared;
use crate::cli::interrupt::unless_interrupted;
use crate::cli::rows::{RowsOut, unencoded};
use crate::error::Result;
use crate::lake::{Compacted, Lake, LakeLock, Removed};
use crate::schema::Table;
use crate::util::human_bytes;

/// Waits for the lake's lock and says so.
async fn lock(lake: &Lake, quiet: bool) -> Result<LakeLock> {
    lake.lock_patiently(|| {
        if !quiet {
            say!("another process writes to this lake; waiting for it");
        }
    })
    .await
}

/// Joins small files and tells what became of them.
pub(super) async fn compact(lake: Lake, out: &RowsOut, shared: &Shared) -> Result<()> {
    let quiet = shared.quiet;
    let done = unless_interrupted(async move {
        let _lock = lock(&lake, quiet).await?;
        let mut done = Vec::new();
        for table in Table::ALL {
            done.push(lake.compact(table).await?);
        }
        Ok(done)
    })
    .await?;
    let number = |of: &dyn Fn(&Compacted) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(done.iter().map(of)))
    };
    let names = done.iter().map(|done| done.table.name());
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(names));
    let batch = RecordBatch::try_from_iter([
        ("table", names),
        ("days", number(&|done| done.days)),
        ("files_before", number(&|done| done.files_before)),
        ("files_after", number(&|done| done.files_after)),
        ("rows", number(&|done| done.rows)),
        ("bytes_before", number(&|done| done.bytes_before)),
        ("bytes_after", number(&|done| done.bytes_after)),
    ]);
    out.write_batch(&batch.map_err(unencoded)?, shared)
}

/// Removes files out of use and lists them.
pub(super) async fn vacuum(
    lake: Lake,
    retention: Duration,
    dry_run: bool,
    out: &RowsOut,
    shared: &Shared,
) -> Result<()> {
    let quiet = shared.quiet;
    let removed = unless_interrupted(async move {
        let _lock = lock(&lake, quiet).await?;
        let mut removed = Vec::new();
        for table in Table::ALL {
            removed.extend(lake.vacuum(table, retention, dry_run).await?);
        }
        Ok(removed)
    })
    .await?;
    let text = |of: &dyn Fn(&Removed) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(removed.iter().map(of)))
    };
    let sizes = removed.iter().map(|removed| removed.size_bytes);
    let batch = RecordBatch::try_from_iter([
        ("table", text(&|removed| removed.table.name().to_owned())),
        ("path", text(&|removed| removed.path.clone())),
        (
            "size_bytes",
            Arc::new(UInt64Array::from_iter_values(sizes.clone())) as ArrayRef,
        ),
    ]);
    out.write_batch(&batch.map_err(unencoded)?, shared)?;
    if !shared.quiet {
        let verb = if dry_run {
            "would be removed"
        } else {
            "removed"
        };
        say!(
            "{} files {verb}, {}",
            removed.len(),
            human_bytes(sizes.sum())
        );
    }
    Ok(())
}
