//! What most functions do: take the arguments of a call as typed columns, and make the answer row by row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BinaryViewBuilder, BooleanArray, BooleanBuilder,
    Float64Array, Float64Builder, Int64Array, Int64Builder, StringViewArray, StringViewBuilder,
};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use crate::engine::functions::arguments::is_text;

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Kind {
    /// Text; times and truth values count, as CloudTrail wrote them as text.
    Text,
    Integer,
    Double,
    Boolean,
    /// Bytes; text counts as its UTF-8.
    Bytes,
}

impl Kind {
    /// The one type that bodies read.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Integer => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Bytes => DataType::BinaryView,
        }
    }

    fn takes(self, given: &DataType) -> bool {
        let value = value_type(given);
        match self {
            Self::Text => {
                is_text(value) || matches!(value, DataType::Timestamp(..) | DataType::Boolean)
            }
            Self::Integer => value.is_integer() || value.is_null(),
            Self::Double => value.is_numeric() || value.is_null(),
            Self::Boolean => matches!(value, DataType::Boolean | DataType::Null),
            Self::Bytes => is_text(value) || is_bytes(value),
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Text => "texts",
            Self::Integer => "integers",
            Self::Double => "numbers",
            Self::Boolean => "truth values",
            Self::Bytes => "bytes or texts",
        }
    }
}

fn value_type(given: &DataType) -> &DataType {
    match given {
        DataType::Dictionary(_, value) => value,
        other => other,
    }
}

/// Whether a type holds bytes.
pub(in crate::engine) fn is_bytes(given: &DataType) -> bool {
    matches!(
        given,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

/// The coercion of a function whose arguments are of the given kinds, of which the first `least` must
/// be there.
///
/// # Errors
///
/// Names the function where the count or a type is wrong.
pub(in crate::engine) fn coerce(
    name: &str,
    given: &[DataType],
    kinds: &[Kind],
    least: usize,
) -> Result<Vec<DataType>> {
    if given.len() < least || given.len() > kinds.len() {
        let most = kinds.len();
        let n = given.len();
        return match (least, most) {
            (1, 1) => plan_err!("`{name}` takes one argument, not {n}"),
            _ if least == most => plan_err!("`{name}` takes {least} arguments, not {n}"),
            _ => plan_err!("`{name}` takes {least} to {most} arguments, not {n}"),
        };
    }
    given
        .iter()
        .zip(kinds)
        .map(|(given, kind)| one(name, given, *kind))
        .collect()
}

/// The type that one argument is read as.
///
/// # Errors
///
/// Names the function where the type is wrong.
pub(in crate::engine) fn one(name: &str, given: &DataType, kind: Kind) -> Result<DataType> {
    if kind.takes(given) {
        Ok(kind.data_type())
    } else {
        plan_err!("`{name}` takes {} there, not `{given}`", kind.plural())
    }
}

/// A column of one type, or one value for all rows.
pub(in crate::engine) struct Column<A> {
    values: A,
    constant: bool,
}

impl<A: Array> Column<A> {
    fn row(&self, row: usize) -> Option<usize> {
        let row = if self.constant { 0 } else { row };
        (row < self.values.len() && self.values.is_valid(row)).then_some(row)
    }

    /// Whether the value is the same for all rows.
    pub fn is_constant(&self) -> bool {
        self.constant
    }
}

impl Column<StringViewArray> {
    pub fn get(&self, row: usize) -> Option<&str> {
        self.row(row).map(|row| self.values.value(row))
    }
}

impl Column<BinaryViewArray> {
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        self.row(row).map(|row| self.values.value(row))
    }
}

impl Column<Int64Array> {
    pub fn get(&self, row: usize) -> Option<i64> {
        self.row(row).map(|row| self.values.value(row))
    }
}

impl Column<Float64Array> {
    pub fn get(&self, row: usize) -> Option<f64> {
        self.row(row).map(|row| self.values.value(row))
    }
}

impl Column<BooleanArray> {
    pub fn get(&self, row: usize) -> Option<bool> {
        self.row(row).map(|row| self.values.value(row))
    }
}

/// A call over a batch: its arguments, and how many rows the answer has.
pub(in crate::engine) struct Rows<'a> {
    args: &'a [ColumnarValue],
    n_rows: usize,
    constant: bool,
    volatile: bool,
}

impl<'a> Rows<'a> {
    pub fn new(args: &'a ScalarFunctionArgs) -> Self {
        let constant = args
            .args
            .iter()
            .all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        Self {
            args: &args.args,
            n_rows: if constant { 1 } else { args.number_rows },
            constant,
            volatile: false,
        }
    }

    /// A call whose answer differs from row to row even where all its arguments are constants.
    pub fn volatile(args: &'a ScalarFunctionArgs) -> Self {
        Self {
            args: &args.args,
            n_rows: args.number_rows,
            constant: false,
            volatile: true,
        }
    }

    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub fn n_arguments(&self) -> usize {
        self.args.len()
    }

