//! Statements that make a lake, or the logs themselves, tables of other engines: Athena above all, and
//! those that read Delta Lake.
//!
//! Every column comes from [`crate::schema`]; nothing is asked of a lake, so the same version prints the
//! same text. Where the files lie, and who may read them, is left to the reader.

mod lake;
mod logs;
mod members;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use members::Member;

/// Where the tables lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    /// The lake's folder, without a slash at its end.
    pub lake: String,
    /// The folder `AWSLogs` of a trail's bucket, without a slash at its end.
    pub logs: String,
}

impl Default for Locations {
    fn default() -> Self {
        Self {
            lake: "s3://BUCKET/LAKE".to_owned(),
            logs: "s3://BUCKET/AWSLogs".to_owned(),
        }
    }
}

/// Prints the statements for a lake's tables, then those for a table over the logs.
///
/// # Errors
///
/// Where `out` cannot be written.
pub fn write_ddl(locations: &Locations, out: &mut dyn Write) -> io::Result<()> {
    lake::write(&locations.lake, out)?;
    logs::write(&locations.logs, out)
}

/// A text in quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The columns of a CREATE TABLE, one a line. Names stand in backticks, as Hive's do: some are words of
/// SQL.
fn hive_columns<'a>(columns: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let lines = columns.into_iter();
    let lines = lines.map(|(name, data_type)| format!("  `{name}` {data_type}"));
    lines.collect::<Vec<_>>().join(",\n")
}
