//! `max_by` and `min_by`: what stands beside the greatest or the least value.
//!
//! Of equal keys the one with the least value is taken, so that the answer does not depend on the order
//! that rows come in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::compute::{
    SortColumn, SortOptions, concat, filter, is_not_null, lexsort_to_indices, take,
};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Sort};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification};
use datafusion::logical_expr::{Expr, and};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use super::FAMILY;
use super::define::{Aggregate, Collector, array_value, column, field, null, plain};
use crate::engine::functions::trino::collections::array_of;
use crate::engine::functions::trino::define::Doc;

pub(super) const MAX_BY: Aggregate = Aggregate {
    name: "max_by",
    aliases: &[],
    doc: Doc {
        family: FAMILY,
        syntax: "max_by(x, y) → [same as x]\nmax_by(x, y, n) → array([same as x])",
        description: "The value of `x` beside the greatest `y`; with `n`, those beside the `n` greatest, in \
            descending order of `y`. Rows where `y` is NULL do not count. Among equal `y`, the least `x`.",
        example: "max_by(eventname, eventtime) -- the name of the last event",
    },
    coerce: |types| coerce("max_by", types),
    returns,
    state,
    collector: |args| Top::boxed(args, true),
    simplify: Some(|| simplify(false)),
    empty: null,
};

pub(super) const MIN_BY: Aggregate = Aggregate {
    name: "min_by",
    aliases: &[],
    doc: Doc {
        family: FAMILY,
        syntax: "min_by(x, y) → [same as x]\nmin_by(x, y, n) → array([same as x])",
        description: "The value of `x` beside the least `y`; with `n`, those beside the `n` least, in \
            ascending order of `y`. Rows where `y` is NULL do not count. Among equal `y`, the least `x`.",
        example: "min_by(sourceipaddress, eventtime) -- the address of the first event",
    },
    coerce: |types| coerce("min_by", types),
    returns,
    state,
    collector: |args| Top::boxed(args, false),
    simplify: Some(|| simplify(true)),
    empty: null,
};

fn coerce(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let mut types = plain(name, types, 2..=3)?;
    if let Some(n) = types.get_mut(2) {
        *n = DataType::Int64;
    }
    Ok(types)
}

fn returns(fields: &[FieldRef]) -> Result<Field> {
    let value = field(fields, 0)?;
    Ok(match fields.get(2) {
        None => value.as_ref().clone().with_nullable(true),
        Some(_) => Field::new("", array_of(value), true),
    })
}

fn state(inputs: &[FieldRef], _answer: &FieldRef) -> Vec<DataType> {
    let types = inputs.iter().take(2);
    types.map(|input| input.data_type().clone()).collect()
}

/// The form with two arguments is DataFusion's `first_value` of the ordered rows.
fn simplify(ascending: bool) -> AggregateFunctionSimplification {
    Box::new(move |mut call: AggregateFunction, _| {
        let [value, key] = call.params.args.as_slice() else {
            return Ok(Expr::AggregateFunction(call));
        };
        if call.params.distinct || !call.params.order_by.is_empty() {
            return Ok(Expr::AggregateFunction(call));
        }
        let counts = key.clone().is_not_null();
        let order = vec![
            Sort::new(key.clone(), ascending, false),
            Sort::new(value.clone(), true, false),
        ];
        let value = value.clone();
        call.params.args = vec![value];
        call.params.order_by = order;
        call.params.filter = Some(Box::new(match call.params.filter.take() {
            Some(filter) => and(*filter, counts),
            None => counts,
        }));
        Ok(Expr::AggregateFunction(AggregateFunction {
            func: first_value_udaf(),
            params: call.params,
        }))
    })
}

/// The most values that one array of these may have.
const MOST_VALUES: i64 = 10_000;

/// The first rows by key.
#[derive(Debug)]
struct Top {
    descending: bool,
    n: usize,
    answer: FieldRef,
    is_array: bool,
    values: ArrayRef,
    keys: ArrayRef,
}

impl Top {
    fn boxed(args: &AccumulatorArgs<'_>, descending: bool) -> Result<Box<dyn Collector>> {
        Ok(Box::new(Self {
            descending,
            n: match args.exprs.get(2) {
                Some(n) => constant_n(n)?,
                None => 1,
            },
            answer: FieldRef::clone(&args.return_field),
            is_array: args.exprs.len() > 2,
            values: new_empty_array(field(args.expr_fields, 0)?.data_type()),
            keys: new_empty_array(field(args.expr_fields, 1)?.data_type()),
        }))
    }

    /// Keeps the first of the rows that there are and of further ones.
    fn keep(&mut self, values: &ArrayRef, keys: &ArrayRef) -> Result<()> {
        let counts = is_not_null(keys)?;
        let (values, keys) = (filter(values, &counts)?, filter(keys, &counts)?);
        if keys.is_empty() {
            return Ok(());
        }
        let (values, keys) = self.first(&values, &keys)?;
        let values = concat(&[self.values.as_ref(), values.as_ref()])?;
        let keys = concat(&[self.keys.as_ref(), keys.as_ref()])?;
        (self.values, self.keys) = self.first(&values, &keys)?;
        Ok(())
    }

    fn first(&self, values: &ArrayRef, keys: &ArrayRef) -> Result<(ArrayRef, ArrayRef)> {
        let by = |values: &ArrayRef, descending| SortColumn {
            values: ArrayRef::clone(values),
            options: Some(SortOptions {
                descending,
                nulls_first: false,
            }),
        };
        let order = [by(keys, self.descending), by(values, false)];
        let first = lexsort_to_indices(&order, Some(self.n))?;
        Ok((take(values, &first, None)?, take(keys, &first, None)?))
    }
}

/// The number of values, which must be known before the rows are.
fn constant_n(n: &Arc<dyn PhysicalExpr>) -> Result<usize> {
    match n.downcast_ref::<Literal>().map(Literal::value) {
        Some(ScalarValue::Int64(Some(n))) if (1..=MOST_VALUES).contains(n) => {
            Ok(usize::try_from(*n).unwrap_or(1))
        }
        _ => {
            plan_err!("`max_by` and `min_by` take a constant number of values, 1 to {MOST_VALUES}")
        }
    }
}

impl Collector for Top {
    fn add(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        self.keep(column(arguments, 0)?, column(arguments, 1)?)
    }

    fn merge(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.keep(column(columns, 0)?, column(columns, 1)?)
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        Ok(vec![
            ArrayRef::clone(&self.values),
            ArrayRef::clone(&self.keys),
        ])
    }

    fn answer(&self) -> Result<ScalarValue> {
        let answer = self.answer.data_type();
        match (self.values.is_empty(), self.is_array) {
            (true, _) => null(answer),
            (false, true) => array_value(answer, ArrayRef::clone(&self.values)),
            (false, false) => ScalarValue::try_from_array(&self.values, 0),
        }
    }

    fn fresh(&self) -> Result<Box<dyn Collector>> {
        Ok(Box::new(Self {
            descending: self.descending,
            n: self.n,
            answer: FieldRef::clone(&self.answer),
            is_array: self.is_array,
            values: new_empty_array(self.values.data_type()),
            keys: new_empty_array(self.keys.data_type()),
        }))
    }

    fn size(&self) -> usize {
        self.values.get_array_memory_size() + self.keys.get_array_memory_size()
    }
}
