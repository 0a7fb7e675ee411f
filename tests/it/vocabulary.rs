//! The shared vocabulary over made-up events: each column of the views on the shapes that real
//! records have.

use arrow::array::Array;
use arrow::util::display::array_value_to_string;
use serde_json::{Value, json};
use spoor::engine::{Engine, EngineOptions, Params};
use spoor::ingest::records_to_batch;

pub(crate) const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";

/// An event that all have in common, with what the case adds on top.
pub(crate) fn event(id: &str, name: &str, more: Value) -> Value {
    let source = match name {
        name if name.starts_with("Assume") => "sts.amazonaws.com",
        "ConsoleLogin" | "SwitchRole" => "signin.amazonaws.com",
        _ => "iam.amazonaws.com",
    };
    let mut event = json!({
        "eventID": id, "eventName": name, "eventSource": source, "awsRegion": "us-east-1",
        "eventTime": "2025-03-01T10:00:00Z", "recipientAccountId": OWN,
        "sourceIPAddress": "203.0.113.9", "eventCategory": "Management",
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

pub(crate) async fn rows(records: &[Value], sql: &str) -> String {
    let text = serde_json::to_vec(records).unwrap();
    let batch = records_to_batch("case.json", &text).unwrap();
    let engine = Engine::over_batches(vec![batch], EngineOptions::default())
        .await
        .unwrap();
    let rows = engine.query(sql, &Params::new()).await.unwrap();
    let batches = rows.collect().await.unwrap();
    let mut lines = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| {
                if column.is_null(row) {
                    "-".to_owned()
                } else {
                    array_value_to_string(column, row).unwrap()
                }
            });
            lines.push(cells.collect::<Vec<_>>().join(" | "));
        }
    }
    lines.join("\n")
}

/// One event, some columns of `activity`.
async fn check(columns: &str, event: Value, expected: &str) {
    let got = rows(
        std::slice::from_ref(&event),
        &format!("SELECT {columns} FROM activity"),
    )
    .await;
    assert_eq!(got, expected, "{columns} of {event}");
}

fn role_session() -> Value {
    json!({
        "type": "AssumedRole", "principalId": "AROAEXAMPLE:ann",
        "arn": "arn:aws:sts::111122223333:assumed-role/app/ann",
        "accountId": OWN, "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/team/app",
                "principalId": "AROAEXAMPLE", "accountId": OWN, "userName": "app"},
            "attributes": {"mfaAuthenticated": "true", "creationDate": "2025-03-01T09:00:00Z"}}
    })
}

#[tokio::test]
async fn outcomes() {
    for (more, expected) in [
        (json!({}), "true | false"),
        (json!({"errorCode": "AccessDenied"}), "false | true"),
        (
            json!({"errorCode": "NoSuchEntityException"}),
            "false | false",
        ),
        (
            json!({"errorCode": "Client.UnauthorizedOperation"}),
            "false | true",
        ),
        (
            json!({"errorCode": "AWSOrganizations.UnauthorizedAccess"}),
            "false | true",
        ),
        (
            json!({"errorMessage": "Failed authentication"}),
            "false | false",
        ),
    ] {
        check("ok, denied", event("e1", "CreateRole", more), expected).await;
    }
    // Sign-in fails without an error code, and says so in the response.
    for (name, outcome, expected) in [
        ("ConsoleLogin", "Failure", "false"),
        ("ConsoleLogin", "Success", "true"),
        ("SwitchRole", "Failure", "false"),
    ] {
        let login = event("e1", name, json!({"responseElements": {name: outcome}}));
        check("ok", login, expected).await;
    }
    // The same word elsewhere means nothing.
    let other = event(
        "e1",
        "CreateRole",
        json!({"responseElements": {"ConsoleLogin": "Failure"}}),
    );
    check("ok", other, "true").await;
}

