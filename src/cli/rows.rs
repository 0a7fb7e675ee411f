//! How a command's rows are written: the flags, and one way through.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use clap::Args;
use futures::StreamExt;

use super::Shared;
use super::output::Target;
use crate::engine::Rows;
use crate::error::{ReportError, Result};
use crate::report::rows::{Format, RowOptions, RowWriter};

/// How and where rows go.
#[derive(Debug, Args)]
pub(super) struct RowsOut {
    /// table, csv, tsv, json, ndjson, markdown, vertical or parquet [default: what the name of -o FILE ends in; table on a terminal; else ndjson]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    #[command(flatten)]
    pub(super) target: Target,
}

impl RowsOut {
    /// Whether one of its flags was given.
    pub(super) fn is_asked(&self) -> bool {
        self.format.is_some() || self.target.is_file()
    }

    pub(super) fn chosen_format(&self) -> Result<Format> {
        self.target.row_format(self.format)
    }

    pub(super) fn options(&self, shared: &Shared) -> RowOptions {
        RowOptions {
            color: shared.color(self.target.is_file()),
            width: self.target.width(),
            max_rows: None,
        }
    }

    /// Writes rows that are there.
    pub(super) fn write_batch(&self, batch: &RecordBatch, shared: &Shared) -> Result<()> {
        let format = self.chosen_format()?;
        let mut out = self.target.open()?;
        let mut writer = RowWriter::new(format, &batch.schema(), &mut out, self.options(shared))?;
        writer.write(batch)?;
        writer.finish()?;
        out.finish()
    }

    /// Writes the rows of a query.
    pub(super) async fn write_rows(&self, mut rows: Rows, shared: &Shared) -> Result<()> {
        let format = self.chosen_format()?;
        let mut out = self.target.open()?;
        let mut writer = RowWriter::new(format, &rows.schema, &mut out, self.options(shared))?;
        while let Some(batch) = rows.next().await {
            writer.write(&batch?)?;
        }
        writer.finish()?;
        out.finish()
    }
}

pub(super) fn unencoded(source: ArrowError) -> ReportError {
    ReportError::Encode {
        format: "rows",
        source: source.into(),
    }
}
