//! Rows that are kept, in as few buffers as they need.
//!
//! A view of texts points into buffers, and whatever takes, joins or concatenates rows hands on the whole
//! list of them: pages of a file stay for one row of theirs, and lists grow with every join. Kept rows
//! begin with one buffer for each column.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StructArray};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result;

/// Most rows of a batch that is made of smaller ones.
const MAX_ROWS: usize = 65_536;

/// The same rows in the same order, in few batches, each column in buffers of its own.
pub(super) fn compact(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    let mut compacted = Vec::new();
    let mut waiting: Vec<&RecordBatch> = Vec::new();
    let mut n_rows = 0;
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        if n_rows + batch.num_rows() > MAX_ROWS && !waiting.is_empty() {
            compacted.push(joined(schema, &waiting)?);
            waiting.clear();
            n_rows = 0;
        }
        n_rows += batch.num_rows();
        waiting.push(batch);
    }
    if !waiting.is_empty() {
        compacted.push(joined(schema, &waiting)?);
    }
    Ok(compacted)
}

fn joined(schema: &SchemaRef, batches: &[&RecordBatch]) -> Result<RecordBatch> {
    let batch = concat_batches(schema, batches.iter().copied())?;
    let columns = batch.columns().iter().map(own_buffers);
    Ok(RecordBatch::try_new(
        Arc::clone(schema),
        columns.collect::<Result<_>>()?,
    )?)
}

/// The array with only the bytes that it shows.
fn own_buffers(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::Struct(fields) => {
            let members = array.as_struct();
            let columns = members.columns().iter().map(own_buffers);
            Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                columns.collect::<Result<_>>()?,
                members.nulls().cloned(),
                members.len(),
            )?)
        }
        DataType::List(field) => {
            let list = array.as_list::<i32>();
            Arc::new(ListArray::try_new(
                Arc::clone(field),
                list.offsets().clone(),
                own_buffers(list.values())?,
                list.nulls().cloned(),
            )?)
        }
        _ => Arc::clone(array),
    })
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ListBuilder, StringViewArray, StringViewBuilder};
    use datafusion::arrow::datatypes::{Field, Schema};

    use super::*;

    const LONG: &str = "a text that does not fit into a view of its own";

    fn batch(n_rows: usize) -> RecordBatch {
        let texts: StringViewArray = (0..1_000).map(|i| Some(format!("{LONG} {i}"))).collect();
        let texts: ArrayRef = Arc::new(texts.slice(7, n_rows));
        let fields = vec![Field::new("t", DataType::Utf8View, true)].into();
        let members = StructArray::new(fields, vec![Arc::clone(&texts)], None);
        let mut lists = ListBuilder::new(StringViewBuilder::new());
        for _ in 0..n_rows {
            lists.append_value([Some(LONG)]);
        }
        let columns: [(&str, ArrayRef); 3] = [
            ("text", texts),
            ("members", Arc::new(members)),
            ("list", Arc::new(lists.finish())),
        ];
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect();
        let columns = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[test]
    fn rows_stay_and_buffers_become_one() {
        let batches: Vec<RecordBatch> = (0..30).map(|i| batch(i % 4)).collect();
        let schema = batches[0].schema();
        let kept = compact(&schema, &batches).unwrap();
        assert_eq!(
            concat_batches(&schema, &kept).unwrap(),
            concat_batches(&schema, &batches).unwrap()
        );
        assert_eq!(kept.len(), 1);
        let text = kept[0].column(0).as_string_view();
        let member = kept[0].column(1).as_struct().column(0).as_string_view();
        for array in [text, member] {
            assert_eq!(array.data_buffers().len(), 1);
            assert!(array.data_buffers()[0].len() < 100 * LONG.len());
        }
    }

    #[test]
    fn no_rows_are_no_batches() {
        let empty = batch(0);
        assert!(compact(&empty.schema(), &[empty]).unwrap().is_empty());
    }
}
