//! From role to role: long chains, refreshed sessions, loops, names that several people use, and
//! evidence that tells less than one would like.

use super::super::event::{Event, Role, Who};
use super::super::kit::{HOUR, Json, Time};
use super::holder::{Holder, Keys, Marks, Shape};
use super::truth::Root;
use super::world::{CLI, Copies, Hop, SDK, Through, World, answer};

const ROLES: [&str; 12] = [
    "deploy",
    "audit-read",
    "data-admin",
    "ops-support",
    "network-admin",
    "backup-operator",
    "build-runner",
    "release",
    "log-reader",
    "break-glass",
    "platform/cluster-admin",
    "platform/state-writer",
];
pub const USERS: [&str; 10] = [
    "ana", "ben", "chloe", "dmitri", "elif", "farid", "grace", "hugo", "ines", "jonas",
];

pub fn hop<'a>(role: &'a Role, session: &'a str, time: Time) -> Hop<'a> {
    Hop {
        role,
        session,
        time,
        copies: Copies::Both,
        source_identity: None,
        through: Through::Caller,
    }
}

impl World {
    pub fn role(&mut self, account: &str) -> Role {
        Role::new(account, self.mint.rng.pick::<&str>(&ROLES))
    }

    /// A role of the same account, or of another, half the time each.
    pub fn next_role(&mut self, account: &str) -> Role {
        let account = if self.chance(50) {
            self.account()
        } else {
            account.to_owned()
        };
        self.role(&account)
    }

    /// A tenth of all issuing records is left out.
    pub fn copies(&mut self) -> Copies {
        if self.chance(10) {
            Copies::None
        } else {
            Copies::Both
        }
    }

    pub fn some_user(&mut self) -> Holder {
        let account = self.account();
        let name = *self.mint.rng.pick(&USERS);
        self.user(&account, name)
    }

    pub fn session_name(&mut self) -> String {
        let number = self.mint.rng.draw();
        match self.mint.rng.below(5) {
            0 => "session".to_owned(),
            1 => format!("botocore-session-{}", 1_735_000_000 + number % 9_000_000),
            2 => format!(
                "aws-go-sdk-{}",
                1_735_000_000_000_000_000 + number % 999_999_999
            ),
            3 => (*self.mint.rng.pick(&USERS)).to_owned(),
            _ => format!("run-{}", number % 1_000_000),
        }
    }

    /// Some sessions go on into other roles.
    pub fn goes_on(&mut self, by: &Holder, time: Time) {
        if self.chance(35) {
            let hops = 1 + self.mint.rng.below(3);
            self.chain(by, time, hops);
        }
    }

    pub fn chain(&mut self, by: &Holder, time: Time, hops: u64) -> Holder {
        let (mut holder, mut time) = (by.clone(), time);
        for _ in 0..hops {
            let role = self.next_role(&holder.account);
            let name = self.session_name();
            let copies = self.copies();
            holder = self.takes(
                &holder,
                &Hop {
                    copies,
                    ..hop(&role, &name, time)
                },
            );
            holder.console = false;
            time = time.plus(1 + self.mint.rng.below(20) as i64);
            let calls = 1 + self.mint.rng.below(4);
            time = self.works(&holder, time, calls);
        }
        holder
    }
}

pub fn long_chain(w: &mut World, time: Time) {
    let user = w.some_user();
    let time = w.works(&user, time, 2);
    let hops = 1 + w.mint.rng.below(10);
    w.chain(&user, time, hops);
}

/// An SDK renews its role every hour: a new key under the same name.
pub fn refreshed(w: &mut World, time: Time) {
    let user = w.some_user();
    let (role, name) = (w.next_role(&user.account), w.session_name());
    for n in 0..2 + w.mint.rng.below(4) as i64 {
        let time = time.plus(n * (HOUR - 300) + w.mint.rng.below(30) as i64);
        let copies = w.copies();
        let session = w.takes(
            &user,
            &Hop {
                copies,
                ..hop(&role, &name, time)
            },
        );
        let time = w.works(&session, time.plus(2), 3);
        w.goes_on(&session, time);
    }
}

