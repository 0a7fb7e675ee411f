//! The view `role_state`: what is known of a role at a time, over made-up changes.

use serde_json::{Value, json};

use crate::vocabulary::{OWN, event, rows};

const TRUST: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#;
const PUBLIC: &str =
    r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;
const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const SSM: &str = "arn:aws:iam::aws:policy/AmazonSSMFullAccess";

/// A change to the role `app`, at that second after ten o'clock.
fn change(second: u32, id: &str, name: &str, more: Value) -> Value {
    let mut parameters = json!({"roleName": "app"});
    for (member, value) in more.as_object().unwrap() {
        parameters[member] = value.clone();
    }
    let time = format!("2025-03-01T10:00:{second:02}Z");
    let identity = json!({"type": "IAMUser", "accountId": OWN,
        "arn": format!("arn:aws:iam::{OWN}:user/u{id}"), "userName": format!("u{id}")});
    event(
        id,
        name,
        json!({"eventTime": time, "requestParameters": parameters, "userIdentity": identity}),
    )
}

fn born(second: u32, id: &str) -> Value {
    change(
        second,
        id,
        "CreateRole",
        json!({"assumeRolePolicyDocument": TRUST}),
    )
}

fn attached(second: u32, id: &str, arn: &str) -> Value {
    change(second, id, "AttachRolePolicy", json!({"policyArn": arn}))
}

/// Rows in the order of time, and the same whatever order the records come in.
async fn check(columns: &str, events: &[Value], expected: &str) {
    let sql = format!("SELECT {columns} FROM role_state ORDER BY valid_from, valid_to NULLS LAST");
    let mut backwards = events.to_vec();
    backwards.reverse();
    for records in [events, &backwards] {
        assert_eq!(rows(records, &sql).await, expected, "{columns}");
    }
}

#[tokio::test]
async fn policies_come_and_go() {
    let events = [
        born(1, "e1"),
        attached(2, "e2", SSM),
        attached(3, "e3", ADMIN),
        change(
            4,
            "e4",
            "PutRolePolicy",
            json!({"policyName": "b", "policyDocument": "{}"}),
        ),
        change(
            5,
            "e5",
            "PutRolePolicy",
            json!({"policyName": "a", "policyDocument": "{}"}),
        ),
        change(6, "e6", "DetachRolePolicy", json!({"policyArn": ADMIN})),
        change(7, "e7", "DeleteRolePolicy", json!({"policyName": "b"})),
        // Attached twice is attached once.
        attached(8, "e8", SSM),
    ];
    check(
        "eventid, policies, inline_policies, policy_tier, CAST(to_unixtime(valid_to) - to_unixtime(valid_from) AS BIGINT)",
        &events,
        &format!(
            "e1 | - | - | - | 1\n\
             e2 | [{SSM}] | - | 2 | 1\n\
             e3 | [{ADMIN}, {SSM}] | - | 1 | 1\n\
             e4 | [{ADMIN}, {SSM}] | [b] | 1 | 1\n\
             e5 | [{ADMIN}, {SSM}] | [a, b] | 1 | 1\n\
             e6 | [{SSM}] | [a, b] | 2 | 1\n\
             e7 | [{SSM}] | [a] | 2 | 1\n\
             e8 | [{SSM}] | [a] | 2 | -"
        ),
    )
    .await;
}

