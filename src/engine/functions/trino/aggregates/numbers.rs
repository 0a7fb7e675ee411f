//! Aggregates over numbers and conditions: `count_if`, `approx_percentile`, `geometric_mean`, `entropy`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, new_empty_array};
use arrow::compute::{SortOptions, cast, concat, filter, is_not_null, sort, take};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Expr, and, lit};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use super::FAMILY;
use super::define::{Aggregate, Collector, array_value, column, field, null, plain};
use crate::engine::functions::trino::collections::{Lists, array_of, bigint, element_field};
use crate::engine::functions::trino::define::Doc;

pub(super) const COUNT_IF: Aggregate = Aggregate {
    name: "count_if",
    aliases: &[],
    doc: Doc {
        family: FAMILY,
        syntax: "count_if(condition) → bigint",
        description: "How many rows the condition is true for.",
        example: "count_if(errorcode IS NOT NULL) -- 12",
    },
    coerce: |types| match plain("count_if", types, 1..=1)?.as_slice() {
        [DataType::Boolean | DataType::Null] => Ok(vec![DataType::Boolean]),
        [other] => plan_err!("`count_if` takes a condition, not {other}"),
        _ => plan_err!("`count_if` takes one argument"),
    },
    returns: |_| Ok(Field::new("", DataType::Int64, false)),
    state: |_, _| vec![DataType::Int64],
    collector: |_| Ok(Box::new(Count(0))),
    simplify: Some(|| {
        Box::new(|mut call: AggregateFunction, _| {
            let [condition] = call.params.args.as_slice() else {
                return Ok(Expr::AggregateFunction(call));
            };
            if call.params.distinct {
                return Ok(Expr::AggregateFunction(call));
            }
            let condition = condition.clone();
            call.params.args = vec![lit(1_i64)];
            call.params.order_by = Vec::new();
            call.params.filter = Some(Box::new(match call.params.filter.take() {
                Some(filter) => and(*filter, condition),
                None => condition,
            }));
            Ok(Expr::AggregateFunction(AggregateFunction {
                func: count_udaf(),
                params: call.params,
            }))
        })
    }),
    empty: |_| Ok(ScalarValue::Int64(Some(0))),
};

#[derive(Debug)]
struct Count(i64);

impl Collector for Count {
    fn add(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        self.0 += bigint(column(arguments, 0)?.as_boolean().true_count())?;
        Ok(())
    }

    fn merge(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let counts = column(columns, 0)?.as_primitive::<Int64Type>();
        self.0 += arrow::compute::sum(counts).unwrap_or_default();
        Ok(())
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(Int64Array::from(vec![self.0]))])
    }

    fn answer(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.0)))
    }

    fn fresh(&self) -> Result<Box<dyn Collector>> {
        Ok(Box::new(Self(0)))
    }

    fn size(&self) -> usize {
        0
    }
}

pub(super) const APPROX_PERCENTILE: Aggregate = Aggregate {
    name: "approx_percentile",
    aliases: &[],
    doc: Doc {
        family: FAMILY,
        syntax: "approx_percentile(x, percentage) → [same as x]\n\
                 approx_percentile(x, percentages) → array([same as x])",
        description: "The value that the given share of all values, between 0 and 1, is not above. NULL does \
            not count. Computed exactly here: always one of the values, and the same for the same rows; it \
            holds all values for that. Trino's form with weights is refused.",
        example: "approx_percentile(n, 0.5) -- 3",
    },
    coerce: coerce_percentile,
    returns: |fields| {
        let value = field(fields, 0)?;
        Ok(match field(fields, 1)?.data_type() {
            DataType::List(_) => Field::new("", array_of(value), true),
            _ => Field::new("", value.data_type().clone(), true),
        })
    },
    state: |inputs, _| {
        inputs
            .iter()
            .take(1)
            .map(|input| input.data_type().clone())
            .collect()
    },
    collector: |args| {
        let Some(shares) = args.exprs.get(1) else {
            return plan_err!("`approx_percentile` takes two arguments");
        };
        Ok(Box::new(Percentiles {
            shares: constant_shares(shares)?,
            answer: FieldRef::clone(&args.return_field),
            value_type: field(args.expr_fields, 0)?.data_type().clone(),
            values: Vec::new(),
        }))
    },
    simplify: None,
    empty: null,
};

