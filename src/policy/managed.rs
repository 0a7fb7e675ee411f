//! The AWS managed policies that matter, by name.
//!
//! Tiers come from the stored text of the managed policies of spring 2026: which actions they allow on
//! every resource without a condition. A name counts only in an ARN whose account is `aws`, since
//! anybody may give a policy of their own the same name.

use super::pattern::{Arn, matches};

/// Everything, or every direct way to it.
const TIER_1: [&str; 5] = [
    "AWSMcpServiceActionsFullAccess",
    "AWSOpsWorksRegisterCLI",
    "AdministratorAccess",
    "AdministratorAccess-Amplify",
    "IAMFullAccess",
];

/// Can take more rights without `iam:*`. Names may hold wildcards.
const TIER_2: [&str; 32] = [
    "AWSCloudFormationFullAccess",
    "AWSCodeBuildAdminAccess",
    "AWSCodeBuildDeveloperAccess",
    "AWSDataPipelineRole",
    "AWSElasticBeanstalkFullAccess",
    "AWSElasticBeanstalkService",
    "AWSGlueConsoleFullAccess",
    "AWSGlueServiceRole",
    "AWSLambdaFullAccess",
    "AWSLambda_FullAccess",
    "AWSOpsWorksFullAccess",
    "AWSOpsWorksRole",
    "AWSOrganizationsFullAccess",
    "AWSSSOMasterAccountAdministrator",
    "AWSSSOMemberAccountAdministrator",
    "AdministratorAccess-AWSElasticBeanstalk",
    "AmazonDynamoDBFullAccesswithDataPipeline",
    "AmazonEC2ContainerServiceFullAccess",
    "AmazonEC2FullAccess",
    "AmazonEC2SpotFleetRole",
    "AmazonECS_FullAccess",
    "AmazonElasticMapReduceFullAccess",
    "AmazonElasticMapReduceRole",
    "AmazonSSMAutomationRole",
    "AmazonSSMFullAccess",
    "AmazonSSMMaintenanceWindowRole",
    "AmazonSageMakerFullAccess",
    "DataScientist",
    "PowerUserAccess",
    "SageMakerStudio*DefaultExecution*",
    "SageMakerStudio*Permissive*",
    "SystemAdministrator",
];

/// Broad data, or the means to switch the guards off.
const TIER_3: [&str; 9] = [
    "AWSCloudTrail_FullAccess",
    "AWSKeyManagementServicePowerUser",
    "AWSSSODirectoryAdministrator",
    "AmazonDynamoDBFullAccess",
    "AmazonS3FullAccess",
    "ReadOnlyAccess",
    "SecretsManagerReadWrite",
    "SecurityAudit",
    "ViewOnlyAccess",
];

/// Policies that AWS or an administrator attaches to shut somebody off. An attachment means that a
/// leaked key was seen; a detachment is a clean-up or an attacker.
const SIGNALS: [&str; 4] = [
    "AWSCompromisedKeyQuarantine",
    "AWSCompromisedKeyQuarantineV2",
    "AWSCompromisedKeyQuarantineV3",
    "AWSDenyAll",
];

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
    let listed = |tier: &[&str]| tier.iter().any(|pattern| matches(pattern, name));
    let tier = if listed(&TIER_1) {
        1
    } else if listed(&TIER_2) {
        2
    } else if listed(&TIER_3) {
        3
    } else {
        return None;
    };
    Some(ManagedPolicy {
        name: name.to_owned(),
        tier,
    })
}

/// The name of a signal policy (`AWSDenyAll`, the key quarantines), if the ARN is one's.
pub fn signal_policy(arn: &str) -> Option<&str> {
    managed_name(arn).filter(|name| SIGNALS.contains(name))
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
