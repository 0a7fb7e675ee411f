//! `base_event_name`: the name of a call without the version of its API.
//!
//! Lambda, CloudFront and others put the version of the API behind the name
//! (`UpdateFunctionCode20150331v2`), and change it.

use std::borrow::Cow;

use datafusion::logical_expr::ScalarUDF;

use super::text::{Body, Spec};

fn base(name: &str) -> Option<Cow<'_, str>> {
    // `v2` behind the date is part of the version; without a date it is part of the name.
    let dated = match name.rsplit_once('v') {
        Some((head, tail)) if !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()) => head,
        _ => name,
    };
    Some(without_date(dated).unwrap_or(name).into())
}

/// The text before a date of eight digits, written with or without underscores.
fn without_date(text: &str) -> Option<&str> {
    let bare = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let date = text.get(bare.len()..)?;
    let n_digits = date.bytes().filter(u8::is_ascii_digit).count();
    (n_digits == 8 && date.starts_with("20") && !bare.is_empty()).then_some(bare)
}

pub(super) fn base_event_name() -> ScalarUDF {
    Spec {
        name: "base_event_name",
        parameters: &[("eventname", "the name of a call, as in `eventname`")],
        description: "The name of a call without the version of its API, which some services put \
            behind it and change from time to time. Other names stay as they are.",
        example: "base_event_name('UpdateFunctionCode20150331v2') -- UpdateFunctionCode",
        body: Body::Text(base),
    }
    .into_udf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_cut() {
        for (name, expected) in [
            ("CreateFunction20150331", "CreateFunction"),
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("AddPermission20150331v2", "AddPermission"),
            ("CreateDistribution2020_05_31", "CreateDistribution"),
            ("GetDistribution2016_11_25", "GetDistribution"),
            ("AssumeRole", "AssumeRole"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("ListBuckets2", "ListBuckets2"),
            ("PutObject", "PutObject"),
            ("20150331", "20150331"),
            ("", ""),
        ] {
            assert_eq!(base(name).as_deref(), Some(expected), "{name}");
        }
    }
}
