//! `principal_key`: one stable text for who made a call.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder, make_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};

use super::arguments::{Texts, coerce_texts, documentation, shape};

/// The members of `useridentity` that the key is made of, in the order of the long form's arguments.
const LEAVES: [&[&str]; 10] = [
    &["type"],
    &["principalid"],
    &["arn"],
    &["accountid"],
    &["invokedby"],
    &["username"],
    &["identityprovider"],
    &["sessioncontext", "sessionissuer", "arn"],
    &["onbehalfof", "identitystorearn"],
    &["onbehalfof", "userid"],
];

/// What CloudTrail writes instead of names it does not know; it says nothing about who it was.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The members of one caller; empty texts count as absent.
#[derive(Debug, Clone, Copy, Default)]
struct Caller<'a> {
    kind: Option<&'a str>,
    principal_id: Option<&'a str>,
    arn: Option<&'a str>,
    account: Option<&'a str>,
    invoked_by: Option<&'a str>,
    user_name: Option<&'a str>,
    provider: Option<&'a str>,
    issuer_arn: Option<&'a str>,
    store_arn: Option<&'a str>,
    store_user: Option<&'a str>,
}

impl Caller<'_> {
    fn key(self) -> Option<String> {
        let known = match self.kind.unwrap_or_default() {
            "AssumedRole" => self.issuer_arn.map(|issuer| match self.session_name() {
                Some(session) => format!("{issuer}/{session}"),
                None => issuer.to_owned(),
            }),
            "Root" => self.account.map(|account| format!("{account}:root")),
            "AWSAccount" => self.account_and_id(),
            "AWSService" => self.invoked_by.map(str::to_owned),
            "SAMLUser" | "WebIdentityUser" => match (self.provider, self.user_name()) {
                (Some(provider), Some(name)) => Some(format!("{provider}:{name}")),
                // The same two parts, run together by CloudTrail.
                _ => self.principal_id.map(str::to_owned),
            },
            "IdentityCenterUser" => match (self.store_arn, self.store_user) {
                (Some(store), Some(user)) => Some(format!("{store}/{user}")),
                (None, user) | (user, None) => user.map(str::to_owned),
            },
            _ => None,
        };
        known
            .or_else(|| self.arn.map(str::to_owned))
            .or_else(|| self.invoked_by.map(str::to_owned))
            .or_else(|| self.account_and_id())
            .or_else(|| self.user_name().map(str::to_owned))
    }

    fn account_and_id(self) -> Option<String> {
        match (self.account, self.principal_id) {
            (Some(account), Some(id)) => Some(format!("{account}:{id}")),
            (None, one) | (one, None) => one.map(str::to_owned),
        }
    }

    fn session_name(&self) -> Option<&str> {
        self.principal_id
            .and_then(|id| id.split_once(':'))
            .map(|(_, name)| name)
            .filter(|name| !name.is_empty())
            .or_else(|| self.arn?.rsplit_once('/').map(|(_, name)| name))
            .filter(|name| !name.is_empty())
    }

    fn user_name(&self) -> Option<&str> {
        self.user_name.filter(|name| *name != HIDDEN)
    }
}

/// The type of a member of a struct, however deep.
fn leaf_type<'a>(fields: &'a Fields, path: &[&str]) -> Option<&'a DataType> {
    let (name, rest) = path.split_first()?;
    let (_, field) = fields.find(name)?;
    match field.data_type() {
        DataType::Struct(inner) if !rest.is_empty() => leaf_type(inner, rest),
        data_type => rest.is_empty().then_some(data_type),
    }
}

/// A member of a struct column; the rows where an outer struct is NULL are NULL.
fn leaf(array: &ArrayRef, path: &[&str], outer: Option<&NullBuffer>) -> Result<Option<ArrayRef>> {
    let nulls = NullBuffer::union(outer, array.nulls());
    let Some((name, rest)) = path.split_first() else {
        let data = array.to_data().into_builder().nulls(nulls).build()?;
        return Ok(Some(make_array(data)));
    };
    match array
        .as_struct_opt()
        .and_then(|fields| fields.column_by_name(name))
    {
        Some(inner) => leaf(inner, rest, nulls.as_ref()),
        None => Ok(None),
    }
}

