//! Values of any type as bytes that are equal where the values are, and in their order: what the
//! functions over arrays and maps compare, look up and sort by. NULL equals NULL and comes last.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{SortOptions, cast, interleave};
use arrow::row::{Row, RowConverter, Rows, SortField};
use datafusion::common::{Result, exec_err};

/// Columns of one type, comparable with each other.
pub(in crate::engine) struct Keys {
    columns: Vec<Rows>,
}

impl Keys {
    /// # Errors
    ///
    /// Where a column's type has no order.
    pub fn of(columns: &[&ArrayRef]) -> Result<Self> {
        let Some(first) = columns.first() else {
            return exec_err!("there is nothing to compare");
        };
        let options = SortOptions {
            descending: false,
            nulls_first: false,
        };
        let field = SortField::new_with_options(first.data_type().clone(), options);
        let converter = RowConverter::new(vec![field])?;
        let mut rows = Vec::with_capacity(columns.len());
        for column in columns {
            let column = if column.data_type() == first.data_type() {
                ArrayRef::clone(column)
            } else {
                cast(column, first.data_type())?
            };
            rows.push(converter.convert_columns(&[column])?);
        }
        Ok(Self { columns: rows })
    }

    /// # Errors
    ///
    /// As [`Keys::of`].
    pub fn of_both(left: &ArrayRef, right: &ArrayRef) -> Result<Self> {
        Self::of(&[left, right])
    }

    /// The key of a value; panics where the column has no such value.
    pub fn key(&self, column: usize, at: usize) -> Row<'_> {
        self.columns[column].row(at)
    }

    /// The first position of each key among some values of a column.
    pub fn positions(&self, column: usize, values: Range<usize>) -> HashMap<Row<'_>, usize> {
        let mut positions = HashMap::with_capacity(values.len());
        for at in values {
            positions.entry(self.key(column, at)).or_insert(at);
        }
        positions
    }
}

/// Values out of two columns of one type: the left one's where it has one.
///
/// # Errors
///
/// Those of Arrow; where neither column has a value.
pub(in crate::engine) fn pick_either(
    left: &dyn Array,
    right: &ArrayRef,
    places: &[(Option<usize>, Option<usize>)],
) -> Result<ArrayRef> {
    let right = cast(right, left.data_type())?;
    let mut indices = Vec::with_capacity(places.len());
    for place in places {
        indices.push(match place {
            (Some(at), _) => (0, *at),
            (None, Some(at)) => (1, *at),
            (None, None) => return exec_err!("there is no value to pick"),
        });
    }
    Ok(interleave(&[left, right.as_ref()], &indices)?)
}

/// Refuses maps that name a key twice.
///
/// # Errors
///
/// Names the function and the key.
pub(in crate::engine) fn check_distinct(
    name: &str,
    keys: &ArrayRef,
    rows: impl Iterator<Item = Range<usize>>,
) -> Result<()> {
    let compared = Keys::of(&[keys])?;
    let mut seen = HashSet::new();
    for row in rows {
        seen.clear();
        for at in row {
            if !seen.insert(compared.key(0, at)) {
                let key = arrow::util::display::array_value_to_string(keys, at)?;
                return exec_err!("`{name}` meets the key `{key}` twice");
            }
        }
    }
    Ok(())
}
