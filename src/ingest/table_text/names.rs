//! The members of a record by any spelling of their names.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::schema::{EVENT_COLUMNS, Kind, RESOURCE_FIELDS};

/// A member in CloudTrail's spelling.
#[derive(Debug)]
pub struct Name {
    pub spelling: &'static str,
    pub place: Place,
}

#[derive(Debug)]
pub enum Place {
    Leaf(Kind),
    Object(Members),
}

/// Members by their folded names.
pub type Members = HashMap<String, Name>;

/// The way to a member from the top.
pub type Path = Vec<&'static str>;

static ROOT: LazyLock<Members> = LazyLock::new(|| {
    let mut root = Members::new();
    for column in EVENT_COLUMNS {
        insert(&mut root, column.path, column.kind);
    }
    root
});

static RESOURCE: LazyLock<Members> = LazyLock::new(|| {
    let mut members = Members::new();
    for (_, spelling) in RESOURCE_FIELDS {
        let place = Place::Leaf(Kind::Text);
        members.insert(fold(spelling), Name { spelling, place });
    }
    members
});

/// Every member below the top too, by the folded names along the way.
static WAYS: LazyLock<HashMap<String, (Path, &'static Place)>> = LazyLock::new(|| {
    let mut ways = HashMap::new();
    collect(&ROOT, "", &[], &mut ways);
    for (name, target) in ALIASES {
        if let Some((path, place)) = ways.get(*target) {
            let way = (Path::clone(path), *place);
            ways.entry((*name).to_owned()).or_insert(way);
        }
    }
    ways
});

/// Headers of the console's event history, and of what Athena calls a column that is a member's
/// member, where that can be only one.
const ALIASES: &[(&str, &str)] = &[
    ("username", "useridentityusername"),
    ("awsaccesskey", "useridentityaccesskeyid"),
    ("accesskeyid", "useridentityaccesskeyid"),
    ("principalid", "useridentityprincipalid"),
    ("sourceip", "sourceipaddress"),
    ("region", "awsregion"),
];

fn insert(members: &mut Members, path: &[&'static str], kind: Kind) {
    let [spelling, rest @ ..] = path else { return };
    let name = members.entry(fold(spelling)).or_insert_with(|| Name {
        spelling,
        place: match rest {
            [] => Place::Leaf(kind),
            _ => Place::Object(Members::new()),
        },
    });
    if let Place::Object(below) = &mut name.place {
        insert(below, rest, kind);
    }
}

fn collect(
    members: &'static Members,
    prefix: &str,
    path: &[&'static str],
    ways: &mut HashMap<String, (Path, &'static Place)>,
) {
    for (folded, name) in members {
        let key = format!("{prefix}{folded}");
        let path = [path, &[name.spelling]].concat();
        if let Place::Object(below) = &name.place {
            collect(below, &key, &path, ways);
        }
        ways.insert(key, (path, &name.place));
    }
}

/// A name without case and without what tools join words with.
pub fn fold(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric() || *c == '@');
    letters.flat_map(char::to_lowercase).collect()
}

/// The member that a header names.
pub fn member(header: &str) -> Option<(&'static Path, &'static Place)> {
    WAYS.get(&fold(header)).map(|(path, place)| (path, *place))
}

/// The members of an entry of `resources`.
pub fn resource_members() -> &'static Members {
    &RESOURCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_own_way() {
        for column in EVENT_COLUMNS {
            for header in [column.name.to_owned(), column.path.join(".")] {
                let (path, place) = member(&header).unwrap();
                assert_eq!(path.as_slice(), column.path);
                assert!(matches!(place, Place::Leaf(kind) if *kind == column.kind));
            }
        }
    }
}
