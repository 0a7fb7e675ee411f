//! Statements with values, and their rows as plain data.

use std::fmt::Write as _;

use serde::de::DeserializeOwned;

use crate::engine::{Engine, Param, Params};
use crate::error::{QueryError, Result};
use crate::report::rows::{Format, RowOptions, RowWriter};

/// Values for a statement. They never become part of its text.
#[derive(Debug, Clone, Default)]
pub struct Bound(Params);

impl Bound {
    /// A value's place in the text: `$p0`.
    pub fn text(&mut self, value: &str) -> String {
        let name = format!("p{}", self.0.len());
        let place = format!("${name}");
        self.0.insert(name, Param::Text(value.to_owned()));
        place
    }

    /// A list of values' places: `$p0, $p1`; `NULL` where there are none, which is equal to nothing.
    pub fn list<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) -> String {
        let mut list = String::new();
        for value in values {
            let place = self.text(value);
            let comma = if list.is_empty() { "" } else { ", " };
            // Writing into a String cannot fail.
            let _ = write!(list, "{comma}{place}");
        }
        if list.is_empty() {
            list.push_str("NULL");
        }
        list
    }

    /// The rows of a statement with these values.
    ///
    /// # Errors
    ///
    /// As [`Engine::query`]; also where a row has not the expected members.
    pub async fn rows<T: DeserializeOwned>(&self, engine: &Engine, sql: &str) -> Result<Vec<T>> {
        let rows = engine.query(sql, &self.0).await?;
        let schema = std::sync::Arc::clone(&rows.schema);
        let mut text = Vec::new();
        let mut writer = RowWriter::new(Format::Ndjson, &schema, &mut text, RowOptions::default())?;
        for batch in rows.collect().await? {
            writer.write(&batch)?;
        }
        writer.finish()?;
        let rows = serde_json::Deserializer::from_slice(&text).into_iter();
        rows.collect::<Result<_, _>>().map_err(|source| {
            QueryError {
                message: "a row of the sessions is not as it should be".to_owned(),
                hint: None,
                source: Some(Box::new(source)),
            }
            .into()
        })
    }
}

/// A condition that a time lies between two, or is not known; no condition where a bound is missing.
/// The bounds come from the engine, and are written into the text so that they choose files.
pub fn between(column: &str, first: Option<&str>, last: Option<&str>) -> String {
    let is_time = |text: &&str| {
        let marks = text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"-:.TZ".contains(&b));
        marks && text.len() >= 19
    };
    match (first.filter(is_time), last.filter(is_time)) {
        (Some(first), Some(last)) => format!(
            "({column} IS NULL OR {column} BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last}')"
        ),
        _ => "true".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_become_text_of_a_statement() {
        let time = Some("2025-03-06T02:24:08Z");
        assert_eq!(
            between("t", time, time),
            "(t IS NULL OR t BETWEEN TIMESTAMP '2025-03-06T02:24:08Z' AND TIMESTAMP '2025-03-06T02:24:08Z')"
        );
        for other in [None, Some("' OR true"), Some("2025")] {
            assert_eq!(between("t", other, time), "true");
            assert_eq!(between("t", time, other), "true");
        }
    }

    #[test]
    fn values_have_places_of_their_own() {
        let mut bound = Bound::default();
        assert_eq!(bound.text("a'"), "$p0");
        assert_eq!(bound.list(["b", "a'"]), "$p1, $p2");
        assert_eq!(bound.list([]), "NULL");
        assert_eq!(bound.0.len(), 3);
    }
}
