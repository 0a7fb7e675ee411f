//! Published queries of Athena and CloudTrail Lake run as they were written, placeholders included, over
//! the collected logs. Those that do not are listed here, each with what it is told; the list may neither
//! grow nor keep what runs by now.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use spoor::engine::{Engine, EngineOptions};
use spoor::lake::Lake;

use super::{Report, walk};

/// A query that nothing could run, by the folder and number of its file, and a part of what is said of it.
const REFUSED: &[(&str, &str)] = &[
    // `evenname`: a slip of the author.
    ("athena/123", "there is no column `evenname`"),
    // The query was pasted twice, the second time right behind the first.
    (
        "lake/047",
        "expected the end of the statement, found `awsRegion`",
    ),
];

/// Runs every file that ends in `.sql`.
pub async fn check(folder: &Path, lake: &Lake, report: &mut Report) -> Result<()> {
    let engine = Engine::open(lake, EngineOptions::default()).await?;
    let started = Instant::now();
    let (mut n_files, mut n_run) = (0, 0);
    let mut met = Vec::new();
    for path in walk::files(folder)? {
        if path.extension().is_none_or(|ending| ending != "sql") {
            continue;
        }
        n_files += 1;
        let name = name(&path);
        let refused = REFUSED.iter().find(|(listed, _)| *listed == name);
        met.extend(refused.map(|(listed, _)| *listed));
        let answer = run(&engine, &std::fs::read_to_string(&path)?).await;
        match (answer, refused) {
            (Ok(()), None) => n_run += 1,
            (Ok(()), Some(_)) => report.differ(&name, "it runs, and is listed as refused"),
            (Err(error), None) => report.differ(&name, &error.to_string()),
            (Err(error), Some((_, part))) if error.to_string().contains(part) => {}
            (Err(error), Some((_, part))) => {
                report.differ(&name, &format!("refused with `{error}`, not with `{part}`"));
            }
        }
    }
    for (listed, _) in REFUSED.iter().filter(|(listed, _)| !met.contains(listed)) {
        report.differ(listed, "listed as refused, and there is no such file");
    }
    report.figure("published queries", n_files);
    report.figure("of these run", n_run);
    report.figure("milliseconds for them", started.elapsed().as_millis());
    Ok(())
}

/// Runs every statement to its last row.
async fn run(engine: &Engine, sql: &str) -> spoor::Result<()> {
    for statement in engine.parse(sql)? {
        engine.execute(&statement).await?.collect().await?;
    }
    Ok(())
}

/// `athena/016`, for `…/athena/016-what-it-is-about.sql`.
fn name(path: &Path) -> String {
    let text = |part: Option<&std::ffi::OsStr>| {
        part.map_or_else(String::new, |part| part.to_string_lossy().into_owned())
    };
    let file = text(path.file_name());
    let number = file.split('-').next().unwrap_or_default();
    let folder = text(path.parent().and_then(Path::file_name));
    format!("{folder}/{number}")
}
