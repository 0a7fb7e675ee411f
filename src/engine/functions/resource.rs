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

/// Whether a type is that of the column `resources`.
pub(super) fn is_resources(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)))
}

/// The column `resources` of a batch.
pub(super) struct Resources {
    lists: ArrayRef,
    kinds: Option<StringViewArray>,
    arns: Option<StringViewArray>,
}

impl Resources {
    /// # Errors
    ///
    /// Where the argument is no list of structs, which the signature has excluded.
    pub fn new(argument: &ColumnarValue, n_rows: usize) -> Result<Self> {
        let lists = argument.to_array(n_rows)?;
        let values = lists.as_list::<i32>().values();
        let field = |name: &str| -> Result<Option<StringViewArray>> {
            let column = values
                .as_struct_opt()
                .and_then(|fields| fields.column_by_name(name));
            let Some(column) = column else {
                return Ok(None);
            };
            let texts = cast(column, &DataType::Utf8View)?;
            Ok(Some(texts.as_string_view().clone()))
        };
        let (kinds, arns) = (field("type")?, field("arn")?);
        Ok(Self { lists, kinds, arns })
    }

    /// The ARN of a row's first resource of a kind, or of any kind, that has one.
    pub fn arn(&self, row: usize, kind: Option<&str>) -> Option<&str> {
        let lists = self.lists.as_list::<i32>();
        if !lists.is_valid(row) {
            return None;
        }
        let offsets = lists.value_offsets();
        let (start, end) = (*offsets.get(row)?, *offsets.get(row + 1)?);
        (start..end)
            .filter_map(|item| usize::try_from(item).ok())
            .filter(|&item| kind.is_none() || text(self.kinds.as_ref(), item) == kind)
            .find_map(|item| text(self.arns.as_ref(), item))
    }
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
            [resources, rest @ ..]
                if is_resources(resources) && rest.len() <= 1 && rest.iter().all(is_text) =>
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
        let resources = Resources::new(resources, n_rows)?;
        let wanted = rest.first().map(Texts::new).transpose()?;
        let mut builder = StringViewBuilder::with_capacity(n_rows);
        for row in 0..n_rows {
            builder.append_option(match &wanted {
                None => resources.arn(row, None),
                Some(wanted) => wanted
                    .get(row)
                    .and_then(|kind| resources.arn(row, Some(kind))),
            });
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
