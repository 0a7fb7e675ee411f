//! `denied_target`: what a refused call was about, read out of the error message.
//!
//! Calls to STS and IAM that authorization refuses are logged with null request parameters; the
//! target survives only in the message, in one of a few spellings.

use std::borrow::Cow;

use datafusion::logical_expr::ScalarUDF;

use super::text::{Body, Spec};

const LEAD: &str = "on resource: ";
/// Where the target ends and the reason begins.
const STOPS: [&str; 2] = [" because ", " with an explicit deny"];
/// How messages spell the kind, and how ARNs do.
const KINDS: [(&str, &str); 5] = [
    ("role ", "role/"),
    ("user ", "user/"),
    ("group ", "group/"),
    ("policy ", "policy/"),
    ("instance profile ", "instance-profile/"),
];

pub(super) fn target(message: &str) -> Option<Cow<'_, str>> {
    let (_, rest) = message.split_once(LEAD)?;
    let end = STOPS.iter().filter_map(|stop| rest.find(stop)).min();
    let text = rest[..end.unwrap_or(rest.len())].trim();
    if text.is_empty() || text == "*" {
        return None;
    }
    for (spelled, prefix) in KINDS {
        // The name may be missing: "user  because …".
        let Some(name) = text.strip_prefix(spelled).or_else(|| {
            let bare = spelled.trim_end();
            (text == bare).then_some("")
        }) else {
            continue;
        };
        // A policy may be given by ARN, and with "version v2" after it.
        let name = name.split_whitespace().next()?;
        return Some(if name.starts_with("arn:") {
            name.into()
        } else if name == "*" {
            return None;
        } else {
            format!("{prefix}{name}").into()
        });
    }
    Some(text.into())
}

pub(super) fn denied_target() -> ScalarUDF {
    Spec {
        name: "denied_target",
        parameters: &[("errormessage", "the error message of an event")],
        description: "What a refused call was about, from `… on resource: …` in its message: an ARN \
            as it stands, a name as `role/NAME`, `user/NAME`, `group/NAME`, `policy/NAME` or \
            `instance-profile/NAME`. NULL where the message names nothing or `*`.",
        example: "denied_target('User: x is not authorized to perform: iam:AttachRolePolicy on \
            resource: role app because no identity-based policy allows it') -- role/app",
        body: Body::Text(target),
    }
    .into_udf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_target() {
        let before =
            "User: arn:aws:sts::111122223333:assumed-role/a/s is not authorized to perform: x:Y ";
        let arn = "arn:aws:iam::111122223333:role/team/app";
        for (after, expected) in [
            (format!("on resource: {arn}"), Some(arn)),
            (format!("on resource: {arn} because no identity-based policy allows the x:Y action"), Some(arn)),
            (format!("on resource: {arn} with an explicit deny in a service control policy"), Some(arn)),
            ("on resource: role app because no session policy allows the x:Y action".into(), Some("role/app")),
            ("on resource: role app with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/p".into(), Some("role/app")),
            ("on resource: instance profile web because no permissions boundary allows it".into(), Some("instance-profile/web")),
            ("on resource: policy guard".into(), Some("policy/guard")),
            ("on resource: policy arn:aws:iam::111122223333:policy/guard version v3 because x".into(), Some("arn:aws:iam::111122223333:policy/guard")),
            ("on resource: user ann because x".into(), Some("user/ann")),
            ("on resource: group ops".into(), Some("group/ops")),
            ("on resource: arn:aws:s3:::bucket/a key with spaces because x".into(), Some("arn:aws:s3:::bucket/a key with spaces")),
            ("on resource: user  because x".into(), None),
            ("on resource: * because x".into(), None),
            ("on resource: *".into(), None),
            ("on resource: ".into(), None),
            ("on the specified resource".into(), None),
            (String::new(), None),
        ] {
            let message = format!("{before}{after}");
            assert_eq!(target(&message).as_deref(), expected, "{message}");
        }
    }
}
