use super::*;
use crate::engine::EngineOptions;
use crate::ingest;

/// What is proposed for records, after one look that it reads, as it is and with all comments undone.
async fn proposed(records: &[Value], lists: &str) -> (String, Lists) {
    let lists = Lists::parse(lists).unwrap();
    let text = Value::Array(records.to_vec()).to_string();
    let batch = ingest::records_to_batch("records", text.as_bytes()).unwrap();
    let options = EngineOptions {
        lists: lists.clone(),
        target_partitions: Some(1),
        ..EngineOptions::default()
    };
    let engine = Engine::over_batches(vec![batch], options).await.unwrap();
    let file = suggest(&engine, &lists).await.unwrap();
    assert_eq!(file, suggest(&engine, &lists).await.unwrap());
    Lists::parse(&file).unwrap_or_else(|error| panic!("{error}\n{file}"));
    let undone = Lists::parse(&undone(&file)).unwrap_or_else(|error| panic!("{error}\n{file}"));
    (file, undone)
}

/// The file with every entry in force.
fn undone(file: &str) -> String {
    let entries = [
        "\"",
        "[[",
        "account =",
        "name =",
        "external_id",
        "allowed_roles",
        "]",
        " ",
        "from =",
        "to =",
    ];
    let lines = file
        .lines()
        .map(|line| match line.trim_start().strip_prefix("# ") {
            Some(rest) if entries.iter().any(|start| rest.starts_with(start)) => rest,
            _ => line,
        });
    lines.collect::<Vec<_>>().join("\n")
}

fn record(n: usize, members: &Value) -> Value {
    let mut record = serde_json::json!({
        "eventVersion": "1.09",
        "eventID": format!("e{n}"),
        "eventTime": format!("2025-03-{:02}T{:02}:00:00Z", 1 + n % 9, n % 24),
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.10",
        "userAgent": "aws-cli/2.15",
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "recipientAccountId": "111111111111",
        "responseElements": {"credentials": {"accessKeyId": "ASIAISSUED"}}
    });
    let members = members.as_object().unwrap().clone();
    record.as_object_mut().unwrap().extend(members);
    record
}

/// A session of a role takes a role.
fn take(n: usize, caller: &str, session: &str, target: &str) -> Value {
    record(
        n,
        &serde_json::json!({
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": format!("AROA{caller}:{session}"),
                "arn": format!("arn:aws:sts::111111111111:assumed-role/{caller}/{session}"),
                "accountId": "111111111111",
                "accessKeyId": "ASIAEXAMPLE",
                "sessionContext": {"sessionIssuer": {
                    "type": "Role", "arn": format!("arn:aws:iam::111111111111:role/{caller}"),
                    "principalId": format!("AROA{caller}"), "accountId": "111111111111", "userName": caller
                }}
            },
            "requestParameters": {"roleArn": target, "roleSessionName": "s"}
        }),
    )
}

const TARGET: &str = "arn:aws:iam::111111111111:role/app";

