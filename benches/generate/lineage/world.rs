//! The accounts, what has happened in them so far, and the few things that happen everywhere: a call,
//! a role taken, a service at work.

use std::collections::HashMap;

use super::super::event::{Event, Role, Who};
use super::super::kit::{Json, Mint, Time};
use super::delivery::{Delivery, REGIONS};
use super::holder::{Holder, Keys, Marks, Shape};
use super::truth::{Node, Root};

pub const CLI: &str =
    "aws-cli/2.22.33 md/awscrt#0.22.0 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.6";
pub const SDK: &str =
    "aws-sdk-go-v2/1.32.8 ua/2.1 os/linux lang/go#1.23.4 md/GOOS#linux md/GOARCH#arm64";
pub const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
/// What anonymized evidence has in place of every key.
const MASKED: &str = "ASIA****************";
const MASKED_LONG: &str = "AKIA****************";

const CALLS: [(&str, &str); 16] = [
    ("s3", "ListBuckets"),
    ("s3", "GetBucketAcl"),
    ("ec2", "DescribeInstances"),
    ("ec2", "DescribeVpcs"),
    ("ec2", "CreateTags"),
    ("iam", "ListRoles"),
    ("iam", "GetUser"),
    ("kms", "Decrypt"),
    ("kms", "ListKeys"),
    ("secretsmanager", "GetSecretValue"),
    ("ssm", "GetParameter"),
    ("sqs", "GetQueueAttributes"),
    ("logs", "DescribeLogGroups"),
    ("dynamodb", "DescribeTable"),
    ("lambda", "ListFunctions20150331"),
    ("sts", "GetCallerIdentity"),
];
const FORWARDERS: [(&str, &str, &str); 4] = [
    ("cloudformation.amazonaws.com", "ec2", "DescribeSubnets"),
    ("s3.amazonaws.com", "kms", "GenerateDataKey"),
    ("athena.amazonaws.com", "glue", "GetTable"),
    ("autoscaling.amazonaws.com", "ec2", "RunInstances"),
];

/// Which of the records of an assumption are in the evidence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    Both,
    Caller,
    Target,
    None,
}

/// A role to be taken.
#[derive(Clone)]
pub struct Hop<'a> {
    pub role: &'a Role,
    pub session: &'a str,
    pub time: Time,
    pub copies: Copies,
    pub source_identity: Option<&'a str>,
    pub through: Through,
}

/// Who makes the call that takes a role.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Through {
    Caller,
    /// The console, for somebody who switches to the role.
    Console,
    /// A service that goes on in the caller's session.
    Service,
    /// The caller, and the response was too large to be recorded.
    Omitted,
}

pub struct World {
    pub mint: Mint,
    pub accounts: Vec<String>,
    pub delivery: Delivery,
    pub nodes: Vec<Node>,
    pub scenario: &'static str,
    /// Keys are masked, issued ones and used ones.
    pub masked: bool,
    /// Nodes that are one for the whole run, by name.
    pub known: HashMap<String, usize>,
    pub users: HashMap<String, Holder>,
}

impl World {
    pub fn chance(&mut self, percent: u64) -> bool {
        self.mint.rng.below(100) < percent
    }

    pub fn account(&mut self) -> String {
        self.mint.rng.pick(&self.accounts).clone()
    }

    pub fn is_recorded(&self, account: &str) -> bool {
        self.accounts.iter().any(|own| own == account)
    }

    /// An account whose records are not in the evidence.
    pub fn outside(&mut self) -> String {
        (600_000_000_000 + self.mint.rng.below(40) * 7_919_113).to_string()
    }

