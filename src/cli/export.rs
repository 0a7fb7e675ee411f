//! `spoor export`: the records themselves, as they were.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use clap::{Args, ValueEnum};
use flate2::{Compression, write::GzEncoder};
use futures::StreamExt;

use super::interrupt::unless_interrupted;
use super::output::{Output, Target};
use super::select::SelectionFlags;
use super::{Outcome, Shared};
use crate::engine::{Engine, Params};
use crate::error::{QueryError, ReportError, Result};

/// The order of an export. Days are read one after the other, so that no more than one of them is
/// sorted at a time.
const ORDER: &str = "ORDER BY eventtime, eventid, source_file, source_index";

/// Print records as they were in the logs, in order of time. Read again, they give the same events.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// Logs or a lake to export from, in place of `--lake`
    #[arg(value_name = "SRC")]
    sources: Vec<String>,
    #[command(flatten)]
    selection: SelectionFlags,
    /// Only events for which this SQL condition over `cloudtrail` holds
    #[arg(long = "where", value_name = "SQL")]
    condition: Option<String>,
    /// ndjson: a record on each line; cloudtrail: `{"Records":[…]}` [default: cloudtrail where -o FILE ends in .json or .json.gz, else ndjson]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Shape>,
    /// Pack with gzip; also where -o FILE ends in .gz
    #[arg(long)]
    gzip: bool,
    #[command(flatten)]
    target: Target,
}

/// What stands around the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Ndjson,
    Cloudtrail,
}

impl Shape {
    fn before(self) -> &'static str {
        match self {
            Self::Ndjson => "",
            Self::Cloudtrail => "{\"Records\":[\n",
        }
    }

    fn between(self) -> &'static str {
        match self {
            Self::Ndjson => "\n",
            Self::Cloudtrail => ",\n",
        }
    }

    /// Writes a record. The requests in it may have line breaks as they were delivered; between
    /// tokens, where alone they can stand, a space means the same.
    fn write(self, record: &str, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Ndjson => {
                for (index, line) in record.split(['\n', '\r']).enumerate() {
                    if index > 0 {
                        out.write_all(b" ")?;
                    }
                    out.write_all(line.as_bytes())?;
                }
                Ok(())
            }
            Self::Cloudtrail => out.write_all(record.as_bytes()),
        }
    }

    /// After the last of some records, or after none.
    fn after(self, some: bool) -> &'static str {
        match (self, some) {
            (Self::Ndjson, true) => "\n",
            (Self::Ndjson, false) => "",
            (Self::Cloudtrail, true) => "\n]}\n",
            (Self::Cloudtrail, false) => "]}\n",
        }
    }
}

impl Export {
    pub(super) async fn run(&self, shared: &Shared) -> Result<Outcome> {
        let name = self.target.file_name().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let gzip = self.gzip || name.ends_with(".gz");
        if gzip && !self.target.is_file() && io::stdout().is_terminal() {
            return Err(QueryError::new("gzip is not for a terminal")
                .with_hint("name a file with `-o FILE`")
                .into());
        }
        let inner = name.trim_end_matches(".gz");
        let shape = self.format.unwrap_or(if inner.ends_with(".json") {
            Shape::Cloudtrail
        } else {
            Shape::Ndjson
        });
        let case = shared.open_case(&self.sources, &self.selection).await?;
        let engine = Arc::clone(&case.engine);
        let condition = self.condition.clone();
        let target = self.target.clone();
        unless_interrupted(async move {
            // What cannot be planned leaves no file.
            let selects = selects(&engine, condition.as_deref()).await?;
            let out = target.open()?;
            if gzip {
                // Without a name or time in the header: the same records give the same bytes.
                let mut packer = GzEncoder::new(out, Compression::default());
                write_all(&engine, &selects, condition.as_deref(), shape, &mut packer).await?;
                packer.finish().map_err(ReportError::Write)?.finish()
            } else {
                let mut out: Output = out;
                write_all(&engine, &selects, condition.as_deref(), shape, &mut out).await?;
                out.finish()
            }
        })
        .await?;
        Ok(Outcome::Done)
    }
}

/// One query for each day of the lake, in order.
async fn selects(engine: &Engine, condition: Option<&str>) -> Result<Vec<String>> {
    // A wrong condition is told before anything is read.
    if let Some(condition) = condition {
        let probe = engine.parse_where("SELECT 1 FROM cloudtrail LIMIT 0", condition)?;
        engine.execute(&probe).await?.collect().await?;
    }
    let days = "SELECT DISTINCT date FROM events ORDER BY date NULLS LAST";
    let batches = engine.query(days, &Params::new()).await?.collect().await?;
    let mut selects = Vec::new();
    for batch in &batches {
        for day in texts(batch.column(0))?.iter() {
            let day = match day {
                Some(day) => format!("date = '{}'", day.replace('\'', "''")),
                None => "date IS NULL".to_owned(),
            };
            selects.push(format!(
                "SELECT event_json() FROM cloudtrail WHERE {day} {ORDER}"
            ));
        }
    }
    Ok(selects)
}

async fn write_all(
    engine: &Engine,
    selects: &[String],
    condition: Option<&str>,
    shape: Shape,
    out: &mut (impl Write + Send),
) -> Result<()> {
    out.write_all(shape.before().as_bytes())
        .map_err(ReportError::Write)?;
    let mut some = false;
    for select in selects {
        let statement = engine.parse_where(select, condition.unwrap_or("true"))?;
        let mut rows = engine.execute(&statement).await?;
        while let Some(batch) = rows.next().await {
            for record in texts(batch?.column(0))?.iter().flatten() {
                if some {
                    out.write_all(shape.between().as_bytes())
                        .map_err(ReportError::Write)?;
                }
                shape.write(record, out).map_err(ReportError::Write)?;
                some = true;
            }
        }
    }
    let end = shape.after(some);
    Ok(out.write_all(end.as_bytes()).map_err(ReportError::Write)?)
}

fn texts(column: &dyn Array) -> Result<arrow::array::StringViewArray> {
    let column = cast(column, &DataType::Utf8View).map_err(|error| ReportError::Encode {
        format: "JSON",
        source: error.into(),
    })?;
    Ok(column.as_string_view().clone())
}
