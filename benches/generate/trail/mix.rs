//! The mix of calls in a working account, by share of volume.

use super::super::calls::{Take, iam, s3_object};
use super::super::event::{Event, Who};
use super::super::kit::{Json, Mint, Rng, Time};
use super::cast::Cast;

/// Share of a thousand, service, call, and whether it is a data event.
const CALLS: [(u64, &str, &str, bool); 46] = [
    (92, "kms", "Decrypt", false),
    (34, "kms", "GenerateDataKey", false),
    (48, "ec2", "DescribeInstances", false),
    (22, "ec2", "DescribeInstanceStatus", false),
    (18, "ec2", "DescribeSecurityGroups", false),
    (18, "ec2", "DescribeVolumes", false),
    (14, "ec2", "DescribeNetworkInterfaces", false),
    (12, "ec2", "DescribeSubnets", false),
    (10, "ec2", "DescribeTags", false),
    (9, "ec2", "DescribeImages", false),
    (6, "ec2", "CreateTags", false),
    (2, "ec2", "RunInstances", false),
    (2, "ec2", "TerminateInstances", false),
    (40, "logs", "CreateLogStream", false),
    (10, "logs", "DescribeLogGroups", false),
    (36, "ssm", "UpdateInstanceInformation", false),
    (16, "ssm", "GetParameter", false),
    (22, "secretsmanager", "GetSecretValue", false),
    (24, "sts", "GetCallerIdentity", false),
    (26, "dynamodb", "GetItem", true),
    (18, "dynamodb", "Query", true),
    (9, "dynamodb", "DescribeTable", false),
    (26, "lambda", "Invoke", true),
    (10, "lambda", "GetFunction20150331v2", false),
    (5, "lambda", "UpdateFunctionCode20150331v2", false),
    (18, "ecr", "BatchGetImage", false),
    (12, "ecr", "GetAuthorizationToken", false),
    (14, "ecs", "DescribeServices", false),
    (6, "ecs", "RegisterTaskDefinition", false),
    (16, "elasticloadbalancing", "DescribeTargetHealth", false),
    (12, "elasticloadbalancing", "DescribeLoadBalancers", false),
    (14, "monitoring", "DescribeAlarms", false),
    (10, "rds", "DescribeDBInstances", false),
    (8, "cloudformation", "DescribeStacks", false),
    (10, "autoscaling", "DescribeAutoScalingGroups", false),
    (9, "config", "PutEvaluations", false),
    (8, "sqs", "GetQueueAttributes", false),
    (5, "sns", "ListTopics", false),
    (7, "glue", "GetTable", false),
    (5, "athena", "StartQueryExecution", false),
    (8, "s3", "GetBucketAcl", false),
    (6, "s3", "ListBuckets", false),
    (4, "s3", "GetBucketLocation", false),
    (5, "eks", "DescribeCluster", false),
    (4, "route53", "ListHostedZones", false),
    (3, "organizations", "DescribeOrganization", false),
];

/// Shares of the calls with a shape of their own; the table above fills the rest.
const BY_SERVICE: u64 = 175;
const OBJECTS: u64 = 165;
const IAM: u64 = 38;
const WORKFLOW: u64 = 9;
const WORKFORCE: u64 = 4;

/// The next event of a lane.
pub fn next(mint: &mut Mint, cast: &mut Cast, time: Time) -> Event {
    let mut draw = mint.rng.below(1_000);
    let mut below = |share: u64| {
        let hit = draw < share;
        draw = draw.wrapping_sub(share);
        hit
    };
    if below(BY_SERVICE) {
        return taken_by_service(mint, cast, time);
    }
    if below(OBJECTS) {
        return object(mint, cast, time);
    }
    if below(IAM) {
        return identity(mint, cast, time);
    }
    if below(WORKFLOW) {
        return taken_by_workflow(mint, cast, time);
    }
    if below(WORKFORCE) {
        return entered(mint, cast, time);
    }
    plain(mint, cast, time)
}

fn taken_by_service(mint: &mut Mint, cast: &mut Cast, time: Time) -> Event {
    let linked = mint.rng.below(8) == 0;
    let parts = if linked {
        &mut cast.linked
    } else {
        &mut cast.workloads
    };
    let n = mint.rng.below(parts.len() as u64) as usize;
    let part = &mut parts[n];
    let take = Take {
        role: &part.role,
        session: &part.session,
        region: cast.region,
        time,
    };
    let mut issued = take.by_service(mint, part.service);
    part.renew(&issued.key, time);
    issued.events.remove(0)
}

