//! `sequence`: numbers, dates or times from one to another.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::{Result, exec_err, plan_err};

use super::FAMILY;
use super::sets::first_type;
use crate::engine::functions::trino::collections::build_array;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

/// The most elements of one sequence, as in Trino.
const MOST_ELEMENTS: usize = 10_000;

const MICROSECONDS: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);
const STEP: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

pub(super) const SEQUENCE: Function = Function::new(
    "sequence",
    Doc {
        family: FAMILY,
        syntax: "sequence(start, stop) → array(bigint)\nsequence(start, stop, step) → array(bigint)\n\
                 sequence(start, stop) → array(date)\nsequence(start, stop, step) → array(timestamp)",
        description: "The numbers, dates or times from `start` to `stop`, both included, `step` apart: by \
            default 1 or -1, a day for dates; times need an interval. 10000 elements at most.",
        example: "sequence(1, 7, 3) -- [1, 4, 7]",
    },
    coerce,
    Returns::Type(|types| Ok(DataType::new_list(first_type(types)?, true))),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, n_rows| match arguments {
            [start, ..] if start.data_type() == &DataType::Int64 => {
                numbers(&return_type, arguments, n_rows)
            }
            _ => times(&return_type, arguments, n_rows),
        })
    },
);

fn coerce(types: &[DataType]) -> Result<Vec<DataType>> {
    let (start, stop, step) = match types {
        [start, stop] => (start, stop, None),
        [start, stop, step] => (start, stop, Some(step)),
        _ => return plan_err!("`sequence` takes 2 to 3 arguments, not {}", types.len()),
    };
    let is_interval =
        |step: &DataType| matches!(step, DataType::Interval(_) | DataType::Duration(_));
    let (element, step) = match (start, stop, step) {
        (DataType::Date32 | DataType::Timestamp(..), _, Some(step)) if is_interval(step) => {
            (start.clone(), Some(STEP))
        }
        (DataType::Date32, DataType::Date32 | DataType::Timestamp(..), None) => {
            (start.clone(), None)
        }
        (DataType::Timestamp(..), _, None) => {
            return plan_err!("`sequence` of times takes a step, like INTERVAL '1' HOUR");
        }
        (start, stop, step)
            if [Some(start), Some(stop), step]
                .into_iter()
                .flatten()
                .all(|given| given.is_integer() || given.is_null()) =>
        {
            (DataType::Int64, step.map(|_| DataType::Int64))
        }
        _ => return plan_err!("`sequence` takes integers, dates or times, not {start} and {stop}"),
    };
    let coerced = [Some(element.clone()), Some(element), step];
    Ok(coerced.into_iter().flatten().collect())
}

/// Runs `next` for the places of a sequence until it ends.
fn steps<T>(
    n_before: usize,
    elements: &mut Vec<T>,
    mut next: impl FnMut(usize) -> Result<Option<T>>,
) -> Result<()> {
    while let Some(element) = next(elements.len() - n_before)? {
        elements.push(element);
        if elements.len() - n_before > MOST_ELEMENTS {
            return exec_err!("`sequence` gives at most {MOST_ELEMENTS} elements");
        }
    }
    Ok(())
}

fn numbers(array_type: &DataType, arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [start, stop, step @ ..] = arguments else {
        return exec_err!("`sequence` takes 2 to 3 arguments");
    };
    let nulls = arrow::buffer::NullBuffer::union_many(arguments.iter().map(|given| given.nulls()));
    let (start, stop) = (
        start.as_primitive::<Int64Type>(),
        stop.as_primitive::<Int64Type>(),
    );
    let step = step.first().map(|step| step.as_primitive::<Int64Type>());
    let mut elements: Vec<i64> = Vec::new();
    let mut lengths = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let before = elements.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let (start, stop) = (start.value(row), stop.value(row));
            let step = match step {
                Some(step) => step.value(row),
                None if start <= stop => 1,
                None => -1,
            };
            if step == 0 || (start < stop && step < 0) || (start > stop && step > 0) {
                return exec_err!("`sequence` never comes from {start} to {stop} by {step}");
            }
            let mut element = Some(start);
            steps(before, &mut elements, |_| {
                let given = element.filter(|given| {
                    if step > 0 {
                        *given <= stop
                    } else {
                        *given >= stop
                    }
                });
                element = given.and_then(|given| given.checked_add(step));
                Ok(given)
            })?;
        }
        lengths.push(elements.len() - before);
    }
    build_array(
        array_type,
        Arc::new(Int64Array::from(elements)),
        lengths,
        nulls,
    )
}

fn times(array_type: &DataType, arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [first, stop, step @ ..] = arguments else {
        return exec_err!("`sequence` takes 2 to 3 arguments");
    };
    let nulls = arrow::buffer::NullBuffer::union_many(arguments.iter().map(|given| given.nulls()));
    let start = cast(first, &MICROSECONDS)?;
    let stop = cast(stop, &MICROSECONDS)?;
    let start = start.as_primitive::<TimestampMicrosecondType>();
    let stop = stop.as_primitive::<TimestampMicrosecondType>();
    let step = step
        .first()
        .map(|step| step.as_primitive::<IntervalMonthDayNanoType>());
    let mut elements: Vec<i64> = Vec::new();
    let mut lengths = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let before = elements.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let (start, stop) = (start.value(row), stop.value(row));
            let step = match step {
                Some(step) => step.value(row),
                None if start <= stop => IntervalMonthDayNano::new(0, 1, 0),
                None => IntervalMonthDayNano::new(0, -1, 0),
            };
            let forward = is_forward(step);
            if forward.is_none_or(|forward| (start < stop && !forward) || (start > stop && forward))
            {
                return exec_err!("`sequence` never comes from its start to its stop by its step");
            }
            let forward = forward.unwrap_or_default();
            steps(before, &mut elements, |n| {
                let element = after(start, step, n);
                Ok(element.filter(|at| if forward { *at <= stop } else { *at >= stop }))
            })?;
        }
        lengths.push(elements.len() - before);
    }
    let element_type = first.data_type();
    let elements: ArrayRef = Arc::new(TimestampMicrosecondArray::from(elements));
    build_array(array_type, cast(&elements, element_type)?, lengths, nulls)
}

/// Whether a step leads to later times; `None` where it leads nowhere, or both ways.
fn is_forward(step: IntervalMonthDayNano) -> Option<bool> {
    let parts = [
        i64::from(step.months),
        i64::from(step.days),
        step.nanoseconds,
    ];
    let later = parts.iter().any(|part| *part > 0);
    let earlier = parts.iter().any(|part| *part < 0);
    (later != earlier).then_some(later)
}

/// The time `n` steps after another, in microseconds.
fn after(start: i64, step: IntervalMonthDayNano, n: usize) -> Option<i64> {
    let times = i32::try_from(n).ok()?;
    let step = IntervalMonthDayNano::new(
        step.months.checked_mul(times)?,
        step.days.checked_mul(times)?,
        step.nanoseconds.checked_mul(i64::from(times))?,
    );
    let utc = "+00:00".parse::<arrow::array::timezone::Tz>().ok()?;
    TimestampMicrosecondType::add_month_day_nano(start, step, utc)
}
