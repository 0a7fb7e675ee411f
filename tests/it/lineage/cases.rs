//! Cases of lineage: small evidence, and what the tables must say of it.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::short::{Shorthand, time};
use super::tables::{Row, Tables, text};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lineage");

/// One case, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// What the case shows.
    name: String,
    /// What of CloudTrail makes it so.
    why: String,
    /// Records, written short.
    events: Vec<Value>,
    /// What rows of `sessions` say, each found `of` an event or by `id`. `parent` and `root` are the
    /// session of an event, an `{"id"}`, `"unseen"` or null; a list says one of these. `not_parent`
    /// lists what a parent must not be. In other columns a list is a choice, too, and
    /// `{"has": …}` a part of the text.
    #[serde(default)]
    sessions: Vec<Map<String, Value>>,
    /// Events of one session.
    #[serde(default)]
    same: Vec<Vec<String>>,
    /// Events of sessions that all differ.
    #[serde(default)]
    apart: Vec<Vec<String>>,
    /// Events that have no session.
    #[serde(default)]
    none: Vec<String>,
    /// By event, the events whose sessions lie on the way to it from the root.
    #[serde(default)]
    paths: Map<String, Value>,
    /// Rows of `session_edges`, by the event that issued: the columns that are given.
    #[serde(default)]
    edges: Map<String, Value>,
}

/// One case with its records.
pub struct Case {
    pub file: String,
    pub written: Written,
    pub number: usize,
    pub records: Vec<Value>,
    templates: Map<String, Value>,
}

/// What records are like.
pub fn templates() -> Map<String, Value> {
    let path = Path::new(FOLDER).join("templates.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// All cases of `tests/data/lineage`.
pub fn all() -> Vec<Case> {
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let templates = templates();
    let mut files: Vec<_> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("templates.json"))
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let written: Vec<Written> =
            serde_json::from_str(&read(&path)).unwrap_or_else(|error| panic!("{file}: {error}"));
        for written in written {
            let number = cases.len() + 1;
            let short = Shorthand {
                templates: &templates,
                case: number,
            };
            assert!(!written.why.is_empty(), "{}: why?", written.name);
            let records = short.records(&written.events);
            cases.push(Case {
                file: file.clone(),
                written,
                number,
                records,
                templates: templates.clone(),
            });
        }
    }
    cases
}

