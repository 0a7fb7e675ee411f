//! The form that functions with Trino's names are written in: what they take, what they give, how they
//! answer for a batch of rows, and where Trino's documentation says so.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

/// A chapter of the function reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Family {
    pub title: &'static str,
    /// The page of Trino's documentation that the functions follow.
    pub page: &'static str,
}

/// Documentation of one function.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Doc {
    pub family: Family,
    /// Every form of a call with its result, one for each line: `split(text, delimiter) → array(varchar)`.
    pub syntax: &'static str,
    /// What it gives; nulls and errors; where it differs from Trino, and why.
    pub description: &'static str,
    /// A call and, after `-- `, its answer.
    pub example: &'static str,
}

impl Doc {
    /// As DataFusion keeps it.
    pub fn documentation(&self) -> Documentation {
        let section = DocSection {
            include: true,
            label: self.family.title,
            description: Some(self.family.page),
        };
        Documentation::builder(section, self.description, self.syntax)
            .with_sql_example(self.example)
            .build()
    }
}

/// What a function gives for arguments of some types.
#[derive(Clone, Copy)]
pub(in crate::engine) enum Returns {
    Type(fn(&[DataType]) -> Result<DataType>),
    /// For results that say more than their type, as JSON does, or that depend on a constant.
    Field(fn(&ReturnFieldArgs<'_>) -> Result<FieldRef>),
}

type Coerce = fn(&[DataType]) -> Result<Vec<DataType>>;
type Body = fn(&ScalarFunctionArgs) -> Result<ColumnarValue>;
type Preimage = fn(&[Expr], &Expr, &SimplifyContext) -> Result<PreimageResult>;
type Simplify = fn(Vec<Expr>, &SimplifyContext) -> Result<ExprSimplifyResult>;

/// A scalar function before it is registered.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Function {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub doc: Doc,
    pub volatility: Volatility,
    /// The types that the body takes, for the types of a call; an error where the call is wrong.
    pub coerce: Coerce,
    pub returns: Returns,
    pub body: Body,
    /// Which arguments give an answer, as a range: lets comparisons with it choose row groups.
    pub preimage: Option<Preimage>,
    pub simplify: Option<Simplify>,
}

impl Function {
    /// An immutable function without further names.
    pub const fn new(
        name: &'static str,
        doc: Doc,
        coerce: Coerce,
        returns: Returns,
        body: Body,
    ) -> Self {
        Self {
            name,
            aliases: &[],
            doc,
            volatility: Volatility::Immutable,
            coerce,
            returns,
            body,
            preimage: None,
            simplify: None,
        }
    }

    pub const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub const fn with_preimage(mut self, preimage: Preimage) -> Self {
        self.preimage = Some(preimage);
        self
    }

    pub const fn with_simplify(mut self, simplify: Simplify) -> Self {
        self.simplify = Some(simplify);
        self
    }

    pub const fn with_volatility(mut self, volatility: Volatility) -> Self {
        self.volatility = volatility;
        self
    }

    pub fn into_udf(self) -> ScalarUDF {
        ScalarUDF::new_from_impl(Defined {
            signature: Signature::user_defined(self.volatility),
            aliases: self.aliases.iter().map(|&name| name.to_owned()).collect(),
            function: self,
            documentation: OnceLock::new(),
        })
    }
}

struct Defined {
    function: Function,
    aliases: Vec<String>,
    signature: Signature,
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

impl ScalarUDFImpl for Defined {
    fn name(&self) -> &str {
        self.function.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        (self.function.coerce)(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match self.function.returns {
            Returns::Type(returns) => returns(arg_types),
            Returns::Field(_) => plan_err!("`{}` needs its arguments", self.function.name),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match self.function.returns {
            Returns::Type(returns) => {
                let types: Vec<DataType> = args
                    .arg_fields
                    .iter()
                    .map(|field| field.data_type().clone())
                    .collect();
                Ok(Arc::new(Field::new(
                    self.function.name,
                    returns(&types)?,
                    true,
                )))
            }
            Returns::Field(returns) => returns(&args),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        (self.function.body)(&args)
    }

    fn preimage(
        &self,
        args: &[Expr],
        literal: &Expr,
        info: &SimplifyContext,
    ) -> Result<PreimageResult> {
        match self.function.preimage {
            Some(preimage) => preimage(args, literal, info),
            None => Ok(PreimageResult::None),
        }
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match self.function.simplify {
            Some(simplify) => simplify(args, info),
            None => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(
            self.documentation
                .get_or_init(|| self.function.doc.documentation()),
        )
    }
}

/// Evaluates over arrays of one length; where all arguments are constants, over one row, and the
/// answer is a constant.
///
/// # Errors
///
/// Those of `body`.
pub(in crate::engine) fn over_arrays(
    args: &ScalarFunctionArgs,
    body: impl Fn(&[ArrayRef], usize) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let constant = args
        .args
        .iter()
        .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
    let n_rows = if constant { 1 } else { args.number_rows };
    let arrays: Vec<ArrayRef> = args
        .args
        .iter()
        .map(|argument| argument.to_array(n_rows))
        .collect::<Result<_>>()?;
    let answer = body(&arrays, n_rows)?;
    if constant {
        let value = datafusion::common::ScalarValue::try_from_array(&answer, 0)?;
        return Ok(ColumnarValue::Scalar(value));
    }
    Ok(ColumnarValue::Array(answer))
}