#[tokio::test]
async fn callers() {
    let columns = "caller_account, caller_role_arn, session_name, actor, by_service";
    for (identity, expected) in [
        (
            json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann",
                "accountId": OWN, "principalId": "AIDAEXAMPLE", "userName": "ann"}),
            "111122223333 | - | - | arn:aws:iam::111122223333:user/ann | false",
        ),
        (
            role_session(),
            "111122223333 | arn:aws:iam::111122223333:role/team/app | ann | \
             arn:aws:iam::111122223333:role/team/app/ann | false",
        ),
        (
            json!({"type": "AWSAccount", "accountId": OTHER, "principalId": "AROAEXAMPLE:bob"}),
            "444455556666 | - | bob | 444455556666:AROAEXAMPLE:bob | false",
        ),
        (
            json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}),
            "- | - | - | ec2.amazonaws.com | true",
        ),
        (
            json!({"accountId": OWN, "invokedBy": "access-analyzer.amazonaws.com"}),
            "111122223333 | - | - | access-analyzer.amazonaws.com | true",
        ),
        (
            json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": OWN,
                "accessKeyId": ""}),
            "111122223333 | - | - | 111122223333:root | false",
        ),
        (
            json!({"type": "WebIdentityUser", "userName": "repo:acme/app:ref:refs/heads/main",
                "identityProvider": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
                "principalId": "arn:aws:iam::111122223333:oidc-provider/x:aud:repo"}),
            "- | - | - | arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com:\
             repo:acme/app:ref:refs/heads/main | false",
        ),
        (
            json!({"type": "IdentityCenterUser", "accountId": OWN, "onBehalfOf": {"userId": "u-1",
                "identityStoreArn": "arn:aws:identitystore::111122223333:identitystore/d-1"}}),
            "111122223333 | - | - | arn:aws:identitystore::111122223333:identitystore/d-1/u-1 | false",
        ),
        (json!({}), "- | - | - | - | false"),
    ] {
        let call = event("e1", "ListRoles", json!({"userIdentity": identity}));
        check(columns, call, expected).await;
    }
}

#[tokio::test]
async fn sources_and_tools() {
    let columns = "by_service, console, src_net, iac_hint";
    for (more, expected) in [
        (json!({}), "false | false | 203.0.113.0/24 | false"),
        (
            json!({"sourceIPAddress": "cloudformation.amazonaws.com"}),
            "true | false | - | false",
        ),
        (
            json!({"sourceIPAddress": "AWS Internal"}),
            "true | false | - | false",
        ),
        (
            json!({"sourceIPAddress": "06.237.252.245"}),
            "false | false | - | false",
        ),
        (
            json!({"sourceIPAddress": null}),
            "false | false | - | false",
        ),
        (
            json!({"sessionCredentialFromConsole": "true"}),
            "false | true | 203.0.113.0/24 | false",
        ),
        (
            json!({"userIdentity": {"sessionContext": {"attributes":
                {"sessionCredentialFromConsole": "True"}}}}),
            "false | true | 203.0.113.0/24 | false",
        ),
        (
            json!({"userAgent": "APN/1.0 HashiCorp/1.0 Terraform/1.9"}),
            "false | false | 203.0.113.0/24 | true",
        ),
        (
            json!({"userIdentity": {"invokedBy": "cloudformation.amazonaws.com"}}),
            "true | false | 203.0.113.0/24 | true",
        ),
    ] {
        check(columns, event("e1", "CreateRole", more), expected).await;
    }
}

