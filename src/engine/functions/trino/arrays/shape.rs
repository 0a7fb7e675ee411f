//! Arrays made of others: `array_join`, `combinations`, `flatten`, `ngrams`, `repeat`, `zip`, and what
//! `concat` means for arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};

use super::FAMILY;
use super::common::{array_and_integers, common, counted, one_array};
use super::sets::first_type;
use crate::engine::functions::trino::collections::{
    Lists, build_array, coerce_array, element_field, pick,
};
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

/// The most elements that one call may make of a row; Trino has the same bounds on some of these.
const MOST_ELEMENTS: usize = 100_000;

pub(super) const ARRAY_JOIN: Function = Function::new(
    "array_join",
    Doc {
        family: FAMILY,
        syntax: "array_join(array, delimiter) → varchar\n\
                 array_join(array, delimiter, null_replacement) → varchar",
        description: "The elements as one text, with the delimiter between them. NULL elements are left out, \
            or replaced.",
        example: "array_join(ARRAY['a', NULL, 'b'], ', ', '-') -- a, -, b",
    },
    |types| match types {
        [array, rest @ ..] if (1..=2).contains(&rest.len()) => {
            let array = coerce_array("array_join", array)?;
            if element_field(&array).is_some_and(|element| element.data_type().is_nested()) {
                return plan_err!("`array_join` takes no {array}");
            }
            let texts = vec![DataType::Utf8View; rest.len()];
            let array = DataType::new_list(DataType::Utf8View, true);
            Ok([vec![array], texts].concat())
        }
        _ => plan_err!("`array_join` takes 2 to 3 arguments, not {}", types.len()),
    },
    Returns::Type(|_| Ok(DataType::Utf8View)),
    |args| over_arrays(args, join),
);

fn join(arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let [array, delimiters, replacements @ ..] = arguments else {
        return exec_err!("`array_join` takes 2 to 3 arguments");
    };
    let lists = Lists::new(array)?;
    let elements = cast(&lists.elements, &DataType::Utf8View)?;
    let elements = elements.as_string_view();
    let delimiters = delimiters.as_string_view();
    let replacements = replacements.first().map(|texts| texts.as_string_view());
    let mut builder = StringViewBuilder::with_capacity(n_rows);
    for row in 0..n_rows {
        let unknown = replacements.is_some_and(|texts| texts.is_null(row));
        if lists.is_null(row) || delimiters.is_null(row) || unknown {
            builder.append_null();
            continue;
        }
        let replacement = replacements.map(|texts| texts.value(row));
        let texts = lists
            .range(row)
            .filter_map(|at| match elements.is_valid(at) {
                true => Some(elements.value(at)),
                false => replacement,
            });
        let texts: Vec<&str> = texts.collect();
        builder.append_value(texts.join(delimiters.value(row)));
    }
    Ok(Arc::new(builder.finish()))
}

/// Of each row some arrays of its elements, as `choose` puts them into the list.
fn nested(
    array_type: &DataType,
    lists: &Lists,
    nulls: Option<&NullBuffer>,
    mut choose: impl FnMut(usize, Vec<usize>) -> Result<Vec<Vec<usize>>>,
) -> Result<ArrayRef> {
    let Some(inner) = element_field(array_type) else {
        return exec_err!("expected arrays of arrays, found {array_type}");
    };
    let mut positions = Vec::new();
    let mut inner_lengths = Vec::new();
    let mut lengths = Vec::with_capacity(lists.n_rows());
    for row in 0..lists.n_rows() {
        let arrays = match nulls {
            Some(nulls) if nulls.is_null(row) => Vec::new(),
            _ => choose(row, lists.range(row).collect())?,
        };
        lengths.push(arrays.len());
        for array in arrays {
            inner_lengths.push(array.len());
            positions.extend(array.into_iter().map(Some));
        }
    }
    let elements = pick(&lists.elements, positions)?;
    let arrays = build_array(inner.data_type(), elements, inner_lengths, None)?;
    build_array(array_type, arrays, lengths, nulls.cloned())
}

