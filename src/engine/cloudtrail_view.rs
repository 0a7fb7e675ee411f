//! The view `cloudtrail`: the flat columns of `events` in the shape of Athena's table.
//!
//! Nested members are `named_struct` over plain columns and nothing else. The optimizer then
//! resolves `useridentity.arn` to the column `useridentity_arn`, and a filter on it prunes files,
//! row groups and pages; any other expression in between would end that.

use std::fmt::Write as _;

use crate::schema::{
    CONFLICTING, CONTENT_HASH, DATE_PARTITION, EVENT_COLUMNS, EXTRA, EventColumn, SOURCE_FILE,
    SOURCE_INDEX,
};

/// The partition columns that tables over CloudTrail buckets commonly have, as expressions over
/// stored columns. Those of time are made from the partition column alone, so they choose files.
///
/// No two are the same expression: where one has two names, DataFusion 55.2 cannot move accesses of
/// members below this view.
const ATHENA_PARTITIONS: [(&str, &str); 9] = [
    (
        "account",
        "coalesce(recipientaccountid, useridentity_accountid)",
    ),
    ("region", "awsregion"),
    ("year", "substr(date, 1, 4)"),
    ("month", "substr(date, 6, 2)"),
    ("day", "substr(date, 9, 2)"),
    ("timestamp", "replace(date, '-', '/')"),
    ("date_partition", "translate(date, '-', '/')"),
    ("region_partition", "awsregion"),
    (
        "account_partition",
        "CASE WHEN recipientaccountid IS NULL THEN useridentity_accountid ELSE recipientaccountid END",
    ),
];

/// The view's text.
pub(super) fn sql() -> String {
    let mut items: Vec<String> = Vec::new();
    let mut rest = EVENT_COLUMNS;
    while let Some(first) = rest.first() {
        let top = first.path.first().copied().unwrap_or(first.name);
        let (members, after) = split_members(rest, top, 0);
        items.push(format!(
            "{} AS \"{}\"",
            expression(members, 0),
            top.to_lowercase()
        ));
        rest = after;
    }
    for name in [
        EXTRA,
        SOURCE_FILE,
        SOURCE_INDEX,
        CONTENT_HASH,
        CONFLICTING,
        DATE_PARTITION,
    ] {
        items.push(format!("\"{name}\""));
    }
    for (name, expression) in ATHENA_PARTITIONS {
        items.push(format!("{expression} AS \"{name}\""));
    }
    format!("SELECT {} FROM events", items.join(",\n  "))
}

/// The leading columns whose path goes through `member` at `depth`, and those after them.
fn split_members<'a>(
    columns: &'a [EventColumn],
    member: &str,
    depth: usize,
) -> (&'a [EventColumn], &'a [EventColumn]) {
    let through = |column: &EventColumn| column.path.get(depth).copied() == Some(member);
    let end = columns.iter().position(|column| !through(column));
    columns.split_at(end.unwrap_or(columns.len()))
}

/// A plain column, or the struct of the columns below `depth`.
fn expression(columns: &[EventColumn], depth: usize) -> String {
    if let [column] = columns
        && column.path.len() == depth + 1
    {
        return format!("\"{}\"", column.name);
    }
    let mut text = String::from("named_struct(");
    let mut rest = columns;
    while let Some(first) = rest.first() {
        let member = first.path.get(depth + 1).copied().unwrap_or(first.name);
        let (members, after) = split_members(rest, member, depth + 1);
        let separator = if after.is_empty() { ")" } else { ", " };
        // Member names are constants of this crate: letters and digits.
        let _ = write!(
            text,
            "'{}', {}{separator}",
            member.to_lowercase(),
            expression(members, depth + 1)
        );
        rest = after;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_one_struct_stand_together() {
        // Otherwise a struct would appear twice.
        let text = sql();
        for column in EVENT_COLUMNS {
            assert_eq!(
                text.matches(&format!("\"{}\"", column.name)).count()
                    - usize::from(column.path.len() == 1),
                1,
                "{}",
                column.name
            );
        }
    }

    #[test]
    fn structs_nest_like_the_record() {
        assert!(sql().contains(
            "named_struct('tlsversion', \"tlsdetails_tlsversion\", \
             'ciphersuite', \"tlsdetails_ciphersuite\""
        ));
        assert!(sql().contains("'attributes', named_struct('creationdate', "));
    }
}