#[tokio::test]
async fn targets() {
    let columns = "target_role_arn, target_account, issued_key, subject";
    let arn = "arn:aws:iam::444455556666:role/team/admin";
    let whole = format!("{arn} | 444455556666 | - | {arn}");
    let denied = |message: &str| json!({"errorCode": "AccessDenied", "errorMessage": message, "requestParameters": null});
    let refused = |target: &str| {
        denied(&format!(
            "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: x:Y on resource: {target}"
        ))
    };
    for (name, more, expected) in [
        (
            "AssumeRole",
            json!({"requestParameters": {"roleArn": arn}}),
            whole.clone(),
        ),
        (
            "AssumeRole",
            json!({"requestParameters": {"roleArn": arn},
                "responseElements": {"credentials": {"accessKeyId": "ASIANEW"}}}),
            format!("{arn} | 444455556666 | ASIANEW | {arn}"),
        ),
        (
            "AssumeRole",
            json!({"resources": [{"ARN": "arn:aws:kms:us-east-1:1:key/k"},
                {"ARN": arn, "accountId": OTHER, "type": "AWS::IAM::Role"}]}),
            whole.clone(),
        ),
        ("AssumeRole", refused(arn), whole.clone()),
        (
            "AssumeRole",
            refused(&format!(
                "{arn} with an explicit deny in a service control policy"
            )),
            whole,
        ),
        ("AssumeRole", refused("*"), "- | - | - | -".to_owned()),
        ("AssumeRole", json!({}), "- | - | - | -".to_owned()),
        (
            "UpdateAssumeRolePolicy",
            refused("role app because no identity-based policy allows the x:Y action"),
            "arn:aws:iam::111122223333:role/app | 111122223333 | - | \
             arn:aws:iam::111122223333:role/app"
                .to_owned(),
        ),
        (
            "DeleteUser",
            refused("user bob because no identity-based policy allows the x:Y action"),
            "- | - | - | arn:aws:iam::111122223333:user/bob".to_owned(),
        ),
        (
            "AttachRolePolicy",
            json!({"awsRegion": "cn-north-1", "requestParameters": {"roleName": "app",
                "policyArn": "arn:aws-cn:iam::aws:policy/IAMFullAccess"}}),
            "- | - | - | arn:aws-cn:iam::111122223333:role/app".to_owned(),
        ),
        (
            "CreateRole",
            json!({"requestParameters": {"roleName": "app", "path": "/team/"},
                "responseElements": {"role": {"arn": "arn:aws:iam::111122223333:role/team/app"}}}),
            "- | - | - | arn:aws:iam::111122223333:role/team/app".to_owned(),
        ),
        (
            "AssumeRoot",
            json!({"requestParameters": {"targetPrincipal": OTHER}}),
            "- | 444455556666 | - | 444455556666".to_owned(),
        ),
        (
            "AssumeRoot",
            json!({"requestParameters": {"targetPrincipal": "arn:aws:iam::444455556666:root"}}),
            "- | 444455556666 | - | arn:aws:iam::444455556666:root".to_owned(),
        ),
        (
            "CreateRole",
            json!({"requestParameters": {"omitted": true, "reason": "requestParameters too large"}}),
            "- | - | - | -".to_owned(),
        ),
    ] {
        check(columns, event("e1", name, more), &expected).await;
    }
}

/// The two records of one call into another account.
fn twins(shared: &str) -> [Value; 2] {
    let common = json!({"sharedEventID": shared, "requestID": format!("r-{shared}"),
        "requestParameters": {"roleArn": "arn:aws:iam::444455556666:role/hub",
            "roleSessionName": "s", "externalId": "tenant-7"}});
    let mut caller = event(&format!("{shared}-caller"), "AssumeRole", common.clone());
    caller["userIdentity"] = role_session();
    let mut target = event(&format!("{shared}-target"), "AssumeRole", common);
    target["recipientAccountId"] = json!(OTHER);
    target["userIdentity"] =
        json!({"type": "AWSAccount", "accountId": OWN, "principalId": "AROAEXAMPLE:ann"});
    [caller, target]
}

#[tokio::test]
async fn twins_are_one_call() {
    let columns = "eventid, seen_from, event_ids, recipient_accounts, cross_account, actor";
    let sql = format!("SELECT {columns} FROM role_assumptions ORDER BY eventid");
    assert_eq!(
        rows(&twins("s1"), &sql).await,
        "s1-caller | both | [s1-caller, s1-target] | [111122223333, 444455556666] | true | \
         arn:aws:iam::111122223333:role/team/app/ann"
    );
    // The record of the target account alone stays.
    assert_eq!(
        rows(&twins("s1")[1..], &sql).await,
        "s1-target | target | [s1-target] | [444455556666] | true | 111122223333:AROAEXAMPLE:ann"
    );
}

