//! Elements by place or by order: `array_max`, `array_min`, `slice`, `trim_array`, `shuffle`, and what
//! `reverse` means for arrays.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{FieldRef, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::ReturnFieldArgs;

use super::FAMILY;
use super::common::{array_and_integers, chosen, one_array};
use super::sets::first_type;
use crate::engine::functions::trino::collections::{Lists, element_field, pick};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};
use crate::engine::functions::trino::keys::Keys;

pub(super) const ARRAY_MAX: Function = Function::new(
    "array_max",
    Doc {
        family: FAMILY,
        syntax: "array_max(array(T)) → T",
        description: "The greatest element. NULL where an element is NULL, or there is none.",
        example: "array_max(ARRAY[1, 3, 2]) -- 3",
    },
    |types| one_array("array_max", types),
    Returns::Field(element),
    |args| over_arrays(args, |arguments, _| extreme(arguments, true)),
);

pub(super) const ARRAY_MIN: Function = Function::new(
    "array_min",
    Doc {
        family: FAMILY,
        syntax: "array_min(array(T)) → T",
        description: "The least element. NULL where an element is NULL, or there is none.",
        example: "array_min(ARRAY[1, 3, 2]) -- 1",
    },
    |types| one_array("array_min", types),
    Returns::Field(element),
    |args| over_arrays(args, |arguments, _| extreme(arguments, false)),
);

pub(super) const ARRAY_FIRST: Function = Function::new(
    "array_first",
    Doc {
        family: FAMILY,
        syntax: "array_first(array(T)) → T",
        description: "The first element. NULL where there is none.",
        example: "array_first(ARRAY[1, 3, 2]) -- 1",
    },
    |types| one_array("array_first", types),
    Returns::Field(element),
    |args| {
        over_arrays(args, |arguments, _| {
            at_end(arguments, |mut range| range.next())
        })
    },
);

pub(super) const ARRAY_LAST: Function = Function::new(
    "array_last",
    Doc {
        family: FAMILY,
        syntax: "array_last(array(T)) → T",
        description: "The last element. NULL where there is none.",
        example: "array_last(ARRAY[1, 3, 2]) -- 2",
    },
    |types| one_array("array_last", types),
    Returns::Field(element),
    |args| {
        over_arrays(args, |arguments, _| {
            at_end(arguments, |mut range| range.next_back())
        })
    },
);

fn at_end(
    arguments: &[ArrayRef],
    choose: fn(std::ops::Range<usize>) -> Option<usize>,
) -> Result<ArrayRef> {
    let [array] = arguments else {
        return exec_err!("one array is expected");
    };
    let lists = Lists::new(array)?;
    let positions = (0..lists.n_rows()).map(|row| choose(lists.range(row)));
    pick(&lists.elements, positions)
}

fn element(args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let array = args.arg_fields.first().map(|field| field.data_type());
    match array.and_then(element_field) {
        Some(element) => Ok(element.as_ref().clone().with_nullable(true).into()),
        None => plan_err!("an array is missing"),
    }
}

fn extreme(arguments: &[ArrayRef], greatest: bool) -> Result<ArrayRef> {
    let [array] = arguments else {
        return exec_err!("one array is expected");
    };
    let lists = Lists::new(array)?;
    let keys = Keys::of(&[&lists.elements])?;
    let positions = (0..lists.n_rows()).map(|row| {
        let mut range = lists.range(row);
        if range.clone().any(|at| lists.elements.is_null(at)) {
            return None;
        }
        let first = range.next()?;
        Some(range.fold(first, |best, at| {
            let is_greater = keys.key(0, at) > keys.key(0, best);
            let is_less = keys.key(0, at) < keys.key(0, best);
            if (greatest && is_greater) || (!greatest && is_less) {
                at
            } else {
                best
            }
        }))
    });
    pick(&lists.elements, positions)
}

pub(super) const SLICE: Function = Function::new(
    "slice",
    Doc {
        family: FAMILY,
        syntax: "slice(array(T), start, length) → array(T)",
        description: "That many elements from a place on, which is counted from 1 or, where negative, from \
            the end. Empty where the place is outside; an error for place 0 and for negative lengths.",
        example: "slice(ARRAY[1, 2, 3], -2, 2) -- [2, 3]",
    },
    |types| array_and_integers("slice", types, 2),
    Returns::Type(first_type),
    |args| over_arrays(args, |arguments, _| slice(arguments)),
);

