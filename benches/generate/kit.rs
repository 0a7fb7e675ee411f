//! What both generators stand on: a seeded source of numbers and ids, UTC time without a clock, a
//! JSON writer that keeps the order of members, and gzip that gives the same bytes every time.
//!
//! JSON is written as text on purpose: CloudTrail's order of members matters for realism, and a map
//! type would sort them or cost an allocation per member in sets of a million events.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

/// splitmix64: one word of state, the same numbers from the same seed on every machine.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator whose numbers depend on a name, so that equal names always give equal ids.
    pub fn named(text: &str) -> Self {
        // FNV-1a; the first draw of splitmix64 then spreads the bits.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`. The bias of a plain product is far below anything a log shows.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    fn text(&mut self, alphabet: &[u8], len: usize) -> String {
        let mut text = String::with_capacity(len);
        for _ in 0..len {
            text.push(char::from(*self.pick(alphabet)));
        }
        text
    }

    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.draw(), self.draw());
        let mut hex = hex64(a);
        hex.push_str(&hex64(b));
        // Version 4, variant 1, as CloudTrail's own ids are.
        let variant = char::from(b"89ab"[(b >> 62) as usize]);
        format!(
            "{}-{}-4{}-{variant}{}-{}",
            &hex[0..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..32]
        )
    }

    /// The 16 random characters of a log file name.
    pub fn file_suffix(&mut self) -> String {
        self.text(ALNUM, 16)
    }

    /// The short upper-case request id that S3 uses in place of a UUID.
    pub fn s3_request(&mut self) -> String {
        self.text(BASE36, 16)
    }

    /// An access key id; `prefix` is `AKIA` (long-term) or `ASIA` (temporary). The last seven
    /// characters say that it is made up, so that nobody's secret scanner takes it for a real one.
    pub fn key(&mut self, prefix: &str) -> String {
        format!("{prefix}{}EXAMPLE", self.text(BASE32, 9))
    }
}

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE36: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &[u8; 16] = b"0123456789abcdef";

fn hex64(value: u64) -> String {
    let mut text = String::with_capacity(16);
    for shift in (0..16).rev() {
        text.push(char::from(HEX[(value >> (shift * 4)) as usize & 15]));
    }
    text
}

/// A unique id of IAM (`AIDA…` user, `AROA…` role), always the same for one account and name.
pub fn unique_id(prefix: &str, account: &str, name: &str) -> String {
    let mut rng = Rng::named(&format!("{prefix}/{account}/{name}"));
    format!("{prefix}{}", rng.text(BASE32, 17))
}

/// Session tokens: slices of one long random text. A text beyond gzip's window makes them as
/// incompressible as real ones, a short one keeps committed files small.
#[derive(Clone)]
pub struct Tokens {
    text: Arc<str>,
    len: usize,
}

impl Tokens {
    pub fn new(seed: u64, len: usize, text_len: usize) -> Self {
        Self {
            text: Rng::new(seed).text(ALNUM, text_len).into(),
            len,
        }
    }
}

/// Where ids come from: the numbers, and the session tokens.
pub struct Mint {
    pub rng: Rng,
    tokens: Tokens,
}

impl Mint {
    pub fn new(seed: u64, tokens: Tokens) -> Self {
        Self {
            rng: Rng::new(seed),
            tokens,
        }
    }

    pub fn token(&mut self) -> String {
        let Tokens { text, len } = &self.tokens;
        let start = self.rng.below((text.len() - len) as u64) as usize;
        format!("IQoJb3JpZ2luX2Vj{}==", &text[start..start + len])
    }
}

/// Seconds since 1970 in UTC, with the text forms that CloudTrail uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Time(pub i64);

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 86_400;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

