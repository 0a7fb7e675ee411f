//! The rules that come with the binary. A new rule is its two files and one line here.

/// A rule's file and its cases, as compiled in.
#[derive(Debug, Clone, Copy)]
pub struct BundledRule {
    /// The rule's file, from the root of the sources.
    pub path: &'static str,
    pub text: &'static str,
    /// The text of the file `<stem>.cases.json` beside it.
    pub cases: &'static str,
}

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        /// Every bundled rule, by family and id.
        pub const BUNDLED: &[BundledRule] = &[$(BundledRule {
            path: concat!("sql/detections/", $name, ".sql"),
            text: include_str!(concat!("../../sql/detections/", $name, ".sql")),
            cases: include_str!(concat!("../../sql/detections/", $name, ".cases.json")),
        }),*];
    };
}

bundled! {
    "assume-role/assume-role-denied-sweep",
    "assume-role/assume-role-denied-then-success",
    "assume-role/assume-role-fan-out",
    "assume-role/assume-role-first-seen-edge",
    "assume-role/assume-role-from-untrusted-account",
    "assume-role/assume-role-human-without-mfa",
    "assume-role/assume-role-sensitive-target",
    "assume-role/assume-role-suspect-client",
    "assume-role/assume-role-third-party-without-external-id",
    "assume-role/assume-root-session",
    "assume-role/assumed-session-iam-takeover",
    "assume-role/federation-token-issued",
    "assume-role/role-chain-loop",
    "assume-role/role-chain-reaches-privilege",
    "assume-role/saml-session-forgery-signs",
    "assume-role/service-role-assumed-by-non-service",
    "assume-role/session-key-multi-network",
    "assume-role/web-identity-subject-unexpected",
    "assume-role/workload-credentials-off-network",
    "create-role/admin-policy-attached",
    "create-role/backdoor-role-sequence",
    "create-role/escalation-policy-written",
    "create-role/iam-parameters-omitted",
    "create-role/identity-provider-tampered",
    "create-role/privileged-role-passed-to-compute",
    "create-role/role-boundary-removed",
    "create-role/role-created-off-pipeline",
    "create-role/role-lacks-permissions",
    "create-role/role-lookalike-name",
    "create-role/role-separation-eroded",
    "create-role/trust-policy-broadened",
    "create-role/trust-policy-condition-defect",
    "create-role/trust-policy-federated-unscoped",
    "create-role/trust-policy-public",
    "create-role/trust-policy-service-confused-deputy",
    "create-role/trust-policy-third-party-unguarded",
    "create-role/trust-policy-untrusted-account",
    "create-role/trust-principal-enumeration",
    "hygiene/cloudtrail-impaired",
    "hygiene/console-login-without-mfa",
    "hygiene/credential-issued-for-another-user",
    "hygiene/long-lived-access-key-in-use",
    "hygiene/mfa-removed-or-replaced",
    "hygiene/password-policy-weakened",
    "hygiene/root-identity-used",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_without_doubles() {
        let sorted = BUNDLED.windows(2).all(|pair| pair[0].path < pair[1].path);
        assert!(sorted, "keep the lines in order");
    }
}
