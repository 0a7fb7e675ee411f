//! Rights given to roles: too many, too few, without their bound, or into somebody's machine.

use super::super::super::event::{Role, Session, Who};
use super::super::super::kit::Json;
use super::scene::{LAMBDA_TRUST, Scene, trust, trusting};
use super::{Kind, Told, attack, harmless, told};

pub const KINDS: &[Kind] = &[
    attack("admin-attached", &["admin-policy-attached"], admin_attached),
    harmless(
        "reader-attached",
        &["admin-policy-attached"],
        reader_attached,
    ),
    harmless(
        "permission-set-provisioned",
        &["admin-policy-attached", "assumed-session-iam-takeover"],
        permission_set,
    ),
    attack(
        "inline-everything",
        &["escalation-policy-written"],
        inline_everything,
    ),
    harmless(
        "inline-narrow-or-deny",
        &["escalation-policy-written"],
        inline_narrow,
    ),
    attack(
        "boundary-removed",
        &["role-boundary-removed"],
        boundary_removed,
    ),
    harmless(
        "boundary-put-again",
        &["role-boundary-removed"],
        boundary_again,
    ),
    attack(
        "admin-role-to-function",
        &["privileged-role-passed-to-compute"],
        to_function,
    ),
    attack(
        "admin-role-to-instance",
        &["privileged-role-passed-to-compute"],
        to_instance,
    ),
    harmless(
        "role-passed-as-ever",
        &["privileged-role-passed-to-compute"],
        passed_as_ever,
    ),
    attack(
        "role-of-many-purposes",
        &["role-separation-eroded"],
        many_purposes,
    ),
    harmless(
        "role-of-two-services",
        &["role-separation-eroded"],
        two_services,
    ),
    attack("starved-role", &["role-lacks-permissions"], starved),
    harmless(
        "few-refusals-among-successes",
        &["role-lacks-permissions"],
        few_refusals,
    ),
    attack(
        "role-made-by-instance",
        &["role-created-off-pipeline"],
        made_by_instance,
    ),
    harmless(
        "console-wizard-role",
        &["role-created-off-pipeline"],
        wizard_role,
    ),
];

fn admin_attached(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("junior-{}", s.tag));
    let admin = match s.n % 3 {
        0 => "arn:aws:iam::aws:policy/AdministratorAccess",
        1 => "arn:aws:iam::aws:policy/IAMFullAccess",
        _ => "arn:aws:iam::aws:policy/AdministratorAccess-Amplify",
    };
    let name = format!("metrics-writer-{}", s.tag);
    if s.n % 4 == 3 {
        let request = [("userName", name.as_str()), ("policyArn", admin)];
        s.iam(&who, 0, "AttachUserPolicy", &request);
        return told(format!("arn:aws:iam::{}:user/{name}", s.home), who.arn);
    }
    let request = [("roleName", name.as_str()), ("policyArn", admin)];
    s.iam(&who, 0, "AttachRolePolicy", &request);
    told(s.role(&name).arn(), who.arn)
}

fn reader_attached(s: &mut Scene) -> Told {
    let who = s.terraform();
    let name = format!("asset-reader-{}", s.tag);
    let request = [
        ("roleName", name.as_str()),
        (
            "policyArn",
            "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
        ),
    ];
    s.iam(&who, 30, "AttachRolePolicy", &request);
    told(s.role(&name).arn(), who.arn)
}

