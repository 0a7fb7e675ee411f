//! The sample case: three weeks of a small made-up company, Fernhill, in three accounts of one
//! organization, with an intrusion over roles and an exercise in the last of them.
//!
//! [`build`] is a pure function: no clock, no file, always the same bytes. `life`, `people` and
//! `pipelines` make the ordinary days, `mistakes`, `intrusion`, `exercise` and `slips` the planted
//! steps, `told` lists what rules say of them, and `delivery` makes the files in the layout of a
//! trail's bucket.

mod delivery;
mod exercise;
mod intrusion;
mod life;
mod mistakes;
mod people;
mod pipelines;
mod slips;
mod told;

use std::collections::BTreeMap;
use std::io;

use super::event::{Event, Role, Who};
use super::kit::{Json, Mint, Time, Tokens};

/// Identity and build account; people and pipelines enter here.
pub const HUB: &str = "111122223333";
/// Production.
pub const PROD: &str = "444455556666";
/// Data platform.
pub const DATA: &str = "777788889999";
/// The intruder's own account; its logs are not in the case.
pub const OUTSIDE: &str = "909080807070";
pub const ORG: &str = "o-f3rnh1ll00";

/// First day, a Monday, and number of days. Two quiet weeks come first because rules that report
/// what is new need a baseline of 14 days.
pub const FIRST: (i64, i64, i64) = (2025, 2, 17);
pub const DAYS: i64 = 21;
/// The first day of the intrusion's week. The days before are thinner, to keep the case small.
const STORY_DAY: i64 = 14;

/// The finished case.
pub struct Sample {
    /// Files below the output folder, sorted by path.
    pub files: Vec<(String, Vec<u8>)>,
    /// What was planted, as JSON: one entry per step and rule that must find it.
    pub expected: String,
    /// What looks alike and must stay silent, in the same form.
    pub silent: String,
}

/// One planted step, or one harmless look-alike, as one rule sees it.
struct Step {
    number: usize,
    rule: &'static str,
    title: &'static str,
    time: Time,
    name: String,
    account: &'static str,
    subject: String,
    event_ids: Vec<String>,
}

/// The case while it is being written.
struct Case {
    mint: Mint,
    events: Vec<Event>,
    planted: Vec<Step>,
    silent: Vec<Step>,
    /// Events that later lists name, by a label.
    kept: BTreeMap<&'static str, Kept>,
}

/// The first event under a label, and the ids of all.
struct Kept {
    time: Time,
    name: String,
    ids: Vec<String>,
}

impl Case {
    /// Logs events and keeps them under a label as well; equal labels add up. Gives their ids.
    fn keep(
        &mut self,
        label: &'static str,
        events: impl IntoIterator<Item = Event>,
    ) -> Vec<String> {
        let mut all = Vec::new();
        for event in events {
            let (time, name) = (event.time, event.name.clone());
            let ids = self.log([event]);
            let kept = self.kept.entry(label).or_insert(Kept {
                time,
                name,
                ids: Vec::new(),
            });
            kept.ids.extend(ids.iter().cloned());
            all.extend(ids);
        }
        all
    }

    /// Keeps the records that the organization's trail would see, and gives their ids.
    fn log(&mut self, events: impl IntoIterator<Item = Event>) -> Vec<String> {
        let own = events
            .into_iter()
            .filter(|event| [HUB, PROD, DATA].contains(&event.account.as_str()));
        let from = self.events.len();
        self.events.extend(own);
        self.events[from..]
            .iter()
            .map(|event| event.event_id.clone())
            .collect()
    }

    /// A plain call without parameters worth showing.
    fn call(
        &mut self,
        who: &Who,
        place: (&str, &str),
        time: Time,
        call: (&str, &str),
    ) -> Vec<String> {
        let event = Event::new(&mut self.mint, who, place, time, call);
        self.log([event])
    }
}

/// Makes the case.
///
/// # Errors
/// Only when compression fails, which it does not in memory.
pub fn build() -> io::Result<Sample> {
    let mut case = Case {
        mint: Mint::new(20_250_306, Tokens::new(3, 96, 160)),
        events: Vec::new(),
        planted: Vec::new(),
        silent: Vec::new(),
        kept: BTreeMap::new(),
    };
    life::live(&mut case);
    mistakes::happen(&mut case);
    intrusion::intrude(&mut case);
    exercise::exercise(&mut case);
    slips::slip(&mut case);
    told::tell(&mut case);
    let (expected, silent) = (steps(&case.planted), steps(&case.silent));
    Ok(Sample {
        files: delivery::deliver(&mut case)?,
        expected,
        silent,
    })
}

/// A moment of a day of the case, counted from 0, at an hour, minute and second.
fn moment(day: i64, clock: (i64, i64, i64)) -> Time {
    Time::at(FIRST.0, FIRST.1, FIRST.2, clock).plus(day * super::kit::DAY)
}

fn role(account: &str, name: &str) -> Role {
    Role::new(account, name)
}

fn steps(steps: &[Step]) -> String {
    let lines: Vec<String> = steps
        .iter()
        .map(|step| {
            let ids: Vec<String> = step
                .event_ids
                .iter()
                .map(|id| format!("\"{id}\""))
                .collect();
            Json::object(|j| {
                j.raw("step", &step.number.to_string())
                    .str("rule", step.rule)
                    .str("title", step.title)
                    .str("time", &step.time.iso())
                    .str("event_name", &step.name)
                    .str("account", step.account)
                    .str("subject", &step.subject)
                    .list("event_ids", &ids);
            })
        })
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}
