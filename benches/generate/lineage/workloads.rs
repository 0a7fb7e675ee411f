//! What gets credentials without anybody asking: instances, functions, tasks, pods, and services on
//! their own account.

use super::super::event::{Role, Who};
use super::super::kit::{HOUR, Rng, Time};
use super::chains::tags;
use super::directory::Trade;
use super::holder::{Holder, Keys};
use super::truth::Root;
use super::world::{Copies, SDK, World};

/// One period of a workload's role: which service gives it, and how the record of that looks.
struct Lease<'a> {
    service: &'a str,
    /// Whether the response says whose credentials they are.
    answered: bool,
    tags: &'a str,
    /// Whether the session's own records name the workload.
    told: bool,
}

impl World {
    /// A session of the workload from `time` on; its issuing record is left out at times.
    fn leases(
        &mut self,
        workload: usize,
        role: &Role,
        name: &str,
        time: Time,
        lease: &Lease,
    ) -> Holder {
        let (mut holder, key) = self.enters(workload, role, name, time);
        holder.agent = SDK.to_owned();
        if self.copies() != Copies::None {
            self.service_takes(lease.service, &holder, &key, lease.answered, lease.tags);
        } else if lease.told {
            self.nodes[holder.node].unseen = true;
        } else {
            self.orphan(holder.node, Vec::new());
        }
        holder
    }
}

/// An instance: a new key every six hours under the same name, and some that go on with it.
pub fn instance(w: &mut World, time: Time) {
    let account = w.account();
    let id = format!("i-0{:016x}", w.mint.rng.draw());
    let node = w.named("instance", &format!("{account}/{id}"), &[&id]);
    let role = Role::new(
        &account,
        &format!("{}-instance", w.mint.rng.pick::<&str>(&["web", "worker"])),
    );
    let region = w.region();
    let lease = Lease {
        service: "ec2.amazonaws.com",
        answered: false,
        tags: "",
        told: true,
    };
    for n in 0..1 + w.mint.rng.below(4) as i64 {
        let time = time.plus(n * 6 * HOUR + w.mint.rng.below(600) as i64);
        let mut holder = w.leases(node, &role, &id, time, &lease);
        (holder.marks.delivery, holder.region) = (Some("2.0"), region);
        let time = w.works(&holder, time.plus(60), 4);
        w.goes_on(&holder, time);
    }
}

/// A function in several environments at once, each with its own key.
pub fn function(w: &mut World, time: Time, told: bool) {
    let account = w.account();
    let name = format!(
        "{}-{}",
        if told { "orders" } else { "mailer" },
        w.mint.rng.below(60)
    );
    let node = w.named("function", &format!("{account}/{name}"), &[&name]);
    let role = Role::new(&account, &format!("service-role/{name}"));
    let region = w.region();
    let lease = Lease {
        service: "lambda.amazonaws.com",
        answered: false,
        tags: "",
        told,
    };
    for _ in 0..2 {
        let time = time.plus(w.mint.rng.below(900) as i64);
        let mut holder = w.leases(node, &role, &name, time, &lease);
        holder.region = region;
        if told {
            holder.marks.function =
                Some(format!("arn:aws:lambda:{region}:{account}:function:{name}"));
        }
        let time = w.works(&holder, time.plus(1), 3);
        w.goes_on(&holder, time);
    }
}

pub fn task(w: &mut World, time: Time) {
    let account = w.account();
    let id = format!("{:016x}{:016x}", w.mint.rng.draw(), w.mint.rng.draw());
    let node = w.named("task", &format!("{account}/{id}"), &[&id]);
    let role = Role::new(&account, "checkout-task");
    let lease = Lease {
        service: "ecs-tasks.amazonaws.com",
        answered: true,
        tags: "",
        told: false,
    };
    for n in 0..2 {
        let time = time.plus(n * 5 * HOUR);
        let holder = w.leases(node, &role, &id, time, &lease);
        let time = w.works(&holder, time.plus(1), 3);
        w.goes_on(&holder, time);
    }
}

