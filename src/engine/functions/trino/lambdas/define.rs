//! The form that functions which take lambdas are written in, and how a call reads its arguments.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, BooleanArray, UInt64Array, new_empty_array};
use arrow::compute::{cast, take_arrays};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs,
    HigherOrderSignature, HigherOrderUDF, HigherOrderUDFImpl, LambdaArgument,
    LambdaParametersProgress, ValueOrLambda, Volatility,
};

use crate::engine::functions::trino::define::Doc;

/// What the lambdas take, for the fields of the values and, as far as they are known, of the lambdas'
/// answers.
type Parameters = fn(&[FieldRef], &[Option<FieldRef>]) -> Result<LambdaParametersProgress>;

/// From the types of the values and of what the lambdas give, the types that the values must have.
type CoerceByLambdas = fn(&[DataType], &[DataType]) -> Option<Vec<DataType>>;

/// A function that takes lambdas, before it is registered.
#[derive(Clone, Copy)]
pub(super) struct LambdaFunction {
    pub name: &'static str,
    pub doc: Doc,
    /// The arguments that it takes, a letter for each: `v` a value, `l` a lambda.
    pub forms: &'static [&'static str],
    /// The types that the body takes, for the types of the values.
    pub coerce: fn(&[DataType]) -> Result<Vec<DataType>>,
    pub parameters: Parameters,
    /// What it gives, for the fields of the values and of the lambdas' answers.
    pub returns: fn(&[FieldRef], &[FieldRef]) -> Result<Field>,
    /// The types of the values, where they depend on the lambdas' answers too.
    pub coerce_by_lambdas: Option<CoerceByLambdas>,
    pub body: fn(&Call<'_>) -> Result<ArrayRef>,
}

impl LambdaFunction {
    pub fn into_udf(self) -> Arc<HigherOrderUDF> {
        Arc::new(HigherOrderUDF::new_from_impl(Defined {
            function: self,
            signature: HigherOrderSignature::user_defined(Volatility::Immutable),
            documentation: OnceLock::new(),
        }))
    }
}

/// A call over the rows of one batch.
pub(super) struct Call<'a> {
    pub values: Vec<ArrayRef>,
    pub lambdas: Vec<Lambda<'a>>,
    pub n_rows: usize,
    pub return_type: &'a DataType,
}

/// A lambda and the type of its answers.
pub(super) struct Lambda<'a> {
    argument: &'a LambdaArgument,
    data_type: DataType,
}

impl<'a> Call<'a> {
    fn new(args: &'a HigherOrderFunctionArgs) -> Result<Self> {
        let mut values = Vec::new();
        let mut lambdas = Vec::new();
        for (argument, field) in args.args.iter().zip(&args.arg_fields) {
            match (argument, field) {
                (ValueOrLambda::Value(value), _) => values.push(value.to_array(args.number_rows)?),
                (ValueOrLambda::Lambda(argument), ValueOrLambda::Lambda(field)) => {
                    lambdas.push(Lambda {
                        argument,
                        data_type: field.data_type().clone(),
                    });
                }
                (ValueOrLambda::Lambda(_), ValueOrLambda::Value(_)) => {
                    return exec_err!("a lambda has the field of a value");
                }
            }
        }
        Ok(Self {
            values,
            lambdas,
            n_rows: args.number_rows,
            return_type: args.return_field.data_type(),
        })
    }

    pub fn value(&self, at: usize) -> Result<&ArrayRef> {
        match self.values.get(at) {
            Some(value) => Ok(value),
            None => exec_err!("argument {} is missing", at + 1),
        }
    }

    pub fn lambda(&self, at: usize) -> Result<&Lambda<'a>> {
        match self.lambdas.get(at) {
            Some(lambda) => Ok(lambda),
            None => exec_err!("lambda {} is missing", at + 1),
        }
    }
}

impl Lambda<'_> {
    /// The answers for parameters of one length; `rows` says which row of the batch each belongs to.
    pub fn evaluate(&self, parameters: &[ArrayRef], rows: &UInt64Array) -> Result<ArrayRef> {
        let n = arrow::array::Array::len(rows);
        if n == 0 {
            return Ok(new_empty_array(&self.data_type));
        }
        // A lambda without parameters takes its number of rows from here.
        let counted: ArrayRef = Arc::new(rows.clone());
        let closures: Vec<_> = parameters
            .iter()
            .chain(std::iter::once(&counted))
            .map(|array| move || Ok(Arc::clone(array)))
            .collect();
        let closures: Vec<&dyn Fn() -> Result<ArrayRef>> = closures
            .iter()
            .map(|closure| closure as &dyn Fn() -> Result<ArrayRef>)
            .collect();
        let answers = self
            .argument
            .evaluate(&closures, |captured| Ok(take_arrays(captured, rows, None)?))?;
        answers.into_array(n)
    }

    /// The answers of a predicate.
    pub fn test(&self, parameters: &[ArrayRef], rows: &UInt64Array) -> Result<BooleanArray> {
        let answers = self.evaluate(parameters, rows)?;
        let answers = cast(&answers, &DataType::Boolean)?;
        Ok(datafusion::common::cast::as_boolean_array(&answers)?.clone())
    }

    /// As [`Lambda::evaluate`], in a given type.
    pub fn evaluate_as(
        &self,
        parameters: &[ArrayRef],
        rows: &UInt64Array,
        data_type: &DataType,
    ) -> Result<ArrayRef> {
        let answers = self.evaluate(parameters, rows)?;
        if answers.data_type() == data_type {
            return Ok(answers);
        }
        Ok(cast(&answers, data_type)?)
    }
}

