//! The two readings side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use spoor::ingest::Summary;

use super::Report;
use super::json::{self, Json};
use super::stored::{Counts, Stored};
use super::walk::{Record, Shape, Walked, key};

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
        let right = match walked.shape {
            Shape::Whole => taken == n_records && counts.rejected == walked.n_others,
            // One thing may carry a record twice, as text and in parts.
            Shape::Wrapped => {
                (walked.n_distinct()..=n_records).contains(&taken)
                    && counts.rejected >= walked.n_others
            }
            Shape::Broken => taken == n_records && counts.rejected > 0,
            Shape::Foreign => taken == 0 && counts.rejected == 0,
        };
        if !right {
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
    let mut expected: BTreeMap<&Json, (&str, bool)> = BTreeMap::new();
    for (uri, walked) in readings.walked {
        for (_, record) in &walked.records {
            expected.insert(&record.value, (uri, false));
        }
    }
    let mut n_json = 0;
    for event in readings.events {
        let walked = readings.walked.get(&event.source);
        match walked.and_then(|walked| find(walked, event)) {
            Some(record) => n_json += check_json(event, record, report),
            None => {
                let place = format!("record {} comes back changed", event.position);
                report.differ(&event.source, &place);
            }
        }
        match expected.get_mut(&event.original) {
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
    report.figure("JSON texts, byte for byte", n_json);
}

/// The record of a row, at its place where that means something.
fn find<'a>(walked: &'a Walked, event: &Stored) -> Option<&'a Record> {
    let mut records = walked.records.iter();
    let found = records.find(|(position, record)| {
        let same_place = walked.shape != Shape::Whole || *position == event.position;
        same_place && record.value == event.original
    });
    found.map(|(_, record)| record)
}

/// The columns of JSON text are the bytes of the record. Gives how many have some.
fn check_json(event: &Stored, record: &Record, report: &mut Report) -> usize {
    let members = json::members(&record.text).unwrap_or_default();
    let mut n_texts = 0;
    for (name, stored) in &event.json {
        let given = members.iter().rfind(|(other, _)| other == name);
        let given = given.map(|(_, raw)| *raw).filter(|raw| *raw != "null");
        if given != stored.as_deref() {
            let what = format!("record {}: `{name}` is not as it was", event.position);
            report.differ(&event.source, &what);
        }
        n_texts += usize::from(given.is_some());
    }
    n_texts
}

fn totals(readings: &Readings<'_>, report: &mut Report) {
    let summary = readings.summary;
    let mut contents: HashMap<String, BTreeSet<&Json>> = HashMap::new();
    for (_, record) in readings.walked.values().flat_map(|walked| &walked.records) {
        contents
            .entry(key(&record.value))
            .or_default()
            .insert(&record.value);
    }
    let n_distinct: usize = contents.values().map(BTreeSet::len).sum();
    let shared = contents.values().filter(|contents| contents.len() > 1);
    let n_conflicting: usize = shared.map(BTreeSet::len).sum();
    let flagged = readings.events.iter().filter(|event| event.conflicting);
    let n_flagged = flagged.count();
    let n_taken = readings
        .walked
        .iter()
        .map(|(uri, walked)| match walked.shape {
            // Held against the file by itself.
            Shape::Wrapped => readings
                .sources
                .get(uri)
                .map_or(0, |counts| counts.written + counts.duplicates),
            Shape::Whole | Shape::Broken | Shape::Foreign => walked.records.len() as u64,
        });
    let n_taken: u64 = n_taken.sum();
    let sum = |of: fn(&Counts) -> u64| readings.sources.values().map(of).sum::<u64>();
    for (what, plain, lake) in [
        (
            "records",
            n_taken,
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
    report.figure("  of them with wrapped records", shaped(Shape::Wrapped));
    report.figure("  of them broken", shaped(Shape::Broken));
    report.figure("  of them no logs", shaped(Shape::Foreign));
    report.figure("records read", summary.records_read);
    report.figure("  written", summary.rows_written);
    report.figure("  duplicate", summary.duplicates);
    report.figure("  rejected", summary.rejected);
    report.figure("  conflicting, among the written", summary.conflicting);
}

/// Records that share their key with another, among records that are all different.
pub fn n_conflicting(rows: &[Stored]) -> usize {
    let mut n_by_key: HashMap<String, usize> = HashMap::new();
    for row in rows {
        *n_by_key.entry(key(&row.original)).or_default() += 1;
    }
    n_by_key.values().filter(|n| **n > 1).sum()
}
