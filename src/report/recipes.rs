//! Remediation recipes: the files under `sql/remediation/`, filled with a finding's own values.
//!
//! A recipe is a Markdown file with a title and the parts Console, CLI and boto3; its id is the
//! file's stem. Placeholders are minijinja expressions with a default, so a recipe also reads well
//! where a value is not known. Nothing is ever run.
//!
//! Always true: a value cannot leave its place. Values come from logs, and people paste the result
//! into a shell. In commands they pass the filter `sh`, in Python `py`, in SQL `sql`, inside JSON
//! documents `json` (and then `sh`), in prose `code`; a value that passes none of them is escaped as
//! Markdown text.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, Value};

use super::safe;
use crate::error::{Result, RuleError};
use crate::finding::Remediation;

/// The values a recipe may ask for, and what they are.
pub const VALUES: &[(&str, &str)] = &[
    ("access_key_id", "long-lived key of a user"),
    ("account_id", "the account to act in"),
    ("bad_version", "version id of a managed policy"),
    (
        "boundary_arn",
        "managed policy that was the role's boundary",
    ),
    ("client_id", "audience of an OpenID Connect provider"),
    ("event_time", "first event of the finding, RFC 3339"),
    ("function_name", "Lambda function"),
    ("holder_kind", "role, user or group that has a policy"),
    ("holder_name", "its name, without its path"),
    ("identity_user_id", "user id in Identity Center"),
    ("instance_id", "EC2 instance"),
    ("mfa_serial", "serial number or ARN of an MFA device"),
    (
        "missing_policy",
        "JSON policy of the refused actions on their resources",
    ),
    ("org_id", "the organization's id"),
    (
        "partition",
        "aws, aws-cn or aws-us-gov; taken from the other values' ARNs if not given",
    ),
    ("policy_arn", "managed policy"),
    ("policy_name", "inline policy"),
    ("previous_document", "JSON of the policy before the change"),
    ("previous_version", "version id of a managed policy"),
    ("profile_id", "profile of Roles Anywhere"),
    ("provider_arn", "identity provider"),
    (
        "provider_host",
        "issuer of an OpenID Connect provider, as in its condition keys",
    ),
    ("region", "where the trail, machine or provider is"),
    ("role_arn", "the role"),
    ("role_id", "unique id of the role (AROA…)"),
    ("role_name", "the role, without its path"),
    ("session_name", "name of one session of the role"),
    ("trail_arn", "the trail"),
    ("trail_name", "the trail"),
    ("trust_anchor_id", "trust anchor of Roles Anywhere"),
    ("user_name", "the IAM user, without its path"),
];

macro_rules! recipes {
    ($($id:literal),+ $(,)?) => {
        /// The bundled recipes: id and text.
        const RECIPES: &[(&str, &str)] = &[
            $(($id, include_str!(concat!("../../sql/remediation/", $id, ".md")))),+
        ];
    };
}

recipes![
    "cloudtrail-back-on",
    "compute-role",
    "contain-user",
    "correct-trust-policy",
    "grant-missing-permission",
    "harden-trust-statement",
    "identity-provider",
    "least-privilege",
    "mfa-for-user",
    "organization-guard-rails",
    "password-policy",
    "remove-permissions",
    "remove-role",
    "restore-boundary",
    "revoke-sessions",
    "root-account",
    "workforce-session",
];

/// The ids of the bundled recipes, sorted.
pub fn ids() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|(id, _)| *id)
}

/// The title of the recipe with this id, as written: without values.
pub fn title(id: &str) -> Option<&'static str> {
    let (_, text) = RECIPES.iter().find(|(known, _)| *known == id)?;
    text.lines().next()?.strip_prefix("# ")
}

/// What a recipe works on: it fits only a finding that has such a one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The role the finding is about.
    Role,
    /// An IAM user.
    User,
    /// A role, user or group that holds a policy.
    Holder,
    /// The account or the organization.
    Account,
}

/// What the recipe of this id works on.
pub fn target(id: &str) -> Target {
    match id {
        "contain-user" | "mfa-for-user" => Target::User,
        "remove-permissions" => Target::Holder,
        "compute-role"
        | "correct-trust-policy"
        | "grant-missing-permission"
        | "harden-trust-statement"
        | "least-privilege"
        | "remove-role"
        | "restore-boundary"
        | "revoke-sessions" => Target::Role,
        _ => Target::Account,
    }
}

/// The bundled recipes, ready to be filled.
pub struct Recipes {
    environment: Environment<'static>,
}