/// Refuses lambdas that answer neither true nor false.
pub(super) fn check_predicate(name: &str, answer: &FieldRef) -> Result<()> {
    match answer.data_type() {
        DataType::Boolean | DataType::Null => Ok(()),
        other => plan_err!("the lambda of `{name}` must give a boolean, not {other}"),
    }
}

/// The parameters of lambdas that depend on the values only.
pub(super) fn known(parameters: Vec<Vec<FieldRef>>) -> Result<LambdaParametersProgress> {
    Ok(LambdaParametersProgress::Complete(parameters))
}

struct Defined {
    function: LambdaFunction,
    signature: HigherOrderSignature,
    documentation: OnceLock<Documentation>,
}

impl fmt::Debug for Defined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.name)
    }
}

// The name says it all: a function is a constant of its file.
impl PartialEq for Defined {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Defined {}

impl Hash for Defined {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl Defined {
    fn check_form<V, L>(&self, arguments: &[ValueOrLambda<V, L>]) -> Result<()> {
        let form: String = arguments
            .iter()
            .map(|argument| match argument {
                ValueOrLambda::Value(_) => 'v',
                ValueOrLambda::Lambda(_) => 'l',
            })
            .collect();
        if self.function.forms.contains(&form.as_str()) {
            return Ok(());
        }
        let forms: Vec<String> = self.function.doc.syntax.lines().map(quoted).collect();
        plan_err!(
            "`{}` is called as {}",
            self.function.name,
            forms.join(" or ")
        )
    }
}

fn quoted(form: &str) -> String {
    format!("`{}`", form.trim())
}

/// The values' fields and the lambdas', each in their order.
fn split<L: Clone>(arguments: &[ValueOrLambda<FieldRef, L>]) -> (Vec<FieldRef>, Vec<L>) {
    let mut values = Vec::new();
    let mut lambdas = Vec::new();
    for argument in arguments {
        match argument {
            ValueOrLambda::Value(field) => values.push(Arc::clone(field)),
            ValueOrLambda::Lambda(field) => lambdas.push(field.clone()),
        }
    }
    (values, lambdas)
}

impl HigherOrderUDFImpl for Defined {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let most = self.function.forms.iter().map(|form| count_values(form));
        if most.max().is_some_and(|most| arg_types.len() > most) || arg_types.is_empty() {
            // The form is checked where lambdas and values are known together.
            return Ok(arg_types.to_vec());
        }
        (self.function.coerce)(arg_types)
    }

    fn coerce_values_for_lambdas(
        &self,
        fields: &[ValueOrLambda<DataType, DataType>],
    ) -> Result<Option<Vec<DataType>>> {
        let Some(coerce) = self.function.coerce_by_lambdas else {
            return Ok(None);
        };
        let mut values = Vec::new();
        let mut lambdas = Vec::new();
        for field in fields {
            match field {
                ValueOrLambda::Value(data_type) => values.push(data_type.clone()),
                ValueOrLambda::Lambda(data_type) => lambdas.push(data_type.clone()),
            }
        }
        Ok(coerce(&values, &lambdas))
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        self.check_form(fields)?;
        let (values, lambdas) = split(fields);
        (self.function.parameters)(&values, &lambdas)
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.check_form(args.arg_fields)?;
        let (values, lambdas) = split(args.arg_fields);
        (self.function.returns)(&values, &lambdas).map(Arc::new)
    }

    /// Bodies look at reachable elements only.
    fn clear_null_values(&self) -> bool {
        false
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let call = Call::new(&args)?;
        (self.function.body)(&call).map(ColumnarValue::Array)
    }

    /// A lambda may never be asked, so nothing of it is computed elsewhere.
    fn short_circuits(&self) -> bool {
        true
    }

    fn conditional_arguments<'a>(
        &self,
        args: &'a [Expr],
    ) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        let is_value = |argument: &&Expr| !matches!(argument, Expr::Lambda(_));
        Some(args.iter().partition(is_value))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(
            self.documentation
                .get_or_init(|| self.function.doc.documentation()),
        )
    }
}

fn count_values(form: &str) -> usize {
    form.bytes().filter(|&letter| letter == b'v').count()
}
