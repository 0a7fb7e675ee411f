//! Which part of the evidence a run takes in: a stretch of time, accounts, regions, and files left
//! out by name.
//!
//! Two decisions. Before a file is opened, its path may say that nothing in it can be wanted; only
//! CloudTrail's own naming is believed, and a day of slack is left on both sides, since files come
//! late. Then each record decides by its own time, account and region. What does not say (a record
//! without a time) is kept: it may be what is looked for.

use std::collections::BTreeSet;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::discover::{STDIN, Source};
use super::place::{Place, is_account};
use super::time::MICROS_PER_DAY;
use crate::error::{FileError, IngestError, Result};
use crate::util::TimeBound;

/// The regions that events of global services (IAM, STS, CloudFront …) name as theirs, in each of
/// AWS's partitions. Older trails deliver such events in the files of the region where the trail is,
/// so a file's region does not say that it has none of them.
const GLOBAL_EVENT_REGIONS: [&str; 4] =
    ["us-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1"];

/// What was asked for, before the evidence is known.
#[derive(Debug, Clone, Default)]
pub struct SelectionRequest {
    pub from: Option<TimeBound>,
    pub to: Option<TimeBound>,
    /// Twelve digits each; empty: all.
    pub accounts: Vec<String>,
    /// Empty: all.
    pub regions: Vec<String>,
    /// Globs of paths. One without `/` means a file or folder of that name anywhere.
    pub exclude: Vec<String>,
}

impl SelectionRequest {
    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        self.from.is_none()
            && self.to.is_none()
            && self.accounts.is_empty()
            && self.regions.is_empty()
            && self.exclude.is_empty()
    }

    /// The selection over these sources. Times relative to the end of the evidence count from the
    /// end of the newest day in their names.
    ///
    /// # Errors
    ///
    /// [`IngestError::Selection`] where a value is no account or glob, the stretch of time ends before
    /// it begins, or no name tells where the evidence ends.
    pub fn resolve(&self, sources: &[Source]) -> Result<Selection> {
        for account in &self.accounts {
            if !is_account(account) {
                let message = format!("`{account}` is not an account id");
                return Err(refused(message, Some("account ids have twelve digits")).into());
            }
        }
        let exclude = glob_set(&self.exclude)?;
        let is_relative = [self.from, self.to]
            .into_iter()
            .flatten()
            .any(TimeBound::is_relative);
        let wanted = sources
            .iter()
            .filter(|source| !exclude.is_match(&source.uri));
        let newest = wanted.filter_map(|source| Place::of(&source.uri).day).max();
        let end = match newest {
            Some(day) => (day + 1).saturating_mul(MICROS_PER_DAY) - 1,
            None if is_relative => {
                let message = "no file name tells where the evidence ends";
                let hint = "times like `T-7d` need CloudTrail's own file names; give a date";
                return Err(refused(message, Some(hint)).into());
            }
            None => 0,
        };
        let from_micros = self.from.map(|bound| bound.first_micros(end));
        let to_micros = self.to.map(|bound| bound.last_micros(end));
        if let (Some(from), Some(to)) = (from_micros, to_micros)
            && from > to
        {
            return Err(refused("`--to` is before `--from`", None).into());
        }
        Ok(Selection {
            from_micros,
            to_micros,
            accounts: self.accounts.iter().cloned().collect(),
            regions: self
                .regions
                .iter()
                .map(|region| region.to_lowercase())
                .collect(),
            exclude,
        })
    }
}

/// Which sources and records a run takes in. The default takes all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The first microsecond that is wanted.
    pub from_micros: Option<i64>,
    /// The last microsecond that is wanted.
    pub to_micros: Option<i64>,
    /// Empty: all.
    pub accounts: BTreeSet<String>,
    /// Empty: all.
    pub regions: BTreeSet<String>,
    /// Sources whose path matches are not wanted.
    pub exclude: GlobSet,
}

impl Selection {
    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        self.keeps_all_records() && self.exclude.is_empty()
    }

    /// Whether no record of a source that is read is left out.
    pub fn keeps_all_records(&self) -> bool {
        self.from_micros.is_none()
            && self.to_micros.is_none()
            && self.accounts.is_empty()
            && self.regions.is_empty()
    }

    /// False where the path says that nothing in the source can be wanted.
    pub fn wants_source(&self, source: &Source) -> bool {
        source.uri == STDIN || self.wants_uri(&source.uri)
    }

    /// The same by an address alone, also that of a file inside of another.
    pub fn wants_uri(&self, uri: &str) -> bool {
        let place = Place::of(uri);
        let in_time = place.day.is_none_or(|day| {
            let (first, last) = (day - 1, day + 2);
            let begins = self
                .to_micros
                .is_none_or(|to| first.saturating_mul(MICROS_PER_DAY) <= to);
            let ends = self
                .from_micros
                .is_none_or(|from| last.saturating_mul(MICROS_PER_DAY) > from);
            begins && ends
        });
        in_time
            && is_among(&self.accounts, place.account)
            && (self.wants_global_events() || is_among(&self.regions, place.region))
            && !self.exclude.is_match(uri)
    }

    fn wants_global_events(&self) -> bool {
        let mut regions = GLOBAL_EVENT_REGIONS.iter();
        regions.any(|region| self.regions.contains(*region))
    }

    /// Whether a record is wanted, by its own members. What a record does not say keeps it.
    pub fn keeps(
        &self,
        event_time: Option<i64>,
        recipient_account: Option<&str>,
        region: Option<&str>,
    ) -> bool {
        let in_time = event_time.is_none_or(|time| {
            self.from_micros.is_none_or(|from| from <= time)
                && self.to_micros.is_none_or(|to| time <= to)
        });
        in_time && is_among(&self.accounts, recipient_account) && is_among(&self.regions, region)
    }
}

fn is_among(wanted: &BTreeSet<String>, value: Option<&str>) -> bool {
    wanted.is_empty() || value.is_none_or(|value| wanted.contains(value))
}

/// Paths are matched whole, and so is everything below a folder that matches.
fn glob_set(patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let whole = if pattern.contains('/') {
            let rooted = std::path::absolute(pattern).map_err(FileError::at("find", pattern))?;
            rooted.to_string_lossy().into_owned()
        } else {
            format!("**/{pattern}")
        };
        for glob in [whole.clone(), format!("{whole}/**")] {
            set.add(glob_of(&glob, pattern)?);
        }
    }
    let failed = |source: globset::Error| IngestError::Glob {
        pattern: patterns.join(" "),
        source: source.into(),
    };
    Ok(set.build().map_err(failed)?)
}

fn glob_of(glob: &str, pattern: &str) -> Result<Glob> {
    let built = GlobBuilder::new(glob).literal_separator(true).build();
    Ok(built.map_err(|source| IngestError::Glob {
        pattern: pattern.to_owned(),
        source: source.into(),
    })?)
}

fn refused(message: impl Into<String>, hint: Option<&'static str>) -> IngestError {
    IngestError::Selection {
        message: message.into(),
        hint,
    }
}

#[cfg(test)]
mod tests;
