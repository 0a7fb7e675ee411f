//! The flags that choose a part of the evidence.

use clap::Args;

use crate::config::BaselineUntil;
use crate::ingest::SelectionRequest;
use crate::util::TimeBound;

/// Where help shows these flags.
const HEADING: &str = "Choice of logs";

/// Which part of the logs is read. Records that do not tell their time, account or region are kept.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SelectionFlags {
    /// From this time: RFC 3339, a UTC day (`2023-07-10`), or `T-7d`, which counts from the end of the newest day in the file names
    #[arg(long, value_name = "TIME", help_heading = HEADING)]
    from: Option<TimeBound>,
    /// Up to this time, in the same forms; a day counts whole
    #[arg(long, value_name = "TIME", help_heading = HEADING)]
    to: Option<TimeBound>,
    /// Only events that these accounts received; may be given several times
    #[arg(long, value_name = "ID", value_delimiter = ',', help_heading = HEADING)]
    account: Vec<String>,
    /// Only events of these regions; may be given several times
    #[arg(long, value_name = "REGION", value_delimiter = ',', help_heading = HEADING)]
    region: Vec<String>,
    /// Leave out files by path; a name without `/` is meant anywhere; may be given several times
    #[arg(long, value_name = "GLOB", help_heading = HEADING)]
    exclude: Vec<String>,
}

impl SelectionFlags {
    pub(super) fn request(&self) -> SelectionRequest {
        SelectionRequest {
            from: self.from,
            to: self.to,
            accounts: self.account.clone(),
            regions: self.region.clone(),
            exclude: self.exclude.clone(),
        }
    }
}

/// Where the hunt begins.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct BaselineFlag {
    /// Learn what is normal from the evidence before this moment, and report only what comes after it: RFC 3339, or a UTC day (`2023-07-10`), from its start [default: baseline_until of the lists]
    #[arg(long, value_name = "TIME")]
    pub(super) baseline_until: Option<BaselineUntil>,
}
