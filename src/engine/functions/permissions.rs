//! What a permission policy allows: `policy_class`, `policy_severity`, `policy_actions`,
//! `policy_conditioned`, `escalation_paths`, and `managed_policy_tier` for those of AWS.
//!
//! The judgement is that of [`crate::policy`]: `permissions`, `escalation` and `managed`.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, BooleanBuilder, Int64Builder, StringViewBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::arguments::{Texts, coerce_texts, documentation, shape, text_list};
use crate::policy::escalation::escalation_paths;
use crate::policy::managed::managed_policy;
use crate::policy::permissions::{PermissionReport, classify};

/// Which answer a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Class,
    Severity,
    Actions,
    Conditioned,
    Paths,
    Tier,
}

impl Part {
    const ALL: [Self; 6] = [
        Self::Class,
        Self::Severity,
        Self::Actions,
        Self::Conditioned,
        Self::Paths,
        Self::Tier,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Class => "policy_class",
            Self::Severity => "policy_severity",
            Self::Actions => "policy_actions",
            Self::Conditioned => "policy_conditioned",
            Self::Paths => "escalation_paths",
            Self::Tier => "managed_policy_tier",
        }
    }

    fn return_type(self) -> DataType {
        match self {
            Self::Class | Self::Severity => DataType::Utf8View,
            Self::Actions | Self::Paths => {
                DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))
            }
            Self::Conditioned => DataType::Boolean,
            Self::Tier => DataType::Int64,
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Class => {
                "The worst class of what a permission policy allows: `admin`, `escalation-direct`, \
                 `escalation-combo`, `assume-any`, `service-full`, `guard-tamper`, `data-wide` or \
                 `plain`. NULL where the document is NULL or no policy."
            }
            Self::Severity => {
                "The severity of a permission policy on a role, `info` to `critical`. NULL where the \
                 document is NULL or no policy."
            }
            Self::Actions => {
                "The actions or services that make the class of a permission policy, sorted. NULL \
                 where the document is NULL or no policy."
            }
            Self::Conditioned => {
                "Whether the class of a permission policy is reached only under a condition. NULL \
                 where the document is NULL or no policy."
            }
            Self::Paths => {
                "The known paths to more rights that a permission policy opens without a condition, by \
                 their ids in the table `escalation_paths`. Empty for none. NULL where the document is \
                 NULL or no policy."
            }
            Self::Tier => {
                "The tier of an AWS managed policy: 1 is admin, 2 can escalate, 3 reads data widely \
                 or switches off what watches. NULL for every other policy."
            }
        }
    }

    fn column(self, texts: &Texts, n_rows: usize) -> ArrayRef {
        if self == Self::Tier {
            let mut builder = Int64Builder::with_capacity(n_rows);
            for row in 0..n_rows {
                let policy = texts.get(row).and_then(managed_policy);
                builder.append_option(policy.map(|policy| i64::from(policy.tier)));
            }
            return Arc::new(builder.finish());
        }
        if self == Self::Paths {
            let mut known: HashMap<&str, Option<Vec<&'static str>>> = HashMap::new();
            return text_list((0..n_rows).map(|row| {
                let document = texts.get(row)?;
                let paths = known
                    .entry(document)
                    .or_insert_with(|| escalation_paths(document));
                let ids = paths.as_ref()?.iter();
                Some(ids.map(|id| (*id).to_owned()).collect())
            }));
        }
        let mut known: HashMap<&str, Option<PermissionReport>> = HashMap::new();
        let documents = || (0..n_rows).map(|row| texts.get(row));
        for document in documents().flatten() {
            known.entry(document).or_insert_with(|| {
                let report = classify(document);
                report.readable.then_some(report)
            });
        }
        let reports = documents().map(|document| known.get(document?)?.as_ref());
        match self {
            Self::Class => words(reports.map(|report| Some(report?.class.as_str()))),
            Self::Severity => words(reports.map(|report| Some(report?.severity.as_str()))),
            Self::Actions => text_list(reports.map(|report| Some(report?.actions.clone()))),
            Self::Conditioned | Self::Paths | Self::Tier => {
                let mut builder = BooleanBuilder::with_capacity(n_rows);
                for report in reports {
                    builder.append_option(report.map(|report| report.conditioned));
                }
                Arc::new(builder.finish())
            }
        }
    }
}

