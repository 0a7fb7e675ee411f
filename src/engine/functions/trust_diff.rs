//! What a later trust policy lets in beyond an earlier one: `trust_diff`, `trust_opened`,
//! `trust_diff_severity`.
//!
//! The comparison is [`crate::policy::trust::diff`]'s; here it becomes columns.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{
    ArrayRef, Int64Builder, ListBuilder, StringBuilder, StringViewBuilder, StructBuilder,
};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::arguments::{Texts, coerce_texts, documentation, shape};
use super::trust::context_of;
use crate::policy::trust::{TrustChange, TrustContext, TrustDiff, diff};

/// Which part of the difference a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    All,
    Opened,
    Severity,
}

impl Part {
    const ALL: [Self; 3] = [Self::All, Self::Opened, Self::Severity];

    fn name(self) -> &'static str {
        match self {
            Self::All => "trust_diff",
            Self::Opened => "trust_opened",
            Self::Severity => "trust_diff_severity",
        }
    }

    fn return_type(self) -> DataType {
        match self {
            Self::All | Self::Opened => {
                let item = DataType::Struct(change_fields());
                DataType::List(Arc::new(Field::new("item", item, true)))
            }
            Self::Severity => DataType::Utf8View,
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::All => {
                "What a later trust policy of a role opened and closed against an earlier one, worst \
                 first: added and removed principals, calls, condition keys and Deny statements, \
                 weaker operators, wider values, and a verdict that rose or fell. Each entry has the \
                 change, its severity (`info` for what closed), the statement's position from 0 and \
                 the value at issue. The order of statements, one value or a list, the case of keys \
                 and `Sid` are no difference. Empty where one of the two is no policy, NULL where one \
                 is NULL."
            }
            Self::Opened => {
                "The part of `trust_diff` that lets more in: `verdict-rose`, `principal-added`, \
                 `condition-removed`, `condition-weakened`, `value-widened`, `action-added`, \
                 `guard-removed`. NULL where one of the two documents is NULL."
            }
            Self::Severity => {
                "The worst of what a later trust policy of a role opened: `high` for a worse verdict \
                 or a principal outside the own accounts, `medium` for a condition key that is not \
                 tested any more, `low` for the rest. NULL where nothing was opened."
            }
        }
    }

    fn column<'a>(self, diffs: impl Iterator<Item = Option<&'a TrustDiff>>) -> ArrayRef {
        match self {
            Self::All => lists(diffs, |diff| {
                diff.opened.iter().chain(&diff.closed).collect()
            }),
            Self::Opened => lists(diffs, |diff| diff.opened.iter().collect()),
            Self::Severity => {
                let mut builder = StringViewBuilder::new();
                for diff in diffs {
                    let severity = diff.and_then(TrustDiff::severity);
                    builder.append_option(severity.map(|severity| severity.as_str()));
                }
                Arc::new(builder.finish())
            }
        }
    }
}

fn change_fields() -> Fields {
    Fields::from(vec![
        Field::new("change", DataType::Utf8, true),
        Field::new("severity", DataType::Utf8, true),
        Field::new("statement", DataType::Int64, true),
        Field::new("value", DataType::Utf8, true),
    ])
}

fn lists<'a>(
    diffs: impl Iterator<Item = Option<&'a TrustDiff>>,
    part: fn(&TrustDiff) -> Vec<&TrustChange>,
) -> ArrayRef {
    let mut lists = ListBuilder::new(StructBuilder::from_fields(change_fields(), 0));
    for diff in diffs {
        for change in diff.map(part).unwrap_or_default() {
            let row = lists.values();
            let texts = [
                (0, change.kind.as_str()),
                (1, change.severity.as_str()),
                (3, change.value.as_str()),
            ];
            for (field, text) in texts {
                if let Some(builder) = row.field_builder::<StringBuilder>(field) {
                    builder.append_value(text);
                }
            }
            if let Some(builder) = row.field_builder::<Int64Builder>(2) {
                let statement = change.statement.and_then(|at| i64::try_from(at).ok());
                builder.append_option(statement);
            }
            row.append(true);
        }
        lists.append(diff.is_some());
    }
    Arc::new(lists.finish())
}

/// The three functions, judging with what the case knows.
pub(super) fn trust_diff_functions(context: &Arc<TrustContext>) -> Vec<ScalarUDF> {
    Part::ALL
        .into_iter()
        .map(|part| {
            ScalarUDF::new_from_impl(TrustDiffFunction {
                part,
                signature: Signature::user_defined(Volatility::Immutable),
                context: Arc::clone(context),
                documentation: OnceLock::new(),
            })
        })
        .collect()
}

#[derive(Debug)]
struct TrustDiffFunction {
    part: Part,
    signature: Signature,
    context: Arc<TrustContext>,
    documentation: OnceLock<Documentation>,
}

impl PartialEq for TrustDiffFunction {
    fn eq(&self, other: &Self) -> bool {
        self.part == other.part && self.context == other.context
    }
}

impl Eq for TrustDiffFunction {}

impl Hash for TrustDiffFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.part.hash(state);
    }
}

