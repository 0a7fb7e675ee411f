//! What the lake says: its rows as records again, and its line for each source.

use std::collections::BTreeMap;
use std::fs::File;

use anyhow::{Context as _, Result};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use spoor::lake::Lake;
use spoor::record::Records;
use spoor::schema::{EVENT_COLUMNS, Kind, Table};

use super::json::{self, Json};

/// A row of `events`.
pub struct Stored {
    pub source: String,
    pub position: u64,
    pub conflicting: bool,
    /// The record that the row gives back, with sorted members.
    pub original: Json,
    /// The columns that hold a member's JSON, with the member's name.
    pub json: Vec<(&'static str, Option<String>)>,
}

/// A row of `sources`.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub read: u64,
    pub written: u64,
    pub duplicates: u64,
    pub rejected: u64,
}

/// Every row of `events`.
pub async fn events(lake: &Lake) -> Result<Vec<Stored>> {
    let mut rows = Vec::new();
    for batch in batches(lake, Table::Events).await? {
        let sources = text(&batch, "source_file")?;
        let positions = numbers(&batch, "source_index")?;
        let flags = batch.column_by_name("conflicting").context("no flag")?;
        let records = Records::of_batch(&batch)?;
        for row in 0..batch.num_rows() {
            let mut json = String::new();
            records.write(row, &mut json)?;
            rows.push(Stored {
                source: sources[row].clone(),
                position: positions[row],
                conflicting: flags.as_boolean().value(row),
                original: json::canonical(&json).context("a row gives no JSON back")?,
                json: json_columns(&batch, row)?,
            });
        }
    }
    Ok(rows)
}

fn json_columns(batch: &RecordBatch, row: usize) -> Result<Vec<(&'static str, Option<String>)>> {
    let columns = EVENT_COLUMNS.iter();
    let columns = columns.filter(|column| column.kind == Kind::Json);
    let values = columns.map(|column| {
        let values = batch.column_by_name(column.name);
        let values = values.context("a column is missing")?.as_string::<i32>();
        let value = values.is_valid(row).then(|| values.value(row).to_owned());
        Ok((column.path[0], value))
    });
    values.collect()
}

/// Every row of `sources`, by address.
pub async fn sources(lake: &Lake) -> Result<BTreeMap<String, Counts>> {
    let mut all = BTreeMap::new();
    for batch in batches(lake, Table::Sources).await? {
        let uris = text(&batch, "uri")?;
        let read = numbers(&batch, "records_read")?;
        let written = numbers(&batch, "rows_written")?;
        let duplicates = numbers(&batch, "duplicates")?;
        let rejected = numbers(&batch, "rejected")?;
        for (row, uri) in uris.into_iter().enumerate() {
            let counts = Counts {
                read: read[row],
                written: written[row],
                duplicates: duplicates[row],
                rejected: rejected[row],
            };
            all.insert(uri, counts);
        }
    }
    Ok(all)
}

/// How many rows of `rejects` each source has.
pub async fn rejects(lake: &Lake) -> Result<BTreeMap<String, u64>> {
    let mut all = BTreeMap::new();
    for batch in batches(lake, Table::Rejects).await? {
        for uri in text(&batch, "uri")? {
            *all.entry(uri).or_default() += 1;
        }
    }
    Ok(all)
}

/// The Delta version of each table.
pub async fn versions(lake: &Lake) -> Result<Vec<u64>> {
    let mut versions = Vec::new();
    for table in Table::ALL {
        versions.push(lake.snapshot(table).await?.version);
    }
    Ok(versions)
}

async fn batches(lake: &Lake, table: Table) -> Result<Vec<RecordBatch>> {
    let snapshot = lake.snapshot(table).await?;
    let mut batches = Vec::new();
    for file in &snapshot.files {
        let path = lake.root().join(table.name()).join(&file.path);
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()?;
        for batch in reader {
            batches.push(batch?);
        }
    }
    Ok(batches)
}

fn text(batch: &RecordBatch, name: &str) -> Result<Vec<String>> {
    let column = batch.column_by_name(name).context("a column is missing")?;
    let values = column.as_string::<i32>().iter().flatten();
    Ok(values.map(str::to_owned).collect())
}

fn numbers(batch: &RecordBatch, name: &str) -> Result<Vec<u64>> {
    let column = batch.column_by_name(name).context("a column is missing")?;
    let values = column.as_primitive::<Int64Type>().values();
    Ok(values.iter().map(|value| value.cast_unsigned()).collect())
}