fn words(rows: impl Iterator<Item = Option<&'static str>>) -> ArrayRef {
    let mut builder = StringViewBuilder::new();
    rows.for_each(|word| builder.append_option(word));
    Arc::new(builder.finish())
}

pub(super) fn permission_functions() -> Vec<ScalarUDF> {
    Part::ALL
        .into_iter()
        .map(|part| {
            ScalarUDF::new_from_impl(PermissionFunction {
                part,
                signature: Signature::user_defined(Volatility::Immutable),
            })
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PermissionFunction {
    part: Part,
    signature: Signature,
}

impl ScalarUDFImpl for PermissionFunction {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.part.return_type())
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce_texts(self.name(), arg_types, 1..=1)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let Some(argument) = args.args.first() else {
            return Ok(ColumnarValue::Scalar(ScalarValue::Null));
        };
        let answers = self.part.column(&Texts::new(argument)?, n_rows);
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?)
        } else {
            ColumnarValue::Array(answers)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: OnceLock<HashMap<Part, Documentation>> = OnceLock::new();
        DOCUMENTATION
            .get_or_init(|| {
                let document = (
                    "document",
                    "a permission policy: JSON, percent-encoded or not",
                );
                let arn = ("arn", "the ARN of a managed policy");
                Part::ALL
                    .into_iter()
                    .map(|part| {
                        let name = part.name();
                        let (parameter, column) = match part {
                            Part::Tier => (arn, "policy_arn"),
                            _ => (document, "policy_document"),
                        };
                        let text = documentation(
                            part.description(),
                            &format!("{name}({})", parameter.0),
                            &[parameter],
                            &format!("SELECT role_name, {name}({column}) FROM role_changes"),
                        );
                        (part, text)
                    })
                    .collect()
            })
            .get(&self.part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray, StringArray};

    fn column(part: Part, texts: Vec<Option<&str>>) -> ArrayRef {
        let n_rows = texts.len();
        let argument = ColumnarValue::Array(Arc::new(StringArray::from(texts)));
        part.column(&Texts::new(&argument).unwrap(), n_rows)
    }

    #[test]
    fn documents_are_classed() {
        let admin = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let plain = r#"{"Statement":{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:111122223333:q"}}"#;
        let documents = || {
            vec![
                Some(admin),
                Some(plain),
                Some("no policy"),
                None,
                Some(admin),
            ]
        };
        let classes = column(Part::Class, documents());
        let classes: Vec<_> = classes.as_string_view().iter().collect();
        assert_eq!(
            classes,
            [Some("admin"), Some("plain"), None, None, Some("admin")]
        );
        let severities = column(Part::Severity, documents());
        assert_eq!(severities.as_string_view().value(0), "critical");
        let conditioned = column(Part::Conditioned, documents());
        assert!(!conditioned.as_boolean().value(0));
        let actions = column(Part::Actions, documents());
        assert_eq!(actions.as_list::<i32>().value(0).len(), 1);
        assert!(actions.is_null(2) && actions.is_null(3));
        let paths = column(Part::Paths, documents());
        assert!(paths.as_list::<i32>().value(0).len() > 60);
        assert_eq!(paths.as_list::<i32>().value(1).len(), 0);
        assert!(paths.is_null(2) && paths.is_null(3));
    }

    #[test]
    fn managed_policies_have_tiers() {
        let tiers = column(
            Part::Tier,
            vec![
                Some("arn:aws:iam::aws:policy/AdministratorAccess"),
                Some("arn:aws:iam::111122223333:policy/AdministratorAccess"),
                None,
            ],
        );
        let tiers: Vec<_> = tiers
            .as_primitive::<arrow::datatypes::Int64Type>()
            .iter()
            .collect();
        assert_eq!(tiers, [Some(1), None, None]);
    }
}
