//! `any_match`, `all_match`, `none_match`, with Trino's three-valued logic, and `find_first`,
//! `find_first_index`: what a predicate says of the elements of an array.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::{Result, exec_err};

use super::FAMILY;
use super::arrays::{element_parameters, elements};
use super::define::{Call, LambdaFunction, check_predicate};
use crate::engine::functions::trino::collections::{Lists, bigint, coerce_array, pick};
use crate::engine::functions::trino::define::Doc;

macro_rules! match_function {
    ($name:literal, $description:literal, $example:literal, $decided_by:expr, $decided:expr) => {
        LambdaFunction {
            name: $name,
            doc: Doc {
                family: FAMILY,
                syntax: concat!($name, "(array(T), function(T, boolean)) → boolean"),
                description: $description,
                example: $example,
            },
            forms: &["vl"],
            coerce: |types| coerce($name, types),
            parameters: element_parameters,
            returns: |_, lambdas| {
                check_predicate($name, super::first(lambdas)?)?;
                Ok(Field::new($name, DataType::Boolean, true))
            },
            coerce_by_lambdas: None,
            body: |call| judge(call, $decided_by, $decided),
        }
    };
}

pub(super) const ANY_MATCH: LambdaFunction = match_function!(
    "any_match",
    "Whether the lambda gives true for an element. False for an empty array. NULL for NULL, and where \
     no element gives true and one gives NULL.",
    "any_match(ARRAY['s3', 'iam'], x -> x = 'iam') -- true",
    true,
    true
);

pub(super) const ALL_MATCH: LambdaFunction = match_function!(
    "all_match",
    "Whether the lambda gives true for all elements. True for an empty array. NULL for NULL, and where \
     no element gives false and one gives NULL.",
    "all_match(ARRAY[2, 4], x -> x % 2 = 0) -- true",
    false,
    false
);

pub(super) const NONE_MATCH: LambdaFunction = match_function!(
    "none_match",
    "Whether the lambda gives true for no element. True for an empty array. NULL for NULL, and where no \
     element gives true and one gives NULL.",
    "none_match(ARRAY[2, 4], x -> x % 2 = 1) -- true",
    true,
    false
);

pub(super) const FIND_FIRST: LambdaFunction = LambdaFunction {
    name: "find_first",
    doc: Doc {
        family: FAMILY,
        syntax: "find_first(array(T), function(T, boolean)) → T\n\
                 find_first(array(T), index, function(T, boolean)) → T",
        description: "The first element for which the lambda gives true, looked for from `index` on; \
            where `index` is negative, from that element from the end, towards the start. NULL where \
            there is none.",
        example: "find_first(ARRAY[1, 7, 8], x -> x > 5) -- 7",
    },
    forms: &["vl", "vvl"],
    coerce: |types| coerce("find_first", types),
    parameters: element_parameters,
    returns: |values, lambdas| {
        check_predicate("find_first", super::first(lambdas)?)?;
        let elements = elements(values.get(..1).unwrap_or_default())?;
        let element = super::first(&elements)?.as_ref().clone();
        Ok(element.with_name("find_first").with_nullable(true))
    },
    coerce_by_lambdas: None,
    body: |call| {
        let (lists, found) = find(call)?;
        let positions = found.into_iter().map(|found| Some(found?.position));
        pick(&lists.elements, positions)
    },
};

pub(super) const FIND_FIRST_INDEX: LambdaFunction = LambdaFunction {
    name: "find_first_index",
    doc: Doc {
        family: FAMILY,
        syntax: "find_first_index(array(T), function(T, boolean)) → bigint\n\
                 find_first_index(array(T), index, function(T, boolean)) → bigint",
        description: "The place of the element that `find_first` finds, counted from 1. NULL where there \
            is none.",
        example: "find_first_index(ARRAY[1, 7, 8], x -> x > 5) -- 2",
    },
    forms: &["vl", "vvl"],
    coerce: |types| coerce("find_first_index", types),
    parameters: element_parameters,
    returns: |_, lambdas| {
        check_predicate("find_first_index", super::first(lambdas)?)?;
        Ok(Field::new("find_first_index", DataType::Int64, true))
    },
    coerce_by_lambdas: None,
    body: |call| {
        let (_, found) = find(call)?;
        let places = found.into_iter().map(|found| {
            let found = found.map(|found| bigint(found.in_row + 1));
            found.transpose()
        });
        Ok(Arc::new(places.collect::<Result<Int64Array>>()?))
    },
};

fn coerce(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let mut coerced = Vec::with_capacity(types.len());
    for (at, data_type) in types.iter().enumerate() {
        coerced.push(match at {
            0 => coerce_array(name, data_type)?,
            _ => DataType::Int64,
        });
    }
    Ok(coerced)
}

/// Where one element's answer decides for the row, the row's answer is `decided`; where no element
/// decides and none is unknown, it is the opposite.
fn judge(call: &Call<'_>, decided_by: bool, decided: bool) -> Result<ArrayRef> {
    let lists = Lists::new(call.value(0)?)?;
    let parameters = [ArrayRef::clone(&lists.elements)];
    let tested = call
        .lambda(0)?
        .test(&parameters, &lists.row_of_elements()?)?;
    let answers = lists.rows().map(|row| {
        let mut answer = Some(!decided);
        for at in row? {
            match tested.is_valid(at).then(|| tested.value(at)) {
                Some(tested) if tested == decided_by => return Some(decided),
                Some(_) => {}
                None => answer = None,
            }
        }
        answer
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}

/// A found element: its position among all, and in its row.
struct Found {
    position: usize,
    in_row: usize,
}

fn find(call: &Call<'_>) -> Result<(Lists, Vec<Option<Found>>)> {
    let lists = Lists::new(call.value(0)?)?;
    let parameters = [ArrayRef::clone(&lists.elements)];
    let tested = call
        .lambda(0)?
        .test(&parameters, &lists.row_of_elements()?)?;
    let from = call
        .values
        .get(1)
        .map(|from| from.as_primitive::<Int64Type>());
    let is_true = |at: &usize| tested.is_valid(*at) && tested.value(*at);
    let mut found = Vec::with_capacity(lists.n_rows());
    for row in 0..lists.n_rows() {
        let range = lists.range(row);
        let position = match from {
            None => range.clone().find(is_true),
            Some(from) if from.is_null(row) => None,
            Some(from) => find_from(range.clone(), from.value(row), is_true)?,
        };
        found.push(position.map(|position| Found {
            position,
            in_row: position - range.start,
        }));
    }
    Ok((lists, found))
}

fn find_from(
    range: Range<usize>,
    index: i64,
    is_true: impl Fn(&usize) -> bool,
) -> Result<Option<usize>> {
    let steps = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let Some(skipped) = steps.checked_sub(1) else {
        return exec_err!("arrays are counted from 1, so there is no index 0");
    };
    Ok(if index > 0 {
        range.skip(skipped).find(is_true)
    } else {
        range.rev().skip(skipped).find(is_true)
    })
}
