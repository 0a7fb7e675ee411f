//! Arrays and maps taken apart and put together again: the elements of all rows one after the other, and
//! which of them belong to which row.
//!
//! Elements under a NULL row do not exist here, so that nothing is computed of them.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt64Array};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err, plan_err};

/// Rows of elements, or of entries where the column is a map.
pub(in crate::engine) struct Lists {
    /// Those of all rows, one row after the other; `entry(key, value)` for a map.
    pub elements: ArrayRef,
    starts: Vec<usize>,
    nulls: Option<NullBuffer>,
}

impl Lists {
    /// # Errors
    ///
    /// Where the column is neither of arrays nor of maps.
    pub fn new(array: &dyn Array) -> Result<Self> {
        let (elements, offsets): (ArrayRef, &OffsetBuffer<i32>) = match array.data_type() {
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                (Arc::clone(lists.values()), lists.offsets())
            }
            DataType::Map(_, _) => {
                let maps = array.as_map();
                (Arc::new(maps.entries().clone()), maps.offsets())
            }
            other => return exec_err!("expected an array or a map, found {other}"),
        };
        let mut rows: Vec<Range<usize>> = Vec::with_capacity(array.len());
        for (row, bounds) in offsets.windows(2).enumerate() {
            let (start, end) = match bounds {
                &[start, end] if array.is_valid(row) => (start, end),
                _ => (0, 0),
            };
            rows.push(position(start)?..position(end)?);
        }
        let mut starts = Vec::with_capacity(rows.len() + 1);
        let mut n = 0;
        starts.push(n);
        for row in &rows {
            n += row.len();
            starts.push(n);
        }
        let mut filled = rows.iter().filter(|row| !row.is_empty());
        let first = filled.next().map_or(0, |row| row.start);
        let last = filled.next_back().map_or(first + n, |row| row.end);
        let elements = if last - first == n {
            elements.slice(first, n)
        } else {
            let reachable = rows.into_iter().flatten().map(index);
            take(
                &elements,
                &reachable.collect::<Result<UInt64Array>>()?,
                None,
            )?
        };
        Ok(Self {
            elements,
            starts,
            nulls: array.nulls().cloned(),
        })
    }

    pub fn n_rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    pub fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// Where a row's elements are; empty for NULL.
    pub fn range(&self, row: usize) -> Range<usize> {
        let start = self.starts.get(row).copied().unwrap_or_default();
        let end = self.starts.get(row + 1).copied().unwrap_or(start);
        start..end
    }

    /// Where each row's elements are, `None` for NULL.
    pub fn rows(&self) -> impl Iterator<Item = Option<Range<usize>>> {
        (0..self.n_rows()).map(|row| (!self.is_null(row)).then(|| self.range(row)))
    }

    /// The row of every element.
    ///
    /// # Errors
    ///
    /// Never, for arrays that fit into memory.
    pub fn row_of_elements(&self) -> Result<UInt64Array> {
        let rows = (0..self.n_rows()).flat_map(|row| self.range(row).map(move |_| index(row)));
        rows.collect()
    }

    /// Keys and values of all entries, where the column is a map.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn entries(&self) -> Result<(ArrayRef, ArrayRef)> {
        let entries = self.elements.as_struct_opt();
        match entries.map(StructArray::columns) {
            Some([keys, values]) => Ok((Arc::clone(keys), Arc::clone(values))),
            _ => exec_err!("expected a map, found {}", self.elements.data_type()),
        }
    }
}

/// An Arrow offset as a position.
fn position(offset: i32) -> Result<usize> {
    match usize::try_from(offset) {
        Ok(position) => Ok(position),
        Err(_) => exec_err!("an array has a negative offset"),
    }
}

/// A position as an index for [`take`].
///
/// # Errors
///
/// Never, for arrays that fit into memory.
pub(in crate::engine) fn index(position: usize) -> Result<u64> {
    match u64::try_from(position) {
        Ok(index) => Ok(index),
        Err(_) => exec_err!("an array is too long"),
    }
}

/// A position or a count as Trino's bigint.
///
/// # Errors
///
/// Never, for arrays that fit into memory.
pub(in crate::engine) fn bigint(position: usize) -> Result<i64> {
    match i64::try_from(position) {
        Ok(bigint) => Ok(bigint),
        Err(_) => exec_err!("an array is too long"),
    }
}

/// Elements picked by position; `None` picks NULL.
///
/// # Errors
///
/// Those of Arrow.
pub(in crate::engine) fn pick(
    elements: &dyn Array,
    positions: impl IntoIterator<Item = Option<usize>>,
) -> Result<ArrayRef> {
    let positions = positions.into_iter();
    let indices: UInt64Array = positions
        .map(|position| position.map(index).transpose())
        .collect::<Result<_>>()?;
    Ok(take(elements, &indices, None)?)
}

/// The field of an array's elements: nullable, with the marks of `like`.
pub(in crate::engine) fn element_of(like: &Field) -> FieldRef {
    let element = Field::new_list_field(like.data_type().clone(), true);
    Arc::new(element.with_metadata(like.metadata().clone()))
}

/// An array's type, for the field of its elements.
pub(in crate::engine) fn array_of(like: &Field) -> DataType {
    DataType::List(element_of(like))
}

