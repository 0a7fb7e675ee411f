//! Federated principals: OIDC providers, sign-in providers, Cognito and SAML.

use std::collections::BTreeSet;

use super::codes::{Code, Verdict};
use super::conditions::{Conditions, EXTERNAL_ID, MFA_KEYS, Reach, SOURCE_KEYS, TENANT_KEYS, Test};
use super::context::{Standing, TrustContext};
use super::grade::{Grade, Raised};
use super::issuers::{COGNITO, Issuer, SIGN_IN_PROVIDERS, SubjectForm, Tenancy, find_issuer};
use super::subjects::{Scope, has_recyclable_names, scope};
use crate::finding::Severity;
use crate::policy::pattern::{Arn, has_wildcard, matches};

/// The call that opens a role for a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    AssumeRole,
    WithWebIdentity,
    WithSaml,
}

impl Call {
    pub const ALL: [Self; 3] = [Self::AssumeRole, Self::WithWebIdentity, Self::WithSaml];

    pub fn action(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::WithWebIdentity => "sts:AssumeRoleWithWebIdentity",
            Self::WithSaml => "sts:AssumeRoleWithSAML",
        }
    }
}

/// The call that fits a value of the `Federated` member.
pub(super) fn call_of(value: &str) -> Call {
    if value.contains(":saml-provider/") {
        Call::WithSaml
    } else {
        Call::WithWebIdentity
    }
}

/// One value of the `Federated` member.
pub(super) fn grade_federated(
    value: &str,
    conditions: &Conditions,
    context: &TrustContext,
) -> Grade {
    if value == "*" {
        return grade_any_provider(Call::WithWebIdentity, conditions, context);
    }
    if has_wildcard(value) {
        return Grade::with(Verdict::None, Code::T40, value);
    }
    let arn = Arn::parse(value);
    let resource = arn.map_or(value, |arn| arn.resource);
    let grade = if let Some(provider) = resource.strip_prefix("oidc-provider/") {
        grade_oidc(provider, value, conditions, context)
    } else if resource.starts_with("saml-provider/") && arn.is_some() {
        match unusable(conditions, "saml") {
            Some(test) => Grade::dead(&test.rendered),
            None => grade_saml(value, conditions),
        }
    } else if arn.is_none() && value.contains('.') {
        // Built-in providers are named by host. Others need an ARN, but the attempt still shows what
        // was meant.
        grade_oidc(value, value, conditions, context)
    } else {
        return Grade::dead(value);
    };
    match arn.map(|arn| arn.account) {
        Some(account) if grade.verdict != Verdict::None && is_foreign(account, context) => {
            let mut grade = grade.and(Raised::new(Code::T27, value));
            if context.standing(account) != Standing::Sibling {
                grade.verdict = grade.verdict.min(Verdict::ExternalUntrusted);
            }
            grade
        }
        Some(_) | None => grade,
    }
}

fn is_foreign(account: &str, context: &TrustContext) -> bool {
    match context.account() {
        Some(own) => own != account,
        None => !context.own_accounts.is_empty() && !context.own_accounts.contains(account),
    }
}

/// The bare star with a federated action: any provider, unless the claims that are tested can come
/// from one provider only.
pub(super) fn grade_any_provider(
    call: Call,
    conditions: &Conditions,
    context: &TrustContext,
) -> Grade {
    if let Some(test) = absent_key(conditions) {
        return Grade::dead(&test.rendered);
    }
    let open = Grade::with(Verdict::FederatedOpen, Code::T25, call.action());
    if call == Call::WithSaml {
        return open;
    }
    let providers: BTreeSet<&str> = conditions
        .enforced()
        .filter_map(|test| claim_provider(&test.key))
        .collect();
    providers
        .into_iter()
        .map(|provider| grade_oidc(provider, provider, conditions, context))
        .reduce(Grade::better)
        .unwrap_or(open)
}

