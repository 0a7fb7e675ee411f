//! Identity providers: which are shared by all their customers, and what tells the tenants apart.

/// The grammar of a provider's subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubjectForm {
    /// `repo:OWNER/REPO:…`, also with ids: `repo:OWNER@1/REPO@2:…`.
    GitHub,
    /// `project_path:GROUP/PROJECT:ref_type:…:ref:…`.
    GitLab,
    /// Names and values in turn, parted by colons.
    Segments,
}

/// The claim that tells tenants apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tenancy {
    Subject,
    Audience,
    /// `sts:RoleSessionName` instead of a claim.
    SessionName,
    /// The whole provider belongs to one tenant.
    Private,
}

/// What is known about an OIDC provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Issuer {
    /// Host and path in lower case.
    pub url: &'static str,
    pub form: SubjectForm,
    pub tenancy: Tenancy,
    /// The one who asks for a token chooses its audience.
    pub chooses_audience: bool,
}

const fn issuer(
    url: &'static str,
    form: SubjectForm,
    tenancy: Tenancy,
    chooses_audience: bool,
) -> Issuer {
    Issuer {
        url,
        form,
        tenancy,
        chooses_audience,
    }
}

/// Providers with one URL for all customers. The source is AWS's table of identity provider controls
/// for shared OIDC providers.
const SHARED: [Issuer; 15] = {
    use SubjectForm::{GitHub, GitLab, Segments};
    use Tenancy::{Audience, SessionName, Subject};
    [
        issuer("token.actions.githubusercontent.com", GitHub, Subject, true),
        issuer(
            "vstoken.actions.githubusercontent.com",
            GitHub,
            Subject,
            true,
        ),
        issuer(
            "oidc-configuration.audit-log.githubusercontent.com",
            Segments,
            Subject,
            false,
        ),
        issuer("gitlab.com", GitLab, Subject, true),
        issuer("agent.buildkite.com", Segments, Subject, true),
        issuer("app.terraform.io", Segments, Subject, true),
        issuer("oidc.codefresh.io", Segments, Subject, false),
        issuer("studio.datachain.ai/api", Segments, Subject, false),
        issuer("scalr.io", Segments, Subject, true),
        issuer("tokens.cloud.shisho.dev", Segments, Subject, false),
        issuer("proidc.upbound.io", Segments, Subject, false),
        issuer("api.pulumi.com/oidc", Segments, Audience, false),
        issuer("sandboxes.cloud", Segments, Audience, false),
        issuer("oidc.vercel.com", Segments, Audience, false),
        issuer(
            "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d",
            Segments,
            SessionName,
            false,
        ),
    ]
};

/// Shared providers whose URL goes on behind these words (IBM Turbonomic).
const SHARED_PREFIXES: [&str; 1] = ["rh-oidc.s3.us-east-1.amazonaws.com/"];

/// Hosts of GitHub that serve one enterprise under a path of their own.
const GITHUB_HOST: &str = "token.actions.githubusercontent.com/";

/// What is known about the provider with this URL (host and path, lower case). A provider on no list
/// belongs to one tenant.
pub(super) fn find_issuer(url: &str) -> Issuer {
    let url = url.trim_end_matches('/');
    if let Some(known) = SHARED.into_iter().find(|known| known.url == url) {
        return known;
    }
    let is_shared = SHARED_PREFIXES.iter().any(|prefix| url.starts_with(prefix));
    Issuer {
        url: "",
        form: if url.starts_with(GITHUB_HOST) {
            SubjectForm::GitHub
        } else {
            SubjectForm::Segments
        },
        tenancy: if is_shared {
            Tenancy::Subject
        } else {
            Tenancy::Private
        },
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
