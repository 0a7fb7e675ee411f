//! The words that lineage is told in, each with its spelling in SQL and in reports.

use std::fmt;

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$of_one:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of_one])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its spelling.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What a session is.
    SessionKind {
        /// The long-term key of a user.
        UserKey = "user-key",
        /// A user whose record names no key.
        User = "user",
        /// A user's temporary key, from GetSessionToken.
        UserSession = "user-session",
        /// What a user or root did after signing in to the console.
        Console = "console",
        Role = "role",
        /// From GetFederationToken.
        FederatedUser = "federated-user",
        Root = "root",
        /// Root's rights in a member account, from AssumeRoot.
        AssumedRoot = "assumed-root",
        /// Somebody whom a SAML provider vouched for.
        Saml = "saml",
        /// Somebody whom an OpenID Connect provider vouched for.
        Oidc = "oidc",
        /// A user of Identity Center.
        IdentityCenter = "identity-center",
        Instance = "instance",
        Function = "function",
        Task = "task",
        Pod = "pod",
        Service = "service",
        /// A principal of an account whose own records are not there.
        Account = "account",
        /// Who issued a session, where the evidence does not have the call.
        Unseen = "unseen",
        Unknown = "unknown",
    }
}

words! {
    /// What stands at the beginning of a chain.
    RootKind {
        IamUserKey = "iam-user-key",
        ConsoleUser = "console-user",
        Root = "root",
        Saml = "saml",
        Oidc = "oidc",
        IdentityCenter = "identity-center",
        Instance = "instance",
        Function = "function",
        Task = "task",
        Pod = "pod",
        Service = "service",
        ExternalAccount = "external-account",
        /// The evidence does not tell.
        Unseen = "unseen",
    }
}

words! {
    /// How a session was tied to the call that issued it, or to who holds it.
    Link {
        /// The ARN of the sign-in that credentials come from.
        SignInSession = "sign-in-session",
        /// The source identity with the role and the moment the session began.
        SourceIdentity = "source-identity",
        /// The credential id of Identity Center.
        CredentialId = "credential-id",
        /// The key that was issued is the key that was used.
        IssuedKey = "issued-key",
        /// The unique id of role and session name, without the moment.
        RoleId = "role-id",
        /// The unique id of the principal with the moment the session began.
        PrincipalCreation = "principal-creation",
        /// Role and session name with the moment the session began.
        SessionName = "session-name",
        /// A sign-in to the console, or a session whose keys the console makes.
        Console = "console",
        /// Identity Center: the moment and the role, or the role's name alone.
        IdentityCenter = "identity-center",
        /// Nobody used what was issued: the issuing record alone.
        Issued = "issued",
        /// The record shows the instance, function, task or pod that holds the session.
        Workload = "workload",
        /// The record names the user who issued it.
        SessionIssuer = "session-issuer",
        /// The path of a service-linked role names the service.
        ServiceLinked = "service-linked",
    }
}

words! {
    /// How the caller of an issuing event was known.
    CallerLink {
        /// The record says it.
        Record = "record",
        /// The caller's own record of the same call, by shared event id.
        SharedEventId = "shared-event-id",
        /// The caller's own record of the same call, by request id.
        RequestId = "request-id",
        /// The only session of that principal that was alive.
        Principal = "principal",
        /// The console's record of switching roles.
        SwitchFrom = "switch-from",
        /// No issuing event: from what the session's own records say.
        Inferred = "inferred",
    }
}

words! {
    /// How sure a link is, least first.
    Confidence {
        /// The best reading, though another is possible.
        Likely = "likely",
        /// Unique as CloudTrail writes it.
        Strong = "strong",
        /// The records name each other.
        Certain = "certain",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_are_spelled_the_same() {
        let kinds: BTreeSet<_> = SessionKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(kinds.len(), SessionKind::ALL.len());
        let links: BTreeSet<_> = Link::ALL.iter().map(|link| link.as_str()).collect();
        assert_eq!(links.len(), Link::ALL.len());
    }

    #[test]
    fn the_surest_is_the_greatest() {
        assert!(
            Confidence::Certain > Confidence::Strong && Confidence::Strong > Confidence::Likely
        );
    }
}
