//! `array_sort`: by the order of the elements, or by a lambda that compares two of them.
//!
//! With a lambda, all rows are merged side by side: each step asks the lambda once, for one pair of every
//! merge that is not done. A lambda that contradicts itself gives some order, and no more.

use std::cmp::Ordering;
use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};

use super::FAMILY;
use super::arrays::elements;
use super::define::{Lambda, LambdaFunction, known};
use crate::engine::functions::trino::collections::{Lists, build_array, coerce_array, index, pick};
use crate::engine::functions::trino::define::Doc;
use crate::engine::functions::trino::keys::Keys;

pub(super) const ARRAY_SORT: LambdaFunction = LambdaFunction {
    name: "array_sort",
    doc: Doc {
        family: FAMILY,
        syntax: "array_sort(array(T)) → array(T)\n\
                 array_sort(array(T), function(T, T, int)) → array(T)",
        description: "The elements in ascending order, NULLs last; or in the order of the lambda, which \
            gives a negative number, 0 or a positive one where its first parameter is less than, equal to \
            or greater than the second. NULL for NULL.",
        example: "array_sort(ARRAY[3, NULL, 1]) -- [1, 3, NULL]",
    },
    forms: &["v", "vl"],
    coerce: |types| {
        types
            .iter()
            .map(|data_type| coerce_array("array_sort", data_type))
            .collect()
    },
    parameters: |values, lambdas| {
        let elements = elements(values)?;
        let pair = super::first(&elements)?;
        let pair = vec![pair.clone(), pair.clone()];
        known(lambdas.iter().map(|_| pair.clone()).collect())
    },
    returns: |values, lambdas| {
        if let Some(answer) = lambdas.first()
            && !answer.data_type().is_integer()
        {
            let answer = answer.data_type();
            return plan_err!("the lambda of `array_sort` must give an integer, not {answer}");
        }
        let array = super::first(values)?.data_type().clone();
        Ok(Field::new("array_sort", array, true))
    },
    coerce_by_lambdas: None,
    body: |call| {
        let lists = Lists::new(call.value(0)?)?;
        let order = if call.lambdas.is_empty() {
            natural_order(&lists)?
        } else {
            order_by(call.lambda(0)?, &lists)?
        };
        let sorted = pick(&lists.elements, order.into_iter().map(Some))?;
        let lengths = (0..lists.n_rows()).map(|row| lists.range(row).len());
        build_array(call.return_type, sorted, lengths, lists.nulls().cloned())
    },
};

fn natural_order(lists: &Lists) -> Result<Vec<usize>> {
    if lists.elements.data_type() == &DataType::Null {
        return Ok((0..lists.elements.len()).collect());
    }
    let keys = Keys::of(&[&lists.elements])?;
    let mut order = Vec::with_capacity(lists.elements.len());
    for row in 0..lists.n_rows() {
        let start = order.len();
        order.extend(lists.range(row));
        if let Some(row) = order.get_mut(start..) {
            row.sort_by(|left, right| keys.key(0, *left).cmp(&keys.key(0, *right)));
        }
    }
    Ok(order)
}

/// Two sorted runs of one row, becoming one.
struct Merge {
    row: usize,
    left: VecDeque<usize>,
    right: VecDeque<usize>,
    merged: VecDeque<usize>,
}

impl Merge {
    /// The pair that decides the next step; `None` where a run has ended.
    fn pair(&self) -> Option<(usize, usize)> {
        Some((*self.left.front()?, *self.right.front()?))
    }

    fn step(&mut self, order: Ordering) {
        let from = match order {
            Ordering::Less | Ordering::Equal => &mut self.left,
            Ordering::Greater => &mut self.right,
        };
        self.merged.extend(from.pop_front());
    }

    fn finish(mut self) -> VecDeque<usize> {
        self.merged.extend(self.left);
        self.merged.extend(self.right);
        self.merged
    }
}

fn order_by(lambda: &Lambda<'_>, lists: &Lists) -> Result<Vec<usize>> {
    let mut rows: Vec<VecDeque<VecDeque<usize>>> = (0..lists.n_rows())
        .map(|row| lists.range(row).map(|at| VecDeque::from([at])).collect())
        .collect();
    while rows.iter().any(|runs| runs.len() > 1) {
        let mut merges = Vec::new();
        let mut merged_rows: Vec<VecDeque<VecDeque<usize>>> = Vec::with_capacity(rows.len());
        for (row, mut runs) in rows.into_iter().enumerate() {
            let mut odd = VecDeque::new();
            while let Some(left) = runs.pop_front() {
                match runs.pop_front() {
                    Some(right) => merges.push(Merge {
                        row,
                        left,
                        right,
                        merged: VecDeque::new(),
                    }),
                    None => odd.push_back(left),
                }
            }
            merged_rows.push(odd);
        }
        run(lambda, lists, &mut merges)?;
        // An odd run is the last one of its row, so that equal elements keep their order.
        for merge in merges.into_iter().rev() {
            let row = merge.row;
            if let Some(runs) = merged_rows.get_mut(row) {
                runs.push_front(merge.finish());
            }
        }
        rows = merged_rows;
    }
    Ok(rows.into_iter().flatten().flatten().collect())
}

/// Asks the lambda until no merge has a question left.
fn run(lambda: &Lambda<'_>, lists: &Lists, merges: &mut [Merge]) -> Result<()> {
    loop {
        let mut asking: Vec<(&mut Merge, (usize, usize))> = merges
            .iter_mut()
            .filter_map(|merge| merge.pair().map(|pair| (merge, pair)))
            .collect();
        if asking.is_empty() {
            return Ok(());
        }
        let lefts = pick(&lists.elements, asking.iter().map(|(_, pair)| Some(pair.0)))?;
        let rights = pick(&lists.elements, asking.iter().map(|(_, pair)| Some(pair.1)))?;
        let rows = asking.iter().map(|(merge, _)| index(merge.row));
        let rows = rows.collect::<Result<UInt64Array>>()?;
        let answers = compare(lambda, &[lefts, rights], &rows)?;
        for ((merge, _), order) in asking.iter_mut().zip(answers) {
            merge.step(order);
        }
    }
}

fn compare(lambda: &Lambda<'_>, pairs: &[ArrayRef], rows: &UInt64Array) -> Result<Vec<Ordering>> {
    let answers = cast(&lambda.evaluate(pairs, rows)?, &DataType::Int64)?;
    if answers.null_count() > 0 {
        return exec_err!("the lambda of `array_sort` gives NULL");
    }
    let answers = answers.as_primitive::<Int64Type>();
    Ok(answers
        .values()
        .iter()
        .map(|answer| answer.cmp(&0))
        .collect())
}
