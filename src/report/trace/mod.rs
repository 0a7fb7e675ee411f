//! The story of sessions as a tree to read, as JSON, as graphs for Graphviz and Mermaid, and as a
//! picture to look at.
//!
//! Always true: what is not shown is counted where it is left out, and names, kinds and links are
//! texts that cannot leave their place in any of the formats. JSON carries every field; the others
//! show what one needs to follow a credential.

mod dot;
mod html;
mod json;
mod mermaid;
mod picture;
mod table;
mod words;

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use super::rows::UnknownFormat;
use crate::error::{ReportError, Result};
use crate::lineage::story::Trace;

/// How a story is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TraceFormat {
    /// A tree to read.
    Table,
    /// One document with every field.
    Json,
    /// A graph for Graphviz.
    Dot,
    /// A graph for Mermaid, which many viewers of Markdown draw.
    Mermaid,
    /// A picture with tables below it, as one HTML file that needs nothing else.
    Html,
}

impl TraceFormat {
    /// Every format, in the order help texts show them.
    pub const ALL: [Self; 5] = [
        Self::Table,
        Self::Json,
        Self::Dot,
        Self::Mermaid,
        Self::Html,
    ];

    /// The names of [`TraceFormat::ALL`], as flags spell them.
    pub const NAMES: [&'static str; 5] = ["table", "json", "dot", "mermaid", "html"];

    /// The name in flags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Dot => "dot",
            Self::Mermaid => "mermaid",
            Self::Html => "html",
        }
    }

    /// The format that a file's name asks for by its ending.
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "json" => Some(Self::Json),
            "dot" | "gv" => Some(Self::Dot),
            "mmd" | "mermaid" => Some(Self::Mermaid),
            "html" | "htm" => Some(Self::Html),
            "txt" => Some(Self::Table),
            _ => None,
        }
    }
}

impl fmt::Display for TraceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TraceFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat {
                name: text.to_owned(),
                known: &Self::NAMES,
            })
    }
}

/// How a story looks on a screen.
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceOptions {
    /// Mark kinds and outcomes with terminal colors.
    pub color: bool,
    /// The terminal's width in columns; `None` where there is no terminal.
    pub width: Option<usize>,
}

/// Writes a story.
///
/// # Errors
///
/// Where `out` cannot be written; a closed pipe is the source of the error then.
pub fn write_trace(
    trace: &Trace,
    format: TraceFormat,
    out: &mut dyn Write,
    options: TraceOptions,
) -> Result<()> {
    let text = match format {
        TraceFormat::Table => table::text(trace, options),
        TraceFormat::Json => return json::write(trace, out),
        TraceFormat::Dot => dot::text(trace),
        TraceFormat::Mermaid => mermaid::text(trace),
        TraceFormat::Html => html::text(trace),
    };
    out.write_all(text.as_bytes()).map_err(ReportError::from)?;
    Ok(out.flush().map_err(ReportError::from)?)
}

#[cfg(test)]
mod tests;
