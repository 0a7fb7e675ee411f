//! What happens with sessions: chains and loops of roles, credentials away from home, federation
//! tokens, root sessions, and identities changed by a session that has just begun.

use super::super::super::event::{Event, Role, Session, Who};
use super::super::super::kit::{Json, unique_id};
use super::scene::{BROWSER, CLI, REGION, Scene};
use super::{Kind, Told, attack, harmless, told};

pub const KINDS: &[Kind] = &[
    attack(
        "chain-from-instance",
        &["role-chain-reaches-privilege"],
        chain_from_instance,
    ),
    attack(
        "chain-of-three",
        &["role-chain-reaches-privilege"],
        chain_of_three,
    ),
    harmless(
        "chain-as-every-day",
        &["role-chain-reaches-privilege"],
        chain_every_day,
    ),
    attack("role-juggling", &["role-chain-loop"], juggling),
    attack("self-assumption", &["role-chain-loop"], self_assumption),
    harmless("hourly-refresh", &["role-chain-loop"], hourly_refresh),
    attack(
        "service-role-by-user",
        &["service-role-assumed-by-non-service"],
        service_role_by_user,
    ),
    harmless(
        "service-role-by-service",
        &["service-role-assumed-by-non-service"],
        service_role_by_service,
    ),
    attack(
        "instance-credentials-elsewhere",
        &["workload-credentials-off-network"],
        instance_elsewhere,
    ),
    attack(
        "function-credentials-elsewhere",
        &["workload-credentials-off-network"],
        function_elsewhere,
    ),
    harmless(
        "nat-address-changed",
        &["workload-credentials-off-network"],
        nat_changed,
    ),
    attack(
        "session-key-of-two-networks",
        &["session-key-multi-network"],
        two_networks,
    ),
    harmless(
        "console-of-two-networks",
        &["session-key-multi-network"],
        console_of_two_networks,
    ),
    attack(
        "federation-token-then-console",
        &["federation-token-issued"],
        federation_token,
    ),
    harmless(
        "session-token-with-mfa",
        &["federation-token-issued"],
        session_token,
    ),
    attack("assume-root", &["assume-root-session"], assume_root),
    attack(
        "fresh-session-takeover",
        &["assumed-session-iam-takeover"],
        takeover,
    ),
    harmless(
        "provisioning-role",
        &["assumed-session-iam-takeover"],
        provisioning,
    ),
];

fn instance(s: &mut Scene, role: &Role, ip: &str) -> (Who, String) {
    let id = format!(
        "i-0{:016x}",
        0x1000_0000 + s.n as u64 * 977 + s.tag.len() as u64
    );
    let taken = s.take_for("ec2.amazonaws.com", role, &id, ip);
    let key = key_of(&taken);
    let session = Session {
        name: &id,
        key: Some(&key),
        metadata_service: Some("2.0"),
        ..Session::default()
    };
    let who = Who::session(role, s.at(0), session).from(ip, &taken.agent);
    (who, id)
}

/// The access key in an identity's text.
fn key_of(who: &Who) -> String {
    let (_, rest) = who
        .identity
        .split_once("\"accessKeyId\":\"")
        .unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

fn chain_from_instance(s: &mut Scene) -> Told {
    let role = s.role(&format!("queue-worker-{}", s.tag));
    s.daily(|s| {
        let (who, _) = instance(s, &role, "10.9.1.14");
        s.call(&who, 30, ("sqs", "GetQueueAttributes"));
    });
    let (who, id) = instance(s, &role, "10.9.1.14");
    let middle = s.role("maintenance");
    let next = s.take(&who, 600, &middle, "maintenance");
    let admin = Role::new(&s.far, "network-admin");
    s.take(&next, 660, &admin, "maintenance");
    told(admin.arn(), format!("{}/{id}", role.arn()))
}

fn chain_of_three(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("consultant-{}", s.tag));
    let (a, b) = (s.role("jump"), s.role("build-runner"));
    let c = Role::new(&s.far, "cluster-admin");
    let first = s.take(&who, 0, &a, "work");
    let second = s.take(&first, 120, &b, "work");
    s.take(&second, 300, &c, "work");
    told(c.arn(), who.arn)
}

