//! JSON as a value: `json_parse`, `json_format`, `is_json_scalar`, and arrays: `json_array_length`,
//! `json_array_contains`, `json_array_get`.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::scan::{elements, string, whole};
use super::write::{compact, normal};
use super::{FAMILY, json_result};
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, coerce, one, shown};

pub(super) const JSON_PARSE: Function = Function::new(
    "json_parse",
    Doc {
        family: FAMILY,
        syntax: "json_parse(text) → json",
        description: "A text read as JSON, in the form that equal values share: no white space, members \
            sorted by name and the last of one name kept, numbers as written. An error where the text \
            is no JSON; `try(json_parse(…))` gives NULL instead.",
        example: "json_parse('{\"b\": 1, \"a\": 2}') -- {\"a\":2,\"b\":1}",
    },
    |given| coerce("json_parse", given, &[Kind::Text], 1),
    Returns::Field(json_result),
    parse,
);

fn parse(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let texts = rows.texts(0)?;
    rows.give_texts(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let json = whole(text).ok_or_else(|| no_json("json_parse", text))?;
        let mut out = String::with_capacity(json.len());
        normal(json, &mut out);
        Ok(Some(out))
    })
}

fn no_json(function: &str, text: &str) -> datafusion::common::DataFusionError {
    exec_datafusion_err!("`{function}` cannot read `{}` as JSON", shown(text))
}

pub(super) const JSON_FORMAT: Function = Function::new(
    "json_format",
    Doc {
        family: FAMILY,
        syntax: "json_format(json) → varchar",
        description: "JSON as text, without white space. What is no JSON stays as it is.",
        example: "json_format(json_parse('[1, \"a\"]')) -- [1,\"a\"]",
    },
    |given| coerce("json_format", given, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_texts(|row| Ok(texts.get(row).map(compact)))
    },
);

pub(super) const IS_JSON_SCALAR: Function = Function::new(
    "is_json_scalar",
    Doc {
        family: FAMILY,
        syntax: "is_json_scalar(json) → boolean",
        description: "Whether JSON is a text, a number, a truth value or null, and no object or array. \
            An error where it is no JSON.",
        example: "is_json_scalar('[1]') -- false",
    },
    |given| coerce("is_json_scalar", given, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_truths(|row| {
            let Some(text) = texts.get(row) else {
                return Ok(None);
            };
            let json = whole(text).ok_or_else(|| no_json("is_json_scalar", text))?;
            Ok(Some(!json.starts_with(['{', '['])))
        })
    },
);

/// A text as an array; `None` where it is something else.
fn array(text: Option<&str>) -> Option<&str> {
    text.and_then(whole).filter(|json| json.starts_with('['))
}

pub(super) const JSON_ARRAY_LENGTH: Function = Function::new(
    "json_array_length",
    Doc {
        family: FAMILY,
        syntax: "json_array_length(json) → bigint",
        description: "How many elements a JSON array has. NULL for everything else.",
        example: "json_array_length('[1, 2, 3]') -- 3",
    },
    |given| coerce("json_array_length", given, &[Kind::Text], 1),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        let rows = Rows::new(args);
        let texts = rows.texts(0)?;
        rows.give_integers(|row| {
            let count = array(texts.get(row)).map(|json| elements(json).count());
            Ok(count.and_then(|count| i64::try_from(count).ok()))
        })
    },
);

pub(super) const JSON_ARRAY_GET: Function = Function::new(
    "json_array_get",
    Doc {
        family: FAMILY,
        syntax: "json_array_get(json, index) → json",
        description: "An element of a JSON array, counted from 0, or from the end where the index is \
            negative. NULL where there is none, where the element is null, and where the text is no \
            JSON array. A text keeps its quotes, which it loses in Trino.",
        example: "json_array_get('[\"a\", [3, 9]]', -1) -- [3,9]",
    },
    |given| coerce("json_array_get", given, &[Kind::Text, Kind::Integer], 2),
    Returns::Field(json_result),
    |args| {
        let rows = Rows::new(args);
        let (texts, indexes) = (rows.texts(0)?, rows.integers(1)?);
        rows.give_texts(|row| {
            let Some((json, index)) = array(texts.get(row)).zip(indexes.get(row)) else {
                return Ok(None);
            };
            let at = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
            let element = if index < 0 {
                let all: Vec<_> = elements(json).collect();
                all.len()
                    .checked_sub(at)
                    .and_then(|at| all.get(at).copied())
            } else {
                elements(json).nth(at)
            };
            Ok(element.filter(|value| *value != "null").map(compact))
        })
    },
);

pub(super) const JSON_ARRAY_CONTAINS: Function = Function::new(
    "json_array_contains",
    Doc {
        family: FAMILY,
        syntax: "json_array_contains(json, value) → boolean",
        description: "Whether a text, a number or a truth value is an element of a JSON array. NULL \
            where the text is no JSON array.",
        example: "json_array_contains('[\"s3\", \"iam\"]', 'iam') -- true",
    },
    contains_types,
    Returns::Type(|_| Ok(DataType::Boolean)),
    contains,
);

fn contains_types(given: &[DataType]) -> Result<Vec<DataType>> {
    let [json, value] = given else {
        return plan_err!(
            "`json_array_contains` takes 2 arguments, not {}",
            given.len()
        );
    };
    let kind = match value {
        DataType::Boolean => Kind::Boolean,
        integer if integer.is_integer() => Kind::Integer,
        number if number.is_numeric() => Kind::Double,
        _ => Kind::Text,
    };
    let name = "json_array_contains";
    Ok(vec![one(name, json, Kind::Text)?, one(name, value, kind)?])
}

fn contains(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let texts = rows.texts(0)?;
    let answer = |row: usize, wanted: Option<&dyn Fn(&str) -> bool>| {
        let (json, wanted) = array(texts.get(row)).zip(wanted)?;
        Some(elements(json).any(wanted))
    };
    match args.args.get(1).map(ColumnarValue::data_type) {
        Some(DataType::Int64) => {
            let values = rows.integers(1)?;
            rows.give_truths(|row| {
                let value = values.get(row);
                let is = |element: &str| element.parse::<i64>().ok() == value;
                Ok(answer(row, value.map(|_| &is as &dyn Fn(&str) -> bool)))
            })
        }
        Some(DataType::Float64) => {
            let values = rows.doubles(1)?;
            rows.give_truths(|row| {
                let value = values.get(row);
                let is = |element: &str| number(element) == value;
                Ok(answer(row, value.map(|_| &is as &dyn Fn(&str) -> bool)))
            })
        }
        Some(DataType::Boolean) => {
            let values = rows.truths(1)?;
            rows.give_truths(|row| {
                let value = values.get(row);
                let is = |element: &str| element.parse::<bool>().ok() == value;
                Ok(answer(row, value.map(|_| &is as &dyn Fn(&str) -> bool)))
            })
        }
        _ => {
            let values = rows.texts(1)?;
            rows.give_truths(|row| {
                let value = values.get(row);
                let is = |element: &str| string(element).as_deref() == value;
                Ok(answer(row, value.map(|_| &is as &dyn Fn(&str) -> bool)))
            })
        }
    }
}

fn number(element: &str) -> Option<f64> {
    element
        .starts_with(|c: char| c == '-' || c.is_ascii_digit())
        .then(|| element.parse().ok())?
}
