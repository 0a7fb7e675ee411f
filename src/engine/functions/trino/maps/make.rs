//! Maps made of keys and values: `map`, `map_from_entries`, `multimap_from_entries`, `map_concat`.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;

use super::FAMILY;
use crate::engine::functions::trino::collections::{
    Lists, array_of, build_array, build_map, coerce_array, coerce_map, element_field, entry_fields,
    map_of, pick,
};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::keys::{Keys, check_distinct};

/// DataFusion's planner takes calls of `map` for its own, unless they are given two arrays; those of the
/// other name always come here.
pub(super) const MAP: Function = Function::new(
    "map",
    Doc {
        family: FAMILY,
        syntax: "map() → map(unknown, unknown)\nmap(array(K), array(V)) → map(K, V)",
        description: "A map from the keys to the values, which are as many. An error where a key is NULL or \
            comes twice. NULL where either array is NULL.",
        example: "map(ARRAY['a', 'b'], ARRAY[1, 2]) -- {a=1, b=2}",
    },
    |types| match types {
        [] => Ok(Vec::new()),
        [keys, values] => Ok(vec![
            coerce_array("map", keys)?,
            coerce_array("map", values)?,
        ]),
        _ => plan_err!("`map` takes keys and values, not {} arguments", types.len()),
    },
    Returns::Type(|types| match types {
        [keys, values] => match (element_field(keys), element_field(values)) {
            (Some(key), Some(value)) => Ok(map_of(key, value)),
            _ => plan_err!("`map` takes two arrays"),
        },
        _ => Ok(map_of(&unknown(), &unknown())),
    }),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, n_rows| {
            map(&return_type, arguments, n_rows)
        })
    },
)
.with_aliases(&["trino_map"]);

fn unknown() -> Field {
    Field::new("", DataType::Null, true)
}

fn map(map_type: &DataType, arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [keys, values] = arguments else {
        let none = || arrow::array::new_empty_array(&DataType::Null);
        return build_map(map_type, (none(), none()), vec![0; n_rows], None);
    };
    let nulls = NullBuffer::union(keys.nulls(), values.nulls());
    let (keys, values) = (Lists::new(keys)?, Lists::new(values)?);
    let is_valid = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
    for row in (0..n_rows).filter(is_valid) {
        let (n_keys, n_values) = (keys.range(row).len(), values.range(row).len());
        if n_keys != n_values {
            return exec_err!("`map` takes as many values as keys, not {n_values} for {n_keys}");
        }
    }
    let ranges = |lists: &Lists| -> Vec<Range<usize>> {
        (0..n_rows)
            .map(|row| {
                if is_valid(&row) {
                    lists.range(row)
                } else {
                    0..0
                }
            })
            .collect()
    };
    let (key_ranges, value_ranges) = (ranges(&keys), ranges(&values));
    check_keys("map", &keys.elements, &key_ranges)?;
    let lengths = key_ranges.iter().map(Range::len).collect::<Vec<_>>();
    let entries = (
        pick(&keys.elements, key_ranges.into_iter().flatten().map(Some))?,
        pick(
            &values.elements,
            value_ranges.into_iter().flatten().map(Some),
        )?,
    );
    build_map(map_type, entries, lengths, nulls)
}

/// Refuses keys that are NULL or come twice in a row.
fn check_keys(name: &str, keys: &ArrayRef, rows: &[Range<usize>]) -> Result<()> {
    if keys.logical_null_count() > 0 && rows.iter().cloned().flatten().any(|at| keys.is_null(at)) {
        return exec_err!("`{name}` takes no NULL as a key");
    }
    check_distinct(name, keys, rows.iter().cloned())
}

