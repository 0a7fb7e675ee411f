//! A lake's tables for Athena, Trino and Spark, and the view that nests `events` again.

use std::io::{self, Write};

use arrow::datatypes::DataType;

use super::{Member, hive_columns, members, quoted};
use crate::schema::{DATE_PARTITION, Kind, Table};

/// Tables of other catalogs that do not know whose they are.
const PREFIX: &str = "spoor_";

/// The partition columns that tables over CloudTrail buckets have, from the flat columns.
const PARTITIONS: [(&str, &str); 3] = [
    (
        "account",
        "coalesce(recipientaccountid, useridentity_accountid)",
    ),
    ("region", "awsregion"),
    ("timestamp", "replace(\"date\", '-', '/')"),
];

pub(super) fn write(location: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "-- 1. The lake's tables are Delta Lake: a reader of that format sees what the last commit shows.\n\n\
         -- Athena takes columns and partitions from the table itself. It reads s3:// only."
    )?;
    for table in Table::ALL {
        writeln!(
            out,
            "CREATE EXTERNAL TABLE {PREFIX}{} LOCATION {} TBLPROPERTIES ('table_type' = 'DELTA');",
            table.name(),
            quoted(&format!("{location}/{}/", table.name()))
        )?;
    }
    writeln!(
        out,
        "\n-- Trino, with a catalog `delta` in which delta.register-table-procedure.enabled is set:"
    )?;
    for table in Table::ALL {
        writeln!(
            out,
            "-- CALL delta.system.register_table(schema_name => 'default', table_name => '{PREFIX}{}', \
             table_location => {});",
            table.name(),
            quoted(&folder(location, table))
        )?;
    }
    writeln!(out, "\n-- Spark, with the package of Delta Lake:")?;
    for table in Table::ALL {
        writeln!(
            out,
            "-- CREATE TABLE {PREFIX}{} USING DELTA LOCATION {};",
            table.name(),
            quoted(&folder(location, table))
        )?;
    }
    write_files(location, out)?;
    writeln!(out, "\n{};", view())
}

fn folder(location: &str, table: Table) -> String {
    format!("{location}/{}", table.name())
}

/// `events` as a folder of Parquet files.
fn write_files(location: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n-- 2. The same Parquet files for engines that do not read Delta Lake. They see every file in the\n\
         -- folder, also those that no commit shows: what `spoor lake compact` replaced counts twice until\n\
         -- `spoor lake vacuum` removes it, and what a killed run left counts too. Prefer the tables above.\n\
         CREATE EXTERNAL TABLE {PREFIX}events_files (\n{}\n)\n\
         PARTITIONED BY (`{DATE_PARTITION}` string)\n\
         STORED AS PARQUET\n\
         LOCATION {};\n\
         MSCK REPAIR TABLE {PREFIX}events_files;",
        flat_columns(),
        quoted(&format!("{location}/{}/", Table::Events.name()))
    )
}

/// The columns that stand in the files.
pub(super) fn flat_columns() -> String {
    let schema = Table::Events.arrow_schema();
    let fields = schema.fields().iter();
    let stored = fields.filter(|field| field.name() != DATE_PARTITION);
    hive_columns(stored.map(|field| (field.name().as_str(), hive_type(field.data_type()))))
}

/// A type of the lake in Hive's words.
fn hive_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::List(item) => format!("array<{}>", hive_type(item.data_type())),
        DataType::Struct(fields) => {
            let fields = fields.iter();
            let fields =
                fields.map(|field| format!("{}:{}", field.name(), hive_type(field.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(sides) => {
                let sides = sides.iter().map(|side| hive_type(side.data_type()));
                format!("map<{}>", sides.collect::<Vec<_>>().join(","))
            }
            other => hive_type(other),
        },
        _ => "string".to_owned(),
    }
}

/// The view `cloudtrail` in the SQL of Athena and Trino.
pub(super) fn view() -> String {
    let mut items: Vec<String> = Vec::new();
    for (name, member) in members::tree() {
        items.push(match &member {
            Member::Column(column) => match column.kind {
                Kind::Time => format!("date_format({0}, '%Y-%m-%dT%H:%i:%sZ') AS {0}", column.name),
                Kind::Bool => format!("CAST({0} AS varchar) AS {0}", column.name),
                Kind::Text | Kind::Json | Kind::Resources | Kind::TextMap => {
                    format!("\"{name}\"")
                }
            },
            Member::Object(_) => {
                let (row, row_type) = row(&member);
                format!("CAST({row} AS {row_type}) AS \"{name}\"")
            }
        });
    }
    items.push(format!("\"{DATE_PARTITION}\""));
    items.extend(PARTITIONS.map(|(name, expression)| format!("{expression} AS \"{name}\"")));
    format!(
        "-- 3. Athena's table over the lake: nested again, times and booleans as text, so that published\n\
         -- queries run on it. Filter on \"{DATE_PARTITION}\" or \"timestamp\" to choose files. Where a record\n\
         -- has no such object, its members are null, and the object itself is not. A fraction of a second in\n\
         -- eventtime is cut.\n\
         CREATE OR REPLACE VIEW cloudtrail AS\nSELECT\n  {}\nFROM {PREFIX}{}",
        items.join(",\n  "),
        Table::Events.name()
    )
}

/// A member as a constructor and its type.
fn row(member: &Member) -> (String, String) {
    match member {
        Member::Column(column) => {
            let data_type = match column.kind {
                Kind::Text | Kind::Json => "varchar",
                Kind::Bool => "boolean",
                Kind::Time => "timestamp(3) with time zone",
                Kind::Resources => {
                    "array(row(arn varchar, accountid varchar, \"type\" varchar, arnprefix varchar))"
                }
                Kind::TextMap => "map(varchar, varchar)",
            };
            (column.name.to_owned(), data_type.to_owned())
        }
        Member::Object(inner) => {
            let (mut values, mut types) = (Vec::new(), Vec::new());
            for (name, member) in inner {
                let (value, data_type) = row(member);
                values.push(value);
                types.push(format!("\"{name}\" {data_type}"));
            }
            (
                format!("ROW({})", values.join(", ")),
                format!("ROW({})", types.join(", ")),
            )
        }
    }
}
