//! The columns by the way to them, for walking a record once.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::FixedState;

use crate::schema::{EVENT_COLUMNS, Kind};

/// A member that has a column, or columns below it.
pub(super) struct Node {
    /// One bit, its own.
    pub(super) bit: u128,
    pub(super) place: Place,
}

pub(super) enum Place {
    Column {
        /// The column's position in [`EVENT_COLUMNS`].
        index: usize,
        kind: Kind,
        wanted: Option<Wanted>,
    },
    Object(Members),
}

/// The members of an object that are known, in the order in which CloudTrail writes them.
#[derive(Default)]
pub(super) struct Members {
    nodes: Vec<(&'static str, Node)>,
    by_name: HashMap<&'static str, usize, FixedState>,
}

/// So many members are looked at before the table is asked.
const LOOK_AHEAD: usize = 4;

impl Members {
    /// The member of this name. `next` is where it is expected; records nearly always keep one order,
    /// so that mostly no hash is needed.
    pub(super) fn find(&self, name: &str, next: &mut usize) -> Option<&Node> {
        let ahead = self.nodes.iter().skip(*next).take(LOOK_AHEAD);
        let found = ahead
            .zip(*next..)
            .find_map(|((other, _), index)| (*other == name).then_some(index));
        let index = match found {
            Some(index) => index,
            None => *self.by_name.get(name)?,
        };
        *next = index + 1;
        Some(&self.nodes[index].1)
    }

    /// The node of a top member that always has a column.
    pub(super) fn bit(&self, name: &str) -> u128 {
        let index = self.by_name.get(name);
        index.map_or(0, |index| self.nodes[*index].1.bit)
    }

    fn insert(&mut self, path: &[&'static str], column: usize, n_nodes: &mut u32) {
        let [name, rest @ ..] = path else { return };
        let index = *self.by_name.entry(name).or_insert_with(|| {
            let bit = 1_u128
                .checked_shl(*n_nodes)
                .expect("fewer than 128 members have a column");
            *n_nodes += 1;
            let place = if rest.is_empty() {
                Place::Column {
                    index: column,
                    kind: EVENT_COLUMNS[column].kind,
                    wanted: Wanted::of(EVENT_COLUMNS[column].name),
                }
            } else {
                Place::Object(Self::default())
            };
            self.nodes.push((name, Node { bit, place }));
            self.nodes.len() - 1
        });
        if let Place::Object(members) = &mut self.nodes[index].1.place {
            members.insert(rest, column, n_nodes);
        }
    }
}

pub(super) static TREE: LazyLock<Members> = LazyLock::new(|| {
    let mut root = Members::default();
    let mut n_nodes = 0;
    for (column, described) in EVENT_COLUMNS.iter().enumerate() {
        root.insert(described.path, column, &mut n_nodes);
    }
    root
});

/// The columns that are looked at on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Time,
    Id,
    Source,
    Account,
    Region,
}

impl Wanted {
    pub(super) const ALL: [Self; 5] = [
        Self::Time,
        Self::Id,
        Self::Source,
        Self::Account,
        Self::Region,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Time => "eventtime",
            Self::Id => "eventid",
            Self::Source => "eventsource",
            Self::Account => "recipientaccountid",
            Self::Region => "awsregion",
        }
    }

    fn of(column: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wanted| wanted.name() == column)
    }

    /// The column's position in [`EVENT_COLUMNS`].
    pub(super) fn column(self) -> usize {
        static COLUMNS: LazyLock<[usize; Wanted::ALL.len()]> = LazyLock::new(|| {
            Wanted::ALL.map(|wanted| {
                crate::schema::event_column_index(wanted.name())
                    .expect("the columns that CloudTrail always had")
            })
        });
        COLUMNS[self as usize]
    }
}
