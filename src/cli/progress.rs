//! How an ingest goes on, on stderr: a bar on a terminal, warnings always, silence in a pipe.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ingest::{Progress, Reject, Summary};
use crate::report::safe;
use crate::util::human_bytes;

/// Of one source so many rejects are printed; all of them are in the table `rejects`.
const WARNINGS_PER_SOURCE: usize = 20;

/// The bar.
pub(super) struct Bar {
    bar: ProgressBar,
    quiet: bool,
    n_sources: AtomicU64,
    n_done: AtomicU64,
    warned: Mutex<HashMap<String, usize>>,
}

impl Bar {
    /// A bar that shows itself only where stderr is a terminal.
    pub(super) fn new(quiet: bool) -> Arc<Self> {
        let visible = std::io::stderr().is_terminal() && !quiet;
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Arc::new(Self {
            bar: ProgressBar::with_draw_target(None, target),
            quiet,
            n_sources: AtomicU64::new(0),
            n_done: AtomicU64::new(0),
            warned: Mutex::default(),
        })
    }

    /// Removes the bar and says what the run gave.
    pub(super) fn close(&self, summary: Option<&Summary>) {
        self.bar.finish_and_clear();
        if let Some(summary) = summary.filter(|_| !self.quiet) {
            say!("{}", sentence(summary));
        }
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| say!("{line}"));
    }
}

impl Progress for Bar {
    fn begin(&self, n_sources: u64, n_bytes: u64) {
        self.bar.set_length(n_bytes);
        self.n_sources.store(n_sources, Ordering::Relaxed);
        self.bar.set_message(format!("{n_sources} files"));
        let template = "{msg}  {wide_bar}  {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    fn advance(&self, n_bytes: u64, n_records: u64) {
        self.bar.inc(n_bytes);
        let n_done = self.n_done.fetch_add(1, Ordering::Relaxed) + 1;
        let n_sources = self.n_sources.load(Ordering::Relaxed);
        self.bar
            .set_message(format!("{n_done}/{n_sources} files  {n_records} records"));
    }

    fn reject(&self, uri: &str, reject: &Reject) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let n_warned = warned.entry(uri.to_owned()).or_default();
        *n_warned += 1;
        if *n_warned <= WARNINGS_PER_SOURCE {
            self.say(&format!(
                "warning: {}: record {} at byte {}: {}: {}",
                safe::line(uri),
                reject.record_index,
                reject.byte_offset,
                reject.reason,
                safe::line(&reject.detail),
            ));
        } else if *n_warned == WARNINGS_PER_SOURCE + 1 {
            self.say(&format!(
                "warning: {}: more like this, all in the table `rejects`",
                safe::line(uri)
            ));
        }
    }

    fn waiting(&self) {
        if !self.quiet {
            self.say("another process writes to this lake; waiting for it");
        }
    }
}

/// The totals in two lines, the second one an equation.
fn sentence(summary: &Summary) -> String {
    let seconds = summary.elapsed.as_secs_f64();
    let mb_per_second = summary.json_bytes as f64 / 1e6 / seconds.max(1e-9);
    let mut sources = format!("{} sources", summary.sources);
    for (n, what) in [
        (summary.sources_skipped, "read before"),
        (summary.sources_listed, "without events"),
        (summary.sources_rejected, "with rejects"),
    ] {
        if n > 0 {
            sources.push_str(&format!(", {n} {what}"));
        }
    }
    let conflicting = if summary.conflicting > 0 {
        format!(" ({} with a conflicting twin)", summary.conflicting)
    } else {
        String::new()
    };
    format!(
        "{sources}; {} ({} unpacked) in {seconds:.1} s, {mb_per_second:.0} MB/s\n\
         {} records read = {} written{conflicting} + {} duplicate + {} rejected",
        human_bytes(summary.stored_bytes),
        human_bytes(summary.json_bytes),
        summary.records_read,
        summary.rows_written,
        summary.duplicates,
        summary.rejected,
    )
}