#[tokio::test]
async fn nothing_else_is_joined() {
    let n_calls = "SELECT count(*), max(cardinality(event_ids)) FROM role_assumptions";
    let changed = |at: usize, more: Value| {
        let mut pair = twins("s1");
        for (name, value) in more.as_object().unwrap() {
            pair[at][name] = value.clone();
        }
        pair
    };
    for (case, pair) in [
        (
            "other shared id",
            changed(1, json!({"sharedEventID": "s2"})),
        ),
        ("no shared id", changed(1, json!({"sharedEventID": null}))),
        ("other request", changed(1, json!({"requestID": "r-other"}))),
        ("insight", changed(1, json!({"eventCategory": "Insight"}))),
        (
            "same account",
            changed(1, json!({"recipientAccountId": OWN})),
        ),
        (
            "two callers",
            changed(1, json!({"userIdentity": role_session()})),
        ),
        (
            "a service",
            changed(
                1,
                json!({"userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}}),
            ),
        ),
    ] {
        assert_eq!(rows(&pair, n_calls).await, "2 | 1", "{case}");
    }
    // A third record under the id makes the pair doubtful.
    let [caller, target] = twins("s1");
    let mut third = target.clone();
    third["eventID"] = json!("s1-third");
    assert_eq!(rows(&[caller, target, third], n_calls).await, "3 | 1");
    // Old records have no category.
    let mut pair = twins("s1");
    for record in &mut pair {
        record.as_object_mut().unwrap().remove("eventCategory");
    }
    assert_eq!(rows(&pair, n_calls).await, "1 | 2");
}

#[tokio::test]
async fn assumptions_name_their_parts() {
    let service = event(
        "e1",
        "AssumeRole",
        json!({"userIdentity": {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"},
            "sharedEventID": "s1",
            "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/service-role/fn",
                "roleSessionName": "fn", "durationSeconds": 3600},
            "responseElements": {"credentials": {"accessKeyId": "ASIA1"}}}),
    );
    let user = event(
        "e2",
        "AssumeRole",
        json!({"userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann",
                "accountId": OWN},
            "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/app",
                "durationSeconds": "900", "serialNumber": "arn:aws:iam::111122223333:mfa/ann"}}),
    );
    let federated = event(
        "e3",
        "AssumeRoleWithSAML",
        json!({"userIdentity": {"type": "SAMLUser", "userName": "ann", "identityProvider": "hash="},
            "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/app",
                "principalArn": "arn:aws:iam::111122223333:saml-provider/idp"},
            "responseElements": {"issuer": "https://idp.example.com", "subject": "ann",
                "audience": "https://signin.aws.amazon.com/saml"}}),
    );
    let events = [service, user, federated, twins("s9")[1].clone()];
    let got = rows(
        &events,
        "SELECT eventid, caller_kind, caller_key, target_role_name, duration_seconds, mfa, \
         external_id, identity_provider, token_subject FROM role_assumptions ORDER BY eventid",
    )
    .await;
    assert_eq!(
        got,
        "e1 | service | lambda.amazonaws.com | fn | 3600 | false | - | - | -\n\
         e2 | user | arn:aws:iam::111122223333:user/ann | app | 900 | true | - | - | -\n\
         e3 | federated | hash=:ann | app | - | false | - | \
         arn:aws:iam::111122223333:saml-provider/idp | ann\n\
         s9-target | account | 111122223333:AROAEXAMPLE | hub | - | - | tenant-7 | - | -"
    );
}

fn trust(principal: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}]})
    .to_string()
}

