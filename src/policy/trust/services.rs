//! Service principals and the confused deputy.
//!
//! A service that acts on requests of many customers can be told by a stranger to use the role, unless
//! the trust policy pins the source. Services that do not send the source, or that take the role only
//! through `iam:PassRole`, need no pin.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::codes::{Code, Verdict};
use super::conditions::{Conditions, MFA_KEYS, Reach, TENANT_KEYS, Test};
use super::context::TrustContext;
use super::grade::Grade;
use crate::policy::pattern::{Arn, has_wildcard};

const TABLE: &str = include_str!("../../../data/reference/services.toml");

/// The lists of `data/reference/services.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Services {
    #[serde(rename = "date")]
    _date: String,
    #[serde(rename = "source")]
    _source: String,
    /// Services that need no source pin.
    exempt: BTreeSet<String>,
    /// Services that send the source, so that a pin is expected. Services on neither list are treated
    /// the same, with a note: a pin that never matches shows at once, a missing one does not.
    pin_expected: BTreeSet<String>,
    /// Ends of service principal names, over all partitions.
    suffixes: Vec<String>,
}

static SERVICES: LazyLock<Services> =
    LazyLock::new(|| toml::from_str(TABLE).expect("a test reads the built-in table"));

const ROLES_ANYWHERE: &str = "rolesanywhere";

/// The service's name without suffix and Region; `None` if the text is no service principal.
pub(super) fn service_name(principal: &str) -> Option<String> {
    let lower = principal.to_ascii_lowercase();
    let mut suffixes = SERVICES.suffixes.iter();
    let name = suffixes.find_map(|suffix| lower.strip_suffix(suffix))?;
    let name = match name.rsplit_once('.') {
        Some((service, region)) if is_region(region) => service,
        Some(_) | None => name,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

/// Is it known whether this service needs a pin?
pub(super) fn is_listed(name: &str) -> bool {
    SERVICES.exempt.contains(name) || SERVICES.pin_expected.contains(name) || name == ROLES_ANYWHERE
}

/// Letters, at least one more word, and a number at the end: `eu-west-1`, `us-gov-east-1`.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    match words.as_slice() {
        [first, middle @ .., last] => {
            !middle.is_empty()
                && first.len() <= 4
                && middle
                    .iter()
                    .chain([first])
                    .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
                && !last.is_empty()
                && last.bytes().all(|b| b.is_ascii_digit())
        }
        [] | [_] => false,
    }
}

/// One value of the `Service` member.
pub(super) fn grade_service(
    principal: &str,
    conditions: &Conditions,
    context: &TrustContext,
) -> Grade {
    if principal == "*" {
        return unless_pinned(Code::T28, principal, conditions, context);
    }
    let Some(name) = service_name(principal) else {
        return Grade::dead(principal);
    };
    // Services belong to no tenant and have no second factor, so a test of one keeps them out. An
    // external id is no such test: Cognito, for one, presents the one it was given.
    let impossible = conditions.demanded().find(|test| {
        let key = test.key.as_str();
        TENANT_KEYS.contains(&key) || MFA_KEYS.contains(&key)
    });
    if let Some(test) = impossible {
        return Grade::dead(&test.rendered);
    }
    if name == ROLES_ANYWHERE {
        return grade_roles_anywhere(principal, conditions);
    }
    if SERVICES.exempt.contains(&name) {
        return Grade::new(Verdict::ServiceGuarded);
    }
    unless_pinned(Code::T28, principal, conditions, context)
}

fn unless_pinned(
    code: Code,
    value: &str,
    conditions: &Conditions,
    context: &TrustContext,
) -> Grade {
    if conditions
        .enforced()
        .any(|test| is_own_source(test, context))
    {
        Grade::new(Verdict::ServiceGuarded)
    } else {
        Grade::with(Verdict::ServiceUnguarded, code, value)
    }
}

/// Does the test pin the source to something of one's own? An account that nobody knows is no pin:
/// it is how a stranger would ask for the deputy.
fn is_own_source(test: &Test, context: &TrustContext) -> bool {
    let is_own = |account: &str| {
        let nothing_known = context.account().is_none() && context.own_accounts.is_empty();
        nothing_known || context.is_own_account(account)
    };
    let is_own_org = |path: &str| {
        let org = path.split('/').next().unwrap_or_default();
        !has_wildcard(org) && (context.own_org_ids.is_empty() || context.own_org_ids.contains(org))
    };
    let pins = |reach: &Reach| match (test.key.as_str(), reach) {
        (_, Reach::Nothing) => true,
        (_, Reach::Anything) => false,
        ("aws:sourceaccount", Reach::Exact(account)) => is_own(account),
        ("aws:sourcearn", Reach::Exact(text) | Reach::Pattern(text)) => {
            Arn::parse(text).is_some_and(|arn| match arn.account {
                // Bucket ARNs have no account; the resource itself has to be fixed then.
                "" => !arn.resource.starts_with(['*', '?']),
                account => is_own(account),
            })
        }
        ("aws:sourceorgid", Reach::Exact(org)) => is_own_org(org),
        ("aws:sourceorgpaths", Reach::Exact(path) | Reach::Pattern(path)) => is_own_org(path),
        _ => false,
    };
    !test.values.is_empty() && test.values.iter().all(pins)
}

/// Any certificate of any trust anchor of the account gets in, unless both are pinned.
fn grade_roles_anywhere(principal: &str, conditions: &Conditions) -> Grade {
    let has_anchor = conditions.enforced_on("aws:sourcearn").any(|test| {
        test.values.iter().all(|reach| match reach {
            Reach::Nothing => true,
            Reach::Exact(text) | Reach::Pattern(text) => {
                let anchor = text.split_once(":trust-anchor/").map(|(_, anchor)| anchor);
                anchor.is_some_and(|anchor| !anchor.is_empty() && !has_wildcard(anchor))
            }
            Reach::Anything => false,
        })
    });
    let has_subject = conditions.enforced().any(|test| {
        let is_certificate = ["x509subject/", "x509san/", "x509issuer/"]
            .iter()
            .any(|part| {
                test.key
                    .strip_prefix("aws:principaltag/")
                    .is_some_and(|tag| tag.starts_with(part))
            });
        is_certificate && !test.values.is_empty() && !test.values.contains(&Reach::Anything)
    });
    if has_anchor && has_subject {
        Grade::new(Verdict::ServiceGuarded)
    } else {
        Grade::with(Verdict::ServiceUnguarded, Code::T29, principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_its_lists_are_apart() {
        let services: Services = toml::from_str(TABLE).unwrap();
        assert!(services.exempt.is_disjoint(&services.pin_expected));
        assert!(services.exempt.contains("ec2") && services.pin_expected.contains("cloudtrail"));
        assert_eq!(service_name("ec2.amazonaws.com.cn").as_deref(), Some("ec2"));
        assert_eq!(
            service_name("logs.eu-west-1.amazonaws.com").as_deref(),
            Some("logs")
        );
        assert_eq!(service_name("ec2.example.com"), None);
    }
}
