//! From a row of `events` back to the record it was read from, as JSON text.
//!
//! What JSON spells stays as it was spelled: JSON columns and the members of `extra` are copied byte
//! for byte, so that `1.0`, `1e2` or `9223372036854775808` come back as such. Texts are escaped anew,
//! to an equal text. Members come in the order in which CloudTrail writes them, those without a
//! column after them.
//!
//! Both ways from rows to records use this: ingest's own checks, and the SQL function `event_json`.

mod columns;
mod overlay;
mod spell;

use std::sync::LazyLock;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use arrow::datatypes::DataType;

use self::columns::{Column, member, texts};
use self::overlay::Overlay;
use self::spell::{put_name, put_text};
use crate::error::{Cause, LakeError, Result};
use crate::schema::{EVENT_COLUMNS, EXTRA, Table};

/// A member of records: one column, or the members below it.
enum Node {
    /// The position in [`EVENT_COLUMNS`].
    Column(usize),
    Object(Vec<Member>),
}

struct Member {
    name: &'static str,
    node: Node,
}

/// Where CloudTrail writes members in another order than Athena's table has them. Those that are not
/// named here come after the others. Most records then come back as the text that they were.
const USUAL_ORDERS: [(&str, &[&str]); 2] = [
    (
        "userIdentity",
        &[
            "type",
            "principalId",
            "arn",
            "accountId",
            "accessKeyId",
            "credentialId",
            "userName",
            "identityProvider",
            "onBehalfOf",
            "sessionContext",
            "inScopeOf",
            "invokedBy",
        ],
    ),
    (
        "sessionContext",
        &["sessionIssuer", "webIdFederationData", "attributes"],
    ),
];

/// The members of a record in their order.
static TREE: LazyLock<Vec<Member>> = LazyLock::new(|| {
    let mut root = Vec::new();
    for (index, column) in EVENT_COLUMNS.iter().enumerate() {
        insert(&mut root, column.path, index);
    }
    for member in &mut root {
        put_in_order(member);
    }
    root
});

fn put_in_order(member: &mut Member) {
    let Node::Object(below) = &mut member.node else {
        return;
    };
    let order = USUAL_ORDERS.iter().find(|(name, _)| *name == member.name);
    let order = order.map_or(&[][..], |(_, order)| order);
    below.sort_by_key(|inner| {
        let place = order.iter().position(|name| *name == inner.name);
        place.unwrap_or(order.len())
    });
    below.iter_mut().for_each(put_in_order);
}

