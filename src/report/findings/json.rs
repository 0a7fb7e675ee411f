//! Findings as JSON: exact, every field.

use std::io::Write;

use serde::Serialize;

use super::{FindingsReport, SeverityCounts};
use crate::error::{ReportError, Result};
use crate::finding::{Finding, Suppressed};
use crate::report::safe;

#[derive(Serialize)]
struct Document<'a> {
    findings: &'a [&'a Finding],
    counts: SeverityCounts,
    rules: usize,
    suppressed: &'a [Suppressed],
    learning: &'a [String],
}

/// One document, indented: findings first, then what the run was.
pub fn write_document(
    report: &FindingsReport<'_>,
    sorted: &[&Finding],
    out: &mut dyn Write,
) -> Result<()> {
    let document = Document {
        findings: sorted,
        counts: SeverityCounts::of(report.findings),
        rules: report.n_rules,
        suppressed: report.suppressed,
        learning: report.learning,
    };
    let text = serde_json::to_string_pretty(&document).map_err(encode_error)?;
    write_text(&text, out)?;
    Ok(out.flush().map_err(ReportError::from)?)
}

/// One finding a line.
pub fn write_lines(sorted: &[&Finding], out: &mut dyn Write) -> Result<()> {
    for finding in sorted {
        let text = serde_json::to_string(finding).map_err(encode_error)?;
        write_text(&text, out)?;
    }
    Ok(out.flush().map_err(ReportError::from)?)
}

fn write_text(text: &str, out: &mut dyn Write) -> Result<()> {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    safe::json(text, &mut bytes);
    bytes.push(b'\n');
    Ok(out.write_all(&bytes).map_err(ReportError::from)?)
}

pub(super) fn encode_error(source: serde_json::Error) -> ReportError {
    ReportError::Encode {
        format: "json",
        source: Box::new(source),
    }
}