pub(super) const MAP_FROM_ENTRIES: Function = Function::new(
    "map_from_entries",
    Doc {
        family: FAMILY,
        syntax: "map_from_entries(array(row(K, V))) → map(K, V)",
        description: "A map of entries. An error where an entry or a key is NULL, or a key comes twice.",
        example: "map_from_entries(ARRAY[ROW('a', 1), ROW('b', 2)]) -- {a=1, b=2}",
    },
    |types| coerce_entries("map_from_entries", types),
    Returns::Type(|types| {
        let (key, value) = fields_of_entries("map_from_entries", types)?;
        Ok(map_of(&key, &value))
    }),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, n_rows| {
            let (lists, keys, values) = entries("map_from_entries", arguments)?;
            let rows: Vec<_> = (0..n_rows).map(|row| lists.range(row)).collect();
            check_keys("map_from_entries", &keys, &rows)?;
            let lengths = rows.iter().map(Range::len);
            build_map(
                &return_type,
                (keys, values),
                lengths,
                lists.nulls().cloned(),
            )
        })
    },
);

pub(super) const MULTIMAP_FROM_ENTRIES: Function = Function::new(
    "multimap_from_entries",
    Doc {
        family: FAMILY,
        syntax: "multimap_from_entries(array(row(K, V))) → map(K, array(V))",
        description: "A map of entries, with all values of a key. An error where an entry or a key is NULL.",
        example: "multimap_from_entries(ARRAY[ROW('a', 1), ROW('a', 2)]) -- {a=[1, 2]}",
    },
    |types| coerce_entries("multimap_from_entries", types),
    Returns::Type(|types| {
        let (key, value) = fields_of_entries("multimap_from_entries", types)?;
        Ok(map_of(&key, &Field::new("", array_of(&value), true)))
    }),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, n_rows| {
            multimap(&return_type, arguments, n_rows)
        })
    },
);

fn multimap(map_type: &DataType, arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let (lists, keys, values) = entries("multimap_from_entries", arguments)?;
    let Some((_, array)) = entry_fields(map_type) else {
        return exec_err!("expected a map, found {map_type}");
    };
    let compared = Keys::of(&[&keys])?;
    let mut key_positions = Vec::new();
    let mut value_positions = Vec::new();
    let mut value_lengths = Vec::new();
    let mut lengths = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let mut places: HashMap<_, usize> = HashMap::new();
        let mut of_row: Vec<(usize, Vec<usize>)> = Vec::new();
        for at in lists.range(row) {
            if keys.is_null(at) {
                return exec_err!("`multimap_from_entries` takes no NULL as a key");
            }
            let place = *places.entry(compared.key(0, at)).or_insert_with(|| {
                of_row.push((at, Vec::new()));
                of_row.len() - 1
            });
            if let Some((_, values)) = of_row.get_mut(place) {
                values.push(at);
            }
        }
        lengths.push(of_row.len());
        for (key, values) in of_row {
            key_positions.push(Some(key));
            value_lengths.push(values.len());
            value_positions.extend(values.into_iter().map(Some));
        }
    }
    let values = pick(&values, value_positions)?;
    let arrays = build_array(array.data_type(), values, value_lengths, None)?;
    let entries = (pick(&keys, key_positions)?, arrays);
    build_map(map_type, entries, lengths, lists.nulls().cloned())
}

fn coerce_entries(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let [array] = types else {
        return plan_err!("`{name}` takes one argument, not {}", types.len());
    };
    let array = coerce_array(name, array)?;
    fields_of_entries(name, std::slice::from_ref(&array))?;
    Ok(vec![array])
}

/// The fields of the keys and the values of an array of rows of two.
fn fields_of_entries(name: &str, types: &[DataType]) -> Result<(FieldRef, FieldRef)> {
    let entry = types.first().and_then(element_field);
    match entry.map(|entry| entry.data_type()) {
        Some(DataType::Struct(fields)) => match fields.as_ref() {
            [key, value] => Ok((FieldRef::clone(key), FieldRef::clone(value))),
            _ => plan_err!("`{name}` takes rows of a key and a value"),
        },
        Some(DataType::Null) => Ok((Arc::new(unknown()), Arc::new(unknown()))),
        _ => plan_err!("`{name}` takes an array of rows of a key and a value"),
    }
}

