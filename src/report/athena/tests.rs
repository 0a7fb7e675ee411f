use super::*;
use crate::schema::{EVENT_COLUMNS, Kind, Table};

fn ddl(locations: &Locations) -> String {
    let mut out = Vec::new();
    write_ddl(locations, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn files_have_every_column_but_the_partition() {
    let text = lake::flat_columns();
    let names: Vec<&str> = text
        .lines()
        .map(|line| line.split('`').nth(1).unwrap())
        .collect();
    let schema = Table::Events.arrow_schema();
    let (partition, stored) = schema.fields().split_last().unwrap();
    let stored: Vec<&str> = stored.iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, stored);
    assert_eq!(partition.name(), "date");
    for (column, expected) in [
        ("eventtime", "timestamp"),
        ("readonly", "boolean"),
        ("source_index", "bigint"),
        (
            "resources",
            "array<struct<arn:string,accountid:string,type:string,arnprefix:string>>",
        ),
        (
            "useridentity_sessioncontext_webidfederationdata_attributes",
            "map<string,string>",
        ),
    ] {
        assert!(
            text.contains(&format!("  `{column}` {expected}")),
            "{column}: {text}"
        );
    }
}

#[test]
fn the_view_uses_every_member_once() {
    let text = lake::view();
    let body = text.split_once("SELECT\n").unwrap().1;
    let words: Vec<&str> = body
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .collect();
    for column in EVENT_COLUMNS.iter().filter(|column| column.path.len() > 1) {
        // The account stands in the partition column too.
        let expected = 1 + usize::from(column.name == "useridentity_accountid");
        let n = words.iter().filter(|word| **word == column.name).count();
        assert_eq!(n, expected, "{}", column.name);
    }
    assert!(text.contains("\"sessionissuer\" ROW(\"type\" varchar, \"principalid\" varchar"));
    assert!(text.contains("date_format(eventtime, '%Y-%m-%dT%H:%i:%sZ') AS eventtime"));
}

#[test]
fn logs_nest_like_records() {
    let text = logs::nested_columns();
    for column in EVENT_COLUMNS {
        let last = column.path.last().unwrap().to_lowercase();
        let inner = match column.kind {
            Kind::TextMap => "map<string,string>",
            Kind::Resources => "array<struct<arn:string",
            _ => "string",
        };
        let written = if column.path.len() == 1 {
            format!("`{last}` {inner}")
        } else {
            format!("{last}:{inner}")
        };
        assert!(text.contains(&written), "{}", column.name);
    }
    assert!(text.contains("`tlsdetails` struct<tlsversion:string,ciphersuite:string,"));
}

#[test]
fn locations_are_texts() {
    let text = ddl(&Locations {
        lake: "s3://it's/lake".to_owned(),
        logs: "s3://logs/AWSLogs".to_owned(),
    });
    assert!(text.contains("LOCATION 's3://it''s/lake/events/' TBLPROPERTIES"));
    assert!(text.contains("table_location => 's3://it''s/lake/sources'"));
    assert!(text.contains("'s3://logs/AWSLogs/${account}/CloudTrail/${region}/${timestamp}'"));
}
