//! One CloudTrail record and who makes it: the shapes of `userIdentity` and the record around it,
//! members in the order in which AWS writes them.

use super::kit::{Json, Mint, Time, unique_id};

/// A role: the account it lives in, its path (`/` or `/service-role/`), its name.
#[derive(Clone, Debug)]
pub struct Role {
    pub account: String,
    pub path: String,
    pub name: String,
}

impl Role {
    /// From an account and a name that may carry its path in front (`service-role/glue-etl`).
    pub fn new(account: &str, path_and_name: &str) -> Self {
        let (path, name) = match path_and_name.rsplit_once('/') {
            Some((path, name)) => (format!("/{path}/"), name),
            None => ("/".to_owned(), path_and_name),
        };
        Self {
            account: account.to_owned(),
            path,
            name: name.to_owned(),
        }
    }

    pub fn arn(&self) -> String {
        format!(
            "arn:aws:iam::{}:role{}{}",
            self.account, self.path, self.name
        )
    }

    pub fn id(&self) -> String {
        unique_id("AROA", &self.account, &self.name)
    }

    /// The ARN of one session; it does not keep the path of the role.
    pub fn session_arn(&self, session: &str) -> String {
        format!(
            "arn:aws:sts::{}:assumed-role/{}/{session}",
            self.account, self.name
        )
    }
}

/// A caller as a record shows it: identity, address, client.
#[derive(Clone, Debug)]
pub struct Who {
    /// `userIdentity` as JSON text.
    pub identity: String,
    /// What names the caller in the target account's copy: account and principal id.
    pub outside: (String, String),
    /// The ARN used in refusals.
    pub arn: String,
    pub ip: String,
    pub agent: String,
    /// Whether the client spoke TLS to AWS directly; calls made by AWS itself carry no TLS details.
    pub direct: bool,
    pub console: bool,
}

/// What a session carries besides its role.
#[derive(Clone, Copy, Default)]
pub struct Session<'a> {
    pub name: &'a str,
    /// Absent when a service uses the role.
    pub key: Option<&'a str>,
    pub mfa: bool,
    pub invoked_by: Option<&'a str>,
    /// The version of the instance metadata service that handed out the credentials.
    pub metadata_service: Option<&'a str>,
    /// The identity provider of a web identity session.
    pub federated: Option<&'a str>,
}

impl Who {
    /// An IAM user with a key and, when it came through GetSessionToken or the console, the time and
    /// MFA state of that session.
    pub fn user(account: &str, name: &str, key: &str, session: Option<(Time, bool)>) -> Self {
        let (arn, id) = (
            format!("arn:aws:iam::{account}:user/{name}"),
            unique_id("AIDA", account, name),
        );
        let identity = Json::object(|j| {
            j.str("type", "IAMUser")
                .str("principalId", &id)
                .str("arn", &arn)
                .str("accountId", account);
            if !key.is_empty() {
                j.str("accessKeyId", key);
            }
            j.str("userName", name);
            if let Some((created, mfa)) = session {
                j.obj("sessionContext", |j| {
                    j.obj("sessionIssuer", |_| ())
                        .obj("webIdFederationData", |_| ());
                    attributes(j, created, mfa);
                });
            }
        });
        Self::from_parts(identity, (account.to_owned(), id), arn)
    }

    pub fn session(role: &Role, created: Time, session: Session) -> Self {
        let (arn, id) = (
            role.session_arn(session.name),
            format!("{}:{}", role.id(), session.name),
        );
        let identity = Json::object(|j| {
            j.str("type", "AssumedRole")
                .str("principalId", &id)
                .str("arn", &arn)
                .str("accountId", &role.account);
            if let Some(key) = session.key {
                j.str("accessKeyId", key);
            }
            j.obj("sessionContext", |j| {
                j.obj("sessionIssuer", |j| {
                    j.str("type", "Role")
                        .str("principalId", &role.id())
                        .str("arn", &role.arn())
                        .str("accountId", &role.account)
                        .str("userName", &role.name);
                });
                j.obj("webIdFederationData", |j| {
                    if let Some(provider) = session.federated {
                        j.str("federatedProvider", provider)
                            .obj("attributes", |_| ());
                    }
                });
                attributes(j, created, session.mfa);
                if let Some(version) = session.metadata_service {
                    j.str("ec2RoleDelivery", version);
                }
            });
            if let Some(service) = session.invoked_by {
                j.str("invokedBy", service);
            }
        });
        let mut who = Self::from_parts(identity, (role.account.clone(), id), arn);
        if let Some(service) = session.invoked_by {
            (who.ip, who.agent, who.direct) = (service.to_owned(), service.to_owned(), false);
        }
        who
    }

