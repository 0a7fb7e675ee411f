//! Calls of STS, IAM and S3 whose records have a shape of their own: copies in two accounts, request
//! parameters lost on refusal, documents in percent encoding.

use super::event::{Event, Role, Session, Who};
use super::kit::{Json, Mint, Time, unique_id};

/// A role to be taken: which, under what session name, at which STS endpoint, when.
pub struct Take<'a> {
    pub role: &'a Role,
    pub session: &'a str,
    pub region: &'a str,
    pub time: Time,
}

/// What a successful assumption leaves: one record per account that sees it, the caller's copy
/// first, and the temporary key.
pub struct Issued {
    pub events: Vec<Event>,
    pub key: String,
}

const GITHUB: &str = "token.actions.githubusercontent.com";
const SSO_PROVIDER: &str = "AWSSSO_4f1c22d9a0b7e6c5_DO_NOT_DELETE";

impl Take<'_> {
    /// A user or a role session takes the role. When caller and role live in different accounts
    /// there are two copies with one request id and one shared id; the target's copy knows only
    /// account and principal id of the caller. `serial` is the MFA device whose code came along.
    pub fn by(&self, mint: &mut Mint, who: &Who, serial: Option<&str>) -> Issued {
        let more: Vec<(&str, &str)> = serial.map(|s| ("serialNumber", s)).into_iter().collect();
        self.by_with(mint, who, &more)
    }

    /// The same with further request parameters, for example an external id.
    pub fn by_with(&self, mint: &mut Mint, who: &Who, more: &[(&str, &str)]) -> Issued {
        let key = mint.rng.key("ASIA");
        let mut target = self.event(mint, who, "AssumeRole", |j| {
            for (key, value) in more {
                j.str(key, value);
            }
            j.raw("durationSeconds", "3600");
        });
        target.response = Some(self.answer(mint, &key, 3_600, |_| ()));
        target.additional = Some(endpoint(self.region));
        let home = who.outside.0.as_str();
        if home == self.role.account {
            let events = vec![target];
            return Issued { events, key };
        }
        target.shared_id = Some(mint.rng.uuid());
        let mut caller = target.clone();
        caller.account = home.to_owned();
        caller.event_id = mint.rng.uuid();
        target.who.identity = Who::foreign(home, &who.outside.1).identity;
        let events = vec![caller, target];
        Issued { events, key }
    }

    /// The call is refused: one record, in the caller's account only, and the role is named nowhere
    /// but in the message.
    pub fn refused(&self, mint: &mut Mint, who: &Who) -> Event {
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            who.arn,
            self.role.arn()
        );
        let place = (who.outside.0.as_str(), self.region);
        Event::new(mint, who, place, self.time, ("sts", "AssumeRole"))
            .fails("AccessDenied", &message)
    }

    /// A service takes the role it was given. Instances and functions get no `assumedRoleUser`.
    pub fn by_service(&self, mint: &mut Mint, service: &str) -> Issued {
        let key = mint.rng.key("ASIA");
        let mut event = self.event(mint, &Who::service(service), "AssumeRole", |_| ());
        event.response = Some(
            if matches!(service, "ec2.amazonaws.com" | "lambda.amazonaws.com") {
                Json::object(|j| secret_part(mint, j, self.time.plus(6 * 3_600), &key))
            } else {
                self.answer(mint, &key, 3_600, |_| ())
            },
        );
        event.shared_id = Some(mint.rng.uuid());
        let events = vec![event];
        Issued { events, key }
    }

    /// A job of a build service trades its OIDC token for the role.
    pub fn by_workflow(&self, mint: &mut Mint, subject: &str, from: (&str, &str)) -> Issued {
        let key = mint.rng.key("ASIA");
        let provider = format!("arn:aws:iam::{}:oidc-provider/{GITHUB}", self.role.account);
        let who = Who::federated("WebIdentityUser", &provider, subject).from(from.0, from.1);
        let mut event = self.event(mint, &who, "AssumeRoleWithWebIdentity", |j| {
            j.raw("durationSeconds", "3600");
        });
        event.response = Some(self.answer(mint, &key, 3_600, |j| {
            j.str("subjectFromWebIdentityToken", subject)
                .str("provider", &provider)
                .str("audience", "sts.amazonaws.com");
        }));
        event.additional = Some(endpoint(self.region));
        let events = vec![event];
        Issued { events, key }
    }

    /// Somebody shows an assertion of the account's own SAML provider `name`. The issuer is what the
    /// identity provider calls itself, `subject` whom it speaks of.
    pub fn by_assertion(
        &self,
        mint: &mut Mint,
        name: &str,
        (issuer, subject): (&str, &str),
        from: (&str, &str),
    ) -> Issued {
        let key = mint.rng.key("ASIA");
        let provider = format!("arn:aws:iam::{}:saml-provider/{name}", self.role.account);
        // The name qualifier: a digest over the issuer, so always the same for one.
        let qualifier = format!("{}=", unique_id("", &self.role.account, issuer));
        let who = Who::federated("SAMLUser", &qualifier, subject).from(from.0, from.1);
        let assertion = format!("_{}", mint.rng.uuid());
        let mut event = self
            .event(mint, &who, "AssumeRoleWithSAML", |j| {
                j.str("sAMLAssertionID", &assertion)
                    .str("principalArn", &provider)
                    .raw("durationSeconds", "3600");
            })
            .on("AWS::IAM::SAMLProvider", &provider);
        event.response = Some(self.answer(mint, &key, 3_600, |j| {
            j.str("issuer", issuer)
                .str("subject", subject)
                .str("subjectType", "persistent")
                .str("audience", "https://signin.aws.amazon.com/saml");
        }));
        let events = vec![event];
        Issued { events, key }
    }

    /// A person of the workforce directory, named by the session, enters through Identity Center.
    pub fn by_workforce(&self, mint: &mut Mint, ip: &str) -> Issued {
        let (key, person) = (mint.rng.key("ASIA"), self.session);
        let provider = format!(
            "arn:aws:iam::{}:saml-provider/{SSO_PROVIDER}",
            self.role.account
        );
        let mut who = Who::federated("SAMLUser", SSO_PROVIDER, person)
            .from(ip, "aws-internal/3 aws-sdk-java/1.12.780");
        who.direct = false;
        let assertion = format!("_{}", mint.rng.uuid());
        let mut event = self
            .event(mint, &who, "AssumeRoleWithSAML", |j| {
                j.str("sAMLAssertionID", &assertion)
                    .str("principalArn", &provider)
                    .raw("durationSeconds", "28800");
            })
            .on("AWS::IAM::SAMLProvider", &provider);
        let issuer = format!(
            "https://portal.sso.{}.amazonaws.com/saml/assertion/NTA1",
            self.region
        );
        event.response = Some(self.answer(mint, &key, 8 * 3_600, |j| {
            j.str("issuer", &issuer)
                .str("subject", person)
                .str("subjectType", "persistent")
                .str("audience", "https://signin.aws.amazon.com/saml");
        }));
        let events = vec![event];
        Issued { events, key }
    }

    fn event(&self, mint: &mut Mint, who: &Who, name: &str, more: impl FnOnce(&mut Json)) -> Event {
        let place = (self.role.account.as_str(), self.region);
        Event::new(mint, who, place, self.time, ("sts", name))
            .asks(|j| {
                j.str("roleArn", &self.role.arn())
                    .str("roleSessionName", self.session);
                more(j);
            })
            .on("AWS::IAM::Role", &self.role.arn())
    }

    fn answer(
        &self,
        mint: &mut Mint,
        key: &str,
        life: i64,
        more: impl FnOnce(&mut Json),
    ) -> String {
        Json::object(|j| {
            secret_part(mint, j, self.time.plus(life), key);
            j.obj("assumedRoleUser", |j| {
                j.str(
                    "assumedRoleId",
                    &format!("{}:{}", self.role.id(), self.session),
                )
                .str("arn", &self.role.session_arn(self.session));
            });
            more(j);
        })
    }
}

