//! The form that aggregates with Trino's names are written in, and accumulators that collect columns.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, ReversedUDAF, Signature, Volatility,
};

use crate::engine::functions::trino::collections::{Lists, build_array, build_map};
use crate::engine::functions::trino::define::Doc;

/// An aggregate before it is registered.
#[derive(Clone, Copy)]
pub(super) struct Aggregate {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub doc: Doc,
    pub coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    pub returns: fn(&[FieldRef]) -> Result<Field>,
    /// The columns that partial results are, each kept as an array.
    pub state: fn(&[FieldRef], &FieldRef) -> Vec<DataType>,
    pub collector: fn(&AccumulatorArgs<'_>) -> Result<Box<dyn Collector>>,
    /// The same in DataFusion's own aggregates, where they are quicker.
    pub simplify: Option<fn() -> AggregateFunctionSimplification>,
    /// The answer where there are no rows.
    pub empty: fn(&DataType) -> Result<ScalarValue>,
}

impl Aggregate {
    pub fn into_udf(self) -> AggregateUDF {
        AggregateUDF::new_from_impl(Defined {
            signature: Signature::user_defined(Volatility::Immutable),
            aliases: self.aliases.iter().map(|&name| name.to_owned()).collect(),
            aggregate: self,
            documentation: OnceLock::new(),
        })
    }
}

/// NULL, the answer of most aggregates where there are no rows.
pub(super) fn null(data_type: &DataType) -> Result<ScalarValue> {
    ScalarValue::try_from(data_type)
}

/// One array of the type `array_type`, of all elements of a column.
pub(super) fn array_value(array_type: &DataType, elements: ArrayRef) -> Result<ScalarValue> {
    let length = elements.len();
    let array = build_array(array_type, elements, [length], None)?;
    Ok(ScalarValue::List(Arc::new(array.as_list::<i32>().clone())))
}

/// One map of the type `map_type`, of all rows of two columns.
pub(super) fn map_value(
    map_type: &DataType,
    keys: ArrayRef,
    values: ArrayRef,
) -> Result<ScalarValue> {
    let length = keys.len();
    let map = build_map(map_type, (keys, values), [length], None)?;
    Ok(ScalarValue::Map(Arc::new(map.as_map().clone())))
}

/// Columns of rows so far, as little of them as the answer needs.
pub(super) trait Collector: Send + Sync + fmt::Debug {
    /// Takes rows of the arguments.
    fn add(&mut self, arguments: &[ArrayRef]) -> Result<()>;

    /// Takes rows that another collector has [given](Collector::columns).
    fn merge(&mut self, columns: &[ArrayRef]) -> Result<()>;

    /// What there is, in the columns of the state.
    fn columns(&self) -> Result<Vec<ArrayRef>>;

    fn answer(&self) -> Result<ScalarValue>;

    /// Bytes held beside the collector itself.
    fn size(&self) -> usize;

