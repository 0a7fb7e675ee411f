//! How far the sessions that were asked for, and all that came of them, reached.

use serde::Deserialize;

use super::acts::{EVENTS, IS_WRITE, RESOURCE};
use super::bound::between;
use super::choose::tree;
use super::named::Named;
use crate::engine::Engine;
use crate::error::Result;
use crate::lineage::story::{Blast, Deed, Part};

/// Deeds, and accounts, roles, Regions and addresses, that are told.
const MAX_DEEDS: usize = 100;
const MAX_ITEMS: usize = 100;

/// Calls that leave a way in, or make an existing one wider.
const MADE_TO_STAY: &[&str] = &[
    "AddClientIDToOpenIDConnectProvider",
    "AddPermission",
    "AddUserToGroup",
    "AttachGroupPolicy",
    "AttachRolePolicy",
    "AttachUserPolicy",
    "AuthorizeSecurityGroupIngress",
    "CreateAccessKey",
    "CreateAccount",
    "CreateAccountAssignment",
    "CreateFunction",
    "CreateFunctionUrlConfig",
    "CreateGroup",
    "CreateInstanceProfile",
    "CreateKeyPair",
    "CreateLoginProfile",
    "CreateOpenIDConnectProvider",
    "CreatePermissionSet",
    "CreatePolicyVersion",
    "CreateProfile",
    "CreateRole",
    "CreateSAMLProvider",
    "CreateServiceSpecificCredential",
    "CreateTrustAnchor",
    "CreateUser",
    "CreateVirtualMFADevice",
    "DeactivateMFADevice",
    "EnableMFADevice",
    "GetFederationToken",
    "ImportKeyPair",
    "InviteAccountToOrganization",
    "PutBucketPolicy",
    "PutGroupPolicy",
    "PutKeyPolicy",
    "PutRolePolicy",
    "PutUserPolicy",
    "SetDefaultPolicyVersion",
    "UpdateAccessKey",
    "UpdateAssumeRolePolicy",
    "UpdateLoginProfile",
    "UpdateSAMLProvider",
    "UploadSSHPublicKey",
    "UploadSigningCertificate",
];

/// Calls that read data, and not what there is.
const DATA_READS: &[&str] = &[
    "BatchGetItem",
    "BatchGetSecretValue",
    "Decrypt",
    "ExecuteStatement",
    "GetAccountAuthorizationDetails",
    "GetConsoleOutput",
    "GetConsoleScreenshot",
    "GetFunction",
    "GetItem",
    "GetObject",
    "GetObjectTorrent",
    "GetParameter",
    "GetParameterHistory",
    "GetParameters",
    "GetParametersByPath",
    "GetPasswordData",
    "GetQueryResults",
    "GetSecretValue",
    "GetSnapshotBlock",
    "GetStatementResult",
    "GitPull",
    "Query",
    "ReceiveMessage",
    "Scan",
    "SelectObjectContent",
];

#[derive(Debug, Default, Deserialize)]
struct Sums {
    n_sessions: u64,
    n_events: Option<u64>,
    n_denied: Option<u64>,
    n_writes: Option<u64>,
    first_time: Option<String>,
    last_time: Option<String>,
    n_timeless: u64,
}

#[derive(Deserialize)]
struct Item {
    what: String,
    value: String,
    n_all: u64,
}

#[derive(Deserialize)]
struct DeedRow {
    what: String,
    eventsource: Option<String>,
    eventname: Option<String>,
    resource: Option<String>,
    n: u64,
    first_time: Option<String>,
    last_time: Option<String>,
    eventid: Option<String>,
    first_session: Option<String>,
    last_session: Option<String>,
    n_all: u64,
}

/// What all of them did, counted by the engine.
///
/// # Errors
///
/// Where the events cannot be read.
pub async fn reach(engine: &Engine, named: &Named) -> Result<Blast> {
    let sums = sums(engine, named).await?;
    let mut blast = Blast {
        n_sessions: sums.n_sessions,
        n_events: sums.n_events.unwrap_or_default(),
        n_denied: sums.n_denied.unwrap_or_default(),
        n_writes: sums.n_writes.unwrap_or_default(),
        ..Blast::default()
    };
    for item in who(engine, named).await? {
        put(&mut blast, item);
    }
    if blast.n_events > 0 {
        let is_bounded = sums.n_timeless == 0;
        let first = sums.first_time.as_deref().filter(|_| is_bounded);
        let last = sums.last_time.as_deref().filter(|_| is_bounded);
        let times = between("a.eventtime", first, last);
        for item in whence(engine, named, &times).await? {
            put(&mut blast, item);
        }
        for row in deeds(engine, named, &times).await? {
            put_deed(&mut blast, row);
        }
    }
    (blast.first_time, blast.last_time) = (sums.first_time, sums.last_time);
    Ok(blast)
}

fn put(blast: &mut Blast, item: Item) {
    let part = match item.what.as_str() {
        "account" => &mut blast.accounts,
        "role" => &mut blast.roles,
        "region" => &mut blast.regions,
        _ => &mut blast.addresses,
    };
    part.n_all = item.n_all;
    part.shown.push(item.value);
}

