//! The common form of the small functions: one or two texts in, a text, a truth value or a time out.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, StringViewBuilder, TimestampMicrosecondArray,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::arguments::{Texts, coerce_texts, documentation, shape};

/// What a function does with one row. NULL in any argument is NULL out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    Text(fn(&str) -> Option<Cow<'_, str>>),
    Truth(fn(&str) -> Option<bool>),
    TruthOfTwo(fn(&str, &str) -> bool),
    /// Microseconds since 1970 UTC.
    Time(fn(&str) -> Option<i64>),
}

impl Body {
    fn n_arguments(self) -> usize {
        match self {
            Self::Text(_) | Self::Truth(_) | Self::Time(_) => 1,
            Self::TruthOfTwo(_) => 2,
        }
    }

    fn return_type(self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8View,
            Self::Truth(_) | Self::TruthOfTwo(_) => DataType::Boolean,
            Self::Time(_) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    fn evaluate(self, texts: &[Texts], n_rows: usize) -> ArrayRef {
        let first = |row| texts.first().and_then(|column| column.get(row));
        let second = |row| texts.get(1).and_then(|column| column.get(row));
        match self {
            Self::Text(function) => {
                let mut builder = StringViewBuilder::with_capacity(n_rows);
                for row in 0..n_rows {
                    builder.append_option(first(row).and_then(function));
                }
                Arc::new(builder.finish())
            }
            Self::Truth(function) => {
                let mut builder = BooleanBuilder::with_capacity(n_rows);
                for row in 0..n_rows {
                    builder.append_option(first(row).and_then(function));
                }
                Arc::new(builder.finish())
            }
            Self::Time(function) => {
                let times = (0..n_rows).map(|row| first(row).and_then(function));
                let times: TimestampMicrosecondArray = times.collect();
                Arc::new(times.with_timezone("UTC"))
            }
            Self::TruthOfTwo(function) => {
                let mut builder = BooleanBuilder::with_capacity(n_rows);
                for row in 0..n_rows {
                    let truth = first(row).zip(second(row));
                    builder.append_option(truth.map(|(a, b)| function(a, b)));
                }
                Arc::new(builder.finish())
            }
        }
    }
}

/// A function before it is registered.
pub(super) struct Spec {
    pub name: &'static str,
    /// Name and meaning of each argument.
    pub parameters: &'static [(&'static str, &'static str)],
    pub description: &'static str,
    /// A call and, after `-- `, its answer.
    pub example: &'static str,
    pub body: Body,
}

impl Spec {
    pub fn into_udf(self) -> ScalarUDF {
        ScalarUDF::new_from_impl(TextFunction {
            signature: Signature::user_defined(Volatility::Immutable),
            spec: self,
            documentation: OnceLock::new(),
        })
    }
}

struct TextFunction {
    spec: Spec,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl std::fmt::Debug for TextFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.spec.name)
    }
}

// The name says it all: a spec is a constant of its file.
impl PartialEq for TextFunction {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name
    }
}

impl Eq for TextFunction {}

impl Hash for TextFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.spec.body.return_type())
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let n_arguments = self.spec.body.n_arguments();
        coerce_texts(self.name(), arg_types, n_arguments..=n_arguments)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // A dictionary is answered once per distinct text, not once per row.
        if let [ColumnarValue::Array(array)] = args.args.as_slice()
            && let Some(dictionary) = array.as_any_dictionary_opt()
            && dictionary.values().len() < array.len()
        {
            let texts = Texts::new(&ColumnarValue::Array(Arc::clone(dictionary.values())))?;
            let answers = self.spec.body.evaluate(&[texts], dictionary.values().len());
            return Ok(ColumnarValue::Array(take(
                &answers,
                dictionary.keys(),
                None,
            )?));
        }
        let texts = args
            .args
            .iter()
            .map(Texts::new)
            .collect::<Result<Vec<_>>>()?;
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let answers = self.spec.body.evaluate(&texts, n_rows);
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?)
        } else {
            ColumnarValue::Array(answers)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.documentation.get_or_init(|| {
            let names: Vec<_> = self.spec.parameters.iter().map(|(name, _)| *name).collect();
            documentation(
                self.spec.description,
                &format!("{}({})", self.spec.name, names.join(", ")),
                self.spec.parameters,
                self.spec.example,
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, DictionaryArray, LargeStringArray, StringArray};
    use arrow::datatypes::{Field, Int32Type};
    use datafusion::config::ConfigOptions;

    fn shout() -> ScalarUDF {
        Spec {
            name: "shout",
            parameters: &[("text", "any text")],
            description: "Upper case.",
            example: "shout('a') -- A",
            body: Body::Text(|text| (!text.is_empty()).then(|| text.to_uppercase().into())),
        }
        .into_udf()
    }

    fn invoke(function: &ScalarUDF, args: Vec<ColumnarValue>, n_rows: usize) -> ColumnarValue {
        let return_type = function.return_type(&[]).unwrap();
        let arg_fields = args
            .iter()
            .map(|value| Arc::new(Field::new("a", value.data_type(), true)))
            .collect();
        function
            .invoke_with_args(ScalarFunctionArgs {
                args,
                arg_fields,
                number_rows: n_rows,
                return_field: Arc::new(Field::new("r", return_type, true)),
                config_options: Arc::new(ConfigOptions::default()),
            })
            .unwrap()
    }

    #[test]
    fn every_string_type_is_read() {
        let texts = [Some("a"), None, Some(""), Some("a")];
        let arrays: [ArrayRef; 4] = [
            Arc::new(StringArray::from_iter(texts)),
            Arc::new(LargeStringArray::from_iter(texts)),
            Arc::new(arrow::array::StringViewArray::from_iter(texts)),
            Arc::new(DictionaryArray::<Int32Type>::from_iter(texts)),
        ];
        for array in arrays {
            let answer = invoke(&shout(), vec![ColumnarValue::Array(array)], 4);
            let ColumnarValue::Array(answer) = answer else {
                panic!("an array gives an array");
            };
            let answer: Vec<_> = answer.as_string_view().iter().collect();
            assert_eq!(answer, [Some("A"), None, None, Some("A")]);
        }
    }

    #[test]
    fn constants_stay_constant() {
        let answer = invoke(&shout(), vec![ColumnarValue::Scalar("b".into())], 7);
        assert!(
            matches!(answer, ColumnarValue::Scalar(ScalarValue::Utf8View(Some(text))) if text == "B")
        );
    }

    #[test]
    fn two_arguments_mix_columns_and_constants() {
        let same = Spec {
            name: "same",
            parameters: &[("a", "a text"), ("b", "a text")],
            description: "Equal texts.",
            example: "same('a', 'a') -- true",
            body: Body::TruthOfTwo(|a, b| a == b),
        }
        .into_udf();
        let column: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("y")]));
        let args = vec![
            ColumnarValue::Scalar("x".into()),
            ColumnarValue::Array(column),
        ];
        let ColumnarValue::Array(answer) = invoke(&same, args, 3) else {
            panic!("an array gives an array");
        };
        let expected = BooleanArray::from(vec![Some(true), None, Some(false)]);
        assert_eq!(answer.as_boolean(), &expected);
    }
}
