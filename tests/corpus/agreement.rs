//! The two readings side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use spoor::ingest::Summary;

use super::Report;
use super::stored::{Counts, Stored};
use super::walk::{Shape, Walked, canonical, key};

/// Both readings of one folder.
pub struct Readings<'a> {
    /// The plain one, by file.
    pub walked: &'a BTreeMap<String, Walked>,
    pub events: &'a [Stored],
    pub sources: &'a BTreeMap<String, Counts>,
    pub rejects: &'a BTreeMap<String, u64>,
    pub summary: &'a Summary,
}

/// Compares everything, source by source and over all.
pub fn compare(readings: &Readings<'_>, report: &mut Report) {
    files(readings, report);
    rows(readings, report);
    totals(readings, report);
}

fn files(readings: &Readings<'_>, report: &mut Report) {
    let mut rows_of: HashMap<&str, u64> = HashMap::new();
    for event in readings.events {
        *rows_of.entry(&event.source).or_default() += 1;
    }
    for (uri, walked) in readings.walked {
        let Some(counts) = readings.sources.get(uri) else {
            report.differ(uri, "has no line in `sources`");
            continue;
        };
        let taken = counts.written + counts.duplicates;
        if counts.read != taken + counts.rejected {
            report.differ(uri, &format!("its totals do not add up: {counts:?}"));
        }
        if rows_of.get(uri.as_str()).copied().unwrap_or(0) != counts.written {
            report.differ(uri, "`sources.rows_written` is not its number of rows");
        }
        if readings.rejects.get(uri).copied().unwrap_or(0) != counts.rejected {
            report.differ(uri, "`sources.rejected` is not its number of rejects");
        }
        let n_records = walked.records.len() as u64;
        let rejected_right = match walked.shape {
            Shape::Whole => counts.rejected == walked.n_others,
            Shape::Broken => counts.rejected > 0,
            Shape::Foreign => counts.rejected == 0,
        };
        if taken != n_records || !rejected_right {
            let expected = format!(
                "{:?} with {n_records} records and {} other values, but the lake says {counts:?}",
                walked.shape, walked.n_others
            );
            report.differ(uri, &expected);
        }
    }
    for uri in readings.sources.keys() {
        if !readings.walked.contains_key(uri) {
            report.differ(uri, "is in `sources` but not in the folder");
        }
    }
}

/// Every record once, at the place it says it came from, and as it was.
fn rows(readings: &Readings<'_>, report: &mut Report) {
    let mut expected: BTreeMap<String, (&str, bool)> = BTreeMap::new();
    for (uri, walked) in readings.walked {
        for (_, record) in &walked.records {
            expected.insert(canonical(record), (uri, false));
        }
    }
    for event in readings.events {
        let at_place = readings
            .walked
            .get(&event.source)
            .is_some_and(|walked| holds(walked, event));
        if !at_place {
            let place = format!("record {} comes back changed", event.position);
            report.differ(&event.source, &place);
        }
        match expected.get_mut(&canonical(&event.original)) {
            Some((_, seen)) if !*seen => *seen = true,
            Some(_) => report.differ(
                &event.source,
                &format!("record {} is in the lake twice", event.position),
            ),
            None => {}
        }
    }
    for (uri, _) in expected.values().filter(|(_, seen)| !seen) {
        report.differ(uri, "a record of it is not in the lake");
    }
    report.figure("distinct records, plain reading", expected.len());
    report.figure("rows of events", readings.events.len());
    let returned = expected.values().filter(|(_, seen)| *seen).count();
    report.figure("rows that give their record back", returned);
}

fn holds(walked: &Walked, event: &Stored) -> bool {
    walked.records.iter().any(|(position, record)| {
        let same_place = walked.shape == Shape::Broken || *position == event.position;
        same_place && *record == event.original
    })
}

fn totals(readings: &Readings<'_>, report: &mut Report) {
    let summary = readings.summary;
    let mut contents: HashMap<String, BTreeSet<String>> = HashMap::new();
    let mut n_records = 0;
    for (_, record) in readings.walked.values().flat_map(|walked| &walked.records) {
        n_records += 1;
        contents
            .entry(key(record))
            .or_default()
            .insert(canonical(record));
    }
    let n_conflicting: usize = contents.values().map(|contents| contents.len() - 1).sum();
    let n_distinct = contents.len() + n_conflicting;
    let flagged = readings.events.iter().filter(|event| event.conflicting);
    let n_flagged = flagged.count();
    let sum = |of: fn(&Counts) -> u64| readings.sources.values().map(of).sum::<u64>();
    for (what, plain, lake) in [
        (
            "records",
            n_records,
            summary.rows_written + summary.duplicates,
        ),
        ("rows written", n_distinct as u64, summary.rows_written),
        (
            "rows in `events`",
            n_distinct as u64,
            readings.events.len() as u64,
        ),
        (
            "conflicting records",
            n_conflicting as u64,
            n_flagged as u64,
        ),
        (
            "conflicting records of the run",
            n_conflicting as u64,
            summary.conflicting,
        ),
        (
            "records read, over sources",
            sum(|counts| counts.read),
            summary.records_read,
        ),
        (
            "rejects, over sources",
            sum(|counts| counts.rejected),
            summary.rejected,
        ),
        (
            "the run's sum",
            summary.records_read,
            summary.rows_written + summary.duplicates + summary.rejected,
        ),
        ("files", readings.walked.len() as u64, summary.sources),
    ] {
        if plain != lake {
            report.differ(
                "all files",
                &format!("{what}: {plain} expected, {lake} found"),
            );
        }
    }
    let shaped = |shape| {
        let of_it = |walked: &&Walked| walked.shape == shape;
        readings.walked.values().filter(of_it).count()
    };
    report.figure("files", readings.walked.len());
    report.figure("  of them broken", shaped(Shape::Broken));
    report.figure("  of them no logs", shaped(Shape::Foreign));
    report.figure("records read", summary.records_read);
    report.figure("  written", summary.rows_written);
    report.figure("  duplicate", summary.duplicates);
    report.figure("  rejected", summary.rejected);
    report.figure("  conflicting, among the written", summary.conflicting);
}

/// Records beyond the first of each key, among records that are all different.
pub fn n_conflicting(rows: &[Stored], key: impl Fn(&Value) -> String) -> usize {
    let keys: BTreeSet<String> = rows.iter().map(|row| key(&row.original)).collect();
    rows.len() - keys.len()
}
