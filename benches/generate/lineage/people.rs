//! How people come in: with keys and tokens of IAM users, through the console, through a directory
//! of their own.

use super::super::event::Event;
use super::super::kit::{HOUR, Json, Time};
use super::chains::{USERS, hop};
use super::holder::{Holder, Keys, Marks, Shape};
use super::truth::Root;
use super::world::{BROWSER, CLI, Copies, Hop, Through, World, answer};

fn user_root(kind: &'static str, arn: &str) -> Root {
    Root::new(kind, arn, &[arn])
}

pub fn long_term(w: &mut World, time: Time) {
    let user = w.some_user();
    let time = w.works(&user, time, 4);
    w.goes_on(&user, time);
}

/// Services go on in the name of a long-term key: with keys of their own, in a session that begins
/// when the user called and lives for some seconds.
pub fn user_forward(w: &mut World, time: Time) {
    const SERVICES: [&str; 3] = [
        "secretsmanager.amazonaws.com",
        "AWS Internal",
        "cloudformation.amazonaws.com",
    ];
    let user = w.some_user();
    for n in 0..2 {
        let time = time.plus(40 * n);
        w.does(&user, time, ("secretsmanager", "GetSecretValue"));
        w.does(&user, time.plus(1), ("ssm", "GetParameter"));
        let node = w.child("user-session", user.node);
        w.nodes[node].may_merge = true;
        let session = Holder {
            node,
            keys: Keys::PerRequest,
            created: Some(time),
            ..user.clone()
        };
        w.describe(&session);
        let service = *w.mint.rng.pick(&SERVICES);
        for k in 0..3 {
            let key = session.key(&mut w.mint.rng);
            let who = session.forwarded(service, key.as_deref());
            let place = (session.account.as_str(), session.region);
            let call = ("kms", "Decrypt");
            let event = Event::new(&mut w.mint, &who, place, time.plus(2 + 5 * k), call);
            w.emit(&event, Some(node));
        }
    }
}

pub fn session_token(w: &mut World, time: Time) {
    let user = w.some_user();
    let (node, key) = (w.child("user-session", user.node), w.issue_key());
    let mfa = w.chance(60);
    let session = Holder {
        node,
        keys: Keys::One(key.clone()),
        created: Some(time),
        marks: Marks {
            mfa,
            ..Marks::default()
        },
        ..user.clone()
    };
    w.describe(&session);
    if w.copies() == Copies::None {
        let arn = user.arn();
        w.orphan(
            node,
            vec![
                user_root("iam-user-key", &arn),
                user_root("console-user", &arn),
            ],
        );
    } else {
        let serial = user.arn().replace(":user/", ":mfa/");
        let mut event = w.call(&user, time, ("sts", "GetSessionToken")).asks(|j| {
            j.raw("durationSeconds", "43200");
            if mfa {
                j.str("serialNumber", &serial);
            }
        });
        event.read_only = false;
        event.response = Some(answer(&mut w.mint, &key, time.plus(12 * HOUR), None, &[]));
        w.issue(&event, Some(user.node), node);
    }
    let time = w.works(&session, time.plus(2), 4);
    w.goes_on(&session, time);
}

/// GetFederationToken, and sometimes the console on top of it.
pub fn federation_token(w: &mut World, time: Time) {
    let user = w.some_user();
    let Shape::User(name) = user.shape.clone() else {
        return;
    };
    let (node, key) = (w.child("federated-user", user.node), w.issue_key());
    let guest = format!("guest-{}", w.mint.rng.below(1_000));
    let session = Holder {
        node,
        shape: Shape::Federated(name, guest.clone()),
        keys: Keys::One(key.clone()),
        created: Some(time),
        ..user.clone()
    };
    w.describe(&session);
    if w.copies() == Copies::None {
        let arn = user.arn();
        w.orphan(
            node,
            vec![
                user_root("iam-user-key", &arn),
                user_root("console-user", &arn),
            ],
        );
    } else {
        let mut event = w
            .call(&user, time, ("sts", "GetFederationToken"))
            .asks(|j| {
                j.str("name", &guest).raw("durationSeconds", "43200");
            });
        event.read_only = false;
        let whose = Json::object(|j| {
            j.str("federatedUserId", &session.principal_id())
                .str("arn", &session.arn());
        });
        let more = [("federatedUser", whose.as_str())];
        let until = time.plus(12 * HOUR);
        event.response = Some(answer(&mut w.mint, &key, until, None, &more));
        w.issue(&event, Some(user.node), node);
    }
    let time = w.works(&session, time.plus(2), 3);
    if w.chance(50) {
        opens_console(w, &session, time.plus(20), false);
    }
}

