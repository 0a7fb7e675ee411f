//! Sessions, edges and marks as rows.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, ListBuilder, RecordBatch, StringViewBuilder,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::Result;

use crate::lineage::{Lineage, Session, SessionIndex, Text};

/// Rows of one batch at most. Joins hand on the buffers of all batches with every row, so few and whole
/// ones keep what is made of them small.
const BATCH_ROWS: usize = 65_536;

/// A table's columns and how its rows are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub schema: fn() -> SchemaRef,
    pub batches: fn(&Lineage, &SchemaRef) -> Result<Vec<RecordBatch>>,
}

pub(super) const SESSIONS: Shape = Shape {
    schema: session_schema,
    batches: |lineage, schema| {
        let all: Vec<SessionIndex> = (0..).take(lineage.sessions.len()).collect();
        in_batches(&all, |part| session_batch(lineage, part, schema, None))
    },
};

pub(super) const EDGES: Shape = Shape {
    schema: edge_schema,
    batches: |lineage, schema| {
        let all = (0..).zip(&lineage.sessions);
        let children = all.filter(|(_, session)| session.parent.is_some());
        let children: Vec<SessionIndex> = children.map(|(at, _)| at).collect();
        in_batches(&children, |part| edge_batch(lineage, part, schema))
    },
};

pub(super) const MARKS: Shape = Shape {
    schema: mark_schema,
    batches: |lineage, schema| in_batches(&lineage.marks, |part| mark_batch(lineage, part, schema)),
};

fn in_batches<T>(
    all: &[T],
    batch: impl Fn(&[T]) -> Result<RecordBatch>,
) -> Result<Vec<RecordBatch>> {
    all.chunks(BATCH_ROWS).map(batch).collect()
}

fn text_field(name: &str) -> Field {
    Field::new(name, DataType::Utf8View, true)
}

fn time_field(name: &str) -> Field {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Field::new(name, time, true)
}