#[tokio::test]
async fn a_deleted_role_starts_afresh() {
    let limited = json!({"assumeRolePolicyDocument": TRUST, "permissionsBoundary": ADMIN});
    let events = [
        born(1, "e1"),
        attached(2, "e2", ADMIN),
        change(
            3,
            "e3",
            "UpdateAssumeRolePolicy",
            json!({"policyDocument": PUBLIC}),
        ),
        change(5, "e4", "DeleteRole", json!({})),
        change(7, "e5", "CreateRole", limited),
        attached(8, "e6", SSM),
    ];
    check(
        "eventid, split_part(created_by, '/', 2), CAST(to_unixtime(valid_from) - to_unixtime(born_at) AS BIGINT), \
         trust_verdict, policies, boundary_arn",
        &events,
        &format!(
            "e1 | ue1 | 0 | trusted-account | - | -\n\
             e2 | ue1 | 1 | trusted-account | [{ADMIN}] | -\n\
             e3 | ue1 | 2 | public | [{ADMIN}] | -\n\
             e5 | ue5 | 0 | trusted-account | - | {ADMIN}\n\
             e6 | ue5 | 1 | trusted-account | [{SSM}] | {ADMIN}"
        ),
    )
    .await;
    let at = "SELECT extract(second FROM t.at), eventid \
        FROM (VALUES (TIMESTAMP '2025-03-01 10:00:00'), (TIMESTAMP '2025-03-01 10:00:02'), \
            (TIMESTAMP '2025-03-01 10:00:04'), (TIMESTAMP '2025-03-01 10:00:05'), \
            (TIMESTAMP '2025-03-01 10:00:07'), (TIMESTAMP '2025-03-01 10:00:09')) AS t(at) \
        LEFT JOIN role_state ON t.at >= valid_from AND (t.at < valid_to OR valid_to IS NULL) \
        ORDER BY t.at";
    assert_eq!(
        rows(&events, at).await,
        "0 | -\n2 | e2\n4 | e3\n5 | -\n7 | e5\n9 | e6"
    );
}

#[tokio::test]
async fn boundaries() {
    let events = [
        change(
            1,
            "e1",
            "PutRolePermissionsBoundary",
            json!({"permissionsBoundary": ADMIN}),
        ),
        change(
            2,
            "e2",
            "PutRolePermissionsBoundary",
            json!({"permissionsBoundary": SSM}),
        ),
        change(3, "e3", "DeleteRolePermissionsBoundary", json!({})),
    ];
    // What was before the evidence is not known.
    check(
        "eventid, boundary_arn, born_at, created_by, trust_document, trust_verdict",
        &events,
        &format!(
            "e1 | {ADMIN} | - | - | - | -\ne2 | {SSM} | - | - | - | -\ne3 | - | - | - | - | -"
        ),
    )
    .await;
}

#[tokio::test]
async fn changes_within_one_second() {
    // Made and given rights in one second, whatever the ids say.
    let made = [
        born(1, "e9"),
        attached(1, "e1", ADMIN),
        attached(2, "e2", SSM),
    ];
    check(
        "eventid, policies, trust_verdict",
        &made,
        &format!(
            "e9 | - | trusted-account\n\
             e1 | [{ADMIN}] | trusted-account\n\
             e2 | [{ADMIN}, {SSM}] | trusted-account"
        ),
    )
    .await;
    // Replaced within one second.
    let replaced = [
        born(1, "e1"),
        attached(2, "e2", ADMIN),
        change(3, "e9", "DeleteRole", json!({})),
        born(3, "e3"),
        attached(3, "e0", SSM),
    ];
    check(
        "eventid, policies, created_by IS NOT NULL",
        &replaced,
        &format!("e1 | - | true\ne2 | [{ADMIN}] | true\ne3 | - | true\ne0 | [{SSM}] | true"),
    )
    .await;
    // Gone before, so within the second the birth came first.
    let short_lived = [
        born(1, "e1"),
        change(2, "e2", "DeleteRole", json!({})),
        change(4, "e3", "DeleteRole", json!({})),
        born(4, "e4"),
    ];
    check(
        "eventid, CAST(to_unixtime(valid_to) - to_unixtime(valid_from) AS BIGINT)",
        &short_lived,
        "e1 | 1\ne4 | 0",
    )
    .await;
}

#[tokio::test]
async fn refused_calls_change_nothing() {
    let mut refused = attached(2, "e2", ADMIN);
    refused["errorCode"] = json!("NoSuchEntityException");
    let mut denied = change(3, "e3", "DeleteRole", json!({}));
    denied["errorCode"] = json!("AccessDenied");
    denied["requestParameters"] = Value::Null;
    let mut elsewhere = attached(4, "e4", ADMIN);
    elsewhere["recipientAccountId"] = json!("444455556666");
    check(
        "role_account, eventid, policies, valid_to",
        &[born(1, "e1"), refused, denied, elsewhere],
        &format!("111122223333 | e1 | - | -\n444455556666 | e4 | [{ADMIN}] | -"),
    )
    .await;
}
