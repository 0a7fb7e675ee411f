//! The case's own knowledge: which accounts are ours, whom we trust, what is allowed.
//!
//! One TOML file (`spoor.toml`) holds it. Every list may be empty, and every default stands here
//! once. Rules see the lists as tables and the parameters as SQL parameters.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, FileError, Result};
use crate::util::TimeBound;

/// The file name looked for beside the lake and in the working directory.
pub const LISTS_FILE: &str = "spoor.toml";

/// Days of history that rules about "first seen" need before they speak.
pub const DEFAULT_BASELINE_DAYS: u32 = 14;

/// Role names that are strong by convention, as patterns with `*`: the organization's own
/// administration roles, Identity Center's administrator, and what people call such roles.
pub const DEFAULT_SENSITIVE_ROLES: [&str; 7] = [
    "OrganizationAccountAccessRole",
    "AWSControlTowerExecution",
    "stacksets-exec-*",
    "AWSReservedSSO_AdministratorAccess_*",
    "*admin*",
    "*breakglass*",
    "*root*",
];

/// The lists of a case.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lists {
    /// Account ids (12 digits) that belong to us. Empty: those the evidence was recorded in.
    pub own_accounts: Vec<String>,
    /// Our organizations' ids (`o-…`).
    pub own_org_ids: Vec<String>,
    /// Accounts of others that may take roles of ours.
    pub vendor_accounts: Vec<Vendor>,
    /// Role name patterns (`*` stands for any text, case does not matter). Empty: the built-in ones.
    pub sensitive_roles: Vec<String>,
    /// Role name patterns of emergency roles.
    pub break_glass_roles: Vec<String>,
    /// Patterns of principal keys that are pipelines and scanners.
    pub ci_principals: Vec<String>,
    /// Patterns of principal keys that create infrastructure as code.
    pub iac_principals: Vec<String>,
    /// Networks in CIDR form that people and workloads are expected from.
    pub known_networks: Vec<String>,
    /// Patterns of `issuer subject` of federated tokens that are expected.
    pub oidc_subjects: Vec<String>,
    /// SAML issuers that are expected.
    pub saml_issuers: Vec<String>,
    /// Regions in use.
    pub expected_regions: Vec<String>,
    /// Role to role steps that are normal.
    pub chain_allow: Vec<ChainStep>,
    /// Days of history that rules about "first seen" need.
    pub baseline_days: u32,
    /// What a password policy must ask for.
    pub password_baseline: PasswordBaseline,
    /// The evidence before this moment is known to be good: it is learned from, not reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_until: Option<BaselineUntil>,
    /// Findings that are known and accepted, each with its reason.
    pub allow: Vec<Allowance>,
    /// Settings of single rules, by rule id.
    pub rules: BTreeMap<String, RuleSettings>,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            own_accounts: Vec::new(),
            own_org_ids: Vec::new(),
            vendor_accounts: Vec::new(),
            sensitive_roles: Vec::new(),
            break_glass_roles: Vec::new(),
            ci_principals: Vec::new(),
            iac_principals: Vec::new(),
            known_networks: Vec::new(),
            oidc_subjects: Vec::new(),
            saml_issuers: Vec::new(),
            expected_regions: Vec::new(),
            chain_allow: Vec::new(),
            baseline_days: DEFAULT_BASELINE_DAYS,
            password_baseline: PasswordBaseline::default(),
            baseline_until: None,
            allow: Vec::new(),
            rules: BTreeMap::new(),
        }
    }
}

/// A moment that splits the evidence, in microseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "TimeText", into = "String")]
pub struct BaselineUntil(pub i64);

/// A time of TOML's own, or one in quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum TimeText {
    Text(String),
    Time(toml::value::Datetime),
}

/// The text is no moment that could split the evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a moment (`2023-07-10`, `2023-07-10T11:45:00Z`)")]
pub struct UnknownMoment(String);

impl FromStr for BaselineUntil {
    type Err = UnknownMoment;

    /// Reads a time or a day, which counts from its start; not one that is relative to the end of
    /// the evidence.
    fn from_str(text: &str) -> Result<Self, UnknownMoment> {
        let bound: Option<TimeBound> = text.parse().ok();
        let bound = bound.filter(|bound| !bound.is_relative());
        bound
            .map(|bound| Self(bound.first_micros(0)))
            .ok_or_else(|| UnknownMoment(text.to_owned()))
    }
}

impl TryFrom<TimeText> for BaselineUntil {
    type Error = UnknownMoment;

    fn try_from(text: TimeText) -> Result<Self, UnknownMoment> {
        match text {
            TimeText::Text(text) => text.parse(),
            TimeText::Time(time) => time.to_string().parse(),
        }
    }
}

impl From<BaselineUntil> for String {
    /// RFC 3339 in UTC.
    fn from(until: BaselineUntil) -> Self {
        let time = DateTime::from_timestamp_micros(until.0).unwrap_or_default();
        time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

/// What the account's password policy must ask for at least. The defaults are those of the CIS
/// benchmark for AWS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordBaseline {
    pub minimum_length: u32,
    /// How many former passwords may not come again.
    pub reuse_prevention: u32,
    pub require_uppercase: bool,
    pub require_lowercase: bool,
    pub require_numbers: bool,
    pub require_symbols: bool,
}

impl Default for PasswordBaseline {
    fn default() -> Self {
        Self {
            minimum_length: 14,
            reuse_prevention: 24,
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
        }
    }
}

/// An account of somebody else with business here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// 12 digits.
    pub account: String,
    #[serde(default)]
    pub name: String,
    #[serde(default = "yes")]
    pub external_id_required: bool,
    /// Role ARN patterns. Empty: any role.
    #[serde(default)]
    pub allowed_roles: Vec<String>,
}