/// Two people take one role under one name in the same second; only keys tell them apart.
pub fn same_second(w: &mut World, time: Time) {
    let (account, name) = (w.account(), "deploy");
    let role = w.role(&account);
    let (one, two) = (w.user(&account, "ana"), w.user(&account, "ben"));
    let mut sessions = Vec::new();
    let keyless = w.chance(50);
    for user in [&one, &two] {
        let copies = if keyless { Copies::Both } else { w.copies() };
        sessions.push(w.takes(
            user,
            &Hop {
                copies,
                ..hop(&role, name, time)
            },
        ));
    }
    for session in &sessions {
        let time = w.works(session, time.plus(1), 4);
        w.goes_on(session, time);
    }
    if keyless {
        keyless_pair(w, &sessions[0].clone(), time.plus(400));
        both_go_out(w, &sessions, time.plus(600));
    }
}

/// Calls of one of the two that show no key: nothing in the evidence says whose they are.
fn keyless_pair(w: &mut World, one: &Holder, time: Time) {
    let scenario = std::mem::replace(&mut w.scenario, "same-second-keyless");
    let node = w.node("role", Root::unseen());
    w.nodes[node].unseen = true;
    let holder = Holder {
        node,
        keys: Keys::Absent,
        ..one.clone()
    };
    w.describe(&holder);
    w.works(&holder, time, 2);
    w.scenario = scenario;
}

/// Both go on into another account, and only the target's copies are there: they show a principal
/// that is either of the two.
fn both_go_out(w: &mut World, sessions: &[Holder], time: Time) {
    let scenario = std::mem::replace(&mut w.scenario, "same-second-target-only");
    for (n, session) in sessions.iter().enumerate() {
        let mut account = w.account();
        while account == session.account {
            account = w.account();
        }
        let (role, name) = (w.role(&account), w.session_name());
        let time = time.plus(30 * n as i64);
        let copies = Copies::Target;
        let next = w.takes(
            session,
            &Hop {
                copies,
                ..hop(&role, &name, time)
            },
        );
        w.doubtful(next.node);
        w.works(&next, time.plus(1), 2);
    }
    w.scenario = scenario;
}

/// One after the other under the same session name; half of them show no keys.
pub fn same_name(w: &mut World, time: Time) {
    let account = w.account();
    let role = w.role(&account);
    let keyless = w.chance(50);
    let mut time = time;
    for _ in 0..3 {
        let name = *w.mint.rng.pick(&USERS);
        let user = w.user(&account, name);
        let copies = w.copies();
        let mut session = w.takes(
            &user,
            &Hop {
                copies,
                ..hop(&role, "admin", time)
            },
        );
        if keyless {
            session.keys = if w.chance(50) {
                Keys::Absent
            } else {
                Keys::Empty
            };
        }
        w.goes_on(&session, time.plus(2));
        time = w
            .works(&session, time.plus(1), 3)
            .plus(60 + w.mint.rng.below(3_000) as i64);
    }
}

pub fn masked(w: &mut World, time: Time) {
    w.masked = true;
    let user = w.some_user();
    let mut time = time;
    for _ in 0..2 {
        let (role, name) = (w.next_role(&user.account), w.session_name());
        let session = w.takes(&user, &hop(&role, &name, time));
        time = w.works(&session, time.plus(1), 3).plus(30);
    }
    w.masked = false;
}

/// Sessions of a chain whose calls show no key, with services that go on in them.
pub fn keyless(w: &mut World, time: Time) {
    let user = w.some_user();
    let (role, name) = (
        w.next_role(&user.account),
        format!("job-{}", w.mint.rng.below(1 << 30)),
    );
    let copies = w.copies();
    let mut session = w.takes(
        &user,
        &Hop {
            copies,
            ..hop(&role, &name, time)
        },
    );
    session.keys = Keys::Absent;
    let time = w.works(&session, time.plus(1), 3);
    w.forwards(&session, time);
    w.chain(&session, time.plus(5), 1);
}

pub fn forwarded(w: &mut World, time: Time) {
    let user = w.some_user();
    let (role, name) = (
        w.next_role(&user.account),
        format!("stack-{}", w.mint.rng.below(1 << 30)),
    );
    let copies = w.copies();
    let session = w.takes(
        &user,
        &Hop {
            copies,
            ..hop(&role, &name, time)
        },
    );
    let mut time = w.works(&session, time.plus(1), 2);
    for _ in 0..3 {
        w.forwards(&session, time);
        time = time.plus(3);
    }
    let (role, name) = (w.role(&session.account), w.session_name());
    let hop = Hop {
        through: Through::Service,
        ..hop(&role, &name, time)
    };
    let next = w.takes(&session, &hop);
    w.works(&next, time.plus(1), 2);
}

