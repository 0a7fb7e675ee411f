//! The rejects of a run on their way into the lake: held in small numbers, written in between, and
//! shown with the run's other rows.

use std::sync::Arc;

use super::decode::Reject;
use super::known::{KnownRejects, read_rejects};
use super::ledger::{self, SourceReject};
use super::read::defect;
use super::run::IngestOptions;
use crate::error::Result;
use crate::lake::{Lake, TableWriter};
use crate::schema::Table;

/// Rejects are written when so many bytes of them wait.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// What a reject costs beside its bytes.
const REJECT_BYTES: usize = 256;

pub(super) struct Rejects {
    known: KnownRejects,
    writer: TableWriter,
    waiting: Vec<SourceReject>,
    n_bytes: usize,
}

impl Rejects {
    pub(super) async fn open(lake: &Lake) -> Result<Self> {
        Ok(Self {
            known: read_rejects(lake).await?,
            writer: lake.writer(Table::Rejects).await?,
            waiting: Vec::new(),
            n_bytes: 0,
        })
    }

    /// Takes a reject, unless the lake has it.
    pub(super) fn add(&mut self, uri: &Arc<str>, sha256: &str, reject: Reject) {
        if self.known.contains(uri, sha256, reject.record_index) {
            return;
        }
        self.n_bytes += REJECT_BYTES + reject.raw.len();
        self.waiting.push(SourceReject {
            uri: Arc::clone(uri),
            sha256: sha256.to_owned(),
            reject,
        });
    }

    /// Writes what waits, if it is much.
    pub(super) async fn make_room(&mut self, options: &IngestOptions) -> Result<()> {
        if self.n_bytes < MAX_WAITING_BYTES {
            return Ok(());
        }
        self.write(options).await
    }

    async fn write(&mut self, options: &IngestOptions) -> Result<()> {
        let batch = ledger::rejects(&self.waiting, options).map_err(defect)?;
        self.waiting.clear();
        self.n_bytes = 0;
        self.writer.write(batch).await
    }

    /// Makes the rejects visible.
    pub(super) async fn publish(mut self, lake: &Lake, options: &IngestOptions) -> Result<()> {
        self.write(options).await?;
        lake.commit(self.writer.finish().await?).await
    }
}