/// Identity Center provisions the administrators' permission set.
fn permission_set(s: &mut Scene) -> Told {
    let linked = s.role("aws-service-role/sso.amazonaws.com/AWSServiceRoleForSSO");
    let session = Session {
        name: "AWS-SSO",
        invoked_by: Some("sso.amazonaws.com"),
        ..Session::default()
    };
    let who = Who::session(&linked, s.at(-30), session);
    let name = "AWSReservedSSO_AdministratorAccess_1a2b3c4d5e6f7a8b";
    let role = s.role(&format!("aws-reserved/sso.amazonaws.com/eu-west-1/{name}"));
    let request = [
        ("roleName", name),
        ("policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ];
    s.iam(&who, 0, "AttachRolePolicy", &request);
    told(role.arn(), linked.arn())
}

fn inline_everything(s: &mut Scene) -> Told {
    const DOCUMENTS: [&str; 3] = [
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"*"}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:AttachRolePolicy","iam:PutRolePolicy"],"Resource":"*"}]}"#,
    ];
    let who = s.stolen(&format!("builder-{}", s.tag));
    let name = format!("image-builder-{}", s.tag);
    if s.n % 4 == 3 {
        let arn = format!("arn:aws:iam::{}:policy/{name}", s.home);
        let mut event = s.iam_event(&who, 0, "CreatePolicyVersion", &[]);
        event.request = Some(Json::object(|j| {
            j.str("policyArn", &arn)
                .str("policyDocument", DOCUMENTS[0])
                .raw("setAsDefault", "true");
        }));
        let event = event.answers(|j| {
            j.obj("policyVersion", |j| {
                j.str("versionId", "v2").raw("isDefaultVersion", "true");
            });
        });
        s.log([event]);
        return told(arn, who.arn);
    }
    let request = [
        ("roleName", name.as_str()),
        ("policyName", "work"),
        ("policyDocument", DOCUMENTS[s.n % 3]),
    ];
    s.iam(&who, 0, "PutRolePolicy", &request);
    told(s.role(&name).arn(), who.arn)
}

fn inline_narrow(s: &mut Scene) -> Told {
    const DOCUMENTS: [&str; 2] = [
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:SendMessage","sqs:GetQueueUrl"],"Resource":"arn:aws:sqs:eu-west-1:*:orders"}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2025-01-25T08:50:00Z"}}}]}"#,
    ];
    let who = s.terraform();
    let name = format!("order-sender-{}", s.tag);
    let policy = ["send", "AWSRevokeOlderSessions"][s.n % 2];
    let request = [
        ("roleName", name.as_str()),
        ("policyName", policy),
        ("policyDocument", DOCUMENTS[s.n % 2]),
    ];
    s.iam(&who, 30, "PutRolePolicy", &request);
    told(s.role(&name).arn(), who.arn)
}

fn boundary(s: &Scene) -> String {
    format!("arn:aws:iam::{}:policy/workload-boundary", s.home)
}

/// A role that has had its boundary for weeks.
fn bounded(s: &mut Scene) -> Role {
    let role = s.role(&format!("tenant-job-{}", s.tag));
    let arn = boundary(s);
    s.days_before(10, |s| {
        let who = s.user("bootstrap");
        s.create_role(&who, 0, &role, LAMBDA_TRUST);
        let request = [
            ("roleName", role.name.as_str()),
            ("permissionsBoundary", &arn),
        ];
        s.iam(&who, 4, "PutRolePermissionsBoundary", &request);
    });
    role
}

fn boundary_removed(s: &mut Scene) -> Told {
    let role = bounded(s);
    let who = s.stolen(&format!("tenant-{}", s.tag));
    if s.n % 3 == 2 {
        let request = [
            ("roleName", role.name.as_str()),
            (
                "permissionsBoundary",
                "arn:aws:iam::aws:policy/AdministratorAccess",
            ),
        ];
        s.iam(&who, 0, "PutRolePermissionsBoundary", &request);
    } else {
        let request = [("roleName", role.name.as_str())];
        s.iam(&who, 0, "DeleteRolePermissionsBoundary", &request);
    }
    told(role.arn(), who.arn)
}

fn boundary_again(s: &mut Scene) -> Told {
    let role = bounded(s);
    let who = s.terraform();
    let arn = boundary(s);
    let request = [
        ("roleName", role.name.as_str()),
        ("permissionsBoundary", &arn),
    ];
    s.iam(&who, 30, "PutRolePermissionsBoundary", &request);
    told(role.arn(), who.arn)
}

fn function(s: &mut Scene, who: &Who, seconds: i64, name: &str, role: &Role) {
    let arn = role.arn();
    let mut event = s
        .event(who, seconds, ("lambda", "CreateFunction20150331"))
        .asks(|j| {
            j.str("functionName", name)
                .str("runtime", "python3.12")
                .str("role", &arn)
                .str("handler", "main.handler")
                .obj("code", |_| ());
        });
    event.response = Some(Json::object(|j| {
        j.str("functionName", name)
            .str("role", &arn)
            .str("state", "Pending");
    }));
    s.log([event]);
}

fn to_function(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("data-{}", s.tag));
    let role = s.role("platform-admin");
    let name = format!("rotate-{}", s.tag);
    function(s, &who, 0, &name, &role);
    s.call(&who, 60, ("lambda", "Invoke"));
    told(role.arn(), who.arn)
}

fn to_instance(s: &mut Scene) -> Told {
    let role = s.role("fleet-admin");
    let profile = "fleet-admin";
    s.days_before(12, |s| {
        let who = s.user("bootstrap");
        let request = [("instanceProfileName", profile), ("roleName", &role.name)];
        s.iam(&who, 0, "AddRoleToInstanceProfile", &request);
    });
    let who = s.stolen(&format!("student-{}", s.tag));
    let arn = format!("arn:aws:iam::{}:instance-profile/{profile}", s.home);
    let event = s.event(&who, 0, ("ec2", "RunInstances")).asks(|j| {
        j.obj("instancesSet", |j| {
            j.raw(
                "items",
                r#"[{"imageId":"ami-0abcdef1234567890","minCount":1,"maxCount":1}]"#,
            );
        })
        .str("instanceType", "t3.micro")
        .obj("iamInstanceProfile", |j| {
            j.str("arn", &arn);
        });
    });
    s.log([event]);
    told(role.arn(), who.arn)
}