    /// Whether an argument came as bytes, where text is allowed as well.
    pub fn is_bytes(&self, at: usize) -> bool {
        self.args
            .get(at)
            .is_some_and(|argument| is_bytes(&argument.data_type()))
    }

    fn array(&self, at: usize, as_type: &DataType) -> Result<(ArrayRef, bool)> {
        let (array, constant) = match self.args.get(at) {
            Some(ColumnarValue::Array(array)) => (Arc::clone(array), false),
            Some(ColumnarValue::Scalar(value)) => (value.to_array_of_size(1)?, true),
            None => return Err(exec_datafusion_err!("argument {} is missing", at + 1)),
        };
        if array.data_type() == as_type {
            return Ok((array, constant));
        }
        let strict = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let array = match as_type {
            // Arrow has no way from every kind of text to bytes but through this one.
            DataType::BinaryView if is_text(array.data_type()) => {
                cast(&cast(&array, &DataType::Utf8View)?, as_type)?
            }
            _ => cast_with_options(&array, as_type, &strict)?,
        };
        Ok((array, constant))
    }

    /// # Errors
    ///
    /// Where the argument cannot be read so, which the coercion has excluded; so in all of these.
    pub fn texts(&self, at: usize) -> Result<Column<StringViewArray>> {
        let (array, constant) = self.array(at, &DataType::Utf8View)?;
        let values = array.as_string_view().clone();
        Ok(Column { values, constant })
    }

    pub fn bytes(&self, at: usize) -> Result<Column<BinaryViewArray>> {
        let (array, constant) = self.array(at, &DataType::BinaryView)?;
        let values = array.as_binary_view().clone();
        Ok(Column { values, constant })
    }

    pub fn integers(&self, at: usize) -> Result<Column<Int64Array>> {
        let (array, constant) = self.array(at, &DataType::Int64)?;
        let values = array.as_primitive::<Int64Type>().clone();
        Ok(Column { values, constant })
    }

    pub fn doubles(&self, at: usize) -> Result<Column<Float64Array>> {
        let (array, constant) = self.array(at, &DataType::Float64)?;
        let values = array.as_primitive::<Float64Type>().clone();
        Ok(Column { values, constant })
    }

    pub fn truths(&self, at: usize) -> Result<Column<BooleanArray>> {
        let (array, constant) = self.array(at, &DataType::Boolean)?;
        let values = array.as_boolean().clone();
        Ok(Column { values, constant })
    }

    /// Texts, one for each row.
    ///
    /// # Errors
    ///
    /// Those of `answer`; so in all of these.
    pub fn give_texts<T: AsRef<str>>(
        &self,
        mut answer: impl FnMut(usize) -> Result<Option<T>>,
    ) -> Result<ColumnarValue> {
        let mut builder = StringViewBuilder::with_capacity(self.n_rows);
        for row in 0..self.n_rows {
            builder.append_option(answer(row)?);
        }
        self.give(Arc::new(builder.finish()))
    }

    pub fn give_bytes<T: AsRef<[u8]>>(
        &self,
        mut answer: impl FnMut(usize) -> Result<Option<T>>,
    ) -> Result<ColumnarValue> {
        let mut builder = BinaryViewBuilder::with_capacity(self.n_rows);
        for row in 0..self.n_rows {
            builder.append_option(answer(row)?);
        }
        self.give(Arc::new(builder.finish()))
    }

    pub fn give_integers(
        &self,
        mut answer: impl FnMut(usize) -> Result<Option<i64>>,
    ) -> Result<ColumnarValue> {
        let mut builder = Int64Builder::with_capacity(self.n_rows);
        for row in 0..self.n_rows {
            builder.append_option(answer(row)?);
        }
        self.give(Arc::new(builder.finish()))
    }

    pub fn give_doubles(
        &self,
        mut answer: impl FnMut(usize) -> Result<Option<f64>>,
    ) -> Result<ColumnarValue> {
        let mut builder = Float64Builder::with_capacity(self.n_rows);
        for row in 0..self.n_rows {
            builder.append_option(answer(row)?);
        }
        self.give(Arc::new(builder.finish()))
    }

    pub fn give_truths(
        &self,
        mut answer: impl FnMut(usize) -> Result<Option<bool>>,
    ) -> Result<ColumnarValue> {
        let mut builder = BooleanBuilder::with_capacity(self.n_rows);
        for row in 0..self.n_rows {
            builder.append_option(answer(row)?);
        }
        self.give(Arc::new(builder.finish()))
    }

    /// The answer as a constant where all arguments are.
    pub fn give(&self, answer: ArrayRef) -> Result<ColumnarValue> {
        if self.constant && !self.volatile {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &answer, 0,
            )?));
        }
        Ok(ColumnarValue::Array(answer))
    }
}

/// A text as errors show it: not longer than a line.
pub(in crate::engine) fn shown(text: &str) -> String {
    const MOST_CHARS: usize = 120;
    if text.chars().nth(MOST_CHARS).is_none() {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST_CHARS).collect();
    format!("{start}…")
}
