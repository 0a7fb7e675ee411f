//! `event_json`: the record that an event was read from.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::arguments::{documentation, shape};
use crate::record::{Records, member_columns};

/// The function as statements write it and as plans show it.
pub(in crate::engine) const EVENT_JSON: &str = "event_json";

/// Every event has this column: where it is NULL, an outer join found no event.
const PRESENT: &str = "eventid";

pub(super) fn event_json() -> ScalarUDF {
    ScalarUDF::new_from_impl(EventJson {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct EventJson {
    signature: Signature,
}

impl ScalarUDFImpl for EventJson {
    fn name(&self) -> &str {
        EVENT_JSON
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.len() != member_columns().len() {
            return plan_err!("`event_json` takes nothing, or the name of one table");
        }
        Ok(arg_types.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (n_rows, constant) = shape(&args.args, args.number_rows);
        let columns: Vec<ArrayRef> = args
            .args
            .iter()
            .map(|argument| argument.to_array(n_rows))
            .collect::<Result<_>>()?;
        let records = restore(&columns, n_rows)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&records, 0)?)
        } else {
            ColumnarValue::Array(records)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: OnceLock<Documentation> = OnceLock::new();
        Some(DOCUMENTATION.get_or_init(|| {
            documentation(
                "The record that an event was read from, as JSON text: every member, those without \
                 a column too, with numbers as they were spelled. Works on `cloudtrail`, on \
                 `activity`, and on whatever passes all their columns. The column name `eventjson` \
                 means the same.",
                "event_json()",
                &[(
                    "table",
                    "the name or alias of a table of the query; needed where it has several",
                )],
                "SELECT event_json(c) FROM cloudtrail AS c WHERE eventname = 'CreateRole'",
            )
        }))
    }
}

fn restore(columns: &[ArrayRef], n_rows: usize) -> crate::Result<ArrayRef> {
    let present = member_columns().iter().position(|name| name == PRESENT);
    let present = present.map(|index| &columns[index]);
    let records = Records::of_members(columns)?;
    let mut builder = StringViewBuilder::with_capacity(n_rows);
    let mut json = String::new();
    for row in 0..n_rows {
        if present.is_some_and(|ids| ids.is_null(row)) {
            builder.append_null();
            continue;
        }
        json.clear();
        records.write(row, &mut json)?;
        builder.append_value(&json);
    }
    Ok(Arc::new(builder.finish()))
}