/// The type of a map from keys to values.
pub(in crate::engine) fn map_of(key: &Field, value: &Field) -> DataType {
    let key = Field::new("key", key.data_type().clone(), false);
    let value = Field::new("value", value.data_type().clone(), true)
        .with_metadata(value.metadata().clone());
    let entry = DataType::Struct(Fields::from(vec![key, value]));
    DataType::Map(Arc::new(Field::new("entries", entry, false)), false)
}

/// The field of an array's elements, if the type is an array's.
pub(in crate::engine) fn element_field(data_type: &DataType) -> Option<&FieldRef> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => Some(field),
        _ => None,
    }
}

/// The fields of a map's keys and values, if the type is a map's.
pub(in crate::engine) fn entry_fields(data_type: &DataType) -> Option<(&FieldRef, &FieldRef)> {
    let DataType::Map(entry, _) = data_type else {
        return None;
    };
    match entry.data_type() {
        DataType::Struct(fields) => match fields.as_ref() {
            [key, value] => Some((key, value)),
            _ => None,
        },
        _ => None,
    }
}

/// The form that bodies take an array in; a bare NULL becomes an array.
///
/// # Errors
///
/// Names the function where the type is no array's.
pub(in crate::engine) fn coerce_array(name: &str, data_type: &DataType) -> Result<DataType> {
    match (element_field(data_type), data_type) {
        (Some(element), _) => Ok(array_of(element)),
        (None, DataType::Null) => Ok(DataType::new_list(DataType::Null, true)),
        (None, other) => plan_err!("`{name}` takes an array, not {other}"),
    }
}

/// The form that bodies take a map in; a bare NULL becomes a map.
///
/// # Errors
///
/// Names the function where the type is no map's.
pub(in crate::engine) fn coerce_map(name: &str, data_type: &DataType) -> Result<DataType> {
    match (entry_fields(data_type), data_type) {
        (Some(_), _) => Ok(data_type.clone()),
        (None, DataType::Null) => {
            let null = Field::new("", DataType::Null, true);
            Ok(map_of(&null, &null))
        }
        (None, other) => plan_err!("`{name}` takes a map, not {other}"),
    }
}

fn offsets(lengths: impl IntoIterator<Item = usize>) -> Result<OffsetBuffer<i32>> {
    let mut end = 0_usize;
    let mut offsets = vec![0_i32];
    for length in lengths {
        end = end.saturating_add(length);
        match i32::try_from(end) {
            Ok(end) => offsets.push(end),
            Err(_) => return exec_err!("the arrays of a batch have too many elements"),
        }
    }
    Ok(OffsetBuffer::new(ScalarBuffer::from(offsets)))
}

/// A column of the type `array_type`: the next `length` elements for each row.
///
/// # Errors
///
/// Where the elements are of another type.
pub(in crate::engine) fn build_array(
    array_type: &DataType,
    elements: ArrayRef,
    lengths: impl IntoIterator<Item = usize>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::List(field) = array_type else {
        return exec_err!("expected the type of an array, found {array_type}");
    };
    let lists = ListArray::try_new(Arc::clone(field), offsets(lengths)?, elements, nulls)?;
    Ok(Arc::new(lists))
}

/// A column of the type `map_type`: the next `length` keys and values for each row.
///
/// # Errors
///
/// Where keys or values are of another type, or a key is NULL.
pub(in crate::engine) fn build_map(
    map_type: &DataType,
    entries: (ArrayRef, ArrayRef),
    lengths: impl IntoIterator<Item = usize>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::Map(entry, sorted) = map_type else {
        return exec_err!("expected the type of a map, found {map_type}");
    };
    let DataType::Struct(fields) = entry.data_type() else {
        return exec_err!("expected the type of a map, found {map_type}");
    };
    let (keys, values) = entries;
    if keys.null_count() > 0 {
        return exec_err!("a key of a map is NULL");
    }
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    let maps = MapArray::try_new(
        Arc::clone(entry),
        offsets(lengths)?,
        entries,
        nulls,
        *sorted,
    )?;
    Ok(Arc::new(maps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;

    #[test]
    fn elements_under_nulls_are_gone() {
        let elements: ArrayRef = Arc::new(Int64Array::from_iter_values(0..6));
        let item = DataType::new_list(DataType::Int64, true);
        let nulls = NullBuffer::from(vec![true, false, true, true]);
        let lists = build_array(&item, elements, [1, 2, 0, 3], Some(nulls)).unwrap();
        for (start, expected, rows) in [
            (0, vec![0, 3, 4, 5], vec![0, 3, 3, 3]),
            (1, vec![3, 4, 5], vec![2, 2, 2]),
            (3, vec![3, 4, 5], vec![0, 0, 0]),
        ] {
            let lists = Lists::new(&lists.slice(start, 4 - start)).unwrap();
            assert_eq!(
                lists.elements.as_ref(),
                &Int64Array::from(expected) as &dyn Array
            );
            assert_eq!(lists.row_of_elements().unwrap(), UInt64Array::from(rows));
        }
        let none = Lists::new(&lists.slice(1, 1)).unwrap();
        assert!(none.is_null(0) && none.elements.is_empty());
    }
}
