//! The top members of one JSON object, and what they say about it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use sonic_rs::{LazyValue, to_object_iter};

use super::text::unescape;
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

/// The top members of records that have columns.
static RECORD_MEMBERS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let paths = EVENT_COLUMNS.iter().map(|column| column.path);
    paths.filter_map(|path| path.first().copied()).collect()
});

/// An object with its members as raw text.
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
    n_members: usize,
    is_record: bool,
    is_digest: bool,
}

impl<'a> Object<'a> {
    /// # Errors
    ///
    /// The parser's words, where the text is no JSON object.
    pub fn read(json: &'a str) -> Result<Self, String> {
        let mut members = Vec::new();
        let (mut n_members, mut n_known, mut n_core) = (0, 0, 0);
        let (mut has_id, mut is_foreign, mut is_digest) = (false, false, false);
        for member in to_object_iter(json) {
            let (key, value) = member.map_err(|error| first_line(&error))?;
            let raw = raw_of(&value);
            n_members += 1;
            n_known += usize::from(RECORD_MEMBERS.contains(key.as_ref()));
            n_core += usize::from(CORE.contains(&key.as_ref()));
            match key.as_ref() {
                "eventID" => has_id |= raw.starts_with('"'),
                // Notifications of S3, SQS and the like: CloudTrail's sources are host names.
                "eventSource" => is_foreign |= raw.starts_with("\"aws:"),
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
        })
    }

    /// Whether the normalizer should see it.
    pub fn is_record(&self) -> bool {
        self.is_record
    }

    pub fn is_digest(&self) -> bool {
        self.is_digest
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

    /// The members that can hold something: objects, arrays, and strings.
    pub fn containers(&self) -> impl Iterator<Item = &'a str> {
        let raws = self.members.iter().map(|(_, raw)| *raw);
        raws.filter(|raw| raw.starts_with(['{', '[', '"']))
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