    pub fn region(&mut self) -> &'static str {
        self.mint.rng.pick::<&str>(&REGIONS)
    }

    pub fn address(&mut self) -> String {
        let net = *self.mint.rng.pick(&["192.0.2", "198.51.100", "203.0.113"]);
        format!("{net}.{}", 1 + self.mint.rng.below(254))
    }

    pub fn issue_key(&mut self) -> String {
        if self.masked {
            MASKED.to_owned()
        } else {
            self.mint.rng.key("ASIA")
        }
    }

    /// A new line of truth for the scenario at hand.
    pub fn node(&mut self, kind: &'static str, root: Root) -> usize {
        self.nodes.push(Node::new(self.scenario, kind, root));
        self.nodes.len() - 1
    }

    /// Somebody or something known by a name, the same for the whole run.
    pub fn named(&mut self, kind: &'static str, identity: &str, parts: &[&str]) -> usize {
        let key = format!("{kind} {identity}");
        if let Some(&node) = self.known.get(&key) {
            return node;
        }
        let root_kind = if kind == "account" {
            "external-account"
        } else {
            kind
        };
        let node = self.node(kind, Root::new(root_kind, identity, parts));
        (self.nodes[node].named, self.nodes[node].scenario) = (true, "named");
        self.known.insert(key, node);
        node
    }

    /// A node below another, with its root.
    pub fn child(&mut self, kind: &'static str, parent: usize) -> usize {
        let up = self.nodes[parent].clone();
        let node = self.node(kind, up.root);
        let new = &mut self.nodes[node];
        (new.parent, new.also, new.real_root) = (Some(parent), up.also, up.real_root);
        new.hops = up.hops + 1;
        node
    }

    /// The record that issued it was left out, and nothing else tells who stands behind it.
    pub fn orphan(&mut self, node: usize, also: Vec<Root>) {
        let it = &mut self.nodes[node];
        (it.unseen, it.real_parent) = (true, it.parent.take());
        let root = std::mem::replace(&mut it.root, Root::unseen());
        it.real_root.get_or_insert(root);
        it.also = also;
    }

    /// The evidence leaves more than one possible parent.
    pub fn doubtful(&mut self, node: usize) {
        if !self.nodes[node].unseen {
            self.orphan(node, Vec::new());
        }
    }

    /// Fills in what finds the holder in the evidence.
    pub fn describe(&mut self, holder: &Holder) {
        let node = &mut self.nodes[holder.node];
        (node.principal_id, node.created) = (holder.principal_id(), holder.created);
        if let Keys::One(key) = &holder.keys {
            node.holds(key);
        }
    }

    /// Puts a record into the evidence, if its account is recorded, as an act of `node`.
    pub fn emit(&mut self, event: &Event, node: Option<usize>) -> bool {
        if !self.is_recorded(&event.account) {
            return false;
        }
        self.delivery.add(event);
        if let Some(node) = node {
            self.nodes[node].acted(&event.event_id);
        }
        true
    }

    /// The same for a record that issued `child`.
    pub fn issue(&mut self, event: &Event, node: Option<usize>, child: usize) -> bool {
        let there = self.emit(event, node);
        if there {
            self.nodes[child].issued.push(event.event_id.clone());
        }
        there
    }

    /// One call of the holder.
    pub fn call(&mut self, by: &Holder, time: Time, call: (&str, &str)) -> Event {
        let key = by.key(&mut self.mint.rng);
        let region = if call.0 == "iam" {
            "us-east-1"
        } else {
            by.region
        };
        let who = by.who(key.as_deref());
        Event::new(&mut self.mint, &who, (&by.account, region), time, call)
    }

    pub fn does(&mut self, by: &Holder, time: Time, call: (&str, &str)) {
        let event = self.call(by, time, call);
        self.emit(&event, Some(by.node));
    }

    /// Some calls from `time` on; the moment after them.
    pub fn works(&mut self, by: &Holder, time: Time, calls: u64) -> Time {
        let mut time = time;
        for _ in 0..calls {
            time = time.plus(self.mint.rng.below(90) as i64);
            let call = *self.mint.rng.pick(&CALLS);
            let mut event = self.call(by, time, call);
            if self.chance(4) {
                let message = format!("User: {} is not authorized to perform this", by.arn());
                event = event.fails("AccessDenied", &message);
            }
            self.emit(&event, Some(by.node));
        }
        time.plus(1)
    }

    /// A service goes on in the holder's session, without a key or with one of its own.
    pub fn forwards(&mut self, by: &Holder, time: Time) {
        let (service, source, name) = *self.mint.rng.pick(&FORWARDERS);
        let key = self.chance(50).then(|| self.mint.rng.key("ASIA"));
        let who = by.forwarded(service, key.as_deref());
        let place = (by.account.as_str(), by.region);
        let event = Event::new(&mut self.mint, &who, place, time, (source, name));
        self.emit(&event, Some(by.node));
    }

    /// The holder takes a role. What comes back acts as the holder does: same place, same client.
    pub fn takes(&mut self, by: &Holder, hop: &Hop) -> Holder {
        let role = hop.role;
        let node = self.child("role", by.node);
        let key = self.issue_key();
        // A session's clock may be a second behind the record that issued it.
        let late = i64::from(self.scenario != "same-second" && self.chance(10));
        let console = hop.through == Through::Console;
        let child = Holder {
            node,
            account: role.account.clone(),
            shape: Shape::Role(role.clone(), hop.session.to_owned()),
            keys: if console {
                Keys::PerRequest
            } else {
                Keys::One(key.clone())
            },
            created: Some(hop.time.plus(late)),
            marks: Marks {
                source_identity: by
                    .marks
                    .source_identity
                    .clone()
                    .or(hop.source_identity.map(str::to_owned)),
                mfa: console && by.marks.mfa,
                ..Marks::default()
            },
            ..by.clone()
        };
        self.describe(&child);
        self.nodes[node].holds(&key);
        let (caller_copy, target_copy) = self.records(by, hop, &key, &child);
        let home = self.is_recorded(&by.account);
        let shown = match hop.copies {
            Copies::Both => (home, true),
            Copies::Caller => (home, false),
            Copies::Target => (false, true),
            Copies::None => (false, false),
        };
        let mut seen = (false, false);
        match target_copy {
            Some(target) => {
                if shown.0 {
                    seen.0 = self.issue(&caller_copy, Some(by.node), node);
                }
                if shown.1 {
                    // The target's copy of an outsider's call is all there is of the outsider.
                    let caller = (!home).then_some(by.node);
                    seen.1 = self.issue(&target, caller, node);
                }
            }
            None if hop.copies != Copies::None => {
                seen.0 = self.issue(&caller_copy, Some(by.node), node)
            }
            None => {}
        }
        if !seen.0 && !seen.1 {
            self.orphan(node, Vec::new());
        }
        self.nodes[node].weak = home && !seen.0 && seen.1;
        child
    }

    /// The caller's copy, and the target's where that is another account.
    fn records(
        &mut self,
        by: &Holder,
        hop: &Hop,
        key: &str,
        child: &Holder,
    ) -> (Event, Option<Event>) {
        let (role, mint) = (hop.role, &mut self.mint);
        let own = by.key(&mut mint.rng);
        let who = match hop.through {
            Through::Console => by.internal(own.as_deref()),
            Through::Service => by.forwarded("cloudformation.amazonaws.com", None),
            Through::Caller | Through::Omitted => by.who(own.as_deref()),
        };
        let region = if mint.rng.below(5) == 0 {
            "us-east-1"
        } else {
            by.region
        };
        let place = (by.account.as_str(), region);
        let mut caller = Event::new(mint, &who, place, hop.time, ("sts", "AssumeRole")).asks(|j| {
            j.str("roleArn", &role.arn())
                .str("roleSessionName", hop.session);
            if let Some(source) = hop.source_identity {
                j.str("sourceIdentity", source);
            }
            j.raw("durationSeconds", "3600");
        });
        caller.response = Some(answer(mint, key, hop.time.plus(3_600), Some(child), &[]));
        if hop.through == Through::Omitted {
            let text =
                r#"{"reason":"responseElements too large","omitted":true,"originalSize":104201}"#;
            caller.response = Some(text.to_owned());
        }
        caller.additional = Some(endpoint(region));
        caller.resources = vec![Json::object(|j| {
            j.str("accountId", &role.account)
                .str("type", "AWS::IAM::Role")
                .str("ARN", &role.arn());
        })];
        if role.account == by.account {
            return (caller, None);
        }
        caller.shared_id = Some(mint.rng.uuid());
        let mut target = caller.clone();
        target.account.clone_from(&role.account);
        target.event_id = mint.rng.uuid();
        target.who.identity = Who::foreign(&by.account, &by.principal_id()).identity;
        (caller, Some(target))
    }

    /// The holder asks for a role and does not get it.
    pub fn is_refused(&mut self, by: &Holder, role: &Role, time: Time) {
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            by.arn(),
            role.arn()
        );
        let event = self
            .call(by, time, ("sts", "AssumeRole"))
            .fails("AccessDenied", &message);
        self.emit(&event, Some(by.node));
    }

    /// A service takes a role for `child`, or the record of it is left out.
    pub fn service_takes(
        &mut self,
        service: &str,
        child: &Holder,
        key: &str,
        answered: bool,
        tags: &str,
    ) {
        let node = self.named("service", service, &[service]);
        let (Shape::Role(role, session), Some(time)) = (&child.shape, child.created) else {
            return;
        };
        let mint = &mut self.mint;
        let place = (role.account.as_str(), child.region);
        let mut event = Event::new(
            mint,
            &Who::service(service),
            place,
            time,
            ("sts", "AssumeRole"),
        )
        .asks(|j| {
            j.str("roleArn", &role.arn())
                .str("roleSessionName", session);
            if !tags.is_empty() {
                j.raw("tags", tags);
            }
        })
        .on("AWS::IAM::Role", &role.arn());
        let user = answered.then_some(child);
        event.response = Some(answer(mint, key, time.plus(6 * 3_600), user, &[]));
        event.shared_id = Some(mint.rng.uuid());
        self.issue(&event, Some(node), child.node);
    }

    /// A user with his long-term key; one of two that some users have.
    pub fn user(&mut self, account: &str, name: &str) -> Holder {
        let second = !self.masked && name.len().is_multiple_of(3) && self.chance(30);
        let slot = format!("{account}/{name}/{second}/{}", self.masked);
        if let Some(holder) = self.users.get(&slot) {
            return holder.clone();
        }
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let scenario = std::mem::replace(&mut self.scenario, "user-key");
        let node = self.node("user-key", Root::new("iam-user-key", &arn, &[&arn]));
        self.scenario = scenario;
        let holder = Holder {
            node,
            account: account.to_owned(),
            shape: Shape::User(name.to_owned()),
            keys: Keys::One(if self.masked {
                MASKED_LONG.to_owned()
            } else {
                self.mint.rng.key("AKIA")
            }),
            created: None,
            marks: Marks::default(),
            ip: self.address(),
            agent: CLI.to_owned(),
            region: self.region(),
            console: false,
        };
        self.describe(&holder);
        self.users.insert(slot, holder.clone());
        holder
    }

    /// Somebody of an account that is not recorded, by the id that the target's copy shows.
    pub fn outsider(&mut self) -> Holder {
        let (account, name) = (self.outside(), format!("ops-{}", self.mint.rng.below(5)));
        let shape = if self.chance(50) {
            Shape::User(name)
        } else {
            Shape::Role(Role::new(&account, "vendor"), name)
        };
        let mut holder = Holder {
            node: 0,
            account,
            shape,
            keys: Keys::One(self.mint.rng.key("AKIA")),
            created: None,
            marks: Marks::default(),
            ip: self.address(),
            agent: SDK.to_owned(),
            region: self.region(),
            console: false,
        };
        let id = holder.principal_id();
        let name = format!("{}/{id}", holder.account);
        holder.node = self.named("account", &name, &[&holder.account]);
        self.nodes[holder.node].principal_id = id;
        holder
    }
}

