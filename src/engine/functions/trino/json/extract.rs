//! Parts of JSON by path: `json_extract`, `json_extract_scalar`, `json_size`.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::path::Paths;
use super::scan::{elements, members, scalar};
use super::write::compact;
use super::{FAMILY, json_result};
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce};

pub(super) const JSON_EXTRACT: Function = Function::new(
    "json_extract",
    Doc {
        family: FAMILY,
        syntax: "json_extract(json, path) → json",
        description: "The value at a path, as JSON without white space. A path is `$` and then `.name`, \
            `[\"name\"]` or `[index]`, counted from 0. NULL where nothing is there or the text is no \
            JSON; an error where the path is none. Of members with one name the first counts. Beyond \
            Trino, a path may hold `['name']`, and `.*` or `[*]` for every part: then the answer is an \
            array of what was found.",
        example: "json_extract('{\"a\": [1, 2]}', '$.a') -- [1,2]",
    },
    |given| coerce("json_extract", given, &[Kind::Text, Kind::Text], 2),
    Returns::Field(json_result),
    extract,
);

fn extract(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (json, paths) = (rows.texts(0)?, rows.texts(1)?);
    let mut paths = Paths::new("json_extract", &paths);
    rows.give_texts(|row| {
        let path = paths.get(row)?;
        let Some((path, json)) = path.zip(json.get(row)) else {
            return Ok(None);
        };
        if path.is_wild() {
            let found: Vec<_> = path.find_all(json).into_iter().map(compact).collect();
            return Ok(Some(format!("[{}]", found.join(",")).into()));
        }
        Ok(path.find(json).map(compact))
    })
}

pub(super) const JSON_EXTRACT_SCALAR: Function = Function::new(
    "json_extract_scalar",
    Doc {
        family: FAMILY,
        syntax: "json_extract_scalar(json, path) → varchar",
        description: "The text, number or truth value at a path, as text. NULL where an object, an \
            array, null or nothing is there, or where the text is no JSON; an error where the path is \
            none. Paths are those of `json_extract` without `*`.",
        example: "json_extract_scalar('{\"a\": [1, 2]}', '$.a[0]') -- 1",
    },
    |given| coerce("json_extract_scalar", given, &[Kind::Text, Kind::Text], 2),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    extract_scalar,
);

fn extract_scalar(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (json, path_texts) = (rows.texts(0)?, rows.texts(1)?);
    let mut paths = Paths::new("json_extract_scalar", &path_texts);
    rows.give_texts(|row| {
        let Some(path) = paths.get(row)? else {
            return Ok(None);
        };
        if path.is_wild() {
            let path = path_texts.get(row).unwrap_or_default();
            return exec_err!(
                "`json_extract_scalar` gives one value, and `{path}` may lead to many; \
                 `json_extract` gives all of them"
            );
        }
        Ok(json.get(row).and_then(|json| scalar(path.find(json)?)))
    })
}

pub(super) const JSON_SIZE: Function = Function::new(
    "json_size",
    Doc {
        family: FAMILY,
        syntax: "json_size(json, path) → bigint",
        description: "How many members or elements the object or array at a path has; 0 for a scalar. \
            NULL where nothing is there or the text is no JSON; an error where the path is none.",
        example: "json_size('{\"a\": [1, 2]}', '$.a') -- 2",
    },
    |given| coerce("json_size", given, &[Kind::Text, Kind::Text], 2),
    Returns::Type(|_| Ok(DataType::Int64)),
    size,
);

fn size(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let (json, paths) = (rows.texts(0)?, rows.texts(1)?);
    let mut paths = Paths::new("json_size", &paths);
    rows.give_integers(|row| {
        let path = paths.get(row)?;
        Ok(path
            .zip(json.get(row))
            .and_then(|(path, json)| path.find(json))
            .and_then(|value| i64::try_from(members(value).count() + elements(value).count()).ok()))
    })
}