    /// One like this, without any rows.
    fn fresh(&self) -> Result<Box<dyn Collector>>;
}

/// A collector as DataFusion wants it: partial results are one row of arrays.
#[derive(Debug)]
struct Collecting(Box<dyn Collector>);

impl Accumulator for Collecting {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.add(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns: Vec<ArrayRef> = states
            .iter()
            .map(|state| Ok(Lists::new(state)?.elements))
            .collect::<Result<_>>()?;
        self.0.merge(&columns)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = self.0.columns()?;
        Ok(columns
            .into_iter()
            .map(|column| {
                let list = SingleRowListArrayBuilder::new(column).with_nullable(true);
                list.build_list_scalar()
            })
            .collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.answer()
    }

    fn size(&self) -> usize {
        size_of_val(self) + size_of_val(self.0.as_ref()) + self.0.size()
    }
}

/// A collector over a frame that moves: it holds the rows, and each answer is made of all of them.
#[derive(Debug)]
struct Sliding {
    empty: Box<dyn Collector>,
    rows: Vec<ArrayRef>,
}

impl Accumulator for Sliding {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.rows.is_empty() {
            self.rows = values.to_vec();
            return Ok(());
        }
        for (rows, values) in self.rows.iter_mut().zip(values) {
            *rows = concat(&[rows.as_ref(), values.as_ref()])?;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let n = values.first().map_or(0, Array::len);
        for rows in &mut self.rows {
            let kept = rows.len().saturating_sub(n);
            *rows = rows.slice(rows.len() - kept, kept);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut collector = self.empty.fresh()?;
        if !self.rows.is_empty() {
            collector.add(&self.rows)?;
        }
        collector.answer()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        exec_err!("frames have no partial results")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        exec_err!("frames have no partial results")
    }

    fn size(&self) -> usize {
        let rows = self.rows.iter().map(Array::get_array_memory_size);
        size_of_val(self) + self.empty.size() + rows.sum::<usize>()
    }
}

struct Defined {
    aggregate: Aggregate,
    aliases: Vec<String>,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl fmt::Debug for Defined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.aggregate.name)
    }
}

// The name says it all: an aggregate is a constant of its file.
impl PartialEq for Defined {
    fn eq(&self, other: &Self) -> bool {
        self.aggregate.name == other.aggregate.name
    }
}

impl Eq for Defined {}

impl Hash for Defined {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.aggregate.name.hash(state);
    }
}

impl AggregateUDFImpl for Defined {
    fn name(&self) -> &str {
        self.aggregate.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        (self.aggregate.coerce)(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = arg_types
            .iter()
            .map(|data_type| Arc::new(Field::new("", data_type.clone(), true)))
            .collect();
        Ok((self.aggregate.returns)(&fields)?.data_type().clone())
    }

    fn return_field(&self, arg_fields: &[FieldRef]) -> Result<FieldRef> {
        let field = (self.aggregate.returns)(arg_fields)?;
        Ok(Arc::new(field.with_name(self.aggregate.name)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let columns = (self.aggregate.state)(args.input_fields, &args.return_field);
        let lists = columns.into_iter().enumerate().map(|(at, column)| {
            let name = format!("{}[{at}]", args.name);
            let list = DataType::new_list(column, true);
            Arc::new(Field::new(name, list, true))
        });
        Ok(lists.collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("`{}` takes no DISTINCT", self.aggregate.name);
        }
        let collector = (self.aggregate.collector)(&args)?;
        Ok(Box::new(Collecting(collector)))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Sliding {
            empty: (self.aggregate.collector)(&args)?,
            rows: Vec::new(),
        }))
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        self.aggregate.simplify.map(|simplify| simplify())
    }

    /// Answers are the same in whatever order the rows come.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        (self.aggregate.empty)(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(
            self.documentation
                .get_or_init(|| self.aggregate.doc.documentation()),
        )
    }
}

/// One of the columns that an aggregate was called with.
pub(super) fn column(columns: &[ArrayRef], at: usize) -> Result<&ArrayRef> {
    match columns.get(at) {
        Some(column) => Ok(column),
        None => exec_err!("argument {} is missing", at + 1),
    }
}

/// One of the fields that an aggregate was called with.
pub(super) fn field(fields: &[FieldRef], at: usize) -> Result<&FieldRef> {
    match fields.get(at) {
        Some(field) => Ok(field),
        None => plan_err!("argument {} is missing", at + 1),
    }
}

/// Refuses a wrong number of arguments; dictionaries become what they hold.
pub(super) fn plain(
    name: &str,
    types: &[DataType],
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<Vec<DataType>> {
    if !allowed.contains(&types.len()) {
        let (least, most) = (allowed.start(), allowed.end());
        let n = types.len();
        return if least == most {
            plan_err!("`{name}` takes {least} arguments, not {n}")
        } else {
            plan_err!("`{name}` takes {least} to {most} arguments, not {n}")
        };
    }
    Ok(types
        .iter()
        .map(|data_type| match data_type {
            DataType::Dictionary(_, value) => value.as_ref().clone(),
            other => other.clone(),
        })
        .collect())
}
