//! Which tables there are, and what each is for.
//!
//! A view is planned when a statement first names it, so that a session over a handful of events
//! costs no more than what is asked of it. Names are lower case; a name is registered once, save
//! that [`Catalog::replace`] says otherwise.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::datasource::ViewTable;
use datafusion::execution::session_state::SessionState;
use datafusion::sql::parser::DFParser;

use super::cached::CachedQuery;

/// The tables of a session.
#[derive(Default)]
pub(super) struct Catalog {
    entries: RwLock<BTreeMap<String, Arc<Entry>>>,
    /// The session that plans the views; it owns this catalog.
    session: OnceLock<Weak<SessionState>>,
}

/// A table, and what it is in one line.
pub(super) struct Entry {
    pub what: String,
    body: Body,
}

enum Body {
    Table(Arc<dyn TableProvider>),
    Cached(Arc<CachedQuery>),
    View {
        sql: String,
        planned: OnceLock<Arc<dyn TableProvider>>,
    },
}

impl Entry {
    pub(super) fn table(what: impl Into<String>, table: Arc<dyn TableProvider>) -> Self {
        Self {
            what: what.into(),
            body: Body::Table(table),
        }
    }

    pub(super) fn cached(what: impl Into<String>, query: CachedQuery) -> Self {
        Self {
            what: what.into(),
            body: Body::Cached(Arc::new(query)),
        }
    }

    pub(super) fn view(what: impl Into<String>, sql: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            body: Body::View {
                sql: sql.into(),
                planned: OnceLock::new(),
            },
        }
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog")
            .field("names", &self.names())
            .finish()
    }
}

impl Catalog {
    /// Names the session that plans the views. Later calls change nothing.
    pub(super) fn bind(&self, session: &Arc<SessionState>) {
        let _ = self.session.set(Arc::downgrade(session));
    }

    /// Adds a table, or puts it in the place of one with the same name.
    pub(super) fn replace(&self, name: &str, entry: Entry) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(name.to_owned(), Arc::new(entry));
    }

    /// All names, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.keys().cloned().collect()
    }

    pub(super) fn entry(&self, name: &str) -> Option<Arc<Entry>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(name).cloned()
    }

    async fn provider(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(entry) = self.entry(name) else {
            return Ok(None);
        };
        match &entry.body {
            Body::Table(table) => Ok(Some(Arc::clone(table))),
            Body::Cached(query) => {
                if let Some(session) = self.session.get() {
                    query.bind(session);
                }
                Ok(Some(Arc::clone(query) as _))
            }
            Body::View { sql, planned } => {
                if let Some(view) = planned.get() {
                    return Ok(Some(Arc::clone(view)));
                }
                let view = self.plan(name, sql).await?;
                Ok(Some(Arc::clone(planned.get_or_init(|| view))))
            }
        }
    }

    async fn plan(&self, name: &str, sql: &str) -> Result<Arc<dyn TableProvider>> {
        let Some(session) = self.session.get().and_then(Weak::upgrade) else {
            return internal_err!("the view `{name}` is used outside of its session");
        };
        let named = |error: DataFusionError| error.context(format!("in the view `{name}`"));
        let mut statements = DFParser::parse_sql(sql).map_err(named)?;
        let Some(statement) = statements.pop_front().filter(|_| statements.is_empty()) else {
            return internal_err!("the view `{name}` is not one statement");
        };
        let plan = session.statement_to_plan(statement).await.map_err(named)?;
        Ok(Arc::new(ViewTable::new(plan, Some(sql.to_owned()))))
    }
}

#[async_trait]
impl SchemaProvider for Catalog {
    fn table_names(&self) -> Vec<String> {
        self.names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.provider(name).await
    }

    fn table_exist(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }
}