#[tokio::test]
async fn changes_carry_their_documents() {
    let columns = "eventname, holder_kind, role_name, role_account, role_arn, trust_verdict, \
        trust_severity, policy_tier, policy_class, ok";
    let encoded = trust("*")
        .replace('{', "%7B")
        .replace('"', "%22")
        .replace('}', "%7D");
    for (name, more, expected) in [
        (
            "CreateRole",
            json!({"requestParameters": {"roleName": "app", "assumeRolePolicyDocument": trust("*")},
                "responseElements": {"role": {"arn": "arn:aws:iam::111122223333:role/team/app"}}}),
            "CreateRole | role | app | 111122223333 | arn:aws:iam::111122223333:role/team/app | \
             public | critical | - | - | true",
        ),
        (
            "CreateRole",
            json!({"requestParameters": {"omitted": true},
                "responseElements": {"role": {"arn": "arn:aws:iam::111122223333:role/app",
                    "assumeRolePolicyDocument": encoded}}}),
            "CreateRole | role | app | 111122223333 | arn:aws:iam::111122223333:role/app | \
             public | critical | - | - | true",
        ),
        (
            "UpdateAssumeRolePolicy",
            json!({"requestParameters": {"roleName": "app", "policyDocument":
                trust("arn:aws:iam::111122223333:root")}}),
            "UpdateAssumeRolePolicy | role | app | 111122223333 | \
             arn:aws:iam::111122223333:role/app | trusted-account | info | - | - | true",
        ),
        (
            "UpdateAssumeRolePolicy",
            json!({"errorCode": "AccessDenied", "errorMessage":
                "User: x is not authorized to perform: iam:UpdateAssumeRolePolicy on resource: role app \
                 because no identity-based policy allows the iam:UpdateAssumeRolePolicy action"}),
            "UpdateAssumeRolePolicy | role | app | 111122223333 | \
             arn:aws:iam::111122223333:role/app | - | - | - | - | false",
        ),
        (
            "AttachRolePolicy",
            json!({"requestParameters": {"roleName": "app",
                "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}}),
            "AttachRolePolicy | role | app | 111122223333 | arn:aws:iam::111122223333:role/app | \
             - | - | 1 | - | true",
        ),
        (
            "PutRolePolicy",
            json!({"requestParameters": {"roleName": "app", "policyName": "p", "policyDocument":
                "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"}}),
            "PutRolePolicy | role | app | 111122223333 | arn:aws:iam::111122223333:role/app | \
             - | - | - | admin | true",
        ),
        (
            "AttachUserPolicy",
            json!({"requestParameters": {"userName": "ann",
                "policyArn": "arn:aws:iam::aws:policy/PowerUserAccess"}}),
            "AttachUserPolicy | user | - | 111122223333 | - | - | - | 2 | - | true",
        ),
    ] {
        let change = event("e1", name, more);
        let got = rows(
            std::slice::from_ref(&change),
            &format!("SELECT {columns} FROM role_changes"),
        )
        .await;
        assert_eq!(got, expected, "{change}");
    }
}

#[tokio::test]
async fn histories() {
    let at = |seconds: u32, mut event: Value| {
        event["eventTime"] = json!(format!("2025-03-01T10:00:{seconds:02}Z"));
        event
    };
    let born = |id: &str, principal: &str| {
        event(
            id,
            "CreateRole",
            json!({"requestParameters":
            {"roleName": "app", "assumeRolePolicyDocument": trust(principal)}}),
        )
    };
    let changed = |id: &str, principal: &str| {
        event(
            id,
            "UpdateAssumeRolePolicy",
            json!({"requestParameters":
            {"roleName": "app", "policyDocument": trust(principal)}}),
        )
    };
    let gone = event(
        "e3",
        "DeleteRole",
        json!({"requestParameters": {"roleName": "app"}}),
    );
    let refused = json!({"errorCode": "AccessDenied"});
    let events = [
        at(1, born("e1", "arn:aws:iam::111122223333:root")),
        at(2, changed("e2", "*")),
        at(3, gone),
        at(4, born("e4", "arn:aws:iam::111122223333:root")),
        at(5, changed("e5", "arn:aws:iam::444455556666:root")),
        at(6, event("e6", "CreateRole", refused)),
    ];
    let births = "SELECT role_name, role_account, born_eventid FROM role_births ORDER BY born_at";
    assert_eq!(
        rows(&events, births).await,
        "app | 111122223333 | e1\napp | 111122223333 | e4"
    );
    let changes = "SELECT eventid, trust_verdict, previous_eventid, previous_verdict, \
        opened_severity, opened[1]['change'], opened[2]['value'] FROM trust_changes ORDER BY eventtime";
    assert_eq!(
        rows(&events, changes).await,
        "e1 | trusted-account | - | - | - | - | -\n\
         e2 | public | e1 | trusted-account | high | verdict-rose | *\n\
         e4 | trusted-account | - | - | - | - | -\n\
         e5 | external-untrusted | e4 | trusted-account | high | verdict-rose | \
         arn:aws:iam::444455556666:root"
    );
}

#[tokio::test]
async fn documents_of_managed_policies() {
    let arn = "arn:aws:iam::111122223333:policy/p";
    let admin = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let plain = r#"{"Statement":{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}}"#;
    let events = [
        event(
            "e1",
            "CreatePolicy",
            json!({
            "requestParameters": {"policyName": "p", "policyDocument": plain},
            "responseElements": {"policy": {"arn": arn, "defaultVersionId": "v1"}}}),
        ),
        event(
            "e2",
            "CreatePolicyVersion",
            json!({
            "requestParameters": {"policyArn": arn, "policyDocument": admin, "setAsDefault": "true"},
            "responseElements": {"policyVersion": {"versionId": "v2"}}}),
        ),
        event(
            "e3",
            "CreatePolicyVersion",
            json!({
            "requestParameters": {"policyArn": arn, "policyDocument": admin},
            "responseElements": {"policyVersion": {"versionId": "v3"}}}),
        ),
    ];
    let sql = "SELECT policy_version, policy_default, policy_class FROM policy_versions \
        WHERE policy_arn = 'arn:aws:iam::111122223333:policy/p' ORDER BY 1";
    assert_eq!(
        rows(&events, sql).await,
        "v1 | true | plain\nv2 | true | admin\nv3 | false | admin"
    );
}

#[tokio::test]
async fn every_view_plans_whole_and_beside_members() {
    for view in ["activity", "role_assumptions", "role_changes"] {
        for sql in [
            format!("SELECT count(*) FROM (SELECT * FROM {view})"),
            format!("SELECT *, useridentity.arn, json_get_str(requestparameters, 'a') FROM {view}"),
            format!(
                "SELECT actor, principal_key, useridentity.type FROM {view} ORDER BY eventtime"
            ),
        ] {
            rows(&twins("s1"), &sql).await;
        }
    }
}

/// Filters on columns of `cloudtrail` reach the scan through the views, and a caller's key is made
/// from the members it needs, not from the whole struct.
#[tokio::test]
async fn filters_and_members_reach_the_scan() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let lake = spoor::lake::Lake::open_or_create(&root).await.unwrap();
    let text = serde_json::to_vec(&twins("s1")).unwrap();
    let batch = records_to_batch("case.json", &text).unwrap();
    let mut writer = lake.writer(spoor::schema::Table::Events).await.unwrap();
    writer.write(batch).await.unwrap();
    let pending = writer.finish().await.unwrap();
    lake.commit(pending).await.unwrap();
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    for view in ["activity", "role_assumptions"] {
        let sql = format!(
            "EXPLAIN SELECT eventid, actor, subject, caller_account FROM {view} WHERE ok \
             AND eventsource = 'sts.amazonaws.com' AND eventname = 'AssumeRole' \
             AND eventtime >= '2025-03-01T00:00:00Z'"
        );
        let rows = engine.query(&sql, &Params::new()).await.unwrap();
        let batches = rows.collect().await.unwrap();
        let cells = batches
            .iter()
            .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch.column(1), row)));
        let plans: Vec<_> = cells
            .map(|(column, row)| array_value_to_string(column, row).unwrap())
            .collect();
        let physical = plans.last().unwrap();
        let scan = physical
            .lines()
            .find(|line| line.contains("DataSourceExec") && line.contains("principalid"))
            .unwrap_or_else(|| panic!("{view}: no scan reads the actor\n{physical}"));
        assert!(!physical.contains("named_struct"), "{view}: {physical}");
        let (_, pruning) = scan.split_once("pruning_predicate=").unwrap();
        for column in [
            "eventsource_min",
            "eventname_min",
            "eventtime_max",
            "errorcode_null_count",
        ] {
            assert!(pruning.contains(column), "{view}: {column} in {pruning}");
        }
    }
}

