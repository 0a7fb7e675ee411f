//! Reads a folder of collected logs with the library and, independently, with a plain walk over the
//! text, and fails where the two differ. Then runs published queries over what was read. Where the folder
//! is absent there is nothing to check.

mod agreement;
#[path = "../support/json.rs"]
mod json;
mod labelled;
mod policies;
mod queries;
mod stored;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Result;
use spoor::app;
use spoor::config::Lists;
use spoor::detections::{RuleSet, detect};
use spoor::engine::{Engine, EngineOptions};
use spoor::ingest::{Silent, Summary};
use spoor::lake::Lake;
use spoor::report::findings::{FindingFormat, FindingOptions, write_findings};

use json::Json;
use stored::Stored;

/// Differences that are printed; more of one kind say nothing new.
const MAX_PRINTED: usize = 60;

/// What was found: figures, and every difference.
#[derive(Default)]
pub struct Report {
    figures: Vec<(String, String)>,
    differences: Vec<String>,
}

impl Report {
    fn figure(&mut self, name: &str, value: impl ToString) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    fn differ(&mut self, place: &str, what: &str) {
        self.differences.push(format!("{place}: {what}"));
    }

    fn print(&self) -> ExitCode {
        for (name, value) in &self.figures {
            println!("{name:<34}{value:>10}");
        }
        for difference in self.differences.iter().take(MAX_PRINTED) {
            println!("differs: {difference}");
        }
        if self.differences.is_empty() {
            println!("corpus: both readings agree");
            return ExitCode::SUCCESS;
        }
        println!("corpus: {} differences", self.differences.len());
        ExitCode::FAILURE
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let logs = shared.join("data/events");
    if !logs.is_dir() {
        println!("corpus: no ../shared/data, skipped");
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = Report::default();
    let scratch = tempfile::tempdir()?;
    let lake = check_logs(
        &logs.canonicalize()?,
        &scratch.path().join("lake"),
        &mut report,
    )
    .await?;
    let published = shared.join("data/queries");
    if published.is_dir() {
        queries::check(&published, &lake, &mut report).await?;
    }
    if shared.join("data/labels/events.jsonl").is_file() {
        labelled::check(&shared, &scratch.path().join("labelled"), &mut report).await?;
    }
    let examples = shared.join("spec/trust_policy_examples.jsonl");
    if examples.is_file() {
        policies::check(&examples, &mut report)?;
    }
    Ok(report.print())
}

async fn check_logs(logs: &Path, root: &Path, report: &mut Report) -> Result<Lake> {
    let started = Instant::now();
    let mut walked = BTreeMap::new();
    for path in walk::files(logs)? {
        let found = walk::walk(&path)?;
        walked.insert(path.to_string_lossy().into_owned(), found);
    }
    let (lake, summary) = read(logs, root).await?;
    let readings = agreement::Readings {
        walked: &walked,
        events: &stored::events(&lake).await?,
        sources: &stored::sources(&lake).await?,
        rejects: &stored::rejects(&lake).await?,
        summary: &summary,
    };
    agreement::compare(&readings, report);
    check_second_run(logs, &lake, report).await?;
    check_parts(logs, readings.events, &root.with_extension("parts"), report).await?;
    if let Err(error) = check_detections(&lake, report).await {
        report.differ("detections", &error.to_string());
    }
    report.figure("seconds", started.elapsed().as_secs());
    Ok(lake)
}

async fn read(logs: &Path, root: &Path) -> Result<(Lake, Summary)> {
    let names = [logs.to_string_lossy().into_owned()];
    let stop = Arc::new(AtomicBool::new(false));
    Ok(app::read_into(root, &names, Arc::new(Silent), stop).await?)
}

/// What was read is not read again: no row, no line, no commit.
async fn check_second_run(logs: &Path, lake: &Lake, report: &mut Report) -> Result<()> {
    let before = stored::versions(lake).await?;
    let (lake, second) = read(logs, lake.root()).await?;
    if second.sources_skipped != second.sources || second.records_read != 0 {
        report.differ("second run", &format!("it read again: {second:?}"));
    }
    if stored::versions(&lake).await? != before {
        report.differ("second run", "it committed something");
    }
    Ok(())
}

/// Folder by folder gives the same rows as all at once, whichever copy of a record came first.
async fn check_parts(
    logs: &Path,
    at_once: &[Stored],
    root: &Path,
    report: &mut Report,
) -> Result<()> {
    let mut parts: Vec<PathBuf> = Vec::new();
    for entry in logs.read_dir()? {
        parts.push(entry?.path());
    }
    // From the last to the first: a copy that was a duplicate is now the one that is kept.
    parts.sort();
    for part in parts.iter().rev() {
        read(part, root).await?;
    }
    let in_parts = stored::events(&Lake::open(root)?).await?;
    let records = |rows: &[Stored]| -> BTreeSet<Json> {
        rows.iter().map(|row| row.original.clone()).collect()
    };
    if in_parts.len() != at_once.len() || records(&in_parts) != records(at_once) {
        let found = format!("{} rows, and {} at once", in_parts.len(), at_once.len());
        report.differ("read folder by folder", &found);
    }
    // Each twin is marked, whichever came first and in whichever run.
    let n_marked = in_parts.iter().filter(|row| row.conflicting).count();
    let expected = agreement::n_conflicting(at_once);
    if n_marked != expected {
        let found = format!("{n_marked} marked as conflicting, not {expected}");
        report.differ("read folder by folder", &found);
    }
    report.figure("runs that give the same rows", parts.len());
    Ok(())
}

/// The same evidence gives the same findings, byte for byte, and every rule runs.
async fn check_detections(lake: &Lake, report: &mut Report) -> Result<()> {
    let (first, n_findings) = findings(lake, report).await?;
    let (second, _) = findings(lake, report).await?;
    if first != second {
        report.differ("detections", "two runs over one lake print different JSON");
    }
    report.figure("findings", n_findings);
    report.figure("bytes of findings, twice the same", first.len());
    Ok(())
}

async fn findings(lake: &Lake, report: &mut Report) -> Result<(Vec<u8>, usize)> {
    let engine = Engine::open(lake, EngineOptions::default()).await?;
    let found = detect(&engine, &RuleSet::load(&[])?, &Lists::default()).await?;
    for error in &found.errors {
        report.differ(&error.rule, &error.message);
    }
    let mut json = Vec::new();
    let options = FindingOptions::default();
    write_findings(&found.printed(), FindingFormat::Json, &mut json, options)?;
    Ok((json, found.findings.len()))
}