fn array_of_first(types: &[DataType]) -> Result<DataType> {
    Ok(DataType::new_list(first_type(types)?, true))
}

pub(super) const COMBINATIONS: Function = Function::new(
    "combinations",
    Doc {
        family: FAMILY,
        syntax: "combinations(array(T), n) → array(array(T))",
        description: "All choices of `n` elements, 5 at most, in the order of their places; 100000 choices at \
            most.",
        example: "combinations(ARRAY[1, 2, 3], 2) -- [[1, 2], [1, 3], [2, 3]]",
    },
    |types| array_and_integers("combinations", types, 1),
    Returns::Type(array_of_first),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, _| {
            let [array, n] = arguments else {
                return exec_err!("`combinations` takes two arguments");
            };
            let nulls = NullBuffer::union(array.nulls(), n.nulls());
            let n = n.as_primitive::<Int64Type>();
            nested(
                &return_type,
                &Lists::new(array)?,
                nulls.as_ref(),
                |row, elements| match usize::try_from(n.value(row)) {
                    Ok(n) if n <= 5 => combinations(&elements, n),
                    _ => exec_err!(
                        "`combinations` chooses 0 to 5 elements, not {}",
                        n.value(row)
                    ),
                },
            )
        })
    },
);

fn combinations(elements: &[usize], n: usize) -> Result<Vec<Vec<usize>>> {
    let mut chosen = vec![Vec::new()];
    for left in (0..n).rev() {
        let mut longer = Vec::new();
        for start in chosen {
            let from = start
                .last()
                .and_then(|last| elements.iter().position(|element| element == last))
                .map_or(0, |last| last + 1);
            // Enough elements must be left for the rest.
            let until = elements.len().saturating_sub(left);
            for element in elements.get(from..until).unwrap_or_default() {
                let mut choice: Vec<usize> = start.clone();
                choice.push(*element);
                longer.push(choice);
            }
            if longer.len() > MOST_ELEMENTS {
                return exec_err!("`combinations` gives more than {MOST_ELEMENTS} choices");
            }
        }
        chosen = longer;
    }
    Ok(chosen)
}

pub(super) const NGRAMS: Function = Function::new(
    "ngrams",
    Doc {
        family: FAMILY,
        syntax: "ngrams(array(T), n) → array(array(T))",
        description: "All runs of `n` elements; the whole array where it is shorter.",
        example: "ngrams(ARRAY['a', 'b', 'c'], 2) -- [[a, b], [b, c]]",
    },
    |types| array_and_integers("ngrams", types, 1),
    Returns::Type(array_of_first),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, _| {
            let [array, n] = arguments else {
                return exec_err!("`ngrams` takes two arguments");
            };
            let nulls = NullBuffer::union(array.nulls(), n.nulls());
            let n = n.as_primitive::<Int64Type>();
            nested(
                &return_type,
                &Lists::new(array)?,
                nulls.as_ref(),
                |row, elements| match usize::try_from(n.value(row)) {
                    Ok(n) if n > 0 => Ok(if elements.len() <= n {
                        vec![elements]
                    } else {
                        elements.windows(n).map(<[usize]>::to_vec).collect()
                    }),
                    _ => exec_err!("`ngrams` takes a positive length, not {}", n.value(row)),
                },
            )
        })
    },
);

