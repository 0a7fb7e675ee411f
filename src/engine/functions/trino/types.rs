//! Types that say more than Arrow's: JSON is text whose field is marked as JSON, and times with a zone are
//! milliseconds, while CloudTrail's own times are microseconds.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};

/// The mark that Arrow gives to fields of JSON text.
const EXTENSION: &str = "ARROW:extension:name";
const JSON: &str = "arrow.json";
/// Addresses are texts in their shortest spelling.
const ADDRESS: &str = "spoor.ipaddress";

/// Trino's `timestamp(3) with time zone`. The zone stands in the type, so it is one for a column; a zone
/// that differs from row to row is kept as UTC.
pub(in crate::engine) fn timestamp_with_zone(zone: &str) -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some(zone.into()))
}

/// Trino's `timestamp(3)`: a reading of calendar and clock, without a zone.
pub(in crate::engine) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, None)
}

/// The type of `eventtime`: a moment that is also the text that CloudTrail wrote.
pub(in crate::engine) fn event_time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A nullable field of JSON text.
pub(in crate::engine) fn json_field(name: &str) -> Field {
    let mark = HashMap::from([(EXTENSION.to_owned(), JSON.to_owned())]);
    Field::new(name, DataType::Utf8View, true).with_metadata(mark)
}

/// A nullable field of addresses.
pub(in crate::engine) fn address_field(name: &str) -> Field {
    let mark = HashMap::from([(EXTENSION.to_owned(), ADDRESS.to_owned())]);
    Field::new(name, DataType::Utf8View, true).with_metadata(mark)
}

/// Whether a field holds addresses.
pub(in crate::engine) fn is_address(field: &FieldRef) -> bool {
    field
        .metadata()
        .get(EXTENSION)
        .is_some_and(|name| name == ADDRESS)
}

/// Whether a field holds JSON text.
pub(in crate::engine) fn is_json(field: &FieldRef) -> bool {
    field
        .metadata()
        .get(EXTENSION)
        .is_some_and(|name| name == JSON)
}
