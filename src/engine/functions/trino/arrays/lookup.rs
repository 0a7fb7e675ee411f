//! What is in an array, and where: `contains`, `contains_sequence`, `array_position`, `element_at`,
//! `cardinality`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

use super::FAMILY;
use super::common::{array_and_element, common, counted, two_arrays};
use crate::engine::functions::arguments::is_text;
use crate::engine::functions::trino::collections::{
    Lists, bigint, coerce_array, coerce_map, element_field, entry_fields, pick,
};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::json::member::JSON_MEMBER;
use crate::engine::functions::trino::keys::Keys;
use crate::engine::functions::trino::values::network;

pub(super) const CONTAINS: Function = Function::new(
    "contains",
    Doc {
        family: FAMILY,
        syntax: "contains(array(T), element) → boolean\ncontains(network, address) → boolean",
        description: "Whether an element is in an array: NULL where it is not found and the array has a NULL, \
            and where either is NULL. Over texts, whether an address lies in a network.",
        example: "contains(ARRAY['s3', 'iam'], 'iam') -- true",
    },
    |types| match types {
        [network, address] if is_text(network) && !network.is_null() => {
            if is_text(address) {
                Ok(vec![DataType::Utf8View, DataType::Utf8View])
            } else {
                plan_err!("`contains` takes an address there, not {address}")
            }
        }
        _ => array_and_element("contains", types),
    },
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| match args.args.first().map(ColumnarValue::data_type) {
        Some(text) if is_text(&text) => network::contains("contains", args),
        _ => over_arrays(args, contains),
    },
);

fn contains(arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [array, sought] = arguments else {
        return exec_err!("`contains` takes two arguments");
    };
    let lists = Lists::new(array)?;
    let keys = Keys::of(&[&lists.elements, sought])?;
    let found = (0..n_rows).map(|row| {
        if lists.is_null(row) || sought.is_null(row) {
            return None;
        }
        let mut is_known = true;
        for at in lists.range(row) {
            if lists.elements.is_null(at) {
                is_known = false;
            } else if keys.key(0, at) == keys.key(1, row) {
                return Some(true);
            }
        }
        is_known.then_some(false)
    });
    Ok(Arc::new(found.collect::<BooleanArray>()))
}

pub(super) const CONTAINS_SEQUENCE: Function = Function::new(
    "contains_sequence",
    Doc {
        family: FAMILY,
        syntax: "contains_sequence(array(T), array(T)) → boolean",
        description: "Whether the elements of the second array stand in the first one, one after the other.",
        example: "contains_sequence(ARRAY[1, 2, 3], ARRAY[2, 3]) -- true",
    },
    |types| two_arrays("contains_sequence", types),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| {
        over_arrays(args, |arguments, n_rows| {
            let [array, sought] = arguments else {
                return exec_err!("`contains_sequence` takes two arguments");
            };
            let (lists, sought) = (Lists::new(array)?, Lists::new(sought)?);
            let keys = Keys::of(&[&lists.elements, &sought.elements])?;
            let found = (0..n_rows).map(|row| {
                let wanted = sought.range(row);
                let starts = lists.range(row).len().checked_sub(wanted.len());
                let is_null = lists.is_null(row) || sought.is_null(row);
                (!is_null).then(|| {
                    starts.is_some_and(|starts| {
                        (0..=starts).any(|start| {
                            let start = lists.range(row).start + start;
                            wanted
                                .clone()
                                .enumerate()
                                .all(|(at, wanted)| keys.key(0, start + at) == keys.key(1, wanted))
                        })
                    })
                })
            });
            Ok(Arc::new(found.collect::<BooleanArray>()))
        })
    },
);

pub(super) const ARRAY_POSITION: Function = Function::new(
    "array_position",
    Doc {
        family: FAMILY,
        syntax: "array_position(array(T), element) → bigint",
        description: "The place of the first such element, counted from 1; 0 where there is none. NULL where \
            either is NULL.",
        example: "array_position(ARRAY['a', 'b'], 'b') -- 2",
    },
    |types| array_and_element("array_position", types),
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        over_arrays(args, |arguments, n_rows| {
            let [array, sought] = arguments else {
                return exec_err!("`array_position` takes two arguments");
            };
            let lists = Lists::new(array)?;
            let keys = Keys::of(&[&lists.elements, sought])?;
            let places = (0..n_rows).map(|row| {
                if lists.is_null(row) || sought.is_null(row) {
                    return Ok(None);
                }
                let mut range = lists.range(row);
                let place = range.position(|at| keys.key(0, at) == keys.key(1, row));
                Ok(Some(place.map_or(Ok(0), |place| bigint(place + 1))?))
            });
            Ok(Arc::new(places.collect::<Result<Int64Array>>()?))
        })
    },
);

