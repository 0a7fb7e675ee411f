//! Identity providers: which are shared by all their customers, and what tells the tenants apart.

use std::sync::LazyLock;

use serde::Deserialize;

const TABLE: &str = include_str!("../../../data/reference/oidc-issuers.toml");

/// The grammar of a provider's subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SubjectForm {
    /// `repo:OWNER/REPO:…`, also with ids: `repo:OWNER@1/REPO@2:…`.
    #[serde(rename = "github")]
    GitHub,
    /// `project_path:GROUP/PROJECT:ref_type:…:ref:…`.
    #[serde(rename = "gitlab")]
    GitLab,
    /// Names and values in turn, parted by colons.
    Segments,
}

/// The claim that tells tenants apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tenancy {
    Subject,
    Audience,
    /// `sts:RoleSessionName` instead of a claim.
    SessionName,
    /// The whole provider belongs to one tenant.
    #[serde(skip)]
    Private,
}

/// What is known about an OIDC provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Issuer {
    pub form: SubjectForm,
    pub tenancy: Tenancy,
    /// The one who asks for a token chooses its audience.
    pub chooses_audience: bool,
}

/// One row of `data/reference/oidc-issuers.toml`: a provider with one URL for all customers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    /// Host and path in lower case.
    url: String,
    /// The URL goes on behind these words.
    #[serde(default)]
    prefix: bool,
    form: SubjectForm,
    tenancy: Tenancy,
    chooses_audience: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issuers {
    #[serde(rename = "date")]
    _date: String,
    #[serde(rename = "source")]
    _source: String,
    issuer: Vec<Shared>,
}

static ISSUERS: LazyLock<Issuers> =
    LazyLock::new(|| toml::from_str(TABLE).expect("a test reads the built-in table"));

/// Hosts of GitHub that serve one enterprise under a path of their own.
const GITHUB_HOST: &str = "token.actions.githubusercontent.com/";

/// What is known about the provider with this URL (host and path, lower case). A provider on no list
/// belongs to one tenant.
pub(super) fn find_issuer(url: &str) -> Issuer {
    let url = url.trim_end_matches('/');
    let is_url = |shared: &&Shared| {
        if shared.prefix {
            url.starts_with(&shared.url)
        } else {
            shared.url == url
        }
    };
    if let Some(known) = ISSUERS.issuer.iter().find(is_url) {
        return Issuer {
            form: known.form,
            tenancy: known.tenancy,
            chooses_audience: known.chooses_audience,
        };
    }
    Issuer {
        form: if url.starts_with(GITHUB_HOST) {
            SubjectForm::GitHub
        } else {
            SubjectForm::Segments
        },
        tenancy: Tenancy::Private,
        // A pod's service account token carries the audience that its manifest asks for.
        chooses_audience: url.starts_with("oidc.eks.") || url.starts_with(GITHUB_HOST),
    }
}

/// Sign-in providers that anybody can register with, and the claims that hold the application's id.
pub(super) const SIGN_IN_PROVIDERS: [(&str, &[&str]); 3] = [
    ("accounts.google.com", &["aud", "azp"]),
    ("www.amazon.com", &["app_id"]),
    ("graph.facebook.com", &["app_id"]),
];

/// The name of Cognito identity pools as a federated principal.
pub(super) const COGNITO: &str = "cognito-identity.amazonaws.com";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_names_each_provider_once() {
        let issuers: Issuers = toml::from_str(TABLE).unwrap();
        let mut urls: Vec<&str> = issuers.issuer.iter().map(|row| row.url.as_str()).collect();
        let n_urls = urls.len();
        assert!(
            urls.iter()
                .all(|url| *url == url.to_lowercase() && url.contains('.'))
        );
        urls.sort_unstable();
        urls.dedup();
        assert_eq!(urls.len(), n_urls);
        assert_eq!(find_issuer("gitlab.com/").form, SubjectForm::GitLab);
        assert_eq!(find_issuer("gitlab.mine.example").tenancy, Tenancy::Private);
    }
}
