//! `record_time`: the times inside records, which services spell in many ways.
//!
//! STS writes the end of credentials as `Jul 10, 2023, 1:37:41 PM`, older records without the second
//! comma, newer Java releases with a narrow space before the `PM`. Times of sessions and IAM objects are
//! ISO 8601, extended or basic.

use chrono::{DateTime, NaiveDateTime};
use datafusion::logical_expr::ScalarUDF;

use super::text::{Body, Spec};

/// No spelling is longer; texts beyond it are not looked at.
const MAX_BYTES: usize = 64;

fn micros(text: &str) -> Option<i64> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let text = text.replace(['\u{202f}', '\u{a0}'], " ");
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    const FORMS: [&str; 6] = [
        "%b %d, %Y, %I:%M:%S %p",
        "%b %d, %Y %I:%M:%S %p",
        "%Y%m%dT%H%M%SZ",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%a %b %d %H:%M:%S UTC %Y",
    ];
    let time = FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    Some(time.and_utc().timestamp_micros())
}

pub(super) fn record_time() -> ScalarUDF {
    Spec {
        name: "record_time",
        parameters: &[("text", "a time as a record spells it")],
        description: "The time that a text inside a record means: `Jul 10, 2023, 1:37:41 PM` with and \
            without the second comma and with any kind of space, ISO 8601 in its extended and basic \
            form. Texts without a zone are UTC. NULL where the text is no time.",
        example: "record_time('Jul 10, 2023 1:37:41 PM') -- 2023-07-10T13:37:41Z",
        body: Body::Time(micros),
    }
    .into_udf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_means_the_same() {
        for text in [
            "Jul 10, 2023 1:37:41 PM",
            "Jul 10, 2023, 1:37:41 PM",
            "Jul 10, 2023, 1:37:41\u{202f}PM",
            "Jul 10, 2023, 01:37:41 PM",
            "2023-07-10T13:37:41Z",
            "2023-07-10T15:37:41+02:00",
            "2023-07-10T13:37:41",
            "20230710T133741Z",
            "Mon Jul 10 13:37:41 UTC 2023",
            " 2023-07-10 13:37:41 ",
        ] {
            assert_eq!(micros(text), Some(1_688_996_261_000_000), "{text}");
        }
        assert_eq!(
            micros("Jul 10, 2023, 12:00:01 AM"),
            micros("2023-07-10T00:00:01Z")
        );
    }

    #[test]
    fn other_texts_mean_none() {
        for text in ["", "Jul 32, 2023 1:00:00 PM", "soon", "1688996261"] {
            assert_eq!(micros(text), None, "{text}");
        }
        assert_eq!(micros(&"9".repeat(100_000)), None);
    }
}
