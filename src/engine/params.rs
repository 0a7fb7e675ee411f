//! Values for `$name` in a query. They are bound as values and never become part of its text.

use std::collections::BTreeMap;

use datafusion::common::{ParamValues, ScalarValue};

/// Values by name, without the `$`.
pub type Params = BTreeMap<String, Param>;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
}

pub(super) fn bind(params: &Params) -> ParamValues {
    let values = params.iter().map(|(name, param)| {
        let value = match param {
            Param::Text(text) => ScalarValue::Utf8(Some(text.clone())),
            Param::Integer(integer) => ScalarValue::Int64(Some(*integer)),
            Param::Float(float) => ScalarValue::Float64(Some(*float)),
            Param::Bool(bool) => ScalarValue::Boolean(Some(*bool)),
        };
        (name.clone(), value)
    });
    ParamValues::from(values.collect::<std::collections::HashMap<_, _>>())
}