#[tokio::test]
async fn times_and_versions_and_what_was_left_out() {
    check(
        "call_name",
        event("e1", "UpdateFunctionCode20150331v2", json!({})),
        "UpdateFunctionCode",
    )
    .await;
    for (identity, expected) in [
        (role_session(), "2025-03-01T09:00:00Z"),
        (
            json!({"type": "AssumedRole", "sessionContext": {"attributes":
                {"creationDate": "20250301T090000Z"}}}),
            "2025-03-01T09:00:00Z",
        ),
        (json!({"type": "IAMUser", "sessionContext": {}}), "-"),
    ] {
        let more = json!({"userIdentity": identity});
        check(
            "session_created_at",
            event("e1", "ListRoles", more),
            expected,
        )
        .await;
    }
    for (request, expected) in [
        (json!(null), "false"),
        (json!({"roleName": "app"}), "false"),
        (json!({"omitted": true, "originalSize": 120_000}), "true"),
        (json!({"omitted": "true"}), "true"),
        (
            json!({"reason": "requestParameters too large", "originalSize": "120000"}),
            "true",
        ),
    ] {
        let more = json!({"requestParameters": request});
        check(
            "parameters_omitted",
            event("e1", "PutRolePolicy", more),
            expected,
        )
        .await;
    }
    for expiration in ["Mar 1, 2025 11:00:00 AM", "Mar 1, 2025, 11:00:00\u{202f}AM"] {
        let granted = event(
            "e1",
            "AssumeRole",
            json!({"responseElements": {"credentials": {"expiration": expiration}}}),
        );
        let got = rows(&[granted], "SELECT expires_at FROM role_assumptions").await;
        assert_eq!(got, "2025-03-01T11:00:00Z");
    }
}

