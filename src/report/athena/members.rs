//! The members of a record as a tree, for engines whose tables nest.

use crate::schema::{EVENT_COLUMNS, EventColumn};

/// A member: a column, or an object of further members.
#[derive(Debug, Clone)]
pub(super) enum Member {
    Column(&'static EventColumn),
    Object(Vec<(String, Member)>),
}

/// The members at the top, in the order of the table, under their folded names.
pub(super) fn tree() -> Vec<(String, Member)> {
    let mut top = Vec::new();
    for column in EVENT_COLUMNS {
        insert(&mut top, column, column.path);
    }
    top
}

fn insert(
    members: &mut Vec<(String, Member)>,
    column: &'static EventColumn,
    path: &'static [&'static str],
) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let name = first.to_lowercase();
    if rest.is_empty() {
        members.push((name, Member::Column(column)));
        return;
    }
    let known = members.iter_mut().find(|(other, _)| *other == name);
    if let Some((_, Member::Object(inner))) = known {
        insert(inner, column, rest);
        return;
    }
    let mut inner = Vec::new();
    insert(&mut inner, column, rest);
    members.push((name, Member::Object(inner)));
}
