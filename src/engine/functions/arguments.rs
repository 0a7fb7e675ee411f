//! Arguments of SQL functions read as texts, whatever string type they come in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringBuilder, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, DocSection, Documentation};

/// The heading of the vocabulary in the generated function reference.
pub(super) const SECTION: DocSection = DocSection {
    include: true,
    label: "CloudTrail vocabulary",
    description: None,
};

/// Documentation from a function's own parts: description, `(name, meaning)` of the arguments, and a
/// call with its answer.
pub(super) fn documentation(
    description: &str,
    syntax: &str,
    parameters: &[(&str, &str)],
    example: &str,
) -> Documentation {
    let start = Documentation::builder(SECTION, description, syntax).with_sql_example(example);
    parameters
        .iter()
        .fold(start, |documentation, (name, meaning)| {
            documentation.with_argument(*name, *meaning)
        })
        .build()
}

/// Whether a type holds text: one of the string types or a dictionary of one, or NULL alone.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// The coercion of functions that take texts only: every string type stays as it is, and a bare NULL
/// becomes a text.
///
/// # Errors
///
/// Names the function where the count is not allowed or an argument is no text.
pub(super) fn coerce_texts(
    name: &str,
    types: &[DataType],
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<Vec<DataType>> {
    if !allowed.contains(&types.len()) {
        let (least, most) = (allowed.start(), allowed.end());
        return if least == most {
            plan_err!("`{name}` takes {least} arguments, not {}", types.len())
        } else {
            plan_err!(
                "`{name}` takes {least} to {most} arguments, not {}",
                types.len()
            )
        };
    }
    types
        .iter()
        .map(|data_type| match data_type {
            DataType::Null => Ok(DataType::Utf8View),
            text if is_text(text) => Ok(text.clone()),
            other => plan_err!("`{name}` takes texts, not {other}"),
        })
        .collect()
}

/// One argument: a column of texts, or one text for all rows.
pub(super) struct Texts {
    values: StringViewArray,
    constant: bool,
}

impl Texts {
    /// # Errors
    ///
    /// Where the argument is no text, which the signature has excluded.
    pub fn new(argument: &ColumnarValue) -> Result<Self> {
        let (array, constant) = match argument {
            ColumnarValue::Array(array) => (Arc::clone(array), false),
            ColumnarValue::Scalar(value) => (value.to_array_of_size(1)?, true),
        };
        let array = if array.data_type() == &DataType::Utf8View {
            array
        } else {
            cast(&array, &DataType::Utf8View)?
        };
        Ok(Self {
            values: array.as_string_view().clone(),
            constant,
        })
    }

    /// The text of a row; `None` is NULL.
    pub fn get(&self, row: usize) -> Option<&str> {
        let row = if self.constant { 0 } else { row };
        self.values.is_valid(row).then(|| self.values.value(row))
    }
}

/// How many rows the result has, and whether it is one value for all rows.
pub(super) fn shape(arguments: &[ColumnarValue], n_rows: usize) -> (usize, bool) {
    let constant = arguments
        .iter()
        .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
    (if constant { 1 } else { n_rows }, constant)
}

/// A column of lists of texts, in the form that DataFusion's own list functions give.
pub(super) fn text_list(rows: impl Iterator<Item = Option<Vec<String>>>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        let valid = row.is_some();
        for text in row.into_iter().flatten() {
            builder.values().append_value(text);
        }
        builder.append(valid);
    }
    Arc::new(builder.finish())
}
