//! The rows of a running query.

use std::pin::Pin;
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{Stream, StreamExt, TryStreamExt};

use super::message;
use crate::error::Result;

/// A stream of batches. Dropping it ends the query.
pub struct Rows {
    /// The columns of every batch.
    pub schema: SchemaRef,
    /// What the user should know of how the statement was read, a sentence each.
    pub notes: Vec<String>,
    stream: SendableRecordBatchStream,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl Rows {
    pub(super) fn new(stream: SendableRecordBatchStream) -> Self {
        Self {
            schema: stream.schema(),
            notes: Vec::new(),
            stream,
        }
    }

    /// Rows that are there already.
    pub(super) fn of_batch(batch: RecordBatch) -> Self {
        let schema = batch.schema();
        let batches = futures::stream::iter([Ok(batch)]);
        Self::new(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    /// Waits for all rows.
    ///
    /// # Errors
    ///
    /// The first failure while the query runs.
    pub async fn collect(self) -> Result<Vec<RecordBatch>> {
        self.try_collect().await
    }
}

impl Stream for Rows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream
            .poll_next_unpin(context)
            .map_err(|error| message::of_engine(&error).into())
    }
}
