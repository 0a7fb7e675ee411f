//! People and jobs that another directory knows: SAML, OIDC, Identity Center, and sign-in sessions
//! that reach from the browser to the command line.

use super::super::event::{Event, Role, Who};
use super::super::kit::{HOUR, Json, Rng, Time, unique_id};
use super::chains::USERS;
use super::holder::{Holder, Keys, Marks, Shape};
use super::people::{opens_console, signed_in, some_shape};
use super::truth::Root;
use super::world::{BROWSER, CLI, Copies, SDK, World, answer};

const SSO: &str = "AWSSSO_4f1c22d9a0b7e6c5_DO_NOT_DELETE";
const SETS: [&str; 4] = ["Developer", "ReadOnly", "DataAnalyst", "Operations"];
const STORE: &str = "d-9a675246c6";
const PORTAL: &str = "aws-internal/3 aws-sdk-java/1.12.780";

/// What an identity provider's word is traded for: what the request and the response say beside the
/// role.
pub struct Trade<'a> {
    pub call: &'a str,
    pub who: &'a Who,
    pub asked: &'a [(&'a str, &'a str)],
    pub answered: &'a [(&'a str, &'a str)],
}

impl World {
    /// A role session below `parent`, just issued, and its key.
    pub fn enters(
        &mut self,
        parent: usize,
        role: &Role,
        session: &str,
        time: Time,
    ) -> (Holder, String) {
        let (node, key) = (self.child("role", parent), self.issue_key());
        let holder = Holder {
            node,
            account: role.account.clone(),
            shape: Shape::Role(role.clone(), session.to_owned()),
            keys: Keys::One(key.clone()),
            created: Some(time),
            marks: Marks::default(),
            ip: self.address(),
            agent: CLI.to_owned(),
            region: self.region(),
            console: false,
        };
        self.describe(&holder);
        (holder, key)
    }

    /// The record of a role given for a token or an assertion, as an act of `caller`.
    pub fn trades(&mut self, holder: &Holder, key: &str, trade: &Trade, caller: Option<usize>) {
        let (Shape::Role(role, session), Some(time)) = (&holder.shape, holder.created) else {
            return;
        };
        let place = (holder.account.as_str(), holder.region);
        let mut event = Event::new(&mut self.mint, trade.who, place, time, ("sts", trade.call))
            .asks(|j| {
                j.str("roleArn", &role.arn())
                    .str("roleSessionName", session);
                for (name, value) in trade.asked {
                    j.str(name, value);
                }
                j.raw("durationSeconds", "3600");
            })
            .on("AWS::IAM::Role", &role.arn());
        let until = time.plus(HOUR);
        event.response = Some(answer(
            &mut self.mint,
            key,
            until,
            Some(holder),
            trade.answered,
        ));
        self.issue(&event, caller, holder.node);
    }
}

/// From a company's own directory, for the command line or the console.
pub fn saml(w: &mut World, time: Time) {
    let account = w.account();
    let person = format!("{}@company.example", w.mint.rng.pick(&USERS));
    let idp = *w.mint.rng.pick(&["Okta", "AzureAD"]);
    let provider = format!("arn:aws:iam::{account}:saml-provider/{idp}");
    let qualifier = format!("{}=", unique_id("", &account, idp));
    let parent = w.named("saml", &format!("{provider}/{person}"), &[&person]);
    let role = Role::new(
        &account,
        &format!("saml-{}", w.mint.rng.pick::<&str>(&["admin", "reader"])),
    );
    let (mut holder, key) = w.enters(parent, &role, &person, time);
    let console = w.chance(50);
    if w.copies() == Copies::None {
        w.orphan(holder.node, vec![Root::new("saml", "", &[&person])]);
    } else {
        let who = Who::federated("SAMLUser", &qualifier, &person).from(&holder.ip, PORTAL);
        let assertion = format!("_{}", w.mint.rng.uuid());
        let trade = Trade {
            call: "AssumeRoleWithSAML",
            who: &who,
            asked: &[("sAMLAssertionID", &assertion), ("principalArn", &provider)],
            answered: &[
                ("subject", &person),
                ("subjectType", "persistent"),
                ("issuer", "https://idp.company.example/saml"),
                ("audience", "https://signin.aws.amazon.com/saml"),
                ("nameQualifier", &qualifier),
            ],
        };
        w.trades(&holder, &key, &trade, Some(parent));
    }
    if console {
        (holder.keys, holder.console, holder.agent) = (Keys::PerRequest, true, BROWSER.to_owned());
    }
    let time = w.works(&holder, time.plus(2), 5);
    w.goes_on(&holder, time);
}

