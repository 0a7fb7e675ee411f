//! What a lake holds, in figures.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use chrono::NaiveDate;
use serde_json::Value;

use crate::engine::{Engine, Params};
use crate::error::Result;
use crate::lake::{Lake, Snapshot};
use crate::schema::Table;

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What it is about: `lake`, `events`, `accounts`, `regions`, `sources`, `records`, `rejects` …
    pub part: &'static str,
    pub name: String,
    /// A number, or text.
    pub value: Value,
}

/// Of values that come out of logs (accounts, regions, reasons), so many of the most frequent are
/// named: whoever writes logs can make up any number of them.
const MOST_NAMED: usize = 100;

/// So many stretches of days without events are named.
const MOST_GAPS: usize = 20;

/// The figures of a lake, in a fixed order.
///
/// # Errors
///
/// Where the lake cannot be read.
pub async fn overview(lake: &Lake, engine: &Engine) -> Result<Vec<Fact>> {
    let mut facts = Facts(Vec::new());
    facts.text("lake", "folder", lake.root().display());
    facts.text("lake", "schema", schema_state(lake).await?);
    let events = lake.snapshot(Table::Events).await?;
    facts.events(engine).await?;
    facts.days(&events);
    for (part, column) in [("accounts", "recipientaccountid"), ("regions", "awsregion")] {
        let sql = format!(
            "SELECT coalesce({column}, '(none)'), count(*) FROM events GROUP BY 1 \
             ORDER BY 2 DESC, 1 LIMIT {}",
            MOST_NAMED + 1
        );
        facts.counted(engine, part, &sql).await?;
    }
    let sql = "SELECT kind || ' ' || status, count(*) FROM sources GROUP BY 1 ORDER BY 1";
    facts.counted(engine, "sources", sql).await?;
    facts.records(engine).await?;
    let sql = format!(
        "SELECT reason, count(*) FROM rejects GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {}",
        MOST_NAMED + 1
    );
    facts.counted(engine, "rejects", &sql).await?;
    for table in Table::ALL {
        facts.files(lake, &lake.snapshot(table).await?)?;
    }
    Ok(facts.0)
}

/// Whether this version of spoor would write what the lake has.
async fn schema_state(lake: &Lake) -> Result<String> {
    let (mut missing, mut unknown) = (Vec::new(), Vec::new());
    for table in Table::ALL {
        let difference = lake.schema_difference(table).await?;
        let named = |column| format!("{}.{column}", table.name());
        missing.extend(difference.missing.into_iter().map(named));
        unknown.extend(difference.unknown.into_iter().map(named));
    }
    Ok(if !unknown.is_empty() {
        format!("newer, read only: {}", unknown.join(", "))
    } else if !missing.is_empty() {
        format!("older, without {}", missing.join(", "))
    } else {
        "current".to_owned()
    })
}

struct Facts(Vec<Fact>);

impl Facts {
    fn push(&mut self, part: &'static str, name: impl Into<String>, value: impl Into<Value>) {
        self.0.push(Fact {
            part,
            name: name.into(),
            value: value.into(),
        });
    }

    fn text(&mut self, part: &'static str, name: &str, value: impl ToString) {
        self.push(part, name, value.to_string());
    }

    async fn events(&mut self, engine: &Engine) -> Result<()> {
        let sql = "SELECT count(*), count(*) FILTER (WHERE conflicting), \
                   count(*) FILTER (WHERE eventtime IS NULL) FROM events";
        let names = ["rows", "conflicting", "without_time"];
        self.row(engine, "events", sql, &names).await?;
        let evidence = engine.evidence().await?;
        for (name, time) in [
            ("first_time", evidence.first_time),
            ("last_time", evidence.last_time),
        ] {
            if let Some(time) = time {
                self.text("events", name, time);
            }
        }
        Ok(())
    }

    /// Days that have events, and the days between them that have none.
    fn days(&mut self, events: &Snapshot) {
        let dates = events.files.iter().filter_map(|file| file.date.as_deref());
        let mut days: Vec<NaiveDate> = dates.filter_map(|date| date.parse().ok()).collect();
        days.sort_unstable();
        days.dedup();
        self.push("events", "days", days.len());
        let gaps: Vec<(NaiveDate, NaiveDate)> = days
            .windows(2)
            .filter_map(|pair| {
                let (after, before) = (pair[0].succ_opt()?, pair[1].pred_opt()?);
                (after <= before).then_some((after, before))
            })
            .collect();
        let missing = gaps.iter().map(|(from, to)| (*to - *from).num_days() + 1);
        self.push("events", "days_missing", missing.sum::<i64>());
        for (from, to) in gaps.iter().take(MOST_GAPS) {
            self.text("gaps", &from.to_string(), format!("to {to}"));
        }
        if gaps.len() > MOST_GAPS {
            self.push("gaps", "further", gaps.len() - MOST_GAPS);
        }
    }

    async fn records(&mut self, engine: &Engine) -> Result<()> {
        let sql = "SELECT count(*), count(DISTINCT ingest_id), sum(size_bytes), sum(json_bytes), \
                   sum(records_read), sum(rows_written), sum(duplicates), sum(rejected), \
                   sum(records_left_out) FROM sources";
        let names = [
            "sources",
            "runs",
            "stored_bytes",
            "unpacked_bytes",
            "read",
            "written",
            "duplicates",
            "rejected",
            "left_out",
        ];
        self.row(engine, "records", sql, &names).await
    }

    /// The first row of a query, a figure for each column; NULL is none.
    async fn row(
        &mut self,
        engine: &Engine,
        part: &'static str,
        sql: &str,
        names: &[&str],
    ) -> Result<()> {
        let batches = engine.query(sql, &Params::new()).await?.collect().await?;
        let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else {
            return Ok(());
        };
        for (name, column) in names.iter().zip(batch.columns()) {
            let numbers = column.as_primitive_opt::<Int64Type>();
            let number = numbers.filter(|numbers| numbers.is_valid(0));
            self.push(part, *name, number.map_or(0, |numbers| numbers.value(0)));
        }
        Ok(())
    }

    /// A figure for each row of a query: a name and a count.
    async fn counted(&mut self, engine: &Engine, part: &'static str, sql: &str) -> Result<()> {
        let mut n_named = 0;
        for batch in engine.query(sql, &Params::new()).await?.collect().await? {
            let names = cast(batch.column(0), &DataType::Utf8).unwrap_or_else(|_| {
                // Names are text in every query here.
                arrow::array::new_null_array(&DataType::Utf8, batch.num_rows())
            });
            let names = names.as_string::<i32>();
            let Some(counts) = batch.column(1).as_primitive_opt::<Int64Type>() else {
                continue;
            };
            for (name, count) in names.iter().zip(counts) {
                n_named += 1;
                if n_named <= MOST_NAMED {
                    self.push(part, name.unwrap_or_default(), count.unwrap_or(0));
                } else if n_named == MOST_NAMED + 1 {
                    self.text(part, "further", format!("more than {MOST_NAMED} in all"));
                }
            }
        }
        Ok(())
    }

    fn files(&mut self, lake: &Lake, snapshot: &Snapshot) -> Result<()> {
        let part = match snapshot.table {
            Table::Events => "table events",
            Table::Sources => "table sources",
            Table::Rejects => "table rejects",
        };
        self.push(part, "version", snapshot.version);
        self.push(
            part,
            "columns",
            snapshot.table.arrow_schema().fields().len(),
        );
        self.push(part, "files", snapshot.files.len());
        self.push(part, "row_groups", lake.row_groups(snapshot)?);
        self.push(part, "bytes", snapshot.size_bytes());
        Ok(())
    }
}
