//! Sizes in bytes, read and printed.

use std::fmt;
use std::str::FromStr;

/// A number of bytes, written as `1500`, `64K`, `512MiB`, `2g`: every unit is a power of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// The text was no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size (`512M`, `2GiB`)")]
pub struct UnknownSize(String);

impl FromStr for ByteSize {
    type Err = UnknownSize;

    fn from_str(text: &str) -> Result<Self, UnknownSize> {
        let wrong = || UnknownSize(text.to_owned());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit = unit.trim().to_ascii_lowercase();
        let power = match unit.trim_end_matches("ib").trim_end_matches('b') {
            "" => 0,
            "k" => 1,
            "m" => 2,
            "g" => 3,
            "t" => 4,
            _ => return Err(wrong()),
        };
        let bytes = 1024_u64
            .checked_pow(power)
            .and_then(|factor| number.checked_mul(factor))
            .filter(|bytes| *bytes > 0)
            .ok_or_else(wrong)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&human_bytes(self.0))
    }
}

/// Bytes for people: three digits or so, in powers of 1000 as disks and networks are sold.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else if value < 9.95 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(text.parse().ok(), expected.map(ByteSize), "{text}");
        };
        check("1500", Some(1500));
        check("64K", Some(65_536));
        check("512MiB", Some(536_870_912));
        check("2 gb", Some(2_147_483_648));
        for wrong in ["", "0", "-1", "1.5G", "10x", "MiB", "99999999999999T"] {
            check(wrong, None);
        }
    }

    #[test]
    fn sizes_are_printed_for_people() {
        let check = |bytes, expected| assert_eq!(human_bytes(bytes), expected);
        check(0, "0 B");
        check(999, "999 B");
        check(1_500, "1.5 kB");
        check(999_600, "1.0 MB");
        check(1_670_000_000, "1.7 GB");
        check(359_000_000, "359 MB");
    }
}
