//! Maps as arrays: `map_entries`, `map_keys`, `map_values`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::common::{Result, exec_err, plan_err};

use super::FAMILY;
use crate::engine::functions::trino::collections::{
    Lists, array_of, build_array, coerce_map, element_field, entry_fields,
};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

pub(super) const MAP_KEYS: Function = Function::new(
    "map_keys",
    Doc {
        family: FAMILY,
        syntax: "map_keys(map(K, V)) → array(K)",
        description: "All keys. NULL for NULL.",
        example: "map_keys(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) -- [a, b]",
    },
    |types| one_map("map_keys", types),
    Returns::Type(|types| Ok(array_of(fields(types)?.0))),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, _| {
            let maps = read(arguments)?;
            let (keys, _) = maps.entries()?;
            arrays(&return_type, &maps, keys)
        })
    },
);

pub(super) const MAP_VALUES: Function = Function::new(
    "map_values",
    Doc {
        family: FAMILY,
        syntax: "map_values(map(K, V)) → array(V)",
        description: "All values, in the order of the keys. NULL for NULL.",
        example: "map_values(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) -- [1, 2]",
    },
    |types| one_map("map_values", types),
    Returns::Type(|types| Ok(array_of(fields(types)?.1))),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, _| {
            let maps = read(arguments)?;
            let (_, values) = maps.entries()?;
            arrays(&return_type, &maps, values)
        })
    },
);

pub(super) const MAP_ENTRIES: Function = Function::new(
    "map_entries",
    Doc {
        family: FAMILY,
        syntax: "map_entries(map(K, V)) → array(row(K, V))",
        description: "All entries as rows, whose fields are `field0`, the key, and `field1`, the value. NULL \
            for NULL.",
        example: "map_entries(MAP(ARRAY['a'], ARRAY[1])) -- [{a, 1}]",
    },
    |types| one_map("map_entries", types),
    Returns::Type(|types| {
        let (key, value) = fields(types)?;
        let named = |field: &FieldRef, name: &str| {
            field.as_ref().clone().with_name(name).with_nullable(true)
        };
        let row = Fields::from(vec![named(key, "field0"), named(value, "field1")]);
        Ok(DataType::new_list(DataType::Struct(row), true))
    }),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, _| {
            let maps = read(arguments)?;
            let (keys, values) = maps.entries()?;
            let Some(DataType::Struct(row)) =
                element_field(&return_type).map(|row| row.data_type())
            else {
                return exec_err!("`map_entries` gives arrays of rows");
            };
            let rows = StructArray::try_new(row.clone(), vec![keys, values], None)?;
            arrays(&return_type, &maps, Arc::new(rows))
        })
    },
);

fn one_map(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [map] => Ok(vec![coerce_map(name, map)?]),
        _ => plan_err!("`{name}` takes one argument, not {}", types.len()),
    }
}

fn fields(types: &[DataType]) -> Result<(&FieldRef, &FieldRef)> {
    match types.first().and_then(entry_fields) {
        Some(fields) => Ok(fields),
        None => plan_err!("a map is expected"),
    }
}

fn read(arguments: &[ArrayRef]) -> Result<Lists> {
    match arguments {
        [map] => Lists::new(map),
        _ => exec_err!("one map is expected"),
    }
}

/// An array for each map, of elements that stand as its entries do.
fn arrays(array_type: &DataType, maps: &Lists, elements: ArrayRef) -> Result<ArrayRef> {
    let lengths = (0..maps.n_rows()).map(|row| maps.range(row).len());
    build_array(array_type, elements, lengths, maps.nulls().cloned())
}
