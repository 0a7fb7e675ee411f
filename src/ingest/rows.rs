//! Rows into an Arrow batch of the table `events`.
//!
//! Text that repeats becomes a dictionary, so that a batch that waits to be sorted is small and
//! sorting moves numbers. A column is touched only by records that have it: what is missing is
//! filled with nulls when the next value comes, or at the end.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, BooleanArray, BooleanBuilder, Int64Array, ListBuilder,
    MapBuilder, MapFieldNames, RecordBatch, StringBuilder, StructBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

use super::normalize::{Row, Slot};
use super::time;
use super::words::Words;
use crate::schema::{
    CONFLICTING, CONTENT_HASH, DATE_PARTITION, EVENT_COLUMNS, EXTRA, EventColumn, Kind,
    RESOURCE_FIELDS, SOURCE_FILE, SOURCE_INDEX, Table,
};

/// A builder for each column.
enum Column {
    Words(Words),
    Text(StringBuilder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Resources(ListBuilder<StructBuilder>),
    TextMap(MapBuilder<StringBuilder, StringBuilder>),
}

impl Column {
    fn new(column: &EventColumn) -> Self {
        match column.kind {
            Kind::Text if !column.unique => Self::Words(Words::default()),
            Kind::Text | Kind::Json => Self::Text(StringBuilder::new()),
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Resources => Self::Resources(resources_builder()),
            Kind::TextMap => {
                let names = MapFieldNames {
                    entry: "key_value".to_owned(),
                    key: "key".to_owned(),
                    value: "value".to_owned(),
                };
                Self::TextMap(MapBuilder::new(
                    Some(names),
                    StringBuilder::new(),
                    StringBuilder::new(),
                ))
            }
        }
    }

    /// Gives row `row` its value. A slot of another kind leaves the row empty.
    fn set(&mut self, row: usize, slot: &Slot<'_>) -> Result<(), ArrowError> {
        match (self, slot) {
            (Self::Words(column), Slot::Text(text)) => column.set(row, text),
            (Self::Text(column), Slot::Text(text)) => {
                column.append_nulls(row - column.len());
                column.append_value(text);
            }
            (Self::Bool(column), Slot::Bool(value)) => {
                column.append_nulls(row - column.len());
                column.append_value(*value);
            }
            (Self::Time(column), Slot::Time(micros)) => {
                column.append_nulls(row - column.len());
                column.append_value(*micros);
            }
            (Self::Resources(column), Slot::Resources(list)) => {
                column.append_nulls(row - column.len());
                push_resources(column, list);
            }
            (Self::TextMap(column), Slot::TextMap(members)) => {
                fill_maps(column, row)?;
                for (key, value) in members {
                    column.keys().append_value(key);
                    column.values().append_value(value);
                }
                column.append(true)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, n_rows: usize) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Words(column) => column.finish(n_rows)?,
            Self::Text(column) => {
                column.append_nulls(n_rows - column.len());
                Arc::new(finish_text(column))
            }
            Self::Bool(column) => {
                column.append_nulls(n_rows - column.len());
                Arc::new(column.finish())
            }
            Self::Time(column) => {
                column.append_nulls(n_rows - column.len());
                Arc::new(column.finish())
            }
            Self::Resources(column) => {
                column.append_nulls(n_rows - column.len());
                Arc::new(column.finish())
            }
            Self::TextMap(column) => {
                fill_maps(column, n_rows)?;
                Arc::new(column.finish())
            }
        })
    }
}

/// The array, and room in the builder for as much again: units of a run are of one size.
fn finish_text(column: &mut StringBuilder) -> arrow::array::StringArray {
    let (n_rows, n_bytes) = (column.len(), column.values_slice().len());
    let array = column.finish();
    if n_bytes > 0 {
        *column = StringBuilder::with_capacity(n_rows + n_rows / 8, n_bytes + n_bytes / 8);
    }
    array
}

fn fill_maps(
    column: &mut MapBuilder<StringBuilder, StringBuilder>,
    n_rows: usize,
) -> Result<(), ArrowError> {
    for _ in column.len()..n_rows {
        column.append(false)?;
    }
    Ok(())
}

fn resources_builder() -> ListBuilder<StructBuilder> {
    let fields = crate::schema::resource_fields();
    let builders: Vec<Box<dyn ArrayBuilder>> = RESOURCE_FIELDS
        .iter()
        .map(|_| Box::new(StringBuilder::new()) as Box<dyn ArrayBuilder>)
        .collect();
    let element = Field::new("element", DataType::Struct(fields.clone()), true);
    ListBuilder::new(StructBuilder::new(fields, builders)).with_field(element)
}

