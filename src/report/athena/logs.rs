//! The table over a trail's own files, as Athena reads them.

use std::io::{self, Write};

use super::{Member, hive_columns, members, quoted};
use crate::schema::{Kind, RESOURCE_FIELDS};

/// How the partitions are found without listing the bucket.
const PROJECTION: [(&str, &str); 10] = [
    ("projection.enabled", "true"),
    ("projection.account.type", "enum"),
    ("projection.account.values", "111122223333,444455556666"),
    ("projection.region.type", "enum"),
    ("projection.region.values", "us-east-1,eu-west-1"),
    ("projection.timestamp.type", "date"),
    ("projection.timestamp.format", "yyyy/MM/dd"),
    ("projection.timestamp.range", "2020/01/01,NOW"),
    ("projection.timestamp.interval", "1"),
    ("projection.timestamp.interval.unit", "DAYS"),
];

pub(super) fn write(location: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut properties: Vec<String> = Vec::new();
    for (name, value) in PROJECTION {
        properties.push(format!("  {} = {}", quoted(name), quoted(value)));
    }
    let template = format!("{location}/${{account}}/CloudTrail/${{region}}/${{timestamp}}");
    properties.push(format!(
        "  'storage.location.template' = {}",
        quoted(&template)
    ));
    writeln!(
        out,
        "\n-- 4. A table over the logs as CloudTrail delivers them. Name your accounts and regions below; in the\n\
         -- bucket of an organization's trail the accounts lie one folder deeper (AWSLogs/o-…/).\n\
         CREATE EXTERNAL TABLE cloudtrail_logs (\n{}\n)\n\
         PARTITIONED BY (`account` string, `region` string, `timestamp` string)\n\
         ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\n\
         STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'\n\
         OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\n\
         LOCATION {}\n\
         TBLPROPERTIES (\n{}\n);",
        nested_columns(),
        quoted(&format!("{location}/")),
        properties.join(",\n")
    )
}

/// Every member of a record, nested; whatever is no object is text.
pub(super) fn nested_columns() -> String {
    let tree = members::tree();
    hive_columns(
        tree.iter()
            .map(|(name, member)| (name.as_str(), hive_type(member))),
    )
}

fn hive_type(member: &Member) -> String {
    match member {
        Member::Column(column) => match column.kind {
            Kind::Text | Kind::Bool | Kind::Time | Kind::Json => "string".to_owned(),
            Kind::Resources => {
                let fields = RESOURCE_FIELDS.map(|(name, _)| format!("{name}:string"));
                format!("array<struct<{}>>", fields.join(","))
            }
            Kind::TextMap => "map<string,string>".to_owned(),
        },
        Member::Object(inner) => {
            let members = inner.iter();
            let members = members.map(|(name, member)| format!("{name}:{}", hive_type(member)));
            format!("struct<{}>", members.collect::<Vec<_>>().join(","))
        }
    }
}
