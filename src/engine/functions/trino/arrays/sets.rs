//! Arrays as sets: `array_distinct`, `array_except`, `array_intersect`, `array_union`, `array_remove`,
//! `arrays_overlap`, `array_histogram`. NULL is an element like others, and equals NULL.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_err, plan_err};

use super::FAMILY;
use super::common::{array_and_element, chosen, one_array, two_arrays};
use crate::engine::functions::trino::collections::{
    Lists, build_array, build_map, element_field, map_of, pick,
};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::keys::{Keys, pick_either};

/// The type of the first argument.
pub(super) fn first_type(types: &[DataType]) -> Result<DataType> {
    match types.first() {
        Some(first) => Ok(first.clone()),
        None => plan_err!("an argument is missing"),
    }
}

pub(super) const ARRAY_DISTINCT: Function = Function::new(
    "array_distinct",
    Doc {
        family: FAMILY,
        syntax: "array_distinct(array(T)) → array(T)",
        description: "Every element once, where it stood first.",
        example: "array_distinct(ARRAY[2, 1, 2]) -- [2, 1]",
    },
    |types| one_array("array_distinct", types),
    Returns::Type(first_type),
    |args| {
        over_arrays(args, |arguments, _| {
            let [array] = arguments else {
                return exec_err!("`array_distinct` takes one argument");
            };
            let lists = Lists::new(array)?;
            let keys = Keys::of(&[&lists.elements])?;
            let mut seen = HashSet::new();
            chosen(array.data_type(), &lists, |_, range, out| {
                seen.clear();
                out.extend(range.filter(|at| seen.insert(keys.key(0, *at))).map(Some));
                Ok(true)
            })
        })
    },
);

pub(super) const ARRAY_EXCEPT: Function = Function::new(
    "array_except",
    Doc {
        family: FAMILY,
        syntax: "array_except(array(T), array(T)) → array(T)",
        description: "The elements of the first array that are not in the second, every one once.",
        example: "array_except(ARRAY[1, 2, 3], ARRAY[2]) -- [1, 3]",
    },
    |types| two_arrays("array_except", types),
    Returns::Type(first_type),
    |args| over_arrays(args, |arguments, _| compared_sets(arguments, false)),
);

pub(super) const ARRAY_INTERSECT: Function = Function::new(
    "array_intersect",
    Doc {
        family: FAMILY,
        syntax: "array_intersect(array(T), array(T)) → array(T)",
        description: "The elements that are in both arrays, every one once.",
        example: "array_intersect(ARRAY[1, 2, 3], ARRAY[3, 2]) -- [2, 3]",
    },
    |types| two_arrays("array_intersect", types),
    Returns::Type(first_type),
    |args| over_arrays(args, |arguments, _| compared_sets(arguments, true)),
);

/// The elements of the first array that are, or are not, in the second.
fn compared_sets(arguments: &[ArrayRef], wanted: bool) -> Result<ArrayRef> {
    let [left, right] = arguments else {
        return exec_err!("two arrays are compared");
    };
    let (lists, others) = (Lists::new(left)?, Lists::new(right)?);
    let keys = Keys::of(&[&lists.elements, &others.elements])?;
    let mut seen = HashSet::new();
    chosen(left.data_type(), &lists, |row, range, out| {
        seen.clear();
        let others_of_row = keys.positions(1, others.range(row));
        let fits = |at: &usize| others_of_row.contains_key(&keys.key(0, *at)) == wanted;
        let once = range.filter(|at| fits(at) && seen.insert(keys.key(0, *at)));
        out.extend(once.map(Some));
        Ok(!others.is_null(row))
    })
}

pub(super) const ARRAY_UNION: Function = Function::new(
    "array_union",
    Doc {
        family: FAMILY,
        syntax: "array_union(array(T), array(T)) → array(T)",
        description: "The elements of both arrays, every one once.",
        example: "array_union(ARRAY[1, 2], ARRAY[2, 3]) -- [1, 2, 3]",
    },
    |types| two_arrays("array_union", types),
    Returns::Type(first_type),
    |args| over_arrays(args, union),
);

fn union(arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [left, right] = arguments else {
        return exec_err!("`array_union` takes two arguments");
    };
    let (lefts, rights) = (Lists::new(left)?, Lists::new(right)?);
    let keys = Keys::of(&[&lefts.elements, &rights.elements])?;
    let mut places = Vec::new();
    let mut lengths = Vec::with_capacity(n_rows);
    let nulls = NullBuffer::union(lefts.nulls(), rights.nulls());
    for row in 0..n_rows {
        let before = places.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let mut seen = HashSet::new();
            let from_left = lefts.range(row).filter(|at| seen.insert(keys.key(0, *at)));
            places.extend(from_left.map(|at| (Some(at), None)));
            let from_right = rights.range(row).filter(|at| seen.insert(keys.key(1, *at)));
            places.extend(from_right.map(|at| (None, Some(at))));
        }
        lengths.push(places.len() - before);
    }
    let elements = pick_either(&lefts.elements, &rights.elements, &places)?;
    build_array(left.data_type(), elements, lengths, nulls)
}

