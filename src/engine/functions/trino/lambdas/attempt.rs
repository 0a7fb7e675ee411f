//! `try`: NULL for the rows that an expression fails for.
//!
//! The expression comes as a lambda without parameters, so that it is computed here and nowhere else. A
//! batch is computed as a whole; where that fails, its halves are, down to the rows that fail.

use arrow::array::{ArrayRef, UInt64Array, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};

use super::FAMILY;
use super::define::{Lambda, LambdaFunction, known};
use crate::engine::functions::trino::collections::index;
use crate::engine::functions::trino::define::Doc;

pub(super) const TRY: LambdaFunction = LambdaFunction {
    name: "try",
    doc: Doc {
        family: FAMILY,
        syntax: "try(expression) → T",
        description: "The value of an expression, NULL where it fails: a division by zero, a cast that \
            cannot be made, an argument that a function refuses, a number out of range.",
        example: "try(1 / 0) -- NULL",
    },
    forms: &["l"],
    coerce: |types| Ok(types.to_vec()),
    parameters: |_, _| known(vec![Vec::new()]),
    returns: |_, lambdas| {
        let answer = super::first(lambdas)?.as_ref().clone();
        Ok(answer.with_name("try").with_nullable(true))
    },
    coerce_by_lambdas: None,
    body: |call| {
        let expression = call.lambda(0)?;
        let rows = (0..call.n_rows).map(index);
        let rows = rows.collect::<Result<UInt64Array>>()?;
        attempt(expression, &rows, call.return_type)
    },
};

fn attempt(expression: &Lambda<'_>, rows: &UInt64Array, answer: &DataType) -> Result<ArrayRef> {
    let n_rows = arrow::array::Array::len(rows);
    let error = match expression.evaluate(&[], rows) {
        Ok(answers) => return Ok(answers),
        Err(error) => error,
    };
    if !is_of_the_data(&error) {
        return Err(error);
    }
    if n_rows <= 1 {
        return Ok(new_null_array(answer, n_rows));
    }
    let half = n_rows / 2;
    let first = attempt(expression, &rows.slice(0, half), answer)?;
    let second = attempt(expression, &rows.slice(half, n_rows - half), answer)?;
    Ok(concat(&[first.as_ref(), second.as_ref()])?)
}

/// Whether an error comes from a value, and not from the engine or the machine.
fn is_of_the_data(error: &DataFusionError) -> bool {
    matches!(
        error.find_root(),
        DataFusionError::Execution(_) | DataFusionError::ArrowError(_, _)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_engine_stay_errors() {
        for (error, expected) in [
            (DataFusionError::Execution("`x` cannot".to_owned()), true),
            (
                DataFusionError::from(arrow::error::ArrowError::DivideByZero),
                true,
            ),
            (DataFusionError::Internal("a bug".to_owned()), false),
            (
                DataFusionError::ResourcesExhausted("memory".to_owned()),
                false,
            ),
        ] {
            assert_eq!(is_of_the_data(&error), expected, "{error}");
            assert_eq!(is_of_the_data(&error.context("within")), expected);
        }
    }
}
