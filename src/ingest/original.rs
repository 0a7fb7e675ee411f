//! From a row back to the record it was read from: the proof that normalizing loses nothing.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use serde_json::{Map, Value};

use super::time;
use crate::error::{Cause, LakeError, Result};
use crate::schema::{EVENT_COLUMNS, EXTRA, Kind, RESOURCE_FIELDS, Table};

/// The record behind a row of `events`: a JSON value equal to the original.
///
/// # Errors
///
/// Where the batch lacks columns of the table, or a JSON column holds no JSON.
pub fn original(batch: &RecordBatch, row: usize) -> Result<Value> {
    restore(batch, row).map_err(|source| {
        let error = LakeError::Table {
            action: "restore a record of",
            table: Table::Events.name(),
            source,
        };
        error.into()
    })
}

fn restore(batch: &RecordBatch, row: usize) -> Result<Value, Cause> {
    let mut record = Map::new();
    for column in EVENT_COLUMNS {
        let array = batch
            .column_by_name(column.name)
            .ok_or_else(|| format!("no column `{}`", column.name))?;
        if array.is_valid(row) {
            put(
                &mut record,
                column.path,
                value(column.kind, array.as_ref(), row)?,
            );
        }
    }
    let extra = batch
        .column_by_name(EXTRA)
        .ok_or("no column `extra`")?
        .as_string::<i32>();
    if extra.is_null(row) {
        return Ok(Value::Object(record));
    }
    let mut extra: Map<String, Value> = serde_json::from_str(extra.value(row))?;
    if let Some(whole) = extra.remove("$record") {
        return Ok(whole);
    }
    if let Some(Value::Array(names)) = extra.remove("$absent") {
        for name in names.iter().filter_map(Value::as_str) {
            record.remove(name);
        }
    }
    lay_over(&mut record, extra);
    Ok(Value::Object(record))
}

fn put(record: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [name] => {
            record.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => {
            let below = record
                .entry(*name)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(members) = below {
                put(members, rest, value);
            }
        }
    }
}

fn value(kind: Kind, array: &dyn Array, row: usize) -> Result<Value, Cause> {
    Ok(match kind {
        Kind::Text => array.as_string::<i32>().value(row).into(),
        Kind::Json => serde_json::from_str(array.as_string::<i32>().value(row))?,
        Kind::Bool => array.as_boolean().value(row).into(),
        Kind::Time => {
            let times = array.as_primitive::<TimestampMicrosecondType>();
            time::format(times.value(row)).into()
        }
        Kind::Resources => resources(array.as_list::<i32>().value(row).as_ref()),
        Kind::TextMap => {
            let members = array.as_map().value(row);
            let keys = members.column(0).as_string::<i32>();
            let values = members.column(1).as_string::<i32>();
            keys.iter()
                .zip(values.iter())
                .filter_map(|(key, value)| Some((key?.to_owned(), Value::from(value?))))
                .collect::<Map<_, _>>()
                .into()
        }
    })
}

fn resources(entries: &dyn Array) -> Value {
    let fields = entries.as_struct();
    (0..entries.len())
        .map(|entry| {
            let members = RESOURCE_FIELDS.iter().enumerate();
            let members = members.filter_map(|(index, (_, spelling))| {
                let texts = fields.column(index).as_string::<i32>();
                let text = texts.is_valid(entry).then(|| texts.value(entry))?;
                Some(((*spelling).to_owned(), Value::from(text)))
            });
            Value::Object(members.collect())
        })
        .collect()
}

