//! The case's lists as tables, so that rules join them in SQL.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::Result;
use datafusion::datasource::MemTable;

use super::catalog::{Catalog, Entry};
use crate::config::{DEFAULT_SENSITIVE_ROLES, Lists};

/// A column of a list table.
enum Column<'a> {
    Text(&'static str, Vec<&'a str>),
    Bool(&'static str, Vec<bool>),
    Integer(&'static str, Vec<i64>),
    Time(&'static str, Vec<Option<i64>>),
}

/// Registers every list. Where none names our accounts, they are those the evidence was recorded in.
pub(super) fn register(
    catalog: &Catalog,
    lists: &Lists,
    recording_accounts: &[String],
) -> Result<()> {
    let own_accounts = OwnAccounts {
        inferred: lists.own_accounts.is_empty(),
        ids: match lists.own_accounts.as_slice() {
            [] => recording_accounts,
            named => named,
        },
    };
    for (name, what, columns) in tables(lists, own_accounts) {
        catalog.replace(name, Entry::table(what, Arc::new(mem_table(columns)?)));
    }
    Ok(())
}

/// The names of the tables that hold the case's lists.
pub fn list_tables() -> Vec<&'static str> {
    let own = OwnAccounts {
        ids: &[],
        inferred: true,
    };
    let lists = Lists::default();
    tables(&lists, own)
        .iter()
        .map(|(name, _, _)| *name)
        .collect()
}

/// The accounts that belong to us, and whether no list says so.
#[derive(Clone, Copy)]
struct OwnAccounts<'a> {
    ids: &'a [String],
    inferred: bool,
}

#[rustfmt::skip]
fn tables<'a>(lists: &'a Lists, own: OwnAccounts<'a>) -> Vec<(&'static str, &'static str, Vec<Column<'a>>)> {
    let vendors = || lists.vendor_accounts.iter();
    let password = &lists.password_baseline;
    let vendor_roles: Vec<(&str, &str)> = vendors()
        .flat_map(|vendor| vendor.allowed_roles.iter().map(|role| (vendor.account.as_str(), role.as_str())))
        .collect();
    let sensitive_roles = if lists.sensitive_roles.is_empty() {
        DEFAULT_SENSITIVE_ROLES.to_vec()
    } else {
        texts(&lists.sensitive_roles)
    };
    vec![
        ("own_accounts", "the accounts that belong to us", vec![
            Column::Text("account", texts(own.ids)),
            Column::Bool("inferred", vec![own.inferred; own.ids.len()]),
        ]),
        ("own_org_ids", "our organizations", vec![Column::Text("org_id", texts(&lists.own_org_ids))]),
        ("vendor_accounts", "accounts of others that may take roles of ours", vec![
            Column::Text("account", vendors().map(|vendor| vendor.account.as_str()).collect()),
            Column::Text("name", vendors().map(|vendor| vendor.name.as_str()).collect()),
            Column::Bool("external_id_required", vendors().map(|vendor| vendor.external_id_required).collect()),
        ]),
        ("vendor_roles", "the roles a vendor may take, where it may not take any", vec![
            Column::Text("account", vendor_roles.iter().map(|(account, _)| *account).collect()),
            Column::Text("role_pattern", vendor_roles.iter().map(|(_, role)| *role).collect()),
        ]),
        ("sensitive_roles", "names of strong roles", vec![Column::Text("pattern", sensitive_roles)]),
        ("break_glass_roles", "names of emergency roles", vec![Column::Text("pattern", texts(&lists.break_glass_roles))]),
        ("ci_principals", "principal keys of pipelines and scanners", vec![Column::Text("pattern", texts(&lists.ci_principals))]),
        ("iac_principals", "principal keys that create infrastructure as code", vec![Column::Text("pattern", texts(&lists.iac_principals))]),
        ("known_networks", "networks that people and workloads are expected from", vec![Column::Text("cidr", texts(&lists.known_networks))]),
        ("oidc_subjects", "expected federated tokens, issuer and subject", vec![Column::Text("pattern", texts(&lists.oidc_subjects))]),
        ("saml_issuers", "expected SAML issuers", vec![Column::Text("issuer", texts(&lists.saml_issuers))]),
        ("expected_regions", "regions in use", vec![Column::Text("region", texts(&lists.expected_regions))]),
        ("chain_allow", "role to role steps that are normal", vec![
            Column::Text("from_role", lists.chain_allow.iter().map(|step| step.from.as_str()).collect()),
            Column::Text("to_role", lists.chain_allow.iter().map(|step| step.to.as_str()).collect()),
        ]),
        ("settings", "the case's numbers, in one row", vec![
            Column::Integer("baseline_days", vec![i64::from(lists.baseline_days)]),
            Column::Time("baseline_until", vec![lists.baseline_until.map(|until| until.0)]),
        ]),
        ("password_baseline", "what a password policy must ask for, in one row", vec![
            Column::Integer("minimum_length", vec![i64::from(password.minimum_length)]),
            Column::Integer("reuse_prevention", vec![i64::from(password.reuse_prevention)]),
            Column::Bool("require_uppercase", vec![password.require_uppercase]),
            Column::Bool("require_lowercase", vec![password.require_lowercase]),
            Column::Bool("require_numbers", vec![password.require_numbers]),
            Column::Bool("require_symbols", vec![password.require_symbols]),
        ]),
    ]
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

fn mem_table(columns: Vec<Column<'_>>) -> Result<MemTable> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
        .into_iter()
        .map(|column| {
            let (name, array): (_, ArrayRef) = match column {
                Column::Text(name, values) => {
                    (name, Arc::new(StringViewArray::from_iter_values(values)))
                }
                Column::Bool(name, values) => (name, Arc::new(BooleanArray::from(values))),
                Column::Integer(name, values) => (name, Arc::new(Int64Array::from(values))),
                Column::Time(name, values) => {
                    let times = TimestampMicrosecondArray::from(values).with_timezone("UTC");
                    (name, Arc::new(times))
                }
            };
            (Field::new(name, array.data_type().clone(), true), array)
        })
        .unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    MemTable::try_new(schema, vec![vec![batch]])
}
