//! DataFusion's aggregates under Trino's names: `every`, `listagg`, `bitwise_and_agg` and others, and
//! `arbitrary` (`any_value`), which is the least value here, so that it does not change from run to run.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion::functions_aggregate::bit_and_or_xor::{bit_and_udaf, bit_or_udaf, bit_xor_udaf};
use datafusion::functions_aggregate::bool_and_or::bool_and_udaf;
use datafusion::functions_aggregate::min_max::min_udaf;
use datafusion::functions_aggregate::string_agg::string_agg_udaf;
use datafusion::functions_aggregate::variance::var_samp_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    Signature, Volatility,
};

use super::define::{field, plain};

/// All of them.
pub(super) fn functions() -> Vec<AggregateUDF> {
    let named = |function: Arc<AggregateUDF>, names: &[&'static str]| {
        function
            .as_ref()
            .clone()
            .with_aliases(names.iter().copied())
    };
    vec![
        named(bool_and_udaf(), &["every"]),
        named(string_agg_udaf(), &["listagg"]),
        named(bit_and_udaf(), &["bitwise_and_agg"]),
        named(bit_or_udaf(), &["bitwise_or_agg"]),
        named(bit_xor_udaf(), &["bitwise_xor_agg"]),
        named(var_samp_udaf(), &["variance", "var_sample", "var"]),
        AggregateUDF::new_from_impl(Arbitrary::default()),
        AggregateUDF::new_from_impl(ApproxDistinct::default()),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arbitrary {
    signature: Signature,
    aliases: Vec<String>,
}

impl Default for Arbitrary {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            aliases: vec!["arbitrary".to_owned()],
        }
    }
}

impl AggregateUDFImpl for Arbitrary {
    fn name(&self) -> &str {
        "any_value"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        plain("any_value", arg_types, 1..=1)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        min_udaf().return_type(arg_types)
    }

    /// With the marks of the argument: a JSON value stays one.
    fn return_field(&self, arg_fields: &[FieldRef]) -> Result<FieldRef> {
        let field = field(arg_fields, 0)?.as_ref().clone();
        Ok(Arc::new(field.with_name("any_value").with_nullable(true)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        min_udaf().state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        min_udaf().accumulator(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        min_udaf().groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        min_udaf().create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        min_udaf().create_sliding_accumulator(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn documentation(&self) -> Option<&Documentation> {
        None
    }
}

/// DataFusion's, with Trino's second argument, the wanted error, which changes nothing here, and with
/// Trino's type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ApproxDistinct {
    signature: Signature,
}

impl Default for ApproxDistinct {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

fn without_error<'a>(args: AccumulatorArgs<'a>) -> AccumulatorArgs<'a> {
    AccumulatorArgs {
        return_field: Arc::new(Field::new(args.name, DataType::UInt64, false)),
        exprs: args.exprs.get(..1).unwrap_or_default(),
        expr_fields: args.expr_fields.get(..1).unwrap_or_default(),
        ..args
    }
}

impl AggregateUDFImpl for ApproxDistinct {
    fn name(&self) -> &str {
        "approx_distinct"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let mut types = plain("approx_distinct", arg_types, 1..=2)?;
        if let Some(error) = types.get_mut(1) {
            *error = DataType::Float64;
        }
        if let Some(value @ DataType::Boolean) = types.get_mut(0) {
            *value = DataType::Utf8;
        }
        Ok(types)
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        approx_distinct_udaf().state_fields(StateFieldsArgs {
            input_fields: args.input_fields.get(..1).unwrap_or_default(),
            return_field: Arc::new(Field::new(args.name, DataType::UInt64, false)),
            ..args
        })
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let inner = approx_distinct_udaf().accumulator(without_error(args))?;
        Ok(Box::new(Counting(inner)))
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn documentation(&self) -> Option<&Documentation> {
        None
    }
}

/// An accumulator that takes the first argument and gives a bigint.
#[derive(Debug)]
struct Counting(Box<dyn Accumulator>);

impl Accumulator for Counting {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update_batch(values.get(..1).unwrap_or_default())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()?.cast_to(&DataType::Int64)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.size()
    }
}