impl Recipes {
    /// Parses the bundled recipes.
    ///
    /// # Errors
    ///
    /// Where a recipe is no valid template; the tests keep that from happening.
    pub fn load() -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("sh", |text: String| {
            Value::from_safe_string(shell_word(&text))
        });
        environment.add_filter("py", |text: String| {
            Value::from_safe_string(python_text(&text))
        });
        environment.add_filter("sql", |text: String| {
            Value::from_safe_string(sql_text(&text))
        });
        environment.add_filter("json", |text: String| {
            Value::from_safe_string(json_text(&text))
        });
        environment.add_filter("code", |text: String| {
            Value::from_safe_string(code_span(&text))
        });
        environment.add_filter("compact", |text: String| compact_json(&text));
        environment.set_formatter(|out, _state, value| {
            let text = value.to_string();
            let text = if value.is_safe() {
                text
            } else {
                safe::markdown(&text).into_owned()
            };
            out.write_str(&text).map_err(minijinja::Error::from)
        });
        for (id, text) in RECIPES {
            environment
                .add_template(id, text)
                .map_err(|source| recipe_error(id, source))?;
        }
        Ok(Self { environment })
    }

    /// Fills a recipe. Values not given show as a placeholder in capitals; empty ones count as not
    /// given.
    ///
    /// # Errors
    ///
    /// Where there is no recipe of that id.
    pub fn render(&self, id: &str, values: &BTreeMap<String, String>) -> Result<Remediation> {
        let template = self
            .environment
            .get_template(id)
            .map_err(|source| recipe_error(id, source))?;
        let mut known: BTreeMap<&str, &str> = values
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let partition = known.values().find_map(|value| partition(value));
        if let Some(partition) = partition {
            known.entry("partition").or_insert(partition);
        }
        let known: BTreeMap<String, Value> = known
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let text = template
            .render(Value::from(known))
            .map_err(|source| recipe_error(id, source))?;
        let (title, steps) = split_title(&text)
            .ok_or_else(|| RuleError::new(id, "the recipe has no `# Title` in its first line"))?;
        Ok(Remediation {
            id: id.to_owned(),
            title,
            account: None,
            steps,
        })
    }
}

fn recipe_error(id: &str, source: minijinja::Error) -> RuleError {
    RuleError {
        source: Some(Box::new(source)),
        ..RuleError::new(id, "the remediation recipe cannot be filled")
    }
}

fn split_title(text: &str) -> Option<(String, String)> {
    let (first, rest) = text.split_once('\n')?;
    let title = first.strip_prefix("# ")?;
    Some((title.to_owned(), rest.trim_start_matches('\n').to_owned()))
}

/// The partition of an ARN, if the text is one.
fn partition(text: &str) -> Option<&str> {
    let partition = text.strip_prefix("arn:")?.split(':').next()?;
    let plain = partition
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    (partition.starts_with("aws") && plain).then_some(partition)
}

/// One word of a POSIX shell that is exactly this text.
///
/// No AWS name holds control or invisible characters: they become visible escapes, so that the
/// command fails where the name was forged. The AWS CLI replaces `file://…` by the contents of the
/// reader's file; such a value is marked instead.
fn shell_word(text: &str) -> String {
    let text = safe::line(text);
    let lower = text.to_ascii_lowercase();
    let text = if lower.starts_with("file://") || lower.starts_with("fileb://") {
        format!("not-a-name:{text}")
    } else {
        text.into_owned()
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A Python string literal of exactly this text. JSON's escapes are Python's, save that Python does
/// not join the two halves of a character beyond U+FFFF.
fn python_text(text: &str) -> String {
    let mut out = String::new();
    for c in serde_json::Value::from(text).to_string().chars() {
        match u32::from(c) {
            code @ 0x1_0000.. => out.push_str(&format!("\\U{code:08x}")),
            _ => out.push(c),
        }
    }
    let mut bytes = Vec::new();
    safe::json(&out, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A SQL text literal on one line. No AWS name holds controls or invisible characters: they become
/// visible escapes, and the statement finds nothing.
fn sql_text(text: &str) -> String {
    format!("'{}'", safe::line(text).replace('\'', "''"))
}

/// A JSON string.
fn json_text(text: &str) -> String {
    let mut out = Vec::new();
    safe::json(&serde_json::Value::from(text).to_string(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// A Markdown code span.
fn code_span(text: &str) -> String {
    format!("`{}`", safe::line(text).replace('`', "'"))
}

/// JSON on one line; any other text as it is.
fn compact_json(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => value.to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