/// The response was too large for the record, so no key was issued as far as anybody can see.
pub fn omitted(w: &mut World, time: Time) {
    let user = w.some_user();
    let role = w.next_role(&user.account);
    let name = format!("tagged-{}", w.mint.rng.below(1 << 30));
    let hop = Hop {
        through: Through::Omitted,
        ..hop(&role, &name, time)
    };
    let session = w.takes(&user, &hop);
    let time = w.works(&session, time.plus(1), 3);
    w.goes_on(&session, time);
}

/// A person calls his session as an instance would be called.
pub fn disguised(w: &mut World, time: Time) {
    let user = w.some_user();
    let role = w.next_role(&user.account);
    let name = format!("i-0{:016x}", w.mint.rng.draw());
    let session = w.takes(&user, &hop(&role, &name, time));
    let time = w.works(&session, time.plus(1), 3);
    w.goes_on(&session, time);
}

/// A session uses a key or a bucket of another account, which has a copy of the record.
pub fn shared(w: &mut World, time: Time) {
    let user = w.some_user();
    let role = w.role(&user.account);
    let name = format!("share-{}", w.mint.rng.below(1 << 30));
    let session = w.takes(&user, &hop(&role, &name, time));
    let mut owner = w.account();
    while owner == session.account {
        owner = w.account();
    }
    for n in 0..3 {
        let mut event = w.call(&session, time.plus(3 + n), ("kms", "Decrypt"));
        event.shared_id = Some(w.mint.rng.uuid());
        let mut copy = event.clone();
        copy.account.clone_from(&owner);
        copy.event_id = w.mint.rng.uuid();
        copy.who.identity = Who::foreign(&session.account, &session.principal_id()).identity;
        w.emit(&event, Some(session.node));
        w.emit(&copy, Some(session.node));
    }
}

/// A takes B, B takes A, and so on.
pub fn looped(w: &mut World, time: Time) {
    let user = w.some_user();
    let roles = [w.role(&user.account), w.next_role(&user.account)];
    let name = w.session_name();
    let (mut holder, mut time) = (user, time);
    for n in 0..3 + w.mint.rng.below(4) as usize {
        let copies = w.copies();
        holder = w.takes(
            &holder,
            &Hop {
                copies,
                ..hop(&roles[n % 2], &name, time)
            },
        );
        time = w
            .works(&holder, time.plus(1), 2)
            .plus(w.mint.rng.below(1_500) as i64);
    }
}

/// A role that takes itself shortly before it expires.
pub fn self_renewal(w: &mut World, time: Time) {
    let user = w.some_user();
    let (role, name) = (w.role(&user.account), w.session_name());
    let (mut holder, mut time) = (user, time);
    for _ in 0..4 {
        holder = w.takes(&holder, &hop(&role, &name, time));
        w.works(&holder, time.plus(1), 2);
        time = time.plus(HOUR - 400);
    }
}

/// The first hop says who it is for, and every later session carries it.
pub fn source_identity(w: &mut World, time: Time) {
    let user = w.some_user();
    let Shape::User(person) = user.shape.clone() else {
        return;
    };
    let (mut holder, mut time) = (user, time);
    for n in 0..2 + w.mint.rng.below(3) {
        let (role, name) = (w.next_role(&holder.account), w.session_name());
        let copies = w.copies();
        let source = (n == 0).then_some(person.as_str());
        let hop = Hop {
            copies,
            source_identity: source,
            ..hop(&role, &name, time)
        };
        holder = w.takes(&holder, &hop);
        time = w.works(&holder, time.plus(1), 3);
    }
}

pub fn refused(w: &mut World, time: Time) {
    let user = w.some_user();
    let mut time = time;
    for _ in 0..3 {
        let role = w.next_role(&user.account);
        w.is_refused(&user, &role, time);
        time = time.plus(4);
    }
    let (role, name) = (w.next_role(&user.account), w.session_name());
    let session = w.takes(&user, &hop(&role, &name, time));
    w.is_refused(&session, &role, time.plus(3));
    w.works(&session, time.plus(5), 2);
}