pub(super) const FLATTEN: Function = Function::new(
    "flatten",
    Doc {
        family: FAMILY,
        syntax: "flatten(array(array(T))) → array(T)",
        description: "The elements of all inner arrays; those that are NULL are left out.",
        example: "flatten(ARRAY[ARRAY[1, 2], ARRAY[3]]) -- [1, 2, 3]",
    },
    |types| match one_array("flatten", types)?.as_slice() {
        [DataType::List(inner)] => {
            let inner = coerce_array("flatten", inner.data_type())?;
            Ok(vec![DataType::new_list(inner, true)])
        }
        _ => plan_err!("`flatten` takes an array of arrays"),
    },
    Returns::Type(|types| match element_field(&first_type(types)?) {
        Some(inner) => Ok(inner.data_type().clone()),
        None => plan_err!("`flatten` takes an array of arrays"),
    }),
    |args| {
        over_arrays(args, |arguments, n_rows| {
            let [array] = arguments else {
                return exec_err!("`flatten` takes one argument");
            };
            let outer = Lists::new(array)?;
            let inner = Lists::new(&outer.elements)?;
            let length = |row| outer.range(row).map(|at| inner.range(at).len()).sum();
            build_array(
                outer.elements.data_type(),
                ArrayRef::clone(&inner.elements),
                (0..n_rows).map(length),
                outer.nulls().cloned(),
            )
        })
    },
);

pub(super) const REPEAT: Function = Function::new(
    "repeat",
    Doc {
        family: FAMILY,
        syntax: "repeat(element, count) → array(T)",
        description: "An array of that many times the element, 100000 at most. NULL where the count is NULL.",
        example: "repeat('a', 2) -- [a, a]",
    },
    |types| {
        let [element, count] = counted::<2>("repeat", types)?;
        if !count.is_integer() && !count.is_null() {
            return plan_err!("`repeat` takes an integer, not {count}");
        }
        Ok(vec![element.clone(), DataType::Int64])
    },
    Returns::Type(array_of_first),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, n_rows| {
            let [elements, counts] = arguments else {
                return exec_err!("`repeat` takes two arguments");
            };
            let counts = counts.as_primitive::<Int64Type>();
            let mut lengths = Vec::with_capacity(n_rows);
            for row in 0..n_rows {
                let count = if counts.is_null(row) {
                    0
                } else {
                    counts.value(row).max(0)
                };
                match usize::try_from(count) {
                    Ok(count) if count <= MOST_ELEMENTS => lengths.push(count),
                    _ => return exec_err!("`repeat` gives at most {MOST_ELEMENTS} elements"),
                }
            }
            let positions = lengths.iter().enumerate();
            let positions = positions.flat_map(|(row, n)| std::iter::repeat_n(Some(row), *n));
            let repeated = pick(elements, positions)?;
            build_array(
                &return_type,
                repeated,
                lengths.iter().copied(),
                counts.nulls().cloned(),
            )
        })
    },
);

pub(super) const ZIP: Function = Function::new(
    "zip",
    Doc {
        family: FAMILY,
        syntax: "zip(array(T1), array(T2), …) → array(row(T1, T2, …))",
        description: "Rows of the first elements of all arrays, of the second ones, and so on; shorter arrays \
            are filled up with NULL. The fields are `field0`, `field1` and so on. NULL where an array is \
            NULL.",
        example: "zip(ARRAY[1, 2], ARRAY['a']) -- [{1, a}, {2, NULL}]",
    },
    |types| {
        if types.len() < 2 {
            return plan_err!("`zip` takes two arrays or more, not {}", types.len());
        }
        types
            .iter()
            .map(|array| coerce_array("zip", array))
            .collect()
    },
    Returns::Type(|types| {
        let fields = types
            .iter()
            .enumerate()
            .map(|(at, array)| match element_field(array) {
                Some(element) => Ok(element
                    .as_ref()
                    .clone()
                    .with_name(format!("field{at}"))
                    .with_nullable(true)),
                None => plan_err!("`zip` takes arrays, not {array}"),
            });
        let fields = fields.collect::<Result<Fields>>()?;
        Ok(DataType::new_list(DataType::Struct(fields), true))
    }),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, n_rows| {
            zip(&return_type, arguments, n_rows)
        })
    },
);