fn insert(members: &mut Vec<Member>, path: &[&'static str], index: usize) {
    let [name, rest @ ..] = path else { return };
    if rest.is_empty() {
        let node = Node::Column(index);
        members.push(Member { name, node });
        return;
    }
    if members.last().is_none_or(|last| last.name != *name) {
        let node = Node::Object(Vec::new());
        members.push(Member { name, node });
    }
    if let Some(Member {
        node: Node::Object(below),
        ..
    }) = members.last_mut()
    {
        insert(below, rest, index);
    }
}

/// The columns of the view `cloudtrail` that [`Records::of_members`] takes, in its order.
pub fn member_columns() -> Vec<String> {
    let members = TREE.iter().map(|member| member.name.to_lowercase());
    members.chain([EXTRA.to_owned()]).collect()
}

/// The records behind some rows.
pub struct Records {
    /// One for each of [`EVENT_COLUMNS`].
    columns: Vec<Column>,
    extra: StringViewArray,
}

impl Records {
    /// The records of a batch with the columns of [`Table::Events`], whatever string types they have.
    ///
    /// # Errors
    ///
    /// Where a column is missing or of another type.
    pub fn of_batch(batch: &RecordBatch) -> Result<Self> {
        let named = |name: &str| {
            let column = batch.column_by_name(name);
            column.ok_or_else(|| Cause::from(format!("no column `{name}`")))
        };
        let columns = EVENT_COLUMNS
            .iter()
            .map(|column| Column::new(column.kind, named(column.name)?))
            .collect::<Result<_, Cause>>();
        let extra = named(EXTRA).and_then(texts);
        Ok(Self {
            columns: columns.map_err(failed)?,
            extra: extra.map_err(failed)?,
        })
    }

    /// The same from the columns of the view `cloudtrail`, those of [`member_columns`].
    ///
    /// # Errors
    ///
    /// Where a column or a member is missing or of another type.
    pub fn of_members(columns: &[ArrayRef]) -> Result<Self> {
        let [members @ .., extra] = columns else {
            return Err(failed("no columns".into()));
        };
        if members.len() != TREE.len() {
            return Err(failed(format!("{} members", members.len()).into()));
        }
        let mut leaves = Vec::with_capacity(EVENT_COLUMNS.len());
        for (top, array) in TREE.iter().zip(members) {
            collect_leaves(&top.node, array, &mut leaves).map_err(failed)?;
        }
        leaves.sort_by_key(|(index, _)| *index);
        Ok(Self {
            columns: leaves.into_iter().map(|(_, column)| column).collect(),
            extra: texts(extra).map_err(failed)?,
        })
    }

    /// Adds the record of a row to `out`.
    ///
    /// # Errors
    ///
    /// Where `extra` is not what ingest writes there; then `out` holds a part of the record.
    pub fn write(&self, row: usize, out: &mut String) -> Result<()> {
        self.write_record(row, out).map_err(failed)
    }

    fn write_record(&self, row: usize, out: &mut String) -> Result<(), Cause> {
        let mut overlay = Overlay::default();
        if self.extra.is_valid(row) {
            overlay = Overlay::parse(self.extra.value(row))?;
            if let Some(whole) = overlay.take("$record") {
                out.push_str(whole);
                return Ok(());
            }
            if let Some(names) = overlay.take("$absent") {
                overlay.absent = serde_json::from_str(names)?;
            }
        }
        self.write_object(&TREE, overlay, row, out)
    }

    /// Writes an object: its columns, and what is laid over them.
    fn write_object(
        &self,
        members: &[Member],
        mut overlay: Overlay<'_>,
        row: usize,
        out: &mut String,
    ) -> Result<(), Cause> {
        let start = out.len();
        for member in members {
            if let Some(raw) = overlay.take(member.name) {
                put_name(out, start, member.name);
                match &member.node {
                    Node::Object(below) if raw.starts_with('{') => {
                        self.write_object(below, Overlay::parse(raw)?, row, out)?;
                    }
                    Node::Object(_) | Node::Column(_) => out.push_str(raw),
                }
            } else if self.is_there(&member.node, row) && !overlay.is_absent(member.name) {
                put_name(out, start, member.name);
                match &member.node {
                    Node::Object(below) => {
                        self.write_object(below, Overlay::default(), row, out)?;
                    }
                    Node::Column(index) => self.columns[*index].write(row, out),
                }
            }
        }
        for (name, raw) in overlay.rest() {
            out.push(if out.len() == start { '{' } else { ',' });
            put_text(out, name);
            out.push(':');
            out.push_str(raw);
        }
        if out.len() == start {
            out.push('{');
        }
        out.push('}');
        Ok(())
    }

    fn is_there(&self, node: &Node, row: usize) -> bool {
        match node {
            Node::Column(index) => self.columns[*index].is_valid(row),
            Node::Object(below) => below.iter().any(|member| self.is_there(&member.node, row)),
        }
    }
}

/// The columns below a member of the view, with their positions in [`EVENT_COLUMNS`].
fn collect_leaves(
    node: &Node,
    array: &ArrayRef,
    leaves: &mut Vec<(usize, Column)>,
) -> Result<(), Cause> {
    match node {
        Node::Column(index) => {
            let column = Column::new(EVENT_COLUMNS[*index].kind, array)?;
            leaves.push((*index, column));
        }
        Node::Object(below) => {
            if !matches!(array.data_type(), DataType::Struct(_)) {
                return Err(format!("{} where a struct is expected", array.data_type()).into());
            }
            for inner in below {
                let inner_array = member(array.as_struct(), inner.name)?;
                collect_leaves(&inner.node, &inner_array, leaves)?;
            }
        }
    }
    Ok(())
}

/// The record behind a row of a batch with the columns of [`Table::Events`]. For more than a few
/// rows, [`Records`] is faster.
///
/// # Errors
///
/// As [`Records::of_batch`] and [`Records::write`].
pub fn record_json(batch: &RecordBatch, row: usize) -> Result<String> {
    let mut json = String::new();
    Records::of_batch(batch)?.write(row, &mut json)?;
    Ok(json)
}

fn failed(source: Cause) -> crate::error::Error {
    let error = LakeError::Table {
        action: "restore a record of",
        table: Table::Events.name(),
        source,
    };
    error.into()
}
