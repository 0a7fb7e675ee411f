//! How much of a shared provider's subject a value fixes.

use super::issuers::SubjectForm;
use crate::policy::pattern::has_wildcard;

/// What of the subject is fixed. Ordered from nothing to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// Other tenants match too.
    Open,
    /// One tenant: owner, group, organization.
    Tenant,
    /// One project of the tenant, on any branch or in any environment.
    Project,
    /// One branch, environment or job.
    Exact,
}

/// The scope of one subject value; wildcards in it are patterns.
pub(super) fn scope(form: SubjectForm, subject: &str) -> Scope {
    match form {
        SubjectForm::GitHub => github_scope(subject),
        SubjectForm::GitLab => gitlab_scope(subject),
        SubjectForm::Segments => segments_scope(subject),
    }
}

/// `repo:OWNER/REPO:REST`, or a custom template that begins with another claim.
fn github_scope(subject: &str) -> Scope {
    let Some((claim, rest)) = subject.split_once(':') else {
        return literal_or_open(subject);
    };
    match claim {
        "repo" | "repository" => match path_scope(rest) {
            (Scope::Project, tail) => github_rest_scope(tail),
            (_, _) if !has_wildcard(rest) => Scope::Exact,
            (scope, _) => scope,
        },
        "repository_id" | "job_workflow_ref" if closes(rest) => github_rest_scope(tail(rest)),
        "repository_owner" | "repository_owner_id" | "enterprise" | "enterprise_id"
            if closes(rest) && has_wildcard(rest) =>
        {
            Scope::Tenant
        }
        _ => literal_or_open(subject),
    }
}

/// What follows the repository: exact once a branch, tag, environment or workflow is fixed.
fn github_rest_scope(rest: &str) -> Scope {
    if rest == "pull_request" {
        // Anybody who can open a pull request runs under this subject.
        return Scope::Project;
    }
    if !has_wildcard(rest) {
        return Scope::Exact;
    }
    let fixed = rest.split(['*', '?']).next().unwrap_or_default();
    let fixes_job = ["ref:", "environment:", "job_workflow_ref:"]
        .iter()
        .any(|claim| fixed.strip_prefix(claim).is_some_and(closes));
    if fixes_job {
        Scope::Exact
    } else {
        Scope::Project
    }
}

/// `project_path:GROUP/…/PROJECT:REST`.
fn gitlab_scope(subject: &str) -> Scope {
    if !has_wildcard(subject) {
        return Scope::Exact;
    }
    match subject.split_once(':') {
        // Groups and projects count as segments of their own, so that a group that a slash closes is one.
        Some(("project_path", rest)) => {
            by_literal_segments(1 + literal_segments(rest, &[':', '/']))
        }
        Some(_) | None => Scope::Open,
    }
}

/// `OWNER/PROJECT:REST`: how far it is free of wildcards, and the rest. The owner counts only if a
/// slash closes it, since `acme*` also matches the owner `acme-evil`.
fn path_scope(text: &str) -> (Scope, &str) {
    let fixed = text.split(['*', '?']).next().unwrap_or_default();
    if !fixed.contains('/') {
        return (Scope::Open, "");
    }
    if !fixed.contains(':') {
        return (Scope::Tenant, "");
    }
    (Scope::Project, tail(text))
}

fn segments_scope(subject: &str) -> Scope {
    if !has_wildcard(subject) {
        return Scope::Exact;
    }
    by_literal_segments(literal_segments(subject, &[':']))
}

/// Segments before the first one that has a wildcard.
fn literal_segments(text: &str, separators: &[char]) -> usize {
    text.split(separators)
        .take_while(|segment| !has_wildcard(segment))
        .count()
}

fn by_literal_segments(n_literal: usize) -> Scope {
    match n_literal {
        0 | 1 => Scope::Open,
        2 | 3 => Scope::Tenant,
        _ => Scope::Project,
    }
}

fn literal_or_open(subject: &str) -> Scope {
    if has_wildcard(subject) {
        Scope::Open
    } else {
        Scope::Exact
    }
}

/// Is the first value literal and ended by a colon?
fn closes(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(value, _)| !value.is_empty() && !has_wildcard(value))
}

fn tail(text: &str) -> &str {
    text.split_once(':').map_or("", |(_, tail)| tail)
}

/// Does a GitHub subject name owner and repository without their ids? Names can be taken over by
/// others once they are given up.
pub(super) fn has_recyclable_names(subject: &str) -> bool {
    let Some(rest) = subject.strip_prefix("repo:") else {
        return false;
    };
    let path = rest.split(':').next().unwrap_or_default();
    let has_id = |name: &str| {
        name.rsplit_once('@')
            .is_some_and(|(_, id)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    };
    path.split_once('/')
        .is_none_or(|(owner, repository)| !has_id(owner) || !has_id(repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_follow_the_providers_grammars() {
        use Scope::{Exact, Open, Project, Tenant};
        use SubjectForm::{GitHub, GitLab, Segments};
        for (form, subject, expected) in [
            (GitHub, "repo:*", Open),
            (GitHub, "repo:ac?e/app:*", Open),
            (GitHub, "repo:acme*", Open),
            (GitHub, "repo:acme/*", Tenant),
            (GitHub, "repo:acme/app*", Tenant),
            (GitHub, "repo:acme/*:ref:refs/heads/main", Tenant),
            (GitHub, "repo:acme/app:*", Project),
            (GitHub, "repo:acme/app:pull_request", Project),
            (GitHub, "repo:acme/app:ref:refs/heads/*", Project),
            (GitHub, "repo:acme/app:environment:prod*", Project),
            (GitHub, "repo:acme/app:environment:prod:*", Exact),
            (GitHub, "repo:acme/app:environment:prod", Exact),
            (GitHub, "repo:acme@1/app@2:*", Project),
            (GitHub, "repository_owner:acme:*", Tenant),
            (GitHub, "repository_id:17:*", Project),
            (GitHub, "actor:*", Open),
            (GitHub, "actor:someone", Exact),
            (GitLab, "project_path:*", Open),
            (GitLab, "project_path:acme*:ref:main", Open),
            (GitLab, "project_path:acme/*", Tenant),
            (GitLab, "project_path:acme/app:*", Tenant),
            (
                GitLab,
                "project_path:acme/*:ref_type:branch:ref:main",
                Tenant,
            ),
            (
                GitLab,
                "project_path:acme/app:ref_type:branch:ref:*",
                Project,
            ),
            (
                GitLab,
                "project_path:acme/app:ref_type:branch:ref:main",
                Exact,
            ),
            (Segments, "organization:*", Open),
            (Segments, "organization:acme:*", Tenant),
            (Segments, "organization:acme:project:*", Tenant),
            (Segments, "organization:acme:project:p:*", Project),
            (Segments, "organization:acme:project:p", Exact),
        ] {
            assert_eq!(scope(form, subject), expected, "{subject}");
        }
    }

    #[test]
    fn ids_make_names_safe_to_keep() {
        assert!(has_recyclable_names("repo:acme/app:*"));
        assert!(has_recyclable_names("repo:acme@1/app:*"));
        assert!(!has_recyclable_names("repo:acme@1/app@2:*"));
        assert!(!has_recyclable_names("repository_id:17:*"));
    }
}