fn zip(array_type: &DataType, arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let Some(DataType::Struct(fields)) = element_field(array_type).map(|row| row.data_type())
    else {
        return exec_err!("`zip` gives arrays of rows");
    };
    let lists: Vec<Lists> = arguments
        .iter()
        .map(|array| Lists::new(array))
        .collect::<Result<_>>()?;
    let nulls = NullBuffer::union_many(lists.iter().map(Lists::nulls));
    let lengths: Vec<usize> = (0..n_rows)
        .map(|row| match &nulls {
            Some(nulls) if nulls.is_null(row) => 0,
            _ => lists
                .iter()
                .map(|lists| lists.range(row).len())
                .max()
                .unwrap_or_default(),
        })
        .collect();
    let mut columns = Vec::with_capacity(lists.len());
    for lists in &lists {
        let positions = lengths.iter().enumerate().flat_map(|(row, length)| {
            let range = lists.range(row);
            (0..*length).map(move |at| (at < range.len()).then_some(range.start + at))
        });
        columns.push(pick(&lists.elements, positions)?);
    }
    let rows = StructArray::try_new(fields.clone(), columns, None)?;
    build_array(array_type, Arc::new(rows), lengths, nulls)
}

/// `concat` where an argument is an array, which `||` is too; that of texts is another function of the
/// same name.
pub(in crate::engine) const CONCAT: Function = Function::new(
    "concat",
    Doc {
        family: FAMILY,
        syntax: "concat(array(T), array(T), …) → array(T)\nconcat(array(T), element) → array(T)\n\
                 concat(element, array(T)) → array(T)",
        description: "The elements of all arrays, and elements, in their order. NULL where an array is NULL.",
        example: "concat(ARRAY[1], ARRAY[2, 3]) -- [1, 2, 3]",
    },
    coerce_concat,
    Returns::Type(
        |types| match types.iter().find(|given| element_field(given).is_some()) {
            Some(array) => Ok(array.clone()),
            None => plan_err!("`concat` takes an array"),
        },
    ),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, n_rows| {
            concat(&return_type, arguments, n_rows)
        })
    },
);

/// The elements' common type; what is no array is an element.
fn coerce_concat(types: &[DataType]) -> Result<Vec<DataType>> {
    let Some(first) = types.iter().find_map(element_field) else {
        return plan_err!("`concat` takes an array");
    };
    let depth = depth(first.data_type());
    let mut element = first.data_type().clone();
    for data_type in types {
        let other = match element_field(data_type) {
            Some(other)
                if self::depth(other.data_type()) == depth || other.data_type().is_null() =>
            {
                other.data_type()
            }
            _ => data_type,
        };
        element = common("concat", &element, other)?;
    }
    let array = Field::new_list_field(element.clone(), true);
    let is_array = |data_type: &DataType| {
        data_type.is_null()
            || element_field(data_type).is_some_and(|other| {
                self::depth(other.data_type()) == depth || other.data_type().is_null()
            })
    };
    Ok(types
        .iter()
        .map(|data_type| match is_array(data_type) {
            true => DataType::List(Arc::new(array.clone())),
            false => element.clone(),
        })
        .collect())
}

/// How many arrays are within each other.
fn depth(data_type: &DataType) -> usize {
    element_field(data_type).map_or(0, |element| 1 + depth(element.data_type()))
}

fn concat(array_type: &DataType, arguments: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
    let is_array = |argument: &ArrayRef| argument.data_type() == array_type;
    let lists: Vec<Option<Lists>> = arguments
        .iter()
        .map(|argument| is_array(argument).then(|| Lists::new(argument)).transpose())
        .collect::<Result<_>>()?;
    let nulls = NullBuffer::union_many(lists.iter().flatten().map(Lists::nulls));
    let mut places = Vec::new();
    let mut lengths = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let before = places.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            for (column, lists) in lists.iter().enumerate() {
                match lists {
                    Some(lists) => places.extend(lists.range(row).map(|at| (column, at))),
                    None => places.push((column, row)),
                }
            }
        }
        lengths.push(places.len() - before);
    }
    let columns = arguments.iter().zip(&lists);
    let columns = columns.map(|(argument, lists)| match lists {
        Some(lists) => lists.elements.as_ref(),
        None => argument.as_ref(),
    });
    let columns: Vec<&dyn Array> = columns.collect();
    let elements = interleave(&columns, &places)?;
    build_array(array_type, elements, lengths, nulls)
}