/// Caller and role in two recorded accounts, with one copy of the two missing at times.
pub fn across(w: &mut World, time: Time, copies: Copies) {
    let user = w.some_user();
    let mut account = w.account();
    while account == user.account {
        account = w.account();
    }
    let role = w.role(&account);
    let name = format!("x-{}", w.mint.rng.below(1 << 30));
    let session = w.takes(
        &user,
        &Hop {
            copies,
            ..hop(&role, &name, time)
        },
    );
    let time = w.works(&session, time.plus(1), 3);
    // On into a third account: the caller of this one is a session, not a user.
    let (role, name) = (w.next_role(&account), w.session_name());
    let session = w.takes(
        &session,
        &Hop {
            copies,
            ..hop(&role, &name, time)
        },
    );
    w.works(&session, time.plus(2), 2);
}

/// Somebody from outside comes in; only the target's copy is there.
pub fn outsider(w: &mut World, time: Time) {
    let by = w.outsider();
    let account = w.account();
    let (role, name) = (w.role(&account), w.session_name());
    let copies = w.copies();
    let session = w.takes(
        &by,
        &Hop {
            copies,
            ..hop(&role, &name, time)
        },
    );
    let time = w.works(&session, time.plus(1), 3);
    w.goes_on(&session, time);
}

/// A user takes a role of an outside account and comes back with it to a bucket at home.
pub fn out_and_back(w: &mut World, time: Time) {
    let user = w.some_user();
    let role = Role::new(&w.outside(), "partner-exchange");
    let name = format!("exchange-{}", w.mint.rng.below(1 << 30));
    let session = w.takes(&user, &hop(&role, &name, time));
    w.nodes[session.node].weak = true;
    let account = w.account();
    for n in 0..3 {
        let who = Who::foreign(&role.account, &session.principal_id()).from(&session.ip, SDK);
        let place = (account.as_str(), session.region);
        let time = time.plus(5 + 9 * n);
        let event = Event::new(&mut w.mint, &who, place, time, ("s3", "GetBucketLocation"));
        w.emit(&event, Some(session.node));
    }
}

/// A session of a member account's root user, taken from the management account.
pub fn assume_root(w: &mut World, time: Time) {
    let user = w.some_user();
    let role = Role::new(&user.account, "root-access");
    let name = w.session_name();
    let admin = w.takes(&user, &hop(&role, &name, time));
    let time = time.plus(20);
    let member = w.account();
    let (node, key) = (w.child("assumed-root", admin.node), w.mint.rng.key("ASIA"));
    let root = Holder {
        node,
        account: member.clone(),
        shape: Shape::AssumedRoot,
        keys: Keys::One(key.clone()),
        created: Some(time),
        marks: Marks::default(),
        agent: CLI.to_owned(),
        ..admin.clone()
    };
    w.describe(&root);
    if w.copies() == Copies::None {
        w.orphan(node, Vec::new());
    } else {
        let mut event = w.call(&admin, time, ("sts", "AssumeRoot")).asks(|j| {
            j.str("targetPrincipal", &member)
                .obj("taskPolicyArn", |j| {
                    j.str(
                        "arn",
                        "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy",
                    );
                })
                .raw("durationSeconds", "900");
        });
        event.response = Some(answer(&mut w.mint, &key, time.plus(900), None, &[]));
        if member != admin.account {
            event.shared_id = Some(w.mint.rng.uuid());
            let mut copy = event.clone();
            copy.account.clone_from(&member);
            copy.event_id = w.mint.rng.uuid();
            copy.who.identity = Who::foreign(&admin.account, &admin.principal_id()).identity;
            w.issue(&copy, None, node);
        }
        w.issue(&event, Some(admin.node), node);
    }
    for n in 0..2 {
        w.does(&root, time.plus(5 + n), ("s3", "DeleteBucketPolicy"));
    }
}

/// One role that everybody comes through.
pub fn hub(w: &mut World, time: Time) {
    w.scenario = "hub";
    let account = w.accounts[0].clone();
    let role = Role::new(&account, "hub");
    let user = w.some_user();
    let name = w.session_name();
    let session = w.takes(&user, &hop(&role, &name, time));
    w.works(&session, time.plus(1), 1);
}

pub fn tags(pairs: &[(&str, &str)]) -> String {
    let items: Vec<String> = pairs
        .iter()
        .map(|(key, value)| {
            Json::object(|j| {
                j.str("key", key).str("value", value);
            })
        })
        .collect();
    format!("[{}]", items.join(","))
}