fn push_resources(
    column: &mut ListBuilder<StructBuilder>,
    list: &[[Option<Cow<'_, str>>; RESOURCE_FIELDS.len()]],
) {
    for fields in list {
        let entry = column.values();
        for (index, value) in fields.iter().enumerate() {
            if let Some(builder) = entry.field_builder::<StringBuilder>(index) {
                builder.append_option(value.as_deref());
            }
        }
        entry.append(true);
    }
    column.append(true);
}

/// Collects rows until [`RowBuilder::finish`] makes a batch of them.
pub struct RowBuilder {
    columns: Vec<Column>,
    extra: StringBuilder,
    source_file: Words,
    source_index: Vec<i64>,
    content_hash: Vec<i64>,
    date: Words,
    /// The day that the last row had, and its number in `date`.
    last_day: Option<(i64, i32)>,
}

impl Default for RowBuilder {
    fn default() -> Self {
        Self {
            columns: EVENT_COLUMNS.iter().map(Column::new).collect(),
            extra: StringBuilder::new(),
            source_file: Words::default(),
            source_index: Vec::new(),
            content_hash: Vec::new(),
            date: Words::default(),
            last_day: None,
        }
    }
}

impl RowBuilder {
    /// Adds a row that was record `source_index` of `source_file`.
    ///
    /// # Errors
    ///
    /// Never for values that [`Row::read`] made.
    pub fn push(
        &mut self,
        row: &Row<'_>,
        source_file: &str,
        source_index: u64,
    ) -> Result<(), ArrowError> {
        let at = self.len();
        for (column, slot) in row.filled() {
            self.columns[column].set(at, slot)?;
        }
        if !row.extra.is_empty() {
            self.extra.append_nulls(at - self.extra.len());
            self.extra.append_value(&row.extra);
        }
        self.source_file.set(at, source_file);
        self.source_index.push(source_index.cast_signed());
        self.content_hash.push(row.content_hash.cast_signed());
        if let Some(micros) = row.event_time() {
            let key = self.day_key(micros.div_euclid(time::MICROS_PER_DAY));
            self.date.set_key(at, key);
        }
        Ok(())
    }

    fn day_key(&mut self, day: i64) -> i32 {
        match self.last_day {
            Some((last, key)) if last == day => key,
            _ => {
                let key = self.date.key_of(&time::format_day(day));
                self.last_day = Some((day, key));
                key
            }
        }
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.source_index.len()
    }

    /// The rows as a batch with the columns of [`Table::Events`], repeating text as dictionaries; the
    /// builder is empty again.
    ///
    /// # Errors
    ///
    /// Never, as long as builders and schema agree.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let n_rows = self.len();
        self.last_day = None;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len() + 6);
        for column in &mut self.columns {
            arrays.push(column.finish(n_rows)?);
        }
        self.extra.append_nulls(n_rows - self.extra.len());
        arrays.push(Arc::new(self.extra.finish()));
        arrays.push(self.source_file.finish(n_rows)?);
        arrays.push(Arc::new(Int64Array::from(std::mem::take(
            &mut self.source_index,
        ))));
        arrays.push(Arc::new(Int64Array::from(std::mem::take(
            &mut self.content_hash,
        ))));
        arrays.push(Arc::new(BooleanArray::from(vec![false; n_rows])));
        arrays.push(self.date.finish(n_rows)?);
        let names = EVENT_COLUMNS
            .iter()
            .map(|column| column.name)
            .chain(OWN_COLUMNS);
        let fields: Vec<Field> = names
            .zip(&arrays)
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
    }
}

/// What follows the columns of the record, in the order of [`Table::Events`].
const OWN_COLUMNS: [&str; 6] = [
    EXTRA,
    SOURCE_FILE,
    SOURCE_INDEX,
    CONTENT_HASH,
    CONFLICTING,
    DATE_PARTITION,
];

/// The batch with the very types of [`Table::Events`].
///
/// # Errors
///
/// Never for a batch that [`RowBuilder::finish`] made.
pub fn plain(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = Table::Events.arrow_schema();
    let arrays = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(array, field)| cast(array, field.data_type()))
        .collect::<Result<_, _>>()?;
    RecordBatch::try_new(schema, arrays)
}
