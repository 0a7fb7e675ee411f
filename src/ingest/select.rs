//! Which part of the evidence a run takes in: a stretch of time, accounts, regions, and files left
//! out by name.
//!
//! Two decisions. Before a file is opened, its path may say that nothing in it can be wanted; only
//! CloudTrail's own naming is believed, and a day of slack is left on both sides, since files come
//! late. Then each record decides by its own time, account and region. What does not say (a record
//! without a time) is kept: it may be what is looked for.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::discover::{STDIN, Source};
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
            .filter(|source| !exclude.is_match(&source.path));
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
        if source.uri == STDIN {
            return true;
        }
        let place = Place::of(&source.uri);
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
            && !self.exclude.is_match(&source.path)
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

/// What CloudTrail's naming says of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// Days since 1970.
    pub day: Option<i64>,
    pub account: Option<&'a str>,
    pub region: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// Reads a path: the file's name (`ACCOUNT_CloudTrail_REGION_20230710T1145Z_…`), and where that
    /// is another, the folders (`AWSLogs[/o-…]/ACCOUNT/CloudTrail/REGION/2023/07/10/…`). Other
    /// folders that look like days say nothing: they may be anybody's.
    pub fn of(uri: &'a str) -> Self {
        let (folders, name) = uri.rsplit_once('/').unwrap_or(("", uri));
        let (named, filed) = (Self::of_name(name), Self::of_folders(folders));
        Self {
            day: named.day.or(filed.day),
            account: named.account.or(filed.account),
            region: named.region.or(filed.region),
        }
    }

    fn of_name(name: &'a str) -> Self {
        let mut parts = name.split('_');
        let (Some(account), Some(service)) = (parts.next(), parts.next()) else {
            return Self::default();
        };
        if !is_account(account) || !is_service(service) {
            return Self::default();
        }
        let rest: Vec<&str> = parts.collect();
        Self {
            // A digest's name has the trail's name and its home region besides.
            day: rest.iter().find_map(|part| stamped_day(part)),
            account: Some(account),
            region: rest.first().copied().filter(|part| is_region(part)),
        }
    }

    fn of_folders(folders: &'a str) -> Self {
        let mut parts = folders.split('/').peekable();
        if !parts.by_ref().any(|part| part == "AWSLogs") {
            return Self::default();
        }
        parts.next_if(|part| part.starts_with("o-"));
        let Some(account) = parts.next().filter(|part| is_account(part)) else {
            return Self::default();
        };
        if !parts.next().is_some_and(is_service) {
            return Self::default();
        }
        let region = parts.next().filter(|part| is_region(part));
        let date = (parts.next(), parts.next(), parts.next());
        let day = match date {
            (Some(year), Some(month), Some(day)) if region.is_some() => {
                day_number(year, month, day)
            }
            _ => None,
        };
        Self {
            day,
            account: Some(account),
            region,
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `CloudTrail`, `CloudTrail-Digest`, `CloudTrail-Insight` and what may come.
fn is_service(text: &str) -> bool {
    text == "CloudTrail" || text.starts_with("CloudTrail-")
}

/// `eu-west-1`, `us-gov-east-1`.
fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let number = parts.next_back().unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let mut n_words = 0;
    let are_words = parts.all(|part| {
        n_words += 1;
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    is_number && are_words && n_words >= 2
}

/// The day of `20230710T1145Z`.
fn stamped_day(part: &str) -> Option<i64> {
    let stamp = part.strip_suffix('Z').unwrap_or(part);
    let (date, time) = stamp.split_once('T')?;
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if date.len() != 8 || !are_digits(date) || time.len() < 4 || !are_digits(time.get(..4)?) {
        return None;
    }
    day_number(&date[..4], &date[4..6], &date[6..])
}

/// Days since 1970, for four, two and two digits.
fn day_number(year: &str, month: &str, day: &str) -> Option<i64> {
    let number = |text: &str, length| {
        let fits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let year = i32::try_from(number(year, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day, 2)?)?;
    Some(i64::from(date.to_epoch_days()))
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
