//! The AWS managed policies that matter, by name.
//!
//! Tiers come from the stored text of the managed policies of spring 2026: which actions they allow on
//! every resource without a condition. They are data, `data/reference/managed-policies.toml`. A name counts only in an ARN whose account is `aws`, since
//! anybody may give a policy of their own the same name.

use std::sync::LazyLock;

use serde::Deserialize;

use super::pattern::{Arn, matches};

const TABLE: &str = include_str!("../../data/reference/managed-policies.toml");

/// The lists of `data/reference/managed-policies.toml`. Names may hold wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedPolicies {
    /// As of when.
    pub date: String,
    pub source: String,
    /// Everything, or every direct way to it.
    pub tier_1: Vec<String>,
    /// Can take more rights without `iam:*`.
    pub tier_2: Vec<String>,
    /// Broad data, or the means to switch the guards off.
    pub tier_3: Vec<String>,
    /// Policies that AWS or an administrator attaches to shut somebody off. An attachment means that a
    /// leaked key was seen; a detachment is a clean-up or an attacker.
    pub signals: Vec<String>,
}

static POLICIES: LazyLock<ManagedPolicies> =
    LazyLock::new(|| toml::from_str(TABLE).expect("a test reads the built-in table"));

impl ManagedPolicies {
    /// The built-in lists.
    pub fn built_in() -> &'static Self {
        &POLICIES
    }
}

/// An AWS managed policy that gives more than its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    pub name: String,
    /// 1: admin, 2: can escalate, 3: broad data or guard tampering.
    pub tier: u8,
}

/// The tier of an AWS managed policy; `None` for other policies and for harmless ones.
pub fn managed_policy(arn: &str) -> Option<ManagedPolicy> {
    let name = managed_name(arn)?;
    let lists = ManagedPolicies::built_in();
    let tiers = [&lists.tier_1, &lists.tier_2, &lists.tier_3];
    let tier = (1..).zip(tiers).find_map(|(tier, patterns)| {
        let mut patterns = patterns.iter();
        patterns
            .any(|pattern| matches(pattern, name))
            .then_some(tier)
    })?;
    Some(ManagedPolicy {
        name: name.to_owned(),
        tier,
    })
}

/// The name of a signal policy (`AWSDenyAll`, the key quarantines), if the ARN is one's.
pub fn signal_policy(arn: &str) -> Option<&str> {
    let signals = &ManagedPolicies::built_in().signals;
    managed_name(arn).filter(|name| signals.iter().any(|signal| signal == name))
}

/// The name of an AWS-owned policy, without its path, in any partition.
pub fn managed_name(arn: &str) -> Option<&str> {
    let arn = Arn::parse(arn)?;
    let path = arn.resource.strip_prefix("policy/")?;
    let is_aws = arn.service == "iam" && arn.account == "aws";
    let name = path.rsplit('/').next()?;
    (is_aws && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_its_lists_are_sorted_and_apart() {
        let lists: ManagedPolicies = toml::from_str(TABLE).unwrap();
        let all = [&lists.tier_1, &lists.tier_2, &lists.tier_3, &lists.signals];
        for list in all {
            assert!(!list.is_empty() && list.is_sorted(), "{list:?}");
        }
        let mut names: Vec<&String> = all.into_iter().flatten().collect();
        let n_names = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), n_names);
        assert!(!lists.date.is_empty() && !lists.source.is_empty());
    }

    #[test]
    fn tiers_need_an_aws_owned_arn() {
        for (arn, tier) in [
            ("arn:aws:iam::aws:policy/AdministratorAccess", Some(1)),
            ("arn:aws-cn:iam::aws:policy/IAMFullAccess", Some(1)),
            (
                "arn:aws-us-gov:iam::aws:policy/job-function/DataScientist",
                Some(2),
            ),
            (
                "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole",
                Some(2),
            ),
            (
                "arn:aws:iam::aws:policy/SageMakerStudioUserIAMPermissiveExecutionPolicy",
                Some(2),
            ),
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", Some(3)),
            ("arn:aws:iam::aws:policy/AWSHealthFullAccess", None),
            ("arn:aws:iam::111122223333:policy/AdministratorAccess", None),
            ("AdministratorAccess", None),
            ("arn:aws:iam::aws:policy/", None),
        ] {
            assert_eq!(managed_policy(arn).map(|policy| policy.tier), tier, "{arn}");
        }
    }

    #[test]
    fn signals_are_named() {
        let arn = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3";
        assert_eq!(signal_policy(arn), Some("AWSCompromisedKeyQuarantineV3"));
        assert_eq!(
            signal_policy("arn:aws:iam::aws:policy/AWSDenyAll"),
            Some("AWSDenyAll")
        );
        assert_eq!(
            signal_policy("arn:aws:iam::111122223333:policy/AWSDenyAll"),
            None
        );
    }
}
