//! `concat` and `concat_ws`.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::{STRINGS, VARCHAR, doc};
use crate::engine::functions::trino::arrays;
use crate::engine::functions::trino::collections::{Lists, array_of, element_field};
use crate::engine::functions::trino::define::{Function, Returns, over_arrays};
use crate::engine::functions::trino::rows::{Kind, Rows, is_bytes, one};

pub(super) const CONCAT: Function = Function::new(
    "concat",
    doc(
        STRINGS,
        "concat(text, …) → varchar\nconcat(bytes, …) → varbinary\nconcat(array, …) → array",
        "Texts, bytes or arrays joined; an element among arrays joins as one of theirs. NULL where an \
         argument is, unlike in DataFusion; `||` is the same.",
        "concat('arn:aws:iam::', '111122223333', ':root') -- arn:aws:iam::111122223333:root",
    ),
    concat_types,
    concat_returns(),
    concat,
);

fn has_array(given: &[DataType]) -> bool {
    given.iter().any(|given| element_field(given).is_some())
}

fn concat_types(given: &[DataType]) -> Result<Vec<DataType>> {
    if given.is_empty() {
        return plan_err!("`concat` takes at least one argument");
    }
    if has_array(given) {
        return (arrays::CONCAT.coerce)(given);
    }
    let bytes = given.iter().any(is_bytes);
    given
        .iter()
        .map(|given| match given {
            given if bytes => one("concat", given, Kind::Bytes),
            number if number.is_numeric() => Ok(DataType::Utf8View),
            text => one("concat", text, Kind::Text),
        })
        .collect()
}

const fn concat_returns() -> Returns {
    Returns::Field(|args| {
        let types: Vec<_> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let returned = match types.first() {
            _ if has_array(&types) => match arrays::CONCAT.returns {
                Returns::Type(returns) => returns(&types)?,
                Returns::Field(returns) => return returns(args),
            },
            Some(DataType::BinaryView) => DataType::BinaryView,
            _ => DataType::Utf8View,
        };
        Ok(Arc::new(Field::new("concat", returned, true)))
    })
}

fn concat(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let types: Vec<_> = args.args.iter().map(ColumnarValue::data_type).collect();
    if has_array(&types) {
        return (arrays::CONCAT.body)(args);
    }
    let rows = Rows::new(args);
    if types.first() == Some(&DataType::BinaryView) {
        let parts = (0..types.len())
            .map(|at| rows.bytes(at))
            .collect::<Result<Vec<_>>>()?;
        return rows.give_bytes(|row| {
            let mut joined = Vec::new();
            for part in &parts {
                match part.get(row) {
                    Some(bytes) => joined.extend_from_slice(bytes),
                    None => return Ok(None),
                }
            }
            Ok(Some(joined))
        });
    }
    let parts = (0..types.len())
        .map(|at| rows.texts(at))
        .collect::<Result<Vec<_>>>()?;
    rows.give_texts(|row| {
        let mut joined = String::new();
        for part in &parts {
            match part.get(row) {
                Some(text) => joined.push_str(text),
                None => return Ok(None),
            }
        }
        Ok(Some(joined))
    })
}

pub(super) const CONCAT_WS: Function = Function::new(
    "concat_ws",
    doc(
        STRINGS,
        "concat_ws(separator, text, …) → varchar\nconcat_ws(separator, array(varchar)) → varchar",
        "Texts, or those of an array, joined with a separator between them. NULLs among them are left \
         out; NULL where the separator is.",
        "concat_ws('/', 'a', NULL, 'b') -- a/b",
    ),
    |given| match given {
        [separator, array] if element_field(array).is_some() => {
            let text = Field::new("item", DataType::Utf8View, true);
            Ok(vec![
                one("concat_ws", separator, Kind::Text)?,
                array_of(&text),
            ])
        }
        [_, ..] => given
            .iter()
            .map(|given| match given {
                number if number.is_numeric() => Ok(DataType::Utf8View),
                text => one("concat_ws", text, Kind::Text),
            })
            .collect(),
        [] => plan_err!("`concat_ws` takes a separator and texts"),
    },
    VARCHAR,
    concat_ws,
);

fn concat_ws(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    if let Some(DataType::List(_)) = args.args.get(1).map(ColumnarValue::data_type) {
        return over_arrays(args, |arrays, n_rows| {
            let [separators, arrays] = arrays else {
                return plan_err!("`concat_ws` takes a separator and an array");
            };
            let separators = separators.as_string_view();
            let lists = Lists::new(arrays.as_ref())?;
            let elements = cast(&lists.elements, &DataType::Utf8View)?;
            let elements = elements.as_string_view();
            let joined = (0..n_rows).map(|row| {
                if lists.is_null(row) || separators.is_null(row) {
                    return None;
                }
                let valid = lists.range(row).filter(|at| elements.is_valid(*at));
                let texts: Vec<_> = valid.map(|at| elements.value(at)).collect();
                Some(texts.join(separators.value(row)))
            });
            Ok(Arc::new(joined.collect::<arrow::array::StringViewArray>()))
        });
    }
    let rows = Rows::new(args);
    let separators = rows.texts(0)?;
    let parts = (1..rows.n_arguments())
        .map(|at| rows.texts(at))
        .collect::<Result<Vec<_>>>()?;
    rows.give_texts(|row| {
        let texts: Vec<_> = parts.iter().filter_map(|part| part.get(row)).collect();
        Ok(separators.get(row).map(|separator| texts.join(separator)))
    })
}
