//! Who acts in a lane: workloads, service-linked roles, people, pipelines and a few IAM users, with
//! the session each of them holds at the moment.

use super::super::event::{Role, Session, Who};
use super::super::kit::{Mint, Time};

const WORKLOADS: [(&str, &str); 14] = [
    ("web-instance", "ec2.amazonaws.com"),
    ("worker-instance", "ec2.amazonaws.com"),
    ("eks-node", "ec2.amazonaws.com"),
    ("batch-instance", "ec2.amazonaws.com"),
    ("service-role/orders-api", "lambda.amazonaws.com"),
    ("service-role/mail-sender", "lambda.amazonaws.com"),
    ("service-role/thumbnailer", "lambda.amazonaws.com"),
    ("service-role/stream-reader", "lambda.amazonaws.com"),
    ("service-role/log-shipper", "lambda.amazonaws.com"),
    ("checkout-task", "ecs-tasks.amazonaws.com"),
    ("search-task", "ecs-tasks.amazonaws.com"),
    ("etl-job", "glue.amazonaws.com"),
    ("nightly-flow", "states.amazonaws.com"),
    ("build-project", "codebuild.amazonaws.com"),
];
const LINKED: [(&str, &str); 5] = [
    ("AWSServiceRoleForConfig", "config.amazonaws.com"),
    ("AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com"),
    ("AWSServiceRoleForECS", "ecs.amazonaws.com"),
    (
        "AWSServiceRoleForAmazonInspector2",
        "inspector2.amazonaws.com",
    ),
    ("AWSServiceRoleForRDS", "rds.amazonaws.com"),
];
const SETS: [&str; 4] = ["Developer", "ReadOnly", "DataAnalyst", "Operations"];
const PEOPLE: [&str; 24] = [
    "ana", "ben", "chloe", "dmitri", "elif", "farid", "grace", "hugo", "ines", "jonas", "kira",
    "lars", "mei", "noor", "oscar", "paula", "quinn", "rosa", "stefan", "tara", "umar", "vera",
    "wim", "yara",
];
const AGENTS: [&str; 5] = [
    "Boto3/1.35.99 md/Botocore#1.35.99 ua/2.0 os/linux#6.1.119 md/arch#x86_64 lang/python#3.12.8 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.35.99",
    "aws-sdk-go-v2/1.32.8 ua/2.1 os/linux lang/go#1.23.4 md/GOOS#linux md/GOARCH#arm64 api/generic#1.0.0",
    "aws-sdk-java/2.29.45 md/io#sync md/http#Apache ua/2.1 os/Linux#5.10.230 lang/java#21.0.5 md/OpenJDK_64-Bit_Server_VM#21.0.5+11-LTS md/vendor#Amazon.com_Inc. exec-env/AWS_ECS_FARGATE",
    "aws-cli/2.22.33 md/awscrt#0.22.0 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/command#ec2.describe-instances",
    "aws-sdk-nodejs/3.723.0 os/linux/6.1.119 lang/js md/nodejs/20.18.1 exec-env/AWS_Lambda_nodejs20.x",
];
const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

/// Somebody who takes a role again and again: the role, by whom it is given, under which name.
pub struct Part {
    pub role: Role,
    /// The service that takes the role; empty for people and pipelines.
    pub service: &'static str,
    pub session: String,
    /// The calls' origin.
    pub ip: String,
    pub agent: &'static str,
    /// As it acts now.
    pub who: Who,
}

pub struct Cast {
    pub account: String,
    pub region: &'static str,
    pub workloads: Vec<Part>,
    pub linked: Vec<Part>,
    pub people: Vec<Part>,
    pub pipelines: Vec<Part>,
    pub users: Vec<Who>,
}