/// The provider in a claim's key (`gitlab.com:sub`); `None` for keys of AWS itself.
fn claim_provider(key: &str) -> Option<&str> {
    let (provider, _) = key.rsplit_once(':')?;
    let is_aws = provider.starts_with("aws:") || provider.starts_with("sts:");
    (!is_aws && provider.contains('.')).then_some(provider)
}

/// A test that keeps out every caller of this provider, because the key never comes with one.
fn unusable<'a>(conditions: &'a Conditions, provider: &str) -> Option<&'a Test> {
    absent_key(conditions).or_else(|| {
        conditions
            .enforced()
            .find(|test| claim_provider(&test.key).is_some_and(|other| other != provider))
    })
}

/// Keys that calls without AWS credentials never carry.
fn absent_key(conditions: &Conditions) -> Option<&Test> {
    conditions.demanded().find(|test| {
        let key = test.key.as_str();
        TENANT_KEYS.contains(&key)
            || SOURCE_KEYS.contains(&key)
            || MFA_KEYS.contains(&key)
            || key == EXTERNAL_ID
    })
}

fn grade_oidc(
    provider: &str,
    value: &str,
    conditions: &Conditions,
    context: &TrustContext,
) -> Grade {
    let provider = provider.to_ascii_lowercase();
    let provider = provider.trim_end_matches('/');
    if let Some(test) = unusable(conditions, provider) {
        return Grade::dead(&test.rendered);
    }
    if provider == COGNITO {
        return grade_cognito(value, conditions);
    }
    if let Some((_, claims)) = SIGN_IN_PROVIDERS.iter().find(|(host, _)| *host == provider) {
        return grade_sign_in(provider, claims, value, conditions);
    }
    let issuer = find_issuer(provider);
    let grade = match issuer.tenancy {
        Tenancy::Private => grade_private(provider, value, conditions),
        Tenancy::Subject => grade_shared(provider, issuer, value, conditions, context),
        Tenancy::Audience => {
            if restricts(conditions, provider, "aud") {
                let fixed = Scoped {
                    scope: Scope::Tenant,
                    value: value.to_owned(),
                };
                let scoped = subject_scope(provider, issuer, conditions).unwrap_or(fixed);
                grade_scope(&scoped.at_least(Scope::Tenant))
            } else {
                Grade::with(Verdict::FederatedOpen, Code::T16, value)
            }
        }
        Tenancy::SessionName => grade_session_name(value, conditions),
    };
    if issuer.chooses_audience && !restricts(conditions, provider, "aud") {
        let mut grade = grade.and(Raised::new(Code::T20, value));
        grade.verdict = grade.verdict.min(Verdict::FederatedModerate);
        grade
    } else {
        grade
    }
}

/// Is the claim tested for something, so that a caller without it or with any value stays out?
fn restricts(conditions: &Conditions, provider: &str, claim: &str) -> bool {
    let key = format!("{provider}:{claim}");
    conditions
        .enforced_on(&key)
        .any(|test| !test.values.is_empty() && !test.values.contains(&Reach::Anything))
}

fn grade_cognito(value: &str, conditions: &Conditions) -> Grade {
    let mut grade = if restricts(conditions, COGNITO, "aud") {
        Grade::new(Verdict::FederatedScoped)
    } else {
        Grade::with(Verdict::FederatedOpen, Code::T23, value)
    };
    let key = format!("{COGNITO}:amr");
    let is_signed_in = |reach: &Reach| match reach {
        Reach::Nothing => true,
        Reach::Exact(text) | Reach::Pattern(text) => !matches(text, "unauthenticated"),
        Reach::Anything => false,
    };
    let signed_in = conditions
        .enforced_on(&key)
        .any(|test| !test.values.is_empty() && test.values.iter().all(is_signed_in));
    if !signed_in {
        grade.verdict = grade.verdict.min(Verdict::FederatedModerate);
        grade = grade.and(Raised::new(Code::T24, value));
    }
    grade
}

