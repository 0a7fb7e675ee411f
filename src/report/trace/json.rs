//! A story as one JSON document, with every field.

use std::io::Write;

use crate::error::{ReportError, Result};
use crate::lineage::story::Trace;
use crate::report::safe;

pub fn write(trace: &Trace, out: &mut dyn Write) -> Result<()> {
    let text = serde_json::to_string_pretty(trace).map_err(|source| ReportError::Encode {
        format: "json",
        source: Box::new(source),
    })?;
    let mut bytes = Vec::with_capacity(text.len() + 1);
    safe::json(&text, &mut bytes);
    bytes.push(b'\n');
    out.write_all(&bytes).map_err(ReportError::from)?;
    Ok(out.flush().map_err(ReportError::from)?)
}