fn slice(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let [array, start, length] = arguments else {
        return exec_err!("`slice` takes three arguments");
    };
    let lists = Lists::new(array)?;
    let start = start.as_primitive::<Int64Type>();
    let length = length.as_primitive::<Int64Type>();
    chosen(array.data_type(), &lists, |row, range, out| {
        if start.is_null(row) || length.is_null(row) {
            return Ok(false);
        }
        let Ok(length) = usize::try_from(length.value(row)) else {
            return exec_err!("`slice` takes no negative length");
        };
        let steps = usize::try_from(start.value(row).unsigned_abs()).unwrap_or(usize::MAX);
        let skipped = match (start.value(row), steps.checked_sub(1)) {
            (start, Some(skipped)) if start > 0 => Some(skipped),
            (_, Some(_)) => range.len().checked_sub(steps),
            (_, None) => {
                return exec_err!("arrays are counted from 1, so `slice` takes no start 0");
            }
        };
        if let Some(skipped) = skipped {
            out.extend(range.skip(skipped).take(length).map(Some));
        }
        Ok(true)
    })
}

pub(super) const TRIM_ARRAY: Function = Function::new(
    "trim_array",
    Doc {
        family: FAMILY,
        syntax: "trim_array(array(T), n) → array(T)",
        description: "The array without its last `n` elements; an error where it has fewer.",
        example: "trim_array(ARRAY[1, 2, 3], 1) -- [1, 2]",
    },
    |types| array_and_integers("trim_array", types, 1),
    Returns::Type(first_type),
    |args| {
        over_arrays(args, |arguments, _| {
            let [array, n] = arguments else {
                return exec_err!("`trim_array` takes two arguments");
            };
            let lists = Lists::new(array)?;
            let n = n.as_primitive::<Int64Type>();
            chosen(array.data_type(), &lists, |row, range, out| {
                if n.is_null(row) {
                    return Ok(false);
                }
                let n = n.value(row);
                let kept = usize::try_from(n)
                    .ok()
                    .and_then(|n| range.len().checked_sub(n));
                let Some(kept) = kept else {
                    let length = range.len();
                    return exec_err!(
                        "`trim_array` cannot take {n} elements off an array of {length}"
                    );
                };
                out.extend(range.take(kept).map(Some));
                Ok(true)
            })
        })
    },
);

pub(super) const SHUFFLE: Function = Function::new(
    "shuffle",
    Doc {
        family: FAMILY,
        syntax: "shuffle(array(T)) → array(T)",
        description: "The elements in another order. Unlike in Trino the same for the same array, so that a \
            statement answers the same each time.",
        example: "shuffle(ARRAY[1, 2, 3]) -- [3, 1, 2]",
    },
    |types| one_array("shuffle", types),
    Returns::Type(first_type),
    |args| {
        over_arrays(args, |arguments, _| {
            let [array] = arguments else {
                return exec_err!("`shuffle` takes one argument");
            };
            let lists = Lists::new(array)?;
            chosen(array.data_type(), &lists, |_, range, out| {
                let mut order: Vec<usize> = range.collect();
                shuffle(&mut order);
                out.extend(order.into_iter().map(Some));
                Ok(true)
            })
        })
    },
);

/// Fisher and Yates, over numbers of a fixed row.
fn shuffle(order: &mut [usize]) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for last in (1..order.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let choices = u64::try_from(last + 1).unwrap_or(1);
        let choice = usize::try_from((state >> 33) % choices).unwrap_or_default();
        order.swap(last, choice);
    }
}

/// `reverse` of arrays; that of texts is another function of the same name.
pub(in crate::engine) const REVERSE: Function = Function::new(
    "reverse",
    Doc {
        family: FAMILY,
        syntax: "reverse(array(T)) → array(T)",
        description: "The elements from the last to the first.",
        example: "reverse(ARRAY[1, 2]) -- [2, 1]",
    },
    |types| one_array("reverse", types),
    Returns::Type(first_type),
    |args| {
        over_arrays(args, |arguments, _| {
            let [array] = arguments else {
                return exec_err!("`reverse` takes one argument");
            };
            let lists = Lists::new(array)?;
            chosen(array.data_type(), &lists, |_, range, out| {
                out.extend(range.rev().map(Some));
                Ok(true)
            })
        })
    },
);