impl Time {
    /// A moment of the proleptic Gregorian calendar (days from civil, Howard Hinnant's method).
    pub fn at(year: i64, month: i64, day: i64, clock: (i64, i64, i64)) -> Self {
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        Self(days * DAY + clock.0 * HOUR + clock.1 * 60 + clock.2)
    }

    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0 + seconds)
    }

    /// Year, month, day.
    pub fn date(self) -> (i64, i64, i64) {
        let z = self.0.div_euclid(DAY) + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        (year, month, doy - (153 * mp + 2) / 5 + 1)
    }

    /// Hour, minute, second.
    pub fn clock(self) -> (i64, i64, i64) {
        let s = self.0.rem_euclid(DAY);
        (s / HOUR, s / 60 % 60, s % 60)
    }

    /// `2025-03-06T01:55:02Z`, as in `eventTime`.
    pub fn iso(self) -> String {
        let ((y, m, d), (h, min, s)) = (self.date(), self.clock());
        format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}Z")
    }

    /// `20250306T0155Z`, as in names of log files.
    pub fn stamp(self) -> String {
        let ((y, m, d), (h, min, _)) = (self.date(), self.clock());
        format!("{y:04}{m:02}{d:02}T{h:02}{min:02}Z")
    }

    /// `2025/03/06`, the folders of a day.
    pub fn folders(self) -> String {
        let (y, m, d) = self.date();
        format!("{y:04}/{m:02}/{d:02}")
    }

    /// `Mar 6, 2025, 1:55:02 AM`, as IAM and STS print times inside responses.
    pub fn spoken(self) -> String {
        let ((y, m, d), (h, min, s)) = (self.date(), self.clock());
        let (half, hour) = (if h < 12 { "AM" } else { "PM" }, (h + 11) % 12 + 1);
        let month = MONTHS[m as usize - 1];
        format!("{month} {d}, {y}, {hour}:{min:02}:{s:02} {half}")
    }
}

/// Writes JSON text in the order it is told. Commas follow from the last byte written, so there is
/// no state to keep in step.
#[derive(Default)]
pub struct Json(pub String);

impl Json {
    /// The text of one object.
    pub fn object(fill: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::default();
        json.braces(fill);
        json.0
    }

    fn comma(&mut self) {
        if !matches!(
            self.0.as_bytes().last(),
            None | Some(b'{' | b'[' | b':' | b'\n')
        ) {
            self.0.push(',');
        }
    }

    fn key(&mut self, key: &str) {
        self.comma();
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    pub fn braces(&mut self, fill: impl FnOnce(&mut Json)) {
        self.comma();
        self.0.push('{');
        fill(self);
        self.0.push('}');
    }

    pub fn str(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        self.quoted(value);
        self
    }

    /// A member whose value is JSON text already.
    pub fn raw(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        self.0.push_str(value);
        self
    }

    pub fn obj(&mut self, key: &str, fill: impl FnOnce(&mut Json)) -> &mut Self {
        self.key(key);
        self.braces(fill);
        self
    }

    /// A list of objects given as JSON text.
    pub fn list(&mut self, key: &str, items: &[String]) -> &mut Self {
        self.key(key);
        self.0.push('[');
        self.0.push_str(&items.join(","));
        self.0.push(']');
        self
    }

    fn quoted(&mut self, value: &str) {
        self.0.push('"');
        if value.bytes().any(|b| b < 0x20 || b == b'"' || b == b'\\') {
            for c in value.chars() {
                match c {
                    '"' => self.0.push_str("\\\""),
                    '\\' => self.0.push_str("\\\\"),
                    '\n' => self.0.push_str("\\n"),
                    c if c < ' ' => {
                        // Writing to a String cannot fail.
                        let _ = write!(self.0, "\\u{:04x}", c as u32);
                    }
                    c => self.0.push(c),
                }
            }
        } else {
            self.0.push_str(value);
        }
        self.0.push('"');
    }
}

/// One gzip member with no name and no time in its header, so equal input gives equal bytes.
pub fn gzip(bytes: &[u8], level: u32) -> std::io::Result<Vec<u8>> {
    let sink = Vec::with_capacity(bytes.len() / 6);
    let mut encoder = flate2::GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(sink, flate2::Compression::new(level));
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The S3 key of a log file, from `AWSLogs` on. `org` is the organization id of an organization
/// trail.
pub fn log_key(org: Option<&str>, account: &str, region: &str, time: Time, suffix: &str) -> String {
    let org = org.map(|org| format!("{org}/")).unwrap_or_default();
    let (folders, stamp) = (time.folders(), time.stamp());
    format!(
        "AWSLogs/{org}{account}/CloudTrail/{region}/{folders}/{account}_CloudTrail_{region}_{stamp}_{suffix}.json.gz"
    )
}