/// Objects meet member by member; anything else replaces what is there.
fn lay_over(below: &mut Map<String, Value>, above: Map<String, Value>) {
    for (name, value) in above {
        match (below.get_mut(&name), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay_over(below, above),
            (_, value) => {
                below.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::records_to_batch;
    use super::*;
    use proptest::prelude::*;

    /// A record must come back as it was, through an array of one.
    fn check(record: &str) {
        let text = format!("[{record}]");
        let batch = records_to_batch("test", text.as_bytes()).unwrap();
        let expected: Value = serde_json::from_str(record).unwrap();
        assert_eq!(original(&batch, 0).unwrap(), expected, "{record}");
    }

    #[test]
    fn odd_members_come_back() {
        let with = |rest: &str| {
            check(&format!(
                r#"{{"eventVersion":"1.08","eventSource":"s","eventName":"n"{rest}}}"#
            ));
        };
        with("");
        with(r#","eventID":"e","eventTime":"2024-01-01T00:00:00Z""#);
        with(r#","eventTime":"2024-01-01T00:00:00.250+01:00""#);
        with(r#","eventTime":"yesterday","readOnly":"true","managementEvent":1"#);
        with(r#","eventTime":1700000000,"eventID":null,"userAgent":["a","b"]"#);
        with(
            r#","requestParameters":null,"responseElements":{"a": [1.0, 1e3, 9223372036854775808]}"#,
        );
        with(
            r#","userIdentity":{"sessionContext":{"sessionIssuer":{},"attributes":{"mfaAuthenticated":true}}}"#,
        );
        with(r#","userIdentity":"nobody","tlsDetails":[],"addendum":{}"#);
        with(r#","userIdentity":{"type":"Root","new":{"deep":[{}]},"sessionContext":null}"#);
        with(r#","resources":[{"ARN":"a","type":"t"},{"accountId":"1","ARNPrefix":"p"}]"#);
        with(r#","resources":[{"arn":"lower"},null],"@timestamp":"2024-01-01T00:00:00Z""#);
        with(r#","resources":[],"sessionCredentialFromConsole":true"#);
        with(
            r#","userIdentity":{"sessionContext":{"webIdFederationData":{"attributes":{"a":"b","c":1}}}}"#,
        );
        with(r#","errorMessage":"quote \" tab \t \u00e9 \ud83d\ude00""#);
        with(r#","$absent":["eventName"],"$record":1"#);
        with(r#","eventId":"aggregated","@timestamp":"2024-01-01T00:00:00Z","eventTime":{}"#);
    }

    #[test]
    fn members_named_twice_are_read_as_parsers_do() {
        check(r#"{"eventVersion":"1","eventName":"a","eventSource":"s","eventName":"b"}"#);
        check(
            r#"{"eventVersion":"1","userIdentity":{"type":"A"},"eventSource":"s","userIdentity":{"arn":"b"}}"#,
        );
        check(r#"{"eventVersion":"1","eventID":"x","new":1,"eventSource":"s","new":{"a":2}}"#);
        check(r#"{"eventID":"x","tlsDetails":{"tlsVersion":"1"},"tlsDetails":{"cipherSuite":5}}"#);
        check(r#"{"eventID":"x","tlsDetails":{"new":1},"tlsDetails":{"other":5}}"#);
    }

    /// Any JSON value, not too deep.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
            Just(Value::from("2024-02-03T04:05:06Z")),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map(name(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Names that have columns, and others.
    fn name() -> impl Strategy<Value = String> {
        let known: Vec<String> = EVENT_COLUMNS
            .iter()
            .flat_map(|column| column.path)
            .map(|name| (*name).to_owned())
            .chain(["ARN", "ARNPrefix", "eventId", "$absent", "@timestamp"].map(str::to_owned))
            .collect();
        prop_oneof![proptest::sample::select(known), "[ -~é]{0,5}"]
    }

    proptest! {
        #[test]
        fn any_record_comes_back(members in proptest::collection::btree_map(name(), json(), 0..12)) {
            let mut record: Map<String, Value> = members.into_iter().collect();
            record.insert("eventID".to_owned(), "id".into());
            record.insert("eventSource".to_owned(), "test.amazonaws.com".into());
            for digest in ["digestStartTime", "digestS3Object", "digestPublicKeyFingerprint"] {
                record.remove(digest);
            }
            let text = Value::Object(record).to_string();
            check(&text);
        }
    }
}
