//! The tables of lineage over some records, as JSON rows.

use std::collections::BTreeMap;

use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use serde_json::{Map, Value};
use spoor::engine::{Engine, EngineOptions, Params};
use spoor::ingest::records_to_batch;

pub type Row = Map<String, Value>;

/// What the program says of some evidence.
pub struct Tables {
    pub sessions: BTreeMap<String, Row>,
    pub edges: Vec<Row>,
    /// The session of each event, by event id and recipient.
    pub events: BTreeMap<(String, String), String>,
    /// Events that are of more than one session, which none may be.
    pub torn: Vec<String>,
    pub engine: Engine,
}

impl Tables {
    /// Reads the records as two files and asks for all tables.
    pub async fn of(records: &[Value]) -> Self {
        let (first, second) = records.split_at(records.len() / 2);
        let mut batches = Vec::new();
        for (index, records) in [first, second].into_iter().enumerate() {
            if !records.is_empty() {
                let text = serde_json::to_vec(records).unwrap();
                batches.push(records_to_batch(&format!("{index}.json"), &text).unwrap());
            }
        }
        let options = EngineOptions {
            target_partitions: Some(1),
            ..EngineOptions::default()
        };
        let engine = Engine::over_batches(batches, options).await.unwrap();
        let mut sessions = BTreeMap::new();
        for row in rows(&engine, "SELECT * FROM sessions").await {
            let id = text(&row, "session_id").expect("a session has an id");
            assert!(
                sessions.insert(id.clone(), row).is_none(),
                "`{id}` comes twice"
            );
        }
        let edges = "SELECT * FROM session_edges ORDER BY issued_by, child_id, parent_id";
        let edges = rows(&engine, edges).await;
        let (mut events, mut torn) = (BTreeMap::new(), Vec::new());
        let sql = "SELECT eventid, recipientaccountid, session_id FROM session_events";
        for row in rows(&engine, sql).await {
            let key = ["eventid", "recipientaccountid"].map(|name| text(&row, name));
            let key = key.map(Option::unwrap_or_default);
            let Some(session) = text(&row, "session_id") else {
                continue;
            };
            let [id, account] = key;
            let before = events.insert((id.clone(), account), session.clone());
            if before.is_some_and(|before| before != session) {
                torn.push(id);
            }
        }
        Self {
            sessions,
            edges,
            events,
            torn,
            engine,
        }
    }

    /// Everything as text, the same for the same answer.
    pub fn printed(&self) -> String {
        let mut lines = Vec::new();
        for row in self.sessions.values().chain(&self.edges) {
            lines.push(Value::Object(row.clone()).to_string());
        }
        for ((event, account), session) in &self.events {
            lines.push(format!("{event} {account} {session}"));
        }
        lines.join("\n")
    }

    /// The session of the event, in whatever account it was recorded.
    pub fn session_of(&self, event: &str) -> Option<&Row> {
        let mut found = self.events.iter().filter(|((id, _), _)| id == event);
        let (_, session) = found.next()?;
        self.sessions.get(session)
    }

    pub fn parent_of(&self, session: &Row) -> Option<&Row> {
        self.sessions.get(&text(session, "parent_id")?)
    }
}

pub fn text(row: &Row, name: &str) -> Option<String> {
    match row.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

pub async fn rows(engine: &Engine, sql: &str) -> Vec<Row> {
    let rows = engine.query(sql, &Params::new()).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let batches = rows.collect().await.unwrap();
    let mut writer = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, JsonArray>(Vec::new());
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    let text = writer.into_inner();
    if text.is_empty() {
        return Vec::new();
    }
    serde_json::from_slice(&text).unwrap()
}