/// Session credentials of a role, used by a person or a program at an address.
pub fn acting(role: &Role, session: &str, key: &str, created: Time, from: (&str, &str)) -> Who {
    let session = Session {
        name: session,
        key: Some(key),
        ..Session::default()
    };
    Who::session(role, created, session).from(from.0, from.1)
}

fn secret_part(mint: &mut Mint, j: &mut Json, expires: Time, key: &str) {
    let token = mint.token();
    j.obj("credentials", |j| {
        j.str("accessKeyId", key)
            .str("sessionToken", &token)
            .str("expiration", &expires.spoken());
    });
}

fn endpoint(region: &str) -> String {
    Json::object(|j| {
        j.obj("RequestDetails", |j| {
            j.str("awsServingRegion", region)
                .str("endpointType", "regional");
        });
    })
}

/// A change in IAM; IAM is a global service and logs in us-east-1.
pub fn iam(
    mint: &mut Mint,
    who: &Who,
    account: &str,
    time: Time,
    name: &str,
    request: &[(&str, &str)],
) -> Event {
    Event::new(mint, who, (account, "us-east-1"), time, ("iam", name)).asks(|j| {
        for (key, value) in request {
            j.str(key, value);
        }
    })
}

/// A role is born with a trust document; the response repeats the document in percent encoding.
pub fn create_role(mint: &mut Mint, who: &Who, role: &Role, trust: &str, time: Time) -> Event {
    let request = [
        ("path", role.path.as_str()),
        ("roleName", &role.name),
        ("assumeRolePolicyDocument", trust),
    ];
    iam(mint, who, &role.account, time, "CreateRole", &request).answers(|j| {
        j.obj("role", |j| {
            j.str("path", &role.path)
                .str("roleName", &role.name)
                .str("roleId", &role.id())
                .str("arn", &role.arn())
                .str("createDate", &time.spoken())
                .str("assumeRolePolicyDocument", &percent(trust));
        });
    })
}

fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A data event of S3 on one object.
pub fn s3_object(
    mint: &mut Mint,
    who: &Who,
    place: (&str, &str),
    time: Time,
    name: &str,
    object: (&str, &str),
) -> Event {
    let (bucket, key) = object;
    let mut event = Event::new(mint, who, place, time, ("s3", name)).asks(|j| {
        j.str("bucketName", bucket)
            .str("Host", &format!("{bucket}.s3.{}.amazonaws.com", place.1))
            .str("key", key);
    });
    let size = 900 + mint.rng.below(4_000_000);
    let id2 = format!("{}{}", mint.rng.s3_request(), mint.rng.s3_request());
    event.additional = Some(Json::object(|j| {
        let (sent, received) = if name == "GetObject" {
            (0, size)
        } else {
            (size, 0)
        };
        j.str("SignatureVersion", "SigV4")
            .str("CipherSuite", "TLS_AES_128_GCM_SHA256")
            .raw("bytesTransferredIn", &sent.to_string())
            .str("AuthenticationMethod", "AuthHeader")
            .str("x-amz-id-2", &id2)
            .raw("bytesTransferredOut", &received.to_string());
    }));
    event.resources.push(Json::object(|j| {
        j.str("type", "AWS::S3::Object")
            .str("ARN", &format!("arn:aws:s3:::{bucket}/{key}"));
    }));
    event.data = true;
    event.on("AWS::S3::Bucket", &format!("arn:aws:s3:::{bucket}"))
}
