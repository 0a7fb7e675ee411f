//! `map_filter`, `transform_keys`, `transform_values`: one lambda over the entries of a map.
//! `map_zip_with`: over those of two.

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::filter as keep;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::LambdaParametersProgress;

use super::FAMILY;
use super::define::{Call, LambdaFunction, check_predicate, known};
use crate::engine::functions::trino::collections::{
    Lists, build_map, coerce_map, entry_fields, index, map_of, pick,
};
use crate::engine::functions::trino::define::Doc;
use crate::engine::functions::trino::keys::{Keys, check_distinct, pick_either};

pub(super) const MAP_FILTER: LambdaFunction = LambdaFunction {
    name: "map_filter",
    doc: Doc {
        family: FAMILY,
        syntax: "map_filter(map(K, V), function(K, V, boolean)) → map(K, V)",
        description: "The entries for which the lambda gives true. NULL for NULL.",
        example: "map_filter(MAP(ARRAY['a', 'b'], ARRAY[1, 9]), (k, v) -> v > 5) -- {b=9}",
    },
    forms: &["vl"],
    coerce: |types| coerce("map_filter", types),
    parameters: entry_parameters,
    returns: |values, lambdas| {
        check_predicate("map_filter", super::first(lambdas)?)?;
        let map = super::first(values)?.data_type().clone();
        Ok(Field::new("map_filter", map, true))
    },
    coerce_by_lambdas: None,
    body: map_filter,
};

pub(super) const TRANSFORM_KEYS: LambdaFunction = LambdaFunction {
    name: "transform_keys",
    doc: Doc {
        family: FAMILY,
        syntax: "transform_keys(map(K1, V), function(K1, V, K2)) → map(K2, V)",
        description: "The map with the keys that the lambda gives. An error where it gives NULL, or one key \
            twice. NULL for NULL.",
        example: "transform_keys(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> upper(k)) -- {A=1}",
    },
    forms: &["vl"],
    coerce: |types| coerce("transform_keys", types),
    parameters: entry_parameters,
    returns: |values, lambdas| {
        let (_, value) = entries(super::first(values)?)?;
        let map = map_of(super::first(lambdas)?, value);
        Ok(Field::new("transform_keys", map, true))
    },
    coerce_by_lambdas: None,
    body: |call| {
        let maps = Lists::new(call.value(0)?)?;
        let (keys, values) = maps.entries()?;
        let parameters = [keys, ArrayRef::clone(&values)];
        let keys = call
            .lambda(0)?
            .evaluate(&parameters, &maps.row_of_elements()?)?;
        if keys.null_count() > 0 {
            return exec_err!("the lambda of `transform_keys` gives NULL for a key");
        }
        check_distinct(
            "transform_keys",
            &keys,
            (0..maps.n_rows()).map(|row| maps.range(row)),
        )?;
        rebuilt(call, &maps, keys, values)
    },
};

pub(super) const TRANSFORM_VALUES: LambdaFunction = LambdaFunction {
    name: "transform_values",
    doc: Doc {
        family: FAMILY,
        syntax: "transform_values(map(K, V1), function(K, V1, V2)) → map(K, V2)",
        description: "The map with the values that the lambda gives. NULL for NULL.",
        example: "transform_values(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> v + 1) -- {a=2}",
    },
    forms: &["vl"],
    coerce: |types| coerce("transform_values", types),
    parameters: entry_parameters,
    returns: |values, lambdas| {
        let (key, _) = entries(super::first(values)?)?;
        let map = map_of(key, super::first(lambdas)?);
        Ok(Field::new("transform_values", map, true))
    },
    coerce_by_lambdas: None,
    body: |call| {
        let maps = Lists::new(call.value(0)?)?;
        let (keys, values) = maps.entries()?;
        let parameters = [ArrayRef::clone(&keys), values];
        let values = call
            .lambda(0)?
            .evaluate(&parameters, &maps.row_of_elements()?)?;
        rebuilt(call, &maps, keys, values)
    },
};

