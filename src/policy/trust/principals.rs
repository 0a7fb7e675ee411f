//! AWS principals: accounts, users, roles, sessions, unique ids and the wildcard.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::codes::{Code, Verdict};
use super::conditions::{Conditions, EXTERNAL_ID, Kind, Reach, SOURCE_KEYS, Test};
use super::context::{Standing, TrustContext};
use super::external_id::ExternalId;
use super::grade::{Grade, Raised};
use crate::finding::Severity;
use crate::policy::pattern::{Arn, has_wildcard, is_account_id, matches_everything};

/// Prefixes of unique ids that can stand for a principal: user, role, group, certificate.
const UNIQUE_ID_PREFIXES: [&str; 4] = ["AIDA", "AROA", "AGPA", "ASCA"];
/// Shortest text, in characters, that is taken for a unique id. IAM's own are longer; what looks like one
/// cut short still hides who is meant.
const MIN_UNIQUE_ID_CHARS: usize = 8;
/// Shortest network prefixes, in bits, that still say something about where a caller is: half the
/// address space twice is everybody.
const MIN_PREFIX_BITS_V4: u8 = 8;
const MIN_PREFIX_BITS_V6: u8 = 16;

/// Keys that say something about the caller, so that their negation means everybody but some.
fn is_principal_key(key: &str) -> bool {
    let is_about_services =
        key.starts_with("aws:principalisaws") || key.starts_with("aws:principalservice");
    key.starts_with("aws:principal") && !is_about_services
        || matches!(key, "aws:userid" | "aws:username")
}

/// What a statement's conditions do for AWS principals, worked out once per statement.
pub(super) struct AwsView<'a> {
    context: &'a TrustContext,
    /// The least exposed audience that one of the enforced tests leaves.
    binding: Option<Grade>,
    /// Accounts that enforced tests leave, where every value of one names one.
    accounts: Option<BTreeSet<String>>,
    external_id: ExternalId,
    /// A test that no AWS principal can pass.
    impossible: Option<String>,
    negated_principal: Option<String>,
    wildcard_account: Option<String>,
}

impl<'a> AwsView<'a> {
    pub fn new(conditions: &Conditions, context: &'a TrustContext) -> Self {
        let external_id = ExternalId::find(conditions, context);
        let for_services = conditions.tests.iter().any(is_service_only);
        let binding = conditions
            .enforced()
            .filter_map(|test| binding(test, context, &external_id))
            .chain(conditions.tests.iter().filter_map(network_binding))
            .chain(for_services.then(|| service_binding(conditions)))
            .reduce(Grade::better);
        let impossible = conditions
            .enforced()
            .find(|test| SOURCE_KEYS.contains(&test.key.as_str()) && !for_services)
            .or_else(|| conditions.dead_test())
            .map(|test| test.rendered.clone());
        let first = |wanted: &dyn Fn(&Test) -> bool| {
            let found = conditions.tests.iter().find(|test| wanted(test));
            found.map(|test| test.rendered.clone())
        };
        Self {
            context,
            binding,
            accounts: accounts(conditions),
            external_id,
            impossible,
            negated_principal: first(&|test| test.is_negated_text() && is_principal_key(&test.key)),
            wildcard_account: first(&|test| {
                test.is_positive_text()
                    && test.key == "aws:principalarn"
                    && test.values.iter().any(is_arn_of_any_account)
            }),
        }
    }

    /// Every AWS principal; `unbound` is the code if nothing narrows it.
    pub fn grade_everyone(&self, unbound: Code, value: &str) -> Grade {
        if let Some(test) = &self.impossible {
            return Grade::dead(test);
        }
        if let Some(grade) = &self.binding {
            return self.with_external_id_defect(grade.clone());
        }
        let mut grade = Grade::new(Verdict::Public);
        if let Some(test) = &self.wildcard_account {
            grade = grade.and(Raised::new(Code::T41, test));
        }
        if let Some(test) = &self.negated_principal {
            grade = grade.and(Raised::new(Code::T03, test));
        }
        if grade.raised.is_empty() || unbound != Code::T01 {
            grade = grade.and(Raised::new(unbound, value));
        }
        self.with_external_id_defect(grade)
    }

