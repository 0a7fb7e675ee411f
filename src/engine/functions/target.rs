//! What a call is about: `target_role_arn`, the role that it takes or passes, and `call_subject`, the
//! one thing to name in a finding.
//!
//! Both look where records really say it: in the request, in the response, in the list of resources
//! and, since refused calls to STS and IAM have no request, in the error message.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use arrow::array::StringViewBuilder;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use sonic_rs::JsonValueTrait as _;

use super::arguments::{Texts, coerce_texts, documentation, shape};
use super::denied;
use super::iam_arn::full;
use super::resource::{Resources, is_resources};

const ROLE: &str = "AWS::IAM::Role";

/// Where IAM calls name what they are about, the most telling first: the member of the request, and
/// the kind that a bare name is of.
const IAM_REQUEST: [(&str, &str); 10] = [
    ("roleName", "role/"),
    ("userName", "user/"),
    ("groupName", "group/"),
    ("policyArn", ""),
    ("policyName", "policy/"),
    ("instanceProfileName", "instance-profile/"),
    ("openIDConnectProviderArn", ""),
    ("sAMLProviderArn", ""),
    ("serialNumber", ""),
    ("serverCertificateName", "server-certificate/"),
];

/// The members of one event.
#[derive(Debug, Clone, Copy, Default)]
struct Call<'a> {
    source: Option<&'a str>,
    region: Option<&'a str>,
    account: Option<&'a str>,
    request: Option<&'a str>,
    response: Option<&'a str>,
    /// The ARN of the first resource that is a role, and of the first of any kind.
    role_resource: Option<&'a str>,
    any_resource: Option<&'a str>,
    error_message: Option<&'a str>,
}

/// A text deep in a JSON body; other values count as absent.
fn text<'a>(json: Option<&'a str>, path: &[&str]) -> Option<Cow<'a, str>> {
    let value = sonic_rs::get_from_str(json?, path).ok()?;
    // The lazy value owns what had escapes in it.
    value.as_str().map(|text| Cow::Owned(text.to_owned()))
}

impl<'a> Call<'a> {
    fn full(&self, resource: &str) -> String {
        full(self.region, self.account, resource)
    }

    fn denied(&self) -> Option<Cow<'a, str>> {
        self.error_message.and_then(denied::target)
    }

    fn role(&self) -> Option<String> {
        text(self.request, &["roleArn"])
            .or_else(|| self.role_resource.map(Cow::Borrowed))
            .map(Cow::into_owned)
            .or_else(|| {
                let target = self.denied()?;
                let resource = match super::arn::split(&target) {
                    Some((_, resource)) => resource,
                    None => &target,
                };
                resource.starts_with("role/").then(|| self.full(&target))
            })
    }

    fn subject(&self) -> Option<String> {
        self.role()
            .or_else(|| self.iam_subject())
            .or_else(|| self.any_resource.map(str::to_owned))
            .or_else(|| text(self.request, &["targetPrincipal"]).map(Cow::into_owned))
            .or_else(|| text(self.request, &["name"]).map(Cow::into_owned))
            .or_else(|| self.denied().map(|target| self.full(&target)))
    }

    fn iam_subject(&self) -> Option<String> {
        if self.source != Some("iam.amazonaws.com") {
            return None;
        }
        let answered = text(self.response, &["role", "arn"])
            .or_else(|| text(self.response, &["policy", "arn"]));
        if let Some(arn) = answered {
            return Some(arn.into_owned());
        }
        let asked = IAM_REQUEST.iter().find_map(|(member, kind)| {
            let name = text(self.request, &[member])?;
            Some(format!("{kind}{name}"))
        });
        // A user's call on itself names the user in the response only.
        let resource = asked.or_else(|| {
            let name = text(self.response, &["accessKey", "userName"])?;
            Some(format!("user/{name}"))
        });
        resource.map(|resource| self.full(&resource))
    }
}

/// The functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    Role,
    Subject,
}

