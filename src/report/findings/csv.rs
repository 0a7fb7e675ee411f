//! Findings as CSV: lists joined by `; `, nested values as JSON.

use std::io::Write;

use super::json::encode_error;
use crate::error::{ReportError, Result};
use crate::finding::{Finding, Origin};
use crate::report::rows::csv_error;
use crate::report::safe;

const HEADER: [&str; 19] = [
    "id",
    "rule",
    "title",
    "severity",
    "first_time",
    "last_time",
    "count",
    "account",
    "regions",
    "actors",
    "origins",
    "subject",
    "source_ips",
    "event_names",
    "summary",
    "evidence",
    "event_ids",
    "next_sql",
    "remediation",
];

/// One finding a record, under a header.
pub fn write(sorted: &[&Finding], out: &mut dyn Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER).map_err(csv_error)?;
    for finding in sorted {
        let record = record(finding)?;
        let cells = record.iter().map(|cell| safe::csv(cell).into_owned());
        writer.write_record(cells).map_err(csv_error)?;
    }
    Ok(writer.flush().map_err(ReportError::from)?)
}

fn record(finding: &Finding) -> Result<[String; HEADER.len()]> {
    let list = |items: &[String]| items.join("; ");
    Ok([
        finding.id.clone(),
        finding.rule.clone(),
        finding.title.clone(),
        finding.severity.to_string(),
        finding.first_time.clone(),
        finding.last_time.clone(),
        finding.count.to_string(),
        finding.account.clone().unwrap_or_default(),
        list(&finding.regions),
        list(&finding.actors),
        list(&finding.origins.iter().map(Origin::told).collect::<Vec<_>>()),
        finding.subject.clone(),
        list(&finding.source_ips),
        list(&finding.event_names),
        finding.summary.clone(),
        serde_json::to_string(&finding.evidence).map_err(encode_error)?,
        list(&finding.event_ids),
        finding.next_sql.clone(),
        serde_json::to_string(&finding.remediation).map_err(encode_error)?,
    ])
}