fn coerce_percentile(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() > 2 {
        return plan_err!("`approx_percentile` is supported with two arguments, not with weights");
    }
    let types = plain("approx_percentile", types, 2..=2)?;
    let [value, shares] = types.as_slice() else {
        return plan_err!("`approx_percentile` takes two arguments");
    };
    let value = match value {
        DataType::Null => DataType::Float64,
        integer if integer.is_integer() => DataType::Int64,
        number if number.is_numeric() => number.clone(),
        other => return plan_err!("`approx_percentile` takes numbers, not {other}"),
    };
    let shares = match element_field(shares) {
        Some(_) => DataType::new_list(DataType::Float64, true),
        None => DataType::Float64,
    };
    Ok(vec![value, shares])
}

fn constant_shares(shares: &Arc<dyn PhysicalExpr>) -> Result<Vec<f64>> {
    let constant = shares.downcast_ref::<Literal>().map(Literal::value);
    let shares = match constant {
        Some(ScalarValue::Float64(Some(share))) => vec![*share],
        Some(ScalarValue::List(list)) => {
            let elements = cast(&Lists::new(list.as_ref())?.elements, &DataType::Float64)?;
            let elements = elements.as_primitive::<Float64Type>();
            elements.iter().flatten().collect()
        }
        _ => Vec::new(),
    };
    if shares.is_empty() || shares.iter().any(|share| !(0.0..=1.0).contains(share)) {
        return plan_err!("`approx_percentile` takes constant percentages between 0 and 1");
    }
    Ok(shares)
}

#[derive(Debug)]
struct Percentiles {
    shares: Vec<f64>,
    answer: FieldRef,
    value_type: DataType,
    values: Vec<ArrayRef>,
}

impl Percentiles {
    fn all(&self) -> Result<ArrayRef> {
        let values: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
        if values.is_empty() {
            return Ok(new_empty_array(&self.value_type));
        }
        Ok(concat(&values)?)
    }
}

impl Collector for Percentiles {
    fn add(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        self.merge(arguments)
    }

    fn merge(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let values = column(columns, 0)?;
        // A copy, so that no batch is held for a few of its values.
        let values = filter(values, &is_not_null(values)?)?;
        if !values.is_empty() {
            self.values.push(concat(&[values.as_ref()])?);
        }
        // Groups meet few values at a time.
        if self.values.len() >= 64 {
            self.values = vec![self.all()?];
        }
        Ok(())
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.all()?])
    }

    fn answer(&self) -> Result<ScalarValue> {
        let sorted = sort(&self.all()?, Some(SortOptions::default()))?;
        if sorted.is_empty() {
            return null(self.answer.data_type());
        }
        let places = self.shares.iter().map(|share| place(*share, sorted.len()));
        let places = Float64Array::from_iter_values(places);
        let places = cast(&places, &DataType::UInt64)?;
        let values = take(&sorted, places.as_primitive::<UInt64Type>(), None)?;
        match self.answer.data_type() {
            array @ DataType::List(_) => array_value(array, values),
            _ => ScalarValue::try_from_array(&values, 0),
        }
    }

    fn fresh(&self) -> Result<Box<dyn Collector>> {
        Ok(Box::new(Self {
            shares: self.shares.clone(),
            answer: FieldRef::clone(&self.answer),
            value_type: self.value_type.clone(),
            values: Vec::new(),
        }))
    }

    fn size(&self) -> usize {
        self.values
            .iter()
            .map(|values| size_of::<ArrayRef>() + values.get_array_memory_size())
            .sum()
    }
}

/// Where the value of a share stands among `n` sorted values, as a whole number.
#[expect(
    clippy::cast_precision_loss,
    reason = "places beyond 2^52 do not occur"
)]
fn place(share: f64, n: usize) -> f64 {
    let n = n as f64;
    ((share * n).ceil() - 1.0).clamp(0.0, n - 1.0)
}

