//! What is known about the role and about who belongs to whom.

use std::collections::BTreeSet;

use crate::policy::pattern::Arn;

/// The case's knowledge that a trust policy is judged against. Empty lists mean that nothing is known:
/// then every account and organization but the role's own is a stranger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustContext {
    /// Account of the role; taken from `role_arn` if absent.
    pub role_account: Option<String>,
    pub role_arn: Option<String>,
    /// Accounts of the own organization.
    pub own_accounts: BTreeSet<String>,
    /// Accounts of approved third parties.
    pub vendor_accounts: BTreeSet<String>,
    pub own_org_ids: BTreeSet<String>,
    /// Subjects of shared identity providers that are one's own; `*` and `?` are wildcards. Empty:
    /// not checked.
    pub oidc_subjects: Vec<String>,
}

/// What an account is to the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Own,
    Sibling,
    Vendor,
    Unknown,
}

impl TrustContext {
    pub(super) fn account(&self) -> Option<&str> {
        self.role_account.as_deref().or_else(|| {
            let arn = Arn::parse(self.role_arn.as_deref()?)?;
            arn.account_id()
        })
    }

    pub(super) fn standing(&self, account: &str) -> Standing {
        match self.account() {
            Some(own) if own == account => Standing::Own,
            // Without the role's account nothing tells its own account from a sibling.
            None if self.own_accounts.contains(account) => Standing::Own,
            Some(_) if self.own_accounts.contains(account) => Standing::Sibling,
            Some(_) | None if self.vendor_accounts.contains(account) => Standing::Vendor,
            Some(_) | None => Standing::Unknown,
        }
    }

    pub(super) fn is_own_account(&self, account: &str) -> bool {
        matches!(self.standing(account), Standing::Own | Standing::Sibling)
    }

    /// Fills the placeholders of an advice sentence with what the context knows.
    pub(super) fn fill(&self, advice: &str) -> String {
        let org = self
            .own_org_ids
            .first()
            .map_or("o-yourorgid", String::as_str);
        advice
            .replace("{org}", org)
            .replace("{account}", self.account().unwrap_or("111122223333"))
            .replace("{id}", "a-random-uuid")
    }

    /// Account and name of the role itself, whatever its path.
    pub(super) fn is_role_itself(&self, principal: &str) -> bool {
        let identity = |arn: &str| -> Option<(String, String)> {
            let arn = Arn::parse(arn)?;
            let mut parts = arn.resource.split('/');
            let name = match parts.next()? {
                "role" => parts.next_back()?,
                // The ARN of a session keeps the role's name and drops its path.
                "assumed-role" => parts.next()?,
                _ => return None,
            };
            Some((arn.account.to_owned(), name.to_owned()))
        };
        let own = self.role_arn.as_deref().and_then(identity);
        own.is_some() && own == identity(principal)
    }
}