/// A sign-in provider that anybody can register with: the application's id is the tenant.
fn grade_sign_in(provider: &str, claims: &[&str], value: &str, conditions: &Conditions) -> Grade {
    if !claims
        .iter()
        .any(|claim| restricts(conditions, provider, claim))
    {
        return Grade::with(Verdict::FederatedOpen, Code::T25, value);
    }
    // Google's tokens are also for people and machines of one's own choice, so the subject counts;
    // with the other two every user of the application is meant.
    if provider == "accounts.google.com" && !restricts(conditions, provider, "sub") {
        return Grade::new(Verdict::FederatedModerate).and(Raised::with(
            Code::T16,
            Severity::Medium,
            value,
        ));
    }
    Grade::new(Verdict::FederatedScoped)
}

/// A provider of one tenant: the subject only chooses among one's own.
fn grade_private(provider: &str, value: &str, conditions: &Conditions) -> Grade {
    let key = format!("{provider}:sub");
    let subjects: Vec<&Test> = conditions
        .enforced_on(&key)
        .filter(|test| !test.values.is_empty() && !test.values.contains(&Reach::Anything))
        .collect();
    let is_pattern = |test: &&Test| {
        let mut reaches = test.values.iter();
        reaches.any(|reach| matches!(reach, Reach::Pattern(_)))
    };
    match subjects.first() {
        None => Grade::new(Verdict::FederatedModerate).and(Raised::with(
            Code::T16,
            Severity::Medium,
            value,
        )),
        Some(test) if subjects.iter().all(is_pattern) => {
            Grade::with(Verdict::FederatedModerate, Code::T19, &test.rendered)
        }
        Some(_) => Grade::new(Verdict::FederatedScoped),
    }
}

/// A provider whose subjects belong to all its customers.
fn grade_shared(
    provider: &str,
    issuer: Issuer,
    value: &str,
    conditions: &Conditions,
    context: &TrustContext,
) -> Grade {
    let Some(scoped) = subject_scope(provider, issuer, conditions) else {
        return Grade::with(Verdict::FederatedOpen, Code::T16, value);
    };
    let mut grade = grade_scope(&scoped);
    if scoped.scope < Scope::Project {
        return grade;
    }
    let key = format!("{provider}:sub");
    if issuer.form == SubjectForm::GitHub && !pins_ids(provider, conditions) {
        for subject in subjects(&key, conditions).filter(|subject| has_recyclable_names(subject)) {
            grade = grade.and(Raised::new(Code::T22, subject));
        }
    }
    let stranger =
        subjects(&key, conditions).find(|subject| !is_listed(provider, subject, context));
    if let Some(subject) = stranger {
        grade.verdict = grade.verdict.min(Verdict::FederatedWeak);
        grade = grade.and(Raised::new(Code::T18, subject));
    }
    grade
}

/// Entries hold issuer and subject, or the subject alone.
fn is_listed(provider: &str, subject: &str, context: &TrustContext) -> bool {
    let listed = &context.oidc_subjects;
    let named = format!("{provider} {subject}");
    listed.is_empty()
        || listed
            .iter()
            .any(|known| known == subject || matches(known, subject) || matches(known, &named))
}

/// Texts of the subject tests that count.
fn subjects<'a>(key: &'a str, conditions: &'a Conditions) -> impl Iterator<Item = &'a str> {
    conditions
        .enforced_on(key)
        .filter(|test| !test.values.contains(&Reach::Anything))
        .flat_map(|test| test.values.iter())
        .filter_map(|reach| match reach {
            Reach::Exact(text) | Reach::Pattern(text) => Some(text.as_str()),
            Reach::Nothing | Reach::Anything => None,
        })
}

/// Does a test fix ids, of the repository or in every subject it takes?
fn pins_ids(provider: &str, conditions: &Conditions) -> bool {
    let key = format!("{provider}:sub");
    let has_ids = |reach: &Reach| match reach {
        Reach::Nothing => true,
        Reach::Exact(text) | Reach::Pattern(text) => !has_recyclable_names(text),
        Reach::Anything => false,
    };
    let mut claims = ["repository_id", "repository_owner_id"].iter();
    let mut subjects = conditions.enforced_on(&key);
    claims.any(|claim| restricts(conditions, provider, claim))
        || subjects.any(|test| !test.values.is_empty() && test.values.iter().all(has_ids))
}