/// A job somewhere shows a token of its own provider.
pub fn oidc(w: &mut World, time: Time) {
    let n = w.mint.rng.below(20);
    let (host, subject) = match w.mint.rng.below(5) {
        0 | 1 => (
            "token.actions.githubusercontent.com",
            format!("repo:company/service-{n}:ref:refs/heads/main"),
        ),
        2 => (
            "gitlab.com",
            format!("project_path:group/app-{n}:ref_type:branch:ref:main"),
        ),
        3 => (
            "app.terraform.io",
            format!("organization:company:project:core:workspace:w{n}:run_phase:apply"),
        ),
        _ => (
            "cognito-identity.amazonaws.com",
            format!("eu-west-1:{}", Rng::named(&n.to_string()).uuid()),
        ),
    };
    let account = w.account();
    let provider = if host.starts_with("cognito") {
        host.to_owned()
    } else {
        format!("arn:aws:iam::{account}:oidc-provider/{host}")
    };
    let parent = w.named("oidc", &format!("{provider}/{subject}"), &[&subject]);
    let role = w.role(&account);
    let name = [
        "GitHubActions".to_owned(),
        format!("run-{}", w.mint.rng.below(1 << 30)),
    ];
    let name = w.mint.rng.pick(&name).clone();
    let (mut holder, key) = w.enters(parent, &role, &name, time);
    (holder.agent, holder.marks.provider) = (SDK.to_owned(), Some(provider.clone()));
    if w.copies() == Copies::None {
        w.orphan(holder.node, vec![Root::new("oidc", "", &[host])]);
    } else {
        let mut who = Who::federated("WebIdentityUser", &provider, &subject).from(&holder.ip, SDK);
        // The principal also names the audience.
        let (plain, full) = (
            format!("{provider}:{subject}"),
            format!("{provider}:sts.amazonaws.com:{subject}"),
        );
        who.identity = who.identity.replace(&plain, &full);
        let trade = Trade {
            call: "AssumeRoleWithWebIdentity",
            who: &who,
            asked: &[],
            answered: &[
                ("subjectFromWebIdentityToken", &subject),
                ("provider", &provider),
                ("audience", "sts.amazonaws.com"),
            ],
        };
        w.trades(&holder, &key, &trade, Some(parent));
    }
    let time = w.works(&holder, time.plus(2), 4);
    w.goes_on(&holder, time);
}

/// A person of Identity Center: node, mail address, user id.
struct Person {
    node: usize,
    mail: String,
    id: String,
    credential: String,
}

fn person(w: &mut World, name: &str) -> Person {
    let mail = format!("{name}@company.example");
    let id = Rng::named(&mail).uuid();
    let node = w.named("identity-center", &mail, &[&mail]);
    w.nodes[node].also = vec![Root::new("identity-center", &id, &[&id])];
    let credential = w.mint.token()[16..70].to_owned();
    Person {
        node,
        mail,
        id,
        credential,
    }
}

impl Person {
    /// A call to Identity Center itself; that is recorded where the directory lives.
    fn calls(&self, w: &mut World, time: Time, name: &str) -> Event {
        let home = w.accounts[0].clone();
        let identity = Json::object(|j| {
            j.str("type", "IdentityCenterUser")
                .str("accountId", &home)
                .obj("onBehalfOf", |j| {
                    j.str("userId", &self.id).str(
                        "identityStoreArn",
                        &format!("arn:aws:identitystore::{home}:identitystore/{STORE}"),
                    );
                })
                .str("credentialId", &self.credential);
        });
        let who = Who {
            identity,
            ..Who::service("sso").from("192.0.2.77", CLI)
        };
        Event::new(&mut w.mint, &who, (&home, "eu-west-1"), time, ("sso", name))
    }

    /// A session of a permission set, by its own key or the portal's.
    fn session(&self, w: &mut World, time: Time) -> Holder {
        let (account, set) = (w.account(), *w.mint.rng.pick(&SETS));
        let id = Rng::named(set).draw();
        let role =
            format!("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_{set}_{id:016x}");
        let role = Role::new(&account, &role);
        let (mut holder, _) = w.enters(self.node, &role, &self.mail, time);
        if w.chance(30) {
            let store = format!(
                "arn:aws:identitystore::{}:identitystore/{STORE}",
                w.accounts[0]
            );
            holder.marks.behalf = Some((self.id.clone(), store));
        }
        holder
    }

    /// The assertion behind a session. Whose key it says it issued is often not the key in use.
    fn asserted(&self, w: &mut World, holder: &Holder, key: &str) {
        let provider = format!("arn:aws:iam::{}:saml-provider/{SSO}", holder.account);
        let mut who = Who::federated("SAMLUser", SSO, &self.mail).from("192.0.2.77", PORTAL);
        who.direct = false;
        let assertion = format!("_{}", w.mint.rng.uuid());
        let trade = Trade {
            call: "AssumeRoleWithSAML",
            who: &who,
            asked: &[("sAMLAssertionID", &assertion), ("principalArn", &provider)],
            answered: &[
                ("subject", &self.mail),
                ("subjectType", "persistent"),
                (
                    "issuer",
                    "https://portal.sso.eu-west-1.amazonaws.com/saml/assertion/NTA1",
                ),
                ("audience", "https://signin.aws.amazon.com/saml"),
            ],
        };
        w.trades(holder, key, &trade, None);
    }
}

