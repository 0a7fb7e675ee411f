//! The committed sample case is what its generator makes, and holds what its readme promises.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

#[path = "../../benches/generate/calls.rs"]
mod calls;
#[path = "../../benches/generate/event.rs"]
mod event;
#[path = "../../benches/generate/kit.rs"]
mod kit;
#[path = "../../benches/generate/sample/mod.rs"]
mod sample;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

fn unpack(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes)
        .read_to_string(&mut text)
        .expect("the generator writes gzip of UTF-8");
    text
}

fn committed(root: &Path, folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a folder of the sample") {
        let path = entry.expect("an entry of the sample").path();
        if path.is_dir() {
            committed(root, &path, into);
        } else {
            let name = path.strip_prefix(root).expect("below its root");
            let name = name.to_string_lossy().replace('\\', "/");
            into.insert(name, fs::read(&path).expect("a file of the sample"));
        }
    }
}

#[test]
fn committed_files_are_what_the_generator_makes() {
    let made = sample::build().expect("a sample in memory");
    let root = data().join("samples");
    let mut found = BTreeMap::new();
    committed(&root, &root, &mut found);
    let names: Vec<&String> = made.files.iter().map(|(name, _)| name).collect();
    assert_eq!(names, found.keys().collect::<Vec<_>>());
    for (name, bytes) in &made.files {
        // Unpacked, because a compressor may choose other matches on another processor.
        assert_eq!(unpack(bytes), unpack(&found[name]), "{name}");
    }
    for (name, text) in [
        ("samples.expected.json", &made.expected),
        ("samples.silent.json", &made.silent),
    ] {
        let kept = fs::read_to_string(data().join(name)).expect("a list beside the sample");
        assert_eq!(&kept, text, "{name}");
    }
}

#[test]
fn planted_events_exist_and_are_named_in_the_readme() {
    let made = sample::build().expect("a sample in memory");
    let mut ids = HashSet::new();
    for (_, bytes) in &made.files {
        let file: Value = serde_json::from_str(&unpack(bytes)).expect("JSON");
        for record in file["Records"].as_array().into_iter().flatten() {
            ids.insert(record["eventID"].as_str().expect("an event id").to_owned());
        }
    }
    let readme = fs::read_to_string(data().join("README.md")).expect("the readme of the sample");
    for list in [&made.expected, &made.silent] {
        let steps: Value = serde_json::from_str(list).expect("a list of steps");
        for step in steps.as_array().expect("a list") {
            let planted = step["event_ids"].as_array().expect("ids");
            assert!(!planted.is_empty(), "{step}");
            assert!(
                planted
                    .iter()
                    .all(|id| id.as_str().is_some_and(|id| ids.contains(id)))
            );
            let first = planted[0].as_str().expect("text");
            assert!(readme.contains(first), "{step}");
        }
    }
}