/// The response that carries credentials, whose they are unless the service leaves that out, and
/// what else it says.
pub fn answer(
    mint: &mut Mint,
    key: &str,
    expires: Time,
    user: Option<&Holder>,
    more: &[(&str, &str)],
) -> String {
    let token = mint.token();
    let mut until = expires.spoken();
    if mint.rng.below(5) == 0 {
        // The older of the two spellings has no comma behind the year.
        if let Some((date, clock)) = until.rsplit_once(", ") {
            until = format!("{date} {clock}");
        }
    }
    Json::object(|j| {
        j.obj("credentials", |j| {
            j.str("accessKeyId", key)
                .str("sessionToken", &token)
                .str("expiration", &until);
        });
        if let Some(user) = user {
            j.obj("assumedRoleUser", |j| {
                j.str("assumedRoleId", &user.principal_id())
                    .str("arn", &user.arn());
            });
            if let Some(source) = &user.marks.source_identity {
                j.str("sourceIdentity", source);
            }
        }
        for (name, value) in more {
            if value.starts_with('{') {
                j.raw(name, value);
            } else {
                j.str(name, value);
            }
        }
    })
}

pub fn endpoint(region: &str) -> String {
    Json::object(|j| {
        j.obj("RequestDetails", |j| {
            j.str("awsServingRegion", region)
                .str("endpointType", "regional");
        });
    })
}