impl Cast {
    pub fn new(mint: &mut Mint, account: &str, region: &'static str, start: Time) -> Self {
        let mut cast = Self {
            account: account.to_owned(),
            region,
            workloads: Vec::new(),
            linked: Vec::new(),
            people: Vec::new(),
            pipelines: Vec::new(),
            users: Vec::new(),
        };
        for (name, service) in WORKLOADS {
            for _ in 0..2 {
                let session = session_name(mint, name, service);
                let (ip, agent) = (private(mint), *mint.rng.pick(&AGENTS));
                let part = part(
                    mint,
                    Role::new(account, name),
                    service,
                    session,
                    ip,
                    agent,
                    start,
                );
                cast.workloads.push(part);
            }
        }
        for (name, service) in LINKED {
            let role = Role::new(account, &format!("aws-service-role/{service}/{name}"));
            let session = name.trim_start_matches("AWSServiceRoleFor").to_owned();
            let part = part(
                mint,
                role,
                service,
                session,
                service.to_owned(),
                service,
                start,
            );
            cast.linked.push(part);
        }
        for set in SETS {
            let name = format!(
                "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_{set}_{:016x}",
                super::super::kit::Rng::named(set).draw()
            );
            for _ in 0..3 {
                let session = format!("{}@company.example", mint.rng.pick(&PEOPLE));
                let ip = format!("192.0.2.{}", 10 + mint.rng.below(40));
                let part = part(
                    mint,
                    Role::new(account, &name),
                    "",
                    session,
                    ip,
                    BROWSER,
                    start,
                );
                cast.people.push(part);
            }
        }
        for name in ["deploy-spoke", "terraform-apply", "test-runner"] {
            let session = format!("run-{}", 12_000_000_000 + mint.rng.below(999_999_999));
            let ip = format!("198.18.{}.{}", mint.rng.below(256), 1 + mint.rng.below(254));
            let part = part(
                mint,
                Role::new(account, name),
                "",
                session,
                ip,
                AGENTS[1],
                start,
            );
            cast.pipelines.push(part);
        }
        for name in [
            "s3-backup",
            "metrics-exporter",
            "legacy-ftp",
            "partner-feed",
        ] {
            let key = mint.rng.key("AKIA");
            let ip = format!("192.0.2.{}", 60 + mint.rng.below(20));
            cast.users
                .push(Who::user(account, name, &key, None).from(&ip, AGENTS[0]));
        }
        cast
    }

    /// Somebody who makes the next call.
    pub fn actor(&self, mint: &mut Mint) -> &Who {
        match mint.rng.below(100) {
            0..62 => &mint.rng.pick(&self.workloads).who,
            62..74 => &mint.rng.pick(&self.linked).who,
            74..87 => &mint.rng.pick(&self.people).who,
            87..95 => &mint.rng.pick(&self.pipelines).who,
            _ => mint.rng.pick(&self.users),
        }
    }
}

impl Part {
    /// Goes on under a new key from `time` on.
    pub fn renew(&mut self, key: &str, time: Time) {
        let linked = self.role.path.starts_with("/aws-service-role/");
        let session = Session {
            name: &self.session,
            key: (!linked).then_some(key),
            invoked_by: linked.then_some(self.service),
            metadata_service: (self.service == "ec2.amazonaws.com").then_some("2.0"),
            ..Session::default()
        };
        let who = Who::session(&self.role, time, session);
        self.who = if linked {
            who
        } else {
            who.from(&self.ip, self.agent)
        };
        self.who.console = self.agent == BROWSER;
    }
}

fn part(
    mint: &mut Mint,
    role: Role,
    service: &'static str,
    session: String,
    ip: String,
    agent: &'static str,
    start: Time,
) -> Part {
    let who = Who::service(service);
    let mut part = Part {
        role,
        service,
        session,
        ip,
        agent,
        who,
    };
    let key = mint.rng.key("ASIA");
    part.renew(&key, start.plus(-600));
    part
}

fn session_name(mint: &mut Mint, name: &str, service: &str) -> String {
    let digits = mint.rng.draw();
    match service {
        "ec2.amazonaws.com" => format!("i-0{digits:016x}"),
        "ecs-tasks.amazonaws.com" => format!("{digits:016x}{:016x}", mint.rng.draw()),
        "lambda.amazonaws.com" => name.trim_start_matches("service-role/").to_owned(),
        _ => format!("{name}-{}", digits % 1_000_000),
    }
}

fn private(mint: &mut Mint) -> String {
    let octet = |mint: &mut Mint| 1 + mint.rng.below(250);
    format!("10.{}.{}.{}", octet(mint), octet(mint), octet(mint))
}
