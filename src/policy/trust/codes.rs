//! The codes and verdicts of a trust report: one table each, edited here only.

use std::fmt;

use crate::finding::Severity;

macro_rules! codes {
    ($($code:ident $severity:ident $meaning:literal $advice:literal;)*) => {
        /// What is noteworthy about a trust policy. The names are stable; rules select by them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $code,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// The name, such as `T07`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)* }
            }

            /// How bad it is unless the place where it was found says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)* }
            }

            /// What the code says, as half a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$code => $meaning,)* }
            }

            /// How to write the statement instead. `{org}`, `{account}` and `{id}` stand for the
            /// organization, the account and a fresh random value.
            pub(super) fn advice(self) -> &'static str {
                match self { $(Self::$code => $advice,)* }
            }
        }
    };
}

codes! {
    T00 Info "the document cannot be read"
        "Read the policy from IAM with `get-role` and check it there.";
    T01 Critical "wildcard principal and nothing that binds a tenant"
        r#"Name the principals, or add {"StringEquals":{"aws:PrincipalOrgID":"{org}"}} to the Condition."#;
    T02 High "wildcard principal behind an external id, an address or a VPC endpoint only"
        r#"Name the principals; a shared secret or a network is no identity. At least add {"StringEquals":{"aws:PrincipalOrgID":"{org}"}}."#;
    T03 Critical "wildcard principal with a negated principal test: everybody except"
        r#"Turn the test round: {"StringEquals":{"aws:PrincipalAccount":["{account}"]}}, or name the principals."#;
    T04 Low "wildcard principal bound to the own organization"
        r#"Narrow it further if not every account needs it: {"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"{org}/r-…/ou-…/*"}}."#;
    T05 High "wildcard principal bound to a foreign organization"
        r#"Replace the organization by the own one, {"StringEquals":{"aws:PrincipalOrgID":"{org}"}}, or list it as own if it is."#;
    T06 Critical "Allow with NotPrincipal: everybody else"
        r#"Replace NotPrincipal by the list of those who need the role: "Principal":{"AWS":["arn:aws:iam::{account}:role/NAME"]}."#;
    T07 High "account that is neither own nor an approved vendor's"
        r#"Remove the account, or list it as own or vendor and name one role of it with {"StringEquals":{"sts:ExternalId":"{id}"}}."#;
    T08 High "user or role of an account that is neither own nor an approved vendor's"
        r#"Remove the principal, or list its account as own or vendor; a vendor also needs {"StringEquals":{"sts:ExternalId":"{id}"}}."#;
    T09 Medium "vendor without an external id"
        r#"Add {"StringEquals":{"sts:ExternalId":"{id}"}} with a value that the vendor made for you."#;
    T10 Medium "external id that can be guessed"
        r#"Use a random value of at least 16 characters that the vendor gave to you alone: {"StringEquals":{"sts:ExternalId":"{id}"}}."#;
    T11 Medium "external id that is optional or may be anything"
        r#"Demand one value: {"StringEquals":{"sts:ExternalId":"{id}"}}, without IfExists and without a wildcard."#;
    T12 Info "root of the role's own account"
        r#"Nothing is wrong; to be narrower, name the role: "Principal":{"AWS":"arn:aws:iam::{account}:role/NAME"}."#;
    T13 Low "root of a sibling account"
        r#"Name the role of that account that needs it instead of the whole account."#;
    T14 Medium "unique id instead of an ARN"
        r#"Write the ARN of the principal; an id in a stored policy mostly means that the principal was deleted, so remove it."#;
    T15 Low "session principal: the session name can be chosen"
        r#"Trust the role, not the session: "Principal":{"AWS":"arn:aws:iam::{account}:role/NAME"}."#;
    T16 Critical "federated subject not tested"
        r#"Test the subject: {"StringEquals":{"ISSUER:sub":"the one subject"}}."#;
    T17 Critical "subject pattern that is open across tenants"
        r#"Fix the owner and close it with its separator, as in "repo:OWNER/REPO:environment:NAME" under StringEquals."#;
    T18 High "subject fixes only the tenant, or one that is not on the list"
        r#"Fix the project as well, as in "repo:OWNER/REPO:environment:NAME", and list the subject if it is yours."#;
    T19 Medium "subject fixes the project but not the branch, job or account"
        r#"Fix the branch, environment, job or service account under StringEquals."#;
    T20 Medium "audience not tested"
        r#"Add {"StringEquals":{"ISSUER:aud":"sts.amazonaws.com"}}, or the audience that your jobs ask for."#;
    T21 Low "wildcard under an operator that takes it literally"
        r#"Use StringLike (ArnLike for ARNs) where the wildcard is meant, or write the full value."#;
    T22 Info "names in the subject that can be recycled"
        r#"Use the immutable form with ids, "repo:OWNER@ID/REPO@ID:…", or add a test of repository_id."#;
    T23 Critical "Cognito without an identity pool"
        r#"Add {"StringEquals":{"cognito-identity.amazonaws.com:aud":"REGION:POOL-ID"}}."#;
    T24 Medium "Cognito guests let in, or guest state not tested"
        r#"Add {"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}."#;
    T25 Critical "public sign-in provider without an application id, or any provider at all"
        r#"Name the provider and test the application: {"StringEquals":{"accounts.google.com:aud":"CLIENT-ID"}} (app_id for Amazon and Facebook)."#;
    T26 Medium "SAML audience not tested"
        r#"Add {"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}."#;
    T27 High "identity provider of another account"
        r#"Use a provider of this account: "Federated":"arn:aws:iam::{account}:oidc-provider/HOST"."#;
    T28 Low "service without a source pin"
        r#"Add {"StringEquals":{"aws:SourceAccount":"{account}"},"ArnLike":{"aws:SourceArn":"arn:aws:SERVICE:*:{account}:*"}}."#;
    T29 Medium "Roles Anywhere without trust anchor and certificate subject"
        r#"Add {"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:REGION:{account}:trust-anchor/ID"},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"NAME"}}."#;
    T30 Medium "IfExists on a key that should restrict"
        r#"Use the operator without IfExists, so that a caller without the key is refused."#;
    T31 High "ForAllValues that is true when the key is absent"
        r#"Use the plain operator, or ForAnyValue for keys with several values."#;
    T32 High "Null true on a tenant key: selects the outsiders"
        r#"Demand the value: {"StringEquals":{"aws:PrincipalOrgID":"{org}"}}."#;
    T33 Medium "MFA test that long-term access keys pass"
        r#"In an Allow use {"Bool":{"aws:MultiFactorAuthPresent":"true"}}, in a Deny {"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}."#;
    T34 Medium "principals of more than one kind"
        r#"Make one role for each kind of principal: people, services, federation."#;
    T35 Medium "three or more services in one role"
        r#"Make one role for each service, each with the rights it needs."#;
    T36 Low "every sts action, or session tags and source identity free for an outsider"
        r#"List the actions, "Action":"sts:AssumeRole", and restrict aws:TagKeys and sts:SourceIdentity where they are allowed."#;
    T37 Low "role that trusts itself"
        r#"Remove the role's own ARN; a session that renews itself outlives its revocation."#;
    T38 Info "Deny that is not understood as a guard"
        r#"If it is meant as one: Deny everybody with {"StringNotEquals":{"aws:PrincipalOrgID":"{org}"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}."#;
    T39 Medium "repeated member name"
        r#"Write each name once; parsers disagree about which one counts."#;
    T40 Info "wildcard inside a principal's ARN, which IAM refuses"
        r#"Use "Principal":{"AWS":"arn:aws:iam::{account}:root"} with {"ArnLike":{"aws:PrincipalArn":"the pattern"}}."#;
    T41 Critical "aws:PrincipalArn test with a wildcard account"
        r#"Write the account: {"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::{account}:role/NAME"}}."#;
    T42 Info "principal inside the own accounts"
        r#"Nothing is wrong."#;
    T43 Info "grant that no call can use"
        r#"Remove it, or give it the action that fits: sts:AssumeRole for AWS and services, sts:AssumeRoleWithWebIdentity for OIDC, sts:AssumeRoleWithSAML for SAML."#;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! verdicts {
    ($($verdict:ident $text:literal $severity:ident $meaning:literal;)*) => {
        /// Who can take the role, by the most exposed principal. Worst first: the smallest decides.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Verdict {
            $(#[doc = $meaning] $verdict,)*
        }

        impl Verdict {
            /// Every verdict, worst first.
            pub const ALL: &'static [Self] = &[$(Self::$verdict),*];

            /// The name in kebab case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$verdict => $text,)* }
            }

            /// The severity that the verdict has by itself; codes may raise it.
            pub fn severity(self) -> Severity {
                match self { $(Self::$verdict => Severity::$severity,)* }
            }
        }
    };
}

verdicts! {
    Public "public" Critical "anybody with an AWS account";
    FederatedOpen "federated-open" Critical "anybody with an account at an identity provider";
    PublicRestricted "public-restricted" Medium "anybody who has a secret or a place in a network";
    ExternalUntrusted "external-untrusted" High "an account or organization that nobody approved";
    FederatedWeak "federated-weak" High "everything of one tenant of a shared provider";
    OpaquePrincipal "opaque-principal" Medium "a unique id that does not say whose it is";
    ExternalUnguarded "external-unguarded" Medium "an approved vendor without an effective external id";
    FederatedModerate "federated-moderate" Medium "one project, or everything of a private provider";
    ServiceUnguarded "service-unguarded" Low "a service that may act for other accounts";
    OrgWide "org-wide" Low "every principal of the own organization";
    ExternalGuarded "external-guarded" Low "an approved vendor with an external id";
    TrustedAccount "trusted-account" Info "an own account as a whole";
    FederatedScoped "federated-scoped" Info "one subject of an identity provider";
    TrustedPrincipal "trusted-principal" Info "named principals of own accounts";
    ServiceGuarded "service-guarded" Info "services that act for the own account only";
    None "none" Info "nobody";
    Invalid "invalid" Info "not a usable document";
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
