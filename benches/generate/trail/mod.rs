//! A trail of any size for measuring: many accounts and regions over some weeks, the mix of a
//! working organization, and a pinch of attacks so that rules have something to find.
//!
//! Work is cut into lanes, one per account and region. A lane draws from its own seed and writes its
//! own files, so the bytes do not depend on the number of threads.

mod attacks;
mod cast;
mod lane;
mod mix;
mod plot;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::{fs, io};

use clap::Args;

use super::event::Event;
use super::kit::{DAY, Rng, Time, Tokens};
use lane::Lane;

/// What to make.
#[derive(Args, Clone)]
pub struct Options {
    /// Number of distinct events; duplicates come on top
    #[arg(long)]
    pub events: usize,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Folder to write `AWSLogs/…` into
    #[arg(long)]
    pub out: PathBuf,
    /// Events of a full file
    #[arg(long, default_value_t = 1_150, value_parser = clap::value_parser!(u32).range(1..))]
    pub events_per_file: u32,
    /// Days to spread over, from 2025-01-06
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3_650))]
    pub days: u16,
    /// Accounts of the organization
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub accounts: u16,
    /// Attacks to plant, so many of every kind, and as many harmless look-alikes. What was planted is
    /// told in `OUT.truth.jsonl`, and `OUT.lists.toml` names own accounts and a vendor. Rules learn
    /// what is normal in 14 days, so take 30 days or more
    #[arg(long, default_value_t = 0)]
    pub attacks: u16,
    /// Share of events that are delivered twice, in percent
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub duplicates: u8,
    /// Length of the random text that session tokens are cut from. The default is beyond the window
    /// of gzip; a compressor that sees more at once finds repeats that no real trail has
    #[arg(long, default_value_t = 1 << 18, value_parser = clap::value_parser!(u32).range(1 << 16..=1 << 30))]
    pub token_text_bytes: u32,
}

/// What was made.
#[derive(Default, Debug)]
pub struct Tally {
    pub files: u64,
    pub records: u64,
    pub duplicates: u64,
    pub json_bytes: u64,
    pub gzip_bytes: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.records += other.records;
        self.duplicates += other.duplicates;
        self.json_bytes += other.json_bytes;
        self.gzip_bytes += other.gzip_bytes;
    }
}

const REGIONS: [(&str, f64); 3] = [
    ("eu-west-1", 0.48),
    ("us-east-1", 0.34),
    ("us-west-2", 0.18),
];

/// When and where the events of a run happen.
pub struct Stage {
    pub accounts: Vec<String>,
    pub start: Time,
    pub tokens: Tokens,
    /// Relative load of every hour of the run, summed up from the start.
    load: Vec<f64>,
}

impl Stage {
    fn new(options: &Options) -> Self {
        // Relative load by hour of day (UTC): quiet nights, a dip at noon.
        const HOURS: [f64; 24] = [
            0.5, 0.45, 0.45, 0.5, 0.55, 0.6, 0.8, 1.1, 1.5, 1.7, 1.7, 1.6, 1.4, 1.6, 1.7, 1.6, 1.4,
            1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.55,
        ];
        let mut rng = Rng::new(options.seed ^ 0xacc0);
        let accounts = (0..options.accounts)
            .map(|_| (100_000_000_000 + rng.below(900_000_000_000)).to_string())
            .collect();
        let mut sum = 0.0;
        let load = (0..usize::from(options.days) * 24)
            .map(|hour| {
                let weekend = (hour / 24) % 7 >= 5;
                sum += HOURS[hour % 24] * if weekend { 0.55 } else { 1.0 };
                sum
            })
            .collect();
        Self {
            accounts,
            start: Time::at(2025, 1, 6, (0, 0, 0)),
            // As long as real ones, cut from a text larger than gzip's window of 32 KiB.
            tokens: Tokens::new(
                options.seed ^ 0x70c,
                1_200,
                options.token_text_bytes as usize,
            ),
            load,
        }
    }

    /// The moment at a share (0 to 1) of the run's load.
    fn moment(&self, share: f64) -> Time {
        let total = self.load.last().copied().unwrap_or(1.0);
        let at = share * total;
        let hour = self
            .load
            .partition_point(|&sum| sum <= at)
            .min(self.load.len() - 1);
        let before = if hour == 0 { 0.0 } else { self.load[hour - 1] };
        let within = (at - before) / (self.load[hour] - before);
        self.start
            .plus(hour as i64 * 3_600 + (within * 3_599.0) as i64)
    }

    pub fn end(&self) -> Time {
        self.start.plus(self.load.len() as i64 / 24 * DAY)
    }
}

/// Makes the trail.
///
/// # Errors
/// When a file cannot be written.
pub fn build(options: &Options) -> io::Result<Tally> {
    let stage = Stage::new(options);
    let lanes = lanes(options, &stage)?;
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> io::Result<()> {
                    while let Some(lane) = lanes.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let tally = lane.write(options, &stage)?;
                        if let Ok(mut total) = total.lock() {
                            total.add(&tally);
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a worker stopped early")))
        })
    })?;
    total
        .into_inner()
        .map_err(|_| io::Error::other("a worker stopped early"))
}

/// Shares the events out, most loaded lane first so that threads end together.
fn lanes(options: &Options, stage: &Stage) -> io::Result<Vec<Lane>> {
    let (mut plots, intrusions) = plot::plan(options, stage);
    if options.attacks > 0 {
        let mut plan = attacks::plan(options, stage);
        plots.append(&mut plan.events);
        plan.truth.extend(intrusions);
        if let Some(folder) = options.out.parent() {
            fs::create_dir_all(folder)?;
        }
        let truth = plan.truth.join("\n") + "\n";
        fs::write(options.out.with_extension("truth.jsonl"), truth)?;
        let lists = options.out.with_extension("lists.toml");
        fs::write(lists, attacks::lists(stage))?;
    }
    let planned = plots.len();
    let mut weights = Vec::new();
    for (n, account) in stage.accounts.iter().enumerate() {
        for (region, share) in REGIONS {
            weights.push((account, region, share / (n as f64 + 1.5).powf(0.8)));
        }
    }
    let total: f64 = weights.iter().map(|(_, _, weight)| weight).sum();
    let free = options.events.saturating_sub(planned);
    let mut lanes: Vec<Lane> = weights
        .into_iter()
        .enumerate()
        .map(|(n, (account, region, weight))| Lane {
            account: account.clone(),
            region,
            seed: Rng::new(options.seed ^ ((n as u64 + 1) << 32)).draw(),
            count: (free as f64 * weight / total) as usize,
            planned: Vec::new(),
        })
        .collect();
    let shared: usize = lanes.iter().map(|lane| lane.count).sum();
    // What rounding left over.
    lanes[0].count += free - shared;
    for event in plots {
        place(&mut lanes, event);
    }
    lanes.sort_by_key(|lane| std::cmp::Reverse(lane.count));
    Ok(lanes)
}

fn place(lanes: &mut [Lane], event: Event) {
    let home = lanes
        .iter_mut()
        .find(|lane| lane.account == event.account && lane.region == event.region);
    if let Some(lane) = home {
        lane.planned.push(event);
    }
}
