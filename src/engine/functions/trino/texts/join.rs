//! `concat` and `concat_ws`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::array::{Capacities, MutableArrayData};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::{STRINGS, VARCHAR, doc};
use crate::engine::functions::trino::collections::{Lists, array_of, build_array, element_field};
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
    Returns::Type(|types| {
        let array = types.iter().find(|given| element_field(given).is_some());
        Ok(match (array, types.first()) {
            (Some(array), _) => array.clone(),
            (None, Some(DataType::BinaryView)) => DataType::BinaryView,
            (None, _) => DataType::Utf8View,
        })
    }),
    concat,
);

fn concat_types(given: &[DataType]) -> Result<Vec<DataType>> {
    if given.is_empty() {
        return plan_err!("`concat` takes at least one argument");
    }
    let Some(first) = given.iter().find_map(element_field) else {
        let bytes = given.iter().any(is_bytes);
        return given
            .iter()
            .map(|given| match given {
                given if bytes => one("concat", given, Kind::Bytes),
                number if number.is_numeric() => Ok(DataType::Utf8View),
                text => one("concat", text, Kind::Text),
            })
            .collect();
    };
    let elements = given
        .iter()
        .map(|given| element_field(given).map_or(given, |field| field.data_type()));
    let mut common = first.data_type().clone();
    for element in elements {
        common = match comparison_coercion(&common, element) {
            Some(wider) => wider,
            None if element.is_null() || *element == common => common,
            None if common.is_null() => element.clone(),
            None => return plan_err!("`concat` cannot join `{common}` and `{element}`"),
        };
    }
    let element = first.as_ref().clone().with_data_type(common.clone());
    let array = array_of(&element);
    Ok(given
        .iter()
        .map(|given| match element_field(given) {
            Some(_) => array.clone(),
            None if given.is_null() => array.clone(),
            None => common.clone(),
        })
        .collect())
}

fn concat(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let types: Vec<_> = args.args.iter().map(ColumnarValue::data_type).collect();
    if let Some(array) = types.iter().find(|given| element_field(given).is_some()) {
        return over_arrays(args, |arrays, n_rows| concat_arrays(arrays, array, n_rows));
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

/// One argument among arrays: an array in each row, or an element.
enum Part {
    Arrays(Lists),
    Element,
}

fn concat_arrays(arrays: &[ArrayRef], array_type: &DataType, n_rows: usize) -> Result<ArrayRef> {
    let mut parts = Vec::with_capacity(arrays.len());
    let mut sources = Vec::with_capacity(arrays.len());
    for array in arrays {
        if array.data_type() == array_type {
            let lists = Lists::new(array.as_ref())?;
            sources.push(lists.elements.to_data());
            parts.push(Part::Arrays(lists));
        } else {
            sources.push(array.to_data());
            parts.push(Part::Element);
        }
    }
    let mut elements = MutableArrayData::with_capacities(
        sources.iter().collect(),
        true,
        Capacities::Array(n_rows),
    );
    let (mut lengths, mut valid) = (Vec::with_capacity(n_rows), Vec::with_capacity(n_rows));
    for row in 0..n_rows {
        let null = |part: &Part| matches!(part, Part::Arrays(lists) if lists.is_null(row));
        let is_valid = !parts.iter().any(null);
        let before = elements.len();
        for (at, part) in parts.iter().enumerate().filter(|_| is_valid) {
            let range = match part {
                Part::Arrays(lists) => lists.range(row),
                Part::Element => row..row + 1,
            };
            elements.try_extend(at, range.start, range.end)?;
        }
        lengths.push(elements.len() - before);
        valid.push(is_valid);
    }
    let elements = make_array(elements.freeze());
    build_array(array_type, elements, lengths, Some(NullBuffer::from(valid)))
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
            let text = arrow::datatypes::Field::new("item", DataType::Utf8View, true);
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
