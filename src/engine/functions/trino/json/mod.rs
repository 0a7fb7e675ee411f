//! JSON as text: paths, casts and parts.
//!
//! A value is searched where it lies, without a tree; paths are read once for a batch. Results that are
//! JSON carry its mark.

mod cast;
mod extract;
pub(in crate::engine) mod member;
mod path;
mod scan;
mod standard;
mod to_json;
mod values;
mod write;

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::logical_expr::{ReturnFieldArgs, ScalarUDF};

use super::define::{Family, Function};
use super::types::json_field;

const FAMILY: Family = Family {
    title: "JSON",
    page: "https://trino.io/docs/current/functions/json.html",
};

/// All of them.
pub(super) fn functions() -> Vec<ScalarUDF> {
    [
        cast::JSON_CAST,
        cast::TRY_JSON_CAST,
        extract::JSON_EXTRACT,
        extract::JSON_EXTRACT_SCALAR,
        extract::JSON_SIZE,
        member::JSON_MEMBER,
        standard::JSON_EXISTS,
        standard::JSON_QUERY,
        standard::JSON_VALUE,
        to_json::TO_JSON,
        values::IS_JSON_SCALAR,
        values::JSON_ARRAY_CONTAINS,
        values::JSON_ARRAY_GET,
        values::JSON_ARRAY_LENGTH,
        values::JSON_FORMAT,
        values::JSON_PARSE,
    ]
    .into_iter()
    .map(Function::into_udf)
    .collect()
}

fn json_result(_: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    Ok(Arc::new(json_field("json")))
}

#[cfg(test)]
mod tests;
