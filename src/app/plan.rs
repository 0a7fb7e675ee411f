//! What a run would read, without reading it.

use std::collections::HashSet;
use std::path::Path;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use super::ReadRequest;
use crate::engine::{Engine, EngineOptions, Params};
use crate::error::{QueryError, Result};
use crate::ingest::{Place, discover, format_day};
use crate::lake::{self, Lake};

/// A source that a run would read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSource {
    pub uri: String,
    pub size_bytes: u64,
    /// `YYYY-MM-DD`, as its name says; so the account and the region.
    pub day: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    /// The lake has a source of this name and size. Only its hash, at reading, can tell for sure.
    pub in_lake: bool,
}

/// What a run would read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub sources: Vec<PlannedSource>,
    /// Sources outside of the selection.
    pub left_out: u64,
}

/// The sources that [`super::read_selected`] would read into the lake at `root`, in its order. No
/// source is opened, and no lake is made.
///
/// # Errors
///
/// As [`discover`] and [`crate::ingest::SelectionRequest::resolve`]; where the lake cannot be read.
pub async fn plan(root: &Path, request: &ReadRequest) -> Result<Plan> {
    let mut sources = discover(&request.sources)?;
    let n_found = sources.len();
    let selection = request.selection.resolve(&sources)?;
    sources.retain(|source| selection.wants_source(source));
    let left_out = (n_found - sources.len()) as u64;
    let known = known_sizes(root).await?;
    let planned = sources.into_iter().map(|source| {
        let place = Place::of(&source.uri);
        PlannedSource {
            day: place.day.map(format_day),
            account: place.account.map(str::to_owned),
            region: place.region.map(str::to_owned),
            in_lake: known.contains(&(source.uri.clone(), source.size_bytes)),
            size_bytes: source.size_bytes,
            uri: source.uri,
        }
    });
    Ok(Plan {
        sources: planned.collect(),
        left_out,
    })
}

/// Names and sizes of the sources that a lake has; none where there is no lake.
async fn known_sizes(root: &Path) -> Result<HashSet<(String, u64)>> {
    let mut known = HashSet::new();
    if !lake::is_lake(root) {
        return Ok(known);
    }
    let engine = Engine::open(&Lake::open(root)?, EngineOptions::default()).await?;
    let sql = "SELECT uri, size_bytes FROM sources";
    for batch in engine.query(sql, &Params::new()).await?.collect().await? {
        let uris = cast(batch.column(0), &DataType::Utf8)
            .map_err(|error| QueryError::new(error.to_string()))?;
        let sizes = batch.column(1).as_primitive::<Int64Type>().values().iter();
        let uris = uris.as_string::<i32>().iter().flatten();
        known.extend(
            uris.zip(sizes)
                .map(|(uri, size)| (uri.to_owned(), size.cast_unsigned())),
        );
    }
    Ok(known)
}
