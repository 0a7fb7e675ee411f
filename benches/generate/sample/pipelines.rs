//! Build pipelines: workflows with OIDC tokens, hub and spoke, Terraform, the nightly report.

use super::super::calls::{Take, acting, create_role, iam};
use super::super::event::{Event, Role, Session, Who};
use super::super::kit::Time;
use super::life::home_region;
use super::{Case, DATA, HUB, PROD, moment, role};

pub const RUNNER: &str = "198.18.44.17";
pub const ACTION: &str = "aws-sdk-nodejs-v3-configure-aws-credentials/4.0.2 os/linux/6.8.0-1021 lang/js md/nodejs/20.18.2";

pub const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.10.5 (+https://www.terraform.io) terraform-provider-aws/5.88.0 aws-sdk-go-v2/1.36.1 os/linux lang/go/1.23.3";

/// Takes a role from another session and gives the new session at the same address.
pub fn spoke(case: &mut Case, who: &Who, role: &Role, session: &str, time: Time) -> Who {
    let take = Take {
        role,
        session,
        region: "us-east-1",
        time,
    };
    let issued = take.by(&mut case.mint, who, None);
    case.log(issued.events);
    acting(role, session, &issued.key, time, (&who.ip, &who.agent))
}

/// The session of a GitHub workflow in a role.
pub fn workflow(case: &mut Case, role: &Role, subject: &str, session: &str, time: Time) -> Who {
    let take = Take {
        role,
        session,
        region: home_region(&role.account),
        time,
    };
    let issued = take.by_workflow(&mut case.mint, subject, (RUNNER, ACTION));
    case.log(issued.events);
    let provider = format!(
        "arn:aws:iam::{}:oidc-provider/token.actions.githubusercontent.com",
        role.account
    );
    let session = Session {
        name: session,
        key: Some(&issued.key),
        federated: Some(&provider),
        ..Session::default()
    };
    Who::session(role, time, session).from(RUNNER, ACTION)
}

/// Hub and spoke: a workflow enters the hub and deploys through a role of the workload account.
pub fn deploy(case: &mut Case, time: Time, to_prod: bool) {
    let (account, subject, calls) = if to_prod {
        let calls = [
            ("ecs", "DescribeServices"),
            ("ecs", "RegisterTaskDefinition"),
            ("ecs", "UpdateService"),
        ];
        (PROD, "repo:fernhill/web:ref:refs/heads/main", calls)
    } else {
        let calls = [
            ("s3", "ListBuckets"),
            ("glue", "UpdateJob"),
            ("glue", "GetJob"),
        ];
        (DATA, "repo:fernhill/pipelines:ref:refs/heads/main", calls)
    };
    let session = format!("deploy-{}", 13_000_000_000 + time.0 % 1_000_000_000);
    let hub = workflow(case, &role(HUB, "gha-deploy-hub"), subject, &session, time);
    let who = spoke(
        case,
        &hub,
        &role(account, "deploy-spoke"),
        &session,
        time.plus(2),
    );
    for (n, call) in calls.into_iter().enumerate() {
        let event = Event::new(
            &mut case.mint,
            &who,
            (account, "eu-west-1"),
            time.plus(8 + 3 * n as i64),
            call,
        )
        .asks(|j| {
            j.str(if call.0 == "ecs" { "cluster" } else { "name" }, "orders");
        });
        case.log([event]);
    }
}

/// The nightly report: a workflow that queries the lake in the data account.
pub fn nightly_report(case: &mut Case, time: Time) -> Who {
    let report = role(DATA, "nightly-report");
    let subject = "repo:fernhill/reports:ref:refs/heads/main";
    let who = workflow(case, &report, subject, "nightly-report", time);
    for (n, name) in [
        "StartQueryExecution",
        "GetQueryExecution",
        "GetQueryResults",
    ]
    .into_iter()
    .enumerate()
    {
        case.call(
            &who,
            (DATA, "eu-west-1"),
            time.plus(5 + 20 * n as i64),
            ("athena", name),
        );
    }
    who
}

/// The hub's infrastructure workflow in the production account.
pub fn terraform_session(case: &mut Case, time: Time) -> Who {
    let subject = "repo:fernhill/infrastructure:ref:refs/heads/main";
    let session = format!("terraform-{}", time.0 % 1_000_000);
    let hub = workflow(case, &role(HUB, "gha-deploy-hub"), subject, &session, time);
    let spoke = spoke(
        case,
        &hub,
        &role(PROD, "terraform-apply"),
        &session,
        time.plus(2),
    );
    spoke.from(RUNNER, TERRAFORM)
}

/// Every Tuesday a new function gets its role: service trust, a narrow managed policy, a narrow
/// inline policy.
pub fn terraform(case: &mut Case, day: i64) {
    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::fernhill-static/*"}]}"#;
    let name = ["thumbnail", "audit-export", "image-resizer"][day as usize / 7];
    let (time, new) = (
        moment(day, (13, 2, 10)),
        role(PROD, &format!("{name}-function")),
    );
    let who = terraform_session(case, time);
    let missing = iam(
        &mut case.mint,
        &who,
        PROD,
        time.plus(9),
        "GetRole",
        &[("roleName", &new.name)],
    )
    .fails(
        "NoSuchEntityException",
        &format!("The role with name {} cannot be found.", new.name),
    );
    let born = create_role(&mut case.mint, &who, &new, TRUST, time.plus(12));
    let managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    let request = [("roleName", new.name.as_str()), ("policyArn", managed)];
    let attached = iam(
        &mut case.mint,
        &who,
        PROD,
        time.plus(14),
        "AttachRolePolicy",
        &request,
    );
    let request = [
        ("roleName", new.name.as_str()),
        ("policyName", "read-static"),
        ("policyDocument", POLICY),
    ];
    let written = iam(
        &mut case.mint,
        &who,
        PROD,
        time.plus(15),
        "PutRolePolicy",
        &request,
    );
    case.log([missing, born, attached, written]);
}
