//! Lineage as tables: sessions, the links between them, and walks over them.
//!
//! The evidence is read once for an engine, when one of the tables is first asked for: a pass over the
//! callers of all events and one over the calls that issue credentials. What is kept is as large as the
//! sessions are many.

mod collect;
mod rows;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, internal_err};
use datafusion::datasource::{MemTable, TableType};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use tokio::sync::OnceCell;

use self::collect::{Columns, text};
use super::catalog::{Catalog, Entry};
use crate::lineage::{Lineage, SessionIndex};

/// The lineage of an engine's evidence, found when it is first asked for.
#[derive(Debug, Default)]
pub(super) struct Known {
    session: OnceLock<Weak<SessionState>>,
    lineage: OnceCell<Arc<Lineage>>,
}

impl Known {
    /// Names the session that reads the evidence.
    pub(super) fn bind(&self, session: &Arc<SessionState>) {
        let _ = self.session.set(Arc::downgrade(session));
    }

    fn session(&self) -> Result<Arc<SessionState>> {
        match self.session.get().and_then(Weak::upgrade) {
            Some(session) => Ok(session),
            None => internal_err!("lineage is used outside of its session"),
        }
    }

    /// # Errors
    ///
    /// Where the evidence cannot be read.
    pub(super) async fn lineage(&self) -> Result<Arc<Lineage>> {
        let lineage = self.lineage.get_or_try_init(|| async {
            let session = self.session()?;
            let evidence = collect::evidence(&session).await?;
            // Linking is work of its own kind: it may take seconds.
            Ok::<_, datafusion::common::DataFusionError>(Arc::new(evidence.into_lineage()))
        });
        Ok(Arc::clone(lineage.await?))
    }

    /// The sessions that made events, by event id.
    ///
    /// # Errors
    ///
    /// Where the events cannot be read.
    pub(super) async fn of_events(
        &self,
        ids: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, Vec<SessionIndex>>> {
        let mut found: BTreeMap<String, Vec<SessionIndex>> = BTreeMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let lineage = self.lineage().await?;
        let ids: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
        let sql = format!(
            "SELECT DISTINCT eventid, mark FROM callers WHERE eventid IN ({}) AND mark IS NOT NULL",
            ids.join(", ")
        );
        let session = self.session()?;
        collect::each(&session, &sql, |batch| {
            let columns = Columns::of(batch)?;
            let (ids, marks) = (columns.texts(0)?, columns.texts(1)?);
            for row in 0..batch.num_rows() {
                let session = text(marks, row).and_then(|mark| lineage.of_mark(mark));
                if let (Some(id), Some(session)) = (text(ids, row), session) {
                    found.entry(id.to_owned()).or_default().push(session);
                }
            }
            Ok(())
        })
        .await?;
        for sessions in found.values_mut() {
            sessions.sort_unstable();
            sessions.dedup();
        }
        Ok(found)
    }
}

/// A text as SQL writes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Registers the tables and table functions.
pub(super) fn register(catalog: &Catalog, state: &mut SessionState) -> Arc<Known> {
    let known = Arc::new(Known::default());
    let tables: [(&str, &str, rows::Shape); 3] = [
        (
            "sessions",
            "credentials and sessions: who held each, who issued it, its root, and what was done in sum",
            rows::SESSIONS,
        ),
        (
            "session_edges",
            "which session issued which, by what call, how that is known and how surely",
            rows::EDGES,
        ),
        (
            "session_marks",
            "which session the marks of `callers` belong to",
            rows::MARKS,
        ),
    ];
    for (name, what, shape) in tables {
        let table = LineageTable {
            schema: (shape.schema)(),
            shape,
            known: Arc::clone(&known),
            rows: OnceCell::new(),
        };
        catalog.replace(name, Entry::table(what, Arc::new(table)));
    }
    walk::register(state, &known);
    known
}

/// A table whose rows come from the lineage.
#[derive(Debug)]
struct LineageTable {
    schema: SchemaRef,
    shape: rows::Shape,
    known: Arc<Known>,
    rows: OnceCell<MemTable>,
}

#[async_trait]
impl TableProvider for LineageTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.rows.get_or_try_init(|| async {
            let lineage = self.known.lineage().await?;
            let batches = (self.shape.batches)(&lineage, &self.schema)?;
            MemTable::try_new(Arc::clone(&self.schema), vec![batches])
        });
        rows.await?.scan(state, projection, filters, limit).await
    }
}
