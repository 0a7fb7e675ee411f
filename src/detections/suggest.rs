//! Entries that the evidence proposes for the case's lists.
//!
//! Each list has a query in `sql/suggest/`, whose rows are an entry and why. What tells our own from
//! others' or makes rules see more is put in force; what makes rules quieter is written as a comment,
//! for a person to check first, since an intruder who was there for long looks like a habit.
//!
//! The text that comes out is a whole file of lists, with what was in force before: [`Lists::parse`]
//! reads it, and reads it also where every comment of an entry is undone. Names come from logs: they
//! are written as TOML strings that cannot end early, break a line or turn text around.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::row::{Row, rows, text};
use crate::config::{DEFAULT_SENSITIVE_ROLES, Lists, Vendor, is_account_id};
use crate::engine::{Engine, Params};
use crate::error::{Result, RuleError};
use crate::report::safe;

/// Entries of one list that are proposed; the rest is counted.
const MAX_ENTRIES: usize = 200;

/// Roles that a vendor's entry names; one that takes more may take any.
const MAX_VENDOR_ROLES: usize = 20;

/// A list of texts: its name in the file, what it is for, and its query.
struct TextList {
    name: &'static str,
    what: &'static str,
    sql: &'static str,
    of: fn(&Lists) -> &[String],
}

macro_rules! text_list {
    ($name:ident, $what:literal) => {
        TextList {
            name: stringify!($name),
            what: $what,
            sql: include_str!(concat!("../../sql/suggest/", stringify!($name), ".sql")),
            of: |lists| &lists.$name,
        }
    };
}

/// The lists of texts, in the order of the file.
#[rustfmt::skip]
const TEXT_LISTS: [TextList; 10] = [
    text_list!(own_accounts, "Accounts that belong to us."),
    text_list!(own_org_ids, "Our organizations."),
    text_list!(sensitive_roles, "Names of strong roles. The built-in names count only where this list is empty."),
    text_list!(break_glass_roles, "Names of emergency roles."),
    text_list!(ci_principals, "Pipelines and scanners: patterns of principal keys."),
    text_list!(iac_principals, "Principals that create infrastructure as code: patterns of principal keys."),
    text_list!(known_networks, "Networks that people and workloads are expected from."),
    text_list!(oidc_subjects, "Federated tokens that are expected: patterns of issuer and subject."),
    text_list!(saml_issuers, "SAML issuers that are expected."),
    text_list!(expected_regions, "Regions in use."),
];

const VENDORS: &str = include_str!("../../sql/suggest/vendor_accounts.sql");
const STEPS: &str = include_str!("../../sql/suggest/chain_allow.sql");

/// A file of lists made of those in force and of what the evidence proposes.
///
/// # Errors
///
/// Where the evidence cannot be read.
pub async fn suggest(engine: &Engine, lists: &Lists) -> Result<String> {
    let evidence = engine.evidence().await?;
    let time = |time: Option<String>| time.unwrap_or_else(|| "no time".to_owned());
    let mut file = format!(
        "# Proposed from {} events, {} to {}.\n\
         # Entries behind a # make rules quieter: check each, then take its # away.\n",
        evidence.n_events,
        time(evidence.first_time),
        time(evidence.last_time)
    );
    for list in &TEXT_LISTS {
        let found = ask(engine, list.name, list.sql).await?;
        write_texts(&mut file, list, lists, &found);
    }
    let _ = write!(
        file,
        "\n# Days of history that rules about first times need.\nbaseline_days = {}\n",
        lists.baseline_days
    );
    if let Some(until) = lists.baseline_until {
        let _ = writeln!(file, "baseline_until = {}", string(&String::from(until)));
    }
    write_vendors(
        &mut file,
        lists,
        &ask(engine, "vendor_accounts", VENDORS).await?,
    );
    write_steps(&mut file, lists, &ask(engine, "chain_allow", STEPS).await?);
    file.push_str(&rest(lists)?);
    Ok(file)
}

async fn ask(engine: &Engine, list: &str, sql: &str) -> Result<Vec<Row>> {
    let batches = engine.query(sql, &Params::new()).await?.collect().await?;
    let mut found = Vec::new();
    for batch in &batches {
        found.extend(rows(list, batch)?);
    }
    found.retain(|row| text(row, "entry").is_some());
    Ok(found)
}

fn write_texts(file: &mut String, list: &TextList, lists: &Lists, found: &[Row]) {
    let listed = (list.of)(lists);
    let mut entries: Vec<(&str, String, bool)> = listed
        .iter()
        .map(|entry| (entry.as_str(), "listed already".to_owned(), true))
        .collect();
    let proposed = found.iter().filter_map(|row| {
        let entry = text(row, "entry")?;
        let fits = list.name != "own_accounts" || is_account_id(entry);
        let is_new = !listed.iter().any(|old| old == entry);
        let in_force = row.get("in_force") == Some(&Value::Bool(true));
        (fits && is_new).then(|| (entry, reason(row), in_force))
    });
    let proposed: Vec<_> = proposed.collect();
    if list.name == "sensitive_roles" && listed.is_empty() && !proposed.is_empty() {
        // A list that is not empty takes the place of the built-in names, so these come along.
        let built_in = DEFAULT_SENSITIVE_ROLES.iter();
        entries.extend(built_in.map(|name| (*name, "built in".to_owned(), true)));
    }
    let n_more = proposed.len().saturating_sub(MAX_ENTRIES);
    entries.extend(proposed.into_iter().take(MAX_ENTRIES));
    let _ = write!(file, "\n# {}\n{} = [", list.what, list.name);
    for (entry, reason, in_force) in &entries {
        let mark = if *in_force { "" } else { "# " };
        let _ = write!(file, "\n  {mark}{}, # {}", string(entry), comment(reason));
    }
    if n_more > 0 {
        let _ = write!(file, "\n  # and {n_more} more");
    }
    file.push_str(if entries.is_empty() { "]\n" } else { "\n]\n" });
}