/// The entries of all rows: their keys and their values.
fn entries(name: &str, arguments: &[ArrayRef]) -> Result<(Lists, ArrayRef, ArrayRef)> {
    let [array] = arguments else {
        return exec_err!("`{name}` takes one argument");
    };
    let lists = Lists::new(array)?;
    if lists.elements.logical_null_count() > 0 {
        return exec_err!("`{name}` takes no NULL as an entry");
    }
    let columns = lists.elements.as_struct_opt().map(StructArray::columns);
    match columns {
        Some([keys, values]) => {
            let (keys, values) = (ArrayRef::clone(keys), ArrayRef::clone(values));
            Ok((lists, keys, values))
        }
        _ => {
            let none = ArrayRef::clone(&lists.elements);
            Ok((lists, ArrayRef::clone(&none), none))
        }
    }
}

pub(super) const MAP_CONCAT: Function = Function::new(
    "map_concat",
    Doc {
        family: FAMILY,
        syntax: "map_concat(map(K, V), map(K, V), …) → map(K, V)",
        description: "One map of all. Where a key is in more than one, the value of the last. NULL where a map \
            is NULL.",
        example: "map_concat(MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['a'], ARRAY[2])) -- {a=2}",
    },
    coerce_concat,
    Returns::Type(|types| match types.first() {
        Some(map) => Ok(map.clone()),
        None => plan_err!("`map_concat` takes maps"),
    }),
    |args| over_arrays(args, concat),
);

fn coerce_concat(types: &[DataType]) -> Result<Vec<DataType>> {
    let mut common: Option<(DataType, DataType)> = None;
    for data_type in types {
        let map = coerce_map("map_concat", data_type)?;
        let Some((key, value)) = entry_fields(&map) else {
            return plan_err!("`map_concat` takes maps, not {data_type}");
        };
        let (key, value) = (key.data_type().clone(), value.data_type().clone());
        common = Some(match common {
            None => (key, value),
            Some((keys, values)) => (wider(&keys, &key)?, wider(&values, &value)?),
        });
    }
    let Some((key, value)) = common else {
        return plan_err!("`map_concat` takes maps");
    };
    let map = map_of(&Field::new("", key, false), &Field::new("", value, true));
    Ok(vec![map; types.len()])
}

fn wider(left: &DataType, right: &DataType) -> Result<DataType> {
    match (left, right) {
        (left, right) if left == right || right.is_null() => Ok(left.clone()),
        (DataType::Null, right) => Ok(right.clone()),
        _ => match comparison_coercion(left, right) {
            Some(wider) => Ok(wider),
            None => plan_err!("`map_concat` cannot join {left} and {right}"),
        },
    }
}

fn concat(arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let Some(first) = arguments.first() else {
        return exec_err!("`map_concat` takes maps");
    };
    let maps: Vec<Lists> = arguments
        .iter()
        .map(|map| Lists::new(map))
        .collect::<Result<_>>()?;
    let nulls = NullBuffer::union_many(maps.iter().map(Lists::nulls));
    let columns: Vec<(ArrayRef, ArrayRef)> =
        maps.iter().map(Lists::entries).collect::<Result<_>>()?;
    let keys: Vec<&ArrayRef> = columns.iter().map(|(keys, _)| keys).collect();
    let compared = Keys::of(&keys)?;
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut lengths = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let before = places.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let mut known: HashMap<_, usize> = HashMap::new();
            for (map, lists) in maps.iter().enumerate() {
                for at in lists.range(row) {
                    let place = *known.entry(compared.key(map, at)).or_insert(places.len());
                    match places.get_mut(place) {
                        Some(earlier) => *earlier = (map, at),
                        None => places.push((map, at)),
                    }
                }
            }
        }
        lengths.push(places.len() - before);
    }
    let gathered = |columns: Vec<&ArrayRef>| -> Result<ArrayRef> {
        let columns: Vec<&dyn Array> = columns.into_iter().map(AsRef::as_ref).collect();
        Ok(interleave(&columns, &places)?)
    };
    let entries = (
        gathered(keys)?,
        gathered(columns.iter().map(|(_, values)| values).collect())?,
    );
    let map_type = first.data_type();
    let Some((key, value)) = entry_fields(map_type) else {
        return exec_err!("expected a map, found {map_type}");
    };
    let entries = (
        cast(&entries.0, key.data_type())?,
        cast(&entries.1, value.data_type())?,
    );
    build_map(map_type, entries, lengths, nulls)
}
