//! The top members of one JSON object, and what they say about it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use sonic_rs::{LazyValue, to_object_iter};

use super::text::{is_packed_or_json, unescape};
use super::{foreign, shapes};
use crate::schema::EVENT_COLUMNS;

/// Of an object so many members are kept; wrappers and records have under a hundred.
const MAX_MEMBERS: usize = 1_000;

/// Names that hardly anything but a CloudTrail record has. Two of them, and three members with
/// columns or an id, make a record.
const CORE: [&str; 7] = [
    "eventVersion",
    "eventSource",
    "eventName",
    "eventTime",
    "eventID",
    "eventType",
    "userIdentity",
];

/// What the name of a member says.
#[derive(Debug, Clone, Copy, Default)]
struct Says {
    /// A record has a column for it.
    known: bool,
    core: bool,
    /// A shape, or something that is known by name, has it.
    interest: bool,
}

static NAMES: LazyLock<HashMap<&'static str, Says>> = LazyLock::new(|| {
    let mut names: HashMap<&'static str, Says> = HashMap::new();
    for column in EVENT_COLUMNS {
        names.entry(column.path[0]).or_default().known = true;
    }
    for name in CORE {
        names.entry(name).or_default().core = true;
    }
    // Every shape, and whatever is known, has a name that records have not, so that records are not
    // asked about all of them.
    for name in shapes::names().chain(foreign::names()) {
        let says = names.entry(name).or_default();
        says.interest = !says.known;
    }
    names
});

/// An object with its members as raw text.
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
    n_members: usize,
    is_record: bool,
    is_digest: bool,
    is_of_interest: bool,
}

impl<'a> Object<'a> {
    /// # Errors
    ///
    /// The parser's words, where the text is no JSON object.
    pub fn read(json: &'a str) -> Result<Self, String> {
        let mut members = Vec::new();
        let (mut n_members, mut n_known, mut n_core) = (0, 0, 0);
        let (mut has_id, mut is_foreign) = (false, false);
        let (mut is_digest, mut is_of_interest) = (false, false);
        for member in to_object_iter(json) {
            let (key, value) = member.map_err(|error| first_line(&error))?;
            let raw = raw_of(&value);
            n_members += 1;
            let says = NAMES.get(key.as_ref()).copied().unwrap_or_default();
            n_known += usize::from(says.known);
            n_core += usize::from(says.core);
            is_of_interest |= says.interest;
            match key.as_ref() {
                "eventID" => has_id |= raw.starts_with('"'),
                // Notifications of S3, SQS and the like: CloudTrail's sources are host names.
                "eventSource" => {
                    is_foreign |= raw.starts_with("\"aws:");
                    is_of_interest |= is_foreign;
                }
                "digestPublicKeyFingerprint" | "digestS3Object" | "digestStartTime" => {
                    is_digest = true;
                }
                _ => {}
            }
            if n_members <= MAX_MEMBERS {
                members.push((key, raw));
            }
        }
        Ok(Self {
            members,
            n_members,
            is_record: n_core >= 2 && (n_known >= 3 || has_id) && !is_foreign,
            is_digest,
            is_of_interest,
        })
    }

    /// Whether the normalizer should see it.
    pub fn is_record(&self) -> bool {
        self.is_record
    }

    pub fn is_digest(&self) -> bool {
        self.is_digest
    }

    /// Whether any member's name is that of a shape, or of something known.
    pub fn is_of_interest(&self) -> bool {
        self.is_of_interest
    }

    pub fn n_members(&self) -> usize {
        self.n_members
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_ref())
    }

    pub fn has(&self, name: &str) -> bool {
        self.names().any(|other| other == name)
    }

    /// The text of a member that is a string.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let (_, raw) = self.members.iter().find(|(other, _)| other == name)?;
        unescape(raw)
    }

    /// Every value at the end of a path, `null` left out: members may be named twice, and a record
    /// must not hide behind another.
    pub fn values(&self, path: &[&str]) -> Vec<&'a str> {
        let [first, rest @ ..] = path else {
            return Vec::new();
        };
        let named = self.members.iter().filter(|(name, _)| name == first);
        let mut values: Vec<&'a str> = named
            .map(|(_, raw)| *raw)
            .filter(|raw| *raw != "null")
            .collect();
        for name in rest {
            values = values
                .into_iter()
                .filter(|raw| raw.starts_with('{'))
                .filter_map(|raw| Object::read(raw).ok())
                .flat_map(|object| object.values(&[name]))
                .collect();
        }
        values
    }

    /// The members that can hold something: objects, arrays, and strings that begin like text of
    /// them.
    pub fn containers(&self) -> impl Iterator<Item = (&str, &'a str)> {
        let members = self.members.iter().map(|(name, raw)| (name.as_ref(), *raw));
        members.filter(|(_, raw)| match raw.as_bytes() {
            [b'{' | b'[', ..] => raw.len() > 2,
            [b'"', rest @ ..] => is_packed_or_json(rest),
            _ => false,
        })
    }
}

/// The value's own text within the object.
pub fn raw_of<'a>(value: &LazyValue<'a>) -> &'a str {
    match value.as_raw_cow() {
        Cow::Borrowed(text) => text,
        // Slices of a borrowed text stay borrowed.
        Cow::Owned(_) => "",
    }
}

fn first_line(error: &sonic_rs::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or("not JSON").to_owned()
}
