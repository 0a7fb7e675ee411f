//! `filter` and `transform`: one lambda over the elements of an array. `zip_with`: over those of two.

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::compute::filter as keep;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::LambdaParametersProgress;

use super::FAMILY;
use super::define::{Call, LambdaFunction, check_predicate, known};
use crate::engine::functions::trino::collections::{
    Lists, array_of, build_array, coerce_array, element_field, index, pick,
};
use crate::engine::functions::trino::define::Doc;

pub(super) const FILTER: LambdaFunction = LambdaFunction {
    name: "filter",
    doc: Doc {
        family: FAMILY,
        syntax: "filter(array(T), function(T, boolean)) → array(T)",
        description: "The elements for which the lambda gives true, in their order. NULL for NULL.",
        example: "filter(ARRAY[5, -6, NULL, 7], x -> x > 0) -- [5, 7]",
    },
    forms: &["vl"],
    coerce: coerce_filter,
    parameters: element_parameters,
    returns: return_filter,
    coerce_by_lambdas: None,
    body: filter,
};

pub(super) const TRANSFORM: LambdaFunction = LambdaFunction {
    name: "transform",
    doc: Doc {
        family: FAMILY,
        syntax: "transform(array(T), function(T, U)) → array(U)",
        description: "What the lambda gives for each element, in their order. NULL for NULL.",
        example: "transform(ARRAY[5, NULL, 6], x -> x + 1) -- [6, NULL, 7]",
    },
    forms: &["vl"],
    coerce: coerce_transform,
    parameters: element_parameters,
    returns: return_transform,
    coerce_by_lambdas: None,
    body: transform,
};

pub(super) const ZIP_WITH: LambdaFunction = LambdaFunction {
    name: "zip_with",
    doc: Doc {
        family: FAMILY,
        syntax: "zip_with(array(T), array(U), function(T, U, R)) → array(R)",
        description: "What the lambda gives for the first elements of both arrays, for the second ones, \
            and so on; the shorter array is filled up with NULL. NULL where either array is NULL.",
        example: "zip_with(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x * y) -- [3, 8]",
    },
    forms: &["vvl"],
    coerce: |types| {
        types
            .iter()
            .map(|data_type| coerce_array("zip_with", data_type))
            .collect()
    },
    parameters: |values, _| known(vec![elements(values)?]),
    returns: |_, lambdas| {
        let answer = super::first(lambdas)?;
        Ok(Field::new("zip_with", array_of(answer), true))
    },
    coerce_by_lambdas: None,
    body: zip_with,
};

fn coerce_filter(types: &[DataType]) -> Result<Vec<DataType>> {
    types
        .iter()
        .map(|data_type| coerce_array("filter", data_type))
        .collect()
}

fn coerce_transform(types: &[DataType]) -> Result<Vec<DataType>> {
    types
        .iter()
        .map(|data_type| coerce_array("transform", data_type))
        .collect()
}

/// The fields of the arrays' elements.
pub(super) fn elements(values: &[FieldRef]) -> Result<Vec<FieldRef>> {
    values
        .iter()
        .map(|value| match element_field(value.data_type()) {
            Some(element) => Ok(FieldRef::clone(element)),
            None => plan_err!("expected an array, found {}", value.data_type()),
        })
        .collect()
}

/// One lambda over the elements of the first value.
pub(super) fn element_parameters(
    values: &[FieldRef],
    _lambdas: &[Option<FieldRef>],
) -> Result<LambdaParametersProgress> {
    let elements = elements(values.get(..1).unwrap_or_default())?;
    known(vec![elements])
}

fn return_filter(values: &[FieldRef], lambdas: &[FieldRef]) -> Result<Field> {
    check_predicate("filter", super::first(lambdas)?)?;
    let array = super::first(values)?.data_type().clone();
    Ok(Field::new("filter", array, true))
}

fn return_transform(_values: &[FieldRef], lambdas: &[FieldRef]) -> Result<Field> {
    let answer = super::first(lambdas)?;
    Ok(Field::new("transform", array_of(answer), true))
}

fn filter(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.value(0)?)?;
    let parameters = [ArrayRef::clone(&lists.elements)];
    let tested = call
        .lambda(0)?
        .test(&parameters, &lists.row_of_elements()?)?;
    let kept = |at: &usize| tested.is_valid(*at) && tested.value(*at);
    let lengths = (0..lists.n_rows()).map(|row| lists.range(row).filter(kept).count());
    let elements = keep(&lists.elements, &tested)?;
    build_array(call.return_type, elements, lengths, lists.nulls().cloned())
}

fn transform(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.value(0)?)?;
    let parameters = [ArrayRef::clone(&lists.elements)];
    let answers = call
        .lambda(0)?
        .evaluate(&parameters, &lists.row_of_elements()?)?;
    let lengths = (0..lists.n_rows()).map(|row| lists.range(row).len());
    build_array(call.return_type, answers, lengths, lists.nulls().cloned())
}

fn zip_with(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (Lists::new(call.value(0)?)?, Lists::new(call.value(1)?)?);
    let nulls = NullBuffer::union(left.nulls(), right.nulls());
    let length = |row: usize| match &nulls {
        Some(nulls) if nulls.is_null(row) => 0,
        _ => left.range(row).len().max(right.range(row).len()),
    };
    let n_rows = left.n_rows();
    let padded = |lists: &Lists| {
        let positions = (0..n_rows).flat_map(|row| {
            let range = lists.range(row);
            (0..length(row)).map(move |at| (at < range.len()).then_some(range.start + at))
        });
        pick(&lists.elements, positions)
    };
    let rows = (0..n_rows).flat_map(|row| (0..length(row)).map(move |_| index(row)));
    let rows = rows.collect::<Result<_>>()?;
    let parameters = [padded(&left)?, padded(&right)?];
    let answers = call.lambda(0)?.evaluate(&parameters, &rows)?;
    let lengths: Vec<usize> = (0..n_rows).map(length).collect();
    build_array(call.return_type, answers, lengths, nulls)
}