/// From the portal into the console.
pub fn portal(w: &mut World, time: Time) {
    let name = *w.mint.rng.pick(&USERS);
    let person = person(w, name);
    let event = person.calls(w, time, "Federate");
    w.emit(&event, Some(person.node));
    let holder = person.session(w, time);
    if w.copies() == Copies::None {
        w.nodes[holder.node].unseen = true;
    } else if let Keys::One(key) = holder.keys.clone() {
        person.asserted(w, &holder, &key);
    }
    opens_console(w, &holder, time, true);
}

/// The command line asks for credentials of a permission set.
pub fn role_credentials(w: &mut World, time: Time) {
    let name = *w.mint.rng.pick(&USERS);
    let person = person(w, name);
    asks_for_credentials(w, &person, time);
}

/// Two people ask in the same second.
pub fn role_credentials_at_once(w: &mut World, time: Time) {
    for name in ["kira", "lars"] {
        let person = person(w, name);
        asks_for_credentials(w, &person, time);
    }
}

fn asks_for_credentials(w: &mut World, person: &Person, time: Time) {
    let event = person.calls(w, time.plus(-15), "CreateToken");
    w.emit(&event, Some(person.node));
    let holder = person.session(w, time);
    if w.copies() == Copies::None {
        w.nodes[holder.node].unseen = true;
    } else {
        let event = person.calls(w, time, "GetRoleCredentials");
        w.emit(&event, Some(person.node));
        if w.chance(50) {
            let issued = w.mint.rng.key("ASIA");
            person.asserted(w, &holder, &issued);
        }
    }
    let time = w.works(&holder, time, 5);
    w.goes_on(&holder, time);
}

/// `aws login`: the session of the browser lends itself to the command line, under new keys every
/// quarter of an hour.
pub fn login(w: &mut World, time: Time) {
    let console = if w.chance(50) {
        let (account, shape) = (w.account(), some_shape(w));
        signed_in(w, &account, shape, time)
    } else {
        let person = person(w, "mei");
        let mut holder = person.session(w, time);
        if let Keys::One(key) = holder.keys.clone() {
            person.asserted(w, &holder, &key);
        }
        (holder.keys, holder.console, holder.agent) = (Keys::PerRequest, true, BROWSER.to_owned());
        holder
    };
    let arn = format!(
        "arn:aws:signin:{}:{}:session/{}",
        console.region,
        console.account,
        w.mint.rng.uuid()
    );
    for (n, name) in ["AuthorizeOAuth2Access", "CreateOAuth2Token"]
        .into_iter()
        .enumerate()
    {
        let who = console.who(None);
        let place = (console.account.as_str(), console.region);
        let time = time.plus(10 + 4 * n as i64);
        let mut event = Event::new(&mut w.mint, &who, place, time, ("signin", name)).asks(|j| {
            j.str("client_id", "arn:aws:signin:::devtools/same-device");
        });
        event.additional = Some(Json::object(|j| {
            if n == 1 {
                j.str("signInSessionArn", &arn)
                    .str("grant_type", "authorization_code");
            }
            j.str("success", "true");
        }));
        w.emit(&event, Some(console.node));
    }
    let node = w.child("role", console.node);
    w.nodes[node].may_merge = true;
    let mut line = Holder {
        node,
        console: false,
        agent: CLI.to_owned(),
        ..console.clone()
    };
    line.marks.sign_in = Some(arn);
    let mut time = time.plus(20);
    for _ in 0..3 {
        line.keys = Keys::One(w.mint.rng.key("ASIA"));
        w.describe(&line);
        time = w.works(&line, time, 3).plus(880);
    }
    agent(w, &line, time);
    w.works(&console, time, 2);
}

/// A tool server acts for the sign-in session: its own record, and the call it makes.
fn agent(w: &mut World, line: &Holder, time: Time) {
    const SERVER: &str = "aws-mcp.amazonaws.com";
    let place = (line.account.as_str(), line.region);
    let mut event = Event::new(
        &mut w.mint,
        &line.who(None),
        place,
        time,
        ("aws-mcp", "CallReadWriteTool"),
    );
    event.kind = "AwsMcpEvent";
    w.emit(&event, Some(line.node));
    let key = line.key(&mut w.mint.rng);
    let who = line.forwarded(SERVER, key.as_deref());
    let event = Event::new(&mut w.mint, &who, place, time, ("iam", "ListUsers"));
    w.emit(&event, Some(line.node));
}