/// The credentials at hand are traded for a sign-in token, and the console works with keys of its
/// own from then on. `same`: it shows the creation of the session it came from, not its own.
pub fn opens_console(w: &mut World, by: &Holder, time: Time, same: bool) {
    let key = by.key(&mut w.mint.rng).unwrap_or_default();
    let other = w.mint.rng.key("ASIA");
    let shown = if w.chance(50) { &key } else { &other };
    let mut token = w.call(by, time, ("signin", "GetSigninToken")).answers(|j| {
        j.obj("credentials", |j| {
            j.str("accessKeyId", shown);
        })
        .str("GetSigninToken", "Success");
    });
    token.additional = Some(r#"{"MobileVersion":"No","MFAUsed":"No"}"#.to_owned());
    token.kind = "AwsConsoleSignIn";
    token.request_id.clear();
    token.read_only = false;
    w.emit(&token, Some(by.node));
    let node = w.child("console", by.node);
    w.nodes[node].may_merge = same;
    let login = time.plus(1 + w.mint.rng.below(2) as i64);
    let console = Holder {
        node,
        keys: Keys::PerRequest,
        created: if same { by.created } else { Some(login) },
        agent: BROWSER.to_owned(),
        console: true,
        ..by.clone()
    };
    w.describe(&console);
    sign_in(w, &console, login);
    let time = w.works(&console, login.plus(3), 5);
    // Sessions of GetFederationToken may not call STS.
    if matches!(console.shape, Shape::Role(..)) {
        w.goes_on(&console, time);
    }
}

/// The record of a sign-in. It shows no key, and is no act that anybody asks about.
fn sign_in(w: &mut World, console: &Holder, time: Time) {
    let mut shown = console.clone();
    if !matches!(console.shape, Shape::Role(..) | Shape::Federated(..)) {
        shown.created = None;
    }
    let who = shown.who(matches!(console.shape, Shape::Root).then_some(""));
    let region = if matches!(console.shape, Shape::Root) {
        "us-east-1"
    } else {
        console.region
    };
    let place = (console.account.as_str(), region);
    let mut event = Event::new(&mut w.mint, &who, place, time, ("signin", "ConsoleLogin"));
    event = event.answers(|j| {
        j.str("ConsoleLogin", "Success");
    });
    let mfa = if console.marks.mfa { "Yes" } else { "No" };
    event.additional = Some(Json::object(|j| {
        j.str("LoginTo", "https://console.aws.amazon.com/console/home")
            .str("MobileVersion", "No")
            .str("MFAUsed", mfa);
    }));
    event.kind = "AwsConsoleSignIn";
    event.request_id.clear();
    w.emit(&event, None);
}

/// A user or root signs in; the sign-in is not always in the evidence, which does not matter.
pub fn signed_in(w: &mut World, account: &str, shape: Shape, time: Time) -> Holder {
    let arn = match &shape {
        Shape::User(name) => format!("arn:aws:iam::{account}:user/{name}"),
        _ => format!("{account}:root"),
    };
    let (kind, root) = match shape {
        Shape::User(_) => ("console", user_root("console-user", &arn)),
        _ => ("root", Root::new("root", &arn, &[account])),
    };
    let node = w.node(kind, root);
    let mfa = w.chance(70);
    let console = Holder {
        node,
        account: account.to_owned(),
        shape,
        keys: Keys::PerRequest,
        created: Some(time),
        marks: Marks {
            mfa,
            ..Marks::default()
        },
        ip: w.address(),
        agent: BROWSER.to_owned(),
        region: w.region(),
        console: true,
    };
    w.describe(&console);
    if !w.chance(10) {
        sign_in(w, &console, time);
    }
    console
}

pub fn some_shape(w: &mut World) -> Shape {
    Shape::User((*w.mint.rng.pick(&USERS)).to_owned())
}

pub fn console_user(w: &mut World, time: Time) {
    let (account, shape) = (w.account(), some_shape(w));
    let console = signed_in(w, &account, shape, time);
    let time = w.works(&console, time.plus(3), 6);
    if w.chance(40) {
        w.forwards(&console, time);
    }
}

pub fn root_user(w: &mut World, time: Time) {
    let account = w.account();
    if w.chance(20) {
        let arn = format!("{account}:root");
        let node = w.node("root", Root::new("root", &arn, &[&account]));
        let holder = Holder {
            node,
            account,
            shape: Shape::Root,
            keys: Keys::One(w.mint.rng.key("AKIA")),
            created: None,
            marks: Marks::default(),
            ip: w.address(),
            agent: CLI.to_owned(),
            region: w.region(),
            console: false,
        };
        w.describe(&holder);
        w.works(&holder, time, 3);
        return;
    }
    let mut console = signed_in(w, &account, Shape::Root, time);
    if w.chance(30) {
        console.keys = Keys::Empty;
    }
    w.works(&console, time.plus(3), 4);
}

/// From the console of one account into a role, mostly of another.
pub fn switches(w: &mut World, time: Time) {
    let account = w.account();
    let outside = w.chance(25);
    let home = if outside { w.outside() } else { w.account() };
    let shape = some_shape(w);
    let Shape::User(name) = shape.clone() else {
        return;
    };
    let console = signed_in(w, &home, shape, time);
    if outside {
        let root = Root::new("external-account", &home, &[&home]);
        let arn = console.arn();
        let node = w.named(
            "account",
            &format!("{home}/{}", console.principal_id()),
            &[&home],
        );
        w.nodes[node].principal_id = console.principal_id();
        w.nodes[node].also = vec![user_root("console-user", &arn)];
        w.nodes[node].root = root;
        let outsider = Holder { node, ..console };
        return switch(w, &outsider, &account, &name, time);
    }
    let time = w.works(&console, time.plus(3), 3);
    switch(w, &console, &account, &name, time);
}

fn switch(w: &mut World, by: &Holder, account: &str, name: &str, time: Time) {
    let role = w.role(account);
    let copies = match w.mint.rng.below(10) {
        0 => Copies::None,
        1 => Copies::Target,
        _ => Copies::Both,
    };
    let hop = Hop {
        copies,
        through: Through::Console,
        ..hop(&role, name, time)
    };
    let session = w.takes(by, &hop);
    // SwitchRole names who switched, also where the record of the assumption is lost.
    if copies == Copies::None {
        let also = vec![
            user_root("console-user", &by.arn()),
            Root::new("external-account", "", &[&by.account]),
        ];
        w.nodes[session.node].also = also;
    }
    let who = session.who(None);
    let place = (account, session.region);
    let mut event = Event::new(&mut w.mint, &who, place, time, ("signin", "SwitchRole"));
    event = event.answers(|j| {
        j.str("SwitchRole", "Success");
    });
    event.additional = Some(Json::object(|j| {
        j.str("SwitchFrom", &by.arn())
            .str("RedirectTo", "https://console.aws.amazon.com/console/home");
    }));
    event.kind = "AwsConsoleSignIn";
    event.request_id.clear();
    w.emit(&event, None);
    w.works(&session, time.plus(2), 5);
}

/// Role credentials of a command line open the console.
pub fn sign_in_token(w: &mut World, time: Time) {
    let user = w.some_user();
    let (role, name) = (w.next_role(&user.account), w.session_name());
    let copies = w.copies();
    let session = w.takes(
        &user,
        &Hop {
            copies,
            ..hop(&role, &name, time)
        },
    );
    let time = w.works(&session, time.plus(2), 2);
    let same = w.chance(50);
    opens_console(w, &session, time.plus(30), same);
}