/// A scope and the value that decided it.
struct Scoped {
    scope: Scope,
    value: String,
}

impl Scoped {
    fn at_least(mut self, scope: Scope) -> Self {
        self.scope = self.scope.max(scope);
        self
    }
}

fn grade_scope(scoped: &Scoped) -> Grade {
    match scoped.scope {
        Scope::Open => Grade::with(Verdict::FederatedOpen, Code::T17, &scoped.value),
        Scope::Tenant => Grade::with(Verdict::FederatedWeak, Code::T18, &scoped.value),
        Scope::Project => Grade::with(Verdict::FederatedModerate, Code::T19, &scoped.value),
        Scope::Exact => Grade::new(Verdict::FederatedScoped),
    }
}

/// The narrowest of the tests, each as wide as its widest value; `None` if nothing tests the tenant.
fn subject_scope(provider: &str, issuer: Issuer, conditions: &Conditions) -> Option<Scoped> {
    let scopes = conditions.enforced().filter_map(|test| {
        let claim = test.key.strip_prefix(provider)?.strip_prefix(':')?;
        let of_value = |reach: &Reach| -> Option<Scoped> {
            let (Reach::Exact(text) | Reach::Pattern(text)) = reach else {
                return None;
            };
            let scope = match (claim, issuer.form) {
                ("sub", form) => scope(form, text),
                (claim, SubjectForm::GitHub) => github_claim_scope(claim, text)?,
                (_, SubjectForm::GitLab | SubjectForm::Segments) => return None,
            };
            Some(Scoped {
                scope,
                value: text.clone(),
            })
        };
        let live = test.values.iter().filter(|reach| **reach != Reach::Nothing);
        let scopes: Option<Vec<Scoped>> = live.map(of_value).collect();
        scopes?.into_iter().min_by_key(|scoped| scoped.scope)
    });
    scopes.max_by_key(|scoped| scoped.scope)
}

/// GitHub's other claims that tell tenants apart.
fn github_claim_scope(claim: &str, text: &str) -> Option<Scope> {
    let literal = !has_wildcard(text);
    let fixed = text.split(['*', '?']).next().unwrap_or_default();
    match claim {
        "repository" | "repository_id" | "repository_owner_id" if literal => Some(Scope::Project),
        "job_workflow_ref" if literal || fixed.matches('/').count() >= 2 => Some(Scope::Project),
        "repository" | "job_workflow_ref" if fixed.contains('/') => Some(Scope::Tenant),
        "repository_owner" | "enterprise" | "enterprise_id" if literal => Some(Scope::Tenant),
        _ => None,
    }
}

/// The provider's customers are told apart by the name of the session they ask for.
fn grade_session_name(value: &str, conditions: &Conditions) -> Grade {
    let is_exact = |reach: &Reach| matches!(reach, Reach::Exact(_) | Reach::Nothing);
    let mut tests = conditions
        .enforced_on("sts:rolesessionname")
        .filter(|test| !test.values.is_empty() && !test.values.contains(&Reach::Anything))
        .peekable();
    if tests.peek().is_none() {
        return Grade::with(Verdict::FederatedOpen, Code::T16, value);
    }
    let first = tests.peek().map(|test| test.rendered.clone());
    if tests.any(|test| test.values.iter().all(is_exact)) {
        Grade::new(Verdict::FederatedScoped)
    } else {
        let rendered = first.unwrap_or_default();
        Grade::with(Verdict::FederatedOpen, Code::T17, &rendered)
    }
}

/// Without an audience an assertion for another recipient is taken too.
fn grade_saml(value: &str, conditions: &Conditions) -> Grade {
    if restricts(conditions, "saml", "aud") {
        Grade::new(Verdict::FederatedScoped)
    } else {
        Grade::with(Verdict::FederatedModerate, Code::T26, value)
    }
}
