//! What a role's trust policy lets in: `trust_verdict`, `trust_severity`, `trust_codes`,
//! `trust_findings`, `trust_principals`.
//!
//! The judgement is [`crate::policy::trust`]'s; here it becomes columns. All five take the document,
//! and optionally the role's account and ARN, without which the first own account is assumed.

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

use super::arguments::{Texts, coerce_texts, documentation, shape, text_list};
use crate::policy::trust::{TrustContext, TrustReport, analyze};

/// Which part of the report a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Verdict,
    Severity,
    Codes,
    Findings,
    Principals,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Verdict,
        Self::Severity,
        Self::Codes,
        Self::Findings,
        Self::Principals,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Verdict => "trust_verdict",
            Self::Severity => "trust_severity",
            Self::Codes => "trust_codes",
            Self::Findings => "trust_findings",
            Self::Principals => "trust_principals",
        }
    }

    fn return_type(self) -> DataType {
        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        match self {
            Self::Verdict | Self::Severity => DataType::Utf8View,
            Self::Codes | Self::Principals => list(DataType::Utf8),
            Self::Findings => list(DataType::Struct(finding_fields())),
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Verdict => {
                "The most exposed principal that a trust policy lets in: `public`, `federated-open`, \
                 `external-untrusted`, … `trusted-principal`, `none`, or `invalid` for a text that is \
                 no policy. NULL where the document is NULL."
            }
            Self::Severity => {
                "The severity of a trust policy, from its verdict and its findings together: \
                 `info` to `critical`. NULL where the document is NULL."
            }
            Self::Codes => {
                "The codes of what is noteworthy in a trust policy (`T01` to `T43`), sorted. NULL \
                 where the document is NULL."
            }
            Self::Findings => {
                "What is noteworthy in a trust policy, each with code, severity, the statement's \
                 position from 0, the offending value, and how to write it instead. NULL where the \
                 document is NULL."
            }
            Self::Principals => {
                "Who can take the role, as written in the trust policy, sorted; `*` is everybody. \
                 NULL where the document is NULL."
            }
        }
    }

    fn column<'a>(self, reports: impl Iterator<Item = Option<&'a TrustReport>>) -> ArrayRef {
        match self {
            Self::Verdict => words(reports, |report| report.verdict.as_str()),
            Self::Severity => words(reports, |report| report.severity.as_str()),
            Self::Codes => text_list(reports.map(|report| {
                report.map(|report| {
                    let codes = report.codes();
                    codes
                        .into_iter()
                        .map(|code| code.as_str().to_owned())
                        .collect()
                })
            })),
            Self::Principals => {
                text_list(reports.map(|report| report.map(|report| report.principals.clone())))
            }
            Self::Findings => findings(reports),
        }
    }
}

fn words<'a>(
    reports: impl Iterator<Item = Option<&'a TrustReport>>,
    word: fn(&TrustReport) -> &'static str,
) -> ArrayRef {
    let mut builder = StringViewBuilder::new();
    for report in reports {
        builder.append_option(report.map(word));
    }
    Arc::new(builder.finish())
}

fn finding_fields() -> Fields {
    Fields::from(vec![
        Field::new("code", DataType::Utf8, true),
        Field::new("severity", DataType::Utf8, true),
        Field::new("statement", DataType::Int64, true),
        Field::new("value", DataType::Utf8, true),
        Field::new("advice", DataType::Utf8, true),
    ])
}

fn findings<'a>(reports: impl Iterator<Item = Option<&'a TrustReport>>) -> ArrayRef {
    let mut lists = ListBuilder::new(StructBuilder::from_fields(finding_fields(), 0));
    for report in reports {
        for finding in report.iter().flat_map(|report| &report.findings) {
            let row = lists.values();
            let texts = [
                (0, finding.code.as_str()),
                (1, finding.severity.as_str()),
                (3, finding.value.as_str()),
                (4, finding.advice.as_str()),
            ];
            for (field, text) in texts {
                if let Some(builder) = row.field_builder::<StringBuilder>(field) {
                    builder.append_value(text);
                }
            }
            if let Some(builder) = row.field_builder::<Int64Builder>(2) {
                let statement = finding.statement.and_then(|at| i64::try_from(at).ok());
                builder.append_option(statement);
            }
            row.append(true);
        }
        lists.append(report.is_some());
    }
    Arc::new(lists.finish())
}

/// The five functions, judging with what the case knows.
pub(super) fn trust_functions(context: &Arc<TrustContext>) -> Vec<ScalarUDF> {
    Part::ALL
        .into_iter()
        .map(|part| {
            ScalarUDF::new_from_impl(TrustFunction {
                part,
                signature: Signature::user_defined(Volatility::Immutable),
                context: Arc::clone(context),
                documentation: OnceLock::new(),
            })
        })
        .collect()
}

#[derive(Debug)]
struct TrustFunction {
    part: Part,
    signature: Signature,
    context: Arc<TrustContext>,
    documentation: OnceLock<Documentation>,
}

impl PartialEq for TrustFunction {
    fn eq(&self, other: &Self) -> bool {
        self.part == other.part && self.context == other.context
    }
}

