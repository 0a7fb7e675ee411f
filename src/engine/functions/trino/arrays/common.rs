//! What the functions over arrays share: common types of elements, and arrays made of elements that
//! were picked from others.

use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;

use crate::engine::functions::trino::collections::{
    Lists, build_array, coerce_array, element_field, pick,
};

/// The type that values of two types can both be.
pub(super) fn common(name: &str, left: &DataType, right: &DataType) -> Result<DataType> {
    if left == right || right.is_null() {
        return Ok(left.clone());
    }
    if left.is_null() {
        return Ok(right.clone());
    }
    if let (Some(left), Some(right)) = (element_field(left), element_field(right)) {
        let element = common(name, left.data_type(), right.data_type())?;
        return Ok(DataType::new_list(element, true));
    }
    match comparison_coercion(left, right) {
        Some(common) => Ok(common),
        None => plan_err!("`{name}` cannot compare {left} with {right}"),
    }
}

/// The number of arguments, or an error that names the function.
pub(super) fn counted<'a, const N: usize>(
    name: &str,
    types: &'a [DataType],
) -> Result<&'a [DataType; N]> {
    match types.try_into() {
        Ok(types) => Ok(types),
        Err(_) => plan_err!("`{name}` takes {N} arguments, not {}", types.len()),
    }
}

/// Coerces one array.
pub(super) fn one_array(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let [array] = counted::<1>(name, types)?;
    Ok(vec![coerce_array(name, array)?])
}

/// Coerces two arrays of one type.
pub(super) fn two_arrays(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let [left, right] = counted::<2>(name, types)?;
    let (left, right) = (coerce_array(name, left)?, coerce_array(name, right)?);
    let both = coerce_array(name, &common(name, &left, &right)?)?;
    Ok(vec![both.clone(), both])
}

/// Coerces an array and a value that may be in it.
pub(super) fn array_and_element(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let [array, value] = counted::<2>(name, types)?;
    let array = coerce_array(name, array)?;
    match element_field(&array) {
        Some(element) if element.data_type() == value => Ok(vec![array.clone(), value.clone()]),
        Some(element) => {
            let element = common(name, element.data_type(), value)?;
            Ok(vec![DataType::new_list(element.clone(), true), element])
        }
        None => plan_err!("`{name}` takes an array, not {array}"),
    }
}

/// Coerces an array and an integer.
pub(super) fn array_and_integers(
    name: &str,
    types: &[DataType],
    n: usize,
) -> Result<Vec<DataType>> {
    let Some((array, integers)) = types.split_first() else {
        return plan_err!("`{name}` takes an array first");
    };
    if integers.len() != n {
        return plan_err!("`{name}` takes {} arguments, not {}", n + 1, types.len());
    }
    let mut coerced = vec![coerce_array(name, array)?];
    for integer in integers {
        if !integer.is_integer() && !integer.is_null() {
            return plan_err!("`{name}` takes integers, not {integer}");
        }
        coerced.push(DataType::Int64);
    }
    Ok(coerced)
}

/// Of each row's elements, those that `choose` puts into the list, in that order; `None` for NULL.
pub(super) fn chosen(
    array_type: &DataType,
    lists: &Lists,
    mut choose: impl FnMut(usize, Range<usize>, &mut Vec<Option<usize>>) -> Result<bool>,
) -> Result<ArrayRef> {
    let mut positions = Vec::with_capacity(lists.elements.len());
    let mut lengths = Vec::with_capacity(lists.n_rows());
    let mut valid = Vec::with_capacity(lists.n_rows());
    for row in 0..lists.n_rows() {
        let start = positions.len();
        let is_valid = !lists.is_null(row) && choose(row, lists.range(row), &mut positions)?;
        if !is_valid {
            positions.truncate(start);
        }
        lengths.push(positions.len() - start);
        valid.push(is_valid);
    }
    let elements = pick(&lists.elements, positions)?;
    build_array(array_type, elements, lengths, Some(NullBuffer::from(valid)))
}
