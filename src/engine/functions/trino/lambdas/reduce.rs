//! `reduce`: one value from the elements of an array.
//!
//! All rows take their first element together, then all that have a second one, and so on: one call of
//! the lambda for each place, not for each element.

use arrow::array::{Array, ArrayRef, UInt64Array, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::LambdaParametersProgress;

use super::FAMILY;
use super::arrays::elements;
use super::define::{Call, LambdaFunction};
use crate::engine::functions::trino::collections::{Lists, coerce_array, index, pick};
use crate::engine::functions::trino::define::Doc;

pub(super) const REDUCE: LambdaFunction = LambdaFunction {
    name: "reduce",
    doc: Doc {
        family: FAMILY,
        syntax: "reduce(array(T), state, function(S, T, S), function(S, R)) → R",
        description: "One value from an array: the first lambda makes the next state from the state and an \
            element, one element after the other; the second makes the answer from the last state. NULL \
            for NULL. The first state may be of a narrower type than the lambda gives.",
        example: "reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s) -- 75",
    },
    forms: &["vvll"],
    coerce: |types| {
        let mut coerced = types.to_vec();
        if let Some(array) = coerced.first_mut() {
            *array = coerce_array("reduce", array)?;
        }
        Ok(coerced)
    },
    parameters,
    returns: |_, lambdas| match lambdas {
        [_, answer] => Ok(answer
            .as_ref()
            .clone()
            .with_name("reduce")
            .with_nullable(true)),
        _ => plan_err!("`reduce` takes two lambdas"),
    },
    coerce_by_lambdas: Some(|values, lambdas| match (values, lambdas) {
        ([array, _], [state, _]) => Some(vec![array.clone(), state.clone()]),
        _ => None,
    }),
    body: reduce,
};

fn parameters(
    values: &[FieldRef],
    lambdas: &[Option<FieldRef>],
) -> Result<LambdaParametersProgress> {
    let elements = elements(values.get(..1).unwrap_or_default())?;
    let ([element], [_, first]) = (elements.as_slice(), values) else {
        return plan_err!("`reduce` takes an array and a state");
    };
    let nullable =
        |field: &FieldRef| -> FieldRef { field.as_ref().clone().with_nullable(true).into() };
    Ok(match lambdas {
        [Some(state), _] => {
            let state = nullable(state);
            LambdaParametersProgress::Complete(vec![
                vec![FieldRef::clone(&state), FieldRef::clone(element)],
                vec![state],
            ])
        }
        _ => LambdaParametersProgress::Partial(vec![
            Some(vec![nullable(first), FieldRef::clone(element)]),
            None,
        ]),
    })
}

fn reduce(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.value(0)?)?;
    let first = call.value(1)?;
    let states = last_states(call, &lists, first)?;
    let rows = (0..call.n_rows)
        .map(index)
        .collect::<Result<UInt64Array>>()?;
    let answers = call
        .lambda(1)?
        .evaluate_as(&[states], &rows, call.return_type)?;
    // A row without an array has no answer, whatever the lambda says.
    let rows = (0..call.n_rows).map(|row| (!lists.is_null(row)).then_some(row));
    pick(&answers, rows)
}

/// The state of each row after its last element.
fn last_states(call: &Call<'_>, lists: &Lists, first: &ArrayRef) -> Result<ArrayRef> {
    let state_type: &DataType = first.data_type();
    let n_rows = lists.n_rows();
    // The states of rows that have ended, in pieces, and where each row's is.
    let mut ended: Vec<ArrayRef> = vec![new_null_array(state_type, 1)];
    let mut place = vec![(0, 0); n_rows];
    let mut running: Vec<usize> = (0..n_rows).filter(|row| !lists.is_null(*row)).collect();
    let mut states = pick(first, running.iter().copied().map(Some))?;
    for at in 0.. {
        let goes_on = |row: usize| lists.range(row).len() > at;
        let (more, done): (Vec<_>, Vec<_>) = running
            .iter()
            .copied()
            .enumerate()
            .partition(|(_, row)| goes_on(*row));
        if !done.is_empty() {
            for (piece_row, (_, row)) in done.iter().enumerate() {
                if let Some(place) = place.get_mut(*row) {
                    *place = (ended.len(), piece_row);
                }
            }
            ended.push(pick(
                &states,
                done.iter().map(|(position, _)| Some(*position)),
            )?);
            states = pick(&states, more.iter().map(|(position, _)| Some(*position)))?;
            running = more.into_iter().map(|(_, row)| row).collect();
        }
        if running.is_empty() {
            break;
        }
        let positions = running.iter().map(|row| Some(lists.range(*row).start + at));
        let elements = pick(&lists.elements, positions)?;
        let rows = running.iter().copied().map(index);
        let rows = rows.collect::<Result<UInt64Array>>()?;
        states = call
            .lambda(0)?
            .evaluate_as(&[states, elements], &rows, state_type)?;
    }
    let ended: Vec<&dyn Array> = ended.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&ended, &place)?)
}