impl Case {
    fn short(&self) -> Shorthand<'_> {
        Shorthand {
            templates: &self.templates,
            case: self.number,
        }
    }

    /// What the tables say otherwise than the case.
    pub fn failures(&self, tables: &Tables) -> Vec<String> {
        let own = self.short().id("");
        let torn = tables.torn.iter().filter(|id| id.starts_with(&own));
        let mut failures: Vec<String> = torn
            .map(|id| format!("{id} is of more than one session"))
            .collect();
        for expected in &self.written.sessions {
            self.compare(tables, expected, &mut failures);
        }
        self.compare_groups(tables, &mut failures);
        for (event, way) in &self.written.paths {
            self.compare_path(tables, event, way, &mut failures);
        }
        for (event, columns) in &self.written.edges {
            let id = self.short().id(event);
            let edge = tables
                .edges
                .iter()
                .find(|edge| text(edge, "issued_by").as_deref() == Some(&id));
            match edge {
                None => failures.push(format!("no edge of {event}")),
                Some(edge) => {
                    for (name, wanted) in columns.as_object().expect("columns of an edge") {
                        self.compare_column(event, edge, name, wanted, &mut failures);
                    }
                }
            }
        }
        failures
            .into_iter()
            .map(|failure| {
                let Self { file, number, .. } = self;
                format!("{file} c{number:03} `{}`: {failure}", self.written.name)
            })
            .collect()
    }

    /// Which events are of one session, of different ones, of none.
    fn compare_groups(&self, tables: &Tables, failures: &mut Vec<String>) {
        let session = |event: &String| {
            let row = tables.session_of(&self.short().id(event));
            row.and_then(|row| text(row, "session_id"))
        };
        for events in &self.written.same {
            let sessions: Vec<_> = events.iter().map(session).collect();
            if sessions
                .iter()
                .any(|one| one.is_none() || *one != sessions[0])
            {
                failures.push(format!("{events:?} are of one session, not {sessions:?}"));
            }
        }
        for events in &self.written.apart {
            let sessions: Vec<_> = events.iter().map(session).collect();
            let mut different = sessions.clone();
            different.sort();
            different.dedup();
            if different.len() != sessions.len() {
                failures.push(format!(
                    "{events:?} are of different sessions, not {sessions:?}"
                ));
            }
        }
        for event in &self.written.none {
            if let Some(session) = session(event) {
                failures.push(format!("{event} has no session, not `{session}`"));
            }
        }
    }

    fn compare(&self, tables: &Tables, expected: &Row, failures: &mut Vec<String>) {
        let (label, row) = match (expected.get("of"), expected.get("id")) {
            (Some(Value::String(event)), None) => {
                (event.clone(), tables.session_of(&self.short().id(event)))
            }
            (None, Some(Value::String(id))) => {
                let id = self.filled(id);
                let row = tables.sessions.get(&id);
                (id, row)
            }
            _ => panic!(
                "{}: a session is `of` an event or has an `id`",
                self.written.name
            ),
        };
        let Some(row) = row else {
            failures.push(format!("no session of {label}"));
            return;
        };
        for (name, wanted) in expected {
            match name.as_str() {
                "of" | "id" => {}
                "parent" => {
                    let parent = tables.parent_of(row);
                    if !self.is_one_of(tables, parent, wanted) {
                        let got = told(parent);
                        failures.push(format!("{label}: parent is {got}, not {wanted}"));
                    }
                }
                "not_parent" => {
                    let parent = tables.parent_of(row);
                    if self.is_one_of(tables, parent, wanted) {
                        let got = told(parent);
                        failures.push(format!("{label}: parent is {got}, one of {wanted}"));
                    }
                }
                "root" => {
                    let root = text(row, "root_id").and_then(|id| tables.sessions.get(&id));
                    if !self.is_one_of(tables, root, wanted) {
                        let got = told(root);
                        failures.push(format!("{label}: root is {got}, not {wanted}"));
                    }
                }
                _ => self.compare_column(&label, row, name, wanted, failures),
            }
        }
    }

    fn compare_column(
        &self,
        label: &str,
        row: &Row,
        name: &str,
        wanted: &Value,
        failures: &mut Vec<String>,
    ) {
        let Some(got) = row.get(name) else {
            failures.push(format!("{label}: there is no column `{name}`"));
            return;
        };
        let holds = if name.ends_with("_ids") {
            let mut wanted: Vec<String> = serde_json::from_value(wanted.clone()).unwrap();
            let mut got: Vec<String> = serde_json::from_value(got.clone()).unwrap_or_default();
            wanted = wanted.iter().map(|event| self.short().id(event)).collect();
            wanted.sort();
            got.sort();
            wanted == got
        } else if let Value::Array(choice) = wanted {
            choice.iter().any(|one| self.is_value(name, got, one))
        } else {
            self.is_value(name, got, wanted)
        };
        if !holds {
            failures.push(format!("{label}: {name} is {got}, not {wanted}"));
        }
    }

    fn is_value(&self, name: &str, got: &Value, wanted: &Value) -> bool {
        let shown = |value: &Value| match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        match wanted {
            Value::Null => got.is_null(),
            Value::Object(part) => {
                let part = part["has"].as_str().expect("`has` is a text");
                shown(got).contains(&self.filled(part))
            }
            Value::String(event) if name == "issued_by" => shown(got) == self.short().id(event),
            Value::String(wanted) if name.ends_with("_time") || name.ends_with("_at") => {
                let plain = |text: &str| {
                    let text = text.trim_end_matches("+00:00").trim_end_matches('Z');
                    text.trim_end_matches(".000000")
                        .trim_end_matches(".000")
                        .to_owned()
                };
                plain(&shown(got)) == plain(&time(wanted, 0))
            }
            Value::String(wanted) => shown(got) == self.filled(wanted),
            wanted => got == wanted,
        }
    }

    /// Whether the session is the one that is meant, or of a list one of them.
    fn is_one_of(&self, tables: &Tables, got: Option<&Row>, wanted: &Value) -> bool {
        match wanted {
            Value::Null => got.is_none(),
            Value::Array(choice) => choice.iter().any(|one| self.is_one_of(tables, got, one)),
            Value::String(kind) if kind == "unseen" => {
                got.is_some_and(|row| text(row, "kind").as_deref() == Some("unseen"))
            }
            Value::String(event) => {
                let row = tables.session_of(&self.short().id(event));
                let id = |row: &Row| text(row, "session_id");
                row.is_some() && row.and_then(id) == got.and_then(id)
            }
            Value::Object(by) => {
                let id = |name: &str| {
                    by.get(name)
                        .and_then(Value::as_str)
                        .map(|id| self.filled(id))
                };
                match (id("id"), id("kind")) {
                    (Some(id), _) => got.and_then(|row| text(row, "session_id")) == Some(id),
                    (_, kind) => kind.is_some() && got.and_then(|row| text(row, "kind")) == kind,
                }
            }
            _ => panic!("{}: what is {wanted}?", self.written.name),
        }
    }

    fn compare_path(&self, tables: &Tables, event: &str, way: &Value, failures: &mut Vec<String>) {
        let mut steps = Vec::new();
        let mut next = tables.session_of(&self.short().id(event));
        while let Some(row) = next
            && steps.len() < 100
        {
            steps.push(row);
            next = tables.parent_of(row);
        }
        steps.reverse();
        let wanted = way.as_array().expect("a way is a list");
        let holds = steps.len() == wanted.len()
            && steps
                .iter()
                .zip(wanted)
                .all(|(step, wanted)| self.is_one_of(tables, Some(step), wanted));
        if !holds {
            let steps: Vec<String> = steps.into_iter().map(|row| told(Some(row))).collect();
            failures.push(format!("the way to {event} is {steps:?}, not {way}"));
        }
    }

    fn filled(&self, value: &str) -> String {
        let filled = self.short().text(value, &[]);
        filled.unwrap_or_else(|| panic!("{}: what is `{value}`?", self.written.name))
    }
}

fn told(row: Option<&Row>) -> String {
    let Some(row) = row else {
        return "none".to_owned();
    };
    let of = |name| text(row, name).unwrap_or_default();
    format!("`{}` ({})", of("session_id"), of("kind"))
}