/// A step from one role to another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChainStep {
    /// Role ARN pattern.
    pub from: String,
    /// Role ARN pattern.
    pub to: String,
}

/// A finding that is known and accepted. Absent patterns match everything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// Rule id pattern.
    pub rule: String,
    #[serde(default = "anything")]
    pub subject: String,
    #[serde(default = "anything")]
    pub actor: String,
    #[serde(default = "anything")]
    pub account: String,
    /// Why it is fine: printed beside what it suppressed.
    pub reason: String,
}

/// What a case changes in one rule.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Replaces every severity the rule gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Replaces defaults of the rule's parameters.
    pub params: BTreeMap<String, toml::Value>,
}

fn yes() -> bool {
    true
}

fn anything() -> String {
    "*".to_owned()
}

impl Lists {
    /// Reads the lists from a TOML text.
    ///
    /// # Errors
    ///
    /// The TOML reader's error with line and column; unknown keys and malformed account ids are
    /// errors, since a list that is silently ignored would hide findings.
    pub fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let lists: Self = toml::from_str(text)?;
        let vendors = lists.vendor_accounts.iter().map(|vendor| &vendor.account);
        for account in lists.own_accounts.iter().chain(vendors) {
            if !is_account_id(account) {
                return Err(ConfigError::Value {
                    value: account.clone(),
                    wanted: "an account id of 12 digits",
                }
                .into());
            }
        }
        for network in &lists.known_networks {
            if !is_network(network) {
                return Err(ConfigError::Value {
                    value: network.clone(),
                    wanted: "a network such as `203.0.113.0/24`, or an address",
                }
                .into());
            }
        }
        Ok(lists)
    }

    /// The lists as a TOML text, every one of them, which [`Lists::parse`] reads as the same value.
    ///
    /// # Errors
    ///
    /// Where a value of the lists has no form in TOML, which those that were read from TOML have.
    pub fn to_toml(&self) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        Ok(toml::to_string_pretty(self)?)
    }

    /// Reads the lists from a file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or as [`Lists::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(FileError::at("read", path))?;
        Ok(Self::parse(&text).map_err(|source| ConfigError::Lists {
            path: path.to_owned(),
            source,
        })?)
    }
}

/// Whether the text is an address, alone or with the number of bits of its network.
fn is_network(text: &str) -> bool {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

/// Whether the text is an AWS account id: 12 digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Lists::parse("").unwrap(), Lists::default());
    }

    #[test]
    fn a_whole_file_is_read() {
        let lists = Lists::parse(
            r#"
            own_accounts = ["111122223333"]
            baseline_days = 3
            [[vendor_accounts]]
            account = "444455556666"
            name = "Backup vendor"
            [[allow]]
            rule = "admin-policy-attached"
            subject = "*:role/bootstrap"
            reason = "landing zone"
            [rules.assume-role-denied-sweep.params]
            min_roles = 8
            "#,
        )
        .unwrap();
        assert_eq!(lists.baseline_days, 3);
        assert!(lists.vendor_accounts[0].external_id_required);
        assert_eq!(lists.allow[0].actor, "*");
        let params = &lists.rules["assume-role-denied-sweep"].params;
        assert_eq!(params["min_roles"], toml::Value::Integer(8));
    }

    #[test]
    fn a_baseline_ends_at_a_moment() {
        let day = "2025-03-05".parse();
        assert_eq!(day, Ok(BaselineUntil(1_741_132_800_000_000)));
        assert_eq!("2025-03-05T01:00:00+01:00".parse(), day);
        for text in ["", "yesterday", "T-7d", "2025-02-30"] {
            let error = text.parse::<BaselineUntil>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is not a moment")));
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let lists = Lists::parse(
            r#"
            own_accounts = ["111122223333"]
            baseline_until = "2025-03-01"
            chain_allow = [{ from = "a", to = "b" }]
            [[vendor_accounts]]
            account = "444455556666"
            [[allow]]
            rule = "*"
            reason = "a \"quoted\" one"
            [rules.assume-role-denied-sweep]
            severity = "low"
            params = { min_roles = 8 }
            "#,
        )
        .unwrap();
        for lists in [lists, Lists::default()] {
            let text = lists.to_toml().unwrap();
            assert_eq!(Lists::parse(&text).unwrap(), lists, "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_in_quotes_or_without() {
        for text in [
            "baseline_until = 2025-03-06",
            "baseline_until = '2025-03-06'",
            "baseline_until = 2025-03-06T00:00:00Z",
            "baseline_until = '2025-03-06T00:00:00Z'",
        ] {
            let until = Lists::parse(text).unwrap().baseline_until;
            assert_eq!(until, Some(BaselineUntil(1_741_219_200_000_000)), "{text}");
        }
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        for text in [
            "own_acounts = []",
            "own_accounts = [\"1234\"]",
            "own_accounts = 5",
            "known_networks = ['999.1.1.1/99']",
            "known_networks = ['203.0.113.0/33']",
            "known_networks = ['']",
            "baseline_until = 'soon'",
        ] {
            assert!(Lists::parse(text).is_err(), "{text}");
        }
    }
}