/// The arguments of the long form, from either form.
fn leaves(arguments: &[ColumnarValue], n_rows: usize) -> Result<Vec<Texts>> {
    let [identity] = arguments else {
        return arguments.iter().map(Texts::new).collect();
    };
    let identity = identity.to_array(n_rows)?;
    LEAVES
        .iter()
        .map(|path| {
            Texts::new(&match leaf(&identity, path, None)? {
                Some(array) => ColumnarValue::Array(array),
                None => ColumnarValue::Scalar(ScalarValue::Utf8View(None)),
            })
        })
        .collect()
}

pub(super) fn principal_key() -> ScalarUDF {
    ScalarUDF::new_from_impl(PrincipalKey {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PrincipalKey {
    signature: Signature,
}

impl ScalarUDFImpl for PrincipalKey {
    fn name(&self) -> &str {
        "principal_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [DataType::Struct(_)] => Ok(arg_types.to_vec()),
            [_] => plan_err!("`principal_key` takes the column `useridentity`"),
            _ => coerce_texts(self.name(), arg_types, LEAVES.len()..=LEAVES.len()),
        }
    }

    /// The short form becomes the long one, so that a scan reads ten columns and not the thirty that
    /// the struct is made of.
    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let [identity] = args.as_slice() else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let DataType::Struct(fields) = info.get_data_type(identity)? else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let leaves = LEAVES
            .iter()
            .map(|path| match leaf_type(&fields, path) {
                Some(_) => path
                    .iter()
                    .fold(identity.clone(), |expr, name| expr.field(*name)),
                None => lit(ScalarValue::Utf8View(None)),
            })
            .collect();
        Ok(ExprSimplifyResult::Simplified(principal_key().call(leaves)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let texts = leaves(&args.args, n_rows)?;
        let mut builder = StringViewBuilder::with_capacity(n_rows);
        for row in 0..n_rows {
            let get = |leaf: usize| {
                let text = texts.get(leaf).and_then(|texts| texts.get(row));
                text.filter(|text| !text.is_empty())
            };
            let caller = Caller {
                kind: get(0),
                principal_id: get(1),
                arn: get(2),
                account: get(3),
                invoked_by: get(4),
                user_name: get(5),
                provider: get(6),
                issuer_arn: get(7),
                store_arn: get(8),
                store_user: get(9),
            };
            builder.append_option(caller.key());
        }
        let keys = builder.finish();
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&keys, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(keys))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: OnceLock<Documentation> = OnceLock::new();
        Some(DOCUMENTATION.get_or_init(|| {
            documentation(
                "Who made a call, as one text that stays the same from call to call: the issuing \
                 role's ARN and the session name for a role session, `ACCOUNT:root` for the root \
                 user, account and principal id for a caller from another account, the service's \
                 name for a service, identity provider and user name for a federated user, the \
                 identity store and user id for Identity Center, else the ARN. NULL where the event \
                 names nobody.",
                "principal_key(useridentity)",
                &[(
                    "useridentity",
                    "the column `useridentity`, or its ten members: type, principalid, arn, \
                     accountid, invokedby, username, identityprovider, the session issuer's arn, \
                     onbehalfof.identitystorearn, onbehalfof.userid",
                )],
                "principal_key(useridentity) -- arn:aws:iam::111122223333:role/team/app/session",
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{StringArray, StructArray};
    use arrow::datatypes::Field;

    const ACCOUNT: Option<&str> = Some("111122223333");

    fn check(caller: Caller<'_>, expected: Option<&str>) {
        assert_eq!(caller.key().as_deref(), expected, "{caller:?}");
    }

    #[test]
    fn role_sessions_keep_the_path_of_the_role() {
        let session = Caller {
            kind: Some("AssumedRole"),
            principal_id: Some("AROAEXAMPLE:ann@example.com"),
            arn: Some("arn:aws:sts::111122223333:assumed-role/app/ann@example.com"),
            account: ACCOUNT,
            issuer_arn: Some("arn:aws:iam::111122223333:role/team/app"),
            ..Caller::default()
        };
        let key = "arn:aws:iam::111122223333:role/team/app/ann@example.com";
        check(session, Some(key));
        // A service that acts inside the session is still that session.
        let forwarded = Caller {
            invoked_by: Some("athena.amazonaws.com"),
            ..session
        };
        check(forwarded, Some(key));
        let without_id = Caller {
            principal_id: None,
            ..session
        };
        check(without_id, Some(key));
        let without_issuer = Caller {
            issuer_arn: None,
            ..session
        };
        check(without_issuer, session.arn);
    }

    #[test]
    fn every_other_kind_of_caller() {
        let user = "arn:aws:iam::111122223333:user/ann";
        check(
            Caller {
                kind: Some("IAMUser"),
                principal_id: Some("AIDAEXAMPLE"),
                arn: Some(user),
                account: ACCOUNT,
                user_name: Some("ann"),
                ..Caller::default()
            },
            Some(user),
        );
        // A failed sign-in with an unknown name.
        check(
            Caller {
                kind: Some("IAMUser"),
                account: ACCOUNT,
                user_name: Some(HIDDEN),
                ..Caller::default()
            },
            ACCOUNT,
        );
        check(
            Caller {
                kind: Some("Root"),
                arn: Some("arn:aws:iam::111122223333:root"),
                account: ACCOUNT,
                ..Caller::default()
            },
            Some("111122223333:root"),
        );
        check(
            Caller {
                kind: Some("AWSAccount"),
                principal_id: Some("AROAEXAMPLE:session"),
                account: ACCOUNT,
                ..Caller::default()
            },
            Some("111122223333:AROAEXAMPLE:session"),
        );
        check(
            Caller {
                kind: Some("AWSService"),
                invoked_by: Some("ec2.amazonaws.com"),
                ..Caller::default()
            },
            Some("ec2.amazonaws.com"),
        );
        check(
            Caller {
                kind: Some("SAMLUser"),
                principal_id: Some("hash=:ann"),
                user_name: Some("ann"),
                provider: Some("hash="),
                ..Caller::default()
            },
            Some("hash=:ann"),
        );
        check(
            Caller {
                kind: Some("IdentityCenterUser"),
                account: ACCOUNT,
                store_arn: Some("arn:aws:identitystore::111122223333:identitystore/d-1"),
                store_user: Some("u-1"),
                ..Caller::default()
            },
            Some("arn:aws:identitystore::111122223333:identitystore/d-1/u-1"),
        );
        // Service events without a type.
        check(
            Caller {
                account: ACCOUNT,
                invoked_by: Some("access-analyzer.amazonaws.com"),
                ..Caller::default()
            },
            Some("access-analyzer.amazonaws.com"),
        );
        check(Caller::default(), None);
    }

    #[test]
    fn a_struct_gives_its_members() {
        let texts = |values: Vec<Option<&str>>| -> ArrayRef { Arc::new(StringArray::from(values)) };
        let field = |name: &str, array: &ArrayRef| {
            Arc::new(Field::new(name, array.data_type().clone(), true))
        };
        let arns = texts(vec![Some("a"), Some("b")]);
        let issuer: ArrayRef = Arc::new(StructArray::new(
            vec![field("arn", &arns)].into(),
            vec![Arc::clone(&arns)],
            Some(NullBuffer::from(vec![true, false])),
        ));
        let session: ArrayRef = Arc::new(StructArray::from(vec![(
            field("sessionissuer", &issuer),
            issuer,
        )]));
        let identity: ArrayRef = Arc::new(StructArray::from(vec![
            (field("sessioncontext", &session), session),
            (field("arn", &arns), arns),
        ]));
        let leaves = leaves(&[ColumnarValue::Array(identity)], 2).unwrap();
        let column = |leaf: usize| [leaves[leaf].get(0), leaves[leaf].get(1)];
        assert_eq!(column(2), [Some("a"), Some("b")]);
        assert_eq!(column(7), [Some("a"), None]);
        assert_eq!(column(0), [None, None]);
    }
}