pub(super) const GEOMETRIC_MEAN: Aggregate = sums(
    "geometric_mean",
    Doc {
        family: FAMILY,
        syntax: "geometric_mean(x) → double",
        description: "The geometric mean of all values that are not NULL; NULL where there are none.",
        example: "geometric_mean(n) -- 2.0",
    },
    |types| doubles("geometric_mean", types),
    |args| Sums::boxed(args, f64::ln, |n, sum| (sum / n).exp()),
);

pub(super) const ENTROPY: Aggregate = sums(
    "entropy",
    Doc {
        family: FAMILY,
        syntax: "entropy(c) → double",
        description: "The entropy, in bits, of outcomes that came `c` times each. NULL where no value is.",
        example: "entropy(n) -- 1.0",
    },
    |types| doubles("entropy", types),
    |args| {
        let term = |count: f64| if count > 0.0 { count * count.ln() } else { 0.0 };
        Ok(Box::new(Sums {
            term,
            weight: |count| count,
            answer: |all, sum| {
                if all > 0.0 {
                    ((all.ln() - sum / all) / std::f64::consts::LN_2).max(0.0)
                } else {
                    0.0
                }
            },
            ..Sums::of(args)?
        }))
    },
);

const fn sums(
    name: &'static str,
    doc: Doc,
    coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    collector: fn(&AccumulatorArgs<'_>) -> Result<Box<dyn Collector>>,
) -> Aggregate {
    Aggregate {
        name,
        aliases: &[],
        doc,
        coerce,
        returns: |_| Ok(Field::new("", DataType::Float64, true)),
        state: |_, _| vec![DataType::Float64],
        collector,
        simplify: None,
        empty: null,
    }
}

fn doubles(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match plain(name, types, 1..=1)?.as_slice() {
        [number] if number.is_numeric() || number.is_null() => Ok(vec![DataType::Float64]),
        [other] => plan_err!("`{name}` takes numbers, not {other}"),
        _ => plan_err!("`{name}` takes one argument"),
    }
}

/// Sums of a weight and of a term over all values.
#[derive(Debug)]
struct Sums {
    term: fn(f64) -> f64,
    weight: fn(f64) -> f64,
    answer: fn(f64, f64) -> f64,
    n: f64,
    weights: f64,
    terms: f64,
}

impl Sums {
    fn of(_args: &AccumulatorArgs<'_>) -> Result<Self> {
        Ok(Self {
            term: |value| value,
            weight: |_| 1.0,
            answer: |_, sum| sum,
            n: 0.0,
            weights: 0.0,
            terms: 0.0,
        })
    }

    fn boxed(
        args: &AccumulatorArgs<'_>,
        term: fn(f64) -> f64,
        answer: fn(f64, f64) -> f64,
    ) -> Result<Box<dyn Collector>> {
        Ok(Box::new(Self {
            term,
            answer,
            ..Self::of(args)?
        }))
    }
}

impl Collector for Sums {
    fn add(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        let values = column(arguments, 0)?.as_primitive::<Float64Type>();
        for value in values.iter().flatten() {
            self.n += 1.0;
            self.weights += (self.weight)(value);
            self.terms += (self.term)(value);
        }
        Ok(())
    }

    fn merge(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let sums = column(columns, 0)?.as_primitive::<Float64Type>();
        for sums in sums.values().chunks_exact(3) {
            if let &[n, weights, terms] = sums {
                self.n += n;
                self.weights += weights;
                self.terms += terms;
            }
        }
        Ok(())
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let sums = vec![self.n, self.weights, self.terms];
        Ok(vec![Arc::new(Float64Array::from(sums))])
    }

    fn answer(&self) -> Result<ScalarValue> {
        let answer = (self.n > 0.0).then(|| (self.answer)(self.weights, self.terms));
        Ok(ScalarValue::Float64(answer))
    }

    fn fresh(&self) -> Result<Box<dyn Collector>> {
        Ok(Box::new(Self {
            n: 0.0,
            weights: 0.0,
            terms: 0.0,
            ..*self
        }))
    }

    fn size(&self) -> usize {
        0
    }
}