/// Two documents, the role's account and the role's ARN.
type Question<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>);

impl ScalarUDFImpl for TrustDiffFunction {
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
        coerce_texts(self.name(), arg_types, 2..=4)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = args
            .args
            .iter()
            .map(Texts::new)
            .collect::<Result<Vec<_>>>()?;
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let get = |argument: usize, row| texts.get(argument).and_then(|texts| texts.get(row));
        let mut known: HashMap<Question<'_>, usize> = HashMap::new();
        let mut diffs: Vec<TrustDiff> = Vec::new();
        let mut rows: Vec<Option<usize>> = Vec::with_capacity(n_rows);
        for row in 0..n_rows {
            let (Some(old), Some(new)) = (get(0, row), get(1, row)) else {
                rows.push(None);
                continue;
            };
            let (account, arn) = (get(2, row), get(3, row));
            rows.push(Some(match known.entry((old, new, account, arn)) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    diffs.push(diff(old, new, &context_of(&self.context, account, arn)));
                    *entry.insert(diffs.len() - 1)
                }
            }));
        }
        let answers = self
            .part
            .column(rows.iter().map(|diff| diffs.get((*diff)?)));
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?)
        } else {
            ColumnarValue::Array(answers)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.documentation.get_or_init(|| {
            let name = self.part.name();
            documentation(
                self.part.description(),
                &format!("{name}(old, new[, role_account[, role_arn]])"),
                &[
                    (
                        "old",
                        "the earlier trust policy: JSON, percent-encoded or not",
                    ),
                    ("new", "the later trust policy, likewise"),
                    (
                        "role_account",
                        "the account of the role; the first own account if not given or NULL",
                    ),
                    ("role_arn", "the ARN of the role, to notice trust in itself"),
                ],
                &format!(
                    "SELECT role_name, {name}(previous_document, trust_document, role_account) \
                     FROM trust_changes"
                ),
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray, StringArray};
    use datafusion::config::ConfigOptions;

    const OWN: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/a"},"Action":"sts:AssumeRole"}}"#;
    const OTHER: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/a"},"Action":"sts:AssumeRole"}}"#;

    fn invoke(part: Part, args: Vec<ColumnarValue>, n_rows: usize) -> ArrayRef {
        let context = TrustContext {
            role_account: Some("111122223333".to_owned()),
            own_accounts: ["111122223333".to_owned()].into(),
            ..TrustContext::default()
        };
        let functions = trust_diff_functions(&Arc::new(context));
        let function = functions
            .iter()
            .find(|function| function.name() == part.name())
            .unwrap();
        let arg_fields = args
            .iter()
            .map(|value| Arc::new(Field::new("a", value.data_type(), true)))
            .collect();
        function
            .invoke_with_args(ScalarFunctionArgs {
                args,
                arg_fields,
                number_rows: n_rows,
                return_field: Arc::new(Field::new("r", part.return_type(), true)),
                config_options: Arc::new(ConfigOptions::default()),
            })
            .unwrap()
            .into_array(n_rows)
            .unwrap()
    }

    fn column(values: Vec<Option<&str>>) -> ColumnarValue {
        ColumnarValue::Array(Arc::new(StringArray::from(values)))
    }

    #[test]
    fn severities_depend_on_the_role_account() {
        let old = column(vec![Some(OWN), Some(OWN), None, Some(OTHER), Some(OWN)]);
        let new = column(vec![
            Some(OTHER),
            Some(OWN),
            Some(OWN),
            Some(OWN),
            Some("{"),
        ]);
        let severities = invoke(Part::Severity, vec![old, new], 5);
        let severities: Vec<_> = severities.as_string_view().iter().collect();
        assert_eq!(severities, [Some("high"), None, None, Some("low"), None]);
        // For a role of the other account the same change brings in one of its own, and goes down.
        let texts = vec![column(vec![Some(OWN)]), column(vec![Some(OTHER)])];
        let account = ColumnarValue::Scalar("444455556666".into());
        let severities = invoke(Part::Severity, [texts, vec![account]].concat(), 1);
        assert_eq!(severities.as_string_view().value(0), "low");
    }

    #[test]
    fn changes_are_structs() {
        let constants = || {
            let text = |text: &str| ColumnarValue::Scalar(text.into());
            vec![text(OWN), text(OTHER)]
        };
        let all = invoke(Part::All, constants(), 1);
        assert_eq!(all.data_type(), &Part::All.return_type());
        let first = all.as_list::<i32>().value(0);
        let words = first.as_struct().column_by_name("change").unwrap();
        let words: Vec<_> = words.as_string::<i32>().iter().flatten().collect();
        assert_eq!(
            words,
            ["verdict-rose", "principal-added", "principal-removed"]
        );
        let opened = invoke(Part::Opened, constants(), 1);
        assert_eq!(opened.as_list::<i32>().value(0).len(), 2);
        let nulls = invoke(
            Part::All,
            vec![column(vec![None]), column(vec![Some(OWN)])],
            1,
        );
        assert!(nulls.is_null(0));
    }
}