impl Eq for TrustFunction {}

impl Hash for TrustFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.part.hash(state);
    }
}

/// A document, the role's account and the role's ARN.
type Question<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// What the case knows, with the role's own account and ARN as far as a call gives them.
pub(super) fn context_of(
    case: &TrustContext,
    account: Option<&str>,
    arn: Option<&str>,
) -> TrustContext {
    let mut context = case.clone();
    if account.is_some() || arn.is_some() {
        // The ARN's own account counts, not the default.
        context.role_account = account.map(str::to_owned);
    }
    context.role_arn = arn.map(str::to_owned);
    context
}

impl TrustFunction {
    fn report(&self, (document, account, arn): Question<'_>) -> TrustReport {
        if account.is_none() && arn.is_none() {
            return analyze(document, &self.context);
        }
        analyze(document, &context_of(&self.context, account, arn))
    }
}

impl ScalarUDFImpl for TrustFunction {
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
        coerce_texts(self.name(), arg_types, 1..=3)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = args
            .args
            .iter()
            .map(Texts::new)
            .collect::<Result<Vec<_>>>()?;
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let get = |argument: usize, row| texts.get(argument).and_then(|texts| texts.get(row));
        // The same document comes again and again, in one deployment after the other.
        let mut known: HashMap<Question<'_>, usize> = HashMap::new();
        let mut reports: Vec<TrustReport> = Vec::new();
        let mut rows: Vec<Option<usize>> = Vec::with_capacity(n_rows);
        for row in 0..n_rows {
            let Some(document) = get(0, row) else {
                rows.push(None);
                continue;
            };
            let question = (document, get(1, row), get(2, row));
            rows.push(Some(match known.entry(question) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    reports.push(self.report(question));
                    *entry.insert(reports.len() - 1)
                }
            }));
        }
        let answers = self
            .part
            .column(rows.iter().map(|report| reports.get((*report)?)));
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
                &format!("{name}(document[, role_account[, role_arn]])"),
                &[
                    ("document", "a trust policy: JSON, percent-encoded or not"),
                    (
                        "role_account",
                        "the account of the role; the first own account if not given or NULL",
                    ),
                    ("role_arn", "the ARN of the role, to notice trust in itself"),
                ],
                &format!(
                    "SELECT role_name, {name}(trust_document, role_account) FROM role_changes"
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

    const OTHER: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}}"#;

    fn invoke(name: &str, args: Vec<ColumnarValue>, n_rows: usize) -> ArrayRef {
        let context = TrustContext {
            role_account: Some("111122223333".to_owned()),
            own_accounts: ["111122223333".to_owned()].into(),
            ..TrustContext::default()
        };
        let functions = trust_functions(&Arc::new(context));
        let function = functions
            .iter()
            .find(|function| function.name() == name)
            .unwrap();
        let arg_fields = args
            .iter()
            .map(|value| Arc::new(Field::new("a", value.data_type(), true)))
            .collect();
        let return_field = Field::new("r", function.return_type(&[]).unwrap(), true);
        function
            .invoke_with_args(ScalarFunctionArgs {
                args,
                arg_fields,
                number_rows: n_rows,
                return_field: Arc::new(return_field),
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
    fn verdicts_depend_on_the_role_account() {
        let documents = column(vec![Some(OTHER), None, Some("no policy"), Some(OTHER)]);
        let accounts = column(vec![None, None, None, Some("444455556666")]);
        let verdicts = invoke("trust_verdict", vec![documents, accounts], 4);
        let verdicts: Vec<_> = verdicts.as_string_view().iter().collect();
        assert_eq!(
            verdicts,
            [
                Some("external-untrusted"),
                None,
                Some("invalid"),
                Some("trusted-account")
            ]
        );
    }

    #[test]
    fn severity_codes_and_principals() {
        let documents = || vec![column(vec![Some(OTHER), None])];
        let severities = invoke("trust_severity", documents(), 2);
        assert_eq!(severities.as_string_view().value(0), "high");
        let codes = invoke("trust_codes", documents(), 2);
        assert!(codes.is_null(1));
        assert_eq!(
            codes.as_list::<i32>().value(0).as_string::<i32>().value(0),
            "T07"
        );
        let principals = invoke("trust_principals", documents(), 2);
        let first = principals.as_list::<i32>().value(0);
        assert_eq!(
            first.as_string::<i32>().value(0),
            "arn:aws:iam::444455556666:root"
        );
    }

    #[test]
    fn findings_are_structs() {
        let constant = ColumnarValue::Scalar(OTHER.into());
        let findings = invoke("trust_findings", vec![constant], 1);
        assert_eq!(findings.data_type(), &Part::Findings.return_type());
        let first = findings.as_list::<i32>().value(0);
        let text = |name| first.as_struct().column_by_name(name).unwrap();
        assert_eq!(text("code").as_string::<i32>().value(0), "T07");
        assert_eq!(text("severity").as_string::<i32>().value(0), "high");
        assert!(!text("advice").as_string::<i32>().value(0).is_empty());
    }
}