fn taken_by_workflow(mint: &mut Mint, cast: &mut Cast, time: Time) -> Event {
    let n = mint.rng.below(cast.pipelines.len() as u64) as usize;
    let part = &mut cast.pipelines[n];
    part.session = format!("run-{}", 12_000_000_000 + mint.rng.below(999_999_999));
    let take = Take {
        role: &part.role,
        session: &part.session,
        region: cast.region,
        time,
    };
    let subject = format!("repo:company/{}:ref:refs/heads/main", part.role.name);
    let mut issued = take.by_workflow(mint, &subject, (&part.ip, part.agent));
    part.renew(&issued.key, time);
    issued.events.remove(0)
}

/// A person signs in: the SAML call, or the console's own record of it.
fn entered(mint: &mut Mint, cast: &mut Cast, time: Time) -> Event {
    let n = mint.rng.below(cast.people.len() as u64) as usize;
    let part = &mut cast.people[n];
    if mint.rng.below(2) == 0 {
        let mut login = Event::new(
            mint,
            &part.who,
            (&cast.account, cast.region),
            time,
            ("signin", "ConsoleLogin"),
        )
        .answers(|j| {
            j.str("ConsoleLogin", "Success");
        });
        login.additional = Some(r#"{"MobileVersion":"No","MFAUsed":"No"}"#.to_owned());
        login.kind = "AwsConsoleSignIn";
        return login;
    }
    let take = Take {
        role: &part.role,
        session: &part.session,
        region: cast.region,
        time,
    };
    let mut issued = take.by_workforce(mint, &part.ip);
    part.renew(&issued.key, time);
    issued.events.remove(0)
}

fn object(mint: &mut Mint, cast: &Cast, time: Time) -> Event {
    const BUCKETS: [&str; 8] = [
        "assets",
        "uploads",
        "exports",
        "lake-raw",
        "lake-curated",
        "logs-archive",
        "backups",
        "artifacts",
    ];
    const NAMES: [&str; 10] = [
        "GetObject",
        "GetObject",
        "GetObject",
        "GetObject",
        "GetObject",
        "PutObject",
        "PutObject",
        "PutObject",
        "HeadObject",
        "DeleteObject",
    ];
    let bucket = format!("company-{}-{}", mint.rng.pick(&BUCKETS), &cast.account[8..]);
    let (year, month, day) = time.date();
    let key = format!(
        "v1/{year}/{month:02}/{day:02}/part-{:05}-{:016x}.parquet",
        mint.rng.below(4_000),
        mint.rng.draw()
    );
    let (who, name) = (cast.actor(mint).clone(), *mint.rng.pick(&NAMES));
    let mut event = s3_object(
        mint,
        &who,
        (&cast.account, cast.region),
        time,
        name,
        (&bucket, &key),
    );
    if name == "PutObject" {
        event = event.answers(|j| {
            j.str("x-amz-server-side-encryption", "aws:kms")
                .str("x-amz-server-side-encryption-bucket-key-enabled", "true");
        });
    }
    match mint.rng.below(200) {
        0..8 => event.fails("AccessDenied", &no_policy(&who, "s3:GetObject")),
        8..14 => event.fails("NoSuchKey", "The specified key does not exist."),
        _ => event,
    }
}

/// IAM logs in one region only; elsewhere the lane makes a plain call instead.
fn identity(mint: &mut Mint, cast: &Cast, time: Time) -> Event {
    if cast.region != "us-east-1" {
        return plain(mint, cast, time);
    }
    let role = mint.rng.pick(&cast.workloads).role.name.clone();
    let who = cast.actor(mint).clone();
    let policy = format!("arn:aws:iam::{}:policy/{role}-narrow", cast.account);
    let mut call =
        |name: &str, request: &[(&str, &str)]| iam(mint, &who, &cast.account, time, name, request);
    let named = [
        ("roleName", role.as_str()),
        ("policyArn", policy.as_str()),
        ("policyName", "inline"),
    ];
    match Rng::new(time.0 as u64).below(40) {
        0..10 => call("GetRole", &named[..1]),
        10..16 => call("ListAttachedRolePolicies", &named[..1]),
        16..22 => call("ListRoles", &[]),
        22..26 => call("GetPolicy", &named[1..2]),
        26..30 => call("ListInstanceProfilesForRole", &named[..1]),
        30..34 => call("GetUser", &[("userName", "s3-backup")]),
        34 => call("AttachRolePolicy", &named[..2]),
        35 => call("TagRole", &named[..1]),
        36 => call("DetachRolePolicy", &named[..2]),
        37 => call("GetRole", &named[..1]).fails(
            "NoSuchEntityException",
            &format!("The role with name {role} cannot be found."),
        ),
        _ => {
            let mut denied =
                call("ListUsers", &[]).fails("AccessDenied", &no_policy(&who, "iam:ListUsers"));
            denied.request = None;
            denied
        }
    }
}

fn plain(mint: &mut Mint, cast: &Cast, time: Time) -> Event {
    let total: u64 = CALLS.iter().map(|call| call.0).sum();
    let mut draw = mint.rng.below(total);
    let mut call = &CALLS[0];
    for next in &CALLS {
        call = next;
        if draw < next.0 {
            break;
        }
        draw -= next.0;
    }
    let (_, service, name, data) = *call;
    let who = cast.actor(mint).clone();
    let place = (cast.account.as_str(), cast.region);
    let mut event = Event::new(mint, &who, place, time, (service, name));
    event.data = data;
    let event = detail(mint, event);
    match mint.rng.below(1_000) {
        0..46 if service == "ec2" => event.fails(
            "Client.UnauthorizedOperation",
            &format!(
                "You are not authorized to perform this operation. {}",
                no_policy(&who, &format!("ec2:{name}"))
            ),
        ),
        0..46 => event.fails(
            "AccessDenied",
            &no_policy(&who, &format!("{service}:{name}")),
        ),
        46..64 => event.fails("ThrottlingException", "Rate exceeded"),
        64..76 => event.fails(
            "ResourceNotFoundException",
            "The specified resource does not exist.",
        ),
        _ => event,
    }
}

fn no_policy(who: &Who, action: &str) -> String {
    format!(
        "User: {} is not authorized to perform: {action} because no identity-based policy allows the {action} action",
        who.arn
    )
}

/// Parameters, resources and answers of a plain call.
fn detail(mint: &mut Mint, event: Event) -> Event {
    let (region, account) = (event.region.clone(), event.account.clone());
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{account}:{rest}");
    let number = mint.rng.below(60);
    match event.service.as_str() {
        "kms" => {
            let key = arn("kms", &format!("key/{}", Rng::new(number).uuid()));
            let context = arn("secretsmanager", &format!("secret:app/{number}/database"));
            event
                .asks(|j| {
                    j.str("encryptionAlgorithm", "SYMMETRIC_DEFAULT");
                    j.obj("encryptionContext", |j| {
                        j.str("SecretARN", &context).str(
                            "aws:s3:arn",
                            &format!("arn:aws:s3:::company-lake-raw-{number}"),
                        );
                    });
                    j.str("keyId", &key);
                })
                .on("AWS::KMS::Key", &key)
        }
        "ec2" => {
            let instance = format!("i-0{:016x}", Rng::new(number).draw());
            event.asks(|j| {
                let item = Json::object(|j| {
                    j.str("instanceId", &instance);
                });
                j.obj("instancesSet", |j| {
                    j.list("items", &[item]);
                });
                let filter = r#"{"name":"instance-state-name","valueSet":{"items":[{"value":"running"},{"value":"pending"}]}}"#;
                j.obj("filterSet", |j| {
                    j.list("items", &[filter.to_owned()]);
                });
                j.raw("maxResults", "1000");
            })
        }
        "dynamodb" => {
            let table = arn("dynamodb", &format!("table/orders-{}", number % 7));
            event
                .asks(|j| {
                    j.str("tableName", &format!("orders-{}", number % 7));
                    j.obj("key", |j| {
                        j.str("pk", &format!("customer#{number:06}"));
                    });
                    j.raw("consistentRead", "false");
                })
                .on("AWS::DynamoDB::Table", &table)
        }
        "lambda" => {
            let function = arn("lambda", &format!("function:orders-api-{}", number % 9));
            event
                .asks(|j| {
                    j.str("functionName", &function)
                        .str("invocationType", "RequestResponse");
                })
                .on("AWS::Lambda::Function", &function)
        }
        "logs" => event.asks(|j| {
            j.str(
                "logGroupName",
                &format!("/aws/lambda/orders-api-{}", number % 9),
            )
            .str(
                "logStreamName",
                &format!("2025/[$LATEST]{:016x}", number * 7_919),
            );
        }),
        "secretsmanager" | "ssm" => event.asks(|j| {
            j.str(
                "secretId",
                &arn("secretsmanager", &format!("secret:app/{number}/database")),
            );
        }),
        "ecs" => event.asks(|j| {
            j.str("cluster", "main")
                .raw("services", &format!("[\"checkout-{number}\"]"));
        }),
        "sts" => event.answers(|j| {
            j.str("account", &account);
        }),
        _ => event.asks(|j| {
            j.str("name", &format!("resource-{number}"))
                .raw("maxResults", "100");
        }),
    }
}
