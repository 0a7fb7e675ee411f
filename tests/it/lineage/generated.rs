//! Generated evidence: the tables say what the oracle says, and nothing that is not so.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cases;
use super::oracle::{Answer, Call, Oracle};
use super::tables::{Row, Tables, text};
use super::unsound;
use super::world::{self, Truth};

/// Worlds that lie in one heap of evidence, and the heaps.
const N_WORLDS: u64 = 60;
const N_HEAPS: u64 = 2;

/// Numbers of worlds begin after those of the cases.
const FIRST: u64 = 1_000;

struct World {
    seed: u64,
    truth: Truth,
    oracle: Oracle,
}

fn worlds(heap: u64) -> Vec<World> {
    let templates: Map<String, Value> = cases::templates();
    let first = FIRST + heap * N_WORLDS;
    let world = |seed| {
        let truth = world::make(seed, &templates);
        let records: Vec<Value> = truth.made.iter().map(|made| made.record.clone()).collect();
        World {
            seed,
            truth,
            oracle: Oracle::of(&records),
        }
    };
    (first..first + N_WORLDS).map(world).collect()
}

/// Whether the answer is this session of the tables.
fn is(answer: &Answer, got: Option<&Row>) -> bool {
    let of = |name| got.and_then(|row| text(row, name));
    match answer {
        Answer::Nobody => got.is_none(),
        Answer::Unseen => of("kind").as_deref() == Some("unseen"),
        Answer::Session(id) => match id.split_once('@') {
            // A session whose keys change may also go by the key that was issued.
            Some((principal, _)) if id.starts_with("AROA") => {
                of("principal_id").as_deref() == Some(principal)
            }
            // And one of a single key by its beginning.
            _ => [of("session_id"), of("access_key_id")].contains(&Some(id.clone())),
        },
        Answer::Kind(kind) => of("kind").as_ref() == Some(kind),
        Answer::Open => true,
    }
}

fn shown(row: Option<&Row>) -> String {
    let of = |name| row.and_then(|row| text(row, name)).unwrap_or_default();
    format!("`{}` ({})", of("session_id"), of("kind"))
}

impl World {
    /// Where the walk from the call's session upwards ends.
    fn root(&self, call: &Call) -> Answer {
        let (mut session, mut parent) = (self.oracle.session(call), self.oracle.parent(call));
        for _ in 0..100 {
            match parent {
                Answer::Nobody => return session,
                Answer::Unseen | Answer::Open | Answer::Kind(_) => return parent,
                Answer::Session(_) => {}
            }
            session = parent;
            let mut calls = self.oracle.calls.iter();
            let Some(next) = calls.find(|call| self.oracle.session(call) == session) else {
                return session;
            };
            parent = self.oracle.parent(next);
        }
        Answer::Open
    }

    /// What the tables say otherwise than the oracle.
    fn differences(&self, tables: &Tables) -> Vec<String> {
        let mut failures = Vec::new();
        for call in &self.oracle.calls {
            let Some(row) = tables.session_of(&call.event) else {
                failures.push(format!("{}: no session", call.event));
                continue;
            };
            let parent = tables.parent_of(row);
            let root = text(row, "root_id").and_then(|id| tables.sessions.get(&id));
            for (what, wanted, got) in [
                ("session", self.oracle.session(call), Some(row)),
                ("parent", self.oracle.parent(call), parent),
                ("root", self.root(call), root),
            ] {
                if !is(&wanted, got) {
                    let got = shown(got);
                    failures.push(format!("{}: {what} is {got}, not {wanted:?}", call.event));
                }
            }
        }
        failures
    }

