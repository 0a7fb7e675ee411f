//! Rows into an Arrow batch of the table `events`.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, MapBuilder, MapFieldNames,
    RecordBatch, StringBuilder, StructBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;

use super::normalize::{Row, Slot};
use super::time;
use crate::schema::{EVENT_COLUMNS, Kind, RESOURCE_FIELDS, Table};

/// A builder for each column.
enum Column {
    Text(StringBuilder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Resources(ListBuilder<StructBuilder>),
    TextMap(MapBuilder<StringBuilder, StringBuilder>),
}

impl Column {
    fn new(kind: Kind) -> Self {
        match kind {
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

    fn push(&mut self, slot: &Slot<'_>) -> Result<(), ArrowError> {
        match (self, slot) {
            (Self::Text(column), Slot::Text(text)) => column.append_value(text),
            (Self::Text(column), _) => column.append_null(),
            (Self::Bool(column), Slot::Bool(value)) => column.append_value(*value),
            (Self::Bool(column), _) => column.append_null(),
            (Self::Time(column), Slot::Time(micros)) => column.append_value(*micros),
            (Self::Time(column), _) => column.append_null(),
            (Self::Resources(column), Slot::Resources(list)) => push_resources(column, list),
            (Self::Resources(column), _) => column.append_null(),
            (Self::TextMap(column), Slot::TextMap(members)) => {
                for (key, value) in members {
                    column.keys().append_value(key);
                    column.values().append_value(value);
                }
                column.append(true)?;
            }
            (Self::TextMap(column), _) => column.append(false)?,
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Bool(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Resources(column) => Arc::new(column.finish()),
            Self::TextMap(column) => Arc::new(column.finish()),
        }
    }
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
    list: &[[Option<String>; RESOURCE_FIELDS.len()]],
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
    source_file: StringBuilder,
    source_index: Int64Builder,
    content_hash: Int64Builder,
    conflicting: BooleanBuilder,
    date: StringBuilder,
    n_rows: usize,
}

impl Default for RowBuilder {
    fn default() -> Self {
        Self {
            columns: EVENT_COLUMNS
                .iter()
                .map(|column| Column::new(column.kind))
                .collect(),
            extra: StringBuilder::new(),
            source_file: StringBuilder::new(),
            source_index: Int64Builder::new(),
            content_hash: Int64Builder::new(),
            conflicting: BooleanBuilder::new(),
            date: StringBuilder::new(),
            n_rows: 0,
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
        for (column, slot) in self.columns.iter_mut().zip(&row.slots) {
            column.push(slot)?;
        }
        self.extra
            .append_option((!row.extra.is_empty()).then_some(&row.extra));
        self.source_file.append_value(source_file);
        self.source_index.append_value(source_index.cast_signed());
        self.content_hash
            .append_value(row.content_hash.cast_signed());
        self.conflicting.append_value(false);
        self.date.append_option(
            row.event_time()
                .map(|micros| time::format_day(micros.div_euclid(time::MICROS_PER_DAY))),
        );
        self.n_rows += 1;
        Ok(())
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.n_rows
    }

    /// The rows as a batch of [`Table::Events`]; the builder is empty again.
    ///
    /// # Errors
    ///
    /// Never, as long as builders and schema agree.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.n_rows = 0;
        let mut arrays: Vec<ArrayRef> = self.columns.iter_mut().map(Column::finish).collect();
        arrays.push(Arc::new(self.extra.finish()));
        arrays.push(Arc::new(self.source_file.finish()));
        arrays.push(Arc::new(self.source_index.finish()));
        arrays.push(Arc::new(self.content_hash.finish()));
        arrays.push(Arc::new(self.conflicting.finish()));
        arrays.push(Arc::new(self.date.finish()));
        RecordBatch::try_new(Table::Events.arrow_schema(), arrays)
    }
}
