//! Other files for the same rows, in one commit: readers see the old ones or the new ones.

use std::collections::HashMap;

use deltalake::DeltaTable;
use deltalake::kernel::transaction::CommitBuilder;
use deltalake::kernel::{Action, Add};
use deltalake::protocol::DeltaOperation;
use serde::Deserialize;

use super::{DataFile, Lake, Pending};
use crate::error::{Cause, LakeError, Result};
use crate::schema::Table;

impl Lake {
    /// Shows the written files in place of `removed`, in one commit that says that no data changes.
    /// The removed files stay on disk for readers of earlier versions, until the next vacuum. Needs
    /// the lake's lock.
    ///
    /// # Errors
    ///
    /// [`LakeError::RowsDiffer`] where the new files have not as many rows as the old ones,
    /// [`LakeError::Table`] when the commit fails; then nothing of it is visible.
    pub async fn replace(
        &self,
        table: Table,
        removed: &[DataFile],
        pending: Vec<Pending>,
        target_bytes: u64,
    ) -> Result<()> {
        let delta = self.load(table).await?;
        let added: Vec<Add> = pending.into_iter().flat_map(Pending::into_files).collect();
        check_rows(table, removed, &added)?;
        let mut actions = removals(table, &delta, removed)?;
        actions.extend(added.into_iter().map(|add| {
            Action::Add(Add {
                data_change: false,
                ..add
            })
        }));
        let operation = DeltaOperation::Optimize {
            predicate: None,
            target_size: i64::try_from(target_bytes).unwrap_or(i64::MAX),
        };
        let state = delta
            .snapshot()
            .map_err(|error| failed("open", table, error.into()))?;
        CommitBuilder::from(self.commit_properties())
            .with_actions(actions)
            .build(Some(state), delta.log_store(), operation)
            .await
            .map_err(|error| failed("commit to", table, error.into()))?;
        Ok(())
    }
}

/// The removal of each file. All of them must still be there.
fn removals(table: Table, delta: &DeltaTable, removed: &[DataFile]) -> Result<Vec<Action>> {
    let state = delta
        .snapshot()
        .map_err(|error| failed("open", table, error.into()))?;
    let mut actions: HashMap<String, Action> = state
        .log_data()
        .iter()
        .map(|view| {
            let path = view.object_store_path().to_string();
            (path, Action::Remove(view.remove_action(false)))
        })
        .collect();
    let taken = removed.iter().map(|file| {
        let gone = || format!("`{}` is no longer a file of it", file.path);
        let action = actions.remove(&file.path);
        action.ok_or_else(|| failed("replace files of", table, gone().into()).into())
    });
    taken.collect()
}

/// Nothing may be lost on the way.
fn check_rows(table: Table, removed: &[DataFile], added: &[Add]) -> Result<()> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Statistics {
        num_records: u64,
    }
    let rows_of = |add: &Add| {
        let statistics: Option<Statistics> = serde_json::from_str(add.stats.as_deref()?).ok();
        statistics.map(|statistics| statistics.num_records)
    };
    let before: Option<u64> = removed.iter().map(|file| file.statistics.rows).sum();
    let after: Option<u64> = added.iter().map(rows_of).sum();
    if before.is_some() && before == after {
        return Ok(());
    }
    Err(LakeError::RowsDiffer {
        table: table.name(),
        before,
        after,
    }
    .into())
}

fn failed(action: &'static str, table: Table, source: Cause) -> LakeError {
    LakeError::Table {
        action,
        table: table.name(),
        source,
    }
}