    /// One value of the `AWS` member other than the star.
    pub fn grade_named(&self, value: &str) -> Grade {
        let form = form(value);
        let (account, grade) = match form {
            Form::Everyone => return self.grade_everyone(Code::T01, value),
            Form::Refused => return Grade::with(Verdict::None, Code::T40, value),
            Form::Nonsense => return Grade::dead(value),
            Form::UniqueId => (
                None,
                Grade::with(Verdict::OpaquePrincipal, Code::T14, value),
            ),
            Form::Account(account) => (Some(account), self.grade_account(account, false, value)),
            Form::Principal(account) => (Some(account), self.grade_account(account, true, value)),
            Form::Session(account) => (
                Some(account),
                self.grade_account(account, true, value)
                    .and(Raised::new(Code::T15, value)),
            ),
        };
        if let Some(test) = &self.impossible {
            return Grade::dead(test);
        }
        if let (Some(accounts), Some(account)) = (&self.accounts, account)
            && !accounts.contains(account)
        {
            return Grade::dead(value);
        }
        match &self.binding {
            Some(binding) if binding.verdict > grade.verdict => binding.clone(),
            Some(_) | None => grade,
        }
    }

    fn grade_account(&self, account: &str, specific: bool, value: &str) -> Grade {
        grade_account(self.context, &self.external_id, account, specific, value)
    }

    fn with_external_id_defect(&self, grade: Grade) -> Grade {
        let defect = match &self.external_id {
            ExternalId::Guessable(text) => Raised::new(Code::T10, text),
            ExternalId::Optional(text) => Raised::new(Code::T11, text),
            ExternalId::Missing | ExternalId::Strong => return grade,
        };
        if is_outside(grade.verdict) && !grade.raised.contains(&defect) {
            grade.and(defect)
        } else {
            grade
        }
    }
}

/// Verdicts of AWS principals that are not one's own.
pub(super) fn is_outside(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Public
            | Verdict::PublicRestricted
            | Verdict::ExternalUntrusted
            | Verdict::ExternalUnguarded
            | Verdict::ExternalGuarded
            | Verdict::OpaquePrincipal
    )
}

enum Form<'a> {
    Everyone,
    Account(&'a str),
    Principal(&'a str),
    Session(&'a str),
    UniqueId,
    Refused,
    Nonsense,
}

/// True for values that mean every AWS principal.
pub(super) fn is_everyone(value: &str) -> bool {
    matches!(form(value), Form::Everyone)
}

/// The value as it is compared: the root of an account is its number.
pub(super) fn canonical<'a>(kind: &str, value: &'a str) -> &'a str {
    match form(value) {
        Form::Account(account) if kind == "AWS" => account,
        _ => value,
    }
}

fn form(value: &str) -> Form<'_> {
    if value == "*" {
        return Form::Everyone;
    }
    if is_account_id(value) {
        return Form::Account(value);
    }
    if is_unique_id(value) {
        return Form::UniqueId;
    }
    let Some(arn) = Arn::parse(value) else {
        return if has_wildcard(value) {
            Form::Refused
        } else {
            Form::Nonsense
        };
    };
    if arn.service == "iam" && arn.account == "*" && arn.resource == "root" {
        return Form::Everyone;
    }
    if has_wildcard(value) {
        return Form::Refused;
    }
    let kind = arn.resource.split_once('/').map(|(kind, _)| kind);
    match (arn.service, kind) {
        ("iam", None) if arn.resource == "root" => Form::Account(arn.account),
        ("iam", Some("user" | "role")) => Form::Principal(arn.account),
        ("sts", Some("assumed-role" | "federated-user")) => Form::Session(arn.account),
        _ => Form::Nonsense,
    }
}