fn number_field(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

/// The columns of `sessions`.
pub(super) fn session_fields() -> Vec<Field> {
    let mut fields: Vec<Field> = [
        "session_id",
        "kind",
        "access_key_id",
        "principal",
        "principal_id",
        "arn",
        "role_arn",
        "session_name",
        "account",
        "issued_by",
    ]
    .map(text_field)
    .to_vec();
    fields.push(time_field("issued_at"));
    fields.push(text_field("issued_name"));
    let item = Arc::new(Field::new_list_field(DataType::Utf8View, true));
    fields.push(Field::new("issue_event_ids", DataType::List(item), true));
    fields.extend(
        [
            "parent_id",
            "link",
            "caller_link",
            "confidence",
            "root_id",
            "root_kind",
            "root_identity",
            "root_confidence",
        ]
        .map(text_field),
    );
    fields.push(number_field("depth"));
    fields.extend(["first_time", "last_time"].map(time_field));
    fields.extend(
        [
            "n_events",
            "n_denied",
            "n_writes",
            "n_services",
            "n_regions",
            "n_addresses",
            "n_children",
        ]
        .map(number_field),
    );
    fields.extend(["console", "mfa"].map(|name| Field::new(name, DataType::Boolean, true)));
    fields.push(text_field("source_identity"));
    fields.push(time_field("expires_at"));
    fields
}

fn session_schema() -> SchemaRef {
    Arc::new(Schema::new(session_fields()))
}

/// Sessions as rows, after one or two columns of a walk's own.
pub(super) fn session_batch(
    lineage: &Lineage,
    part: &[SessionIndex],
    schema: &SchemaRef,
    own: Option<Vec<ArrayRef>>,
) -> Result<RecordBatch> {
    let rows: Vec<&Session> = part.iter().map(|at| lineage.get(*at)).collect();
    let column = Column {
        lineage,
        rows: &rows,
    };
    let id = |at: Option<SessionIndex>| at.map(|at| lineage.text(lineage.get(at).id));
    let mut columns = own.unwrap_or_default();
    columns.extend([
        column.texts(|session| Some(session.id)),
        column.words(|session| Some(session.kind.as_str())),
        column.texts(|session| session.access_key_id),
        column.texts(|session| session.principal),
        column.texts(|session| session.principal_id),
        column.texts(|session| session.arn),
        column.texts(|session| session.role_arn),
        column.texts(|session| session.session_name),
        column.texts(|session| session.account),
        column.texts(|session| Some(session.issued.as_ref()?.event_id)),
        column.times(|session| session.issued.as_ref()?.time),
        column.texts(|session| Some(session.issued.as_ref()?.name)),
        column.issue_events(),
        column.words(|session| id(session.parent)),
        column.words(|session| Some(session.link?.as_str())),
        column.words(|session| Some(session.caller_link?.as_str())),
        column.words(|session| Some(session.confidence?.as_str())),
        column.words(|session| id(Some(session.root.session))),
        column.words(|session| Some(session.root.kind.as_str())),
        column.texts(|session| Some(session.root.identity)),
        column.words(|session| Some(session.root.confidence?.as_str())),
        column.numbers(|session| u64::from(session.root.depth)),
        column.times(|session| session.tally.first_time),
        column.times(|session| session.tally.last_time),
        column.numbers(|session| session.tally.n_events),
        column.numbers(|session| session.tally.n_denied),
        column.numbers(|session| session.tally.n_writes),
        column.numbers(|session| session.n_services),
        column.numbers(|session| session.n_regions),
        column.numbers(|session| session.n_addresses),
        numbers(part.iter().map(|at| lineage.children(*at).len() as u64)),
        column.truths(|session| Some(session.console)),
        column.truths(|session| session.mfa),
        column.texts(|session| session.source_identity),
        column.times(|session| session.expires_at),
    ]);
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn edge_schema() -> SchemaRef {
    let mut fields = vec![text_field("issued_by"), time_field("issued_at")];
    fields.extend(
        [
            "issued_name",
            "parent_id",
            "child_id",
            "link",
            "caller_link",
            "confidence",
            "role_arn",
            "account",
        ]
        .map(text_field),
    );
    Arc::new(Schema::new(fields))
}

fn edge_batch(lineage: &Lineage, part: &[SessionIndex], schema: &SchemaRef) -> Result<RecordBatch> {
    let rows: Vec<&Session> = part.iter().map(|at| lineage.get(*at)).collect();
    let column = Column {
        lineage,
        rows: &rows,
    };
    let columns = vec![
        column.texts(|session| Some(session.issued.as_ref()?.event_id)),
        column.times(|session| session.issued.as_ref()?.time),
        column.texts(|session| Some(session.issued.as_ref()?.name)),
        column.words(|session| Some(lineage.text(lineage.get(session.parent?).id))),
        column.texts(|session| Some(session.id)),
        column.words(|session| Some(session.link?.as_str())),
        column.words(|session| Some(session.caller_link?.as_str())),
        column.words(|session| Some(session.confidence?.as_str())),
        column.texts(|session| session.role_arn),
        column.texts(|session| session.account),
    ];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn mark_schema() -> SchemaRef {
    Arc::new(Schema::new(["mark", "session_id"].map(text_field).to_vec()))
}

fn mark_batch(
    lineage: &Lineage,
    part: &[(Text, SessionIndex)],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let marks = || part.iter().map(|(mark, _)| Some(lineage.text(*mark)));
    let ids = || {
        let ids = part.iter().map(|(_, at)| lineage.get(*at).id);
        ids.map(|id| Some(lineage.text(id)))
    };
    let columns: Vec<ArrayRef> = vec![texts(marks), texts(ids)];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Columns over the same sessions.
struct Column<'a> {
    lineage: &'a Lineage,
    rows: &'a [&'a Session],
}

impl<'a> Column<'a> {
    fn texts(&self, get: impl Fn(&Session) -> Option<Text>) -> ArrayRef {
        self.words(|session| get(session).map(|text| self.lineage.text(text)))
    }

    fn words(&self, get: impl Fn(&Session) -> Option<&'a str>) -> ArrayRef {
        let values = || self.rows.iter().map(|session| get(session));
        texts(values)
    }

    fn times(&self, get: impl Fn(&Session) -> Option<i64>) -> ArrayRef {
        let values = self.rows.iter().map(|session| get(session));
        let times: TimestampMicrosecondArray = values.collect();
        Arc::new(times.with_timezone("UTC"))
    }

    fn numbers(&self, get: impl Fn(&Session) -> u64) -> ArrayRef {
        numbers(self.rows.iter().map(|session| get(session)))
    }

    fn truths(&self, get: impl Fn(&Session) -> Option<bool>) -> ArrayRef {
        let values = self.rows.iter().map(|session| get(session));
        Arc::new(values.collect::<BooleanArray>())
    }

    /// The records of the issuing call.
    fn issue_events(&self) -> ArrayRef {
        let mut lists = ListBuilder::new(StringViewBuilder::new());
        for session in self.rows {
            lists.append_option(session.issued.as_ref().map(|issued| {
                let ids = issued.event_ids.iter();
                ids.map(|id| Some(self.lineage.text(*id)))
            }));
        }
        Arc::new(lists.finish())
    }
}

/// Texts in one buffer.
fn texts<'a, I: Iterator<Item = Option<&'a str>>>(values: impl Fn() -> I) -> ArrayRef {
    // Short texts stand in the view itself.
    let long = values().flatten().filter(|text| text.len() > 12);
    let n_bytes: usize = long.map(str::len).sum();
    let block = u32::try_from(n_bytes).unwrap_or(u32::MAX).max(1);
    let mut builder = StringViewBuilder::new().with_fixed_block_size(block);
    for value in values() {
        builder.append_option(value);
    }
    Arc::new(builder.finish())
}

/// Counts, which fit into SQL's integers.
pub(super) fn numbers(values: impl Iterator<Item = u64>) -> ArrayRef {
    let values = values.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    Arc::new(values.collect::<Int64Array>())
}