fn chain_every_day(s: &mut Scene) -> Told {
    let (hub, spoke) = (s.role("pipeline-hub"), Role::new(&s.far, "pipeline-spoke"));
    let migrator = Role::new(&s.far, "schema-migrator");
    let walk = |s: &mut Scene| {
        let user = s.user("pipeline-starter");
        let first = s.take(&user, 0, &hub, "pipeline");
        let second = s.take(&first, 20, &spoke, "pipeline");
        s.take(&second, 60, &migrator, "pipeline");
    };
    s.daily(walk);
    walk(s);
    told(migrator.arn(), s.user("pipeline-starter").arn)
}

fn juggling(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("trainee-{}", s.tag));
    let a = s.role(&format!("left-{}", s.tag));
    let b = s.role(&format!("right-{}", s.tag));
    let mut session = s.take(&who, 0, &a, "hold");
    for k in 1..7 {
        let role = if k % 2 == 1 { &b } else { &a };
        session = s.take(&session, 3_000 * k, role, "hold");
    }
    told(a.arn(), who.arn)
}

fn self_assumption(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("intern-{}", s.tag));
    let role = s.role(&format!("forever-{}", s.tag));
    let mut session = s.take(&who, 0, &role, "hold");
    for k in 1..6 {
        session = s.take(&session, 3_100 * k, &role, "hold");
    }
    told(role.arn(), who.arn)
}

/// A program takes its role anew with its own key before the old session ends.
fn hourly_refresh(s: &mut Scene) -> Told {
    let role = s.role("stream-consumer");
    let work = |s: &mut Scene| {
        let who = s.user("stream-consumer");
        for k in 0..6 {
            s.take(&who, 3_000 * k, &role, "consumer");
        }
    };
    s.daily(work);
    work(s);
    told(role.arn(), s.user("stream-consumer").arn)
}

fn service_role_by_user(s: &mut Scene) -> Told {
    let role = s.role(&format!("service-role/thumbnails-{}", s.tag));
    s.daily(|s| {
        s.take_for("lambda.amazonaws.com", &role, "thumbnails", "10.3.3.3");
    });
    let who = s.stolen(&format!("frontend-{}", s.tag));
    s.take(&who, 0, &role, "test");
    told(role.arn(), who.arn)
}

fn service_role_by_service(s: &mut Scene) -> Told {
    let role = s.role("service-role/nightly-glue");
    s.daily(|s| {
        s.take_for(
            "glue.amazonaws.com",
            &role,
            "GlueJobRunnerSession",
            "10.3.3.4",
        );
    });
    s.take_for(
        "states.amazonaws.com",
        &role,
        "GlueJobRunnerSession",
        "10.3.3.4",
    );
    told(role.arn(), "states.amazonaws.com")
}

fn instance_elsewhere(s: &mut Scene) -> Told {
    let role = s.role(&format!("crawler-{}", s.tag));
    s.daily(|s| {
        let (who, _) = instance(s, &role, "10.9.2.14");
        s.call(&who, 30, ("s3", "ListBuckets"));
    });
    let (who, id) = instance(s, &role, "10.9.2.14");
    let who = who.from(&s.lair(), CLI);
    s.call(&who, 1_200, ("sts", "GetCallerIdentity"));
    s.call(&who, 1_230, ("iam", "ListRoles"));
    s.call(&who, 1_250, ("s3", "ListBuckets"));
    told(role.arn(), format!("{}/{id}", role.arn()))
}

fn function_elsewhere(s: &mut Scene) -> Told {
    let (role, name) = (s.role(&format!("service-role/mailer-{}", s.tag)), "mailer");
    s.daily(|s| {
        let who = s.take_for("lambda.amazonaws.com", &role, name, "198.51.100.140");
        s.call(&who, 10, ("ses", "GetSendQuota"));
    });
    let who = s.take_for("lambda.amazonaws.com", &role, name, "198.51.100.140");
    let who = who.from(&s.lair(), CLI);
    s.call(&who, 400, ("sts", "GetCallerIdentity"));
    s.call(&who, 420, ("lambda", "ListFunctions20150331"));
    told(role.arn(), format!("{}/{name}", role.arn()))
}

/// The same network, another address of it.
fn nat_changed(s: &mut Scene) -> Told {
    let role = s.role("edge-worker");
    s.daily(|s| {
        let (who, _) = instance(s, &role, "198.51.100.10");
        s.call(&who, 30, ("s3", "ListBuckets"));
    });
    let (who, id) = instance(s, &role, "198.51.100.99");
    s.call(&who, 60, ("s3", "ListBuckets"));
    s.call(&who, 90, ("sts", "GetCallerIdentity"));
    told(role.arn(), format!("{}/{id}", role.arn()))
}

