//! One account in one region: its events in time order, cut into files.

use std::{fs, io};

use super::super::event::Event;
use super::super::kit::{Json, Mint, Time, gzip, log_key};
use super::cast::Cast;
use super::{Options, Stage, Tally, mix};

/// A fast level; AWS's own files are about as large.
const LEVEL: u32 = 5;

pub struct Lane {
    pub account: String,
    pub region: &'static str,
    pub seed: u64,
    /// Events of the mix.
    pub count: usize,
    /// Events of the plot that this lane's log holds.
    pub planned: Vec<Event>,
}

/// The file being filled.
struct Open {
    json: Json,
    records: u32,
    last: Time,
    /// Records to be delivered again with the next file.
    again: Vec<String>,
}

const HEAD: &str = "{\"Records\":[";

impl Lane {
    pub fn write(&self, options: &Options, stage: &Stage) -> io::Result<Tally> {
        let mut mint = Mint::new(self.seed, stage.tokens.clone());
        let mut cast = Cast::new(&mut mint, &self.account, self.region, stage.start);
        let mut planned: Vec<&Event> = self.planned.iter().collect();
        planned.sort_by_key(|event| event.time);
        let mut planned = planned.into_iter().peekable();
        let mut tally = Tally::default();
        let mut open = Open {
            json: Json(HEAD.to_owned()),
            records: 0,
            last: stage.start,
            again: Vec::new(),
        };
        for n in 0..self.count {
            let jitter = mint.rng.below(1 << 20) as f64 / f64::from(1 << 20);
            let share = (n as f64 + jitter) / self.count as f64;
            // Services report late by different amounts, so neighbors are out of order.
            let late = mint.rng.below(240) as i64;
            let time = stage.moment(share).plus(-late).max(stage.start);
            while let Some(event) = planned.next_if(|event| event.time <= time) {
                self.add(event, &mut open, &mut mint, options, &mut tally)?;
            }
            let event = mix::next(&mut mint, &mut cast, time);
            self.add(&event, &mut open, &mut mint, options, &mut tally)?;
        }
        for event in planned {
            self.add(event, &mut open, &mut mint, options, &mut tally)?;
        }
        for record in std::mem::take(&mut open.again) {
            repeat(&mut open.json, &record);
            tally.duplicates += 1;
        }
        self.close(&mut open, &mut mint, options, &mut tally)?;
        Ok(tally)
    }

    fn add(
        &self,
        event: &Event,
        open: &mut Open,
        mint: &mut Mint,
        options: &Options,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let from = open.json.0.len();
        event.write(&mut open.json);
        if options.duplicates > 0 && mint.rng.below(100) < u64::from(options.duplicates) {
            let record = open.json.0[from..].trim_start_matches(',').to_owned();
            open.again.push(record);
        }
        open.records += 1;
        open.last = open.last.max(event.time);
        tally.records += 1;
        if open.records >= options.events_per_file {
            let again = std::mem::take(&mut open.again);
            self.close(open, mint, options, tally)?;
            for record in again {
                repeat(&mut open.json, &record);
                tally.duplicates += 1;
            }
        }
        Ok(())
    }

    /// Writes the file, if it holds anything, and starts the next.
    fn close(
        &self,
        open: &mut Open,
        mint: &mut Mint,
        options: &Options,
        tally: &mut Tally,
    ) -> io::Result<()> {
        if open.json.0.len() == HEAD.len() {
            return Ok(());
        }
        open.json.0.push_str("]}");
        let stamp = open.last.plus(100 + mint.rng.below(350) as i64);
        let suffix = mint.rng.file_suffix();
        let key = log_key(None, &self.account, self.region, stamp, &suffix);
        let path = options.out.join(key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let bytes = gzip(open.json.0.as_bytes(), LEVEL)?;
        fs::write(path, &bytes)?;
        tally.files += 1;
        tally.json_bytes += open.json.0.len() as u64;
        tally.gzip_bytes += bytes.len() as u64;
        open.json.0.clear();
        open.json.0.push_str(HEAD);
        open.records = 0;
        Ok(())
    }
}

fn repeat(json: &mut Json, record: &str) {
    if json.0.len() > HEAD.len() {
        json.0.push(',');
    }
    json.0.push_str(record);
}