fn put_deed(blast: &mut Blast, row: DeedRow) {
    let part: &mut Part<Deed> = match row.what.as_str() {
        "made" => &mut blast.persistence,
        "written" => &mut blast.written,
        _ => &mut blast.read,
    };
    part.n_all = row.n_all;
    let is_one = row.first_session == row.last_session;
    part.shown.push(Deed {
        event_source: row.eventsource.unwrap_or_default(),
        event_name: row.eventname.unwrap_or_default(),
        subject: row.resource,
        count: row.n,
        first_time: row.first_time,
        last_time: row.last_time,
        event_id: row.eventid,
        session_id: row.first_session.filter(|_| is_one),
    });
}

async fn sums(engine: &Engine, named: &Named) -> Result<Sums> {
    let sql = format!(
        "{} SELECT count(*) AS n_sessions, sum(s.n_events) AS n_events, sum(s.n_denied) AS n_denied, \
         sum(s.n_writes) AS n_writes, min(s.first_time) AS first_time, max(s.last_time) AS last_time, \
         count(*) FILTER (WHERE s.n_events > 0 AND (s.first_time IS NULL OR s.last_time IS NULL)) \
           AS n_timeless \
         FROM tree JOIN sessions AS s ON s.session_id = tree.session_id",
        tree(named)
    );
    let sums: Vec<Sums> = named.bound.rows(engine, &sql).await?;
    Ok(sums.into_iter().next().unwrap_or_default())
}

/// Accounts and roles, by the number of their sessions.
async fn who(engine: &Engine, named: &Named) -> Result<Vec<Item>> {
    let sql = format!(
        "{}, counted AS (SELECT s.account AS first, s.role_arn AS second, count(*) AS n \
           FROM tree JOIN sessions AS s ON s.session_id = tree.session_id \
           GROUP BY GROUPING SETS ((s.account), (s.role_arn))) {}",
        tree(named),
        most("account", "role")
    );
    named.bound.rows(engine, &sql).await
}

/// Regions and addresses, by the number of their events.
async fn whence(engine: &Engine, named: &Named, times: &str) -> Result<Vec<Item>> {
    let sql = format!(
        "{}, counted AS (SELECT a.awsregion AS first, a.sourceipaddress AS second, count(*) AS n \
           FROM {EVENTS} JOIN tree ON tree.session_id = e.session_id WHERE {times} \
           GROUP BY GROUPING SETS ((a.awsregion), (a.sourceipaddress))) {}",
        tree(named),
        most("region", "address")
    );
    named.bound.rows(engine, &sql).await
}

/// The most frequent of two kinds of values, out of `counted`.
fn most(first: &str, second: &str) -> String {
    format!(
        "SELECT what, value, n_all FROM (\
           SELECT *, row_number() OVER (PARTITION BY what ORDER BY n DESC, value) AS place, \
             count(*) OVER (PARTITION BY what) AS n_all \
           FROM (SELECT CASE WHEN first IS NOT NULL THEN '{first}' ELSE '{second}' END AS what, \
               coalesce(first, second) AS value, n FROM counted) AS named \
           WHERE value IS NOT NULL AND value <> '') AS placed \
         WHERE place <= {MAX_ITEMS} ORDER BY what, place"
    )
}

/// What succeeded: calls that there are few of come before those that there are many of, so that a
/// thousand uploads do not hide one new user.
async fn deeds(engine: &Engine, named: &Named, times: &str) -> Result<Vec<DeedRow>> {
    let quoted = |names: &[&str]| format!("'{}'", names.join("', '"));
    let (stay, reads) = (quoted(MADE_TO_STAY), quoted(DATA_READS));
    let deed = "what, eventsource, eventname, resource";
    let sql = format!(
        "{}, calls AS (\
           SELECT e.session_id AS session_id, a.eventsource AS eventsource, a.call_name AS eventname, \
             CASE WHEN a.call_name IN ({stay}) THEN 'made' WHEN a.call_name IN ({reads}) THEN 'read' \
               ELSE 'written' END AS what, \
             {RESOURCE} AS resource, a.eventid AS eventid, a.eventtime AS eventtime \
           FROM {EVENTS} JOIN tree ON tree.session_id = e.session_id \
           WHERE {times} AND a.ok AND (a.call_name IN ({stay}) OR a.call_name IN ({reads}) \
             OR ({IS_WRITE} AND a.eventsource NOT IN ('sts.amazonaws.com', 'signin.amazonaws.com')))), \
         counted AS (\
           SELECT {deed}, count(DISTINCT eventid) AS n, min(eventtime) AS first_time, \
             max(eventtime) AS last_time, min(eventid) AS eventid, \
             min(session_id) AS first_session, max(session_id) AS last_session \
           FROM calls GROUP BY {deed}), \
         kin AS (SELECT *, count(*) OVER (PARTITION BY what, eventsource, eventname) AS n_kin FROM counted) \
         SELECT * FROM (\
           SELECT *, row_number() OVER (PARTITION BY what ORDER BY n_kin, first_time, eventsource, \
             eventname, resource) AS place, count(*) OVER (PARTITION BY what) AS n_all FROM kin) AS told \
         WHERE place <= {MAX_DEEDS} ORDER BY what, place",
        tree(named)
    );
    named.bound.rows(engine, &sql).await
}
