//! How records come to be in files: minutes late, some of them hours or a day, out of order, now and
//! then twice or in the log of another Region.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::super::event::Event;
use super::super::kit::{DAY, HOUR, Json, Rng, Time, gzip, log_key};

const EVENTS_PER_FILE: usize = 600;
const LEVEL: u32 = 5;
pub const REGIONS: [&str; 4] = ["eu-west-1", "us-east-1", "us-west-2", "ap-southeast-2"];

/// Day of delivery, account, Region.
type Lane = (i64, String, String);

pub struct Delivery {
    out: PathBuf,
    rng: Rng,
    lanes: BTreeMap<Lane, Vec<(Time, String)>>,
    pub files: u64,
    pub records: u64,
    pub duplicates: u64,
}

impl Delivery {
    pub fn new(out: &Path, seed: u64) -> Self {
        Self {
            out: out.to_owned(),
            rng: Rng::new(seed),
            lanes: BTreeMap::new(),
            files: 0,
            records: 0,
            duplicates: 0,
        }
    }

    pub fn add(&mut self, event: &Event) {
        let mut json = Json::default();
        event.write(&mut json);
        self.records += 1;
        let late = match self.rng.below(100) {
            0 => self.rng.below(DAY as u64) as i64,
            1..3 => self.rng.below(3 * HOUR as u64) as i64,
            _ => 60 + self.rng.below(400) as i64,
        };
        let time = event.time.plus(late);
        if self.rng.below(100) < 3 {
            self.duplicates += 1;
            let region = if self.rng.below(2) == 0 {
                self.rng.pick(&REGIONS)
            } else {
                event.region.as_str()
            };
            let again = time.plus(self.rng.below(2 * HOUR as u64) as i64);
            let lane = (
                again.0.div_euclid(DAY),
                event.account.clone(),
                region.to_owned(),
            );
            let copy = (again, json.0.clone());
            self.lanes.entry(lane).or_default().push(copy);
        }
        let lane = (
            time.0.div_euclid(DAY),
            event.account.clone(),
            event.region.clone(),
        );
        self.lanes.entry(lane).or_default().push((time, json.0));
    }

    /// Writes the files of all days before the one of `time`; nothing later than it may be added for
    /// them.
    pub fn flush_before(&mut self, time: Time) -> io::Result<()> {
        let day = time.0.div_euclid(DAY);
        let rest = self.lanes.split_off(&(day, String::new(), String::new()));
        let done = std::mem::replace(&mut self.lanes, rest);
        for ((_, account, region), records) in done {
            self.write(&account, &region, records)?;
        }
        Ok(())
    }

    pub fn finish(&mut self) -> io::Result<()> {
        self.flush_before(Time(i64::MAX))
    }

    fn write(
        &mut self,
        account: &str,
        region: &str,
        mut records: Vec<(Time, String)>,
    ) -> io::Result<()> {
        records.sort_by_key(|(time, _)| *time);
        for chunk in records.chunks_mut(EVENTS_PER_FILE) {
            let Some(&(last, _)) = chunk.last() else {
                continue;
            };
            // The order inside a file means nothing.
            for n in (1..chunk.len()).rev() {
                chunk.swap(n, self.rng.below(n as u64 + 1) as usize);
            }
            let texts: Vec<&str> = chunk.iter().map(|(_, text)| text.as_str()).collect();
            let text = format!("{{\"Records\":[{}]}}", texts.join(","));
            let key = log_key(None, account, region, last, &self.rng.file_suffix());
            let path = self.out.join(key);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, gzip(text.as_bytes(), LEVEL)?)?;
            self.files += 1;
        }
        Ok(())
    }
}
