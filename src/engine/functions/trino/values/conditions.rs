//! Types and order: `typeof`, `greatest`, `least`.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, make_comparator};
use arrow::compute::interleave;
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use datafusion::scalar::ScalarValue;

use super::CONDITIONAL;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::type_names::type_name;

pub(super) const TYPEOF: Function = Function::new(
    "typeof",
    Doc {
        family: CONDITIONAL,
        syntax: "typeof(value) → varchar",
        description: "The name that Trino gives to the type of a value. CloudTrail's own times are \
            `varchar`, as in Athena.",
        example: "typeof(ARRAY[1]) -- array(bigint)",
    },
    |given| match given {
        [one] => Ok(vec![one.clone()]),
        _ => plan_err!("`typeof` takes one argument, not {}", given.len()),
    },
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| {
        let name = args.arg_fields.first().map(|field| type_name(field));
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8View(name)))
    },
);

pub(super) const GREATEST: Function = Function::new(
    "greatest",
    Doc {
        family: CONDITIONAL,
        syntax: "greatest(value, …) → type of the values",
        description: "The greatest of some values; NULL where one of them is, unlike in DataFusion.",
        example: "greatest(2, 7, 1) -- 7",
    },
    |given| common("greatest", given),
    Returns::Type(first),
    |args| extreme(args, Ordering::Greater),
);

pub(super) const LEAST: Function = Function::new(
    "least",
    Doc {
        family: CONDITIONAL,
        syntax: "least(value, …) → type of the values",
        description: "The least of some values; NULL where one of them is, unlike in DataFusion.",
        example: "least(2, 7, 1) -- 1",
    },
    |given| common("least", given),
    Returns::Type(first),
    |args| extreme(args, Ordering::Less),
);

fn first(given: &[DataType]) -> Result<DataType> {
    Ok(given.first().cloned().unwrap_or(DataType::Null))
}

/// One type for all.
fn common(name: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    let Some((first, others)) = given.split_first() else {
        return plan_err!("`{name}` takes at least one argument");
    };
    let mut common = first.clone();
    for other in others {
        let Some(wider) = comparison_coercion(&common, other) else {
            return plan_err!("`{name}` cannot compare `{common}` with `{other}`");
        };
        common = wider;
    }
    Ok(vec![common; given.len()])
}

fn extreme(args: &ScalarFunctionArgs, wanted: Ordering) -> Result<ColumnarValue> {
    over_arrays(args, |arrays, n_rows| {
        let Some((first, others)) = arrays.split_first() else {
            return plan_err!("`greatest` and `least` take at least one argument");
        };
        others.iter().try_fold(Arc::clone(first), |best, other| {
            better(&best, other, wanted, n_rows)
        })
    })
}

fn better(left: &ArrayRef, right: &ArrayRef, wanted: Ordering, n_rows: usize) -> Result<ArrayRef> {
    let compare = make_comparator(
        left.as_ref(),
        right.as_ref(),
        arrow::compute::SortOptions::default(),
    )?;
    let places: Vec<(usize, usize)> = (0..n_rows)
        .map(|row| {
            // NULL wins over everything.
            let is_right =
                !left.is_null(row) && (right.is_null(row) || compare(row, row) == wanted.reverse());
            (usize::from(is_right), row)
        })
        .collect();
    Ok(interleave(&[left.as_ref(), right.as_ref()], &places)?)
}
