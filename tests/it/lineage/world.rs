//! Small made-up worlds: callers, chains, refreshes, twins, with records missing and out of order.
//!
//! Names, roles and seconds are few on purpose, so that much looks like something else. The world knows
//! who did what, also where its records do not tell.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::short::Shorthand;
use crate::lossless::dice::Dice;

/// Sessions that a world begins.
const N_SESSIONS: usize = 14;

/// A record and the session that truly made it.
pub struct Made {
    pub record: Value,
    pub by: usize,
}

/// What a session is, so that records can be written of it.
#[derive(Clone)]
struct Session {
    shape: Shape,
    account: char,
    /// The user, or the role.
    name: String,
    /// The role session's own name.
    called: String,
    /// `None`: a new one at each call.
    key: Option<String>,
    began: i64,
    source_identity: Option<String>,
    parent: Option<usize>,
}

impl Session {
    fn new(shape: Shape, account: char, name: &str, began: i64) -> Self {
        Self {
            shape,
            account,
            name: name.to_owned(),
            called: String::new(),
            key: None,
            began,
            source_identity: None,
            parent: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    User,
    UserSession,
    Console,
    Role,
    ConsoleRole,
    Instance,
    Saml,
    Service,
}

pub struct World {
    dice: Dice,
    sessions: Vec<Session>,
    entries: Vec<(Value, usize)>,
    n_names: usize,
}

/// A world's records in any order, and its sessions as they truly were.
pub struct Truth {
    pub made: Vec<Made>,
    pub parents: Vec<Option<usize>>,
    /// Whose a key is.
    pub keys: BTreeMap<String, usize>,
}

pub fn make(seed: u64, templates: &Map<String, Value>) -> Truth {
    let mut world = World {
        dice: Dice(seed),
        sessions: Vec::new(),
        entries: Vec::new(),
        n_names: 0,
    };
    for (account, name) in [('1', "ann"), ('1', "bob"), ('2', "ann")] {
        world.begin(Session {
            key: Some(format!("akia:{name}{account}")),
            ..Session::new(Shape::User, account, name, 0)
        });
    }
    for (shape, name) in [(Shape::Saml, "ann@corp"), (Shape::Service, "ec2")] {
        world.begin(Session::new(shape, '1', name, 0));
    }
    while world.sessions.len() < N_SESSIONS {
        world.step();
    }
    for session in 0..world.sessions.len() {
        for _ in 0..world.dice.below(4) {
            world.call(session);
        }
    }
    world.finish(seed, templates)
}

impl World {
    fn finish(mut self, seed: u64, templates: &Map<String, Value>) -> Truth {
        let (entries, by): (Vec<Value>, Vec<usize>) = self.entries.drain(..).unzip();
        let case = usize::try_from(seed).unwrap();
        let short = Shorthand { templates, case };
        let records = short.records(&entries);
        let made = records.into_iter().zip(by);
        let mut made: Vec<Made> = made.map(|(record, by)| Made { record, by }).collect();
        for index in (1..made.len()).rev() {
            made.swap(index, self.dice.below(index + 1));
        }
        let mut keys = BTreeMap::new();
        for (index, session) in self.sessions.iter().enumerate() {
            keys.extend(session.key.iter().map(|key| (short.key(key), index)));
        }
        for made in &made {
            let key = made.record.pointer("/userIdentity/accessKeyId");
            keys.extend(
                key.and_then(Value::as_str)
                    .map(|key| (key.to_owned(), made.by)),
            );
        }
        Truth {
            made,
            parents: self.sessions.iter().map(|session| session.parent).collect(),
            keys,
        }
    }

    fn begin(&mut self, session: Session) -> usize {
        self.sessions.push(session);
        self.sessions.len() - 1
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.dice.below(from.len())].to_owned()
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.n_names += 1;
        format!("{prefix}{}", self.n_names)
    }

    /// A moment in the life of the session, one of few.
    fn moment(&mut self, session: usize) -> i64 {
        let began = self.sessions[session].began;
        let grid: Vec<i64> = (0..6).map(|step| step * 500).collect();
        let later: Vec<i64> = grid.into_iter().filter(|time| *time >= began).collect();
        let offset = i64::try_from(self.dice.below(4)).unwrap();
        match later.first() {
            Some(_) => later[self.dice.below(later.len())] + offset,
            None => began + offset,
        }
    }

    fn step(&mut self) {
        let caller = self.dice.below(self.sessions.len());
        match self.sessions[caller].shape {
            Shape::Service => self.hand_out(caller),
            Shape::User if self.dice.once_in(4) => self.sign_in(caller),
            Shape::User if self.dice.once_in(6) => self.session_token(caller),
            _ => self.take(caller),
        }
    }

    fn hand_out(&mut self, service: usize) {
        let at = self.moment(service);
        let role = self.pick(&["a", "b"]);
        let called = self.pick(&["i-0123456789abcdef0", "i-00000000000000001"]);
        let key = self.fresh("asia:k");
        if !self.dice.once_in(6) {
            self.entries.push((
                json!({"like": ["service", "hands-out"], "with": {"service": "ec2.amazonaws.com", "account": "1",
                    "t": clock(at), "target": role, "as": called, "issued": key}}),
                service,
            ));
        }
        self.begin(Session {
            called,
            key: Some(key),
            parent: Some(service),
            ..Session::new(Shape::Instance, '1', &role, at)
        });
    }

    fn sign_in(&mut self, user: usize) {
        let (account, name) = (
            self.sessions[user].account,
            self.sessions[user].name.clone(),
        );
        // A user signs in once in a second.
        let at = 10_000 + 100 * i64::try_from(self.sessions.len()).unwrap();
        let session = self.begin(Session::new(Shape::Console, account, &name, at));
        if !self.dice.once_in(6) {
            let delay = i64::try_from(self.dice.below(3)).unwrap();
            self.entries.push((
                json!({"like": ["user", "signs-in"],
                    "with": {"account": account.to_string(), "user": name, "t": clock(at - delay)}}),
                session,
            ));
        }
    }

    fn session_token(&mut self, user: usize) {
        let at = 20_000 + 100 * i64::try_from(self.sessions.len()).unwrap();
        let key = self.fresh("asia:k");
        let caller = self.sessions[user].clone();
        if !self.dice.once_in(6) {
            let with = json!({"t": clock(at), "issued": key});
            self.write(user, "session-token", with, &[]);
        }
        self.begin(Session {
            key: Some(key),
            parent: Some(user),
            ..Session::new(Shape::UserSession, caller.account, &caller.name, at)
        });
    }

    /// The caller takes a role, perhaps of the other account, perhaps at the console.
    fn take(&mut self, caller: usize) {
        let at = self.moment(caller);
        let from = self.sessions[caller].clone();
        let role = self.pick(&["a", "b"]);
        let called = self.pick(&["s", "t"]);
        let saml = from.shape == Shape::Saml;
        let target = if saml {
            '1'
        } else {
            ['1', '2'][self.dice.below(2)]
        };
        let console = match from.shape {
            Shape::Console | Shape::ConsoleRole => true,
            Shape::Saml => self.dice.once_in(2),
            _ => false,
        };
        let key = self.fresh("asia:k");
        let mut with =
            json!({"t": clock(at), "taccount": target.to_string(), "target": role, "as": called});
        if !self.dice.once_in(8) {
            with["issued"] = json!(key);
        }
        let mut sets = from.source_identity.clone();
        if sets.is_none() && self.dice.once_in(4) {
            let name = self.pick(&["ann", "bob"]);
            with["sets"] = json!(name);
            sets = Some(name);
        }
        self.record_taking(caller, with, target, console);
        let shape = if console {
            Shape::ConsoleRole
        } else {
            Shape::Role
        };
        self.begin(Session {
            called,
            key: (!console).then_some(key),
            source_identity: sets,
            parent: Some(caller),
            ..Session::new(shape, target, &role, at)
        });
    }

    /// The caller's record, the target's, both or none.
    fn record_taking(&mut self, caller: usize, mut with: Value, target: char, console: bool) {
        let from = self.sessions[caller].clone();
        let template = if from.shape == Shape::Saml {
            "takes-with-saml"
        } else {
            "takes"
        };
        let id = self.fresh("call");
        with["req"] = json!(id);
        if !self.dice.once_in(4) {
            with["shared"] = json!(id);
        }
        if from.shape == Shape::Saml {
            with["idp"] = json!("corp");
            with["issuer"] = json!("https://idp.corp.example");
        }
        let dice = self.dice.below(8);
        if target == from.account {
            if dice > 0 {
                let more: &[&str] = if console && from.shape != Shape::Saml {
                    &["switches"]
                } else {
                    &[]
                };
                self.write(caller, template, with, more);
            }
            return;
        }
        let (seen_here, seen_there) = (dice > 2, (2..6).contains(&dice));
        if seen_there {
            let mut with = with.clone();
            with["principal"] = json!(principal(&from));
            with["account"] = json!(from.account.to_string());
            with["to"] = json!(target.to_string());
            let entry = json!({"like": ["from-account", "takes"], "with": with});
            self.entries.push((entry, caller));
        }
        if seen_here {
            self.write(caller, template, with, &[]);
        }
    }

    /// Something that the session does.
    fn call(&mut self, session: usize) {
        let of = &self.sessions[session];
        if matches!(of.shape, Shape::Saml | Shape::Service) {
            return;
        }
        let at = self.moment(session);
        let with = json!({"t": clock(at)});
        if self.dice.once_in(6) {
            let who = json!({"t": clock(at), "taccount": "2", "target": "a", "who": "somebody"});
            self.write(session, "refused", who, &[]);
        } else {
            self.write(session, "call", with, &[]);
        }
    }

    /// A record of a call by the session.
    fn write(&mut self, session: usize, what: &str, mut with: Value, more: &[&str]) {
        let of = self.sessions[session].clone();
        let caller = match of.shape {
            Shape::User => "user",
            Shape::UserSession | Shape::Console => "user-session",
            Shape::Role | Shape::ConsoleRole | Shape::Instance => "role",
            Shape::Saml => "saml-user",
            Shape::Service => "service",
        };
        with["account"] = json!(of.account.to_string());
        match caller {
            "role" => {
                with["role"] = json!(of.name);
                with["session"] = json!(of.called);
                if let Some(source) = &of.source_identity {
                    with["sid"] = json!(source);
                }
            }
            "saml-user" => with["name"] = json!(of.name),
            _ => with["user"] = json!(of.name),
        }
        if of.shape == Shape::Instance {
            with["imds"] = json!("2.0");
        }
        if of.shape == Shape::Console || of.shape == Shape::ConsoleRole {
            with["key"] = json!(self.fresh("asia:c"));
            if of.shape == Shape::ConsoleRole || !self.dice.once_in(3) {
                with["console"] = json!("true");
            }
        }
        if let Some(key) = &of.key {
            with["key"] = json!(key);
        }
        let forwarded = what == "call" && of.shape == Shape::Role && self.dice.once_in(5);
        if forwarded {
            with.as_object_mut().unwrap().remove("key");
            with["via"] = json!("cloudformation.amazonaws.com");
        }
        let temporary = !matches!(of.shape, Shape::User | Shape::Saml);
        if temporary && (forwarded || of.key.is_none() || !self.dice.once_in(8)) {
            with["since"] = json!(clock(of.began));
        }
        // What is called lies under the caller, whose template is a whole record.
        let mut like = vec![caller];
        like.extend((what != "call").then_some(what));
        like.extend(more);
        self.entries
            .push((json!({"like": like, "with": with}), session));
    }
}

fn principal(session: &Session) -> String {
    let Session { account, name, .. } = session;
    match session.shape {
        Shape::Role | Shape::ConsoleRole | Shape::Instance => {
            format!("{{role:{account}/{name}}}:{}", session.called)
        }
        _ => format!("{{user:{account}/{name}}}"),
    }
}

/// The time so many seconds after ten o'clock.
fn clock(seconds: i64) -> String {
    let (hours, rest) = (10 + seconds / 3600, seconds % 3600);
    let (days, hours) = (1 + hours / 24, hours % 24);
    format!("{days}/{hours:02}:{:02}:{:02}", rest / 60, rest % 60)
}