pub(super) const ARRAY_REMOVE: Function = Function::new(
    "array_remove",
    Doc {
        family: FAMILY,
        syntax: "array_remove(array(T), element) → array(T)",
        description: "The array without the elements that equal the given one. NULL where that is NULL.",
        example: "array_remove(ARRAY[1, 2, 1], 1) -- [2]",
    },
    |types| array_and_element("array_remove", types),
    Returns::Type(first_type),
    |args| {
        over_arrays(args, |arguments, _| {
            let [array, removed] = arguments else {
                return exec_err!("`array_remove` takes two arguments");
            };
            let lists = Lists::new(array)?;
            let keys = Keys::of(&[&lists.elements, removed])?;
            chosen(array.data_type(), &lists, |row, range, out| {
                let kept = range.filter(|at| keys.key(0, *at) != keys.key(1, row));
                out.extend(kept.map(Some));
                Ok(removed.is_valid(row))
            })
        })
    },
);

pub(super) const ARRAYS_OVERLAP: Function = Function::new(
    "arrays_overlap",
    Doc {
        family: FAMILY,
        syntax: "arrays_overlap(array(T), array(T)) → boolean",
        description: "Whether the arrays have an element in common that is not NULL. NULL where they have \
            none, but one of them has a NULL and the other an element.",
        example: "arrays_overlap(ARRAY[1, 2], ARRAY[2, 3]) -- true",
    },
    |types| two_arrays("arrays_overlap", types),
    Returns::Type(|_| Ok(DataType::Boolean)),
    |args| over_arrays(args, overlap),
);

fn overlap(arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [left, right] = arguments else {
        return exec_err!("`arrays_overlap` takes two arguments");
    };
    let (lefts, rights) = (Lists::new(left)?, Lists::new(right)?);
    let keys = Keys::of(&[&lefts.elements, &rights.elements])?;
    let answers = (0..n_rows).map(|row| {
        if lefts.is_null(row) || rights.is_null(row) {
            return None;
        }
        let (left, right) = (lefts.range(row), rights.range(row));
        if left.is_empty() || right.is_empty() {
            return Some(false);
        }
        let known = keys.positions(1, right.clone());
        let is_value = |at: &usize| lefts.elements.is_valid(*at);
        let is_common = |at: usize| known.contains_key(&keys.key(0, at));
        if left.clone().filter(is_value).any(is_common) {
            return Some(true);
        }
        let has_null = left.clone().any(|at| lefts.elements.is_null(at))
            || right.clone().any(|at| rights.elements.is_null(at));
        (!has_null).then_some(false)
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}

pub(super) const ARRAY_HISTOGRAM: Function = Function::new(
    "array_histogram",
    Doc {
        family: FAMILY,
        syntax: "array_histogram(array(T)) → map(T, bigint)",
        description: "How often each element is in the array. NULL elements do not count.",
        example: "array_histogram(ARRAY['a', 'b', 'a']) -- {a=2, b=1}",
    },
    |types| one_array("array_histogram", types),
    Returns::Type(
        |types| match first_type(types).as_ref().map(element_field) {
            Ok(Some(element)) => Ok(map_of(element, &Field::new("", DataType::Int64, true))),
            _ => plan_err!("`array_histogram` takes an array"),
        },
    ),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, n_rows| {
            histogram(&return_type, arguments, n_rows)
        })
    },
);

fn histogram(map_type: &DataType, arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [array] = arguments else {
        return exec_err!("`array_histogram` takes one argument");
    };
    let lists = Lists::new(array)?;
    let keys = Keys::of(&[&lists.elements])?;
    let mut positions = Vec::new();
    let mut counts: Vec<i64> = Vec::new();
    let mut lengths = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let before = counts.len();
        let mut known = HashMap::new();
        for at in lists.range(row).filter(|at| lists.elements.is_valid(*at)) {
            let entry = *known.entry(keys.key(0, at)).or_insert_with(|| {
                positions.push(Some(at));
                counts.push(0);
                counts.len() - 1
            });
            if let Some(count) = counts.get_mut(entry) {
                *count += 1;
            }
        }
        lengths.push(counts.len() - before);
    }
    let entries: (ArrayRef, ArrayRef) = (
        pick(&lists.elements, positions)?,
        Arc::new(Int64Array::from(counts)),
    );
    build_map(map_type, entries, lengths, lists.nulls().cloned())
}
