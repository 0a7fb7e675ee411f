//! `row`: values side by side, in fields without names of their own.

use std::sync::Arc;

use arrow::array::StructArray;
use arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::common::{exec_err, plan_err};
use datafusion::logical_expr::ReturnFieldArgs;

use super::FAMILY;
use crate::engine::functions::trino::define::{Doc, Function, Returns, over_arrays};

pub(super) const ROW: Function = Function::new(
    "row",
    Doc {
        family: FAMILY,
        syntax: "row(value, …) → row(…)",
        description: "A row of values. Its fields are `field0`, `field1` and so on, as Trino shows them, until \
            a cast names them.",
        example: "row(1, 'a') -- {1, a}",
    },
    |types| match types {
        [] => plan_err!("`row` takes a value or more"),
        _ => Ok(types.to_vec()),
    },
    Returns::Field(|args| {
        let fields: Fields = fields(args).collect();
        let row = DataType::Struct(fields);
        Ok(Arc::new(arrow::datatypes::Field::new("row", row, true)))
    }),
    |args| {
        let return_type = args.return_field.data_type().clone();
        over_arrays(args, |arguments, _| {
            let DataType::Struct(fields) = &return_type else {
                return exec_err!("`row` gives a row, not {return_type}");
            };
            let row = StructArray::try_new(fields.clone(), arguments.to_vec(), None)?;
            Ok(Arc::new(row))
        })
    },
);

fn fields(args: &ReturnFieldArgs<'_>) -> impl Iterator<Item = FieldRef> {
    args.arg_fields.iter().enumerate().map(|(at, field)| {
        let field = field.as_ref().clone().with_name(format!("field{at}"));
        Arc::new(field.with_nullable(true))
    })
}