pub(super) fn target_functions() -> [ScalarUDF; 2] {
    [Question::Role, Question::Subject].map(|question| {
        ScalarUDF::new_from_impl(TargetFunction {
            question,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TargetFunction {
    question: Question,
    signature: Signature,
}

/// The columns that both take, those that only `call_subject` takes, and the one that is no text.
const COMMON: [&str; 4] = [
    "awsregion",
    "recipientaccountid",
    "requestparameters",
    "errormessage",
];
const OF_SUBJECT: [&str; 2] = ["eventsource", "responseelements"];
const RESOURCES: &str = "resources";

impl Question {
    fn n_texts(self) -> usize {
        match self {
            Self::Role => COMMON.len(),
            Self::Subject => COMMON.len() + OF_SUBJECT.len(),
        }
    }

    /// The arguments' names in order.
    fn parameters(self) -> Vec<&'static str> {
        let texts = COMMON.into_iter().chain(OF_SUBJECT).take(self.n_texts());
        texts.chain([RESOURCES]).collect()
    }
}

impl ScalarUDFImpl for TargetFunction {
    fn name(&self) -> &str {
        match self.question {
            Question::Role => "target_role_arn",
            Question::Subject => "call_subject",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types.split_last() {
            Some((resources, texts)) if is_resources(resources) => {
                let n_texts = self.question.n_texts();
                let mut types = coerce_texts(self.name(), texts, n_texts..=n_texts)?;
                types.push(resources.clone());
                Ok(types)
            }
            _ => plan_err!("`{}` takes the column `resources` last", self.name()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let Some((resources, texts)) = args.args.split_last() else {
            return plan_err!("`{}` takes the column `resources` last", self.name());
        };
        let texts = texts.iter().map(Texts::new).collect::<Result<Vec<_>>>()?;
        let resources = Resources::new(resources, n_rows)?;
        let mut builder = StringViewBuilder::with_capacity(n_rows);
        for row in 0..n_rows {
            let get = |argument: usize| texts.get(argument).and_then(|texts| texts.get(row));
            let call = Call {
                region: get(0),
                account: get(1),
                request: get(2),
                error_message: get(3),
                source: get(4),
                response: get(5),
                role_resource: resources.arn(row, Some(ROLE)),
                any_resource: resources.arn(row, None),
            };
            builder.append_option(match self.question {
                Question::Role => call.role(),
                Question::Subject => call.subject(),
            });
        }
        let answers = builder.finish();
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(answers))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static ROLE: OnceLock<Documentation> = OnceLock::new();
        static SUBJECT: OnceLock<Documentation> = OnceLock::new();
        let names = self.question.parameters();
        let syntax = format!("{}({})", self.name(), names.join(", "));
        let (cell, description, example) = match self.question {
            Question::Role => (
                &ROLE,
                "The role that a call takes or passes on: `roleArn` of the request, else the first \
                 resource that is a role, else the role that the error message of a refused call \
                 names. A bare name becomes an ARN in the recording account. NULL where no role is \
                 named.",
                "SELECT target_role_arn, count(*) FROM activity WHERE denied GROUP BY 1",
            ),
            Question::Subject => (
                &SUBJECT,
                "The one thing that a call is about: the role it takes or passes on, else what an \
                 IAM call names (role, user, group, policy and so on, as an ARN, without path where \
                 only the name is known), else the first resource, else `targetPrincipal` or `name` \
                 of the request, else what the error message names. NULL where nothing is named.",
                "SELECT subject, count(*) FROM activity GROUP BY 1",
            ),
        };
        let parameters = names.iter().map(|name| (*name, "the column of that name"));
        Some(cell.get_or_init(|| {
            let parameters: Vec<_> = parameters.collect();
            documentation(description, &syntax, &parameters, example)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iam<'a>(request: &'a str, response: &'a str) -> Call<'a> {
        Call {
            source: Some("iam.amazonaws.com"),
            region: Some("us-east-1"),
            account: Some("111122223333"),
            request: Some(request),
            response: Some(response),
            ..Call::default()
        }
    }

    #[test]
    fn subjects_of_iam_calls() {
        for (request, response, expected) in [
            (
                r#"{"roleName":"app","policyArn":"arn:p"}"#,
                "",
                Some("arn:aws:iam::111122223333:role/app"),
            ),
            (
                r#"{"roleName":"a\u0070p"}"#,
                "",
                Some("arn:aws:iam::111122223333:role/app"),
            ),
            (
                r#"{"groupName":"g","userName":"ann"}"#,
                "",
                Some("arn:aws:iam::111122223333:user/ann"),
            ),
            (
                r#"{"policyArn":"arn:aws:iam::aws:policy/p"}"#,
                "",
                Some("arn:aws:iam::aws:policy/p"),
            ),
            (
                r#"{"policyName":"p"}"#,
                r#"{"policy":{"arn":"arn:x"}}"#,
                Some("arn:x"),
            ),
            (
                "null",
                r#"{"accessKey":{"userName":"ann"}}"#,
                Some("arn:aws:iam::111122223333:user/ann"),
            ),
            (r#"{"roleName":{"odd":1}}"#, "", None),
            (r#"{"omitted":true}"#, "null", None),
            ("{\"roleName\":\"app", "no json", None),
        ] {
            let subject = iam(request, response).subject();
            assert_eq!(subject.as_deref(), expected, "{request} {response}");
        }
    }

    #[test]
    fn other_services_name_resources() {
        let call = Call {
            source: Some("cloudtrail.amazonaws.com"),
            request: Some(r#"{"name":"main","roleName":"not iam"}"#),
            ..Call::default()
        };
        assert_eq!(call.subject().as_deref(), Some("main"));
        let call = Call {
            any_resource: Some("arn:aws:kms:us-east-1:1:key/k"),
            ..call
        };
        assert_eq!(call.subject(), call.any_resource.map(str::to_owned));
    }
}
