//! Two honest mistakes that a rule must find, and two look-alikes of attacks that no rule may report.

use super::super::calls::{Take, create_role, iam};
use super::life::refused;
use super::people::workforce_session;
use super::pipelines::{nightly_report, terraform_session};
use super::{Case, DATA, HUB, PROD, Step, moment, role};

pub fn happen(case: &mut Case) {
    propagation(case);
    starved_role(case);
    open_workflow_trust(case);
    scoped_trusts(case);
}

/// A role that Terraform has just made refuses its maker for some seconds: IAM is eventually
/// consistent. With a policy attached in between it looks like a denial, an escalation and a success.
fn propagation(case: &mut Case) {
    let (time, runner) = (
        moment(15, (13, 30, 0)),
        role(PROD, "integration-test-runner"),
    );
    let who = terraform_session(case, time);
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{PROD}:role/terraform-apply"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let born = create_role(&mut case.mint, &who, &runner, &trust, time.plus(10));
    let mut ids = case.log([born]);
    let take = |seconds| Take {
        role: &runner,
        session: "smoke-test",
        region: "us-east-1",
        time: time.plus(seconds),
    };
    for seconds in [12, 15] {
        let event = take(seconds).refused(&mut case.mint, &who);
        ids.extend(case.log([event]));
    }
    let policy = format!("arn:aws:iam::{PROD}:policy/integration-test-read");
    let request = [("roleName", runner.name.as_str()), ("policyArn", &policy)];
    let attached = iam(
        &mut case.mint,
        &who,
        PROD,
        time.plus(17),
        "AttachRolePolicy",
        &request,
    );
    ids.extend(case.log([attached]));
    let event = take(19).refused(&mut case.mint, &who);
    ids.extend(case.log([event]));
    let issued = take(24).by(&mut case.mint, &who, None);
    ids.extend(case.keep("propagated", issued.events));
    case.silent.push(Step {
        number: 1,
        rule: "assume-role-denied-then-success",
        title: "a role born seconds ago refuses its maker three times, then lets it in",
        time: time.plus(12),
        name: "AssumeRole".to_owned(),
        account: PROD,
        subject: runner.arn(),
        event_ids: ids,
    });
}

/// The nightly report was moved to a partitioned table and its role never got the right to read
/// partitions. The workflow tries again every hour.
fn starved_role(case: &mut Case) {
    let mut ids = Vec::new();
    let call = ("glue", "GetPartitions");
    let first = moment(16, (4, 31, 0));
    for run in 0..5 {
        let time = first.plus(run * 3_600);
        let who = nightly_report(case, time);
        for attempt in 0..6 {
            let place = (DATA, "eu-west-1");
            ids.extend(refused(
                case,
                &who,
                place,
                time.plus(70 + 45 * attempt),
                call,
            ));
        }
    }
    case.planted.push(Step {
        number: 1,
        rule: "role-lacks-permissions",
        title: "the nightly report may not read partitions and never succeeds",
        time: first.plus(70),
        name: "GetPartitions".to_owned(),
        account: DATA,
        subject: role(DATA, "nightly-report").arn(),
        event_ids: ids,
    });
}

/// A person in a hurry lets a workflow in and tests the audience only: every repository on GitHub
/// may take the role.
fn open_workflow_trust(case: &mut Case) {
    let time = moment(16, (14, 20, 0));
    let who = workforce_session(case, "dana.ortiz", "PlatformEngineer", HUB, time);
    let publisher = role(HUB, "gha-docs-publisher");
    let trust = workflow_trust(
        r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}"#,
    );
    let born = create_role(&mut case.mint, &who, &publisher, &trust, time.plus(104));
    let event_ids = case.keep("publisher", [born]);
    case.planted.push(Step {
        number: 2,
        rule: "trust-policy-federated-unscoped",
        title: "a role for a documentation workflow forgets the test of the subject",
        time: time.plus(104),
        name: "CreateRole".to_owned(),
        account: HUB,
        subject: publisher.arn(),
        event_ids,
    });
}

/// The same kinds of change done right, in the weeks before: they make the engineer's work familiar
/// and are near misses of the trust rules.
fn scoped_trusts(case: &mut Case) {
    let scoped = r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:fernhill/docs:ref:refs/heads/main"}"#;
    let glue = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"glue.amazonaws.com"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"aws:SourceAccount":"{PROD}"}}}}}}]}}"#
    );
    let inline = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::fernhill-static/docs/*"}]}"#;
    let roles = [
        (
            2,
            HUB,
            "gha-docs-preview",
            "trust-policy-federated-unscoped",
            workflow_trust(scoped),
        ),
        (
            9,
            PROD,
            "glue-quality-check",
            "trust-policy-untrusted-account",
            glue,
        ),
    ];
    for (day, account, name, rule, trust) in roles {
        let time = moment(day, (14, 5, 0));
        let who = workforce_session(case, "dana.ortiz", "PlatformEngineer", account, time);
        let new = role(account, name);
        let born = create_role(&mut case.mint, &who, &new, &trust, time.plus(90));
        let policy = format!("arn:aws:iam::{account}:policy/{name}-narrow");
        let changes: [(&str, &[(&str, &str)]); 3] = [
            (
                "UpdateAssumeRolePolicy",
                &[("roleName", name), ("policyDocument", &trust)],
            ),
            (
                "AttachRolePolicy",
                &[("roleName", name), ("policyArn", &policy)],
            ),
            (
                "PutRolePolicy",
                &[
                    ("roleName", name),
                    ("policyName", "read"),
                    ("policyDocument", inline),
                ],
            ),
        ];
        let mut ids = case.log([born]);
        for (n, (call, request)) in changes.into_iter().enumerate() {
            let time = time.plus(200 + 41 * n as i64);
            let event = iam(&mut case.mint, &who, account, time, call, request);
            ids.extend(case.log([event]));
        }
        case.silent.push(Step {
            number: 1 + case.silent.len(),
            rule,
            title: "a role with a trust policy that is scoped as it should be",
            time: time.plus(90),
            name: "CreateRole".to_owned(),
            account,
            subject: new.arn(),
            event_ids: ids,
        });
    }
}

fn workflow_trust(condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::{HUB}:oidc-provider/token.actions.githubusercontent.com"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{{condition}}}}}]}}"#
    )
}