fn is_unique_id(value: &str) -> bool {
    value.len() >= MIN_UNIQUE_ID_CHARS
        && UNIQUE_ID_PREFIXES
            .iter()
            .any(|prefix| value.starts_with(prefix))
        && value.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn grade_account(
    context: &TrustContext,
    external_id: &ExternalId,
    account: &str,
    specific: bool,
    value: &str,
) -> Grade {
    let itself = specific && context.is_role_itself(value);
    let grade = match (context.standing(account), specific) {
        (Standing::Own | Standing::Sibling, true) => {
            Grade::with(Verdict::TrustedPrincipal, Code::T42, value)
        }
        (Standing::Own, false) => Grade::with(Verdict::TrustedAccount, Code::T12, value),
        (Standing::Sibling, false) => Grade::with(Verdict::TrustedAccount, Code::T13, value),
        (Standing::Vendor, _) => return grade_vendor(external_id, value),
        (Standing::Unknown, specific) => {
            let code = if specific { Code::T08 } else { Code::T07 };
            let grade = Grade::with(Verdict::ExternalUntrusted, code, value);
            return match external_id {
                ExternalId::Guessable(text) => grade.and(Raised::new(Code::T10, text)),
                ExternalId::Optional(text) => grade.and(Raised::new(Code::T11, text)),
                ExternalId::Missing | ExternalId::Strong => grade,
            };
        }
    };
    if itself {
        grade.and(Raised::new(Code::T37, value))
    } else {
        grade
    }
}

fn grade_vendor(external_id: &ExternalId, value: &str) -> Grade {
    match external_id {
        ExternalId::Strong => Grade::new(Verdict::ExternalGuarded),
        ExternalId::Missing => Grade::with(Verdict::ExternalUnguarded, Code::T09, value),
        ExternalId::Guessable(text) => Grade::with(Verdict::ExternalUnguarded, Code::T10, text),
        ExternalId::Optional(text) => Grade::with(Verdict::ExternalUnguarded, Code::T11, text),
    }
}

/// The audience that one enforced text test leaves of everybody; `None` if it binds nobody.
fn binding(test: &Test, context: &TrustContext, external_id: &ExternalId) -> Option<Grade> {
    match test.key.as_str() {
        "aws:principalorgid" => widest(test, |reach| match reach {
            Reach::Exact(org) => Some(grade_org(context, org, test)),
            Reach::Nothing | Reach::Pattern(_) | Reach::Anything => None,
        }),
        "aws:principalorgpaths" => widest(test, |reach| match reach {
            Reach::Exact(path) | Reach::Pattern(path) => {
                let org = path.split('/').next().unwrap_or_default();
                (!has_wildcard(org)).then(|| grade_org(context, org, test))
            }
            Reach::Nothing | Reach::Anything => None,
        }),
        "aws:principalaccount" => widest(test, |reach| match reach {
            Reach::Exact(id) => Some(grade_account(context, external_id, id, false, id)),
            Reach::Nothing | Reach::Pattern(_) | Reach::Anything => None,
        }),
        "aws:principalarn" => widest(test, |reach| {
            let (arn, account) = arn_with_account(reach, test.kind)?;
            let specific = !Arn::parse(arn).is_some_and(|arn| matches_everything(arn.resource));
            Some(grade_account(context, external_id, account, specific, arn))
        }),
        "aws:userid" => widest(test, |reach| match reach {
            Reach::Exact(id) | Reach::Pattern(id) => {
                let unique = id.split([':', '*', '?']).next().unwrap_or_default();
                is_unique_id(unique).then(|| Grade::with(Verdict::OpaquePrincipal, Code::T14, id))
            }
            Reach::Nothing | Reach::Anything => None,
        }),
        "aws:sourcevpc" | "aws:sourcevpce" => widest(test, |reach| match reach {
            Reach::Exact(_) => Some(Grade::new(Verdict::PublicRestricted).and(Raised::with(
                Code::T02,
                Severity::Medium,
                &test.rendered,
            ))),
            Reach::Nothing | Reach::Pattern(_) | Reach::Anything => None,
        }),
        EXTERNAL_ID => match external_id {
            ExternalId::Strong | ExternalId::Guessable(_) => Some(Grade::with(
                Verdict::PublicRestricted,
                Code::T02,
                &test.rendered,
            )),
            ExternalId::Missing | ExternalId::Optional(_) => None,
        },
        _ => None,
    }
}

/// The widest value decides; dead values let nobody in, a value that binds nobody undoes the test.
fn widest(test: &Test, mut grade: impl FnMut(&Reach) -> Option<Grade>) -> Option<Grade> {
    let mut worst: Option<Grade> = None;
    for reach in test.values.iter().filter(|reach| **reach != Reach::Nothing) {
        let grade = grade(reach)?;
        worst = Some(match worst {
            Some(worst) => worst.worse(grade),
            None => grade,
        });
    }
    worst
}

fn grade_org(context: &TrustContext, org: &str, test: &Test) -> Grade {
    if context.own_org_ids.contains(org) {
        Grade::with(Verdict::OrgWide, Code::T04, &test.rendered)
    } else {
        Grade::with(Verdict::ExternalUntrusted, Code::T05, &test.rendered)
    }
}

/// The ARN and its account, if the account cannot be anything else.
fn arn_with_account(reach: &Reach, kind: Kind) -> Option<(&str, &str)> {
    let (Reach::Exact(text) | Reach::Pattern(text)) = reach else {
        return None;
    };
    let arn = Arn::parse(text)?;
    // Under StringLike a star runs across colons, so one before the account can hide another account
    // in the path of a role.
    let before = [arn.partition, arn.service, arn.region];
    if kind != Kind::Arn && before.iter().any(|part| part.contains('*')) {
        return None;
    }
    arn.account_id().map(|account| (text.as_str(), account))
}

fn is_arn_of_any_account(reach: &Reach) -> bool {
    match reach {
        Reach::Exact(text) | Reach::Pattern(text) => {
            Arn::parse(text).is_none_or(|arn| has_wildcard(arn.account)) && has_wildcard(text)
        }
        Reach::Nothing | Reach::Anything => false,
    }
}

/// The accounts that enforced tests of account or ARN leave.
fn accounts(conditions: &Conditions) -> Option<BTreeSet<String>> {
    let sets = conditions.enforced().filter_map(|test| {
        let live = test.values.iter().filter(|reach| **reach != Reach::Nothing);
        let account = |reach: &Reach| match (test.key.as_str(), reach) {
            ("aws:principalaccount", Reach::Exact(id)) => Some(id.clone()),
            ("aws:principalarn", reach) => {
                arn_with_account(reach, test.kind).map(|(_, account)| account.to_owned())
            }
            _ => None,
        };
        let set: Option<BTreeSet<String>> = live.map(account).collect();
        set.filter(|set| !set.is_empty())
    });
    sets.reduce(|a, b| a.intersection(&b).cloned().collect())
}

fn network_binding(test: &Test) -> Option<Grade> {
    let is_network = test.kind == Kind::IpAddress
        && test.key == "aws:sourceip"
        && !test.negated
        && !test.if_exists
        && test.quantifier != super::conditions::Quantifier::ForAll
        && !test.values.is_empty()
        && test.values.iter().all(is_narrow_network);
    is_network.then(|| Grade::with(Verdict::PublicRestricted, Code::T02, &test.rendered))
}

fn is_narrow_network(reach: &Reach) -> bool {
    let Reach::Exact(text) = reach else {
        return false;
    };
    let (address, bits) = text
        .split_once('/')
        .map_or((text.as_str(), None), |(a, b)| {
            (a, Some(b.parse::<u8>().unwrap_or(0)))
        });
    match address.parse() {
        Ok(IpAddr::V4(_)) => bits.is_none_or(|bits| bits >= MIN_PREFIX_BITS_V4),
        Ok(IpAddr::V6(_)) => bits.is_none_or(|bits| bits >= MIN_PREFIX_BITS_V6),
        Err(_) => false,
    }
}

fn is_service_only(test: &Test) -> bool {
    let flag = test.kind == Kind::Bool
        && test.key == "aws:principalisawsservice"
        && !test.if_exists
        && test.is_flag("true");
    let name = test.is_positive_text()
        && !test.if_exists
        && test.key == "aws:principalservicename"
        && test
            .values
            .iter()
            .all(|reach| matches!(reach, Reach::Exact(_)));
    flag || name
}

fn service_binding(conditions: &Conditions) -> Grade {
    let pinned = conditions.enforced().any(|test| {
        SOURCE_KEYS.contains(&test.key.as_str()) && !test.values.contains(&Reach::Anything)
    });
    if pinned {
        Grade::new(Verdict::ServiceGuarded)
    } else {
        Grade::with(Verdict::ServiceUnguarded, Code::T28, "*")
    }
}
