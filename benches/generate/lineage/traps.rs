//! Evidence in which a plausible guess is wrong: the record at hand belongs to somebody else, and
//! the one that matters is not there or does not say enough.

use super::super::kit::{HOUR, Time};
use super::chains::hop;
use super::holder::{Holder, Keys, Shape};
use super::people::signed_in;
use super::truth::Root;
use super::world::{Copies, Hop, Through, World};

/// Two people of one account, and a role there.
fn pair(w: &mut World) -> (Holder, Holder, super::super::event::Role) {
    let account = w.account();
    let (one, two) = (w.user(&account, "ana"), w.user(&account, "ben"));
    let role = w.role(&account);
    (one, two, role)
}

/// Two sessions of one name begin a second apart and show no keys. Where the record of the first is
/// left out, the second's is close, and not its own.
pub fn second_apart(w: &mut World, time: Time) {
    let (one, two, role) = pair(w);
    let first = if w.chance(60) {
        Copies::None
    } else {
        Copies::Both
    };
    for (n, (user, copies)) in [(one, first), (two, Copies::Both)].into_iter().enumerate() {
        let time = time.plus(n as i64);
        let mut session = w.takes(
            &user,
            &Hop {
                copies,
                ..hop(&role, "ci", time)
            },
        );
        session.created = Some(time);
        session.keys = Keys::Absent;
        w.describe(&session);
        w.works(&session, time.plus(10), 3);
    }
}

/// A session whose record is left out, and one of the same second and name whose record is there and
/// whose key nobody uses.
pub fn idle_twin(w: &mut World, time: Time) {
    let (one, two, role) = pair(w);
    let copies = Copies::None;
    let mut session = w.takes(
        &one,
        &Hop {
            copies,
            ..hop(&role, "batch", time)
        },
    );
    session.created = Some(time);
    w.describe(&session);
    w.takes(&two, &hop(&role, "batch", time));
    let time = w.works(&session, time.plus(10), 3);
    w.goes_on(&session, time);
}

/// Two take a role under one name in one second, and neither response is recorded.
pub fn omitted_twice(w: &mut World, time: Time) {
    let (one, two, role) = pair(w);
    for user in [one, two] {
        let through = Through::Omitted;
        let mut session = w.takes(
            &user,
            &Hop {
                through,
                ..hop(&role, "tags", time)
            },
        );
        session.created = Some(time);
        w.describe(&session);
        forget(w, &session);
        w.works(&session, time.plus(10), 2);
    }
}

/// The same with keys that are masked: the calls are anybody's of the two.
pub fn masked_pair(w: &mut World, time: Time) {
    let (one, two, role) = pair(w);
    w.masked = true;
    let mut last = None;
    for user in [one, two] {
        let mut session = w.takes(&user, &hop(&role, "export", time));
        session.created = Some(time);
        last = Some(session);
    }
    w.masked = false;
    if let Some(session) = last {
        let node = w.node("role", Root::unseen());
        w.nodes[node].unseen = true;
        let either = Holder { node, ..session };
        w.describe(&either);
        w.works(&either, time.plus(5), 4);
    }
}

/// Nothing in the evidence tells who is above.
fn forget(w: &mut World, holder: &Holder) {
    let node = &mut w.nodes[holder.node];
    (node.parent, node.real_parent, node.real_root) = (None, None, None);
    (node.unseen, node.root) = (true, Root::unseen());
    node.also.clear();
    node.issued.clear();
}

/// Two sessions of one principal are alive, and one of them is seen from the target only.
pub fn two_alive(w: &mut World, time: Time) {
    let (one, two, role) = pair(w);
    let mut sessions = Vec::new();
    for (n, user) in [one, two].iter().enumerate() {
        let time = time.plus(200 * n as i64);
        let session = w.takes(user, &hop(&role, "shift", time));
        w.works(&session, time.plus(2), 2);
        sessions.push(session);
    }
    for (n, session) in sessions.iter().enumerate() {
        let mut account = w.account();
        while account == session.account {
            account = w.account();
        }
        let (role, name, copies) = (w.role(&account), w.session_name(), Copies::Target);
        let time = time.plus(600 + 40 * n as i64);
        let next = w.takes(
            session,
            &Hop {
                copies,
                ..hop(&role, &name, time)
            },
        );
        w.doubtful(next.node);
        let time = w.works(&next, time.plus(1), 2);
        w.works(session, time, 1);
    }
}

/// A session of the principal is known, but it ended hours ago. The one at work left nothing but the
/// target's copy of its call.
pub fn expired(w: &mut World, time: Time) {
    let (one, two, role) = pair(w);
    let session = w.takes(&one, &hop(&role, "night", time));
    w.works(&session, time.plus(2), 2);
    let time = time.plus(5 * HOUR);
    let copies = Copies::None;
    let silent = w.takes(
        &two,
        &Hop {
            copies,
            ..hop(&role, "night", time)
        },
    );
    let mut account = w.account();
    while account == silent.account {
        account = w.account();
    }
    let (role, name, copies) = (w.role(&account), w.session_name(), Copies::Target);
    let time = time.plus(300);
    let next = w.takes(
        &silent,
        &Hop {
            copies,
            ..hop(&role, &name, time)
        },
    );
    w.doubtful(next.node);
    w.works(&next, time.plus(1), 2);
}

/// Two people of one name in two accounts switch to one role in the same second. The records tell
/// whose the issued credentials are, but the console's keys are others, so its calls are anybody's.
pub fn two_switch(w: &mut World, time: Time) {
    let target = w.account();
    let role = w.role(&target);
    let is_other = |home: &&String| **home != target;
    let homes: Vec<String> = w.accounts.iter().filter(is_other).cloned().collect();
    let mut last = None;
    for home in &homes[..2] {
        let by = signed_in(w, home, Shape::User("alex".to_owned()), time.plus(-60));
        w.works(&by, time.plus(-50), 1);
        let through = Through::Console;
        let mut session = w.takes(
            &by,
            &Hop {
                through,
                ..hop(&role, "alex", time)
            },
        );
        session.created = Some(time);
        last = Some(session);
    }
    if let Some(session) = last {
        let node = w.node("console", Root::unseen());
        w.nodes[node].unseen = true;
        let console = Holder { node, ..session };
        w.describe(&console);
        w.works(&console, time.plus(5), 5);
    }
}

/// Somebody gives another's name as the source identity, and the record of that is left out.
pub fn borrowed_identity(w: &mut World, time: Time) {
    let (_, two, role) = pair(w);
    let hop = Hop {
        copies: Copies::None,
        source_identity: Some("ana"),
        ..hop(&role, "support", time)
    };
    let session = w.takes(&two, &hop);
    let time = w.works(&session, time.plus(1), 3);
    w.chain(&session, time, 1);
}