    /// The root user of an account, signed in at `created`.
    pub fn root(account: &str, created: Time, mfa: bool) -> Self {
        let arn = format!("arn:aws:iam::{account}:root");
        let identity = Json::object(|j| {
            j.str("type", "Root")
                .str("principalId", account)
                .str("arn", &arn)
                .str("accountId", account)
                .str("accessKeyId", "")
                .obj("sessionContext", |j| attributes(j, created, mfa));
        });
        Self::from_parts(identity, (account.to_owned(), account.to_owned()), arn)
    }

    /// What `GetFederationToken` of an IAM user gave to somebody named `name`.
    pub fn federated_session(user: (&str, &str), name: &str, key: &str, created: Time) -> Self {
        let (account, user) = user;
        let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
        let id = format!("{account}:{name}");
        let identity = Json::object(|j| {
            j.str("type", "FederatedUser")
                .str("principalId", &id)
                .str("arn", &arn)
                .str("accountId", account)
                .str("accessKeyId", key)
                .obj("sessionContext", |j| {
                    j.obj("sessionIssuer", |j| {
                        j.str("type", "IAMUser")
                            .str("principalId", &unique_id("AIDA", account, user))
                            .str("arn", &format!("arn:aws:iam::{account}:user/{user}"))
                            .str("accountId", account)
                            .str("userName", user);
                    });
                    attributes(j, created, false);
                });
        });
        Self::from_parts(identity, (account.to_owned(), id), arn)
    }

    /// An AWS service acting for itself, for example to assume the role given to it.
    pub fn service(name: &str) -> Self {
        let identity = Json::object(|j| {
            j.str("type", "AWSService").str("invokedBy", name);
        });
        Self {
            ip: name.to_owned(),
            agent: name.to_owned(),
            direct: false,
            ..Self::from_parts(identity, (String::new(), String::new()), name.to_owned())
        }
    }

    /// A caller of another account, as the log of the target account shows it.
    pub fn foreign(account: &str, principal: &str) -> Self {
        let identity = Json::object(|j| {
            j.str("type", "AWSAccount")
                .str("principalId", principal)
                .str("accountId", account);
        });
        let outside = (account.to_owned(), principal.to_owned());
        Self::from_parts(identity, outside, principal.to_owned())
    }

    /// The holder of a token of an OIDC provider or of a SAML assertion (`kind` is
    /// `WebIdentityUser` or `SAMLUser`).
    pub fn federated(kind: &str, provider: &str, subject: &str) -> Self {
        let id = format!("{provider}:{subject}");
        let identity = Json::object(|j| {
            j.str("type", kind)
                .str("principalId", &id)
                .str("userName", subject)
                .str("identityProvider", provider);
        });
        Self::from_parts(identity, (String::new(), id.clone()), id)
    }

    fn from_parts(identity: String, outside: (String, String), arn: String) -> Self {
        Self {
            identity,
            outside,
            arn,
            ip: String::new(),
            agent: String::new(),
            direct: true,
            console: false,
        }
    }

    /// The same caller, seen from an address with a client.
    pub fn from(mut self, ip: &str, agent: &str) -> Self {
        (self.ip, self.agent) = (ip.to_owned(), agent.to_owned());
        self
    }

    /// The same caller in the web console, whose back ends speak to AWS in the user's place.
    pub fn in_console(mut self) -> Self {
        self.console = true;
        self
    }
}

fn attributes(j: &mut Json, created: Time, mfa: bool) {
    j.obj("attributes", |j| {
        j.str("creationDate", &created.iso())
            .str("mfaAuthenticated", if mfa { "true" } else { "false" });
    });
}

/// A record before it is text. Fields that are `None` are absent, or null where AWS writes null.
#[derive(Clone, Debug)]
pub struct Event {
    pub time: Time,
    pub account: String,
    pub region: String,
    pub service: String,
    pub name: String,
    pub who: Who,
    pub error: Option<(String, String)>,
    pub request: Option<String>,
    pub response: Option<String>,
    pub additional: Option<String>,
    pub resources: Vec<String>,
    pub request_id: String,
    pub event_id: String,
    pub shared_id: Option<String>,
    pub read_only: bool,
    pub data: bool,
    pub kind: &'static str,
}

