//! `json_cast`, `try_json_cast`: what `CAST(json AS type)` means.
//!
//! Column by column: the values of all rows at one place of the type are converted together. A value that
//! cannot be converted costs its row, and the first one is the error.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringViewArray, StructArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

use super::FAMILY;
use super::scan::{elements, members, scalar, unescape, whole};
use super::write::compact;
use crate::engine::functions::trino::collections::{build_array, build_map};
use crate::engine::functions::trino::define::{Doc, Function, Returns};
use crate::engine::functions::trino::rows::{Kind, Rows, one, shown};
use crate::engine::functions::trino::type_names::type_name;
use crate::engine::functions::trino::types::is_json;

pub(super) const JSON_CAST: Function = Function::new(
    "json_cast",
    Doc {
        family: FAMILY,
        syntax: "json_cast(json, null) → type of null",
        description: "What `CAST(json AS type)` means, with a NULL of the type: texts lose their quotes, \
            numbers and truth values are converted, arrays become arrays, objects become maps or rows \
            (by name, whatever its case), arrays rows (by position). JSON null is NULL. An error where \
            a value does not fit. Objects and arrays as `varchar` are their JSON, where Trino has an \
            error.",
        example: "json_cast(json_parse('[1, 2]'), CAST(NULL AS array(bigint))) -- [1, 2]",
    },
    |given| types("json_cast", given),
    Returns::Field(target),
    |args| convert(args, true),
);

pub(super) const TRY_JSON_CAST: Function = Function::new(
    "try_json_cast",
    Doc {
        family: FAMILY,
        syntax: "try_json_cast(json, null) → type of null",
        description: "What `TRY_CAST(json AS type)` means: as `json_cast`, with NULL where a value does \
            not fit.",
        example: "try_json_cast(json_parse('\"x\"'), CAST(NULL AS bigint)) -- NULL",
    },
    |given| types("try_json_cast", given),
    Returns::Field(target),
    |args| convert(args, false),
);

fn types(name: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    let [json, target] = given else {
        return plan_err!("`{name}` takes 2 arguments, not {}", given.len());
    };
    Ok(vec![one(name, json, Kind::Text)?, target.clone()])
}

fn target(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    match args.arg_fields {
        [_, target] => Ok(Arc::new(target.as_ref().clone().with_nullable(true))),
        _ => plan_err!("a cast of JSON takes 2 arguments"),
    }
}

fn convert(args: &ScalarFunctionArgs, strict: bool) -> Result<ColumnarValue> {
    let rows = Rows::new(args);
    let texts = rows.texts(0)?;
    let mut cast = Cast {
        failed: vec![false; rows.n_rows()],
        error: None,
    };
    let mut values = Vec::with_capacity(rows.n_rows());
    for row in 0..rows.n_rows() {
        let text = texts.get(row);
        let json = text.and_then(whole);
        if let (Some(text), None) = (text, json) {
            cast.fail(row, text, &args.return_field);
        }
        values.push(Value { row, json });
    }
    let array = cast.build(&args.return_field, &values)?;
    match cast.error {
        Some(error) if strict => exec_err!("{error}"),
        Some(_) => rows.give(nullif(&array, &BooleanArray::from(cast.failed))?),
        None => rows.give(array),
    }
}

/// A value as written and the row of the call that it belongs to.
#[derive(Clone, Copy)]
struct Value<'a> {
    row: usize,
    json: Option<&'a str>,
}

impl<'a> Value<'a> {
    /// `None` where there is none and where it is null.
    fn json(self) -> Option<&'a str> {
        self.json.filter(|json| *json != "null")
    }

    fn begins(self, byte: char) -> Option<&'a str> {
        self.json().filter(|json| json.starts_with(byte))
    }
}

struct Cast {
    failed: Vec<bool>,
    error: Option<String>,
}

impl Cast {
    fn fail(&mut self, row: usize, json: &str, field: &Field) {
        if let Some(failed) = self.failed.get_mut(row) {
            *failed = true;
        }
        self.error.get_or_insert_with(|| {
            format!("cannot cast `{}` to {}", shown(json), type_name(field))
        });
    }