pub(super) const MAP_ZIP_WITH: LambdaFunction = LambdaFunction {
    name: "map_zip_with",
    doc: Doc {
        family: FAMILY,
        syntax: "map_zip_with(map(K, V1), map(K, V2), function(K, V1, V2, V3)) → map(K, V3)",
        description: "One map of two: what the lambda gives for each key and its values in both, NULL where \
            a map lacks the key. NULL where either map is NULL.",
        example: "map_zip_with(MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['a'], ARRAY[2]), (k, x, y) -> x + y) \
            -- {a=3}",
    },
    forms: &["vvl"],
    coerce: |types| coerce("map_zip_with", types),
    parameters: |values, _| match values {
        [left, right] => {
            let ((key, left), (_, right)) = (entries(left)?, entries(right)?);
            known(vec![vec![
                FieldRef::clone(key),
                nullable(left),
                nullable(right),
            ]])
        }
        _ => plan_err!("`map_zip_with` takes two maps"),
    },
    returns: |values, lambdas| {
        let (key, _) = entries(super::first(values)?)?;
        let map = map_of(key, super::first(lambdas)?);
        Ok(Field::new("map_zip_with", map, true))
    },
    coerce_by_lambdas: None,
    body: map_zip_with,
};

fn coerce(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    types
        .iter()
        .map(|data_type| coerce_map(name, data_type))
        .collect()
}

fn nullable(field: &FieldRef) -> FieldRef {
    field.as_ref().clone().with_nullable(true).into()
}

fn entries(map: &FieldRef) -> Result<(&FieldRef, &FieldRef)> {
    match entry_fields(map.data_type()) {
        Some(fields) => Ok(fields),
        None => plan_err!("expected a map, found {}", map.data_type()),
    }
}

fn entry_parameters(
    values: &[FieldRef],
    _lambdas: &[Option<FieldRef>],
) -> Result<LambdaParametersProgress> {
    let (key, value) = entries(super::first(values)?)?;
    known(vec![vec![FieldRef::clone(key), FieldRef::clone(value)]])
}

/// A map for each row of `maps`, with other keys or values.
fn rebuilt(call: &Call<'_>, maps: &Lists, keys: ArrayRef, values: ArrayRef) -> Result<ArrayRef> {
    let lengths = (0..maps.n_rows()).map(|row| maps.range(row).len());
    build_map(
        call.return_type,
        (keys, values),
        lengths,
        maps.nulls().cloned(),
    )
}

fn map_filter(call: &Call<'_>) -> Result<ArrayRef> {
    let maps = Lists::new(call.value(0)?)?;
    let (keys, values) = maps.entries()?;
    let parameters = [ArrayRef::clone(&keys), ArrayRef::clone(&values)];
    let tested = call
        .lambda(0)?
        .test(&parameters, &maps.row_of_elements()?)?;
    let kept = |at: &usize| tested.is_valid(*at) && tested.value(*at);
    let lengths = (0..maps.n_rows()).map(|row| maps.range(row).filter(kept).count());
    let entries = (keep(&keys, &tested)?, keep(&values, &tested)?);
    build_map(call.return_type, entries, lengths, maps.nulls().cloned())
}

fn map_zip_with(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (Lists::new(call.value(0)?)?, Lists::new(call.value(1)?)?);
    let ((left_keys, left_values), (right_keys, right_values)) =
        (left.entries()?, right.entries()?);
    let nulls = NullBuffer::union(left.nulls(), right.nulls());
    let keys = Keys::of_both(&left_keys, &right_keys)?;
    // Where a key's values are in both maps, row by row.
    let mut places: Vec<(Option<usize>, Option<usize>)> = Vec::new();
    let mut lengths = Vec::with_capacity(left.n_rows());
    let mut rows = Vec::new();
    for row in 0..left.n_rows() {
        let before = places.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let (lefts, rights) = (left.range(row), right.range(row));
            let in_right = keys.positions(1, rights.clone());
            let in_left = keys.positions(0, lefts.clone());
            places.extend(lefts.map(|at| (Some(at), in_right.get(&keys.key(0, at)).copied())));
            let only_right = rights.filter(|at| !in_left.contains_key(&keys.key(1, *at)));
            places.extend(only_right.map(|at| (None, Some(at))));
        }
        let length = places.len() - before;
        lengths.push(length);
        rows.extend(std::iter::repeat_n(row, length));
    }
    let parameters = [
        pick_either(&left_keys, &right_keys, &places)?,
        pick(&left_values, places.iter().map(|(left, _)| *left))?,
        pick(&right_values, places.iter().map(|(_, right)| *right))?,
    ];
    let rows = rows
        .into_iter()
        .map(index)
        .collect::<Result<UInt64Array>>()?;
    let answers = call.lambda(0)?.evaluate(&parameters, &rows)?;
    let [keys, ..] = parameters;
    build_map(call.return_type, (keys, answers), lengths, nulls)
}