fn two_networks(s: &mut Scene) -> Told {
    let (role, name) = (
        Role::new(&s.far, "reporting"),
        format!("reporter-{}", s.tag),
    );
    s.daily(|s| {
        let who = s.user(&name);
        let session = s.take(&who, 0, &role, &name);
        s.call_far(&session, 30, ("athena", "ListWorkGroups"));
    });
    let who = s.user(&name);
    let session = s.take(&who, 0, &role, &name);
    s.call_far(&session, 30, ("athena", "ListWorkGroups"));
    let thief = session.clone().from(&s.lair(), CLI);
    s.call_far(&thief, 420, ("sts", "GetCallerIdentity"));
    s.call_far(&thief, 440, ("s3", "ListBuckets"));
    s.call_far(&session, 700, ("athena", "ListWorkGroups"));
    told(format!("{}/{name}", role.arn()), who.arn)
}

/// A laptop that leaves the office while the console is open.
fn console_of_two_networks(s: &mut Scene) -> Told {
    let who = s.engineer();
    s.call(&who, 0, ("ec2", "DescribeInstances"));
    let away = who.clone().from("198.51.100.201", BROWSER).in_console();
    s.call(&away, 600, ("ec2", "DescribeInstances"));
    s.call(&who, 900, ("s3", "ListBuckets"));
    told(who.arn.clone(), who.arn)
}