impl Event {
    /// A successful call in `account` and `region`; whether it only reads follows from the verb.
    pub fn new(
        mint: &mut Mint,
        who: &Who,
        place: (&str, &str),
        time: Time,
        call: (&str, &str),
    ) -> Self {
        const READS: [&str; 9] = [
            "Get", "List", "Describe", "Head", "Decrypt", "Assume", "Lookup", "Batch", "Simulate",
        ];
        let (service, name) = call;
        let request_id = if service == "s3" {
            mint.rng.s3_request()
        } else {
            mint.rng.uuid()
        };
        Self {
            time,
            account: place.0.to_owned(),
            region: place.1.to_owned(),
            service: service.to_owned(),
            name: name.to_owned(),
            who: who.clone(),
            error: None,
            request: None,
            response: None,
            additional: None,
            resources: Vec::new(),
            request_id,
            event_id: mint.rng.uuid(),
            shared_id: None,
            read_only: READS.iter().any(|verb| name.starts_with(verb)),
            data: false,
            kind: "AwsApiCall",
        }
    }

    /// With request parameters.
    pub fn asks(mut self, fill: impl FnOnce(&mut Json)) -> Self {
        self.request = Some(Json::object(fill));
        self
    }

    /// With response elements.
    pub fn answers(mut self, fill: impl FnOnce(&mut Json)) -> Self {
        self.response = Some(Json::object(fill));
        self
    }

    /// Failed: there is no response then. What happens to the request depends on the service, so a
    /// caller that needs it gone says so by not giving one.
    pub fn fails(mut self, code: &str, message: &str) -> Self {
        self.error = Some((code.to_owned(), message.to_owned()));
        self.response = None;
        self
    }

    /// Touches a resource that belongs to the record's account.
    pub fn on(mut self, kind: &str, arn: &str) -> Self {
        let account = self.account.clone();
        self.resources.push(Json::object(|j| {
            j.str("accountId", &account)
                .str("type", kind)
                .str("ARN", arn);
        }));
        self
    }

    pub fn write(&self, j: &mut Json) {
        j.braces(|j| {
            j.str("eventVersion", version(&self.service))
                .raw("userIdentity", &self.who.identity)
                .str("eventTime", &self.time.iso());
            j.str("eventSource", &format!("{}.amazonaws.com", self.service))
                .str("eventName", &self.name)
                .str("awsRegion", &self.region)
                .str("sourceIPAddress", &self.who.ip);
            if self.service == "s3" && self.who.direct {
                j.str("userAgent", &format!("[{}]", self.who.agent));
            } else {
                j.str("userAgent", &self.who.agent);
            }
            if let Some((code, message)) = &self.error {
                // A failed sign-in has a message and no code.
                if !code.is_empty() {
                    j.str("errorCode", code);
                }
                j.str("errorMessage", message);
            }
            j.raw(
                "requestParameters",
                self.request.as_deref().unwrap_or("null"),
            )
            .raw(
                "responseElements",
                self.response.as_deref().unwrap_or("null"),
            );
            if let Some(additional) = &self.additional {
                j.raw("additionalEventData", additional);
            }
            // Sign-ins have none.
            if !self.request_id.is_empty() {
                j.str("requestID", &self.request_id);
            }
            j.str("eventID", &self.event_id)
                .raw("readOnly", if self.read_only { "true" } else { "false" });
            if !self.resources.is_empty() {
                j.list("resources", &self.resources);
            }
            j.str("eventType", self.kind)
                .raw("managementEvent", if self.data { "false" } else { "true" })
                .str("recipientAccountId", &self.account);
            if let Some(shared) = &self.shared_id {
                j.str("sharedEventID", shared);
            }
            j.str(
                "eventCategory",
                if self.data { "Data" } else { "Management" },
            );
            if self.who.direct && !self.who.console {
                self.write_tls(j);
            }
            if self.who.console && self.kind == "AwsApiCall" {
                j.str("sessionCredentialFromConsole", "true");
            }
        });
    }

    fn write_tls(&self, j: &mut Json) {
        let host = match self.service.as_str() {
            "iam" => "iam.amazonaws.com".to_owned(),
            "signin" => "signin.aws.amazon.com".to_owned(),
            service => format!("{service}.{}.amazonaws.com", self.region),
        };
        j.obj("tlsDetails", |j| {
            j.str("tlsVersion", "TLSv1.3")
                .str("cipherSuite", "TLS_AES_128_GCM_SHA256")
                .str("clientProvidedHostHeader", &host);
        });
    }
}

fn version(service: &str) -> &'static str {
    match service {
        "sts" | "signin" => "1.08",
        "kms" | "s3" | "dynamodb" => "1.11",
        "ec2" | "iam" => "1.10",
        _ => "1.09",
    }
}
