//! `iam_arn`: the full ARN of something that a call names only by kind and name.

use std::sync::{Arc, OnceLock};

use arrow::array::StringViewBuilder;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::arguments::{Texts, coerce_texts, documentation, shape};

/// What stands before the first `/` in the resource part of an IAM ARN.
const KINDS: [&str; 9] = [
    "role",
    "user",
    "group",
    "policy",
    "instance-profile",
    "oidc-provider",
    "saml-provider",
    "mfa",
    "server-certificate",
];

/// The partition that a Region belongs to, by the Region's prefix.
fn partition(region: Option<&str>) -> &'static str {
    let region = region.unwrap_or_default();
    [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ]
    .into_iter()
    .find(|(prefix, _)| region.starts_with(prefix))
    .map_or("aws", |(_, partition)| partition)
}

/// `kind/name` as an ARN; anything else as it is.
pub(super) fn full(region: Option<&str>, account: Option<&str>, resource: &str) -> String {
    let named = resource
        .split_once('/')
        .is_some_and(|(kind, name)| KINDS.contains(&kind) && !name.is_empty());
    match account {
        Some(account) if named => {
            format!("arn:{}:iam::{account}:{resource}", partition(region))
        }
        Some(_) | None => resource.to_owned(),
    }
}

pub(super) fn iam_arn() -> ScalarUDF {
    ScalarUDF::new_from_impl(IamArn {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct IamArn {
    signature: Signature,
}

impl ScalarUDFImpl for IamArn {
    fn name(&self) -> &str {
        "iam_arn"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerce_texts(self.name(), arg_types, 3..=3)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = args
            .args
            .iter()
            .map(Texts::new)
            .collect::<Result<Vec<_>>>()?;
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let get = |argument: usize, row| texts.get(argument).and_then(|texts| texts.get(row));
        let mut builder = StringViewBuilder::with_capacity(n_rows);
        for row in 0..n_rows {
            let arn = get(2, row).map(|resource| full(get(0, row), get(1, row), resource));
            builder.append_option(arn);
        }
        let arns = builder.finish();
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&arns, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(arns))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: OnceLock<Documentation> = OnceLock::new();
        Some(DOCUMENTATION.get_or_init(|| {
            documentation(
                "The ARN of an IAM resource given as kind and name, such as `role/app`; the Region \
                 tells the partition. An ARN or any other text passes as it is, also where the \
                 account is NULL. NULL where the resource is NULL.",
                "iam_arn(region, account, resource)",
                &[
                    ("region", "the Region of the event"),
                    ("account", "the account that the resource is in"),
                    ("resource", "`kind/name`, or an ARN"),
                ],
                "iam_arn('us-east-1', '111122223333', 'role/app') -- arn:aws:iam::111122223333:role/app",
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_arns() {
        let account = Some("111122223333");
        for (region, account, resource, expected) in [
            (
                Some("us-east-1"),
                account,
                "role/app",
                "arn:aws:iam::111122223333:role/app",
            ),
            (
                Some("cn-north-1"),
                account,
                "user/ann",
                "arn:aws-cn:iam::111122223333:user/ann",
            ),
            (
                Some("us-gov-west-1"),
                account,
                "role/a/b",
                "arn:aws-us-gov:iam::111122223333:role/a/b",
            ),
            (
                None,
                account,
                "policy/p",
                "arn:aws:iam::111122223333:policy/p",
            ),
            (None, None, "role/app", "role/app"),
            (
                None,
                account,
                "arn:aws:iam::1:role/x",
                "arn:aws:iam::1:role/x",
            ),
            (None, account, "role/", "role/"),
            (None, account, "some secret", "some secret"),
        ] {
            assert_eq!(full(region, account, resource), expected);
        }
    }
}