fn federation_token(s: &mut Scene) -> Told {
    let name = format!("newsletter-{}", s.tag);
    s.daily(|s| {
        let who = s.user(&name);
        s.call(&who, 0, ("ses", "GetSendQuota"));
    });
    let who = s.stolen(&name);
    let (key, token, expires) = (s.mint.rng.key("ASIA"), s.mint.token(), s.at(129_600));
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let account = s.home.clone();
    let mut event = s
        .event(&who, 0, ("sts", "GetFederationToken"))
        .asks(|j| {
            j.str("name", "console")
                .str("policy", policy)
                .raw("durationSeconds", "129600");
        })
        .answers(|j| {
            j.obj("credentials", |j| {
                j.str("accessKeyId", &key)
                    .str("sessionToken", &token)
                    .str("expiration", &expires.spoken());
            });
            j.obj("federatedUser", |j| {
                j.str("federatedUserId", &format!("{account}:console")).str(
                    "arn",
                    &format!("arn:aws:sts::{account}:federated-user/console"),
                );
            })
            .raw("packedPolicySize", "4");
        });
    event.read_only = false;
    s.log([event]);
    let guest =
        Who::federated_session((&s.home, &name), "console", &key, s.at(0)).from(&s.lair(), BROWSER);
    let mut login = s
        .event(&guest, 300, ("signin", "ConsoleLogin"))
        .answers(|j| {
            j.str("ConsoleLogin", "Success");
        });
    login.additional = Some(r#"{"MobileVersion":"No","MFAUsed":"No"}"#.to_owned());
    login.kind = "AwsConsoleSignIn";
    s.log([login]);
    told(who.arn.clone(), who.arn)
}

fn session_token(s: &mut Scene) -> Told {
    let name = format!("release-{}", s.tag);
    let get = |s: &mut Scene| {
        let who = s.user(&name);
        let (key, token) = (s.mint.rng.key("ASIA"), s.mint.token());
        let (serial, expires) = (format!("arn:aws:iam::{}:mfa/{name}", s.home), s.at(43_200));
        let mut event = s
            .event(&who, 0, ("sts", "GetSessionToken"))
            .asks(|j| {
                j.str("serialNumber", &serial);
            })
            .answers(|j| {
                j.obj("credentials", |j| {
                    j.str("accessKeyId", &key)
                        .str("sessionToken", &token)
                        .str("expiration", &expires.spoken());
                });
            });
        event.read_only = false;
        s.log([event]);
    };
    s.daily(get);
    get(s);
    told(s.user(&name).arn, s.user(&name).arn)
}

fn assume_root(s: &mut Scene) -> Told {
    const TASKS: [&str; 3] = [
        "IAMCreateRootUserPassword",
        "IAMAuditRootUserCredentials",
        "S3UnlockBucketPolicy",
    ];
    let who = s.engineer();
    let (key, token, expires) = (s.mint.rng.key("ASIA"), s.mint.token(), s.at(900));
    let (member, task) = (s.far.clone(), TASKS[s.n % 3]);
    let mut event = s
        .event(&who, 0, ("sts", "AssumeRoot"))
        .asks(|j| {
            j.str("targetPrincipal", &member)
                .obj("taskPolicyArn", |j| {
                    j.str("arn", &format!("arn:aws:iam::aws:policy/root-task/{task}"));
                })
                .raw("durationSeconds", "900");
        })
        .answers(|j| {
            j.obj("credentials", |j| {
                j.str("accessKeyId", &key)
                    .str("sessionToken", &token)
                    .str("expiration", &expires.spoken());
            });
        });
    event.read_only = false;
    s.log([event]);
    // Such a session shows itself as root that was assumed.
    let mut root = Who::root(&member, s.at(0), false).from(&who.ip, CLI);
    root.identity = root
        .identity
        .replace(
            "\"accessKeyId\":\"\"",
            &format!("\"accessKeyId\":\"{key}\""),
        )
        .replace(
            "\"sessionContext\":{",
            "\"sessionContext\":{\"assumedRoot\":\"true\",",
        );
    s.call_far(&root, 60, ("iam", "GetLoginProfile"));
    told(format!("arn:aws:iam::{member}:root"), who.arn)
}

fn takeover(s: &mut Scene) -> Told {
    let role = s.role(&format!("report-builder-{}", s.tag));
    s.daily(|s| {
        let who = s.user("report-scheduler");
        let session = s.take(&who, 0, &role, "nightly");
        s.call(&session, 20, ("athena", "StartQueryExecution"));
    });
    let who = s.user("report-scheduler").from(&s.lair(), CLI);
    let session = s.take(&who, 0, &role, "nightly");
    s.call(&session, 60, ("sts", "GetCallerIdentity"));
    s.call(&session, 80, ("iam", "ListUsers"));
    let name = format!("svc-monitor-{}", s.tag);
    let created = new_user(s, &session, 200, &name);
    s.log([created]);
    let key = s.mint.rng.key("AKIA");
    let event = new_key(s, &session, 240, (&name, true), &key);
    s.log([event]);
    told(role.arn(), format!("{}/nightly", role.arn()))
}

fn provisioning(s: &mut Scene) -> Told {
    let role = s.role("user-provisioner");
    let work = |s: &mut Scene| {
        let who = s.user("directory-sync");
        let session = s.take(&who, 0, &role, "sync");
        let name = format!("joiner-{}", s.time.0 % 100_000);
        let created = new_user(s, &session, 30, &name);
        s.log([created]);
        let request = [("userName", name.as_str()), ("groupName", "staff")];
        s.iam(&session, 34, "AddUserToGroup", &request);
    };
    s.daily(work);
    work(s);
    told(role.arn(), format!("{}/sync", role.arn()))
}

pub fn new_user(s: &mut Scene, who: &Who, seconds: i64, name: &str) -> Event {
    let (home, born) = (s.home.clone(), s.at(seconds));
    s.iam_event(who, seconds, "CreateUser", &[("userName", name)])
        .answers(|j| {
            j.obj("user", |j| {
                j.str("path", "/")
                    .str("userName", name)
                    .str("userId", &unique_id("AIDA", &home, name))
                    .str("arn", &format!("arn:aws:iam::{home}:user/{name}"))
                    .str("createDate", &born.spoken());
            });
        })
}

/// An access key for a user, named in the request or, for oneself, nowhere but in the answer.
pub fn new_key(
    s: &mut Scene,
    who: &Who,
    seconds: i64,
    (name, in_request): (&str, bool),
    key: &str,
) -> Event {
    let born = s.at(seconds);
    let mut event = s.iam_event(who, seconds, "CreateAccessKey", &[]);
    event.request = in_request.then(|| {
        Json::object(|j| {
            j.str("userName", name);
        })
    });
    event.answers(|j| {
        j.obj("accessKey", |j| {
            j.str("userName", name)
                .str("accessKeyId", key)
                .str("status", "Active")
                .str("createDate", &born.spoken());
        });
    })
}

impl Scene<'_> {
    /// A call in the other account.
    pub fn call_far(&mut self, who: &Who, seconds: i64, call: (&str, &str)) {
        let (far, time) = (self.far.clone(), self.at(seconds));
        let event = Event::new(self.mint, who, (&far, REGION), time, call);
        self.log([event]);
    }
}
