//! `spoor schema`: the tables and their columns, here and in other engines.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use clap::Args;

use super::output::Target;
use super::rows::{RowsOut, unencoded};
use super::select::SelectionFlags;
use super::{Outcome, Shared};
use crate::engine::TableInfo;
use crate::error::{QueryError, ReportError, Result};
use crate::report::athena::{self, Locations};

/// See tables and columns; print statements that make them tables of Athena, Trino or Spark.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Logs or a lake to ask, in place of `--lake`
    #[arg(value_name = "SRC", conflicts_with = "athena")]
    sources: Vec<String>,
    #[command(flatten)]
    selection: SelectionFlags,
    /// Only this table or view
    #[arg(long, value_name = "NAME", conflicts_with = "athena")]
    table: Option<String>,
    /// Statements for other engines: the lake's tables, Athena's table over them, one over the logs
    #[arg(long, conflicts_with = "format")]
    athena: bool,
    /// Where the other engine finds the lake
    #[arg(long, value_name = "URL", requires = "athena")]
    location: Option<String>,
    /// Where it finds the logs: the folder `AWSLogs` of the trail's bucket
    #[arg(long, value_name = "URL", requires = "athena")]
    logs: Option<String>,
    #[command(flatten)]
    rows: RowsOut,
}

impl Schema {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        if self.athena {
            print_ddl(&self.locations(), &self.rows.target)?;
            return Ok(Outcome::Done);
        }
        let case = shared.open_case(&self.sources, &self.selection).await?;
        let mut tables = case.engine.tables();
        if let Some(name) = &self.table {
            tables.retain(|table| table.name.eq_ignore_ascii_case(name));
            if tables.is_empty() {
                return Err(QueryError::new(format!("no table `{name}`"))
                    .with_hint("`spoor schema` lists the tables")
                    .into());
            }
        }
        self.rows.write_batch(&listing(&tables)?, shared)?;
        Ok(Outcome::Done)
    }

    fn locations(&self) -> Locations {
        let usual = Locations::default();
        let given = |flag: &Option<String>, usual: String| {
            let url = flag.as_deref().map(|url| url.trim_end_matches('/'));
            url.map_or(usual, str::to_owned)
        };
        Locations {
            lake: given(&self.location, usual.lake),
            logs: given(&self.logs, usual.logs),
        }
    }
}

fn print_ddl(locations: &Locations, target: &Target) -> Result<()> {
    let mut out = target.open()?;
    athena::write_ddl(locations, &mut out).map_err(ReportError::Write)?;
    out.finish()
}

/// A line for each column.
fn listing(tables: &[TableInfo]) -> Result<RecordBatch> {
    let columns: Vec<_> = tables
        .iter()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        .collect();
    let texts = |text: fn(&(&TableInfo, &crate::engine::ColumnInfo)) -> String| -> ArrayRef {
        Arc::new(
            columns
                .iter()
                .map(|pair| Some(text(pair)))
                .collect::<StringArray>(),
        )
    };
    let list = [
        ("table", texts(|(table, _)| table.name.clone())),
        ("column", texts(|(_, column)| column.name.clone())),
        ("type", texts(|(_, column)| column.data_type.clone())),
    ];
    Ok(RecordBatch::try_from_iter(list).map_err(unencoded)?)
}