fn write_vendors(file: &mut String, lists: &Lists, found: &[Row]) {
    file.push_str("\n# Accounts of others that may take roles of ours.\n");
    for vendor in &lists.vendor_accounts {
        write_vendor(file, "", "listed already", vendor);
    }
    for row in found.iter().take(MAX_ENTRIES) {
        let account = text(row, "entry").unwrap_or_default();
        let listed = lists
            .vendor_accounts
            .iter()
            .any(|vendor| vendor.account == account);
        if listed || !is_account_id(account) {
            continue;
        }
        let roles = row.get("roles").and_then(Value::as_array);
        let mut roles: Vec<String> = roles
            .into_iter()
            .flatten()
            .filter_map(|role| role.as_str().map(str::to_owned))
            .collect();
        if roles.len() > MAX_VENDOR_ROLES {
            roles.clear();
        }
        let vendor = Vendor {
            account: account.to_owned(),
            name: String::new(),
            external_id_required: true,
            allowed_roles: roles,
        };
        write_vendor(file, "# ", &reason(row), &vendor);
    }
}

fn write_vendor(file: &mut String, mark: &str, reason: &str, vendor: &Vendor) {
    let _ = write!(
        file,
        "{mark}[[vendor_accounts]] # {}\n{mark}account = {}\n{mark}name = {}\n\
         {mark}external_id_required = {}\n{mark}allowed_roles = [",
        comment(reason),
        string(&vendor.account),
        string(&vendor.name),
        vendor.external_id_required
    );
    for role in &vendor.allowed_roles {
        let _ = write!(file, "\n{mark}  {},", string(role));
    }
    let end = if vendor.allowed_roles.is_empty() {
        "]\n"
    } else {
        "\n"
    };
    file.push_str(end);
    if end == "\n" {
        let _ = writeln!(file, "{mark}]");
    }
}

fn write_steps(file: &mut String, lists: &Lists, found: &[Row]) {
    file.push_str("\n# Steps from role to role that are normal.\n");
    let mut write = |mark: &str, from: &str, to: &str, reason: &str| {
        let _ = writeln!(
            file,
            "{mark}[[chain_allow]] # {}\n{mark}from = {}\n{mark}to = {}",
            comment(reason),
            string(from),
            string(to)
        );
    };
    let mut listed = BTreeSet::new();
    for step in &lists.chain_allow {
        write("", &step.from, &step.to, "listed already");
        listed.insert((step.from.as_str(), step.to.as_str()));
    }
    for row in found.iter().take(MAX_ENTRIES) {
        if let (Some(from), Some(to)) = (text(row, "entry"), text(row, "to_role"))
            && !listed.contains(&(from, to))
        {
            write("# ", from, to, &reason(row));
        }
    }
}

/// What the lists have beside lists: written as it is.
fn rest(lists: &Lists) -> Result<String> {
    let default = Lists::default();
    let mut rest = String::new();
    let mut add = |name: &str, value: toml::Value| -> Result<()> {
        let table: toml::Table = [(name.to_owned(), value)].into_iter().collect();
        let written = toml::to_string(&table).map_err(|error| unwritten(Box::new(error)))?;
        rest.push('\n');
        rest.push_str(&written);
        Ok(())
    };
    let value = |value: Result<toml::Value, toml::ser::Error>| {
        value.map_err(|error| crate::Error::from(unwritten(Box::new(error))))
    };
    if lists.password_baseline != default.password_baseline {
        add(
            "password_baseline",
            value(toml::Value::try_from(&lists.password_baseline))?,
        )?;
    }
    if !lists.allow.is_empty() {
        add("allow", value(toml::Value::try_from(&lists.allow))?)?;
    }
    if !lists.rules.is_empty() {
        add("rules", value(toml::Value::try_from(&lists.rules))?)?;
    }
    Ok(rest)
}

fn unwritten(source: crate::error::Cause) -> RuleError {
    RuleError {
        rule: "the lists".to_owned(),
        message: "cannot be written as TOML".to_owned(),
        source: Some(source),
    }
}

fn reason(row: &Row) -> String {
    text(row, "reason").unwrap_or_default().to_owned()
}

/// Text for the end of a line behind `#`.
fn comment(text: &str) -> String {
    safe::line(text).into_owned()
}

/// A TOML string: letters, digits and plain signs stand for themselves, everything else is escaped.
fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
