//! Who holds a credential, and how CloudTrail shows it: the shapes of `userIdentity` that tell
//! sessions apart, or fail to.

use super::super::event::{Role, Who};
use super::super::kit::{Json, Rng, Time, unique_id};

/// What a credential is.
#[derive(Clone)]
pub enum Shape {
    User(String),
    Role(Role, String),
    Root,
    /// What AssumeRoot gives: a session of another account's root user.
    AssumedRoot,
    /// `GetFederationToken` of this user gave it to somebody of this name.
    Federated(String, String),
}

/// Which access key the records of a credential show.
#[derive(Clone)]
pub enum Keys {
    One(String),
    /// Consoles sign every request with a key of its own.
    PerRequest,
    Absent,
    Empty,
}

/// What records of some sessions say beside the role.
#[derive(Clone, Default)]
pub struct Marks {
    pub mfa: bool,
    pub source_identity: Option<String>,
    /// `signInSessionArn`
    pub sign_in: Option<String>,
    /// `ec2RoleDelivery`
    pub delivery: Option<&'static str>,
    /// The function that got the credentials (`inScopeOf`).
    pub function: Option<String>,
    /// `federatedProvider` of a web identity.
    pub provider: Option<String>,
    /// `onBehalfOf`: user id and identity store of Identity Center.
    pub behalf: Option<(String, String)>,
}

/// A credential in somebody's hands.
#[derive(Clone)]
pub struct Holder {
    /// The line of truth.
    pub node: usize,
    pub account: String,
    pub shape: Shape,
    pub keys: Keys,
    pub created: Option<Time>,
    pub marks: Marks,
    pub ip: String,
    pub agent: String,
    pub region: &'static str,
    pub console: bool,
}

impl Holder {
    pub fn principal_id(&self) -> String {
        match &self.shape {
            Shape::User(name) => unique_id("AIDA", &self.account, name),
            Shape::Role(role, session) => format!("{}:{session}", role.id()),
            Shape::Root | Shape::AssumedRoot => self.account.clone(),
            Shape::Federated(_, name) => format!("{}:{name}", self.account),
        }
    }

    pub fn arn(&self) -> String {
        let account = &self.account;
        match &self.shape {
            Shape::User(name) => format!("arn:aws:iam::{account}:user/{name}"),
            Shape::Role(role, session) => role.session_arn(session),
            Shape::Root | Shape::AssumedRoot => format!("arn:aws:iam::{account}:root"),
            Shape::Federated(_, name) => format!("arn:aws:sts::{account}:federated-user/{name}"),
        }
    }

    /// The key of the next request, as its record shows it.
    pub fn key(&self, rng: &mut Rng) -> Option<String> {
        match &self.keys {
            Keys::One(key) => Some(key.clone()),
            Keys::PerRequest => Some(rng.key("ASIA")),
            Keys::Absent => None,
            Keys::Empty => Some(String::new()),
        }
    }

    /// The caller of a record.
    pub fn who(&self, key: Option<&str>) -> Who {
        Who {
            identity: self.identity(key, None),
            outside: (self.account.clone(), self.principal_id()),
            arn: self.arn(),
            ip: self.ip.clone(),
            agent: self.agent.clone(),
            direct: true,
            console: self.console,
        }
    }

    /// A service that acts on in this session.
    pub fn forwarded(&self, service: &str, key: Option<&str>) -> Who {
        Who {
            identity: self.identity(key, Some(service)),
            ip: service.to_owned(),
            agent: service.to_owned(),
            direct: false,
            console: false,
            ..self.who(key)
        }
    }

    /// The caller as the console's own back end shows it when it takes a role.
    pub fn internal(&self, key: Option<&str>) -> Who {
        Who {
            agent: "AWS Signin, aws-internal/3 aws-sdk-java/1.12.780".to_owned(),
            console: false,
            ..self.forwarded("AWS Internal", key)
        }
    }

    fn identity(&self, key: Option<&str>, invoked_by: Option<&str>) -> String {
        let kind = match &self.shape {
            Shape::User(_) => "IAMUser",
            Shape::Role(..) => "AssumedRole",
            Shape::Root | Shape::AssumedRoot => "Root",
            Shape::Federated(..) => "FederatedUser",
        };
        Json::object(|j| {
            j.str("type", kind)
                .str("principalId", &self.principal_id())
                .str("arn", &self.arn())
                .str("accountId", &self.account);
            if let Some(key) = key {
                j.str("accessKeyId", key);
            }
            if let Shape::User(name) = &self.shape {
                j.str("userName", name);
            }
            if let Some(created) = self.created {
                j.obj("sessionContext", |j| self.context(j, created));
            }
            if let Some(service) = invoked_by {
                j.str("invokedBy", service);
            }
            if let Some((user, store)) = &self.marks.behalf {
                j.obj("onBehalfOf", |j| {
                    j.str("userId", user).str("identityStoreArn", store);
                });
            }
            if let Some(function) = &self.marks.function {
                j.obj("inScopeOf", |j| {
                    j.str("sourceArn", function)
                        .str("sourceAccount", &self.account)
                        .str("issuerType", "AWS::Lambda::Function")
                        .str("credentialsIssuedTo", function);
                });
            }
        })
    }

    fn context(&self, j: &mut Json, created: Time) {
        j.obj("sessionIssuer", |j| self.issuer(j));
        if !matches!(self.shape, Shape::AssumedRoot) {
            j.obj("webIdFederationData", |j| {
                if let Some(provider) = &self.marks.provider {
                    j.str("federatedProvider", provider)
                        .obj("attributes", |_| ());
                }
            });
        }
        let mfa = if self.marks.mfa { "true" } else { "false" };
        j.obj("attributes", |j| {
            j.str("creationDate", &created.iso())
                .str("mfaAuthenticated", mfa);
        });
        let marks = &self.marks;
        for (name, value) in [
            ("sourceIdentity", marks.source_identity.as_deref()),
            ("ec2RoleDelivery", marks.delivery),
            ("signInSessionArn", marks.sign_in.as_deref()),
        ] {
            if let Some(value) = value {
                j.str(name, value);
            }
        }
        if matches!(self.shape, Shape::AssumedRoot) {
            j.str("assumedRoot", "true");
        }
    }

    fn issuer(&self, j: &mut Json) {
        match &self.shape {
            Shape::Role(role, _) => {
                j.str("type", "Role")
                    .str("principalId", &role.id())
                    .str("arn", &role.arn())
                    .str("accountId", &role.account)
                    .str("userName", &role.name);
            }
            Shape::Federated(user, _) => {
                let account = &self.account;
                j.str("type", "IAMUser")
                    .str("principalId", &unique_id("AIDA", account, user))
                    .str("arn", &format!("arn:aws:iam::{account}:user/{user}"))
                    .str("accountId", account)
                    .str("userName", user);
            }
            Shape::User(_) | Shape::Root | Shape::AssumedRoot => {}
        }
    }
}
