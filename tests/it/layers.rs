//! The table of modules in `docs/architecture.md`, held against the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// A source file with the module it belongs to.
struct SourceFile {
    module: String,
    path: PathBuf,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Row by module, as the page has it.
fn rows() -> BTreeMap<String, u32> {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let cells = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let row = cells.next()?.parse().ok()?;
        let module = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((module.to_owned(), row))
    });
    cells.collect()
}

fn sources() -> Vec<SourceFile> {
    let folder = root().join("src");
    let files = WalkDir::new(&folder).into_iter().map(Result::unwrap);
    let mut sources = Vec::new();
    for file in files.filter(|file| file.path().extension().is_some_and(|ending| ending == "rs")) {
        let inner = file.path().strip_prefix(&folder).unwrap();
        let first = inner.components().next().unwrap().as_os_str();
        let module = first.to_str().unwrap().trim_end_matches(".rs");
        // These two only say which modules there are.
        if !["lib", "main"].contains(&module) {
            sources.push(SourceFile {
                module: module.to_owned(),
                path: inner.to_owned(),
                text: fs::read_to_string(file.path()).unwrap(),
            });
        }
    }
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

/// The modules in `use crate::…`, also in `use crate::{…}`.
fn imports(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, start) in text.match_indices("use crate::") {
        let rest = &text[at + start.len()..];
        let statement = rest.split(';').next().unwrap_or_default();
        match statement.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                for part in list.split(',') {
                    if depth == 0 {
                        found.push(first_name(part));
                    }
                    depth += part.matches('{').count();
                    depth = depth.saturating_sub(part.matches('}').count());
                }
            }
            None => found.push(first_name(statement)),
        }
    }
    // The library's error and result types are re-exported at its root.
    found.retain(|name| !name.is_empty() && !name.starts_with(char::is_uppercase));
    found
}

fn first_name(path: &str) -> &str {
    let path = path.trim();
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    &path[..end.unwrap_or(path.len())]
}

#[test]
fn imports_are_read_in_every_form() {
    let check = |text, expected: &[&str]| assert_eq!(imports(text), expected, "{text}");
    check(
        "use crate::lake::Lake;\nuse crate::error;",
        &["lake", "error"],
    );
    check(
        "use crate::{Error, lake::{Lake, is_lake}, schema};",
        &["lake", "schema"],
    );
    check("use super::lake; use std::fs;", &[]);
}

#[test]
fn modules_import_from_rows_above() {
    let rows = rows();
    for source in sources() {
        let place = source.path.display();
        let Some(own) = rows.get(&source.module) else {
            panic!("`{}` has no row", source.module);
        };
        for import in imports(&source.text) {
            let Some(other) = rows.get(import) else {
                panic!("{place} imports `{import}`, which has no row");
            };
            assert!(
                other < own || import == "error" || import == source.module,
                "{place} (row {own}) imports `{import}` (row {other})"
            );
        }
    }
}

#[test]
fn every_row_has_its_module() {
    let sources = sources();
    for module in rows().keys() {
        let exists = sources.iter().any(|source| source.module == *module);
        assert!(exists, "there is no module `{module}`");
    }
}

#[test]
fn what_belongs_to_few_modules_stays_there() {
    let check = |words: &[&str], allowed: &[&str]| {
        for source in sources() {
            let code = source.text.lines().map(str::trim_start);
            let mut code = code.filter(|line| !line.starts_with("//"));
            let word = code.find(|line| words.iter().any(|word| line.contains(word)));
            assert!(
                word.is_none() || allowed.contains(&source.module.as_str()),
                "{}: {}",
                source.path.display(),
                word.unwrap_or_default()
            );
        }
    };
    check(&["clap::", "use clap"], &["cli"]);
    check(&["rustyline::", "use rustyline"], &["repl"]);
    check(&["deltalake::", "use deltalake"], &["lake"]);
    check(&["println!", "eprintln!", "print!"], &["cli", "repl"]);
    check(
        &["datafusion::", "use datafusion"],
        &["engine", "detections", "app", "repl", "cli"],
    );
}
