//! What is true of every session that was made: one line of JSON each.

use super::super::kit::{Json, Time};

/// Ids of events in a line; a sample where there are more.
const EVENTS: usize = 24;
const KEYS: usize = 24;

/// Who stands behind a session. `parts` must all occur in what names him, however it is spelled.
#[derive(Clone)]
pub struct Root {
    pub kind: &'static str,
    pub identity: String,
    pub parts: Vec<String>,
}

impl Root {
    pub fn new(kind: &'static str, identity: &str, parts: &[&str]) -> Self {
        Self {
            kind,
            identity: identity.to_owned(),
            parts: parts.iter().map(|&part| part.to_owned()).collect(),
        }
    }

    pub fn unseen() -> Self {
        Self::new("unseen", "", &[])
    }

    fn write(&self, j: &mut Json) {
        j.str("kind", self.kind)
            .str("identity", &self.identity)
            .raw("parts", &texts(&self.parts));
    }
}

#[derive(Clone)]
pub struct Node {
    pub scenario: &'static str,
    pub kind: &'static str,
    /// Not a credential but somebody or something that gets credentials: a service, an instance, a
    /// person of a directory. Known by its name.
    pub named: bool,
    pub keys: Vec<String>,
    pub principal_id: String,
    pub created: Option<Time>,
    pub events: Vec<String>,
    pub n_events: u64,
    /// Every record of the call that issued it.
    pub issued: Vec<String>,
    pub parent: Option<usize>,
    /// What the evidence lets one say.
    pub root: Root,
    /// Other answers that are as right.
    pub also: Vec<Root>,
    /// The record that issued it is not in the evidence.
    pub unseen: bool,
    pub real_parent: Option<usize>,
    pub real_root: Option<Root>,
    /// The evidence cannot tell it from its parent, so one session for both is right.
    pub may_merge: bool,
    /// The evidence names the parent in a roundabout way only; not to find it is no error.
    pub weak: bool,
    pub hops: u32,
}

impl Node {
    pub fn new(scenario: &'static str, kind: &'static str, root: Root) -> Self {
        Self {
            scenario,
            kind,
            named: false,
            keys: Vec::new(),
            principal_id: String::new(),
            created: None,
            events: Vec::new(),
            n_events: 0,
            issued: Vec::new(),
            parent: None,
            root,
            also: Vec::new(),
            unseen: false,
            real_parent: None,
            real_root: None,
            may_merge: false,
            weak: false,
            hops: 0,
        }
    }

    pub fn acted(&mut self, event: &str) {
        self.n_events += 1;
        if self.events.len() < EVENTS {
            self.events.push(event.to_owned());
        }
    }

    pub fn holds(&mut self, key: &str) {
        let usable = !key.is_empty() && !key.contains('*');
        if self.keys.len() < KEYS && usable && !self.keys.iter().any(|k| k == key) {
            self.keys.push(key.to_owned());
        }
    }

    pub fn line(&self, id: usize) -> String {
        let number = |id: Option<usize>| id.map_or("null".to_owned(), |id| id.to_string());
        Json::object(|j| {
            j.raw("id", &id.to_string())
                .str("scenario", self.scenario)
                .str("kind", self.kind)
                .raw("named", flag(self.named))
                .raw("hops", &self.hops.to_string())
                .raw("access_keys", &texts(&self.keys))
                .str("principal_id", &self.principal_id)
                .str(
                    "creation_date",
                    &self.created.map(Time::iso).unwrap_or_default(),
                )
                .raw("n_events", &self.n_events.to_string())
                .raw("event_ids", &texts(&self.events))
                .raw("issue_event_ids", &texts(&self.issued))
                .raw("parent", &number(self.parent))
                .str("root_kind", self.root.kind)
                .str("root_identity", &self.root.identity)
                .raw("root_parts", &texts(&self.root.parts));
            let also: Vec<String> = self
                .also
                .iter()
                .map(|r| Json::object(|j| r.write(j)))
                .collect();
            j.list("also", &also)
                .raw("unseen", flag(self.unseen))
                .raw("real_parent", &number(self.real_parent));
            match &self.real_root {
                Some(root) => j.obj("real_root", |j| root.write(j)),
                None => j.raw("real_root", "null"),
            };
            j.raw("may_merge", flag(self.may_merge))
                .raw("weak", flag(self.weak));
        })
    }
}

fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn texts(items: &[String]) -> String {
    // Ids, names and ARNs: none holds a character that JSON escapes.
    let items: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
    format!("[{}]", items.join(","))
}