pub(super) const CARDINALITY: Function = Function::new(
    "cardinality",
    Doc {
        family: FAMILY,
        syntax: "cardinality(array) → bigint\ncardinality(map) → bigint",
        description: "How many elements an array has, or entries a map. NULL for NULL.",
        example: "cardinality(ARRAY['a', 'b']) -- 2",
    },
    |types| {
        let [data_type] = counted::<1>("cardinality", types)?;
        match data_type {
            DataType::Map(_, _) => Ok(vec![data_type.clone()]),
            _ => Ok(vec![coerce_array("cardinality", data_type)?]),
        }
    },
    Returns::Type(|_| Ok(DataType::Int64)),
    |args| {
        over_arrays(args, |arguments, _| {
            let [array] = arguments else {
                return exec_err!("`cardinality` takes one argument");
            };
            let lists = Lists::new(array)?;
            let lengths = lists
                .rows()
                .map(|range| range.map(|range| bigint(range.len())).transpose());
            Ok(Arc::new(lengths.collect::<Result<Int64Array>>()?))
        })
    },
);

pub(super) const ELEMENT_AT: Function = Function::new(
    "element_at",
    Doc {
        family: FAMILY,
        syntax: "element_at(array(T), index) → T\nelement_at(map(K, V), key) → V\n\
                 element_at(json, name) → varchar",
        description: "The element at an index, counted from 1 or, where negative, from the end; the value of \
            a key; the member of a JSON text. NULL where there is none. An error for index 0.",
        example: "element_at(ARRAY['a', 'b'], -1) -- b",
    },
    coerce_element_at,
    Returns::Field(return_element),
    element_at,
);

fn coerce_element_at(types: &[DataType]) -> Result<Vec<DataType>> {
    let [holder, key] = counted::<2>("element_at", types)?;
    if let Some((map_key, value)) = entry_fields(holder) {
        let wider = common("element_at", map_key.data_type(), key)?;
        if &wider == map_key.data_type() {
            return Ok(vec![coerce_map("element_at", holder)?, wider]);
        }
        let wider = Field::new("", wider, false);
        let map = crate::engine::functions::trino::collections::map_of(&wider, value);
        return Ok(vec![map, wider.data_type().clone()]);
    }
    if is_text(holder) && !holder.is_null() {
        return Ok(vec![DataType::Utf8View, DataType::Utf8View]);
    }
    if element_field(holder).is_some() && !key.is_integer() && !key.is_null() {
        return plan_err!("`element_at` of an array takes an integer, not {key}");
    }
    Ok(vec![coerce_array("element_at", holder)?, DataType::Int64])
}

fn return_element(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let Some(holder) = args.arg_fields.first() else {
        return plan_err!("`element_at` takes two arguments");
    };
    let holder = holder.data_type();
    let element = match (element_field(holder), entry_fields(holder)) {
        (Some(element), _) | (None, Some((_, element))) => element.as_ref().clone(),
        (None, None) => Field::new("", DataType::Utf8View, true),
    };
    Ok(Arc::new(
        element.with_name("element_at").with_nullable(true),
    ))
}

fn element_at(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    match args.args.first().map(ColumnarValue::data_type) {
        Some(DataType::Map(_, _)) => over_arrays(args, value_of_key),
        Some(DataType::List(_)) => over_arrays(args, element_at_index),
        _ => (JSON_MEMBER.body)(args),
    }
}

fn element_at_index(arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [array, index] = arguments else {
        return exec_err!("`element_at` takes two arguments");
    };
    let lists = Lists::new(array)?;
    let index = index.as_primitive::<Int64Type>();
    let mut positions = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        if index.is_null(row) || lists.is_null(row) {
            positions.push(None);
            continue;
        }
        let steps = usize::try_from(index.value(row).unsigned_abs()).unwrap_or(usize::MAX);
        let Some(skipped) = steps.checked_sub(1) else {
            return exec_err!("arrays are counted from 1, so `element_at` takes no index 0");
        };
        let mut range = lists.range(row);
        positions.push(if index.value(row) > 0 {
            range.nth(skipped)
        } else {
            range.nth_back(skipped)
        });
    }
    pick(&lists.elements, positions)
}

fn value_of_key(arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [map, sought] = arguments else {
        return exec_err!("`element_at` takes two arguments");
    };
    let maps = Lists::new(map)?;
    let (keys, values) = maps.entries()?;
    let compared = Keys::of(&[&keys, sought])?;
    let positions = (0..n_rows).map(|row| {
        let mut range = maps.range(row);
        range.find(|at| sought.is_valid(row) && compared.key(0, *at) == compared.key(1, row))
    });
    pick(&values, positions)
}