/// A pod whose cluster is an identity provider of the account.
pub fn pod(w: &mut World, time: Time) {
    let account = w.account();
    let cluster = Rng::named(&account).draw();
    let host = format!("oidc.eks.eu-west-1.amazonaws.com/id/{cluster:016X}{cluster:016X}");
    let provider = format!("arn:aws:iam::{account}:oidc-provider/{host}");
    let app = format!("app-{}", w.mint.rng.below(12));
    let subject = format!("system:serviceaccount:shop:{app}");
    let node = w.named("pod", &format!("{account}/{subject}"), &["shop", &app]);
    let role = Role::new(&account, &format!("eks-{app}"));
    for n in 0..2 {
        let time = time.plus(n * HOUR);
        let name = format!("botocore-session-{}", time.0);
        let (mut holder, key) = w.enters(node, &role, &name, time);
        (holder.agent, holder.marks.provider) = (SDK.to_owned(), Some(provider.clone()));
        if w.copies() == Copies::None {
            let also = vec![Root::new("pod", "", &[]), Root::new("oidc", "", &[&host])];
            w.orphan(holder.node, also);
        } else {
            let mut who =
                Who::federated("WebIdentityUser", &provider, &subject).from(&holder.ip, SDK);
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
            w.trades(&holder, &key, &trade, Some(node));
        }
        let time = w.works(&holder, time.plus(1), 3);
        w.goes_on(&holder, time);
    }
}

/// A pod by pod identity: the service takes the role and tells of the pod in tags.
pub fn pod_identity(w: &mut World, time: Time) {
    let account = w.account();
    let app = format!("cart-{}", w.mint.rng.below(12));
    let pod = format!("{app}-7c9f{:05x}", w.mint.rng.below(1 << 20));
    let name = format!("eks-main-{app}-{}", w.mint.rng.uuid());
    let uid = w.mint.rng.uuid();
    let node = w.named("pod", &format!("{account}/{name}"), &[&name]);
    w.nodes[node].also = vec![
        Root::new("pod", &pod, &[&pod]),
        Root::new("pod", &app, &["shop", &app]),
    ];
    let role = Role::new(&account, &format!("pod-{app}"));
    let cluster = format!("arn:aws:eks:eu-west-1:{account}:cluster/main");
    let told = tags(&[
        ("eks-cluster-arn", &cluster),
        ("eks-cluster-name", "main"),
        ("kubernetes-namespace", "shop"),
        ("kubernetes-service-account", &app),
        ("kubernetes-pod-name", &pod),
        ("kubernetes-pod-uid", &uid),
    ]);
    let lease = Lease {
        service: "pods.eks.amazonaws.com",
        answered: true,
        tags: &told,
        told: false,
    };
    for n in 0..2 {
        let time = time.plus(n * 5 * HOUR);
        let holder = w.leases(node, &role, &name, time, &lease);
        let time = w.works(&holder, time.plus(1), 3);
        w.goes_on(&holder, time);
    }
}

/// A service-linked role; the service shows no key.
pub fn linked(w: &mut World, time: Time) {
    let account = w.account();
    let (service, name) = *w.mint.rng.pick(&[
        ("config.amazonaws.com", "AWSServiceRoleForConfig"),
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
        ("rds.amazonaws.com", "AWSServiceRoleForRDS"),
    ]);
    let role = Role::new(&account, &format!("aws-service-role/{service}/{name}"));
    acts_for_itself(
        w,
        service,
        &role,
        name.trim_start_matches("AWSServiceRoleFor"),
        time,
        true,
    );
}

/// A service with a role that it was given.
pub fn given(w: &mut World, time: Time) {
    let account = w.account();
    let (service, role) = *w.mint.rng.pick(&[
        ("glue.amazonaws.com", "service-role/etl"),
        ("cloudformation.amazonaws.com", "stack-builder"),
        ("states.amazonaws.com", "nightly-flow"),
    ]);
    let role = Role::new(&account, role);
    let name = format!("flow-{}", w.mint.rng.below(1 << 30));
    acts_for_itself(w, service, &role, &name, time, false);
}

fn acts_for_itself(w: &mut World, service: &str, role: &Role, name: &str, time: Time, told: bool) {
    let node = w.named("service", service, &[service]);
    let lease = Lease {
        service,
        answered: true,
        tags: "",
        told,
    };
    let mut holder = w.leases(node, role, name, time, &lease);
    if !told && w.nodes[holder.node].unseen {
        // Its records show the service at work, if not who gave it the role.
        w.nodes[holder.node].also = vec![Root::new("service", "", &[service])];
    }
    holder.keys = Keys::Absent;
    for n in 0..3 {
        let who = holder.forwarded(service, None);
        let place = (role.account.as_str(), holder.region);
        let call = *w.mint.rng.pick(&[
            ("ec2", "DescribeInstances"),
            ("s3", "GetBucketAcl"),
            ("kms", "Decrypt"),
        ]);
        let event =
            super::super::event::Event::new(&mut w.mint, &who, place, time.plus(1 + 7 * n), call);
        w.emit(&event, Some(holder.node));
    }
}
