//! `resource_arn`: an ARN out of an event's list of resources.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::arguments::{Texts, documentation, is_text, shape};

pub(super) fn resource_arn() -> ScalarUDF {
    ScalarUDF::new_from_impl(ResourceArn {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ResourceArn {
    signature: Signature,
}

/// A field of all resources of a batch, as texts.
fn field(resources: &ArrayRef, name: &str) -> Result<Option<StringViewArray>> {
    let Some(column) = resources
        .as_struct_opt()
        .and_then(|fields| fields.column_by_name(name))
    else {
        return Ok(None);
    };
    Ok(Some(
        cast(column, &DataType::Utf8View)?.as_string_view().clone(),
    ))
}

fn text(column: Option<&StringViewArray>, row: usize) -> Option<&str> {
    let column = column?;
    column.is_valid(row).then(|| column.value(row))
}

impl ScalarUDFImpl for ResourceArn {
    fn name(&self) -> &str {
        "resource_arn"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [DataType::List(item), rest @ ..]
                if matches!(item.data_type(), DataType::Struct(_))
                    && rest.len() <= 1
                    && rest.iter().all(is_text) =>
            {
                let kind = rest.iter().map(|data_type| match data_type {
                    DataType::Null => DataType::Utf8View,
                    text => text.clone(),
                });
                Ok(arg_types.iter().take(1).cloned().chain(kind).collect())
            }
            _ => plan_err!("`resource_arn` takes the column `resources` and a resource type"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let Some((resources, rest)) = args.args.split_first() else {
            return plan_err!("`resource_arn` takes the column `resources` and a resource type");
        };
        let lists = resources.to_array(n_rows)?;
        let lists = lists.as_list::<i32>();
        let wanted = rest.first().map(Texts::new).transpose()?;
        let kinds = field(lists.values(), "type")?;
        let arns = field(lists.values(), "arn")?;
        let mut builder = StringViewBuilder::with_capacity(n_rows);
        for row in 0..n_rows {
            let offsets = lists.value_offsets();
            let (Some(start), Some(end)) = (offsets.get(row), offsets.get(row + 1)) else {
                break;
            };
            let in_list = if lists.is_valid(row) {
                *start..*end
            } else {
                0..0
            };
            let arn = in_list
                .filter_map(|item| usize::try_from(item).ok())
                .filter(|&item| match &wanted {
                    None => true,
                    Some(wanted) => wanted
                        .get(row)
                        .is_some_and(|wanted| text(kinds.as_ref(), item) == Some(wanted)),
                })
                .find_map(|item| text(arns.as_ref(), item));
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
                "The ARN of the first resource that has one, of the given type if one is given. \
                 NULL where there is none.",
                "resource_arn(resources[, type])",
                &[
                    ("resources", "the column `resources`"),
                    ("type", "a resource type such as `AWS::IAM::Role`"),
                ],
                "resource_arn(resources, 'AWS::IAM::Role') -- arn:aws:iam::111122223333:role/app",
            )
        }))
    }
}
