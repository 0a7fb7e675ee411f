//! What the name of a file says of the events in it.
//!
//! Only CloudTrail's own naming is believed: any other name may be anybody's.

use chrono::NaiveDate;

/// The folder that CloudTrail delivers into.
const ROOT: &str = "AWSLogs";

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
        // The last one: what is packed into a file has a path of its own behind the file's.
        let is_root = |at: usize| {
            let (before, after) = (&folders[..at], &folders[at + ROOT.len()..]);
            (before.is_empty() || before.ends_with('/')) && after.starts_with('/')
        };
        let roots = folders.rmatch_indices(ROOT).map(|(at, _)| at);
        let Some(at) = roots.into_iter().find(|at| is_root(*at)) else {
            return Self::default();
        };
        let mut parts = folders[at + ROOT.len() + 1..].split('/').peekable();
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

pub(super) fn is_account(text: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "111122223333_CloudTrail_eu-west-1_20230710T1145Z_x.json.gz";

    #[test]
    fn paths_say_day_account_and_region() {
        let check = |uri: &str, date: Option<&str>, account: Option<&str>, region: Option<&str>| {
            let expected = Place {
                day: date.map(days_since_1970),
                account,
                region,
            };
            assert_eq!(Place::of(uri), expected, "{uri}");
        };
        let (date, account, region) = (Some("2023-07-10"), Some("111122223333"), Some("eu-west-1"));
        check(FILE, date, account, region);
        check(&format!("/flat/{FILE}"), date, account, region);
        // The file's own name goes before the folders.
        let elsewhere = format!("/x/AWSLogs/444455556666/CloudTrail/us-east-1/2020/01/01/{FILE}");
        check(&elsewhere, date, account, region);
        let below = "AWSLogs/111122223333/CloudTrail/eu-west-1/2023/07/10/renamed.json";
        check(&format!("/e/{below}"), date, account, region);
        let organization = below.replace("AWSLogs/", "AWSLogs/o-abc123/");
        check(&organization, date, account, region);
        let packed = format!("/e/AWSLogs/444455556666/CloudTrail/us-east-1/all.zip!/{below}");
        check(&packed, date, account, region);
        check(
            "/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2023/07/10/\
             111122223333_CloudTrail-Digest_eu-west-1_main_us-east-1_20230710T110000Z.json.gz",
            date,
            account,
            region,
        );
        // Nobody's promise: a case's folder, a name that only looks so, a day that is none.
        check("/cases/2023/07/10/all.json", None, None, None);
        check(
            "/AWSLogs/other/CloudTrail/eu-west-1/2023/07/10/a.json",
            None,
            None,
            None,
        );
        check("/x/dump_20230710T1145Z.json", None, None, None);
        check(&FILE.replace("0710T", "0732T"), None, account, region);
        check(&FILE.replace("eu-west-1", "EU"), date, account, None);
        for odd in [
            "",
            "/",
            "-",
            "_",
            "AWSLogs",
            "AWSLogs/",
            "é_CloudTrail_é_éééééééé",
        ] {
            check(odd, None, None, None);
        }
    }

    fn days_since_1970(text: &str) -> i64 {
        i64::from(text.parse::<NaiveDate>().unwrap().to_epoch_days())
    }

    proptest! {
        #[test]
        fn any_name_is_read(name in "[AWSLogs/o1_CTrail\\-20é.Z]{0,60}") {
            let name = format!("AWSLogs/{name}");
            prop_assert!(Place::of(&name).day.is_none_or(|day| day < 3_000_000));
        }
    }
}