#[tokio::test]
async fn workloads() {
    let session = |session: &str, more: Value| {
        let mut identity = role_session();
        identity["principalId"] = format!("AROAEXAMPLE:{session}").into();
        for (name, value) in more.as_object().unwrap() {
            identity[name] = value.clone();
        }
        event("e1", "ListRoles", json!({"userIdentity": identity}))
    };
    for (record, expected) in [
        (session("ann", json!({})), "-"),
        (session("i-0123456789abcdef0", json!({})), "instance"),
        (session("i-0123456789abcdef0-x", json!({})), "-"),
        (
            session(
                "s",
                json!({"inScopeOf": {"issuerType": "AWS::Lambda::Function"}}),
            ),
            "function",
        ),
    ] {
        check("workload", record, expected).await;
    }
    // A function's record may not tell; who took the role does.
    let taken = event(
        "e1",
        "AssumeRole",
        json!({
            "userIdentity": {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"},
            "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/fn",
                "roleSessionName": "orders"},
        }),
    );
    let sql = "SELECT role_arn, session_name, workload FROM workload_sessions";
    assert_eq!(
        rows(&[taken], sql).await,
        "arn:aws:iam::111122223333:role/fn | orders | function"
    );
}

#[tokio::test]
async fn passed_roles() {
    let call = |source: &str, name: &str, request: Value| {
        let mut record = event("e1", name, json!({"requestParameters": request}));
        record["eventSource"] = source.into();
        record["userIdentity"] = role_session();
        record
    };
    let arn = "arn:aws:iam::111122223333:role/team/app";
    let profile = call(
        "iam.amazonaws.com",
        "AddRoleToInstanceProfile",
        json!({"instanceProfileName": "web", "roleName": "web-role"}),
    );
    for (records, expected) in [
        (
            vec![call(
                "lambda.amazonaws.com",
                "CreateFunction20150331",
                json!({"functionName": "f", "role": arn}),
            )],
            "lambda | arn:aws:iam::111122223333:role/team/app | -",
        ),
        (
            vec![call(
                "ecs.amazonaws.com",
                "RegisterTaskDefinition",
                json!({"taskRoleArn": arn, "executionRoleArn": arn}),
            )],
            "ecs | arn:aws:iam::111122223333:role/team/app | -",
        ),
        (
            vec![call(
                "events.amazonaws.com",
                "PutTargets",
                json!({"rule": "r", "targets": [{"id": "1", "roleArn": arn}]}),
            )],
            "events | arn:aws:iam::111122223333:role/team/app | -",
        ),
        (
            vec![
                profile.clone(),
                call(
                    "ec2.amazonaws.com",
                    "RunInstances",
                    json!({"iamInstanceProfile": {"name": "web"}}),
                ),
            ],
            "ec2 | arn:aws:iam::111122223333:role/web-role | web\n\
             iam | arn:aws:iam::111122223333:role/web-role | -",
        ),
        (
            vec![call(
                "ec2.amazonaws.com",
                "RunInstances",
                json!({"iamInstanceProfile":
                    {"arn": "arn:aws:iam::111122223333:instance-profile/x/unknown"}}),
            )],
            "ec2 | - | unknown",
        ),
    ] {
        let sql =
            "SELECT service, passed_role_arn, instance_profile FROM roles_passed ORDER BY 1, 2";
        assert_eq!(rows(&records, sql).await, expected, "{records:?}");
    }
}