fn passed_as_ever(s: &mut Scene) -> Told {
    let role = s.role("service-role/worker-function");
    let deploy = |s: &mut Scene| {
        let who = s.user("function-deployer");
        let name = format!("worker-{}", s.time.0 % 10_000);
        function(s, &who, 0, &name, &role);
    };
    s.daily(deploy);
    deploy(s);
    told(role.arn(), s.user("function-deployer").arn)
}

/// People, services and workflows behind one door.
fn many_purposes(s: &mut Scene) -> Told {
    let who = s.stolen(&format!("architect-{}", s.tag));
    let role = s.role(&format!("everything-{}", s.tag));
    let home = s.home.clone();
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":["lambda.amazonaws.com","ec2.amazonaws.com","glue.amazonaws.com","states.amazonaws.com"],"AWS":"arn:aws:iam::{home}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    s.create_role(&who, 0, &role, &document);
    for (k, policy) in [
        "AmazonS3FullAccess",
        "AmazonDynamoDBFullAccess",
        "SecretsManagerReadWrite",
        "AmazonEC2FullAccess",
    ]
    .into_iter()
    .enumerate()
    {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        let request = [("roleName", role.name.as_str()), ("policyArn", &arn)];
        s.iam(&who, 20 + k as i64, "AttachRolePolicy", &request);
    }
    told(role.arn(), who.arn)
}

fn two_services(s: &mut Scene) -> Told {
    let who = s.terraform();
    let role = s.role(&format!("edge-{}", s.tag));
    let document = trust(
        r#""Service":["lambda.amazonaws.com","edgelambda.amazonaws.com"]"#,
        "sts:AssumeRole",
        "",
    );
    s.create_role(&who, 30, &role, &document);
    told(role.arn(), who.arn)
}

fn starved(s: &mut Scene) -> Told {
    let role = s.role(&format!("service-role/exporter-{}", s.tag));
    for run in 0..4 {
        let time = s.time;
        s.time = time.plus(3_600 * run);
        let who = s.take_for("lambda.amazonaws.com", &role, "exporter", "10.5.5.5");
        for k in 0..7 {
            denied(s, &who, 30 + 40 * k, ("glue", "GetPartitions"));
        }
        s.time = time;
    }
    told(role.arn(), format!("{}/exporter", role.arn()))
}

fn denied(s: &mut Scene, who: &Who, seconds: i64, call: (&str, &str)) {
    let action = format!("{}:{}", call.0, call.1);
    let message = format!(
        "User: {} is not authorized to perform: {action} because no identity-based policy allows the {action} action",
        who.arn
    );
    let event = s.event(who, seconds, call).fails("AccessDenied", &message);
    s.log([event]);
}

fn few_refusals(s: &mut Scene) -> Told {
    let role = s.role(&format!("service-role/indexer-{}", s.tag));
    let who = s.take_for("lambda.amazonaws.com", &role, "indexer", "10.5.5.6");
    for k in 0..40 {
        s.call(&who, 20 + 10 * k, ("glue", "GetPartitions"));
    }
    for k in 0..3 {
        denied(s, &who, 25 + 100 * k, ("glue", "GetPartitions"));
    }
    told(role.arn(), format!("{}/indexer", role.arn()))
}

fn made_by_instance(s: &mut Scene) -> Told {
    let host = s.role("web-instance");
    let id = format!("i-0{:016x}", 0xbeef_0000 + s.n as u64);
    let taken = s.take_for("ec2.amazonaws.com", &host, &id, "10.9.7.7");
    let role = s.role(&format!("helper-{}", s.tag));
    let document = trusting(&format!("arn:aws:iam::{}:root", s.home));
    s.create_role(&taken, 900, &role, &document);
    told(role.arn(), format!("{}/{id}", host.arn()))
}

/// The console makes the role that a new function needs.
fn wizard_role(s: &mut Scene) -> Told {
    let who = s.engineer();
    let name = format!("service-role/notify-role-{}", s.tag);
    let role = s.role(&name);
    s.create_role(&who, 0, &role, LAMBDA_TRUST);
    let arn = format!(
        "arn:aws:iam::{}:policy/service-role/AWSLambdaBasicExecutionRole-{}",
        s.home, s.tag
    );
    let request = [("roleName", role.name.as_str()), ("policyArn", &arn)];
    s.iam(&who, 2, "AttachRolePolicy", &request);
    told(role.arn(), who.arn)
}