    fn build(&mut self, field: &FieldRef, values: &[Value<'_>]) -> Result<ArrayRef> {
        if is_json(field) {
            let texts = values.iter().map(|value| value.json.map(compact));
            return Ok(cast(&text_array(texts), field.data_type())?);
        }
        match field.data_type() {
            DataType::Null => Ok(new_null_array(&DataType::Null, values.len())),
            DataType::List(item) => {
                let (elements, lengths, nulls) = self.elements(field, item, values)?;
                build_array(field.data_type(), elements, lengths, nulls)
            }
            DataType::Map(entries, _) => self.map(field, entries, values),
            DataType::Struct(fields) => self.row(field, fields, values),
            _ => self.scalars(field, values),
        }
    }

    fn scalars(&mut self, field: &FieldRef, values: &[Value<'_>]) -> Result<ArrayRef> {
        let target = field.data_type();
        let texts: Vec<Option<Cow<'_, str>>> = values
            .iter()
            .map(|value| value.json().and_then(|json| readable(json, target)))
            .collect();
        let array = cast(&text_array(texts.into_iter()), target)?;
        for (at, value) in values.iter().enumerate() {
            if let Some(json) = value.json()
                && array.is_null(at)
            {
                self.fail(value.row, json, field);
            }
        }
        Ok(array)
    }

    fn elements(
        &mut self,
        field: &FieldRef,
        item: &FieldRef,
        values: &[Value<'_>],
    ) -> Result<(ArrayRef, Vec<usize>, Option<NullBuffer>)> {
        let mut all = Vec::new();
        let mut lengths = Vec::with_capacity(values.len());
        let mut valid = Vec::with_capacity(values.len());
        for value in values {
            let array = self.only(field, *value, '[');
            let before = all.len();
            let row = value.row;
            let parts = array.into_iter().flat_map(elements);
            all.extend(parts.map(|json| Value {
                row,
                json: Some(json),
            }));
            lengths.push(all.len() - before);
            valid.push(array.is_some());
        }
        let elements = self.build(item, &all)?;
        Ok((elements, lengths, Some(NullBuffer::from(valid))))
    }

    /// The value where it begins so; where it is something else, the row fails.
    fn only<'a>(&mut self, field: &Field, value: Value<'a>, first: char) -> Option<&'a str> {
        let right = value.begins(first);
        if let (Some(json), None) = (value.json(), right) {
            self.fail(value.row, json, field);
        }
        right
    }

    fn map(
        &mut self,
        field: &FieldRef,
        entries: &FieldRef,
        values: &[Value<'_>],
    ) -> Result<ArrayRef> {
        let DataType::Struct(fields) = entries.data_type() else {
            return plan_err!("a map has keys and values");
        };
        let (Some(key), Some(item)) = (fields.first(), fields.get(1)) else {
            return plan_err!("a map has keys and values");
        };
        let (mut names, mut items) = (Vec::new(), Vec::new());
        let (mut lengths, mut valid) = (Vec::new(), Vec::new());
        for value in values {
            let object = self.only(field, *value, '{');
            let before = names.len();
            let mut places: HashMap<Cow<'_, str>, usize> = HashMap::new();
            for (name, json) in object.into_iter().flat_map(members) {
                let (name, row) = (unescape(name), value.row);
                let part = Value {
                    row,
                    json: Some(json),
                };
                // The last of one name counts.
                match places.get(&name).and_then(|place| items.get_mut(*place)) {
                    Some(known) => *known = part,
                    None => {
                        places.insert(name.clone(), items.len());
                        names.push((row, name));
                        items.push(part);
                    }
                }
            }
            lengths.push(names.len() - before);
            valid.push(object.is_some());
        }
        let keys = cast(
            &text_array(names.iter().map(|(_, name)| Some(name))),
            key.data_type(),
        )?;
        for (at, (row, name)) in names.iter().enumerate() {
            if keys.is_null(at) {
                self.fail(*row, name, key);
            }
        }
        if keys.null_count() > 0 {
            // Keys cannot be null: without any of them, as all these rows fail.
            return self.without(field, values);
        }
        let items = self.build(item, &items)?;
        let nulls = Some(NullBuffer::from(valid));
        build_map(field.data_type(), (keys, items), lengths, nulls)
    }

    /// Again without the rows that have failed.
    fn without(&mut self, field: &FieldRef, values: &[Value<'_>]) -> Result<ArrayRef> {
        let left: Vec<_> = values
            .iter()
            .map(|value| match self.failed.get(value.row) {
                Some(false) => *value,
                _ => Value {
                    row: value.row,
                    json: None,
                },
            })
            .collect();
        self.build(field, &left)
    }

    fn row(&mut self, field: &FieldRef, fields: &Fields, values: &[Value<'_>]) -> Result<ArrayRef> {
        let mut columns: Vec<Vec<Value<'_>>> = vec![Vec::with_capacity(values.len()); fields.len()];
        let mut valid = Vec::with_capacity(values.len());
        for value in values {
            let row = value.row;
            let mut parts: Vec<Option<&str>> = vec![None; fields.len()];
            if let Some(object) = value.begins('{') {
                for (name, json) in members(object) {
                    let name = unescape(name);
                    let place = fields
                        .iter()
                        .position(|field| field.name().eq_ignore_ascii_case(&name));
                    if let Some(part) = place.and_then(|place| parts.get_mut(place)) {
                        *part = Some(json);
                    }
                }
            } else if let Some(array) = self.only(field, *value, '[') {
                let given: Vec<_> = elements(array).collect();
                if given.len() != fields.len() {
                    self.fail(row, array, field);
                }
                for (part, json) in parts.iter_mut().zip(given) {
                    *part = Some(json);
                }
            }
            valid.push(value.json().is_some());
            for (column, json) in columns.iter_mut().zip(parts) {
                column.push(Value { row, json });
            }
        }
        let arrays = fields
            .iter()
            .zip(&columns)
            .map(|(field, column)| self.build(field, column))
            .collect::<Result<Vec<_>>>()?;
        let nulls = Some(NullBuffer::from(valid));
        Ok(Arc::new(StructArray::try_new_with_length(
            fields.clone(),
            arrays,
            nulls,
            values.len(),
        )?))
    }
}

fn text_array<T: AsRef<str>>(texts: impl Iterator<Item = Option<T>>) -> StringViewArray {
    texts.collect()
}

/// A value as a text that Arrow reads as the type; `None` where it cannot.
fn readable<'a>(json: &'a str, target: &DataType) -> Option<Cow<'a, str>> {
    let quoted = json.starts_with('"');
    match target {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            match json.as_bytes().first() {
                Some(b'{' | b'[') => Some(compact(json)),
                _ => scalar(json),
            }
        }
        DataType::Boolean if !quoted => match json {
            "true" | "false" => Some(json.into()),
            _ => {
                let number: f64 = json.parse().ok()?;
                Some(if number == 0.0 { "false" } else { "true" }.into())
            }
        },
        _ if quoted => scalar(json),
        number if number.is_numeric() => match json {
            "true" => Some("1".into()),
            "false" => Some("0".into()),
            _ if number.is_integer() && json.contains(['.', 'e', 'E']) => {
                let value: f64 = json.parse().ok()?;
                Some(format!("{:.0}", (value + 0.5).floor()).into())
            }
            _ => scalar(json),
        },
        // Times and bytes are texts only.
        _ => None,
    }
}