    /// Events that the oracle puts into one session and the tables into several, or the other way.
    fn torn(&self, tables: &Tables) -> Vec<String> {
        let mut by_oracle: BTreeMap<Answer, BTreeMap<String, &str>> = BTreeMap::new();
        let mut by_tables: BTreeMap<String, BTreeMap<Answer, &str>> = BTreeMap::new();
        for call in &self.oracle.calls {
            let session = self.oracle.session(call);
            let row = tables.session_of(&call.event);
            let id = row.and_then(|row| text(row, "session_id"));
            if let (Answer::Session(_), Some(id)) = (&session, id) {
                let parts = by_oracle.entry(session.clone()).or_default();
                parts.insert(id.clone(), &call.event);
                by_tables
                    .entry(id)
                    .or_default()
                    .insert(session, &call.event);
            }
        }
        by_oracle.retain(|_, parts| parts.len() > 1);
        by_tables.retain(|_, parts| parts.len() > 1);
        let torn = by_oracle
            .iter()
            .map(|(whole, parts)| format!("{whole:?} is torn: {parts:?}"));
        let merged = by_tables
            .iter()
            .map(|(whole, parts)| format!("`{whole}` is made of {parts:?}"));
        torn.chain(merged).collect()
    }

    /// What the tables say that is not so, where the records leave it open.
    fn untruths(&self, tables: &Tables) -> Vec<String> {
        // Who truly made the calls of a session, by the keys that are its.
        let mut makers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (id, row) in &tables.sessions {
            let key = text(row, "access_key_id").and_then(|key| self.truth.keys.get(&key));
            makers.entry(id.clone()).or_default().extend(key);
        }
        for made in &self.truth.made {
            let row = tables.session_of(made.record["eventID"].as_str().unwrap());
            let key = made.record.pointer("/userIdentity/accessKeyId");
            if let (Some(_), Some(id)) = (key, row.and_then(|row| text(row, "session_id"))) {
                makers.entry(id).or_default().push(made.by);
            }
        }
        makers.retain(|_, makers| !makers.is_empty());
        let truly = |row: Option<&Row>, by: Option<usize>| {
            let id = row.and_then(|row| text(row, "session_id"));
            let makers = id.and_then(|id| makers.get(&id));
            makers.is_none_or(|makers| by.is_some_and(|by| makers.contains(&by)))
        };
        let mut failures = Vec::new();
        for (call, made) in self.oracle.calls.iter().zip(&self.truth.made) {
            let Some(row) = tables.session_of(&call.event) else {
                continue;
            };
            // What a service does without a key is rightly put down to a session that fits.
            let key = text(row, "access_key_id");
            let fits = key.is_some_and(|key| self.oracle.may_have(call, &key));
            if call.key.is_none() && fits {
                continue;
            }
            if !truly(Some(row), Some(made.by)) {
                let got = shown(Some(row));
                failures.push(format!("{}: was not made in {got}", call.event));
            }
            let parent = tables.parent_of(row);
            let open = self.oracle.parent(call) == Answer::Open;
            if open && !truly(parent, self.truth.parents[made.by]) {
                let got = shown(parent);
                failures.push(format!("{}: its session is not of {got}", call.event));
            }
        }
        failures
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tables_say_what_the_oracle_says() {
    let (mut n_records, mut n_open, mut failures) = (0, 0, Vec::new());
    for heap in 0..N_HEAPS {
        let worlds = worlds(heap);
        let made = worlds.iter().flat_map(|world| &world.truth.made);
        let records: Vec<Value> = made.map(|made| made.record.clone()).collect();
        let tables = Tables::of(&records).await;
        n_records += records.len();
        failures.extend(unsound(&tables));
        for world in &worlds {
            let calls = world.oracle.calls.iter();
            let parents = calls.map(|call| world.oracle.parent(call));
            n_open += parents.filter(|parent| *parent == Answer::Open).count();
            let mut found = world.torn(&tables);
            found.extend(world.differences(&tables));
            found.extend(world.untruths(&tables));
            let found = found.into_iter();
            failures.extend(found.map(|failure| format!("world {}: {failure}", world.seed)));
        }
    }
    // An oracle that leaves all open would agree with anything.
    assert!(n_open * 4 < n_records, "{n_open} of {n_records} are open");
    let n = failures.len();
    failures.truncate(100);
    let failures = failures.join("\n");
    assert!(n == 0, "{n} failures in {n_records} records:\n{failures}");
}