#[tokio::test]
async fn habits_become_entries() {
    let mut records: Vec<Value> = (0..24)
        .map(|n| {
            take(
                n,
                "pipeline",
                &format!("job-{n}"),
                &format!("{TARGET}{}", n % 3),
            )
        })
        .collect();
    records.extend((30..40).map(|n| take(n, "person", "ann", TARGET)));
    records.extend((40..46).map(|n| record(n, &serde_json::json!({
        "userIdentity": {"type": "AWSAccount", "principalId": "AROAVENDOR:x", "accountId": "333333333333"},
        "requestParameters": {"roleArn": TARGET, "roleSessionName": "s", "externalId": "tenant-0815"}
    }))));
    // One without an external id, one that came once.
    records.extend((50..56).map(|n| record(n, &serde_json::json!({
        "userIdentity": {"type": "AWSAccount", "principalId": "AROAOTHER:x", "accountId": "444444444444"},
        "requestParameters": {"roleArn": TARGET, "roleSessionName": "s"}
    }))));
    records.push(record(60, &serde_json::json!({
        "userIdentity": {"type": "AWSAccount", "principalId": "AROAONCE:x", "accountId": "555555555555"},
        "requestParameters": {"roleArn": TARGET, "roleSessionName": "s", "externalId": "tenant-4711"}
    })));
    records.extend((70..75).map(|n| record(n, &serde_json::json!({
        "eventName": "AssumeRoleWithWebIdentity",
        "userIdentity": {"type": "WebIdentityUser", "userName": "repo:example/shop:ref:refs/heads/main",
            "identityProvider": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},
        "requestParameters": {"roleArn": TARGET, "roleSessionName": "s"}
    }))));
    records.extend((80..83).map(|n| record(n, &serde_json::json!({
        "eventName": "AssumeRoleWithSAML",
        "userIdentity": {"type": "SAMLUser", "userName": "ann", "identityProvider": "x"},
        "requestParameters": {"roleArn": "arn:aws:iam::111111111111:role/break-glass", "roleSessionName": "s"},
        "responseElements": {"issuer": "https://idp.example.com/", "subject": "ann"}
    }))));
    records.extend((90..96).map(|n| {
        let mut record = take(n, "deployer", "s", TARGET);
        let object = record.as_object_mut().unwrap();
        object.insert("eventSource".to_owned(), "iam.amazonaws.com".into());
        object.insert("eventName".to_owned(), "CreateRole".into());
        object.insert(
            "userAgent".to_owned(),
            "APN/1.0 HashiCorp/1.0 Terraform/1.7".into(),
        );
        object.insert(
            "requestParameters".to_owned(),
            serde_json::json!({"roleName": format!("r{n}")}),
        );
        record
    }));
    records.push(record(99, &serde_json::json!({
        "eventSource": "iam.amazonaws.com", "eventName": "AttachRolePolicy",
        "userIdentity": {"type": "IAMUser", "principalId": "AIDAANN", "accountId": "111111111111",
            "arn": "arn:aws:iam::111111111111:user/ann", "userName": "ann"},
        "requestParameters": {"roleName": "app",
            "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    })));
    let (file, all) = proposed(&records, "").await;
    let in_force = Lists::parse(&file).unwrap();
    assert_eq!(in_force.own_accounts, ["111111111111"]);
    assert_eq!(in_force.expected_regions, ["eu-west-1"]);
    assert!(in_force.sensitive_roles.contains(&"app".to_owned()));
    assert!(in_force.sensitive_roles.contains(&"*admin*".to_owned()));
    // What makes rules quieter waits for somebody to check it.
    assert_eq!(
        in_force.ci_principals.len() + in_force.vendor_accounts.len(),
        0
    );
    assert_eq!(
        in_force.known_networks.len() + in_force.chain_allow.len(),
        0
    );

    assert_eq!(
        all.ci_principals,
        ["arn:aws:iam::111111111111:role/pipeline/*"]
    );
    assert_eq!(
        all.iac_principals,
        ["arn:aws:iam::111111111111:role/deployer/*"]
    );
    let [vendor] = all.vendor_accounts.as_slice() else {
        panic!("{file}");
    };
    assert_eq!(
        (vendor.account.as_str(), vendor.external_id_required),
        ("333333333333", true)
    );
    assert_eq!(vendor.allowed_roles, [TARGET]);
    assert_eq!(all.known_networks, ["203.0.113.0/24"]);
    assert_eq!(
        all.oidc_subjects,
        ["token.actions.githubusercontent.com repo:example/shop:*"]
    );
    assert_eq!(all.saml_issuers, ["https://idp.example.com/"]);
    assert_eq!(all.break_glass_roles, ["break-glass"]);
    let steps: Vec<&str> = all
        .chain_allow
        .iter()
        .map(|step| step.from.as_str())
        .collect();
    assert!(
        steps.contains(&"arn:aws:iam::111111111111:role/person"),
        "{steps:?}"
    );
}

#[tokio::test]
async fn what_is_listed_stays() {
    let lists = r#"
        own_accounts = ["999999999999"]
        ci_principals = ["*:role/scanner/*"]
        baseline_days = 7
        baseline_until = "2025-03-01"
        [[vendor_accounts]]
        account = "333333333333"
        allowed_roles = ["*:role/backup"]
        [[chain_allow]]
        from = "a"
        to = "b"
        [password_baseline]
        minimum_length = 20
        [[allow]]
        rule = "trust-*"
        reason = "known"
        [rules.assume-role-denied-sweep.params]
        min_roles = 8
    "#;
    let (file, _) = proposed(&[take(1, "x", "y", TARGET)], lists).await;
    let mut kept = Lists::parse(&file).unwrap();
    assert_eq!(kept.own_accounts, ["999999999999", "111111111111"]);
    kept.own_accounts.pop();
    assert_eq!(kept, Lists::parse(lists).unwrap(), "{file}");
}

#[tokio::test]
async fn texts_of_a_log_stay_inside_their_quotes() {
    let hostile = "x\"] \n[[allow]]\nrule = \"*\"\nreason = \"\" #\u{202e}\u{1b}[31m\\";
    let mut records: Vec<Value> = (0..24)
        .map(|n| {
            take(
                n,
                hostile,
                &format!("{hostile}{n}"),
                &format!("{TARGET}{hostile}{}", n % 3),
            )
        })
        .collect();
    records.extend((30..34).map(|n| record(n, &serde_json::json!({
        "eventName": "AssumeRoleWithSAML", "awsRegion": hostile, "recipientAccountId": hostile,
        "userIdentity": {"type": "SAMLUser", "userName": "ann"},
        "requestParameters": {"roleArn": format!("arn:aws:iam::111111111111:role/emergency{hostile}")},
        "responseElements": {"issuer": hostile}
    }))));
    let (file, all) = proposed(&records, "own_accounts = [\"111111111111\"]").await;
    assert!(all.allow.is_empty(), "{file}");
    assert_eq!(all.saml_issuers, [hostile]);
    assert_eq!(all.own_accounts, ["111111111111"]);
    assert!(!file.contains(['\u{202e}', '\u{1b}']), "{file}");
}

#[tokio::test]
async fn stars_of_a_log_are_no_patterns() {
    let records: Vec<Value> = (0..24)
        .map(|n| take(n, "*", &format!("job-{n}"), &format!("{TARGET}*{}", n % 3)))
        .collect();
    let (file, all) = proposed(&records, "").await;
    assert!(
        all.ci_principals.is_empty() && all.chain_allow.is_empty(),
        "{file}"
    );
}

#[tokio::test]
async fn no_evidence_proposes_nothing() {
    let (file, all) = proposed(&[], "").await;
    assert_eq!(all, Lists::default(), "{file}");
}
