//! Parts of ARNs: `arn_account`, `arn_resource`, `role_name`.

use std::borrow::Cow;

use datafusion::logical_expr::ScalarUDF;

use super::text::{Body, Spec};
use crate::config::is_account_id;

/// Account field and resource of an ARN; `None` where the text is no ARN.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.splitn(6, ':');
    if parts.next()? != "arn" {
        return None;
    }
    let account = parts.nth(3)?;
    Some((account, parts.next()?))
}

fn account(text: &str) -> Option<Cow<'_, str>> {
    // Trust policies and AssumeRoot name an account by its bare id as well.
    if is_account_id(text) {
        return Some(text.into());
    }
    let (account, _) = split(text)?;
    (!account.is_empty()).then_some(account.into())
}

fn resource(text: &str) -> Option<Cow<'_, str>> {
    let (_, resource) = split(text)?;
    (!resource.is_empty()).then_some(resource.into())
}

fn role(text: &str) -> Option<Cow<'_, str>> {
    let resource = match split(text) {
        Some((_, resource)) => resource,
        None if text.contains('/') => text,
        None => return is_role_name(text).then_some(text.into()),
    };
    let mut parts = resource.split('/');
    let name = match parts.next()? {
        "role" => parts.next_back()?,
        // The ARN of a session keeps the role's name and drops its path.
        "assumed-role" => parts.next()?,
        _ => return None,
    };
    is_role_name(name).then_some(name.into())
}

/// The characters that IAM allows in a role's name, and `*` for patterns.
fn is_role_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_+=,.@-*".contains(c))
}

pub(super) fn arn_account() -> ScalarUDF {
    Spec {
        name: "arn_account",
        parameters: &[("arn", "an ARN, or a bare account id")],
        description: "The account field of an ARN (`aws` for what AWS itself owns). \
            NULL where the field is empty or the text is no ARN.",
        example: "arn_account('arn:aws:iam::111122223333:role/app') -- 111122223333",
        body: Body::Text(account),
    }
    .into_udf()
}

pub(super) fn arn_resource() -> ScalarUDF {
    Spec {
        name: "arn_resource",
        parameters: &[("arn", "an ARN")],
        description: "What stands after the account field of an ARN, with type and path. \
            NULL where the text is no ARN.",
        example: "arn_resource('arn:aws:iam::111122223333:role/team/app') -- role/team/app",
        body: Body::Text(resource),
    }
    .into_udf()
}

pub(super) fn role_name() -> ScalarUDF {
    Spec {
        name: "role_name",
        parameters: &[(
            "arn",
            "the ARN of a role or of a role session, `role/NAME`, or a name",
        )],
        description: "The name of a role without its path. Names are unique within an account \
            whatever the path, so account and name together identify a role. A plain name passes; \
            NULL for the ARN of anything else.",
        example: "role_name('arn:aws:sts::111122223333:assumed-role/app/session') -- app",
        body: Body::Text(role),
    }
    .into_udf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts() {
        for (text, expected) in [
            ("arn:aws:iam::111122223333:role/app", Some("111122223333")),
            ("arn:aws-cn:iam::111122223333:root", Some("111122223333")),
            ("111122223333", Some("111122223333")),
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", Some("aws")),
            ("arn:aws:s3:::bucket/key", None),
            ("arn:aws:iam", None),
            ("app", None),
            ("", None),
        ] {
            assert_eq!(account(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn resources() {
        for (text, expected) in [
            ("arn:aws:iam::111122223333:role/a/b", Some("role/a/b")),
            (
                "arn:aws:logs:us-east-1:1:log-group:g:s",
                Some("log-group:g:s"),
            ),
            ("arn:aws:iam::1:", None),
            ("role/a", None),
        ] {
            assert_eq!(resource(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn role_names() {
        for (text, expected) in [
            ("arn:aws:iam::111122223333:role/app", Some("app")),
            (
                "arn:aws:iam::111122223333:role/service-role/team/app",
                Some("app"),
            ),
            (
                "arn:aws:sts::111122223333:assumed-role/app/session",
                Some("app"),
            ),
            ("role/app", Some("app")),
            ("app", Some("app")),
            ("arn:aws:iam::111122223333:user/app", None),
            ("arn:aws:iam::111122223333:root", None),
            ("arn:aws:iam::111122223333:role/", None),
            ("user/app", None),
            ("AROAEXAMPLE:session", None),
            ("two words", None),
            ("", None),
        ] {
            assert_eq!(role(text).as_deref(), expected, "{text}");
        }
    }
}
